use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Segments as a path that begins with a slash, each encoded. Nothing when one is empty or climbs: an empty id would turn
/// "this object" into "all of them".
pub(crate) fn path_of(segments: &[String]) -> Option<String> {
    let mut path = String::new();
    for segment in segments {
        if matches!(segment.as_str(), "" | "." | "..") {
            return None;
        }
        path.push('/');
        path.extend(utf8_percent_encode(segment, UNRESERVED));
    }
    Some(path)
}
