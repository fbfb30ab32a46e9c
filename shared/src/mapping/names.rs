//! Names that files give: of feeds, subscriptions and flows.

use std::collections::BTreeSet;

use super::{Diagnostics, Located, closest};

/// Every flow there is, by name. A test of the house keeps the list equal to the flows of the crates, of which nothing here
/// may know.
pub const FLOWS: [&str; 15] = [
    "archive-closed-files",
    "archive-production",
    "exchange-review-status",
    "export-for-analysis",
    "file-rights",
    "ingest-uploads",
    "link-references",
    "offload-content",
    "publish-approved",
    "publish-finals",
    "replicate-content",
    "request-disposition",
    "stage-attachments",
    "start-signoff",
    "sync-asset-metadata",
];

/// The flows that a feed or subscription tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToldFlows {
    /// Those that have a queue.
    pub flows: Vec<String>,
    /// Those that are not deployed, where the file says that they need not be.
    pub left_out: Vec<String>,
}

/// Whether a text is a name: up to 64 lower-case letters, digits and `-`.
pub fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= 64 && text.chars().all(fits)
}

/// Reports a name that is none.
pub fn check_name(name: &Located<String>, diagnostics: &mut Diagnostics) {
    if !is_name(name.value()) {
        let message = format!("`{}` is not a name", name.value());
        let remedy = "use up to 64 lower-case letters, digits and `-`";
        diagnostics.report(name.span(), "bad-name", message, remedy);
    }
}

/// Reports names that were given twice to things of a kind, such as `feeds`.
pub fn check_names_differ<'a>(
    kind: &str,
    names: impl Iterator<Item = &'a Located<String>>,
    diagnostics: &mut Diagnostics,
) {
    let mut known = BTreeSet::new();
    for name in names {
        if !known.insert(name.value()) {
            let message = format!("two {kind} are called `{}`", name.value());
            let remedy = format!("give each {} a name of its own", kind.trim_end_matches('s'));
            diagnostics.report(name.span(), "name-taken", message, remedy);
        }
    }
}

/// The flows that a thing of some kind, such as a `feed`, tells. Reports what is wrong with them: a flow without a queue is
/// left out where the thing says that it need not be deployed, and a mistake otherwise; a name that is no flow's always is one.
pub fn told_flows(
    kind: &str,
    flows: &Located<Vec<String>>,
    if_deployed: bool,
    has_queue: &dyn Fn(&str) -> bool,
    diagnostics: &mut Diagnostics,
) -> ToldFlows {
    check_flows(kind, flows, diagnostics);
    let mut told = ToldFlows::default();
    for flow in flows.value().iter().filter(|flow| is_name(flow)) {
        let known = FLOWS.contains(&flow.as_str());
        if has_queue(flow) {
            told.flows.push(flow.clone());
        } else if known && if_deployed {
            told.left_out.push(flow.clone());
        } else if known {
            let message = format!("the flow `{flow}` has no queue");
            let remedy = format!(
                "deploy it and then this function again, remove it, or say `if_deployed = true` in the {kind}"
            );
            diagnostics.report(flows.span(), "no-queue", message, remedy);
        } else {
            let remedy = match closest(flow, FLOWS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "give it a queue in WAYBILL_FLOW_QUEUES, or remove it".to_owned(),
            };
            let message = format!("`{flow}` is no flow of Waybill, and has no queue");
            diagnostics.report(flows.span(), "unknown-flow", message, remedy);
        }
    }
    told
}

fn check_flows(kind: &str, flows: &Located<Vec<String>>, diagnostics: &mut Diagnostics) {
    let mut known = BTreeSet::new();
    if flows.value().is_empty() {
        let message = format!("no flow is told, so the {kind} has no use");
        diagnostics.report(flows.span(), "no-flows", message, "name at least one flow");
    }
    for flow in flows.value() {
        if !is_name(flow) {
            let message = format!("`{flow}` is not the name of a flow");
            diagnostics.report(flows.span(), "bad-name", message, "write it like `offload-content`");
        } else if !known.insert(flow) {
            let message = format!("`{flow}` is named twice");
            diagnostics.report(flows.span(), "name-taken", message, "keep one of the two");
        }
    }
}
