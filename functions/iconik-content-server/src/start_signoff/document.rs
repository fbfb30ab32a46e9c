//! What rules read of an asset, and the document that is signed off.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use shared::{
    content_server::{NOT_ACCESSIBLE, NOT_FOUND, NodeId, kind},
    error::{Error, Result, Retry},
    iconik::{Approval, ApprovalStatus, Asset, AssetVersion, MetadataValues, ObjectRef, Reviewer, UserId},
    mapping::Record,
};

use super::{StartSignoff, again, review::Approved};
use crate::signoff_rules::SignoffRule;

/// The checkpoint that says since when a document is waited for, in milliseconds since the epoch.
const AWAITED: &str = "document-awaited";
/// How often it is looked for.
const AGAIN: Duration = Duration::from_secs(5 * 60);

impl StartSignoff {
    /// What rules may read of an approved version.
    pub(super) async fn record_of(
        &self,
        asset: &Asset,
        version: &AssetVersion,
        review: &Approval,
    ) -> Result<Record> {
        let object = ObjectRef::Assets(asset.id.clone());
        let requested_by = match &review.requested_by {
            Some(user) => self.name_of(user, review).await?,
            None => None,
        };
        let approved_by = self.approvers(version, review, &object).await?;
        let date = review.changed.map(|at| at.strftime("%Y-%m-%d").to_string());
        let facts = json!({
            "id": asset.id, "title": asset.title, "type": asset.kind.as_str(), "category": asset.category,
            "external_id": asset.external_id,
        });
        let mut record = Record::new()
            .with("asset", facts)
            .with("version", json!({"id": version.id, "number": version.number}))
            .with("review", json!({"requested_by": requested_by, "approved_by": approved_by, "date": date}));
        for (name, view) in &self.rules.views {
            let values = self.iconik.get_metadata(&object, view).await?;
            record = record.with(name, as_json(&values));
        }
        Ok(record)
    }

    /// The names of those who approved, in a row.
    async fn approvers(
        &self,
        version: &AssetVersion,
        review: &Approval,
        object: &ObjectRef,
    ) -> Result<Option<String>> {
        let verdicts = match review.approvals_by.as_slice() {
            [] => self.iconik.list_verdicts(object, Some(&version.id)).await?,
            verdicts => verdicts.to_vec(),
        };
        let mut names = Vec::new();
        for verdict in verdicts.iter().filter(|verdict| verdict.status == ApprovalStatus::Approved) {
            match verdict.reviewer() {
                Reviewer::User(user) => names.extend(self.name_of(&user, review).await?),
                Reviewer::External(address) => names.push(address),
                Reviewer::Unknown => {}
            }
        }
        Ok((!names.is_empty()).then(|| names.join(", ")))
    }

    async fn name_of(&self, user: &UserId, review: &Approval) -> Result<Option<String>> {
        let known = review.users_info.iter().find(|person| person.id == user.as_str());
        let name = match known {
            Some(person) => person.name(),
            None => self.iconik.find_user(user).await?.map(|user| user.name()).unwrap_or_default(),
        };
        Ok((!name.is_empty()).then_some(name))
    }

    /// The documents to attach. One that is not filed yet is waited for: whoever files it may still be at it.
    pub(super) async fn documents(
        &self,
        approved: &Approved<'_>,
        rule: &SignoffRule,
        record: &Record,
    ) -> Result<Vec<NodeId>> {
        let Some(wanted) = &rule.document else { return Ok(Vec::new()) };
        let Some(node) = wanted.document(record, approved.version.id.as_str())? else {
            return Err(self.awaited(approved, wanted.wait).await?);
        };
        let node = NodeId(node);
        let missing = |what: &str| {
            Error::invalid("document.missing", format!("node {node} {what}")).field("document.node").remedy(
                "correct the number in iconik, or let the service user see the document; then approve again",
            )
        };
        match self.content_server.get_node(node).await {
            Ok(found) if found.kind == kind::DOCUMENT => Ok(vec![node]),
            Ok(_) => Err(missing("is no document")),
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => {
                Err(missing("is not there, or is hidden from the service user").source(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Why nothing can be attached yet, or at all.
    async fn awaited(&self, approved: &Approved<'_>, wait: SignedDuration) -> Result<Error> {
        let run = approved.run;
        let now = run.context().now_milliseconds();
        let since = match run.recorded::<i64>(AWAITED) {
            Some(since) => since,
            None => {
                run.checkpoint(AWAITED, &now).await?;
                now
            }
        };
        if i128::from(now - since) < wait.as_millis() {
            let message = "the approved version is not filed yet";
            return Ok(again("document.awaited", message).retry(Retry::After(AGAIN)));
        }
        Ok(Error::invalid(
            "document.not-filed",
            "the approved version was not filed in the time the rule gives",
        )
        .field("document.node")
        .remedy("see what publish-finals says about the asset, or leave `document` out; then approve again"))
    }
}

/// The values of a view by field: the value, or the list of several.
fn as_json(values: &MetadataValues) -> Value {
    let fields = values.fields().map(|(field, held)| {
        let value = match held {
            [one] => one.clone(),
            several => several.to_vec().into(),
        };
        (field.to_owned(), value)
    });
    fields.collect::<Map<_, _>>().into()
}
