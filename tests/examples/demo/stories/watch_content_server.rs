//! What changes in Content Server is told to the flows, once: a scan that somebody files is offloaded without anybody
//! asking, and a signed push brings it back.

use http::Method;
use serde_json::json;
use shared::node_change::{Change, NodeChange};
use tests::{messages, repository, web};

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::{Stage, asset_of},
};

pub(crate) const STORY: Story = Story {
    flow: "watch-content-server",
    about: "what changes in Content Server is told to the flows, once",
    stacks: &["offload-content", "watch-content-server"],
    rules: FEEDS,
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

/// A flow that does its work, and one whose queue we read ourselves.
const FEEDS: &str = r#"
[[feed]]
name = "scans"
flows = ["offload-content", "listener"]
search = { below = 3004 }
existing = "remember"
"#;

const RULES: &str = r#"
[external_content]
category = "Categories:Integration/External Content"
location = "Location"
document_version = "Document Version"
sha256 = "SHA-256"

[[rule]]
name = "scans"
prefix = "scans/"
after = "pointer"
"#;

const FOLDER: &str = "Digitised Archive";
const SECRET: &str = r#"{"current": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}"#;
const NAMES: [&str; 3] = ["one.tif", "two.tif", "three.tif"];

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    let created = stage.stack.secrets.create_secret().name("demo/signing").secret_string(SECRET).send().await;
    let created = created.map_err(|error| format!("the signing secret: {error:?}"))?;
    let listener = stage.stack.sqs.create_queue().queue_name("listener").send().await;
    let listener = listener.map_err(|error| format!("the listener's queue: {error:?}"))?;
    let listener = listener.queue_url.unwrap_or_default();
    Ok(vec![
        format!("SigningSecretArn={}", created.arn.unwrap_or_default()),
        format!(
            "watch-content-server:FlowQueues={{\"offload-content\":\"{{OffloadContentQueueUrl}}\",\"listener\":\"{listener}\"}}"
        ),
        "offload-content:RulesUri=s3://{ConfigurationBucketName}/offload-content.toml".to_owned(),
    ])
}

async fn listener(stage: &Stage<'_>) -> Result<String> {
    let found = stage.stack.sqs.get_queue_url().queue_name("listener").send().await;
    Ok(found.map_err(|error| format!("the listener's queue: {error:?}"))?.queue_url.unwrap_or_default())
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    stage.put_rules("offload-content.toml", RULES).await?;
    let queue = listener(stage).await?;
    round(stage, "the first round remembers what is there").await?;
    let before = stage.take(&queue).await?;

    let server = &stage.simulator;
    let scan =
        |name: &&str| repository::document(server, FOLDER, name, "image/tiff", &[name.as_bytes().to_vec()]);
    let nodes: Vec<i64> = NAMES.iter().map(scan).collect();
    round(stage, "somebody files three scans; a round finds them").await?;
    let told = stage.take(&queue).await?;
    let mut promises = vec![
        promise(
            "what was there before is not told",
            "the feed says: remember".into(),
            before.iter().map(|change| format!("node {} was told", change.node)).collect(),
        ),
        told_once(&nodes, &told),
    ];
    let all = nodes.clone();
    stage
        .until("offload-content had its messages: pointers stand for the scans", move |server| {
            all.iter().all(|node| is_pointer(server, *node))
        })
        .await?;
    promises.extend(pushes(stage, &queue, nodes[0]).await?);
    let first = nodes[0];
    stage.until("the recall that was pushed is done", move |server| !is_pointer(server, first)).await?;
    let same = repository::newest_bytes(server, first) == NAMES[0].as_bytes();
    let faults = if same { vec![] } else { vec!["other bytes came back".to_owned()] };
    promises.push(promise("the flow did what it was told of", "offloaded, and one recalled".into(), faults));
    promises
        .extend(stage.usual_promises(&nodes.iter().map(|node| asset_of(*node)).collect::<Vec<_>>()).await?);
    Ok(promises)
}

/// Whether a pointer is all that is left of a document.
fn is_pointer(server: &simulators::content_server::Simulator, node: i64) -> bool {
    let node = repository::node(server, node);
    node.versions.len() == 1 && node.latest().is_some_and(|version| version.mime_type == "application/json")
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

fn told_once(nodes: &[i64], told: &[NodeChange]) -> Promise {
    let found: Vec<i64> = told.iter().map(|change| change.node).collect();
    let mut faults = Vec::new();
    for node in nodes {
        match found.iter().filter(|found| *found == node).count() {
            1 => {}
            times => faults.push(format!("node {node} was told {times} times")),
        }
    }
    faults.extend(
        found.iter().filter(|node| !nodes.contains(node)).map(|node| format!("node {node} is none of ours")),
    );
    faults.extend(
        told.iter()
            .filter(|change| change.change != Change::Changed)
            .map(|change| format!("node {}: {:?}", change.node, change.change)),
    );
    promise(
        "every change is told once",
        format!("{} messages for {} documents", told.len(), nodes.len()),
        faults,
    )
}

async fn pushes(stage: &Stage<'_>, queue: &str, node: i64) -> Result<Vec<Promise>> {
    let url = stage.served(stage.output("WatchContentServerPushUrl")?, "changes");
    let body = json!({"feed": "scans", "node": node, "request": "recall"}).to_string();
    let headers = messages::push_headers(SECRET, "msg_1", &body);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut statuses = Vec::new();
    for headers in [&headers[..], &headers[..], &[]] {
        let answer = web::ask(Method::POST, &url, headers, body.clone()).await?;
        statuses.push(answer.status.as_u16());
    }
    stage.say.step(&format!("a push, signed; the same again; unsigned: {statuses:?}"));
    let told = stage.take(queue).await?;
    let mut faults = Vec::new();
    if told.len() != 1 || told[0].request.as_deref() != Some("recall") {
        faults.push(format!("{} messages instead of one", told.len()));
    }
    let once = promise("a signed push is told once", "202, then 200 without a message".into(), faults);
    let wrong = (statuses != [202, 200, 401]).then(|| format!("the answers were {statuses:?}"));
    let refused =
        promise("nobody pushes without the key", "401, and no message".into(), wrong.into_iter().collect());
    Ok(vec![once, refused])
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    Ok(vec![
        ("pushes go to", stage.served(stage.output("WatchContentServerPushUrl")?, "changes")),
        ("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?)),
    ])
}
