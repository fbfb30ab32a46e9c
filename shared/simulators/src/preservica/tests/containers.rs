//! The bulk location where it is a container of Azure.

use axum::body::Body;
use http::{HeaderMap, Request};
use tower::ServiceExt as _;

use super::ingest::zipped;
use super::{get, seeded, simulator, wait};
use crate::preservica::{Settings, Simulator};

/// A simulator with its bulk location at Azure, and what has to be shown there.
async fn at_azure() -> (Simulator, String) {
    let mut settings = Settings::default();
    settings.uploads.at_azure = true;
    let simulator = simulator(settings);
    let location = get(&simulator, "/api/location/upload").await.json()["locations"][0].clone();
    assert_eq!((location["type"].as_str(), location["apiId"].as_str()), (Some("Azure"), Some("bulk-1")));
    let given = get(&simulator, "/api/location/upload/bulk-1/upload-credentials").await.json();
    assert_eq!(given["key"], "preservicademo");
    assert!(given.get("secret").is_none());
    let base = format!("/{}", location["containerName"].as_str().unwrap());
    (simulator, format!("{base}/KEY?{}", given["sessionToken"].as_str().unwrap()))
}

async fn send(
    simulator: &Simulator,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, HeaderMap) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_vec())).unwrap();
    let answer = simulator.container_router().oneshot(request).await.unwrap();
    (answer.status().as_u16(), answer.headers().clone())
}

/// One file with an empty document beside it, which is what makes it a package.
fn package() -> bytes::Bytes {
    let beside = "<OPEXMetadata xmlns=\"http://www.openpreservationexchange.org/opex/v1.2\"/>";
    zipped(&[("one.txt", "one"), ("one.txt.opex", beside)]).bytes().unwrap()
}

const BLOB: (&str, &str) = ("x-ms-blob-type", "BlockBlob");

#[tokio::test]
async fn preservica_takes_a_package_from_a_container_when_it_says_that_it_is_ready() {
    let (simulator, address) = at_azure().await;
    let records = seeded(&simulator, "Records");
    let package = package();
    let said = [BLOB, ("x-ms-meta-status", "ready"), ("x-ms-meta-collectionreference", records.as_str())];
    let waits = address.replace("KEY", "waits");
    assert_eq!(send(&simulator, "PUT", &waits, &said[..1], &package).await.0, 201);
    wait(&simulator, 60);
    assert!(simulator.with_state(|state| state.titled("one.txt").is_none()));
    let (status, headers) = send(&simulator, "PUT", &address, &said, &package).await;
    assert_eq!((status, headers.contains_key("etag")), (201, true));
    wait(&simulator, 60);
    simulator.with_state(|state| {
        let one = state.titled("one.txt").expect("it is taken in");
        // What is no folder itself gets one.
        let folder = one.parent.as_ref().and_then(|parent| state.entities.get(parent)).expect("a folder");
        assert_eq!(folder.parent.as_ref(), Some(&records));
    });
    let (status, headers) = send(&simulator, "HEAD", &address, &[], b"").await;
    assert_eq!((status, headers["x-ms-meta-status"].to_str().unwrap()), (200, "ready"));
    assert_eq!(headers["content-length"].to_str().unwrap(), package.len().to_string());
    let only_new = [BLOB, ("if-none-match", "*")];
    assert_eq!(send(&simulator, "PUT", &address, &only_new, b"other").await.0, 409);
}

#[tokio::test]
async fn preservica_takes_a_package_in_blocks_in_the_order_of_their_list() {
    let (simulator, address) = at_azure().await;
    let records = seeded(&simulator, "Records");
    let package = package();
    let (first, second) = package.split_at(20);
    for (id, part) in [("Yg==", second), ("YQ==", first)] {
        let path = format!("{address}&comp=block&blockid={id}");
        assert_eq!(send(&simulator, "PUT", &path, &[], part).await.0, 201);
    }
    let said = [("x-ms-meta-status", "ready"), ("x-ms-meta-collectionreference", records.as_str())];
    let list = |ids: [&str; 2]| {
        let ids = ids.map(|id| format!("<Latest>{id}</Latest>")).concat();
        format!("<?xml version='1.0' encoding='utf-8'?><BlockList>{ids}</BlockList>").into_bytes()
    };
    let path = format!("{address}&comp=blocklist");
    assert_eq!(send(&simulator, "PUT", &path, &said, &list(["YQ==", "Yw=="])).await.0, 400);
    assert_eq!(send(&simulator, "PUT", &path, &said, &list(["YQ==", "Yg=="])).await.0, 201);
    wait(&simulator, 60);
    assert!(simulator.with_state(|state| state.titled("one.txt").is_some()));
}

#[tokio::test]
async fn preservica_refuses_at_a_container_whoever_has_no_signature_or_one_that_has_ended() {
    let (simulator, address) = at_azure().await;
    assert_eq!(send(&simulator, "HEAD", &address, &[], b"").await.0, 404);
    assert_eq!(send(&simulator, "PUT", &address, &[], b"no kind").await.0, 400);
    assert_eq!(send(&simulator, "DELETE", &address, &[], b"").await.0, 405);
    let elsewhere = address.replace("preservica-demo-bulk", "other");
    assert_eq!(send(&simulator, "PUT", &elsewhere, &[BLOB], b"").await.0, 404);
    let unsigned = address.split("&sig=").next().unwrap();
    let (status, headers) = send(&simulator, "PUT", unsigned, &[BLOB], b"").await;
    assert_eq!((status, headers["x-ms-error-code"].to_str().unwrap()), (403, "AuthenticationFailed"));
    wait(&simulator, 3601);
    assert_eq!(send(&simulator, "PUT", &address, &[BLOB], b"").await.0, 403);
}
