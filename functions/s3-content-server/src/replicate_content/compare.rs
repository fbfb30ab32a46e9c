//! Whether what was restored is what the replica says: field by field. Contents are compared by their hashes where they
//! are restored, rights where they are set.

use std::collections::BTreeSet;

use shared::content_server::kind;

use super::report::Difference;
use crate::version_copy::{CategoryDescription, NodeDescription};

/// What of a restored thing is not as it was. Its name may have to be another one, its dates are those of today, and
/// what the folder it was restored into adds is none of it.
pub(super) fn compare(
    original: &NodeDescription,
    restored: &NodeDescription,
    records: bool,
) -> Vec<Difference> {
    let mut found = Vec::new();
    if original.description != restored.description {
        found.push(Difference::new("description", "is another one"));
    }
    let expected = if original.kind == kind::WORKSPACE { kind::FOLDER } else { original.kind };
    if restored.kind != expected {
        found.push(Difference::new("type", format!("is {} instead of {expected}", restored.kind)));
    }
    for category in &original.categories {
        let there = restored.categories.iter().find(|there| there.id == category.id);
        match there {
            Some(there) => found.extend(values(category, there)),
            None => found.push(Difference::new(format!("category {}", category.name), "is missing")),
        }
    }
    for class in &original.classifications {
        if !restored.classifications.contains(class) {
            found.push(Difference::new(format!("classification {class}"), "is missing"));
        }
    }
    for record in original.records.iter().filter(|_| records) {
        let field = format!("record of class {}", record.class);
        match restored.records.iter().find(|there| there.class == record.class) {
            None => found.push(Difference::new(field, "is missing")),
            Some(there)
                if (there.official, &there.schedule, &there.status, &there.record_date)
                    != (record.official, &record.schedule, &record.status, &record.record_date) =>
            {
                found.push(Difference::new(field, "has other details"));
            }
            Some(_) => {}
        }
    }
    found
}

fn values(original: &CategoryDescription, restored: &CategoryDescription) -> Vec<Difference> {
    let fields = original.values.iter().chain(&restored.values);
    let fields: BTreeSet<(&str, Option<u32>)> =
        fields.map(|value| (value.name.as_str(), value.row)).collect();
    let of = |category: &CategoryDescription, (name, row): (&str, Option<u32>)| {
        let value = category.values.iter().find(|value| value.name == name && value.row == row);
        value.map(|value| value.value.clone())
    };
    let differ = fields.into_iter().filter_map(|field| {
        let what = match (of(original, field), of(restored, field)) {
            (Some(one), Some(other)) if one == other => return None,
            (Some(_), Some(_)) => "is another one",
            (Some(_), None) => "is missing",
            (None, _) => "was not there",
        };
        let row = field.1.map(|row| format!(", row {row}")).unwrap_or_default();
        Some(Difference::new(format!("category {}: {}{row}", original.name, field.0), what))
    });
    differ.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn description() -> NodeDescription {
        serde_json::from_value(json!({
            "id": 7, "name": "a.pdf", "path": ["Enterprise"], "description": "d", "kind": 144,
            "created": null, "modified": null,
            "categories": [{"id": 1, "name": "Claim", "values": [
                {"name": "Number", "value": "100117"}, {"name": "Parties:Name", "row": 2, "value": "x"}]}],
            "permissions": [], "classifications": [5],
            "records": [{"class": 3, "fileNumber": "1", "schedule": "S", "status": "ACT", "recordDate": "2031-01-01",
                "official": false}],
        }))
        .unwrap()
    }

    #[test]
    fn what_is_the_same_has_no_differences_whatever_it_is_called_and_whatever_was_added() {
        let mut restored = description();
        (restored.id, restored.name) = (8, "b.pdf".to_owned());
        restored.classifications.push(6);
        restored.categories.push(CategoryDescription { id: 2, name: "Other".to_owned(), values: Vec::new() });
        assert_eq!(compare(&description(), &restored, true), []);
    }

    #[test]
    fn each_difference_is_named_without_its_value() {
        let mut restored = description();
        restored.description.clear();
        restored.categories[0].values[0].value = "100118".into();
        restored.categories[0].values[1].row = Some(3);
        restored.classifications.clear();
        restored.records[0].official = true;
        let found: Vec<String> = compare(&description(), &restored, true)
            .into_iter()
            .map(|one| format!("{} {}", one.field, one.what))
            .collect();
        assert_eq!(
            found,
            [
                "description is another one",
                "category Claim: Number is another one",
                "category Claim: Parties:Name, row 2 is missing",
                "category Claim: Parties:Name, row 3 was not there",
                "classification 5 is missing",
                "record of class 3 has other details",
            ]
        );
        assert_eq!(
            compare(&description(), &restored, false).len(),
            5,
            "records are compared when they are restored"
        );
        restored.categories.clear();
        assert_eq!(compare(&description(), &restored, false)[1].field, "category Claim");
    }
}
