//! Captures without expressions of their own: what stands between the literals of one part of a key.

use super::braces::Piece;

/// What each capture of the pieces takes of a text, last one first; `None` when the text does not match. A capture takes
/// at least one character, and as much as those behind it leave: `{stem}.{extension}` ends the stem at the last point.
///
/// That is `^(.+)\.(.+)$` in a regular expression, which would have to be compiled at each start, with all of Unicode in
/// each point.
pub(super) fn split<'pieces, 'text>(
    pieces: &'pieces [Piece],
    text: &'text str,
) -> Option<Vec<(&'pieces str, &'text str)>> {
    let (pieces, mut rest) = match pieces {
        [Piece::Literal(first), others @ ..] => (others, text.strip_prefix(first.as_str())?),
        others => (others, text),
    };
    let mut found = Vec::new();
    // The capture whose beginning is still looked for; without one, the next piece ends where `rest` does.
    let mut open: Option<&str> = None;
    for piece in pieces.iter().rev() {
        match (piece, open.take()) {
            (Piece::Literal(literal), None) => rest = rest.strip_suffix(literal.as_str())?,
            (Piece::Literal(literal), Some(name)) => {
                // As far to the right as leaves the capture one character.
                let (last, _) = rest.char_indices().next_back()?;
                let at = rest.get(..last)?.rfind(literal.as_str())?;
                found.push((name, rest.get(at + literal.len()..)?));
                rest = rest.get(..at)?;
            }
            (Piece::Braced { name, .. }, None) => open = Some(name),
            // Two captures side by side; no pattern has them.
            (Piece::Braced { .. }, Some(_)) => return None,
        }
    }
    match open {
        Some(_) if rest.is_empty() => return None,
        Some(name) => found.push((name, rest)),
        None if !rest.is_empty() => return None,
        None => {}
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::braces::pieces, *};

    /// The same by the engine for regular expressions.
    fn by_expression(pieces: &[Piece], text: &str) -> Option<Vec<(String, String)>> {
        let mut expression = String::from("(?s)^");
        for piece in pieces {
            match piece {
                Piece::Literal(literal) => expression.push_str(&regex::escape(literal)),
                Piece::Braced { name, .. } => expression.push_str(&format!("(?P<{name}>.+)")),
            }
        }
        let expression = regex::Regex::new(&(expression + "$")).unwrap();
        let found = expression.captures(text)?;
        let names: Vec<&str> = expression.capture_names().flatten().collect();
        Some(names.iter().rev().map(|name| ((*name).to_owned(), found[*name].to_owned())).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_part_is_split_as_a_regular_expression_would(
            literals in proptest::collection::vec("[ab☃.]{1,2}", 4),
            captures in 0_usize..=3,
            open_start in any::<bool>(),
            open_end in any::<bool>(),
            text in "[ab☃.\n]{0,9}",
        ) {
            let mut pattern = if open_start { String::new() } else { literals[0].clone() };
            for (number, literal) in literals.iter().enumerate().take(captures) {
                let between = if number == 0 { "" } else { literal.as_str() };
                pattern += &format!("{between}{{c{number}}}");
            }
            pattern += if open_end { "" } else { literals[3].as_str() };
            let pieces = pieces(&pattern).unwrap();
            let found = split(&pieces, &text).map(|found| {
                found.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
            });
            prop_assert_eq!(found, by_expression(&pieces, &text), "{} on {:?}", pattern, text);
        }
    }
}
