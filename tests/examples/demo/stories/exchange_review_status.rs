//! A regulated film is reviewed in iconik and approved in Content Server: both sides are told of each other, and what was said
//! lies in Content Server as evidence that verifies, and that nobody can alter unseen.

use iconik_content_server::exchange_review_status::LOOK_AGAIN;
use serde_json::json;
use shared::{audit, iconik_change::IconikChange};
use simulators::iconik::seed;
use tests::{messages, repository};

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::{Stage, asset_of},
};

pub(crate) const STORY: Story = Story {
    flow: "exchange-review-status",
    about: "a regulated review is exchanged and leaves evidence",
    stacks: &["exchange-review-status"],
    rules: "",
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const FOLDER: &str = "Digitised Archive";
const FILM: &str = "inhaler.mp4";
const ARABIC: &str = "\u{645}\u{646} \u{641}\u{636}\u{644}\u{643} \u{202e}gpj.exe";

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    let node = repository::document(&stage.simulator, FOLDER, FILM, "video/mp4", &[b"the film".to_vec()]);
    repository::set_value(&stage.simulator, node, "Document Approval", "Status", "In Review".into());
    Ok(Vec::new())
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let (server, iconik) = (&stage.simulator, stage.iconik()?);
    let node = repository::at(server, &format!("{FOLDER}/{FILM}"));
    let refused = || "iconik refuses it".to_owned();
    let (asset, comment) = iconik
        .with_state(|state| {
            let asset = state.titled("Using the inhaler")?;
            let filed = json!({"ContentServerNode": {"field_values": [{"value": node}]}});
            state.write_directly(seed::EDITOR, ("assets", &asset), filed.as_object()?);
            let said = json!({"segment_type": "COMMENT", "segment_text": ARABIC});
            let comment = state.add_segment(seed::REVIEWER, &asset, None, said.as_object()?).ok()?;
            Some((asset, comment))
        })
        .ok_or_else(refused)?;
    stage.say.step(
        "two reviewers do not agree on a film; one comments in Arabic, with a sign that turns text round",
    );
    let item = stage.iconik_change("assets", &asset, None, "1").await?;
    stage.ended(&item, "the review").await?;
    let place = format!("{FOLDER}/Review evidence {asset}.jsonl");
    let read = || {
        String::from_utf8_lossy(&repository::newest_bytes(server, repository::at(server, &place)))
            .into_owned()
    };
    let first = read();

    iconik
        .with_state(|state| {
            let key = state.approval_key("assets", &asset, None).ok()?;
            state.decide(seed::REVIEWER, &key, "APPROVED").ok()?;
            state.delete_segment(seed::REVIEWER, &asset, &comment, false).ok()
        })
        .ok_or_else(refused)?;
    repository::set_value(server, node, "Document Approval", "Status", "Approved".into());
    stage
        .say
        .step("the reviewer approves and deletes the comment; the document is approved in Content Server");
    let item = stage.change(node, None, "1").await?;
    stage.ended(&item, "the decision").await?;
    stage.say.step("when iconik's index has had its time, the asset is looked at once more");
    let again = messages::iconik_change(STORY.flow, "assets", &asset, Some(LOOK_AGAIN), "1");
    let again = IconikChange::parse(&again).map_err(|error| error.to_string())?;
    stage.ended(again.key().digest(), "the second look").await?;
    let last = read();

    let mut faults = Vec::new();
    if let Err(tampering) = audit::verify(&last, None) {
        faults.push(tampering.to_string());
    }
    if !last.starts_with(&first) || last.len() <= first.len() {
        faults.push("the evidence did not grow".to_owned());
    }
    if !last.contains(ARABIC) || !last.contains("\"deleted\"") {
        faults.push("the comment or its deletion is not in it".to_owned());
    }
    let forged = last.replacen("NOT_APPROVED", "APPROVED", 1);
    let unseen =
        (forged == last || audit::verify(&forged, None).is_ok()).then(|| "a forgery passes".to_owned());
    let state = repository::value(server, node, "Review", "Status");
    let step = iconik.with_state(|state| state.values_of(("assets", &asset), "DocumentState"));
    let mut untold = Vec::new();
    if state != Some("APPROVED".into()) {
        untold.push(format!("the document is told {state:?}"));
    }
    if step != ["Approved"] {
        untold.push(format!("the asset is told {step:?}"));
    }
    let lines = format!("{} entries, every hash follows", last.lines().count());
    let mut promises = vec![
        promise("evidence only grows, and verifies offline", lines, faults),
        promise(
            "whoever alters it is found out",
            "a verdict turned round is noticed".into(),
            unseen.into_iter().collect(),
        ),
        promise("each side knows of the other", "approved there, and here".into(), untold),
    ];
    promises.extend(stage.usual_promises(&[asset_of(node)]).await?);
    Ok(promises)
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    Ok(vec![("the function's log", format!("{} logs tail {}", stage.aws(), stage.own("LogGroupName")?))])
}
