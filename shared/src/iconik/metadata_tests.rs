use serde_json::{Value, json};

use super::{
    AssetId, Field, FieldKind, MetadataChange, MetadataValues, ObjectRef, Settings, View, ViewId,
    metadata_values::same,
    testing::{Answer, BASE, Canned, answer, page},
};
use crate::error::FailureClass;

fn object() -> ObjectRef {
    AssetId::new("a").into()
}

fn view() -> ViewId {
    ViewId::new("v")
}

fn values(fields: Value) -> Answer {
    let fields: serde_json::Map<String, Value> = fields
        .as_object()
        .unwrap()
        .iter()
        .map(|(field, values)| {
            let values: Vec<Value> =
                values.as_array().unwrap().iter().map(|value| json!({"value": value})).collect();
            (field.clone(), json!({"field_values": values, "date_created": "2024-01-02T03:04:05.123456"}))
        })
        .collect();
    answer(200, json!({"metadata_values": fields, "object_id": "a", "job_id": null}))
}

fn none_yet() -> Answer {
    answer(404, json!({"errors": ["Metadata for object a does not exist"]}))
}

#[tokio::test(start_paused = true)]
async fn no_values_for_a_view_are_no_values_and_no_missing_asset() {
    let canned = Canned::new([none_yet()]);
    assert_eq!(canned.client().get_metadata(&object(), &view()).await.unwrap(), MetadataValues::new());
    assert_eq!(canned.lines(), ["GET metadata/v1/assets/a/views/v/"]);
}

#[tokio::test(start_paused = true)]
async fn values_are_read_in_both_shapes() {
    let direct = answer(
        200,
        json!({"Region": {"name": "Region", "type": "drop_down", "values": [{"value": "EU"}, {"value": null}]},
            "Empty": {"name": "Empty", "type": "string", "values": []}}),
    );
    let canned = Canned::new([values(json!({"Region": ["EU"], "Empty": [""]})), direct]);
    let client = canned.client();
    let by_view = client.get_metadata(&object(), &view()).await.unwrap();
    let by_object = client.get_all_metadata(&object()).await.unwrap();
    assert_eq!(by_view, by_object);
    assert_eq!(by_view.text("Region").as_deref(), Some("EU"));
    assert_eq!(by_view.written("Region"), "2024-01-02T03:04:05.123456Z".parse().ok());
    assert_eq!(by_object.written("Region"), None, "the direct shape does not say");
    assert_eq!(by_view.get("Empty"), &[] as &[Value]);
}

