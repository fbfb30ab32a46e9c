//! Names of files and folders in storage: ASCII that every system takes, from which the true name can be read again.
//!
//! Preservica passes over files whose names have a `?` or are not ASCII, without a word, and stops the whole ingest at
//! `: < > |`. So these, and what stands for something else on some system, are written as `!` and two hexadecimal digits for each
//! byte. `!` is safe in S3 keys and rare in names: most names stay as they are.

use sha2::{Digest, Sha256};

/// The most bytes a storage name has: room for `.pax.zip.opex` within the 255 that file systems allow.
pub const LONGEST_NAME: usize = 220;

const ESCAPE: char = '!';
/// What begins a name that stands for one that is too long.
const SHORTENED: &str = "!-";
/// Names that Windows keeps for devices.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "COM", "LPT"];
/// Endings that say what a file is, in the layouts of packages: no content may have one by chance.
const TELLING: [&str; 4] = [".opex", ".xip", ".pax", ".pax.zip"];

/// Which byte of a name, by its place, cannot stay.
fn is_escaped(name: &str, at: usize, letter: char) -> bool {
    let is_last = at + letter.len_utf8() == name.len();
    !letter.is_ascii()
        || letter.is_ascii_control()
        || "/\\:*?\"<>|!".contains(letter)
        || (letter == ' ' || letter == '.') && (at == 0 || is_last)
        || letter == '~' && at == 0
}

/// The storage name of a name. [`true_name`] gives the name back, unless it was too long: such a name becomes its SHA-256 with
/// its extension, and stands in the metadata only.
///
/// ```
/// use shared::packages::{storage_name, true_name};
/// assert_eq!(storage_name("Act 1: Größe <final>.mov"), "Act 1!3A Gr!C3!B6!C3!9Fe !3Cfinal!3E.mov");
/// assert_eq!(true_name("Act 1!3A Gr!C3!B6!C3!9Fe !3Cfinal!3E.mov").as_deref(), Some("Act 1: Größe <final>.mov"));
/// ```
pub fn storage_name(name: &str) -> String {
    let telling = telling_dot(name);
    let device = is_device(name);
    let mut written = String::with_capacity(name.len());
    for (at, letter) in name.char_indices() {
        if is_escaped(name, at, letter) || Some(at) == telling || device && at == 0 {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                written.push(ESCAPE);
                written.push_str(&hex::encode_upper([byte]));
            }
        } else {
            written.push(letter);
        }
    }
    match written.is_empty() || written.len() > LONGEST_NAME {
        true => shortened(name),
        false => written,
    }
}

/// Where the dot is of an ending that says what a file is.
fn telling_dot(name: &str) -> Option<usize> {
    let lower = name.to_ascii_lowercase();
    let ending =
        TELLING.iter().filter(|ending| lower.ends_with(**ending)).max_by_key(|ending| ending.len())?;
    name.len().checked_sub(ending.len())
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let word = stem.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = stem.len() - word.len();
    let known = DEVICES.iter().position(|device| device.eq_ignore_ascii_case(word));
    known.is_some_and(|at| if at < 4 { digits == 0 } else { digits == 1 })
}

fn shortened(name: &str) -> String {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let plain =
        |text: &&str| (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let telling = |text: &&str| !TELLING.contains(&format!(".{}", text.to_ascii_lowercase()).as_str());
    let extension = extension.filter(plain).filter(telling);
    let hash = hex::encode(Sha256::digest(name.as_bytes()));
    match extension {
        Some(extension) => format!("{SHORTENED}{hash}.{extension}"),
        None => format!("{SHORTENED}{hash}"),
    }
}

/// The name that a storage name stands for; none when it is no storage name, or was too long.
pub fn true_name(storage: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(storage.len());
    let mut rest = storage;
    while let Some((before, after)) = rest.split_once(ESCAPE) {
        bytes.extend_from_slice(before.as_bytes());
        let digits = after.get(..2)?;
        let is_upper = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
        bytes.extend(hex::decode(digits).ok().filter(|_| is_upper)?);
        rest = after.get(2..)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    let name = String::from_utf8(bytes).ok()?;
    // One name has one storage name, so that two of them never stand for the same.
    (storage_name(&name) == storage).then_some(name)
}

/// Whether a path is made of names that every system and archive takes, and stays where it is put.
pub fn is_storage_path(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    !path.is_empty() && path.len() <= 4096 && path.split('/').all(is_storage_step)
}

fn is_storage_step(step: &str) -> bool {
    let unsafe_here = |letter: char| letter != ESCAPE && is_escaped(step, usize::MAX / 2, letter);
    (1..=255).contains(&step.len())
        && !step.starts_with([' ', '.', '~'])
        && !step.ends_with([' ', '.'])
        && !step.chars().any(unsafe_here)
        && !is_device(step)
}
