//! Formats, file sets: the archive, the bin, exports, what is made of files.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::media::{bare, done, file, seeded, text};
use super::{call, simulator};
use crate::content::Blob;
use crate::iconik::seed::media as seed;
use crate::iconik::settings::{Jobs, Media};
use crate::iconik::state::media::Kind;
use crate::iconik::{Settings, Simulator};

async fn job(simulator: &Simulator, answer: &Value) -> Value {
    done(simulator, 200, "GET", &format!("jobs/v1/jobs/{}/", text(answer, "job_id")), None).await
}

async fn format(simulator: &Simulator, asset: &str) -> Value {
    done(simulator, 200, "GET", &format!("files/v1/assets/{asset}/formats/ORIGINAL/"), None).await
}

/// How many objects a storage holds.
fn held(simulator: &Simulator, storage: &str) -> usize {
    simulator.with_state(|state| state.media.buckets.of(storage).count())
}

#[tokio::test]
async fn a_format_is_found_by_id_and_by_the_name_in_the_current_version_of() {
    let simulator = simulator(Settings::default());
    let asset = seeded(&simulator, seed::MASTER);
    let found = format(&simulator, &asset).await;
    let newest = simulator.with_state(|state| state.current_version_of(&asset));
    assert_eq!(found["version_id"].as_str(), newest.as_deref());
    assert_eq!(found["components"].as_array().unwrap().len(), 3);
    assert_eq!((&found["is_online"], &found["storage_methods"]), (&json!(true), &json!(["S3"])));
    let path = format!("files/v1/assets/{asset}/formats");
    let by_id = done(&simulator, 200, "GET", &format!("{path}/{}/", text(&found, "id")), None).await;
    assert_eq!(by_id, found);
    assert_eq!(call(&simulator, "GET", &format!("{path}/PPRO_PROXY/"), None).await.0, 404);
    let listed = done(&simulator, 200, "GET", &format!("{path}/"), None).await;
    assert_eq!(listed["objects"].as_array().unwrap().len(), 2);
    let all = done(&simulator, 200, "GET", &format!("{path}/?include_all_versions=true"), None).await;
    let versions =
        simulator.with_state(|state| state.assets.get(&asset).unwrap()["versions"].as_array().unwrap().len());
    assert_eq!(all["objects"].as_array().unwrap().len(), 2 * versions);
    // Adding a component answers 200, and no other creation does.
    let component = json!({"name": "subtitles", "type": "TEXT"});
    let made = done(&simulator, 200, "POST", &format!("{path}/ORIGINAL/components"), component).await;
    assert_eq!(made["metadata"], json!({}));
    let wrong = json!({"name": "x", "type": "SMELL"});
    assert_eq!(call(&simulator, "POST", &format!("{path}/ORIGINAL/components"), Some(wrong)).await.0, 400);
    let reference =
        json!({"external_references": [{"uri": "https://ecm.example.com/3104", "display_name": "ECM"}]});
    let changed = done(&simulator, 200, "PATCH", &format!("{path}/ORIGINAL/"), reference).await;
    assert_eq!(changed["external_references"][0]["display_name"], "ECM");
}

