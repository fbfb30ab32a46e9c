//! Whether the first bytes of an object are what its name says. Nothing is unpacked or interpreted: a name that
//! promises a PDF and a content that begins like a program is refused, an archive is only seen to be an archive.

use shared::mapping::{Violation, Violations};

use super::plan::Limits;

/// How many bytes from the beginning are enough.
pub const HEAD_LENGTH: usize = 8 * 1024;

/// A kind of file: its extensions, its media type, and what its first bytes may look like.
struct Kind {
    extensions: &'static [&'static str],
    media_type: &'static str,
    /// Media types the bytes may show. Empty: text, which shows none.
    shows: &'static [&'static str],
}

const ZIP: &str = "application/zip";
const OLE: &str = "application/x-ole-storage";

const KINDS: &[Kind] = &[
    kind(&["pdf"], "application/pdf", &["application/pdf"]),
    kind(&["jpg", "jpeg"], "image/jpeg", &["image/jpeg"]),
    kind(&["png"], "image/png", &["image/png"]),
    kind(&["gif"], "image/gif", &["image/gif"]),
    kind(&["tif", "tiff"], "image/tiff", &["image/tiff"]),
    kind(&["bmp"], "image/bmp", &["image/bmp"]),
    kind(&["webp"], "image/webp", &["image/webp"]),
    kind(&["heic", "heif"], "image/heif", &["image/heif"]),
    kind(&["jp2"], "image/jp2", &["image/jp2"]),
    kind(&["mp4", "m4v"], "video/mp4", MPEG4),
    kind(&["mov"], "video/quicktime", MPEG4),
    kind(&["m4a"], "audio/m4a", MPEG4),
    kind(&["mkv"], "video/x-matroska", &["video/x-matroska", "video/webm"]),
    kind(&["webm"], "video/webm", &["video/webm", "video/x-matroska"]),
    kind(&["avi"], "video/x-msvideo", &["video/x-msvideo"]),
    kind(&["mp3"], "audio/mpeg", &["audio/mpeg"]),
    kind(&["wav"], "audio/x-wav", &["audio/x-wav"]),
    kind(&["flac"], "audio/x-flac", &["audio/x-flac"]),
    kind(&["zip"], ZIP, &[ZIP]),
    kind(&["7z"], "application/x-7z-compressed", &["application/x-7z-compressed"]),
    kind(&["gz", "tgz"], "application/gzip", &["application/gzip"]),
    kind(
        &["docx"],
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        &["application/vnd.openxmlformats-officedocument.wordprocessingml.document", ZIP],
    ),
    kind(
        &["xlsx"],
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ZIP],
    ),
    kind(
        &["pptx"],
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        &["application/vnd.openxmlformats-officedocument.presentationml.presentation", ZIP],
    ),
    kind(
        &["odt"],
        "application/vnd.oasis.opendocument.text",
        &["application/vnd.oasis.opendocument.text", ZIP],
    ),
    kind(&["doc"], "application/msword", &["application/msword", OLE]),
    kind(&["xls"], "application/vnd.ms-excel", &["application/vnd.ms-excel", OLE]),
    kind(&["ppt"], "application/vnd.ms-powerpoint", &["application/vnd.ms-powerpoint", OLE]),
    kind(&["msg"], "application/vnd.ms-outlook", &["application/vnd.ms-outlook", OLE]),
    kind(&["txt", "log", "md"], "text/plain", &[]),
    kind(&["csv"], "text/csv", &[]),
    kind(&["json"], "application/json", &[]),
    kind(&["xml"], "application/xml", &["text/xml", "text/html"]),
    kind(&["html", "htm"], "text/html", &["text/html", "text/xml"]),
    kind(&["eml"], "message/rfc822", &[]),
];

/// How TIFF and its large form begin, in either order of bytes.
const TIFF: [&[u8; 4]; 4] = [b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b"];

/// The MPEG-4 family shares one container; its brands are not told apart reliably.
const MPEG4: &[&str] = &["video/mp4", "video/quicktime", "video/x-m4v", "audio/m4a"];

const fn kind(
    extensions: &'static [&'static str],
    media_type: &'static str,
    shows: &'static [&'static str],
) -> Kind {
    Kind { extensions, media_type, shows }
}

