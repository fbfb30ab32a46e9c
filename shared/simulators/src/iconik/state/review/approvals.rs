//! Approvals: a request for an asset's version or a collection, and a verdict of each reviewer.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::super::settings::SecondRequest;
use super::super::{Event, Object, Outcome, Refusal, State};
use super::roll_up;

/// What an approval is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApprovalKey {
    /// `assets` or `collections`.
    pub object_type: String,
    /// Id of that.
    pub object_id: String,
    /// The version of an asset.
    pub version_id: Option<String>,
}

/// What one reviewer said.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// A user …
    pub user: Option<String>,
    /// … or the address of somebody who is none.
    pub external: Option<String>,
    /// `APPROVED` or `NOT_APPROVED`.
    pub status: String,
    /// When.
    pub change_date: Value,
}

impl Verdict {
    pub(super) fn is_by(&self, reviewer: &str) -> bool {
        [&self.user, &self.external].into_iter().any(|by| by.as_deref() == Some(reviewer))
    }
}

/// A request and what was said.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// Users asked.
    pub users: Vec<String>,
    /// Groups asked.
    pub groups: Vec<String>,
    /// Addresses of others asked.
    pub externals: Vec<String>,
    /// How many have to approve.
    pub min_number: u64,
    /// Who asked.
    pub requested_by: Option<String>,
    /// When.
    pub request_date: Value,
    /// When something changed last.
    pub change_date: Value,
    /// The share that others were asked by.
    pub share_id: Value,
    /// What was said, the latest last.
    pub verdicts: Vec<Verdict>,
    /// What follows from that.
    pub status: String,
}

impl Default for Approval {
    fn default() -> Self {
        Self {
            users: Vec::new(),
            groups: Vec::new(),
            externals: Vec::new(),
            min_number: 1,
            requested_by: None,
            request_date: Value::Null,
            change_date: Value::Null,
            share_id: Value::Null,
            verdicts: Vec::new(),
            status: "REQUESTED".to_owned(),
        }
    }
}

/// How a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The approval is there.
    Now(ApprovalKey),
    /// A job with this id makes it.
    Job(String),
}

/// A request whose job runs.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    due: Timestamp,
    user: String,
    key: ApprovalKey,
    given: Object,
}

impl State {
    /// What an approval of this object is of: the version named, or the latest.
    pub fn approval_key(&self, object_type: &str, id: &str, version: Option<&str>) -> Outcome<ApprovalKey> {
        self.must_exist(object_type, id)?;
        let version_id = match (object_type, version) {
            ("assets", None) => self.current_version_of(id),
            ("assets", Some(version)) => Some(version.to_owned()),
            _ => None,
        };
        Ok(ApprovalKey { object_type: object_type.to_owned(), object_id: id.to_owned(), version_id })
    }

    /// The approval of this object, or 404.
    pub fn approval(&self, key: &ApprovalKey) -> Outcome<&Approval> {
        self.review.approvals.get(key).ok_or_else(|| missing(key))
    }

    /// Asks for an approval.
    pub fn request_approval(
        &mut self,
        user: &str,
        object_type: &str,
        id: &str,
        given: &Object,
    ) -> Outcome<Asked> {
        let version = given.get("version_id").and_then(Value::as_str);
        let key = self.approval_key(object_type, id, version)?;
        if let Some(version) = version
            && object_type == "assets"
            && self.version(id, version).is_err()
        {
            return Err(Refusal::unknown("Version", version));
        }
        reviewers(given)?;
        if self.review.approvals.contains_key(&key)
            && self.settings.approvals.second_request == SecondRequest::Refused
        {
            return Err(Refusal::Conflict(format!("An approval of {id} is already requested")));
        }
        if object_type == "assets" && !self.settings.approvals.asset_requests_in_background {
            self.put_request(user, &key, given)?;
            return Ok(Asked::Now(key));
        }
        let due = self.after(self.settings.approvals.background_seconds);
        self.review.waiting.push(Waiting { due, user: user.to_owned(), key, given: given.clone() });
        let job = self.finished_job(user, "REQUEST_APPROVAL", "Request approval", &[(object_type, id)]);
        self.answer_waiting_requests();
        Ok(Asked::Job(job))
    }

    /// Makes the requests whose jobs have ended.
    pub(super) fn answer_waiting_requests(&mut self) {
        let waiting = std::mem::take(&mut self.review.waiting);
        let (due, later): (Vec<Waiting>, Vec<Waiting>) =
            waiting.into_iter().partition(|it| it.due <= self.now);
        self.review.waiting = later;
        for Waiting { user, key, given, .. } in due {
            // It was looked at when it was taken; an object that is gone by now needs no approval.
            let _ = self.put_request(&user, &key, &given);
        }
    }

