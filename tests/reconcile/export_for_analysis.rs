//! `export-for-analysis`: documents that belong to a data set, and what the data set has.

use s3_content_server::{EXPORT_FOR_ANALYSIS, export_for_analysis::KIND};
use serde_json::json;
use shared::reconcile::{Action, Kind, Options};
use simulators::content_server::{
    Blob, seed,
    state::{ADMIN, NewNode, NewVersion, kind},
};
use tests::storm::{CONTENT, Scenario, World};

use crate::side::{Compared, repairing, run};

const RULES: &str = r#"
[[data_set]]
name = "archive"
within = "Enterprise:Digitised Archive"
readable_by = ["Records Managers"]
content_types = ["text/*"]
fields = [{ to = "title", from = "node.name" }]

[data_set.forbid]
classifications = ["Classifications:Sensitivity/Confidential"]
"#;

const NAMES: [&str; 5] = ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"];

fn make(world: &World, name: &str) {
    world.content_server.with_state(|state| {
        let version = NewVersion::of(name, "text/plain", Blob::of(format!("text of {name}").into_bytes()));
        let new = NewNode {
            kind: kind::DOCUMENT,
            parent_id: seed::ARCHIVE,
            name: name.to_owned(),
            version: Some(version),
            ..NewNode::default()
        };
        state.create(ADMIN, new).expect("a document");
    });
}

fn documents(world: &World) {
    NAMES.iter().for_each(|name| make(world, name));
    // Never in it, so never told of.
    make(world, "closed.txt");
    classify(world, "closed.txt");
}

fn classify(world: &World, name: &str) {
    let node = node(world, name);
    world.content_server.with_state(|state| {
        state.nodes.get_mut(&node).expect("it").classifications.push(seed::CONFIDENTIAL);
    });
}

fn node(world: &World, name: &str) -> i64 {
    world.content_server.with_state(|state| state.at(&format!("Digitised Archive/{name}")).expect("it").id)
}

fn request(occasion: &str) -> String {
    let data = json!({"data_set": "archive", "mode": "full", "occasion": occasion});
    json!({"specversion": "1.0", "id": occasion, "source": "tests", "type": KIND, "data": data}).to_string()
}

fn story(rules: &'static str) -> Scenario {
    let asked = |_: &World| vec![request("first")];
    Scenario::of_messages("archive", &EXPORT_FOR_ANALYSIS, rules, documents, asked, (1, 0, 0))
}

fn keys(compared: &Compared, of: &str) -> Vec<String> {
    let objects = compared.world.aws.s3().versions(CONTENT).into_iter();
    objects.map(|object| object.key).filter(|key| key.contains(of)).collect()
}

async fn remove(compared: &Compared, key: &str) {
    compared.world.s3.delete_object().bucket(CONTENT).key(key).send().await.expect("deleted");
}

#[test]
fn what_was_exported_agrees() {
    let walked = RULES.replace("readable_by", "find = \"walk\"\nreadable_by").leak();
    let queried =
        RULES.replace("readable_by", "query = 'OTName:\"a.txt\" OR OTName:\"b.txt\"'\nreadable_by").leak();
    for (rules, count) in [(RULES, 6), (&*walked, 6), (&*queried, 2)] {
        run(async {
            let compared = Compared::after(story(rules)).await;
            for deep in [false, true] {
                let said = compared.compare(Options { deep, ..Options::default() }).await;
                assert_eq!(said.found(), [], "deep: {deep}, {rules}");
                // Each document by its hash, and the manifest.
                assert_eq!((said.counts().equal, said.counts().alike), (count + 1, 0), "{:?}", said.counts());
            }
        });
    }
}

#[test]
fn lost_and_damaged_objects_new_and_closed_documents_are_found_and_put_right_by_a_full_run() {
    run(async {
        let compared = Compared::after(story(RULES)).await;
        let world = &compared.world;
        let [a, b, c, d, _] = NAMES.map(|name| node(world, name));
        let object = |node: i64| keys(&compared, &format!("/content/{node}/1/")).remove(0);
        remove(&compared, &object(a)).await;
        let put = world.s3.put_object().bucket(CONTENT).key(object(b));
        let put = put.checksum_algorithm(aws_sdk_s3::types::ChecksumAlgorithm::Crc64Nvme);
        put.body(b"TEXT of b.txt".to_vec().into()).send().await.expect("put");
        classify(world, "c.txt");
        world.content_server.with_state(|state| state.delete(ADMIN, d)).expect("deleted");
        // Opened without a date that an incremental run would see.
        let closed = node(world, "closed.txt");
        world
            .content_server
            .with_state(|state| state.nodes.get_mut(&closed).expect("it").classifications.clear());
        // New, so the next incremental run takes it: in order.
        make(world, "f.txt");
        compared.hours(3).await;

        let said = compared.compare(repairing()).await;
        assert_eq!(
            said.found(),
            [
                (Kind::Missing, "a.txt".to_owned()),
                (Kind::Missing, "closed.txt".to_owned()),
                (Kind::Different, "b.txt".to_owned()),
                (Kind::Extra, format!("node {c}")),
                (Kind::Extra, format!("node {d}")),
            ]
        );
        assert_eq!(said.counts().accounted, 1, "{:?}", said.counts());
        assert!(said.report.findings.iter().all(|finding| finding.repair.action == Action::LookAgain));
        assert!(said.finding(&format!("node {c}")).explanation.contains("excluded.classification"));
        compared.work().await;
        assert_eq!(compared.world.endings(), ["delivered", "delivered"], "one run for all findings");
        assert_eq!(compared.compare(Options::default()).await.found(), []);
    });
}

#[test]
fn manifests_that_are_lost_or_changed_and_broken_markers_are_a_persons_business() {
    run(async {
        let compared = Compared::after(story(RULES)).await;
        let world = &compared.world;
        world.send(&request("second")).await;
        compared.work().await;
        world.send(&request("third")).await;
        compared.work().await;
        let [first, second, third] =
            <[String; 3]>::try_from(keys(&compared, "manifest.jsonl")).expect("three runs");
        remove(&compared, &first).await;
        let put = world.s3.put_object().bucket(CONTENT).key(&second);
        put.body(b"{}\n".to_vec().into()).send().await.expect("put");
        let marker = third.replace("manifest.jsonl", "_SUCCESS");
        let put = world.s3.put_object().bucket(CONTENT).key(&marker);
        put.body(b"done".to_vec().into()).send().await.expect("put");
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        let name = |manifest: &str| manifest.replace("manifest.jsonl", "_SUCCESS");
        let mut expected =
            [(Kind::Missing, name(&first)), (Kind::Different, name(&second)), (Kind::Unverifiable, marker)];
        expected.sort();
        assert_eq!(said.found(), expected);
        assert!(said.report.findings.iter().all(|finding| finding.repair.action == Action::Person));
        assert_eq!(said.counts().queued, 0);
    });
}
