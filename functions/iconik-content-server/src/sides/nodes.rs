//! The message of Content Server that makes a flow look again.

use shared::{
    context::Context,
    error::Result,
    node_change::NodeChange,
    reconcile::{Action, Again},
};

/// Tells a flow that a node or workflow changed, or with a request asks it for something; one message a day, as equal ones are
/// one item.
///
/// # Errors
/// When the message cannot be formed, which is a defect.
pub(crate) fn look_at_node(flow: &str, context: &Context, node: i64, request: Option<&str>) -> Result<Again> {
    let change =
        NodeChange::about(node, request, format!("reconcile {}", context.now().strftime("%Y-%m-%d")));
    Ok(Again { action: Action::LookAgain, message: change.envelope("reconcile", flow, context)? })
}
