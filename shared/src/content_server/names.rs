//! Names the server takes, from any text, and back.
//!
//! Grammar of an escaped name:
//!
//! ```text
//! name      = "%-"                          the empty text
//!           | piece+                        everything else that fits
//!           | piece* "%~" 16 hex [ext]      shortened: 16 digits of the SHA-256 of the original; not reversible
//! piece     = "%" HEX HEX                   one byte of the UTF-8 of a character the server does not take
//!           | character                     itself
//! ```
//!
//! A percent sign is written `%25` exactly when what follows would make it look like one of these. Two different texts
//! therefore never share an escaped name, and every name that was not shortened gives its text back.

use std::fmt::Write as _;

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Which names a Content Server takes. The vendor states the length and the colon; the rest is caution.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NameRules {
    /// Longest name in characters.
    pub length: usize,
    /// Characters that are escaped wherever they stand. Control characters always are.
    pub forbidden: String,
    /// Escape a dot at the end.
    pub escape_final_dot: bool,
    /// Escape characters outside the basic plane (emoji), for databases that cannot hold them.
    pub escape_beyond_basic_plane: bool,
}

impl Default for NameRules {
    fn default() -> Self {
        Self {
            length: 248,
            forbidden: ":/\\".to_owned(),
            escape_final_dot: false,
            escape_beyond_basic_plane: false,
        }
    }
}

const EMPTY: &str = "%-";
const SHORTENED: &str = "%~";
const HASH_DIGITS: usize = 16;
const LONGEST_EXTENSION: usize = 16;

impl NameRules {
    /// The name under which a text is stored.
    pub fn escape(&self, text: &str) -> String {
        if text.is_empty() {
            return EMPTY.to_owned();
        }
        let pieces = self.pieces(text);
        if pieces.iter().map(|piece| piece.chars().count()).sum::<usize>() <= self.length() {
            return pieces.concat();
        }
        self.shorten(text, &pieces)
    }

    /// The text an escaped name stands for; nothing when the name was shortened. Names that other people gave come back
    /// unchanged unless they happen to hold an escape.
    pub fn unescape(&self, name: &str) -> Option<String> {
        if name == EMPTY {
            return Some(String::new());
        }
        if is_shortened(name) {
            return None;
        }
        let mut bytes = Vec::with_capacity(name.len());
        let mut rest = name.as_bytes();
        while let Some((&first, after)) = rest.split_first() {
            match (first, hex_pair(after)) {
                (b'%', Some(byte)) => {
                    bytes.push(byte);
                    rest = after.get(2..).unwrap_or_default();
                }
                _ => {
                    bytes.push(first);
                    rest = after;
                }
            }
        }
        Some(String::from_utf8(bytes).unwrap_or_else(|_| name.to_owned()))
    }

    /// Whether the server is expected to take a name as it is and keep it so.
    pub fn accepts(&self, name: &str) -> bool {
        !name.is_empty()
            && name.chars().count() <= self.length()
            && name.trim() == name
            && !(self.escape_final_dot && name.ends_with('.'))
            && !name.chars().any(|character| self.escapes(character))
    }

    /// Room for at least one piece, the mark, the hash and an extension, whatever the setting says.
    fn length(&self) -> usize {
        self.length.max(48)
    }

    fn escapes(&self, character: char) -> bool {
        character.is_control()
            || self.forbidden.contains(character)
            || (self.escape_beyond_basic_plane && u32::from(character) > 0xFFFF)
    }

    /// One piece per character of the text.
    fn pieces(&self, text: &str) -> Vec<String> {
        let leading = text.len() - text.trim_start().len();
        let trailing = text.trim_end().len();
        text.char_indices()
            .map(|(at, character)| {
                let rest = text.get(at + character.len_utf8()..).unwrap_or_default();
                let edge = character.is_whitespace() && (at < leading || at >= trailing);
                let final_dot = self.escape_final_dot && character == '.' && rest.is_empty();
                let lookalike = character == '%' && looks_escaped(rest);
                if self.escapes(character) || edge || final_dot || lookalike {
                    percent(character)
                } else {
                    character.to_string()
                }
            })
            .collect()
    }

    /// As much of the beginning as fits, the mark, the hash, and the extension so that programs still open the file.
    fn shorten(&self, text: &str, pieces: &[String]) -> String {
        let extension = extension(pieces);
        let mut tail = SHORTENED.to_owned();
        for byte in Sha256::digest(text.as_bytes()).iter().take(HASH_DIGITS / 2) {
            let _ = write!(tail, "{byte:02x}");
        }
        tail.push_str(&extension);
        let room = self.length().saturating_sub(tail.chars().count());
        let mut name = String::new();
        let mut used = 0;
        for piece in pieces {
            used += piece.chars().count();
            if used > room {
                break;
            }
            name.push_str(piece);
        }
        name.push_str(&tail);
        name
    }
}

