//! How a workflow stands, and telling it in iconik.

use std::collections::BTreeSet;

use serde_json::json;
use shared::{
    content_server::{ProcessId, WorkflowStatus, WorkflowStep},
    error::{Error, FailureClass, Result, System},
    flow::{Delivery, Outcome, Run},
    iconik::AssetStatus,
    ledger::Key,
};

use super::{
    StartSignoff,
    memory::{Ending, Workflow},
    sentences::Step,
    skipped,
};
use crate::signoff_rules::SignoffRule;

/// How a workflow stands once it was looked at.
pub(super) struct Followed {
    pub(super) workflow: Workflow,
    /// How it ended; nothing while it runs.
    pub(super) ending: Option<Ending>,
    /// Whether iconik was told something.
    pub(super) is_news: bool,
    /// Whether iconik could be told: the asset is not in the recycle bin.
    pub(super) is_told: bool,
}

/// Everything of a workflow that iconik may be told.
#[derive(Default)]
pub(super) struct Standing {
    pub(super) steps: Vec<Step>,
    /// The steps somebody works on.
    pub(super) current: Vec<String>,
    pub(super) ending: Option<Ending>,
    /// Who decided, once it is decided.
    pub(super) decided_by: Vec<String>,
    /// It has ended, and nothing in it says how.
    pub(super) is_undecided: bool,
}

impl StartSignoff {
    pub(super) async fn moved_alone(&self, process: ProcessId, run: &Run) -> Result<Outcome> {
        if run.is_dry() {
            return skipped("dry-run", "it would tell iconik how the workflow stands");
        }
        let followed = self.follow(process, run).await?;
        match followed.ending {
            Some(Ending::Gone) => Err(gone()),
            _ if !followed.is_told => {
                skipped("asset.in-recycle-bin", "the asset is in the recycle bin; nobody is told")
            }
            Some(_) if !followed.is_news => {
                skipped("decision.already", "what follows from this decision was done before")
            }
            None if !followed.is_news => skipped("workflow.running", "the workflow has not moved"),
            _ => Ok(Outcome::Delivered(delivery(process, &followed))),
        }
    }

    /// Tells iconik what it does not know yet of a workflow, and says how the workflow stands. Only under the lock of its
    /// asset.
    pub(super) async fn follow(&self, process: ProcessId, run: &Run) -> Result<Followed> {
        let workflow = self.workflow(process).await?;
        let mut workflow = workflow.ok_or_else(|| Error::bug("follow", "a workflow nobody remembers"))?;
        if let Some(ending) = workflow.closed {
            return Ok(Followed { workflow, ending: Some(ending), is_news: false, is_told: true });
        }
        let status = self.content_server.find_workflow(process).await?;
        let seen = seen(status.as_ref());
        let standing = self.standing(&workflow, status.as_ref()).await?;
        let ending = standing.ending;
        let is_news = workflow.seen != seen || ending.is_some();
        if run.is_dry() || !is_news {
            return Ok(Followed { workflow, ending, is_news, is_told: true });
        }
        let asset = self.iconik.find_asset(&workflow.asset).await?;
        match asset {
            // What the bin gives back is told then.
            Some(asset) if asset.status == AssetStatus::Deleted => {
                return Ok(Followed { workflow, ending, is_news: false, is_told: false });
            }
            Some(asset) => self.tell(process, &asset, &mut workflow, &standing, run).await?,
            None => run.note("asset-gone", "nobody is left to be told"),
        }
        if standing.is_undecided {
            return Err(undecided(&workflow));
        }
        workflow.seen = seen;
        workflow.closed = ending;
        self.remember_workflow(process, &workflow, run).await?;
        if let Some(ending) = ending {
            run.note("decision", ending.word());
        }
        Ok(Followed { workflow, ending, is_news, is_told: true })
    }

    /// How a workflow stands by what Content Server says.
    pub(super) async fn standing(
        &self,
        workflow: &Workflow,
        status: Option<&WorkflowStatus>,
    ) -> Result<Standing> {
        let rule = self.rules.rule(&workflow.rule).ok_or_else(|| no_rule(workflow))?;
        let Some(status) = status else {
            return Ok(Standing { ending: Some(Ending::Gone), ..Standing::default() });
        };
        let mut steps = Vec::with_capacity(status.completed.len());
        for step in &status.completed {
            steps.push(self.step(rule, step).await?);
        }
        let current = status.current.iter().map(|step| step.name.clone()).collect();
        let decided = decision(rule, &steps);
        let (ending, decided_by) = match decided {
            _ if !status.is_ended() => (None, Vec::new()),
            _ if status.is_stopped() && workflow.withdrawn.is_some() => (Some(Ending::Withdrawn), Vec::new()),
            _ if status.is_stopped() => (Some(Ending::Stopped), Vec::new()),
            Some((ending, people)) => (Some(ending), people),
            None => (None, Vec::new()),
        };
        let is_undecided = status.is_ended() && ending.is_none();
        Ok(Standing { steps, current, ending, decided_by, is_undecided })
    }

    /// A finished step with the names of the people who did it.
    async fn step(&self, rule: &SignoffRule, step: &WorkflowStep) -> Result<Step> {
        let people = self.content_server.names_of(&step.people).await?;
        Ok(Step {
            id: step_id(step),
            name: step.name.clone(),
            disposition: step.disposition.clone(),
            comment: step.comment.clone(),
            people,
            ended: step.ended,
            is_deciding: rule.steps.contains(&step.name),
        })
    }
}

/// What tells a step from every other one of its workflow. A step that is done again ends at another time.
fn step_id(step: &WorkflowStep) -> String {
    let task = step.task_id.map_or_else(|| step.name.clone(), |task| task.to_string());
    match step.ended {
        Some(ended) => format!("{task}/{}", ended.as_second()),
        None => task,
    }
}

