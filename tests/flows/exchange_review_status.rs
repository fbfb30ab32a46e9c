//! Reviews of regulated assets: evidence that grows and verifies, and both sides told of each other.

use serde_json::{Value, json};
use shared::audit;
use simulators::iconik::{self, seed};
use tests::repository;

use crate::world::{Usual, World};

const FLOW: &str = "exchange-review-status";
const FOLDER: &str = "Digitised Archive";
const ASSET: &str = "Using the inhaler";

async fn reviewed() -> (World, i64, String) {
    let world = World::with(Usual {
        iconik: Some(iconik::Settings::default()),
        // How long the index is given; it does not lag here.
        variables: |_| vec![("WAYBILL_ICONIK_SETTINGS", r#"{"index_patience_seconds": 1}"#.to_owned())],
        ..Usual::of(FLOW)
    })
    .await;
    let node = world.document(FOLDER, "inhaler.mp4", "video/mp4", &[b"the film".to_vec()]);
    repository::set_value(&world.ecm, node, "Document Approval", "Status", "In Review".into());
    let asset = world.titled(ASSET);
    filed(&world, &asset, node);
    (world, node, asset)
}

/// iconik says as which document the asset was filed.
fn filed(world: &World, asset: &str, node: i64) {
    world.iconik().with_state(|state| {
        let values = json!({"ContentServerNode": {"field_values": [{"value": node}]}});
        state.write_directly(seed::EDITOR, ("assets", asset), values.as_object().expect("an object"));
    });
}

fn evidence(world: &World, asset: &str) -> String {
    let node = repository::at(&world.ecm, &format!("{FOLDER}/Review evidence {asset}.jsonl"));
    String::from_utf8(repository::newest_bytes(&world.ecm, node)).expect("text")
}

fn details(evidence: &str, name: &str) -> Vec<String> {
    let read = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
    let entries = evidence.lines().map(read);
    entries.map(|entry| entry["detail"][name].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_review_with_comments_in_any_language_leaves_evidence_that_grows_and_verifies_offline() {
    let (world, node, asset) = reviewed().await;
    let text = "\u{645}\u{646} \u{641}\u{636}\u{644}\u{643} \u{202e}gpj.exe";
    let comment = world.iconik().with_state(|state| {
        let said = json!({"segment_type": "COMMENT", "segment_text": text});
        state
            .add_segment(seed::REVIEWER, &asset, None, said.as_object().expect("an object"))
            .expect("a comment")
    });
    world.iconik_change("assets", &asset).await;
    world.settle().await;
    let endings = world.endings().await;
    assert_eq!(endings, ["delivered", "skipped review.unchanged"], "looked at twice; {}", world.told());
    let first = evidence(&world, &asset);
    let end = audit::verify(&first, None).expect("it verifies");
    assert!(details(&first, "text").contains(&text.to_owned()), "evidence is what was written");
    assert!(details(&first, "notice").contains(&"review.bidi-controls".to_owned()));
    assert_eq!(world.value(node, "Review", "Status"), Some("MIXED".into()), "{}", world.told());
    assert_eq!(world.value(node, "Review", "Open Comments"), Some(2.into()));
    assert_eq!(world.value(node, "Review", "Version"), Some(2.into()));
    assert_eq!(world.value(node, "Review", "Approved By"), Some("Campaign Producer".into()));
    let changed_at = world.value(node, "Review", "Changed At");
    assert!(changed_at.is_some(), "{}", world.told());
    let of_asset =
        |field: &str| world.iconik().with_state(|state| state.values_of(("assets", &asset), field));
    assert_eq!(of_asset("DocumentState"), ["In Review"]);

    // People go on: an answer, an edit, a deletion, another verdict; and the document is approved.
    world.iconik().with_state(|state| {
        let answer = json!({"segment_type": "COMMENT", "segment_text": "Which dose?", "parent_id": comment});
        state
            .add_segment(seed::EDITOR, &asset, None, answer.as_object().expect("an object"))
            .expect("an answer");
        let changed = json!({"segment_text": "It is right now.", "segment_checked": true});
        state
            .edit_segment(seed::REVIEWER, &asset, &comment, changed.as_object().expect("an object"))
            .expect("an edit");
        let key = state.approval_key("assets", &asset, None).expect("a review");
        state.decide(seed::REVIEWER, &key, "APPROVED").expect("a verdict");
    });
    world.iconik_change("assets", &asset).await;
    world.settle().await;
    world
        .iconik()
        .with_state(|state| state.delete_segment(seed::REVIEWER, &asset, &comment, false))
        .expect("deleted");
    repository::set_value(&world.ecm, node, "Document Approval", "Status", "Approved".into());
    let approver =
        world.ecm.with_state(|state| state.member_by_name("claims.reviewer").expect("a reviewer").id);
    repository::set_value(&world.ecm, node, "Document Approval", "Approver", approver.into());
    world.change(node).await;
    world.settle().await;
    world.iconik_change("assets", &asset).await;
    world.settle().await;
    let last = evidence(&world, &asset);
    audit::verify(&last, None).expect("it verifies");
    assert!(last.starts_with(&first) && last.len() > first.len(), "it only grows");
    assert!(audit::verify(&last, Some(&end)).is_err(), "and ends elsewhere now");
    let of_comment: Vec<String> = details(&last, "subject")
        .into_iter()
        .zip(details(&last, "action"))
        .filter(|(subject, _)| *subject == format!("comment/{comment}"))
        .map(|(_, action)| action)
        .collect();
    assert_eq!(of_comment, ["created", "changed", "deleted"], "edits and deletions are new entries");
    assert_eq!(world.value(node, "Review", "Status"), Some("APPROVED".into()));
    assert_eq!(world.value(node, "Review", "Approved By"), Some("Campaign Producer; Brand Reviewer".into()));
    assert_ne!(world.value(node, "Review", "Changed At"), changed_at, "when the last of them decided");
    assert_eq!(of_asset("DocumentState"), ["Approved"]);
    assert_eq!(of_asset("DocumentDecidedBy"), ["Claims Reviewer (claims.reviewer)"]);
    let (comments, verdicts) = world.iconik().with_state(|state| {
        let ours = |said: &&iconik::state::Object| said["user_id"] == seed::SERVICE;
        let comments: Vec<Value> =
            state.review.segments.objects().filter(ours).map(|said| said["segment_text"].clone()).collect();
        let verdicts = state.review.approvals.values().flat_map(|approval| &approval.verdicts);
        (comments, verdicts.filter(|verdict| verdict.user.as_deref() == Some(seed::SERVICE)).count())
    });
    let approved = "Content Server: Approved by Claims Reviewer (claims.reviewer), version 1";
    assert_eq!(comments, ["Content Server: In Review, version 1", approved]);
    assert_eq!(verdicts, 0, "nobody's verdict is the service user's");
    let endings = world.endings().await;
    let count = |ending: &str| endings.iter().filter(|one| *one == ending).count();
    assert_eq!(
        (count("delivered"), count("skipped review.unchanged"), endings.len()),
        (3, 4, 7),
        "{endings:?}; {}",
        world.told()
    );
    // Whoever changes a letter is found out.
    let forged = last.replacen("NOT_APPROVED", "APPROVED", 1);
    assert!(forged != last && audit::verify(&forged, None).is_err());
    let log = world.function.log().text();
    for said in ["gpj", "Which dose", "right now"] {
        assert!(!log.contains(said), "what people say is not for logs: {said}");
    }
}

#[tokio::test]
async fn an_approval_of_a_deleted_version_is_put_aside_and_kept_in_the_evidence() {
    let (world, node, asset) = reviewed().await;
    world.iconik().with_state(|state| {
        let key = state.approval_key("assets", &asset, None).expect("a review");
        for reviewer in [seed::PRODUCER, seed::REVIEWER] {
            state.decide(reviewer, &key, "APPROVED").expect("a verdict");
        }
        let held = state.assets.get_mut(&asset).and_then(|asset| asset.get_mut("versions"));
        for version in held.and_then(Value::as_array_mut).into_iter().flatten() {
            if version["id"].as_str() == key.version_id.as_deref() {
                version["status"] = "DELETED".into();
            }
        }
    });
    // What an asset holds belongs to a version.
    filed(&world, &asset, node);
    world.iconik_change("assets", &asset).await;
    world.settle().await;
    let endings = world.endings().await;
    assert_eq!(endings[0], "quarantined review.version-deleted", "{}", world.told());
    assert_eq!(endings[1..], ["skipped review.unchanged"]);
    assert_eq!(world.reasons().await[0]["source"]["asset"], asset.as_str());
    assert_eq!(world.value(node, "Review", "Status"), None, "the document is not told of an approval");
    assert!(details(&evidence(&world, &asset), "notice").contains(&"review.version-deleted".to_owned()));
    // A further hint finds nothing new.
    world.iconik_change("assets", &asset).await;
    world.settle().await;
    assert_eq!(world.endings().await.last().map(String::as_str), Some("skipped review.unchanged"));
}

#[tokio::test]
async fn evidence_that_somebody_altered_is_not_overwritten() {
    let (world, _, asset) = reviewed().await;
    world.iconik_change("assets", &asset).await;
    world.settle().await;
    let node = repository::at(&world.ecm, &format!("{FOLDER}/Review evidence {asset}.jsonl"));
    let forged = evidence(&world, &asset).replacen("NOT_APPROVED", "APPROVED", 1);
    repository::version(&world.ecm, node, "evidence.jsonl", "application/x-ndjson", forged.as_bytes());
    world.iconik_change("assets", &asset).await;
    world.settle().await;
    let endings = world.endings().await;
    assert!(
        endings.contains(&"quarantined review.evidence-altered".to_owned()),
        "{endings:?}; {}",
        world.told()
    );
    assert_eq!(repository::node(&world.ecm, node).versions.len(), 2, "nothing is written over it");
}

#[tokio::test]
async fn an_asset_in_the_recycle_bin_is_left_and_one_that_comes_back_is_not() {
    let (world, _, asset) = reviewed().await;
    world.iconik().with_state(|state| state.delete(seed::PRODUCER, "assets", &asset)).expect("deleted");
    world.iconik_change("assets", &asset).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["skipped asset.in-recycle-bin"], "{}", world.told());
    world.iconik().with_state(|state| state.restore(seed::PRODUCER, "assets", &asset)).expect("restored");
    world.iconik_change("assets", &asset).await;
    world.settle().await;
    assert!(world.endings().await.contains(&"delivered".to_owned()), "{}", world.told());
    audit::verify(&evidence(&world, &asset), None).expect("it verifies");
}

#[tokio::test]
async fn an_asset_that_is_not_regulated_is_left_alone() {
    let (world, _, _) = reviewed().await;
    let other = world.titled("Harbour Lights 30s");
    world.iconik_change("assets", &other).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["skipped rule.none"], "{}", world.told());
}
