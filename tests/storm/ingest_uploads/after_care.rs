//! What becomes of sources that stay where they are.

use tests::storm::{Drive, INTAKE, drive};

use super::{calm::world_of, *};

const KEPT: &str = r#"
[[rule]]
name = "kept"
key = "kept/{name}"
target.folder = "Enterprise:Claims/Kept"
target.create = true
after = "keep"
"#;

/// The world after one upload, which was filed.
async fn filed(rules: &'static str, objects: fn() -> Vec<StoredObject>) -> World {
    let story = Scenario::of("after-care", &INGEST_UPLOADS, rules, objects, (1, 0, 0));
    let world = world_of(&story).await;
    for object in objects() {
        world.upload(&object).await;
    }
    assert!(drive(&world, &INGEST_UPLOADS, Drive::default()).await, "the queue becomes quiet");
    assert_eq!(world.endings(), ["delivered"]);
    world
}

/// Whether the one object in the intake bucket is as it was uploaded.
fn is_untouched(world: &World, object: &StoredObject, tags: usize) {
    let kept = world.aws.s3().versions(INTAKE);
    let [only] = kept.as_slice() else { panic!("one object: {kept:?}") };
    assert_eq!((&only.key, &only.data, only.delete_marker), (&object.key, &object.content, false));
    assert_eq!(only.tags.len(), tags, "{:?}", only.tags);
}

/// Whether the audit of the upload says this.
fn is_told(world: &World, note: &str) -> bool {
    world.ledger().iter().any(|record| record.to_string().contains(note))
}

#[tokio::test(start_paused = true)]
async fn what_a_rule_keeps_stays_as_it_was_uploaded() {
    fn kept() -> Vec<StoredObject> {
        vec![StoredObject::new("kept/report.pdf", "application/pdf", pdf("report"))]
    }
    let world = filed(KEPT, kept).await;
    is_untouched(&world, &kept()[0], 0);
    let wrote = |call: &tests::storm::Call| call.what.starts_with("PUT") && call.what.contains(INTAKE);
    assert!(!world.tap.calls().iter().any(wrote), "nothing is written where the upload lies");
}

#[tokio::test(start_paused = true)]
async fn an_upload_without_room_for_two_more_tags_is_filed_and_the_audit_says_that_it_has_none() {
    fn full() -> Vec<StoredObject> {
        let tagged = StoredObject::new("claims/CL-1/report.pdf", "application/pdf", pdf("report"));
        vec![tagged.tags("a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9")]
    }
    let world = filed(RULES, full).await;
    is_untouched(&world, &full()[0], 9);
    assert!(is_told(&world, "source-not-tagged"));
}

#[tokio::test(start_paused = true)]
async fn an_upload_whose_key_is_too_long_to_move_is_filed_and_stays() {
    fn long() -> Vec<StoredObject> {
        let key = format!("drops/{}.pdf", "x".repeat(1024 - "drops/.pdf".len()));
        vec![StoredObject::new(key, "application/pdf", pdf("offer"))]
    }
    let world = filed(RULES, long).await;
    is_untouched(&world, &long()[0], 0);
    assert!(is_told(&world, "source-not-moved"));
}
