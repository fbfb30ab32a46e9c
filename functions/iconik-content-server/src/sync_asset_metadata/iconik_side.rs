//! The asset in iconik: what its mapped fields hold, whether they can take something else, and writing them.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use shared::{
    error::{Error, Result},
    iconik::{Asset, Client, METADATA_NOT_WRITTEN, MetadataChange, REFUSED, UserId, View, ViewField, ViewId},
};

use super::{
    content::{Content, Misfit, Shape},
    merge::{Reading, Seen},
    state::{Changed, Side},
};
use crate::{asset_metadata::AssetMetadata, sync_rules::Field};

/// The asset as it was read.
pub(super) struct IconikSide {
    metadata: AssetMetadata,
    pub(super) reading: Reading,
}

/// What became of fields that were to be written.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Written {
    /// Found as they were written.
    pub(super) confirmed: Vec<String>,
    /// Refused, or taken and not written.
    pub(super) refused: Vec<String>,
}

/// What a field can hold, with the labels that the tenant shows for its options.
fn shape(field: &Field, in_view: &ViewField) -> Shape {
    let mut shape = field.shape.clone();
    for option in shape.options.iter_mut().filter(|option| option.label.is_none()) {
        let choice = in_view.options.iter().find(|choice| choice.value == option.iconik);
        option.label = choice.map(|choice| choice.label.clone()).filter(|label| !label.is_empty());
    }
    shape
}

/// What the field holds; nothing when the view does not have it.
fn content(field: &Field, metadata: &AssetMetadata) -> Option<Content> {
    let in_view = metadata.view().field(&field.iconik)?;
    Some(shape(field, in_view).content(metadata.values().get(&field.iconik), &TimeZone::UTC))
}

fn change(field: &Field, content: &Content) -> Option<MetadataChange> {
    Some(MetadataChange::new().set(&field.iconik, field.shape.spell(content, Side::Iconik)?))
}

/// Why the view would not take a content.
fn misfit(field: &Field, content: &Content, view: &View) -> Option<Misfit> {
    match view.check(&change(field, content)?).err()?.code() {
        "iconik.no-such-choice" => Some(Misfit::Option),
        "iconik.too-many-values" => Some(Misfit::Several),
        "iconik.value-required" => Some(Misfit::Required),
        _ => None,
    }
}

impl IconikSide {
    /// Reads the view and the values. A field that is not in the view has no place. What we wrote ourselves last is
    /// nobody's change.
    pub(super) async fn read(
        client: &Client,
        asset: &Asset,
        view: &ViewId,
        fields: &[Field],
        ourselves: Option<&UserId>,
    ) -> Result<Self> {
        let metadata = AssetMetadata::read(client, &asset.id, view).await?;
        let by = asset.updated_by_user.as_ref().filter(|user| Some(*user) != ourselves);
        let seen = fields.iter().map(|field| {
            let written = metadata.values().written(&field.iconik);
            let changed = Changed { at: written.or(asset.modified), by: by.map(ToString::to_string) };
            let content = content(field, &metadata);
            // An empty field has no date; then the asset's tells whether anything was written.
            let mark = match (written, asset.modified) {
                (Some(written), _) => Some(written.to_string()),
                (None, modified) => modified.map(|modified| format!("empty {modified}")),
            };
            (field.rule.name.clone(), Seen { content, changed, mark, refused_there: None })
        });
        let reading = seen.collect();
        Ok(Self { metadata, reading })
    }

    /// Notes in the other side's reading what this one would not take of it.
    pub(super) fn check(&self, fields: &[Field], other: &mut Reading) {
        for field in fields {
            let Some(seen) = other.get_mut(&field.rule.name) else { continue };
            let view = self.metadata.view();
            seen.refused_there = seen.content.as_ref().and_then(|content| misfit(field, content, view));
        }
    }

    /// Writes fields, unless one of them has changed since it was read. When iconik refuses, it is asked field by field, so
    /// that one wrong value keeps nothing else from its place.
    pub(super) async fn write(
        &self,
        client: &Client,
        fields: &[Field],
        writes: &BTreeMap<String, Content>,
    ) -> Result<Written> {
        let wanted: Vec<&Field> =
            fields.iter().filter(|field| writes.contains_key(&field.rule.name)).collect();
        let mut written = Written::default();
        let outcome = self.put(client, &wanted, writes).await;
        match outcome {
            Ok(confirmed) => written.confirmed = confirmed,
            Err(error) if !is_refusal(&error) => return Err(error),
            Err(_) if wanted.len() == 1 => {
                written.refused.extend(wanted.iter().map(|field| field.rule.name.clone()));
            }
            Err(_) => {
                for field in wanted {
                    match self.put(client, &[field], writes).await {
                        Ok(confirmed) => written.confirmed.extend(confirmed),
                        Err(error) if is_refusal(&error) => written.refused.push(field.rule.name.clone()),
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(written)
    }

    /// What was written, when all of it is there.
    pub(super) async fn found(
        &self,
        client: &Client,
        fields: &[Field],
        writes: &BTreeMap<String, Content>,
    ) -> Result<Option<Written>> {
        let now = self.metadata.read_again(client).await?;
        let confirmed = as_written(fields.iter(), writes, &now);
        Ok((confirmed.len() == writes.len()).then(|| Written { confirmed, ..Written::default() }))
    }

    /// Gives the fields that were found as they were written.
    async fn put(
        &self,
        client: &Client,
        fields: &[&Field],
        writes: &BTreeMap<String, Content>,
    ) -> Result<Vec<String>> {
        let mut change = MetadataChange::new();
        for field in fields {
            let values = writes
                .get(&field.rule.name)
                .and_then(|content| field.shape.spell(content, Side::Iconik))
                .ok_or_else(|| Error::bug("write metadata", "an unfit value is to be written"))?;
            change = change.set(&field.iconik, values);
        }
        let after = self.metadata.write_once(client, &change).await?;
        Ok(as_written(fields.iter().copied(), writes, &after))
    }
}

/// The fields that hold what was written.
fn as_written<'a>(
    fields: impl Iterator<Item = &'a Field>,
    writes: &BTreeMap<String, Content>,
    now: &AssetMetadata,
) -> Vec<String> {
    let is_there = |field: &&Field| {
        let wanted = writes.get(&field.rule.name);
        wanted.is_some() && content(field, now).as_ref() == wanted
    };
    fields.filter(is_there).map(|field| field.rule.name.clone()).collect()
}

/// Whether iconik would refuse it again, for what is in it.
fn is_refusal(error: &Error) -> bool {
    matches!(error.code(), REFUSED | METADATA_NOT_WRITTEN)
}
