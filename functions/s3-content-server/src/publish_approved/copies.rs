//! Copies in the distribution bucket: which there are, and taking them away.
//!
//! A copy says in its metadata whose it is and what it is of. Nothing else under a key is ever overwritten or removed.

use std::collections::BTreeMap;

use shared::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
    flow::Flow,
    transfer::{Digests, Progress, RangedSource, S3Object, UploadSizes, UploadTarget, Uploaded, upload},
};

use super::{
    PublishApproved, again,
    settle::Work,
    standing::{Content, Offer, Unit},
};

/// The metadata that says whose a copy is, what it is of, and what it holds.
const UNIT: &str = "waybill-unit";
const FINGERPRINT: &str = "waybill-fingerprint";
const SHA256: &str = "waybill-sha256";
const CRC64: &str = "waybill-crc64nvme";
/// The code of a key that holds something else.
pub(super) const KEY_TAKEN: &str = "publish.key-taken";

/// A copy that is there and holds what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Copy {
    pub(super) key: String,
    pub(super) version_id: String,
    pub(super) sha256: String,
}

/// What there is under the key of an offer.
pub(super) enum Place {
    /// Nothing.
    Free,
    /// A copy of this very content.
    Holds(Copy),
    /// A copy of ours that holds something else, with its version mark.
    Other(String),
}

/// What a copy says of itself; nothing where it says nothing.
pub(super) struct Said<'a> {
    /// The publication it belongs to.
    pub(super) unit: &'a str,
    /// What it is of.
    pub(super) fingerprint: &'a str,
    /// What it held when it was put there; packages do not say it.
    pub(super) sha256: &'a str,
    pub(super) crc64_nvme: &'a str,
}

impl<'a> Said<'a> {
    pub(super) fn by(object: &'a S3Object) -> Self {
        let says = |name: &str| object.user_metadata.get(name).map(String::as_str).unwrap_or_default();
        Self {
            unit: says(UNIT),
            fingerprint: says(FINGERPRINT),
            sha256: says(SHA256),
            crc64_nvme: says(CRC64),
        }
    }

    /// Whether S3's own checksum says that it still holds that.
    fn is_kept(&self, object: &S3Object) -> bool {
        match (&object.checksum_sha256, &object.checksum_crc64_nvme) {
            (Some(sha256), _) => sha256 == self.sha256,
            (None, Some(crc)) => crc == self.crc64_nvme,
            (None, None) => false,
        }
    }
}

impl PublishApproved {
    pub(super) fn bucket(&self) -> &str {
        &self.environment.settings.content_bucket
    }

    /// Remembers for good that something of a publication may be at a place, before it is put there.
    pub(super) async fn remember(&self, kind: &str, unit: &Unit, place: &str) -> Result<()> {
        let ledger = &self.environment.ledger;
        ledger.add_member(Self::NAME, &format!("{kind} {}", unit.name()), place, None).await
    }

    /// The places at which something of a publication may be.
    pub(super) async fn remembered(&self, kind: &str, unit: &Unit) -> Result<Vec<String>> {
        self.environment.ledger.members(Self::NAME, &format!("{kind} {}", unit.name())).await
    }

    /// What there is under the key of an offer.
    pub(super) async fn look(&self, unit: &Unit, offer: &Offer<'_>) -> Result<Place> {
        let object = match S3Object::head(&self.s3, self.bucket(), &offer.key, None, None).await {
            Ok(object) => object,
            Err(error) if error.class() == FailureClass::Gone => return Ok(Place::Free),
            Err(error) => return Err(error),
        };
        self.place(unit, offer, &object).await
    }

