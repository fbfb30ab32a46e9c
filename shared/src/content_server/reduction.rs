//! Whether content of a document may be reduced: a version purged, its bytes replaced by a pointer. One place decides,
//! for every flow, and is asked last.
//!
//! The answer is a permit for one version, and only a permit reduces: there is no way to ask early and act late on
//! several. The interface has no conditional delete, so one call remains between the last look and the effect; holds
//! are looked at last for that reason, and Content Server's own record rules stand behind.

use std::{collections::BTreeMap, fmt};

use super::{
    Client, MODULE_MISSING, NewVersion, Node, RECORD_STATE, RESERVED, Upload, Version, call::Call,
    node::NodeId,
};
use crate::error::{Error, FailureClass, Result};

/// What is to be reduced, and what speaks for it.
#[derive(Debug, Clone)]
pub struct Reduction {
    /// The document.
    pub node: NodeId,
    /// The newest version the decision was made about. A newer one ends it.
    pub newest: i64,
    /// Sizes of the versions that have a verified copy elsewhere, by their numbers.
    pub verified: BTreeMap<i64, u64>,
    /// Versions that hold nothing but a pointer to such a copy: they need none themselves.
    pub pointers: Vec<i64>,
    /// What official records are to this reduction.
    pub official_records: OfficialRecords,
}

/// What is done with official records.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OfficialRecords {
    /// They keep their content.
    #[default]
    Keep,
    /// They are reduced like any other document, as the records policy allows.
    Reduce,
}

/// What may be done now, once: put a pointer where the content of a document is.
#[derive(Debug)]
pub struct ReplacementPermit {
    node: NodeId,
    newest: i64,
}

/// What became of putting a pointer in place.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Replaced {
    /// It is the newest version, with this number.
    By(i64),
    /// It is not there: it was refused, or somebody was quicker and it was taken away again.
    Not(ReductionRefused),
}

/// What may be done now, once: reduce one version of one document.
#[derive(Debug)]
pub struct ReductionPermit {
    node: NodeId,
    version: i64,
}

/// Why a document is not reduced.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ReductionRefused {
    /// A hold is in force on it or on a container it is in.
    Held {
        /// What carries the hold.
        on: NodeId,
    },
    /// Somebody has checked it out.
    Reserved,
    /// It is an official record, and the policy keeps those.
    OfficialRecord,
    /// This version has no verified copy, or the copy is not of this size.
    Unverified(i64),
    /// There is a newer version than the decision was made about.
    NewerVersion(i64),
    /// The version is locked.
    Locked(i64),
    /// It is the only or the newest version, which would leave a document without content.
    Newest(i64),
    /// There is no such document or version any more.
    Gone,
    /// Content Server itself refused when it came to it.
    ByServer,
}

impl ReductionRefused {
    /// Stable and machine-readable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Held { .. } => "reduction.held",
            Self::Reserved => "reduction.reserved",
            Self::OfficialRecord => "reduction.official-record",
            Self::Unverified(_) => "reduction.unverified",
            Self::NewerVersion(_) => "reduction.newer-version",
            Self::Locked(_) => "reduction.locked",
            Self::Newest(_) => "reduction.newest",
            Self::Gone => "reduction.gone",
            Self::ByServer => "reduction.refused",
        }
    }
}

impl fmt::Display for ReductionRefused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { on } => write!(formatter, "a hold is in force on {on}"),
            Self::Reserved => formatter.write_str("somebody has checked the document out"),
            Self::OfficialRecord => formatter.write_str("the document is an official record"),
            Self::Unverified(version) => write!(formatter, "version {version} has no verified copy"),
            Self::NewerVersion(version) => write!(formatter, "version {version} was added meanwhile"),
            Self::Locked(version) => write!(formatter, "version {version} is locked"),
            Self::Newest(version) => write!(formatter, "version {version} is the newest one"),
            Self::Gone => formatter.write_str("it is not there any more"),
            Self::ByServer => formatter.write_str("content server does not allow it"),
        }
    }
}

/// The answer to the question whether a version may be reduced.
pub type ReductionPermission = std::result::Result<ReductionPermit, ReductionRefused>;

impl Client {
    /// Whether a version of a document may be reduced at this moment. Ask immediately before [`Client::reduce`].
    ///
    /// # Errors
    /// As any call: "not known" is never taken for "may".
    pub async fn may_reduce(&self, reduction: &Reduction, version: i64) -> Result<ReductionPermission> {
        self.permission(reduction, version, unfit).await
    }

