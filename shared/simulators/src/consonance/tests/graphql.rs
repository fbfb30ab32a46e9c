use http::Request;
use serde_json::{Value, json};

use super::super::settings::{PayloadErrors, Refusal};
use super::super::{Settings, seed};
use super::{ask, ids, perform, simulator};

async fn with_header(settings: Settings, shown: &str) -> super::Answer {
    let request = Request::post("/graphql").header("authorization", shown);
    perform(&simulator(settings), request.body(r#"{"query":"{works{id}}"}"#.into()).unwrap()).await
}

#[tokio::test]
async fn only_the_bearer_scheme_opens_it_and_a_refusal_is_json_or_text() {
    let right = format!("Bearer {}", seed::GRAPHQL_KEY);
    assert_eq!(with_header(Settings::default(), &right).await.status, 200);
    let wrong = [format!("Token token={}", seed::GRAPHQL_KEY), "Bearer nonsense".to_owned(), String::new()];
    for shown in wrong {
        let answer = with_header(Settings::default(), &shown).await;
        assert_eq!((answer.status.as_u16(), answer.json["errors"].is_array()), (401, true), "{shown}");
        let text = Settings { graphql_refusal: Refusal::Text, ..Settings::default() };
        let answer = with_header(text, &shown).await;
        assert_eq!((answer.status.as_u16(), answer.json), (401, Value::Null), "{shown}");
    }
}

#[tokio::test]
async fn a_failure_comes_with_status_200_and_without_data_when_nothing_was_run() {
    let simulator = simulator(Settings::default());
    for text in ["{ works { id price } }", "{ works { id ", "{ work(workSearch: {idEq: \"x\"}) { id } }", ""]
    {
        let answer = ask(&simulator, text, json!({})).await;
        assert!(
            answer.get("data").is_none() && answer["errors"][0]["message"].is_string(),
            "{text}: {answer}"
        );
    }
    let text = "mutation { updateContract(input: {id: 9999}) { contract { id } } }";
    let answer = ask(&simulator, text, json!({})).await;
    assert_eq!(answer["errors"][0]["message"], "Contract not found");
    assert_eq!(
        (&answer["data"], &answer["errors"][0]["path"]),
        (&json!({"updateContract": null}), &json!(["updateContract"]))
    );
}

#[tokio::test]
async fn products_are_found_by_what_the_vendor_documents() {
    let simulator = simulator(Settings { changed_since_over_reports: false, ..Settings::default() });
    for (search, expected) in [
        (json!({}), vec![2001, 2002, 2003, 2004, 2005]),
        (json!({"after": 2003}), vec![2004, 2005]),
        (json!({"isbn13Eq": "9780000000002"}), vec![2001]),
        (json!({"isbn13Assigned": false}), vec![2003, 2005]),
        (json!({"titleCont": "pier"}), vec![2004, 2005]),
        (json!({"publicationDateGt": "2031-04-01"}), vec![2004]),
        (json!({"publicationDateLteq": "2031-04-01"}), vec![2001, 2002]),
        (json!({"onix21ProductFormCodeIn": ["DG", "DH"]}), vec![2002, 2003]),
        (json!({"productTypes": ["PhysicalBookProduct"]}), vec![2001, 2004]),
        (json!({"productTypes": []}), vec![2001, 2002, 2003, 2004, 2005]),
        (json!({"changedSince": "2031-05-03"}), vec![2004, 2005]),
        (json!({"changedSince": "2031-05-07"}), vec![]),
    ] {
        let text = "query($search: ProductSearchAttributes) { products(productSearch: $search) { id } }";
        let answer = ask(&simulator, text, json!({"search": search})).await;
        assert_eq!(ids(&answer["data"]["products"]), expected, "{search}");
    }
}

#[tokio::test]
async fn changed_since_is_a_day_and_tells_siblings_too() {
    let simulator = simulator(Settings::default());
    let text = "{ products(productSearch: {changedSince: \"2031-04-20\"}) { id } }";
    let answer = ask(&simulator, text, json!({})).await;
    assert_eq!(ids(&answer["data"]["products"]), [2001, 2002, 2003, 2004, 2005]);
    simulator.with_state(|state| state.settings.changed_since_over_reports = false);
    let before = "{ works(workSearch: {changedSince: \"2031-05-06\"}) { id } }";
    assert!(ids(&ask(&simulator, before, json!({})).await["data"]["works"]).is_empty());
    simulator.with_state(|state| state.touch_product(2002));
    assert_eq!(
        ids(&ask(&simulator, before, json!({})).await["data"]["works"]),
        [1001],
        "of the day, whatever the hour"
    );
}

#[tokio::test]
async fn lists_are_capped_shuffled_and_endless_as_switched() {
    let text = "query($after: Int) { products(productSearch: {after: $after}) { id } }";
    let list = async |settings: Settings| {
        let answer = ask(&simulator(settings), text, json!({"after": 2002})).await;
        ids(&answer["data"]["products"])
    };
    assert_eq!(list(Settings { list_cap: Some(2), ..Settings::default() }).await, [2003, 2004]);
    assert_eq!(list(Settings { lists_unordered: true, ..Settings::default() }).await, [2005, 2004, 2003]);
    let both = Settings { list_cap: Some(2), lists_unordered: true, ..Settings::default() };
    assert_eq!(list(both).await, [2005, 2004], "what goes on after them never comes to 2003");
    assert_eq!(list(Settings { after_ignored: true, ..Settings::default() }).await.len(), 5);
}

#[tokio::test]
async fn codes_and_countries_are_written_in_each_way() {
    let text = "{ product(productSearch: {idEq: 2001}) { __typename onixPublishingStatusCode forSaleCountryCodes \
                onixPublishingStatus { code value } ... on PhysicalBookProduct { productHeight(unit: CM) } } }";
    let answer = ask(&simulator(Settings::default()), text, json!({})).await;
    let product = &answer["data"]["product"];
    assert_eq!(
        (&product["__typename"], &product["productHeight"]),
        (&json!("PhysicalBookProduct"), &json!(21.6))
    );
    assert_eq!(
        (&product["onixPublishingStatusCode"], &product["forSaleCountryCodes"]),
        (&json!("_04"), &json!(["GB", "IE"]))
    );
    assert_eq!(product["onixPublishingStatus"], json!({"code": "04", "value": "_04"}));
    let texts = Settings { codes_are_enumerations: false, countries_are_lists: false, ..Settings::default() };
    let answer = ask(&simulator(texts), text, json!({})).await;
    let product = &answer["data"]["product"];
    assert_eq!(
        (&product["onixPublishingStatusCode"], &product["forSaleCountryCodes"]),
        (&json!("04"), &json!("GB IE"))
    );
}

#[tokio::test]
async fn a_size_beyond_32_bits_is_a_text_and_a_term_can_be_words() {
    let simulator = simulator(Settings::default());
    let text = "{ work(workSearch: {idEq: 1001}) { productionFiles { fileSize } } \
                contract(contractSearch: {idEq: 32}) { term signedDate licensedRights { rightType } work { title } } }";
    let answer = ask(&simulator, text, json!({})).await;
    assert_eq!(answer["data"]["work"]["productionFiles"][0]["fileSize"], "21474836480");
    assert_eq!(answer["data"]["contract"]["term"], "Full term of copyright");
    assert_eq!(answer["data"]["contract"]["work"]["title"], "Tide Tables");
}

#[tokio::test]
async fn a_wrong_input_is_told_in_each_way_the_vendor_writes_it() {
    for (how, selected, expected) in [
        (PayloadErrors::Field, "field message", json!([{"field": "link", "message": "is not a valid URL"}])),
        (
            PayloadErrors::Attribute,
            "attribute message",
            json!([{"attribute": "link", "message": "is not a valid URL"}]),
        ),
        (
            PayloadErrors::Messages,
            "field messages",
            json!([{"field": "link", "messages": ["is not a valid URL"]}]),
        ),
    ] {
        let simulator = simulator(Settings { payload_errors: how, ..Settings::default() });
        let text = format!(
            "mutation {{ createWebLink(input: {{workId: 1001, link: \"nonsense\", onixWebsiteRoleCode: _02}}) \
             {{ webLink {{ id }} errors {{ {selected} }} }} }}"
        );
        let answer = ask(&simulator, &text, json!({})).await;
        assert_eq!(answer["data"]["createWebLink"], json!({"webLink": null, "errors": expected}));
    }
    let simulator = simulator(Settings { payload_errors: PayloadErrors::Top, ..Settings::default() });
    let text = "mutation { createWebLink(input: {workId: 1001, link: \"nonsense\", onixWebsiteRoleCode: _02}) { webLink { id } } }";
    let answer = ask(&simulator, text, json!({})).await;
    assert_eq!(answer["errors"][0]["message"], "link is not a valid URL");
}

#[tokio::test]
async fn a_link_that_nobody_kept_out_goes_into_onix() {
    let simulator = simulator(Settings::default());
    for (switch, expected) in [("", true), ("includeInOnix: false", false)] {
        let text = format!(
            "mutation {{ createWebLink(input: {{workId: 1001, link: \"https://ecm.example.com/1\", \
             onixWebsiteRoleCode: _00 {switch}}}) {{ webLink {{ includeInOnix }} }} }}"
        );
        let answer = ask(&simulator, &text, json!({})).await;
        assert_eq!(answer["data"]["createWebLink"]["webLink"]["includeInOnix"], expected);
    }
}
