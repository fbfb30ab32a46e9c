//! Metadata: values, and the definitions of fields, views and categories.

use serde_json::{Map, Value, json};

use crate::iconik::call::Call;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::media::{filled, map, text};
use crate::iconik::state::{Object, Work};

/// Kinds of objects that have metadata.
const KINDS: &[&str] = &["assets", "collections", "segments", "saved_searches", "playlists", "projects"];
/// Objects that one bulk call takes.
const MOST: usize = 500;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["metadata", "v1", rest @ ..] = path else { return None };
    definitions(call, method, rest).or_else(|| values(call, method, rest))
}

fn definitions(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let what = match path {
        ["fields", ..] => "fields",
        ["views", ..] => "views",
        [_, "categories", ..] => "views",
        _ => return None,
    };
    let verb = match method {
        "GET" => "read",
        "DELETE" => "delete",
        _ => "write",
    };
    if let Err(refusal) = call.needs(&format!("can_{verb}_metadata_{what}")) {
        return Some(Err(refusal));
    }
    Some(match (method, path) {
        ("GET", ["fields"]) => fields(call),
        ("POST", ["fields"]) => create_field(call),
        ("GET", ["fields", name]) => {
            call.state.metadata.fields.found(name).and_then(|field| Reply::ok(field.clone()))
        }
        ("PUT" | "PATCH", ["fields", name]) => edit_field(call, name),
        ("DELETE", ["fields", name]) => delete_field(call, name),
        ("GET", ["views"]) => views(call),
        ("POST", ["views"]) => create_view(call),
        ("GET", ["views", id]) => view(call, id),
        ("PUT" | "PATCH", ["views", id]) => edit_view(call, id),
        ("DELETE", ["views", id]) => delete_view(call, id),
        ("GET", [kind, "categories"]) => categories(call, kind),
        ("POST", [kind, "categories"]) => put_category(call, kind, None),
        ("GET", [kind, "categories", name] | [kind, "categories", name, "views"]) => {
            call.state.shown_category(kind, name).and_then(Reply::ok)
        }
        ("PUT", [kind, "categories", name]) => put_category(call, kind, Some(name)),
        ("DELETE", [kind, "categories", name]) => delete_category(call, kind, name),
        _ => Err(Refusal::Method),
    })
}

/// Fields, paged by the name of the last one seen.
fn fields(call: &Call<'_>) -> Outcome<Reply> {
    let per_page = call.number("per_page")?.unwrap_or(500);
    if !(1..=1000).contains(&per_page) {
        return Err(Refusal::field("per_page", "Must be between 1 and 1000."));
    }
    let wanted = |field: &&Object| {
        call.text("filter").is_none_or(|names| names.split(',').any(|name| name == text(field, "name")))
            && call.text("last_field_name").is_none_or(|last| text(field, "name") > last)
    };
    let all = call.state.metadata.fields.objects().count();
    let mut found: Vec<&Object> = call.state.metadata.fields.objects().filter(wanted).collect();
    found.sort_by_key(|field| text(field, "name"));
    let mut found = found.into_iter().peekable();
    let objects: Vec<Value> = found.by_ref().take(per_page).cloned().map(Value::Object).collect();
    let last = objects.last().and_then(|field| field.get("name")).and_then(Value::as_str);
    let next = last
        .filter(|_| found.peek().is_some())
        .map(|last| format!("{}?last_field_name={last}&per_page={per_page}", call.path));
    Reply::ok(json!({
        "objects": objects, "page": 1, "pages": all.div_ceil(per_page).max(1), "per_page": per_page, "total": all,
        "first_url": call.path, "prev_url": null, "next_url": next, "last_url": null,
    }))
}

fn create_field(call: &mut Call<'_>) -> Outcome<Reply> {
    let given = call.object()?.clone();
    let name = call.state.create_field(given)?;
    Reply::created(call.state.metadata.fields.found(&name)?.clone())
}

fn edit_field(call: &mut Call<'_>, name: &str) -> Outcome<Reply> {
    let given = call.object()?.clone();
    call.state.edit_field(name, given)?;
    Reply::ok(call.state.metadata.fields.found(name)?.clone())
}

fn delete_field(call: &mut Call<'_>, name: &str) -> Outcome<Reply> {
    call.state.metadata.fields.found(name)?;
    call.state.metadata.fields.remove(name);
    Ok(Reply::Nothing(204))
}

/// Views come all at once.
fn views(call: &Call<'_>) -> Outcome<Reply> {
    let views: Vec<Value> = call.state.metadata.views.objects().cloned().map(Value::Object).collect();
    Reply::ok(json!({"objects": views}))
}

