//! The audit chain of an asset: taken out of the ledger, and verified where there is nothing but the file.

use std::{collections::BTreeMap, sync::Arc};

use aws_sdk_dynamodb::types::AttributeValue;
use iconik_content_server::exchange_review_status::entries::{Kind, Of, Seen, due};
use serde_json::json;
use shared::{
    audit::{AuditEvent, EventType, Outcome, SealedEvent},
    aws,
    context::Context,
    http::Transport,
    ledger::{Key, Ledger},
};
use simulators::{aws::Aws, serve};
use tests::installation::Installation;

use crate::program::{Ended, Folder, run};

/// Node 4711's chain of events in a ledger.
struct Chain {
    account: Installation,
    variables: Vec<(String, String)>,
    asset: String,
}

impl Chain {
    async fn of(events: u32) -> Self {
        let now = || jiff::Timestamp::now().as_millisecond();
        let (address, _) = serve::serve(Aws::new(Arc::new(now)).router(), 0).await.unwrap();
        let account = Installation::at(&format!("http://{address}"));
        account.create_table().await;
        let (transport, context) = (Transport::network().unwrap(), Context::system());
        let sdk = aws::connect_to(&transport, &context, &account.address, &account.account);
        let ledger = Ledger::new(aws_sdk_dynamodb::Client::new(&sdk), &account.table, context);
        let asset = Key::of(&["content-server", "4711"]).digest().to_owned();
        for number in 1..=events {
            let event = AuditEvent {
                asset: asset.clone(),
                event_type: EventType::Transfer,
                event_date_time: format!("2031-05-06T07:08:{number:02}Z"),
                outcome: Outcome::Success,
                agent: "waybill offload-content 0.1.0".into(),
                item: format!("item {number}"),
                message_digest: Some("ab".repeat(32)),
                detail: BTreeMap::from([("node".to_owned(), "4711".to_owned())]),
            };
            ledger.append_event(&event).await.unwrap();
        }
        let mut variables: Vec<_> = account.variables("", "").into_iter().collect();
        variables.push(("AWS_REGION".to_owned(), "us-east-1".to_owned()));
        Self { account, variables, asset }
    }

    async fn export(&self, arguments: &[&str]) -> Ended {
        run("audit", &[&["export"], arguments].concat(), &self.variables, b"").await
    }
}

/// Verifies with an empty environment: no settings, no credentials, no address of anything.
async fn verify(file: &str, arguments: &[&str]) -> Ended {
    run("audit", &[&["verify", file], arguments].concat(), &[], b"").await
}

#[tokio::test]
async fn a_chain_is_exported_and_verified_offline() {
    let chain = Chain::of(5).await;
    let folder = Folder::new();
    let file = folder.path("chain.jsonl");
    let told = chain.export(&["--node", "4711", "--out", &file]).await;
    assert_eq!((told.code, told.out.as_str()), (0, ""), "{}", told.err);
    let export = std::fs::read_to_string(&file).unwrap();
    assert_eq!(export.lines().count(), 5);
    let same = chain.export(&["--asset", &chain.asset]).await;
    assert_eq!((same.code, &same.out), (0, &export), "the same on standard output");

    let told = verify(&file, &["--json"]).await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    let told = told.json();
    assert_eq!((&told["verified"], &told["events"]), (&json!(true), &json!(5)));
    assert_eq!((&told["asset"], &told["endCompared"]), (&json!(chain.asset), &json!(false)));
    let end = told["end"].as_str().unwrap();
    assert!(same.err.contains(end), "the export told the same end: {}", same.err);
    let told = verify(&file, &["--end", end]).await;
    assert_eq!(told.code, 0, "{}", told.out);
    assert!(told.out.contains("Events 1 to 5"), "{}", told.out);
    let piped = run("audit", &["verify", "-", "--end", end], &[], export.as_bytes()).await;
    assert_eq!(piped.code, 0, "{}{}", piped.out, piped.err);
}

#[tokio::test]
async fn the_evidence_of_a_review_is_verified_as_any_chain() {
    let comment = |id: &str, text: &str| Seen { text: Some(text.to_owned()), ..Seen::of(Kind::Comment, id) };
    let seen = [comment("a", "\u{645}\u{646} \u{202e}gpj.exe"), comment("b", "良いですね。\r\n\u{2028}")];
    let of = Of { asset: "film", item: "item", now: "2031-05-06T07:08:09Z".parse().unwrap() };
    let mut chain: Vec<SealedEvent> = Vec::new();
    for event in due(&BTreeMap::new(), &seen, &[], &of).unwrap() {
        let previous = chain.last().map(|last| last.hash.clone()).unwrap_or_default();
        chain.push(event.seal(chain.len() as u64 + 1, &previous).unwrap());
    }
    let evidence: String = chain.iter().map(|entry| entry.canonical().unwrap() + "\n").collect();
    let folder = Folder::new();
    let end = ["--end", chain.last().unwrap().hash.as_str()];
    let told = verify(&folder.file("evidence", &evidence), &end).await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    // Who takes the sign out that turns a comment round is found out.
    let forged = evidence.replace('\u{202e}', "");
    assert_eq!(verify(&folder.file("forged", &forged), &end).await.code, 1);
}