    /// Whether a version may go whose very bytes are in the newest version: nothing is lost by that, whatever is known
    /// of the other versions. Ask immediately before [`Client::reduce`].
    ///
    /// # Errors
    /// As [`Client::may_reduce`].
    pub async fn may_drop_repeated(
        &self,
        reduction: &Reduction,
        version: i64,
    ) -> Result<ReductionPermission> {
        self.permission(reduction, version, unfit_alone).await
    }

    async fn permission(
        &self,
        reduction: &Reduction,
        version: i64,
        speaks_against: fn(&Reduction, &[Version], Option<i64>) -> Option<ReductionRefused>,
    ) -> Result<ReductionPermission> {
        let refused = |why| Ok(Err(why));
        let versions = match self.list_versions(reduction.node).await {
            Ok(versions) => versions,
            Err(error) if is_missing(&error) => return refused(ReductionRefused::Gone),
            Err(error) => return Err(error),
        };
        if let Some(why) = speaks_against(reduction, &versions, Some(version)) {
            return refused(why);
        }
        if let Some(why) = self.untouchable(reduction.node, reduction.official_records).await? {
            return refused(why);
        }
        Ok(Ok(ReductionPermit { node: reduction.node, version }))
    }

    /// Whether a pointer may be put where the content of a document is. Ask immediately before [`Client::replace`].
    ///
    /// # Errors
    /// As [`Client::may_reduce`].
    pub async fn may_replace(
        &self,
        reduction: &Reduction,
    ) -> Result<std::result::Result<ReplacementPermit, ReductionRefused>> {
        let versions = match self.list_versions(reduction.node).await {
            Ok(versions) => versions,
            Err(error) if is_missing(&error) => return Ok(Err(ReductionRefused::Gone)),
            Err(error) => return Err(error),
        };
        if let Some(why) = unfit(reduction, &versions, None) {
            return Ok(Err(why));
        }
        if let Some(why) = self.untouchable(reduction.node, reduction.official_records).await? {
            return Ok(Err(why));
        }
        Ok(Ok(ReplacementPermit { node: reduction.node, newest: reduction.newest }))
    }

    /// Adds the pointer a permit was given for as the newest version. When somebody has added a version meanwhile, the
    /// pointer is taken away again: it would hide content that has no copy.
    ///
    /// # Errors
    /// As [`Client::add_version`].
    pub async fn replace(
        &self,
        permit: ReplacementPermit,
        pointer: &NewVersion,
        upload: &Upload,
    ) -> Result<Replaced> {
        let ReplacementPermit { node, newest } = permit;
        let added = match self.add_version(node, pointer, upload).await {
            Ok(added) => added.number,
            Err(error) if error.code() == RESERVED => {
                return Ok(Replaced::Not(self.reserved_or(node, error).await?));
            }
            Err(error) if error.code() == RECORD_STATE => {
                return Ok(Replaced::Not(ReductionRefused::ByServer));
            }
            Err(error) => return Err(error),
        };
        let below = self.list_versions(node).await?.into_iter().map(|version| version.number);
        match below.filter(|number| *number < added && *number > newest).max() {
            None => Ok(Replaced::By(added)),
            Some(newer) => {
                self.delete_version(node, added).await?;
                Ok(Replaced::Not(ReductionRefused::NewerVersion(newer)))
            }
        }
    }

    /// Whether anything about a document itself speaks against reducing it, whatever the version: a reservation, its
    /// record state, a hold. For flows that want to know before they begin; it is no permit.
    ///
    /// # Errors
    /// As any call.
    pub async fn untouchable(
        &self,
        node: NodeId,
        official_records: OfficialRecords,
    ) -> Result<Option<ReductionRefused>> {
        let found = match self.get_node(node).await {
            Ok(found) => found,
            Err(error) if is_missing(&error) => return Ok(Some(ReductionRefused::Gone)),
            Err(error) => return Err(error),
        };
        if found.reserved_by.is_some() {
            return Ok(Some(ReductionRefused::Reserved));
        }
        if official_records == OfficialRecords::Keep && self.is_official(node).await? {
            return Ok(Some(ReductionRefused::OfficialRecord));
        }
        Ok(self.hold_over(&found).await?.map(|on| ReductionRefused::Held { on }))
    }

