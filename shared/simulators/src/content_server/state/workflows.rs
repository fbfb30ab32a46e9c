//! Workflows: maps, drafts, processes, tasks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{MemberId, NodeId, Outcome, Permission, Refusal, State, kind};

/// A way to finish a step that the map names itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// Key, such as `Approve`.
    pub key: String,
    /// Label.
    pub label: String,
    /// Ends the process at once.
    pub ends: bool,
}

/// A step of a map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Name.
    pub name: String,
    /// User or group that does it.
    pub assignee: MemberId,
    /// What to do.
    pub instructions: String,
    /// Named ways to finish it; with none, it is sent on.
    pub dispositions: Vec<Disposition>,
}

/// A workflow map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowMap {
    /// Number of its node.
    pub id: NodeId,
    /// Name.
    pub name: String,
    /// The start step is disabled: the map can be started in one call.
    pub start_step_disabled: bool,
    /// Steps after the start.
    pub steps: Vec<Step>,
    /// Form fields by key and name, such as `WorkflowForm_10`.
    pub fields: Vec<(String, String)>,
    /// Users and groups who manage its workflows: they see them, and add to their attachments.
    #[serde(default)]
    pub managers: Vec<MemberId>,
}

/// A draft process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Draft {
    pub(crate) map: NodeId,
    pub(crate) documents: Vec<NodeId>,
    pub(crate) by: MemberId,
    pub(crate) title: Option<String>,
    pub(crate) due: Option<String>,
    pub(crate) values: Map<String, Value>,
}

/// Where a process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessStatus {
    /// Under way.
    Running,
    /// Paused.
    Suspended,
    /// Ended early.
    Stopped,
    /// Done.
    Completed,
    /// Put away.
    Archived,
}

/// A finished step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// Number of the task, from 1.
    pub task: i64,
    /// Name of the step.
    pub step: String,
    /// By whom.
    pub by: MemberId,
    /// When.
    pub at: Timestamp,
    /// How: `SendOn` or a disposition.
    pub action: String,
    /// Comment.
    pub comment: String,
}

/// A workflow that was started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Process {
    /// Number; also that of its only subprocess.
    pub id: i64,
    /// Map.
    pub map: NodeId,
    /// Title.
    pub title: String,
    /// By whom it was started.
    pub by: MemberId,
    /// When.
    pub at: Timestamp,
    /// Due date, as sent.
    pub due: Option<String>,
    /// Where it stands.
    pub status: ProcessStatus,
    /// Number of the current task, from 1.
    pub task: i64,
    /// Who does the current task.
    pub assignee: MemberId,
    /// Folder with the attached documents (as shortcuts).
    pub attachments: NodeId,
    /// The attached documents.
    pub documents: Vec<NodeId>,
    /// Form values.
    pub values: Map<String, Value>,
    /// Finished steps.
    pub finished: Vec<Finished>,
    /// Comment given at the start.
    pub comment: String,
}

fn no_process() -> Refusal {
    Refusal::said(400, "The process could not be found.")
}

impl State {
    /// The map with this name.
    pub fn workflow_named(&self, name: &str) -> Option<&WorkflowMap> {
        self.workflow_maps.values().find(|map| map.name == name)
    }

    /// A map the member sees.
    pub fn workflow_map(&self, actor: MemberId, id: NodeId) -> Outcome<&WorkflowMap> {
        self.visible(actor, id).map_err(|_| Refusal::said(400, "Could not get the workflow map."))?;
        self.workflow_maps.get(&id).ok_or_else(|| Refusal::said(400, "The item is not a workflow map."))
    }

    /// Starts a draft.
    pub fn create_draft(&mut self, actor: MemberId, map: NodeId, documents: Vec<NodeId>) -> Outcome<i64> {
        self.workflow_map(actor, map)?;
        for document in &documents {
            self.visible(actor, *document)?;
        }
        let id = self.fresh_id();
        let draft = Draft { map, documents, by: actor, title: None, due: None, values: Map::new() };
        self.drafts.insert(id, draft);
        self.changes += 1;
        Ok(id)
    }

    pub(crate) fn draft(&self, actor: MemberId, id: i64) -> Outcome<&Draft> {
        let mine = |draft: &&Draft| draft.by == actor || self.is_administrator(actor);
        self.drafts
            .get(&id)
            .filter(mine)
            .ok_or_else(|| Refusal::said(400, "The draft process could not be found."))
    }

