//! Content coming in: one-shot, staged, as a new version; and jobs that end late, badly, or never.

use serde_json::{Value, json};

use super::{Answer, Caller, caller, edit, seeded, selection, simulator, text, wait};
use crate::otmm::settings::JobShape;
use crate::otmm::{Settings, Simulator, seed};

fn representation(policy: i64, field: &str) -> String {
    json!({"asset_resource": {"asset": {
        "metadata": {"metadata_element_list": [{"id": field, "value": text("c-1")}]},
        "metadata_model_id": seed::MODEL, "security_policy_list": [{"id": policy}],
    }}})
    .to_string()
}

fn manifest(name: &str, replaces: Option<&str>) -> String {
    let mut file = json!({"file": {"file_name": name, "file_type": "image/tiff"}});
    if let Some(id) = replaces {
        file["uoi_id"] = id.into();
    }
    json!({"upload_manifest": {"master_files": [file]}}).to_string()
}

/// A file and its description in one request.
async fn import(caller: &Caller<'_>, name: &str, described: &str) -> Answer {
    let folder = seeded(caller.simulator, "Products");
    let parts: [(&str, Option<&str>, &str, &[u8]); 5] = [
        ("asset_representation", Some("blob"), "application/json", described.as_bytes()),
        ("manifest", None, "application/json", &manifest(name, None).into_bytes()),
        ("parent_folder_id", None, "text/plain", folder.as_bytes()),
        ("no_content", None, "text/plain", b"false"),
        ("files", Some(name), "application/octet-stream", b"II*\0 a picture"),
    ];
    caller.parts("POST", "assets", &parts).await
}

fn job_of(answer: &Answer) -> String {
    let json = answer.json();
    json["job_handle"]["job_id"].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
}

fn of_job(simulator: &Simulator, job: &str) -> Vec<String> {
    let number: u64 = job.parse().unwrap();
    simulator.with_state(|state| {
        let made = state.assets.values().filter(|asset| asset.import_job == Some(number));
        made.map(|asset| asset.id.clone()).collect()
    })
}

#[tokio::test]
async fn otmm_imports_run_as_jobs_that_lock_what_they_make_until_they_end() {
    for (at_once, status) in [(true, 200), (false, 202)] {
        let mut settings = Settings::default();
        settings.imports.visible_at_once = at_once;
        settings.jobs.accepted_status = status;
        settings.jobs.seconds = 30;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        let answer = import(&caller, "größe.tif", &representation(1, seed::CORRELATION)).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.json().get("asset_resource").is_none(), "nobody is told the new id here");
        let job = job_of(&answer);
        let id = of_job(&simulator, &job).remove(0);
        let running = caller.get(&format!("jobs/{job}")).await.json()["job_resource"]["job"].clone();
        assert_eq!((&running["status"], running.get("asset_ids")), (&json!("RUNNING"), None));
        assert_eq!(caller.get(&format!("assets/{id}")).await.status, if at_once { 200 } else { 404 });
        let path = format!("assets/{id}?lock_strategy=optimistic");
        let early = caller.json("PATCH", &path, &edit(seed::ARCHIVE_ID, text("a"))).await;
        assert_ne!(early.status, 200, "the job has it");
        wait(&simulator, 30);
        let done = caller.get(&format!("jobs/{job}")).await.json()["job_resource"]["job"].clone();
        assert_eq!((&done["status"], &done["asset_ids"]), (&json!("COMPLETED"), &json!([id])));
        let asset = caller.asset(&id).await;
        assert_eq!((&asset["name"], &asset["locked"]), (&json!("größe.tif"), &json!(false)));
        assert_eq!(asset["import_job_id"].as_u64(), job.parse().ok());
        assert_eq!(asset["content_type"], "BITMAP");
        assert_eq!(caller.json("PATCH", &path, &edit(seed::ARCHIVE_ID, text("a"))).await.status, 200);
    }
}

