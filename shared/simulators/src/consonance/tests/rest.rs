use http::Request;
use serde_json::json;

use super::super::settings::CountryElement;
use super::super::{Settings, Simulator, seed};
use super::{Answer, ids, perform, simulator};

async fn get(simulator: &Simulator, target: &str) -> Answer {
    let shown = format!("Token token={}", seed::REST_TOKEN);
    perform(simulator, Request::get(target).header("authorization", shown).body("".into()).unwrap()).await
}

#[tokio::test]
async fn only_rails_own_scheme_opens_it_with_quotes_or_without() {
    let simulator = simulator(Settings::default());
    let ask = async |shown: String| {
        let request = Request::get("/api/v4/products.json").header("authorization", shown);
        perform(&simulator, request.body("".into()).unwrap()).await
    };
    for right in
        [format!("Token token={}", seed::REST_TOKEN), format!("Token token=\"{}\"", seed::REST_TOKEN)]
    {
        assert_eq!(ask(right).await.status, 200);
    }
    for wrong in [format!("Bearer {}", seed::REST_TOKEN), "Token token=x".to_owned(), String::new()] {
        let answer = ask(wrong).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (401, "HTTP Token: Access denied.\n"));
        assert_eq!(answer.headers["www-authenticate"], "Token realm=\"Application\"");
    }
}

#[tokio::test]
async fn pages_have_an_envelope_and_end_empty() {
    let simulator = simulator(Settings { rest_page_size: 2, ..Settings::default() });
    let first = get(&simulator, "/api/v4/products.json").await.json;
    assert_eq!(
        (&first["current_page"], &first["per_page"], &first["total_pages"]),
        (&json!(1), &json!(2), &json!(3))
    );
    assert_eq!(ids(&first["products"]), [2001, 2002]);
    assert_eq!(ids(&get(&simulator, "/api/v4/products.json?page=3").await.json["products"]), [2005]);
    assert_eq!(
        ids(&get(&simulator, "/api/v4/products.json?page=9").await.json["products"]),
        Vec::<i64>::new()
    );
}

#[tokio::test]
async fn a_product_can_move_while_pages_are_read() {
    let simulator = simulator(Settings { rest_page_size: 2, rest_pages_shift: true, ..Settings::default() });
    let mut seen = Vec::new();
    for page in 1..=3 {
        seen.extend(ids(
            &get(&simulator, &format!("/api/v4/products.json?page={page}")).await.json["products"],
        ));
    }
    assert!(!seen.contains(&2003), "{seen:?}: one is missed by whoever reads the pages once");
}

#[tokio::test]
async fn records_have_what_readers_stumble_over() {
    let simulator = simulator(Settings::default());
    let answer = get(&simulator, "/api/v4/products.json").await.json;
    let [salt, _, tide, ..] = answer["products"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    assert_eq!((&salt["isbn"], &tide["isbn"]), (&json!("978-0-00-000000-2"), &json!("No ISBN")));
    assert_eq!((&tide["pub_date"], &tide["measurements"]), (&json!(null), &json!(null)));
    assert_eq!(salt["prices"][0]["price_amount"], "14.99");
    assert_eq!(salt["rights_not_available_countries"], json!(["CA", "US"]));
    assert!(salt["supportingresources"][0]["style_urls"][0]["url"].as_str().unwrap().contains("801//_jpg"));
    assert!(salt["a_field_of_next_year"].is_object());
    simulator.with_state(|state| {
        state.settings.price_amount_is_text = false;
        state.settings.country_element = CountryElement::Object;
    });
    let answer = get(&simulator, "/api/v4/products.json").await.json;
    assert_eq!(answer["products"][0]["prices"][0]["price_amount"], 14.99);
    assert_eq!(answer["products"][0]["rights_not_available_countries"][1]["code"], "US");
}

#[tokio::test]
async fn filters_that_are_known_are_applied_and_others_ignored_or_refused() {
    let simulator = simulator(Settings::default());
    for (filter, expected) in [
        ("q%5Bid_eq%5D=2003", vec![2003]),
        ("q[isbn_eq]=9780000000019", vec![2002]),
        ("q%5Bpub_date_eq%5D=2031-04-01", vec![2001, 2002]),
        ("q%5Bwork_title_cont%5D=pier", vec![2004, 2005]),
        ("q%5Bshops_id_eq%5D=1", vec![2001, 2003]),
        ("q%5Bupdated_at_gteq%5D=2031-05-06", vec![2001, 2002, 2003, 2004, 2005]),
    ] {
        let answer = get(&simulator, &format!("/api/v4/products.json?{filter}")).await.json;
        assert_eq!(ids(&answer["products"]), expected, "{filter}");
    }
    simulator.with_state(|state| state.settings.rest_unknown_filters_ignored = false);
    assert_eq!(get(&simulator, "/api/v4/products.json?q%5Bupdated_at_gteq%5D=1").await.status, 500);
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_as_long_as_is_set_and_what_is_unknown_is_a_page() {
    let simulator = simulator(Settings { latency_milliseconds: 250, ..Settings::default() });
    let before = tokio::time::Instant::now();
    let answer = get(&simulator, "/api/v4/works.json").await;
    assert_eq!((answer.status.as_u16(), before.elapsed().as_millis()), (404, 250));
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(simulator.journal().unknown().len(), 1);
}
