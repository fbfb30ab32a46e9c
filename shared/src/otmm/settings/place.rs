//! Where in a JSON text a member stands.

/// Line and column, both from 1, of the member with a path such as `ids.correlation`.
pub(super) fn of(text: &str, path: &str) -> Option<(usize, usize)> {
    let wanted: Vec<&str> = path.split('.').collect();
    let offset = offset_of(text, &wanted)?;
    let before = text.get(..offset)?;
    let line = before.matches('\n').count() + 1;
    Some((line, before.rsplit('\n').next()?.chars().count() + 1))
}

/// The text is JSON that was read before, so only strings and braces have to be told apart.
fn offset_of(text: &str, wanted: &[&str]) -> Option<usize> {
    let mut path: Vec<String> = Vec::new();
    let mut rest = text.char_indices().peekable();
    let mut last: Option<(usize, String)> = None;
    while let Some((at, character)) = rest.next() {
        match character {
            '"' => {
                let mut word = String::new();
                while let Some((_, character)) = rest.next() {
                    match character {
                        '"' => break,
                        '\\' => {
                            rest.next();
                        }
                        other => word.push(other),
                    }
                }
                last = Some((at, word));
            }
            ':' => {
                let (at, word) = last.take()?;
                let is_wanted = path.len() + 1 == wanted.len()
                    && path.iter().map(String::as_str).chain([word.as_str()]).eq(wanted.iter().copied());
                if is_wanted {
                    return Some(at);
                }
                while rest.next_if(|(_, character)| character.is_whitespace()).is_some() {}
                if matches!(rest.peek(), Some((_, '{' | '['))) {
                    path.push(word);
                    rest.next();
                }
            }
            // What has no name of its own: the whole, and what stands in a list.
            '{' | '[' => path.push(String::new()),
            '}' | ']' => {
                path.pop();
            }
            _ => {}
        }
        // The whole has no name either, and is no part of a path.
        if path.first().is_some_and(String::is_empty) {
            path.remove(0);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_where_it_stands_and_not_where_another_has_its_name() {
        let text = "{\"a\": {\"x\": [1, {\"b\": 2}], \"s\": \"\\\"b\\\": {\"},\n \"c\": {\n  \"b\": 3 } }";
        assert_eq!(of(text, "c.b"), Some((3, 3)));
        assert_eq!(of(text, "c"), Some((2, 2)));
        assert_eq!(of(text, "a.s"), Some((1, 28)));
        assert_eq!(of(text, "b"), None);
    }
}
