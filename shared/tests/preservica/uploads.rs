//! Packages on their way in, and what becomes of them.

use std::time::Duration;

use bytes::Bytes;
use shared::{
    error::{Error, FailureClass},
    preservica::{
        Client, EntityKind, ProgressStatus, ProgressToken, Reference, RepresentationKind, Settings,
        UploadLedger, UploadStep,
    },
};
use simulators::{
    faults::{Action, Rule},
    preservica::{self as simulator, settings::ExistingReference},
};

use crate::{
    package::{Packed, package, padded, source},
    world::{calls, ours, seeded, tenant, tenant_with},
};

const PATIENCE: Duration = Duration::from_secs(600);

/// Takes every step; each may be another process.
async fn to_the_end(
    client: &Client,
    package: &Bytes,
    folder: &Reference,
    ledger: &mut UploadLedger,
) -> Result<Option<ProgressToken>, Error> {
    loop {
        let step = client.upload_step(&source(package), Some(folder), ledger).await?;
        *ledger = serde_json::from_str(&serde_json::to_string(ledger).unwrap()).unwrap();
        if let UploadStep::Done(token) = step {
            assert_eq!(ledger.bytes_sent(), package.len() as u64);
            return Ok(token);
        }
    }
}

async fn uploaded(client: &Client, package: &Bytes, folder: &Reference) -> ProgressToken {
    let mut ledger = UploadLedger::default();
    to_the_end(client, package, folder, &mut ledger).await.unwrap().expect("a token")
}

fn in_parts() -> Settings {
    Settings { single_upload_bytes: 1 << 20, part_bytes: 5 << 20, ..ours() }
}

#[tokio::test(start_paused = true)]
async fn preservica_takes_a_small_package_in_one_request_and_archives_what_is_in_it() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let folder = seeded(&simulator, "Records");
    let asset = Packed::new(1, b"the bytes of a master");
    let token = uploaded(&client, &package(&folder, std::slice::from_ref(&asset)), &folder).await;
    assert_eq!(client.progress(&token).await.unwrap().status, ProgressStatus::Active);
    assert!(client.by_identifier("OTMM", "asset-1:1").all().await.unwrap().is_empty());
    let end = client.follow_progress(&token, PATIENCE).await.unwrap();
    assert_eq!((end.status, end.errors), (ProgressStatus::Completed, Vec::new()));
    let found = client.by_identifier("OTMM", "asset-1:1").all().await.unwrap();
    assert_eq!(found[0].reference, asset.reference, "the reference is that of the package");
    let kept = client.get_entity(EntityKind::Asset, &asset.reference).await.unwrap();
    assert_eq!((kept.title.as_str(), kept.parent), ("Asset 1", Some(folder)));
    let files = client.files_of(&asset.reference, &RepresentationKind::Preservation).await.unwrap();
    let bytes = crate::world::read(client.download(&files[0]).await.unwrap().body).await.unwrap();
    assert_eq!(bytes, asset.content);
    let kinds: Vec<String> = client
        .events_of((EntityKind::Asset, &asset.reference))
        .all()
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.kind)
        .collect();
    assert_eq!(kinds, ["Ingest", "VirusCheck", "Characterise"]);
}

#[tokio::test(start_paused = true)]
async fn preservica_takes_a_large_package_in_parts_under_tokens_that_change() {
    let one_by_one = Settings { parts_at_once: 1, ..in_parts() };
    let (simulator, client) = tenant_with(simulator::Settings::default(), one_by_one);
    let folder = seeded(&simulator, "Records");
    let (asset, package) = padded(&folder, 2, 12 << 20);
    let mut ledger = UploadLedger::default();
    let mut steps = 0;
    let token = loop {
        match client.upload_step(&source(&package), Some(&folder), &mut ledger).await.unwrap() {
            UploadStep::Done(token) => break token.unwrap(),
            UploadStep::Going(_) if steps % 2 == 0 => simulator.with_state(|state| state.tokens.clear()),
            // It is renewed without being asked for, too.
            UploadStep::Going(_) => tokio::time::sleep(Duration::from_secs(14 * 60)).await,
        }
        steps += 1;
    };
    assert!(calls(&simulator, "/login") > 3);
    let end = client.follow_progress(&token, PATIENCE).await.unwrap();
    assert_eq!(end.status, ProgressStatus::Completed, "{end:?}");
    let files = client.files_of(&asset.reference, &RepresentationKind::Preservation).await.unwrap();
    assert_eq!(files[0].size, 12 << 20);
    assert!(
        crate::world::read(client.download(&files[0]).await.unwrap().body).await.unwrap() == asset.content
    );
}

