//! Searches that are saved.

use serde_json::{Value, json};

use super::{Search, searched};
use crate::iconik::state::{Object, Outcome, Refusal, State, fields};

/// What a caller says of a saved search.
const WRITABLE: &[&str] = &["name", "search_criteria_document", "group_id", "is_public"];

impl State {
    /// Saves a search.
    pub fn save_search(&mut self, user: &str, given: Object) -> Outcome<String> {
        if given.get("name").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(Refusal::field("name", "Missing data for required field."));
        }
        self.criteria(&given)?;
        let (id, now) = (self.new_id(), self.time());
        let mut saved = fields::object(json!({
            "id": id, "object_type": "saved_searches", "search_criteria_document": {}, "group_id": null,
            "is_public": false, "user_id": user, "date_created": now, "date_modified": now,
        }));
        saved.extend(given.into_iter().filter(|(name, _)| WRITABLE.contains(&name.as_str())));
        self.saved_searches.insert(&id, saved);
        Ok(id)
    }

    /// Changes a saved search.
    pub(in crate::iconik) fn edit_saved(&mut self, id: &str, given: Object) -> Outcome<()> {
        self.saved_searches.found(id)?;
        self.criteria(&given)?;
        let now = self.time();
        let saved = self.saved_searches.found_mut(id)?;
        saved.extend(given.into_iter().filter(|(name, _)| WRITABLE.contains(&name.as_str())));
        saved.insert("date_modified".to_owned(), now);
        Ok(())
    }

    /// The search that is saved in an object.
    fn criteria(&self, saved: &Object) -> Outcome<Search> {
        let criteria = saved.get("search_criteria_document").and_then(Value::as_object).cloned();
        Search::read(&criteria.unwrap_or_default(), self.settings.index.operator)
    }

    /// Deletes what saved searches find now; the searches too when that is said.
    pub(in crate::iconik) fn delete_saved(
        &mut self,
        user: &str,
        ids: &[String],
        content_only: bool,
    ) -> Outcome<()> {
        for id in ids {
            let search = self.criteria(self.saved_searches.found(id)?)?;
            for document in searched(self, user, &search).objects {
                let text =
                    |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                self.delete(user, &text("object_type"), &text("id"))?;
            }
            if !content_only {
                self.saved_searches.remove(id);
            }
        }
        Ok(())
    }
}
