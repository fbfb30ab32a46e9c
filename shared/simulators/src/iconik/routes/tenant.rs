//! Users and the settings of the tenant.

use serde_json::json;

use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", ["users", "v1", "users"]) => users(call),
        ("GET", ["users", "v1", "users", "current"]) => user(call, &call.user),
        ("GET", ["users", "v1", "users", "current", "roles"]) => roles(call),
        ("GET", ["users", "v1", "users", id]) => user(call, id),
        ("GET", ["settings", "v1", "system", "current"]) => Reply::ok(call.state.system_shown()),
        ("PUT" | "PATCH", ["settings", "v1", "system", "current"]) => edit_system(call),
        (
            _,
            ["users", "v1", "users"] | ["users", "v1", "users", _] | ["settings", "v1", "system", "current"],
        ) => Err(Refusal::Method),
        _ => return None,
    })
}

fn users(call: &Call<'_>) -> Outcome<Reply> {
    call.needs("can_read_users")?;
    let domain = &call.state.system_domain_id;
    let users = call.state.users.iter().map(|user| user.shown(domain)).collect();
    page::by_number(call, 1000, users)
}

fn user(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    let found = call.state.user(id).ok_or_else(|| Refusal::unknown("User", id))?;
    Reply::ok(found.shown(&call.state.system_domain_id))
}

fn roles(call: &Call<'_>) -> Outcome<Reply> {
    let roles = call.state.user(&call.user).map(|user| user.roles.clone()).unwrap_or_default();
    Reply::ok(json!({ "roles": roles }))
}

fn edit_system(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_write_system_settings")?;
    let given = call.object()?.clone();
    call.state.edit_system(given)?;
    Reply::ok(call.state.system_shown())
}
