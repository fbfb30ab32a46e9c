//! A closed workspace becomes a bag under lock, its holds are mirrored, and it comes out of its archive class.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{ObjectLockLegalHoldStatus, ObjectLockMode};
use serde_json::json;
use shared::bagit::{Bag, Checksums, tag_files};
use simulators::content_server::{seed, state::ADMIN};
use tests::{installation::Keeping, repository};

use crate::world::{Usual, World, content};

const RULES: &str = r#"
[archive]
category = "Categories:Integration/Archive"
location = "Location"
revision = "Revision"
state = "State"
manifest_sha256 = "Manifest SHA-256"
retain_until = "Retain Until"
legal_hold = "Legal Hold"
archived_at = "Archived At"
link = "Link"
available_until = "Available Until"

[[rule]]
name = "closed-claims"
within = "Enterprise:Claims"
closed = { category = "Categories:Business/Case File", attribute = "Status", values = ["Closed"] }
prefix = "archive/"
source_organization = "Harbour Mutual"
retention = { default = "10 years" }
"#;

const CASE: &str = "Claims/CLM-100117 Water damage";

async fn world(lines: &'static str) -> World {
    let rules: fn(&tests::installation::Installation) -> String = match lines {
        "" => |_| RULES.to_owned(),
        _ => |_| format!("{RULES}storage_class = \"GLACIER\"\nretrieve = {{ to = \"link\" }}\n"),
    };
    World::with(Usual {
        rules: Some(rules),
        content: Some(Keeping::Locked),
        timeout: std::time::Duration::from_secs(120),
        variables: |_| vec![("WAYBILL_LINK_ADDRESS", "https://links.test".into())],
        ..Usual::of("archive-closed-files")
    })
    .await
}

fn close(world: &World) -> i64 {
    let case = repository::at(&world.ecm, CASE);
    repository::set_value(&world.ecm, case, "Case File", "Status", json!("Closed"));
    case
}

fn text(world: &World, case: i64, attribute: &str) -> String {
    let value = world.value(case, "Archive", attribute).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// The files of a bag, when it is valid.
async fn valid(world: &World, prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let objects = world.objects(&world.place.content).await;
    let bag: BTreeMap<String, Vec<u8>> = objects
        .into_iter()
        .filter_map(|(key, bytes)| Some((key.strip_prefix(prefix)?.to_owned(), bytes)))
        .collect();
    let sizes = bag.iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64)).collect();
    let tags = tag_files(bag.keys().map(String::as_str)).into_iter();
    let tags = tags.map(|name| (name.to_owned(), bag[name].clone())).collect();
    let read = Bag::open(&sizes, &tags).unwrap_or_else(|problems| panic!("{problems:?}; {}", world.told()));
    for (path, algorithms) in read.files() {
        let mut checksums = Checksums::of(algorithms);
        checksums.update(&bag[path]);
        assert_eq!(read.check(path, &checksums.finish()), None);
    }
    bag
}

/// Whether every object below a prefix is held, and none is without a retention.
async fn held(world: &World, prefix: &str) -> bool {
    let mut states = Vec::new();
    for key in world.kept().await.into_iter().filter(|key| key.starts_with(prefix)) {
        let head = world.place.s3.head_object().bucket(&world.place.content).key(&key).send().await.unwrap();
        assert_eq!(head.object_lock_mode(), Some(&ObjectLockMode::Governance), "{key}");
        states.push(head.object_lock_legal_hold_status() == Some(&ObjectLockLegalHoldStatus::On));
    }
    assert!(!states.is_empty() && states.iter().all(|state| *state == states[0]), "{prefix}: {states:?}");
    states[0]
}

