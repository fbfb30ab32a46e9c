//! What iconik's two kinds of bodies say, and of that only the names of things, and of an action's form the fields that were
//! subscribed to: the rest is a snapshot of some moment, and an action's `auth_token` acts for whoever pressed the button.
//! Neither is taken in here.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Map, Value};
use shared::ledger::Key;

use super::words::{is_id, is_moment, is_word};

/// An object that a body names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Object {
    /// `assets`, `collections`, or any other word of iconik's.
    pub(super) object_type: String,
    /// Its id.
    pub(super) id: String,
}

/// Why a body cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// It is no JSON.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// A member that everything depends on is not there, or is something else.
    #[error("expected a short word in `{0}`, such as iconik sends")]
    Word(&'static str),
    /// An id that everything depends on is not there, or is something else.
    #[error("expected an id in `{0}`")]
    Id(&'static str),
    /// A list of ids is something else.
    #[error("expected a list of ids in `{0}`")]
    Ids(&'static str),
}

/// A webhook's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) tenant: Option<String>,
    pub(super) event_type: String,
    pub(super) realm: String,
    pub(super) operation: String,
    pub(super) user: Option<String>,
    /// The objects it names, the nearest first. The id at the top of an event is that of a share, of a collection or of an
    /// added object, depending on the realm: what the data names goes before it.
    pub(super) objects: Vec<Object>,
    /// The version that its data names.
    pub(super) version: Option<String>,
    /// What tells it from any other, when it says enough for that.
    pub(super) identity: Option<String>,
}

impl Event {
    /// Reads a body.
    pub(super) fn parse(body: &Bytes) -> Result<Self, Malformed> {
        let body = object(body)?;
        let (event_type, realm, operation) =
            (word(&body, "event_type")?, word(&body, "realm")?, word(&body, "operation")?);
        let nothing = Map::new();
        let data = body.get("data").and_then(Value::as_object).unwrap_or(&nothing);
        let (tenant, user) = (id(&body, "system_domain_id"), id(&body, "user_id"));
        let top = id(&body, "object_id");
        let objects = objects(&event_type, &realm, top.as_deref(), data);
        let version = id(data, "version_id");
        // There is no id of an event. Several of one request may share its id, so what the data names counts as well; an
        // event without a request cannot be told from the next one like it, and is never taken for a repetition.
        let identity = id(&body, "request_id").map(|request| {
            let text = |part: &Option<String>| part.clone().unwrap_or_default();
            let mut parts = vec!["webhook".to_owned(), request, text(&tenant), text(&user), text(&top)];
            parts.extend([event_type.clone(), realm.clone(), operation.clone()]);
            parts.extend(marks(data));
            Key::of(&parts.iter().map(String::as_str).collect::<Vec<_>>()).digest().to_owned()
        });
        Ok(Self { tenant, event_type, realm, operation, user, objects, version, identity })
    }
}

/// A custom action's body; an automation's is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Press {
    pub(super) tenant: Option<String>,
    pub(super) action: String,
    pub(super) user: Option<String>,
    /// The assets and collections that were selected.
    pub(super) objects: Vec<Object>,
    /// What tells it from any other, when it says enough for that.
    pub(super) identity: Option<String>,
    /// What was filled into its form, in the shape of metadata. Captured bodies have none; that it is here is inferred.
    filled: Map<String, Value>,
}

impl Press {
    /// What was filled into these fields of its form, as texts.
    pub(super) fn form(&self, fields: &BTreeSet<String>) -> BTreeMap<String, Vec<String>> {
        let values = |field: &String| {
            let values = self.filled.get(field)?.get("field_values")?.as_array()?;
            let values: Vec<String> = values.iter().filter_map(|value| plain(value.get("value")?)).collect();
            (!values.is_empty()).then(|| (field.clone(), values))
        };
        fields.iter().filter_map(values).collect()
    }

