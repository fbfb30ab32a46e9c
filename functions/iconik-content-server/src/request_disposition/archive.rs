//! Archiving, on the decision of Content Server. iconik is asked to move formats, which it does by itself some time later; the
//! rounds follow it until it says that they are archived, that it failed, or that it takes longer than it may.

use serde_json::json;
use shared::{
    error::{Error, FailureClass, Result},
    flow::{Delivery, Policy, Run},
    iconik::{ArchiveStatus, AssetId, FileScope, Format, FormatArchive, Job, JobId, JobStatus},
};

use super::{
    RequestDisposition,
    act::closed,
    asset::Asset,
    case::{Case, Moving, Phase},
    permit::{Grounds, Permit, Refused},
    report::Report,
    turn::{Ended, facts, heading},
};
use crate::disposition_rules::{Outcome, State};

/// Characters of what a job says went wrong.
const LONGEST_REASON: usize = 200;

/// How far iconik has come with the formats it was asked to archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// All of them are archived.
    Archived,
    /// It is at it.
    UnderWay,
    /// It has given up one of them.
    Failed(String),
    /// It takes longer than the rule allows.
    Stuck(String),
}

impl RequestDisposition {
    /// It goes into the archive, format by format; iconik moves the files by itself.
    pub(super) async fn archive(&self, asset: &Asset, grounds: &Grounds<'_>, run: &Run) -> Result<Ended> {
        if grounds.rule.archive_formats.is_empty() {
            // People do it themselves, and it is not done yet.
            let text = format!("{} Content Server decided: archive.", heading(grounds.case));
            let outcome = Outcome::Archive;
            let report = Report { state: None, outcome: Some(outcome), held: false, text };
            self.report(asset, &report, run).await?;
            return Ok(closed(grounds.case, outcome, None));
        }
        let id = AssetId::new(&asset.id);
        let how = FormatArchive { remove_original: grounds.rule.remove_archived };
        let mut moving = Vec::new();
        for format in self.formats_to_archive(&id, grounds).await? {
            let job = match is_archived(&format) {
                true => None,
                false => match self.archive_format(&id, &format, how, grounds, run).await? {
                    Ok(job) => job,
                    Err(refused) => return self.refuse(asset, grounds, &refused, run).await,
                },
            };
            moving.push(Moving { format: format.id, name: format.name, job });
        }
        run.note("formats", moving.len().to_string());
        let since = run.context().now_milliseconds();
        let case =
            Case { phase: Phase::Archiving { since, formats: moving.clone() }, ..grounds.case.clone() };
        // Some archives are quick.
        if self.standing(&case, since, &moving).await? == Standing::Archived {
            return self.end_archived(asset, &case, run).await;
        }
        let names = names(&moving);
        let text = format!("{} iconik was asked to move {names} into its archive.", heading(&case));
        let report = Report { state: Some(State::Archiving), outcome: None, held: false, text };
        self.report(asset, &report, run).await?;
        let (detail, result) = (facts(&case, "archiving"), json!({ "archiving": names }));
        Ok(Ended::delivered(case, Delivery { result, digest: None, bytes: 0, detail }))
    }

    /// Looks how far iconik has come, and tells of the end.
    pub(super) async fn follow(&self, asset: &Asset, case: Case, run: &Run) -> Result<Ended> {
        let Phase::Archiving { since, formats } = &case.phase else {
            return Err(Error::bug("follow archiving", "nothing is being archived"));
        };
        run.note("rule", case.rule.as_str());
        run.note("revision", case.revision.to_string());
        let (error, why) = match self.standing(&case, *since, formats).await? {
            Standing::Archived => return self.end_archived(asset, &case, run).await,
            Standing::UnderWay => {
                let message = "iconik is still archiving it; it is looked at again";
                return Ok(Ended::skipped(case, "disposition.archiving", message));
            }
            Standing::Failed(why) => (Error::invalid("disposition.not-archived", why.as_str()), why),
            Standing::Stuck(why) => (Error::invalid("disposition.archiving-stuck", why.as_str()), why),
        };
        let text = format!("{} Content Server decided to archive it, and {why}.", heading(&case));
        self.write_history(&AssetId::new(&asset.id), &text, run).await?;
        Err(error.remedy(
            "look at the job and the storages in iconik, and archive the format there: the next round notices",
        ))
    }

    async fn end_archived(&self, asset: &Asset, case: &Case, run: &Run) -> Result<Ended> {
        let text =
            format!("{} Content Server decided: archive. iconik has it in its archive.", heading(case));
        let outcome = Outcome::Archive;
        let report = Report { state: Some(State::Archived), outcome: Some(outcome), held: false, text };
        self.report(asset, &report, run).await?;
        Ok(closed(case, outcome, None))
    }

    /// How far iconik has come with formats it was asked for at a time, in milliseconds since 1970. That a format is
    /// archived says the format itself, and nothing else.
    pub(super) async fn standing(&self, case: &Case, since: i64, moving: &[Moving]) -> Result<Standing> {
        let scope = FileScope::Asset(AssetId::new(&case.asset));
        let found: Vec<Format> = match self.iconik.list_formats(&scope).all().await {
            Err(error) if error.class() == FailureClass::Gone => Vec::new(),
            found => found?,
        };
        let (mut failed, mut open) = (Vec::new(), Vec::new());
        for one in moving {
            let format = found.iter().find(|found| found.id == one.format);
            let status = format.map(|format| &format.archive_status);
            if status == Some(&ArchiveStatus::Archived) {
                continue;
            }
            let job = match &one.job {
                Some(job) => self.job(job).await?,
                None => None,
            };
            match why_failed(status, job.as_ref()) {
                Some(why) => failed.push(format!("{}: {why}", one.name)),
                None => open.push(one.clone()),
            }
        }
        failed.dedup();
        if !failed.is_empty() {
            return Ok(Standing::Failed(format!("iconik did not archive {}", failed.join("; "))));
        }
        if open.is_empty() {
            return Ok(Standing::Archived);
        }
        // Without its rule it is followed all the same, and nobody knows how long it may take.
        let within = self.rules.rule(&case.rule).map(|rule| rule.archive_within.as_millis());
        let taken = u128::try_from(self.environment.context.now_milliseconds() - since).unwrap_or(0);
        Ok(match within.is_some_and(|within| taken >= within) {
            true => Standing::Stuck(format!("iconik has not ended archiving {} in time", names(&open))),
            false => Standing::UnderWay,
        })
    }

