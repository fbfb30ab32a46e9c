//! The final media in Content Server: its documents, what they say of their rights, and who may use them.

use std::{collections::BTreeSet, time::Duration};

use shared::{
    content_server::{NOT_ACCESSIBLE, NOT_FOUND, NodeId},
    error::{Error, FailureClass, Result, Retry, System},
    filing::{
        permissions::PermissionPlan,
        plan::{CategoryPlan, Target},
    },
    flow::{Policy, Run},
    ledger::Ledger,
};

use super::{FileRights, rights::Rights, rights::texts};
use crate::{
    approval::Approved,
    filing::{Part, VersionMedia, media::Wanted, refused},
};

/// The code of a wait for the final media.
const NOT_FILED: &str = "rights.final-not-filed";
/// How long until it is looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// The checkpoint that tells since when something is waited for.
const WAITING_SINCE: &str = "waiting-since";

impl FileRights {
    /// The documents of the final media; they are waited for.
    pub(super) async fn final_documents(
        &self,
        approved: &Approved,
        rights: &Rights<'_>,
        run: &Run,
    ) -> Result<Vec<NodeId>> {
        let nodes = self.find_final(approved, rights, run.ledger()).await?;
        if !nodes.is_empty() {
            return Ok(nodes);
        }
        let message = "the final media of this version is not filed in Content Server yet";
        let waiting = Error::new(FailureClass::Transient, System::Waybill, "find final", NOT_FILED, message)
            .remedy("file the version (publish-finals), then send the asset's change again")
            .retry(Retry::After(LOOK_AGAIN));
        Err(self.waited(waiting, rights.rule.patience, run).await?)
    }

    /// What `publish-finals` has filed of the version, or what the rule's field says; nothing when neither knows any.
    pub(super) async fn find_final(
        &self,
        approved: &Approved,
        rights: &Rights<'_>,
        ledger: &Ledger,
    ) -> Result<Vec<NodeId>> {
        let wanted = Wanted { files: true, proxies: true, posters: true };
        let (asset, version) = (&approved.asset, &approved.version);
        let poster = asset.custom_poster.as_ref().filter(|_| approved.is_current);
        let found = VersionMedia::list(&self.iconik, &asset.id, version, poster, wanted).await?;
        let formats: Vec<Part> = found.formats().map(|name| Part::Format(name.to_owned())).collect();
        let mut nodes = BTreeSet::new();
        for part in formats.iter().chain([&Part::Proxy, &Part::Poster]) {
            for media in found.of(part) {
                nodes.extend(self.media.known(media, ledger).await?.map(|filed| filed.node));
            }
        }
        if let Some(path) = rights.rule.node.as_ref().filter(|_| nodes.is_empty()) {
            for text in texts(rights.record.get(path)) {
                let node = text.parse().ok().filter(|node| *node > 0).ok_or_else(|| {
                    Error::invalid("rights.bad-node", "expected the number of a document")
                        .field(path.clone())
                        .remedy("correct the field in iconik; the asset is looked at again then")
                })?;
                nodes.insert(NodeId(node));
            }
        }
        Ok(nodes.into_iter().collect())
    }

    /// Where rights are filed: beside the first of the final's documents.
    pub(super) async fn place(&self, nodes: &[NodeId], rights: &Rights<'_>) -> Result<Target> {
        let first = nodes.first().copied().unwrap_or(NodeId(0));
        let parent = match self.content_server.get_node(first).await {
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => {
                let message =
                    format!("the final's document {first} is not there, or the service user cannot see it");
                return Err(Error::new(
                    FailureClass::Forbidden,
                    System::Waybill,
                    "find final",
                    "rights.final-gone",
                    message,
                )
                .remedy("let the service user see it, or file the version again")
                .source(error));
            }
            found => found?.parent,
        };
        rights.rule.place(parent.0, &rights.record).map_err(|violations| refused(&violations))
    }

    /// Something that is waited for, or was for too long.
    pub(super) async fn waited(&self, waiting: Error, patience: Duration, run: &Run) -> Result<Error> {
        let now = run.context().now_milliseconds();
        let since = match run.recorded::<i64>(WAITING_SINCE) {
            Some(since) => since,
            None => {
                run.checkpoint(WAITING_SINCE, &now).await?;
                now
            }
        };
        let patience = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
        if now - since >= patience {
            return Ok(waiting.with_class(FailureClass::Invalid));
        }
        // Not beyond the end of the patience.
        let left = Duration::from_millis(u64::try_from(since + patience - now).unwrap_or(0));
        let pause = match waiting.retry_advice() {
            Retry::After(pause) => pause.min(left),
            Retry::Later | Retry::Never => left,
        };
        Ok(waiting.retry(Retry::After(pause)))
    }

    /// Says on each document what is filed of its rights.
    pub(super) async fn say_on(&self, nodes: &[NodeId], plans: &[CategoryPlan], run: &Run) -> Result<()> {
        for node in nodes {
            for values in self.filer().category_values(*node, plans).await? {
                let act = || async { self.content_server.set_category(*node, &values).await.map(drop) };
                run.effect("say on final", Policy::RepeatSafe, || async { Ok(None) }, act).await?;
            }
        }
        Ok(())
    }

    /// Lets people use the documents as long as the rights last.
    pub(super) async fn widen(&self, nodes: &[NodeId], access: &PermissionPlan, run: &Run) -> Result<()> {
        self.give(nodes, access, false, run).await
    }

    /// Takes from everybody who is not named what they may do with the documents.
    pub(super) async fn narrow(&self, nodes: &[NodeId], narrowed: &PermissionPlan, run: &Run) -> Result<()> {
        self.give(nodes, narrowed, true, run).await
    }

    async fn give(&self, nodes: &[NodeId], plan: &PermissionPlan, only: bool, run: &Run) -> Result<()> {
        let mut template = self.filer().permission_template(plan).await?;
        template.only_these_members = only;
        for node in nodes {
            let act = || async { self.filer().restrict(*node, &template).await };
            let seen = run.effect("give access", Policy::RepeatSafe, || async { Ok(None) }, act).await?;
            if !seen {
                run.note("rights", "not seen by the service user");
            }
        }
        Ok(())
    }
}
