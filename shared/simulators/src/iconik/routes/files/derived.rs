//! Proxies and keyframes.

use super::{created, file, host, optional_body, scheduled, shown};
use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::media::{Kind, is, text};
use crate::iconik::state::{Object, Work};

pub(super) fn route(
    call: &mut Call<'_>,
    method: &str,
    (kind, asset): (Kind, &str),
    path: &[&str],
) -> Option<Outcome<Reply>> {
    let of = (kind, asset);
    Some(match (method, path) {
        ("GET", []) => list(call, of, |_| true),
        ("POST", []) => create(call, of),
        ("GET", [id]) => get_to_upload(call, of, id),
        // A widely used client changes keyframes with POST.
        ("PUT" | "PATCH", [id]) => edit(call, of, id),
        ("POST", [id]) if kind == Kind::Keyframe => edit(call, of, id),
        ("DELETE", [id]) => delete(call, of, id),
        ("GET", [id, "download_url"]) if kind == Kind::Proxy => file::download(call, of, id),
        ("POST", [id, "keyframes"]) if kind == Kind::Proxy => keyframes(call, asset, id),
        (_, [] | [_]) => Err(Refusal::Method),
        _ => return None,
    })
}

/// Proxies and keyframes come with their addresses unless the caller says otherwise.
pub(super) fn list(
    call: &Call<'_>,
    (kind, asset): (Kind, &str),
    within: impl Fn(&Object) -> bool,
) -> Outcome<Reply> {
    call.state.asset_of_media(asset)?;
    let signed = call.flag("generate_signed_url", true);
    let of_asset =
        call.state.table(kind).objects().filter(|found| is(found, "asset_id", asset) && within(found));
    page::by_last_id(call, of_asset.map(|found| shown(call, kind, found, signed)).collect())
}

fn create(call: &mut Call<'_>, (kind, asset): (Kind, &str)) -> Outcome<Reply> {
    let given = call.object()?.clone();
    let id = call.state.create_derived(&call.user, kind, asset, given)?;
    created(call, kind, &id)
}

fn get(call: &Call<'_>, (kind, asset): (Kind, &str), id: &str) -> Outcome<Reply> {
    Reply::ok(shown(call, kind, call.state.part_of(kind, asset, id)?, true))
}

/// One that waits for its bytes tells where they go: a widely used client reads it here, not in the answer to the making.
fn get_to_upload(call: &mut Call<'_>, (kind, asset): (Kind, &str), id: &str) -> Outcome<Reply> {
    let found = call.state.part_of(kind, asset, id)?.clone();
    let mut value = shown(call, kind, &found, true);
    if is(&found, "status", "OPEN") {
        let host = host(call);
        let members = call.state.upload_members(kind, &found, &host);
        if let Some(value) = value.as_object_mut() {
            value.extend(members);
        }
    }
    Reply::ok(value)
}

fn edit(call: &mut Call<'_>, (kind, asset): (Kind, &str), id: &str) -> Outcome<Reply> {
    let given = call.object()?.clone();
    call.state.edit_derived(&call.user, kind, asset, id, given)?;
    get(call, (kind, asset), id)
}

fn delete(call: &mut Call<'_>, (kind, asset): (Kind, &str), id: &str) -> Outcome<Reply> {
    call.state.delete_derived(&call.user, kind, asset, id)?;
    Ok(Reply::Nothing(204))
}

/// Keyframes of an uploaded proxy: made of any closed file of its version.
fn keyframes(call: &mut Call<'_>, asset: &str, proxy: &str) -> Outcome<Reply> {
    optional_body(call)?;
    let found = call.state.part_of(Kind::Proxy, asset, proxy)?;
    if !is(found, "status", "CLOSED") {
        return Err(Refusal::field("proxy_id", "The proxy is not closed."));
    }
    let work = Work::Keyframes { asset: asset.to_owned(), stem: text(found, "name").to_owned() };
    let user = call.user.clone();
    scheduled(200, call.state.start_work(&user, "KEYFRAMES", "Keyframes", Some(("assets", asset)), work))
}
