//! Who is calling, and what the tenant's security tags let them do.

use serde_json::json;

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::xml::Element;

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    match (call.method.as_str(), path) {
        ("GET", ["details"]) => {
            let user = call.state.user(&call.user).ok_or(Refusal::Unauthenticated)?;
            Ok(Reply::Json(
                200,
                json!({"success": true, "username": user.name, "fullName": user.full_name, "email": user.name,
                    "tenant": call.state.tenant, "roles": user.roles}),
            ))
        }
        _ => Err(Refusal::NoUrl),
    }
}

pub(super) fn tags(call: &mut Call<'_>) -> Outcome<Reply> {
    let may_write = call.state.may_write(&call.user).is_ok();
    let namespace = call.names.security.clone();
    let tags = call.state.tags.iter().map(|tag| {
        let mut permissions = Element::new(&namespace, "Permissions").with("Permission", "READ");
        if may_write {
            permissions = permissions.with("Permission", "WRITE").with("Permission", "DELETE");
        }
        Element::new(&namespace, "Tag").attribute("name", tag.clone()).child(permissions)
    });
    let list = Element::new(&namespace, "Tags").children_from(tags);
    Ok(Reply::Xml(Element::new(&namespace, "TagsResponse").child(list)))
}