    /// Reads a body.
    pub(super) fn parse(body: &Bytes) -> Result<Self, Malformed> {
        let body = object(body)?;
        let action = id(&body, "action_id").ok_or(Malformed::Id("action_id"))?;
        let (tenant, user) = (id(&body, "system_domain_id"), id(&body, "user_id"));
        let mut objects = Vec::new();
        for (object_type, list) in [("assets", "asset_ids"), ("collections", "collection_ids")] {
            let ids = ids(&body, list)?.into_iter();
            objects.extend(ids.map(|id| Object { object_type: object_type.to_owned(), id }));
        }
        objects.sort_unstable();
        objects.dedup();
        // The moment has microseconds: two presses have two. Without it, a press cannot be told from the next.
        let moment = body.get("date_created").and_then(Value::as_str).filter(|text| is_moment(text));
        let identity = moment.map(|moment| {
            let text = |part: &Option<String>| part.clone().unwrap_or_default();
            let mut parts =
                vec!["action".to_owned(), action.clone(), moment.to_owned(), text(&tenant), text(&user)];
            parts.extend(objects.iter().flat_map(|object| [object.object_type.clone(), object.id.clone()]));
            Key::of(&parts.iter().map(String::as_str).collect::<Vec<_>>()).digest().to_owned()
        });
        let filled = body.get("metadata_values").and_then(Value::as_object).cloned().unwrap_or_default();
        Ok(Self { tenant, action, user, objects, identity, filled })
    }
}

/// A value of a form as text. A list or an object is none.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn object(body: &Bytes) -> Result<Map<String, Value>, Malformed> {
    serde_json::from_slice(body).map_err(|_| Malformed::NotAnObject)
}

fn word(body: &Map<String, Value>, name: &'static str) -> Result<String, Malformed> {
    let text = body.get(name).and_then(Value::as_str).filter(|text| is_word(text));
    text.map(str::to_owned).ok_or(Malformed::Word(name))
}

fn id(body: &Map<String, Value>, name: &str) -> Option<String> {
    body.get(name).and_then(Value::as_str).filter(|text| is_id(text)).map(str::to_owned)
}

fn ids(body: &Map<String, Value>, name: &'static str) -> Result<Vec<String>, Malformed> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(ids)) => ids
            .iter()
            .map(|id| id.as_str().filter(|id| is_id(id)).map(str::to_owned).ok_or(Malformed::Ids(name)))
            .collect(),
        Some(_) => Err(Malformed::Ids(name)),
    }
}

fn objects(event_type: &str, realm: &str, top: Option<&str>, data: &Map<String, Value>) -> Vec<Object> {
    let mut found: Vec<Object> = Vec::new();
    let mut name = |object_type: Option<&str>, id: Option<String>| {
        if let (Some(object_type), Some(id)) = (object_type.filter(|word| is_word(word)), id) {
            let object = Object { object_type: object_type.to_owned(), id };
            if !found.contains(&object) {
                found.push(object);
            }
        }
    };
    let said = data.get("object_type").and_then(Value::as_str);
    name(said, id(data, "object_id"));
    name(Some("assets"), id(data, "asset_id"));
    name(Some("collections"), id(data, "collection_id"));
    // Of an event about the object itself, or one whose data names nothing, the id at the top is the object's.
    let names_nothing =
        ["object_id", "asset_id", "collection_id"].iter().all(|name| id(data, name).is_none());
    if realm == "entity" || names_nothing {
        name(Some(event_type), top.map(str::to_owned));
    }
    found
}