#[tokio::test]
async fn a_format_goes_to_the_archive_and_comes_back() {
    let jobs = Jobs { duration_seconds: 60, ..Jobs::default() };
    let simulator = simulator(Settings { jobs, ..Settings::default() });
    let asset = seeded(&simulator, seed::DAWN);
    let path = format!("files/v1/assets/{asset}/formats/ORIGINAL");
    let file = simulator.with_state(|state| {
        let found = state.media.files.objects().find(|file| file["asset_id"] == asset.as_str()).unwrap();
        found["id"].as_str().unwrap().to_owned()
    });
    let before =
        simulator.with_state(|state| state.stored(Kind::File, &file).unwrap().content.sha256.clone());
    let rushes = held(&simulator, seed::BACKBLAZE);
    let answer =
        done(&simulator, 202, "POST", &format!("{path}/archive/"), json!({"delete_original": true})).await;
    assert_eq!(job(&simulator, &answer).await["status"], "STARTED");
    assert_eq!(format(&simulator, &asset).await["archive_status"], "ARCHIVING");
    simulator.clock().advance(SignedDuration::from_secs(60));
    let ended = job(&simulator, &answer).await;
    assert_eq!(
        (&ended["status"], &ended["progress"], &ended["type"]),
        (&json!("FINISHED"), &json!(100), &json!("ARCHIVE"))
    );
    let shown = done(&simulator, 200, "GET", &format!("assets/v1/assets/{asset}/"), None).await;
    assert_eq!(
        (&shown["archive_status"], &shown["versions"][0]["archive_status"]),
        (&json!("ARCHIVED"), &json!("ARCHIVED"))
    );
    assert_eq!((held(&simulator, seed::BACKBLAZE), held(&simulator, seed::ARCHIVE)), (rushes - 1, 1));
    let download = format!("files/v1/assets/{asset}/files/{file}/download_url/");
    assert_eq!(call(&simulator, "GET", &download, None).await.0, 404, "an archived file has no address");
    assert_eq!(
        call(&simulator, "POST", &format!("{path}/archive/"), None).await.0,
        400,
        "it is archived already"
    );
    let answer = done(&simulator, 202, "POST", &format!("{path}/restore/"), json!({})).await;
    simulator.clock().advance(SignedDuration::from_secs(60));
    assert_eq!(job(&simulator, &answer).await["status"], "FINISHED");
    assert_eq!(format(&simulator, &asset).await["archive_status"], "NOT_ARCHIVED");
    let after = simulator.with_state(|state| state.stored(Kind::File, &file).unwrap().content.sha256.clone());
    assert_eq!(after, before);
    done(&simulator, 200, "GET", &download, None).await;
}

#[tokio::test]
async fn an_archive_job_fails_or_never_ends() {
    for (failing, stuck, state, status) in [
        (vec!["ARCHIVE".to_owned()], vec![], "FAILED_TO_ARCHIVE", "FAILED"),
        (vec![], vec!["ARCHIVE".to_owned()], "ARCHIVING", "STARTED"),
    ] {
        let jobs = Jobs { failing_types: failing, stuck_types: stuck, ..Jobs::default() };
        let simulator = simulator(Settings { jobs, ..Settings::default() });
        let asset = seeded(&simulator, seed::DAWN);
        let path = format!("files/v1/assets/{asset}/formats/ORIGINAL/archive/");
        let answer = done(&simulator, 202, "POST", &path, json!({})).await;
        simulator.clock().advance(SignedDuration::from_hours(100));
        assert_eq!(job(&simulator, &answer).await["status"], status);
        assert_eq!(format(&simulator, &asset).await["archive_status"], state);
    }
}

#[tokio::test]
async fn several_assets_are_archived_with_one_call() {
    let simulator = simulator(Settings::default());
    let (good, growing) = (seeded(&simulator, seed::DAWN), seeded(&simulator, seed::INTERVIEW));
    let body = json!({"object_ids": [good, growing], "object_type": "assets"});
    let answer = done(&simulator, 202, "POST", "files/v1/formats/ORIGINAL/archive/bulk/", body).await;
    let ended = job(&simulator, &answer).await;
    assert_eq!(ended["status"], "FINISHED_WITH_WARNING");
    assert!(ended["error_message"].as_str().unwrap().contains(&growing), "{ended}");
    assert_eq!(format(&simulator, &good).await["archive_status"], "ARCHIVED");
    let body = json!({"objects": [{"id": good, "formats": ["ORIGINAL"]}]});
    let answer = done(&simulator, 202, "POST", "files/v2/assets/bulk/restore/", body).await;
    assert_eq!(job(&simulator, &answer).await["status"], "FINISHED");
    assert_eq!(format(&simulator, &good).await["archive_status"], "NOT_ARCHIVED");
    let empty = json!({"object_ids": [], "object_type": "assets"});
    assert_eq!(call(&simulator, "POST", "files/v1/formats/ORIGINAL/archive/bulk/", Some(empty)).await.0, 400);
}

