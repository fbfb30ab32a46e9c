//! The review: asking for a decision in Content Server, and reading it.

use serde::{Deserialize, Serialize};
use shared::{
    content_server::{
        AttributeValue, CategoryDefinition, CategoryValues, NewWorkflow, Node, NodeId, ProcessId,
        RecordDetails, WorkflowChange, WorkflowScope,
    },
    error::{Error, FailureClass, Result},
    flow::{Policy, Run},
    ledger::Key,
};

use super::{
    RequestDisposition,
    asset::Asset,
    case::{Case, Phase},
    documents::is_missing,
};
use crate::disposition_rules::{CategoryReview, Outcome, RecordRule, Review, Rule, WorkflowReview};

/// A decision, with what stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// In the words of Content Server.
    pub word: String,
    /// Where it stands there.
    pub place: String,
    /// Who decided, where Content Server says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The numbers of those who decided in a workflow.
    #[serde(skip)]
    pub(super) people: Vec<i64>,
    /// When, where Content Server says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What was said about it.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub comment: String,
}

impl RequestDisposition {
    /// Gives the records of documents a status, and a classification where they have none.
    pub(super) async fn set_status(
        &self,
        nodes: &[Node],
        rule: &RecordRule,
        status: &str,
        run: &Run,
    ) -> Result<()> {
        for node in nodes {
            let act = || self.set_status_of(node.id, rule, status, run);
            run.effect("set record status", Policy::RepeatSafe, || async { Ok(None) }, act).await?;
        }
        Ok(())
    }

    async fn set_status_of(&self, node: NodeId, rule: &RecordRule, status: &str, run: &Run) -> Result<()> {
        let record = self.content_server.get_record(node).await?;
        let classified = record.classifications();
        if !classified.is_empty() && classified.iter().all(|classification| classification.status == status) {
            return Ok(());
        }
        let today = run.context().now().strftime("%Y-%m-%d").to_string();
        let details = RecordDetails {
            status: Some(status.to_owned()),
            status_date: Some(today),
            ..RecordDetails::default()
        };
        if !classified.is_empty() {
            return self.content_server.update_record(node, &details).await.map(drop);
        }
        let Some(class) = &rule.class else {
            let message = format!("the document {node} has no records management classification");
            return Err(Error::invalid("disposition.no-record", message)
                .field("record.class")
                .remedy("classify the document, or name a class in the rule"));
        };
        let class = self.content_server.resolve_path(class).await?.id;
        self.content_server.classify_record(node, class, &details).await.map(drop)
    }

    /// Asks for the decision: starts the workflow, or says in the category what is asked.
    pub(super) async fn ask(
        &self,
        asset: &Asset,
        rule: &Rule,
        nodes: &[Node],
        revision: u64,
        run: &Run,
    ) -> Result<Option<ProcessId>> {
        match &rule.review {
            Review::Workflow(review) => {
                self.start(asset, review, (rule, revision), nodes, run).await.map(Some)
            }
            Review::Category(review) => {
                self.fill_in(asset, review, nodes, revision, run).await.map(|()| None)
            }
        }
    }

    async fn start(
        &self,
        asset: &Asset,
        review: &WorkflowReview,
        (rule, revision): (&Rule, u64),
        nodes: &[Node],
        run: &Run,
    ) -> Result<ProcessId> {
        let record = asset.record();
        let mark = Key::of(&["disposition", &asset.id, &revision.to_string()]);
        let mark: String = mark.digest().chars().take(12).collect();
        let title = format!("{} [{mark}-{revision}]", review.title(&record)?);
        let attributes = review.attributes(&record)?;
        let map = self.content_server.resolve_path(&review.map).await?.id;
        let find = || async {
            let all = self.content_server.list_workflows(WorkflowScope::Initiated).await?;
            let found = all.iter().find(|workflow| workflow.title == title).map(|found| found.process());
            Ok::<_, Error>(found)
        };
        // An earlier step may have started it, and found a hold before it could say so.
        if let Some(there) = find().await? {
            return Ok(there);
        }
        let start = || async {
            let new = NewWorkflow {
                map,
                documents: nodes.iter().map(|node| node.id).collect(),
                title: title.clone(),
                attributes: attributes.clone(),
                comment: format!("asked for by the rule {}", rule.name),
            };
            self.content_server.start_workflow(&new).await
        };
        run.effect("start review", Policy::NeverRepeat, find, start).await
    }

