//! Whether a document is what was asked for.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::Value;

use super::lucene::{End, Occur, Query};
use crate::iconik::dates;

/// Whether a document matches a query. Where the query names no field, `fields` are searched.
pub(super) fn matches(query: &Query, document: &Value, fields: &[String]) -> bool {
    let any = |field: &Option<String>, test: &dyn Fn(&str) -> bool| {
        texts_in(field, document, fields).iter().any(|text| test(text))
    };
    match query {
        Query::Word { field: Some(field), text, has_wildcards: true } if text == "*" => {
            values_at(document, field).iter().any(|value| is_there(value))
        }
        Query::Word { text, has_wildcards: true, .. } if text == "*" => true,
        Query::Word { field, text, has_wildcards: true } => match wildcard(text) {
            Some(pattern) => any(field, &|found| pattern_matches(&pattern, found)),
            None => false,
        },
        // A word that falls apart, such as an id with hyphens, is looked for as a phrase.
        Query::Word { field, text, .. } | Query::Phrase { field, text } => {
            let wanted = words(text);
            any(field, &|found| follows(&words(found), &wanted) || found == text)
        }
        Query::Fuzzy { field, text, edits } => {
            let wanted = text.to_lowercase();
            any(field, &|found| words(found).iter().any(|word| distance(word, &wanted) <= *edits))
        }
        Query::Pattern { field, pattern } => any(field, &|found| pattern_matches(pattern, found)),
        Query::Range { field, low, high } => match field {
            Some(field) => values_at(document, field).iter().any(|value| within(value, low, high)),
            None => fields
                .iter()
                .any(|field| values_at(document, field).iter().any(|value| within(value, low, high))),
        },
        Query::Clauses(clauses) => clauses_match(clauses, document, fields),
    }
}

fn clauses_match(clauses: &[(Occur, Query)], document: &Value, fields: &[String]) -> bool {
    let (mut musts, mut shoulds, mut any_should) = (0, 0, false);
    for (occur, clause) in clauses {
        let found = matches(clause, document, fields);
        match occur {
            Occur::Must if !found => return false,
            Occur::MustNot if found => return false,
            Occur::Must => musts += 1,
            Occur::Should => {
                shoulds += 1;
                any_should |= found;
            }
            Occur::MustNot => {}
        }
    }
    musts > 0 || shoulds == 0 || any_should
}

fn texts_in(field: &Option<String>, document: &Value, fields: &[String]) -> Vec<String> {
    let of =
        |field: &String| -> Vec<String> { values_at(document, field).into_iter().map(text_of).collect() };
    match field {
        Some(field) => of(field),
        None => fields.iter().flat_map(of).collect(),
    }
}

/// Whether a value is one: nothing, an empty text and an empty list are none.
pub(super) fn is_there(value: &Value) -> bool {
    !value.is_null() && value != ""
}

/// A value as text.
pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// All values at a dotted path, through lists. A name may have dots itself.
pub(super) fn values_at<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    match value {
        Value::Array(list) => list.iter().flat_map(|value| values_at(value, path)).collect(),
        _ if path.is_empty() => vec![value],
        Value::Object(object) => match (object.get(path), path.split_once('.')) {
            (Some(found), _) => values_at(found, ""),
            (None, Some((name, rest))) => {
                // `metadata.*` is all of it.
                match object.get(name) {
                    Some(Value::Object(all)) if rest == "*" => {
                        all.values().flat_map(|value| values_at(value, "")).collect()
                    }
                    found => found.map_or_else(Vec::new, |found| values_at(found, rest)),
                }
            }
            (None, None) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// A text as its words: in small letters, parted at everything that is neither letter, digit nor underscore.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let parts = lower.split(|character: char| !character.is_alphanumeric() && character != '_');
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn follows(words: &[String], wanted: &[String]) -> bool {
    !wanted.is_empty() && words.windows(wanted.len()).any(|window| window == wanted)
}

/// `tra*ler?` as a pattern; an escaped wildcard is itself.
fn wildcard(text: &str) -> Option<Regex> {
    let mut pattern = String::from("^(?i:");
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            '\\' => pattern.extend(characters.next().map(|escaped| regex::escape(&escaped.to_string()))),
            other => pattern.push_str(&regex::escape(&other.to_string())),
        }
    }
    pattern.push_str(")$");
    Regex::new(&pattern).ok()
}

fn pattern_matches(pattern: &Regex, text: &str) -> bool {
    pattern.is_match(text) || words(text).iter().any(|word| pattern.is_match(word))
}

/// How many letters have to change to make one word of another.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.chars().enumerate() {
        let mut diagonal = at;
        let mut last = at + 1;
        let mut next = vec![last];
        for (other, above) in right.iter().zip(row.iter().skip(1)) {
            let change = diagonal + usize::from(*other != letter);
            diagonal = *above;
            last = change.min(above + 1).min(last + 1);
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Whether a value is between two ends.
pub(super) fn within(value: &Value, low: &End, high: &End) -> bool {
    let fits = |end: &End, wanted: Ordering| match end {
        None => true,
        Some((text, with)) => match compare(value, text) {
            Some(Ordering::Equal) => *with,
            order => order == Some(wanted),
        },
    };
    is_there(value) && fits(low, Ordering::Greater) && fits(high, Ordering::Less)
}

/// A value and a text: as times, as numbers, or by their letters.
fn compare(value: &Value, text: &str) -> Option<Ordering> {
    let times = (value.as_str().and_then(dates::read), time(text));
    if let (Some(left), Some(right)) = times {
        return Some(left.cmp(&right));
    }
    let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    match (number, text.parse::<f64>().ok()) {
        (Some(left), Some(right)) => left.partial_cmp(&right),
        (None, _) => Some(value.as_str()?.cmp(text)),
        _ => None,
    }
}

/// A time, or a day, which begins at midnight.
fn time(text: &str) -> Option<jiff::Timestamp> {
    dates::read(text).or_else(|| dates::read(&format!("{text}T00:00:00")))
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn a_distance_is_the_number_of_letters_that_change() {
        for (left, right, letters) in
            [("trailer", "trailer", 0), ("trailer", "trialer", 2), ("cut", "cat", 1), ("", "ab", 2)]
        {
            assert_eq!(distance(left, right), letters, "{left} {right}");
        }
    }
}
