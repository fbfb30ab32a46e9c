//! Files.

use serde_json::{Value, json};

use super::{by_last_id, created, host, optional_body, scheduled, shown};
use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::settings::NoAddress;
use crate::iconik::state::media::{Kind, filled, is, text};
use crate::iconik::state::{Object, Work};

pub(super) fn route(call: &mut Call<'_>, method: &str, asset: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", []) => list(call, asset, |_| true, false),
        ("POST", []) => create(call, asset),
        ("GET", [file]) => get(call, asset, file),
        ("PUT" | "PATCH", [file]) => edit(call, asset, file),
        ("DELETE", [file]) => delete(call, asset, file),
        ("GET", [file, "download_url"]) => download(call, (Kind::File, asset), file),
        ("GET", [file, "isg_handler_url"]) => gateway(call, asset, file),
        ("POST", [file, "keyframes"]) => keyframes(call, asset, file),
        ("POST", [file, "mediainfo"]) => inspect(call, asset, file),
        ("POST", [file, "subtitles"]) => subtitles(call, asset, file),
        (_, [] | [_] | [_, "download_url" | "isg_handler_url" | "keyframes" | "mediainfo" | "subtitles"]) => {
            Err(Refusal::Method)
        }
        _ => return None,
    })
}

/// Files of an asset. Whether they come with addresses depends on the list.
pub(super) fn list(
    call: &Call<'_>,
    asset: &str,
    within: impl Fn(&Object) -> bool,
    signed: bool,
) -> Outcome<Reply> {
    call.state.asset_of_media(asset)?;
    let signed = call.flag("generate_signed_url", signed);
    let files = call
        .state
        .media
        .files
        .objects()
        .filter(|file| is(file, "asset_id", asset) && call.state.lists(file) && within(file));
    page::by_last_id(call, files.map(|file| shown(call, Kind::File, file, signed)).collect())
}

pub(super) fn by_checksum(call: &Call<'_>, checksum: &str) -> Outcome<Reply> {
    by_last_id(call, call.state.media.files.objects().filter(|file| is(file, "checksum", checksum)))
}

fn create(call: &mut Call<'_>, asset: &str) -> Outcome<Reply> {
    let given = call.object()?.clone();
    let id = call.state.create_file(&call.user, asset, given)?;
    created(call, Kind::File, &id)
}

fn get(call: &mut Call<'_>, asset: &str, file: &str) -> Outcome<Reply> {
    let found = call.state.file_of(asset, file)?.clone();
    let mut value = shown(call, Kind::File, &found, true);
    if call.flag("generate_signed_post_url", false) {
        let host = host(call);
        let members = call.state.upload_members(Kind::File, &found, &host);
        if let Some(value) = value.as_object_mut() {
            value.extend(members);
        }
    }
    Reply::ok(value)
}

fn edit(call: &mut Call<'_>, asset: &str, file: &str) -> Outcome<Reply> {
    let given = call.object()?.clone();
    call.state.edit_file(&call.user, asset, file, given)?;
    Reply::ok(call.state.file_of(asset, file)?.clone())
}

fn delete(call: &mut Call<'_>, asset: &str, file: &str) -> Outcome<Reply> {
    call.state.delete_file(&call.user, asset, file)?;
    Ok(Reply::Nothing(204))
}

/// A fresh address to download from, as an attachment.
pub(super) fn download(call: &mut Call<'_>, (kind, asset): (Kind, &str), id: &str) -> Outcome<Reply> {
    let found = call.state.part_of(kind, asset, id)?.clone();
    let address = call.state.download_address(kind, &found, &host(call), Some("attachment"), false);
    let Some(address) = address else {
        return match call.state.settings.media.no_address {
            NoAddress::Null => Reply::ok(json!({"url": null})),
            NoAddress::NotFound => {
                let name = filled(&found, "original_name").unwrap_or_else(|| text(&found, "name"));
                Err(Refusal::NotFound(format!("There is no download URL for {name}")))
            }
        };
    };
    if call.state.settings.media.download_is_told && kind == Kind::File {
        let user = call.user.clone();
        call.state.media_event(&user, "entity", "download", &found);
        call.state.note(&user, asset, "DOWNLOAD", text(&found, "original_name"));
    }
    Reply::ok(json!({"url": address}))
}

/// Where the gateway of a local storage hands a file out: inside the customer's network.
fn gateway(call: &Call<'_>, asset: &str, file: &str) -> Outcome<Reply> {
    let found = call.state.file_of(asset, file)?;
    let storage = call.state.media.storages.get(text(found, "storage_id"));
    let gateway = storage.and_then(|storage| storage.get("settings")?.get("gateway_url")?.as_str());
    match gateway {
        Some(gateway) => Reply::ok(json!({"url": format!("{gateway}/{file}")})),
        None => Err(Refusal::NotFound("The storage has no gateway".to_owned())),
    }
}

fn closed(call: &Call<'_>, asset: &str, file: &str) -> Outcome<()> {
    match is(call.state.file_of(asset, file)?, "status", "CLOSED") {
        true => Ok(()),
        false => Err(Refusal::field("file_id", "The file is not closed.")),
    }
}

fn keyframes(call: &mut Call<'_>, asset: &str, file: &str) -> Outcome<Reply> {
    optional_body(call)?;
    closed(call, asset, file)?;
    let work = Work::Transcode { file: file.to_owned() };
    let user = call.user.clone();
    let job = call.state.start_work(&user, "TRANSCODE", "Transcode", Some(("assets", asset)), work);
    match call.state.settings.media.keyframes_without_job {
        true => Ok(Reply::Nothing(204)),
        false => scheduled(200, job),
    }
}

fn inspect(call: &mut Call<'_>, asset: &str, file: &str) -> Outcome<Reply> {
    optional_body(call)?;
    closed(call, asset, file)?;
    let work = Work::Inspect { file: file.to_owned() };
    let user = call.user.clone();
    scheduled(200, call.state.start_work(&user, "MEDIAINFO", "Inspect", Some(("assets", asset)), work))
}

fn subtitles(call: &mut Call<'_>, asset: &str, file: &str) -> Outcome<Reply> {
    let id = call.state.subtitle_from(&call.user, asset, file)?;
    Reply::ok(call.state.media.subtitles.get(&id).cloned().map_or(Value::Null, Value::from))
}
