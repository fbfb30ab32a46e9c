//! What sides over nodes of Content Server have in common: where they begin, what they ask for, what explains a gap.

use shared::{
    audit::EventType,
    content_server::{Client, NodeId, NodePath, Root, volume},
    context::Context,
    error::{Error, Result},
    ledger::{Ending, Key, Ledger},
    node_change::NodeChange,
    reconcile::{Account, Action, Again, Listed},
};

use crate::places::Places;

/// The containers of the rules, each once; the whole of the enterprise where a rule names none.
pub(crate) async fn roots(
    client: &Client,
    places: &Places,
    containers: impl Iterator<Item = Option<&NodePath>>,
) -> Result<Vec<NodeId>> {
    let everything = NodePath { root: Root::Volume(volume::ENTERPRISE), segments: Vec::new() };
    let mut roots = Vec::new();
    for container in containers {
        roots.push(places.id(client, container.unwrap_or(&everything)).await?);
    }
    roots.sort_unstable();
    roots.dedup();
    Ok(roots)
}

/// The node that a listing of Content Server told.
pub(crate) fn listed_node(listed: &Listed) -> Result<NodeId> {
    listed.facts.as_i64().map(NodeId).ok_or_else(|| Error::bug("look", "a listed node has no number"))
}

/// What a node is called in the audit.
pub(crate) fn asset(node: NodeId) -> String {
    Key::of(&["content-server", &node.to_string()]).digest().to_owned()
}

/// How the last item of an asset ended, as far as that explains something that is not there.
pub(crate) async fn account(ledger: &Ledger, asset: &str) -> Result<Account> {
    let last = ledger.chain_end(asset).await?.last;
    Ok(match last {
        Some(event) if event.event_type == EventType::Quarantine => {
            Account::Ended(Ending::Quarantined, event.detail.get("reason").cloned())
        }
        _ => Account::NotAsked,
    })
}

/// Tells a flow that a node changed or, with a request, asks it for something; one message a day, as equal ones are one
/// item.
pub(crate) fn look_again(
    flow: &str,
    context: &Context,
    node: NodeId,
    request: Option<&str>,
) -> Result<Again> {
    let change =
        NodeChange::about(node.0, request, format!("reconcile {}", context.now().strftime("%Y-%m-%d")));
    Ok(Again { action: Action::LookAgain, message: change.envelope("reconcile", flow, context)? })
}