    /// What an object under the key of an offer is.
    pub(super) async fn place(&self, unit: &Unit, offer: &Offer<'_>, object: &S3Object) -> Result<Place> {
        let said = Said::by(object);
        if said.unit != unit.name() {
            return Err(taken(&offer.key));
        }
        let other = Place::Other(object.etag.clone());
        let version_id = object.version_id.clone().filter(|_| said.fingerprint == offer.fingerprint());
        let Some(version_id) = version_id else { return Ok(other) };
        let sha256 = match &offer.content {
            Content::Version(_) => Some(said.sha256.to_owned()).filter(|_| said.is_kept(object)),
            Content::Members(_) => self.vouched(unit, &version_id).await?,
        };
        let key = offer.key.clone();
        Ok(sha256.map_or(other, |sha256| Place::Holds(Copy { key, version_id, sha256 })))
    }

    /// Says of a package that S3 was seen to hold of every document what its manifest tells.
    pub(super) async fn vouch(&self, unit: &Unit, copy: &Copy) -> Result<()> {
        self.remember("verified", unit, &format!("{} {}", copy.version_id, copy.sha256)).await
    }

    /// The SHA-256 of a version of a package that was vouched for.
    async fn vouched(&self, unit: &Unit, version_id: &str) -> Result<Option<String>> {
        let all = self.remembered("verified", unit).await?;
        let ours = all.iter().find_map(|text| text.strip_prefix(version_id)?.strip_prefix(' '));
        Ok(ours.map(str::to_owned))
    }

    /// Puts a content whose digests are known under the key of an offer, over what was seen there and nothing else.
    pub(super) async fn put(
        &self,
        work: &Work<'_>,
        offer: &Offer<'_>,
        (source, known): (&RangedSource, Option<&Digests>),
        over: &Place,
        name: &str,
    ) -> Result<Progress<Copy>> {
        let to = UploadTarget {
            content_type: Some(offer.content_type.clone()),
            content_disposition: Some(offer.rule.disposition.header(&offer.file_name)),
            user_metadata: metadata(work.unit, offer, known),
            only_if_absent: matches!(over, Place::Free),
            only_over: match over {
                Place::Other(etag) => Some(etag.clone()),
                Place::Free | Place::Holds(_) => None,
            },
            once: true,
            ..UploadTarget::new(self.bucket(), &offer.key)
        };
        let uploaded = upload(&self.s3, source, &to, UploadSizes::default(), work.run, name).await;
        let uploaded = match uploaded {
            Ok(Progress::Done(uploaded)) => uploaded,
            Ok(Progress::Paused) => return Ok(Progress::Paused),
            Err(error) if matches!(error.code(), "target.exists" | "aws.refused") && conflicts(&error) => {
                return Err(
                    again("publish.changing", "something else was put under the key meanwhile").source(error)
                );
            }
            Err(error) => return Err(error),
        };
        let copy = self.accept(&offer.key, &uploaded).await?;
        if known.is_some_and(|known| uploaded.digests != *known) {
            self.remove_version(&offer.key, &copy.version_id).await?;
            return Err(self.mismatch(work).await?);
        }
        Ok(Progress::Done(copy))
    }

    /// A link is pinned to a version of its object, and a withdrawal removes versions: the bucket must keep them.
    async fn accept(&self, key: &str, uploaded: &Uploaded) -> Result<Copy> {
        if let Some(version_id) = uploaded.version_id.clone().filter(|version| version != "null") {
            return Ok(Copy { key: key.to_owned(), version_id, sha256: uploaded.digests.sha256.clone() });
        }
        self.remove_version(key, "null").await?;
        Err(Error::new(
            FailureClass::Forbidden,
            System::S3,
            "publish",
            "publish.bucket-without-versions",
            "the distribution bucket does not keep versions",
        )
        .remedy("switch versioning on for the bucket, then redrive"))
    }

