//! Uploads, in the way of each storage.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use sha1::Sha1;

use super::media::{bare, done, element, file, file_set, seeded, text};
use super::{call, simulator};
use crate::content::Blob;
use crate::iconik::seed::media as seed;
use crate::iconik::settings::Media;
use crate::iconik::state::media::Kind;
use crate::iconik::{Settings, Simulator};

fn small_parts() -> Simulator {
    simulator(Settings { media: Media { least_part_bytes: 10, ..Media::default() }, ..Settings::default() })
}

/// Closes a file and says what its storage then holds.
async fn closed(simulator: &Simulator, asset: &str, file: &Value) -> Vec<u8> {
    let (id, path) = (text(file, "id"), format!("files/v1/assets/{asset}/files/{}/", text(file, "id")));
    let answer = done(simulator, 200, "PATCH", &path, json!({"status": "CLOSED"})).await;
    assert_eq!(answer["status"], "CLOSED");
    simulator.with_state(|state| {
        let asset = state.assets.get(asset).unwrap();
        assert_eq!((&asset["is_online"], &asset["versions"][0]["is_online"]), (&json!(true), &json!(true)));
        state.stored(Kind::File, &id).expect("the bytes").content.bytes().unwrap().to_vec()
    })
}

#[tokio::test]
async fn s3_takes_a_small_file_in_one_piece() {
    let simulator = simulator(Settings::default());
    let (asset, made) = file(&simulator, seed::ORIGINALS, "a b+c.mov").await;
    let address = text(&made, "upload_url");
    let wrong = BASE64_STANDARD.encode(Md5::digest(b"other"));
    let (status, _, bytes) =
        bare(&simulator, "PUT", &address, &[("content-md5", &wrong)], "hello world").await;
    assert_eq!((status, element(&bytes, "Code").as_str()), (400, "BadDigest"));
    let (status, headers, _) = bare(&simulator, "PUT", &address, &[], "hello world").await;
    assert_eq!((status, headers["etag"].to_str().unwrap()), (200, "\"5eb63bbbe01eeed093cb22bb8f5acdc3\""));
    assert_eq!(closed(&simulator, &asset, &made).await, b"hello world");
}

