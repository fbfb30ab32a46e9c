//! Conflicts of the metadata sync: listed, told with both values, decided once, and the flow is told.

use std::sync::Arc;

use iconik_content_server::sync_asset_metadata::{
    content::{Content, Kind, Misfit, Shape},
    memory::{Memory, Pair},
    merge::{FieldRule, Policy, Reading, Seen, merge},
    state::{Both, Changed, Side},
};
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use shared::{aws, context::Context, http::Transport, ledger::Ledger, node_change::NodeChange};
use simulators::{aws::Aws, serve};
use tests::installation::Installation;

use crate::program::{Ended, run};

const ASSET: &str = "0f3c1a52-6b1e-11ef-8f5e-0a58a9feac02";
const NODE: i64 = 4711;

struct Place {
    account: Installation,
    variables: Vec<(String, String)>,
    memory: Memory,
}

fn seen(content: Content, by: &str) -> Seen {
    Seen {
        content: Some(content),
        changed: Changed { at: "2031-05-06T07:08:09Z".parse().ok(), by: Some(by.to_owned()) },
        mark: None,
        refused_there: None,
    }
}

fn text(text: &str) -> Content {
    Shape::one(Kind::Text).content(&[json!(text)], &TimeZone::UTC)
}

impl Place {
    /// A pair whose sides disagree in these fields, as a run of the flow leaves it.
    async fn with(fields: &[(&str, Policy, Content, Content)]) -> Self {
        let now = || jiff::Timestamp::now().as_millisecond();
        let (address, _) = serve::serve(Aws::new(Arc::new(now)).router(), 0).await.unwrap();
        let account = Installation::create(&format!("http://{address}"), 30).await;
        let mut variables: Vec<_> = account.variables("", "").into_iter().collect();
        variables.push(("AWS_REGION".to_owned(), "us-east-1".to_owned()));
        let (transport, context) = (Transport::network().unwrap(), Context::system());
        let sdk = aws::connect_to(&transport, &context, &account.address, &account.account);
        let ledger = Ledger::new(aws_sdk_dynamodb::Client::new(&sdk), &account.table, context);
        let place = Self { account, variables, memory: Memory::new(ledger) };
        let rules: Vec<FieldRule> = fields
            .iter()
            .map(|(name, policy, ..)| FieldRule { name: (*name).to_owned(), policy: *policy })
            .collect();
        let reading = |side: Side| -> Reading {
            let one = |(name, _, iconik, ecm): &(&str, Policy, Content, Content)| match side {
                Side::Iconik => ((*name).to_owned(), seen(iconik.clone(), "editor@example.com")),
                Side::ContentServer => ((*name).to_owned(), seen(ecm.clone(), "records@example.com")),
            };
            fields.iter().map(one).collect()
        };
        let mut kept = place.memory.pair(ASSET).await.unwrap();
        let merged = merge(&rules, &kept.pair.state, &Both::of(reading), &[]);
        place.memory.record(ASSET, NODE, &merged.conflicts).await.unwrap();
        // A worker that died here does it once more.
        place.memory.record(ASSET, NODE, &merged.conflicts).await.unwrap();
        let pair = Pair { node: NODE, state: merged.state, ..Pair::default() };
        assert!(place.memory.keep(ASSET, &mut kept, pair).await.unwrap());
        place
    }

    async fn command(&self, arguments: &[&str]) -> Ended {
        run("conflicts", arguments, &self.variables, b"").await
    }

