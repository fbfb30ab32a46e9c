//! What takes time: it has a token, under which one asks what became of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ingest::Arrived;
use super::{Kind, Outcome, Refusal, State};

/// The word for a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It waits.
    Pending,
    /// It is being done.
    Active,
    /// It is done.
    Completed,
    /// It went wrong.
    Failed,
    /// Some of it was done.
    FinishedMixedOutcome,
    /// It was given up.
    Aborted,
    /// Somebody has to look at it.
    Suspended,
    /// It was given up by a person.
    Cancelled,
    /// Nobody knows.
    Unknown,
}

impl Status {
    /// As the interface has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Active => "ACTIVE",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::FinishedMixedOutcome => "FINISHED_MIXED_OUTCOME",
            Self::Aborted => "ABORTED",
            Self::Suspended => "SUSPENDED",
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// What became of something so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Progress {
    /// When it begins; before that it waits.
    pub begins: Timestamp,
    /// Its state once it has begun.
    pub status: Status,
    /// What went wrong.
    pub errors: Vec<String>,
    /// A removal that waits for a second person: what is to go, and who asked.
    pub removal: Option<(String, String)>,
}

/// Something to be done later.
pub(super) struct Work {
    pub(super) due: Timestamp,
    pub(super) token: String,
    pub(super) task: Task,
}

pub(super) enum Task {
    /// A security tag for entities.
    Tag { user: String, entities: Vec<String>, tag: String },
    /// Another place for an entity; the root when none.
    Move { user: String, entity: String, to: Option<String> },
    /// An entity goes, and all that is in it.
    Remove { user: String, entity: String },
    /// A package is taken in.
    Ingest(Box<Arrived>),
    /// New bytes for a part.
    Generation { user: String, entity: String, bitstream: Box<super::Bitstream> },
    /// A table of metadata.
    CsvEdit { user: String, rows: super::csv_edits::Rows },
    /// An export of an entity.
    Export { user: String, entity: String, wanted: super::Wanted },
    /// A copy for access of an asset.
    Access { user: String, entity: String, name: String, bitstream: Box<super::Bitstream> },
}

impl State {
    /// Begins something now that is done after a while; gives its token.
    pub(super) fn begin(&mut self, task: Task) -> String {
        let token = self.new_reference();
        let progress =
            Progress { begins: self.now, status: Status::Active, errors: Vec::new(), removal: None };
        self.progress.insert(token.clone(), progress);
        let due = self.after(self.settings.action_seconds);
        self.works.push(Work { due, token: token.clone(), task });
        token
    }

    /// What became of what has this token.
    pub fn status(&self, token: &str) -> Option<Status> {
        let progress = self.progress.get(token)?;
        Some(if self.now < progress.begins { Status::Pending } else { progress.status })
    }

    /// Says how something ended, for tests.
    pub fn end(&mut self, token: &str, status: Status, error: Option<&str>) {
        if let Some(progress) = self.progress.get_mut(token) {
            progress.status = status;
            progress.begins = progress.begins.min(self.now);
            progress.errors.extend(error.map(str::to_owned));
        }
    }

    pub(in crate::preservica) fn retag(
        &mut self,
        user: &str,
        (kind, reference): (Kind, &str),
        tag: &str,
        with_descendants: bool,
    ) -> Outcome<String> {
        self.living(kind, reference)?;
        self.check_tag(tag)?;
        let entities = match with_descendants {
            true => self.with_descendants(reference),
            false => vec![reference.to_owned()],
        };
        Ok(self.begin(Task::Tag { user: user.to_owned(), entities, tag: tag.to_owned() }))
    }

    pub(in crate::preservica) fn relocate(
        &mut self,
        user: &str,
        (kind, reference): (Kind, &str),
        to: &str,
    ) -> Outcome<String> {
        self.living(kind, reference)?;
        let to = match (to, kind) {
            ("@root@", Kind::StructuralObject) => None,
            (_, Kind::ContentObject) => {
                return Err(Refusal::Refused(422, "A content object cannot be moved".to_owned()));
            }
            (to, _) => {
                self.living(Kind::StructuralObject, to)?;
                if self.with_descendants(reference).iter().any(|below| below == to) {
                    return Err(Refusal::Refused(422, "A folder cannot be moved into itself".to_owned()));
                }
                Some(to.to_owned())
            }
        };
        Ok(self.begin(Task::Move { user: user.to_owned(), entity: reference.to_owned(), to }))
    }

