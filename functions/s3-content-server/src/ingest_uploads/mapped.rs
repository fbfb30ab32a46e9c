//! What the rules map of an upload, beside what its document holds of that: for a comparison of both sides.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use shared::{
    content_server::{AttributeValue, CategoryValues, NodeId},
    error::{FailureClass, Result},
    filing::{MOST_NAMESAKES, numbered},
    mapping::Mapped,
    reconcile::fingerprint,
    s3_notification::ObjectEvent,
    transfer::S3Object,
};

use super::IngestUploads;
use crate::{
    intake_rules::{Existing, IntakePlan, Sidecar},
    sides::uploads::OnBothSides,
    uploads,
};

/// When else the rules are asked, in hours from now. What they map from the hour of delivery differs then, and is not
/// compared: nobody knows that hour any more. No two of them share a year, a month or a day of the month.
const OTHER_HOURS: [i64; 2] = [24 * 1009 + 5, 24 * 2022 + 11];

impl IngestUploads {
    /// The values on both sides; nothing where the rules do not take the upload any more, or miss something that they
    /// need, such as a sidecar that was cleared away.
    pub(super) async fn map_both_sides(
        &self,
        event: &ObjectEvent,
        object: &S3Object,
        node: NodeId,
    ) -> Result<Option<OnBothSides>> {
        let Some(plan) = self.lasting_plan(event, object).await? else { return Ok(None) };
        match self.compared(&plan, node).await {
            // A value that does not fit any more: a user who left, a category that was made anew.
            Err(error) if error.class() == FailureClass::Invalid => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// The plan, without what depends on the hour.
    async fn lasting_plan(&self, event: &ObjectEvent, object: &S3Object) -> Result<Option<IntakePlan>> {
        let needs = self.rules.needs(&event.bucket, event.key.as_str());
        if !needs.any {
            return Ok(None);
        }
        let tags = if needs.tags { object.tags(&self.s3).await? } else { BTreeMap::new() };
        let sidecar = match needs.sidecar {
            Sidecar::Ignored => None,
            Sidecar::Optional | Sidecar::Required => self.read_sidecar(event).await?,
        };
        let now = self.environment.context.now();
        let plan_at = |hours: i64| {
            let then = now.checked_add(SignedDuration::from_hours(hours)).ok()?;
            let record = uploads::described(object, tags.clone(), sidecar.clone(), then).record();
            let (rule, _) = self.rules.choose(&record)?;
            rule.plan(&record).ok()
        };
        let Some(mut plan) = plan_at(0) else { return Ok(None) };
        for other in OTHER_HOURS.into_iter().filter_map(plan_at) {
            if other.document.name != plan.document.name {
                plan.document.name.clear();
            }
            for category in &mut plan.categories {
                let same = other.categories.iter().find(|other| other.category == category.category);
                keep_lasting(&mut category.values, same.map(|same| &same.values));
            }
        }
        Ok(Some(plan))
    }

    async fn compared(&self, plan: &IntakePlan, node: NodeId) -> Result<OnBothSides> {
        let client = &self.content_server;
        let mut both = OnBothSides::default();
        let wanted = client.settings().names.escape(&plan.document.name);
        if !wanted.is_empty() {
            let name = client.get_node(node).await?.name;
            let is_beside = plan.existing == Existing::KeepBoth
                && (2..=MOST_NAMESAKES).any(|number| numbered(&wanted, number) == name);
            let held = if is_beside { wanted.clone() } else { name };
            both.put("name".to_owned(), fingerprint(&wanted), fingerprint(&held));
        }
        if plan.categories.is_empty() {
            return Ok(both);
        }
        let held = client.get_categories(node).await?;
        for category in &plan.categories {
            let (definition, values) = self.filer.values_of(node, category).await?;
            let none = CategoryValues::new(values.category());
            let held = held.iter().find(|held| held.category() == values.category()).unwrap_or(&none);
            for one in client.compare_values(&definition, &values, held) {
                let ours = fingerprint(&text(&one.ours));
                let theirs = if one.agree { ours.clone() } else { fingerprint(&text(&one.theirs)) };
                both.put(format!("{}:{}", definition.name, one.name), ours, theirs);
            }
        }
        Ok(both)
    }
}

/// Takes out of a map what is not the same in another one.
fn keep_lasting(mapped: &mut Mapped, other: Option<&Mapped>) {
    mapped.fields.retain(|field| other.is_some_and(|other| other.fields.contains(field)));
    mapped.sets.retain(|set| other.is_some_and(|other| other.sets.contains(set)));
}

fn text(value: &AttributeValue) -> String {
    if value.is_empty() { String::new() } else { format!("{value:?}") }
}
