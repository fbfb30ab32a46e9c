//! Values: read and written through a view, or directly.

use serde_json::{Map, Value, json};

use super::super::media::{is, map, text};
use super::super::{Event, Object, Outcome, Refusal, State};
use super::check::fitting;
use super::{FieldValues, Fields};
use crate::iconik::settings::{EmptyValues, Required, Unwanted};

/// Kind and id of an object.
type Of<'id> = (&'id str, &'id str);

/// What a write does: the fields with their new values, `None` for those that go.
type Changes = Vec<(String, Option<Vec<Value>>)>;

impl State {
    /// The versions of values that an object has, looked at from one of its versions: the last that is not newer.
    fn version_with_values(&self, (kind, id): Of<'_>, version: Option<&str>) -> Option<String> {
        let known = self.metadata.values.get(&(kind.to_owned(), id.to_owned()))?;
        // What is written directly may be of an asset that does not exist.
        let Some(asset) = self.assets.get(id).filter(|_| kind == "assets") else {
            return known.keys().next().cloned();
        };
        let versions = asset.get("versions").and_then(Value::as_array);
        let number = |wanted: &str| {
            let mut versions = versions.into_iter().flatten();
            versions
                .find(|version| version.get("id").and_then(Value::as_str) == Some(wanted))?
                .get("version_number")?
                .as_i64()
        };
        let newest = self.current_version_of(id).unwrap_or_default();
        let until = number(version.unwrap_or(&newest))?;
        let older = known.keys().filter_map(|version| Some((number(version)?, version)));
        older.filter(|(number, _)| *number <= until).max().map(|(_, version)| version.clone())
    }

    fn fields_of(&self, of: Of<'_>, version: Option<&str>) -> Option<&Fields> {
        let version = self.version_with_values(of, version)?;
        self.metadata.values.get(&(of.0.to_owned(), of.1.to_owned()))?.get(&version)
    }

    fn shown(&self, values: &FieldValues) -> Value {
        let as_text = self.settings.metadata_rules.values_as_text;
        let show = |value: &Value| match value {
            Value::String(_) => json!({"value": value}),
            other if as_text => json!({"value": other.to_string()}),
            other => json!({"value": other}),
        };
        let shown: Vec<Value> = values.values.iter().map(show).collect();
        shown.into()
    }

    /// The values of an object in a view; 404 when it has none.
    pub fn read_values(&self, of: Of<'_>, version: Option<&str>, view: &str) -> Outcome<Map<String, Value>> {
        let view = self.metadata.views.found(view)?;
        let fields = self.fields_of(of, version);
        let mut shown = Map::new();
        for field in view.get("view_fields").and_then(Value::as_array).into_iter().flatten() {
            let name = field.get("name").and_then(Value::as_str).unwrap_or_default();
            if let (Some(values), Some(_)) =
                (fields.and_then(|fields| fields.get(name)), self.metadata.fields.get(name))
            {
                let entry = json!({"field_values": self.shown(values), "date_created": values.date_created});
                shown.insert(name.to_owned(), entry);
            }
        }
        if shown.is_empty() {
            return Err(Refusal::NotFound(format!(
                "No metadata values were found for {} {} and the view",
                of.0, of.1
            )));
        }
        Ok(shown)
    }

    /// All values of an object, as the direct call shows them.
    pub fn read_directly(&self, of: Of<'_>, deleted_too: bool) -> Outcome<Map<String, Value>> {
        let fields = self.fields_of(of, None).into_iter().flatten();
        let shown: Map<String, Value> = fields
            .filter_map(|(name, values)| {
                let definition = self.metadata.fields.get(name);
                let kind = definition.map_or("string", |field| text(field, "field_type"));
                let entry = json!({"name": name, "type": kind, "values": self.shown(values)});
                (deleted_too || definition.is_some()).then(|| (name.clone(), entry))
            })
            .collect();
        match shown.is_empty() {
            true => Err(Refusal::NotFound(format!("No metadata values were found for {} {}", of.0, of.1))),
            false => Ok(shown),
        }
    }

    /// All values of an object as search documents hold them: one, or a list.
    pub fn flat_values(&self, of: Of<'_>) -> Map<String, Value> {
        let fields = self.fields_of(of, None).into_iter().flatten();
        fields
            .filter_map(|(name, values)| match values.values.as_slice() {
                [] => None,
                [one] => Some((name.clone(), one.clone())),
                several => Some((name.clone(), several.to_vec().into())),
            })
            .collect()
    }

    /// All values of an object as a write has them.
    pub(in crate::iconik) fn entries_of(&self, of: Of<'_>) -> Value {
        let fields = self.fields_of(of, None).into_iter().flatten();
        fields
            .map(|(name, values)| (name.clone(), json!({"field_values": self.shown(values)})))
            .collect::<Map<_, _>>()
            .into()
    }

