//! The document itself: found by its mark, made, or given a new version.

use std::time::Duration;

use super::{Existing, Filer, Filing, FilingPlan, Found, Mark, VersionsOf, passage::Placed};
use crate::{
    content_server::{COLLISION, External, NewDocument, NewVersion, Node, NodeId, Upload, Version, kind},
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Policy, Reason, Run},
};

/// The reason for leaving a document alone that has the very content already.
pub const SAME: &str = "document.same";
/// The reason for leaving a document alone that has a later content of the same asset.
pub const STALE: &str = "event.stale";
/// How long a version whose answer was lost may take to appear, before it is added again.
const SETTLING: Duration = Duration::from_secs(90);
/// Names tried for a document that is kept beside one of the same name.
pub const MOST_NAMESAKES: u32 = 500;

/// What became of a content in its place.
pub(super) enum Placement {
    Done(Placed),
    LeaveAlone { reason: Reason, placed: Placed },
}

impl Filer {
    pub(super) async fn place(&self, filing: &Filing<'_>, target: &Found) -> Result<Placement> {
        let container = target.container;
        let wanted = self.content_server.settings().names.escape(&filing.plan.document.name);
        let mut found = self.content_server.find_child(container, &wanted).await?;
        // Again: a rival may make the document between our look and our call.
        for _ in 0..3 {
            let Some(there) = found else {
                match self.create(filing, target, &wanted).await {
                    Err(error) if error.code() == COLLISION => {
                        found = self.content_server.find_namesake(container, &wanted).await?;
                        continue;
                    }
                    outcome => return outcome.map(Placement::Done),
                }
            };
            if let Some(placed) = self.made_by_us(filing.mark, filing.run, &there).await? {
                return Ok(Placement::Done(placed));
            }
            return match filing.plan.existing {
                Existing::KeepBoth => self.keep_both(filing, target, &wanted).await.map(Placement::Done),
                Existing::NewVersion => self.version(filing, &there, false).await,
                Existing::SkipIfSame => self.version(filing, &there, true).await,
            };
        }
        Err(Error::new(
            FailureClass::Forbidden,
            System::ContentServer,
            "find document",
            "target.name-taken-unseen",
            "the document's name is taken in the target folder by something the service user cannot see",
        )
        .remedy("let the service user see that item, or rename it"))
    }

    /// Whether an earlier attempt at this item has made a document or version of a content. It may not be finished: verified,
    /// classified, restricted.
    ///
    /// # Errors
    /// What is missing in the target, by name; as any call.
    pub async fn is_begun(&self, plan: &FilingPlan, mark: &Mark, run: &Run) -> Result<bool> {
        self.begun(plan, mark, run).await.map(|begun| begun.is_some())
    }

    /// Verifies what an earlier attempt at this item has made, when it made something, and does nothing else for it: for a
    /// content that is not to be filed any more. What does not agree with its source is taken out of the target.
    ///
    /// # Errors
    /// As [`Filer::file`].
    pub async fn verify_begun(&self, filing: &Filing<'_>) -> Result<()> {
        let Some(placed) = self.begun(filing.plan, filing.mark, filing.run).await? else { return Ok(()) };
        // A document keeps the mark of its first version when that was taken out.
        let versions = self.content_server.list_versions(placed.node).await?;
        if versions.iter().any(|version| version.number == placed.version) {
            self.verify(filing, placed).await?;
        }
        Ok(())
    }

    async fn begun(&self, plan: &FilingPlan, mark: &Mark, run: &Run) -> Result<Option<Placed>> {
        if !run.is_taken_over() {
            return Ok(None);
        }
        let container = self.container(&plan.target, run).await?;
        let mut name = self.content_server.settings().names.escape(&plan.document.name);
        let wanted = name.clone();
        for number in 2..=MOST_NAMESAKES {
            let Some(node) = self.content_server.find_child(container, &name).await? else { break };
            if let Some(placed) = self.made_by_us(mark, run, &node).await? {
                return Ok(Some(placed));
            }
            if plan.existing != Existing::KeepBoth {
                break;
            }
            name = numbered(&wanted, number);
        }
        Ok(None)
    }