fn view(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    let view = call.state.metadata.views.found(id)?;
    Reply::ok(call.state.metadata.shown_view(view, call.flag("merge_fields", false)))
}

/// What was written is answered with the definitions of its fields, which the vendor's description demands.
fn create_view(call: &mut Call<'_>) -> Outcome<Reply> {
    let mut given = call.object()?.clone();
    given.remove("id");
    let id = call.state.create_view(given)?;
    Reply::created(call.state.metadata.shown_view(call.state.metadata.views.found(&id)?, true))
}

fn edit_view(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    let given = call.object()?.clone();
    call.state.edit_view(id, given)?;
    Reply::ok(call.state.metadata.shown_view(call.state.metadata.views.found(id)?, true))
}

fn delete_view(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.state.metadata.views.found(id)?;
    call.state.metadata.views.remove(id);
    Ok(Reply::Nothing(204))
}

fn categories(call: &Call<'_>, kind: &str) -> Outcome<Reply> {
    let of_kind =
        call.state.metadata.categories.objects().filter(|category| text(category, "object_type") == kind);
    let categories: Vec<Value> = of_kind.cloned().map(Value::Object).collect();
    Reply::ok(json!({"objects": categories}))
}

fn put_category(call: &mut Call<'_>, kind: &str, known: Option<&str>) -> Outcome<Reply> {
    let mut given = call.object()?.clone();
    if let Some(name) = known {
        call.state.shown_category(kind, name)?;
        given.insert("name".to_owned(), name.into());
    }
    let category = call.state.put_category(kind, given, known.is_none())?;
    if known.is_some() { Reply::ok(category) } else { Reply::created(category) }
}

fn delete_category(call: &mut Call<'_>, kind: &str, name: &str) -> Outcome<Reply> {
    call.state.shown_category(kind, name)?;
    call.state.metadata.categories.remove(&format!("{kind}/{name}"));
    Ok(Reply::Nothing(204))
}

fn values(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let [kind, ..] = path else { return None };
    if !KINDS.contains(kind) {
        return None;
    }
    let role = if method == "GET" { "can_read_metadata_values" } else { "can_write_metadata_values" };
    if let Err(refusal) = call.needs(role) {
        return Some(Err(refusal));
    }
    Some(match (method, path) {
        ("PUT", [kind, "views", view]) => write_same(call, kind, view),
        ("POST", [kind, "views", view]) => write_each(call, kind, view),
        ("PUT", [kind, "content", "views", view]) => write_contents(call, kind, view),
        ("GET", [kind, id]) => read_directly(call, (kind, id)),
        ("PUT", [kind, id]) => write_directly(call, (kind, id)),
        ("GET", [kind, id, "views", view]) => read(call, (kind, id), None, view),
        ("PUT", [kind, id, "views", view]) => write(call, (kind, id), view),
        ("GET", ["assets", id, "versions", version, "views", view]) => {
            read(call, ("assets", id), Some(version), view)
        }
        ("GET", ["assets", asset, kind, id, "views", view]) => {
            found(call, ("assets", asset)).and_then(|()| read(call, (kind, id), None, view))
        }
        ("PUT", ["assets", asset, kind, id, "views", view]) => {
            found(call, ("assets", asset)).and_then(|()| write(call, (kind, id), view))
        }
        (_, [_, _] | [_, _, "views", _] | [_, "views", _]) => Err(Refusal::Method),
        _ => return None,
    })
}

/// The object has to exist, as far as this part of the simulator knows of its kind.
fn found(call: &Call<'_>, (kind, id): (&str, &str)) -> Outcome<()> {
    match kind {
        "assets" => call.state.asset_of_media(id).map(drop),
        _ => Ok(()),
    }
}

/// Values as they are answered.
fn answer(
    call: &Call<'_>,
    (kind, id): (&str, &str),
    version: Option<&str>,
    values: Map<String, Value>,
) -> Value {
    let newest = if kind == "assets" { call.state.current_version_of(id) } else { None };
    let dates: Vec<&str> =
        values.values().filter_map(|entry| entry.get("date_created").and_then(Value::as_str)).collect();
    json!({
        "metadata_values": values, "object_id": id, "object_type": kind, "version_id": version.map(str::to_owned).or(newest),
        "job_id": null, "date_created": dates.iter().min(), "date_modified": dates.iter().max(),
    })
}

fn read(call: &Call<'_>, of: (&str, &str), version: Option<&str>, view: &str) -> Outcome<Reply> {
    found(call, of)?;
    let values = call.state.read_values(of, version, view)?;
    Reply::ok(answer(call, of, version, values))
}

