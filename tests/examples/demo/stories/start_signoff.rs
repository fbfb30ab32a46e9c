//! Three films whose review is approved in iconik go to sign-off: one is signed off, one is rejected, and of one the review
//! is withdrawn.

use iconik_content_server::start_signoff::COMPLETED;
use serde_json::{Value, json};
use shared::ledger::Key;
use simulators::{
    content_server::state::{ADMIN, Process, workflows::ProcessStatus},
    iconik::{State, seed, state::Object},
};
use tests::repository;

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::Stage,
};

pub(crate) const STORY: Story = Story {
    flow: "start-signoff",
    about: "what is approved in iconik is signed off in Content Server, and iconik shows who decided",
    stacks: &["start-signoff"],
    rules: "",
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const SIGNED_OFF: &str = "Harbour Lights 30s";
const REJECTED: &str = "Harbour Lights 60s master";
const WITHDRAWN: &str = "Harbour Lights 15s vertical";
const FILMS: [&str; 3] = [SIGNED_OFF, REJECTED, WITHDRAWN];
/// What the reviewer says of the one that is rejected.
const SAID: &str = "Der Hinweis ist zu kurz zu lesen. \u{645}\u{646} \u{641}\u{636}\u{644}\u{643}";

fn object(value: Value) -> Object {
    value.as_object().cloned().unwrap_or_default()
}

fn told<T, E: std::fmt::Debug>(outcome: std::result::Result<T, E>) -> Result<T> {
    outcome.map_err(|refusal| format!("{refusal:?}"))
}

/// Every film is filed in Content Server, and its newest version approved.
async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    for (number, film) in FILMS.into_iter().enumerate() {
        let bytes = vec![u8::try_from(number).unwrap_or(0); 4096];
        let name = format!("film {number}.mov");
        let node = repository::document(&stage.simulator, "Claims", &name, "video/quicktime", &[bytes]);
        stage.iconik()?.with_state(|state| approved(state, film, node))?;
    }
    Ok(vec![])
}

fn approved(state: &mut State, film: &str, node: i64) -> Result<()> {
    let asset = state.titled(film).ok_or_else(|| format!("there is no {film}"))?;
    let of = ("assets", asset.as_str());
    let campaign = json!({
        "Project": {"field_values": [{"value": "CMP-2031-014"}]},
        "Campaign": {"field_values": [{"value": "Harbour Lights"}]},
    });
    told(state.write_values(seed::EDITOR, of, seed::metadata::CAMPAIGN_VIEW, &object(campaign), false))?;
    let filed = json!({"ContentServerNode": {"field_values": [{ "value": node }]}});
    told(state.write_values(seed::SERVICE, of, seed::metadata::GOVERNANCE_VIEW, &object(filed), false))?;
    let key = told(state.approval_key("assets", &asset, None))?;
    let request = object(json!({"version_id": key.version_id, "users": [seed::PRODUCER], "min_number": 1}));
    told(state.request_approval(seed::EDITOR, "assets", &asset, &request))?;
    told(state.decide(seed::PRODUCER, &key, "APPROVED"))
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let mut promises = Vec::new();
    stage.say.step("three reviews are approved; each is told twice, as webhooks do");
    let before = verdicts(stage)?;
    for film in FILMS {
        for occasion in ["approved", "approved, once more"] {
            let item = stage.iconik_change("assets", &asset(stage, film)?, Some("signoff"), occasion).await?;
            stage.ended(&item, film).await?;
        }
    }
    promises.push(one_each(stage)?);

    let [signed_off, rejected] = [SIGNED_OFF, REJECTED].map(|film| workflow(stage, film));
    let (signed_off, rejected) = (signed_off?, rejected?);
    decide(stage, signed_off.id, "Approve", "")?;
    decide(stage, rejected.id, "Reject", SAID)?;
    for process in [&signed_off, &rejected] {
        let item = stage.change(process.id, Some(COMPLETED), "decided").await?;
        stage.ended(&item, &process.title).await?;
    }
    let withdrawn = asset(stage, WITHDRAWN)?;
    stage.iconik()?.with_state(|state| {
        let key = told(state.approval_key("assets", &withdrawn, None))?;
        told(state.decide(seed::PRODUCER, &key, "NOT_APPROVED"))
    })?;
    let before = without(&before, &withdrawn);
    let item = stage.iconik_change("assets", &withdrawn, Some("signoff"), "taken back").await?;
    stage.ended(&item, WITHDRAWN).await?;

    promises.push(shown(stage)?);
    promises.push(said(stage)?);
    let same = without(&verdicts(stage)?, &withdrawn) == before;
    let faults = if same { vec![] } else { vec!["somebody's verdict is another than before".to_owned()] };
    promises.push(promise(
        "nobody's verdict is given for them",
        "verdicts as people gave them".into(),
        faults,
    ));
    let mut assets = Vec::new();
    for film in FILMS {
        assets.push(Key::of(&["iconik", &asset(stage, film)?]).digest().to_owned());
    }
    promises.extend(stage.usual_promises(&assets).await?);
    Ok(promises)
}