#[tokio::test]
async fn otmm_ids_that_the_site_does_not_have_fail_the_call_or_only_the_job() {
    for by_job in [true, false] {
        let mut settings = Settings::default();
        settings.imports.checked_by_job = by_job;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        for described in [representation(99, seed::CORRELATION), representation(1, "CUSTOM.FIELD.CORELATION")]
        {
            let answer = import(&caller, "a.tif", &described).await;
            assert_eq!(answer.status, if by_job { 200 } else { 500 });
            if by_job {
                let job = job_of(&answer);
                wait(&simulator, 10);
                let failed = caller.get(&format!("jobs/{job}")).await.json()["job_resource"]["job"].clone();
                assert_eq!(failed["status"], "FAILED");
                assert!(
                    failed["error_message"].as_str().unwrap().contains("There is no security policy")
                        || failed["error_message"].as_str().unwrap().contains("is not in the metadata model")
                );
                assert!(of_job(&simulator, &job).is_empty());
            }
        }
    }
}

#[tokio::test]
async fn otmm_restricted_extensions_and_large_requests_are_refused_at_the_door() {
    let mut settings = Settings::default();
    settings.imports.restricted_extensions = vec!["tif".to_owned()];
    settings.imports.largest_bytes = Some(14);
    let simulator = simulator(settings);
    let caller = caller(&simulator);
    let refused = import(&caller, "a.TIF", &representation(1, seed::CORRELATION)).await;
    assert_eq!((refused.status, refused.json()["exception_body"]["error_code"].as_i64()), (500, Some(1000)));
    assert!(refused.sentence().contains("restricted"));
    assert_eq!(import(&caller, "a.tiff", &representation(1, seed::CORRELATION)).await.status, 200);
    simulator.with_state(|state| state.settings.imports.largest_bytes = Some(13));
    let large = import(&caller, "a.tiff", &representation(1, seed::CORRELATION)).await;
    assert_eq!(large.status, 413);
    assert!(large.text().starts_with("<!DOCTYPE html>"));
}

/// A job with a file in it; gives its number.
async fn staged(caller: &Caller<'_>, way: &str, name: &str) -> String {
    let job = job_of(&caller.form("POST", &format!("jobs/{way}"), &[("file_name", "{}")]).await);
    let parts: [(&str, Option<&str>, &str, &[u8]); 3] = [
        ("import_job_id", None, "text/plain", job.as_bytes()),
        ("file_name", None, "text/plain", name.as_bytes()),
        ("file", Some(name), "image/tiff", b"II*\0 another"),
    ];
    assert_eq!(caller.parts("POST", "renditions", &parts).await.status, 200);
    job
}

async fn start(caller: &Caller<'_>, way: &str, job: &str, more: &[(&str, &str)]) -> Answer {
    let mut parts: Vec<(&str, Option<&str>, &str, &[u8])> =
        vec![("import_job_id", None, "text/plain", job.as_bytes())];
    parts.extend(more.iter().map(|(name, value)| (*name, None, "text/plain", value.as_bytes())));
    caller.parts("PUT", &format!("jobs/{way}/{job}"), &parts).await
}

#[tokio::test]
async fn otmm_staged_imports_wait_for_their_files_and_are_forgotten_when_nobody_starts_them() {
    let mut settings = Settings::default();
    settings.imports.abandoned_seconds = 100;
    let simulator = simulator(settings);
    let caller = caller(&simulator);
    let (described, folder) = (representation(1, seed::CORRELATION), seeded(&simulator, "Products"));
    let job = staged(&caller, "imports", "b.tif").await;
    let more = [("asset_representation", described.as_str()), ("parent_folder_id", folder.as_str())];
    let wrong = manifest("other.tif", None);
    let refused = start(&caller, "imports", &job, &[more[0], more[1], ("manifest", &wrong)]).await;
    assert!(refused.sentence().contains("did not come"));
    let right = manifest("b.tif", None);
    let started = start(&caller, "imports", &job, &[more[0], more[1], ("manifest", &right)]).await;
    assert_eq!(job_of(&started), job);
    assert_eq!(
        start(&caller, "imports", &job, &[more[0], more[1], ("manifest", &right)]).await.status,
        500,
        "once"
    );
    let left = staged(&caller, "imports", "c.tif").await;
    assert_eq!(caller.get(&format!("jobs/{left}")).await.json()["job_resource"]["job"]["status"], "WAITING");
    wait(&simulator, 101);
    assert_eq!(caller.get(&format!("jobs/{left}")).await.status, 404);
    assert_eq!(of_job(&simulator, &job).len(), 1);
    let templated = staged(&caller, "imports", "d.tif").await;
    let named = manifest("d.tif", None);
    let more = [("import_template_id", seed::TEMPLATE), ("manifest", named.as_str())];
    assert_eq!(start(&caller, "imports", &templated, &more).await.status, 200);
    wait(&simulator, 10);
    let id = of_job(&simulator, &templated).remove(0);
    assert_eq!(caller.asset(&id).await["security_policy_list"][0]["id"], 1);
}