    /// What an earlier attempt at this very item left in a document.
    async fn made_by_us(&self, mark: &Mark, run: &Run, node: &Node) -> Result<Option<Placed>> {
        let marked = |identity: Option<&String>| identity.is_some_and(|identity| mark.is(identity));
        if marked(node.external.identity.as_ref()) {
            return Ok(Some(Placed { node: node.id, version: 1, new_document: true }));
        }
        if !run.is_taken_over() {
            return Ok(None);
        }
        let versions = self.content_server.list_versions(node.id).await?;
        let ours = versions.iter().find(|version| marked(version.external_identity.as_ref()));
        Ok(ours.map(|version| Placed { node: node.id, version: version.number, new_document: false }))
    }

    async fn create(&self, filing: &Filing<'_>, target: &Found, name: &str) -> Result<Placed> {
        let container = target.container;
        let new = NewDocument {
            parent: container,
            name: name.to_owned(),
            description: filing.plan.document.description.clone().unwrap_or_default(),
            external: external(filing),
            categories: target.categories.clone(),
            advanced_versioning: None,
        };
        let passage = self.passage(filing.run);
        let large = passage.sent_in_parts(filing.content, filing.told).await?;
        let made = filing
            .run
            .effect(
                "create-document",
                Policy::CheckThenRepeat,
                || async {
                    let found = self.content_server.find_sent(container, name).await?;
                    Ok(found.filter(|node| is_marked(node, filing.mark)).map(|node| node.id.0))
                },
                || async {
                    allowed(filing).await?;
                    let made = match &large {
                        Some(large) => self.content_server.create_document_from(&new, large).await,
                        None => self.content_server.create_document(&new, &upload(filing)).await,
                    };
                    Ok(made?.id.0)
                },
            )
            .await;
        let node: i64 = match made {
            Err(error) if large.is_some() => return Err(passage.after_refusal(error).await),
            outcome => outcome?,
        };
        Ok(Placed { node: NodeId(node), version: 1, new_document: true })
    }

    async fn keep_both(&self, filing: &Filing<'_>, target: &Found, name: &str) -> Result<Placed> {
        let container = target.container;
        for number in 2..=MOST_NAMESAKES {
            let name = numbered(name, number);
            match self.content_server.find_child(container, &name).await? {
                Some(node) if is_marked(&node, filing.mark) => {
                    return Ok(Placed { node: node.id, version: 1, new_document: true });
                }
                Some(_) => {}
                None => match self.create(filing, target, &name).await {
                    Err(error) if error.code() == COLLISION => {
                        // A rival's, or our own from an attempt whose answer was lost.
                        let there = self.content_server.find_namesake(container, &name).await?;
                        if let Some(node) = there.filter(|node| is_marked(node, filing.mark)) {
                            return Ok(Placed { node: node.id, version: 1, new_document: true });
                        }
                    }
                    outcome => return outcome,
                },
            }
        }
        Err(Error::invalid(
            "target.too-many-namesakes",
            format!("the target folder holds {MOST_NAMESAKES} documents of this name already"),
        )
        .remedy("use another naming pattern, or `existing = \"new-version\"`"))
    }

    /// Adds a version, alone: two contents of one name must become versions in their order.
    async fn version(&self, filing: &Filing<'_>, node: &Node, unless_same: bool) -> Result<Placement> {
        let (ledger, name) = (filing.run.ledger(), format!("node-{}", node.id));
        let lock = ledger.lock(self.flow, &name, filing.run.lease_until()).await?;
        let lock =
            lock.ok_or_else(|| busy("target.busy", "another version of this document is being added"))?;
        let outcome = self.version_alone(filing, node, unless_same).await;
        // A slow server may add the version yet. Nobody adds another one before it had the time to, and whoever
        // does then looks again first.
        filing.run.leave_after(&lock, outcome, SETTLING).await
    }

