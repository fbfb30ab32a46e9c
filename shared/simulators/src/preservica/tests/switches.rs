//! Open questions, each answered in every way there is a switch for.

use axum::body::Body;
use http::Request;

use super::{call, get, perform, seeded, simulator, wait};
use crate::content::Blob;
use crate::preservica::settings::ErrorBody;
use crate::preservica::{Settings, Simulator, seed};

#[tokio::test]
async fn preservica_errors_come_as_text_xml_or_a_page() {
    let mut settings = Settings::default();
    for (form, begins) in
        [(ErrorBody::Text, "No "), (ErrorBody::Xml, "<?xml"), (ErrorBody::Html, "<!DOCTYPE html>")]
    {
        settings.error_body = form;
        let simulator = simulator(settings.clone());
        let answer = get(&simulator, "/api/entity/information-objects/nothing").await;
        assert_eq!(answer.status, 404);
        assert!(answer.text.starts_with(begins), "{}", answer.text);
    }
}

#[tokio::test(start_paused = true)]
async fn preservica_may_be_slow() {
    let simulator = simulator(Settings { latency_milliseconds: 1500, ..Settings::default() });
    let began = tokio::time::Instant::now();
    get(&simulator, "/api/user/details").await;
    assert!(began.elapsed().as_millis() >= 1500);
}

#[tokio::test]
async fn preservica_pages_have_a_usual_and_a_largest_length_and_an_order() {
    let mut settings = Settings::default();
    settings.paging.usual = 1;
    settings.paging.most = 2;
    for by_title in [true, false] {
        settings.paging.children_by_title = by_title;
        let simulator = simulator(settings.clone());
        simulator.with_state(|state| {
            let draft = state.draft(crate::preservica::state::Kind::StructuralObject, "Aardvark");
            state.add(draft).unwrap();
        });
        let page = get(&simulator, "/api/entity/root/children").await.xml();
        let children: Vec<_> = page.find("Children").unwrap().elements().collect();
        let first = if by_title { "Aardvark" } else { "Campaigns" };
        assert_eq!((children.len(), children[0].value("title")), (1, Some(first)));
        let paging = page.find("Paging").unwrap();
        assert_eq!(paging.text_of("TotalResults").as_deref(), Some("3"));
        assert!(paging.text_of("Next").unwrap().contains("start=1&max=1"));
        let page = get(&simulator, "/api/entity/root/children?start=1&max=500").await.xml();
        assert_eq!(page.find("Children").unwrap().elements().count(), 2);
        assert!(page.find("Paging").unwrap().find("Next").is_none());
    }
}

