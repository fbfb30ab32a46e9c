//! No secret is written anywhere, with the log as talkative as it can be set.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use aws_sdk_s3::primitives::ByteStream;
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use http::{HeaderMap, Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::{
    context::Context,
    links::{Audience, Links, NewLink, Origin, Target},
};
use simulators::{content_server::seed, serve};
use tests::{
    installation::{Installation, Keeping},
    messages,
    runtime::{Function, Queue},
};

use crate::{
    receive_iconik,
    world::{Usual, World},
};

const AWS_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const AWS_SESSION: &str = "FwoGZXIvYXdzEBYaDNotToBeSeenAnywhere";

fn talkative(_: &Installation) -> Vec<(&'static str, String)> {
    vec![("RUST_LOG", "trace".into())]
}

/// The stand-in verifies signed addresses by a secret of its own, but not the signatures of calls.
fn with_keys(place: &Installation) -> Vec<(&'static str, String)> {
    let mut variables = talkative(place);
    variables.push(("AWS_SECRET_ACCESS_KEY", AWS_SECRET.into()));
    variables.push(("AWS_SESSION_TOKEN", AWS_SESSION.into()));
    variables
}

/// Every ticket and token that passed between the function and Content Server.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<BTreeSet<String>>>);

impl Heard {
    /// Lets the function reach Content Server through an address at which its tickets are overheard.
    async fn between(world: &mut World) -> Self {
        let heard = Self::default();
        let listener = heard.clone();
        let listen = middleware::from_fn(move |request: Request, next: Next| {
            let listener = listener.clone();
            async move { listener.pass(request, next).await }
        });
        let (address, _) = serve(world.ecm.router().layer(listen), 0).await.expect("a free port");
        let mut settings = world.function.settings().clone();
        let url = format!("http://{address}/otcs/cs.exe");
        settings.variables.insert("WAYBILL_CONTENT_SERVER_URL".to_owned(), url);
        world.function = Function::new(settings);
        world.queue = Queue::new(world.place.sqs.clone(), &world.place.queue_url, world.function.clone());
        heard
    }

    async fn pass(&self, request: Request, next: Next) -> Response {
        self.note_headers(request.headers());
        let path = request.uri().path();
        let signs_in = ["/api/v1/auth", "/oauth2/token", "/authentication/credentials"];
        let signs_in = request.method() == Method::POST && signs_in.iter().any(|end| path.ends_with(end));
        let answer = next.run(request).await;
        self.note_headers(answer.headers());
        if !signs_in {
            return answer;
        }
        let (parts, body) = answer.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.expect("an answer");
        let told: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        for name in ["ticket", "access_token", "token"] {
            self.note(told[name].as_str());
        }
        Response::from_parts(parts, Body::from(bytes))
    }

    fn note_headers(&self, headers: &HeaderMap) {
        for name in ["otcsticket", "otdsticket", "authorization"] {
            let text = headers.get(name).and_then(|value| value.to_str().ok());
            self.note(text.map(|text| text.trim_start_matches("Bearer ")));
        }
    }

    fn note(&self, secret: Option<&str>) {
        self.0.lock().unwrap().extend(secret.map(str::to_owned));
    }

    fn all(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Uploads that are delivered, put aside and delivered with a renewed ticket, signed in by the secret of this text.
async fn delivered_with(secret: impl FnOnce(&World) -> Value) -> (World, BTreeSet<String>) {
    let mut world = World::with(Usual { variables: with_keys, ..Usual::default() }).await;
    let heard = Heard::between(&mut world).await;
    world.place.set_secret(&world.place.secret, &secret(&world).to_string()).await;
    world.upload("claims/100117/kitchen.txt", *b"water everywhere").await;
    world.upload("inbox/holiday.jpg", b"MZ\x90\0 not a picture".to_vec()).await;
    world.upload("misconfigured/letter.txt", *b"dear sirs").await;
    world.settle().await;
    world.ecm.with_state(|state| state.end_all_sessions());
    world.upload("inbox/letter.txt", *b"dear madam").await;
    world.send("no event, and a dead letter").await;
    world.settle().await;
    world.only_document("Claims/100117", b"water everywhere");
    world.only_document("Claims/Incoming", b"dear madam");
    let sign_ins = world.ecm.journal().entries().iter().filter(|entry| entry.path.ends_with("/auth")).count();
    assert!(sign_ins >= 2, "the ticket was renewed; {}", world.told());
    let mut secrets = heard.all();
    assert!(secrets.len() >= 4, "every answer brings a fresh ticket: {secrets:?}");
    secrets.extend([AWS_SECRET.to_owned(), AWS_SESSION.to_owned()]);
    (world, secrets)
}

fn directory(world: &World) -> String {
    let address = &world.function.settings().variables["WAYBILL_CONTENT_SERVER_URL"];
    address.replace("/otcs/cs.exe", "/otdsws")
}

async fn is_silent(world: &World, mut secrets: BTreeSet<String>, more: &[&str]) {
    secrets.extend(more.iter().map(|secret| (*secret).to_owned()));
    world.keeps_to_itself(&secrets).await;
    let log = world.function.log().text();
    assert!(log.contains("ended"), "{log}");
    for sign in ["X-Amz-Signature", "Signature=", "x-amz-security-token"] {
        assert!(!log.to_lowercase().contains(&sign.to_lowercase()), "{sign}: {log}");
    }
}

#[tokio::test]
async fn a_password_and_its_tickets_are_written_nowhere() {
    let (world, secrets) = delivered_with(
        |_| json!({"mode": "password", "username": seed::SERVICE_USER, "password": seed::PASSWORD}),
    )
    .await;
    is_silent(&world, secrets, &[seed::PASSWORD]).await;
}

#[tokio::test]
async fn a_password_that_is_refused_is_written_nowhere() {
    const WRONG: &str = "sesame-open-yourself";
    let world = World::with(Usual { password: WRONG, variables: with_keys, ..Usual::default() }).await;
    world.upload("inbox/letter.txt", *b"dear sirs").await;
    assert_eq!(world.deliver().await.stay, 1);
    let log = world.function.log().text();
    assert!(log.contains("content-server.credentials-refused"), "{log}");
    world.keeps_to_itself(&BTreeSet::from([WRONG.to_owned(), AWS_SECRET.to_owned()])).await;
}

#[tokio::test]
async fn a_client_secret_its_tokens_and_tickets_are_written_nowhere() {
    let (world, secrets) = delivered_with(|world| {
        json!({"mode": "otds-client", "otds_url": directory(world), "client_id": seed::CLIENT_ID,
            "client_secret": seed::CLIENT_SECRET})
    })
    .await;
    is_silent(&world, secrets, &[seed::CLIENT_SECRET]).await;
}

#[tokio::test]
async fn a_directory_password_and_its_tickets_are_written_nowhere() {
    let (world, secrets) = delivered_with(|world| {
        json!({"mode": "otds-user", "otds_url": directory(world), "username": seed::SERVICE_USER,
            "password": seed::PASSWORD})
    })
    .await;
    is_silent(&world, secrets, &[seed::PASSWORD]).await;
}

#[tokio::test]
async fn a_bearer_token_and_its_tickets_are_written_nowhere() {
    let (world, secrets) = delivered_with(|world| {
        let token = world.ecm.with_state(|state| state.issue_bearer(seed::WAYBILL));
        json!({"mode": "bearer", "token": token})
    })
    .await;
    is_silent(&world, secrets, &[]).await;
}

#[tokio::test]
async fn an_expiring_link_and_the_signed_address_behind_it_are_written_nowhere() {
    let usual = Usual { content: Some(Keeping::Versions), variables: talkative, ..Usual::of("serve-links") };
    let world = World::with(usual).await;
    let key = "7001/3/partner/contract.pdf";
    let body = ByteStream::from_static(b"the contract");
    world.place.s3.put_object().bucket(&world.place.content).key(key).body(body).send().await.unwrap();
    let new = NewLink {
        target: Target {
            bucket: world.place.content.clone(),
            key: key.into(),
            version: None,
            file_name: "contract.pdf".into(),
            content_type: "application/pdf".into(),
            sha256: None,
        },
        valid_until: Context::system().now() + SignedDuration::from_hours(1),
        uses: None,
        audience: Audience::everybody(),
        origin: Origin { flow: "publish-approved".into(), reference: "7001 v3".into(), asset: "7001".into() },
    };
    let link = Links::new(world.ledger()).issue(&new).await.unwrap();
    let token = link.token.text();
    let answer = world.ask(Method::GET, &format!("/{token}"), &[("accept", "text/html")], "").await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT, "{}", world.told());
    let address = answer.header("location");
    let signature = address.split('&').find_map(|part| part.strip_prefix("X-Amz-Signature="));
    let signature = signature.expect("the address is signed").to_owned();
    world.keeps_to_itself(&BTreeSet::from([token.to_owned(), signature])).await;
    assert!(!world.function.log().text().contains("X-Amz-"), "{}", world.told());
}

#[tokio::test]
async fn the_secret_that_pushes_are_signed_with_is_written_nowhere() {
    const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let world = World::with(Usual {
        rules: Some(|_| {
            "[[feed]]\nname = \"scans\"\nflows = [\"offload-content\"]\nsearch = { below = 3004 }\n".into()
        }),
        tells: &["offload-content"],
        variables: talkative,
        ..Usual::of("watch-content-server")
    })
    .await;
    let push = r#"{"feed": "scans", "node": 4711, "request": "recall"}"#;
    assert_eq!(world.push("msg_1", push).await.status, StatusCode::ACCEPTED, "{}", world.told());
    // A signature that is right for another body is refused, and written nowhere either.
    let forged = messages::push_headers(&format!(r#"{{"current": "whsec_{SECRET}"}}"#), "msg_2", push);
    let forged: Vec<(&str, &str)> = forged.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = world.ask(Method::POST, "/changes", &forged, "{}").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", world.told());
    let signature =
        forged.iter().find(|(name, _)| *name == "webhook-signature").expect("signed").1.to_owned();
    world.keeps_to_itself(&BTreeSet::from([SECRET.to_owned(), signature])).await;
}

#[tokio::test]
async fn what_iconik_sends_to_show_who_it_is_and_the_token_of_whoever_pressed_are_written_nowhere() {
    let world = World::with(Usual {
        rules: Some(|_| receive_iconik::SUBSCRIPTIONS.into()),
        tells: receive_iconik::TELLS,
        variables: talkative,
        ..Usual::of("receive-iconik")
    })
    .await;
    let (press, secret) = (receive_iconik::press(), receive_iconik::SECRET);
    let taken = receive_iconik::tell(&world, "/actions", secret, &press).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", world.told());
    // At the wrong door, by a stranger, and without its id, the same body is refused; what is in it is told nowhere either.
    let mut nameless = press.clone();
    nameless["action_id"] = Value::Null;
    for (path, known, body) in [
        ("/webhooks", secret, &press),
        ("/actions", "sesame-open-yourself-now", &press),
        ("/actions", secret, &nameless),
    ] {
        let refused = receive_iconik::tell(&world, path, known, body).await;
        assert!(refused.status.is_client_error(), "{}", world.told());
        assert!(!refused.text().contains("eyJ"), "{}", refused.text());
    }
    for flow in receive_iconik::TELLS {
        for message in world.bodies_of(flow).await {
            assert!(!message.contains("eyJ"), "{message}");
        }
    }
    let mut secrets: BTreeSet<String> = receive_iconik::TOKEN.split('.').map(str::to_owned).collect();
    secrets.extend([secret.to_owned(), "sesame-open-yourself-now".to_owned()]);
    world.keeps_to_itself(&secrets).await;
}