/// The values of the body.
fn given_values(body: &Object) -> Outcome<Object> {
    let values = body.get("metadata_values").and_then(Value::as_object);
    values.cloned().ok_or_else(|| Refusal::field("metadata_values", "Missing data for required field."))
}

fn write(call: &mut Call<'_>, of: (&str, &str), view: &str) -> Outcome<Reply> {
    found(call, of)?;
    let values = given_values(call.object()?)?;
    let unchanged = call.flag("ignore_unchanged", false);
    let user = call.user.clone();
    call.state.write_values(&user, of, view, &values, unchanged)?;
    let values = call.state.read_values(of, None, view).unwrap_or_default();
    Reply::ok(answer(call, of, None, values))
}

fn admin_only(call: &Call<'_>) -> Outcome<()> {
    match call.state.is_admin(&call.user) {
        true => Ok(()),
        false => Err(Refusal::Forbidden("Only administrators may use metadata without a view".to_owned())),
    }
}

fn read_directly(call: &Call<'_>, of: (&str, &str)) -> Outcome<Reply> {
    admin_only(call)?;
    Reply::ok(call.state.read_directly(of, call.flag("include_values_for_deleted_fields", false))?)
}

/// Written past all checks. The body is that of a view, or bare.
fn write_directly(call: &mut Call<'_>, of: (&str, &str)) -> Outcome<Reply> {
    admin_only(call)?;
    let body = call.object()?.clone();
    let values = given_values(&body).unwrap_or(body);
    let user = call.user.clone();
    call.state.write_directly(&user, of, &values);
    Reply::ok(answer(call, of, None, values))
}

fn checked_ids(call: &Call<'_>) -> Outcome<Vec<String>> {
    let ids = call.ids("object_ids")?;
    match ids.len() {
        1..=MOST => Ok(ids),
        _ => Err(Refusal::field("object_ids", format!("Length must be between 1 and {MOST}."))),
    }
}

fn schedule(call: &mut Call<'_>, kind: &str, view: &str, values: Vec<(String, Object)>) -> Outcome<Reply> {
    call.state.metadata.views.found(view)?;
    let work = Work::Metadata { object_type: kind.to_owned(), view: view.to_owned(), values };
    let user = call.user.clone();
    let job = call.state.start_work(&user, "METADATA", "Edit metadata", None, work);
    Ok(Reply::Json(202, json!({"job_id": job})))
}

/// The same values for several objects.
fn write_same(call: &mut Call<'_>, kind: &str, view: &str) -> Outcome<Reply> {
    let (ids, values) = (checked_ids(call)?, given_values(call.object()?)?);
    let values = ids.into_iter().map(|id| (id, values.clone())).collect();
    schedule(call, kind, view, values)
}

/// Values for each of several objects.
fn write_each(call: &mut Call<'_>, kind: &str, view: &str) -> Outcome<Reply> {
    let ids = checked_ids(call)?;
    let mapping = call.object()?.get("metadata_values_object_id_mapping").and_then(Value::as_array).cloned();
    let mapping = mapping.ok_or_else(|| {
        Refusal::field("metadata_values_object_id_mapping", "Missing data for required field.")
    })?;
    let entries = mapping.into_iter().map(map);
    let mut values = Vec::new();
    for entry in entries {
        let id = filled(&entry, "id").filter(|id| ids.iter().any(|named| named == id));
        let id = id.ok_or_else(|| {
            Refusal::field("metadata_values_object_id_mapping", "An id is not in object_ids.")
        })?;
        values.push((id.to_owned(), given_values(&entry)?));
    }
    schedule(call, kind, view, values)
}

/// The same values for what is in collections.
fn write_contents(call: &mut Call<'_>, kind: &str, view: &str) -> Outcome<Reply> {
    let (ids, body) = (checked_ids(call)?, call.object()?.clone());
    let values = given_values(&body)?;
    if kind != "collections" || body.get("include_assets") != Some(&Value::Bool(true)) {
        return Err(Refusal::field("include_assets", "Only the assets of collections can be written to."));
    }
    let within = |asset: &&Object| {
        let collections = asset.get("in_collections").and_then(Value::as_array).into_iter().flatten();
        collections.filter_map(Value::as_str).any(|collection| ids.iter().any(|id| id == collection))
    };
    let assets = call.state.assets.objects().filter(within);
    let values = assets.map(|asset| (text(asset, "id").to_owned(), values.clone())).collect();
    schedule(call, "assets", view, values)
}