async fn put(simulator: &Simulator, target: &str, body: Vec<u8>) -> super::Answer {
    let token = simulator.with_state(|state| state.open_session(seed::OPERATOR).token);
    let method = if target.ends_with("uploads") { "POST" } else { "PUT" };
    let request =
        Request::builder().method(method).uri(format!("/api/s3/buckets/demo.package.upload/{target}"));
    perform(simulator, request.header("preservica-access-token", token).body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn preservica_packages_and_parts_have_a_largest_and_a_smallest_size() {
    let mut settings = Settings::default();
    settings.ingest.largest_package_bytes = Some(100);
    settings.uploads.smallest_part_bytes = 10;
    let simulator = simulator(settings);
    assert_eq!(put(&simulator, "a.zip", vec![0; 100]).await.status, 200);
    let refused = put(&simulator, "a.zip", vec![0; 101]).await;
    assert_eq!((refused.status, refused.xml().text_of("Code").as_deref()), (400, Some("EntityTooLarge")));
    for (first, code) in [(9, Some("EntityTooSmall")), (10, None), (99, Some("EntityTooLarge"))] {
        let begun = put(&simulator, "b.zip?uploads", Vec::new()).await.xml();
        let id = begun.text_of("UploadId").unwrap();
        let mut parts = String::new();
        for (number, size) in [(1, first), (2, 3)] {
            let mark =
                put(&simulator, &format!("b.zip?partNumber={number}&uploadId={id}"), vec![7; size]).await;
            let mark = mark.headers["etag"].to_str().unwrap().to_owned();
            parts.push_str(&format!("<Part><ETag>{mark}</ETag><PartNumber>{number}</PartNumber></Part>"));
        }
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let path = format!("/api/s3/buckets/demo.package.upload/b.zip?uploadId={id}");
        let answer = call(&simulator, seed::OPERATOR, "POST", &path, &body).await;
        assert_eq!(answer.xml().text_of("Code").as_deref(), code, "{}", answer.text);
    }
}

#[tokio::test]
async fn preservica_content_is_kept_in_a_file_above_a_size() {
    for threshold in [1, 1 << 30] {
        let simulator = simulator(Settings { memory_threshold_bytes: threshold, ..Settings::default() });
        assert_eq!(put(&simulator, "a.zip", vec![1; 5000]).await.status, 200);
    }
}

#[tokio::test]
async fn preservica_actions_take_their_time_and_search_hears_of_them_later() {
    let settings = Settings { action_seconds: 100, index_lag_seconds: 1000, ..Settings::default() };
    let simulator = simulator(settings);
    let spring = seeded(&simulator, "Spring launch");
    let path = format!("/api/entity/information-objects/{spring}/security-descriptor");
    let token = call(&simulator, seed::OPERATOR, "PUT", &path, "closed").await.text;
    let tag = || simulator.with_state(|state| state.entities[&spring].security_tag.clone());
    let found = async || {
        let q = "/api/content/search?q=%7B%22fields%22:%5B%7B%22name%22:%22xip.security_descriptor%22,\
                 %22values%22:%5B%22closed%22%5D%7D%5D%7D";
        get(&simulator, q).await.json()["value"]["totalHits"].as_u64().unwrap()
    };
    wait(&simulator, 99);
    assert_eq!(tag(), "open");
    wait(&simulator, 2);
    assert_eq!((tag().as_str(), found().await), ("closed", 0));
    assert!(get(&simulator, &format!("/api/entity/progress/{token}")).await.text.contains("COMPLETED"));
    wait(&simulator, 1000);
    assert_eq!(found().await, 1);
}

#[tokio::test]
async fn preservica_removals_that_are_not_approved_end_in_one_of_three_words() {
    let mut settings = Settings::default();
    for word in ["ABORTED", "FAILED", "CANCELLED"] {
        settings.deletion.rejected = word.to_owned();
        let simulator = simulator(settings.clone());
        let spring = seeded(&simulator, "Spring launch");
        let submission = "<DeletionAction xmlns=\"http://preservica.com/EntityAPI/v9.1\"><Submission><Comment>c</Comment>\
                          </Submission></DeletionAction>";
        let path = format!("/api/entity/information-objects/{spring}");
        let token = call(&simulator, seed::OPERATOR, "DELETE", &path, submission).await.text;
        let approval = "<DeletionAction ><Approval><Approved>false</Approved><Comment>c</Comment></Approval></DeletionAction>";
        let path = format!("/api/entity/actions/deletions/{token}");
        assert_eq!(call(&simulator, seed::MANAGER, "PUT", &path, approval).await.status, 202);
        assert!(get(&simulator, &format!("/api/entity/progress/{token}")).await.text.contains(word));
    }
}

#[tokio::test]
async fn preservica_ranges_are_given_or_refused() {
    let simulator = simulator(Settings::default());
    let spring = seeded(&simulator, "Spring launch");
    let part =
        simulator.with_state(|state| state.entities[&spring].representations[1].content_objects[0].clone());
    let path = format!("/api/entity/content-objects/{part}/generations/1/bitstreams/1/content");
    let ask = async |range: &str| {
        let token = simulator.with_state(|state| state.open_session(seed::OPERATOR).token);
        let request = Request::get(&path).header("preservica-access-token", token).header("range", range);
        let answer = simulator.router();
        let response =
            tower::ServiceExt::oneshot(answer, request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        (status, axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap())
    };
    let whole = Blob::generated(2, 40_000).bytes().unwrap();
    for (range, from, to) in
        [("bytes=0-0", 0, 1), ("bytes=39990-", 39_990, 40_000), ("bytes=-5", 39_995, 40_000)]
    {
        assert_eq!(ask(range).await, (206, whole.slice(from..to)), "{range}");
    }
    assert_eq!(ask("bytes=40000-").await.0, 416);
    assert_eq!(ask("lines=1-2").await.0, 200);
}