#[tokio::test]
async fn otmm_check_ins_make_a_version_with_an_id_of_its_own_and_end_the_check_out() {
    for needs_lock in [false, true] {
        let mut settings = Settings::default();
        settings.imports.check_in_needs_lock = needs_lock;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        let old = seeded(&simulator, "spring-poster.tif");
        let named = manifest("spring-poster.tif", Some(&old));
        let job = staged(&caller, "checkins", "spring-poster.tif").await;
        assert_eq!(
            start(&caller, "checkins", &job, &[("manifest", &named)]).await.status,
            500,
            "not checked out"
        );
        assert_eq!(caller.act(&old, "check_out").await.status, 200);
        let early = start(&caller, "checkins", &job, &[("manifest", &named)]).await.status;
        assert_eq!(early, if needs_lock { 500 } else { 200 });
        if needs_lock {
            assert_eq!(caller.act(&old, "lock").await.status, 200);
            assert_eq!(start(&caller, "checkins", &job, &[("manifest", &named)]).await.status, 200);
        }
        wait(&simulator, 10);
        let (new, before) = (seeded(&simulator, "spring-poster.tif"), caller.asset(&old).await);
        let after = caller.asset(&new).await;
        assert_ne!(new, old);
        assert_eq!(after["original_asset_id"], before["original_asset_id"]);
        assert_eq!((&after["version"], &after["latest_version"]), (&json!(3), &json!(true)));
        assert_eq!((&before["latest_version"], &before["checked_out"]), (&json!(false), &json!(false)));
        assert_eq!(after["metadata"], before["metadata"], "inherited");
        assert_eq!(caller.get(&format!("assets/{new}/contents")).await.bytes, "II*\0 another");
    }
}

#[tokio::test]
async fn otmm_jobs_may_fail_or_never_end() {
    let mut settings = Settings::default();
    settings.jobs.fail_with = Some("The transcoder is out of order".to_owned());
    let simulator = simulator(settings);
    let caller = caller(&simulator);
    let job = job_of(&import(&caller, "a.tif", &representation(1, seed::CORRELATION)).await);
    assert_eq!(of_job(&simulator, &job).len(), 1);
    let old = seeded(&simulator, "spring-poster.tif");
    caller.act(&old, "check_out").await;
    let check_in = staged(&caller, "imports", "p.tif").await;
    let named = manifest("p.tif", Some(&old));
    assert_eq!(start(&caller, "checkins", &check_in, &[("manifest", &named)]).await.status, 200);
    wait(&simulator, 10);
    let failed = caller.get(&format!("jobs/{job}")).await.json()["job_resource"]["job"].clone();
    assert_eq!(failed["error_message"], "The transcoder is out of order");
    assert!(of_job(&simulator, &job).is_empty());
    let asset = caller.asset(&old).await;
    assert_eq!(
        (&asset["checked_out"], &asset["locked"], &asset["latest_version"]),
        (&json!(true), &json!(false), &json!(true))
    );

    let mut settings = Settings::default();
    settings.jobs.never_end = true;
    let simulator = self::simulator(settings);
    let caller = super::caller(&simulator);
    let job = job_of(&import(&caller, "a.tif", &representation(1, seed::CORRELATION)).await);
    wait(&simulator, 1000);
    assert_eq!(caller.get(&format!("jobs/{job}")).await.json()["job_resource"]["job"]["status"], "RUNNING");
    simulator.with_state(|state| state.end_job(job.parse().unwrap(), Ok(())));
    assert_eq!(caller.get(&format!("jobs/{job}")).await.json()["job_resource"]["job"]["status"], "COMPLETED");
}