    /// A job; nothing when it was deleted, or may not be looked at: how far a format is says the format.
    async fn job(&self, job: &JobId) -> Result<Option<Job>> {
        match self.iconik.get_job(job).await {
            Err(error) if matches!(error.class(), FailureClass::Gone | FailureClass::Forbidden) => Ok(None),
            found => found.map(Some),
        }
    }

    /// A format goes to the archive, unless something speaks against it in this very moment. Gives the job, where iconik
    /// tells it.
    async fn archive_format(
        &self,
        asset: &AssetId,
        format: &Format,
        how: FormatArchive,
        grounds: &Grounds<'_>,
        run: &Run,
    ) -> Result<std::result::Result<Option<JobId>, Refused>> {
        let is_under_way = || async {
            let formats = self.iconik.list_formats(&FileScope::Asset(asset.clone()));
            let found = formats.find(|found: &Format| found.id == format.id).await?;
            Ok(found.filter(is_archived).map(|_| Ok(None)))
        };
        let archive = || async {
            match self.may(grounds).await? {
                Ok(permit) => self.archive_by(permit, asset, format, how).await.map(Ok),
                Err(refused) => Ok(Err(refused)),
            }
        };
        run.effect("archive format", Policy::CheckThenRepeat, is_under_way, archive).await
    }

    async fn archive_by(
        &self,
        _permit: Permit,
        asset: &AssetId,
        format: &Format,
        how: FormatArchive,
    ) -> Result<Option<JobId>> {
        self.iconik.archive_format(asset, &format.id, &how).await
    }

    /// The formats that the rule names, of whichever version, those among them that are archived already.
    async fn formats_to_archive(&self, asset: &AssetId, grounds: &Grounds<'_>) -> Result<Vec<Format>> {
        let wanted = &grounds.rule.archive_formats;
        let mut formats: Vec<Format> =
            self.iconik.list_formats(&FileScope::Asset(asset.clone())).all().await?;
        formats.retain(|format| wanted.contains(&format.name));
        if formats.is_empty() {
            let message = format!("the asset has none of the formats {}", wanted.join(", "));
            return Err(Error::invalid("disposition.nothing-to-archive", message)
                .field("archive_formats")
                .remedy("name the formats that such assets have, then set the status again"));
        }
        Ok(formats)
    }
}

/// Why a format that is not archived will not be any more; nothing while it may be. `status` is nothing when the format
/// is gone.
fn why_failed(status: Option<&ArchiveStatus>, job: Option<&Job>) -> Option<String> {
    let Some(status) = status else { return Some("the format is not there any more".to_owned()) };
    match job {
        // What the format says may still be of an earlier attempt.
        Some(job) if !job.status.is_end() => None,
        Some(job) if matches!(job.status, JobStatus::Failed | JobStatus::Aborted | JobStatus::Skipped) => {
            let said = job.error_message.as_deref().map(str::trim).filter(|said| !said.is_empty());
            let said =
                said.map(|said| format!(", {}", said.chars().take(LONGEST_REASON).collect::<String>()));
            Some(format!("its job is {}{}", job.status.as_str(), said.unwrap_or_default()))
        }
        _ if *status == ArchiveStatus::Failed => Some(format!("it is {}", status.as_str())),
        _ => None,
    }
}

fn names(moving: &[Moving]) -> String {
    let mut names: Vec<&str> = moving.iter().map(|one| one.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn is_archived(format: &Format) -> bool {
    matches!(format.archive_status, ArchiveStatus::Archiving | ArchiveStatus::Archived)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(status: &str, error: Option<&str>) -> Job {
        let job = json!({"id": "j-1", "type": "ARCHIVE", "status": status, "error_message": error});
        serde_json::from_value(job).unwrap()
    }

    #[test]
    fn a_format_has_failed_when_its_job_says_so_or_itself_where_there_is_no_job() {
        let archiving = Some(&ArchiveStatus::Archiving);
        let failed = Some(&ArchiveStatus::Failed);
        assert_eq!(why_failed(archiving, None), None);
        assert_eq!(why_failed(archiving, Some(&job("STARTED", None))), None);
        assert_eq!(why_failed(archiving, Some(&job("FINISHED", None))), None);
        // An earlier attempt has failed, and this one is under way.
        assert_eq!(why_failed(failed, Some(&job("READY", None))), None);
        assert_eq!(why_failed(failed, None).as_deref(), Some("it is FAILED_TO_ARCHIVE"));
        assert_eq!(
            why_failed(failed, Some(&job("FINISHED", None))).as_deref(),
            Some("it is FAILED_TO_ARCHIVE")
        );
        let said = why_failed(archiving, Some(&job("FAILED", Some("no space")))).unwrap();
        assert_eq!(said, "its job is FAILED, no space");
        assert_eq!(why_failed(archiving, Some(&job("ABORTED", None))).as_deref(), Some("its job is ABORTED"));
        assert_eq!(why_failed(None, None).as_deref(), Some("the format is not there any more"));
    }
}
