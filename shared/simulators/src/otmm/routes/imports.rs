//! Content on its way in.

use serde_json::json;

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::request::Upload;
use super::super::state::{File, JobKind, Master, Source};

impl From<Upload> for File {
    fn from(upload: Upload) -> Self {
        let Upload { name, mime_type, content, md5 } = upload;
        Self { name, mime_type, md5, content }
    }
}

/// The number of a job: a text, though assets have it as a number.
pub(super) fn handle(job: u64, status: u16) -> Reply {
    Reply::Json(
        status,
        json!({"job_handle": {"job_id": job.to_string(), "process_instance_id": job.to_string()}}),
    )
}

fn source(call: &Call<'_>) -> Outcome<Source> {
    let params = &call.params;
    Ok(Source {
        representation: params.parsed("asset_representation")?,
        template: params.text("import_template_id").map(str::to_owned),
        parent: params.text("parent_folder_id").map(str::to_owned),
        manifest: Master::read(params.parsed("manifest")?.as_ref())?,
        no_content: params.flag("no_content"),
    })
}

/// Files and description in one request.
pub(super) fn one_shot(call: &mut Call<'_>) -> Outcome<Reply> {
    let source = source(call)?;
    let user = call.user.clone();
    let job = call.state.begin_job(&user, JobKind::Import);
    let started = start(call, &user, job, &source);
    if let Err(refusal) = started {
        call.state.jobs.remove(&job);
        return Err(refusal);
    }
    let accepted = call.state.settings.jobs.accepted_status;
    Ok(handle(job, accepted))
}

fn start(call: &mut Call<'_>, user: &str, job: u64, source: &Source) -> Outcome<()> {
    for file in std::mem::take(&mut call.params.files) {
        call.state.stage(user, &job.to_string(), file.into())?;
    }
    call.state.run_import(user, job, source)
}

/// The file of a request.
fn file(call: &mut Call<'_>) -> Outcome<File> {
    let upload = call.params.files.pop().ok_or_else(|| Refusal::Invalid("There is no file".to_owned()))?;
    let named = call.params.text("file_name").map(str::to_owned);
    let file = File::from(upload);
    Ok(match named {
        Some(name) if file.name.is_empty() => File { name, ..file },
        _ => file,
    })
}

/// A file for a job that waits.
pub(super) fn stage(call: &mut Call<'_>) -> Outcome<Reply> {
    let user = call.user.clone();
    let job = call.params.required("import_job_id")?.to_owned();
    let file = file(call)?;
    call.state.stage(&user, &job, file)?;
    Ok(Reply::Json(200, json!({"rendition_resource": {"import_job_id": job}})))
}

/// Starts a job whose files have come: an import, or a check-in.
pub(super) fn run(call: &mut Call<'_>, id: &str, kind: JobKind) -> Outcome<Reply> {
    let user = call.user.clone();
    if let Some(named) = call.params.text("import_job_id")
        && named != id
    {
        return Err(Refusal::Invalid(format!("The job is {id} in the address and {named} in the form")));
    }
    let job = call.state.waiting_job(&user, id)?;
    let source = source(call)?;
    match kind {
        JobKind::CheckIn => call.state.run_check_in(&user, job, &source.manifest)?,
        _ => call.state.run_import(&user, job, &source)?,
    }
    let accepted = call.state.settings.jobs.accepted_status;
    Ok(handle(job, accepted))
}

/// A thumbnail or preview for an asset.
pub(super) fn rendition(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    let user = call.user.clone();
    let kind = call.params.required("rendition_type")?.to_owned();
    let file = file(call)?;
    call.state.takes(&file.name)?;
    let job = call.state.run_rendition(&user, id, &kind, file)?;
    let accepted = call.state.settings.jobs.accepted_status;
    Ok(handle(job, accepted))
}
