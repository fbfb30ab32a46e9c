//! States of assets: locked, checked out, deleted.

use super::{Asset, CHANGE, DELETE_ASSET, DELETE_FOLDER, Holder, Lock, Outcome, Refusal, State};

/// What may be done to the state of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::otmm) enum Action {
    Lock,
    Unlock,
    CheckOut,
    CancelCheckOut,
    Delete,
    Undelete,
    Purge,
}

/// One of many that was left as it was.
#[derive(Clone, Debug)]
pub(in crate::otmm) struct Failed {
    pub(in crate::otmm) id: String,
    pub(in crate::otmm) reason: String,
}

impl State {
    /// The action with a name. Some names are site data.
    pub(in crate::otmm) fn action(&self, name: &str) -> Outcome<Action> {
        let names = &self.settings.deletion;
        match name {
            "lock" => Ok(Action::Lock),
            "unlock" => Ok(Action::Unlock),
            "check_out" => Ok(Action::CheckOut),
            "delete" => Ok(Action::Delete),
            _ if name == names.cancel_action => Ok(Action::CancelCheckOut),
            _ if name == names.undelete_action => Ok(Action::Undelete),
            _ if name == names.purge_action => Ok(Action::Purge),
            _ => Err(Refusal::Invalid(format!("There is no action '{name}'"))),
        }
    }

    /// Changes the state of an asset, or of all its versions.
    pub(in crate::otmm) fn act(&mut self, user: &str, id: &str, action: Action, all: bool) -> Outcome<()> {
        let known = |id: &str| self.assets.get(id).filter(|asset| !asset.hidden);
        let missing = |id: &str| Refusal::NotFound(format!("The asset {id} does not exist"));
        let asset = known(id).ok_or_else(|| missing(id))?;
        let ids: Vec<String> = match all {
            true => self.versions(&asset.original_id).into_iter().map(|version| version.id.clone()).collect(),
            false => vec![id.to_owned()],
        };
        for id in &ids {
            self.may_act(user, known(id).ok_or_else(|| missing(id))?, action)?;
        }
        for id in &ids {
            self.act_on(user, id, action);
        }
        Ok(())
    }

    fn may_act(&self, user: &str, asset: &Asset, action: Action) -> Outcome<()> {
        let right = match action {
            Action::Delete | Action::Undelete | Action::Purge if asset.is_folder() => DELETE_FOLDER,
            Action::Delete | Action::Undelete | Action::Purge => DELETE_ASSET,
            _ => CHANGE,
        };
        self.needs(user, right)?;
        let wants_deleted = matches!(action, Action::Undelete | Action::Purge);
        if asset.deleted.is_some() != wants_deleted {
            let what = if wants_deleted { "is not deleted" } else { "is deleted" };
            return Err(Refusal::Business(format!("The asset {} {what}", asset.id)));
        }
        if asset.is_held_from(user) {
            return Err(self.held(asset));
        }
        let mine = Holder::User(user.to_owned());
        let holder = asset.check_out.as_ref().map(|lock| &lock.holder);
        match action {
            Action::CheckOut if asset.is_folder() || asset.master.is_none() => {
                Err(Refusal::Business(format!("The asset {} has no content", asset.id)))
            }
            Action::CheckOut if !asset.latest => {
                Err(Refusal::Business(format!("The asset {} is not the latest version", asset.id)))
            }
            Action::CheckOut if holder.is_some_and(|holder| *holder != mine) => Err(self.held(asset)),
            Action::CancelCheckOut if holder != Some(&mine) => {
                Err(Refusal::Business(format!("The asset {} is not checked out by the user", asset.id)))
            }
            Action::Delete if holder.is_some() => {
                Err(Refusal::Locked(format!("The asset {} is checked out", asset.id)))
            }
            _ => Ok(()),
        }
    }

    fn act_on(&mut self, user: &str, id: &str, action: Action) {
        let mine = Lock { holder: Holder::User(user.to_owned()), since: self.now };
        let (now, purge) =
            (self.now, self.settings.deletion.purge_seconds.map(|seconds| self.after(seconds)));
        let Some(asset) = self.assets.get_mut(id) else { return };
        match action {
            // Whoever has the lock keeps it from when it was taken.
            Action::Lock => _ = asset.lock.get_or_insert(mine),
            Action::Unlock => asset.lock = None,
            Action::CheckOut => _ = asset.check_out.get_or_insert(mine),
            Action::CancelCheckOut => asset.check_out = None,
            Action::Undelete => asset.deleted = None,
            Action::Purge => self.remove(id),
            Action::Delete => {
                asset.deleted = Some(now);
                self.purges.extend(purge.map(|due| (due, id.to_owned())));
            }
        }
        match action {
            // A lock alone changes nothing that anybody looks for.
            Action::Lock | Action::Unlock => self.reindex(id),
            _ => self.touch(id, user),
        }
    }

    /// Ends the locks of users that have been held too long.
    pub(super) fn end_old_locks(&mut self) {
        let Some(seconds) = self.settings.edits.lock_seconds else { return };
        let now = self.now;
        for asset in self.assets.values_mut() {
            let is_old = asset.lock.as_ref().is_some_and(|lock| {
                matches!(lock.holder, Holder::User(_)) && now.duration_since(lock.since).as_secs() >= seconds
            });
            if is_old {
                asset.lock = None;
            }
        }
    }
}
