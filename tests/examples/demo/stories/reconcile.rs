//! An upload whose event was lost is found and delivered; what a person removed is told, and left to people.

use serde_json::{Value, json};
use simulators::content_server::state::ADMIN;

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::Stage,
};

pub(crate) const STORY: Story = Story {
    flow: "reconcile",
    about: "both sides are compared; what was lost is delivered",
    stacks: &["reconcile"],
    rules: "",
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const CLAIM: &str = "claims/100117";
const NAMES: [&str; 3] = ["statement.txt", "estimate.txt", "invoice.txt"];
const LOST: &str = "lost letter.txt";

async fn prepare(_: &Stage<'_>) -> Result<Vec<String>> {
    Ok(vec![
        "reconcile:RulesUri=s3://{ConfigurationBucketName}/reconcile.toml".to_owned(),
        "reconcile:FlowQueues={\"ingest-uploads\":\"{IngestUploadsQueueUrl}\"}".to_owned(),
    ])
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let intake = stage.output("IntakeBucketName")?.to_owned();
    let rules = format!("[[flow]]\nname = \"ingest-uploads\"\nbuckets = [\"{intake}\"]\ngrace_minutes = 0\n");
    stage.put_rules("reconcile.toml", &rules).await?;
    for name in NAMES {
        stage.put(&intake, &format!("{CLAIM}/{name}"), name.as_bytes().to_vec()).await?;
    }
    let filed = |server: &simulators::content_server::Simulator, name: &str| {
        server.with_state(|state| {
            state.nodes.values().filter(|node| node.name == name && !node.versions.is_empty()).count()
        })
    };
    stage
        .until("three letters of a claim are uploaded, and filed", move |server| {
            NAMES.iter().all(|name| filed(server, name) == 1)
        })
        .await?;
    let first = settled(stage).await?;
    let mut promises = vec![promise(
        "what was delivered agrees",
        format!("{} compared, no difference", first["counts"]["source"]),
        differs(&first, &[]),
    )];

    // The notification of the bucket is off for a moment, as a mistake in a deployment leaves it.
    lost(stage, &intake).await?;
    let removed = stage.simulator.with_state(|state| {
        let node = state.nodes.values().find(|node| node.name == NAMES[1]).map(|node| node.id);
        node.map(|node| state.delete(ADMIN, node))
    });
    removed.ok_or("the estimate is not there")?.map_err(|error| format!("{error:?}"))?;
    stage.say.step("the event of an upload is lost; somebody deletes the estimate in Content Server");
    let second = compare(stage, false).await?;
    let (_, found) = &second;
    promises.push(promise(
        "planted differences are found",
        "the lost letter and the estimate, nothing else".into(),
        differs_in(found, &[LOST, NAMES[1]]),
    ));

    let (answer, _) = compare(stage, true).await?;
    let queued = answer["counts"]["queued"].as_u64();
    let faults = if queued == Some(1) { vec![] } else { vec![format!("{queued:?} repairs were queued")] };
    promises.push(promise("only what is safe is repaired", "one event is sent again".into(), faults));
    stage.until("the lost letter is filed", move |server| filed(server, LOST) == 1).await?;
    let last = settled(stage).await?;
    let place = last["reports"].as_str().unwrap_or_default().to_owned();
    let (_, found) = read(stage, &last).await?;
    promises.push(promise(
        "what people removed stays removed",
        "the estimate is told, and left to them".into(),
        differs_in(&found, &[NAMES[1]]),
    ));
    stage.say.step(&format!("the report: {place}report.html"));
    let assets = NAMES
        .iter()
        .chain([&LOST])
        .map(|name| shared::ledger::Key::of(&[&intake, &format!("{CLAIM}/{name}")]).digest().to_owned());
    promises.extend(stage.usual_promises(&assets.collect::<Vec<_>>()).await?);
    Ok(promises)
}

/// Uploads a letter while the bucket tells nobody.
async fn lost(stage: &Stage<'_>, intake: &str) -> Result<()> {
    let s3 = &stage.stack.s3;
    let failed = |error: String| format!("the notification of s3://{intake}: {error}");
    let told = s3.get_bucket_notification_configuration().bucket(intake).send().await;
    let told = told.map_err(|error| failed(format!("{error:?}")))?;
    let set = |queues: Vec<aws_sdk_s3::types::QueueConfiguration>| {
        let put = s3.put_bucket_notification_configuration().bucket(intake);
        let configuration = aws_sdk_s3::types::NotificationConfiguration::builder();
        put.notification_configuration(configuration.set_queue_configurations(Some(queues)).build()).send()
    };
    set(Vec::new()).await.map_err(|error| failed(format!("{error:?}")))?;
    stage.put(intake, &format!("{CLAIM}/{LOST}"), b"nobody was told".to_vec()).await?;
    let queues = told.queue_configurations.unwrap_or_default();
    set(queues).await.map(drop).map_err(|error| failed(format!("{error:?}")))
}

/// Asks the function for a comparison: its answer, and the names of what it found. Its address takes requests that are
/// signed with credentials; here the service's own interface is asked, with the event that the address makes of one.
async fn compare(stage: &Stage<'_>, repair: bool) -> Result<(Value, Vec<String>)> {
    let event = json!({
        "version": "2.0", "rawPath": "/", "rawQueryString": "", "headers": {}, "isBase64Encoded": false,
        "requestContext": {"timeEpoch": 0, "http": {"method": "POST", "path": "/", "sourceIp": "127.0.0.1"}},
        "body": json!({"flow": "ingest-uploads", "repair": repair}).to_string(),
    });
    let answer = stage.invoke(&event).await?;
    let text = answer.text();
    let response: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    if response["statusCode"] != 200 {
        return Err(format!("the comparison failed: {text}"));
    }
    let body = response["body"].as_str().unwrap_or_default();
    let answer: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    read(stage, &answer).await
}

/// The report that an answer speaks of.
async fn read(stage: &Stage<'_>, answer: &Value) -> Result<(Value, Vec<String>)> {
    let place = answer["reports"].as_str().unwrap_or_default().trim_start_matches("s3://");
    let (bucket, prefix) = place.split_once('/').ok_or("the answer names no reports")?;
    let text = stage.get(bucket, &format!("{prefix}report.json")).await?;
    let report: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let names = report["findings"].as_array().into_iter().flatten();
    let names = names.map(|finding| finding["name"].as_str().unwrap_or_default());
    Ok((answer.clone(), names.map(|name| name.rsplit('/').next().unwrap_or_default().to_owned()).collect()))
}

/// A comparison once nothing is on its way any more.
async fn settled(stage: &Stage<'_>) -> Result<Value> {
    for _ in 0..30 {
        let (answer, _) = compare(stage, false).await?;
        // What was filed a moment ago may not have ended in the ledger yet.
        if answer["counts"]["missing"].as_u64().unwrap_or(9) <= 1 && answer["counts"]["inFlight"] == 0 {
            return Ok(answer);
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    Err("the comparison finds something on its way for ever".to_owned())
}

fn differs(answer: &Value, expected: &[&str]) -> Vec<String> {
    let found: u64 = ["missing", "different", "extra", "unverifiable"]
        .iter()
        .filter_map(|kind| answer["counts"][*kind].as_u64())
        .sum();
    if found == expected.len() as u64 { vec![] } else { vec![format!("{found} differences: {answer}")] }
}

fn differs_in(found: &[String], expected: &[&str]) -> Vec<String> {
    let mut found = found.to_vec();
    found.sort();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    if found == expected { vec![] } else { vec![format!("found {found:?}, planted {expected:?}")] }
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    let bucket = stage.output("ReportBucketName")?;
    Ok(vec![
        ("the reports", format!("{aws} s3 ls --recursive s3://{bucket}/reports/")),
        ("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?)),
    ])
}
