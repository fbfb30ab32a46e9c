//! What iconik tells reaches the flows, once: an approval by custom action, an edit by webhook; with the secret that the
//! stack made, before and after it is changed.

use http::Method;
use serde_json::{Value, json};
use shared::iconik_change::IconikChange;
use tests::web;

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::Stage,
};

pub(crate) const STORY: Story = Story {
    flow: "receive-iconik",
    about: "what iconik tells is told to the flows, once",
    stacks: &["receive-iconik"],
    rules: SUBSCRIPTIONS,
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const SUBSCRIPTIONS: &str = r#"
own_users = ["3c7d0e2f-5d0b-11ec-88a3-0a580a3c8cdd"]

[[webhook]]
name = "metadata"
flows = ["sync-asset-metadata"]
realms = ["metadata"]

[[action]]
name = "publish"
id = "9f3b7dad-c7b1-11ec-bd88-0a580a3d8cdd"
flows = ["publish-finals"]
"#;
const FLOWS: [&str; 2] = ["publish-finals", "sync-asset-metadata"];
const ASSET: &str = "5c0e4a7a-c7b1-11ec-8a55-0a580a3d8cdd";
const EDITOR: &str = "2b6c9d1e-5d0b-11ec-b7f2-0a580a3c8cdd";
const OURSELVES: &str = "3c7d0e2f-5d0b-11ec-88a3-0a580a3c8cdd";

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    let mut queues = serde_json::Map::new();
    for flow in FLOWS {
        let made = stage.stack.sqs.create_queue().queue_name(flow).send().await;
        let made = made.map_err(|error| format!("the queue of {flow}: {error:?}"))?;
        queues.insert(flow.to_owned(), made.queue_url.unwrap_or_default().into());
    }
    Ok(vec![format!("receive-iconik:FlowQueues={}", Value::from(queues))])
}

fn edit(user: &str, request: &str) -> Value {
    json!({
        "system_domain_id": "9a1c7f3e-5d0b-11ec-a1c3-0a580a3c8cdd", "event_type": "assets", "object_id": ASSET,
        "user_id": user, "realm": "metadata", "operation": "update", "data": {}, "request_id": request,
    })
}

fn approval() -> Value {
    json!({
        "user_id": EDITOR, "system_domain_id": "9a1c7f3e-5d0b-11ec-a1c3-0a580a3c8cdd", "context": "ASSET",
        "action_id": "9f3b7dad-c7b1-11ec-bd88-0a580a3d8cdd", "asset_ids": [ASSET], "collection_ids": [],
        "saved_search_ids": [], "metadata_view_id": null, "metadata_values": null,
        "date_created": "2022-04-29T00:22:10.316685", "auth_token": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
    })
}

/// Sends as iconik does; tells the status.
async fn send(stage: &Stage<'_>, path: &str, secret: &str, body: &Value, what: &str) -> Result<u16> {
    let url = stage.served(stage.output("ReceiveIconikWebhooksUrl")?, path);
    let headers = [("x-waybill-secret", secret), ("content-type", "application/json")];
    let answer = web::ask(Method::POST, &url, &headers, body.to_string()).await?;
    stage.say.step(&format!("POST /{path:<9} {what:<46} {}", answer.status.as_u16()));
    Ok(answer.status.as_u16())
}

async fn messages(stage: &Stage<'_>, flow: &str) -> Result<Vec<String>> {
    let found = stage.stack.sqs.get_queue_url().queue_name(flow).send().await;
    let url = found.map_err(|error| format!("the queue of {flow}: {error:?}"))?.queue_url;
    stage.take_bodies(&url.unwrap_or_default()).await
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let name = stage.output("ReceiveIconikSecretArn")?;
    let made = stage.stack.secrets.get_secret_value().secret_id(name).send().await;
    let made = made.map_err(|error| format!("the secret: {error:?}"))?.secret_string.unwrap_or_default();
    let secret: Value = serde_json::from_str(&made).map_err(|error| format!("the secret: {error}"))?;
    let secret = secret["current"].as_str().unwrap_or_default().to_owned();
    stage.say.step("the stack made a secret, which goes into the headers of iconik's webhooks and actions");

    let mut statuses = vec![
        send(stage, "actions", &secret, &approval(), "a review is approved; an automation says so").await?,
        send(stage, "actions", &secret, &approval(), "the same again").await?,
        send(stage, "webhooks", &secret, &edit(EDITOR, "request-1"), "an editor changes a field").await?,
        send(stage, "webhooks", &secret, &edit(OURSELVES, "request-2"), "Waybill changes a field").await?,
    ];
    let mut large = edit(EDITOR, "request-3");
    large["data"]["description"] = "x".repeat(1 << 20).into();
    let refusals = vec![
        send(stage, "webhooks", "sesame-open-yourself-now", &edit(EDITOR, "request-3"), "another secret")
            .await?,
        send(stage, "webhooks", &secret, &large, "a megabyte").await?,
        send(stage, "webhooks", &secret, &json!([1]), "none of iconik's bodies").await?,
    ];
    let new = "kR3nVd8sQm1xZt7bLw5cYf2h";
    let both = json!({"current": new, "previous": secret}).to_string();
    let changed = stage.stack.secrets.put_secret_value().secret_id(name).secret_string(both).send().await;
    changed.map_err(|error| format!("the secret: {error:?}"))?;
    stage.say.step("the secret is changed, and the previous one is kept for a while");
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    for (secret, request) in [(new, "request-4"), (secret.as_str(), "request-5")] {
        statuses.push(
            send(stage, "webhooks", secret, &edit(EDITOR, request), "an edit, with either secret").await?,
        );
    }

    let (asked, told) = (messages(stage, FLOWS[0]).await?, messages(stage, FLOWS[1]).await?);
    let is_of_asset = |body: &String| IconikChange::parse(body).is_ok_and(|change| change.object_id == ASSET);
    let mut faults = Vec::new();
    if asked.len() != 1 || told.len() != 3 || !asked.iter().chain(&told).all(is_of_asset) {
        faults.push(format!("{} and {} messages instead of one and three", asked.len(), told.len()));
    }
    if statuses != [202, 200, 202, 200, 202, 202] {
        faults.push(format!("the answers were {statuses:?}"));
    }
    let once = promise("what iconik tells is told once", "an approval and three edits".into(), faults);
    let wrong = (refusals != [401, 413, 400]).then(|| format!("the answers were {refusals:?}"));
    let closed =
        promise("nobody else is heard", "401, 413, 400, and no message".into(), wrong.into_iter().collect());
    let leaks = asked.iter().chain(&told).any(|body| body.contains("eyJ"));
    let leaks = leaks.then(|| "the token of whoever approved is in a message".to_owned());
    let silent = promise("messages are hints", "an id, and no token".into(), leaks.into_iter().collect());
    let mut promises = vec![once, closed, silent];
    promises.extend(stage.usual_promises(&[]).await?);
    Ok(promises)
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    Ok(vec![
        ("webhooks go to", stage.served(stage.output("ReceiveIconikWebhooksUrl")?, "webhooks")),
        ("custom actions go to", stage.served(stage.output("ReceiveIconikWebhooksUrl")?, "actions")),
        ("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?)),
    ])
}
