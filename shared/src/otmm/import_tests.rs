use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::json;

use super::{
    Asset, AssetId, CheckIn, CheckInLedger, Checksum, FieldId, ImportLedger, ImportStep, JobId,
    MetadataChange, ModelId, NewAsset, PolicyId, Settings, Upload,
    testing::{Answer, BASE, Canned, answer, bytes, lost, nothing, page, refusal},
};
use crate::{error::FailureClass, http::Replayable};

fn upload() -> Upload {
    Upload {
        content: Replayable::from_bytes("hello"),
        file_name: "größe.tif".to_owned(),
        content_type: "image/tiff".to_owned(),
    }
}

fn new() -> NewAsset {
    NewAsset {
        upload: upload(),
        folder: AssetId::new("f1"),
        model: Some(ModelId::new("M")),
        metadata: MetadataChange::new().text(&FieldId::new("CUST.FIELD.NOTE"), "note"),
        policies: vec![PolicyId::new("2")],
        template: None,
        correlation: Some("k-1".to_owned()),
    }
}

fn settings(one_call_bytes: u64) -> Settings {
    let mut settings = Settings::at(BASE);
    settings.imports.one_call_bytes = one_call_bytes;
    settings.ids.correlation = FieldId::new("CUST.FIELD.KEY");
    settings
}

fn job(id: &str) -> Answer {
    answer(202, json!({"job_handle": {"job_id": id}}))
}

/// The parts of a form: name, and what stands in it.
fn parts(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let boundary = text.lines().next().unwrap().to_owned();
    let part = |part: &str| {
        let (head, value) = part.split_once("\r\n\r\n")?;
        let name = head.split("name=\"").nth(1)?.split('"').next()?;
        Some((name.to_owned(), value.trim_end_matches("\r\n").to_owned()))
    };
    text.split(boundary.as_str()).filter_map(part).collect()
}

