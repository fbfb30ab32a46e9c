//! Versions of Content Server documents into S3: what is vouched for is what the document holds.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use s3_content_server::version_copy::{NodeDescription, Reading, Shelf, StoredVersion, VersionCopy};
use shared::{
    content_server::{Client, Credential, NodeId, Settings},
    error::Result,
    http::{Pace, Transport, full},
    transfer::{Digests, Progress, UploadSizes},
};
use simulators::{
    Clock,
    content_server::{
        self as simulator, Blob, seed,
        state::{ADMIN, NewNode, NewVersion, kind},
    },
};
use tests::in_process;

use crate::world::{TARGET, World, content};

const SIZES: UploadSizes = UploadSizes { single: 50_000, part: 40_000, record_every: 80_000 };

/// A document in a Content Server, and S3 to copy it to.
struct Story {
    world: World,
    client: Client,
    simulator: simulator::Simulator,
    /// Downloads so far, and which of them is damaged on its way.
    downloads: Arc<AtomicUsize>,
    node: i64,
}

async fn story(bytes: &Bytes, ranges: bool, damaged: Option<usize>) -> Story {
    let world = World::new(false).await;
    world.aws.s3().set_least_part(40_000);
    let clock = world.context.clone();
    let settings = simulator::Settings { range_requests: ranges, ..simulator::Settings::default() };
    let simulator = simulator::Simulator::new(settings, Clock::from_fn(move || clock.now()));
    let node = simulator.with_state(|state| {
        let version = NewVersion::of("Zürich & co.pdf", "application/pdf", Blob::of(bytes.clone()));
        let name = "Zürich & co.pdf".to_owned();
        let new = NewNode { kind: kind::DOCUMENT, parent_id: seed::CLAIMS, name, ..NewNode::default() };
        state.create(ADMIN, NewNode { version: Some(version), ..new }).unwrap()
    });
    let downloads = Arc::new(AtomicUsize::new(0));
    let (router, count) = (simulator.router(), Arc::clone(&downloads));
    let transport = Transport::in_process(move |request| {
        let (router, count) = (router.clone(), Arc::clone(&count));
        async move {
            let download = request.uri().path().ends_with("/content");
            let response = in_process::call(router, request).await;
            if !download || Some(count.fetch_add(1, Ordering::Relaxed)) != damaged {
                return Ok(response);
            }
            let (parts, body) = response.into_parts();
            let mut bytes = BytesMut::from(body.collect().await.unwrap().to_bytes());
            bytes[7] ^= 1;
            Ok(http::Response::from_parts(parts, full(bytes.freeze())))
        }
    });
    let secret = serde_json::json!({
        "mode": "password", "username": seed::SERVICE_USER, "password": seed::PASSWORD,
    });
    let client = Client::new(
        Settings { range_downloads: ranges, ..Settings::at("http://content-server.test/otcs/cs.exe") },
        Credential::from_json(&secret.to_string()).unwrap(),
        transport,
        world.context.clone(),
        Pace::per_second(1000.0),
    );
    Story { world, client, simulator, downloads, node }
}

impl Story {
    fn shelf() -> Shelf {
        Shelf { bucket: TARGET.into(), prefix: "kept/".into(), storage_class: None }
    }

    async fn copy(&self, seconds: i64) -> Result<Progress<StoredVersion>> {
        let run = self.world.attempt_for(seconds).await;
        let node = self.client.get_node(NodeId(self.node)).await?;
        let described = NodeDescription::read(&self.client, &node).await?;
        let version = self.client.latest_version(node.id).await?;
        let shelf = Self::shelf();
        let copy = VersionCopy {
            content_server: &self.client,
            s3: &self.world.s3,
            shelf: &shelf,
            reading: Reading::Twice,
            sizes: SIZES,
        };
        let outcome = copy.copy(&described, &version, &run).await;
        self.world.until_the_claim_ends().await;
        outcome
    }

    fn downloads(&self) -> usize {
        self.downloads.load(Ordering::Relaxed)
    }

