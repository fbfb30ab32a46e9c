//! The replica of one content set in S3: what lies where, and how it is read and written.
//!
//! Nothing is ever removed, and nothing but the small record of a node is ever replaced, under the condition that it is
//! still the one that was read: a call that a slow network carries out late changes nothing any more.

use aws_sdk_s3::{Client, error::ProvideErrorMetadata};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use shared::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
};

use super::record::{RECORD, REVISION, ReplicaRecord, Revision, RevisionPointer, read, written};

/// The largest JSON object that is read, in bytes.
const LARGEST: i64 = 64 << 20;
/// Things that are listed at once.
const PAGE: i32 = 500;

/// A replica.
#[derive(Debug, Clone)]
pub(super) struct Replica {
    pub(super) s3: Client,
    pub(super) bucket: String,
    pub(super) prefix: String,
}

/// A record with the mark by which it is replaced.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) record: ReplicaRecord,
    etag: Option<String>,
}

impl Replica {
    fn record_key(&self, node: i64) -> String {
        format!("{}{node}/record.json", self.prefix)
    }

    /// The key of something that is about the replica as a whole.
    pub(super) fn own_key(&self, name: &str) -> String {
        format!("{}_waybill/{name}", self.prefix)
    }

    /// What the replica knows of a node.
    pub(super) async fn record(&self, node: i64) -> Result<Option<Kept>> {
        let key = self.record_key(node);
        let Some((bytes, etag)) = self.get(&key).await? else { return Ok(None) };
        match read::<ReplicaRecord>(&bytes) {
            Some(record) if record.schema == RECORD && record.node == node => Ok(Some(Kept { record, etag })),
            _ => Err(self.taken(&key)),
        }
    }

    /// A revision, when it is what its record says it is.
    pub(super) async fn revision(&self, pointer: &RevisionPointer) -> Result<Revision> {
        let there = self.get(&pointer.key).await?;
        let intact = there.filter(|(bytes, _)| hex::encode(Sha256::digest(bytes)) == pointer.sha256);
        intact
            .and_then(|(bytes, _)| read::<Revision>(&bytes))
            .filter(|revision| revision.schema == REVISION)
            .ok_or_else(|| {
                let message = format!("the revision {} is missing or is not what its record says", pointer.key);
                Error::new(FailureClass::Invalid, System::S3, "read revision", DAMAGED, message).remedy(
                    "bring back the object's earlier version in S3, or ask for the node with the request `replicate`",
                )
            })
    }

    /// Writes a revision. Its key follows from its bytes, so that whoever writes it again writes the same.
    pub(super) async fn put_revision(&self, revision: &Revision) -> Result<RevisionPointer> {
        let bytes = written(revision)?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let mark = sha256.get(..16).unwrap_or_default();
        let (node, number) = (revision.state.node.id, revision.number);
        let key = format!("{}{node}/metadata/{number:06}-{mark}.json", self.prefix);
        self.put(&key, bytes, None).await?;
        Ok(RevisionPointer { number, key, sha256, state: revision.state.digest()? })
    }

    /// Writes what is known of a node, in place of what was known when it was read.
    pub(super) async fn put_record(&self, record: &ReplicaRecord, before: Option<&Kept>) -> Result<()> {
        let key = self.record_key(record.node);
        let condition = match before {
            None => Condition::Absent,
            Some(Kept { etag: Some(etag), .. }) => Condition::Is(etag.clone()),
            Some(Kept { etag: None, .. }) => return Err(overtaken()),
        };
        let Err(error) = self.put(&key, written(record)?, Some(condition)).await else { return Ok(()) };
        if error.code() != OVERTAKEN {
            return Err(error);
        }
        // It may have been our own call, whose answer was lost.
        match self.record(record.node).await? {
            Some(there) if there.record == *record => Ok(()),
            _ => Err(error),
        }
    }

    /// The nodes behind one (in the order of their ids as text), a page of them; nothing at the end.
    pub(super) async fn nodes_after(&self, after: Option<i64>) -> Result<Vec<i64>> {
        // Behind everything that begins with `<node>/`: the character after the slash is the zero.
        let mut behind = after.map(|node| format!("{}{node}0", self.prefix));
        loop {
            let list = self.s3.list_objects_v2().bucket(&self.bucket).prefix(&self.prefix).delimiter("/");
            let answer = list.set_start_after(behind.clone()).max_keys(PAGE).send().await;
            let answer = answer.map_err(|error| classify(System::S3, "list the replica", error))?;
            let names: Vec<String> = answer
                .common_prefixes
                .unwrap_or_default()
                .into_iter()
                .filter_map(|common| common.prefix)
                .collect();
            let id = |name: &String| name.strip_prefix(&self.prefix)?.strip_suffix('/')?.parse().ok();
            let nodes: Vec<i64> = names.iter().filter_map(id).collect();
            let last = names.last().and_then(|name| name.strip_suffix('/')).map(|name| format!("{name}0"));
            match last {
                // A page of nothing but other things.
                Some(last) if nodes.is_empty() && answer.is_truncated == Some(true) => behind = Some(last),
                _ => return Ok(nodes),
            }
        }
    }

