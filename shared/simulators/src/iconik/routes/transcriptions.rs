//! Transcripts: language and speakers; made of subtitles.

use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::reply::{Outcome, Refusal, Reply};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["assets", "v1", "assets", asset, "versions", version, "transcriptions", rest @ ..] = path else {
        return None;
    };
    Some(match (method, rest) {
        ("GET", ["properties"]) => list(call, asset, version),
        ("POST", ["properties"]) => create(call, asset, version),
        ("POST", ["subtitles"]) => from_subtitles(call, asset, version),
        ("GET", [id, "properties"]) => get(call, asset, version, id),
        ("PUT" | "PATCH", [id, "properties"]) => edit(call, asset, version, id),
        ("DELETE", [id, "properties"]) => delete(call, asset, version, id),
        (_, ["properties" | "subtitles"] | [_, "properties"]) => Err(Refusal::Method),
        _ => return None,
    })
}

fn list(call: &Call<'_>, asset: &str, version: &str) -> Outcome<Reply> {
    call.needs("can_read_transcriptions")?;
    call.state.assets.found(asset)?;
    let all = call.state.review.transcriptions.objects();
    let found = all.filter(|it| it["asset_id"] == *asset && it["version_id"] == *version);
    Reply::ok(json!({ "objects": found.cloned().map(Value::Object).collect::<Vec<_>>() }))
}

fn create(call: &mut Call<'_>, asset: &str, version: &str) -> Outcome<Reply> {
    call.needs("can_write_transcriptions")?;
    let given = call.object()?.clone();
    let id = call.state.add_transcription(asset, version, &given)?;
    Reply::ok(call.state.review.transcriptions.found(&id)?.clone())
}

fn from_subtitles(call: &mut Call<'_>, asset: &str, version: &str) -> Outcome<Reply> {
    call.needs("can_write_transcriptions")?;
    let given = call.object()?.clone();
    let id = call.state.transcribe_subtitles(&call.user, asset, version, &given)?;
    Reply::ok(call.state.review.transcriptions.found(&id)?.clone())
}

/// 404 unless the transcript is of this version.
fn check(call: &Call<'_>, asset: &str, version: &str, id: &str) -> Outcome<()> {
    let found = call.state.review.transcriptions.found(id)?;
    match found["asset_id"] == *asset && found["version_id"] == *version {
        true => Ok(()),
        false => Err(Refusal::unknown("Transcription", id)),
    }
}

fn get(call: &Call<'_>, asset: &str, version: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_read_transcriptions")?;
    check(call, asset, version, id)?;
    Reply::ok(call.state.review.transcriptions.found(id)?.clone())
}

fn edit(call: &mut Call<'_>, asset: &str, version: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_write_transcriptions")?;
    check(call, asset, version, id)?;
    let given = call.object()?.clone();
    let transcription = call.state.review.transcriptions.found_mut(id)?;
    let writable = |name: &str| matches!(name, "language" | "speaker_labels" | "engine_info");
    transcription.extend(given.into_iter().filter(|(name, _)| writable(name)));
    Reply::ok(transcription.clone())
}

fn delete(call: &mut Call<'_>, asset: &str, version: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_delete_transcriptions")?;
    check(call, asset, version, id)?;
    call.state.review.transcriptions.remove(id);
    Ok(Reply::Nothing(204))
}
