//! One document out of a replica: all its versions in order, each read back and compared.

use shared::{
    content_server::{External, NewDocument, NewVersion, NodeChange, NodeId, RangedSource, Upload},
    error::Result,
    flow::{Policy, Run},
    http::Body,
    transfer::{Witness, hash_body},
};

use super::{
    ReplicateContent, Set, again,
    record::{ReplicaState, ReplicatedVersion},
    report::Difference,
    restored::{New, Wanted},
    verify::intact,
};

/// How often a document that arrives damaged is begun anew.
const ATTEMPTS: u32 = 3;
/// Characters of a name that stay when it is put aside.
const NAME_KEPT: usize = 200;

/// What came of restoring the contents of a document.
pub(super) enum Contents {
    /// They are in this document, each with its SHA-256.
    Restored(NodeId),
    /// They are not in the replica as they were.
    Damaged(Difference),
    /// They arrived damaged, again and again.
    Refused(Difference),
    /// There is more than fits this invocation.
    Paused,
}

impl ReplicateContent {
    /// Sees to it that a document with all versions is there, once.
    pub(super) async fn restore_contents(
        &self,
        set: &Set,
        state: &ReplicaState,
        parent: NodeId,
        mark: &str,
        run: &Run,
    ) -> Result<Contents> {
        let Some(first) = state.versions.first() else {
            return Ok(Contents::Damaged(Difference::new("versions", "there are none")));
        };
        for _ in 0..ATTEMPTS {
            let upload = match self.upload(set, first).await? {
                Ok(upload) => upload,
                Err(damaged) => return Ok(Contents::Damaged(damaged)),
            };
            let new = NewDocument {
                parent,
                name: state.node.name.clone(),
                description: state.node.description.clone(),
                external: marked(mark, state.node.created.as_deref(), state.node.modified.as_deref()),
                categories: Vec::new(),
                advanced_versioning: state
                    .versions
                    .iter()
                    .any(|one| one.version.label.contains('.'))
                    .then_some(true),
            };
            let wanted = Wanted {
                parent,
                name: &state.node.name,
                original: state.node.id,
                mark,
                new: New::Document(&new, &upload),
            };
            let node = self.ensure(&wanted, run).await?;
            match self.fill(set, state, node, mark, run).await? {
                Filled::Whole => return Ok(Contents::Restored(node)),
                Filled::Paused => return Ok(Contents::Paused),
                Filled::Missing(damaged) => return Ok(Contents::Damaged(damaged)),
                Filled::Damaged => self.set_aside(node, &state.node.name, run).await?,
            }
        }
        Ok(Contents::Refused(Difference::new("content", format!("arrived damaged {ATTEMPTS} times"))))
    }

    /// Adds what is missing, in order, and reads every version back.
    async fn fill(
        &self,
        set: &Set,
        state: &ReplicaState,
        node: NodeId,
        mark: &str,
        run: &Run,
    ) -> Result<Filled> {
        let there = self.content_server.list_versions(node).await?;
        for (index, original) in state.versions.iter().enumerate() {
            let number = match there.get(index) {
                Some(version) => version.number,
                None if run.must_stop() => return Ok(Filled::Paused),
                None => match self.add(set, original, node, mark, run).await? {
                    Ok(number) => number,
                    Err(damaged) => return Ok(Filled::Missing(damaged)),
                },
            };
            if !self.holds(node, number, &original.content.sha256).await? {
                return Ok(Filled::Damaged);
            }
        }
        Ok(Filled::Whole)
    }

    async fn add(
        &self,
        set: &Set,
        original: &ReplicatedVersion,
        node: NodeId,
        mark: &str,
        run: &Run,
    ) -> Result<Result<i64, Difference>> {
        let upload = match self.upload(set, original).await? {
            Ok(upload) => upload,
            Err(damaged) => return Ok(Err(damaged)),
        };
        let version = &original.version;
        let mark = format!("{mark}:{}", version.number);
        let new = NewVersion {
            description: version.description.clone(),
            major: version.label.ends_with(".0"),
            external: marked(&mark, version.created.as_deref(), None),
        };
        let probe = || async {
            let versions = self.content_server.list_versions(node).await?;
            let ours = versions.iter().find(|version| version.external_identity.as_ref() == Some(&mark));
            Ok(ours.map(|version| version.number))
        };
        let act = || async { Ok(self.content_server.add_version(node, &new, &upload).await?.number) };
        run.effect("restore-version", Policy::CheckThenRepeat, probe, act).await.map(Ok)
    }

    /// The content of a version as something to upload; a difference when the replica does not hold it any more.
    async fn upload(&self, set: &Set, original: &ReplicatedVersion) -> Result<Result<Upload, Difference>> {
        let (version, s3) = (&original.version, &set.replica.s3);
        let object = match intact(&set.replica, original).await? {
            Ok(object) => object,
            Err(what) => {
                return Ok(Err(Difference::new(format!("content of version {}", version.number), what)));
            }
        };
        let (client, source) = (s3.clone(), object.clone());
        let ranges = RangedSource::new(object.size, move |offset, length| {
            let (s3, source) = (client.clone(), source.clone());
            async move { source.open(&s3, Some(offset..offset + length)).await as Result<Body> }
        });
        Ok(Ok(Upload {
            content: object.replayable(s3, &Witness::new()),
            ranges: Some(ranges),
            file_name: version.file_name.clone(),
            content_type: version.media_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned()),
        }))
    }

    /// Whether a version has a SHA-256. That it has not is said by two readings that agree.
    async fn holds(&self, node: NodeId, version: i64, sha256: &str) -> Result<bool> {
        let mut before = None;
        for _ in 0..2 {
            let download = self.content_server.download(node, Some(version)).await?;
            let held = hash_body(download.body, download.length).await?.sha256;
            if held == sha256 {
                return Ok(true);
            }
            if before.replace(held.clone()).is_some_and(|before| before == held) {
                return Ok(false);
            }
        }
        Err(again("restore.unsteady", "two readings of a restored version differ")
            .remedy("look for a proxy before Content Server that changes or cuts bodies"))
    }

    /// A document that arrived damaged is given another name, so that it is not taken for what it should be. It is not
    /// deleted: nothing is.
    async fn set_aside(&self, node: NodeId, name: &str, run: &Run) -> Result<()> {
        let id = run.context().new_id();
        let kept: String = name.chars().take(NAME_KEPT).collect();
        let name = format!("{kept} (damaged {})", id.get(..8).unwrap_or_default());
        let change = NodeChange { name: Some(name), ..NodeChange::default() };
        run.effect(
            "set-aside",
            Policy::RepeatSafe,
            || async { Ok(None) },
            || async { self.content_server.update_node(node, &change).await },
        )
        .await
    }
}

enum Filled {
    Whole,
    Paused,
    Damaged,
    Missing(Difference),
}

/// What is said of a restored thing: how it is found again, and the dates of the original, which no call can set.
pub(super) fn marked(mark: &str, created: Option<&str>, modified: Option<&str>) -> External {
    let moment = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    External {
        source: Some("cloud_storage".into()),
        identity: Some(mark.to_owned()),
        identity_type: Some("waybill".into()),
        created: moment(created),
        modified: moment(modified),
    }
}
