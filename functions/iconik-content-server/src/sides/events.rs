//! What became of an asset by its audit chain, and the message that makes a flow look at it again.

use jiff::Timestamp;
use shared::{
    audit::{AuditEvent, EventType},
    context::Context,
    error::Result,
    iconik_change::IconikChange,
    ledger::{Ending, Key, Ledger},
    reconcile::{Account, Action, Again},
};

/// What an asset of iconik is called in the audit.
pub(crate) fn asset(id: &str) -> String {
    Key::of(&["iconik", id]).digest().to_owned()
}

/// What a collection of iconik is called in the audit.
pub(crate) fn collection_asset(id: &str) -> String {
    Key::of(&["iconik", "collections", id]).digest().to_owned()
}

/// How the items of a flow about an asset ended, of those that ended at a moment or later, the last one first. `asset` is
/// what the audit calls it.
///
/// # Errors
/// When the ledger cannot be reached.
pub(crate) async fn events(
    ledger: &Ledger,
    flow: &str,
    asset: &str,
    since: Option<Timestamp>,
) -> Result<Vec<AuditEvent>> {
    let agent = format!("waybill {flow} ");
    let is_it = |event: &AuditEvent| {
        let told = event.event_date_time.parse::<Timestamp>().ok();
        let is_late = since.is_none_or(|since| told.is_some_and(|told| told >= since));
        event.agent.starts_with(&agent) && event.event_type != EventType::Validation && is_late
    };
    let chain = ledger.chain(asset).await?;
    Ok(chain.into_iter().rev().map(|sealed| sealed.event).filter(is_it).collect())
}

/// What an ending explains of something that is not there: that it was put aside, that it failed, or that it was skipped by
/// one of these reasons. Any other ending explains nothing.
pub(crate) fn account(event: Option<&AuditEvent>, skips: &[&str]) -> Account {
    let Some(event) = event else { return Account::NotAsked };
    let reason = event.detail.get("reason").cloned();
    match event.event_type {
        EventType::Quarantine => Account::Ended(Ending::Quarantined, reason),
        EventType::Transfer => Account::Ended(Ending::Failed, reason),
        EventType::Accession if reason.as_deref().is_some_and(|code| skips.contains(&code)) => {
            Account::Ended(Ending::Skipped, reason)
        }
        _ => Account::NotAsked,
    }
}

/// Tells a flow that an asset or collection changed or, with a request, asks it for something; one message a day, as equal
/// ones are one item. `object` is kind and id, in iconik's words.
///
/// # Errors
/// When the message cannot be formed, which is a defect.
pub(crate) fn look_again(
    flow: &str,
    context: &Context,
    (kind, id): (&str, &str),
    version: Option<&str>,
    request: Option<&str>,
) -> Result<Again> {
    let change = IconikChange {
        version_id: version.map(str::to_owned),
        ..IconikChange::about(kind, id, request, format!("reconcile {}", context.now().strftime("%Y-%m-%d")))
    };
    Ok(Again { action: Action::LookAgain, message: change.envelope("reconcile", flow, context)? })
}
