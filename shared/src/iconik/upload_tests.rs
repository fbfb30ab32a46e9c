use std::sync::{Arc, Mutex};

use serde_json::json;

use super::{
    AssetId, Client, File, PartLedger, Settings, UploadStep,
    testing::{Answer, BASE, Canned, answer, lost, nothing, page},
};
use crate::{
    error::{Error, FailureClass},
    http::{RangedSource, full},
};

const STEP: usize = 256 << 10;

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn source(bytes: &[u8]) -> RangedSource {
    let bytes = bytes.to_vec();
    RangedSource::new(bytes.len() as u64, move |offset, length| {
        let (from, to) = (usize::try_from(offset).unwrap(), usize::try_from(offset + length).unwrap());
        let part = bytes[from..to].to_vec();
        async move { Ok(full(part)) }
    })
}

fn file(method: &str) -> File {
    serde_json::from_value(json!({
        "id": "f", "original_name": "film.mov", "type": "FILE", "status": "OPEN", "storage_method": method,
        "upload_url": "https://b.s3.amazonaws.com/o?sig=whole-hush",
        "multipart_upload_url": "https://b.s3.amazonaws.com/o?uploads&sig=begin-hush",
        "upload_headers": {"x-amz-acl": "private"},
    }))
    .unwrap()
}

fn small_parts() -> Settings {
    Settings { single_upload_bytes: 10, part_bytes: STEP as u64, parts_at_once: 2, ..Settings::at(BASE) }
}

fn begun() -> Answer {
    answer(200, "<R><UploadId>u1</UploadId></R>")
}

fn addresses(numbers: &[u32]) -> Answer {
    let objects: Vec<_> = numbers
        .iter()
        .map(|number| json!({"number": number, "url": format!("https://b.s3.amazonaws.com/o?n={number}")}))
        .collect();
    answer(200, json!({"objects": objects}))
}

fn stored(mark: &str) -> Answer {
    nothing(200).header("etag", mark)
}

fn completing() -> Answer {
    answer(200, json!({"complete_url": "https://b.s3.amazonaws.com/o?complete"}))
}

fn joined() -> Answer {
    answer(200, "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>")
}

async fn step(
    client: &Client,
    file: &File,
    bytes: &[u8],
    ledger: &mut PartLedger,
) -> Result<UploadStep, Error> {
    client.upload_step(&AssetId::new("a"), file, &source(bytes), ledger).await
}

