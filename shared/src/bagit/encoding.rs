//! The encoding of tag files.

use encoding_rs::Encoding;

use super::problem::Problem;

/// A tag file as text. A byte order mark is taken off; whether there was one is said.
pub(super) fn decode(
    path: &str,
    bytes: &[u8],
    encoding: &'static Encoding,
) -> Result<(String, bool), Problem> {
    let marked = Encoding::for_bom(bytes).is_some();
    let (text, _, damaged) = encoding.decode(bytes);
    if damaged {
        let message = format!("it is not {}, as bagit.txt says", encoding.name());
        return Err(Problem::new("bag.encoding", path, message));
    }
    Ok((text.into_owned(), marked))
}

/// The encoding with a name of the IANA registry.
pub(super) fn named(name: &str) -> Result<&'static Encoding, Problem> {
    Encoding::for_label(name.as_bytes()).ok_or_else(|| {
        Problem::new(
            "bag.encoding",
            "bagit.txt",
            format!("the encoding `{}` is not known", name.escape_default()),
        )
    })
}

/// Lines, whatever ends them: LF, CR, or both.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.find(['\r', '\n']);
        let line = end.and_then(|end| text.get(..end)).unwrap_or(text);
        rest = end.and_then(|end| {
            let after = text.get(end..)?;
            after.strip_prefix("\r\n").or_else(|| after.get(1..))
        });
        Some(line)
    })
}
