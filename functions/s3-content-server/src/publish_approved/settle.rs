//! Brings a publication into line with Content Server, and looks again until both agree.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::json;
use shared::{
    error::Result,
    flow::{Delivery, Flow, Outcome, Reason, Run},
};

use super::{
    PublishApproved, again,
    approval::Noting,
    copies::{Copy, Place},
    publication,
    standing::{Content, Offer, Standing, Unit, Withheld},
};

/// How often a publication that keeps changing is brought into line within one attempt.
const ROUNDS: usize = 5;
/// How long a day on which something expires is remembered beyond it, in days.
const REMEMBERED_DAYS: i64 = 400;

/// A publication being worked on.
pub(super) struct Work<'a> {
    pub(super) unit: &'a Unit,
    /// Whether links that are over are issued anew.
    pub(super) renew: bool,
    pub(super) run: &'a Run,
}

/// What became of making a copy.
pub(super) enum Made {
    /// It is there, and so many bytes were read for it.
    Copy(Copy, u64),
    /// Content Server says something else by now.
    Changed,
    /// It goes on in the next invocation.
    Paused,
}

/// What became of a publication.
pub(super) enum Settled {
    Done(Box<Done>),
    Paused,
}

/// What a publication is like now, and what was done for it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Done {
    /// Which one.
    publication: String,
    /// Where the copy is, when it is published.
    location: Option<String>,
    sha256: Option<String>,
    version: Option<i64>,
    /// Documents of a package.
    documents: Option<usize>,
    /// Why it is not published.
    #[serde(skip)]
    reason: Option<Reason>,
    /// Whether anything was changed.
    changed: bool,
    /// Copies removed and links taken back.
    removed: usize,
    revoked: usize,
    #[serde(skip)]
    bytes: u64,
}

enum Step {
    Done(Box<Done>),
    Changed,
    Paused,
}

impl PublishApproved {
    pub(super) async fn settle(&self, unit: &Unit, renew: bool, run: &Run) -> Result<Settled> {
        let work = Work { unit, renew, run };
        let noting = Noting::of(run);
        let mut standing = self.standing(unit, noting).await?;
        let mut before: Option<Done> = None;
        for _ in 0..ROUNDS {
            if run.must_stop() {
                return Ok(Settled::Paused);
            }
            if run.is_dry() {
                return Ok(Settled::Done(Box::new(self.told_only(&work, &standing).await?)));
            }
            let step = match &standing {
                Standing::Offered(offer) => Box::pin(self.publish(&work, offer)).await?,
                Standing::Withheld(why) => Step::Done(Box::new(self.withdraw(&work, why).await?)),
            };
            let now = match step {
                Step::Paused => return Ok(Settled::Paused),
                Step::Done(done) => {
                    let done = done.after(before.take());
                    if !done.changed {
                        return Ok(Settled::Done(Box::new(done)));
                    }
                    // What was true before may not be any more, now that it is done.
                    let now = self.standing(unit, noting).await?;
                    if now.same(&standing) {
                        return Ok(Settled::Done(Box::new(done)));
                    }
                    before = Some(done);
                    now
                }
                Step::Changed => self.standing(unit, noting).await?,
            };
            standing = now;
        }
        Err(again("publish.changing", "the document changes faster than it can be published"))
    }

    async fn publish(&self, work: &Work<'_>, offer: &Offer<'_>) -> Result<Step> {
        if let Some(until) = offer.valid_until {
            let day = until.to_zoned(TimeZone::UTC).date().to_string();
            let forgotten = until.checked_add(jiff::SignedDuration::from_hours(24 * REMEMBERED_DAYS)).ok();
            let node = work.unit.node().to_string();
            let set = format!("expires {day}");
            self.environment.ledger.add_member(Self::NAME, &set, &node, forgotten).await?;
        }
        let (copy, bytes, mut changed) = match self.look(work.unit, offer).await? {
            Place::Holds(copy) => (copy, 0, false),
            over => {
                // Before it is put there: whoever withdraws it must know where to look.
                self.remember("copies", work.unit, &offer.key).await?;
                let made = match &offer.content {
                    Content::Version(version) => {
                        Box::pin(self.copy_document(work, offer, version, &over)).await?
                    }
                    Content::Members(members) => {
                        Box::pin(self.copy_package(work, offer, members, &over)).await?
                    }
                };
                match made {
                    Made::Copy(copy, bytes) => (copy, bytes, true),
                    Made::Changed => return Ok(Step::Changed),
                    Made::Paused => return Ok(Step::Paused),
                }
            }
        };
        let told = self.told(work.unit.node()).await?;
        let mut links = BTreeMap::new();
        for audience in &offer.rule.audiences {
            let before = publication::text(&told, &audience.attribute);
            let before = Some(before.as_str()).filter(|text| !text.is_empty());
            let (address, moved) = self.link(work, offer, &copy, audience, before).await?;
            changed |= moved;
            links.insert(audience.attribute.clone(), address);
        }
        changed |= self.tell(work.unit.node(), &told, (offer, &copy), &links, work.run).await?;
        let revoked = self.revoke(work.unit, &offer.rule.audiences, "superseded").await?;
        let removed = self.remove_copies(work.unit, Some(&copy)).await?;
        Ok(Step::Done(Box::new(Done {
            location: Some(copy.uri(self.bucket())),
            sha256: Some(copy.sha256.clone()),
            version: match &offer.content {
                Content::Version(version) => Some(version.number),
                Content::Members(_) => None,
            },
            documents: match &offer.content {
                Content::Version(_) => None,
                Content::Members(members) => Some(members.len()),
            },
            changed: changed || revoked > 0 || removed > 0,
            removed,
            revoked,
            bytes,
            ..Done::of(work.unit, None)
        })))
    }

