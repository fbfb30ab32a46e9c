//! Before a package is said to be complete, the production and every document are looked at once more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use shared::{
    content_server::NodeId,
    error::{Error, Result},
};

use super::{
    ArchiveProduction,
    facts::{AssetFacts, Member, Tree},
    pack::{FILED, Packing, Step},
    read::Reader,
    select::Selection,
    work::{Read, Work},
};

/// How long what was seen when looking once more counts.
const FRESH: SignedDuration = SignedDuration::from_hours(2);
/// How often a production may change while it is packaged before a person is asked.
const CHANGES: u32 = 12;

impl ArchiveProduction {
    /// Looks at the production once more, and at every document, in as many invocations as it takes. When it is not as it
    /// was it is read anew.
    pub(super) async fn confirm(
        &self,
        packing: &Packing<'_>,
        work: &mut Work,
        read: &Read,
        selection: &Selection,
    ) -> Result<Step<()>> {
        if work.progress.summary.is_some() {
            return Ok(Step::Done(()));
        }
        packing.show(FILED, "looking at everything once more").await?;
        let run = packing.run;
        let now = run.context().now();
        // What was seen long ago, by a message that came to nothing, may be so no more.
        if work.progress.confirming.is_none_or(|since| now.duration_since(since) >= FRESH) {
            (work.progress.confirmed, work.progress.confirming) = (0, Some(now));
        }
        let changed = match self.what_changed(packing, work, read, selection).await? {
            Step::Paused => {
                self.save(work, run).await?;
                return Ok(Step::Paused);
            }
            Step::Done(Some(changed)) => changed,
            Step::Done(None) => match self.what_went(work).await? {
                Some(changed) => changed,
                None => return Ok(Step::Done(())),
            },
        };
        tracing::info!(changed, attempt = work.progress.attempt, "the production is read anew");
        if work.progress.changes >= CHANGES {
            let message = format!("while it was packaged the production changed again and again: {changed}");
            return Err(Error::invalid("package.restless", message)
                .remedy("let the production rest, then ask for it again"));
        }
        let changes = work.progress.changes + 1;
        self.begin_anew(work, changes, run).await?;
        run.note("anew", changed);
        Ok(Step::Paused)
    }

    /// What of the production is not as it was read.
    async fn what_changed(
        &self,
        packing: &Packing<'_>,
        work: &mut Work,
        read: &Read,
        selection: &Selection,
    ) -> Result<Step<Option<&'static str>>> {
        let production = packing.production;
        let tree = super::tree::walk(&self.iconik, &production.collection).await?;
        if !same(&tree, &read.tree) {
            return Ok(Step::Done(Some("what is in its collections")));
        }
        let reader = Reader::new(&self.iconik, production.rule);
        let members: BTreeMap<&str, &Member> =
            tree.assets.iter().map(|member| (member.id.as_str(), member)).collect();
        let packaged: BTreeSet<usize> = selection.files.iter().map(|chosen| chosen.asset).collect();
        for position in packaged.into_iter().skip(work.progress.confirmed) {
            if packing.run.must_stop() {
                return Ok(Step::Paused);
            }
            let known = read.assets.get(position);
            if let Some((known, member)) =
                known.and_then(|known| Some((known, members.get(known.id.as_str())?)))
            {
                let now = Box::pin(reader.read(member)).await?;
                // The index may give the places of an asset in another order.
                let now = AssetFacts { places: known.places.clone(), ..now };
                if now != *known {
                    return Ok(Step::Done(Some("an asset in the package")));
                }
            }
            work.progress.confirmed += 1;
        }
        Ok(Step::Done(None))
    }

    /// Whether a document of the package is not there any more, or has other bytes.
    async fn what_went(&self, work: &Work) -> Result<Option<&'static str>> {
        let filed = self.all_filed(work).await?;
        let client = self.filer.content_server();
        for page in filed.chunks(200) {
            let nodes: Vec<NodeId> = page.iter().map(|filed| NodeId(filed.node)).collect();
            let there = client.list_nodes(&nodes).await?;
            for filed in page {
                let Some(node) = there.iter().find(|node| node.id.0 == filed.node) else {
                    return Ok(Some("a document of the package"));
                };
                // Somebody may have added a version, and then the size is that one's.
                if node.size != Some(filed.size)
                    && client.get_version(node.id, filed.version).await?.file_size != Some(filed.size)
                {
                    return Ok(Some("a document of the package"));
                }
            }
        }
        Ok(None)
    }
}

/// Whether two listings have the same collections and assets.
fn same(one: &Tree, other: &Tree) -> bool {
    let collections = |tree: &Tree| -> BTreeSet<(String, Vec<String>)> {
        tree.collections.iter().map(|place| (place.id.clone(), place.path.clone())).collect()
    };
    let assets = |tree: &Tree| -> BTreeSet<(String, Vec<String>)> {
        let places = |member: &Member| -> Vec<String> {
            let ids = member.places.iter().filter_map(|place| tree.collections.get(*place));
            let mut ids: Vec<String> = ids.map(|place| place.id.clone()).collect();
            ids.sort();
            ids
        };
        tree.assets.iter().map(|member| (member.id.clone(), places(member))).collect()
    };
    collections(one) == collections(other) && assets(one) == assets(other)
}