    /// The values of one field.
    pub fn values_of(&self, of: Of<'_>, field: &str) -> Vec<Value> {
        let fields = self.fields_of(of, None);
        fields.and_then(|fields| fields.get(field)).map(|values| values.values.clone()).unwrap_or_default()
    }

    /// Writes values through a view. Gives whether anything was written.
    pub fn write_values(
        &mut self,
        user: &str,
        of: Of<'_>,
        view: &str,
        values: &Object,
        ignore_unchanged: bool,
    ) -> Outcome<bool> {
        let definition = self.metadata.views.found(view)?.clone();
        let changes = self.changes(of, &definition, values)?;
        let known = self.fields_of(of, None);
        let same = |(name, new): &(String, Option<Vec<Value>>)| {
            known.and_then(|known| known.get(name)).map(|known| &known.values) == new.as_ref()
        };
        if ignore_unchanged && changes.iter().all(same) {
            return Ok(false);
        }
        self.apply(user, of, Some(view), changes);
        Ok(true)
    }

    /// Writes values past all checks, even of an object that does not exist.
    pub fn write_directly(&mut self, user: &str, of: Of<'_>, values: &Object) {
        let changes = values.iter().map(|(name, entry)| (name.clone(), Some(raw(entry)))).collect();
        self.apply(user, of, None, changes);
    }

    /// What a write through a view changes, or everything that is wrong with it.
    fn changes(&self, of: Of<'_>, view: &Object, values: &Object) -> Outcome<Changes> {
        let rules = &self.settings.metadata_rules;
        let (mut changes, mut wrong) = (Changes::new(), Vec::new());
        for (name, entry) in values {
            let in_view = self.metadata.field_of(view, name);
            let field = match (&in_view, rules.outside_view) {
                (Some(field), _) => field.clone(),
                (None, Unwanted::Ignored) => continue,
                (None, Unwanted::Written) if self.metadata.fields.get(name).is_some() => {
                    self.metadata.fields.found(name)?.clone()
                }
                (None, _) => {
                    wrong.push((name.clone(), "Unknown field.".to_owned()));
                    continue;
                }
            };
            if field.get("read_only") == Some(&Value::Bool(true)) {
                match rules.read_only {
                    Unwanted::Refused => {
                        wrong.push((name.clone(), "Field is read only.".to_owned()));
                        continue;
                    }
                    Unwanted::Ignored => continue,
                    Unwanted::Written => {}
                }
            }
            match self.change(of, &field, entry) {
                Ok(Some(new)) => changes.push((name.clone(), new)),
                Ok(None) => {}
                Err(why) => wrong.push((name.clone(), why)),
            }
        }
        self.not_named(of, view, &mut changes, &mut wrong);
        if wrong.is_empty() { Ok(changes) } else { Err(Refusal::Invalid(wrong)) }
    }

