//! What the ledger remembers of cases and their workflows.
//!
//! | what | where |
//! |---|---|
//! | which workflow a case has, and how many it had | the note of the case, written under its lock |
//! | which upload starts the workflow of a round | a note, written by the first one |
//! | the workflows that are known, and what was decided | the list `workflows`, by number |
//! | what came into a workflow | the list `inputs-<workflow>`, by a number made of the item |

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use shared::{
    content_server::ProcessId,
    error::{Error, Result},
    flow::{Flow, Run},
    ledger::{Key, Ledger, Sighting},
};

use super::StageAttachments;
use crate::staging_rules::Staged;

const WORKFLOWS: &str = "workflows";
/// Inputs of one workflow that are read, and workflows of one step of a round.
const MOST: usize = 5_000;

/// A case: uploads of one rule with one title.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// A short hash of rule and title.
    pub(super) key: String,
    pub(super) rule: String,
    pub(super) title: String,
    pub(super) folder: Vec<String>,
}

impl Case {
    pub(super) fn of(rule: &str, staged: &Staged) -> Self {
        let digest = Key::of(&["case", rule, &staged.title]).digest().to_owned();
        Self {
            key: digest.chars().take(12).collect(),
            rule: rule.to_owned(),
            title: staged.title.clone(),
            folder: staged.folder.clone(),
        }
    }

    /// The title of the workflow of one round: how one whose start was not confirmed is recognised. It follows from the
    /// case alone, not from which upload came first.
    pub(super) fn marked_title(&self, round: u32) -> String {
        format!("{} [{}-{round}]", self.title, self.key)
    }

    /// Whether a workflow's title is this case's: as people write it, or as a round of ours has it.
    pub(super) fn is_titled(&self, title: &str) -> bool {
        let rest = title.strip_prefix(self.title.as_str());
        let rest = rest.and_then(|rest| rest.strip_prefix(" [")).and_then(|rest| rest.strip_suffix(']'));
        let round = rest.and_then(|rest| rest.strip_prefix(self.key.as_str())?.strip_prefix('-'));
        title == self.title || round.is_some_and(|round| round.parse::<u32>().is_ok())
    }
}

/// What is remembered of a case.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Known {
    /// How many workflows the case has had.
    pub(super) round: u32,
    /// The newest of them.
    pub(super) process: Option<ProcessId>,
}

/// Who starts the workflow of a round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Starting {
    /// The item that does.
    pub(super) item: String,
    /// Since when, in milliseconds since the epoch.
    pub(super) since: i64,
}

/// A workflow this flow has put something into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Workflow {
    pub(super) rule: String,
    pub(super) title: String,
    pub(super) folder: Vec<String>,
    pub(super) round: u32,
    /// What was decided, once everything that follows from it is done.
    pub(super) closed: Option<Closed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Closed {
    pub(super) decision: String,
    /// When, in seconds since the epoch.
    pub(super) at: i64,
}

/// An upload that was attached to a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Input {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) version_id: Option<String>,
    pub(super) etag: String,
    pub(super) sha256: String,
    pub(super) size: u64,
    /// The attachment's name.
    pub(super) name: String,
    /// The attachment only says where the object is.
    pub(super) is_reference: bool,
}

impl StageAttachments {
    pub(super) async fn known(&self, case: &Case, run: &Run) -> Result<Known> {
        let text = run.ledger().note(Self::NAME, &note_of(case)).await?;
        text.map_or_else(|| Ok(Known::default()), |text| read(&text))
    }

    pub(super) async fn remember_case(&self, case: &Case, known: &Known, run: &Run) -> Result<()> {
        run.ledger().set_note(Self::NAME, &note_of(case), &text(known)?).await
    }

    /// Who starts the workflow of a round, if somebody does.
    pub(super) async fn starting(&self, case: &Case, round: u32, run: &Run) -> Result<Option<Starting>> {
        let text = run.ledger().note(Self::NAME, &start_of(case, round)).await?.unwrap_or_default();
        if text.is_empty() { Ok(None) } else { read(&text).map(Some) }
    }

