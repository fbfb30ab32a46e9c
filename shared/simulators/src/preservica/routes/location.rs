//! Where large packages may be uploaded to instead.

use serde_json::json;

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    call.state.may_write(&call.user)?;
    let at_azure = call.state.settings.uploads.at_azure;
    let (container, kind) = match at_azure {
        true => (call.state.bulk_container(), "Azure"),
        false => (call.state.bulk_bucket(), "AWS"),
    };
    match (call.method.as_str(), path) {
        ("GET", []) => Ok(Reply::Json(
            200,
            json!({"locations": [{"containerName": container, "type": kind, "apiId": "bulk-1"}]}),
        )),
        ("GET", ["bulk-1", "upload-credentials"]) => {
            let given = call.state.give_bulk_key();
            let said = match at_azure {
                true => json!({"key": call.state.bulk_account(), "sessionToken": format!(
                    "sv=2025-01-05&sr=c&sp=racwl&se={}&sig={}",
                    given.ends.strftime("%Y-%m-%dT%H%%3A%M%%3A%SZ"), given.session
                )}),
                false => json!({"key": given.key, "secret": given.secret, "sessionToken": given.session,
                    "endpoint": "https://s3.amazonaws.com"}),
            };
            Ok(Reply::Json(200, said))
        }
        _ => Err(Refusal::NoUrl),
    }
}