/// What the deciding steps amount to, and who did them: rejected by the first that does not approve, approved when all of
/// them have; nothing while one says nothing. Of a step that was done several times the last one counts.
fn decision(rule: &SignoffRule, steps: &[Step]) -> Option<(Ending, Vec<String>)> {
    let mut people: Vec<String> = Vec::new();
    let mut missing = false;
    for name in &rule.steps {
        let done = steps.iter().enumerate().filter(|(_, step)| step.name == *name);
        let last = done.max_by_key(|(place, step)| (step.ended, *place)).map(|(_, step)| step);
        let Some(step) = last.filter(|step| !step.disposition.trim().is_empty()) else {
            missing = true;
            continue;
        };
        let disposition = step.disposition.trim();
        if !rule.approved.iter().any(|approved| approved.eq_ignore_ascii_case(disposition)) {
            return Some((Ending::Rejected, step.people.clone()));
        }
        people.extend(step.people.iter().filter(|name| !people.contains(*name)).cloned().collect::<Vec<_>>());
    }
    (!missing).then_some((Ending::Approved, people))
}

/// A short hash of how a workflow stands, as far as iconik is told of it.
pub(super) fn seen(status: Option<&WorkflowStatus>) -> String {
    let Some(status) = status else { return "gone".to_owned() };
    let done: BTreeSet<String> =
        status.completed.iter().map(|step| format!("{} {}", step_id(step), step.disposition)).collect();
    let current = status.current.iter().map(|step| step.name.clone());
    let mut parts = vec![status.status.clone()];
    parts.extend(done);
    parts.push("now".to_owned());
    parts.extend(current);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    Key::of(&parts).digest().chars().take(16).collect()
}

fn no_rule(workflow: &Workflow) -> Error {
    Error::configuration("rule.gone", format!("there is no rule {:?} any more", workflow.rule))
        .remedy("keep a rule as long as its workflows run; put it back, then tell of the workflow again")
}

fn undecided(workflow: &Workflow) -> Error {
    let message = "the workflow has ended, and not all of its deciding steps say how";
    Error::invalid("decision.missing", message).field("decision.steps").remedy(format!(
        "correct the names of the steps in the rule {}, or give the steps dispositions in the map",
        workflow.rule
    ))
}

fn gone() -> Error {
    Error::new(
        FailureClass::Gone,
        System::ContentServer,
        "read decision",
        "workflow.gone",
        "the workflow was deleted, or is no longer kept: nobody knows its decision",
    )
    .remedy(
        "keep completed workflows longer than the rounds are apart; have the version signed off anew in iconik",
    )
}

/// What a workflow's standing is delivered as.
pub(super) fn delivery(process: ProcessId, followed: &Followed) -> Delivery {
    let Followed { workflow, ending, .. } = followed;
    let decision = ending.map_or("none yet", Ending::word);
    Delivery {
        result: json!({
            "workflow": process, "asset": workflow.asset, "version": workflow.version, "round": workflow.round,
            "rule": workflow.rule, "decision": decision,
        }),
        detail: [
            ("workflow", process.0.to_string()),
            ("version", workflow.version.as_str().to_owned()),
            ("round", workflow.round.to_string()),
            ("rule", workflow.rule.clone()),
            ("decision", decision.to_owned()),
        ]
        .map(|(name, fact)| (name.to_owned(), fact))
        .into(),
        ..Delivery::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signoff_rules::SignoffRules;

    fn rule() -> SignoffRule {
        let text = include_str!("../../rules/examples/signoff-healthcare.toml");
        let rules = SignoffRules::parse(text, "rules.toml").unwrap_or_else(|found| panic!("{found}"));
        rules.rule("patient-material").unwrap().clone()
    }

    fn step(name: &str, disposition: &str, by: &str, second: i64) -> Step {
        Step {
            id: format!("{name}/{second}"),
            name: name.into(),
            disposition: disposition.into(),
            comment: String::new(),
            people: vec![by.into()],
            ended: jiff::Timestamp::from_second(second).ok(),
            is_deciding: true,
        }
    }

    #[test]
    fn every_deciding_step_has_to_approve() {
        let rule = rule();
        let medical = step("Medical Review", "Approve", "medical", 1);
        let legal = step("Legal Review", "approve with comments", "legal", 2);
        let regulatory = step("Regulatory Review", "Approve", "medical", 3);
        let other = step("Archive", "Refuse", "clerk", 4);
        let steps = [medical.clone(), legal.clone(), regulatory.clone(), other];
        assert_eq!(
            decision(&rule, &steps),
            Some((Ending::Approved, vec!["medical".to_owned(), "legal".to_owned()]))
        );
        assert_eq!(decision(&rule, &steps[..2]), None, "one has said nothing");
        let refused = step("Legal Review", "Refuse", "legal", 2);
        assert_eq!(
            decision(&rule, &[medical.clone(), refused.clone()]),
            Some((Ending::Rejected, vec!["legal".to_owned()]))
        );
        let silent = step("Regulatory Review", " ", "x", 3);
        assert_eq!(decision(&rule, &[medical.clone(), legal.clone(), silent]), None);
        // It went back and was done again: what was said last counts, in whatever order it is listed.
        let again = step("Legal Review", "Approve", "legal", 9);
        for steps in [
            [medical.clone(), refused.clone(), again.clone(), regulatory.clone()],
            [medical, again, refused, regulatory],
        ] {
            assert_eq!(decision(&rule, &steps).map(|(ending, _)| ending), Some(Ending::Approved));
        }
    }
}