    /// Fills in the form of a draft. Keys the map does not have are refused.
    pub fn fill_draft(&mut self, actor: MemberId, id: i64, values: Map<String, Value>) -> Outcome<()> {
        let map = self.draft(actor, id)?.map;
        let fields = self.workflow_maps.get(&map).map(|map| map.fields.clone()).unwrap_or_default();
        for key in values.keys() {
            let known = fields.iter().any(|(known, _)| known == key);
            if !known && !matches!(key.as_str(), "WorkflowForm_Title" | "WorkflowForm_WorkflowDueDate") {
                return Err(Refusal::said(400, format!("The form has no field '{key}'.")));
            }
        }
        let draft = self.drafts.get_mut(&id).ok_or_else(no_process)?;
        for (key, value) in values {
            match key.as_str() {
                "WorkflowForm_Title" => draft.title = value.as_str().map(str::to_owned),
                "WorkflowForm_WorkflowDueDate" => draft.due = value.as_str().map(str::to_owned),
                _ => drop(draft.values.insert(key, value)),
            }
        }
        self.changes += 1;
        Ok(())
    }

    /// Turns a draft into a running process.
    pub fn initiate_draft(&mut self, actor: MemberId, id: i64, comment: &str) -> Outcome<i64> {
        self.draft(actor, id)?;
        let draft = self.drafts.remove(&id).ok_or_else(no_process)?;
        self.start_process(actor, draft, comment)
    }

    /// Starts a process in one call; only for maps whose start step is disabled.
    pub fn start_workflow(&mut self, actor: MemberId, map: NodeId, documents: Vec<NodeId>) -> Outcome<i64> {
        if !self.workflow_map(actor, map)?.start_step_disabled {
            return Err(Refusal::said(
                400,
                "The workflow cannot be started because its start step is enabled.",
            ));
        }
        for document in &documents {
            self.visible(actor, *document)?;
        }
        let draft = Draft { map, documents, by: actor, title: None, due: None, values: Map::new() };
        self.start_process(actor, draft, "")
    }

    pub(crate) fn start_process(&mut self, actor: MemberId, draft: Draft, comment: &str) -> Outcome<i64> {
        let map = self.workflow_map(actor, draft.map)?.clone();
        let id = self.fresh_id();
        let attachments = self.fresh_id();
        let volume = self.volume(WORKFLOW_VOLUME).map_or(-1, |node| node.id);
        let mut folder = self.blank(attachments, actor, volume, format!("Attachments {id}"), kind::FOLDER);
        for manager in &map.managers {
            let working =
                [Permission::See, Permission::SeeContents, Permission::Modify, Permission::AddItems];
            folder.permissions.custom.insert(*manager, working.into_iter().collect());
        }
        self.insert(folder);
        for document in &draft.documents {
            let Ok(original) = self.node(*document) else { continue };
            let name = original.name.clone();
            let shortcut_id = self.fresh_id();
            let mut shortcut = self.blank(shortcut_id, actor, attachments, name, kind::SHORTCUT);
            shortcut.original_id = *document;
            self.insert(shortcut);
            self.audit(*document, 360, actor);
        }
        let process = Process {
            id,
            map: map.id,
            title: draft.title.unwrap_or_else(|| map.name.clone()),
            by: actor,
            at: self.now,
            due: draft.due,
            status: if map.steps.is_empty() { ProcessStatus::Completed } else { ProcessStatus::Running },
            task: 1,
            assignee: map.steps.first().map_or(actor, |step| step.assignee),
            attachments,
            documents: draft.documents,
            values: draft.values,
            finished: Vec::new(),
            comment: comment.to_owned(),
        };
        self.processes.insert(id, process);
        self.changes += 1;
        Ok(id)
    }

    /// A process the member started, works on, or administers.
    pub fn process(&self, actor: MemberId, id: i64) -> Outcome<&Process> {
        let process = self.processes.get(&id).ok_or_else(no_process)?;
        let involved = process.by == actor
            || self.is_administrator(actor)
            || self.does(actor, process.assignee)
            || self.manages(actor, process)
            || process.finished.iter().any(|finished| finished.by == actor);
        if involved { Ok(process) } else { Err(no_process()) }
    }

    fn manages(&self, actor: MemberId, process: &Process) -> bool {
        let map = self.workflow_maps.get(&process.map);
        map.is_some_and(|map| map.managers.iter().any(|manager| self.does(actor, *manager)))
    }

