//! Jobs: making, starting, looking at them.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::settings::JobShape;
use super::super::state::{CHANGE, Job, JobKind, Phase};
use super::{imports, selected};

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    let kind = |word: &str| if word == "checkins" { JobKind::CheckIn } else { JobKind::Import };
    match (call.method.as_str(), path) {
        ("POST", [word @ ("imports" | "checkins")]) => {
            let user = call.user.clone();
            call.state.needs(&user, CHANGE)?;
            let job = call.state.begin_job(&user, kind(word));
            Ok(imports::handle(job, 200))
        }
        ("PUT", [word @ ("imports" | "checkins"), id]) => imports::run(call, id, kind(word)),
        ("POST", ["exports"]) => export(call),
        ("GET", [id]) => Ok(Reply::Json(200, shown(call, call.state.job(id)?))),
        _ => Err(Refusal::NoUrl),
    }
}

fn shown(call: &Call<'_>, job: &Job) -> Value {
    let rules = &call.state.settings.jobs;
    let (word, reason) = match &job.phase {
        Phase::Waiting => (&rules.waiting, None),
        Phase::Running => (&rules.running, None),
        Phase::Done => (&rules.done, None),
        Phase::Failed(reason) => (&rules.failed, Some(reason)),
    };
    let mut inner = json!({
        "job_id": job.id.to_string(), "job_type": job.kind, "user_id": job.user,
        "start_date": super::super::state::written(job.made), rules.status_member.clone(): word,
    });
    if let Some(members) = inner.as_object_mut() {
        if let Some(reason) = reason {
            members.insert("error_message".to_owned(), reason.clone().into());
        }
        if rules.tells_assets && job.phase == Phase::Done {
            members.insert("asset_ids".to_owned(), job.assets.clone().into());
        }
    }
    match rules.shape {
        JobShape::Resource => json!({"job_resource": {"job": inner}}),
        JobShape::Handle => json!({"job_handle": inner}),
        JobShape::Bare => inner,
    }
}

fn export(call: &mut Call<'_>) -> Outcome<Reply> {
    let rules = call.state.settings.exports.clone();
    let ids = match rules.json_request {
        false => selected(call)?,
        true => {
            let body = call.params.body()?;
            let context =
                body.get("export_request_param").and_then(|root| root.get("export_request")?.get("context"));
            let context =
                context.ok_or_else(|| Refusal::Invalid("The export request has no context".to_owned()))?;
            call.state.select(context)?
        }
    };
    let user = call.user.clone();
    let (job, can, cannot) = call.state.run_export(&user, &ids)?;
    let mut handle = json!({"export_response": {"exportable_count": can, "unexportable_count": cannot}});
    if let (true, Some(members)) = (rules.tells_job, handle.as_object_mut()) {
        members.insert("job_id".to_owned(), job.to_string().into());
    }
    Ok(Reply::Json(200, json!({ "export_job_handle": handle })))
}