#[tokio::test(start_paused = true)]
async fn preservica_parts_that_arrived_before_a_failure_are_not_sent_again() {
    let (simulator, client) = tenant_with(simulator::Settings::default(), in_parts());
    let folder = seeded(&simulator, "Records");
    let (_, package) = padded(&folder, 2, 12 << 20);
    let failed = Action::Status { status: 500, body: None, content_type: None, retry_after: None };
    simulator.faults().add(Rule::next(failed).on("PUT", "partNumber=2")).unwrap();
    let mut ledger = UploadLedger::default();
    let error = to_the_end(&client, &package, &folder, &mut ledger).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Transient);
    assert_eq!(ledger.bytes_sent(), package.len() as u64 - (5 << 20));
    to_the_end(&client, &package, &folder, &mut ledger).await.unwrap();
    let sent =
        simulator.journal().entries().iter().filter(|entry| entry.query.contains("partNumber")).count();
    assert_eq!(sent, 4, "three, and one once more");
}

#[tokio::test(start_paused = true)]
async fn preservica_packages_whose_answer_is_lost_are_looked_for_and_never_sent_twice() {
    for (settings, method) in [(ours(), "PUT"), (in_parts(), "POST")] {
        let (simulator, client) = tenant_with(simulator::Settings::default(), settings);
        let folder = seeded(&simulator, "Records");
        let (asset, package) = padded(&folder, 3, 6 << 20);
        let arriving = if method == "PUT" { r"\.zip$" } else { r"\.zip\?uploadId" };
        simulator.faults().add(Rule::next(Action::DropAfterEffect).on(method, arriving)).unwrap();
        let mut ledger = UploadLedger::default();
        for _ in 0..3 {
            let error = to_the_end(&client, &package, &folder, &mut ledger).await.unwrap_err();
            let expected = (FailureClass::UnknownOutcome, "preservica.package-may-have-arrived");
            assert_eq!((error.class(), error.code()), expected);
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(client.find_entity(EntityKind::Asset, &asset.reference).await.unwrap().is_some());
        assert_eq!(simulator.with_state(|state| state.monitors.len()), 1, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn preservica_parts_are_joined_once_however_often_that_is_asked_for() {
    for (fault, arrives_later) in [(Action::DropBeforeEffect, true), (Action::DropAfterEffect, false)] {
        let (simulator, client) = tenant(simulator::Settings::default());
        let folder = seeded(&simulator, "Records");
        let asset = Packed::new(1, b"a few bytes, in parts");
        let package = package(&folder, std::slice::from_ref(&asset));
        simulator.faults().add(Rule::next(fault).on("POST", r"\.zip\?uploadId")).unwrap();
        let mut ledger = UploadLedger::in_parts();
        let error = to_the_end(&client, &package, &folder, &mut ledger).await.unwrap_err();
        assert_eq!(error.code(), "preservica.package-may-have-arrived");
        assert!(ledger.may_have_arrived() && ledger.join_again());
        let again = to_the_end(&client, &package, &folder, &mut ledger).await;
        match arrives_later {
            true => assert!(again.unwrap().is_some()),
            // It had arrived: the storage does not know the upload any more, and asking again tells nothing new.
            false => {
                assert_eq!(again.unwrap_err().code(), "preservica.package-may-have-arrived");
                assert!(!ledger.join_again());
            }
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(client.find_entity(EntityKind::Asset, &asset.reference).await.unwrap().is_some());
        assert_eq!(simulator.with_state(|state| state.monitors.len()), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn preservica_uploads_that_the_storage_forgot_begin_anew() {
    let (simulator, client) = tenant_with(simulator::Settings::default(), in_parts());
    let folder = seeded(&simulator, "Records");
    let (_, package) = padded(&folder, 2, 6 << 20);
    let mut ledger = UploadLedger::default();
    client.upload_step(&source(&package), Some(&folder), &mut ledger).await.unwrap();
    simulator.with_state(|state| state.uploads.clear());
    let error = to_the_end(&client, &package, &folder, &mut ledger).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Transient, "preservica.upload-gone"));
    assert_eq!(ledger, UploadLedger::default());
    to_the_end(&client, &package, &folder, &mut ledger).await.unwrap();
    // An upload that is given up leaves nothing.
    let mut ledger = UploadLedger::default();
    client.upload_step(&source(&package), Some(&folder), &mut ledger).await.unwrap();
    client.abandon_upload(&mut ledger).await.unwrap();
    assert_eq!(simulator.with_state(|state| state.uploads.len()), 0);
    // One that may have been joined is given up only where it is there still.
    for is_there in [true, false] {
        let mut ledger = UploadLedger::in_parts();
        while !ledger.may_have_arrived() {
            client.upload_step(&source(&package), Some(&folder), &mut ledger).await.unwrap();
        }
        if !is_there {
            simulator.with_state(|state| state.uploads.clear());
        }
        assert_eq!(client.withdraw_upload(&mut ledger).await.unwrap(), is_there);
        assert_eq!(ledger.is_begun(), !is_there);
    }
}

#[tokio::test(start_paused = true)]
async fn preservica_packages_that_are_wrong_fail_with_the_reason() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let folder = seeded(&simulator, "Records");
    let nowhere = Reference::new("99999999-9999-4999-a999-999999999999");
    let wrong_sum = Packed { sha1: Some("0".repeat(40)), ..Packed::new(4, b"four") };
    let bad_name = Packed { file_name: "a:b.tiff".to_owned(), ..Packed::new(5, b"five") };
    let packages = [
        (package(&folder, &[wrong_sum]), folder.clone(), "Fixity check failed"),
        (package(&folder, &[bad_name]), folder.clone(), "not allowed"),
        (package(&folder, &[Packed::new(6, b"six")]), nowhere, "99999999"),
        (Bytes::from_static(b"this is no zip"), folder.clone(), "no zip"),
    ];
    for (package, folder, reason) in packages {
        let token = uploaded(&client, &package, &folder).await;
        let end = client.follow_progress(&token, PATIENCE).await.unwrap();
        assert_eq!(end.status, ProgressStatus::Failed);
        assert!(end.errors.iter().any(|error| error.contains(reason)), "{reason}: {end:?}");
    }
    assert!(client.children(Some(&folder)).all().await.unwrap().len() == 1, "the seeded report alone");
}

#[tokio::test(start_paused = true)]
async fn preservica_archives_the_right_ones_of_a_package_and_says_so_or_none() {
    for mixed in [true, false] {
        let mut settings = simulator::Settings::default();
        settings.ingest.mixed_outcome = mixed;
        let (simulator, client) = tenant(settings);
        let folder = seeded(&simulator, "Records");
        let wrong = Packed { sha1: Some("0".repeat(40)), ..Packed::new(8, b"eight") };
        let right = Packed::new(7, b"seven");
        let reference = right.reference.clone();
        let token = uploaded(&client, &package(&folder, &[right, wrong]), &folder).await;
        let end = client.follow_progress(&token, PATIENCE).await.unwrap();
        let expected = if mixed { ProgressStatus::MixedOutcome } else { ProgressStatus::Failed };
        assert_eq!((&end.status, end.errors.len()), (&expected, 1));
        let kept = client.find_entity(EntityKind::Asset, &reference).await.unwrap();
        assert_eq!(kept.is_some(), mixed);
    }
}

#[tokio::test(start_paused = true)]
async fn preservica_meets_an_asset_that_is_there_in_one_of_three_ways() {
    for rule in [ExistingReference::Fails, ExistingReference::NewGeneration, ExistingReference::SecondObject]
    {
        let mut settings = simulator::Settings::default();
        settings.ingest.existing_reference = rule;
        let (simulator, client) = tenant(settings);
        let folder = seeded(&simulator, "Records");
        for content in [&b"first"[..], b"second"] {
            let token = uploaded(&client, &package(&folder, &[Packed::new(9, content)]), &folder).await;
            client.follow_progress(&token, PATIENCE).await.unwrap();
        }
        let found = client.by_identifier("OTMM", "asset-9:1").all().await.unwrap();
        let files =
            client.files_of(&Packed::new(9, b"").reference, &RepresentationKind::Preservation).await.unwrap();
        let (assets, size) = match rule {
            ExistingReference::Fails => (1, 5),
            ExistingReference::NewGeneration => (1, 6),
            ExistingReference::SecondObject => (2, 5),
        };
        assert_eq!((found.len(), files[0].size), (assets, size), "{rule:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn preservica_workers_take_so_many_packages_at_a_time_and_the_others_wait() {
    let mut settings = simulator::Settings::default();
    settings.ingest.workers = 2;
    settings.ingest.seconds = 100;
    let (simulator, client) = tenant(settings);
    let folder = seeded(&simulator, "Records");
    let mut tokens = Vec::new();
    for number in 10..13 {
        tokens.push(uploaded(&client, &package(&folder, &[Packed::new(number, b"x")]), &folder).await);
    }
    let mut seen = Vec::new();
    for _ in 0..3 {
        let mut now = Vec::new();
        for token in &tokens {
            now.push(client.progress(token).await.unwrap().status);
        }
        seen.push(now);
        tokio::time::sleep(Duration::from_secs(101)).await;
    }
    use ProgressStatus::{Active, Completed, Pending};
    assert_eq!(seen[0], [Active, Active, Pending]);
    assert_eq!(seen[1], [Completed, Completed, Active]);
    assert_eq!(seen[2], [Completed, Completed, Completed]);
}

#[tokio::test(start_paused = true)]
async fn preservica_without_an_ingest_workflow_leaves_a_package_waiting_and_the_question_ends() {
    let mut settings = simulator::Settings::default();
    settings.ingest.workflow_active = false;
    let (simulator, client) = tenant(settings);
    let folder = seeded(&simulator, "Records");
    let token = uploaded(&client, &package(&folder, &[Packed::new(1, b"x")]), &folder).await;
    let end = client.follow_progress(&token, Duration::from_secs(3600)).await.unwrap();
    assert_eq!(end.status, ProgressStatus::Pending);
}

#[tokio::test(start_paused = true)]
async fn preservica_parts_get_new_content_and_assets_a_copy_for_access() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let report = seeded(&simulator, "Annual report");
    let representation = client.representations(&report).await.unwrap().remove(0);
    let part = client.parts(&representation).await.unwrap().remove(0);
    let content = Bytes::from_static(b"a newer report");
    let sha256 = {
        use sha2::Digest as _;
        hex::encode(sha2::Sha256::digest(&content).as_slice())
    };
    let token = client.replace_content(&part, "report-2.pdf", &sha256, &source(&content)).await.unwrap();
    client.follow_progress(&token, PATIENCE).await.unwrap();
    let generations = client.generations(&part).await.unwrap();
    let active: Vec<bool> = generations.iter().map(|generation| generation.is_active).collect();
    assert_eq!(active, [false, true]);
    assert_eq!(client.active_bitstreams(&part).await.unwrap()[0].filename, "report-2.pdf");
    // Bytes that are not those of the checksum are refused.
    let error = client.replace_content(&part, "x.pdf", &"0".repeat(64), &source(&content)).await.unwrap_err();
    assert_eq!(error.code(), "preservica.against-a-rule");
    let token = client.add_access_copy(&report, "Web", "report.jpg", &source(&content)).await.unwrap();
    client.follow_progress(&token, PATIENCE).await.unwrap();
    let access = client.files_of(&report, &RepresentationKind::Access).await.unwrap();
    assert_eq!(access[0].filename, "report.jpg");
    // Before 6.12 that is not offered.
    let (_, client) =
        tenant(simulator::Settings { version: "6.9.0".to_owned(), ..simulator::Settings::default() });
    let error = client.add_access_copy(&report, "Web", "report.jpg", &source(&content)).await.unwrap_err();
    assert_eq!(error.code(), "preservica.needs-version");
}