#[tokio::test]
async fn whatever_was_done_to_an_export_is_found_with_its_line() {
    let chain = Chain::of(5).await;
    let export = chain.export(&["--node", "4711"]).await.out;
    let lines: Vec<&str> = export.lines().collect();
    let folder = Folder::new();
    let whole = folder.file("whole", &export);
    let end = verify(&whole, &["--json"]).await.json()["end"].as_str().unwrap().to_owned();

    let of = |lines: &[&str]| (lines.join("\n") + "\n").into_bytes();
    let mut flipped = export.clone().into_bytes();
    flipped[lines[0].len() + 1 + lines[1].find("item 2").unwrap()] ^= 1;
    let mut not_text = export.clone().into_bytes();
    not_text[lines[0].len() + 20] = 0xff;
    let foreign = lines[1].replace("\"item 2\"", "\"item 9\"");
    for (what, bytes, line, code) in [
        ("a byte is flipped", flipped, Some(3), "audit.broken"),
        ("a byte is no text any more", not_text, Some(2), "audit.unreadable"),
        ("an event is removed", of(&[lines[0], lines[2], lines[3], lines[4]]), Some(2), "audit.sequence"),
        (
            "two are swapped",
            of(&[lines[0], lines[2], lines[1], lines[3], lines[4]]),
            Some(2),
            "audit.sequence",
        ),
        (
            "one is inserted",
            of(&[lines[0], lines[1], &foreign, lines[2], lines[3], lines[4]]),
            Some(3),
            "audit.sequence",
        ),
        ("the end is cut off", of(&lines[..4]), None, "audit.end"),
    ] {
        let file = folder.file("tampered", bytes);
        let told = verify(&file, &["--end", &end, "--json"]).await;
        assert_eq!(told.code, 1, "{what}: {}{}", told.out, told.err);
        let told = told.json();
        assert_eq!((&told["verified"], &told["line"]), (&json!(false), &json!(line)), "{what}: {told}");
        assert_eq!(told["code"], json!(code), "{what}: {told}");
    }
    let cut = folder.file("cut", of(&lines[..4]));
    assert_eq!(verify(&cut, &[]).await.code, 0, "without the noted end a cut chain looks whole, as is said");
    let told = verify(&cut, &["--end", &end]).await;
    assert!(told.out.contains("does not end with the hash that was noted"), "{}", told.out);
}

/// Nothing is put right on the way out: what somebody changed in the table is in the export, and is found.
#[tokio::test]
async fn an_event_that_was_changed_in_the_table_is_exported_as_it_is() {
    let chain = Chain::of(3).await;
    let key = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
    let place: std::collections::HashMap<_, _> =
        [key("pk", &format!("asset#{}", chain.asset)), key("sk", "event#000000000002")].into();
    let (dynamodb, table) = (&chain.account.dynamodb, &chain.account.table);
    let stored = dynamodb.get_item().table_name(table).set_key(Some(place)).send().await.unwrap();
    let mut item = stored.item.expect("the second event");
    let changed = item["event"].as_s().unwrap().replace("\"success\"", "\"fail\"");
    item.insert("event".to_owned(), AttributeValue::S(changed.clone()));
    dynamodb.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    let told = chain.export(&["--node", "4711"]).await;
    assert_eq!(told.code, 1);
    assert!(told.out.contains(&changed), "{}", told.out);
    assert!(told.err.contains("line 3"), "{}", told.err);
}

#[tokio::test]
async fn nothing_to_export_and_nothing_to_read_are_told_apart() {
    let chain = Chain::of(0).await;
    let told = chain.export(&["--object", "s3://intake/claims/100117/report.pdf"]).await;
    assert_eq!((told.code, told.out.as_str()), (1, ""), "{}", told.err);
    assert!(told.err.contains("There is no event"), "{}", told.err);
    for arguments in [&["export"][..], &["export", "--node", "x"], &["verify"], &["verify", "/nowhere"], &[]]
    {
        let told = run("audit", arguments, &chain.variables, b"").await;
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{arguments:?}: {}", told.err);
    }
    let told = run("audit", &["export", "--node", "4711"], &[], b"").await;
    assert_eq!(told.code, 2, "without a table");
    assert!(told.err.contains("table"), "{}", told.err);
}