#[test]
fn values_are_the_same_however_each_is_written() {
    for (one, other) in [
        (json!(["7"]), json!([7])),
        (json!([7.0]), json!(["7"])),
        (json!([true]), json!(["True"])),
        (json!(["a", "b"]), json!(["b", "a"])),
    ] {
        assert!(same(one.as_array().unwrap(), other.as_array().unwrap()), "{one} {other}");
    }
    for (one, other) in [
        (json!(["007"]), json!([7])),
        (json!(["a"]), json!(["a", "a"])),
        (json!(["a"]), json!(["A"])),
        (json!([7.5]), json!(["7"])),
        (json!([]), json!(["0"])),
    ] {
        assert!(!same(one.as_array().unwrap(), other.as_array().unwrap()), "{one} {other}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_differs_is_written_and_it_is_read_again() {
    let before = json!({"Region": ["EU"], "Owner": ["Legal"], "Term": ["2"]});
    let after = json!({"Region": ["EU"], "Owner": ["Sales"]});
    let canned = Canned::new([values(before), answer(200, json!({})), values(after)]);
    let change = MetadataChange::new().set("Region", ["EU"]).set("Owner", ["Sales"]).clear("Term");
    let written = canned.client().update_metadata(&object(), &view(), &change, None).await.unwrap();
    assert_eq!(written.text("Owner").as_deref(), Some("Sales"));
    let put = canned.asked().remove(1);
    assert_eq!(put.line(), "PUT metadata/v1/assets/a/views/v/?ignore_unchanged=true");
    assert_eq!(
        put.json(),
        json!({"metadata_values": {
            "Owner": {"field_values": [{"value": "Sales"}]}, "Term": {"field_values": []}}})
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_so_already_is_not_written_at_all() {
    let canned = Canned::new([values(json!({"Days": [30]}))]);
    let change = MetadataChange::new().set("Days", ["30"]);
    canned.client().update_metadata(&object(), &view(), &change, None).await.unwrap();
    assert_eq!(canned.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_has_changed_since_it_was_read_is_not_overwritten() {
    let canned = Canned::new([values(json!({"Owner": ["Press"], "Region": ["EU"]}))]);
    let based_on = MetadataValues::new().with("Owner", vec![json!("Legal")]);
    let change = MetadataChange::new().set("Owner", ["Sales"]);
    let error =
        canned.client().update_metadata(&object(), &view(), &change, Some(&based_on)).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Conflict, "iconik.metadata-changed"));
    assert_eq!((error.field_name(), canned.asked().len()), (Some("Owner"), 1));
}

#[tokio::test(start_paused = true)]
async fn a_write_lost_to_somebody_elses_is_a_conflict_and_one_that_was_ignored_is_told_apart() {
    let outcome = async |after: Value| {
        let before = values(json!({"Owner": ["Legal"]}));
        let canned = Canned::new([before, answer(200, json!({})), values(after)]);
        let change = MetadataChange::new().set("Owner", ["Sales"]);
        canned.client().update_metadata(&object(), &view(), &change, None).await.unwrap_err()
    };
    let lost = outcome(json!({"Owner": ["Press"]})).await;
    assert_eq!((lost.class(), lost.code()), (FailureClass::Conflict, "iconik.metadata-changed"));
    let ignored = outcome(json!({"Owner": ["Legal"]})).await;
    assert_eq!((ignored.class(), ignored.code()), (FailureClass::Forbidden, "iconik.metadata-not-written"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_clears_what_is_not_named_is_noticed_and_nothing_is_lost() {
    let before = || values(json!({"Owner": ["Legal"], "Region": ["EU"], "Term": [2]}));
    let done = || answer(200, json!({}));
    let canned = Canned::new([before(), done(), values(json!({"Owner": ["Sales"]})), done()]);
    let change = MetadataChange::new().set("Owner", ["Sales"]);
    let error = canned.client().update_metadata(&object(), &view(), &change, None).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "iconik.metadata-view-replaced"));
    let whole = json!({"metadata_values": {
        "Owner": {"field_values": [{"value": "Sales"}]}, "Region": {"field_values": [{"value": "EU"}]},
        "Term": {"field_values": [{"value": 2}]}}});
    assert_eq!(canned.asked()[3].json(), whole);
    // Said by the setting, everything is named from the beginning.
    let after = values(json!({"Owner": ["Sales"], "Region": ["EU"], "Term": [2]}));
    let canned = Canned::new([before(), done(), after]);
    let settings = Settings { metadata_writes_replace_view: true, ..Settings::at(BASE) };
    canned.client_with(settings).update_metadata(&object(), &view(), &change, None).await.unwrap();
    assert_eq!(canned.asked()[1].json(), whole);
}

#[tokio::test(start_paused = true)]
async fn a_refused_value_names_its_field_in_either_shape_the_server_has_for_it() {
    let refusal = answer(400, json!({"errors": {"Region": ["Not a valid choice."]}}));
    let canned = Canned::new([none_yet(), refusal]);
    let change = MetadataChange::new().set("Region", ["Moon"]);
    let error = canned.client().update_metadata(&object(), &view(), &change, None).await.unwrap_err();
    assert_eq!((error.class(), error.field_name()), (FailureClass::Invalid, Some("Region")));
}

#[test]
fn a_view_refuses_by_name_what_the_server_would_refuse_or_ignore() {
    let view: View = serde_json::from_value(json!({
        "id": "v", "name": "Rights", "description": null, "view_fields": [
            {"name": "Region", "label": null, "field_type": "drop_down", "required": true,
             "options": [{"value": "EU", "label": "Europe"}, {"value": "7", "label": null}]},
            {"name": "__separator__", "label": "—"},
            {"name": "Days", "label": "Days", "field_type": "integer", "options": null},
            {"name": "Tags", "field_type": "tag_cloud"},
            {"name": "Mood", "field_type": "mood_2027"},
        ]
    }))
    .unwrap();
    assert_eq!(
        view.field("Mood").map(|field: &Field| &field.kind),
        Some(&FieldKind::Other("mood_2027".to_owned()))
    );
    for fine in [
        MetadataChange::new().set("Region", ["EU"]).set("Days", [30]),
        MetadataChange::new().set("Region", [7]).clear("Days"),
        MetadataChange::new().set("Tags", ["a", "b"]),
    ] {
        view.check(&fine).unwrap();
    }
    for (change, code, field) in [
        (MetadataChange::new().set("Owner", ["x"]), "iconik.field-not-in-view", "Owner"),
        (MetadataChange::new().set("Region", ["Moon"]), "iconik.no-such-choice", "Region"),
        (MetadataChange::new().clear("Region"), "iconik.value-required", "Region"),
        (MetadataChange::new().set("Days", [1, 2]), "iconik.too-many-values", "Days"),
    ] {
        let error = view.check(&change).unwrap_err();
        assert_eq!((error.code(), error.field_name()), (code, Some(field)));
    }
}

#[tokio::test(start_paused = true)]
async fn all_fields_are_listed_behind_the_last_name_seen() {
    let names = |from: usize, to: usize| {
        let fields: Vec<Value> = (from..to)
            .map(|number| json!({"name": format!("f{number}"), "label": "x", "field_type": "string"}))
            .collect();
        answer(200, json!({"objects": fields}))
    };
    let canned = Canned::new([names(0, 500), names(500, 510)]);
    assert_eq!(canned.client().list_fields().await.unwrap().len(), 510);
    assert_eq!(canned.lines()[1], "GET metadata/v1/fields/?per_page=500&last_field_name=f499");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_may_come_late_is_repeated_only_by_who_asked_for_it() {
    let before = || values(json!({"State": ["in_signoff"]}));
    let change = MetadataChange::new().set("State", ["filed"]);
    let canned = Canned::new([before(), page(502)]);
    let error = canned.client().update_metadata_once(&object(), &view(), &change, None).await.unwrap_err();
    assert_eq!((error.class(), canned.asked().len()), (FailureClass::UnknownOutcome, 2));
    let canned =
        Canned::new([before(), page(502), answer(200, json!({})), values(json!({"State": ["filed"]}))]);
    canned.client().update_metadata(&object(), &view(), &change, None).await.unwrap();
    assert_eq!(canned.asked().len(), 4);
}