    fn put_request(&mut self, user: &str, key: &ApprovalKey, given: &Object) -> Outcome<()> {
        let (users, groups, externals, min_number) = reviewers(given)?;
        let before = self.review.approvals.get(key);
        let keeps = self.settings.approvals.second_request == SecondRequest::KeepsVerdicts;
        let verdicts = before.filter(|_| keeps).map(|before| before.verdicts.clone()).unwrap_or_default();
        let approval = Approval {
            users: users.unwrap_or_default(),
            groups: groups.unwrap_or_default(),
            externals: externals.unwrap_or_default(),
            min_number: min_number.unwrap_or(1),
            requested_by: Some(user.to_owned()),
            request_date: self.time(),
            share_id: given.get("share_id").cloned().unwrap_or_default(),
            verdicts,
            ..Approval::default()
        };
        let operation = if before.is_some() { "update" } else { "create" };
        self.put_approval(user, key, approval, operation);
        Ok(())
    }

    /// Changes a request.
    pub fn edit_request(&mut self, user: &str, key: &ApprovalKey, given: &Object) -> Outcome<()> {
        let mut approval = self.approval(key)?.clone();
        let (users, groups, externals, min_number) = reviewers(given)?;
        approval.users = users.unwrap_or(approval.users);
        approval.groups = groups.unwrap_or(approval.groups);
        approval.externals = externals.unwrap_or(approval.externals);
        approval.min_number = min_number.unwrap_or(approval.min_number);
        if let Some(share) = given.get("share_id") {
            approval.share_id = share.clone();
        }
        if self.settings.approvals.edit_forgets_verdicts {
            approval.verdicts.clear();
        }
        self.put_approval(user, key, approval, "update");
        Ok(())
    }

    /// Withdraws a request with all verdicts.
    pub fn delete_request(&mut self, user: &str, key: &ApprovalKey) -> Outcome<Value> {
        let before = self.approval_view(user, key)?;
        let told = self.approval(key)?.status.clone();
        self.review.approvals.remove(key);
        self.tell_of_approval(user, key, before.clone(), "delete");
        self.review_status_changed(user, key, &told, "N/A");
        Ok(before)
    }

    /// What this user says of it.
    pub fn decide(&mut self, user: &str, key: &ApprovalKey, status: &str) -> Outcome<()> {
        if !matches!(status, "APPROVED" | "NOT_APPROVED") {
            return Err(Refusal::field("status", "Must be one of: APPROVED, NOT_APPROVED."));
        }
        let mut approval = match self.review.approvals.get(key) {
            Some(approval) => approval.clone(),
            None if self.settings.approvals.verdict_needs_request => return Err(missing(key)),
            None => Approval::default(),
        };
        if self.settings.approvals.only_reviewers && !approval.users.iter().any(|asked| asked == user) {
            return Err(Refusal::Forbidden("User was not asked for this approval".to_owned()));
        }
        approval.verdicts.retain(|verdict| !verdict.is_by(user));
        approval.verdicts.push(Verdict {
            user: Some(user.to_owned()),
            external: None,
            status: status.to_owned(),
            change_date: self.time(),
        });
        self.put_approval(user, key, approval, "update");
        let operation = if status == "APPROVED" { "APPROVE" } else { "REJECT" };
        if key.object_type == "assets" {
            self.note(user, &key.object_id, operation, "");
        }
        Ok(())
    }

    /// Takes back what a user or somebody outside said.
    pub fn take_back(&mut self, user: &str, key: &ApprovalKey, reviewer: &str) -> Outcome<()> {
        let mut approval = self.approval(key)?.clone();
        if !approval.verdicts.iter().any(|verdict| verdict.is_by(reviewer)) {
            return Err(Refusal::NotFound(format!("There is no verdict of {reviewer}")));
        }
        approval.verdicts.retain(|verdict| !verdict.is_by(reviewer));
        self.put_approval(user, key, approval, "update");
        Ok(())
    }

    /// Requests and decides in one for many objects, in a job.
    pub fn decide_many(&mut self, user: &str, kind: &str, ids: &[String], status: &str) -> Outcome<String> {
        let keys: Vec<_> = ids.iter().map(|id| self.approval_key(kind, id, None)).collect::<Outcome<_>>()?;
        for key in &keys {
            if !self.review.approvals.contains_key(key) {
                self.put_request(user, key, &Object::new())?;
            }
            self.decide(user, key, status)?;
        }
        let objects: Vec<(&str, &str)> = ids.iter().map(|id| (kind, id.as_str())).collect();
        Ok(self.finished_job(user, "SET_APPROVAL", "Set approval status", &objects))
    }

