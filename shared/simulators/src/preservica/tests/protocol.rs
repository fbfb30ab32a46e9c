//! Shapes that widely used clients depend on.

use axum::body::Body;
use http::Request;

use super::{call, get, perform, seeded, simulator, wait};
use crate::preservica::xml::Element;
use crate::preservica::{Settings, seed};

#[tokio::test]
async fn preservica_says_its_version_as_a_literal_text() {
    for version in ["6.0.1", "9.1.0"] {
        let simulator = simulator(Settings { version: version.to_owned(), ..Settings::default() });
        let answer = get(&simulator, "/api/entity/versiondetails/version").await;
        assert!(
            answer.text.contains(&format!("<CurrentVersion>{version}</CurrentVersion>")),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn preservica_answers_in_the_namespaces_of_its_version_or_of_the_one_asked_for() {
    let simulator = simulator(Settings { version: "6.1.0".to_owned(), ..Settings::default() });
    let spring = seeded(&simulator, "Spring launch");
    for (path, version) in [("/api/entity", "v6.0"), ("/api/entity/v6.2", "v6.2")] {
        let root = get(&simulator, &format!("{path}/information-objects/{spring}")).await.xml();
        assert_eq!(root.namespace, format!("http://preservica.com/EntityAPI/{version}"));
        let asset = root.find("InformationObject").unwrap();
        assert_eq!(asset.namespace, format!("http://preservica.com/XIP/{version}"));
    }
}

#[tokio::test]
async fn preservica_addresses_in_answers_are_those_the_call_came_to() {
    let simulator = simulator(Settings::default());
    let spring = seeded(&simulator, "Spring launch");
    let token = simulator.with_state(|state| state.open_session(seed::OPERATOR).token);
    let request = Request::get(format!("/api/entity/information-objects/{spring}"))
        .header("Preservica-Access-Token", token)
        .header("host", "archive.example.com:8443")
        .body(Body::empty())
        .unwrap();
    let root = perform(&simulator, request).await.xml();
    let further = root.find("AdditionalInformation").unwrap();
    let own = format!("http://archive.example.com:8443/api/entity/information-objects/{spring}");
    assert_eq!(further.text_of("Self"), Some(own.clone()));
    let fragment = further.find("Metadata").and_then(|metadata| metadata.find("Fragment")).unwrap();
    assert!(fragment.content().starts_with(&format!("{own}/metadata/")));
}

#[tokio::test]
async fn preservica_takes_documents_with_any_prefix_and_blanks_in_tags() {
    let simulator = simulator(Settings::default());
    let spring = seeded(&simulator, "Spring launch");
    let path = format!("/api/entity/information-objects/{spring}/metadata");
    let body = format!(
        "<ns0:MetadataContainer  xmlns:ns0=\"http://preservica.com/XIP/v9.1\" schemaUri=\"urn:s\" ><ns0:Entity>{spring}\
         </ns0:Entity><ns0:Content><ns1:a xmlns:ns1=\"urn:s\">1</ns1:a></ns0:Content></ns0:MetadataContainer >"
    );
    let root = call(&simulator, seed::OPERATOR, "POST", &path, &body).await.xml();
    let container = root.find("MetadataContainer").unwrap();
    let content = container.find("Content").unwrap().elements().next().unwrap();
    assert_eq!((content.namespace.as_str(), content.name.as_str()), ("urn:s", "a"));
    let bomb = "<!DOCTYPE a [<!ENTITY e \"x\">]><MetadataContainer>&e;</MetadataContainer>";
    assert_eq!(call(&simulator, seed::OPERATOR, "POST", &path, bomb).await.status, 400);
}

#[tokio::test]
async fn preservica_storage_takes_a_signature_with_the_token_as_access_key_and_no_chunks_with_checksums() {
    let simulator = simulator(Settings::default());
    let token = simulator.with_state(|state| state.open_session(seed::OPERATOR).token);
    let put = |headers: &[(&str, &str)]| {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={token}/20310506/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
        );
        let mut request =
            Request::put("/api/s3/buckets/demo.package.upload/a.zip").header("authorization", authorization);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        perform(&simulator, request.body(Body::from("zip")).unwrap())
    };
    let taken = put(&[]).await;
    assert_eq!(taken.status, 200);
    assert!(taken.headers.contains_key("etag") && taken.headers.contains_key("preservica-progress-token"));
    let chunked = put(&[("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")]).await;
    assert_eq!((chunked.status, chunked.xml().text_of("Code").as_deref()), (501, Some("NotImplemented")));
    let wrong = put(&[("x-amz-content-sha256", &"0".repeat(64))]).await;
    assert_eq!(wrong.xml().text_of("Code").as_deref(), Some("XAmzContentSHA256Mismatch"));
    let buckets = perform(
        &simulator,
        Request::get("/api/s3/buckets/")
            .header("preservica-access-token", &token)
            .body(Body::empty())
            .unwrap(),
    );
    assert!(buckets.await.text.contains("demo.package.upload"));
    let nobody = Request::put("/api/s3/buckets/demo.package.upload/a.zip").body(Body::empty()).unwrap();
    let refused = perform(&simulator, nobody).await;
    assert_eq!((refused.status, refused.xml().name.as_str()), (401, "Error"));
}

#[tokio::test]
async fn preservica_progress_is_below_the_root_and_tells_errors_when_asked() {
    let simulator = simulator(Settings::default());
    let token = simulator.with_state(|state| {
        state.receive_package(seed::OPERATOR, "a.zip", None, crate::content::Blob::of(&b"no zip"[..]))
    });
    wait(&simulator, 21);
    let path = format!("/api/entity/progress/{token}");
    let root = get(&simulator, &path).await.xml();
    let progress = root.find("Progress").unwrap();
    assert_eq!(progress.text_of("Status").as_deref(), Some("FAILED"));
    assert!(progress.find("Errors").is_none());
    let root = get(&simulator, &format!("{path}?includeErrors=true")).await.xml();
    assert!(root.find("Progress").unwrap().find("Errors").is_some());
    let other = get(&simulator, &format!("/api/processmonitor/progress/{token}")).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn preservica_admin_shows_everything_but_secrets() {
    let simulator = simulator(Settings::default());
    for path in ["", "style.css", "script.js", "view.js", "settings", "state", "state/tree/top", "journal"] {
        let request = Request::get(format!("/_simulator/{path}")).body(Body::empty()).unwrap();
        let answer = perform(&simulator, request).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.text.contains(seed::PASSWORD), "{path}");
    }
    let spring = seeded(&simulator, "Spring launch");
    let request = Request::get(format!("/_simulator/state/objects/{spring}")).body(Body::empty()).unwrap();
    let json = perform(&simulator, request).await.json();
    assert_eq!(json["above"][1]["title"], "2030");
    assert!(Element::parse(json["fragments"][0]["xml"].as_str().unwrap().as_bytes()).is_ok());
    // Sessions end, and starting over brings back what was there.
    let _ = get(&simulator, "/api/user/details").await;
    let end = Request::post("/_simulator/sessions/end").body(Body::empty()).unwrap();
    perform(&simulator, end).await;
    assert!(simulator.with_state(|state| state.tokens.is_empty()));
    simulator.with_state(|state| state.entities.clear());
    perform(&simulator, Request::post("/_simulator/reset").body(Body::empty()).unwrap()).await;
    assert_eq!(seeded(&simulator, "Spring launch"), spring);
}
