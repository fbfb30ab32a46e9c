//! Many at once.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use proptest::prelude::*;
use shared::{
    audit::{AuditEvent, EventType, Outcome},
    links::{Answer, Ended},
};

use crate::place::{AGENT, ASSET, BEGINNING, Place, at, window};

#[tokio::test(start_paused = true)]
async fn of_many_who_come_for_the_only_use_exactly_one_gets_it() {
    for round in 0..20 {
        let place = Place::new().await;
        let link = place.issue(Some(1)).await;
        let visits = (0..8).map(|number| {
            let links = place.process(round * 100 + number, 0);
            let token = link.token.clone();
            async move {
                links.visit(&token, &at(&format!("203.0.113.{number}")), window(15), AGENT).await.unwrap()
            }
        });
        let answers = join_all(visits).await;
        let won =
            answers.iter().filter(|answer| matches!(answer, Answer::Open { counted: true, .. })).count();
        let late = answers.iter().filter(|answer| matches!(answer, Answer::Ended(_, Ended::UsedUp))).count();
        assert_eq!((won, late), (1, 7), "{answers:?}");
        assert_eq!(place.audited_downloads().await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_parts_of_one_download_asked_for_at_once_are_one_use() {
    for round in 0..20 {
        let place = Place::new().await;
        let link = place.issue(Some(1)).await;
        let visits = (0..6).map(|number| {
            let links = place.process(round * 100 + number, 0);
            let token = link.token.clone();
            async move { links.visit(&token, &at("203.0.113.7"), window(15), AGENT).await.unwrap() }
        });
        let answers = join_all(visits).await;
        let counted =
            answers.iter().filter(|answer| matches!(answer, Answer::Open { counted: true, .. })).count();
        assert!(answers.iter().all(|answer| matches!(answer, Answer::Open { .. })), "{answers:?}");
        assert_eq!((counted, place.audited_downloads().await), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn of_thirty_who_come_to_one_document_at_once_nobody_is_sent_away() {
    for round in 0..5 {
        let place = Place::new().await;
        let link = place.issue(None).await;
        let visits = (0..30).map(|number| {
            let links = place.process(round * 100 + number, 0);
            let token = link.token.clone();
            async move { links.visit(&token, &at(&format!("203.0.113.{number}")), window(15), AGENT).await }
        });
        let answers = join_all(visits).await;
        let sent_away = answers.iter().filter(|answer| answer.is_err()).count();
        assert_eq!((sent_away, place.audited_downloads().await), (0, 30));
    }
}

#[tokio::test(start_paused = true)]
async fn events_appended_to_one_chain_at_once_all_find_their_place() {
    let place = Place::new().await;
    let event = |number: u32| AuditEvent {
        asset: ASSET.into(),
        event_type: EventType::Validation,
        event_date_time: BEGINNING.into(),
        outcome: Outcome::Success,
        agent: "waybill test".into(),
        item: format!("item {number}"),
        message_digest: None,
        detail: std::collections::BTreeMap::default(),
    };
    let ends = join_all((0..6).map(|number| {
        let (ledger, event) = (place.ledger.clone(), event(number));
        async move { ledger.append_event(&event).await.unwrap().sequence }
    }))
    .await;
    assert_eq!(BTreeSet::from_iter(ends), BTreeSet::from_iter(1..=6));
    let end = place.ledger.chain_end(ASSET).await.unwrap();
    let again = place.ledger.append_event(end.last.as_ref().unwrap()).await.unwrap();
    assert_eq!(again, end, "an append whose answer was lost is not made twice");
    assert_eq!(place.audited_downloads().await, 0);
}

/// Visits of a night: who comes when, and when the link is revoked.
#[derive(Debug, Clone)]
struct Night {
    uses: u32,
    visits: Vec<(u8, u64, i64)>,
    revoked_after: Option<u64>,
    seed: u64,
}

fn nights() -> impl Strategy<Value = Night> {
    let visit = (0..5_u8, 0..400_u64, prop_oneof![3 => Just(0_i64), 1 => -30..30_i64]);
    (1..4_u32, prop::collection::vec(visit, 1..12), prop::option::of(0..400_u64), any::<u64>())
        .prop_map(|(uses, visits, revoked_after, seed)| Night { uses, visits, revoked_after, seed })
}

async fn live(night: &Night) {
    let place = Place::new().await;
    let link = place.issue(Some(night.uses)).await;
    let revoked_at = async {
        let after = night.revoked_after?;
        tokio::time::sleep(Duration::from_millis(after)).await;
        assert!(place.process(night.seed ^ 99, 0).revoke(&link.id, "withdrawn").await.unwrap());
        Some(place.context.now_milliseconds())
    };
    let visits = night.visits.iter().enumerate().map(|(number, (client, after, clock_off))| {
        let links = place.process(night.seed.wrapping_add(number as u64), *clock_off);
        let (token, context) = (link.token.clone(), place.context.clone());
        async move {
            tokio::time::sleep(Duration::from_millis(*after)).await;
            let came = context.now_milliseconds();
            (came, links.visit(&token, &at(&format!("203.0.113.{client}")), window(15), AGENT).await)
        }
    });
    let (revoked_at, answers) = tokio::join!(revoked_at, join_all(visits));
    let mut counted = 0;
    for (came, answer) in answers {
        // A chain that many append to at once may be too busy for one of them; then nothing was counted.
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                assert!(["ledger.chain-busy", "link.busy"].contains(&error.code()), "{error:?}");
                continue;
            }
        };
        counted += usize::from(matches!(answer, Answer::Open { counted: true, .. }));
        if matches!(answer, Answer::Open { .. }) {
            assert!(revoked_at.is_none_or(|at| came < at), "somebody got in after the link was revoked");
        }
    }
    assert!(counted <= night.uses as usize, "{counted} uses of {}", night.uses);
    assert_eq!(place.audited_downloads().await, counted, "a use without its event, or the other way round");
    let clients: BTreeSet<u8> = night.visits.iter().map(|(client, ..)| *client).collect();
    if night.revoked_after.is_none() && clients.len() <= night.uses as usize {
        assert_eq!(counted, clients.len(), "everybody who could had a use, and one only");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_at_once_no_use_is_given_twice_or_without_its_event(night in nights()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(live(&night));
    }
}
