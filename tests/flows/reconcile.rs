//! Both sides of a flow, compared by the real binary, and brought together again.

use http::Method;
use serde_json::{Value, json};
use tests::{
    installation::Keeping,
    repository,
    runtime::{Function, Settings},
};

use crate::world::{Usual, World, artefacts};

/// An installation of `ingest-uploads`, and the function that compares its sides beside it.
struct Compared {
    /// The flow, with its queue and Content Server.
    flow: World,
    /// The same world, in which `reconcile` is the function that is asked.
    reconcile: Function,
}

async fn compared() -> Compared {
    let flow = World::with(Usual { content: Some(Keeping::Versions), ..Usual::default() }).await;
    let place = &flow.place;
    let rules = format!(
        "[[flow]]\nname = \"ingest-uploads\"\nbuckets = [\"{}\"]\nrules = \"s3://{}/rules.toml\"\ngrace_minutes = 0\n",
        place.intake, place.configuration
    );
    let put = place.s3.put_object().bucket(&place.configuration).key("reconcile.toml");
    put.body(rules.into_bytes().into()).send().await.expect("the rules are taken");
    let mut settings = Settings::new("reconcile", artefacts().join("reconcile").join("bootstrap"));
    settings.variables = flow.function.settings().variables.clone();
    for (name, value) in [
        ("WAYBILL_RULES", format!("s3://{}/reconcile.toml", place.configuration)),
        ("WAYBILL_REPORT_BUCKET", place.content.clone()),
        ("WAYBILL_FLOW_QUEUES", json!({"ingest-uploads": place.queue_url}).to_string()),
    ] {
        settings.variables.insert(name.to_owned(), value);
    }
    Compared { reconcile: Function::new(settings), flow }
}

impl Compared {
    /// Asks for a comparison; gives what the function answers and the report.
    async fn ask(&self, repair: bool) -> (Value, Value) {
        let body = json!({"flow": "ingest-uploads", "repair": repair}).to_string();
        let answer = self.flow.ask_of(&self.reconcile, Method::POST, "/", &[], &body).await;
        let log = self.reconcile.log();
        assert_eq!(answer.status, http::StatusCode::OK, "{} {}", answer.text(), log.text());
        let answer: Value = serde_json::from_str(&answer.text()).expect("JSON");
        let place = answer["reports"].as_str().expect("a place");
        let (_, prefix) =
            place.strip_prefix("s3://").and_then(|place| place.split_once('/')).expect("a place");
        let mut texts = Vec::new();
        for name in ["report.json", "findings.csv", "report.html"] {
            let get = self.flow.place.s3.get_object().bucket(&self.flow.place.content);
            let object = get.key(format!("{prefix}{name}")).send().await.expect(name);
            texts.push(String::from_utf8(object.body.collect().await.expect(name).to_vec()).expect("text"));
        }
        let report: Value = serde_json::from_str(&texts[0]).expect("a report");
        let findings = report["findings"].as_array().map_or(0, Vec::len);
        assert_eq!(texts[1].matches("\r\n").count(), findings + 1, "{}", texts[1]);
        assert!(texts[2].contains("ingest-uploads"), "{}", texts[2]);
        (answer, report)
    }

    /// An upload whose event is lost.
    async fn lost(&self, key: &str, content: &str) {
        self.flow.upload(key, content).await;
        let sqs = &self.flow.place.sqs;
        let receive = sqs.receive_message().queue_url(&self.flow.place.queue_url).wait_time_seconds(5);
        let messages = receive.send().await.expect("the queue can be read").messages.unwrap_or_default();
        assert_eq!(messages.len(), 1, "the event of the upload");
        for message in messages {
            let delete = sqs.delete_message().queue_url(&self.flow.place.queue_url);
            delete.set_receipt_handle(message.receipt_handle).send().await.expect("the message goes");
        }
    }
}

/// Kind and last part of the name of each finding, sorted.
fn found(report: &Value) -> Vec<(String, String)> {
    let mut found: Vec<_> = report["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
            (text("kind"), text("name").rsplit('/').next().unwrap_or_default().to_owned())
        })
        .collect();
    found.sort();
    found
}

fn missing(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|name| ("missing".to_owned(), (*name).to_owned())).collect()
}

#[tokio::test]
async fn what_was_lost_is_found_and_delivered_and_what_people_removed_is_left_to_them() {
    let compared = compared().await;
    for name in ["one.txt", "two.txt", "three.txt"] {
        compared.flow.upload(&format!("inbox/{name}"), format!("{name}, as it was sent")).await;
    }
    compared.flow.settle().await;
    let (answer, report) = compared.ask(false).await;
    assert_eq!((&answer["agree"], found(&report)), (&json!(true), vec![]), "{report:#}");

    compared.lost("inbox/lost.txt", "nobody was told").await;
    let removed = repository::at(&compared.flow.ecm, "Claims/Incoming/two.txt");
    compared
        .flow
        .ecm
        .with_state(|state| state.delete(simulators::content_server::state::ADMIN, removed))
        .unwrap();
    let (answer, report) = compared.ask(false).await;
    assert_eq!((&answer["agree"], found(&report)), (&json!(false), missing(&["lost.txt", "two.txt"])));
    assert_eq!(compared.flow.waiting().await, 0, "nothing is repaired without being asked for");

    let (answer, _) = compared.ask(true).await;
    assert_eq!(answer["counts"]["queued"], 1, "{answer:#}");
    compared.flow.settle().await;
    let (_, report) = compared.ask(false).await;
    assert_eq!(found(&report), missing(&["two.txt"]), "{}", compared.flow.told());
    let filed = compared.flow.documents("Claims/Incoming");
    assert!(filed.iter().any(|document| document.name == "lost.txt"), "{filed:?}");
}
