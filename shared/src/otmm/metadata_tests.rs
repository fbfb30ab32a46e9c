use std::time::Duration;

use serde_json::{Value, json};

use super::{
    AssetId, EditingSettings, FieldId, LockStrategy, MetadataChange, NewValue, Row, Settings, TableChange,
    TableId,
    metadata::{Metadata, ValueKind},
    testing::{Answer, BASE, Canned, answer, asset, nothing, refusal},
};
use crate::error::{FailureClass, Retry};

fn id() -> AssetId {
    AssetId::new("a1")
}

fn field(text: &str) -> FieldId {
    FieldId::new(text)
}

fn event(text: &str) -> MetadataChange {
    let row: Row = [(field("T.COL"), NewValue::Text(text.to_owned()))].into();
    MetadataChange::new().table(&TableId::new("T.TAB"), TableChange::Append { row, key: field("T.COL") })
}

fn trailer(note: Option<&str>, rows: &[&str]) -> Answer {
    asset(&json!({}), &[("CUST.FIELD.NOTE", note), ("CUST.FIELD.KEPT", Some("kept"))], rows)
}

fn state() -> Answer {
    asset(&json!({"locked": false}), &[], &[])
}

#[test]
fn every_group_is_read_every_kind_of_value_and_tables_by_column() {
    let metadata = Metadata::read(&json!({"id": "M", "metadata_element_list": [
        {"id": "G1", "metadata_element_list": [
            {"type": "com.artesia.metadata.MetadataField", "id": "F.TEXT", "value": {"is_locked": false, "value": {"type": "string", "value": "x"}}},
            {"type": "com.artesia.metadata.MetadataField", "id": "F.NONE"},
            {"type": "com.artesia.metadata.MetadataField", "id": "F.HOLLOW", "value": {"domain_value": false}},
        ]},
        {"id": "G2", "metadata_element_list": [
            {"type": "com.artesia.metadata.MetadataField", "id": "F.PICK", "value": {"domain_value": true, "value": {
                "type": "com.artesia.metadata.DomainValue", "display_value": " English ", "field_value": {"type": "string", "value": "en"}}}},
            {"type": "com.artesia.metadata.MetadataField", "id": "F.CASCADE", "value": {"value": {
                "type": "com.artesia.metadata.CascadingDomainValue", "displayValue": "Paris", "field_value": {"type": "string", "value": "fr^par"}}}},
            {"type": "com.artesia.metadata.MetadataField", "id": "F.NUMBER", "value": {"value": {"type": "number", "value": 7}}},
            {"type": "com.artesia.metadata.MetadataTable", "id": "T", "metadata_element_list": [
                {"id": "C1", "values": [{"value": {"type": "string", "value": "a"}}, {"value": {}}]},
                {"id": "C2", "values": {"value": {"display_value": "Retail", "field_value": {"type": "string", "value": "7"}}}},
            ]},
        ]},
    ]}));
    assert_eq!((metadata.text(&field("F.TEXT")), metadata.text(&field("F.NUMBER"))), (Some("x"), Some("7")));
    for empty in ["F.NONE", "F.HOLLOW"] {
        assert!(metadata.has_field(&field(empty)) && metadata.get(&field(empty)).is_none(), "{empty}");
    }
    let pick = metadata.get(&field("F.PICK")).unwrap();
    assert_eq!(
        (pick.text.as_str(), pick.display.as_deref(), pick.kind),
        ("en", Some("English"), ValueKind::Lookup)
    );
    assert_eq!(metadata.get(&field("F.CASCADE")).unwrap().kind, ValueKind::CascadingLookup);
    let table = metadata.table(&TableId::new("T")).unwrap();
    assert_eq!(table.rows(), None, "one column has two cells, the other one");
    assert_eq!(table.cell(0, &field("C2")).map(|cell| cell.text.as_str()), Some("7"));
    assert_eq!(table.cell(1, &field("C1")), None);
}