/// The last dot and what follows, when it is short and plain.
fn extension(pieces: &[String]) -> String {
    let Some(dot) = pieces.iter().rposition(|piece| piece == ".") else { return String::new() };
    let extension: String = pieces.get(dot..).unwrap_or_default().concat();
    let plain = extension.chars().skip(1).all(char::is_alphanumeric);
    if dot > 0 && plain && (2..=LONGEST_EXTENSION).contains(&extension.chars().count()) {
        extension
    } else {
        String::new()
    }
}

fn is_shortened(name: &str) -> bool {
    name.match_indices(SHORTENED).any(|(at, _)| {
        let after = name.as_bytes().get(at + SHORTENED.len()..).unwrap_or_default();
        after.len() >= HASH_DIGITS && after.iter().take(HASH_DIGITS).all(u8::is_ascii_hexdigit)
    })
}

fn looks_escaped(rest: &str) -> bool {
    rest.starts_with(['-', '~']) || hex_pair(rest.as_bytes()).is_some()
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digits = bytes.get(..2)?;
    let mut byte = [0_u8; 1];
    hex::decode_to_slice(digits, &mut byte).ok()?;
    Some(byte[0])
}

fn percent(character: char) -> String {
    let mut buffer = [0_u8; 4];
    character.encode_utf8(&mut buffer).bytes().fold(String::new(), |mut escaped, byte| {
        let _ = write!(escaped, "%{byte:02X}");
        escaped
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        let rules = NameRules::default();
        for name in ["report.pdf", "Größe 100 %.xlsx", "契約書.docx", "50%off.txt~", "a.b.c", "🦀.png"]
        {
            assert_eq!(rules.escape(name), name);
            assert!(rules.accepts(name), "{name}");
        }
    }

    #[test]
    fn what_the_server_does_not_take_is_written_as_an_escape() {
        let rules = NameRules::default();
        for (text, name) in [
            ("12:30 minutes.txt", "12%3A30 minutes.txt"),
            ("a/b", "a%2Fb"),
            (" edges\t", "%20edges%09"),
            ("\u{a0}x", "%C2%A0x"),
            ("100%25", "100%2525"),
            ("%2f", "%252f"),
            ("", "%-"),
            ("%-", "%25-"),
            ("line\nbreak", "line%0Abreak"),
        ] {
            assert_eq!(rules.escape(text), name);
            assert_eq!(rules.unescape(name).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_long_name_keeps_its_beginning_and_its_extension_and_stays_apart_from_its_neighbour() {
        let rules = NameRules::default();
        let long = format!("{}-1.pdf", "ß".repeat(300));
        let neighbour = format!("{}-2.pdf", "ß".repeat(300));
        let name = rules.escape(&long);
        assert_eq!(name.chars().count(), 248);
        assert!(name.starts_with("ßß") && name.ends_with(".pdf"));
        assert_ne!(name, rules.escape(&neighbour));
        assert_eq!(rules.unescape(&name), None);
        assert_ne!(
            rules.escape(&name),
            name,
            "a text that looks shortened is told apart from a shortened one"
        );
    }

    #[test]
    fn a_cautious_installation_escapes_more() {
        let rules =
            NameRules { escape_final_dot: true, escape_beyond_basic_plane: true, ..NameRules::default() };
        assert_eq!(rules.escape("Acme Inc."), "Acme Inc%2E");
        assert_eq!(rules.escape("🦀"), "%F0%9F%A6%80");
        assert_eq!(rules.unescape("%F0%9F%A6%80").as_deref(), Some("🦀"));
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "\\PC{0,40}",
            "[%~\\-0-9a-fA-F:/ .\\n]{0,60}",
            "[a-c%: ]{230,270}(\\.[a-z]{0,20})?",
            any::<String>(),
        ]
    }

    proptest! {
        #[test]
        fn every_text_has_a_valid_name_that_gives_it_back(text in any_text(), cautious: bool) {
            let rules = NameRules {
                escape_final_dot: cautious,
                escape_beyond_basic_plane: cautious,
                ..NameRules::default()
            };
            let name = rules.escape(&text);
            prop_assert!(rules.accepts(&name), "{name:?}");
            match rules.unescape(&name) {
                Some(back) => prop_assert_eq!(back, text),
                None => prop_assert!(rules.pieces(&text).concat().chars().count() > 248),
            }
        }

        #[test]
        fn two_texts_never_share_a_name(one in any_text(), other in any_text()) {
            let rules = NameRules::default();
            prop_assert_eq!(one == other, rules.escape(&one) == rules.escape(&other));
        }
    }
}
