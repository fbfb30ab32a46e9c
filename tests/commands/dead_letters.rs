//! Dead letters: what is listed, what is shown, and what is on the queue again afterwards.

use std::{collections::HashMap, sync::Arc};

use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use operations::dead_letters::chain_of;
use serde_json::json;
use shared::{audit, aws, context::Context, http::Transport, ledger::Ledger};
use simulators::{
    Clock,
    aws::Aws,
    content_server::{Settings, Simulator, seed},
    serve,
};
use tests::installation::Installation;

use crate::program::{Ended, run};

/// An event as S3 sends it, written as no program of ours would write it.
const BODY: &str = "{\"Records\": [ {\"eventVersion\":\"2.1\",\"eventSource\":\"aws:s3\",\"awsRegion\":\"us-east-1\",\
    \"eventTime\":\"2031-05-06T07:08:09.000Z\",\"eventName\":\"ObjectCreated:Put\",\"s3\":{\"bucket\":\
    {\"name\":\"intake\"},\"object\":{\"key\":\"claims/100117/Gr%C3%B6%C3%9Fe+1.pdf\",\"size\":3,\
    \"eTag\":\"0123\",\"versionId\":\"v1\",\"sequencer\":\"0055AED6DCD90281E5\"}}} ]}\n  ";

/// A flow's queues, ledger and Content Server.
struct Place {
    account: Installation,
    variables: Vec<(String, String)>,
}

impl Place {
    async fn new() -> Self {
        let now = || jiff::Timestamp::now().as_millisecond();
        let (address, _) = serve::serve(Aws::new(Arc::new(now)).router(), 0).await.unwrap();
        let account = Installation::create(&format!("http://{address}"), 30).await;
        account.set_credential(seed::SERVICE_USER, seed::PASSWORD).await;
        let ecm = Simulator::new(Settings::default(), Clock::machine());
        let (ecm, _) = serve::serve(ecm.router(), 0).await.unwrap();
        let mut variables: Vec<_> =
            account.variables(&format!("http://{ecm}/otcs/cs.exe"), "").into_iter().collect();
        variables.push(("AWS_REGION".to_owned(), "us-east-1".to_owned()));
        Self { account, variables }
    }

    /// Parks a message as the runner does.
    async fn park(&self, body: &str, code: &str) -> String {
        let text = |text: &str| {
            MessageAttributeValue::builder().data_type("String").string_value(text).build().unwrap()
        };
        let request = self.account.sqs.send_message().queue_url(&self.account.dead_letter_queue_url);
        let request = request
            .message_body(body)
            .message_attributes("waybill-flow", text("ingest-uploads"))
            .message_attributes("waybill-code", text(code))
            .message_attributes("waybill-reason", text("it is not known whether it took place"))
            .message_attributes("waybill-message-id", text("m-1"));
        request.send().await.unwrap().message_id.unwrap()
    }

    async fn on(&self, queue: &str) -> Vec<Message> {
        let request = self.account.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
        let request = request.visibility_timeout(0).message_attribute_names("All");
        request.send().await.unwrap().messages.unwrap_or_default()
    }

    async fn command(&self, arguments: &[&str]) -> Ended {
        run("dead-letters", arguments, &self.variables, b"").await
    }
}

fn attributes(message: &Message) -> HashMap<String, String> {
    let attributes = message.message_attributes.clone().unwrap_or_default();
    attributes.into_iter().map(|(name, value)| (name, value.string_value.unwrap_or_default())).collect()
}

#[tokio::test]
async fn letters_are_listed_by_code_and_shown_byte_for_byte_and_stay_where_they_are() {
    let place = Place::new().await;
    let told = place.command(&["list"]).await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    let undecided = place.park(BODY, "effect.undecided").await;
    for number in 0..12 {
        place.park(&format!("no event {number}"), "event.unreadable").await;
    }
    let request = place.account.sqs.send_message().queue_url(&place.account.dead_letter_queue_url);
    request.message_body("moved by the queue").send().await.unwrap();

    let told = place.command(&["list", "--json"]).await;
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    let told = told.json();
    assert_eq!(told["letters"], json!(14));
    let groups = told["groups"].as_array().unwrap();
    let counts: Vec<_> =
        groups.iter().map(|group| (group["code"].as_str().unwrap(), &group["count"])).collect();
    assert_eq!(counts[0], ("event.unreadable", &json!(12)));
    assert!(counts.contains(&("effect.undecided", &json!(1))) && counts.contains(&("-", &json!(1))));

    let told = place.command(&["show", &undecided]).await;
    assert_eq!((told.code, told.out.as_str()), (0, BODY), "{}", told.err);
    assert!(told.err.contains("s3://intake/claims/100117/Größe 1.pdf"), "{}", told.err);
    let told = place.command(&["show", &undecided, "--json"]).await.json();
    assert_eq!(told["body"], json!(BODY));
    assert_eq!(told["trace"]["items"][0]["about"], json!("s3://intake/claims/100117/Größe 1.pdf"));
    assert_eq!(place.command(&["show", "another"]).await.code, 1);
    assert_eq!(place.command(&["list", "--json"]).await.json()["letters"], json!(14), "all are still there");
}

