//! One visitor after the other.

use shared::links::{Answer, Audience, Ended, NewLink, Purpose, Token, Visitor};

use crate::place::{AGENT, Place, at, window};

fn counted(answer: &Answer) -> Option<bool> {
    match answer {
        Answer::Open { counted, .. } => Some(*counted),
        _ => None,
    }
}

fn ended(answer: &Answer) -> Option<Ended> {
    match answer {
        Answer::Ended(_, ended) => Some(*ended),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_download_that_broke_off_is_resumed_without_another_use() {
    let place = Place::new().await;
    let link = place.issue(Some(1)).await;
    assert_eq!(counted(&place.download(&link.token, "203.0.113.7").await), Some(true));
    for _ in 0..20 {
        place.wait(40).await;
        assert_eq!(counted(&place.download(&link.token, "203.0.113.7").await), Some(false));
    }
    assert_eq!(ended(&place.download(&link.token, "203.0.113.8").await), Some(Ended::UsedUp));
    assert_eq!(place.audited_downloads().await, 1);
}

#[tokio::test(start_paused = true)]
async fn after_its_window_a_client_costs_another_use() {
    let place = Place::new().await;
    let link = place.issue(Some(2)).await;
    assert_eq!(counted(&place.download(&link.token, "203.0.113.7").await), Some(true));
    place.wait(15 * 60 - 1).await;
    assert_eq!(counted(&place.download(&link.token, "203.0.113.7").await), Some(false));
    place.wait(1).await;
    assert_eq!(counted(&place.download(&link.token, "203.0.113.7").await), Some(true), "the window is over");
    place.wait(15 * 60).await;
    assert_eq!(ended(&place.download(&link.token, "203.0.113.7").await), Some(Ended::UsedUp));
}

#[tokio::test(start_paused = true)]
async fn without_a_window_every_download_is_a_use() {
    let place = Place::new().await;
    let link = place.issue(Some(2)).await;
    let visit = || place.links.visit(&link.token, &VISITOR, window(0), AGENT);
    const VISITOR: Visitor =
        Visitor { address: Some(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)), email: None };
    assert_eq!(counted(&visit().await.unwrap()), Some(true));
    assert_eq!(counted(&visit().await.unwrap()), Some(true));
    assert_eq!(ended(&visit().await.unwrap()), Some(Ended::UsedUp));
    assert_eq!(place.audited_downloads().await, 2);
}

#[tokio::test(start_paused = true)]
async fn looking_costs_nothing_and_writes_nothing() {
    let place = Place::new().await;
    let link = place.issue(Some(1)).await;
    let before = place.table();
    for _ in 0..10 {
        let answer = place.links.visit(&link.token, &at("203.0.113.7"), Purpose::Look, AGENT).await.unwrap();
        assert_eq!(counted(&answer), Some(false));
    }
    assert_eq!(place.table(), before);
    assert_eq!(counted(&place.download(&link.token, "203.0.113.7").await), Some(true));
    let answer = place.links.visit(&link.token, &at("203.0.113.7"), Purpose::Look, AGENT).await.unwrap();
    assert_eq!(counted(&answer), Some(false), "its own use still lasts");
    let answer = place.links.visit(&link.token, &at("203.0.113.9"), Purpose::Look, AGENT).await.unwrap();
    assert_eq!(ended(&answer), Some(Ended::UsedUp));
}

#[tokio::test(start_paused = true)]
async fn a_link_works_until_the_last_millisecond_and_not_in_the_next() {
    let place = Place::new().await;
    let link = place.issue(None).await;
    place.wait(3599).await;
    tokio::time::sleep(std::time::Duration::from_millis(999)).await;
    assert_eq!(counted(&place.download(&link.token, "203.0.113.7").await), Some(true));
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    assert_eq!(ended(&place.download(&link.token, "203.0.113.8").await), Some(Ended::Expired));
    assert_eq!(
        ended(&place.download(&link.token, "203.0.113.7").await),
        Some(Ended::Expired),
        "a window ends too"
    );
}

#[tokio::test(start_paused = true)]
async fn a_process_whose_clock_is_off_follows_it_and_counts_once_all_the_same() {
    let place = Place::new().await;
    let link = place.issue(Some(1)).await;
    let (slow, fast) = (place.process(1, -600), place.process(2, 600));
    place.wait(3590).await;
    let visit = |links: shared::links::Links, address: &'static str| {
        let token = link.token.clone();
        async move { links.visit(&token, &at(address), window(15), AGENT).await.unwrap() }
    };
    assert_eq!(ended(&visit(fast.clone(), "203.0.113.7").await), Some(Ended::Expired));
    place.wait(20).await;
    assert_eq!(
        counted(&visit(slow.clone(), "203.0.113.7").await),
        Some(true),
        "ten minutes to go, for this one"
    );
    assert_eq!(counted(&visit(slow.clone(), "203.0.113.7").await), Some(false));
    assert_eq!(ended(&visit(slow, "203.0.113.8").await), Some(Ended::UsedUp));
    assert_eq!(ended(&visit(fast, "203.0.113.7").await), Some(Ended::Expired));
    assert_eq!(place.audited_downloads().await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_token_is_like_a_token_nobody_issued() {
    let place = Place::new().await;
    let link = place.issue(None).await;
    let mut other_case = link.token.text().to_owned();
    other_case = other_case
        .chars()
        .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let huge = "A".repeat(100_000);
    let truncated = &link.token.text()[..21];
    let longer = format!("{}A", link.token.text());
    let malformed = [
        "",
        "0",
        "..",
        "%00",
        "' OR 1=1",
        "日本語のトークン",
        "\u{202e}\0\u{feff}",
        link.id.text(),
        "record",
        &huge,
        &other_case,
        truncated,
        &longer,
        "AAAAAAAAAAAAAAAAAAAAAA",
    ];
    for text in malformed {
        let answer = place.download(&Token::presented(text), "203.0.113.7").await;
        assert_eq!(answer, Answer::Unknown, "{}", text.chars().take(40).collect::<String>());
    }
}

#[tokio::test(start_paused = true)]
async fn whom_a_link_is_not_for_is_told_nothing_of_it_whatever_became_of_it() {
    let place = Place::new().await;
    let audience = Audience::of(&[], &["203.0.113.0/24"]).unwrap();
    let link = place.links.issue(&NewLink { audience, ..place.new_link() }).await.unwrap();
    assert_eq!(place.download(&link.token, "198.51.100.7").await, Answer::Unknown);
    assert_eq!(counted(&place.download(&link.token, "203.0.113.7").await), Some(true));
    place.wait(3600).await;
    assert_eq!(place.download(&link.token, "198.51.100.7").await, Answer::Unknown);
    assert_eq!(ended(&place.download(&link.token, "203.0.113.7").await), Some(Ended::Expired));
    place.links.revoke(&link.id, "withdrawn").await.unwrap();
    assert_eq!(place.download(&link.token, "198.51.100.7").await, Answer::Unknown);
    assert_eq!(ended(&place.download(&link.token, "203.0.113.7").await), Some(Ended::Revoked));
}

#[tokio::test(start_paused = true)]
async fn somebody_who_signed_in_may_change_networks_while_downloading() {
    let place = Place::new().await;
    let audience = Audience::of(&["example.com"], &[]).unwrap();
    let uses = std::num::NonZeroU32::new(1);
    let link = place.links.issue(&NewLink { audience, uses, ..place.new_link() }).await.unwrap();
    let visit = |email: &str, address: &str| {
        let visitor = Visitor { email: Some(email.into()), ..at(address) };
        let (links, token) = (place.links.clone(), link.token.clone());
        async move { links.visit(&token, &visitor, window(15), AGENT).await.unwrap() }
    };
    assert_eq!(counted(&visit("a@example.com", "203.0.113.7").await), Some(true));
    assert_eq!(counted(&visit("A@example.com", "198.51.100.7").await), Some(false));
    assert_eq!(ended(&visit("b@example.com", "203.0.113.7").await), Some(Ended::UsedUp));
}

#[tokio::test(start_paused = true)]
async fn of_whom_nothing_is_known_is_somebody_else_each_time() {
    let place = Place::new().await;
    let link = place.issue(Some(2)).await;
    let visit = || place.links.visit(&link.token, &NOBODY, window(15), AGENT);
    const NOBODY: Visitor = Visitor { address: None, email: None };
    assert_eq!(counted(&visit().await.unwrap()), Some(true));
    assert_eq!(counted(&visit().await.unwrap()), Some(true));
    assert_eq!(ended(&visit().await.unwrap()), Some(Ended::UsedUp));
}

#[tokio::test(start_paused = true)]
async fn one_clients_names_at_two_links_have_nothing_in_common() {
    let place = Place::new().await;
    let mut names = Vec::new();
    for _ in 0..2 {
        let link = place.issue(None).await;
        place.download(&link.token, "203.0.113.7").await;
        let chain = place.ledger.chain(crate::place::ASSET).await.unwrap();
        names.push(chain.last().unwrap().event.detail["client"].clone());
    }
    assert_ne!(names[0], names[1]);
}