fn asset(stage: &Stage<'_>, film: &str) -> Result<String> {
    stage.iconik()?.with_state(|state| state.titled(film)).ok_or_else(|| format!("there is no {film}"))
}

/// Every verdict that was given: of which asset, by whom, what.
fn verdicts(stage: &Stage<'_>) -> Result<Vec<(String, String)>> {
    Ok(stage.iconik()?.with_state(|state| {
        let all = state.review.approvals.iter();
        all.map(|(key, approval)| (key.object_id.clone(), format!("{:?}", approval.verdicts))).collect()
    }))
}

fn without(verdicts: &[(String, String)], asset: &str) -> Vec<(String, String)> {
    verdicts.iter().filter(|(of, _)| of != asset).cloned().collect()
}

fn workflow(stage: &Stage<'_>, film: &str) -> Result<Process> {
    let title = format!("Sign-off of {film}, version ");
    stage.simulator.with_state(|state| {
        let mut found = state.processes.values().filter(|process| process.title.starts_with(&title));
        found.next().cloned().ok_or_else(|| format!("no workflow signs off {film}"))
    })
}

fn decide(stage: &Stage<'_>, process: i64, disposition: &str, comment: &str) -> Result<()> {
    stage.simulator.with_state(|state| {
        let reviewer = state.member_by_name("claims.reviewer").map(|member| member.id).unwrap_or(ADMIN);
        told(state.finish_task(reviewer, process, 1, disposition, comment))?;
        if disposition == "Approve" {
            told(state.finish_task(ADMIN, process, 2, "SendOn", ""))?;
        }
        Ok(())
    })
}

/// One workflow per film, each with the filed document attached.
fn one_each(stage: &Stage<'_>) -> Result<Promise> {
    let processes: Vec<Process> =
        stage.simulator.with_state(|state| state.processes.values().cloned().collect());
    let mut faults = Vec::new();
    if processes.len() != FILMS.len() {
        faults.push(format!("{} workflows for {} films", processes.len(), FILMS.len()));
    }
    for film in FILMS {
        let expected = field(stage, film, "ContentServerNode")?.as_i64();
        let attached = workflow(stage, film)?.documents;
        if attached.first().copied() != expected || attached.len() != 1 {
            faults.push(format!("{film}: attached are {attached:?}, filed is {expected:?}"));
        }
    }
    Ok(promise("one workflow per reviewed version", "3 workflows, 3 documents, 6 hints".into(), faults))
}

fn field(stage: &Stage<'_>, film: &str, name: &str) -> Result<Value> {
    let asset = asset(stage, film)?;
    Ok(stage
        .iconik()?
        .with_state(|state| state.values_of(("assets", &asset), name).into_iter().next().unwrap_or_default()))
}

/// iconik shows what was decided about each film, and by whom.
fn shown(stage: &Stage<'_>) -> Result<Promise> {
    let reviewer = json!("Claims Reviewer (claims.reviewer)");
    let mut faults = Vec::new();
    for (film, state, decision, by) in [
        (SIGNED_OFF, "signed_off", "approved", &reviewer),
        (REJECTED, "rejected", "rejected", &reviewer),
        (WITHDRAWN, "filed", "withdrawn", &Value::Null),
    ] {
        let expected = [json!(state), json!(decision), by.clone()];
        let names = ["ContentServerState", "SignoffDecision", "SignoffDecidedBy"];
        for (name, expected) in names.into_iter().zip(expected) {
            let found = field(stage, film, name)?;
            if found != expected {
                faults.push(format!("{film}: {name} is {found}, not {expected}"));
            }
        }
    }
    let stopped = workflow(stage, WITHDRAWN)?.status;
    if stopped != ProcessStatus::Stopped {
        faults.push(format!("the workflow of {WITHDRAWN} is {stopped:?}"));
    }
    Ok(promise("iconik shows the decision and who took it", "signed off, rejected, withdrawn".into(), faults))
}

/// What the reviewer said stands beside the film, letter by letter and once.
fn said(stage: &Stage<'_>) -> Result<Promise> {
    let comments: Vec<String> = stage.iconik()?.with_state(|state| {
        let texts = state.review.segments.objects().filter_map(|comment| comment["segment_text"].as_str());
        texts.filter(|text| text.contains(SAID)).map(str::to_owned).collect()
    });
    let mut faults = Vec::new();
    match comments.as_slice() {
        [comment] if comment.contains("by Claims Reviewer (claims.reviewer)") => {}
        other => faults.push(format!("the comments are {other:?}")),
    }
    Ok(promise(
        "what was said is told once, in its language",
        "German and Arabic, under the reviewer's name".into(),
        faults,
    ))
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    Ok(vec![("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?))])
}