    /// A document that was in use at the moment of a call is tried again later, unless somebody has reserved it: then
    /// it is theirs.
    async fn reserved_or(&self, node: NodeId, error: Error) -> Result<ReductionRefused> {
        match self.get_node(node).await?.reserved_by {
            Some(_) => Ok(ReductionRefused::Reserved),
            None => Err(error),
        }
    }

    /// What carries a hold that is in force over a document: a container it is in, or the document itself.
    ///
    /// # Errors
    /// As any call: "not known" is never taken for "no".
    pub async fn hold_over(&self, node: &Node) -> Result<Option<NodeId>> {
        // From the top down, so that the document itself comes last. A volume carries no hold and says so in its own
        // way; it is the one that has no parent.
        let way = self.list_ancestors(node.id).await?;
        for ancestor in way.iter().skip(1).filter(|ancestor| ancestor.id != node.id) {
            if self.is_held(ancestor.id).await? {
                return Ok(Some(ancestor.id));
            }
        }
        Ok(self.is_held(node.id).await?.then_some(node.id))
    }

    async fn is_official(&self, node: NodeId) -> Result<bool> {
        match self.get_record(node).await {
            Ok(record) => Ok(record.is_official()),
            Err(error) if error.code() == MODULE_MISSING => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Purges the version a permit was given for. That it was gone already is no failure.
    ///
    /// # Errors
    /// As any call. What Content Server refuses by a reservation or record state comes as a [`ReductionRefused`].
    pub async fn reduce(&self, permit: ReductionPermit) -> Result<std::result::Result<(), ReductionRefused>> {
        let ReductionPermit { node, version } = permit;
        // Not repeated by itself: between two calls things may have changed.
        let call = Call::delete("purge a version", format!("/v2/nodes/{node}/versions/{version}")).once();
        match self.tell(&call).await {
            Ok(()) => Ok(Ok(())),
            Err(error) if error.code() == RESERVED => Ok(Err(self.reserved_or(node, error).await?)),
            Err(error) if error.code() == RECORD_STATE => Ok(Err(ReductionRefused::ByServer)),
            // The answer of an earlier call may have been lost.
            Err(error) => match self.list_versions(node).await {
                Ok(versions) if versions.iter().all(|there| there.number != version) => Ok(Ok(())),
                // It is still there, so nothing happened: ask again, act again.
                Ok(_) if error.class() == FailureClass::UnknownOutcome => {
                    Err(error.with_class(FailureClass::Transient))
                }
                _ => Err(error),
            },
        }
    }
}

/// What about the versions speaks against reducing one of them, or against hiding them all. Every one must be safe
/// elsewhere, not only the one that goes.
fn unfit(reduction: &Reduction, versions: &[Version], version: Option<i64>) -> Option<ReductionRefused> {
    out_of_order(reduction, versions, version).or_else(|| unverified(reduction, versions.iter()))
}

/// The same, where nothing is at stake but the one that goes: its bytes must be in the newest version still.
fn unfit_alone(
    reduction: &Reduction,
    versions: &[Version],
    version: Option<i64>,
) -> Option<ReductionRefused> {
    let wanted = versions.iter().filter(|there| Some(there.number) == version);
    let stands = versions.iter().any(|there| there.number == reduction.newest);
    out_of_order(reduction, versions, version)
        .or_else(|| version.filter(|_| !stands).map(ReductionRefused::Unverified))
        .or_else(|| unverified(reduction, wanted))
}

fn out_of_order(
    reduction: &Reduction,
    versions: &[Version],
    version: Option<i64>,
) -> Option<ReductionRefused> {
    let wanted = versions.iter().find(|there| Some(there.number) == version);
    if version.is_some() && wanted.is_none() {
        return Some(ReductionRefused::Gone);
    }
    let newest = versions.iter().map(|there| there.number).max().unwrap_or_default();
    if newest > reduction.newest {
        return Some(ReductionRefused::NewerVersion(newest));
    }
    if version == Some(newest) {
        return Some(ReductionRefused::Newest(newest));
    }
    let locked = wanted.filter(|there| there.locked_by.is_some())?;
    Some(ReductionRefused::Locked(locked.number))
}

fn unverified<'a>(
    reduction: &Reduction,
    mut versions: impl Iterator<Item = &'a Version>,
) -> Option<ReductionRefused> {
    let unverified = versions.find(|there| {
        let copy = reduction.verified.get(&there.number);
        let is_safe = copy.is_some() && (there.file_size.is_none() || there.file_size == copy.copied());
        !is_safe && !reduction.pointers.contains(&there.number)
    });
    unverified.map(|there| ReductionRefused::Unverified(there.number))
}

fn is_missing(error: &Error) -> bool {
    error.code() == super::NOT_ACCESSIBLE || error.code() == super::NOT_FOUND
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: i64, size: u64) -> Version {
        Version {
            number,
            label: number.to_string(),
            file_name: "a.pdf".into(),
            file_size: Some(size),
            mime_type: None,
            description: String::new(),
            created: None,
            locked_by: None,
            external_identity: None,
        }
    }