#[tokio::test]
async fn s3_takes_parts_and_joins_those_that_are_named() {
    let simulator = small_parts();
    let (asset, made) = file(&simulator, seed::ORIGINALS, "long.mov").await;
    let base = format!("files/v1/assets/{asset}/files/{}", text(&made, "id"));
    let (status, _, bytes) = bare(&simulator, "POST", &text(&made, "multipart_upload_url"), &[], "").await;
    assert_eq!(status, 200);
    let upload = element(&bytes, "UploadId");
    let path = format!("{base}/multipart_url/part/?upload_id={upload}&parts_num=3&per_page=2&page=");
    let first = done(&simulator, 200, "GET", &format!("{path}1"), None).await;
    let second = done(&simulator, 200, "GET", &format!("{path}2"), None).await;
    assert_eq!(call(&simulator, "GET", &format!("{path}3"), None).await.0, 404);
    let parts: Vec<Value> =
        [&first, &second].iter().flat_map(|page| page["objects"].as_array().unwrap().clone()).collect();
    let numbers: Vec<u64> = parts.iter().map(|part| part["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let mut tags = Vec::new();
    for (part, content) in parts.iter().zip(["first part ", "second part", "end"]) {
        let (status, headers, _) = bare(&simulator, "PUT", &text(part, "url"), &[], content).await;
        assert_eq!(status, 200);
        tags.push(headers["etag"].to_str().unwrap().to_owned());
    }
    let ends = done(&simulator, 200, "GET", &format!("{base}/multipart_url/?upload_id={upload}"), None).await;
    let ledger = bare(&simulator, "GET", ends["list_parts_url"][0].as_str().unwrap(), &[], "").await;
    assert_eq!(String::from_utf8_lossy(&ledger.2).matches("<Part>").count(), 3);
    let complete = |tags: &[(usize, &str)]| {
        let parts: String = tags
            .iter()
            .map(|(number, tag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"))
            .collect();
        format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
    };
    let ending = done(
        &simulator,
        200,
        "GET",
        &format!("{base}/multipart_url/?upload_id={upload}&type=complete_url"),
        None,
    )
    .await;
    let address = text(&ending, "complete_url");
    for (tags, code) in [
        (vec![(1, tags[0].as_str()), (2, "\"other\"")], "InvalidPart"),
        (vec![(2, tags[1].as_str()), (1, &tags[0])], "InvalidPartOrder"),
        (vec![(1, tags[0].as_str()), (3, &tags[2]), (4, &tags[2])], "InvalidPart"),
        (vec![], "MalformedXML"),
    ] {
        let (status, _, bytes) = bare(&simulator, "POST", &address, &[], complete(&tags)).await;
        assert_eq!((status, element(&bytes, "Code").as_str()), (400, code));
    }
    let named = complete(&[(1, &tags[0]), (2, &tags[1]), (3, &tags[2])]);
    let (status, _, bytes) = bare(&simulator, "POST", &address, &[], named.clone()).await;
    assert_eq!(status, 200);
    assert!(element(&bytes, "ETag").ends_with("-3\""));
    assert_eq!(bare(&simulator, "POST", &address, &[], named).await.0, 404, "the upload is over");
    assert_eq!(closed(&simulator, &asset, &made).await, b"first part second partend");
}

#[tokio::test]
async fn a_part_that_is_too_small_and_an_upload_that_is_given_up() {
    let simulator = small_parts();
    let (asset, made) = file(&simulator, seed::ORIGINALS, "long.mov").await;
    let base = format!("files/v1/assets/{asset}/files/{}", text(&made, "id"));
    let begin = async || {
        let (_, _, bytes) = bare(&simulator, "POST", &text(&made, "multipart_upload_url"), &[], "").await;
        element(&bytes, "UploadId")
    };
    let upload = begin().await;
    let digest = BASE64_STANDARD.encode(Md5::digest(b"tiny"));
    let body = json!({"upload_id": upload, "parts": [
        {"part_number": 1, "checksum": digest},
        {"part_number": 2, "checksum": digest},
    ]});
    let parts = done(&simulator, 200, "POST", &format!("{base}/multipart_url/s3/part/"), body).await;
    let mut named = String::new();
    for part in parts["parts"].as_array().unwrap() {
        let address = text(part, "url");
        assert_eq!(
            bare(&simulator, "PUT", &address, &[], "tiny").await.0,
            403,
            "the checksum is part of the signature"
        );
        let sent = bare(&simulator, "PUT", &address, &[("content-md5", &digest)], "tiny").await;
        assert_eq!(sent.0, 200);
        let tag = sent.1["etag"].to_str().unwrap();
        named.push_str(&format!(
            "<Part><PartNumber>{}</PartNumber><ETag>{tag}</ETag></Part>",
            part["part_number"]
        ));
    }
    let path = format!("{base}/multipart_url/?upload_id={upload}&type=");
    let address =
        text(&done(&simulator, 200, "GET", &format!("{path}complete_url"), None).await, "complete_url");
    let body = format!("<CompleteMultipartUpload>{named}</CompleteMultipartUpload>");
    let (status, _, bytes) = bare(&simulator, "POST", &address, &[], body).await;
    assert_eq!((status, element(&bytes, "Code").as_str()), (400, "EntityTooSmall"));
    let abort = text(&done(&simulator, 200, "GET", &format!("{path}abort_url"), None).await, "abort_url");
    assert_eq!(bare(&simulator, "DELETE", &abort, &[], "").await.0, 204);
    assert_eq!(bare(&simulator, "DELETE", &abort, &[], "").await.0, 404);
    let other = begin().await;
    let body = json!({"upload_id": other, "abort_upload": true});
    done(&simulator, 200, "POST", &format!("{base}/multipart/cleanup/"), body).await;
    assert!(simulator.with_state(|state| state.media.buckets.uploads.is_empty()));
}

#[tokio::test]
async fn google_takes_pieces_and_says_how_far_it_came() {
    let simulator = simulator(Settings::default());
    let (asset, made) = file(&simulator, seed::GOOGLE, "Übergang.mov").await;
    let address = text(&made, "upload_url");
    assert_eq!(
        bare(&simulator, "POST", &address, &[], "").await.0,
        403,
        "the header is part of the signature"
    );
    let (status, headers, _) = bare(&simulator, "POST", &address, &[("x-goog-resumable", "start")], "").await;
    assert_eq!(status, 201);
    assert!(headers.contains_key("x-guploader-uploadid"));
    let session = headers["location"].to_str().unwrap();
    let content: Vec<u8> = Blob::generated(3, 700_000).bytes().unwrap().to_vec();
    let send = async |range: String, bytes: &[u8]| {
        let sent = bare(&simulator, "PUT", session, &[("content-range", &range)], bytes.to_vec()).await;
        (sent.0, sent.1.get("range").map(|range| range.to_str().unwrap().to_owned()))
    };
    assert_eq!(send("bytes */700000".to_owned(), b"").await, (308, None));
    // Only multiples of 256 KiB are kept before the end.
    let first = send("bytes 0-299999/700000".to_owned(), &content[..300_000]).await;
    assert_eq!(first, (308, Some("bytes=0-262143".to_owned())));
    // A piece that leaves a gap is not taken.
    assert_eq!(send("bytes 300000-699999/700000".to_owned(), &content[300_000..]).await.0, 503);
    assert_eq!(send("bytes */700000".to_owned(), b"").await, first);
    // What was sent before may be sent again.
    assert_eq!(send("bytes 0-699999/700000".to_owned(), &content).await.0, 200);
    assert_eq!(closed(&simulator, &asset, &made).await, content);
    assert_eq!(send("bytes */700000".to_owned(), b"").await.0, 410, "the session is over");
}

#[tokio::test]
async fn google_composes_objects() {
    let simulator = simulator(Settings::default());
    let (asset, made) = file(&simulator, seed::GOOGLE, "parallel.mov").await;
    let base = format!("files/v1/assets/{asset}/files/{}", text(&made, "id"));
    let parts = done(&simulator, 200, "GET", &format!("{base}/multipart_url/part/?parts_num=2"), None).await;
    let mut keys = Vec::new();
    for (part, content) in parts["objects"].as_array().unwrap().iter().zip(["left ", "right"]) {
        assert_eq!(bare(&simulator, "PUT", &text(part, "url"), &[], content).await.0, 200);
        keys.push(text(part, "key"));
    }
    let compose =
        done(&simulator, 200, "POST", &format!("{base}/multipart/gcs/compose_url/"), json!({})).await;
    let names: String = keys.iter().map(|key| format!("<Component><Name>{key}</Name></Component>")).collect();
    let body = format!("<ComposeRequest>{names}</ComposeRequest>");
    assert_eq!(bare(&simulator, "PUT", &text(&compose, "compose_url"), &[], body).await.0, 200);
    done(&simulator, 200, "POST", &format!("{base}/multipart/cleanup/"), json!({"parts_number": 2})).await;
    let left = simulator.with_state(|state| state.media.buckets.get(seed::GOOGLE, &keys[0]).is_some());
    assert!(!left, "the parts are gone");
    assert_eq!(closed(&simulator, &asset, &made).await, b"left right");
}

#[tokio::test]
async fn iconik_composes_the_parts_of_a_group() {
    let simulator = simulator(Settings::default());
    let (asset, made) = file(&simulator, seed::GOOGLE, "parallel.mov").await;
    let base = format!("files/v1/assets/{asset}/files/{}", text(&made, "id"));
    let parts = done(&simulator, 200, "GET", &format!("{base}/multipart_url/part/?parts_num=2"), None).await;
    let keys: Vec<String> =
        parts["objects"].as_array().unwrap().iter().map(|part| text(part, "key")).collect();
    let body = json!({"parts_range": keys});
    assert_eq!(call(&simulator, "POST", &format!("{base}/multipart/"), Some(body.clone())).await.0, 400);
    for part in parts["objects"].as_array().unwrap() {
        assert_eq!(bare(&simulator, "PUT", &text(part, "url"), &[], "same").await.0, 200);
    }
    done(&simulator, 200, "POST", &format!("{base}/multipart/"), body).await;
    assert_eq!(closed(&simulator, &asset, &made).await, b"samesame");
}

#[tokio::test]
async fn backblaze_takes_a_file_with_its_token_and_checksum() {
    let simulator = simulator(Settings::default());
    let (asset, made) = file(&simulator, seed::BACKBLAZE, "take 1.mov").await;
    let name = percent_encoding::utf8_percent_encode(
        &text(&made, "upload_filename"),
        percent_encoding::NON_ALPHANUMERIC,
    )
    .to_string();
    let token = text(&made["upload_credentials"], "authorizationToken");
    let sha1 = hex::encode(Sha1::digest(b"hello world"));
    let send = async |token: &str, sha1: &str| {
        let headers = [("authorization", token), ("x-bz-file-name", &name), ("x-bz-content-sha1", sha1)];
        let sent = bare(&simulator, "POST", &text(&made, "upload_url"), &headers, "hello world").await;
        (sent.0, serde_json::from_slice::<Value>(&sent.2).unwrap())
    };
    assert_eq!(send("other", &sha1).await.1["code"], "bad_auth_token");
    assert_eq!(send(&token, "0000").await.0, 400);
    let (status, answer) = send(&token, &sha1).await;
    assert_eq!((status, &answer["contentSha1"]), (200, &json!(sha1)));
    assert_eq!(closed(&simulator, &asset, &made).await, b"hello world");
    simulator.clock().advance(jiff::SignedDuration::from_hours(1));
    assert_eq!(send(&token, &sha1).await.1["code"], "expired_auth_token");
}

#[tokio::test]
async fn backblaze_takes_a_large_file_in_parts() {
    let simulator = small_parts();
    let (asset, made) = file(&simulator, seed::BACKBLAZE, "large.mov").await;
    let base = format!("files/v1/assets/{asset}/files/{}", text(&made, "id"));
    let started = done(&simulator, 200, "POST", &format!("{base}/multipart/b2/start/"), None).await;
    let (token, address) = (text(&started, "authorization_token"), text(&started, "upload_url"));
    let contents = ["first part ", "second"];
    let digests: Vec<String> = contents.iter().map(|content| hex::encode(Sha1::digest(content))).collect();
    for ((number, content), sha1) in (1..).zip(contents).zip(&digests) {
        let number = number.to_string();
        let headers =
            [("authorization", token.as_str()), ("x-bz-part-number", &number), ("x-bz-content-sha1", sha1)];
        assert_eq!(bare(&simulator, "POST", &address, &headers, content).await.0, 200);
    }
    let finish = format!("{base}/multipart/b2/finish/");
    let body = |list: &[String]| json!({"upload_file_id": started["upload_file_id"], "sha1_list": list});
    assert_eq!(call(&simulator, "POST", &finish, Some(body(&digests[..1]))).await.0, 400);
    let turned = [digests[1].clone(), digests[0].clone()];
    assert_eq!(call(&simulator, "POST", &finish, Some(body(&turned))).await.0, 400);
    done(&simulator, 200, "POST", &finish, body(&digests)).await;
    assert_eq!(closed(&simulator, &asset, &made).await, b"first part second");
    let other = done(&simulator, 200, "POST", &format!("{base}/multipart/b2/start/"), None).await;
    let body = json!({"upload_file_id": other["upload_file_id"]});
    done(&simulator, 200, "POST", &format!("{base}/multipart/b2/cancel/"), body).await;
    let wrong = format!("files/v1/assets/{asset}/files/{}/multipart_url/?upload_id=1", text(&made, "id"));
    assert_eq!(
        call(&simulator, "GET", &wrong, None).await.0,
        400,
        "that is not how this storage is spoken to"
    );
}

#[tokio::test]
async fn azure_takes_a_blob() {
    let simulator = simulator(Settings::default());
    let (asset, made) = file(&simulator, seed::AZURE, "blob.mov").await;
    let address = text(&made, "upload_url");
    assert_eq!(bare(&simulator, "PUT", &address, &[], "hello").await.0, 400);
    assert_eq!(bare(&simulator, "PUT", &address, &[("x-ms-blob-type", "BlockBlob")], "hello").await.0, 201);
    assert_eq!(closed(&simulator, &asset, &made).await, b"hello");
}

#[tokio::test]
async fn a_proxy_and_a_keyframe_are_uploaded_alike() {
    let simulator = small_parts();
    let asset = seeded(&simulator, seed::INTERVIEW);
    let proxies = format!("files/v1/assets/{asset}/proxies/");
    let proxy = done(&simulator, 201, "POST", &proxies, json!({"filename": "p.mp4", "codec": "h264"})).await;
    let id = text(&proxy, "id");
    let waiting = done(&simulator, 200, "GET", &format!("{proxies}{id}/"), None).await;
    assert_eq!(
        text(&waiting, "upload_method"),
        "PUT",
        "where its bytes go is told as long as it waits for them"
    );
    let (_, _, bytes) =
        bare(&simulator, "POST", &text(&proxy, "multipart_upload_url"), &[("origin", "http://x")], "").await;
    let upload = element(&bytes, "UploadId");
    let part = format!("{proxies}{id}/multipart_url/part/?upload_id={upload}&parts_num=1");
    let part = done(&simulator, 200, "GET", &part, None).await["objects"][0].clone();
    let (_, headers, _) = bare(&simulator, "PUT", &text(&part, "url"), &[], "preview").await;
    let ending = format!("{proxies}{id}/multipart_url/?upload_id={upload}&type=complete_url");
    let ending = done(&simulator, 200, "GET", &ending, None).await;
    let tag = headers["etag"].to_str().unwrap();
    let body = format!("<C><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></C>");
    assert_eq!(bare(&simulator, "POST", &text(&ending, "complete_url"), &[], body).await.0, 200);
    let shown = done(&simulator, 200, "PATCH", &format!("{proxies}{id}/"), json!({"status": "CLOSED"})).await;
    assert_eq!((&shown["size"], shown["url"].is_string()), (&json!(7), true));
    let address =
        text(&done(&simulator, 200, "GET", &format!("{proxies}{id}/download_url/"), None).await, "url");
    assert_eq!(bare(&simulator, "GET", &address, &[], "").await.2, "preview");
    let made =
        done(&simulator, 200, "POST", &format!("{proxies}{id}/keyframes/"), json!({"priority": 5})).await;
    assert!(made["job_id"].is_string());
    let keyframes = format!("files/v1/assets/{asset}/keyframes/");
    let listed = done(&simulator, 200, "GET", &keyframes, None).await;
    assert_eq!(listed["objects"].as_array().unwrap().len(), 2);
    let poster = json!({"type": "POSTER", "filename": "mine.jpg", "is_custom_keyframe": true});
    let poster = done(&simulator, 201, "POST", &keyframes, poster).await;
    let (_, headers, _) =
        bare(&simulator, "POST", &text(&poster, "upload_url"), &[("x-goog-resumable", "start")], "").await;
    assert_eq!(bare(&simulator, "PUT", headers["location"].to_str().unwrap(), &[], "jpeg").await.0, 200);
    // A widely used client changes keyframes with POST.
    let path = format!("{keyframes}{}/", text(&poster, "id"));
    assert_eq!(done(&simulator, 200, "POST", &path, json!({"status": "CLOSED"})).await["size"], 4);
    done(&simulator, 204, "DELETE", &path, None).await;
    assert_eq!(call(&simulator, "GET", &path, None).await.0, 404);
}

#[tokio::test]
async fn large_content_goes_to_a_file_and_may_be_forgotten() {
    let media = Media { memory_threshold_bytes: 4, discard_content: true, ..Media::default() };
    let simulator = simulator(Settings { media, ..Settings::default() });
    let (asset, made) = file(&simulator, seed::ORIGINALS, "x.mov").await;
    assert_eq!(bare(&simulator, "PUT", &text(&made, "upload_url"), &[], "hello world").await.0, 200);
    let path = format!("files/v1/assets/{asset}/files/{}/", text(&made, "id"));
    assert_eq!(
        done(&simulator, 200, "PATCH", &path, json!({"status": "CLOSED", "size": 0})).await["size"],
        11
    );
    let stored = simulator.with_state(|state| state.stored(Kind::File, &text(&made, "id")).cloned()).unwrap();
    assert_eq!(stored.content.sha256, Blob::of("hello world").sha256);
    assert!(stored.content.bytes().is_err(), "only size and checksum are kept");
    simulator.with_state(|state| state.settings.media.discard_content = false);
    assert_eq!(bare(&simulator, "PUT", &text(&made, "upload_url"), &[], "hello again").await.0, 200);
    let stored = simulator.with_state(|state| state.stored(Kind::File, &text(&made, "id")).cloned()).unwrap();
    assert_eq!(stored.content.bytes().unwrap(), "hello again");
}

#[tokio::test]
async fn what_a_file_may_be_and_become() {
    let simulator = simulator(Settings::default());
    let (asset, _, set) = file_set(&simulator, seed::ORIGINALS).await;
    let path = format!("files/v1/assets/{asset}/files/");
    for (given, field) in [
        (json!({"file_set_id": set}), "original_name"),
        (json!({"original_name": "a", "file_set_id": "other"}), "file_set_id"),
        (json!({"original_name": "a", "file_set_id": set, "status": "DONE"}), "status"),
        (json!({"original_name": "a", "file_set_id": set, "size": "big"}), "size"),
        (json!({"original_name": "a", "file_set_id": set, "type": "PIPE"}), "type"),
    ] {
        let (status, answer) = call(&simulator, "POST", &path, Some(given)).await;
        assert_eq!(status, 400);
        assert!(answer["errors"][0].as_str().unwrap().starts_with(field), "{answer}");
    }
    // A widely used client leaves out what is empty, and the type when it is a file.
    let made =
        done(&simulator, 201, "POST", &path, json!({"original_name": "a.mov", "file_set_id": set})).await;
    let id = text(&made, "id");
    assert_eq!(
        (&made["directory_path"], &made["type"], &made["status"]),
        (&json!(""), &json!("FILE"), &json!("OPEN"))
    );
    assert_eq!(text(&made, "name"), format!("{id}_a.mov"));
    let edit = async |status: &str| {
        call(&simulator, "PATCH", &format!("{path}{id}/"), Some(json!({ "status": status }))).await.0.as_u16()
    };
    assert_eq!(edit("CLOSED").await, 200);
    assert_eq!(edit("OPEN").await, 200);
    simulator.with_state(|state| {
        state.settings.media.close_without_content = false;
        state.settings.media.reopen = false;
    });
    assert_eq!(edit("CLOSED").await, 400, "nothing was uploaded");
    simulator.with_state(|state| state.put_content(Kind::File, &id, Blob::of("content")));
    assert_eq!(edit("CLOSED").await, 200);
    assert_eq!(edit("GROWING").await, 400, "it was closed");
    let (asset, _, set) = file_set(&simulator, seed::STUDIO).await;
    let given = json!({"original_name": "a.mov", "file_set_id": set});
    let made = done(&simulator, 201, "POST", &format!("files/v1/assets/{asset}/files/"), given).await;
    assert_eq!((&made["upload_url"], &made["storage_method"]), (&Value::Null, &json!("FILE")));
}
