//! A data set is exported without what must not be in it; the next run tells what changed; a result comes back.

use std::collections::BTreeMap;

use s3_content_server::export_for_analysis::{KIND, Line, Marker, State};
use serde_json::json;
use sha2::{Digest, Sha256};
use simulators::content_server::seed;
use tests::{installation::Keeping, repository};

use crate::world::{Usual, World, content};

const RULES: &str = r#"
[[data_set]]
name = "archive"
within = "Enterprise:Digitised Archive"
readable_by = ["Records Managers"]
fields = [{ to = "title", from = ["category.Digitised Item.Title", "node.name"] }]

[data_set.forbid]
classifications = ["Classifications:Sensitivity/Confidential"]
held = true

[data_set.results.values]
category = "Categories:Business/Digitised Item"
fields = [{ to = "Year", from = "result.year", as = "integer", min = "1000", max = "2100" }]

[data_set.results.text]
"#;

const FOLDER: &str = "Digitised Archive";
const CATEGORY: &str = "Digitised Item";

fn usual() -> Usual {
    Usual {
        rules: Some(|_| RULES.into()),
        content: Some(Keeping::Versions),
        ..Usual::of("export-for-analysis")
    }
}

fn request(data_set: &str, mode: &str, occasion: &str) -> String {
    let data = json!({"data_set": data_set, "mode": mode, "occasion": occasion});
    json!({"specversion": "1.0", "id": occasion, "source": "tests", "type": KIND, "data": data}).to_string()
}

fn classify(world: &World, node: i64) {
    world.ecm.with_state(|state| {
        state.nodes.get_mut(&node).expect("the document").classifications.push(seed::CONFIDENTIAL);
    });
}

/// The lines of each complete run by the document's number, in the order of the runs.
async fn runs(world: &World) -> Vec<(Marker, BTreeMap<i64, Line>)> {
    let objects = world.objects(&world.place.content).await;
    let mut runs = Vec::new();
    for (_, bytes) in objects.iter().filter(|(key, _)| key.ends_with("/_SUCCESS")) {
        let marker: Marker = serde_json::from_slice(bytes).expect("a marker");
        let manifest = &objects[&marker.manifest.key];
        assert_eq!(hex::encode(Sha256::digest(manifest)), marker.manifest.sha256);
        let lines = String::from_utf8(manifest.clone()).expect("text");
        let lines = lines.lines().map(|line| serde_json::from_str::<Line>(line).expect("a line"));
        let lines: BTreeMap<i64, Line> = lines.map(|line| (line.id, line)).collect();
        for content in lines.values().filter_map(|line| line.content.as_ref()) {
            assert_eq!(
                hex::encode(Sha256::digest(&objects[&content.key])),
                content.sha256,
                "{}",
                content.key
            );
        }
        runs.push((marker, lines));
    }
    runs.sort_by(|one, other| one.0.begun.cmp(&other.0.begun));
    runs
}

#[tokio::test]
async fn a_data_set_without_what_is_forbidden_then_what_changed_then_a_result() {
    let world = World::with(usual()).await;
    let scan = content(2_000_000, 7);
    let plan = world.document(FOLDER, "Plan of 1887.tif", "image/tiff", std::slice::from_ref(&scan));
    let letter = world.document(FOLDER, "Letter.txt", "text/plain", &[b"a letter".to_vec()]);
    let secret = world.document(FOLDER, "Secret.txt", "text/plain", &[b"a secret".to_vec()]);
    let held = world.document(FOLDER, "Held.txt", "text/plain", &[b"held".to_vec()]);
    classify(&world, secret);
    repository::hold(&world.ecm, held);
    world.send(&request("archive", "full", "1")).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());
    let first = runs(&world).await.remove(0);
    assert_eq!(first.1[&plan].content.as_ref().unwrap().size, 2_000_000);
    assert_eq!(first.1[&letter].state, State::Exported);
    assert!(!first.1.contains_key(&secret) && !first.1.contains_key(&held));
    assert_eq!(first.0.excluded["excluded.classification"], 1);
    assert_eq!(first.0.excluded["excluded.held"], 1);
    let there = world.objects(&world.place.content).await;
    assert!(!there.values().any(|bytes| bytes == b"a secret" || bytes == b"held"));

    repository::version(&world.ecm, letter, "Letter.txt", "text/plain", b"a letter, corrected");
    classify(&world, plan);
    world.send(&request("archive", "full", "2")).await;
    world.settle().await;
    let second = runs(&world).await.remove(1);
    assert_eq!(second.1[&plan].state, State::Withdrawn);
    assert_eq!((second.1[&letter].state, second.1[&letter].version), (State::Exported, Some(2)));
    let register = repository::at(&world.ecm, "Digitised Archive/Registers/Register 1887.txt");
    assert_eq!(second.1[&register].state, State::Referenced, "an earlier run has it");

    world.place.notify_of(&world.place.content, "s3:ObjectCreated:*").await;
    let sha256 = &second.1[&letter].content.as_ref().unwrap().sha256;
    let values = json!({"schema": "waybill.result.v1", "sha256": sha256, "values": {"year": 1887}});
    for (name, bytes) in [("values.json", values.to_string()), ("text.txt", "Dear Sirs,".to_owned())] {
        let key = format!("results/archive/{letter}/2/{name}");
        let put = world.place.s3.put_object().bucket(&world.place.content).key(key);
        put.body(bytes.into_bytes().into()).send().await.expect("a result");
    }
    // The notification comes when the stand-in sends it.
    for _ in 0..50 {
        world.settle().await;
        if world.endings().await.len() == 4 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(world.endings().await, ["delivered"; 4], "{}", world.told());
    assert_eq!(world.value(letter, CATEGORY, "Year"), Some(json!(1887)));
    let text = repository::at(&world.ecm, "Digitised Archive/Letter.txt - text.txt");
    assert_eq!(repository::newest_bytes(&world.ecm, text), b"Dear Sirs,");
    assert_eq!(world.audit_of_node(letter).await.len(), 2, "values and text");
}

#[tokio::test]
async fn a_query_that_content_server_cannot_read_is_put_aside_with_what_to_do() {
    let rules = |_: &tests::installation::Installation| {
        RULES.replace("readable_by", "query = '[QLREGION \"OTName\"] == oops ((' \nreadable_by")
    };
    let world = World::with(Usual { rules: Some(rules), ..usual() }).await;
    world.send(&request("archive", "full", "1")).await;
    world.send(&request("archiv", "full", "2")).await;
    world.settle().await;
    let endings = ["quarantined export.no-data-set", "quarantined export.query-rejected"];
    assert_eq!(world.endings().await, endings, "{}", world.told());
    let reasons = world.reasons().await;
    assert_eq!(reasons.len(), 2);
    for reason in reasons {
        assert!(reason["reason"]["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{reason}");
    }
    assert!(world.kept().await.is_empty(), "nothing was exported");
}