#[tokio::test]
async fn otmm_jobs_are_told_in_words_and_places_of_the_site() {
    let mut settings = Settings::default();
    settings.jobs.status_member = "state".to_owned();
    settings.jobs.waiting = "new".to_owned();
    settings.jobs.running = "active".to_owned();
    settings.jobs.done = "finished".to_owned();
    settings.jobs.failed = "aborted".to_owned();
    settings.jobs.tells_assets = false;
    for shape in [JobShape::Resource, JobShape::Handle, JobShape::Bare] {
        settings.jobs.shape = shape;
        let simulator = simulator(settings.clone());
        let caller = caller(&simulator);
        let told = async |job: &str| -> Value {
            let json = caller.get(&format!("jobs/{job}")).await.json();
            let inner = match shape {
                JobShape::Resource => &json["job_resource"]["job"],
                JobShape::Handle => &json["job_handle"],
                JobShape::Bare => &json,
            };
            assert!(inner.get("asset_ids").is_none());
            inner["state"].clone()
        };
        assert_eq!(told(&staged(&caller, "imports", "a.tif").await).await, "new");
        let good = job_of(&import(&caller, "a.tif", &representation(1, seed::CORRELATION)).await);
        let bad = job_of(&import(&caller, "a.tif", &representation(99, seed::CORRELATION)).await);
        assert_eq!(told(&good).await, "active");
        wait(&simulator, 10);
        assert_eq!((told(&good).await, told(&bad).await), (json!("finished"), json!("aborted")));
    }
}

#[tokio::test]
async fn otmm_pictures_of_an_asset_are_thumbnails_or_previews_and_nothing_else() {
    let simulator = simulator(Settings::default());
    let caller = caller(&simulator);
    let id = seeded(&simulator, "spring-brief.pdf");
    let send = async |kind: &str, name: &str, media: &str| {
        let parts: [(&str, Option<&str>, &str, &[u8]); 2] = [
            ("rendition_type", None, "text/plain", kind.as_bytes()),
            ("file", Some(name), media, b"picture"),
        ];
        caller.parts("POST", &format!("assets/{id}/contents"), &parts).await.status
    };
    assert_eq!(send("preview", "p.jpg", "image/jpeg").await, 200);
    assert_eq!(send("archive", "p.jpg", "image/jpeg").await, 500);
    assert_eq!(send("preview", "p", "image/jpeg").await, 500, "no extension");
    wait(&simulator, 10);
    assert_eq!(caller.get(&format!("assets/{id}/contents?rendition_type=preview")).await.bytes, "picture");
}

#[tokio::test]
async fn otmm_exports_count_what_can_leave_and_refuse_when_nothing_can() {
    for (json_request, tells_job) in [(false, true), (true, false)] {
        let mut settings = Settings::default();
        settings.exports.json_request = json_request;
        settings.exports.tells_job = tells_job;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        let (brief, folder) = (seeded(&simulator, "spring-brief.pdf"), seeded(&simulator, "Products"));
        let send = async |ids: &[&str]| {
            let context = selection(ids);
            match json_request {
                false => caller.form("POST", "jobs/exports", &[("selection_context", &context)]).await,
                true => {
                    let context: Value = serde_json::from_str(&context).unwrap();
                    let context = &context["selection_context_param"]["selection_context"];
                    let body = json!({"export_request_param": {"export_request": {"context": context}}});
                    caller.json("POST", "jobs/exports", &body).await
                }
            }
        };
        let handle = send(&[&brief, &folder]).await.json()["export_job_handle"].clone();
        assert_eq!(handle["export_response"], json!({"exportable_count": 1, "unexportable_count": 1}));
        assert_eq!(handle.get("job_id").is_some(), tells_job);
        let refused = send(&[&folder]).await;
        assert_eq!(
            (refused.status, refused.sentence().as_str()),
            (500, "None of the assets can be exported")
        );
    }
}
