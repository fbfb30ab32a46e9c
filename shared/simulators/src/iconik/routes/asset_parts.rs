//! Versions, relations and history of assets.

use serde_json::{Map, Value};

use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::Object;

use super::assets::accepted;

/// Most objects of a page.
const PAGE: usize = 1000;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["assets", "v1", "assets", rest @ ..] = path else { return None };
    match rest {
        ["relation_types", rest @ ..] => Some(relation_types(call, method, rest)),
        [asset, "versions", rest @ ..] => versions(call, method, asset, rest),
        [asset, "relations", rest @ ..] => Some(relations(call, method, asset, rest)),
        [asset, "history", rest @ ..] => Some(history(call, method, asset, rest)),
        _ => None,
    }
}

fn versions(call: &mut Call<'_>, method: &str, asset: &str, rest: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, rest) {
        ("POST", []) => add_version(call, asset),
        ("DELETE", ["old"]) => {
            done(call, "can_delete_versions", |call| call.state.delete_old_versions(&call.user, asset))
        }
        ("POST", ["from", "assets", source]) => version_from_asset(call, asset, source),
        ("POST", ["from", "versions", version]) => version_from_version(call, asset, version),
        ("PUT" | "PATCH", [version]) => edit_version(call, asset, version),
        ("DELETE", [version]) => done(call, "can_delete_versions", |call| {
            let for_good = call.flag("hard_delete", false);
            call.state.delete_version(&call.user, asset, version, for_good)
        }),
        ("PUT", [version, "promote"]) => {
            done(call, "can_write_versions", |call| call.state.promote_version(&call.user, asset, version))
        }
        (_, [] | [_] | [_, "promote"] | ["from", "assets" | "versions", _]) => Err(Refusal::Method),
        // Further parts of a version are those of others.
        _ => return None,
    })
}

/// A call that answers nothing.
fn done(call: &mut Call<'_>, role: &str, act: impl FnOnce(&mut Call<'_>) -> Outcome<()>) -> Outcome<Reply> {
    call.needs(role)?;
    act(call)?;
    Ok(Reply::Nothing(204))
}

fn add_version(call: &mut Call<'_>, asset: &str) -> Outcome<Reply> {
    call.needs("can_write_versions")?;
    let given = match &call.body {
        Value::Null => Object::new(),
        _ => call.object()?.clone(),
    };
    call.state.add_version(&call.user, asset, &given)?;
    Reply::ok(call.state.versions_shown(asset)?)
}

fn edit_version(call: &mut Call<'_>, asset: &str, version: &str) -> Outcome<Reply> {
    call.needs("can_write_versions")?;
    let given = call.object()?.clone();
    call.state.edit_version(&call.user, asset, version, given)?;
    Reply::ok(call.state.versions_shown(asset)?)
}

fn version_from_asset(call: &mut Call<'_>, asset: &str, source: &str) -> Outcome<Reply> {
    call.needs("can_write_versions")?;
    let versions = call.state.assets.found(source)?.get("versions").and_then(Value::as_array);
    let is_busy = |version: &Value| version.get("status").and_then(Value::as_str) == Some("IN_PROGRESS");
    if versions.is_some_and(|versions| versions.iter().any(is_busy)) {
        return Err(Refusal::Conflict(format!("Asset {source} is being transcoded")));
    }
    call.state.add_version(&call.user, asset, &Object::new())?;
    accepted(call, 202, "VERSION", "Add asset as version")
}

fn version_from_version(call: &mut Call<'_>, asset: &str, version: &str) -> Outcome<Reply> {
    call.needs("can_write_versions")?;
    let given = Map::from_iter([("source_version_id".to_owned(), Value::from(version))]);
    call.state.add_version(&call.user, asset, &given)?;
    accepted(call, 202, "VERSION", "Add version")
}

fn relation_types(call: &mut Call<'_>, method: &str, rest: &[&str]) -> Outcome<Reply> {
    match (method, rest) {
        ("GET", []) => {
            call.needs("can_read_relation_types")?;
            let types = call.state.relation_types.objects().cloned().map(Value::Object).collect();
            page::list(call, PAGE, types)
        }
        ("POST", []) => {
            call.needs("can_write_relation_types")?;
            let given = call.object()?.clone();
            let name = call.state.create_relation_type(&given)?;
            Reply::created(call.state.relation_types.found(&name)?.clone())
        }
        ("GET", [name]) => {
            call.needs("can_read_relation_types")?;
            Reply::ok(call.state.relation_types.found(name)?.clone())
        }
        ("PUT" | "PATCH", [name]) => {
            call.needs("can_write_relation_types")?;
            let given = call.object()?.clone();
            call.state.edit_relation_type(name, &given)?;
            Reply::ok(call.state.relation_types.found(name)?.clone())
        }
        ("DELETE", [name]) => {
            done(call, "can_write_relation_types", |call| call.state.delete_relation_type(name))
        }
        (_, [] | [_]) => Err(Refusal::Method),
        _ => Err(Refusal::NoUrl),
    }
}

