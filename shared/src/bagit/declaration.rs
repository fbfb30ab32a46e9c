//! `bagit.txt`: which version of the format a bag follows, and the encoding of its other tag files.

use std::fmt;

use super::problem::Problem;

/// A version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u8,
    minor: u8,
}

impl Version {
    /// RFC 8493.
    pub const RFC: Self = Self { major: 1, minor: 0 };
    const KNOWN: [Self; 6] =
        [Self::draft(93), Self::draft(94), Self::draft(95), Self::draft(96), Self::draft(97), Self::RFC];

    const fn draft(minor: u8) -> Self {
        Self { major: 0, minor }
    }

    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        let number =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
        let version = Self { major: number(major)?, minor: number(minor)? };
        Self::KNOWN.contains(&version).then_some(version)
    }

    /// Whether the rules of the RFC hold, which are stricter than those of the drafts before it.
    pub fn is_rfc(self) -> bool {
        self >= Self::RFC
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

/// Version, and name of the encoding.
pub(super) fn parse(bytes: &[u8]) -> Result<(Version, String), Problem> {
    let wrong = |message: String| Problem::new("bag.declaration", "bagit.txt", message);
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(wrong("it begins with a byte order mark, which is not allowed".into()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".into()))?;
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut value = |label: &str| {
        let line = lines.next().ok_or_else(|| wrong(format!("the line `{label}: …` is missing")))?;
        let rest = line.strip_prefix(label).ok_or_else(|| wrong(format!("expected `{label}: …`")))?;
        Ok::<_, Problem>((rest.to_owned(), format!("expected `{label}: …`, with one space after the colon")))
    };
    let (version, spacing) = value("BagIt-Version")?;
    let text = version.trim_start().strip_prefix(':').map(str::trim).unwrap_or_default();
    let found = Version::parse(text).ok_or_else(|| {
        wrong(format!("`{}` is not a version: 0.93 to 0.97 and 1.0 are read", text.escape_default()))
    })?;
    let (encoding, _) = value("Tag-File-Character-Encoding")?;
    for rest in [&version, &encoding] {
        let exact = rest.strip_prefix(": ").is_some_and(|value| value.trim() == value);
        if found.is_rfc() && !exact {
            return Err(wrong(spacing));
        }
    }
    let encoding = encoding.trim_start().strip_prefix(':').map(str::trim).unwrap_or_default().to_owned();
    if encoding.is_empty() {
        return Err(wrong("no encoding of tag files is named".into()));
    }
    if found.is_rfc() && lines.next().is_some() {
        return Err(wrong("it has more than its two lines".into()));
    }
    Ok((found, encoding))
}
