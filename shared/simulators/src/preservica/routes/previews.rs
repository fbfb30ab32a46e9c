//! The small pictures of folders and assets.

use http::{HeaderValue, Response, header};

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::Kind;
use crate::content::Blob;

/// The sizes that may be asked for. Pictures are given as they came, whatever the size.
const SIZES: [&str; 3] = ["small", "medium", "large"];
/// The first bytes of the formats that are taken, and their media types.
const FORMATS: [(&[u8], &str); 6] = [
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
];
/// The picture that the server makes itself where it is switched on: one white point.
const MADE: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

fn format_of(content: &Blob) -> Option<&'static str> {
    let begins = content.read_at(0, 4).ok()?;
    FORMATS.iter().find(|(mark, _)| begins.starts_with(mark)).map(|(_, kind)| *kind)
}

/// A picture is given to an entity, or taken away.
pub(super) fn route(call: &mut Call<'_>, (kind, reference): (Kind, &str)) -> Outcome<Reply> {
    call.state.living(kind, reference)?;
    call.state.may_write(&call.user)?;
    let (user, rules) = (call.user.clone(), call.state.settings.previews.clone());
    let refused = |why: &str| Refusal::Refused(rules.refused_status, why.to_owned());
    let command = match call.method.as_str() {
        _ if kind == Kind::ContentObject => return Err(Refusal::NoUrl),
        "PUT" => {
            let received = call.received.take();
            let content = received.ok_or_else(|| refused("There is no picture"))?.content;
            if content.size > rules.largest_bytes {
                return Err(refused("The picture is too large"));
            }
            format_of(&content).ok_or_else(|| refused("The format of the picture is not known"))?;
            call.state.living_mut(kind, reference)?.preview = Some(content);
            "AddPreview"
        }
        "DELETE" => {
            let gone = call.state.living_mut(kind, reference)?.preview.take();
            if gone.is_none() {
                return match rules.absent_status {
                    204 => Ok(Reply::Nothing(204)),
                    status => Err(Refusal::Refused(status, "There is no preview".to_owned())),
                };
            }
            "DeletePreview"
        }
        _ => return Err(Refusal::NoUrl),
    };
    call.state.happened("Modified", &user, command, &[reference.to_owned()]);
    Ok(Reply::Nothing(204))
}

/// The picture of an entity.
pub(super) fn thumbnail(call: &Call<'_>, (kind, reference): (Kind, &str)) -> Outcome<Reply> {
    if !call.text("size").is_none_or(|size| SIZES.contains(&size)) {
        return Err(Refusal::Invalid("The size has to be small, medium or large".to_owned()));
    }
    let entity = call.state.living(kind, reference)?;
    let is_made = call.state.settings.previews.made_for_assets && kind == Kind::InformationObject;
    let found = entity.preview.clone().or_else(|| is_made.then(|| Blob::of(MADE)));
    let content = found.ok_or_else(|| Refusal::NotFound("There is no thumbnail".to_owned()))?;
    let format = format_of(&content).unwrap_or("application/octet-stream");
    let mut response = Response::new(content.body(0, content.size));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(format));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(content.size));
    Ok(Reply::Whole(response))
}
