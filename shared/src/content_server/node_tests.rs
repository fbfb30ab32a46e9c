use serde_json::{Value, json};

use super::{
    CategoryOutcome, CategoryValues, ChildFilter, MemberKind, NewFolder, NodeChange, NodeId, Search,
    Settings, kind,
    testing::{Answer, Canned, answer, node},
    volume,
};
use crate::error::FailureClass;

fn children(nodes: &[Value], paging: Value) -> Answer {
    answer(200, json!({"links": {}, "collection": {"paging": paging}, "results": nodes}))
}

fn none() -> Answer {
    children(&[], json!({"limit": 100, "page": 1, "page_total": 1, "range_max": 0, "total_count": 0}))
}

fn one(node: Value) -> Answer {
    answer(200, json!({"links": {}, "results": node}))
}

fn taken(name: &str) -> Answer {
    answer(500, json!({"error": format!("An item with the name '{name}' already exists.")}))
}

#[tokio::test(start_paused = true)]
async fn a_child_is_found_behind_many_siblings_whose_names_hold_its_name() {
    let first: Vec<Value> = (0..2).map(|id| node(id, "evidence annex", 144)).collect();
    let paging =
        |max: i64| json!({"limit": 2, "page": 1, "page_total": 2, "range_max": max, "total_count": 3});
    let canned = Canned::new([children(&first, paging(2)), children(&[node(9, "evidence", 144)], paging(3))]);
    let settings = Settings { page_size: 2, ..Settings::at("http://ecm/cs/cs") };
    let found = canned.client_with(settings).find_child(NodeId(7001), "evidence").await.unwrap().unwrap();
    assert_eq!(found.id, NodeId(9));
    assert_eq!(
        canned.lines()[1],
        "GET /v2/nodes/7001/nodes?where_name=evidence&page=2&limit=2&fields=properties"
    );
}

#[tokio::test(start_paused = true)]
async fn a_child_that_differs_in_case_counts_unless_another_is_spelt_exactly_so() {
    let both = [node(1, "EVIDENCE", 144), node(2, "evidence", 144)];
    for (nodes, ignore_case, expected) in
        [(&both[..], true, Some(2)), (&both[..1], true, Some(1)), (&both[..1], false, None)]
    {
        let canned = Canned::new([children(nodes, json!({"range_max": 2, "total_count": 2}))]);
        let settings = Settings { names_ignore_case: ignore_case, ..Settings::at("http://ecm/cs/cs") };
        let found = canned.client_with(settings).find_child(NodeId(7001), "evidence").await.unwrap();
        assert_eq!(found.map(|node| node.id.0), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_search_that_repeats_its_results_past_the_end_ends_and_gives_each_once() {
    let page =
        || children(&[node(1, "a", 144), node(2, "b", 144)], json!({"total_count": 5, "range_max": 2}));
    let canned = Canned::new([page(), page()]);
    let settings = Settings { page_size: 2, ..Settings::at("http://ecm/cs/cs") };
    let client = canned.client_with(settings);
    let found =
        client.search(Search { query: "OTSubType:144".to_owned(), ..Search::default() }).all().await.unwrap();
    assert_eq!(found.len(), 2);
    let form = canned.asked()[0].form();
    assert!(form.contains(&("where".to_owned(), "OTSubType:144".to_owned())), "{form:?}");
}

#[tokio::test(start_paused = true)]
async fn a_listing_is_read_to_its_end_where_the_server_caps_the_page() {
    let page =
        |id: i64| children(&[node(id, "x", 0)], json!({"limit": 1, "range_max": id, "total_count": 3}));
    let canned = Canned::new([page(1), page(2), page(3)]);
    let all = canned.client().list_children(NodeId(7001), ChildFilter::default()).all().await.unwrap();
    assert_eq!(all.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_caps_the_page_and_counts_nothing_is_read_to_its_end() {
    let page = |ids: &[i64]| {
        let nodes: Vec<Value> = ids.iter().map(|id| node(*id, "x", 0)).collect();
        children(&nodes, json!({"limit": 2, "range_max": ids.len()}))
    };
    let canned = Canned::new([page(&[1, 2]), page(&[3, 4]), page(&[5])]);
    let all = canned.client().list_children(NodeId(7001), ChildFilter::default()).all().await.unwrap();
    assert_eq!(all.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn many_ids_go_in_calls_the_server_takes() {
    let canned = Canned::new([children(&[node(1, "a", 0)], json!({})), one(json!({}))]);
    let ids: Vec<NodeId> = (0..300).map(NodeId).collect();
    let found = canned.client().list_nodes(&ids).await.unwrap();
    assert_eq!(found.len(), 1, "what cannot be seen is left out");
    let sizes: Vec<_> = canned
        .asked()
        .iter()
        .map(|asked| asked.form().iter().filter(|(key, _)| key == "ids").count())
        .collect();
    assert_eq!(sizes, [250, 50]);
}

#[tokio::test(start_paused = true)]
async fn two_who_make_the_same_folder_both_get_it() {
    let canned = Canned::new([
        one(node(7001, "Claims", 0)),
        none(),
        taken("2031"),
        children(&[node(5, "2031", 0)], json!({})),
    ]);
    let ensured = canned
        .client()
        .ensure_folder_path(NodeId(7001), &["2031".to_owned()], &NewFolder::default())
        .await
        .unwrap();
    assert_eq!((ensured.folder.id, ensured.created.len()), (NodeId(5), 0));
}

#[tokio::test(start_paused = true)]
async fn a_folder_whose_creation_was_not_confirmed_is_looked_for() {
    let canned = Canned::new([none(), answer(200, ""), children(&[node(5, "2031", 0)], json!({}))]);
    let (folder, _) =
        canned.client().ensure_folder(NodeId(7001), "2031", &NewFolder::default()).await.unwrap();
    assert_eq!(folder.id, NodeId(5));
}

#[tokio::test(start_paused = true)]
async fn a_name_taken_by_something_hidden_or_by_a_document_is_told_as_such() {
    let canned = Canned::new([none(), taken("2031"), none(), none()]);
    let error = canned.client().ensure_folder(NodeId(7001), "2031", &NewFolder::default()).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "content-server.name-taken-unseen"));
    let canned = Canned::new([children(&[node(5, "2031", 144)], json!({}))]);
    let error = canned.client().ensure_folder(NodeId(7001), "2031", &NewFolder::default()).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "content-server.path-blocked"));
}

#[tokio::test(start_paused = true)]
async fn a_path_is_followed_name_by_name() {
    let canned = Canned::new([
        one(node(2000, "Enterprise", 141)),
        children(&[node(7001, "Claims", 0)], json!({})),
        children(&[node(1, "20310", 0), node(7002, "2031", 0)], json!({})),
    ]);
    let node = canned.client().resolve_path(&"Enterprise:Claims/2031".parse().unwrap()).await.unwrap();
    assert_eq!((node.id, node.kind), (NodeId(7002), kind::FOLDER));
    assert_eq!(canned.lines()[0], format!("GET /v2/volumes/{}", volume::ENTERPRISE));
}

#[tokio::test(start_paused = true)]
async fn a_node_is_changed_only_while_nobody_else_changed_it() {
    let canned = Canned::new([
        one(json!({"data": {}, "state": {"properties": {"metadata_token": "17"}}})),
        answer(409, json!({"error": "Could not update metadata (edit conflict)."})),
    ]);
    let client = canned.client();
    let token = client.get_metadata_token(NodeId(9)).await.unwrap();
    let change = NodeChange { name: Some("new".to_owned()), token, ..NodeChange::default() };
    let error = client.update_node(NodeId(9), &change).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Conflict, super::EDIT_CONFLICT));
    assert_eq!(canned.asked()[1].json(), json!({"name": "new", "metadata_token": "17"}));
}

#[tokio::test(start_paused = true)]
async fn deleting_what_is_gone_is_no_failure_and_what_is_held_is_one() {
    let canned = Canned::new([
        answer(500, json!({"error": "Could not get a node for 9"})),
        answer(500, json!({"error": "The item is under hold"})),
    ]);
    let client = canned.client();
    client.delete_node(NodeId(9)).await.unwrap();
    let error = client.delete_node(NodeId(9)).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, super::RECORD_STATE));
}