    fn does(&self, actor: MemberId, assignee: MemberId) -> bool {
        self.identities(actor).contains(&assignee)
    }

    /// The step a process stands at.
    pub fn current_step(&self, process: &Process) -> Option<&Step> {
        let index = usize::try_from(process.task - 1).ok()?;
        self.workflow_maps.get(&process.map)?.steps.get(index)
    }

    /// A running process whose current task the member may do.
    pub fn task(&self, actor: MemberId, process: i64, task: i64) -> Outcome<&Process> {
        let process = self.process(actor, process)?;
        let mine = self.does(actor, process.assignee) || self.is_administrator(actor);
        if process.status != ProcessStatus::Running || process.task != task || !mine {
            return Err(Refusal::said(400, "The task could not be found or is not assigned to you."));
        }
        Ok(process)
    }

    /// Tasks waiting for a member.
    pub fn assignments(&self, actor: MemberId) -> Vec<&Process> {
        let identities = self.identities(actor);
        self.processes
            .values()
            .filter(|process| {
                process.status == ProcessStatus::Running && identities.contains(&process.assignee)
            })
            .collect()
    }

    /// Fills in the form of a task.
    pub fn fill_task(
        &mut self,
        actor: MemberId,
        id: i64,
        task: i64,
        values: Map<String, Value>,
    ) -> Outcome<()> {
        self.task(actor, id, task)?;
        if let Some(process) = self.processes.get_mut(&id) {
            process.values.extend(values);
        }
        self.changes += 1;
        Ok(())
    }

    /// Hands a task to somebody else.
    pub fn delegate_task(&mut self, actor: MemberId, id: i64, task: i64, assignee: MemberId) -> Outcome<()> {
        self.task(actor, id, task)?;
        if !self.members.contains_key(&assignee) {
            return Err(Refusal::BadType("assignee".to_owned()));
        }
        if let Some(process) = self.processes.get_mut(&id) {
            process.assignee = assignee;
        }
        self.changes += 1;
        Ok(())
    }

    /// Finishes a task by sending it on or by one of its dispositions.
    pub fn finish_task(
        &mut self,
        actor: MemberId,
        id: i64,
        task: i64,
        action: &str,
        comment: &str,
    ) -> Outcome<()> {
        let process = self.task(actor, id, task)?;
        let step = self.current_step(process).cloned().ok_or_else(no_process)?;
        let sends_on = action.eq_ignore_ascii_case("SendOn");
        let disposition = step.dispositions.iter().find(|known| known.key == action);
        if disposition.is_none() && !(sends_on && step.dispositions.is_empty()) {
            return Err(Refusal::said(400, format!("Invalid action '{action}' for this task.")));
        }
        let ends = disposition.is_some_and(|known| known.ends);
        let next = usize::try_from(task)
            .ok()
            .and_then(|next| self.workflow_maps.get(&process.map)?.steps.get(next))
            .map(|step| step.assignee)
            .filter(|_| !ends);
        let at = self.now;
        if let Some(process) = self.processes.get_mut(&id) {
            process.finished.push(Finished {
                task,
                step: step.name,
                by: actor,
                at,
                action: action.to_owned(),
                comment: comment.to_owned(),
            });
            match next {
                Some(assignee) => {
                    process.task += 1;
                    process.assignee = assignee;
                }
                None => process.status = ProcessStatus::Completed,
            }
        }
        self.changes += 1;
        Ok(())
    }

    /// Deletes a process and the folder of its attachments; documents that shortcuts in it point to stay.
    pub fn delete_process(&mut self, actor: MemberId, id: i64) -> Outcome<()> {
        let folder = self.process(actor, id)?.attachments;
        self.processes.remove(&id);
        for node in self.subtree(folder) {
            if let Some(gone) = self.nodes.remove(&node) {
                self.unlink(gone.parent_id, &gone.name, node);
            }
        }
        self.changes += 1;
        Ok(())
    }

    /// Suspends, resumes, stops or archives.
    pub fn set_process_status(&mut self, actor: MemberId, id: i64, status: ProcessStatus) -> Outcome<()> {
        self.process(actor, id)?;
        if let Some(process) = self.processes.get_mut(&id) {
            process.status = status;
        }
        self.changes += 1;
        Ok(())
    }
}

/// Type of the volume that holds the attachments of workflows.
pub const WORKFLOW_VOLUME: i64 = 190;