/// Takes every step; each may be another process.
async fn to_the_end(
    canned: &Canned,
    settings: Settings,
    ledger: &mut ImportLedger,
) -> crate::error::Result<JobId> {
    let client = canned.client_with(settings);
    loop {
        let step = client.import_step(&new(), ledger).await;
        *ledger = serde_json::from_str(&serde_json::to_string(ledger).unwrap()).unwrap();
        if let ImportStep::Done(job) = step? {
            return Ok(job);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn small_content_goes_in_one_call_with_its_description() {
    let canned = Canned::new([job("4711")]);
    let mut ledger = ImportLedger::default();
    assert_eq!(to_the_end(&canned, settings(100), &mut ledger).await.unwrap(), JobId::new("4711"));
    let asked = canned.asked().remove(0);
    assert_eq!(asked.line(), "POST assets");
    let parts = parts(&asked.body);
    let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["asset_representation", "manifest", "parent_folder_id", "no_content", "files"]);
    let json = |index: usize| serde_json::from_str::<serde_json::Value>(&parts[index].1).unwrap();
    let field = |id: &str, value: &str| json!({"id": id, "type": "com.artesia.metadata.MetadataField", "value": {"value": {"type": "string", "value": value}}});
    assert_eq!(
        json(0),
        json!({"asset_resource": {"asset": {
            "metadata": {"metadata_element_list": [field("CUST.FIELD.KEY", "k-1"), field("CUST.FIELD.NOTE", "note")]},
            "metadata_model_id": "M", "security_policy_list": [{"id": 2}],
        }}})
    );
    assert_eq!(
        json(1),
        json!({"upload_manifest": {"master_files": [{"file": {"file_name": "größe.tif", "file_type": "image/tiff"}}]}})
    );
    assert_eq!((parts[2].1.as_str(), parts[4].1.as_str()), ("f1", "hello"));
}

#[tokio::test(start_paused = true)]
async fn large_content_is_staged_then_imported_and_each_step_may_be_another_process() {
    let canned = Canned::new([job("7"), nothing(200), job("7")]);
    let mut ledger = ImportLedger::default();
    to_the_end(&canned, settings(0), &mut ledger).await.unwrap();
    assert_eq!(canned.lines(), ["POST jobs/imports", "POST renditions", "PUT jobs/imports/7"]);
    let asked = canned.asked();
    let staged = parts(&asked[1].body);
    let staged: Vec<(&str, &str)> =
        staged.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(staged, [("import_job_id", "7"), ("file_name", "größe.tif"), ("file", "hello")]);
    let names: Vec<String> = parts(&asked[2].body).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["asset_representation", "manifest", "parent_folder_id", "no_content", "import_job_id", "file_name"]
    );
    // A ledger that is done sends nothing more.
    to_the_end(&canned, settings(0), &mut ledger).await.unwrap();
    assert_eq!(canned.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_arrived_is_not_sent_again_and_what_cannot_have_is() {
    for (answers, one_call) in [(vec![lost()], 100), (vec![job("7"), nothing(200), page(502)], 0)] {
        let canned = Canned::new(answers);
        let mut ledger = ImportLedger::default();
        let error = to_the_end(&canned, settings(one_call), &mut ledger).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::UnknownOutcome, "otmm.may-have-arrived"));
        assert!(ledger.may_have_arrived());
        let sent = canned.asked().len();
        let error = to_the_end(&canned, settings(one_call), &mut ledger).await.unwrap_err();
        assert_eq!((error.code(), canned.asked().len()), ("otmm.may-have-arrived", sent));
    }
    // A lost answer to a staging leaves a job behind that does nothing: another is begun.
    let canned = Canned::new([job("7"), lost(), job("8"), nothing(200), job("8")]);
    let mut ledger = ImportLedger::default();
    let error = to_the_end(&canned, settings(0), &mut ledger).await.unwrap_err();
    assert_eq!((error.class(), ledger.may_have_arrived()), (FailureClass::Transient, false));
    assert_eq!(to_the_end(&canned, settings(0), &mut ledger).await.unwrap(), JobId::new("8"));
}

#[tokio::test(start_paused = true)]
async fn a_kind_of_file_that_the_site_refuses_is_said_and_may_be_tried_again_later() {
    let canned = Canned::new([refusal(500, "The file extension 'tif' is restricted"), job("9")]);
    let mut ledger = ImportLedger::default();
    let error = to_the_end(&canned, settings(100), &mut ledger).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "otmm.restricted-extension"));
    assert!(!ledger.may_have_arrived());
    to_the_end(&canned, settings(100), &mut ledger).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_version_is_checked_out_sent_and_checked_in_naming_what_it_follows() {
    let state = answer(200, json!({"asset_resource": {"asset": {"asset_id": "a1", "latest_version": true}}}));
    let canned = Canned::new([state, nothing(200), nothing(200), job("7"), nothing(200), job("7")]);
    let client = canned.client_with(settings(0));
    let (new, mut ledger) =
        (CheckIn { asset: AssetId::new("a1"), upload: upload() }, CheckInLedger::default());
    while client.check_in_step(&new, &mut ledger).await.unwrap() == ImportStep::Going {}
    assert_eq!(
        canned.lines(),
        [
            "GET assets/a1",
            "PUT assets/a1/state",
            "PUT assets/a1/state",
            "POST jobs/imports",
            "POST renditions",
            "PUT jobs/checkins/7"
        ]
    );
    let asked = canned.asked();
    let actions: Vec<bool> = [(1, "action=check_out"), (2, "action=lock")]
        .map(|(at, action)| asked[at].body.starts_with(action.as_bytes()))
        .into();
    assert_eq!(actions, [true, true]);
    let parts = parts(&asked[5].body);
    let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["import_job_id", "file_name", "manifest"],
        "nothing that describes it: that is inherited"
    );
    let manifest: serde_json::Value = serde_json::from_str(&parts[2].1).unwrap();
    assert_eq!(manifest["upload_manifest"]["master_files"][0]["uoi_id"], "a1");
}

