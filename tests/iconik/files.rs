//! Files: what there is, bytes out, bytes in.

use std::time::Duration;

use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use shared::{
    error::{Error, FailureClass},
    http::{RangedSource, full},
    iconik::{
        AssetId, Client, Content, File, FileScope, FileStatus, NewFile, NewFileSet, PartLedger, Settings,
        StorageId, UploadStep,
    },
};
use simulators::{
    faults::{Action, Rule},
    iconik::{self as simulator, seed},
};

use crate::{ours, seeded, tenant, tenant_with};

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 7 + at / 251) % 256).unwrap()).collect()
}

fn source(bytes: &[u8]) -> RangedSource {
    let bytes = bytes.to_vec();
    RangedSource::new(bytes.len() as u64, move |offset, length| {
        let (from, to) = (usize::try_from(offset).unwrap(), usize::try_from(offset + length).unwrap());
        let part = bytes[from..to].to_vec();
        async move { Ok(full(part)) }
    })
}

/// An entry on a storage that waits for its bytes.
async fn entry(client: &Client, asset: &AssetId, storage: &str, name: &str, size: usize) -> File {
    let version = client.get_asset(asset).await.unwrap().current_version().unwrap().id.clone();
    let format = client.ensure_format(asset, &version, "ECM_COPY").await.unwrap();
    let set = NewFileSet {
        name: name.to_owned(),
        format: format.id.clone(),
        storage: StorageId::new(storage),
        base_dir: "ecm".to_owned(),
    };
    let set = client.ensure_file_set(asset, &version, &set).await.unwrap();
    let new = NewFile {
        original_name: name.to_owned(),
        directory_path: "ecm".to_owned(),
        file_set: set.id,
        format: format.id,
        storage: StorageId::new(storage),
        size: size as u64,
    };
    let made = client.ensure_file(asset, &version, &new).await.unwrap();
    let again = client.ensure_file(asset, &version, &new).await.unwrap();
    assert_eq!(made.id, again.id, "nothing is made twice");
    again
}

/// Sends all of it, each step as if by another process.
async fn send(client: &Client, asset: &AssetId, file: &File, bytes: &[u8]) -> Result<u32, Error> {
    let (mut ledger, mut steps) = (PartLedger::default(), 0);
    loop {
        steps += 1;
        assert!(steps < 50, "it does not end");
        match client.upload_step(asset, file, &source(bytes), &mut ledger).await {
            Ok(UploadStep::Done) => return Ok(steps),
            Ok(UploadStep::Going(_)) => {}
            // What a flow would try again, too.
            Err(error) if matches!(error.class(), FailureClass::Transient | FailureClass::Throttled) => {}
            Err(error) => return Err(error),
        }
        ledger = serde_json::from_str(&serde_json::to_string(&ledger).unwrap()).unwrap();
    }
}

