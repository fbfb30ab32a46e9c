//! Shares.

use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::Share;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["assets", "v1", rest @ ..] = path else { return None };
    Some(match (method, rest) {
        ("GET", ["shares"]) => {
            let user = call.user.clone();
            list_all(call, "can_read_shares", |share| {
                share.object.get("owner_id") == Some(&Value::from(user.as_str()))
            })
        }
        ("GET", ["shares", "all"]) => list_all(call, "can_manage_all_shares", |_| true),
        ("POST", ["share", kind @ ("assets" | "collections")]) => create_for_many(call, kind),
        (method, [kind @ ("assets" | "collections"), object, "shares", rest @ ..]) => {
            return of_object(call, method, (kind, object), rest);
        }
        (_, ["shares"] | ["shares", "all"] | ["share", "assets" | "collections"]) => Err(Refusal::Method),
        _ => return None,
    })
}

/// Object type and id.
type Of<'a> = (&'a str, &'a str);

fn of_object(call: &mut Call<'_>, method: &str, of: Of<'_>, rest: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, rest) {
        ("GET", []) => list(call, of),
        ("POST", []) => create(call, of, false),
        ("POST", ["url"]) => create(call, of, true),
        ("GET", ["all"]) => list_all(call, "can_read_shares", |share| share.is_of(of.0, of.1)),
        ("GET", [id]) => get(call, of, id),
        ("PUT", [id]) => edit(call, of, id),
        ("DELETE", [id]) => delete(call, of, id),
        ("GET", [id, "users"]) => users(call, of, id),
        ("POST", [id, "users"]) => add_user(call, of, id),
        ("GET", [id, "users", user]) => user_of(call, of, id, user),
        ("PUT" | "PATCH", [id, "users", user]) => edit_user(call, of, id, user),
        ("DELETE", [id, "users", user]) => delete_user(call, of, id, user),
        (_, [] | [_] | [_, "users"] | [_, "users", _]) => Err(Refusal::Method),
        _ => return None,
    })
}

fn found(call: &Call<'_>, of: impl Fn(&Share) -> bool) -> Vec<Value> {
    let shares = call.state.review.shares.values().filter(|share| of(share));
    shares.map(|share| Value::Object(share.object.clone())).collect()
}

fn list_all(call: &mut Call<'_>, role: &str, of: impl Fn(&Share) -> bool) -> Outcome<Reply> {
    call.needs(role)?;
    let shares = found(call, of);
    page::list(call, 100, shares)
}

fn list(call: &Call<'_>, of: Of<'_>) -> Outcome<Reply> {
    call.needs("can_read_shares")?;
    page::by_last_id(call, found(call, |share| share.is_of(of.0, of.1)))
}

fn create(call: &mut Call<'_>, (kind, object): Of<'_>, by_url: bool) -> Outcome<Reply> {
    call.needs("can_write_shares")?;
    let given = call.object()?.clone();
    if !by_url && !given.get("emails").is_some_and(Value::is_array) {
        return Err(Refusal::field("emails", "Missing data for required field."));
    }
    let id = call.state.create_share(&call.user, kind, &[object], &given, by_url)?;
    let share = call.state.share(kind, object, &id)?.object.clone();
    Ok(Reply::Json(if by_url { 200 } else { 202 }, share.into()))
}

fn create_for_many(call: &mut Call<'_>, kind: &str) -> Outcome<Reply> {
    call.needs("can_write_shares")?;
    let given = call.object()?.clone();
    if given.get("title").and_then(Value::as_str).is_none() {
        return Err(Refusal::field("title", "Missing data for required field."));
    }
    let objects = call.ids("object_ids")?;
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    let Some(first) = objects.first() else {
        return Err(Refusal::field("object_ids", "Shorter than minimum length 1."));
    };
    let id = call.state.create_share(&call.user, kind, &objects, &given, false)?;
    Reply::created(call.state.share(kind, first, &id)?.object.clone())
}

fn get(call: &Call<'_>, (kind, object): Of<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_read_shares")?;
    let share = call.state.share(kind, object, id)?;
    let mut shown = share.object.clone();
    shown.insert("users".to_owned(), share.users.iter().cloned().map(Value::Object).collect());
    Reply::ok(shown)
}

fn edit(call: &mut Call<'_>, (kind, object): Of<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_write_shares")?;
    let given = call.object()?.clone();
    call.state.edit_share(kind, object, id, &given)?;
    Reply::ok(call.state.share(kind, object, id)?.object.clone())
}

fn delete(call: &mut Call<'_>, (kind, object): Of<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_delete_object_shares")?;
    call.state.delete_share(&call.user, kind, object, id)?;
    Ok(Reply::Nothing(204))
}

fn users(call: &Call<'_>, (kind, object): Of<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_read_shares")?;
    let users = &call.state.share(kind, object, id)?.users;
    Reply::ok(json!({ "objects": users }))
}

fn add_user(call: &mut Call<'_>, (kind, object): Of<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_write_shares")?;
    let given = call.object()?.clone();
    call.state.share(kind, object, id)?;
    Reply::created(call.state.add_share_user(id, &given)?)
}

fn user_of(call: &Call<'_>, (kind, object): Of<'_>, id: &str, user: &str) -> Outcome<Reply> {
    call.needs("can_read_shares")?;
    let mut users = call.state.share(kind, object, id)?.users.iter();
    let user = users.find(|known| known["id"] == user).ok_or_else(|| Refusal::unknown("Share user", user))?;
    Reply::ok(user.clone())
}

fn edit_user(call: &mut Call<'_>, (kind, object): Of<'_>, id: &str, user: &str) -> Outcome<Reply> {
    call.needs("can_write_shares")?;
    let given = call.object()?.clone();
    let mut users = call.state.share_mut(kind, object, id)?.users.iter_mut();
    let known =
        users.find(|known| known["id"] == user).ok_or_else(|| Refusal::unknown("Share user", user))?;
    let writable = |name: &str| matches!(name, "email" | "first_name" | "last_name");
    known.extend(given.into_iter().filter(|(name, _)| writable(name)));
    Reply::ok(known.clone())
}

fn delete_user(call: &mut Call<'_>, (kind, object): Of<'_>, id: &str, user: &str) -> Outcome<Reply> {
    call.needs("can_write_shares")?;
    let users = &mut call.state.share_mut(kind, object, id)?.users;
    let before = users.len();
    users.retain(|known| known["id"] != user);
    if users.len() == before { Err(Refusal::unknown("Share user", user)) } else { Ok(Reply::Nothing(204)) }
}