/// What is known about the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The media type, when the bytes or the extension tell it.
    pub media_type: Option<&'static str>,
    /// Why the bytes contradict the name, when they do.
    pub contradiction: Option<Contradiction>,
}

/// How the bytes contradict the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// What the name promises.
    pub expected: String,
    /// What the bytes show.
    pub found: String,
}

/// Compares the first bytes (up to [`HEAD_LENGTH`]) with the name.
pub fn detect(name: &str, head: &[u8]) -> Detected {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default();
    let promised = KINDS.iter().find(|kind| kind.extensions.contains(&extension.as_str()));
    let shown = sniff(head);
    let Some(promised) = promised else {
        // A name that promises nothing known can only be contradicted by a program.
        let contradiction =
            shown.filter(|_| is_program(head) && !is_program_extension(&extension)).map(|found| {
                Contradiction { expected: "a document".to_owned(), found: format!("a program ({found})") }
            });
        return Detected { media_type: shown, contradiction };
    };
    let agrees = match shown {
        Some(shown) => promised.shows.contains(&shown),
        None => promised.shows.is_empty() && looks_like_text(head) || shows_nothing(promised),
    };
    if agrees || head.is_empty() {
        return Detected { media_type: Some(promised.media_type), contradiction: None };
    }
    let found = shown.map_or_else(
        || if looks_like_text(head) { "text" } else { "an unknown binary format" }.to_owned(),
        str::to_owned,
    );
    let expected = format!("{} (`.{extension}`)", promised.media_type);
    Detected { media_type: shown, contradiction: Some(Contradiction { expected, found }) }
}

/// Everything wrong with the content under the limits of a rule.
pub fn check(limits: &Limits, name: &str, declared: Option<&str>, head: &[u8]) -> Violations {
    let mut violations = Violations::new();
    let detected = detect(name, head);
    if let Some(contradiction) = detected.contradiction.filter(|_| limits.check_content) {
        violations.push(Violation::new(
            "mislabelled-content",
            "object content",
            contradiction.found,
            contradiction.expected,
            "give the file the name of what it is, or upload the right file",
        ));
    }
    let media_type = detected.media_type.or(declared).unwrap_or("application/octet-stream");
    if !limits.accepts(media_type) {
        violations.push(Violation::new(
            "blocked-content",
            "object content",
            media_type,
            format!("one of {}", limits.content_types.join(", ")),
            "upload a file of an accepted type, or add the type to `limits.content_types`",
        ));
    }
    violations
}

fn sniff(head: &[u8]) -> Option<&'static str> {
    // A PDF may begin with up to a kilobyte of something else; readers look for the mark within it.
    let beginning = head.get(..1024.min(head.len())).unwrap_or_default();
    match infer::get(head) {
        Some(found) => Some(found.mime_type()),
        // BigTIFF, which large scans are, has another version number than TIFF.
        None if TIFF.iter().any(|mark| head.starts_with(mark.as_slice())) => Some("image/tiff"),
        None if beginning.windows(5).any(|window| window == b"%PDF-") => Some("application/pdf"),
        None => None,
    }
}

fn is_program(head: &[u8]) -> bool {
    infer::get(head).is_some_and(|found| found.matcher_type() == infer::MatcherType::App)
}

fn is_program_extension(extension: &str) -> bool {
    matches!(extension, "exe" | "dll" | "so" | "bin" | "class" | "wasm" | "msi" | "elf" | "o")
}

/// Kinds that begin in more ways than the bytes can tell, such as MP3 without a tag.
fn shows_nothing(kind: &Kind) -> bool {
    matches!(kind.media_type, "audio/mpeg" | "application/xml" | "text/html")
}

fn looks_like_text(head: &[u8]) -> bool {
    let utf16 = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    utf16 || !head.contains(&0)
}
