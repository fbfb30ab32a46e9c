//! Names that files give: of feeds, subscriptions and flows.

use std::collections::BTreeSet;

use super::{Diagnostics, Located};

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

/// Reports what is wrong with the flows that a thing of some kind, such as a `feed`, tells.
pub fn check_flows(kind: &str, flows: &Located<Vec<String>>, diagnostics: &mut Diagnostics) {
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
