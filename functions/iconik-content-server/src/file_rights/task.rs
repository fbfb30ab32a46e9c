//! The task that somebody gets when rights lapse: a workflow, started once for what has lapsed.

use shared::{
    content_server::{NewWorkflow, NodeId, NodePath, ProcessId, WorkflowScope, kind},
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Flow, Policy, Run},
    iconik::AssetId,
    ledger::Key,
    mapping::Record,
};

use super::{FileRights, again, plain, rights, rights::Lapse};
use crate::{filing::refused, rights_rules::TaskRule};

/// The effect of starting it, and the checkpoints of one that is begun.
const START: &str = "start-task";
const BEGUN: &str = "start-task.begun";
const ABOUT: &str = "task-about";

impl FileRights {
    /// Gives somebody a task about these lapses, unless it was given before.
    pub(super) async fn give_task(
        &self,
        (asset, item): (&AssetId, &Key),
        task: &TaskRule,
        record: &Record,
        (lapses, documents): (&[Lapse], &[NodeId]),
        run: &Run,
    ) -> Result<ProcessId> {
        let mark = mark(asset, lapses);
        self.forget_other(&mark, run).await?;
        if let Some(process) = run.recorded::<i64>(START) {
            return Ok(ProcessId(process));
        }
        if let Some(process) = self.marked(&mark).await? {
            return Ok(process);
        }
        let record = record.clone().with("lapsed", rights::facts(lapses));
        let (title, attributes) = task.stage(&record).map_err(|violations| refused(&violations))?;
        let map = self.map(&task.map).await?;
        // The lock of the asset keeps others away for as long as clocks agree; this holds whatever clocks say.
        let first = run.ledger().first_note(Self::NAME, &note(&mark), item.short()).await?;
        if first != item.short() {
            let message =
                format!("item {first} began to give this task, and it is not known whether it was given");
            return Err(again("rights.task-elsewhere", message)
                .retry(Retry::After(std::time::Duration::from_secs(60))));
        }
        run.checkpoint(ABOUT, &mark).await?;
        let new = NewWorkflow {
            map,
            documents: documents.to_vec(),
            title: format!("{} [{mark}]", plain(&title)),
            attributes: attributes.into_iter().map(|(label, text)| (label, text.into())).collect(),
            comment: rights::sentence(lapses),
        };
        let started: Result<i64> = run
            .effect(
                START,
                Policy::NeverRepeat,
                || async { Ok(self.marked(&mark).await?.map(|process| process.0)) },
                || async { Ok(self.content_server.start_workflow(&new).await?.0) },
            )
            .await;
        match started {
            Ok(process) => Ok(ProcessId(process)),
            Err(error) => {
                // Nothing was begun, or what was begun was refused: others may go on.
                if run.recorded::<bool>(BEGUN) != Some(true) {
                    run.ledger().set_note(Self::NAME, &note(&mark), "").await?;
                }
                Err(error)
            }
        }
    }

    /// An item may come to give another task than the one it gave before.
    async fn forget_other(&self, mark: &str, run: &Run) -> Result<()> {
        let about = run.recorded::<String>(ABOUT);
        if about.is_none_or(|about| about == mark) || run.recorded::<i64>(START).is_none() {
            return Ok(());
        }
        run.checkpoint(BEGUN, &false).await?;
        run.checkpoint(START, &()).await
    }

    /// The workflow with a mark, whatever became of it.
    async fn marked(&self, mark: &str) -> Result<Option<ProcessId>> {
        let all = self.content_server.list_workflows(WorkflowScope::Initiated).await?;
        let ending = format!(" [{mark}]");
        Ok(all.iter().find(|workflow| workflow.title.ends_with(&ending)).map(|found| found.process()))
    }

    /// The map of a rule, which has to be one.
    async fn map(&self, path: &NodePath) -> Result<NodeId> {
        let missing = |message: String| {
            Error::new(
                FailureClass::Forbidden,
                System::ContentServer,
                "find workflow map",
                "rights.map-missing",
                message,
            )
            .field("task.map")
            .remedy("correct the path in the rule, or let the service user see and initiate the map")
        };
        match self.content_server.resolve_path(path).await {
            Ok(node) if node.kind == kind::WORKFLOW_MAP => Ok(node.id),
            Ok(_) => Err(missing(format!("{path} is not a workflow map"))),
            Err(error) if matches!(error.class(), FailureClass::Forbidden | FailureClass::Gone) => {
                Err(missing(format!("there is no workflow map {path}")).source(error))
            }
            Err(error) => Err(error),
        }
    }
}

/// What tells a task from every other: the asset, and what has lapsed.
fn mark(asset: &AssetId, lapses: &[Lapse]) -> String {
    let mut keys: Vec<&str> = lapses.iter().map(|lapse| lapse.key.as_str()).collect();
    keys.sort_unstable();
    let digest = Key::of(&["rights task", asset.as_str(), &keys.join("\n")]).digest().to_owned();
    digest.chars().take(12).collect()
}

fn note(mark: &str) -> String {
    format!("task-{mark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_about_what_has_lapsed_in_any_order() {
        let lapse = |key: &str| Lapse { key: key.into(), text: String::new(), date: None };
        let asset = AssetId::new("a-1");
        let both = mark(&asset, &[lapse("r-1 2031-05-31"), lapse("r-2 2031-05-31")]);
        assert_eq!(both, mark(&asset, &[lapse("r-2 2031-05-31"), lapse("r-1 2031-05-31")]));
        assert_ne!(both, mark(&asset, &[lapse("r-1 2031-05-31")]));
        assert_ne!(both, mark(&AssetId::new("a-2"), &[lapse("r-1 2031-05-31"), lapse("r-2 2031-05-31")]));
    }
}
