//! What the webhooks of iconik do not tell is found: a webhook that nobody answers is switched off by iconik, an editor goes
//! on working, and the sweep tells the flows. It switches nothing on.

use serde_json::{Value, json};
use shared::iconik_change::IconikChange;
use simulators::iconik::seed;

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::Stage,
};

pub(crate) const STORY: Story = Story {
    flow: "watch-iconik",
    about: "what a webhook that was switched off did not tell is found, once",
    stacks: &["watch-iconik"],
    rules: FEEDS,
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const FEEDS: &str = r#"
receiver = "https://waybill.example.com"

[[feed]]
name = "assets"
flows = ["publish-finals", "sync-asset-metadata"]
existing = "remember"

[[feed]]
name = "comments"
flows = ["sync-asset-metadata"]
objects = ["segments"]
query = "segment_type:COMMENT"
existing = "remember"
"#;
const FLOWS: [&str; 2] = ["publish-finals", "sync-asset-metadata"];

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    let mut queues = serde_json::Map::new();
    for flow in FLOWS {
        let made = stage.stack.sqs.create_queue().queue_name(flow).send().await;
        let made = made.map_err(|error| format!("the queue of {flow}: {error:?}"))?;
        queues.insert(flow.to_owned(), made.queue_url.unwrap_or_default().into());
    }
    Ok(vec![format!("watch-iconik:FlowQueues={}", Value::from(queues))])
}

async fn round(stage: &Stage<'_>, what: &str) -> Result<()> {
    let answer = stage
        .invoke(&json!({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}))
        .await?;
    if answer.header("x-amz-function-error").is_empty() && answer.status.is_success() {
        stage.say.step(what);
        return Ok(());
    }
    Err(format!("the round failed: {} {}", answer.status, answer.text()))
}

async fn told(stage: &Stage<'_>, flow: &str) -> Result<Vec<IconikChange>> {
    let found = stage.stack.sqs.get_queue_url().queue_name(flow).send().await;
    let url = found.map_err(|error| format!("the queue of {flow}: {error:?}"))?.queue_url;
    let bodies = stage.take_bodies(&url.unwrap_or_default()).await?;
    bodies.iter().map(|body| IconikChange::parse(body).map_err(|error| error.to_string())).collect()
}

/// How many messages are of an object, other than expected.
fn miscounted(flow: &str, told: &[IconikChange], expected: &[(&str, &str, usize)]) -> Vec<String> {
    let mut faults = Vec::new();
    for (id, what, times) in expected {
        let count = told.iter().filter(|change| change.object_id == *id).count();
        if count != *times {
            faults.push(format!("{flow} was told of {what} {count} times instead of {times}"));
        }
    }
    let all: usize = expected.iter().map(|(_, _, times)| times).sum();
    if told.len() != all {
        faults.push(format!("{flow} got {} messages instead of {all}", told.len()));
    }
    faults
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let iconik = stage.iconik()?;
    let refused = |what: &str| format!("iconik refuses {what}");
    round(stage, "the first round remembers what is there").await?;
    let before = told(stage, FLOWS[0]).await?.len() + told(stage, FLOWS[1]).await?.len();

    let given = json!({
        "name": "Waybill", "url": "https://waybill.example.com/webhooks", "event_type": "assets", "status": "DISABLED",
    });
    let webhook = iconik.with_state(|state| state.create_webhook(given.as_object()?).ok());
    let webhook = webhook.ok_or_else(|| refused("the webhook"))?;
    stage.say.step("nobody answered the webhook for five hours: iconik has switched it off");
    let (made, commented, gone) = iconik
        .with_state(|state| {
            let new = |title: &str| json!({"title": title}).as_object().cloned().unwrap_or_default();
            let made = state.create_asset(seed::EDITOR, new("Harbour Lights teaser")).ok()?;
            let commented = state.titled("Harbour Lights 30s")?;
            let said = json!({"segment_type": "COMMENT", "segment_text": "the horn is too loud"});
            state.add_segment(seed::REVIEWER, &commented, None, said.as_object()?).ok()?;
            let gone = state.titled("Harbour at dawn")?;
            state.delete(seed::EDITOR, "assets", &gone).ok()?;
            Some((made, commented, gone))
        })
        .ok_or_else(|| refused("an edit"))?;
    stage
        .say
        .step("an editor makes an asset and deletes another; a reviewer comments on a third; nobody is told");

    for what in ["a round finds all of it", "another round finds nothing new"] {
        round(stage, what).await?;
    }
    let (first, second) = (told(stage, FLOWS[0]).await?, told(stage, FLOWS[1]).await?);
    let mut faults = miscounted(FLOWS[0], &first, &[(&made, "the new asset", 1), (&gone, "the deletion", 1)]);
    let all = [
        (made.as_str(), "the new asset", 1),
        (gone.as_str(), "the deletion", 1),
        (commented.as_str(), "the comment", 1),
    ];
    faults.extend(miscounted(FLOWS[1], &second, &all));
    let is_deletion = |change: &&IconikChange| change.operation.as_deref() == Some("delete");
    if second.iter().filter(is_deletion).any(|change| change.object_id != gone) {
        faults.push("something else is said to be deleted".to_owned());
    }
    let status =
        iconik.with_state(|state| state.webhook(&webhook).ok()?["status"].as_str().map(str::to_owned));
    let switched = (status.as_deref() != Some("DISABLED")).then(|| format!("the webhook is {status:?}"));
    let found = format!("{} messages for an asset, a comment and a deletion", first.len() + second.len());
    let silent = (before > 0).then(|| format!("{before} messages"));
    let mut promises = vec![
        promise(
            "what was there before is not told",
            "the feeds say: remember".into(),
            silent.into_iter().collect(),
        ),
        promise("what no webhook told is found once", found, faults),
        promise(
            "nothing is switched on silently",
            "it is still DISABLED".into(),
            switched.into_iter().collect(),
        ),
    ];
    promises.extend(stage.usual_promises(&[]).await?);
    Ok(promises)
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    Ok(vec![("the function's log", format!("{} logs tail {}", stage.aws(), stage.own("LogGroupName")?))])
}