    async fn list(&self) -> Vec<Json> {
        let told = self.command(&["list", "--json"]).await;
        told.json().as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn what_waits_is_listed_with_both_values_and_who_gave_them() {
    let place = Place::with(&[
        ("owner", Policy::Manual, text("Studio North"), text("Legal")),
        ("project", Policy::Newest { tie: Side::Iconik }, text("Spring"), text("Autumn")),
    ])
    .await;
    let told = place.command(&["list"]).await;
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    for shown in [
        "owner",
        "\"Studio North\"",
        "editor@example.com",
        "\"Legal\"",
        "records@example.com",
        ASSET,
        "1 conflicts.",
    ] {
        assert!(told.out.contains(shown), "{shown} is missing:\n{}", told.out);
    }
    assert!(!told.out.contains("Autumn"), "what was decided by its rule does not wait");
    let history = place.command(&["history", "--asset", ASSET]).await;
    assert_eq!(history.code, 0);
    assert!(
        history.out.contains("\"Autumn\"") && history.out.contains("it is named for ties"),
        "{}",
        history.out
    );
    assert_eq!(place.command(&["history", "--asset", "another"]).await.code, 1);
}

#[tokio::test]
async fn a_decision_is_kept_for_the_conflict_it_is_about_and_the_flow_is_told() {
    let place = Place::with(&[("owner", Policy::Manual, text("Studio North"), text("Legal"))]).await;
    let [conflict] = place.list().await.try_into().unwrap();
    let id = conflict["conflict"]["id"].as_str().unwrap();
    let told =
        place.command(&["resolve", id, "--take", "content-server", "--by", "steward@example.com"]).await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);

    let state = place.memory.pair(ASSET).await.unwrap().pair.state;
    let decisions = place.memory.decisions(&state).await.unwrap();
    let [decision] = decisions.as_slice() else { panic!("{decisions:?}") };
    assert_eq!((decision.conflict.as_str(), decision.take), (id, Side::ContentServer));
    assert_eq!(decision.by, "steward@example.com");

    let queue = place.account.sqs.receive_message().queue_url(&place.account.queue_url);
    let messages = queue.send().await.unwrap().messages.unwrap_or_default();
    let [message] = messages.as_slice() else { panic!("{messages:?}") };
    let change = NodeChange::parse(message.body.as_deref().unwrap()).unwrap();
    assert_eq!((change.node, change.request.as_deref()), (NODE, Some("sync")));
}

#[tokio::test]
async fn what_cannot_be_decided_so_is_said_and_changes_nothing() {
    let unfit = Content::Unfit(Misfit::Option, vec!["lapsed".to_owned()]);
    let place = Place::with(&[("rights", Policy::Manual, unfit, text("Legal"))]).await;
    let [conflict] = place.list().await.try_into().unwrap();
    let id = conflict["conflict"]["id"].as_str().unwrap();
    let by = ["--by", "steward@example.com"];
    let told = place.command(&[&["resolve", id, "--take", "iconik"], &by[..]].concat()).await;
    assert_eq!(told.code, 2);
    assert!(told.err.contains("none of the field's options"), "{}", told.err);
    let told = place.command(&[&["resolve", "0123", "--take", "iconik"], &by[..]].concat()).await;
    assert_eq!(told.code, 1, "no such conflict");
    for wrong in [vec!["resolve", id, "--take", "ours"], vec!["resolve", id], vec!["history"], vec!["settle"]]
    {
        let told = place.command(&[&wrong[..], &by[..]].concat()).await;
        assert_eq!(told.code, 2, "{wrong:?}");
        assert!(told.err.contains("Usage:"), "{}", told.err);
    }
    let state = place.memory.pair(ASSET).await.unwrap().pair.state;
    assert_eq!(place.memory.decisions(&state).await.unwrap(), []);
    assert_eq!(place.list().await.len(), 1);
}

#[tokio::test]
async fn a_pair_that_somebody_kept_meanwhile_is_not_replaced() {
    let place = Place::with(&[("owner", Policy::Manual, text("Studio North"), text("Legal"))]).await;
    let mut first = place.memory.pair(ASSET).await.unwrap();
    let mut second = first.clone();
    let changed = Pair {
        newest: Both { iconik: "2031-05-07T00:00:00Z".parse().ok(), content_server: None },
        ..first.pair.clone()
    };
    assert!(place.memory.keep(ASSET, &mut first, changed.clone()).await.unwrap());
    assert!(place.memory.keep(ASSET, &mut first, changed).await.unwrap(), "again, as after a lost answer");
    let other = Pair { node: 4712, ..second.pair.clone() };
    assert!(!place.memory.keep(ASSET, &mut second, other).await.unwrap());
    assert_eq!(place.memory.pair(ASSET).await.unwrap().pair.node, NODE);
}
