//! Collections and what is in them.

use serde_json::{Value, json};

use super::assets::accepted;
use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::{Edit, Object, ParentMode, places};

/// Most objects of a page.
const PAGE: usize = 1000;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["assets", "v1", "collections", rest @ ..] = path else { return None };
    Some(match (method, rest) {
        ("GET", []) => list(call),
        ("POST", []) => create(call),
        ("GET", [id]) => get(call, id),
        ("PATCH", [id]) => edit(call, id, Edit::Part),
        ("PUT", [id]) => edit(call, id, Edit::Whole),
        ("DELETE", [id]) => delete(call, id),
        ("PUT", [id, "restore"]) => restore(call, id),
        ("DELETE", [id, "purge"]) => purge(call, id),
        ("GET", [id, "contents"]) => contents(call, id),
        ("POST", [id, "contents"]) => add(call, id),
        ("DELETE", [id, "contents", kind, object]) => take(call, id, kind, object),
        ("GET", [id, "content", "info"]) => info(call, id),
        ("GET", [id, "size"]) => size(call, id),
        ("GET", [id, "full", "path"]) => full_path(call, id),
        ("GET", [id, "ancestors"]) => ancestors(call, id),
        ("POST", [id, "reindex"]) => reindex(call, id),
        (
            _,
            []
            | [_]
            | [_, "restore" | "purge" | "contents" | "size" | "ancestors" | "reindex"]
            | [_, "content", "info"]
            | [_, "full", "path"]
            | [_, "contents", _, _],
        ) => Err(Refusal::Method),
        _ => return None,
    })
}

fn shown(call: &Call<'_>, collection: &Object) -> Value {
    Value::Object(call.state.collection_shown(&call.user, collection))
}

fn is_there(object: &&Object) -> bool {
    object.get("status").and_then(Value::as_str) != Some("DELETED")
}

fn list(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_read_collections")?;
    let collections = call.state.collections.listed(call.state.horizon()).into_iter();
    let collections = collections.filter(is_there).map(|collection| shown(call, collection)).collect();
    page::list(call, PAGE, collections)
}

fn create(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_create_collections")?;
    let given = call.object()?.clone();
    let id = call.state.create_collection(&call.user, given)?;
    let collection = call.state.collections.found(&id)?;
    Ok(Reply::Json(201, shown(call, collection)))
}

fn get(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_read_collections")?;
    call.state.readable(&call.state.collections, "collections", id)?;
    let Some(collection) = call.state.collections.listed_one(id, call.state.region_horizon()) else {
        return call.state.collections.gone(id);
    };
    Reply::ok(shown(call, collection))
}

fn edit(call: &mut Call<'_>, id: &str, edit: Edit) -> Outcome<Reply> {
    call.needs("can_write_collections")?;
    let mode = match call.text("change_parent_mode") {
        None | Some("move") => ParentMode::Move,
        Some("copy") => ParentMode::Copy,
        Some(_) => return Err(Refusal::field("change_parent_mode", "Must be one of: move, copy.")),
    };
    let given = call.object()?.clone();
    call.state.edit_collection(&call.user, id, given, edit, mode)?;
    let collection = call.state.collections.found(id)?;
    Reply::ok(shown(call, collection))
}

fn delete(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_delete_collections")?;
    call.state.delete(&call.user, "collections", id)?;
    match call.state.settings.bin.collection_delete_status {
        204 => Ok(Reply::Nothing(204)),
        status => accepted(call, status, "DELETE", "Delete collection"),
    }
}

fn restore(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_delete_collections")?;
    call.state.restore(&call.user, "collections", id)?;
    let status = call.state.settings.bin.collection_restore_status;
    accepted(call, status, "RESTORE", "Restore collection")
}

fn purge(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_purge_collections")?;
    call.state.purge(&call.user, "collections", id)?;
    accepted(call, 202, "DELETE", "Purge collection")
}

fn reindex(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_write_collections")?;
    call.state.collections.found(id)?;
    call.state.reindex("collections", id);
    accepted(call, 201, "REINDEX", "Reindex collection")
}

