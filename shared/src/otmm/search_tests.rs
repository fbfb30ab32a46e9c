use serde_json::{Value, json};

use super::{
    AnyOf, Condition, FieldId, Load, OperatorId, Search, Settings, TableId,
    testing::{Answer, BASE, Canned, answer},
};
use crate::error::FailureClass;

fn field() -> FieldId {
    FieldId::new("ARTESIA.FIELD.ORIGINAL ASSET ID")
}

fn hits(ids: &[&str], total: u64, invalid: Option<bool>) -> Answer {
    dated(&ids.iter().map(|id| (*id, "2031-05-06T07:00:00Z")).collect::<Vec<_>>(), total, invalid)
}

fn dated(assets: &[(&str, &str)], total: u64, invalid: Option<bool>) -> Answer {
    let list: Vec<Value> = assets
        .iter()
        .map(|(id, updated)| json!({"asset_id": id, "original_asset_id": id, "date_last_updated": updated}))
        .collect();
    let mut result = json!({"hit_count": list.len(), "offset": 0, "total_hit_count": total});
    if let Some(invalid) = invalid {
        result["contains_invalid_conditions"] = invalid.into();
    }
    answer(200, json!({"search_result_resource": {"search_result": result, "asset_list": list}}))
}

fn form(body: &[u8]) -> Vec<(String, String)> {
    serde_urlencoded::from_bytes(body).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_search_says_how_its_conditions_join() {
    let canned = Canned::new([hits(&["a1"], 1, Some(false))]);
    let search = Search::new()
        .and(Condition::contains(&FieldId::new("ARTESIA.FIELD.IS LATEST VERSION"), "Y"))
        .and(AnyOf(vec![Condition::contains(&field(), "a1"), Condition::contains(&field(), "b2")]))
        .and(Condition::contains(&FieldId::new("T.COL"), "7").in_table(&TableId::new("T.TAB")))
        .sorted("NAME", true)
        .load(Load::Metadata);
    canned.client().search(search).all().await.unwrap();
    let asked = canned.asked().remove(0);
    assert_eq!(asked.line(), "POST search/text");
    let fields = form(&asked.body);
    let get = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!((get("after"), get("limit"), get("sort")), (Some("0"), Some("100"), Some("asc_NAME")));
    assert_eq!((get("load_type"), get("keyword_query")), (Some("metadata"), Some("*")));
    let list: Value = serde_json::from_str(get("search_condition_list").unwrap()).unwrap();
    let scalar = |id: &str, value: &str| {
        json!({"type": "com.artesia.search.SearchScalarCondition", "metadata_field_id": id,
               "relational_operator_id": "ARTESIA.OPERATOR.CHAR.CONTAINS", "value": value})
    };
    let with = |mut json: Value, members: Value| {
        for (name, value) in members.as_object().unwrap() {
            json[name] = value.clone();
        }
        json
    };
    let original = "ARTESIA.FIELD.ORIGINAL ASSET ID";
    assert_eq!(
        list["search_condition_list"]["search_condition"],
        json!([
            scalar("ARTESIA.FIELD.IS LATEST VERSION", "Y"),
            with(scalar(original, "a1"), json!({"relational_operator": "and", "left_paren": "("})),
            with(scalar(original, "b2"), json!({"relational_operator": "or", "right_paren": ")"})),
            {"type": "com.artesia.search.SearchTabularCondition", "metadata_table_id": "T.TAB",
             "relational_operator": "and", "tabular_field_list": [
                with(scalar("T.COL", "7"), json!({"type": "com.artesia.search.SearchTabularFieldCondition",
                    "left_paren": "(", "right_paren": ")"}))]},
        ])
    );
}

#[tokio::test(start_paused = true)]
async fn conditions_that_were_not_understood_stop_everything_and_silence_about_them_does_too() {
    let search = || Search::new().and(Condition::contains(&field(), "a1"));
    for (answer, class, code) in [
        (hits(&["a1"], 1, Some(true)), FailureClass::Forbidden, "otmm.invalid-conditions"),
        (hits(&["a1"], 1, None), FailureClass::Transient, "otmm.unexpected-answer"),
    ] {
        let canned = Canned::new([answer]);
        let error = canned.client().search(search()).all().await.unwrap_err();
        assert_eq!((error.class(), error.code()), (class, code));
    }
    let canned = Canned::new([hits(&["a1"], 1, None)]);
    assert_eq!(canned.client().search(Search::new()).all().await.unwrap().len(), 1, "it asked for all");
}

#[tokio::test(start_paused = true)]
async fn pages_go_on_to_the_end_and_no_further() {
    let settings = || Settings { page_size: 2, ..Settings::at(BASE) };
    let canned = Canned::new([hits(&["a1", "a2"], 3, Some(false)), hits(&["a2", "a3"], 4, Some(false))]);
    let client = canned.client_with(settings());
    let mut found = client.search(Search::new());
    let mut ids = Vec::new();
    while let Some(page) = found.next_page().await.unwrap() {
        ids.extend(page.into_iter().map(|asset| asset.id.to_string()));
    }
    assert_eq!((ids, found.is_settled()), (vec!["a1".to_owned(), "a2".to_owned(), "a3".to_owned()], false));
    assert_eq!(form(&canned.asked()[1].body).iter().find(|(key, _)| key == "after").unwrap().1, "2");
    for (answers, code) in [
        (vec![hits(&["a1", "a2"], 9, Some(false)), hits(&[], 9, Some(false))], "otmm.list-ended-early"),
        (vec![hits(&["a1", "a2"], 9, Some(false)), hits(&["a1", "a2"], 9, Some(false))], "otmm.endless-list"),
    ] {
        let error =
            Canned::new(answers).client_with(settings()).search(Search::new()).all().await.unwrap_err();
        assert_eq!(error.code(), code);
    }
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_nobody_declared_is_asked_for_before_anybody_is_called() {
    let canned = Canned::new([]);
    let error =
        canned.client().search(Search::new().and(Condition::is(&field(), "a1"))).all().await.unwrap_err();
    assert_eq!((error.code(), error.field_name()), ("otmm.not-configured", Some("ids.operators.text_is")));
    let since = "2031-05-06T07:00:00Z".parse().unwrap();
    let error = canned.client().changed_since(since, Search::new()).await.unwrap_err();
    assert_eq!((error.code(), error.field_name()), ("otmm.not-configured", Some("ids.updated")));
    assert!(canned.asked().is_empty());
}

fn feeding(operator: &str) -> Settings {
    let mut settings = Settings::at(BASE);
    settings.ids.updated = FieldId::new("F.UPDATED");
    settings.ids.operators.date_from = OperatorId::new(operator);
    settings
}

#[tokio::test(start_paused = true)]
async fn changes_are_read_from_the_newest_until_they_are_older_than_asked_with_an_overlap() {
    let canned = Canned::new([dated(
        &[
            ("a3", "2031-05-06T07:06:00Z"),
            ("a2", "2031-05-06T07:05:30Z"),
            ("a1", "2031-05-06T07:04:00Z"),
            ("a0", "2031-05-06T07:02:59Z"),
        ],
        4,
        Some(false),
    )]);
    let since = "2031-05-06T07:05:00Z".parse().unwrap();
    let changes = canned.client_with(feeding("")).changed_since(since, Search::new()).await.unwrap();
    let ids: Vec<&str> = changes.assets.iter().map(|asset| asset.id.as_str()).collect();
    assert_eq!((ids, changes.until.to_string().as_str()), (vec!["a1", "a2", "a3"], "2031-05-06T07:06:00Z"));
    let sort = form(&canned.asked()[0].body).into_iter().find(|(key, _)| key == "sort").unwrap().1;
    assert_eq!(sort, "desc_F.UPDATED");
    let unsorted = dated(&[("a1", "2031-05-06T07:04:00Z"), ("a2", "2031-05-06T07:05:00Z")], 2, Some(false));
    let error = Canned::new([unsorted])
        .client_with(feeding(""))
        .changed_since(since, Search::new())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "otmm.list-not-sorted");
}

#[tokio::test(start_paused = true)]
async fn a_condition_on_a_moment_is_believed_only_when_it_finds_nothing_in_years_to_come() {
    let since = "2031-05-06T07:05:00Z".parse().unwrap();
    let canned = Canned::new([hits(&[], 0, Some(false)), hits(&["a1"], 1, Some(false))]);
    let changes = canned.client_with(feeding("OP.DATE")).changed_since(since, Search::new()).await.unwrap();
    assert!(changes.assets.is_empty(), "older than asked");
    let conditions = form(&canned.asked()[1].body);
    assert!(conditions.iter().any(|(_, value)| value.contains("2031-05-06T07:03:00Z")), "{conditions:?}");
    let ignoring = Canned::new([hits(&["a1"], 1, Some(false))]);
    let error =
        ignoring.client_with(feeding("OP.DATE")).changed_since(since, Search::new()).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "otmm.conditions-ignored"));
}
