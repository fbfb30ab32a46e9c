//! Files as they are listed and downloaded.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::media::{bare, done, element, file, seeded, text};
use super::{call, simulator};
use crate::content::Blob;
use crate::iconik::seed::media as seed;
use crate::iconik::settings::{Media, NoAddress};
use crate::iconik::state::media::Kind;
use crate::iconik::{Settings, Simulator};

fn with(media: Media) -> Simulator {
    simulator(Settings { media, ..Settings::default() })
}

/// The closed files of an asset.
async fn files(simulator: &Simulator, asset: &str) -> Vec<Value> {
    let listed =
        done(simulator, 200, "GET", &format!("files/v1/assets/{asset}/files/?per_page=100"), None).await;
    listed["objects"].as_array().unwrap().clone()
}

async fn address(simulator: &Simulator, asset: &str, file: &str) -> String {
    let path = format!("files/v1/assets/{asset}/files/{file}/download_url/");
    text(&done(simulator, 200, "GET", &path, None).await, "url")
}

#[tokio::test]
async fn a_list_is_read_to_its_end_by_the_id_of_the_last_object() {
    let simulator = simulator(Settings::default());
    let asset = seeded(&simulator, seed::SEQUENCE);
    let (mut names, mut last) = (Vec::new(), String::new());
    loop {
        let path = format!("files/v1/assets/{asset}/files/?last_id={last}");
        let listed = done(&simulator, 200, "GET", &path, None).await;
        let objects = listed["objects"].as_array().unwrap();
        assert!(objects.len() <= 10, "ten are a page");
        let Some(end) = objects.last() else { break };
        last = text(end, "id");
        names.extend(objects.iter().map(|file| text(file, "original_name")));
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), seed::FRAMES + 1, "the frames and the proxy");
    let sets =
        done(&simulator, 200, "GET", &format!("files/v1/assets/{asset}/file_sets/?file_count=true"), None)
            .await;
    assert_eq!(
        (&sets["objects"][0]["type"], &sets["objects"][0]["file_count"]),
        (&json!("MANY_FILES"), &json!(seed::FRAMES))
    );
}

#[tokio::test]
async fn lists_differ_in_whether_they_come_with_addresses() {
    let simulator = simulator(Settings::default());
    let asset = seeded(&simulator, seed::MASTER);
    let set = text(
        &done(&simulator, 200, "GET", &format!("files/v1/assets/{asset}/file_sets/"), None).await["objects"]
            [0],
        "id",
    );
    let version = simulator.with_state(|state| state.current_version_of(&asset).unwrap());
    for (list, signed) in [
        ("files/".to_owned(), false),
        (format!("versions/{version}/files/"), true),
        (format!("file_sets/{set}/files/"), true),
        ("proxies/".to_owned(), true),
    ] {
        for (asked, expected) in
            [("", signed), ("?generate_signed_url=True", true), ("?generate_signed_url=false", false)]
        {
            let listed =
                done(&simulator, 200, "GET", &format!("files/v1/assets/{asset}/{list}{asked}"), None).await;
            assert_eq!(listed["objects"][0]["url"].is_string(), expected, "{list}{asked}");
        }
    }
}

#[tokio::test]
async fn content_is_downloaded_whole_in_part_and_not_at_all() {
    let simulator = simulator(Settings::default());
    for title in [seed::MASTER, seed::SHORT, seed::DAWN, seed::VISUAL] {
        let asset = seeded(&simulator, title);
        let found = files(&simulator, &asset).await[0].clone();
        let address = address(&simulator, &asset, &text(&found, "id")).await;
        let stored = simulator
            .with_state(|state| state.stored(Kind::File, found["id"].as_str().unwrap()).cloned())
            .unwrap();
        let whole = stored.content.bytes().unwrap();
        let (status, headers, bytes) = bare(&simulator, "GET", &address, &[], "").await;
        assert_eq!((status, &bytes), (200, &whole), "{title}");
        assert!(
            headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\""),
            "{title}"
        );
        for (range, expected) in [("bytes=10-19", &whole[10..20]), ("bytes=-5", &whole[whole.len() - 5..])] {
            let (status, headers, bytes) = bare(&simulator, "GET", &address, &[("range", range)], "").await;
            assert_eq!((status, &bytes[..]), (206, expected));
            assert!(headers["content-range"].to_str().unwrap().ends_with(&format!("/{}", whole.len())));
        }
        let beyond = format!("bytes={}-", whole.len());
        let (status, _, bytes) = bare(&simulator, "GET", &address, &[("range", &beyond)], "").await;
        assert_eq!((status, element(&bytes, "Code").as_str()), (416, "InvalidRange"));
        let (status, headers, bytes) = bare(&simulator, "HEAD", &address, &[], "").await;
        assert_eq!((status, bytes.len()), (200, 0));
        assert_eq!(headers["content-length"], whole.len().to_string());
        let tag = headers["etag"].to_str().unwrap();
        assert_eq!(bare(&simulator, "GET", &address, &[("if-match", tag)], "").await.0, 200);
        assert_eq!(bare(&simulator, "GET", &address, &[("if-match", "\"other\"")], "").await.0, 412);
        let resumed =
            bare(&simulator, "GET", &address, &[("range", "bytes=1-2"), ("if-range", "\"other\"")], "").await;
        assert_eq!(
            (resumed.0, resumed.2.len()),
            (200, whole.len()),
            "another object than the one begun with"
        );
    }
}