    /// What arrived is not what was read before. Three times are a reason to put it aside.
    pub(super) async fn mismatch(&self, work: &Work<'_>) -> Result<Error> {
        const MISMATCHES: &str = "mismatches";
        const ALLOWED: u32 = 3;
        let times = work.run.recorded::<u32>(MISMATCHES).unwrap_or(0) + 1;
        work.run.checkpoint(MISMATCHES, &times).await?;
        let error = again("publish.mismatch", "two readings of a document gave different bytes")
            .remedy("look for a proxy that changes bodies, and compare the document with its source");
        Ok(if times >= ALLOWED { error.with_class(FailureClass::Invalid) } else { error })
    }

    /// Removes every version of a publication's copies but one, oldest first, so that no older one comes to light.
    /// Says how many that were.
    pub(super) async fn remove_copies(&self, unit: &Unit, keep: Option<&Copy>) -> Result<usize> {
        let mut removed = 0;
        for key in self.remembered("copies", unit).await? {
            let mut versions = self.versions(&key).await?;
            versions.reverse();
            for version in versions {
                let kept = keep.is_some_and(|copy| copy.key == key && copy.version_id == version);
                if !kept && self.is_ours(&key, &version, unit).await? {
                    self.remove_version(&key, &version).await?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Whether any copy of a publication is there.
    pub(super) async fn has_copies(&self, unit: &Unit) -> Result<bool> {
        for key in self.remembered("copies", unit).await? {
            for version in self.versions(&key).await? {
                if self.is_ours(&key, &version, unit).await? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The versions under a key, newest first.
    async fn versions(&self, key: &str) -> Result<Vec<String>> {
        let (mut found, mut key_marker, mut id_marker) = (Vec::new(), None, None);
        loop {
            let output = self
                .s3
                .list_object_versions()
                .bucket(self.bucket())
                .prefix(key)
                .set_key_marker(key_marker)
                .set_version_id_marker(id_marker)
                .send()
                .await
                .map_err(|error| classify(System::S3, "list copies", error))?;
            let ours = output.versions().iter().filter(|version| version.key() == Some(key));
            found.extend(ours.filter_map(|version| version.version_id()).map(str::to_owned));
            // Keys that go on after this one are somebody else's, and come later.
            let beyond = output.next_key_marker().is_none_or(|next| next != key);
            if !output.is_truncated().unwrap_or(false) || beyond {
                return Ok(found);
            }
            key_marker = output.next_key_marker;
            id_marker = output.next_version_id_marker;
        }
    }

    async fn is_ours(&self, key: &str, version: &str, unit: &Unit) -> Result<bool> {
        match S3Object::head(&self.s3, self.bucket(), key, Some(version), None).await {
            Ok(object) => Ok(Said::by(&object).unit == unit.name()),
            Err(error) if error.class() == FailureClass::Gone => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn remove_version(&self, key: &str, version: &str) -> Result<()> {
        let delete = self.s3.delete_object().bucket(self.bucket()).key(key).version_id(version).send().await;
        delete.map(drop).map_err(|error| {
            classify(System::S3, "withdraw copy", error)
                .remedy("let this function delete versions of objects of the bucket (s3:DeleteObjectVersion)")
        })
    }
}

fn metadata(unit: &Unit, offer: &Offer<'_>, known: Option<&Digests>) -> BTreeMap<String, String> {
    let mut metadata = vec![(UNIT, unit.name()), (FINGERPRINT, offer.fingerprint())];
    if let Some(known) = known {
        metadata.push((SHA256, known.sha256.clone()));
        metadata.push((CRC64, known.crc64_nvme.clone()));
    }
    metadata.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether a conditional write was refused because of its condition: another object came, or the one seen went.
fn conflicts(error: &Error) -> bool {
    matches!(error.class(), FailureClass::Conflict | FailureClass::Gone)
}

fn taken(key: &str) -> Error {
    Error::new(
        FailureClass::Forbidden,
        System::S3,
        "publish",
        KEY_TAKEN,
        format!(
            "the key {key:?} holds something else: another document, or something this flow did not put there"
        ),
    )
    .field("key")
    .remedy("make keys differ: put `{node.id}` into the key of the rule, or rename one of the documents")
}