/// What the index has of a collection's contents: an object can have changed or moved since.
fn contents(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_read_collections")?;
    call.state.readable(&call.state.collections, "collections", id)?;
    let kinds = call.texts("object_types");
    let (ids, external) = (call.texts("object_ids"), call.text("external_id"));
    let filters = filters(call)?;
    let mut found = Vec::new();
    for (kind, table) in [("collections", &call.state.collections), ("assets", &call.state.assets)] {
        if !kinds.is_empty() && !kinds.iter().any(|wanted| wanted == kind) {
            continue;
        }
        let inside = |object: &&Object| places(object).any(|place| place == id);
        for object in table.listed(call.state.horizon()).into_iter().filter(is_there).filter(inside) {
            let mut shown = match kind {
                "assets" => call.state.asset_shown(&call.user, object),
                _ => call.state.collection_shown(&call.user, object),
            };
            shown.insert("object_type".to_owned(), kind.into());
            let text = |name: &str| shown.get(name).and_then(Value::as_str);
            let is_id = ids.is_empty() || text("id").is_some_and(|id| ids.iter().any(|wanted| wanted == id));
            let is_external = external.is_none_or(|wanted| text("external_id") == Some(wanted));
            let shown = Value::Object(shown.clone());
            if is_id && is_external && filters.iter().all(|filter| filter.matches(&shown)) {
                found.push(shown);
            }
        }
    }
    page::list(call, PAGE, found)
}

/// One part of `field,op,value;…`.
struct Filter {
    field: String,
    operator: String,
    value: String,
}

impl Filter {
    fn matches(&self, object: &Value) -> bool {
        let found = page::at(object, &self.field).cloned().unwrap_or_default();
        let value = match found {
            Value::String(_) | Value::Null => Value::from(self.value.as_str()),
            _ => serde_json::from_str(&self.value).unwrap_or_else(|_| Value::from(self.value.as_str())),
        };
        let order = page::compare(&found, &value);
        match self.operator.as_str() {
            "eq" => order.is_eq(),
            "ne" => order.is_ne(),
            "lt" => order.is_lt(),
            "le" => order.is_le(),
            "gt" => order.is_gt(),
            _ => order.is_ge(),
        }
    }
}

fn filters(call: &Call<'_>) -> Outcome<Vec<Filter>> {
    let parts = call.text("filter").unwrap_or_default().split(';').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let mut words = part.splitn(3, ',');
            match (words.next(), words.next(), words.next()) {
                (Some(field), Some(operator @ ("eq" | "ne" | "lt" | "le" | "gt" | "ge")), Some(value)) => {
                    Ok(Filter {
                        field: field.to_owned(),
                        operator: operator.to_owned(),
                        value: value.to_owned(),
                    })
                }
                _ => Err(Refusal::field("filter", format!("Not a valid filter: {part}."))),
            }
        })
        .collect()
}

fn add(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_write_collections")?;
    let given = call.object()?.clone();
    let text = |name: &str| {
        let text = given.get(name).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| Refusal::field(name, "Missing data for required field."))
    };
    let (object, kind) = (text("object_id")?, text("object_type")?);
    call.state.join(&call.user, &kind, &object, id)?;
    let now = call.state.time();
    Reply::created(
        json!({"collection_id": id, "object_id": object, "object_type": kind, "date_created": now}),
    )
}

fn take(call: &mut Call<'_>, id: &str, kind: &str, object: &str) -> Outcome<Reply> {
    call.needs("can_write_collections")?;
    call.state.part(&call.user, kind, object, id)?;
    Ok(Reply::Nothing(204))
}

fn info(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_read_collections")?;
    let collection = call.state.readable(&call.state.collections, "collections", id)?;
    let title = collection.get("title").cloned();
    let below = call.state.descendants_of(id);
    let count = |kind: &str| below.iter().filter(|(of, _)| of == kind).count();
    let sizes = call.state.sizes_of(&below);
    let storages = sizes.storages.iter().map(|(storage, size)| json!({"storage_id": storage, "size": size}));
    Reply::ok(json!({
        "title": title, "assets_count": count("assets"), "collections_count": count("collections"),
        "total_size": sizes.files, "total_proxy_size": sizes.proxies, "total_duration_milliseconds": 0,
        "storage_info": storages.collect::<Vec<_>>(),
    }))
}

fn size(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_read_collections")?;
    call.state.readable(&call.state.collections, "collections", id)?;
    Reply::ok(json!({"size": call.state.sizes_of(&call.state.descendants_of(id)).files}))
}

/// The titles from the top, as people write a path.
fn full_path(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_read_collections")?;
    let mut titles = Vec::new();
    let mut next = Some(id.to_owned());
    while let Some(id) = next {
        let collection = call.state.readable(&call.state.collections, "collections", &id)?;
        titles.push(collection.get("title").and_then(Value::as_str).unwrap_or_default());
        next = places(collection).next().map(str::to_owned);
    }
    titles.reverse();
    Reply::ok(json!({"path": format!("/{}", titles.join("/"))}))
}

fn ancestors(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_read_collections")?;
    call.state.readable(&call.state.collections, "collections", id)?;
    let above = call.state.ancestors_of(id);
    let above = above.iter().filter_map(|id| call.state.collections.get(id));
    let above: Vec<Value> = above.map(|collection| shown(call, collection)).collect();
    Reply::ok(json!({"objects": above}))
}