    /// Says in the category of each document what is asked, and takes away what was decided before. What was decided
    /// since stays: it stands beside this very question.
    async fn fill_in(
        &self,
        asset: &Asset,
        review: &CategoryReview,
        nodes: &[Node],
        revision: u64,
        run: &Run,
    ) -> Result<()> {
        let category = self.content_server.resolve_category(&review.category).await?.id;
        let question = question(&asset.status, revision);
        for node in nodes {
            let definition = self.content_server.category_definition(category, node.id).await?;
            let mut asked = CategoryValues::new(category);
            let text = AttributeValue::Text(question.clone());
            definition.put(&mut asked, &review.asked_for, text)?;
            definition.put(&mut asked, &review.decision, AttributeValue::Empty)?;
            if let Some(decided_by) = &review.decided_by {
                definition.put(&mut asked, decided_by, AttributeValue::Empty)?;
            }
            let key = definition.attribute(&review.asked_for).map(|attribute| attribute.key.clone());
            let decide = |present: Option<&CategoryValues>| {
                let stands = present.zip(key.as_deref()).and_then(|(present, key)| present.get(key));
                Ok((stands.map(words) != Some(question.clone())).then(|| asked.clone()))
            };
            let act =
                || async { self.content_server.change_category(node.id, category, decide).await.map(drop) };
            run.effect("ask in category", Policy::RepeatSafe, || async { Ok(None) }, act).await?;
        }
        Ok(())
    }

    /// The decision, as it stands in Content Server at this moment; nothing while it is not decided.
    ///
    /// # Errors
    /// `disposition.no-decision` when the review has ended without one.
    pub(super) async fn decision(&self, rule: &Rule, case: &Case) -> Result<Option<Decision>> {
        match (&rule.review, &case.phase) {
            (Review::Workflow(review), Phase::InReview { process: Some(process) }) => {
                self.decision_of_workflow(rule, review, *process).await
            }
            (Review::Category(review), Phase::InReview { process: None }) => {
                let question = question(&case.status, case.revision);
                self.decision_of_category(rule, review, &question, case).await
            }
            (_, Phase::InReview { .. }) => {
                Err(no_decision("the rule asks in another way by now than when this was asked"))
            }
            (_, Phase::Due | Phase::Archiving { .. } | Phase::Closed { .. }) => Ok(None),
        }
    }

    async fn decision_of_workflow(
        &self,
        rule: &Rule,
        review: &WorkflowReview,
        process: ProcessId,
    ) -> Result<Option<Decision>> {
        let Some(status) = self.content_server.find_workflow(process).await? else {
            return Err(no_decision("the workflow is not there any more"));
        };
        if !status.is_ended() {
            return Ok(None);
        }
        if status.is_stopped() {
            return Err(no_decision("the workflow was stopped before its end"));
        }
        let step = status.completed.iter().rev().find(|step| step.name == review.step);
        let Some(step) = step else {
            return Err(no_decision(format!("the workflow ended without its step {:?}", review.step)));
        };
        let Some(outcome) = rule.decision(&step.disposition) else {
            let message = format!("the step {:?} ended with what the rule does not know", review.step);
            return Err(no_decision(message));
        };
        Ok(Some(Decision {
            outcome,
            word: step.disposition.trim().to_owned(),
            place: format!("workflow {}, step {}", process.0, step.name),
            by: None,
            people: step.people.clone(),
            at: step.ended.map(|ended| ended.to_string()),
            comment: step.comment.clone(),
        }))
    }