#[tokio::test(start_paused = true)]
async fn metadata_is_written_under_a_lock_as_the_server_takes_it_and_read_again() {
    let canned = Canned::new([
        trailer(Some("old"), &["row1"]),
        state(),
        nothing(200),
        trailer(Some("old"), &["row1"]),
        nothing(200),
        trailer(None, &["row1", "row2"]),
        nothing(200),
        trailer(None, &["row1", "row2", "row3"]),
    ]);
    let change = event("row2").clear(&field("CUST.FIELD.NOTE")).text(&field("CUST.FIELD.KEPT"), "kept");
    let after = canned.client().update_metadata(&id(), &change, None).await.unwrap();
    assert_eq!(after.metadata.unwrap().text(&field("CUST.FIELD.NOTE")), None);
    assert_eq!(
        canned.lines(),
        [
            "GET assets/a1?load_type=metadata",
            "GET assets/a1",
            "PUT assets/a1/state",
            "GET assets/a1?load_type=metadata",
            "PATCH assets/a1",
            "GET assets/a1?load_type=metadata",
            "PUT assets/a1/state",
            "GET assets/a1?load_type=metadata",
        ]
    );
    let asked = canned.asked();
    let form = String::from_utf8(asked[2].body.clone()).unwrap();
    assert!(form.starts_with("action=lock&asset_state_options=%7B%22asset_state_options_param%22"), "{form}");
    assert_eq!(asked[4].header("content-type"), "application/json; charset=UTF-8");
    assert_eq!(
        asked[4].json(),
        json!({"edited_asset": {"data": {"metadata": [
            {"id": "CUST.FIELD.NOTE", "type": "com.artesia.metadata.MetadataField", "value": null},
            {"id": "T.COL", "type": "com.artesia.metadata.MetadataTableField", "values": [
                {"value": {"type": "string", "value": "row1"}}, {"value": {"type": "string", "value": "row2"}}
            ]},
        ]}}})
    );
    assert!(String::from_utf8(asked[6].body.clone()).unwrap().starts_with("action=unlock"));
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_neither_locked_nor_written() {
    let canned = Canned::new([trailer(Some("new"), &["row1"])]);
    let change = event("row1").text(&field("CUST.FIELD.NOTE"), "new");
    canned.client().update_metadata(&id(), &change, None).await.unwrap();
    assert_eq!(canned.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_asset_is_let_go_of_whatever_came_of_it() {
    let written = |outcome: Answer, after: Option<Answer>| {
        let mut answers = vec![trailer(None, &[]), state(), nothing(200), trailer(None, &[]), outcome];
        answers.extend(after);
        answers.push(nothing(200));
        Canned::new(answers)
    };
    let change = MetadataChange::new().text(&field("CUST.FIELD.NOTE"), "new");
    for (canned, class, code) in [
        (written(refusal(500, "Invalid value"), None), FailureClass::Invalid, "otmm.refused"),
        (
            written(nothing(200), Some(trailer(None, &[]))),
            FailureClass::Forbidden,
            "otmm.metadata-not-written",
        ),
        (
            written(nothing(200), Some(trailer(Some("theirs"), &[]))),
            FailureClass::Conflict,
            "otmm.metadata-changed",
        ),
    ] {
        let error = canned.client().update_metadata(&id(), &change, None).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (class, code));
        let last = canned.asked().pop().unwrap();
        assert!(String::from_utf8(last.body).unwrap().starts_with("action=unlock"));
    }
    // Done, and not let go of: that is said, and the next time it is.
    let canned = Canned::new([
        trailer(None, &[]),
        state(),
        nothing(200),
        trailer(None, &[]),
        nothing(200),
        trailer(Some("new"), &[]),
        refusal(500, "Something"),
    ]);
    let error = canned.client().update_metadata(&id(), &change, None).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Transient, "otmm.left-locked"));
    assert_eq!(error.retry_advice(), Retry::After(Duration::from_secs(300)), "then it is nobody else's");
    let left = || {
        let since = "2031-05-06T07:03:09Z";
        let lock = json!({"locked": true, "asset_lock_state_user_id": "2001", "asset_lock_state_last_update_date": since});
        asset(&lock, &[("CUST.FIELD.NOTE", Some("new"))], &[])
    };
    let canned = Canned::new([left(), left(), nothing(200), left(), nothing(200), trailer(Some("new"), &[])]);
    canned.client().update_metadata(&id(), &change, None).await.unwrap();
    let asked = canned.asked();
    assert!(asked.iter().all(|asked| asked.method != "PATCH"));
    assert!(String::from_utf8(asked[4].body.clone()).unwrap().starts_with("action=unlock"));
}

#[tokio::test(start_paused = true)]
async fn what_one_of_our_own_user_wrote_over_is_not_said_to_be_written() {
    let change = event("row2").text(&field("CUST.FIELD.NOTE"), "new");
    for (kept, after) in [
        (true, trailer(Some("new"), &["row1", "row2"])),
        (true, trailer(Some("new"), &["row1", "row2", "theirs"])),
        (false, trailer(Some("new"), &["row1", "theirs"])),
        (false, trailer(Some("new"), &["row1"])),
        (false, trailer(Some("theirs"), &["row1", "row2"])),
        (false, trailer(None, &["row1", "row2"])),
    ] {
        let canned = Canned::new([
            trailer(Some("new"), &["row1"]),
            state(),
            nothing(200),
            trailer(Some("new"), &["row1"]),
            nothing(200),
            trailer(Some("new"), &["row1", "row2"]),
            nothing(200),
            after,
        ]);
        let outcome = canned.client().update_metadata(&id(), &change, None).await;
        let told = outcome.map(drop).map_err(|error| (error.class(), error.code()));
        assert_eq!(told, if kept { Ok(()) } else { Err((FailureClass::Conflict, "otmm.metadata-changed")) });
    }
}

