//! Edits of metadata, and who may save them.

use serde_json::{Value, json};

use super::metadata::{as_text, entries};
use super::{Asset, CHANGE, Failed, Holder, Outcome, Refusal, State};

impl State {
    /// Whether a user may save an asset now: with the lock, or without one where the strategy allows that.
    fn may_save(&self, user: &str, asset: &Asset, strategy: Option<&str>) -> Outcome<()> {
        if asset.deleted.is_some() {
            return Err(Refusal::Business(format!("The asset {} is deleted", asset.id)));
        }
        if asset.is_held_from(user) {
            return Err(self.held(asset));
        }
        let is_optimistic =
            strategy == Some("optimistic") && (asset.is_folder() || self.settings.edits.optimistic_assets);
        match is_optimistic || asset.is_locked_by(user) {
            true => Ok(()),
            false => Err(Refusal::Locked(format!("The asset {} is not locked by the user", asset.id))),
        }
    }

    /// Why something that is locked is not changed.
    pub(super) fn held(&self, asset: &Asset) -> Refusal {
        let by = match asset.lock.as_ref().or(asset.check_out.as_ref()).map(|lock| &lock.holder) {
            Some(Holder::User(id)) => self.user(id).map_or(id.clone(), |user| user.login.clone()),
            Some(Holder::Job(number)) => format!("job {number}"),
            None => "nobody".to_owned(),
        };
        Refusal::Locked(format!("The asset {} is locked by {by}", asset.id))
    }

    /// Changes the values that are named.
    pub(in crate::otmm) fn edit(
        &mut self,
        user: &str,
        id: &str,
        strategy: Option<&str>,
        elements: Option<&Value>,
    ) -> Outcome<()> {
        self.needs(user, CHANGE)?;
        let mut asset = self.asset(id)?.clone();
        self.may_save(user, &asset, strategy)?;
        let changes = self.read_changes(&asset.model, elements)?;
        if !self.settings.edits.unnamed_fields_stay {
            asset.values.clear();
            asset.columns.clear();
        }
        self.apply(&mut asset, changes)?;
        self.assets.insert(id.to_owned(), asset);
        self.touch(id, user);
        Ok(())
    }

    /// Changes the same values of many; gives the ids that were changed, and those that were not with the reason.
    pub(in crate::otmm) fn edit_many(
        &mut self,
        user: &str,
        request: &Value,
    ) -> Outcome<(Vec<String>, Vec<Failed>)> {
        let context = request.get("context");
        let context = context.ok_or_else(|| Refusal::Invalid("There is no context".to_owned()))?;
        let lists =
            request.get("metadata_values").and_then(|values| values.get("metadata_edit_id_value_list"));
        let mut elements = Vec::new();
        for list in entries(lists) {
            for entry in entries(list.get("field_id_value_entries")) {
                let id = entry.get("metadata_field_id").and_then(as_text);
                let id =
                    id.ok_or_else(|| Refusal::Invalid("An entry has no metadata_field_id".to_owned()))?;
                elements.push(json!({"id": id, "value": entry.get("metadata_value")}));
            }
        }
        let elements = Value::from(elements);
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for id in self.select(context)? {
            // Nobody locks each of them before: the server does.
            match self.edit(user, &id, Some("optimistic"), Some(&elements)) {
                Ok(()) => done.push(id),
                Err(refusal) => failed.push(Failed { reason: refusal.told(&self.settings).1, id }),
            }
        }
        Ok((done, failed))
    }
}
