//! What a node has in a category, beside what it is to have.

use std::collections::BTreeSet;

use super::{AttributeValue, CategoryDefinition, CategoryValues};
use crate::content_server::Client;

/// One attribute on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedValue {
    /// Its name; `Set[2]:Attribute` in the second row of a set.
    pub name: String,
    /// What it is to hold.
    pub ours: AttributeValue,
    /// What it holds.
    pub theirs: AttributeValue,
    /// Whether both say the same, however the server writes it.
    pub agree: bool,
}

impl Client {
    /// Compares, one by one, the values a node is to have with those it has. Attributes not spoken of are left out; of
    /// sets that are given whole, further rows are compared with nothing.
    pub fn compare_values(
        &self,
        definition: &CategoryDefinition,
        ours: &CategoryValues,
        theirs: &CategoryValues,
    ) -> Vec<ComparedValue> {
        let surplus = ours.surplus_rows(theirs);
        let beyond = theirs.iter().map(|(key, _)| key).filter(|key| {
            let row = key.rsplit_once('_').map_or(*key, |(row, _)| row);
            surplus.iter().any(|surplus| surplus == row)
        });
        let keys: BTreeSet<&str> = ours.iter().map(|(key, _)| key).chain(beyond).collect();
        let value =
            |values: &CategoryValues, key: &str| values.get(key).cloned().unwrap_or(AttributeValue::Empty);
        keys.into_iter()
            .filter_map(|key| {
                let (ours, theirs) = (value(ours, key), value(theirs, key));
                let agree = ours.agrees(&theirs, &self.zone);
                Some(ComparedValue { name: definition.name_of(key)?, ours, theirs, agree })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::content_server::{NodeId, testing};

    #[test]
    fn every_value_that_is_given_is_compared_and_no_other() {
        let metadata = json!({
            "8101": {"key": "8101", "name": "Claim", "type_name": "Assoc"},
            "8101_2": {"key": "8101_2", "name": "Title", "type_name": "String"},
            "8101_3": {"key": "8101_3", "name": "Parties", "persona": "set", "type_name": "Assoc"},
            "8101_3_x_4": {"key": "8101_3_x_4", "name": "Name", "type_name": "String"},
            "8101_6": {"key": "8101_6", "name": "Received", "type": -7},
            "8101_7": {"key": "8101_7", "name": "Remark", "type_name": "String"}});
        let definition = CategoryDefinition::from_metadata(NodeId(8101), &metadata).unwrap();
        let mut ours = CategoryValues::new(NodeId(8101));
        ours.replace_rows(3);
        for (key, value) in [("8101_2", "storm"), ("8101_3_1_4", "Ada"), ("8101_6", "")] {
            ours.insert(key, value.into());
        }
        let mut theirs = CategoryValues::new(NodeId(8101));
        let there = [("8101_2", "storm"), ("8101_3_1_4", "Bea"), ("8101_3_2_4", "Cy"), ("8101_7", "by hand")];
        for (key, value) in there {
            theirs.insert(key, value.into());
        }
        let compared = testing::Canned::default().client().compare_values(&definition, &ours, &theirs);
        let told: Vec<_> = compared.iter().map(|one| (one.name.as_str(), one.agree)).collect();
        let expected =
            [("Title", true), ("Parties[1]:Name", false), ("Parties[2]:Name", false), ("Received", true)];
        assert_eq!(told, expected);
    }
}
