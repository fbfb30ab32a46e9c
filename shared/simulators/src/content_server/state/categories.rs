//! Categories on items: applying, editing, checking values.

use serde_json::{Map, Value};

use super::definitions::{Attribute, AttributeKind};
use super::node::Assigned;
use super::{MemberId, NodeId, Outcome, Permission, Refusal, State};

/// Values by the key after the category number: `2`, `3_1_4`.
pub type Values = Map<String, Value>;

impl State {
    fn editable(&self, actor: MemberId, id: NodeId) -> Outcome<()> {
        let node = self.with_right(actor, id, Permission::EditAttributes, "updatecategories")?;
        self.not_held_for_edit(node)
    }

    fn edited(&mut self, actor: MemberId, id: NodeId) {
        self.audit(id, 10, actor);
        if self.settings.category_edit_adds_version
            && let Some(latest) = self.nodes.get(&id).and_then(|node| node.latest()).cloned()
        {
            let version = super::NewVersion {
                description: String::new(),
                external: latest.external,
                ..super::NewVersion::of(&latest.file_name, &latest.mime_type, latest.content)
            };
            self.push_version(actor, id, version);
        }
        if self.settings.category_edit_moves_modify_date { self.modify(id) } else { self.touch(id) }
    }

    /// Puts a category on an item, with values.
    pub fn add_category(
        &mut self,
        actor: MemberId,
        id: NodeId,
        category: NodeId,
        values: &Values,
    ) -> Outcome<()> {
        self.editable(actor, id)?;
        let definition = self.categories.get(&category);
        let name = definition
            .map(|definition| definition.name.clone())
            .filter(|_| self.visible(actor, category).is_ok())
            .ok_or_else(|| {
                Refusal::said(400, "You do not have permission to the attribute group definition.")
            })?;
        if self.node(id)?.categories.contains_key(&category) {
            return Err(Refusal::said(400, format!("The attribute group '{name}' already exists")));
        }
        let mut assigned = Assigned::default();
        self.set_values(category, &mut assigned, values)?;
        if let Some(node) = self.nodes.get_mut(&id) {
            node.categories.insert(category, assigned);
        }
        self.edited(actor, id);
        Ok(())
    }

    /// Changes values of a category on an item; values not named stay.
    pub fn edit_category(
        &mut self,
        actor: MemberId,
        id: NodeId,
        category: NodeId,
        values: &Values,
        token: Option<&str>,
    ) -> Outcome<()> {
        self.editable(actor, id)?;
        let mut assigned = self.assigned(id, category)?.clone();
        if token.is_some_and(|token| token != assigned.token.to_string()) {
            return Err(Refusal::EditConflict);
        }
        self.set_values(category, &mut assigned, values)?;
        assigned.token += 1;
        if let Some(node) = self.nodes.get_mut(&id) {
            node.categories.insert(category, assigned);
        }
        self.edited(actor, id);
        Ok(())
    }

    /// Takes a category off an item.
    pub fn remove_category(&mut self, actor: MemberId, id: NodeId, category: NodeId) -> Outcome<()> {
        self.editable(actor, id)?;
        self.assigned(id, category)?;
        if let Some(node) = self.nodes.get_mut(&id) {
            node.categories.remove(&category);
        }
        self.edited(actor, id);
        Ok(())
    }

    /// Switches on or off that new items inside get the category too.
    pub fn inherit_category(
        &mut self,
        actor: MemberId,
        id: NodeId,
        category: NodeId,
        on: bool,
    ) -> Outcome<()> {
        self.editable(actor, id)?;
        self.assigned(id, category)?;
        if let Some(assigned) = self.nodes.get_mut(&id).and_then(|node| node.categories.get_mut(&category)) {
            assigned.inherited = on;
        }
        self.touch(id);
        Ok(())
    }

    /// Copies, replaces or deletes categories of a container on everything inside; returns how many items were
    /// handled and how many passed over.
    pub fn apply_categories(
        &mut self,
        actor: MemberId,
        id: NodeId,
        actions: &[(NodeId, String)],
        clear_existing: bool,
    ) -> Outcome<(usize, usize)> {
        let container = self.with_right(actor, id, Permission::EditAttributes, "updatecategories")?;
        let own = container.categories.clone();
        let (mut processed, mut skipped) = (0, 0);
        for below in self.subtree(id).split_off(1) {
            if self.editable(actor, below).is_err() {
                skipped += 1;
                continue;
            }
            if let Some(node) = self.nodes.get_mut(&below) {
                if clear_existing {
                    node.categories.clear();
                }
                for (category, action) in actions {
                    let present = node.categories.contains_key(category);
                    match (action.as_str(), own.get(category)) {
                        ("delete", _) => drop(node.categories.remove(category)),
                        ("replace", Some(values)) => drop(node.categories.insert(*category, values.clone())),
                        ("add" | "add_upgrade" | "null" | "", Some(values)) if !present => {
                            node.categories.insert(*category, values.clone());
                        }
                        _ => {}
                    }
                }
            }
            self.edited(actor, below);
            processed += 1;
        }
        Ok((processed, skipped))
    }

    /// A category on an item.
    pub fn assigned(&self, id: NodeId, category: NodeId) -> Outcome<&Assigned> {
        self.node(id)?
            .categories
            .get(&category)
            .ok_or_else(|| Refusal::said(500, "The category is not assigned to the item."))
    }

