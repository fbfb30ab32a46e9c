//! What makes a client send less, and what lets it send more again.

use std::time::Duration;

use http::{Method, StatusCode, header};
use tokio::time::Instant;

use super::{Client, Limits, Pace, Request, Transport, full};
use crate::{context::Context, error::System};

const USUAL: Duration = Duration::from_millis(125);

/// Asks once, of a target that answers like this after a while.
async fn ask(pace: &Pace, status: u16, kind: &'static str, after: Duration) {
    let transport = Transport::in_process(move |_| async move {
        tokio::time::sleep(after).await;
        let answer = http::Response::builder().status(StatusCode::from_u16(status).unwrap());
        Ok(answer.header(header::CONTENT_TYPE, kind).body(full("{}")).unwrap())
    });
    let context = Context::simulated("2031-05-06T07:08:09Z".parse().unwrap(), 7);
    let limits = Limits { attempts: 1, ..Limits::default() };
    let client = Client::new(System::ContentServer, "http://ecm", transport, context, pace.clone(), limits);
    let _ = client.send(&Request::new("ask", Method::GET, "/")).await;
}

/// The time between two requests now.
async fn spacing(pace: &Pace) -> Duration {
    pace.slot().await;
    let began = Instant::now();
    pace.slot().await;
    // A timer ends up to a millisecond late.
    Duration::from_millis(u64::try_from(began.elapsed().as_millis()).unwrap() / 5 * 5)
}

async fn spacing_after(status: u16, kind: &'static str, after: Duration) -> Duration {
    let pace = Pace::per_second(8.0);
    ask(&pace, status, kind, after).await;
    spacing(&pace).await
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_has_too_much_is_sent_half() {
    for status in [502, 503, 504] {
        let spacing = spacing_after(status, "application/json", Duration::ZERO).await;
        assert_eq!(spacing, USUAL * 2, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_instead_of_an_answer_halves_the_rate_and_an_answer_with_that_status_does_not() {
    assert_eq!(spacing_after(500, "text/html; charset=utf-8", Duration::ZERO).await, USUAL * 2);
    let pace = Pace::per_second(8.0);
    pace.ease_off();
    ask(&pace, 500, "application/json", Duration::ZERO).await;
    assert_eq!(spacing(&pace).await, USUAL * 2, "neither slower nor faster");
}

#[tokio::test(start_paused = true)]
async fn no_answer_in_time_halves_the_rate() {
    assert_eq!(spacing_after(200, "application/json", Duration::from_secs(3600)).await, USUAL * 2);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_halves_the_rate() {
    assert_eq!(spacing_after(200, "application/json", Duration::from_secs(11)).await, USUAL * 2);
    assert_eq!(spacing_after(200, "application/json", Duration::from_secs(9)).await, USUAL);
}

#[tokio::test(start_paused = true)]
async fn answers_in_order_bring_the_rate_back_refusals_included() {
    for status in [200, 404] {
        let pace = Pace::per_second(8.0);
        pace.ease_off();
        assert_eq!(spacing(&pace).await, USUAL * 2);
        for _ in 0..16 {
            ask(&pace, status, "application/json", Duration::ZERO).await;
        }
        assert_eq!(spacing(&pace).await, USUAL, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_struggles_on_is_still_asked() {
    let pace = Pace::per_second(8.0);
    for _ in 0..20 {
        ask(&pace, 503, "text/html", Duration::ZERO).await;
    }
    assert_eq!(spacing(&pace).await, USUAL * 8);
}
