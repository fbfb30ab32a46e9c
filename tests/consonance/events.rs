//! Events about an account travel by Standard Webhooks: what others sign is taken, what we sign others take.

use http::HeaderMap;
use shared::{
    consonance::events::{Event, Kind, Received},
    context::Context,
    webhook::{Refusal, TOLERANCE, Verifier},
};
use standardwebhooks::Webhook;

const OLD: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
const NEW: &str = "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";
const NOW: i64 = 1_767_225_600;
const BODY: &[u8] = br#"{"type":"title.updated","timestamp":"2026-01-01T00:00:00Z","schema_version":1,"account":"harbour","data":{"work_id":1001}}"#;

fn verifier(current: &str, previous: &str) -> Verifier {
    Verifier::from_json(&format!(r#"{{"current":"{current}","previous":"{previous}"}}"#)).unwrap()
}

fn headers(id: &str, at: i64, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", id.parse().unwrap());
    headers.insert("webhook-timestamp", at.into());
    headers.insert("webhook-signature", signature.parse().unwrap());
    headers
}

fn moment(second: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(second).unwrap()
}

#[test]
fn the_signature_of_a_known_event_is_made_as_everybody_makes_it() {
    let body = br#"{"type":"title.updated","timestamp":"2026-01-01T00:00:00Z","data":{"work_id":1001}}"#;
    let signature = verifier(OLD, "").sign("msg_consonance_0001", NOW, body);
    assert_eq!(signature, "v1,jAkBSQcgtsRQDbqbLNvQ/l352jQVoj2/3gShMR+LDwo=");
}

#[test]
fn what_the_reference_library_signs_is_taken_and_read() {
    let signature = Webhook::new(OLD).unwrap().sign("msg_1", NOW, BODY).unwrap();
    let told = verifier(OLD, "").verify(&headers("msg_1", NOW, &signature), BODY, moment(NOW)).unwrap();
    assert_eq!((told.id.as_str(), told.signed_at), ("msg_1", NOW));
    let Ok(Received::Event(event)) = Event::read(BODY) else { panic!("an event") };
    assert_eq!((event.kind, event.about.work_id), (Kind::TitleUpdated, Some(1001)));
}

/// The library takes the time from the machine.
fn now() -> i64 {
    Context::system().now().as_second()
}

#[test]
fn what_we_sign_the_reference_library_takes() {
    let at = now();
    let signature = verifier(OLD, "").sign("msg_1", at, BODY);
    let headers = headers("msg_1", at, &signature);
    Webhook::new(OLD).unwrap().verify(BODY, &headers).unwrap();
    assert!(Webhook::new(NEW).unwrap().verify(BODY, &headers).is_err());
    assert!(Webhook::new(OLD).unwrap().verify(b"{}", &headers).is_err());
}

#[test]
fn both_sides_change_their_secret_without_losing_an_event() {
    let sign = |secret: &str| Webhook::new(secret).unwrap().sign("msg_1", NOW, BODY).unwrap();
    let both = format!("{} v1a,ignored {}", sign(OLD), sign(NEW));
    let taken = |verifier: &Verifier, signature: &str| {
        verifier.verify(&headers("msg_1", NOW, signature), BODY, moment(NOW)).is_ok()
    };
    for receiver in [verifier(OLD, ""), verifier(NEW, OLD), verifier(NEW, "")] {
        assert!(taken(&receiver, &both), "a sender that signs with both");
    }
    assert!(taken(&verifier(NEW, OLD), &sign(OLD)) && taken(&verifier(NEW, OLD), &sign(NEW)));
    assert!(!taken(&verifier(NEW, ""), &sign(OLD)));
}

#[test]
fn both_sides_have_the_same_tolerance() {
    let (near, far) = (TOLERANCE - 20, TOLERANCE + 20);
    for (shift, fits) in [(0, true), (near, true), (-near, true), (far, false), (-far, false)] {
        let now = now();
        let at = now - shift;
        let signature = verifier(OLD, "").sign("msg_1", at, BODY);
        let headers = headers("msg_1", at, &signature);
        let ours = verifier(OLD, "").verify(&headers, BODY, moment(now));
        let theirs = Webhook::new(OLD).unwrap().verify(BODY, &headers);
        assert_eq!((ours.is_ok(), theirs.is_ok()), (fits, fits), "{shift} seconds");
        if !fits {
            assert_eq!(ours, Err(Refusal::Time));
        }
    }
}