    /// Checks values against the definition and writes them.
    pub(crate) fn set_values(
        &self,
        category: NodeId,
        assigned: &mut Assigned,
        values: &Values,
    ) -> Outcome<()> {
        let definition = self
            .categories
            .get(&category)
            .ok_or_else(|| Refusal::said(500, "Invalid category specification."))?;
        let stranger = |key: &str| {
            Refusal::said(
                400,
                format!("The attribute '{category}_{key}' does not match the category definition."),
            )
        };
        for (key, value) in values {
            let numbers: Option<Vec<i64>> = key.split('_').map(|part| part.parse().ok()).collect();
            let numbers = numbers.ok_or_else(|| stranger(key))?;
            let set =
                numbers.first().and_then(|id| definition.attribute(*id)).ok_or_else(|| stranger(key))?;
            match (numbers.as_slice(), &set.kind) {
                // `{set}_{row}: ""` removes the row and moves the later ones up.
                ([_, row], AttributeKind::Set { .. }) if is_empty(value) => {
                    remove_row(assigned, set.id, *row)
                }
                ([_, row, member], AttributeKind::Set { members, max_rows }) => {
                    let member = members.iter().find(|attribute| attribute.id == *member);
                    let member = member.ok_or_else(|| stranger(key))?;
                    if !(1..=i64::try_from(*max_rows).unwrap_or(i64::MAX)).contains(row) {
                        return Err(Refusal::said(400, format!("The set '{}' has too many rows.", set.name)));
                    }
                    assigned.values.insert(key.clone(), self.accept_value(member, value)?);
                }
                ([_], kind) if !matches!(kind, AttributeKind::Set { .. }) => {
                    assigned.values.insert(key.clone(), self.accept_value(set, value)?);
                }
                _ => return Err(stranger(key)),
            }
        }
        let missing = definition.attributes.iter().find(|attribute| {
            attribute.required && assigned.values.get(&attribute.id.to_string()).is_none_or(is_empty)
        });
        match missing {
            Some(attribute) => Err(Refusal::said(
                self.settings.missing_required_status,
                format!("The attribute '{}' of category '{}' is required.", attribute.name, definition.name),
            )),
            None => Ok(()),
        }
    }

    /// The value as it is stored.
    fn accept_value(&self, attribute: &Attribute, value: &Value) -> Outcome<Value> {
        match (attribute.multi_value, value) {
            (true, Value::Array(items)) => items
                .iter()
                .map(|item| self.accept_one(attribute, item))
                .collect::<Outcome<Vec<_>>>()
                .map(Value::from),
            (true, one) if is_empty(one) => Ok(Value::Array(Vec::new())),
            (true, one) => Ok(Value::from(vec![self.accept_one(attribute, one)?])),
            (false, Value::Array(items)) if items.len() > 1 => Err(bad_value(attribute)),
            (false, Value::Array(items)) => self.accept_one(attribute, items.first().unwrap_or(&Value::Null)),
            (false, one) => self.accept_one(attribute, one),
        }
    }

    fn accept_one(&self, attribute: &Attribute, value: &Value) -> Outcome<Value> {
        if is_empty(value) {
            return Ok(Value::Null);
        }
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return Err(bad_value(attribute)),
        };
        let accepted = match &attribute.kind {
            AttributeKind::Text { max_length } => {
                (text.chars().count() <= *max_length).then(|| Value::from(text.as_str()))
            }
            AttributeKind::TextArea => Some(Value::from(text.as_str())),
            AttributeKind::Integer => text.parse::<i64>().ok().map(Value::from),
            AttributeKind::Boolean => match text.to_lowercase().as_str() {
                "true" | "1" => Some(Value::from(true)),
                "false" | "0" => Some(Value::from(false)),
                _ => None,
            },
            AttributeKind::Date { with_time } => accept_date(&text, *with_time).map(Value::from),
            AttributeKind::Choice { values } => values.contains(&text).then(|| Value::from(text.as_str())),
            AttributeKind::User => {
                text.parse::<i64>().ok().filter(|id| self.members.contains_key(id)).map(Value::from)
            }
            AttributeKind::Set { .. } => None,
        };
        accepted.ok_or_else(|| bad_value(attribute))
    }
}

fn bad_value(attribute: &Attribute) -> Refusal {
    Refusal::said(400, format!("Invalid value specified for attribute '{}'.", attribute.name))
}

/// `null`, an empty text and lists of those are no value.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_empty),
        _ => false,
    }
}

/// `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM:SS` with an optional `Z`; stored without zone and always with a time.
fn accept_date(text: &str, with_time: bool) -> Option<String> {
    let plain = text.strip_suffix('Z').unwrap_or(text);
    let plain = plain.split_once('.').map_or(plain, |(seconds, _)| seconds);
    let moment = plain
        .parse::<jiff::civil::DateTime>()
        .ok()
        .filter(|_| plain.contains('T'))
        .or_else(|| plain.parse::<jiff::civil::Date>().ok().map(|date| date.at(0, 0, 0, 0)))?;
    let moment = if with_time { moment } else { moment.date().at(0, 0, 0, 0) };
    Some(moment.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

fn remove_row(assigned: &mut Assigned, set: i64, row: i64) {
    let old = std::mem::take(&mut assigned.values);
    for (key, value) in old {
        let numbers: Vec<i64> = key.split('_').filter_map(|part| part.parse().ok()).collect();
        match numbers.as_slice() {
            [s, r, _] if *s == set && *r == row => {}
            [s, r, member] if *s == set && *r > row => {
                assigned.values.insert(format!("{s}_{}_{member}", r - 1), value);
            }
            _ => {
                assigned.values.insert(key, value);
            }
        }
    }
}
