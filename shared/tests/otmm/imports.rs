//! Content on its way in, and its jobs.

use std::time::Duration;

use shared::{
    error::{Error, FailureClass},
    http::Replayable,
    otmm::{
        CheckIn, CheckInJob, CheckInLedger, CheckOutOrder, Client, ImportLedger, ImportStep, JobId, JobState,
        Load, MetadataChange, NewAsset, PolicyId, Settings, TemplateId, Upload,
    },
};
use simulators::{
    faults::{Action, Rule},
    otmm::{self as simulator, seed, settings::JobShape},
};

use crate::world::{asset, calls, field, ours, read, seeded, site, site_with};

const PATIENCE: Duration = Duration::from_secs(120);

fn upload(name: &str) -> Upload {
    Upload {
        content: Replayable::from_bytes("the bytes of a derivative"),
        file_name: name.to_owned(),
        content_type: "image/tiff".to_owned(),
    }
}

fn new(simulator: &simulator::Simulator, name: &str) -> NewAsset {
    NewAsset {
        upload: upload(name),
        folder: seeded(simulator, "Spring 2030"),
        model: None,
        metadata: MetadataChange::new().text(&field(seed::ARCHIVE_ID), "archive-1"),
        policies: Vec::new(),
        template: None,
        correlation: Some("key-1".to_owned()),
    }
}

fn staged() -> Settings {
    let mut ours = ours();
    ours.imports.one_call_bytes = 0;
    ours
}

/// Takes every step; each may be another process.
async fn to_the_end(client: &Client, new: &NewAsset, ledger: &mut ImportLedger) -> Result<JobId, Error> {
    loop {
        let step = client.import_step(new, ledger).await;
        *ledger = serde_json::from_str(&serde_json::to_string(ledger).unwrap()).unwrap();
        if let ImportStep::Done(job) = step? {
            return Ok(job);
        }
    }
}

async fn imported(client: &Client, new: &NewAsset) -> Result<JobId, Error> {
    to_the_end(client, new, &mut ImportLedger::default()).await
}

