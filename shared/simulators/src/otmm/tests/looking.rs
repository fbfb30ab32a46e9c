//! Search: conditions, pages, an index that is behind, and conditions that are not understood.

use serde_json::{Value, json};

use super::{Caller, caller, condition, edit, names, seeded, simulator, text, wait};
use crate::otmm::settings::{Contains, InvalidConditions};
use crate::otmm::{Settings, seed};

const CONTAINS: &str = "ARTESIA.OPERATOR.CHAR.CONTAINS";
const LATEST: &str = "ARTESIA.FIELD.IS LATEST VERSION";

fn joined(mut condition: Value, join: &str, left: &str, right: &str) -> Value {
    condition["relational_operator"] = join.into();
    condition["left_paren"] = left.into();
    condition["right_paren"] = right.into();
    condition
}

async fn found(caller: &Caller<'_>, conditions: &Value) -> Vec<String> {
    let result = caller.search(conditions, &[("sort", "asc_NAME")]).await;
    names(&result["asset_list"]).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn otmm_conditions_are_joined_to_the_one_before_with_parentheses() {
    let simulator = simulator(Settings::default());
    let caller = caller(&simulator);
    let (spot, brief) = (seeded(&simulator, "spring-spot.mov"), seeded(&simulator, "spring-brief.pdf"));
    let original = "ARTESIA.FIELD.ORIGINAL ASSET ID";
    let conditions = json!([
        condition(LATEST, CONTAINS, "Y"),
        joined(condition(original, CONTAINS, &spot), "and", "(", ""),
        joined(condition(original, CONTAINS, &brief), "or", "", ")"),
    ]);
    assert_eq!(found(&caller, &conditions).await, ["spring-brief.pdf", "spring-spot.mov"]);
    let loose = json!([
        condition(original, CONTAINS, &spot),
        joined(condition(original, CONTAINS, &brief), "or", "", ""),
        joined(condition(seed::STATUS, CONTAINS, "draft"), "and", "", ""),
    ]);
    assert_eq!(found(&caller, &loose).await, ["spring-brief.pdf", "spring-spot.mov"], "and binds before or");
    for open in ["(", ")("] {
        let wrong = json!([joined(condition(LATEST, CONTAINS, "Y"), "and", open, "")]);
        assert_eq!(caller.search_answer(&wrong, &[]).await.status, 400);
    }
    let table = json!([{
        "type": "com.artesia.search.SearchTabularCondition", "metadata_table_id": seed::EVENTS,
        "tabular_field_list": [
            {"type": "com.artesia.search.SearchTabularFieldCondition", "metadata_field_id": seed::EVENT_TYPE,
             "relational_operator_id": CONTAINS, "value": "approved", "left_paren": "(", "right_paren": ")"},
        ],
    }]);
    assert_eq!(found(&caller, &table).await, ["spring-spot.mov"]);
    let number = json!([condition(seed::USES, "ARTESIA.OPERATOR.NUMBER.IS", "3")]);
    assert_eq!(found(&caller, &number).await, ["spring-spot.mov"]);
    let words = json!([{"type": "com.artesia.search.SearchFulltextCondition", "keyword": "BRIEF about", "scope_id": "3"}]);
    assert_eq!(found(&caller, &words).await, ["spring-brief.pdf"]);
}

#[tokio::test]
async fn otmm_words_facets_and_folders_narrow_a_search() {
    let simulator = simulator(Settings::default());
    let caller = caller(&simulator);
    let ask = async |pairs: &[(&str, &str)]| {
        let mut all = vec![("sort", "asc_NAME")];
        all.extend(pairs);
        let answer = caller.form("POST", "search/text", &all).await.json()["search_result_resource"].clone();
        names(&answer["asset_list"]).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        ask(&[("keyword_query", "thirty degrees"), ("keyword_scope_id", "2")]).await,
        ["care-instructions.txt"]
    );
    assert!(ask(&[("keyword_query", "thirty degrees"), ("keyword_scope_id", "1")]).await.is_empty());
    assert_eq!(ask(&[("keyword_query", "*"), ("limit", "200")]).await.len(), 15);
    let facets = json!({"facet_restriction_list": {"facet_field_restriction": [{
        "type": "com.artesia.search.facet.FacetSimpleFieldRestriction", "facet_generation_behavior": "EXCLUDE",
        "field_id": seed::PRODUCT, "value_list": [null, "8"],
    }]}})
    .to_string();
    let products = seeded(&simulator, "Products");
    let narrowed = [
        ("facet_restriction_list", facets.as_str()),
        ("folder_filter", products.as_str()),
        ("folder_filter_type", "direct"),
    ];
    assert_eq!(ask(&narrowed).await, ["broadcast-master.mxf", "care-instructions.txt", "old-logo.png"]);
    assert!(ask(&[("folder_filter", seed::PUBLIC)]).await.contains(&"spring-spot.mov".to_owned()));
    assert_eq!(
        ask(&[("folder_filter", seed::PUBLIC), ("folder_filter_type", "direct")]).await,
        ["Campaigns", "Products"]
    );
    let only = [("return_type", "ids"), ("keyword_query", "brief")];
    let answer = caller.form("GET", "search/text?return_type=ids&keyword_query=brief", &only).await.json();
    assert!(answer["search_result_resource"].get("asset_list").is_none());
    assert_eq!(
        answer["search_result_resource"]["search_result"]["asset_id_list"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn otmm_metadata_of_hits_is_limited_to_the_fields_that_are_named() {
    let simulator = simulator(Settings::default());
    let caller = caller(&simulator);
    let brief = json!([condition(seed::NAME, CONTAINS, "brief")]);
    let more = [("load_type", "metadata"), ("metadata_to_return", "ARTESIA.FIELD.TAG")];
    let hit = caller.search(&brief, &more).await["asset_list"][0].clone();
    let groups = hit["metadata"]["metadata_element_list"].as_array().unwrap();
    assert_eq!((groups.len(), groups[0]["metadata_element_list"].as_array().unwrap().len()), (1, 1));
}

#[tokio::test]
async fn otmm_pages_have_a_usual_and_a_largest_length_and_may_end_before_the_total() {
    let mut settings = Settings::default();
    settings.search.usual = 2;
    settings.search.most = 4;
    settings.search.deepest = Some(5);
    let simulator = simulator(settings);
    let caller = caller(&simulator);
    let all = json!([condition(seed::NAME, CONTAINS, "")]);
    for (pairs, hits) in [
        (vec![], 2),
        (vec![("limit", "500")], 4),
        (vec![("after", "3"), ("limit", "4")], 2),
        (vec![("after", "5"), ("limit", "4")], 0),
        (vec![("before", "3"), ("limit", "2")], 2),
    ] {
        let result = caller.search(&all, &pairs).await["search_result"].clone();
        assert_eq!(
            (result["hit_count"].as_u64(), result["total_hit_count"].as_u64()),
            (Some(hits), Some(15)),
            "{pairs:?}"
        );
    }
    assert_eq!(caller.search_answer(&all, &[("after", "1"), ("before", "2")]).await.status, 400);
    assert_eq!(caller.search_answer(&all, &[("sort", "up_NAME")]).await.status, 400);
}

#[tokio::test]
async fn otmm_search_hears_of_changes_later() {
    let mut settings = Settings::default();
    settings.search.lag_seconds = 20;
    let simulator = simulator(settings);
    let caller = caller(&simulator);
    let id = seeded(&simulator, "spring-brief.pdf");
    let body = edit(seed::ARCHIVE_ID, text("a-77"));
    caller.json("PATCH", &format!("assets/{id}?lock_strategy=optimistic"), &body).await;
    let wanted = json!([condition(seed::ARCHIVE_ID, CONTAINS, "a-77")]);
    assert!(found(&caller, &wanted).await.is_empty());
    wait(&simulator, 19);
    assert!(found(&caller, &wanted).await.is_empty());
    wait(&simulator, 1);
    assert_eq!(found(&caller, &wanted).await, ["spring-brief.pdf"]);
}

#[tokio::test]
async fn otmm_conditions_that_are_not_known_widen_the_search_and_are_told_or_not() {
    let conditions = json!([
        condition(seed::NAME, CONTAINS, "spring-brief"),
        joined(condition("CUSTOM.FIELD.RETAIN_UNTIL", CONTAINS, "2030"), "and", "", ""),
    ]);
    let alone = json!([condition(seed::STATUS, "ARTESIA.OPERATOR.CHAR.EQUALS", "approved")]);
    for (invalid, status, hits, told) in [
        (InvalidConditions::LeftOut, 200, (1, 15), true),
        (InvalidConditions::LeftOutSilently, 200, (1, 15), false),
        (InvalidConditions::NothingFound, 200, (0, 0), true),
        (InvalidConditions::Refused, 500, (0, 0), true),
    ] {
        let mut settings = Settings::default();
        settings.search.invalid = invalid;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        for (conditions, hits) in [(&conditions, hits.0), (&alone, hits.1)] {
            let answer = caller.search_answer(conditions, &[]).await;
            assert_eq!(answer.status, status);
            if status == 200 {
                let result = answer.json()["search_result_resource"]["search_result"].clone();
                assert_eq!(result["total_hit_count"].as_u64(), Some(hits));
                assert_eq!(result["contains_invalid_conditions"], told);
            }
        }
    }
}

#[tokio::test]
async fn otmm_search_finds_what_was_deleted_has_expired_or_is_an_old_version_unless_told() {
    for finds in [true, false] {
        let mut settings = Settings::default();
        settings.search.finds_deleted = finds;
        settings.search.finds_expired = finds;
        settings.search.finds_old_versions = finds;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        for (name, count) in [("spring-rough", 1), ("old-logo", 1), ("spring-poster", 2)] {
            let hits = found(&caller, &json!([condition(seed::NAME, CONTAINS, name)])).await.len();
            assert_eq!(hits, if finds { count } else { count - 1 }, "{name}");
        }
    }
}

#[tokio::test]
async fn otmm_operators_that_nobody_has_published_have_names_of_the_site() {
    let mut settings = Settings::default();
    settings.search.text_is = "SITE.IS".to_owned();
    settings.search.has_no_value = "SITE.NONE".to_owned();
    settings.search.date_after = "SITE.AFTER".to_owned();
    settings.search.date_from = "SITE.FROM".to_owned();
    settings.search.date_before = "SITE.BEFORE".to_owned();
    for contains in [Contains::Substring, Contains::Words] {
        settings.search.contains = contains;
        let simulator = simulator(settings.clone());
        let caller = caller(&simulator);
        let hits = async |field: &str, operator: &str, value: &str| {
            found(&caller, &json!([condition(field, operator, value)])).await.len()
        };
        assert_eq!(hits(seed::NAME, "SITE.IS", "spring-brief.pdf").await, 1);
        assert_eq!(hits(seed::NAME, "SITE.IS", "spring-brief").await, 0);
        assert_eq!(hits(seed::USES, "SITE.NONE", "").await, 14);
        let date = "2040-01-01T00:00:00Z";
        assert_eq!(hits(seed::RETAIN_UNTIL, "SITE.AFTER", date).await, 0);
        assert_eq!(hits(seed::RETAIN_UNTIL, "SITE.FROM", date).await, 1);
        assert_eq!(hits(seed::RETAIN_UNTIL, "SITE.BEFORE", "2040-01-02").await, 1);
        assert_eq!(hits(seed::UPDATED, "SITE.FROM", "2031-05-06T07:08:09Z").await, 15);
        assert_eq!(hits(seed::NAME, CONTAINS, "bri").await, usize::from(contains == Contains::Substring));
    }
}