    async fn version_alone(&self, filing: &Filing<'_>, node: &Node, unless_same: bool) -> Result<Placement> {
        let (mark, latest) = (filing.mark, self.latest(filing, node).await?);
        let there = Placed { node: node.id, version: latest.number, new_document: false };
        if latest.external_identity.as_ref().is_some_and(|identity| mark.is(identity)) {
            // Somebody who took this item over, by a clock far ahead of ours, was here first.
            return Ok(Placement::Done(there));
        }
        let newest = latest.external_identity.as_ref().or(node.external.identity.as_ref());
        if newest.is_some_and(|identity| mark.is_older_than(identity)) {
            let reason = Reason::new(STALE, "a later upload of the same key is in the target already");
            return Ok(Placement::LeaveAlone { reason, placed: there });
        }
        if filing.versions_of == VersionsOf::SameAsset
            && !newest.is_some_and(|identity| mark.is_of_same_asset(identity))
        {
            return Err(name_taken());
        }
        if unless_same && self.is_same(filing, node.id, &latest).await? {
            let message = format!("version {} of node {} has the same content", latest.number, node.id);
            return Ok(Placement::LeaveAlone { reason: Reason::new(SAME, message), placed: there });
        }
        let new = NewVersion {
            description: format!("{} {mark}", filing.origin),
            major: false,
            external: external(filing),
        };
        let passage = self.passage(filing.run);
        let large = passage.sent_in_parts(filing.content, filing.told).await?;
        let made = filing
            .run
            .effect(
                "add-version",
                Policy::CheckThenRepeat,
                || async {
                    let versions = self.content_server.list_versions(node.id).await?;
                    let ours = versions.iter().find(|version| {
                        version.external_identity.as_ref().is_some_and(|identity| mark.is(identity))
                            || version.description.contains(&mark.to_string())
                    });
                    Ok(ours.map(|version| version.number))
                },
                || async {
                    allowed(filing).await?;
                    let made = match &large {
                        Some(large) => self.content_server.add_version_from(node.id, &new, large).await,
                        None => self.content_server.add_version(node.id, &new, &upload(filing)).await,
                    };
                    Ok(made?.number)
                },
            )
            .await;
        let number: i64 = match made {
            Err(error) if large.is_some() => return Err(passage.after_refusal(error).await),
            outcome => outcome?,
        };
        Ok(Placement::Done(Placed { node: node.id, version: number, new_document: false }))
    }

    /// The latest version; that of something else than a document, where only an asset's own documents get versions, is
    /// not asked for.
    async fn latest(&self, filing: &Filing<'_>, node: &Node) -> Result<Version> {
        if filing.versions_of == VersionsOf::SameAsset && node.kind != kind::DOCUMENT {
            return Err(name_taken());
        }
        self.content_server.latest_version(node.id).await
    }
}

async fn allowed(filing: &Filing<'_>) -> Result<()> {
    match filing.guard {
        Some(guard) => guard().await,
        None => Ok(()),
    }
}

fn upload(filing: &Filing<'_>) -> Upload {
    Upload {
        content: filing.content.whole.clone(),
        ranges: None,
        file_name: filing.content.file_name.clone(),
        content_type: filing.content.content_type.clone(),
    }
}

fn is_marked(node: &Node, mark: &Mark) -> bool {
    node.external.identity.as_ref().is_some_and(|identity| mark.is(identity))
}

fn external(filing: &Filing<'_>) -> External {
    External {
        source: Some("cloud_storage".into()),
        identity: Some(filing.mark.to_string()),
        identity_type: Some("waybill".into()),
        created: None,
        modified: filing.content.modified,
    }
}

/// `report.pdf` as `report (2).pdf`.
pub fn numbered(name: &str, number: u32) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem} ({number}).{extension}"),
        _ => format!("{name} ({number})"),
    }
}

fn name_taken() -> Error {
    let message =
        "the document's name is taken in the target folder by something that was not made of this asset";
    Error::invalid("target.name-taken", message)
        .field("document.name")
        .remedy("put what is the asset's own into the name, or write `existing = \"keep-both\"`")
}

fn busy(code: &'static str, message: &str) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "deliver", code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}
