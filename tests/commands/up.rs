//! `make up`: what it says to type is what works, and `make down` leaves nothing of it running.

use std::time::{Duration, Instant};

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;
use serde_json::Value;
use shared::{aws, context::Context, http::Transport};
use tests::web;

use super::{
    down::{Place, said},
    program,
};

const SOME: &[u8] = b"%PDF-1.7\na file of one's own\n%%EOF\n";

/// What is at a path in Content Server once it is there, and its bytes. Nothing when it does not come.
async fn arrives(content_server: &str, path: &str) -> Option<(Value, Vec<u8>)> {
    let path = utf8_percent_encode(path, NON_ALPHANUMERIC);
    let address = format!("{content_server}/_simulator/state/objects/{path}");
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        let shown = web::ask(Method::GET, &address, &[], "").await.expect("the simulator answers");
        if shown.status == 200 {
            let shown: Value = serde_json::from_slice(&shown.body).expect("JSON");
            let content = format!("{content_server}/_simulator/content/{}/1", shown["id"]);
            let content = web::ask(Method::GET, &content, &[], "").await.expect("the simulator answers");
            return Some((shown, content.body.to_vec()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}

#[tokio::test]
async fn a_file_of_ones_own_is_in_content_server_soon_after_and_down_ends_everything() {
    let place = Place::new();
    if !place.has_stand_in() {
        return;
    }
    let artefacts = std::env::var("WAYBILL_ARTEFACTS").ok();
    let mut variables = place.variables();
    variables.extend(artefacts.map(|folder| ("WAYBILL_ARTEFACTS".to_owned(), folder)));
    let up = program::run("demo", &["up"], &variables, b"").await;
    assert_eq!(up.code, 0, "{}{}", up.out, up.err);

    let command =
        Regex::new(r"aws --endpoint-url (\S+) s3 cp some\.pdf s3://([^/]+)/(\S+)").expect("a pattern");
    let [endpoint, bucket, key] = command.captures(&up.out).expect("what to type").extract().1;
    let folder = Regex::new(r"(http://\S+)/_simulator/   Enterprise / (.+)").expect("a pattern");
    let [content_server, folder] = folder.captures(&up.out).expect("where to look").extract().1;
    let transport = Transport::network().expect("a transport");
    let s3 = aws::s3(&aws::connect_to(&transport, &Context::system(), endpoint, "000000000000"));
    let put = s3.put_object().bucket(bucket).key(key).body(SOME.to_vec().into()).send().await;
    let arrived = arrives(content_server, &format!("{}:some.pdf", folder.replace(" / ", ":"))).await;
    let again = program::run("demo", &["up"], &variables, b"").await;
    said(&place.down().await, "stopped", "stopped");

    put.expect("the upload");
    let (shown, bytes) = arrived.expect("it is in Content Server within a minute");
    assert_eq!((shown["name"].as_str(), bytes.as_slice()), (Some("some.pdf"), SOME));
    assert_eq!(again.code, 1, "who is up already is told so: {}", again.out);
    assert!(again.err.contains("It is up already"), "{}", again.err);
    let gone = web::ask(Method::GET, &format!("{content_server}/_simulator/"), &[], "").await;
    assert!(gone.is_err(), "nothing answers any more");
}
