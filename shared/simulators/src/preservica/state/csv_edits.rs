//! Descriptive metadata for many entities at once, as a table of comma-separated values. What its columns are called is not
//! known: nothing is changed unless a switch says which one has the references.

use super::actions::Task;
use super::{Outcome, Refusal, State};
use crate::preservica::xml::Element;

/// The rows of a table, the first with the names of the columns.
pub(super) type Rows = Vec<Vec<String>>;

impl State {
    /// Somebody sends a table; gives the token.
    pub(in crate::preservica) fn ask_csv_edit(&mut self, user: &str, table: &[u8]) -> Outcome<String> {
        let wrong = |why: &str| Refusal::Invalid(format!("The table {why}"));
        let text = std::str::from_utf8(table).map_err(|_| wrong("is not UTF-8"))?;
        let rows = read(text).ok_or_else(|| wrong("is not closed: a quotation mark is missing"))?;
        let columns = rows.first().map_or(0, Vec::len);
        if rows.len() < 2 || rows.iter().any(|row| row.len() != columns) {
            return Err(wrong("needs a first row with names, and others of the same length"));
        }
        self.csv_edits.push(text.to_owned());
        Ok(self.begin(Task::CsvEdit { user: user.to_owned(), rows }))
    }

    /// Does what a table says, or nothing of it.
    pub(super) fn edit_by_table(&mut self, user: &str, rows: &Rows) -> Outcome<()> {
        let rules = self.settings.csv_edits.clone();
        let (Some(column), Some((names, rows))) = (rules.reference_column, rows.split_first()) else {
            return Ok(());
        };
        let at = names.iter().position(|name| *name == column);
        let at = at.ok_or_else(|| Refusal::Invalid(format!("The table has no column {column}")))?;
        let mut said = Vec::new();
        for row in rows {
            let reference = row.get(at).map(String::as_str).unwrap_or_default();
            if self.entities.get(reference).is_none_or(|entity| entity.deleted) {
                return Err(Refusal::NotFound(format!("There is no entity with reference {reference}")));
            }
            let mut group = Element::new(&rules.schema, "Group");
            for (name, value) in names.iter().zip(row).filter(|(name, _)| **name != column) {
                group = group.with(&element_name(name), value.clone());
            }
            said.push((reference.to_owned(), group));
        }
        for (reference, group) in said {
            let fragments = self.entities.get_mut(&reference).map(|entity| &mut entity.fragments);
            let known = fragments
                .and_then(|fragments| fragments.iter_mut().find(|fragment| fragment.schema == rules.schema));
            match known {
                Some(fragment) => fragment.content = group,
                None => drop(self.describe(&reference, &rules.schema, group)),
            }
            self.happened("Modified", user, "EditMetadata", &[reference]);
        }
        Ok(())
    }
}

/// A name of a column as the name of an element.
fn element_name(name: &str) -> String {
    let legal: String = name
        .chars()
        .map(|sign| if sign.is_alphanumeric() || "-_.".contains(sign) { sign } else { '_' })
        .collect();
    match legal.chars().next() {
        Some(first) if first.is_alphabetic() || first == '_' => legal,
        _ => format!("_{legal}"),
    }
}

/// The rows of a table (RFC 4180). `None` when a quotation mark is not closed.
fn read(text: &str) -> Option<Rows> {
    let (mut rows, mut row, mut value, mut is_quoted) = (Rows::new(), Vec::new(), String::new(), false);
    let mut signs = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(sign) = signs.next() {
        match (sign, is_quoted) {
            ('"', true) if signs.peek() == Some(&'"') => value.extend(signs.next()),
            ('"', _) => is_quoted = !is_quoted,
            (',', false) => row.push(std::mem::take(&mut value)),
            ('\r', false) => {}
            ('\n', false) => {
                row.push(std::mem::take(&mut value));
                rows.push(std::mem::take(&mut row));
            }
            (sign, _) => value.push(sign),
        }
    }
    if !value.is_empty() || !row.is_empty() {
        row.push(value);
        rows.push(row);
    }
    rows.retain(|row| row.iter().any(|value| !value.is_empty()));
    (!is_quoted).then_some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_with_what_is_in_quotation_marks() {
        let rows = read("\u{feff}Reference,Title\r\nr-1,\"One, \"\"two\"\"\nthree\"\r\n\r\nr-2,").unwrap();
        assert_eq!(rows, [["Reference", "Title"], ["r-1", "One, \"two\"\nthree"], ["r-2", ""]]);
        assert!(read("a,b\n\"c,d").is_none());
        assert_eq!([element_name("Right holder"), element_name("1st")], ["Right_holder", "_1st"]);
    }
}
