//! The door that iconik knocks at: how long whoever knocks is kept waiting.

use std::path::Path;

use serde_json::{Value, json};
use tests::{
    messages,
    runtime::{Function, Outcome, Settings},
};

use crate::{
    measure::{median, milliseconds, paired, processor_time},
    report::Figure,
    stage::{Stage, tail},
};

const FLOW: &str = "sync-asset-metadata";
const SUBSCRIPTIONS: &str =
    "[[webhook]]\nname = \"metadata\"\nflows = [\"sync-asset-metadata\"]\nrealms = [\"metadata\"]\n";
const SECRET: &str = "kR3nVd8sQm1xZt7bLw5cYf2h";

/// From the request to the answer: of webhooks that are told to a flow, and, in turn with each, of a request that nothing is
/// read or written for.
pub(crate) async fn answer(stage: &Stage, artefacts: &Path, deliveries: usize) -> Figure {
    let function = open(stage, artefacts).await;
    let first = asked(stage, &function, "/webhooks", &edit(0), 202).await;
    let process = function.processes()[0].id();
    let before = processor_time(process);
    let (mut told, mut refused) = (Vec::new(), Vec::new());
    for number in 1..=deliveries {
        told.push(asked(stage, &function, "/webhooks", &edit(number), 202).await);
        refused.push(asked(stage, &function, "/elsewhere", &edit(number), 404).await);
    }
    let spent = milliseconds(processor_time(process) - before) / deliveries as f64;
    let messages = stage.aws.sqs().messages(FLOW).len();
    assert_eq!(messages, deliveries + 1, "messages; the log ends with\n{}", tail(&function));
    let again = asked(stage, &function, "/webhooks", &edit(1), 200).await;
    let late = of_a_hundred(&told, 99);
    Figure {
        figure: "answer to a webhook of iconik",
        waybill: format!("{:.1} ms; 99 of 100 within {late:.1} ms", median(&told)),
        compared_with: format!("{:.1} ms where nothing is read or written", median(&refused)),
        ratio: paired(&told, &refused),
        bar: "99 of 100 within 20 ms",
        passed: late <= 20.0,
        note: format!(
            "{deliveries} deliveries, one after the other, each remembered and told to one flow (a read, a message, a write), \
             at most {:.1} ms; {spent:.2} ms of processor time with the request that it is compared with; the first, with the \
             start of the process, {first:.0} ms; one that came before {again:.1} ms; ledger and queue on this machine, so a \
             Region's own latency comes on top",
            of_a_hundred(&told, 100)
        ),
        runs: [told, refused],
    }
}

async fn open(stage: &Stage, artefacts: &Path) -> Function {
    let place = &stage.place;
    let queue = place.create_queue(FLOW, 30).await;
    let signing = "waybill/bench/receive-iconik";
    place.set_secret(signing, &json!({"current": SECRET}).to_string()).await;
    let rules = place.put_rules(SUBSCRIPTIONS).await;
    let mut settings = Settings::new("receive-iconik", artefacts.join("receive-iconik/bootstrap"));
    settings.variables = place.variables(&stage.ecm_url, &rules);
    Function::new(
        settings
            .variable("WAYBILL_FLOW_QUEUES", json!({FLOW: queue}).to_string())
            .variable("WAYBILL_SIGNING_SECRET", signing),
    )
}

/// An edit of an asset's metadata, as iconik tells it.
fn edit(number: usize) -> Value {
    json!({
        "system_domain_id": "9a1c7f3e-5d0b-11ec-a1c3-0a580a3c8cdd", "event_type": "assets",
        "object_id": format!("5c0e4a7a-c7b1-11ec-8a55-{number:012x}"),
        "user_id": "2b6c9d1e-5d0b-11ec-b7f2-0a580a3c8cdd", "realm": "metadata", "operation": "update",
        "request_id": format!("request-{number}"),
        "data": {
            "object_id": format!("5c0e4a7a-c7b1-11ec-8a55-{number:012x}"), "object_type": "assets",
            "metadata_values": {"Synopsis": {"field_values": [{"value": "The harbour at night. ".repeat(80)}]}},
        },
    })
}

/// The milliseconds until an answer, which has to be this one: a figure of refusals is none.
async fn asked(stage: &Stage, function: &Function, path: &str, body: &Value, status: u16) -> f64 {
    let headers = [("content-type", "application/json"), ("x-waybill-secret", SECRET)];
    let event = messages::http_request(&stage.place.account, "POST", path, &headers, &body.to_string());
    let invocation = function.invoke(&event).await;
    let answered = match &invocation.outcome {
        Outcome::Answer(Some(answer)) => answer["statusCode"].as_u64(),
        _ => None,
    };
    assert_eq!(answered, Some(status.into()), "{:?}\n{}", invocation.outcome, tail(function));
    milliseconds(invocation.duration)
}

/// The value that so many of a hundred do not exceed.
fn of_a_hundred(values: &[f64], share: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let within = (values.len() * share).div_ceil(100).saturating_sub(1);
    values.get(within).copied().unwrap_or(f64::NAN)
}
