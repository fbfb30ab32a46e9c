//! What a word and an id of iconik's may look like. Nothing else of a body gets into messages, logs or the ledger.

/// The most characters of a word: `event_type`, `realm`, `operation`.
const LONGEST_WORD: usize = 64;
/// The most characters of an id.
const LONGEST_ID: usize = 128;

/// Whether a text is a word: letters, digits, `_`, `-`. Tokens have dots.
pub(super) fn is_word(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=LONGEST_WORD).contains(&text.len()) && text.bytes().all(fits)
}

/// Whether a text is an id: mostly a UUID, but those of shares are documented as plain text.
pub(super) fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(fits)
}

/// Whether a text is a moment, in any of iconik's spellings.
pub(super) fn is_moment(text: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'+' | b'T' | b'Z' | b' ');
    (10..=40).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_ids_and_moments_are_known_from_other_text() {
        assert!(is_word("metadata") && is_word("file_sets") && is_word("CREATE"));
        assert!(is_id("0f3c1a52-6b1e-11ef-8f5e-0a58a9feac02") && is_id("a1_B"));
        for moment in
            ["2024-01-02T03:04:05.123456+00:00", "2022-04-29T00:22:10.316685", "2024-01-02 03:04:05"]
        {
            assert!(is_moment(moment), "{moment}");
        }
        let long = "a".repeat(129);
        for text in ["", "a b", "\u{202e}gpj", "a/../b", "a\n", "ä", "<b>", long.as_str()] {
            assert!(!is_word(text) && !is_id(text) && !is_moment(text), "{text:?}");
        }
    }
}