    /// Withdraws many requests, in a job.
    pub fn withdraw_many(&mut self, user: &str, kind: &str, ids: &[String]) -> Outcome<String> {
        let keys: Vec<_> = ids.iter().map(|id| self.approval_key(kind, id, None)).collect::<Outcome<_>>()?;
        for key in
            keys.iter().filter(|key| self.review.approvals.contains_key(*key)).cloned().collect::<Vec<_>>()
        {
            self.delete_request(user, &key)?;
        }
        let objects: Vec<(&str, &str)> = ids.iter().map(|id| (kind, id.as_str())).collect();
        Ok(self.finished_job(user, "SET_APPROVAL", "Remove approvals", &objects))
    }

    fn put_approval(
        &mut self,
        user: &str,
        key: &ApprovalKey,
        mut approval: Approval,
        operation: &'static str,
    ) {
        let before = self.review.approvals.get(key).map_or("N/A".to_owned(), |before| before.status.clone());
        approval.change_date = self.time();
        approval.status = roll_up::status(self.settings.approvals.roll_up, &approval).to_owned();
        let after = approval.status.clone();
        self.review.approvals.insert(key.clone(), approval);
        let shown = self.approval_view(user, key).unwrap_or_default();
        self.tell_of_approval(user, key, shown, operation);
        self.review_status_changed(user, key, &before, &after);
    }

    fn tell_of_approval(&mut self, user: &str, key: &ApprovalKey, data: Value, operation: &'static str) {
        self.emit(Event {
            event_type: if key.object_type == "assets" { "assets" } else { "collections" },
            realm: "approvals",
            operation,
            object_id: key.object_id.clone(),
            user_id: user.to_owned(),
            data,
        });
    }

    /// An approval as this user sees it.
    pub(in crate::iconik) fn approval_view(&self, user: &str, key: &ApprovalKey) -> Outcome<Value> {
        let approval = self.approval(key)?;
        let by = self.verdicts_view(key)?;
        let own = by.iter().find(|verdict| verdict["user"] == user);
        let info: Vec<Value> = approval.users.iter().map(|user| self.user_info(user)).collect();
        Ok(json!({
            "object_id": key.object_id, "object_type": key.object_type, "version_id": key.version_id,
            "status": approval.status, "user_status": own.map_or("N/A".into(), |own| own["status"].clone()),
            "users": approval.users, "groups": approval.groups, "externals": approval.externals,
            "min_number": approval.min_number, "requested_by": approval.requested_by,
            "request_date": approval.request_date, "change_date": approval.change_date,
            "share_id": approval.share_id, "approvals_by": by,
            "users_info": info.into_iter().filter(|info| !info.is_null()).collect::<Vec<_>>(),
        }))
    }

    /// One entry for each reviewer, also for who has said nothing yet.
    pub(in crate::iconik) fn verdicts_view(&self, key: &ApprovalKey) -> Outcome<Vec<Value>> {
        let approval = self.approval(key)?;
        let shown = |user: Option<&str>, external: Option<&str>, status: &str, date: &Value| {
            json!({
                "object_id": key.object_id, "object_type": key.object_type, "version_id": key.version_id,
                "status": status, "user": user, "external": external, "change_date": date,
            })
        };
        let silent = |reviewer: &&String| !approval.verdicts.iter().any(|verdict| verdict.is_by(reviewer));
        let said = approval.verdicts.iter().map(|verdict| {
            shown(verdict.user.as_deref(), verdict.external.as_deref(), &verdict.status, &verdict.change_date)
        });
        let users = approval.users.iter().filter(silent);
        let externals = approval.externals.iter().filter(silent);
        Ok(said
            .chain(users.map(|user| shown(Some(user), None, "REQUESTED", &approval.request_date)))
            .chain(externals.map(|external| shown(None, Some(external), "REQUESTED", &approval.request_date)))
            .collect())
    }
}

fn missing(key: &ApprovalKey) -> Refusal {
    Refusal::NotFound(format!("No approval was requested for {}", key.object_id))
}

type Reviewers = (Option<Vec<String>>, Option<Vec<String>>, Option<Vec<String>>, Option<u64>);

/// Users, groups, others and the number of a request. What is not given is `None`.
fn reviewers(given: &Object) -> Outcome<Reviewers> {
    let list = |name: &str| match given.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) => {
            Ok(Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect()))
        }
        Some(_) => Err(Refusal::field(name, "Not a valid list.")),
    };
    let number = match given.get("min_number") {
        None | Some(Value::Null) => None,
        Some(number) => match number.as_u64().filter(|number| *number > 0) {
            Some(number) => Some(number),
            None => return Err(Refusal::field("min_number", "Must be greater than or equal to 1.")),
        },
    };
    Ok((list("users")?, list("groups")?, list("externals")?, number))
}
