//! What automations do.

use serde_json::{Value, json};

use super::super::assets::Edit;
use super::super::review::object;
use super::super::{Outcome, Refusal, State};
use super::custom_actions::Called;
use super::occurrences::Subject;

impl State {
    /// Does one action for one object; says why not.
    pub(super) fn perform(&mut self, user: &str, action: &Value, subject: &Subject) -> Result<(), String> {
        let parameters = object(action["parameters"].clone());
        let (kind, id) = (subject.object_type.as_str(), subject.object_id.as_str());
        let text = |name: &str| parameters.get(name).and_then(Value::as_str).unwrap_or_default();
        let done: Outcome<()> = match action["type"].as_str().unwrap_or_default() {
            "CUSTOM_ACTION" => {
                let one_of = |wanted: &str| if kind == wanted { vec![id.to_owned()] } else { Vec::new() };
                let called = Called {
                    asset_ids: one_of("assets"),
                    collection_ids: one_of("collections"),
                    metadata_values: parameters.get("metadata_values").cloned().unwrap_or_default(),
                    ..Called::default()
                };
                self.call_custom_action(user, text("action_id"), &called).map(|_| ())
            }
            "METADATA_UPDATE" => {
                let values = object(parameters.get("metadata_values").cloned().unwrap_or_default());
                self.write_values(user, (kind, id), text("metadata_view_id"), &values, false).map(|_| ())
            }
            "REQUEST_REVIEW" => self.request_approval(user, kind, id, &parameters).map(|_| ()),
            "CREATE_SHARE" => {
                let owner = if text("user_id").is_empty() { user } else { text("user_id") };
                self.create_share(owner, kind, &[id], &parameters, false).map(|_| ())
            }
            "RESTRICT_ASSET" if kind == "assets" => {
                let warning = parameters.get("warning").cloned().unwrap_or_default();
                self.edit_asset(
                    user,
                    id,
                    object(json!({ "is_blocked": true, "warning": warning })),
                    Edit::Part,
                )
            }
            "REMOVE_ASSET_RESTRICTION" if kind == "assets" => {
                self.edit_asset(user, id, object(json!({ "is_blocked": false, "warning": null })), Edit::Part)
            }
            "ADD_TO_COLLECTION" => self.join(user, kind, id, text("collection_id")).map(|_| ()),
            "DELETE_ASSET" if kind == "assets" => self.delete(user, kind, id),
            other => Err(Refusal::Conflict(format!("{other} is not done by this iconik for {kind}"))),
        };
        done.map_err(sentence)
    }
}

/// A refusal as a sentence, for the history.
fn sentence(refusal: Refusal) -> String {
    match refusal {
        Refusal::Forbidden(why)
        | Refusal::NotFound(why)
        | Refusal::Conflict(why)
        | Refusal::Other(_, why) => why,
        Refusal::Invalid(fields) => {
            let fields = fields.into_iter().map(|(field, why)| format!("{field}: {why}"));
            fields.collect::<Vec<_>>().join("; ")
        }
        other => format!("{other:?}"),
    }
}