    /// A JSON object about the replica as a whole; nothing when it is not there or is something else.
    pub(super) async fn own<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        Ok(self.get(&self.own_key(name)).await?.and_then(|(bytes, _)| read(&bytes)))
    }

    /// Writes one.
    pub(super) async fn put_own(&self, name: &str, value: &impl Serialize) -> Result<String> {
        let key = self.own_key(name);
        self.put(&key, written(value)?, None).await?;
        Ok(key)
    }

    /// Writes the lines of one.
    pub(super) async fn put_lines(&self, name: &str, values: &[impl Serialize]) -> Result<String> {
        let key = self.own_key(name);
        let mut text = Vec::new();
        for value in values {
            let line = serde_json::to_vec(value)
                .map_err(|error| Error::bug("write report", "an entry is not JSON").source(error))?;
            text.extend(line);
            text.push(b'\n');
        }
        self.put(&key, text, None).await?;
        Ok(key)
    }

    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Option<String>)>> {
        let answer = self.s3.get_object().bucket(&self.bucket).key(key).send().await;
        let output = match answer {
            Ok(output) => output,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(classify(System::S3, "read the replica", error)),
        };
        if output.content_length().is_some_and(|length| length > LARGEST) {
            return Err(self.taken(key));
        }
        let etag = output.e_tag().map(str::to_owned);
        let bytes = output.body.collect().await.map_err(|error| {
            let (class, message) = (FailureClass::Transient, "an object of the replica broke off");
            Error::new(class, System::S3, "read the replica", "source.cut", message).source(error)
        })?;
        Ok(Some((bytes.to_vec(), etag)))
    }

    async fn put(&self, key: &str, bytes: Vec<u8>, condition: Option<Condition>) -> Result<()> {
        let put = self.s3.put_object().bucket(&self.bucket).key(key).content_type("application/json");
        let put = match condition {
            None => put,
            Some(Condition::Absent) => put.if_none_match("*"),
            Some(Condition::Is(etag)) => put.if_match(etag),
        };
        let Err(error) = put.body(bytes.into()).send().await else { return Ok(()) };
        let refused =
            matches!(error.code(), Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey"));
        if refused { Err(overtaken()) } else { Err(classify(System::S3, "write the replica", error)) }
    }

    fn taken(&self, key: &str) -> Error {
        Error::new(
            FailureClass::Forbidden,
            System::S3,
            "read the replica",
            "replica.taken",
            format!("{key} in the bucket {} is no record of a replica", self.bucket),
        )
        .remedy("give every content set a prefix of its own, used by nothing else")
    }
}

enum Condition {
    Absent,
    Is(String),
}

/// The reason when something in a replica is not what it was.
pub(super) const DAMAGED: &str = "replica.damaged";
/// The reason when somebody else wrote first.
pub(super) const OVERTAKEN: &str = "replica.overtaken";

fn overtaken() -> Error {
    Error::new(
        FailureClass::Conflict,
        System::Waybill,
        "write the replica",
        OVERTAKEN,
        "another worker has written what is known of this node meanwhile: it is looked at anew",
    )
}

/// What a failure of S3 means for a replica, wherever in the work it comes from. The place of a replica may be away for
/// a long time, and what is to be replicated waits for it.
pub(super) fn at_the_replica(error: Error) -> Error {
    if error.system() != System::S3 {
        return error;
    }
    match (error.class(), error.code()) {
        (FailureClass::Transient, code) if code.starts_with("aws.") => error.with_code("replica.unreachable").remedy(
            "nothing, when the Region of the replica is away: what changed waits and is replicated when it is back; \
             otherwise check the Region, and the way there from the function's subnets",
        ),
        (FailureClass::Gone, _) => error
            .with_class(FailureClass::Forbidden)
            .with_code("replica.bucket-missing")
            .remedy("check the name of the bucket of the replica and its Region"),
        (FailureClass::Forbidden, "aws.refused" | "source.forbidden") => error
            .with_code("replica.forbidden")
            .remedy("let this function list the bucket of the replica, and read and put objects in it"),
        (FailureClass::Invalid, "aws.refused") => {
            error.with_class(FailureClass::Forbidden).with_code("replica.refused").remedy(
                "check the Region of the bucket of the replica, its encryption and its storage class",
            )
        }
        _ => error,
    }
}
