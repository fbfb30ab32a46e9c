//! What search finds: a copy of folders and assets that is behind.

use serde_json::Value;

use super::{Entity, Kind, Outcome, Refusal, State};
use crate::preservica::xml::{Element, Node};

/// What search knows of an entity.
#[derive(Clone, Debug)]
pub(in crate::preservica) struct Document {
    pub(in crate::preservica) entity: Entity,
    ancestors: Vec<String>,
    text: String,
}

/// What is searched for.
#[derive(Debug, Default)]
pub(in crate::preservica) struct Query {
    pub(in crate::preservica) text: String,
    /// Name, values and whether they are to be absent.
    pub(in crate::preservica) fields: Vec<(String, Vec<String>, bool)>,
    /// Field and whether the greatest comes first.
    pub(in crate::preservica) sort: Vec<(String, bool)>,
}

impl Query {
    /// From the JSON text of a parameter.
    pub(in crate::preservica) fn parse(text: &str) -> Outcome<Self> {
        let wrong = || Refusal::Invalid("The parameter q is not understood".to_owned());
        let value: Value = serde_json::from_str(text).map_err(|_| wrong())?;
        let list = |value: Option<&Value>| -> Vec<Value> {
            value.and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let words = |value: Option<&Value>| -> Vec<String> {
            list(value).iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
        };
        let text_of = |value: &Value, name: &str| {
            value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let fields = list(value.get("fields"))
            .iter()
            .map(|field| {
                let is_absent = text_of(field, "operator").eq_ignore_ascii_case("NOT");
                (text_of(field, "name"), words(field.get("values")), is_absent)
            })
            .collect();
        let mut sort = Vec::new();
        for order in list(value.get("sort")) {
            let is_descending = text_of(&order, "sortOrder").eq_ignore_ascii_case("desc");
            sort.extend(words(order.get("sortFields")).into_iter().map(|field| (field, is_descending)));
        }
        Ok(Self { text: text_of(&value, "q"), fields, sort })
    }
}

impl Document {
    /// The values of a field.
    pub(in crate::preservica) fn values(&self, field: &str, state: &State) -> Vec<String> {
        let entity = &self.entity;
        let some = |text: &Option<String>| text.clone().into_iter().collect();
        match field {
            "xip.title" => vec![entity.title.clone()],
            "xip.description" => some(&entity.description),
            "xip.reference" => vec![entity.reference.clone()],
            "xip.document_type" => vec![entity.kind.short().to_owned()],
            "xip.parent_ref" => some(&entity.parent),
            "xip.parent_hierarchy" => self.ancestors.clone(),
            "xip.security_descriptor" => vec![entity.security_tag.clone()],
            "xip.created" => vec![entity.created.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()],
            "xip.full_text" => vec![self.text.clone()],
            "xip.top_level_so" => vec![entity.parent.is_none().to_string()],
            "xip.identifier" => {
                entity.identifiers.iter().map(|id| format!("{} {}", id.kind, id.value)).collect()
            }
            "xip.bitstream_names_r_Preservation" => state.file_names(entity, "Preservation"),
            "xip.retention_policy_assignment_ref" => {
                entity.retention.iter().map(|assignment| assignment.policy.clone()).collect()
            }
            "xip.retention_policy_assignment_name" => {
                let names =
                    entity.retention.iter().filter_map(|assignment| state.policies.get(&assignment.policy));
                names.map(|policy| policy.field("Name").to_owned()).collect()
            }
            "xip.legal_hold_ref" => entity.holds.iter().map(|hold| hold.hold.clone()).collect(),
            _ => Vec::new(),
        }
    }

    fn matches(&self, query: &Query, state: &State) -> bool {
        let text = query.text.trim();
        let is_meant = match text.strip_prefix("id:") {
            Some(reference) => self.entity.reference == reference,
            None => {
                matches!(text, "" | "%" | "*")
                    || text.to_lowercase().split_whitespace().all(|word| self.text.contains(word))
            }
        };
        is_meant
            && query.fields.iter().all(|(name, values, is_absent)| {
                let wanted: Vec<&String> = values.iter().filter(|value| !value.is_empty()).collect();
                if wanted.is_empty() {
                    return true;
                }
                let held = self.values(name, state);
                let has = wanted.iter().any(|value| {
                    (value.as_str() == "*" && !held.is_empty()) || held.iter().any(|known| known == *value)
                });
                has != *is_absent
            })
    }
}

impl State {
    /// What is found, in order.
    pub(in crate::preservica) fn search(&self, query: &Query) -> Vec<&Document> {
        let mut found: Vec<&Document> =
            self.index.values().filter(|document| document.matches(query, self)).collect();
        found.sort_by(|one, other| {
            for (field, is_descending) in &query.sort {
                let order = one.values(field, self).cmp(&other.values(field, self));
                let order = if *is_descending { order.reverse() } else { order };
                if order.is_ne() {
                    return order;
                }
            }
            one.entity.number.cmp(&other.entity.number)
        });
        found
    }

    /// Search hears of what changed long enough ago.
    pub(super) fn do_index(&mut self) {
        let now = self.now;
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.to_index).into_iter().partition(|(due, _)| *due <= now);
        self.to_index = later;
        for (_, reference) in due {
            self.reindex(&reference);
        }
    }

    /// Search hears of everything.
    pub fn index_all(&mut self) {
        self.to_index.clear();
        let all: Vec<String> = self.entities.keys().cloned().collect();
        for reference in all {
            self.reindex(&reference);
        }
    }

    fn reindex(&mut self, reference: &str) {
        let Some(entity) = self.entities.get(reference).cloned() else { return };
        if entity.deleted || entity.kind == Kind::ContentObject {
            self.index.remove(reference);
            return;
        }
        let mut ancestors = Vec::new();
        let mut above = entity.parent.clone();
        while let Some(parent) = above.filter(|parent| !ancestors.contains(parent)) {
            above = self.entities.get(&parent).and_then(|parent| parent.parent.clone());
            ancestors.push(parent);
        }
        let text = text_of(&entity).to_lowercase();
        let is_asset = entity.kind == Kind::InformationObject;
        let is_new = self.index.insert(reference.to_owned(), Document { entity, ancestors, text }).is_none();
        if is_new && is_asset {
            self.notify("FULL_TEXT_INDEXED", &[reference.to_owned()]);
        }
    }

    fn file_names(&self, asset: &Entity, kind: &str) -> Vec<String> {
        let parts =
            asset.representations.iter().filter(|one| one.kind == kind).flat_map(|one| &one.content_objects);
        parts
            .filter_map(|part| self.entities.get(part))
            .filter_map(|part| part.generations.iter().rfind(|generation| generation.active))
            .flat_map(|generation| generation.bitstreams.iter().map(|file| file.filename.clone()))
            .collect()
    }
}

/// Everything that can be searched for in an entity.
fn text_of(entity: &Entity) -> String {
    let mut words = vec![entity.title.clone()];
    words.extend(entity.description.clone());
    words.extend(entity.identifiers.iter().map(|id| id.value.clone()));
    for fragment in &entity.fragments {
        gather(&fragment.content, &mut words);
    }
    words.join(" ")
}

fn gather(element: &Element, words: &mut Vec<String>) {
    for node in &element.nodes {
        match node {
            Node::Element(element) => gather(element, words),
            Node::Text(text) => words.push(text.trim().to_owned()),
        }
    }
}