    async fn decision_of_category(
        &self,
        rule: &Rule,
        review: &CategoryReview,
        question: &str,
        case: &Case,
    ) -> Result<Option<Decision>> {
        let Some(node) = case.nodes.first() else { return Ok(None) };
        let category = self.content_server.resolve_category(&review.category).await?.id;
        let definition = self.content_server.category_definition(category, *node).await?;
        let present = self.content_server.get_categories(*node).await?;
        let present = present.iter().find(|present| present.category() == category);
        let text = |name: &str| {
            let attribute = definition.attribute(name)?;
            Some(words(present?.get(&attribute.key)?)).filter(|text| !text.is_empty())
        };
        if text(&review.asked_for).as_deref() != Some(question) {
            return Err(no_decision("the category says that something else is asked"));
        }
        let Some(word) = text(&review.decision) else { return Ok(None) };
        let Some(outcome) = rule.decision(&word) else {
            return Err(no_decision("the category holds a decision that the rule does not know"));
        };
        self.check_others(rule, (review, category, definition.as_ref()), (question, outcome), case).await?;
        Ok(Some(Decision {
            outcome,
            word,
            place: format!("document {node}, category {}, attribute {}", review.category, review.decision),
            by: review.decided_by.as_deref().and_then(text),
            people: Vec::new(),
            at: None,
            comment: String::new(),
        }))
    }

    /// One document stands for all. What is written on another about the same question must not say something else.
    async fn check_others(
        &self,
        rule: &Rule,
        (review, category, definition): (&CategoryReview, NodeId, &CategoryDefinition),
        (question, outcome): (&str, Outcome),
        case: &Case,
    ) -> Result<()> {
        for node in case.nodes.iter().skip(1) {
            let present = match self.content_server.get_categories(*node).await {
                Err(error) if is_missing(&error) => continue,
                present => present?,
            };
            let present = present.iter().find(|present| present.category() == category);
            let text = |name: &str| Some(words(present?.get(&definition.attribute(name)?.key)?));
            if text(&review.asked_for).as_deref() != Some(question) {
                continue;
            }
            let word = text(&review.decision).filter(|word| !word.is_empty());
            if word.is_some_and(|word| rule.decision(&word) != Some(outcome)) {
                return Err(no_decision(format!(
                    "the document {node} holds another decision than the first"
                )));
            }
        }
        Ok(())
    }

    /// The decision with the names of those who took it, as far as Content Server says.
    pub(super) async fn with_names(&self, decision: &Decision) -> Result<Decision> {
        let names = self.content_server.names_of(&decision.people).await?;
        let by = decision.by.clone().or_else(|| (!names.is_empty()).then(|| names.join(", ")));
        Ok(Decision { by, ..decision.clone() })
    }

    /// Ends a review that nobody needs any more. One that this user may not end goes on, and nothing follows from it.
    pub(super) async fn end_review(&self, case: &Case, run: &Run) -> Result<()> {
        let Phase::InReview { process: Some(process) } = case.phase else { return Ok(()) };
        match self.content_server.find_workflow(process).await? {
            Some(status) if !status.is_ended() => {}
            _ => return Ok(()),
        }
        let stop = || self.content_server.change_workflow(process, WorkflowChange::Stop);
        match run.effect("stop review", Policy::RepeatSafe, || async { Ok(None) }, stop).await {
            Err(error) if matches!(error.class(), FailureClass::Forbidden | FailureClass::Invalid) => {
                run.note("review", "it goes on, and nothing follows from it");
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// What is asked, in the words of the category: a decision counts only beside its own question.
fn question(status: &str, revision: u64) -> String {
    format!("{status} ({revision})")
}

fn words(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Text(text) => text.trim().to_owned(),
        AttributeValue::Integer(number) | AttributeValue::User(number) => number.to_string(),
        AttributeValue::Many(values) => values.first().map(words).unwrap_or_default(),
        AttributeValue::Boolean(truth) => truth.to_string(),
        AttributeValue::Date(day) => day.to_string(),
        AttributeValue::Moment(moment) => moment.to_string(),
        AttributeValue::Empty => String::new(),
    }
}

fn no_decision(what: impl Into<String>) -> Error {
    Error::invalid("disposition.no-decision", what).remedy(
        "decide in Content Server, or set another status in iconik and this one again: it is asked anew",
    )
}
