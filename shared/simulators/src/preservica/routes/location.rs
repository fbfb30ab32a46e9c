//! Where large packages may be uploaded to instead.

use serde_json::json;

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    call.state.may_write(&call.user)?;
    let container = call.state.bulk_bucket();
    match (call.method.as_str(), path) {
        ("GET", []) => Ok(Reply::Json(
            200,
            json!({"locations": [{"containerName": container, "type": "AWS", "apiId": "bulk-1"}]}),
        )),
        ("GET", ["bulk-1", "upload-credentials"]) => {
            let given = call.state.give_bulk_key();
            Ok(Reply::Json(
                200,
                json!({"key": given.key, "secret": given.secret, "sessionToken": given.session,
                    "endpoint": "https://s3.amazonaws.com"}),
            ))
        }
        _ => Err(Refusal::NoUrl),
    }
}
