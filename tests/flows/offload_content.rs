//! Large content that nobody touches goes to S3, a pointer stands for it, and it comes back.

use serde_json::json;
use tests::installation::Keeping;

use crate::world::{Usual, World, bytes, content};

const RULES: &str = r#"
[external_content]
category = "Categories:Integration/External Content"
location = "Location"
document_version = "Document Version"
sha256 = "SHA-256"
size = "Size"
storage_class = "Storage Class"
recall = "Recall"

[[rule]]
name = "scans"
within = "Enterprise:Digitised Archive"
min_size = "1 MiB"
prefix = "kept/"
after = "pointer"
"#;

const FOLDER: &str = "Digitised Archive";
const CATEGORY: &str = "External Content";

fn usual() -> Usual {
    Usual { rules: Some(|_| RULES.into()), content: Some(Keeping::Versions), ..Usual::of("offload-content") }
}

#[tokio::test]
async fn every_version_goes_to_s3_a_pointer_stays_and_the_content_comes_back() {
    let world = World::with(usual()).await;
    let (first, second) = (content(2_000_000, 1), content(9_000_000, 2));
    let node = world.document(FOLDER, "Plan of 1887.tif", "image/tiff", &[first.clone(), second.clone()]);
    world.change(node).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());

    let kept = world.objects(&world.place.content).await;
    assert_eq!(kept[&format!("kept/{node}/1/Plan of 1887.tif")], first);
    assert_eq!(kept[&format!("kept/{node}/2/Plan of 1887.tif")], second);
    assert_eq!(kept.len(), 4, "each with its description: {:?}", kept.keys());
    let pointer = world.node(node);
    assert_eq!(pointer.versions.len(), 1, "the versions are purged");
    let pointer: serde_json::Value = serde_json::from_slice(&bytes(&pointer)).unwrap();
    assert_eq!(pointer["content"]["key"], format!("kept/{node}/2/Plan of 1887.tif"));
    assert_eq!(world.value(node, CATEGORY, "Document Version"), Some(json!(2)));

    world.request(node, "recall").await;
    world.settle().await;
    assert!(bytes(&world.node(node)) == second, "other bytes came back; {}", world.told());
    assert_eq!(world.endings().await, ["delivered", "delivered"]);
    assert_eq!(world.audit_of_node(node).await.len(), 2, "offloaded, recalled");
}

#[tokio::test]
async fn what_is_archived_is_restored_first_and_comes_back_by_itself() {
    let world =
        World::with(Usual { rules: Some(|_| format!("{RULES}storage_class = \"GLACIER\"\n")), ..usual() })
            .await;
    world.place.notify_of(&world.place.content, "s3:ObjectRestore:Completed").await;
    let scan = content(1_500_000, 3);
    let node = world.document(FOLDER, "Map.tif", "image/tiff", std::slice::from_ref(&scan));
    world.change(node).await;
    world.settle().await;
    world.request(node, "recall").await;
    // The stand-in takes two seconds to restore, and S3 says when it has.
    for _ in 0..100 {
        world.settle().await;
        if world.node(node).latest().unwrap().content.size == 1_500_000 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert!(bytes(&world.node(node)) == scan, "it did not come back; {}", world.told());
    assert_eq!(world.endings().await, ["delivered", "delivered", "skipped recall.restoring"]);
}

#[tokio::test]
async fn what_is_small_or_held_or_elsewhere_stays_and_the_reason_is_told() {
    let world = World::with(usual()).await;
    let small = world.document(FOLDER, "Note.txt", "text/plain", &[b"small".to_vec()]);
    let held = world.document(FOLDER, "Held.tif", "image/tiff", &[content(1_200_000, 4)]);
    let elsewhere = world.document("Claims", "Film.mp4", "video/mp4", &[content(1_200_000, 5)]);
    tests::repository::hold(&world.ecm, held);
    for node in [small, held, elsewhere] {
        world.change(node).await;
    }
    world.settle().await;
    let endings = ["skipped reduction.held", "skipped rule.none", "skipped rule.none"];
    assert_eq!(world.endings().await, endings, "{}", world.told());
    assert!(world.kept().await.is_empty());
}