#[tokio::test(start_paused = true)]
async fn an_asset_comes_in_either_way_and_is_found_by_its_job_or_by_its_key() {
    for ours in [ours(), staged()] {
        for (tells, visible, accepted) in [(true, true, 200), (false, true, 202), (false, false, 202)] {
            let mut settings = simulator::Settings::default();
            settings.jobs.tells_assets = tells;
            settings.jobs.accepted_status = accepted;
            settings.imports.visible_at_once = visible;
            let (simulator, client) = site_with(settings, ours.clone());
            let job = imported(&client, &new(&simulator, "new.tif")).await.unwrap();
            assert_eq!(client.get_job(&job).await.unwrap().state, JobState::Running);
            let ended = client.follow_job(&job, PATIENCE).await.unwrap();
            assert_eq!(ended.state, JobState::Done);
            let made = client.find_imported(Some(&job), Some("key-1")).await.unwrap();
            assert_eq!(made.len(), 1);
            let whole = client.get_asset(&made[0].id, Load::Full).await.unwrap();
            assert_eq!((whole.import_job.as_ref(), whole.is_locked), (Some(&job), false));
            assert_eq!(
                read(client.download(&whole).await.unwrap().body).await.unwrap(),
                b"the bytes of a derivative"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_is_understood_in_every_form_and_a_word_that_nobody_declared_is_told() {
    for shape in [JobShape::Resource, JobShape::Handle, JobShape::Bare] {
        for member in ["status", "job_status", "state"] {
            let mut settings = simulator::Settings::default();
            settings.jobs.shape = shape;
            settings.jobs.status_member = member.to_owned();
            let (simulator, client) = site(settings);
            let job = imported(&client, &new(&simulator, "new.tif")).await.unwrap();
            assert_eq!(client.follow_job(&job, PATIENCE).await.unwrap().state, JobState::Done);
        }
    }
    let mut settings = simulator::Settings::default();
    settings.jobs.done = "ABGESCHLOSSEN".to_owned();
    let (simulator, client) = site(settings.clone());
    let job = imported(&client, &new(&simulator, "new.tif")).await.unwrap();
    let ended = client.follow_job(&job, PATIENCE).await.unwrap();
    let error = ended.failure().unwrap();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "otmm.job-state-unknown"));
    let mut declared = ours();
    declared.jobs.done.push("abgeschlossen".to_owned());
    let (simulator, client) = site_with(settings, declared);
    let job = imported(&client, &new(&simulator, "new.tif")).await.unwrap();
    assert!(client.follow_job(&job, PATIENCE).await.unwrap().failure().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_or_never_ends_is_said() {
    let mut settings = simulator::Settings::default();
    settings.jobs.fail_with = Some("The disk is full".to_owned());
    let (simulator, client) = site(settings);
    let job = imported(&client, &new(&simulator, "new.tif")).await.unwrap();
    let error = client.follow_job(&job, PATIENCE).await.unwrap().failure().unwrap();
    assert_eq!(error.code(), "otmm.job-failed");
    assert!(error.message().contains("The disk is full"), "{error}");
    let mut settings = simulator::Settings::default();
    settings.jobs.never_end = true;
    let (simulator, client) = site(settings);
    let job = imported(&client, &new(&simulator, "new.tif")).await.unwrap();
    let began = tokio::time::Instant::now();
    assert_eq!(client.follow_job(&job, PATIENCE).await.unwrap().state, JobState::Running);
    assert!(began.elapsed() <= PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn a_new_asset_is_described_only_when_its_job_has_let_go_of_it() {
    let (simulator, client) = site(simulator::Settings::default());
    let job = imported(&client, &new(&simulator, "new.tif")).await.unwrap();
    let made = client.find_made(&field(seed::CORRELATION), "key-1").await.unwrap();
    let change = MetadataChange::new().text(&field(seed::ARCHIVE_STATUS), "archived");
    // It is waited for: the job takes ten seconds.
    client.update_metadata(&made[0].id, &change, None).await.unwrap();
    assert_eq!(client.get_job(&job).await.unwrap().state, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn what_the_site_does_not_take_is_said_by_the_call_or_by_the_job() {
    for by_job in [true, false] {
        let mut settings = simulator::Settings::default();
        settings.imports.checked_by_job = by_job;
        let (simulator, client) = site(settings);
        let mut new = new(&simulator, "new.tif");
        new.policies = vec![PolicyId::new("99")];
        let outcome = match imported(&client, &new).await {
            Ok(job) => client.follow_job(&job, PATIENCE).await.unwrap().failure().unwrap(),
            Err(error) => error,
        };
        assert_eq!(outcome.code(), if by_job { "otmm.job-failed" } else { "otmm.business-error" });
        assert!(outcome.message().contains("no security policy 99"), "{outcome}");
    }
    let (simulator, client) = site(simulator::Settings::default());
    let error = imported(&client, &new(&simulator, "new.exe")).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "otmm.restricted-extension"));
    let mut settings = simulator::Settings::default();
    settings.imports.largest_bytes = Some(4);
    let (simulator, client) = site(settings);
    let error = imported(&client, &new(&simulator, "new.tif")).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "otmm.too-large"));
}

#[tokio::test(start_paused = true)]
async fn a_template_fills_in_what_is_not_said() {
    let (simulator, client) = site(simulator::Settings::default());
    let mut new = new(&simulator, "new.tif");
    new.template = Some(TemplateId::new(seed::TEMPLATE));
    let job = imported(&client, &new).await.unwrap();
    assert_eq!(client.follow_job(&job, PATIENCE).await.unwrap().state, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_makes_no_second_asset() {
    for (ours, method, path) in [
        (ours(), "POST", "/assets$"),
        (staged(), "PUT", "/jobs/imports"),
        (staged(), "POST", "/renditions"),
        (staged(), "POST", "/jobs/imports"),
    ] {
        for action in [Action::DropAfterEffect, Action::StatusAfterEffect { status: 504 }, Action::HtmlOk] {
            let (simulator, client) = site_with(simulator::Settings::default(), ours.clone());
            simulator.faults().add(Rule::next(action.clone()).on(method, path)).unwrap();
            let new = new(&simulator, "new.tif");
            let mut ledger = ImportLedger::default();
            let first = to_the_end(&client, &new, &mut ledger).await;
            if let Err(error) = first {
                let is_unknown = error.class() == FailureClass::UnknownOutcome;
                assert_eq!(is_unknown, ledger.may_have_arrived(), "{error:?}");
                if is_unknown {
                    assert_eq!(error.code(), "otmm.may-have-arrived");
                    let found = client.find_made(&field(seed::CORRELATION), "key-1").await.unwrap();
                    if found.is_empty() {
                        ledger = ImportLedger::default();
                        to_the_end(&client, &new, &mut ledger).await.unwrap();
                    }
                } else {
                    to_the_end(&client, &new, &mut ledger).await.unwrap();
                }
            }
            tokio::time::sleep(Duration::from_secs(60)).await;
            let made = client.find_made(&field(seed::CORRELATION), "key-1").await.unwrap();
            assert_eq!(made.len(), 1, "{method} {path} {action:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_forgotten_before_its_content_was_imported_is_said() {
    let mut settings = simulator::Settings::default();
    settings.imports.abandoned_seconds = 60;
    let (simulator, client) = site_with(settings, staged());
    let new = new(&simulator, "new.tif");
    let mut ledger = ImportLedger::default();
    while !ledger.may_have_arrived() {
        client.import_step(&new, &mut ledger).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(120)).await;
    let error = client.import_step(&new, &mut ledger).await.unwrap_err();
    assert!(!matches!(error.class(), FailureClass::UnknownOutcome), "{error:?}");
    to_the_end(&client, &new, &mut ledger).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_is_asked_for_before_content_is_sent() {
    let (simulator, client) = site(simulator::Settings::default());
    client.login().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1801)).await;
    imported(&client, &new(&simulator, "new.tif")).await.unwrap();
    let refused = simulator
        .journal()
        .entries()
        .iter()
        .filter(|entry| entry.status == 401)
        .map(|entry| entry.method.clone())
        .collect::<Vec<_>>();
    assert_eq!(refused, ["GET"], "the content was sent once, into a session that was there");
    assert_eq!(calls(&simulator, "POST", "/assets"), 1);
}

fn check_ins() -> Vec<Settings> {
    let mut all = Vec::new();
    for order in [CheckOutOrder::CheckOutFirst, CheckOutOrder::LockFirst] {
        for job in [CheckInJob::Imports, CheckInJob::Checkins] {
            let mut ours = ours();
            ours.imports.check_out_order = order;
            ours.imports.check_in_job = job;
            all.push(ours);
        }
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_new_version_has_a_new_id_the_old_ones_description_and_lets_go_of_the_asset() {
    for ours in check_ins() {
        for needs_lock in [true, false] {
            let mut settings = simulator::Settings::default();
            settings.imports.check_in_needs_lock = needs_lock;
            let (simulator, client) = site_with(settings, ours.clone());
            let old = asset(&simulator, &client, "spring-brief.pdf").await;
            let new = CheckIn { asset: old.id.clone(), upload: upload("spring-brief.pdf") };
            let mut ledger = CheckInLedger::default();
            let job = loop {
                let step = client.check_in_step(&new, &mut ledger).await.unwrap();
                ledger = serde_json::from_str(&serde_json::to_string(&ledger).unwrap()).unwrap();
                if let ImportStep::Done(job) = step {
                    break job;
                }
            };
            let ended = client.follow_job(&job, PATIENCE).await.unwrap();
            assert_eq!(ended.state, JobState::Done, "{:?}", ended.message);
            let latest = asset(&simulator, &client, "spring-brief.pdf").await;
            assert_eq!((latest.version, &latest.original_id), (old.version + 1, &old.original_id));
            assert_ne!(latest.id, old.id);
            let status = |asset: &shared::otmm::Asset| {
                asset.metadata.as_ref().unwrap().text(&field(seed::STATUS)).map(str::to_owned)
            };
            assert_eq!(status(&latest), status(&old));
            assert_eq!((latest.is_checked_out, latest.is_locked), (false, false));
            // What it followed is no place for another.
            let error = client.check_in_step(&new, &mut CheckInLedger::default()).await.unwrap_err();
            assert_eq!(error.code(), "otmm.old-version");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_in_that_is_given_up_leaves_the_asset_to_others() {
    let (simulator, client) = site(simulator::Settings::default());
    let editor = crate::world::client_as(&simulator, seed::EDITOR);
    let brief = seeded(&simulator, "spring-brief.pdf");
    let new = CheckIn { asset: brief.clone(), upload: upload("spring-brief.pdf") };
    let mut ledger = CheckInLedger::default();
    client.check_in_step(&new, &mut ledger).await.unwrap();
    assert!(ledger.is_checked_out());
    let error = editor.check_in_step(&new, &mut CheckInLedger::default()).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Conflict, "otmm.locked"));
    client.abandon_check_in(&brief, &mut ledger).await.unwrap();
    editor.check_in_step(&new, &mut CheckInLedger::default()).await.unwrap();
}