#[tokio::test]
async fn a_file_set_goes_through_the_bin_and_its_bytes_last() {
    for shows in [false, true] {
        let media = Media { lists_files_in_bin: shows, ..Media::default() };
        let simulator = simulator(Settings { media, ..Settings::default() });
        let asset = seeded(&simulator, seed::DAWN);
        let base = format!("files/v1/assets/{asset}");
        let set =
            done(&simulator, 200, "GET", &format!("{base}/file_sets/"), None).await["objects"][0].clone();
        let path = format!("{base}/file_sets/{}/", text(&set, "id"));
        let held_before = held(&simulator, seed::BACKBLAZE);
        let count = async || {
            done(&simulator, 200, "GET", &format!("{base}/files/"), None).await["objects"]
                .as_array()
                .unwrap()
                .len()
        };
        assert_eq!(done(&simulator, 200, "DELETE", &path, None).await["status"], "DELETED");
        assert_eq!(count().await, usize::from(shows));
        assert_eq!(format(&simulator, &asset).await["is_online"], false);
        let bin = done(&simulator, 200, "GET", "files/v1/delete_queue/file_sets/", None).await;
        assert_eq!(bin["objects"][0]["id"], set["id"]);
        done(&simulator, 204, "DELETE", "files/v1/delete_queue/file_sets/", json!({"ids": [set["id"]]}))
            .await;
        assert_eq!((count().await, &format(&simulator, &asset).await["is_online"]), (1, &json!(true)));
        done(&simulator, 200, "DELETE", &path, None).await;
        assert_eq!(done(&simulator, 200, "PUT", &format!("{path}restore/"), None).await["status"], "ACTIVE");
        assert_eq!(
            call(&simulator, "DELETE", &format!("{path}purge/"), None).await.0,
            400,
            "it is not deleted"
        );
        assert_eq!(held(&simulator, seed::BACKBLAZE), held_before);
        done(&simulator, 204, "DELETE", &format!("{path}?immediately=True"), None).await;
        assert_eq!(held(&simulator, seed::BACKBLAZE), held_before - 1);
        assert_eq!(call(&simulator, "GET", &path, None).await.0, 404);
    }
}

#[tokio::test]
async fn bytes_stay_that_are_to_be_kept() {
    let simulator = simulator(Settings::default());
    let (dawn, news) = (seeded(&simulator, seed::DAWN), seeded(&simulator, seed::NEWS));
    let before = (held(&simulator, seed::BACKBLAZE), held(&simulator, seed::STUDIO));
    for (asset, query) in [(&dawn, "&keep_source=True"), (&news, "")] {
        let sets = done(&simulator, 200, "GET", &format!("files/v1/assets/{asset}/file_sets/"), None).await;
        let path = format!(
            "files/v1/assets/{asset}/file_sets/{}/?immediately=true{query}",
            text(&sets["objects"][0], "id")
        );
        done(&simulator, 204, "DELETE", &path, None).await;
    }
    assert_eq!((held(&simulator, seed::BACKBLAZE), held(&simulator, seed::STUDIO)), before);
}

#[tokio::test]
async fn a_format_is_deleted_with_its_file_sets() {
    let simulator = simulator(Settings::default());
    let asset = seeded(&simulator, seed::DAWN);
    let path = format!("files/v1/assets/{asset}/formats/{}/", text(&format(&simulator, &asset).await, "id"));
    assert_eq!(done(&simulator, 200, "DELETE", &path, None).await["status"], "DELETED");
    assert_eq!(
        call(&simulator, "GET", &format!("files/v1/assets/{asset}/formats/ORIGINAL/"), None).await.0,
        404
    );
    // PUT brings back from the bin; POST on the same path brings back from the archive.
    assert_eq!(call(&simulator, "POST", &format!("{path}restore/"), None).await.0, 400);
    assert_eq!(done(&simulator, 200, "PUT", &format!("{path}restore/"), None).await["is_online"], true);
    done(&simulator, 200, "DELETE", &path, None).await;
    done(&simulator, 204, "POST", "files/v1/delete_queue/formats/purge/all/", None).await;
    let left = done(&simulator, 200, "GET", &format!("files/v1/assets/{asset}/files/"), None).await;
    assert_eq!(left["objects"], json!([]));
    // Taking only the entry of a file leaves its bytes.
    let (asset, made) = file(&simulator, seed::ORIGINALS, "x.mov").await;
    let id = text(&made, "id");
    simulator.with_state(|state| state.put_content(Kind::File, &id, Blob::of("content")));
    let before = held(&simulator, seed::ORIGINALS);
    done(&simulator, 204, "DELETE", &format!("files/v1/assets/{asset}/files/{id}/"), None).await;
    assert_eq!(held(&simulator, seed::ORIGINALS), before);
}