#[tokio::test(start_paused = true)]
async fn an_old_version_and_one_that_somebody_has_checked_out_are_left_alone() {
    for (members, code) in [
        (json!({"asset_id": "a1", "latest_version": false}), "otmm.old-version"),
        (json!({"asset_id": "a1", "checked_out": true, "content_lock_state_user_id": "9"}), "otmm.locked"),
    ] {
        let canned = Canned::new([answer(200, json!({"asset_resource": {"asset": members}}))]);
        let new = CheckIn { asset: AssetId::new("a1"), upload: upload() };
        let error = canned.client().check_in_step(&new, &mut CheckInLedger::default()).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Conflict, code));
    }
}

fn master(content: &[u8], checksum: &str) -> Asset {
    Asset::read(&json!({
        "asset_id": "a1", "content_size": content.len(), "mime_type": "video/quicktime",
        "master_content_info": {"id": "c1", "content_checksum": checksum},
    }))
    .unwrap()
}

async fn read(canned: &Canned, asset: &Asset, checksum: Checksum) -> Result<Bytes, String> {
    let client = canned.client_with(Settings { checksum, ..Settings::at(BASE) });
    let download = client.download(asset).await.map_err(|error| error.to_string())?;
    let body = download.body.collect().await.map_err(|error| error.to_string())?;
    Ok(body.to_bytes())
}

const HELLO_MD5: &str = "5d41402abc4b2a76b9719d911017c592";

#[tokio::test(start_paused = true)]
async fn a_download_that_breaks_off_goes_on_where_ranges_are_known_and_where_they_are_not() {
    let asset = master(b"hello", HELLO_MD5);
    let rest = bytes(206, b"llo").header("content-range", "bytes 2-4/5");
    for again in [rest, bytes(200, b"hello")] {
        let canned = Canned::new([bytes(200, b"hello").cut_after(2), again]);
        assert_eq!(read(&canned, &asset, Checksum::Fail).await.unwrap(), "hello");
        let asked = canned.asked();
        assert_eq!(asked[0].line(), "GET assets/a1/contents?disposition=attachment");
        assert_eq!((asked[0].header("range"), asked[1].header("range")), ("", "bytes=2-4"));
    }
    // Never a shorter file.
    let canned = Canned::new((0..6).map(|_| bytes(200, b"hello").cut_after(0)));
    assert!(read(&canned, &asset, Checksum::Fail).await.unwrap_err().contains("otmm.content-cut"));
}

#[tokio::test(start_paused = true)]
async fn other_bytes_are_never_taken_for_the_master() {
    let asset = master(b"hello", HELLO_MD5);
    let cases: Vec<(Vec<Answer>, &str)> = vec![
        (vec![bytes(200, b"hell")], "otmm.content-changed"),
        (vec![bytes(200, b"jello")], "otmm.checksum-mismatch"),
        (
            vec![
                bytes(200, b"hello").cut_after(2),
                bytes(206, b"xxx").header("content-range", "bytes 1-3/5"),
            ],
            "otmm.content-changed",
        ),
        (vec![bytes(200, b"hello").cut_after(2), nothing(416)], "otmm.content-changed"),
        (vec![page(200), page(200)], "otmm.not-json"),
        (vec![refusal(500, "The content is larger than MAX_CONTENT_VIEW_SIZE")], "otmm.too-large"),
    ];
    for (answers, code) in cases {
        let error = read(&Canned::new(answers), &asset, Checksum::Fail).await.unwrap_err();
        assert!(error.contains(code), "{code}: {error}");
    }
    // Until the site has confirmed the algorithm, a checksum is only told of.
    assert_eq!(read(&Canned::new([bytes(200, b"jello")]), &asset, Checksum::Warn).await.unwrap(), "jello");
    let folder = Asset::read(&json!({"asset_id": "f", "container_type_id": "F", "content_size": 5})).unwrap();
    assert!(read(&Canned::new([]), &folder, Checksum::Warn).await.unwrap_err().contains("otmm.no-content"));
}
