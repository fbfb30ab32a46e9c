//! Fields, views and categories.

use serde_json::{Value, json};

use super::super::media::{filled, map, text};
use super::super::{Object, Outcome, Refusal, State};

const TYPES: &[&str] = &[
    "integer",
    "float",
    "boolean",
    "string",
    "string_exact",
    "text",
    "date",
    "datetime",
    "tag_cloud",
    "url",
    "drop_down",
    "email",
];
/// The pseudo-field that views use to draw a line.
const SEPARATOR: &str = "__separator__";

fn needed<'object>(given: &'object Object, name: &str) -> Outcome<&'object str> {
    filled(given, name).ok_or_else(|| Refusal::field(name, "Missing data for required field."))
}

impl State {
    /// Defines a field. Gives its name.
    pub fn create_field(&mut self, given: Object) -> Outcome<String> {
        let name = needed(&given, "name")?.to_owned();
        needed(&given, "label")?;
        needed(&given, "field_type")?;
        if self.metadata.fields.get(&name).is_some() {
            return Err(Refusal::field("name", "A field with this name exists already."));
        }
        check_field(&given)?;
        let now = self.time();
        let mut field = map(json!({
            "name": name, "label": null, "field_type": null, "options": [], "source_url": null, "multi": false,
            "required": false, "read_only": false, "auto_set": false, "hide_if_not_set": false, "min_value": null,
            "max_value": null, "sortable": false, "use_as_facet": false, "representative": false,
            "is_block_field": false, "is_warning_field": false, "mapped_field_name": format!("md_{name}"),
            "external_id": null, "description": null, "date_created": now, "date_modified": now,
        }));
        field.extend(
            given.into_iter().filter(|(name, value)| name != "mapped_field_name" && !value.is_null()),
        );
        self.metadata.fields.insert(&name, field);
        Ok(name)
    }

    /// Changes a field; its name and type stay.
    pub fn edit_field(&mut self, name: &str, given: Object) -> Outcome<()> {
        let now = self.time();
        let field = self.metadata.fields.found_mut(name)?;
        let mut changed = field.clone();
        let fixed = ["name", "field_type", "mapped_field_name", "date_created"];
        changed.extend(given.into_iter().filter(|(name, _)| !fixed.contains(&name.as_str())));
        check_field(&changed)?;
        changed.insert("date_modified".to_owned(), now);
        *field = changed;
        Ok(())
    }

    /// Defines a view. Gives its id.
    pub fn create_view(&mut self, given: Object) -> Outcome<String> {
        needed(&given, "name")?;
        let fields = self.checked_view_fields(&given)?;
        let fields =
            fields.ok_or_else(|| Refusal::field("view_fields", "Missing data for required field."))?;
        let id = match filled(&given, "id") {
            Some(id) => id.to_owned(),
            None => self.new_id(),
        };
        let now = self.time();
        let view = json!({
            "id": id, "name": given.get("name"), "description": given.get("description"), "view_fields": fields,
            "date_created": now, "date_modified": now,
        });
        self.metadata.views.insert(&id, map(view));
        Ok(id)
    }

    /// Changes a view.
    pub fn edit_view(&mut self, id: &str, given: Object) -> Outcome<()> {
        self.metadata.views.found(id)?;
        let (fields, now) = (self.checked_view_fields(&given)?, self.time());
        let view = self.metadata.views.found_mut(id)?;
        for name in ["name", "description"] {
            if let Some(value) = given.get(name) {
                view.insert(name.to_owned(), value.clone());
            }
        }
        if let Some(fields) = fields {
            view.insert("view_fields".to_owned(), fields);
        }
        view.insert("date_modified".to_owned(), now);
        Ok(())
    }

    fn checked_view_fields(&self, given: &Object) -> Outcome<Option<Value>> {
        let Some(fields) = given.get("view_fields") else { return Ok(None) };
        for field in fields.as_array().into_iter().flatten() {
            let name = field.get("name").and_then(Value::as_str).unwrap_or_default();
            if name != SEPARATOR && self.metadata.fields.get(name).is_none() {
                return Err(Refusal::field("view_fields", format!("There is no field {name}.")));
            }
        }
        Ok(fields.is_array().then(|| fields.clone()))
    }

    /// Defines a category of a kind of object, or changes one.
    pub fn put_category(&mut self, object_type: &str, given: Object, is_new: bool) -> Outcome<Object> {
        let name = needed(&given, "name")?.to_owned();
        needed(&given, "label")?;
        let key = format!("{object_type}/{name}");
        let known = self.metadata.categories.get(&key).cloned();
        if is_new && known.is_some() {
            return Err(Refusal::Conflict(format!("Category {name} exists already")));
        }
        let ids = given.get("view_ids").and_then(Value::as_array).cloned().unwrap_or_default();
        for id in ids.iter().filter_map(Value::as_str) {
            self.metadata
                .views
                .get(id)
                .ok_or_else(|| Refusal::field("view_ids", format!("There is no view {id}.")))?;
        }
        let now = self.time();
        let created =
            known.and_then(|known| known.get("date_created").cloned()).unwrap_or_else(|| now.clone());
        let category = map(json!({
            "name": name, "label": given.get("label"), "object_type": object_type, "view_ids": ids,
            "date_created": created, "date_modified": now,
        }));
        self.metadata.categories.insert(&key, category.clone());
        Ok(category)
    }

    /// A category with its views.
    pub(in crate::iconik) fn shown_category(&self, object_type: &str, name: &str) -> Outcome<Object> {
        let found = self.metadata.categories.get(&format!("{object_type}/{name}"));
        let mut category = found.ok_or_else(|| Refusal::unknown("Category", name))?.clone();
        let ids = category.get("view_ids").and_then(Value::as_array).into_iter().flatten();
        let views: Vec<Value> = ids
            .filter_map(|id| self.metadata.views.get(id.as_str()?))
            .map(|view| Value::Object(self.metadata.shown_view(view, true)))
            .collect();
        category.insert("views".to_owned(), views.into());
        Ok(category)
    }
}

fn check_field(given: &Object) -> Outcome<()> {
    let kind = text(given, "field_type");
    if !TYPES.contains(&kind) {
        return Err(Refusal::field("field_type", format!("Must be one of: {}.", TYPES.join(", "))));
    }
    let options = given.get("options").and_then(Value::as_array).is_some_and(|options| !options.is_empty());
    if options && filled(given, "source_url").is_some() {
        return Err(Refusal::field("options", "Options and source_url exclude each other."));
    }
    Ok(())
}