async fn to_the_end(client: &Client, file: &File, bytes: &[u8]) -> Result<(), Error> {
    let mut ledger = PartLedger::default();
    while step(client, file, bytes, &mut ledger).await? != UploadStep::Done {
        // Every step may be another process.
        let kept = serde_json::to_string(&ledger).unwrap();
        ledger = serde_json::from_str(&kept).unwrap();
    }
    assert_eq!(ledger.bytes_sent(), bytes.len() as u64);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_small_file_goes_to_s3_in_one_request_with_the_headers_it_wants() {
    let canned = Canned::new([nothing(200)]);
    to_the_end(&canned.client_with(small_parts()), &file("S3"), b"tiny").await.unwrap();
    let asked = canned.asked().remove(0);
    assert_eq!(asked.line(), "PUT https://b.s3.amazonaws.com/o?sig=whole-hush");
    assert_eq!((asked.body.as_slice(), asked.header("x-amz-acl")), (&b"tiny"[..], "private"));
    assert_eq!(asked.header("auth-token"), "");
}

#[tokio::test(start_paused = true)]
async fn a_large_file_goes_to_s3_in_parts_and_is_the_same_when_joined() {
    let bytes = content(2 * STEP + 7);
    let canned = Canned::new([
        begun(),
        addresses(&[1, 2, 3]),
        stored("\"m1\""),
        stored("\"m2\""),
        addresses(&[1, 2, 3]),
        stored("\"m3\""),
        completing(),
        joined(),
    ]);
    to_the_end(&canned.client_with(small_parts()), &file("S3"), &bytes).await.unwrap();
    let asked = canned.asked();
    assert_eq!(asked[0].line(), "POST https://b.s3.amazonaws.com/o?uploads&sig=begin-hush");
    assert_eq!(
        asked[1].line(),
        "GET files/v1/assets/a/files/f/multipart_url/part/?upload_id=u1&parts_num=3&per_page=100&page=1"
    );
    let sent: Vec<u8> = [2, 3, 5].iter().flat_map(|&at| asked[at].body.clone()).collect();
    assert!(sent == bytes);
    assert_eq!(
        String::from_utf8(asked[7].body.clone()).unwrap(),
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&quot;m1&quot;</ETag></Part>\
         <Part><PartNumber>2</PartNumber><ETag>&quot;m2&quot;</ETag></Part>\
         <Part><PartNumber>3</PartNumber><ETag>&quot;m3&quot;</ETag></Part></CompleteMultipartUpload>"
    );
}

#[tokio::test(start_paused = true)]
async fn parts_that_arrived_before_a_failure_are_not_sent_again() {
    let bytes = content(2 * STEP);
    let canned = Canned::new([
        begun(),
        addresses(&[1, 2]),
        stored("\"m1\""),
        answer(500, "<Error><Code>InternalError</Code></Error>"),
        addresses(&[1, 2]),
        stored("\"m2\""),
    ]);
    let client = canned.client_with(small_parts());
    let mut ledger = PartLedger::default();
    step(&client, &file("S3"), &bytes, &mut ledger).await.unwrap();
    let error = step(&client, &file("S3"), &bytes, &mut ledger).await.unwrap_err();
    assert_eq!((error.class(), ledger.bytes_sent()), (FailureClass::Transient, STEP as u64));
    let went = step(&client, &file("S3"), &bytes, &mut ledger).await.unwrap();
    assert_eq!(went, UploadStep::Going(2 * STEP as u64));
    assert_eq!(canned.lines()[5], "PUT https://b.s3.amazonaws.com/o?n=2");
}

#[tokio::test(start_paused = true)]
async fn an_address_of_a_part_that_has_ended_is_fetched_anew_once() {
    let bytes = content(STEP);
    let canned = Canned::new([
        begun(),
        addresses(&[1]),
        nothing(403),
        addresses(&[1]),
        stored("m"),
        completing(),
        joined(),
    ]);
    to_the_end(&canned.client_with(small_parts()), &file("S3"), &bytes).await.unwrap();
    let canned = Canned::new([begun(), addresses(&[1]), nothing(403), addresses(&[1]), nothing(403)]);
    let error = to_the_end(&canned.client_with(small_parts()), &file("S3"), &bytes).await.unwrap_err();
    assert_eq!(error.code(), "iconik.signed-url-refused");
    assert!(!format!("{error:?}").contains("hush"));
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_the_storage_forgot_begins_anew() {
    let bytes = content(STEP);
    let canned = Canned::new([begun(), addresses(&[1]), nothing(404)]);
    let client = canned.client_with(small_parts());
    let mut ledger = PartLedger::default();
    step(&client, &file("S3"), &bytes, &mut ledger).await.unwrap();
    let error = step(&client, &file("S3"), &bytes, &mut ledger).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Transient, "iconik.upload-gone"));
    assert_eq!(ledger, PartLedger::default());
}

fn one_byte_of(total: usize) -> Answer {
    answer(206, "0").header("content-range", &format!("bytes 0-0/{total}"))
}

#[tokio::test(start_paused = true)]
async fn a_joining_whose_answer_is_lost_is_looked_for_on_the_storage() {
    let bytes = content(STEP);
    let before = || [begun(), addresses(&[1]), stored("m"), completing()];
    let there = || [answer(200, json!({"url": "https://b.s3.amazonaws.com/o?get"})), one_byte_of(STEP)];
    // Lost, and then the storage no longer knows the upload, because it joined it.
    let unknown = || answer(404, "<Error><Code>NoSuchUpload</Code></Error>");
    let canned = Canned::new(before().into_iter().chain([lost(), unknown()]).chain(there()));
    to_the_end(&canned.client_with(small_parts()), &file("S3"), &bytes).await.unwrap();
    // Two hundred, and in it a failure.
    let failed = answer(200, "<Error><Code>InternalError</Code></Error>");
    let missing = [answer(200, json!({"url": "https://b.s3.amazonaws.com/o?get"})), nothing(404)];
    let canned = Canned::new(before().into_iter().chain([failed]).chain(missing));
    let error = to_the_end(&canned.client_with(small_parts()), &file("S3"), &bytes).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Transient, "iconik.storage-failed"));
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_given_up_so_that_nothing_stays_behind() {
    let canned = Canned::new([begun(), nothing(204)]);
    let client = canned.client_with(small_parts());
    let mut ledger = PartLedger::default();
    step(&client, &file("S3"), &content(STEP), &mut ledger).await.unwrap();
    client.abandon_upload(&AssetId::new("a"), &file("S3"), &mut ledger).await.unwrap();
    let asked = canned.asked().remove(1);
    assert_eq!(asked.line(), "POST files/v1/assets/a/files/f/multipart/cleanup/");
    assert_eq!(asked.json(), json!({"upload_id": "u1", "abort_upload": true}));
    assert!(!ledger.is_begun());
}

fn session() -> Answer {
    nothing(201).header("location", "https://storage.googleapis.com/u?upload_id=hush")
}

fn so_far(last: usize) -> Answer {
    nothing(308).header("range", &format!("bytes=0-{last}"))
}

