//! Paths inside a bag: how manifests write them, which are allowed, and how safe ones are made of any names.

use super::declaration::Version;

/// A path as a manifest writes it, decoded: line ends, and since the RFC the percent sign, are percent-encoded.
pub(super) fn decoded(raw: &str, version: Version) -> String {
    let mut decoded = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let code = after.get(..2).map(str::to_ascii_uppercase);
        let character = match code.as_deref() {
            Some("0A") => Some('\n'),
            Some("0D") => Some('\r'),
            Some("25") if version.is_rfc() => Some('%'),
            _ => None,
        };
        decoded.push(character.unwrap_or('%'));
        rest = if character.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    decoded.push_str(rest);
    decoded
}

/// The other way round.
pub(super) fn encoded(path: &str) -> String {
    path.replace('%', "%25").replace('\n', "%0A").replace('\r', "%0D")
}

/// A path without `./` at its beginning, when it stays inside the bag on any system.
pub(super) fn inside(path: &str) -> Option<&str> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let drive =
        path.as_bytes().get(1) == Some(&b':') && path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let outside = path.is_empty() || path.starts_with(['/', '~', '\\']) || drive || path.contains('\0');
    // A backslash is an ordinary character here, and a way out of the bag elsewhere.
    let steps_out = path.split(['/', '\\']).any(|step| step == "..");
    let odd_steps = path.split('/').any(|step| step.is_empty() || step == ".");
    (!outside && !steps_out && !odd_steps).then_some(path)
}

/// Names that Windows keeps for devices.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "COM", "LPT"];

/// One step of a path made of any name: readable, at most `most` bytes, and a file name on every system. Different
/// names may give the same step; whoever needs them apart adds what tells them apart ([`with_suffix`]).
pub fn safe_step(name: &str, most: usize) -> String {
    let unsafe_here = |letter: char| letter.is_control() || "/\\:*?\"<>|%".contains(letter);
    let clean: String = name.chars().map(|letter| if unsafe_here(letter) { '_' } else { letter }).collect();
    let trimmed = clean.trim().trim_end_matches(['.', ' ']);
    let trimmed = if trimmed.starts_with(['.', '~']) {
        format!("_{}", trimmed.trim_start_matches(['.', '~']))
    } else {
        trimmed.to_owned()
    };
    let stem = trimmed
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end_matches(|letter: char| letter.is_ascii_digit());
    let step = match trimmed.as_str() {
        "" => "_".to_owned(),
        _ if DEVICES.iter().any(|device| device.eq_ignore_ascii_case(stem)) => format!("_{trimmed}"),
        _ => trimmed,
    };
    cut(&step, most).trim_end_matches(['.', ' ']).to_owned()
}

/// A file name with something added before its extension, as one safe step of at most `most` bytes. The suffix and a
/// short extension are never cut.
pub fn with_suffix(name: &str, suffix: &str, most: usize) -> String {
    let step = safe_step(name, usize::MAX);
    let at = step.rfind('.').filter(|at| *at > 0 && step.len() - at <= 16).unwrap_or(step.len());
    let (stem, extension) = step.split_at(at);
    let room = most.saturating_sub(suffix.len() + extension.len());
    format!("{}{suffix}{extension}", cut(stem, room))
}

fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
