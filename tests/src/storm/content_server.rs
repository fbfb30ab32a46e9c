//! What is in a Content Server, as it can be compared between runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use simulators::content_server;

use super::made::Made;

/// What is there beside the nodes that were there before, ids and times left out, in a stable order.
pub(super) fn made_in(content_server: &content_server::Simulator, seeded: &BTreeSet<i64>) -> Made {
    content_server.with_state(|state| {
        let mut made = Made::default();
        for node in state.nodes.values().filter(|node| !seeded.contains(&node.id)) {
            let path = state.path_of(node.id);
            // Folders of attachments are numbered; what matters is which workflows there are.
            if path.starts_with("Workflow Volume/") {
                continue;
            }
            let kind = content_server::state::node::kind_name(node.kind);
            let mut line = format!("{path} ({kind})");
            for version in &node.versions {
                made.versions.push((path.clone(), version.content.sha256.clone()));
            }
            if let Some(latest) = node.latest() {
                let _ = write!(line, "\n  content {} {}", latest.content.size, latest.content.sha256);
            }
            for (category, assigned) in &node.categories {
                let name = state.nodes.get(category).map_or("?", |node| node.name.as_str());
                let values = serde_json::to_string(&assigned.values).unwrap_or_default();
                let _ = write!(line, "\n  {name}: {values}");
            }
            if let Some(record) = &node.record {
                let _ = write!(line, "\n  record of class {}", record.class);
            }
            // By name: a workspace's roles are members of its own, whose ids follow from who came first.
            let name = |id| state.members.get(id).map_or("?", |member| member.name.as_str());
            let rights: BTreeMap<&str, _> =
                node.permissions.custom.iter().map(|(id, rights)| (name(id), rights)).collect();
            let rights = serde_json::to_string(&rights).unwrap_or_default();
            let _ = write!(line, "\n  rights {rights}");
            made.lines.insert(line);
        }
        for process in state.processes.values() {
            made.workflows.push(process.title.clone());
        }
        made.versions.sort();
        made.workflows.sort();
        made
    })
}
