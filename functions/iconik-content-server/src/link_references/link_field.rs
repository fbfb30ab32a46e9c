//! The address of a document among the values of a field of a collection. What people have put there stays.

use shared::{
    error::{Error, FailureClass, Result, System},
    flow::Run,
    iconik::{CollectionId, FieldKind, METADATA_CHANGED, MetadataChange, NOT_FOUND, ObjectRef, ViewId},
    ledger::Key,
};

use super::{
    LinkReferences, again,
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
        let shown =
            Shown { field: Some(place.clone()), withdrawn: false, version: Some(offer.version), ..before };
        self.remember(work.node, &mut work.remembered, collection, shown).await?;
        work.done.changed |= self.write_address(collection, &place, true, work.run).await?;
        work.done.shown.insert(collection.clone(), format!("field {}", field.field));
        Ok(())
    }

    /// Puts an address into a field or takes it out. Says whether it was otherwise. One worker at a time writes a field,
    /// whatever document it is for.
    pub(super) async fn write_address(
        &self,
        collection: &CollectionId,
        place: &FieldPlace,
        there: bool,
        run: &Run,
    ) -> Result<bool> {
        let name = Key::of(&[collection.as_str(), &place.view, &place.field]);
        let lock = self.lock(&format!("field {}", name.short()), run).await?;
        let outcome = self.write_field(collection, place, there, run).await;
        self.leave(&lock, outcome, run).await
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
        Err(again("link.busy", "somebody else writes the same field again and again"))
    }
}

fn taken(field: &str) -> Error {
    let message = format!("the field {field:?} takes one value and holds another");
    Error::new(FailureClass::Invalid, System::Iconik, "link", "link.field-taken", message)
        .field(field)
        .remedy("let the field take several values in iconik, or show the documents as assets")
}