#[tokio::test]
async fn an_address_ends_with_its_time_and_breaks_when_touched() {
    for (title, expired, tampered) in [
        (seed::MASTER, "AccessDenied", "SignatureDoesNotMatch"),
        (seed::SHORT, "ExpiredToken", "SignatureDoesNotMatch"),
        (seed::VISUAL, "AuthenticationFailed", "AuthenticationFailed"),
    ] {
        let simulator = with(Media { address_lifetime_seconds: 60, ..Media::default() });
        let asset = seeded(&simulator, title);
        let id = text(&files(&simulator, &asset).await[0], "id");
        let first = address(&simulator, &asset, &id).await;
        let other = first.replacen("attachment", "inline", 1);
        assert_ne!(first, other);
        let (status, _, bytes) = bare(&simulator, "GET", &other, &[], "").await;
        assert_eq!((status, element(&bytes, "Code").as_str()), (403, tampered), "{title}");
        assert_eq!(
            bare(&simulator, "PUT", &first, &[], "mine").await.0,
            403,
            "an address to read is not one to write"
        );
        let bare_path = first.split('?').next().unwrap();
        assert_eq!(bare(&simulator, "GET", bare_path, &[], "").await.0, 403);
        simulator.clock().advance(SignedDuration::from_secs(59));
        assert_eq!(bare(&simulator, "GET", &first, &[], "").await.0, 200);
        simulator.clock().advance(SignedDuration::from_secs(1));
        let (status, headers, bytes) = bare(&simulator, "GET", &first, &[], "").await;
        assert_eq!((status, element(&bytes, "Code").as_str()), (403, expired), "{title}");
        assert_eq!(headers["content-type"], "application/xml");
        let renewed = address(&simulator, &asset, &id).await;
        assert_eq!(bare(&simulator, "GET", &renewed, &[], "").await.0, 200, "{title}");
        simulator.with_state(|state| state.settings.media.google_expired_status = 400);
        let google = if title == seed::SHORT { 400 } else { 403 };
        assert_eq!(bare(&simulator, "GET", &first, &[], "").await.0, google, "{title}");
    }
}

#[tokio::test]
async fn addresses_of_lists_may_come_out_of_a_cache() {
    let simulator =
        with(Media { address_cache_seconds: 600, address_lifetime_seconds: 900, ..Media::default() });
    let asset = seeded(&simulator, seed::MASTER);
    let id = text(&files(&simulator, &asset).await[0], "id");
    let shown = async |query: &str| {
        let path = format!("files/v1/assets/{asset}/files/{id}/{query}");
        text(&done(&simulator, 200, "GET", &path, None).await, "url")
    };
    let first = shown("").await;
    simulator.clock().advance(SignedDuration::from_secs(30));
    assert_eq!(shown("").await, first);
    assert_ne!(shown("?bypass_url_cache=true").await, first);
    simulator.clock().advance(SignedDuration::from_secs(900));
    assert_eq!(bare(&simulator, "GET", &first, &[], "").await.0, 403);
}

#[tokio::test]
async fn buckets_may_be_elsewhere_and_refuse_a_look_with_an_address_to_read() {
    let simulator = with(Media {
        bucket_address: Some("https://buckets.example".to_owned()),
        head_with_get_address: false,
        ..Media::default()
    });
    let asset = seeded(&simulator, seed::MASTER);
    let id = text(&files(&simulator, &asset).await[0], "id");
    let address = address(&simulator, &asset, &id).await;
    let path = address.strip_prefix("https://buckets.example").unwrap();
    assert_eq!(bare(&simulator, "GET", path, &[], "").await.0, 200);
    assert_eq!(bare(&simulator, "HEAD", path, &[], "").await.0, 403);
}

