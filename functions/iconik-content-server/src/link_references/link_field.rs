//! The address of a document among the values of a field of a collection. What people have put there stays.

use shared::{
    error::{Error, FailureClass, Result, System},
    flow::{Flow, Run},
    iconik::{CollectionId, FieldKind, METADATA_CHANGED, MetadataChange, NOT_FOUND, ObjectRef, ViewId},
    ledger::{Key, Lock},
};

use super::{
    BUSY, LinkReferences, again,
    memory::{FieldPlace, Shown},
    settle::Work,
    standing::Offer,
};
use crate::link_rules::ShownField;

/// How often a field that somebody else writes at the same moment is tried again.
const TRIES: u32 = 3;

impl LinkReferences {
    /// Shows a document as an address in a field of a collection.
    pub(super) async fn show_address(
        &self,
        work: &mut Work<'_>,
        offer: &Offer<'_>,
        field: &ShownField,
        collection: &CollectionId,
    ) -> Result<()> {
        let place = FieldPlace::of(field, &offer.address);
        let before = work.remembered.in_collection(collection);
        let elsewhere = before.field.as_ref().is_some_and(|before| *before != place);
        if before.may_have_asset() || elsewhere {
            self.withdraw(work, collection).await?;
        }
        let before = work.remembered.in_collection(collection);
        if before.field.as_ref() != Some(&place) {
            // Whoever has to look at all that a field shows must know it.
            let (set, node) = (name_of(collection, &place), work.node.to_string());
            self.environment.ledger.add_member(Self::NAME, &set, &node, None).await?;
        }
        let shown =
            Shown { field: Some(place.clone()), withdrawn: false, version: Some(offer.version), ..before };
        self.remember(work.node, &mut work.remembered, collection, shown).await?;
        let changed = self.write_address(work, collection, &place, true).await?;
        work.done.changed |= changed;
        work.done.shown.insert(collection.clone(), format!("field {}", field.field));
        Ok(())
    }

    /// Puts the address of a document into a field or takes it out. Says whether it was otherwise. One worker at a time writes
    /// a field, whatever document it is for.
    pub(super) async fn write_address(
        &self,
        work: &Work<'_>,
        collection: &CollectionId,
        place: &FieldPlace,
        there: bool,
    ) -> Result<bool> {
        let name = name_of(collection, place);
        let lock = self.lock(&name, work.run).await?;
        let outcome = Box::pin(self.write_with(&lock, work, (collection, place), there, &name)).await;
        self.leave(&lock, outcome, work.run).await
    }

    async fn write_with(
        &self,
        lock: &Lock,
        work: &Work<'_>,
        (collection, place): (&CollectionId, &FieldPlace),
        there: bool,
        name: &str,
    ) -> Result<bool> {
        let changed = self.write_field(collection, place, there, work.run).await?;
        if changed && !self.environment.ledger.is_held(lock).await? {
            // Somebody whose clock is far ahead wrote the field meanwhile, and may have been written over.
            self.look_again(&self.members(name).await?, work.run).await?;
        }
        Ok(changed)
    }

    async fn write_field(
        &self,
        collection: &CollectionId,
        place: &FieldPlace,
        there: bool,
        run: &Run,
    ) -> Result<bool> {
        let (object, view): (ObjectRef, _) = (collection.clone().into(), ViewId::new(&place.view));
        for _ in 0..TRIES {
            let values = self.iconik.get_metadata(&object, &view).await?;
            let mut texts = values.texts(&place.field);
            if texts.contains(&place.address) == there {
                return Ok(false);
            }
            let definition = match self.view(&view).await {
                // Where there is no view there is no address in it.
                Err(error) if !there && error.code() == "link.view-missing" => return Ok(false),
                definition => definition?,
            };
            if there {
                let takes_several = definition
                    .field(&place.field)
                    .is_none_or(|field| field.multi || field.kind == FieldKind::TagCloud);
                if !takes_several && !texts.is_empty() {
                    return Err(taken(&place.field));
                }
                texts.push(place.address.clone());
            } else {
                texts.retain(|text| *text != place.address);
            }
            let change = MetadataChange::new().set(&place.field, texts);
            definition.check(&change)?;
            let write = || async {
                self.iconik.update_metadata(&object, &view, &change, Some(&values)).await.map(drop)
            };
            match self.repeat(run, "write addresses", write).await {
                Err(error) if error.code() == METADATA_CHANGED => {}
                // The collection went away.
                Err(error) if !there && error.code() == NOT_FOUND => return Ok(false),
                outcome => return outcome.map(|()| true),
            }
        }
        Err(again(BUSY, "somebody else writes the same field again and again"))
    }
}

/// By what a field is locked, and the set of the nodes that were shown in it.
fn name_of(collection: &CollectionId, place: &FieldPlace) -> String {
    format!("field {}", Key::of(&[collection.as_str(), &place.view, &place.field]).short())
}

fn taken(field: &str) -> Error {
    let message = format!("the field {field:?} takes one value and holds another");
    Error::new(FailureClass::Invalid, System::Iconik, "link", "link.field-taken", message)
        .field(field)
        .remedy("let the field take several values in iconik, or show the documents as assets")
}
