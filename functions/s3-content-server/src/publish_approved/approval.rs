//! Which version of a document is approved, and what was decided about it.
//!
//! Where the category does not say which version is meant, it is the newest one when the approval is first seen. That is
//! written into a log, so that a version added later is not taken for an approved one; seen without approval, the
//! document may be approved anew. Requests are entries of the same log.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use shared::{
    content_server::{AttributeValue, NodeId, Version},
    error::{Error, Result},
    flow::{Flow, Run},
};

use super::{PublishApproved, again, standing::Withheld};
use crate::{
    category_values,
    offload_content::pointer::is_pointer,
    publish_rules::{Approved, PublishRule},
};

/// What was decided last about a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Decision {
    /// This version is approved: seen, or requested.
    Approved(i64),
    /// It was seen without approval.
    Revoked,
    /// Somebody asked to withdraw this version, whatever the category says.
    Withdrawn(i64),
}

/// A decision as the log has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Noted {
    pub(super) decision: Decision,
    /// When it was made, in seconds: as a workflow says, or when it was seen or asked for.
    pub(super) at: i64,
}

/// Whether what is seen of a document is noted: by deliveries it is, by those who only look it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noting {
    Decisions,
    Nothing,
}

impl Noting {
    pub(super) fn of(run: &Run) -> Self {
        if run.is_dry() { Self::Nothing } else { Self::Decisions }
    }
}

/// A version that is approved.
#[derive(Debug, Clone)]
pub(super) struct Approval {
    pub(super) version: Version,
    /// The values of the approving category.
    pub(super) attributes: BTreeMap<String, AttributeValue>,
    /// When the approval ends by itself.
    pub(super) valid_until: Option<Timestamp>,
}

impl PublishApproved {
    fn decisions(node: NodeId) -> String {
        format!("decisions node-{node}")
    }

    pub(super) async fn last_decision(&self, node: NodeId) -> Result<(u64, Option<Decision>)> {
        let (place, noted) = self.last_noted(node).await?;
        Ok((place, noted.map(|noted| noted.decision)))
    }

    pub(super) async fn last_noted(&self, node: NodeId) -> Result<(u64, Option<Noted>)> {
        let end = self.environment.ledger.log_end(Self::NAME, &Self::decisions(node)).await?;
        let Some((place, text)) = end else { return Ok((0, None)) };
        let noted = serde_json::from_str(&text).map_err(|error| {
            Error::bug("read decision", "a decision in the ledger cannot be read").source(error)
        })?;
        Ok((place, Some(noted)))
    }

    async fn write_decision(&self, node: NodeId, after: u64, decision: Decision) -> Result<()> {
        let at = self.environment.context.now().as_second();
        self.note(node, after, &Noted { decision, at }).await
    }

    pub(super) async fn note(&self, node: NodeId, after: u64, noted: &Noted) -> Result<()> {
        let text = serde_json::to_string(noted)
            .map_err(|error| Error::bug("decide", "a decision is not JSON").source(error))?;
        let ledger = &self.environment.ledger;
        if ledger.append_log(Self::NAME, &Self::decisions(node), after, &text).await? {
            return Ok(());
        }
        Err(again("publish.busy", "another decision about this document was written meanwhile"))
    }

    /// Takes a request down, once per item: a later attempt must not put an older request behind a newer one.
    pub(super) async fn decide(
        &self,
        node: NodeId,
        request: &str,
        version: Option<i64>,
        run: &Run,
    ) -> Result<()> {
        const DECIDED: &str = "decided";
        if run.recorded::<bool>(DECIDED) == Some(true) {
            return Ok(());
        }
        let (place, last) = self.last_decision(node).await?;
        let version = match version {
            Some(version) => version,
            // What is not there can be withdrawn all the same.
            None => match self.content_server.list_versions(node).await {
                Ok(versions) => self.meant(node, &last, request, &versions).await?,
                Err(error) if super::standing::is_missing(&error) => return Ok(()),
                Err(error) => return Err(error),
            },
        };
        let decision =
            if request == "publish" { Decision::Approved(version) } else { Decision::Withdrawn(version) };
        if last.as_ref() != Some(&decision) {
            self.write_decision(node, place, decision).await?;
        }
        run.checkpoint(DECIDED, &true).await
    }

    /// The version a request means that names none: to withdraw, the approved one; to publish, the newest.
    async fn meant(
        &self,
        node: NodeId,
        last: &Option<Decision>,
        request: &str,
        versions: &[Version],
    ) -> Result<i64> {
        let newest = versions.last().map_or(0, |version| version.number);
        if request == "publish" {
            return Ok(newest);
        }
        if let Some(Decision::Approved(version) | Decision::Withdrawn(version)) = last {
            return Ok(*version);
        }
        for rule in &self.rules.rules {
            let Approved::Attribute { category, version: Some(name), .. } = &rule.approved else { continue };
            let category = self.places.id(&self.content_server, category).await?;
            let values = category_values::read(&self.content_server, node, category).await?;
            let number = values.and_then(|values| values.get(name).map(category_values::text));
            if let Some(number) = number.and_then(|text| text.parse().ok()) {
                return Ok(number);
            }
        }
        Ok(newest)
    }