#[tokio::test]
async fn purging_an_asset_takes_its_media() {
    let simulator = simulator(Settings::default());
    let asset = seeded(&simulator, seed::MASTER);
    done(&simulator, 204, "DELETE", &format!("assets/v1/assets/{asset}/"), None).await;
    let before = held(&simulator, seed::ORIGINALS);
    done(&simulator, 204, "DELETE", &format!("assets/v1/assets/{asset}/purge/"), None).await;
    assert!(held(&simulator, seed::ORIGINALS) < before);
    simulator.with_state(|state| {
        let of_asset = |table: &crate::iconik::state::Table| {
            table.objects().any(|found| found["asset_id"] == asset.as_str())
        };
        let media = &state.media;
        for table in [
            &media.formats,
            &media.file_sets,
            &media.files,
            &media.proxies,
            &media.keyframes,
            &media.subtitles,
        ] {
            assert!(!of_asset(table));
        }
        assert!(state.values_of(("assets", &asset), "Campaign").is_empty());
    });
}

#[tokio::test]
async fn iconik_makes_previews_and_inspects_files() {
    for without_job in [false, true] {
        let media = Media { keyframes_without_job: without_job, ..Media::default() };
        let simulator = simulator(Settings { media, ..Settings::default() });
        let (asset, made) = file(&simulator, seed::ORIGINALS, "cut.mov").await;
        let path = format!("files/v1/assets/{asset}/files/{}", text(&made, "id"));
        let body = json!({"priority": 5});
        assert_eq!(
            call(&simulator, "POST", &format!("{path}/keyframes"), Some(body.clone())).await.0,
            400,
            "not closed"
        );
        assert_eq!(bare(&simulator, "PUT", &text(&made, "upload_url"), &[], "hello world").await.0, 200);
        done(&simulator, 200, "PATCH", &format!("{path}/"), json!({"status": "CLOSED"})).await;
        let (status, answer) =
            call(&simulator, "POST", &format!("{path}/keyframes"), Some(body.clone())).await;
        assert_eq!(
            (status.as_u16(), answer["job_id"].is_string()),
            if without_job { (204, false) } else { (200, true) }
        );
        let proxies = done(&simulator, 200, "GET", &format!("files/v1/assets/{asset}/proxies/"), None).await;
        let proxy = &proxies["objects"][0];
        assert_eq!((&proxy["status"], &proxy["resolution"]["height"]), (&json!("CLOSED"), &json!(720)));
        let (_, headers, bytes) = bare(&simulator, "GET", &text(proxy, "url"), &[], "").await;
        assert_eq!((&headers["content-type"], &bytes[4..8]), (&"video/mp4".parse().unwrap(), &b"ftyp"[..]));
        let keyframes =
            done(&simulator, 200, "GET", &format!("files/v1/assets/{asset}/keyframes/"), None).await;
        let kinds: Vec<&Value> =
            keyframes["objects"].as_array().unwrap().iter().map(|found| &found["type"]).collect();
        assert_eq!(kinds, ["KEYFRAME", "POSTER"]);
        done(&simulator, 200, "POST", &format!("{path}/mediainfo"), body).await;
        let components = done(
            &simulator,
            200,
            "GET",
            &format!("files/v1/assets/{asset}/formats/ORIGINAL/components/"),
            None,
        )
        .await;
        assert_eq!(components["objects"][0]["metadata"]["File size"], "11");
    }
}