#[tokio::test(start_paused = true)]
async fn google_gets_the_bytes_in_order_and_says_how_far_it_has_come() {
    let bytes = content(2 * STEP + 5);
    let canned = Canned::new([session(), so_far(STEP - 1), so_far(2 * STEP - 1), nothing(200)]);
    to_the_end(&canned.client_with(small_parts()), &file("GCS"), &bytes).await.unwrap();
    let asked = canned.asked();
    assert_eq!((asked[0].method.as_str(), asked[0].header("x-goog-resumable")), ("POST", "start"));
    let ranges: Vec<&str> = asked[1..].iter().map(|asked| asked.header("content-range")).collect();
    assert_eq!(ranges, ["bytes 0-262143/524293", "bytes 262144-524287/524293", "bytes 524288-524292/524293"]);
    let sent: Vec<u8> = asked[1..].iter().flat_map(|asked| asked.body.clone()).collect();
    assert!(sent == bytes);
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_google_that_is_lost_is_asked_for_and_nothing_is_sent_twice() {
    let bytes = content(2 * STEP);
    let canned = Canned::new([session(), lost(), so_far(STEP - 1), page(502), nothing(200)]);
    to_the_end(&canned.client_with(small_parts()), &file("GCS"), &bytes).await.unwrap();
    let ranges: Vec<String> =
        canned.asked()[1..].iter().map(|asked| asked.header("content-range").to_owned()).collect();
    assert_eq!(
        ranges,
        ["bytes 0-262143/524288", "bytes */524288", "bytes 262144-524287/524288", "bytes */524288"]
    );
}

#[tokio::test(start_paused = true)]
async fn google_taking_nothing_is_a_failure_and_no_endless_step() {
    let bytes = content(2 * STEP);
    let canned = Canned::new([session(), answer(500, ""), nothing(308)]);
    let error = to_the_end(&canned.client_with(small_parts()), &file("GCS"), &bytes).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Transient);
    let canned = Canned::new([session(), nothing(410)]);
    let error = to_the_end(&canned.client_with(small_parts()), &file("GCS"), &bytes).await.unwrap_err();
    assert_eq!(error.code(), "iconik.upload-gone");
}

#[tokio::test(start_paused = true)]
async fn an_empty_file_arrives_at_either() {
    let canned = Canned::new([nothing(200)]);
    to_the_end(&canned.client_with(small_parts()), &file("S3"), b"").await.unwrap();
    let canned = Canned::new([session(), nothing(200)]);
    to_the_end(&canned.client_with(small_parts()), &file("GCS"), b"").await.unwrap();
    assert_eq!(canned.asked()[1].header("content-range"), "bytes */0");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_leads_elsewhere_a_gateway_and_a_changed_source_are_refused() {
    let elsewhere = nothing(201).header("location", "https://example.com/u?upload_id=hush");
    let canned = Canned::new([elsewhere]);
    let error =
        to_the_end(&canned.client_with(small_parts()), &file("GCS"), &content(STEP)).await.unwrap_err();
    assert_eq!(error.code(), "iconik.foreign-host");
    let canned = Canned::new([]);
    let error = to_the_end(&canned.client(), &file("FILE"), b"x").await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Invalid, "iconik.no-signed-url"));
    let canned = Canned::new([begun()]);
    let client = canned.client_with(small_parts());
    let mut ledger = PartLedger::default();
    step(&client, &file("S3"), &content(STEP), &mut ledger).await.unwrap();
    let error = step(&client, &file("S3"), &content(STEP + 1), &mut ledger).await.unwrap_err();
    assert_eq!(error.code(), "iconik.content-changed");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_ends_early_never_makes_a_shorter_file() {
    let short = RangedSource::new(8, |_, _| async { Ok(full("1234")) });
    let canned = Canned::new([]);
    let mut ledger = PartLedger::default();
    let outcome = canned
        .client_with(small_parts())
        .upload_step(&AssetId::new("a"), &file("S3"), &short, &mut ledger)
        .await;
    assert!(outcome.is_err() && !ledger.is_done());
}

/// However large a file is, no more of it is held than what is on its way.
#[tokio::test(start_paused = true)]
async fn parts_are_opened_only_when_they_are_sent() {
    let open = Arc::new(Mutex::new(Vec::new()));
    let seen = open.clone();
    let source = RangedSource::new(20 << 30, move |offset, _| {
        seen.lock().unwrap().push(offset);
        async move { Err(Error::invalid("test", "not now")) }
    });
    let canned = Canned::new([begun(), addresses(&[1, 2])]);
    let client = canned.client_with(Settings { part_bytes: 16 << 20, ..small_parts() });
    let mut ledger = PartLedger::default();
    for _ in 0..2 {
        let _ = client.upload_step(&AssetId::new("a"), &file("S3"), &source, &mut ledger).await;
    }
    assert_eq!(*open.lock().unwrap(), [0, 16 << 20]);
}