    /// The first of the two persons asks for something to go.
    pub(in crate::preservica) fn ask_removal(
        &mut self,
        user: &str,
        kind: Kind,
        reference: &str,
    ) -> Outcome<String> {
        self.living(kind, reference)?;
        let rules = self.settings.deletion.clone();
        if !rules.workflow_active {
            return Err(Refusal::Refused(422, "There is no active workflow context for deletion".to_owned()));
        }
        if let Some(status) = rules.held_status {
            for below in self.with_descendants(reference) {
                if let Some(why) = self.kept_because(&below) {
                    return Err(Refusal::Refused(status, why));
                }
            }
        }
        let token = self.new_reference();
        let progress = Progress {
            begins: self.now,
            status: Status::Pending,
            errors: Vec::new(),
            removal: Some((reference.to_owned(), user.to_owned())),
        };
        self.progress.insert(token.clone(), progress);
        Ok(token)
    }

    /// The second person decides.
    pub(in crate::preservica) fn decide_removal(
        &mut self,
        user: &str,
        token: &str,
        approved: bool,
    ) -> Outcome<()> {
        use super::sessions::MANAGER;
        self.needs(user, &[MANAGER])?;
        let unknown = || Refusal::NotFound(format!("There is no deletion {token}"));
        let progress = self.progress.get(token).ok_or_else(unknown)?;
        let (entity, asker) = progress.removal.clone().ok_or_else(unknown)?;
        if progress.status != Status::Pending {
            return Err(Refusal::Refused(422, "It is decided already".to_owned()));
        }
        // By user, not by token.
        if asker == user {
            return Err(Refusal::Forbidden("Whoever asked for a deletion cannot approve it".to_owned()));
        }
        let rejected = match self.settings.deletion.rejected.as_str() {
            "FAILED" => Status::Failed,
            "CANCELLED" => Status::Cancelled,
            _ => Status::Aborted,
        };
        if let Some(progress) = self.progress.get_mut(token) {
            progress.status = if approved { Status::Active } else { rejected };
        }
        if approved {
            let due = self.after(self.settings.action_seconds);
            let task = Task::Remove { user: user.to_owned(), entity };
            self.works.push(Work { due, token: token.to_owned(), task });
        }
        Ok(())
    }

    /// Does what is due.
    pub(super) fn do_works(&mut self) {
        let now = self.now;
        let (mut due, later): (Vec<Work>, Vec<Work>) =
            std::mem::take(&mut self.works).into_iter().partition(|work| work.due <= now);
        self.works = later;
        due.sort_by_key(|work| work.due);
        for work in due {
            // Somebody may have ended it meanwhile.
            if self.progress.get(&work.token).is_some_and(|progress| progress.status != Status::Active) {
                continue;
            }
            let (status, errors) = match work.task {
                Task::Ingest(arrived) => self.take_in(*arrived),
                Task::Export { user, entity, wanted } => match self.export(&user, &entity, wanted) {
                    Ok(content) => {
                        self.exports.insert(work.token.clone(), content);
                        (Status::Completed, Vec::new())
                    }
                    Err(refusal) => (Status::Failed, vec![refusal.told().1]),
                },
                other => match self.perform(other) {
                    Ok(()) => (Status::Completed, Vec::new()),
                    Err(refusal) => (Status::Failed, vec![refusal.told().1]),
                },
            };
            if let Some(progress) = self.progress.get_mut(&work.token) {
                progress.status = status;
                progress.errors = errors;
            }
        }
    }

    fn perform(&mut self, task: Task) -> Outcome<()> {
        match task {
            Task::Tag { user, entities, tag } => {
                for reference in &entities {
                    if let Some(entity) = self.entities.get_mut(reference) {
                        entity.security_tag.clone_from(&tag);
                    }
                }
                self.happened("Modified", &user, "ChangeSecurityDescriptor", &entities);
                self.notify("CHANGED_SECURITY_DESCRIPTOR", &entities);
            }
            Task::Move { user, entity, to } => {
                if let Some(moved) = self.entities.get_mut(&entity) {
                    moved.parent = to;
                }
                let entities = [entity];
                self.happened("Moved", &user, "Moved", &entities);
                self.notify("MOVED", &entities);
            }
            Task::Remove { user, entity } => {
                let entities = self.with_descendants(&entity);
                for reference in &entities {
                    if let Some(gone) = self.entities.get_mut(reference) {
                        gone.deleted = true;
                    }
                }
                self.happened("Delete", &user, "command_delete", &entities);
            }
            Task::Generation { user, entity, bitstream } => {
                self.replace_generation(&entity, *bitstream)?;
                self.happened("Modified", &user, "ReplaceGeneration", &[entity]);
            }
            Task::Access { user, entity, name, bitstream } => {
                self.add_access(&entity, &name, *bitstream)?;
                self.happened("Modified", &user, "AddRepresentation", &[entity]);
            }
            Task::CsvEdit { user, rows } => self.edit_by_table(&user, &rows)?,
            Task::Ingest(_) | Task::Export { .. } => {}
        }
        Ok(())
    }
}