    /// What a write does to one field: nothing, clear it, or these values.
    #[allow(
        clippy::option_option,
        reason = "the outer says whether the field is written, the inner whether it stays"
    )]
    fn change(
        &self,
        of: Of<'_>,
        field: &Object,
        entry: &Value,
    ) -> Result<Option<Option<Vec<Value>>>, String> {
        let rules = &self.settings.metadata_rules;
        let mode = entry.get("mode").and_then(Value::as_str).unwrap_or("overwrite");
        let given: Vec<Value> = raw(entry)
            .iter()
            .map(|value| fitting(field, value, rules.text_for_numbers))
            .collect::<Result<_, _>>()?;
        let known = self.values_of(of, text(field, "name"));
        let new: Vec<Value> = match mode {
            "overwrite" if given.is_empty() => match rules.empty_values {
                EmptyValues::Clear => Vec::new(),
                EmptyValues::Ignored => return Ok(None),
                EmptyValues::Refused => return Err("Shorter than minimum length 1.".to_owned()),
            },
            "overwrite" => given,
            "append" => {
                let added = given.into_iter().filter(|value| !known.contains(value));
                known.iter().cloned().chain(added).collect()
            }
            "delete" => known.iter().filter(|value| !given.contains(value)).cloned().collect(),
            _ => return Err("Mode must be one of: overwrite, append, delete.".to_owned()),
        };
        let flag = |name: &str| field.get(name) == Some(&Value::Bool(true));
        if new.len() > 1 && !flag("multi") && !is(field, "field_type", "tag_cloud") {
            return Err("Field takes one value only.".to_owned());
        }
        let blank = new.iter().all(|value| value.as_str().is_some_and(|text| text.trim().is_empty()));
        if blank && flag("required") {
            return Err("Field is required.".to_owned());
        }
        let stays = !new.is_empty() || rules.cleared_stays;
        Ok(Some(stays.then_some(new)))
    }

    /// What becomes of the fields of the view that a write does not name.
    fn not_named(&self, of: Of<'_>, view: &Object, changes: &mut Changes, wrong: &mut Vec<(String, String)>) {
        let rules = &self.settings.metadata_rules;
        let listed = view.get("view_fields").and_then(Value::as_array).into_iter().flatten();
        for name in listed.filter_map(|field| field.get("name")?.as_str()) {
            let Some(field) = self.metadata.field_of(view, name) else { continue };
            let is_named = changes.iter().any(|(named, _)| named == name)
                || wrong.iter().any(|(named, _)| named == name);
            if is_named {
                continue;
            }
            let has_value = !self.values_of(of, name).is_empty() && !rules.write_replaces_view;
            let is_required = field.get("required") == Some(&Value::Bool(true));
            if is_required && !has_value && rules.required == Required::All {
                wrong.push((name.to_owned(), "Field is required.".to_owned()));
            } else if rules.write_replaces_view {
                changes.push((name.to_owned(), None));
            }
        }
    }

    fn apply(&mut self, user: &str, of: Of<'_>, view: Option<&str>, changes: Changes) {
        let now = self.time();
        let newest =
            if of.0 == "assets" { self.current_version_of(of.1).unwrap_or_default() } else { String::new() };
        let mut fields = self.fields_of(of, None).cloned().unwrap_or_default();
        for (name, new) in &changes {
            match new {
                Some(values) => {
                    let written = FieldValues { values: values.clone(), date_created: now.clone() };
                    fields.insert(name.clone(), written);
                }
                None => drop(fields.remove(name)),
            }
        }
        let versions = self.metadata.values.entry((of.0.to_owned(), of.1.to_owned())).or_default();
        versions.insert(newest, fields);
        self.show_on_asset(of, &changes);
        let moves = self.settings.metadata_rules.moves_date_modified;
        if let (true, "assets", Ok(asset)) = (moves, of.0, self.assets.found_mut(of.1)) {
            asset.extend(map(json!({"date_modified": now, "updated_by_user": user})));
        }
        let is_told = self.settings.metadata_rules.writes_in_history;
        if is_told && of.0 == "assets" && self.assets.get(of.1).is_some() {
            self.note(user, of.1, "METADATA", "");
        }
        self.tell(user, of, view, &changes);
    }

    /// Fields that block an asset or put a banner on it.
    fn show_on_asset(&mut self, of: Of<'_>, changes: &Changes) {
        for (name, values) in changes {
            let flag = |flag: &str| {
                self.metadata.fields.get(name).and_then(|field| field.get(flag)) == Some(&Value::Bool(true))
            };
            let (blocks, warns) = (flag("is_block_field"), flag("is_warning_field"));
            let first = values.as_ref().and_then(|values| values.first()).cloned().unwrap_or_default();
            if let ("assets", Ok(asset)) = (of.0, self.assets.found_mut(of.1)) {
                if blocks {
                    let is_set = !matches!(&first, Value::Null | Value::Bool(false))
                        && first != "false"
                        && first != "";
                    asset.insert("is_blocked".to_owned(), is_set.into());
                }
                if warns {
                    asset.insert("warning".to_owned(), first);
                }
            }
        }
    }

    fn tell(&mut self, user: &str, of: Of<'_>, view: Option<&str>, changes: &Changes) {
        let mut data = map(json!({"object_id": of.1, "object_type": of.0, "view_id": view}));
        if self.settings.metadata_rules.events_carry_values {
            let values = changes.iter().map(|(name, values)| {
                let values: Vec<Value> =
                    values.iter().flatten().map(|value| json!({"value": value})).collect();
                (name.clone(), json!({"field_values": values}))
            });
            data.insert("metadata_values".to_owned(), values.collect::<Map<_, _>>().into());
        }
        let event_type = match of.0 {
            "collections" => "collections",
            "segments" => "segments",
            _ => "assets",
        };
        self.emit(Event {
            event_type,
            realm: "metadata",
            operation: "update",
            object_id: of.1.to_owned(),
            user_id: user.to_owned(),
            data: data.into(),
        });
    }

    /// A new version of an asset begins without values, and not with those of the last one.
    pub(in crate::iconik) fn start_values(&mut self, asset: &str, version: &str) {
        let versions = self.metadata.values.entry(("assets".to_owned(), asset.to_owned())).or_default();
        versions.insert(version.to_owned(), Fields::new());
    }
}

/// The values of an entry as they were sent.
fn raw(entry: &Value) -> Vec<Value> {
    let list = entry.get("field_values").or_else(|| entry.get("values")).and_then(Value::as_array);
    list.into_iter().flatten().map(|value| value.get("value").cloned().unwrap_or_default()).collect()
}