    fn reduction() -> Reduction {
        Reduction {
            node: NodeId(4711),
            newest: 3,
            verified: [(1, 10), (2, 20)].into(),
            pointers: vec![3],
            official_records: OfficialRecords::Keep,
        }
    }

    #[test]
    fn a_version_is_reduced_only_when_every_version_is_safe_and_none_is_newer() {
        let there = vec![version(1, 10), version(2, 20), version(3, 5)];
        assert_eq!(unfit(&reduction(), &there, Some(1)), None);
        assert_eq!(unfit(&reduction(), &there, None), None);
        assert_eq!(unfit(&reduction(), &there, Some(3)), Some(ReductionRefused::Newest(3)));
        assert_eq!(unfit(&reduction(), &there, Some(7)), Some(ReductionRefused::Gone));

        let mut newer = there.clone();
        newer.push(version(4, 1));
        assert_eq!(unfit(&reduction(), &newer, Some(1)), Some(ReductionRefused::NewerVersion(4)));

        let other_size = vec![version(1, 10), version(2, 21), version(3, 5)];
        assert_eq!(unfit(&reduction(), &other_size, Some(1)), Some(ReductionRefused::Unverified(2)));
        let unknown = Reduction { verified: [(1, 10)].into(), ..reduction() };
        assert_eq!(unfit(&unknown, &there, Some(1)), Some(ReductionRefused::Unverified(2)));
        let no_pointer = Reduction { pointers: Vec::new(), ..reduction() };
        assert_eq!(unfit(&no_pointer, &there, Some(1)), Some(ReductionRefused::Unverified(3)));

        let mut locked = there;
        locked[0].locked_by = Some(1001);
        assert_eq!(unfit(&reduction(), &locked, Some(1)), Some(ReductionRefused::Locked(1)));
    }

    #[test]
    fn a_version_that_stands_in_the_newest_one_too_goes_whatever_is_known_of_the_others() {
        // Version 4 came back from the copy of version 2; nobody vouches for version 1 here.
        let there = vec![version(1, 10), version(2, 20), version(3, 5), version(4, 20)];
        let repeated = Reduction { newest: 4, verified: [(2, 20)].into(), ..reduction() };
        assert_eq!(unfit(&repeated, &there, Some(2)), Some(ReductionRefused::Unverified(1)));
        assert_eq!(unfit_alone(&repeated, &there, Some(2)), None);
        assert_eq!(unfit_alone(&repeated, &there, Some(1)), Some(ReductionRefused::Unverified(1)));
        assert_eq!(unfit_alone(&repeated, &there[2..], Some(2)), Some(ReductionRefused::Gone));
        // Version 4 was taken away: the last one with these bytes would go.
        assert_eq!(unfit_alone(&repeated, &there[..3], Some(2)), Some(ReductionRefused::Unverified(2)));
        let other_size = Reduction { verified: [(2, 21)].into(), ..repeated };
        assert_eq!(unfit_alone(&other_size, &there, Some(2)), Some(ReductionRefused::Unverified(2)));
    }

    #[test]
    fn every_refusal_has_a_code_of_its_own() {
        let all = [
            ReductionRefused::Held { on: NodeId(1) },
            ReductionRefused::Reserved,
            ReductionRefused::OfficialRecord,
            ReductionRefused::Unverified(1),
            ReductionRefused::NewerVersion(2),
            ReductionRefused::Locked(1),
            ReductionRefused::Newest(1),
            ReductionRefused::Gone,
            ReductionRefused::ByServer,
        ];
        let codes: std::collections::BTreeSet<_> = all.iter().map(ReductionRefused::code).collect();
        assert_eq!(codes.len(), all.len());
    }
}
