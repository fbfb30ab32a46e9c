//! Writing metadata: read, changed and written under a lock, and read again. The server's own word for a write is not
//! enough: what becomes of a field that the model does not have nobody says.
//!
//! The lock is the user's. Two processes of one user that take it in the same moment both have it, and the one that writes
//! last writes over the other from what it read before. A write needs the lock, so it is read once more when that is given
//! back: from then on nobody who had it along with us can write, and what is there then is not lost to them.

use serde_json::{Value, json};

use super::{
    Client,
    asset::Asset,
    assets::Load,
    call::Call,
    error::{failure, unexpected},
    ids::AssetId,
    metadata::Metadata,
    metadata_change::{Edit, MetadataChange},
    settings::LockStrategy,
};
use crate::{
    error::{Error, FailureClass, Result},
    http::Effect,
};

pub(super) const UPDATE: &str = "update metadata";
/// Somebody else wrote first.
pub const METADATA_CHANGED: &str = "otmm.metadata-changed";
/// The server cleared the fields that a write did not name. They were put back.
pub const METADATA_REPLACED: &str = "otmm.metadata-replaced";
/// The server took a value and did not keep it.
pub const METADATA_NOT_WRITTEN: &str = "otmm.metadata-not-written";

impl Client {
    /// Changes metadata of an asset or folder, and gives it as it is afterwards. Nothing is written where it says so already. Give
    /// what the decision was made from as `based_on`: nothing is written when something that is to change is different by now.
    ///
    /// Other users are kept out by the lock. Of two processes of one user that write at the same time, neither is told that it
    /// succeeded when the other wrote over it. That does not hold for three: one that took the lock along with the first, and
    /// stood still meanwhile, can write under the lock that the third takes, and then what the first was told is no longer so.
    /// The lease on an item in the ledger keeps a second process of ours from the same item; where two items write to one
    /// asset, let one process at a time do it. Without a lock, which is how folders are written and fields where the settings say
    /// `optimistic`, the last of two that write in the same moment wins, and the first is not told.
    ///
    /// # Errors
    /// [`super::LOCKED`] (`Conflict`) when somebody holds it longer than the settings wait, or another process of our user
    /// let go of the lock before it was written. [`METADATA_CHANGED`] (`Conflict`, with the field), also when it was written
    /// and somebody wrote over it. [`METADATA_NOT_WRITTEN`] (`Forbidden`, with the field). [`super::LEFT_LOCKED`]
    /// (`Transient`) when all was written and the lock stays. [`super::UNEVEN_TABLE`]. As any call.
    pub async fn update_metadata(
        &self,
        id: &AssetId,
        change: &MetadataChange,
        based_on: Option<&Metadata>,
    ) -> Result<Asset> {
        // What is there already needs no lock.
        let before = self.with_metadata(id).await?;
        let is_there = change.onto(metadata(&before)?, &self.settings)?.is_empty();
        if is_there && (before.is_folder() || !self.is_being_written(&before).await?) {
            return Ok(before);
        }
        let is_optimistic =
            self.settings.editing.strategy == LockStrategy::Optimistic && !change.has_tables();
        // Folders are reported to be written so, and no other way.
        if is_optimistic || before.is_folder() {
            return self.write(id, change, based_on, true).await.map(|(after, _)| after);
        }
        self.acquire(id).await?;
        let outcome = self.write(id, change, based_on, false).await;
        let (_, edit) = self.release(id, outcome).await?;
        let after = self.with_metadata(id).await?;
        match edit.missing_in(metadata(&after)?) {
            None => Ok(after),
            Some(field) => Err(changed(field, "was written, and somebody else wrote over it")),
        }
    }

    /// Whether our own user holds an asset to write its metadata: another process, which may write over what is there, or one
    /// that could not let go of it. What is checked out is held for its content.
    async fn is_being_written(&self, asset: &Asset) -> Result<bool> {
        if !asset.is_locked || asset.is_checked_out {
            return Ok(false);
        }
        let own = self.own_id().await?;
        Ok(own.is_some() && asset.locked_by == own)
    }

