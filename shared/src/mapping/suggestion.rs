//! "Did you mean …": the nearest known word to a misspelt one.

/// The known word nearest to `word`, when one is near enough to be what was meant: a few letters apart, or the only
/// one that begins like it.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    let word = word.to_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), *candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance);
    if let Some((_, candidate)) = near {
        return Some(candidate);
    }
    let mut longer = known.into_iter().filter(|candidate| word.len() >= 3 && candidate.starts_with(&word));
    match (longer.next(), longer.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// The number of single-character edits between two words (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, character) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut previous = index + 1;
        let mut next = vec![previous];
        for (other, above) in right.iter().zip(row.iter().skip(1)) {
            let substituted = diagonal + usize::from(character != *other);
            diagonal = *above;
            previous = substituted.min(above + 1).min(previous + 1);
            next.push(previous);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_finds_its_neighbour_and_a_strange_one_finds_none() {
        assert_eq!(closest("requird", ["required", "rows"]), Some("required"));
        assert_eq!(closest("Folder", ["folder"]), Some("folder"));
        assert_eq!(closest("skip", ["skip-if-same", "new-version"]), Some("skip-if-same"));
        assert_eq!(closest("see", ["see_contents", "see_more"]), None);
        assert_eq!(closest("banana", ["required", "rows"]), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