#[tokio::test]
async fn a_closed_workspace_becomes_a_bag_under_lock_and_its_holds_are_mirrored() {
    let world = world("").await;
    let (first, second, film) = (content(300_000, 1), content(400_000, 2), content(8_500_000, 3));
    let report = world.document(
        &format!("{CASE}/Evidence"),
        "Report final?.pdf",
        "application/pdf",
        &[first.clone(), second.clone()],
    );
    let film_node = world.document(CASE, "Film.mp4", "video/mp4", std::slice::from_ref(&film));
    // A letter of the case is on hold from the beginning: nothing is, in this story, until somebody says so.
    let letter = repository::at(&world.ecm, &format!("{CASE}/Evidence/First notice.txt"));
    world.ecm.with_state(|state| state.remove_hold(ADMIN, letter, seed::FLOOD_HOLD)).unwrap();
    let case = repository::at(&world.ecm, CASE);
    world.change(case).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["skipped archive.not-closed"], "{}", world.told());

    close(&world);
    world.change(case).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered", "skipped archive.not-closed"], "{}", world.told());
    let location = text(&world, case, "Location");
    let prefix = location.strip_prefix(&format!("s3://{}/", world.place.content)).unwrap().to_owned();
    let bag = valid(&world, &prefix).await;
    assert_eq!(bag[&format!("data/Evidence/Report final_ ({report} v1).pdf")], first);
    assert_eq!(bag[&format!("data/Evidence/Report final_ ({report} v2).pdf")], second);
    assert!(bag[&format!("data/Film ({film_node} v1).mp4")] == film);
    let described: serde_json::Value = serde_json::from_slice(&bag["metadata/case.json"]).unwrap();
    assert_eq!(described["case"]["id"], case);
    assert_eq!(text(&world, case, "State"), "archived");
    assert!(!held(&world, &prefix).await);
    assert_eq!(world.node(report).versions.len(), 2, "nothing is reduced");

    repository::hold(&world.ecm, report);
    world.change(report).await;
    world.settle().await;
    assert!(held(&world, &prefix).await, "{}", world.told());
    assert_eq!(world.value(case, "Archive", "Legal Hold"), Some(json!(true)));
    world.ecm.with_state(|state| state.remove_hold(ADMIN, report, seed::FLOOD_HOLD)).unwrap();
    world.request(case, "mirror-holds").await;
    world.settle().await;
    assert!(!held(&world, &prefix).await, "{}", world.told());
    assert_eq!(world.audit_of_node(case).await.len(), 3, "not closed, archived, lifted");
}

#[tokio::test]
async fn a_bag_comes_out_of_its_archive_class_when_s3_says_so_and_is_had_as_one_file_behind_a_link() {
    let world = world("GLACIER").await;
    world.place.notify_of(&world.place.content, "s3:ObjectRestore:Completed").await;
    world.document(CASE, "Letter.txt", "text/plain", &[b"a letter".to_vec()]);
    world.document(CASE, "Reply.txt", "text/plain", &[b"a reply".to_vec()]);
    let case = close(&world);
    world.change(case).await;
    world.settle().await;
    assert_eq!(text(&world, case, "State"), "archived", "{}", world.told());
    world.request(case, "retrieve").await;
    // The stand-in takes two seconds to restore, and S3 says when it has.
    let _poller = world.poll();
    for _ in 0..300 {
        if text(&world, case, "State") == "available" {
            let link = text(&world, case, "Link");
            assert!(link.starts_with("https://links.test/"), "{}", world.told());
            return the_file_is_the_bag(&world, case).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("it never became available: {}; {}", text(&world, case, "State"), world.told());
}

/// What the link leads to holds the files of the bag, and nothing else.
async fn the_file_is_the_bag(world: &World, case: i64) {
    let location = text(world, case, "Location");
    let prefix = location.strip_prefix(&format!("s3://{}/", world.place.content)).unwrap().to_owned();
    let bag = valid(world, &prefix).await;
    let objects = world.objects(&world.place.content).await;
    let retrieved: Vec<&Vec<u8>> =
        objects.iter().filter(|(key, _)| key.starts_with("retrieved/")).map(|(_, bytes)| bytes).collect();
    assert_eq!(retrieved.len(), 1, "{:?}", objects.keys());
    let files = tests::archive::read(retrieved[0]).unwrap();
    let files: BTreeMap<String, Vec<u8>> =
        files.into_iter().map(|(name, bytes)| (name.split_once('/').unwrap().1.to_owned(), bytes)).collect();
    assert!(files == bag, "{:?} and not {:?}", files.keys(), bag.keys());
    assert_eq!(bag.keys().filter(|path| path.starts_with("data/")).count(), 3, "the notice was there before");
}
