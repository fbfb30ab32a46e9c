//! Subtitles.

use super::by_last_id;
use crate::iconik::call::Call;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::Object;
use crate::iconik::state::media::{is, text, webvtt as as_webvtt};

pub(super) fn route(call: &mut Call<'_>, method: &str, asset: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", []) => list(call, asset, |_| true),
        ("POST", []) => create(call, asset),
        ("GET", [language, "webvtt"]) => webvtt(call, (asset, language), false),
        ("GET", [language, "cc", "webvtt"]) => webvtt(call, (asset, language), true),
        ("GET", [language, "cc"]) => {
            call.state.subtitle_in(asset, language, true).and_then(|found| Reply::ok(found.clone()))
        }
        ("GET", [id]) => get(call, asset, id),
        ("PUT" | "PATCH", [id]) => edit(call, asset, id),
        ("DELETE", [id]) => delete(call, asset, id),
        (_, [] | [_]) => Err(Refusal::Method),
        _ => return None,
    })
}

pub(super) fn list(call: &Call<'_>, asset: &str, within: impl Fn(&Object) -> bool) -> Outcome<Reply> {
    call.state.asset_of_media(asset)?;
    let subtitles = call.state.media.subtitles.objects();
    by_last_id(call, subtitles.filter(|found| is(found, "asset_id", asset) && within(found)))
}

fn create(call: &mut Call<'_>, asset: &str) -> Outcome<Reply> {
    let given = call.object()?.clone();
    let id = call.state.create_subtitle(&call.user, asset, given)?;
    Reply::created(call.state.media.subtitles.found(&id)?.clone())
}

fn found<'call>(call: &'call Call<'_>, asset: &str, id: &str) -> Outcome<&'call Object> {
    call.state.asset_of_media(asset)?;
    let found = call.state.media.subtitles.found(id)?;
    if is(found, "asset_id", asset) { Ok(found) } else { Err(Refusal::unknown("Subtitle", id)) }
}

fn get(call: &Call<'_>, asset: &str, id: &str) -> Outcome<Reply> {
    Reply::ok(found(call, asset, id)?.clone())
}

fn edit(call: &mut Call<'_>, asset: &str, id: &str) -> Outcome<Reply> {
    found(call, asset, id)?;
    let given = call.object()?.clone();
    let now = call.state.time();
    let subtitle = call.state.media.subtitles.found_mut(id)?;
    let may = ["content", "name", "language", "closed_captions"];
    subtitle.extend(given.into_iter().filter(|(name, _)| may.contains(&name.as_str())));
    subtitle.insert("date_modified".to_owned(), now);
    get(call, asset, id)
}

fn delete(call: &mut Call<'_>, asset: &str, id: &str) -> Outcome<Reply> {
    found(call, asset, id)?;
    call.state.media.subtitles.remove(id);
    Ok(Reply::Nothing(204))
}

pub(super) fn webvtt(call: &Call<'_>, (asset, language): (&str, &str), captions: bool) -> Outcome<Reply> {
    let subtitle = call.state.subtitle_in(asset, language, captions)?;
    Ok(Reply::Text { kind: "text/vtt; charset=utf-8", text: as_webvtt(text(subtitle, "content")) })
}