    fn key(&self) -> String {
        format!("kept/{}/1/Zürich & co.pdf", self.node)
    }

    fn description(&self) -> Option<serde_json::Value> {
        let text = self.world.target(&format!("kept/{}/1.json", self.node))?;
        Some(serde_json::from_slice(&text).unwrap())
    }

    fn assert_kept(&self, bytes: &Bytes, done: Result<Progress<StoredVersion>>) -> StoredVersion {
        let Ok(Progress::Done(stored)) = done else { panic!("{done:?}") };
        let digests = Digests::of(bytes);
        assert_eq!((&stored.sha256, stored.size), (&digests.sha256, digests.bytes));
        assert_eq!((&stored.key, stored.storage_class.as_str()), (&self.key(), "STANDARD"));
        assert_eq!(self.world.target(&stored.key).as_ref(), Some(bytes));
        assert_eq!(self.description().unwrap()["content"]["sha256"], digests.sha256);
        assert_eq!(self.world.orphans(), Vec::<String>::new());
        stored
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_is_copied_with_everything_known_of_it_and_only_once() {
    for length in [0, 1, 50_000, 200_001] {
        let bytes = content(length);
        let story = story(&bytes, false, None).await;
        let first = story.assert_kept(&bytes, story.copy(60).await);
        assert_eq!(story.downloads(), 2, "{length}: read twice");
        let kept = story.description().unwrap();
        assert_eq!(kept["schema"], "waybill.stored-version.v1");
        assert_eq!(kept["node"]["path"], serde_json::json!(["Enterprise", "Claims"]));
        assert_eq!(kept["version"]["fileName"], "Zürich & co.pdf");
        assert!(kept["node"]["permissions"].as_array().unwrap().iter().any(|one| one["holder"] == "owner"));

        let again = story.assert_kept(&bytes, story.copy(60).await);
        assert_eq!(again, first);
        assert_eq!(story.downloads(), 2, "{length}: what is vouched for is not read again");
        assert_eq!(story.world.aws.s3().versions(TARGET).len(), 2, "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_version_takes_as_many_invocations_as_it_needs() {
    for ranges in [false, true] {
        let bytes = content(200_001);
        let story = story(&bytes, ranges, None).await;
        assert_eq!(story.copy(0).await.unwrap(), Progress::Paused, "no time at all");
        assert_eq!(story.description(), None);
        story.assert_kept(&bytes, story.copy(60).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_was_damaged_is_never_vouched_for() {
    for length in [30_000, 200_001] {
        for damaged in [0, 1] {
            let bytes = content(length);
            let story = story(&bytes, false, Some(damaged)).await;
            let error = story.copy(60).await.unwrap_err();
            assert_eq!(error.code(), "version-copy.mismatch", "{length}, reading {damaged}");
            assert_eq!(story.description(), None);
            story.assert_kept(&bytes, story.copy(60).await);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_is_not_what_was_vouched_for_is_made_anew() {
    let bytes = content(30_000);
    let story = story(&bytes, false, None).await;
    story.assert_kept(&bytes, story.copy(60).await);
    let other = content(29_999).to_vec();
    story.world.s3.put_object().bucket(TARGET).key(story.key()).body(other.into()).send().await.unwrap();
    story.assert_kept(&bytes, story.copy(60).await);
}

#[tokio::test(start_paused = true)]
async fn the_place_of_another_system_is_left_alone() {
    let bytes = content(30_000);
    let story = story(&bytes, false, None).await;
    let other = r#"{"schema":"another.v1"}"#;
    let key = format!("kept/{}/1.json", story.node);
    story.world.s3.put_object().bucket(TARGET).key(key).body(Bytes::from(other).into()).send().await.unwrap();
    let error = story.copy(60).await.unwrap_err();
    assert_eq!(error.code(), "version-copy.taken");
    assert!(error.remedy_text().is_some());
    assert_eq!(story.world.target(&story.key()), None);
    assert!(story.simulator.with_state(|state| state.nodes.contains_key(&story.node)));
}
