//! What change feeds and people send to the flows.

use shared::{
    context::Context,
    node_change::{Change, NodeChange},
    webhook::Verifier,
};

/// The message that a node changed, or that somebody asks for something. Two of other occasions are two items.
///
/// # Panics
/// When it cannot be formed.
pub fn node_change(flow: &str, node: i64, request: Option<&str>, occasion: &str) -> String {
    let change = NodeChange {
        node,
        change: if request.is_some() { Change::Requested } else { Change::Changed },
        version: None,
        modified: None,
        projection: String::new(),
        workspace: None,
        request: request.map(str::to_owned),
        occasion: occasion.to_owned(),
    };
    change.envelope("tests", flow, &Context::system()).expect("an envelope")
}

/// The headers of a push that is signed with a secret, `{"current": "whsec_…"}`, at this moment.
///
/// # Panics
/// When the secret is none.
pub fn push_headers(secret: &str, id: &str, body: &str) -> [(&'static str, String); 3] {
    let now = Context::system().now().as_second();
    let signature = Verifier::from_json(secret).expect("a secret").sign(id, now, body.as_bytes());
    [("webhook-id", id.to_owned()), ("webhook-timestamp", now.to_string()), ("webhook-signature", signature)]
}
