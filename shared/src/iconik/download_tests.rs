use http_body_util::BodyExt;
use serde_json::json;

use super::{
    AssetId, Client, Content, FileId, KeyframeId, Settings,
    testing::{Answer, BASE, Canned, answer, bytes, nothing, page, range},
};
use crate::error::{Error, FailureClass};

const WHOLE: &[u8] = b"0123456789abcdef";

fn file() -> Content {
    Content::File(AssetId::new("a"), FileId::new("f"))
}

fn address(key: &str) -> Answer {
    answer(200, json!({"url": format!("https://bucket.s3.amazonaws.com/o?X-Amz-Signature={key}")}))
}

fn whole() -> Answer {
    bytes(200, WHOLE).header("etag", "\"mark\"")
}

/// Reads everything and gives the bytes as they came.
async fn bytes_of(client: &Client, content: &Content) -> Result<Vec<u8>, Error> {
    let download = client.download(content).await?;
    let read = download.body.collect().await.map_err(|error| *error.downcast::<Error>().unwrap())?;
    Ok(read.to_bytes().to_vec())
}

#[tokio::test(start_paused = true)]
async fn an_address_is_fetched_just_in_time_and_the_storage_sees_no_credential_of_ours() {
    let canned = Canned::new([address("hush"), whole()]);
    assert_eq!(bytes_of(&canned.client(), &file()).await.unwrap(), WHOLE);
    let asked = canned.asked();
    assert_eq!(asked[0].line(), "GET files/v1/assets/a/files/f/download_url/");
    assert_eq!(asked[1].line(), "GET https://bucket.s3.amazonaws.com/o?X-Amz-Signature=hush");
    assert_eq!((asked[1].header("app-id"), asked[1].header("auth-token")), ("", ""));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_has_ended_is_fetched_anew_once() {
    for refused in [403, 400, 401] {
        let canned = Canned::new([address("old"), nothing(refused), address("new"), whole()]);
        assert_eq!(bytes_of(&canned.client(), &file()).await.unwrap(), WHOLE);
    }
    let canned = Canned::new([address("old-hush"), nothing(403), address("new-hush"), nothing(403)]);
    let error = bytes_of(&canned.client(), &file()).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "iconik.signed-url-refused"));
    assert!(!format!("{error:?}").contains("hush"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn an_address_out_of_the_cache_is_asked_for_past_it() {
    let canned = Canned::new([address("old"), nothing(403), address("old"), address("new"), whole()]);
    assert_eq!(bytes_of(&canned.client(), &file()).await.unwrap(), WHOLE);
    assert_eq!(canned.lines()[3], "GET files/v1/assets/a/files/f/?bypass_url_cache=true");
    assert!(canned.lines()[4].ends_with("=new"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_cut_goes_on_where_it_broke_with_a_fresh_address_if_need_be() {
    let canned = Canned::new([
        address("one"),
        whole().cut_after(5),
        range(WHOLE, 5, 16).cut_after(3),
        nothing(403),
        address("two"),
        range(WHOLE, 8, 16),
    ]);
    assert_eq!(bytes_of(&canned.client(), &file()).await.unwrap(), WHOLE);
    let ranges: Vec<String> = canned.asked().iter().map(|asked| asked.header("range").to_owned()).collect();
    assert_eq!(ranges, ["", "", "bytes=5-", "bytes=8-", "", "bytes=8-"]);
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_ignores_ranges_is_read_from_its_beginning_again() {
    let canned = Canned::new([address("one"), whole().cut_after(5), whole()]);
    assert_eq!(bytes_of(&canned.client(), &file()).await.unwrap(), WHOLE);
}

#[tokio::test(start_paused = true)]
async fn other_bytes_under_the_same_name_never_continue_a_download() {
    let other = range(WHOLE, 5, 16).header("etag", "\"other\"");
    let replaced = Canned::new([address("one"), whole().cut_after(5), other]);
    let shorter = range(&WHOLE[..12], 5, 12);
    let truncated = Canned::new([address("one"), whole().cut_after(5), shorter]);
    for canned in [replaced, truncated] {
        let error = bytes_of(&canned.client(), &file()).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Conflict, "iconik.content-changed"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_breaks_off_again_and_again_is_given_up() {
    let mut answers = vec![address("one"), whole().cut_after(5)];
    answers.extend((0..4).map(|_| range(WHOLE, 5, 16).cut_after(0)));
    let canned = Canned::new(answers);
    let error = bytes_of(&canned.client(), &file()).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Transient, "iconik.content-cut"));
}

#[tokio::test(start_paused = true)]
async fn a_range_is_exactly_what_was_asked_for() {
    let canned = Canned::new([address("one"), range(WHOLE, 4, 9), address("one"), whole()]);
    let client = canned.client();
    for _ in 0..2 {
        let download = client.download_range(&file(), 4..9).await.unwrap();
        assert_eq!(download.length, 5);
        assert_eq!(download.body.collect().await.unwrap().to_bytes().as_ref(), &WHOLE[4..9]);
    }
    assert_eq!(canned.asked()[1].header("range"), "bytes=4-8");
    let behind = Canned::new([address("one"), nothing(416).header("content-range", "bytes */16")]);
    let error = behind.client().download_range(&file(), 20..30).await.unwrap_err();
    assert_eq!(error.code(), "iconik.content-changed");
}

#[tokio::test(start_paused = true)]
async fn a_download_begins_at_any_byte_and_at_the_end_is_nothing() {
    let canned = Canned::new([address("one"), range(WHOLE, 10, 16)]);
    let download = canned.client().download_from(&file(), 10).await.unwrap();
    assert_eq!(download.length, 6);
    assert_eq!(download.body.collect().await.unwrap().to_bytes().as_ref(), b"abcdef");
    let end = Canned::new([address("one"), nothing(416).header("content-range", "bytes */16")]);
    let download = end.client().download_from(&file(), 16).await.unwrap();
    assert_eq!(download.length, 0);
    let empty = Canned::new([address("one"), bytes(200, b"")]);
    assert_eq!(bytes_of(&empty.client(), &file()).await.unwrap(), b"");
}

#[tokio::test(start_paused = true)]
async fn a_storage_without_addresses_and_one_elsewhere_are_refused_in_words() {
    for silent in [json!({"url": null}), json!({"url": ""}), json!({})] {
        let canned = Canned::new([answer(200, silent)]);
        let error = bytes_of(&canned.client(), &file()).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Invalid, "iconik.no-signed-url"));
    }
    let missing = || answer(404, json!({"errors": ["There is no download URL"]}));
    for (there, code) in
        [(answer(200, json!({"id": "f"})), "iconik.no-signed-url"), (missing(), "iconik.not-found")]
    {
        let canned = Canned::new([missing(), there]);
        assert_eq!(bytes_of(&canned.client(), &file()).await.unwrap_err().code(), code);
    }
    let canned = Canned::new([answer(200, json!({"url": "https://example.com/?sig=hush"}))]);
    let error = bytes_of(&canned.client(), &file()).await.unwrap_err();
    assert_eq!(error.code(), "iconik.foreign-host");
    assert!(!format!("{error:?}").contains("hush"));
    assert_eq!(canned.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_storage_lacks_is_gone_and_what_it_compresses_is_refused() {
    let canned = Canned::new([address("one"), nothing(404)]);
    let error = bytes_of(&canned.client(), &file()).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Gone, "iconik.content-missing"));
    let canned = Canned::new([address("one"), whole().header("content-encoding", "gzip")]);
    let error = bytes_of(&canned.client(), &file()).await.unwrap_err();
    assert_eq!(error.code(), "iconik.encoded-content");
    let canned = Canned::new([address("one"), page(200)]);
    let error = bytes_of(&canned.client(), &file()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Transient, "a page without a length is no content");
}

#[tokio::test(start_paused = true)]
async fn the_size_on_the_storage_is_told_without_reading_it() {
    let one = bytes(206, b"0").header("content-range", "bytes 0-0/21474836480");
    let canned = Canned::new([address("one"), one]);
    assert_eq!(canned.client().stored_size(&file()).await.unwrap(), 21_474_836_480);
}

#[tokio::test(start_paused = true)]
async fn a_picture_brings_its_address_itself() {
    let canned = Canned::new([address("one"), whole()]);
    let picture = Content::Keyframe(AssetId::new("a"), KeyframeId::new("k"));
    assert_eq!(bytes_of(&canned.client_with(Settings::at(BASE)), &picture).await.unwrap(), WHOLE);
    assert_eq!(canned.lines()[0], "GET files/v1/assets/a/keyframes/k/");
}