#[tokio::test]
async fn a_file_server_gives_no_addresses_until_its_files_are_transferred() {
    for (no_address, status) in [(NoAddress::NotFound, 404), (NoAddress::Null, 200)] {
        let simulator = with(Media { no_address, ..Media::default() });
        let asset = seeded(&simulator, seed::NEWS);
        let listed = done(
            &simulator,
            200,
            "GET",
            &format!("files/v1/assets/{asset}/files/?generate_signed_url=true"),
            None,
        )
        .await;
        let original = listed["objects"]
            .as_array()
            .unwrap()
            .iter()
            .find(|file| file["storage_method"] == "FILE")
            .unwrap();
        assert_eq!(original["url"], Value::Null);
        let id = text(original, "id");
        let (given, answer) =
            call(&simulator, "GET", &format!("files/v1/assets/{asset}/files/{id}/download_url/"), None).await;
        assert_eq!((given.as_u16(), &answer["url"]), (status, &Value::Null));
        let gateway = format!("files/v1/assets/{asset}/files/{id}/isg_handler_url/");
        assert!(
            text(&done(&simulator, 200, "GET", &gateway, None).await, "url").starts_with("https://gateway.")
        );
        let target = format!("files/v1/storages/{}/bulk/", seed::GOOGLE);
        let body = json!({"object_ids": [asset], "object_type": "assets"});
        let job = text(&done(&simulator, 202, "POST", &target, body.clone()).await, "job_id");
        assert_eq!(
            done(&simulator, 200, "GET", &format!("jobs/v1/jobs/{job}/"), None).await["status"],
            "FINISHED"
        );
        let copied = files(&simulator, &asset).await;
        let copied = copied.iter().find(|file| file["storage_id"] == seed::GOOGLE).unwrap();
        let address = address(&simulator, &asset, &text(copied, "id")).await;
        let (_, _, bytes) = bare(&simulator, "GET", &address, &[], "").await;
        assert_eq!(
            Blob::of(bytes).sha256,
            simulator.with_state(|state| state.stored(Kind::File, &id).unwrap().content.sha256.clone())
        );
        let again = format!("files/v2/assets/{asset}/formats/ORIGINAL/storages/{}/", seed::GOOGLE);
        assert_eq!(call(&simulator, "POST", &again, None).await.0, 409, "it is there already");
    }
}

#[tokio::test]
async fn an_unfinished_file_has_an_address_only_where_that_is_so() {
    for on in [true, false] {
        let simulator = with(Media { addresses_of_unfinished: on, ..Media::default() });
        let asset = seeded(&simulator, seed::INTERVIEW);
        let found = files(&simulator, &asset).await;
        let states: Vec<&str> = found.iter().map(|file| file["status"].as_str().unwrap()).collect();
        assert_eq!(states, ["CLOSED", "GROWING", "AWAITED"]);
        for (file, bucket) in found.iter().skip(1).zip([200, 404]) {
            let path = format!("files/v1/assets/{asset}/files/{}/download_url/", text(file, "id"));
            let (status, answer) = call(&simulator, "GET", &path, None).await;
            assert_eq!(status, if on { 200 } else { 404 });
            if on {
                assert_eq!(bare(&simulator, "GET", answer["url"].as_str().unwrap(), &[], "").await.0, bucket);
            }
        }
        let growing = text(&found[1], "id");
        simulator.with_state(|state| state.put_content(Kind::File, &growing, Blob::of(vec![1; 31_000])));
        assert_eq!(files(&simulator, &asset).await[1]["size"], 31_000);
    }
}

#[tokio::test]
async fn a_download_is_told_where_that_is_so() {
    for told in [true, false] {
        let simulator = with(Media { download_is_told: told, ..Media::default() });
        let asset = seeded(&simulator, seed::MASTER);
        let id = text(&files(&simulator, &asset).await[0], "id");
        simulator.with_state(|state| state.events.clear());
        address(&simulator, &asset, &id).await;
        let heard =
            simulator.with_state(|state| state.events.iter().any(|event| event.operation == "download"));
        assert_eq!(heard, told);
    }
}

#[tokio::test]
async fn generated_content_is_served_without_being_held() {
    let simulator = simulator(Settings::default());
    let (asset, made) = file(&simulator, seed::ORIGINALS, "master.mov").await;
    let id = text(&made, "id");
    // Making generated content reads it once for its checksum, about a second for this much.
    let size = 256 * 1024 * 1024;
    let blob = Blob::generated(20, size);
    simulator.with_state(|state| state.put_content(Kind::File, &id, blob.clone()));
    done(
        &simulator,
        200,
        "PATCH",
        &format!("files/v1/assets/{asset}/files/{id}/"),
        json!({"status": "CLOSED"}),
    )
    .await;
    let address = address(&simulator, &asset, &id).await;
    let (status, headers, _) = bare(&simulator, "HEAD", &address, &[], "").await;
    assert_eq!((status, &headers["content-length"]), (200, &size.to_string().parse().unwrap()));
    let end = format!("bytes={}-", size - 100);
    let (_, _, bytes) = bare(&simulator, "GET", &address, &[("range", &end)], "").await;
    assert_eq!(bytes, blob.read_at(size - 100, 100).unwrap());
}