    /// Makes this item the one that starts the workflow of a round, unless another one is; says which one it is. The
    /// lock of the case keeps others away for as long as clocks agree; this holds whatever clocks say.
    pub(super) async fn begin_start(
        &self,
        case: &Case,
        round: u32,
        item: &Key,
        run: &Run,
    ) -> Result<Starting> {
        let ours = Starting { item: item.short().to_owned(), since: run.context().now_milliseconds() };
        let first = run.ledger().first_note(Self::NAME, &start_of(case, round), &text(&ours)?).await?;
        read(&first)
    }

    /// Lets another upload start the workflow of a round.
    pub(super) async fn give_up_start(&self, case: &Case, round: u32, run: &Run) -> Result<()> {
        run.ledger().set_note(Self::NAME, &start_of(case, round), "").await
    }

    /// What is remembered of a workflow; nothing when this flow has put nothing into it.
    pub(super) async fn workflow_facts(&self, process: ProcessId, run: &Run) -> Result<Option<Workflow>> {
        let found = run.ledger().sightings(Self::NAME, WORKFLOWS, &[process.0]).await?;
        found.first().map(|sighting| read(&sighting.facts)).transpose()
    }

    pub(super) async fn remember_workflow(
        &self,
        process: ProcessId,
        workflow: &Workflow,
        run: &Run,
    ) -> Result<()> {
        let sighting = Sighting { id: process.0, facts: text(workflow)? };
        run.ledger().remember(Self::NAME, WORKFLOWS, &sighting, workflow.closed.is_some()).await
    }

    /// Known workflows behind a number, in order; fewer than [`MOST`] only at the end.
    pub(super) async fn workflows_behind(&self, after: i64, run: &Run) -> Result<Vec<(ProcessId, Workflow)>> {
        let found = run.ledger().sightings_between(Self::NAME, WORKFLOWS, after, i64::MAX, MOST).await?;
        found.into_iter().map(|one| Ok((ProcessId(one.id), read(&one.facts)?))).collect()
    }

    pub(super) async fn remember_input(
        &self,
        process: ProcessId,
        item: &Key,
        input: &Input,
        run: &Run,
    ) -> Result<()> {
        let digits = item.digest().get(..15).unwrap_or_default();
        let id = i64::from_str_radix(digits, 16)
            .map_err(|error| Error::bug("remember input", "an item has no digest").source(error))?;
        let sighting = Sighting { id, facts: text(input)? };
        run.ledger().remember(Self::NAME, &inputs_of(process), &sighting, false).await
    }

    /// What came into a workflow, by key and version.
    pub(super) async fn inputs(&self, process: ProcessId, run: &Run) -> Result<Vec<Input>> {
        all_inputs(run.ledger(), process).await
    }
}

async fn all_inputs(ledger: &Ledger, process: ProcessId) -> Result<Vec<Input>> {
    let list = inputs_of(process);
    let mut inputs: Vec<Input> = Vec::new();
    let mut after = -1;
    loop {
        let page = ledger.sightings_between(StageAttachments::NAME, &list, after, i64::MAX, MOST).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for one in &page {
            inputs.push(read(&one.facts)?);
        }
    }
    inputs.sort_by(|one, other| (&one.key, &one.version_id).cmp(&(&other.key, &other.version_id)));
    Ok(inputs)
}

fn note_of(case: &Case) -> String {
    format!("case-{}", case.key)
}

fn start_of(case: &Case, round: u32) -> String {
    format!("start-{}-{round}", case.key)
}

fn inputs_of(process: ProcessId) -> String {
    format!("inputs-{}", process.0)
}

fn text<T: Serialize>(facts: &T) -> Result<String> {
    serde_json::to_string(facts).map_err(|error| Error::bug("remember", "facts are not JSON").source(error))
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| Error::bug("read what is remembered", "facts of another release").source(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_says_which_case_and_which_round_it_is() {
        let staged = Staged {
            title: "Review of C-1".into(),
            attributes: Vec::new(),
            name: "a.pdf".into(),
            folder: vec!["C-1".into()],
            filed: None,
            original: None,
        };
        let case = Case::of("contracts", &staged);
        let other = Case::of("claims", &staged);
        assert!(case.is_titled("Review of C-1"));
        assert!(case.is_titled(&case.marked_title(1)) && case.is_titled(&case.marked_title(12)));
        assert!(!case.is_titled(&other.marked_title(1)), "another rule's");
        for title in ["Review of C-11", "Review of C-1 [draft]", "Review of C-1 []", ""] {
            assert!(!case.is_titled(title), "{title}");
        }
    }
}
