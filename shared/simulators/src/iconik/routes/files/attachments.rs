//! Attachments of segments: comments with a file.

use serde_json::Value;

use super::{created, shown};
use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::Object;
use crate::iconik::state::media::{Kind, is, text};

pub(super) fn route(
    call: &mut Call<'_>,
    method: &str,
    (asset, segment): (&str, &str),
    path: &[&str],
) -> Option<Outcome<Reply>> {
    let of = (asset, segment);
    Some(match (method, path) {
        ("GET", []) => list(call, of),
        ("POST", []) => create(call, of),
        ("DELETE", []) => delete_all(call, of),
        ("GET", [id]) => {
            found(call, of, id).and_then(|found| Reply::ok(shown(call, Kind::Attachment, found, true)))
        }
        ("PUT" | "PATCH", [id]) => edit(call, of, id),
        ("DELETE", [id]) => delete(call, of, id),
        (_, [] | [_]) => Err(Refusal::Method),
        _ => return None,
    })
}

fn of_segment<'call>(
    call: &'call Call<'_>,
    (asset, segment): (&'call str, &'call str),
) -> impl Iterator<Item = &'call Object> {
    let attachments = call.state.media.attachments.objects();
    attachments.filter(move |found| is(found, "asset_id", asset) && is(found, "segment_id", segment))
}

fn list(call: &Call<'_>, of: (&str, &str)) -> Outcome<Reply> {
    call.state.asset_of_media(of.0)?;
    let signed = call.flag("generate_signed_url", true);
    page::by_last_id(
        call,
        of_segment(call, of).map(|found| shown(call, Kind::Attachment, found, signed)).collect(),
    )
}

fn create(call: &mut Call<'_>, (asset, segment): (&str, &str)) -> Outcome<Reply> {
    let mut given = call.object()?.clone();
    given.insert("segment_id".to_owned(), Value::from(segment));
    let id = call.state.create_derived(&call.user, Kind::Attachment, asset, given)?;
    created(call, Kind::Attachment, &id)
}

fn found<'call>(call: &'call Call<'_>, (asset, segment): (&str, &str), id: &str) -> Outcome<&'call Object> {
    let found = call.state.part_of(Kind::Attachment, asset, id)?;
    if is(found, "segment_id", segment) { Ok(found) } else { Err(Refusal::unknown("Attachment", id)) }
}

fn edit(call: &mut Call<'_>, of: (&str, &str), id: &str) -> Outcome<Reply> {
    found(call, of, id)?;
    let given = call.object()?.clone();
    call.state.edit_derived(&call.user, Kind::Attachment, of.0, id, given)?;
    Reply::ok(found(call, of, id)?.clone())
}

fn delete(call: &mut Call<'_>, of: (&str, &str), id: &str) -> Outcome<Reply> {
    found(call, of, id)?;
    call.state.delete_derived(&call.user, Kind::Attachment, of.0, id)?;
    Ok(Reply::Nothing(204))
}

fn delete_all(call: &mut Call<'_>, of: (&str, &str)) -> Outcome<Reply> {
    let ids: Vec<String> = of_segment(call, of).map(|found| text(found, "id").to_owned()).collect();
    for id in ids {
        call.state.delete_derived(&call.user, Kind::Attachment, of.0, &id)?;
    }
    Ok(Reply::Nothing(204))
}
