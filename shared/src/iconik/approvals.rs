//! Reviews: who is asked, what each says, and what that amounts to. All of it belongs to one version.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Client,
    call::Call,
    error::unexpected,
    ids::{GroupId, JobId, ObjectRef, UserId, VersionId},
    users::Person,
    wire::{self, words},
};
use crate::error::Result;

words! {
    /// Where a review, or one reviewer, stands.
    ApprovalStatus {
        /// Nobody was asked.
        NotAsked = "N/A",
        /// Asked, and not decided.
        Requested = "REQUESTED",
        /// Approved.
        Approved = "APPROVED",
        /// Rejected, in the words of the web page.
        NotApproved = "NOT_APPROVED",
        /// The verdicts contradict one another.
        Mixed = "MIXED",
    }
}

/// A review.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Approval {
    /// What is reviewed.
    #[serde(default, deserialize_with = "wire::text")]
    pub object_id: String,
    /// Which version. A new version has no review.
    #[serde(default)]
    pub version_id: Option<VersionId>,
    /// Where it stands. How verdicts become this is the server's business.
    #[serde(default)]
    pub status: ApprovalStatus,
    /// Who is asked.
    #[serde(default, deserialize_with = "wire::list")]
    pub users: Vec<UserId>,
    /// Which groups are asked.
    #[serde(default, deserialize_with = "wire::list")]
    pub groups: Vec<GroupId>,
    /// How many outside people are asked; their addresses are not kept.
    #[serde(default, rename = "externals", deserialize_with = "count")]
    pub externals: usize,
    /// Approvals needed.
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    pub min_number: Option<i64>,
    /// Who asked.
    #[serde(default)]
    pub requested_by: Option<UserId>,
    /// When.
    #[serde(default, rename = "request_date", deserialize_with = "wire::moment_or_none")]
    pub requested: Option<Timestamp>,
    /// When it changed last.
    #[serde(default, rename = "change_date", deserialize_with = "wire::moment_or_none")]
    pub changed: Option<Timestamp>,
    /// The verdicts, where the answer has them.
    #[serde(default, deserialize_with = "wire::list")]
    pub approvals_by: Vec<Verdict>,
    /// The people in it, by name.
    #[serde(default, deserialize_with = "wire::list")]
    pub users_info: Vec<Person>,
}

fn count<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_array().map_or(0, Vec::len))
}

/// Who gave a verdict.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reviewer {
    /// A user.
    User(UserId),
    /// Somebody outside, by address.
    External(String),
    /// The answer does not say.
    Unknown,
}

impl std::fmt::Debug for Reviewer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => write!(formatter, "User({id})"),
            // An address is a personal datum.
            Self::External(_) => formatter.write_str("External"),
            Self::Unknown => formatter.write_str("Unknown"),
        }
    }
}

/// What one reviewer says. There is no reason and no signature in it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Verdict {
    #[serde(default)]
    user: Option<UserId>,
    #[serde(default, deserialize_with = "external")]
    external: Hidden,
    /// Of which version.
    #[serde(default)]
    pub version_id: Option<VersionId>,
    /// What was said.
    #[serde(default)]
    pub status: ApprovalStatus,
    /// When.
    #[serde(default, rename = "change_date", deserialize_with = "wire::moment_or_none")]
    pub changed: Option<Timestamp>,
}

/// An address that no log shows.
#[derive(Clone, Default, PartialEq)]
struct Hidden(Option<String>);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.0.is_some() { "an address" } else { "none" })
    }
}

fn external<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Hidden, D::Error> {
    wire::text_or_none(deserializer).map(Hidden)
}

impl Verdict {
    /// Who said it. What an integration writes is said by the token's user, whoever truly decided.
    pub fn reviewer(&self) -> Reviewer {
        match (&self.user, &self.external.0) {
            (Some(user), _) => Reviewer::User(user.clone()),
            (None, Some(address)) => Reviewer::External(address.clone()),
            (None, None) => Reviewer::Unknown,
        }
    }
}

/// Whom to ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewApprovalRequest {
    /// Users.
    pub users: Vec<UserId>,
    /// Groups.
    pub groups: Vec<GroupId>,
    /// Approvals needed.
    pub min_number: u32,
}

/// What became of asking.
#[derive(Debug, Clone, PartialEq)]
pub enum ApprovalRequested {
    /// It was done.
    Done(Box<Approval>),
    /// It is done in the background, as for collections.
    Background(JobId),
}

fn path<'a>(object: &'a ObjectRef, version: Option<&'a VersionId>, tail: &[&'a str]) -> Vec<&'a str> {
    let mut path = vec!["assets", "v1", object.kind(), object.id()];
    if let Some(version) = version {
        path.extend(["versions", version.as_str()]);
    }
    path.push("approvals");
    path.extend(tail);
    path
}

#[derive(Deserialize)]
struct Verdicts {
    #[serde(default, deserialize_with = "wire::list")]
    objects: Vec<Verdict>,
}

impl Client {
    /// The review of a version, of the current one when none is named; nothing when nobody was asked.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_approval(
        &self,
        object: &ObjectRef,
        version: Option<&VersionId>,
    ) -> Result<Option<Approval>> {
        self.look(&Call::get("get approval request", &path(object, version, &["request"]))).await
    }

    /// What each reviewer of a version says. Nobody was asked: nothing.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_verdicts(
        &self,
        object: &ObjectRef,
        version: Option<&VersionId>,
    ) -> Result<Vec<Verdict>> {
        let call = Call::get("list verdicts", &path(object, version, &[]));
        let Some(answer) = self.look::<Value>(&call).await? else { return Ok(Vec::new()) };
        // The answer is a list, or the usual envelope of one.
        let list = if answer.is_array() { json!({"objects": answer}) } else { answer };
        let verdicts: Verdicts = serde_json::from_value(list)
            .map_err(|error| unexpected(call.operation(), call.effect(), error))?;
        Ok(verdicts.objects)
    }

    /// Asks for a review of the current version. Asking again changes the request that is there.
    ///
    /// # Errors
    /// `Forbidden` without the role.
    pub async fn request_approval(
        &self,
        object: &ObjectRef,
        new: &NewApprovalRequest,
    ) -> Result<ApprovalRequested> {
        let body = json!({"users": new.users, "groups": new.groups, "min_number": new.min_number.max(1)});
        let call = Call::post("request approval", &path(object, None, &["request"])).repeatable().body(body);
        let answer = self.json(&call).await?;
        if let Some(job) = answer.get("job_id").and_then(Value::as_str) {
            return Ok(ApprovalRequested::Background(JobId::new(job)));
        }
        serde_json::from_value(answer)
            .map(|approval| ApprovalRequested::Done(Box::new(approval)))
            .map_err(|error| unexpected(call.operation(), call.effect(), error))
    }

    /// Takes a request back; when there is none, that is no failure.
    ///
    /// # Errors
    /// As any call.
    pub async fn delete_approval_request(&self, object: &ObjectRef) -> Result<()> {
        self.remove(&Call::delete("delete approval request", &path(object, None, &["request"]))).await
    }

    /// Says what the token's user thinks. It stands there as that user's own verdict, so it is no way to pass on
    /// somebody else's.
    ///
    /// # Errors
    /// As any call.
    pub async fn set_own_verdict(&self, object: &ObjectRef, status: &ApprovalStatus) -> Result<Verdict> {
        let call = Call::put("set verdict", &path(object, None, &[]));
        self.ask(&call.body(json!({"status": status}))).await
    }
}
