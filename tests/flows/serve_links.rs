//! An expiring link leads to the document, as often as it may.

use aws_sdk_s3::primitives::ByteStream;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use shared::{
    audit::EventType,
    context::Context,
    links::{Audience, Issued, Links, NewLink, Origin, Target},
};
use tests::{
    installation::Keeping,
    web::{self, Answer},
};

use crate::world::{Usual, World, content};

const KEY: &str = "7001/3/partner/contract.pdf";
const ASSET: &str = "asset-of-7001";

async fn published(bytes: &[u8]) -> World {
    let world = World::with(Usual { content: Some(Keeping::Versions), ..Usual::of("serve-links") }).await;
    let body = ByteStream::from(bytes.to_vec());
    let request = world.place.s3.put_object().bucket(&world.place.content).key(KEY).body(body);
    request.send().await.unwrap();
    world
}

/// A link as `publish-approved` issues one.
async fn issue(world: &World, uses: u32) -> Issued {
    let new = NewLink {
        target: Target {
            bucket: world.place.content.clone(),
            key: KEY.into(),
            version: None,
            file_name: "Vertrag für Söhne.pdf".into(),
            content_type: "application/pdf".into(),
            sha256: None,
        },
        valid_until: Context::system().now() + SignedDuration::from_hours(1),
        uses: std::num::NonZeroU32::new(uses),
        audience: Audience::everybody(),
        origin: Origin { flow: "publish-approved".into(), reference: "7001 v3".into(), asset: ASSET.into() },
    };
    Links::new(world.ledger()).issue(&new).await.unwrap()
}

async fn visit(world: &World, method: Method, token: &str) -> Answer {
    world.ask(method, &format!("/{token}"), &[("accept", "text/html")], "").await
}

#[tokio::test]
async fn a_link_leads_to_the_document_in_ranges_too_and_each_use_is_in_the_audit() {
    let document = content(300_000, 1);
    let world = published(&document).await;
    let link = issue(&world, 1).await;
    // Looking costs no use.
    let looked = visit(&world, Method::HEAD, link.token.text()).await;
    assert_eq!(looked.status, StatusCode::TEMPORARY_REDIRECT, "{}", world.told());
    let answer = visit(&world, Method::GET, link.token.text()).await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT, "{}", world.told());
    assert!(!answer.header("location").contains(link.token.text()), "storage does not learn the link");
    let whole = web::ask(Method::GET, answer.header("location"), &[], "").await.unwrap();
    assert!(whole.body == document, "{}", whole.status);
    assert_eq!(whole.header("content-type"), "application/pdf");
    // A download that broke off goes on, within the same use.
    let again = visit(&world, Method::GET, link.token.text()).await;
    let range = [("range", "bytes=100000-199999")];
    let part = web::ask(Method::GET, again.header("location"), &range, "").await.unwrap();
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert!(part.body == document[100_000..200_000]);
    let events = world.audit(ASSET).await;
    let downloads = events.iter().filter(|event| event.event.event_type == EventType::Dissemination);
    assert_eq!(downloads.count(), 1, "{events:?}");
}

#[tokio::test]
async fn a_revoked_link_says_so_and_what_never_was_one_says_nothing() {
    let world = published(b"the approved contract").await;
    let link = issue(&world, 1).await;
    Links::new(world.ledger()).revoke(&link.id, "superseded").await.unwrap();
    let gone = visit(&world, Method::GET, link.token.text()).await;
    assert_eq!(gone.status, StatusCode::GONE, "{}", world.told());
    assert!(gone.text().contains("<html"), "a page for people: {}", gone.text());
    let mut answers = Vec::new();
    for token in ["AAAAAAAAAAAAAAAAAAAAAA", "no-token", "../../etc/passwd"] {
        let answer = visit(&world, Method::GET, token).await;
        answers.push((answer.status, answer.text()));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0].0, StatusCode::NOT_FOUND);
}