/// The ids and moments among an event's data, by name: with them two events of one request differ.
fn marks(data: &Map<String, Value>) -> Vec<String> {
    let mut marks: Vec<String> = data
        .iter()
        .filter(|(name, _)| *name == "id" || name.ends_with("_id") || name.starts_with("date_"))
        .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)))
        .collect();
    marks.sort_unstable();
    marks
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TENANT: &str = "9a1c7f3e-5d0b-11ec-a1c3-0a580a3c8cdd";
    const USER: &str = "2b6c9d1e-5d0b-11ec-b7f2-0a580a3c8cdd";
    const ASSET: &str = "5c0e4a7a-c7b1-11ec-8a55-0a580a3d8cdd";
    const COLLECTION: &str = "7d1f5b8b-c7b1-11ec-9b66-0a580a3d8cdd";
    const SHARE: &str = "8e2a6c9c-c7b1-11ec-ac77-0a580a3d8cdd";

    fn bytes(body: &Value) -> Bytes {
        Bytes::from(body.to_string())
    }

    /// As captured: an asset is put into a collection.
    fn contents() -> Value {
        json!({
            "system_domain_id": TENANT, "event_type": "collections", "object_id": ASSET, "user_id": USER,
            "realm": "contents", "operation": "create",
            "data": {"collection_id": COLLECTION, "object_id": ASSET, "object_type": "assets",
                "date_created": "2022-04-29T00:22:10.316685+00:00", "parents": [COLLECTION]},
            "request_id": "0123456789abcdef0123456789abcdef"
        })
    }

    fn named(event: &Event) -> Vec<(&str, &str)> {
        event.objects.iter().map(|object| (object.object_type.as_str(), object.id.as_str())).collect()
    }

    #[test]
    fn what_was_put_into_a_collection_and_the_collection_are_both_named() {
        let event = Event::parse(&bytes(&contents())).unwrap();
        assert_eq!(named(&event), [("assets", ASSET), ("collections", COLLECTION)]);
        assert_eq!(event.user.as_deref(), Some(USER));
    }

    #[test]
    fn the_id_at_the_top_of_a_share_is_not_taken_for_the_asset() {
        let share = json!({
            "system_domain_id": TENANT, "event_type": "assets", "object_id": SHARE, "user_id": USER,
            "realm": "shares", "operation": "create",
            "data": {"id": SHARE, "object_id": ASSET, "object_type": "assets", "title": "a\u{202e}gpj"},
            "request_id": "0123456789abcdef0123456789abcdef"
        });
        assert_eq!(named(&Event::parse(&bytes(&share)).unwrap()), [("assets", ASSET)]);
    }

    #[test]
    fn an_entity_is_the_object_itself_and_its_data_may_say_the_version() {
        let mut entity = contents();
        entity["event_type"] = "assets".into();
        entity["realm"] = "entity".into();
        for data in [Value::Null, json!([1]), json!({"id": ASSET, "title": "x"})] {
            entity["data"] = data;
            let event = Event::parse(&bytes(&entity)).unwrap();
            assert_eq!((named(&event), event.version.as_deref()), (vec![("assets", ASSET)], None));
        }
        entity["data"] = json!({"asset_id": ASSET, "version_id": SHARE});
        let event = Event::parse(&bytes(&entity)).unwrap();
        assert_eq!((named(&event), event.version.as_deref()), (vec![("assets", ASSET)], Some(SHARE)));
    }

    #[test]
    fn the_order_of_the_members_does_not_matter_and_whatever_identifies_does() {
        let identity = |body: &Value| Event::parse(&bytes(body)).unwrap().identity;
        let calm = identity(&contents()).unwrap();
        let mut turned = serde_json::Map::new();
        for (name, value) in contents().as_object().unwrap().iter().rev() {
            turned.insert(name.clone(), value.clone());
        }
        assert_eq!(identity(&turned.into()).as_ref(), Some(&calm));
        for (place, value) in [
            ("/request_id", "1123456789abcdef0123456789abcdef"),
            ("/object_id", COLLECTION),
            ("/operation", "delete"),
            ("/realm", "acls"),
            ("/event_type", "assets"),
            ("/user_id", SHARE),
            ("/system_domain_id", SHARE),
            ("/data/object_id", COLLECTION),
            ("/data/collection_id", ASSET),
            ("/data/date_created", "2022-04-29T00:22:10.316686+00:00"),
        ] {
            let mut other = contents();
            *other.pointer_mut(place).unwrap() = value.into();
            assert_ne!(identity(&other).unwrap(), calm, "{place}");
        }
        let mut without = contents();
        without.as_object_mut().unwrap().remove("request_id");
        assert_eq!(identity(&without), None, "nothing tells it from the next one like it");
    }

    /// As captured: a button is pressed with a selection.
    fn press() -> Value {
        json!({
            "user_id": USER, "system_domain_id": TENANT, "context": "BULK", "action_id": SHARE,
            "asset_ids": [ASSET], "collection_ids": [COLLECTION], "saved_search_ids": [],
            "metadata_view_id": null, "metadata_values": null, "date_created": "2022-04-29T00:22:10.316685",
            "auth_token": "eyJhbGciOiJIUzI1NiJ9.secret.signature"
        })
    }

    #[test]
    fn of_a_press_everything_is_taken_but_its_token() {
        let press_of = |body: &Value| Press::parse(&bytes(body)).unwrap();
        let parsed = press_of(&press());
        let ids: Vec<&str> = parsed.objects.iter().map(|object| object.id.as_str()).collect();
        assert_eq!((ids, parsed.action.as_str()), (vec![ASSET, COLLECTION], SHARE));
        assert!(!format!("{parsed:?}").contains("eyJ"), "{parsed:?}");
        let mut another = press();
        another["auth_token"] = "eyJ.another".into();
        assert_eq!(press_of(&another), parsed, "the same press with a fresh token is the same press");
        another["date_created"] = "2022-04-29T00:22:10.316686".into();
        assert_ne!(press_of(&another).identity, parsed.identity);
        another["date_created"] = Value::Null;
        assert_eq!(press_of(&another).identity, None);
    }

    #[test]
    fn of_a_form_the_fields_that_are_named_are_taken_as_texts_and_whatever_is_no_form_is_none() {
        let of = |values: Value, fields: &[&str]| {
            let mut body = press();
            body["metadata_values"] = values;
            let fields = fields.iter().map(|&field| field.to_owned()).collect();
            let form = Press::parse(&bytes(&body)).unwrap().form(&fields);
            form.into_iter()
                .map(|(field, values)| format!("{field}={}", values.join("|")))
                .collect::<Vec<_>>()
        };
        let values = json!({
            "Reason": {"field_values": [{"value": "final"}, {"value": "\u{202e}x"}], "mode": "overwrite"},
            "Copies": {"field_values": [{"value": 3}, {"value": null}, {"label": "x"}, {"value": {"a": 1}}]},
            "Salary": {"field_values": [{"value": "1"}]},
            "Empty": {"field_values": []},
        });
        assert_eq!(
            of(values.clone(), &["Reason", "Copies", "Empty", "Other"]),
            ["Copies=3", "Reason=final|\u{202e}x"]
        );
        assert_eq!(of(values, &[]), Vec::<String>::new());
        for none in [
            json!(null),
            json!([1]),
            json!("Reason"),
            json!({"Reason": "final"}),
            json!({"Reason": {"field_values": 1}}),
        ] {
            assert_eq!(of(none, &["Reason"]), Vec::<String>::new());
        }
    }

    #[test]
    fn what_is_no_event_and_no_press_says_what_was_expected_and_nothing_of_what_came() {
        for body in ["", "[]", "1", "{", "\u{0}", "{\"a\": 1}{", "null"] {
            assert_eq!(Event::parse(&Bytes::from(body)), Err(Malformed::NotAnObject), "{body}");
        }
        for (name, value) in [
            ("realm", json!("a\u{202e}b")),
            ("realm", json!(null)),
            ("event_type", json!(1)),
            ("operation", json!("")),
        ] {
            let mut body = contents();
            body[name] = value;
            let refused = Event::parse(&bytes(&body)).unwrap_err();
            assert_eq!(refused, Malformed::Word(name));
            assert!(refused.to_string().is_ascii());
        }
        let mut body = press();
        body["asset_ids"] = json!(["<b>"]);
        assert_eq!(Press::parse(&bytes(&body)).unwrap_err(), Malformed::Ids("asset_ids"));
        body["action_id"] = json!(["a"]);
        assert_eq!(Press::parse(&bytes(&body)).unwrap_err(), Malformed::Id("action_id"));
    }
}
