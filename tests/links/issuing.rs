//! Issuing and revoking.

use shared::{
    audit::EventType,
    links::{Answer, Audience, Ended, NewLink, Origin, Target},
};

use crate::place::{ASSET, BEGINNING, Place, REFERENCE};

#[tokio::test(start_paused = true)]
async fn the_ledger_knows_a_link_but_never_its_token() {
    let place = Place::new().await;
    let issued = place.issue(Some(3)).await;
    assert_eq!(issued.token.text().len(), 22, "128 bits, six a character");
    assert!(place.table().contains(issued.id.text()));
    assert!(!place.table().contains(issued.token.text()));
    assert!(!format!("{issued:?}").contains(issued.token.text()), "nor does a log");
}

#[tokio::test(start_paused = true)]
async fn no_two_links_are_alike() {
    let place = Place::new().await;
    let (one, other) = (place.issue(None).await, place.issue(None).await);
    assert_ne!(one.token.text(), other.token.text());
    assert_ne!(one.id, other.id);
}

#[tokio::test(start_paused = true)]
async fn issuing_and_revoking_are_in_the_audit_of_the_asset() {
    let place = Place::new().await;
    let issued = place.issue(Some(2)).await;
    assert!(place.links.revoke(&issued.id, "approval withdrawn").await.unwrap());
    let chain = place.ledger.chain(ASSET).await.unwrap();
    let told: Vec<(EventType, &str, &str)> = chain
        .iter()
        .map(|event| {
            (event.event.event_type, event.event.detail["action"].as_str(), event.event.item.as_str())
        })
        .collect();
    assert_eq!(
        told,
        [
            (EventType::PolicyAssignment, "link issued", "publish-approved 7001 v3"),
            (EventType::PolicyAssignment, "link revoked", "publish-approved 7001 v3"),
        ]
    );
    assert_eq!(chain[0].event.detail["uses"], "2");
    assert_eq!(chain[1].event.detail["reason"], "approval withdrawn");
    assert_eq!(chain[1].event.detail["link"], issued.id.short());
}

#[tokio::test(start_paused = true)]
async fn a_revoked_link_says_so_and_revoking_again_does_nothing() {
    let place = Place::new().await;
    let issued = place.issue(None).await;
    assert!(place.links.revoke(&issued.id, "superseded").await.unwrap());
    assert!(!place.links.revoke(&issued.id, "superseded").await.unwrap());
    let answer = place.download(&issued.token, "203.0.113.7").await;
    assert!(matches!(answer, Answer::Ended(_, Ended::Revoked)), "{answer:?}");
    assert_eq!(place.ledger.chain(ASSET).await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn all_links_of_a_document_are_revoked_together_and_no_others() {
    let place = Place::new().await;
    let mut of_the_document = Vec::new();
    for _ in 0..3 {
        of_the_document.push(place.issue(None).await);
    }
    let mut others = Vec::new();
    for (flow, reference) in [("publish-approved", "7001 v4"), ("serve-access-requests", REFERENCE)] {
        let origin = Origin { flow: flow.into(), reference: reference.into(), asset: ASSET.into() };
        others.push(place.links.issue(&NewLink { origin, ..place.new_link() }).await.unwrap());
    }
    assert_eq!(place.links.issued_for("publish-approved", REFERENCE).await.unwrap().len(), 3);
    assert_eq!(place.links.revoke_all("publish-approved", REFERENCE, "superseded").await.unwrap(), 3);
    assert_eq!(place.links.revoke_all("publish-approved", REFERENCE, "superseded").await.unwrap(), 0);
    for link in &of_the_document {
        let answer = place.download(&link.token, "203.0.113.7").await;
        assert!(matches!(answer, Answer::Ended(_, Ended::Revoked)), "{answer:?}");
    }
    for link in &others {
        let answer = place.download(&link.token, "203.0.113.7").await;
        assert!(matches!(answer, Answer::Open { .. }), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_nobody_could_use_is_refused_before_anything_is_written() {
    let place = Place::new().await;
    let good = place.new_link();
    let target = |change: fn(&mut Target)| {
        let mut target = good.target.clone();
        change(&mut target);
        NewLink { target, ..good.clone() }
    };
    let origin = Origin { reference: String::new(), ..good.origin.clone() };
    for (field, link) in [
        ("valid_until", NewLink { valid_until: BEGINNING.parse().unwrap(), ..good.clone() }),
        ("target", target(|target| target.key.clear())),
        ("file_name", target(|target| target.file_name = "a\r\nSet-Cookie: b".into())),
        ("content_type", target(|target| target.content_type = "text/html\r\nX: y".into())),
        ("content_type", target(|target| target.content_type = "pdf".into())),
        ("origin", NewLink { origin, ..good.clone() }),
    ] {
        let error = place.links.issue(&link).await.unwrap_err();
        assert_eq!((error.code(), error.field_name()), ("link.invalid", Some(field)));
    }
    assert_eq!(place.table(), "[]");
}

#[tokio::test(start_paused = true)]
async fn an_audience_survives_the_ledger() {
    let place = Place::new().await;
    let audience = Audience::of(&["example.com"], &["203.0.113.0/24", "2001:db8::/32"]).unwrap();
    let issued =
        place.links.issue(&NewLink { audience: audience.clone(), ..place.new_link() }).await.unwrap();
    let visitor =
        shared::links::Visitor { email: Some("a@example.com".into()), ..crate::place::at("203.0.113.7") };
    let answer = place.links.visit(&issued.token, &visitor, crate::place::window(15), "x").await.unwrap();
    let Answer::Open { link, counted: true } = answer else { panic!("{answer:?}") };
    assert_eq!((link.audience, link.target), (audience, place.target.clone()));
    let chain = place.ledger.chain(ASSET).await.unwrap();
    assert_eq!(chain[1].event.detail["domain"], "example.com");
    assert_eq!(chain[1].event.message_digest, place.target.sha256);
    assert!(!place.table().contains("a@example.com") && !place.table().contains("203.0.113.7"));
}

#[tokio::test(start_paused = true)]
async fn a_moved_link_leads_elsewhere_with_its_uses_and_the_audit_says_so() {
    let place = Place::new().await;
    let issued = place.issue(Some(2)).await;
    place.download(&issued.token, "203.0.113.7").await;
    let target = Target { version: Some("v2".into()), sha256: Some("cd".repeat(32)), ..place.target.clone() };
    assert!(place.links.retarget(&issued.id, &target).await.unwrap());
    assert!(!place.links.retarget(&issued.id, &target).await.unwrap(), "it leads there already");
    let answer = place.download(&issued.token, "198.51.100.4").await;
    let Answer::Open { link, counted } = answer else { panic!("{answer:?}") };
    assert_eq!((link.target.version.as_deref(), counted), (Some("v2"), true));
    assert_eq!(place.links.find(&issued.id).await.unwrap().unwrap().used, 2);
    let chain = place.ledger.chain(ASSET).await.unwrap();
    assert_eq!(chain[2].event.detail["action"], "link moved");
    assert_eq!(chain[2].event.message_digest.as_deref(), Some("cd".repeat(32).as_str()));
    assert!(place.links.revoke(&issued.id, "withdrawn").await.unwrap());
    assert!(!place.links.retarget(&issued.id, &place.target).await.unwrap(), "what is revoked stays so");
}
