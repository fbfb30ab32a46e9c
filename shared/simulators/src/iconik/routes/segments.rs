//! Segments of assets: comments, transcripts and the like, also as text.

use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::{Wanted, text_of};

/// Segments in one bulk call.
const MOST: usize = 500;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["assets", "v1", "assets", asset, "segments", rest @ ..] = path else { return None };
    Some(match (method, rest) {
        ("GET", []) => list(call, asset),
        ("POST", []) => create(call, asset),
        ("POST", ["bulk"]) => create_many(call, asset),
        ("PUT", ["bulk"]) => edit_many(call, asset),
        ("DELETE", ["bulk"]) => delete_many(call, asset),
        ("GET", [kind @ ("csv" | "srt" | "vtt" | "text")]) => as_text(call, asset, kind),
        ("GET", [id]) => get(call, asset, id),
        ("PUT" | "PATCH", [id]) => edit(call, asset, id),
        ("DELETE", [id]) => delete(call, asset, id),
        (_, [] | [_]) => Err(Refusal::Method),
        _ => return None,
    })
}

fn wanted(call: &Call<'_>) -> Outcome<Wanted> {
    const KEYS: &[&str] = &[
        "segment_type",
        "segment_color",
        "status",
        "version_id",
        "share_id",
        "project_id",
        "person_id",
        "transcription_id",
        "time_start_milliseconds",
        "time_end_milliseconds",
    ];
    let equal = KEYS.iter().filter_map(|key| Some((*key, call.text(key)?.to_owned())));
    let number = |name: &str| call.number(name).map(|number| number.map(|number| number as u64));
    Ok(Wanted {
        equal: equal.collect(),
        ids: call.texts("ids"),
        query: call.text("query").map(str::to_owned),
        from: number("time_start_milliseconds__gte")?.or(number("time_start_milliseconds_gte")?),
        to: number("time_end_milliseconds__lte")?.or(number("time_end_milliseconds_lte")?),
        all_versions: call.flag("include_all_versions", false),
    })
}

fn list(call: &mut Call<'_>, asset: &str) -> Outcome<Reply> {
    call.needs("can_read_segments")?;
    call.state.assets.found(asset)?;
    let with_users = call.flag("include_users", false);
    let segments = call.state.listed_segments(asset, &wanted(call)?);
    let shown = segments.into_iter().map(|segment| shown(call, segment, with_users));
    let shown = shown.collect();
    page::list(call, 1000, shown)
}

/// A segment with its author, where that is asked for.
fn shown(call: &Call<'_>, mut segment: serde_json::Map<String, Value>, with_users: bool) -> Value {
    let info = segment.get("user_id").and_then(Value::as_str).map(|user| call.state.user_info(user));
    let info = info.unwrap_or_default();
    for (name, key) in
        [("user_first_name", "first_name"), ("user_last_name", "last_name"), ("user_photo", "photo")]
    {
        segment.insert(name.to_owned(), info.get(key).cloned().unwrap_or_default());
    }
    segment.insert("user_info".to_owned(), if with_users { info } else { Value::Null });
    Value::Object(segment)
}

fn get(call: &Call<'_>, asset: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_read_segments")?;
    let segment = call.state.segment(asset, id)?.clone();
    Reply::ok(shown(call, segment, true))
}

fn create(call: &mut Call<'_>, asset: &str) -> Outcome<Reply> {
    call.needs("can_create_segments")?;
    let given = call.object()?.clone();
    let share_user = call.headers.get("share-user-email").and_then(|value| value.to_str().ok());
    let id = call.state.add_segment(&call.user, asset, share_user, &given)?;
    let segment = call.state.segment(asset, &id)?.clone();
    Reply::created(shown(call, segment, true))
}

fn edit(call: &mut Call<'_>, asset: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_write_segments")?;
    let given = call.object()?.clone();
    call.state.edit_segment(&call.user, asset, id, &given)?;
    let segment = call.state.segment(asset, id)?.clone();
    Reply::ok(shown(call, segment, true))
}

fn delete(call: &mut Call<'_>, asset: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_delete_segments")?;
    let soft = call.flag("soft_delete", false);
    call.state.delete_segment(&call.user, asset, id, soft)?;
    Ok(Reply::Nothing(204))
}

fn objects(call: &Call<'_>) -> Outcome<Vec<serde_json::Map<String, Value>>> {
    let list = call.object()?.get("objects").and_then(Value::as_array);
    let list = list.ok_or_else(|| Refusal::field("objects", "Missing data for required field."))?;
    if !(1..=MOST).contains(&list.len()) {
        return Err(Refusal::field("objects", format!("Length must be between 1 and {MOST}.")));
    }
    let objects: Option<Vec<_>> = list.iter().map(|entry| entry.as_object().cloned()).collect();
    objects.ok_or_else(|| Refusal::field("objects", "Invalid input type."))
}

fn create_many(call: &mut Call<'_>, asset: &str) -> Outcome<Reply> {
    call.needs("can_create_segments")?;
    for given in objects(call)? {
        call.state.add_segment(&call.user, asset, None, &given)?;
    }
    let job = call.state.segments_job(&call.user, asset);
    Reply::created(json!({ "job_id": job }))
}

fn edit_many(call: &mut Call<'_>, asset: &str) -> Outcome<Reply> {
    call.needs("can_write_segments")?;
    for given in objects(call)? {
        let Some(id) = given.get("id").and_then(Value::as_str) else {
            return Err(Refusal::field("id", "Missing data for required field."));
        };
        call.state.edit_segment(&call.user, asset, id, &given)?;
    }
    let job = call.state.segments_job(&call.user, asset);
    Reply::created(json!({ "job_id": job }))
}

fn delete_many(call: &mut Call<'_>, asset: &str) -> Outcome<Reply> {
    call.needs("can_delete_segments")?;
    call.state.assets.found(asset)?;
    let soft = !call.flag("immediately", true);
    let given = call.object()?;
    let kind = given.get("segment_type").and_then(Value::as_str);
    let version = given.get("version_id").and_then(Value::as_str);
    let ids = match (given.contains_key("segment_ids"), kind) {
        (true, _) => call.ids("segment_ids")?,
        (false, Some(kind)) => {
            let of_kind = call.state.review.segments.objects().filter(|segment| {
                segment["asset_id"] == *asset
                    && segment["segment_type"] == kind
                    && version.is_none_or(|version| segment["version_id"] == version)
            });
            of_kind.filter_map(|segment| segment["id"].as_str().map(str::to_owned)).collect()
        }
        (false, None) => return Err(Refusal::field("segment_ids", "Missing data for required field.")),
    };
    if ids.len() > MOST {
        return Err(Refusal::field("segment_ids", format!("Longer than maximum length {MOST}.")));
    }
    for id in ids {
        // An answer may have gone with its comment.
        match call.state.delete_segment(&call.user, asset, &id, soft) {
            Ok(()) | Err(Refusal::NotFound(_)) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(Reply::Nothing(204))
}

fn as_text(call: &mut Call<'_>, asset: &str, kind: &str) -> Outcome<Reply> {
    call.needs("can_read_segments")?;
    call.state.assets.found(asset)?;
    let words = call.number("words_per_line")?;
    let segments = call.state.listed_segments(asset, &wanted(call)?);
    let named = segments.into_iter().map(|segment| shown(call, segment, false));
    let named: Vec<_> = named.filter_map(|segment| segment.as_object().cloned()).collect();
    let (kind, text) = text_of(kind, &named, words).ok_or(Refusal::NoUrl)?;
    Ok(Reply::Text { kind, text })
}