#[tokio::test]
async fn subtitles_are_made_listed_and_read_as_web_text() {
    let simulator = simulator(Settings::default());
    let (asset, made) = file(&simulator, seed::ORIGINALS, "lines.de.srt").await;
    let base = format!("files/v1/assets/{asset}");
    let lines = "1\n00:00:01,000 --> 00:00:02,000\nGuten Morgen, Hafen\n";
    assert_eq!(bare(&simulator, "PUT", &text(&made, "upload_url"), &[], lines).await.0, 200);
    let from_file = format!("{base}/files/{}/subtitles/", text(&made, "id"));
    assert_eq!(done(&simulator, 200, "POST", &from_file, None).await["language"], "de");
    let captions = json!({"language": "de", "closed_captions": true, "format_id": made["format_id"], "content": "WEBVTT\n"});
    let captions = done(&simulator, 201, "POST", &format!("{base}/subtitles/"), captions).await;
    let (_, _, bytes) = {
        let path = format!("/API/{base}/subtitles/de/webvtt/");
        let headers = [("app-id", crate::iconik::seed::APP_ID), ("auth-token", crate::iconik::seed::TOKEN)];
        bare(&simulator, "GET", &path, &headers, "").await
    };
    assert_eq!(bytes, "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\nGuten Morgen, Hafen\n");
    let listed = done(&simulator, 200, "GET", &format!("{base}/subtitles/?per_page=1"), None).await;
    let next = text(&listed, "next_url").strip_prefix("/API/").unwrap().to_owned();
    assert_eq!(done(&simulator, 200, "GET", &next, None).await["objects"][0]["id"], captions["id"]);
    assert_eq!(call(&simulator, "GET", &format!("{base}/subtitles/fr/webvtt/"), None).await.0, 404);
    let without = json!({"language": "fr", "format_id": made["format_id"]});
    assert_eq!(call(&simulator, "POST", &format!("{base}/subtitles/"), Some(without)).await.0, 400);
    done(&simulator, 204, "DELETE", &format!("{base}/subtitles/{}/", text(&captions, "id")), None).await;
}

#[tokio::test]
async fn an_export_writes_files_and_metadata() {
    for (format, begin) in [("JSON", "{\"metadata_values\""), ("CSV", "\"Project\","), ("XML", "<?xml")] {
        let simulator = simulator(Settings::default());
        let asset = seeded(&simulator, seed::MASTER);
        let location =
            done(&simulator, 200, "GET", "files/v1/export_locations/", None).await["objects"][0].clone();
        let path = format!("files/v1/assets/{asset}/export_locations/{}/", text(&location, "id"));
        let answer = done(&simulator, 200, "POST", &path, json!({"metadata_format": format})).await;
        assert_eq!(job(&simulator, &answer).await["status"], "FINISHED");
        simulator.with_state(|state| {
            let keys: Vec<(&str, _)> = state.media.buckets.of(seed::EXPORTS).collect();
            assert_eq!(keys.len(), 4, "three files and the metadata");
            let end = format!(".{}", format.to_lowercase());
            let (key, stored) = keys.iter().find(|(key, _)| key.ends_with(&end)).unwrap();
            assert!(key.starts_with(&format!("delivery/{}/", seed::MASTER)), "{key}");
            let text = String::from_utf8(stored.content.bytes().unwrap().to_vec()).unwrap();
            assert!(text.starts_with(begin) && text.contains("CMP-2031-014"), "{text}");
        });
    }
}

#[tokio::test]
async fn a_scan_finds_what_is_missing_and_what_is_back() {
    let simulator = simulator(Settings::default());
    let (asset, made) = file(&simulator, seed::ORIGINALS, "x.mov").await;
    let id = text(&made, "id");
    let path = format!("files/v1/assets/{asset}/files/{id}/");
    done(&simulator, 200, "PATCH", &path, json!({"status": "CLOSED"})).await;
    let scan = format!("files/v1/storages/{}/scan/", seed::ORIGINALS);
    for (content, status) in [(None, "MISSING"), (Some(Blob::of("x")), "REDISCOVERED")] {
        if let Some(content) = content {
            simulator.with_state(|state| state.put_content(Kind::File, &id, content));
        }
        done(&simulator, 200, "POST", &scan, json!({})).await;
        assert_eq!(done(&simulator, 200, "GET", &path, None).await["status"], status);
    }
    let storages = done(&simulator, 200, "GET", "files/v1/storages/?purpose=FILES", None).await;
    assert_eq!(storages["total"], 5);
    let matching = done(&simulator, 200, "GET", "files/v1/storages/matching/FILES/", None).await;
    assert_eq!(matching["id"], seed::ORIGINALS);
    let google = done(&simulator, 200, "GET", "files/v1/storages/matching/FILES/method/GCS/", None).await;
    assert_eq!(google["id"], seed::GOOGLE);
    assert_eq!(call(&simulator, "GET", "files/v1/storages/matching/FACES/", None).await.0, 404);
    let on_storage = format!("files/v1/storages/{}/files/?status=REDISCOVERED", seed::ORIGINALS);
    assert_eq!(done(&simulator, 200, "GET", &on_storage, None).await["total"], 1);
}