    async fn with_metadata(&self, id: &AssetId) -> Result<Asset> {
        self.get_asset(id, Load::Metadata).await
    }

    async fn write(
        &self,
        id: &AssetId,
        change: &MetadataChange,
        based_on: Option<&Metadata>,
        optimistic: bool,
    ) -> Result<(Asset, Edit)> {
        let before = self.with_metadata(id).await?;
        let current = metadata(&before)?;
        let edit = change.onto(current, &self.settings)?;
        if edit.is_empty() {
            return Ok((before, edit));
        }
        if let Some(field) = based_on.and_then(|known| differs(change, known, current)) {
            return Err(changed(field, "has changed since it was read; nothing was written"));
        }
        self.send(&before, &edit.written, optimistic).await?;
        let after = self.with_metadata(id).await?;
        let read = metadata(&after)?;
        self.check_others(&before, change, current, read, optimistic).await?;
        match edit.missing_in(read) {
            None => Ok((after, edit)),
            Some(field) => Err(not_written(field, current, read)),
        }
    }

    async fn send(&self, asset: &Asset, written: &[Value], optimistic: bool) -> Result<()> {
        let (kind, root) =
            if asset.is_folder() { ("folders", "edited_folder") } else { ("assets", "edited_asset") };
        let body = json!({root: {"data": {"metadata": written}}});
        let mut call = Call::patch(UPDATE, &[kind, asset.id.as_str()]).json(&body);
        if optimistic {
            call = call.query("lock_strategy", "optimistic");
        }
        self.tell(&call).await.map(drop)
    }

    /// When most fields that were not named have lost their values, the server takes a write for the whole. They are put
    /// back, and nothing more is written until somebody has looked at that.
    async fn check_others(
        &self,
        asset: &Asset,
        change: &MetadataChange,
        before: &Metadata,
        after: &Metadata,
        optimistic: bool,
    ) -> Result<()> {
        let (kept, lost) = change.lost(before, after, &self.settings);
        if lost.is_empty() || lost.len() < kept {
            return Ok(());
        }
        self.send(asset, &lost, optimistic).await?;
        let message = "the server cleared the fields that were not named; they were put back";
        Err(failure(FailureClass::Forbidden, UPDATE, METADATA_REPLACED, message)
            .remedy("this OTMM edits metadata as a whole, which this client does not do"))
    }
}

fn metadata(asset: &Asset) -> Result<&Metadata> {
    asset.metadata.as_ref().ok_or_else(|| unexpected(UPDATE, Effect::Read, "no metadata in it"))
}

/// The first field or table of a change that is not as it was known.
fn differs(change: &MetadataChange, known: &Metadata, current: &Metadata) -> Option<String> {
    let field = change.fields().find(|field| known.text(field) != current.text(field));
    let table = || change.tables().find(|table| known.table(table) != current.table(table));
    field.map(ToString::to_string).or_else(|| table().map(ToString::to_string))
}

fn not_written(field: String, before: &Metadata, after: &Metadata) -> Error {
    let (id, table) = (super::FieldId::new(&field), super::TableId::new(&field));
    let is_same = before.text(&id) == after.text(&id) && before.table(&table) == after.table(&table);
    if !is_same {
        return changed(field, "was changed by somebody else at the same moment");
    }
    let message = format!("the server took a value for {field:?} and did not keep it");
    failure(FailureClass::Forbidden, UPDATE, METADATA_NOT_WRITTEN, message)
        .field(field)
        .remedy("check that the model has the field under exactly this id, and that the user may write it")
}

fn changed(field: String, what: &str) -> Error {
    failure(FailureClass::Conflict, UPDATE, METADATA_CHANGED, format!("the field {field:?} {what}"))
        .field(field)
}
