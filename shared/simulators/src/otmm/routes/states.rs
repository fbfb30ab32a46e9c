//! Locked, checked out, deleted: one asset, or many.

use super::super::call::Call;
use super::super::reply::{Outcome, Reply};
use super::super::state::{Action, Failed};
use super::{bulk, selected};

/// The action, and whether it is for all versions.
fn asked(call: &Call<'_>) -> Outcome<(Action, bool)> {
    let action = call.state.action(call.params.required("action")?)?;
    let options = call.params.parsed("asset_state_options")?;
    let options =
        options.as_ref().and_then(|root| root.get("asset_state_options_param")?.get("asset_state_options"));
    let all = options.and_then(|options| options.get("apply_to_all_versions"));
    Ok((action, all.is_some_and(|flag| *flag == true || flag == "true")))
}

pub(super) fn one(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    let (action, all) = asked(call)?;
    let user = call.user.clone();
    call.state.act(&user, id, action, all)?;
    Ok(Reply::Nothing(200))
}

pub(super) fn many(call: &mut Call<'_>) -> Outcome<Reply> {
    let (action, all) = asked(call)?;
    let user = call.user.clone();
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for id in selected(call)? {
        match call.state.act(&user, &id, action, all) {
            Ok(()) => done.push(id),
            Err(refusal) => failed.push(Failed { reason: refusal.told(&call.state.settings).1, id }),
        }
    }
    Ok(Reply::Json(200, bulk(call, &done, &failed)))
}