fn relations(call: &mut Call<'_>, method: &str, asset: &str, rest: &[&str]) -> Outcome<Reply> {
    match (method, rest) {
        ("GET", []) => list_relations(call, asset, None),
        ("GET", [kind]) => list_relations(call, asset, Some(kind)),
        ("POST", []) => {
            let given = call.object()?.clone();
            let text = |name: &str| {
                let text = given.get(name).and_then(Value::as_str).map(str::to_owned);
                text.ok_or_else(|| Refusal::field(name, "Missing data for required field."))
            };
            let (other, kind) = (text("related_to_asset_id")?, text("relation_type")?);
            let description = given.get("description").and_then(Value::as_str);
            relate(call, asset, &kind, &other, description)
        }
        ("POST", [kind, other]) => relate(call, asset, kind, other, described(call).as_deref()),
        ("POST", [kind, other, "reverse"]) => relate(call, other, kind, asset, described(call).as_deref()),
        ("DELETE", [kind, other]) => {
            done(call, "can_write_relations", |call| call.state.unrelate(&call.user, asset, kind, other))
        }
        (_, [] | [_] | [_, _] | [_, _, "reverse"]) => Err(Refusal::Method),
        _ => Err(Refusal::NoUrl),
    }
}

fn described(call: &Call<'_>) -> Option<String> {
    call.body.get("description").and_then(Value::as_str).map(str::to_owned)
}

/// 201 for a new relation, 200 for one that was there.
fn relate(
    call: &mut Call<'_>,
    from: &str,
    kind: &str,
    to: &str,
    description: Option<&str>,
) -> Outcome<Reply> {
    call.needs("can_write_relations")?;
    let is_new = call.state.relate(&call.user, from, kind, to, description)?;
    let relation = call.state.relation(from, kind, to).cloned().unwrap_or_default();
    Ok(Reply::Json(if is_new { 201 } else { 200 }, relation.into()))
}

fn list_relations(call: &mut Call<'_>, asset: &str, kind: Option<&str>) -> Outcome<Reply> {
    call.needs("can_read_relations")?;
    call.state.readable(&call.state.assets, "assets", asset)?;
    let with_deleted = call.flag("include_deleted", false);
    let mut related = Vec::new();
    for (id, relations) in call.state.related(asset, kind) {
        let Some(other) = call.state.assets.get(&id) else { continue };
        if call.state.is_deleted("assets", &id) && !with_deleted {
            continue;
        }
        let mut shown = call.state.asset_shown(&call.user, other);
        shown.insert("object_type".to_owned(), "assets".into());
        shown.insert("relations".to_owned(), relations.into());
        related.push(Value::Object(shown));
    }
    page::list(call, PAGE, related)
}

fn history(call: &mut Call<'_>, method: &str, asset: &str, rest: &[&str]) -> Outcome<Reply> {
    let is_its = |entry: &&Object| entry.get("asset_id").and_then(Value::as_str) == Some(asset);
    match (method, rest) {
        ("GET", []) => {
            call.needs("can_read_assets_history")?;
            call.state.readable(&call.state.assets, "assets", asset)?;
            let entries = call.state.history.listed(call.state.horizon()).into_iter().filter(is_its);
            // The latest first.
            let mut entries: Vec<Value> = entries.cloned().map(Value::Object).collect();
            entries.reverse();
            page::list(call, PAGE, entries)
        }
        ("POST", []) => {
            call.needs("can_write_assets_history")?;
            let given = call.object()?.clone();
            let id = call.state.write_history(&call.user, asset, &given)?;
            Reply::created(call.state.history.found(&id)?.clone())
        }
        ("GET", [id]) => {
            call.needs("can_read_assets_history")?;
            let entry = call.state.history.found(id)?;
            if is_its(&entry) { Reply::ok(entry.clone()) } else { call.state.history.gone(id) }
        }
        ("DELETE", [id]) => {
            call.needs("can_write_assets_history")?;
            if !is_its(&call.state.history.found(id)?) {
                return call.state.history.gone(id);
            }
            call.state.history.remove(id);
            Ok(Reply::Nothing(204))
        }
        (_, [] | [_]) => Err(Refusal::Method),
        _ => Err(Refusal::NoUrl),
    }
}