#[tokio::test(start_paused = true)]
async fn an_asset_that_is_held_is_waited_for_and_one_held_by_our_own_user_is_not_taken_over_while_that_is_fresh()
 {
    let change = MetadataChange::new().text(&field("CUST.FIELD.NOTE"), "new");
    let held = || refusal(500, "The asset is locked by job 7");
    let canned = Canned::new([
        trailer(None, &[]),
        state(),
        held(),
        state(),
        held(),
        state(),
        nothing(200),
        trailer(None, &[]),
        nothing(200),
        trailer(Some("new"), &[]),
        nothing(200),
        trailer(Some("new"), &[]),
    ]);
    canned.client().update_metadata(&id(), &change, None).await.unwrap();
    let ours = |since: &str| {
        asset(
            &json!({"locked": true, "metadata_lock_state_user_id": "2001", "metadata_lock_state_last_update_date": since}),
            &[],
            &[],
        )
    };
    let mut settings = Settings::at(BASE);
    settings.editing.lock_patience_seconds = 0;
    let canned = Canned::new([trailer(None, &[]), ours("2031-05-06T07:08:00Z")]);
    let error = canned.client_with(settings).update_metadata(&id(), &change, None).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Conflict, "otmm.locked"));
    let canned = Canned::new([
        trailer(None, &[]),
        ours("2031-05-06T06:00:00Z"),
        nothing(200),
        trailer(None, &[]),
        nothing(200),
        trailer(Some("new"), &[]),
        nothing(200),
        trailer(Some("new"), &[]),
    ]);
    canned.client().update_metadata(&id(), &change, None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_optimistic_write_takes_no_lock_and_a_table_takes_one_all_the_same() {
    let settings = || {
        let editing = EditingSettings { strategy: LockStrategy::Optimistic, ..EditingSettings::default() };
        Settings { editing, ..Settings::at(BASE) }
    };
    let change = MetadataChange::new().text(&field("CUST.FIELD.NOTE"), "new");
    let canned =
        Canned::new([trailer(None, &[]), trailer(None, &[]), nothing(200), trailer(Some("new"), &[])]);
    canned.client_with(settings()).update_metadata(&id(), &change, None).await.unwrap();
    assert_eq!(canned.lines()[2], "PATCH assets/a1?lock_strategy=optimistic");
    let canned = Canned::new([
        trailer(None, &[]),
        state(),
        nothing(200),
        trailer(None, &[]),
        nothing(200),
        trailer(None, &["row1"]),
        nothing(200),
        trailer(None, &["row1"]),
    ]);
    canned.client_with(settings()).update_metadata(&id(), &event("row1"), None).await.unwrap();
    assert_eq!(canned.lines()[2], "PUT assets/a1/state");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_onto_what_is_not_as_it_was_known() {
    let known = Metadata::read(&json!({"metadata_element_list": [
        {"id": "CUST.FIELD.NOTE", "value": {"value": {"type": "string", "value": "then"}}}
    ]}));
    let canned = Canned::new([
        trailer(Some("now"), &[]),
        state(),
        nothing(200),
        trailer(Some("now"), &[]),
        nothing(200),
    ]);
    let change = MetadataChange::new().text(&field("CUST.FIELD.NOTE"), "new");
    let error = canned.client().update_metadata(&id(), &change, Some(&known)).await.unwrap_err();
    assert_eq!((error.code(), error.field_name()), ("otmm.metadata-changed", Some("CUST.FIELD.NOTE")));
    assert!(canned.lines().iter().all(|line| !line.starts_with("PATCH")));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_clears_what_is_not_named_is_noticed_and_it_is_put_back() {
    let cleared = asset(&json!({}), &[("CUST.FIELD.NOTE", Some("new")), ("CUST.FIELD.KEPT", None)], &[]);
    let canned = Canned::new([
        trailer(None, &["row1"]),
        state(),
        nothing(200),
        trailer(None, &["row1"]),
        nothing(200),
        cleared,
        nothing(200),
        nothing(200),
    ]);
    let change = MetadataChange::new().text(&field("CUST.FIELD.NOTE"), "new");
    let error = canned.client().update_metadata(&id(), &change, None).await.unwrap_err();
    assert_eq!(error.code(), "otmm.metadata-replaced");
    let again = canned.asked()[6].json();
    let ids: Vec<&Value> = again["edited_asset"]["data"]["metadata"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| &field["id"])
        .collect();
    assert_eq!(ids, ["CUST.FIELD.KEPT", "T.COL"]);
}

#[tokio::test(start_paused = true)]
async fn a_table_whose_columns_are_not_equally_long_is_not_written() {
    let metadata = json!({"metadata_element_list": [
        {"type": "com.artesia.metadata.MetadataTable", "id": "T.TAB", "metadata_element_list": [
            {"id": "T.COL", "values": [{"value": {"type": "string", "value": "a"}}, {"value": null}]},
            {"id": "T.OTHER", "values": [{"value": {"type": "string", "value": "b"}}]},
        ]}
    ]});
    let uneven = answer(200, json!({"asset_resource": {"asset": {"asset_id": "a1", "metadata": metadata}}}));
    let canned = Canned::new([uneven]);
    let error = canned.client().update_metadata(&id(), &event("c"), None).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Invalid, "otmm.uneven-table"));
}