#[tokio::test]
async fn a_letter_goes_back_as_it_was_and_the_audit_tells_of_it() {
    let place = Place::new().await;
    let letter = place.park(BODY, "effect.undecided").await;
    let other = place.park("no event", "event.unreadable").await;

    let told = place.command(&["redrive", "--code", "effect.undecided", "--dry-run", "--json"]).await.json();
    assert_eq!((&told["chosen"], &told["redriven"]), (&json!([letter]), &json!([])));
    assert!(place.on(&place.account.queue_url).await.is_empty(), "a dry run does nothing");
    assert_eq!(place.on(&place.account.dead_letter_queue_url).await.len(), 2);

    let arguments = ["redrive", "--code", "effect.undecided", "--decision", "repeat", "--by", "J", "--json"];
    let told = place.command(&arguments).await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    let told = told.json();
    let back = place.on(&place.account.queue_url).await;
    assert_eq!(back.len(), 1);
    assert_eq!(back[0].body.as_deref(), Some(BODY), "to the byte");
    let carried = attributes(&back[0]);
    for (name, value) in [
        ("waybill-flow", "ingest-uploads"),
        ("waybill-code", "effect.undecided"),
        ("waybill-message-id", "m-1"),
        ("waybill-decision", "repeat"),
    ] {
        assert_eq!(carried.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(told["redriven"][0]["message"], json!(back[0].message_id));
    let left = place.on(&place.account.dead_letter_queue_url).await;
    assert_eq!(left.iter().map(|one| one.message_id.clone().unwrap()).collect::<Vec<_>>(), [other]);

    let (transport, context) = (Transport::network().unwrap(), Context::system());
    let sdk = aws::connect_to(&transport, &context, &place.account.address, &place.account.account);
    let ledger = Ledger::new(aws_sdk_dynamodb::Client::new(&sdk), &place.account.table, context);
    let (lines, end) = ledger.export_chain(&chain_of("ingest-uploads")).await.unwrap();
    assert_eq!(audit::inspect(&lines.join("\n"), Some(&end)).unwrap().events, 1);
    let event: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(event["detail"]["action"], json!("redriven"));
    assert_eq!(event["detail"]["letter"], json!(letter));
    assert_eq!((&event["detail"]["by"], &event["detail"]["decision"]), (&json!("J"), &json!("repeat")));
    assert_eq!(told["redriven"][0]["asset"], json!(chain_of("ingest-uploads")));
}

#[tokio::test]
async fn a_redrive_is_bounded_and_paced() {
    let place = Place::new().await;
    for number in 0..6 {
        place.park(&format!("letter {number}"), "bug").await;
    }
    let began = std::time::Instant::now();
    let told = place.command(&["redrive", "--code", "bug", "--most", "4", "--rate", "4", "--json"]).await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    assert_eq!(told.json()["redriven"].as_array().unwrap().len(), 4);
    assert!(
        began.elapsed() >= std::time::Duration::from_millis(750),
        "four of them, a quarter of a second apart"
    );
    assert_eq!(place.on(&place.account.queue_url).await.len(), 4);
    assert_eq!(place.on(&place.account.dead_letter_queue_url).await.len(), 2, "the others are there at once");
    assert_eq!(place.command(&["redrive", "--code", "no.such"]).await.code, 1);
    for arguments in [
        &["redrive"][..],
        &["redrive", "--id", "x", "--code", "y"],
        &["redrive", "--code", "bug", "--rate", "0"],
        &["redrive", "--code", "bug", "--decision", "perhaps"],
        &["list", "--most", "3"],
        &[],
    ] {
        let told = place.command(arguments).await;
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{arguments:?}: {}", told.err);
    }
    assert_eq!(place.on(&place.account.queue_url).await.len(), 4);
}
