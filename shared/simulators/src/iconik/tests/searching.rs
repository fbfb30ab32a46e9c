use serde_json::{Value, json};

use super::super::Settings;
use super::super::Simulator;
use super::super::settings::Operator;
use super::{call, seeded, simulator};

async fn search(simulator: &Simulator, body: Value) -> Value {
    let (status, answer) = call(simulator, "POST", "search/v1/search/?per_page=100", Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn titles(simulator: &Simulator, body: Value) -> Vec<String> {
    let mut body = body;
    body["sort"] = json!([{"name": "title", "order": "asc"}]);
    let answer = search(simulator, body).await;
    answer["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["title"].as_str().unwrap().to_owned())
        .collect()
}

fn terms(terms: Value) -> Value {
    json!({"doc_types": ["assets"], "filter": {"operator": "AND", "terms": terms}})
}

#[tokio::test]
async fn words_phrases_fields_and_operators_find_what_they_say() {
    let simulator = simulator(Settings::default());
    let find = async |query: &str| {
        titles(&simulator, json!({"doc_types": ["assets"], "search_fields": ["title"], "query": query})).await
    };
    let both = ["Harbour Lights 30s", "Harbour Lights 60s master"];
    assert_eq!(find("60s").await, ["Harbour Lights 60s master"]);
    assert_eq!(find("60s 30s").await, both);
    assert_eq!(find("harbour AND dawn").await, ["Harbour at dawn"]);
    assert_eq!(find("+harbour +lights -edit -timeline -teaser -vertical").await, both);
    assert_eq!(find("\"lights 60s\"").await, ["Harbour Lights 60s master"]);
    assert_eq!(find("\"60s lights\"").await, Vec::<String>::new());
    assert_eq!(find("title:dawn OR category:document").await, ["Creative brief", "Harbour at dawn"]);
    assert_eq!(find("title:(dawn inhaler) AND NOT category:healthcare").await, ["Harbour at dawn"]);
    assert_eq!(find("creat*").await, ["Creative brief"]);
    assert_eq!(find("?awn").await, ["Harbour at dawn"]);
    assert_eq!(find("inhailer~").await, ["Using the inhaler"]);
    assert_eq!(find("/inh.l.r/").await, ["Using the inhaler"]);
    assert_eq!(find("ヨコハマ").await.len(), 1);
    assert_eq!(find("external_id:CMP\\-2031\\-014\\-030").await, ["Harbour Lights 30s"]);
    assert_eq!(find("time_start_milliseconds:[10000 TO 12000]").await, ["Lighthouse turns on"]);
    assert_eq!(find("time_start_milliseconds:{10000 TO 12000}").await, Vec::<String>::new());
    assert_eq!(find("time_end_milliseconds:>=19500").await, ["Lighthouse turns on"]);
    simulator.with_state(|state| state.settings.index.operator = Operator::And);
    assert_eq!(find("60s 30s").await, Vec::<String>::new());
    assert_eq!(find("60s OR 30s").await, both);
}

#[tokio::test]
async fn a_title_is_found_when_it_is_escaped_and_may_break_the_search_when_it_is_not() {
    let simulator = simulator(Settings::default());
    let title = "Harbour master: interview & b-roll";
    let escape = |text: &str| {
        text.chars()
            .map(|c| if "+-&|!(){}[]^\"~*?:\\/ ".contains(c) { format!("\\{c}") } else { c.to_string() })
            .collect::<String>()
    };
    let term = |value: String| terms(json!([{"name": "title", "value": value}]));
    assert_eq!(titles(&simulator, term(escape(title))).await, [title]);
    assert_ne!(titles(&simulator, term(title.to_owned())).await, [title], "the colon names a field");
    for broken in ["(open", "\"open", "a/b", "AND", "x\\", "[1 TO", "a:", "title:[1 2]"] {
        let (status, answer) =
            call(&simulator, "POST", "search/v1/search/", Some(term(broken.to_owned()))).await;
        assert_eq!(status, 400, "{broken}");
        assert!(answer["errors"][0].as_str().unwrap().starts_with("Failed to parse query"), "{answer}");
    }
}

#[tokio::test]
async fn filters_are_nested_and_know_values_ranges_and_what_is_missing() {
    let simulator = simulator(Settings::default());
    let finals = seeded(&simulator, "Finals");
    let campaign = seeded(&simulator, "Harbour Lights");
    let all = async |list: Value| titles(&simulator, terms(list)).await.len();
    assert_eq!(all(json!([{"name": "in_collections", "value": finals.replace('-', "\\-")}])).await, 3);
    assert_eq!(all(json!([{"name": "ancestor_collections", "value_in": [campaign]}])).await, 12);
    assert_eq!(all(json!([{"name": "type", "value_in": ["LINK", "PLACEHOLDER"]}, {"name": "external_id", "exists": true}])).await, 1);
    assert_eq!(all(json!([{"name": "type", "value_in": ["LINK", "PLACEHOLDER"]}, {"name": "external_id", "missing": true}])).await, 1);
    assert_eq!(
        all(json!([{"name": "archive_status", "value": "ARCHIVED"}])).await,
        0,
        "not a part of NOT_ARCHIVED"
    );
    let made =
        |min: &str, zone: &str| json!([{"name": "date_created", "range": {"min": min, "timezone": zone}}]);
    assert_eq!(all(made("2031-05-05T11:08:09", "")).await, 2);
    assert_eq!(all(made("2031-05-05T12:00:00", "+02:00")).await, 2);
    assert_eq!(all(made("2031-05-05T12:00:00", "")).await, 0);
    let deleted = json!([{"name": "date_deleted", "range": {"max": "2031-05-06"}}]);
    assert_eq!(all(deleted).await, 0, "the one in the bin was deleted on that day");
    let nested = json!({"doc_types": ["assets"], "filter": {"operator": "OR", "filters": [
        {"operator": "AND", "terms": [{"name": "type", "value_in": ["LINK"]}]},
        {"operator": "AND", "terms": [{"name": "category", "value": "news"}, {"name": "status", "value": "ACTIVE"}]},
    ]}});
    assert_eq!(titles(&simulator, nested).await, ["Creative brief", "Ferry terminal opens"]);
    let (status, _) =
        call(&simulator, "POST", "search/v1/search/", Some(terms(json!([{"name": "type"}])))).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn documents_have_what_the_index_adds_and_only_the_fields_asked_for() {
    let simulator = simulator(Settings::default());
    let only = terms(json!([{"name": "type", "value_in": ["LINK"]}]));
    let document = search(&simulator, only.clone()).await["objects"][0].clone();
    assert_eq!((&document["object_type"], &document["metadata"]), (&json!("assets"), &json!({})));
    assert_eq!(document["ancestor_collections"].as_array().unwrap().len(), 3);
    let mut included = only.clone();
    included["include_fields"] = json!(["title", "id"]);
    let keys: Vec<String> =
        search(&simulator, included).await["objects"][0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys.len(), 4, "{keys:?}");
    let mut excluded = only;
    excluded["exclude_fields"] = json!(["versions"]);
    assert_eq!(search(&simulator, excluded).await["objects"][0].get("versions"), None);
}

#[tokio::test]
async fn facets_count_and_narrow() {
    let simulator = simulator(Settings::default());
    let body = json!({"doc_types": ["assets"], "facets": ["category"], "facets_filters": [{"name": "type", "value_in": ["ASSET"]}]});
    let answer = search(&simulator, body).await;
    let buckets = answer["facets"]["category"]["buckets"].as_array().unwrap();
    assert_eq!(buckets[0]["doc_count"], 3);
    let counted: u64 = buckets.iter().map(|bucket| bucket["doc_count"].as_u64().unwrap()).sum();
    assert_eq!(json!(counted), answer["total"]);
}

#[tokio::test]
async fn a_sweep_reads_all_pages_by_sort_keys_without_gap_or_repetition() {
    let simulator = simulator(Settings::default());
    let mut body =
        json!({"sort": [{"name": "date_modified", "order": "asc"}, {"name": "id", "order": "asc"}]});
    let mut seen: Vec<String> = Vec::new();
    loop {
        let (status, answer) =
            call(&simulator, "POST", "search/v1/search/?per_page=4", Some(body.clone())).await;
        assert_eq!(status, 200);
        let objects = answer["objects"].as_array().unwrap();
        let Some(last) = objects.last() else { break };
        assert_eq!(last["_sort"], answer["search_after"]);
        body["search_after"] = last["_sort"].clone();
        seen.extend(objects.iter().map(|object| object["id"].as_str().unwrap().to_owned()));
    }
    let total =
        simulator.with_state(|state| state.assets.objects().count() + state.collections.objects().count());
    assert_eq!(seen.len(), total);
    let distinct: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), total);
    assert_eq!(
        call(&simulator, "POST", "search/v1/search/?per_page=100&page=2", Some(json!({}))).await.0,
        404
    );
    assert_eq!(call(&simulator, "POST", "search/v2/search/", Some(json!({}))).await.0, 200);
}

#[tokio::test]
async fn a_search_is_saved_and_what_it_finds_can_be_deleted() {
    let simulator = simulator(Settings::default());
    let body = json!({"name": "News", "search_criteria_document": terms(json!([{"name": "category", "value": "news"}]))});
    let (status, saved) = call(&simulator, "POST", "search/v1/search/saved/", Some(body)).await;
    assert_eq!(status, 201);
    let path = format!("search/v1/search/saved/{}/", saved["id"].as_str().unwrap());
    assert_eq!(
        call(&simulator, "PATCH", &path, Some(json!({"name": "All news"}))).await.1["name"],
        "All news"
    );
    let bulk = json!({"object_ids": [saved["id"]], "object_type": "saved_searches"});
    assert_eq!(call(&simulator, "POST", "assets/v1/delete_queue/bulk/", Some(bulk)).await.0, 202);
    let report = seeded(&simulator, "Ferry terminal opens");
    assert!(simulator.with_state(|state| state.is_deleted("assets", &report)));
    assert_eq!(call(&simulator, "DELETE", &path, None).await.0, 204);
    assert_eq!(call(&simulator, "GET", &path, None).await.0, 404);
    let broken = json!({"name": "x", "search_criteria_document": {"query": "("}});
    assert_eq!(call(&simulator, "POST", "search/v1/search/saved/", Some(broken)).await.0, 400);
}

#[tokio::test]
async fn metadata_and_verdicts_are_found_once_the_index_has_them() {
    let simulator = simulator(Settings::default());
    let id = seeded(&simulator, "Harbour at dawn");
    let view = super::super::seed::metadata::CAMPAIGN_VIEW;
    simulator.with_state(|state| {
        state.settings.index.lag_seconds = 10;
        state.settings.metadata_rules.moves_date_modified = false;
    });
    let body = json!({"metadata_values": {"Project": {"field_values": [{"value": "Beacon"}]}}});
    let path = format!("metadata/v1/assets/{id}/views/{view}/");
    let (status, answer) = call(&simulator, "PUT", &path, Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    let request = json!({"users": [super::super::seed::REVIEWER]});
    let path = format!("assets/v1/assets/{id}/approvals/request/");
    assert_eq!(call(&simulator, "POST", &path, Some(request)).await.0, 201);
    let find = async |name: &str, value: &str| {
        titles(&simulator, terms(json!([{"name": name, "value": value}, {"name": "id", "value_in": [id]}])))
            .await
            .len()
    };
    assert_eq!(
        (find("metadata.Project", "Beacon").await, find("approval.status", "REQUESTED").await),
        (0, 0)
    );
    super::wait(&simulator, 10);
    assert_eq!(
        (find("metadata.Project", "Beacon").await, find("approval.status", "REQUESTED").await),
        (1, 1)
    );
    let mut body = terms(json!([{"name": "metadata.Project", "value": "Beacon"}]));
    assert_eq!(
        search(&simulator, body.clone()).await["objects"][0]["metadata"],
        json!({}),
        "no view, no values"
    );
    body["metadata_view_id"] = json!(view);
    assert_eq!(search(&simulator, body).await["objects"][0]["metadata"]["Project"], "Beacon");
}

#[tokio::test]
async fn segments_are_found_when_they_are_asked_for() {
    let simulator = simulator(Settings::default());
    let id = seeded(&simulator, "Harbour at dawn");
    let body = json!({"segment_type": "COMMENT", "segment_text": "The gulls are too loud"});
    assert_eq!(
        call(&simulator, "POST", &format!("assets/v1/assets/{id}/segments/"), Some(body)).await.0,
        201
    );
    let found = search(&simulator, json!({"doc_types": ["segments"], "query": "gulls"})).await;
    assert_eq!((&found["total"], &found["objects"][0]["asset_id"]), (&json!(1), &json!(id)));
    assert_eq!(search(&simulator, json!({"query": "gulls"})).await["total"], 0);
}
