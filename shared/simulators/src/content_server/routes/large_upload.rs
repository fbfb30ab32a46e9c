//! Large file upload.

use serde_json::{Value, json};

use super::{Call, nodes, number};
use crate::content_server::reply::{Reply, done, results};
use crate::content_server::settings::{Envelope, PartField};
use crate::content_server::state::{NewNode, NewVersion, Outcome, Refusal, kind};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", ["v2", "multipart", "settings"]) => {
            let settings = &call.state.settings.large_upload;
            let data = json!({
                "is_enabled": settings.enabled, "min_size": settings.min_size, "max_size": settings.max_size,
            });
            Ok(results(json!({ "data": data })))
        }
        ("POST", ["v2", "multipart"]) => start(call),
        ("POST", ["v2", "multipart", key, part]) => number(part).and_then(|part| put(call, key, part)),
        ("POST", ["v2", "multipart", key]) => close(call, key),
        ("DELETE", ["v2", "multipart", key]) => {
            call.state.cancel_large_upload(call.actor, key).and_then(|()| done())
        }
        _ => return None,
    })
}

fn start(call: &mut Call<'_>) -> Outcome<Reply> {
    let name = call.params.needed("file_name")?;
    let size = u64::try_from(call.params.needed_number("file_size")?);
    let size = size.map_err(|_| Refusal::BadType("file_size".to_owned()))?;
    let mime_type = call.params.filled("mime_type").unwrap_or_else(|| "application/octet-stream".to_owned());
    let started = call.state.start_large_upload(call.actor, &name, size, &mime_type)?;
    let data = json!({
        "upload_key": started.upload_key, "num_parts": started.parts, "part_size": started.part_size,
        "max_retries": 3,
    });
    Ok(in_envelope(call, data))
}

fn in_envelope(call: &Call<'_>, data: Value) -> Reply {
    match call.state.settings.large_upload.envelope {
        Envelope::Flat => Reply::Json(data),
        Envelope::Results => results(json!({ "data": data })),
    }
}

fn put(call: &mut Call<'_>, key: &str, part: i64) -> Outcome<Reply> {
    let wanted = call.state.settings.large_upload.part_field;
    let file = call.params.take_file(|field| match wanted {
        PartField::PartContent => field == "part_content",
        PartField::File => field == "file",
        PartField::Either => matches!(field, "part_content" | "file"),
    });
    let content = file.ok_or(Refusal::Missing("part_content"))?.content;
    call.state.put_part(call.actor, key, part, content)?;
    done()
}

fn close(call: &mut Call<'_>, key: &str) -> Outcome<Reply> {
    if !call.state.settings.large_upload.close_creates_node {
        call.state.close_large_upload(call.actor, key)?;
        return done();
    }
    let parent_id = call.params.needed_number("parent_id")?;
    let name = call.params.needed("name")?;
    call.state.close_large_upload(call.actor, key)?;
    let (content, file_name, mime_type) = call.state.closed_upload(call.actor, key)?;
    let new = NewNode {
        kind: kind::DOCUMENT,
        parent_id,
        name,
        version: Some(NewVersion::of(&file_name, &mime_type, content)),
        categories: nodes::category_roles(&call.params)?,
        ..NewNode::default()
    };
    let id = call.state.create(call.actor, new)?;
    call.state.cancel_large_upload(call.actor, key)?;
    Ok(in_envelope(call, json!({ "id": id })))
}
