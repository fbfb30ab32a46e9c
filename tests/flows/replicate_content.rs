//! A document is replicated to a bucket of another Region, changed, deleted, and restored from there; the replica is
//! verified and drilled.

use std::collections::BTreeMap;

use aws_sdk_s3::{
    Client,
    config::Region,
    types::{
        BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration,
    },
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tests::{installation::Installation, repository};

use crate::world::{Usual, World, bytes, content};

const RULES: &str = r#"
[[rule]]
name = "plans"
within = "Enterprise:Digitised Archive"
prefix = "plans/"
restore_into = "Enterprise:Quarantine"
drill_documents = 2
"#;

const FOLDER: &str = "Digitised Archive/Maps and Plans";
const CATEGORY: &str = "Claim Evidence";

/// The Region of the replica; everything else is in another one.
const REGION: &str = "eu-central-1";

fn usual() -> Usual {
    Usual {
        rules: Some(|_| RULES.into()),
        variables: |place| {
            vec![("WAYBILL_CONTENT_BUCKET", bucket(place)), ("WAYBILL_CONTENT_REGION", REGION.into())]
        },
        ..Usual::of("replicate-content")
    }
}

fn bucket(place: &Installation) -> String {
    format!("replica-{}", place.account)
}

/// The bucket of the replica, in its Region.
struct Replica {
    s3: Client,
    bucket: String,
}

impl Replica {
    async fn of(world: &World) -> Self {
        let region = Region::new(REGION);
        let s3 = Client::from_conf(world.place.s3.config().to_builder().region(region).build());
        let bucket = bucket(&world.place);
        let there = BucketLocationConstraint::EuCentral1;
        let place = CreateBucketConfiguration::builder().location_constraint(there).build();
        let made = s3.create_bucket().bucket(&bucket).create_bucket_configuration(place).send().await;
        made.expect("a bucket");
        let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let versions = s3.put_bucket_versioning().bucket(&bucket).versioning_configuration(versions);
        versions.send().await.expect("versions");
        Self { s3, bucket }
    }

    async fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let listed = self.s3.list_objects_v2().bucket(&self.bucket).send().await.expect("listed");
        let mut objects = BTreeMap::new();
        for key in listed.contents.unwrap_or_default().into_iter().filter_map(|object| object.key) {
            let request = self.s3.get_object().bucket(&self.bucket).key(&key);
            let body = request.send().await.expect("it is there").body.collect().await.expect("whole");
            objects.insert(key, body.to_vec());
        }
        objects
    }

    /// A JSON object.
    async fn json(&self, key: &str) -> Value {
        let objects = self.objects().await;
        let bytes = objects.get(key).unwrap_or_else(|| panic!("no {key} in {:?}", objects.keys()));
        serde_json::from_slice(bytes).expect("JSON")
    }

    /// The report of a kind: `restores`, `drills`, `verifications`.
    async fn report(&self, kind: &str) -> Value {
        let objects = self.objects().await;
        let name =
            |key: &&String| key.starts_with(&format!("plans/_waybill/{kind}/")) && key.ends_with(".json");
        let key = objects.keys().find(name).unwrap_or_else(|| panic!("no report in {:?}", objects.keys()));
        self.json(key).await
    }
}

async fn ask(world: &World, id: &str, data: Value) {
    let kind = s3_content_server::replicate_content::KIND;
    let body = json!({"specversion": "1.0", "id": id, "source": "tests", "type": kind, "data": data});
    world.send(&body.to_string()).await;
    world.settle().await;
}