    async fn withdraw(&self, work: &Work<'_>, why: &Withheld) -> Result<Done> {
        let revoked = self.revoke(work.unit, &[], why.code).await?;
        let removed = self.remove_copies(work.unit, None).await?;
        let told = match why.code {
            // Nobody is there to be told; what a container says is said of its package.
            "node.gone" | "node.no-document" => false,
            _ => self.tell_withdrawn(work.unit.node(), why.code, work.run).await?,
        };
        Ok(Done {
            changed: told || revoked > 0 || removed > 0,
            removed,
            revoked,
            ..Done::of(work.unit, Some(why.reason()))
        })
    }

    /// What would be done.
    async fn told_only(&self, work: &Work<'_>, standing: &Standing<'_>) -> Result<Done> {
        let reason = match standing {
            Standing::Withheld(why) => why.reason(),
            Standing::Offered(offer) => match self.look(work.unit, offer).await? {
                Place::Holds(_) => Reason::new("publish.already", "it is published already"),
                Place::Free | Place::Other(_) => {
                    work.run.note("would-publish", &offer.key);
                    let message = format!("rule {} would publish it under {:?}", offer.rule.name, offer.key);
                    Reason::new("dry-run", message)
                }
            },
        };
        Ok(Done::of(work.unit, Some(reason)))
    }
}

impl Done {
    fn of(unit: &Unit, reason: Option<Reason>) -> Self {
        Self {
            publication: unit.name(),
            location: None,
            sha256: None,
            version: None,
            documents: None,
            reason,
            changed: false,
            removed: 0,
            revoked: 0,
            bytes: 0,
        }
    }

    /// With what an earlier round has done.
    fn after(self, before: Option<Self>) -> Self {
        match before {
            Some(before) => Self {
                changed: true,
                removed: self.removed + before.removed,
                revoked: self.revoked + before.revoked,
                bytes: self.bytes + before.bytes,
                ..self
            },
            None => self,
        }
    }
}

/// How the item ends: delivered when anything was changed, or may have been by an earlier attempt.
pub(super) fn outcome(all: Vec<Done>, run: &Run) -> Outcome {
    let published = all.iter().find(|done| done.location.is_some());
    let delivered = all.iter().any(|done| done.changed) || run.is_taken_over() && published.is_some();
    if !delivered {
        let reason = all.iter().rev().find_map(|done| done.reason.clone());
        return Outcome::Skipped(match (published, reason) {
            (Some(_), _) | (None, None) => Reason::new("publish.already", "it is published already"),
            (None, Some(reason)) => reason,
        });
    }
    let removed: usize = all.iter().map(|done| done.removed).sum();
    let revoked: usize = all.iter().map(|done| done.revoked).sum();
    let mut detail: BTreeMap<String, String> = [("copies-removed", removed), ("links-revoked", revoked)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| (name.to_owned(), count.to_string()))
        .collect();
    match published {
        Some(done) => {
            detail.insert("published".to_owned(), done.location.clone().unwrap_or_default());
            detail.extend(done.version.map(|version| ("version".to_owned(), version.to_string())));
        }
        None => {
            let code = all.iter().find_map(|done| done.reason.as_ref()).map(|reason| reason.code.clone());
            detail.insert("withdrawn".to_owned(), code.unwrap_or_default());
        }
    }
    Outcome::Delivered(Delivery {
        digest: published.and_then(|done| done.sha256.clone()),
        bytes: all.iter().map(|done| done.bytes).sum(),
        result: json!({ "publications": all }),
        detail,
    })
}
