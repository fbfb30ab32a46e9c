use std::fmt;

use serde::Serialize;

/// An ISBN of 13 digits whose check digit is right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Isbn(String);

impl Isbn {
    /// Reads one, with hyphens and blanks or without; nothing when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text
            .chars()
            .filter(|c| !matches!(c, '-' | '\u{2010}' | '\u{2011}') && !c.is_whitespace())
            .collect();
        let is_isbn = digits.len() == 13
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits.starts_with("978") || digits.starts_with("979"));
        let sum: u32 = digits
            .bytes()
            .zip([1, 3].into_iter().cycle())
            .map(|(digit, weight)| u32::from(digit.wrapping_sub(b'0')) * weight)
            .sum();
        (is_isbn && sum.is_multiple_of(10)).then_some(Self(digits))
    }

    /// Its 13 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Isbn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hyphens_and_blanks_make_no_difference() {
        for text in ["9780000000002", "978-0-00-000000-2", " 978 0 00 000000 2", "978\u{2011}0000000002"] {
            assert_eq!(Isbn::parse(text).unwrap().as_str(), "9780000000002", "{text}");
        }
        for text in
            ["", "978000000000", "97800000000022", "9770000000003", "978000000000X", "９７８0000000002"]
        {
            assert_eq!(Isbn::parse(text), None, "{text}");
        }
    }

    proptest! {
        /// What the check digit is for.
        #[test]
        fn one_wrong_digit_never_passes(nine in 0_u64..1_000_000_000, place in 3_usize..13, by in 1_u8..10) {
            let twelve = format!("978{nine:09}");
            let right = (0..10).find_map(|check| Isbn::parse(&format!("{twelve}{check}"))).unwrap();
            let mut wrong = right.as_str().as_bytes().to_vec();
            wrong[place] = (wrong[place] - b'0' + by) % 10 + b'0';
            prop_assert_eq!(Isbn::parse(std::str::from_utf8(&wrong).unwrap()), None);
        }

        #[test]
        fn no_text_breaks_it(text in ".{0,40}") {
            if let Some(isbn) = Isbn::parse(&text) {
                prop_assert_eq!(isbn.as_str().len(), 13);
            }
        }
    }
}
