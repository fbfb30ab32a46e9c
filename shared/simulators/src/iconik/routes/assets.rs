//! Assets.

use serde_json::Value;

use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["assets", "v1", "assets", rest @ ..] = path else { return None };
    Some(match (method, rest) {
        ("GET", []) => list(call),
        ("POST", []) => create(call),
        ("GET", [id]) => get(call, id),
        ("PUT" | "PATCH", [id]) => edit(call, id),
        (_, [] | [_]) => Err(Refusal::Method),
        _ => return None,
    })
}

fn list(call: &Call<'_>) -> Outcome<Reply> {
    call.needs("can_read_assets")?;
    let assets =
        call.state.assets.objects().filter(|asset| asset.get("status") != Some(&Value::from("DELETED")));
    page::by_number(call, 1000, assets.cloned().map(Value::Object).collect())
}

fn create(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_create_assets")?;
    let given = call.object()?.clone();
    let id = call.state.create_asset(&call.user, given)?;
    Reply::created(call.state.assets.get(&id).cloned().unwrap_or_default())
}

fn get(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_read_assets")?;
    let asset = call.state.assets.get(id).ok_or_else(|| Refusal::unknown("Asset", id))?;
    Reply::ok(asset.clone())
}

fn edit(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_write_assets")?;
    let given = call.object()?.clone();
    call.state.edit_asset(&call.user, id, given)?;
    get(call, id)
}