async fn receive(client: &Client, content: &Content) -> Result<Vec<u8>, Error> {
    let download = client.download(content).await?;
    let body = download.body.collect().await.map_err(|error| *error.downcast::<Error>().unwrap())?;
    Ok(body.to_bytes().to_vec())
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// An asset with a file on S3, closed, and its bytes.
async fn closed(client: &Client, simulator: &simulator::Simulator, length: usize) -> (Content, Vec<u8>) {
    let (asset, whole) = (seeded(simulator, "Harbour at dawn"), bytes(length));
    let file = entry(client, &asset, seed::media::ORIGINALS, "copy.bin", length).await;
    send(client, &asset, &file, &whole).await.unwrap();
    let size = Some(length as u64);
    let file = client.update_file(&asset, &file.id, &FileStatus::Closed, size).await.unwrap();
    assert!(client.get_file(&asset, &file.id).await.unwrap().is_usable());
    (Content::File(asset, file.id), whole)
}

fn small_parts() -> Settings {
    Settings { part_bytes: 5 << 20, single_upload_bytes: 1024, parts_at_once: 2, ..ours() }
}

#[tokio::test(start_paused = true)]
async fn a_file_goes_in_and_comes_out_the_same_on_each_kind_of_storage_that_takes_parts() {
    for (storage, length) in [
        (seed::media::ORIGINALS, 0),
        (seed::media::ORIGINALS, 900),
        (seed::media::ORIGINALS, (12 << 20) + 77),
        (seed::media::GOOGLE, 900),
        (seed::media::GOOGLE, (12 << 20) + 77),
    ] {
        let (simulator, client) = tenant_with(simulator::Settings::default(), small_parts());
        let (asset, whole) = (seeded(&simulator, "Harbour at dawn"), bytes(length));
        let file = entry(&client, &asset, storage, "copy.bin", length).await;
        send(&client, &asset, &file, &whole).await.unwrap();
        client.update_file(&asset, &file.id, &FileStatus::Closed, Some(length as u64)).await.unwrap();
        let content = Content::File(asset, file.id);
        assert_eq!(client.stored_size(&content).await.unwrap(), length as u64, "{storage}");
        assert_eq!(hash(&receive(&client, &content).await.unwrap()), hash(&whole), "{storage} {length}");
        assert!(simulator.journal().unknown().is_empty(), "{:?}", simulator.journal().unknown());
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_survives_every_fault_at_every_call_and_ends_with_the_same_bytes() {
    let faults = [
        Action::DropBeforeEffect,
        Action::DropAfterEffect,
        Action::Status { status: 503, body: None, content_type: None, retry_after: None },
    ];
    for storage in [seed::media::ORIGINALS, seed::media::GOOGLE] {
        for fault in &faults {
            for call in 1..9 {
                let (simulator, client) = tenant_with(simulator::Settings::default(), small_parts());
                let (asset, whole) = (seeded(&simulator, "Harbour at dawn"), bytes((6 << 20) + 5));
                let file = entry(&client, &asset, storage, "copy.bin", whole.len()).await;
                let rule = Rule {
                    method: None,
                    path: Some("/_storage/".to_owned()),
                    call,
                    times: 1,
                    action: fault.clone(),
                };
                simulator.faults().add(rule).unwrap();
                send(&client, &asset, &file, &whole).await.unwrap();
                client.update_file(&asset, &file.id, &FileStatus::Closed, None).await.unwrap();
                let came = receive(&client, &Content::File(asset, file.id)).await.unwrap();
                assert_eq!(hash(&came), hash(&whole), "{storage} {fault:?} at {call}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_download_that_is_cut_again_and_again_goes_on_and_has_the_same_hash() {
    let (simulator, client) = tenant_with(simulator::Settings::default(), small_parts());
    let (content, whole) = closed(&client, &simulator, 300_000).await;
    for at in [1, 40_000, 100_000] {
        simulator.faults().add(Rule::next(Action::CutBody { at }).on("GET", "/_storage/")).unwrap();
    }
    simulator.faults().add(Rule::next(Action::Forbidden).on("GET", "/_storage/").call(3)).unwrap();
    assert_eq!(hash(&receive(&client, &content).await.unwrap()), hash(&whole));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_ends_in_the_middle_of_a_download_is_fetched_anew() {
    let mut settings = simulator::Settings::default();
    settings.media.address_lifetime_seconds = 60;
    let (simulator, client) = tenant_with(settings, small_parts());
    let (content, whole) = closed(&client, &simulator, 300_000).await;
    simulator.faults().add(Rule::next(Action::CutBody { at: 1000 }).on("GET", "/_storage/")).unwrap();
    let mut download = client.download(&content).await.unwrap();
    let mut came = download.body.frame().await.unwrap().unwrap().into_data().unwrap().to_vec();
    tokio::time::sleep(Duration::from_secs(61)).await;
    came.extend(download.body.collect().await.unwrap().to_bytes());
    assert_eq!(hash(&came), hash(&whole));
    let entries = simulator.journal().entries();
    assert_eq!(entries.iter().filter(|entry| entry.path.ends_with("/download_url/")).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_refused_for_ever_is_fetched_twice_and_shown_nowhere() {
    let (simulator, client) = tenant_with(simulator::Settings::default(), small_parts());
    let (content, _) = closed(&client, &simulator, 1000).await;
    simulator.faults().add(Rule::next(Action::Forbidden).on("GET", "/_storage/").times(9)).unwrap();
    let error = receive(&client, &content).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "iconik.signed-url-refused"));
    let shown = format!("{error:?}");
    assert!(!shown.contains("ignature") && !shown.contains("_storage"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_storage_without_addresses_is_told_and_one_that_takes_nothing_from_us_too() {
    use simulator::settings::NoAddress;
    for says in [NoAddress::NotFound, NoAddress::Null] {
        let mut settings = simulator::Settings::default();
        settings.media.no_address = says;
        let (simulator, client) = tenant_with(settings, small_parts());
        let asset = seeded(&simulator, "Harbour at dawn");
        let file = entry(&client, &asset, seed::media::STUDIO, "copy.bin", 10).await;
        let error = send(&client, &asset, &file, b"0123456789").await.unwrap_err();
        assert_eq!(error.code(), "iconik.no-signed-url");
        let error = receive(&client, &Content::File(asset, file.id)).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Invalid, "iconik.no-signed-url"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_storage_elsewhere_is_asked_only_when_its_host_is_allowed() {
    for (hosts, code) in [(vec![], Some("iconik.foreign-host")), (vec!["*.example.com".to_owned()], None)] {
        let mut settings = simulator::Settings::default();
        let (simulator, client) =
            tenant_with(settings.clone(), Settings { signed_hosts: hosts, ..small_parts() });
        let (content, _) = closed(&client, &simulator, 1000).await;
        settings.media.bucket_address = Some("http://bucket.example.com".to_owned());
        simulator.with_state(|state| state.settings = settings);
        let outcome = receive(&client, &content).await;
        assert_eq!(outcome.err().map(|error| error.code()), code);
    }
}

#[tokio::test(start_paused = true)]
async fn every_file_of_an_image_sequence_is_listed_behind_the_last_id() {
    let (simulator, client) =
        tenant_with(simulator::Settings::default(), Settings { page_size: 7, ..ours() });
    let asset = seeded(&simulator, "Opening shot (image sequence)");
    let files = client.list_files(&FileScope::Asset(asset.clone())).all().await.unwrap();
    assert!(files.len() >= seed::media::FRAMES, "{} files", files.len());
    let formats = client.list_formats(&FileScope::Asset(asset.clone())).all().await.unwrap();
    let sets = client.list_file_sets(&FileScope::Asset(asset.clone())).all().await.unwrap();
    assert!(!formats.is_empty() && !sets.is_empty());
    let original = client.find_format(&asset, "ORIGINAL").await.unwrap();
    assert!(original.is_some() && client.find_format(&asset, "NOTHING").await.unwrap().is_none());
    assert!(client.list_storages().all().await.unwrap().len() > 5);
}

#[tokio::test(start_paused = true)]
async fn an_asset_lists_the_formats_of_all_its_versions_and_a_version_its_own() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let asset = seeded(&simulator, seed::media::SHORT);
    let versions = client.find_asset(&asset).await.unwrap().expect("the asset").versions;
    assert!(versions.len() > 1);
    let of_all = client.list_formats(&FileScope::Asset(asset.clone())).all().await.unwrap();
    for version in &versions {
        let scope = FileScope::Version(asset.clone(), version.id.clone());
        let own = client.list_formats(&scope).all().await.unwrap();
        let is_listed = |format: &shared::iconik::Format| of_all.iter().any(|one| one.id == format.id);
        assert!(own.len() < of_all.len() && own.iter().all(is_listed), "{own:?} of {of_all:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_preview_is_made_of_a_file() {
    for without_job in [false, true] {
        let mut settings = simulator::Settings::default();
        settings.media.keyframes_without_job = without_job;
        let (simulator, client) = tenant_with(settings, small_parts());
        let (content, _) = closed(&client, &simulator, 1000).await;
        let Content::File(asset, file) = content else { panic!("it is a file") };
        let job = client.start_preview(&asset, &file).await.unwrap();
        assert_eq!(job.is_none(), without_job);
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_whose_answer_was_lost_is_made_once() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let asset = seeded(&simulator, "Harbour at dawn");
    for path in ["/formats/", "/file_sets/", "/files/"] {
        let rule = Rule::next(Action::DropAfterEffect).on("POST", &format!("/assets/[^/]+{path}$"));
        simulator.faults().add(rule).unwrap();
    }
    let file = entry(&client, &asset, seed::media::ORIGINALS, "copy.bin", 10).await;
    let files = client.list_files(&FileScope::Asset(asset)).all().await.unwrap();
    assert_eq!(files.iter().filter(|found| found.original_name == file.original_name).count(), 1);
}