    /// The approved version of a document under a rule, or why there is none.
    pub(super) async fn approval(
        &self,
        node: NodeId,
        rule: &PublishRule,
        noting: Noting,
    ) -> Result<std::result::Result<Approval, Withheld>> {
        let versions = self.content_server.list_versions(node).await?;
        let newest = versions.last().map(|version| version.number);
        let (place, last) = self.last_decision(node).await?;
        let (number, attributes) = match &rule.approved {
            Approved::Request | Approved::Workflow { .. } => match last {
                Some(Decision::Approved(number)) => (number, BTreeMap::new()),
                Some(Decision::Withdrawn(_)) => return Ok(Err(Withheld::withdrawn())),
                Some(Decision::Revoked) | None => return Ok(Err(Withheld::unapproved())),
            },
            Approved::Attribute { category, attribute, values, version } => {
                let category = self.places.id(&self.content_server, category).await?;
                let there = category_values::read(&self.content_server, node, category).await?;
                let state = there.as_ref().map(|there| named(there, attribute)).transpose()?;
                let Some(there) = there.filter(|_| state.is_some_and(|state| values.contains(&state))) else {
                    if !matches!(last, None | Some(Decision::Revoked)) && noting == Noting::Decisions {
                        self.write_decision(node, place, Decision::Revoked).await?;
                    }
                    return Ok(Err(Withheld::unapproved()));
                };
                let number = match version {
                    Some(name) => match named(&there, name)?.parse::<i64>() {
                        Ok(number) => number,
                        Err(_) => return Ok(Err(Withheld::no_version())),
                    },
                    None => match last {
                        Some(Decision::Approved(number) | Decision::Withdrawn(number)) => number,
                        Some(Decision::Revoked) | None => {
                            self.newly_approved(node, newest, place, noting).await?
                        }
                    },
                };
                let withdrawn = match last {
                    Some(Decision::Withdrawn(withdrawn)) => version.is_none() || withdrawn == number,
                    _ => false,
                };
                if withdrawn {
                    return Ok(Err(Withheld::withdrawn()));
                }
                (number, there)
            }
        };
        let Some(version) = versions.into_iter().find(|version| version.number == number) else {
            return Ok(Err(Withheld::version_gone(number)));
        };
        if is_pointer(&version) {
            return Ok(Err(Withheld::offloaded(number)));
        }
        let valid_until = match &rule.expires {
            Some(name) => ends(&attributes, name)?,
            None => None,
        };
        if valid_until.is_some_and(|until| until <= self.environment.context.now()) {
            return Ok(Err(Withheld::expired()));
        }
        Ok(Ok(Approval { version, attributes, valid_until }))
    }

    /// An approval that is seen for the first time is of the version that was the newest before and after it was read.
    async fn newly_approved(
        &self,
        node: NodeId,
        before: Option<i64>,
        place: u64,
        noting: Noting,
    ) -> Result<i64> {
        let after = self.content_server.latest_version(node).await?.number;
        if before != Some(after) {
            return Err(again("publish.changing", "a version was added while the approval was being read"));
        }
        if noting == Noting::Decisions {
            self.write_decision(node, place, Decision::Approved(after)).await?;
        }
        Ok(after)
    }
}

/// The text of an attribute that a rule names.
fn named(values: &BTreeMap<String, AttributeValue>, name: &str) -> Result<String> {
    values.get(name).map(category_values::text).ok_or_else(|| unknown(name))
}

/// When a day of an attribute begins, in universal time.
fn ends(values: &BTreeMap<String, AttributeValue>, name: &str) -> Result<Option<Timestamp>> {
    match values.get(name) {
        None => Err(unknown(name)),
        Some(AttributeValue::Date(day)) => {
            let midnight = day.to_zoned(TimeZone::UTC).map_err(|error| {
                Error::invalid("publish.bad-date", "the day from which on it is not valid is no day")
                    .field(name)
                    .source(error)
            })?;
            Ok(Some(midnight.timestamp()))
        }
        Some(AttributeValue::Moment(moment)) => Ok(Some(*moment)),
        Some(value) if value.is_empty() => Ok(None),
        Some(_) => Err(Error::configuration("publish.bad-date", "the attribute holds no date")
            .field(name)
            .remedy("name an attribute of the type date as `expires`")),
    }
}

fn unknown(name: &str) -> Error {
    let message = format!("the approving category has no attribute {name:?}");
    Error::configuration("publish.attribute-unknown", message)
        .field(name)
        .remedy("correct the name in the rules, or add the attribute to the category")
}