#[tokio::test(start_paused = true)]
async fn a_category_edited_by_somebody_else_in_between_is_read_again_and_written_on_top() {
    let state = |token: &str| one(json!({"state": {"categories": {"8101_1": {"metadata_token": token}}}}));
    let has = |value: &str| {
        answer(200, json!({"results": [{"data": {"categories": {"8101_2": value, "8101_5": "x"}}}]}))
    };
    let canned = Canned::new([
        state("1"),
        has("old"),
        answer(409, json!({"error": "Could not update metadata (edit conflict)."})),
        state("2"),
        has("theirs"),
        one(json!({})),
    ]);
    let mut values = CategoryValues::new(NodeId(8101));
    values.insert("8101_2", "ours".into());
    let outcome = canned.client().set_category(NodeId(9), &values).await.unwrap();
    assert_eq!(outcome, CategoryOutcome::Updated);
    assert_eq!(canned.asked()[5].json(), json!({"8101_2": "ours", "8101_1": {"metadata_token": "2"}}));
}

#[tokio::test(start_paused = true)]
async fn a_category_that_says_the_same_already_is_left_alone() {
    let has = json!({"results": [{"data": {"categories": {"8101_2": "7"}}}]});
    let canned = Canned::new([one(json!({})), answer(200, has)]);
    let mut values = CategoryValues::new(NodeId(8101));
    values.insert("8101_2", super::AttributeValue::Integer(7));
    let outcome = canned.client().set_category(NodeId(9), &values).await.unwrap();
    assert_eq!(outcome, CategoryOutcome::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn a_member_is_found_by_exactly_its_name() {
    let member = |id: i64, name: &str| json!({"data": {"properties": {"id": id, "name": name, "type": 1}}});
    let canned = Canned::new([children(&[member(1, "Claims Office"), member(2, "Claims")], json!({}))]);
    let found = canned.client().find_member(MemberKind::Group, "Claims").await.unwrap().unwrap();
    assert_eq!(found.id, 2);
    let canned = Canned::new([children(&[member(1, "Claims Office")], json!({}))]);
    let error = canned.client().resolve_member(MemberKind::Group, "Claims").await.unwrap_err();
    assert_eq!((error.class(), error.field_name()), (FailureClass::Forbidden, Some("Claims")));
}