#[tokio::test]
async fn what_is_replicated_changed_and_deleted_comes_back_with_every_version() {
    let world = World::with(usual()).await;
    let replica = Replica::of(&world).await;
    let versions = [content(2_000_000, 1), content(9_000_000, 2)];
    let node = world.document(FOLDER, "Plan of 1887.tif", "image/tiff", &versions);
    repository::set_value(&world.ecm, node, CATEGORY, "Claim Number", json!("100117"));
    world.change(node).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());
    let record = replica.json(&format!("plans/{node}/record.json")).await;
    assert_eq!((&record["presence"], &record["revision"]["number"]), (&json!("present"), &json!(1)));
    let objects = replica.objects().await;
    for (number, bytes) in (1..).zip(&versions) {
        assert!(objects[&format!("plans/{node}/{number}/Plan of 1887.tif")] == *bytes, "version {number}");
    }

    // Another value alone is a revision, the deletion another one.
    repository::set_value(&world.ecm, node, CATEGORY, "Claim Number", json!("100118"));
    world.change(node).await;
    world.settle().await;
    world
        .ecm
        .with_state(|state| state.delete(simulators::content_server::state::ADMIN, node))
        .expect("deleted");
    world.change(node).await;
    world.settle().await;
    let record = replica.json(&format!("plans/{node}/record.json")).await;
    assert_eq!((&record["presence"], &record["revision"]["number"]), (&json!("gone"), &json!(3)));

    world.request(node, "restore").await;
    world.settle().await;
    let report = replica.report("restores").await;
    assert_eq!((&report["equal"], &report["counts"]["versions"]), (&json!(true), &json!(2)), "{report:#}");
    let folder = world.node(report["folder"].as_i64().expect("a folder"));
    let restored = world.documents(&format!("Quarantine/{}", folder.name)).remove(0);
    let hashes: Vec<String> =
        restored.versions.iter().map(|version| version.content.sha256.clone()).collect();
    assert_eq!(hashes, versions.each_ref().map(|bytes| hex::encode(Sha256::digest(bytes))));
    assert!(bytes(&restored) == versions[1]);
    assert_eq!(world.value(restored.id, CATEGORY, "Claim Number"), Some(json!("100118")));
    assert_eq!(
        world.endings().await,
        ["delivered", "delivered", "delivered", "delivered"],
        "{}",
        world.told()
    );
    let deletes = world
        .ecm
        .journal()
        .entries()
        .into_iter()
        .filter(|call| call.method == "DELETE" && !call.path.contains("/permissions/"));
    assert_eq!(deletes.count(), 0);
}

#[tokio::test]
async fn a_replica_is_verified_and_drilled_and_damage_is_found() {
    let world = World::with(usual()).await;
    let replica = Replica::of(&world).await;
    let mut nodes = Vec::new();
    for number in 0..3 {
        let name = format!("Sheet {number}.tif");
        let node = world.document(FOLDER, &name, "image/tiff", &[content(300_000, number)]);
        world.change(node).await;
        nodes.push(node);
    }
    world.settle().await;
    ask(&world, "drill", json!({"request": "drill"})).await;
    let drill = replica.report("drills").await;
    assert_eq!((&drill["equal"], &drill["counts"]["documents"]), (&json!(true), &json!(2)), "{drill:#}");

    ask(&world, "verify", json!({"request": "verify"})).await;
    let verified = replica.report("verifications").await;
    assert_eq!(
        (&verified["equal"], &verified["counts"]["documents"]),
        (&json!(true), &json!(3)),
        "{verified:#}"
    );
    assert!(replica.json("plans/_waybill/verification.json").await["completedAt"].is_string());

    let key = format!("plans/{}/1/Sheet 1.tif", nodes[1]);
    let delete = replica.s3.delete_object().bucket(&replica.bucket).key(&key);
    // In a bucket with versions a person has to delete the version itself.
    let record = replica.json(&format!("plans/{}/record.json", nodes[1])).await;
    let revision = replica.json(record["revision"]["key"].as_str().expect("a key")).await;
    let version = revision["versions"][0]["content"]["versionId"].as_str().expect("a version").to_owned();
    delete.version_id(version).send().await.expect("deleted");
    ask(&world, "again", json!({"request": "verify", "set": "plans"})).await;
    let log = world.function.log().text();
    assert!(log.contains("\"ReplicaDamaged\":[1.0]"), "the metric of the alarm: {log}");
    assert!(log.contains("\"ReplicaVerifiedAge\""), "{log}");

    world.request(nodes[1], "replicate").await;
    world.settle().await;
    let objects = replica.objects().await;
    assert!(objects[&key] == content(300_000, 1), "it is mended from Content Server; {}", world.told());
}

#[tokio::test]
async fn a_restore_into_what_is_replicated_is_put_aside_with_its_reason() {
    let world = World::with(usual()).await;
    Replica::of(&world).await;
    let node = world.document(FOLDER, "Plan.tif", "image/tiff", &[content(1_000, 1)]);
    world.change(node).await;
    world.settle().await;
    ask(&world, "1", json!({"request": "restore", "node": node, "into": "Enterprise:Digitised Archive"}))
        .await;
    assert_eq!(world.endings().await, ["delivered", "quarantined restore.into-a-set"], "{}", world.told());
    let reason = &world.reasons().await[0]["reason"];
    assert!(reason["remedy"].as_str().is_some_and(|remedy| remedy.contains("not replicated")), "{reason}");
}

#[tokio::test]
async fn a_bucket_in_another_region_than_is_said_is_a_fault_of_the_configuration() {
    let elsewhere = |place: &Installation| {
        vec![("WAYBILL_CONTENT_BUCKET", bucket(place)), ("WAYBILL_CONTENT_REGION", "eu-west-1".into())]
    };
    let world = World::with(Usual { variables: elsewhere, ..usual() }).await;
    Replica::of(&world).await;
    let node = world.document(FOLDER, "Plan.tif", "image/tiff", &[content(1_000, 1)]);
    world.change(node).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["quarantined replica.refused"], "{}", world.told());
}
