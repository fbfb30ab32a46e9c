//! Volumes, folders and a few documents.

use serde_json::json;

use super::super::state::{ADMIN, NewNode, NewVersion, NodeId, Permission, State, kind};
use super::people::{CLAIMS_TEAM, PEOPLE_TEAM, RECORDS_TEAM, SUPPLIER_TEAM};
use super::{
    ARCHIVE, CATEGORIES, CLAIM_EVIDENCE, CLAIMS, CLASSIFICATIONS, ENTERPRISE, FLOOD_HOLD, INTEGRATIONS, MAPS,
    ONBOARDING, RECORDS, SUPPLIERS, TEMPLATES, WORKFLOWS, WORKSPACES, filers, grant, put, readers,
};
use crate::content::Blob;

pub(super) fn plant(state: &mut State) {
    for (id, name, kind) in [
        (ENTERPRISE, "Enterprise", kind::ENTERPRISE),
        (CATEGORIES, "Content Server Categories", kind::CATEGORIES_VOLUME),
        (CLASSIFICATIONS, "Classifications", kind::CLASSIFICATIONS_VOLUME),
        (RECORDS, "Records Management", kind::RECORDS_VOLUME),
        (WORKSPACES, "Business Workspaces", kind::WORKSPACES_VOLUME),
        (TEMPLATES, "Content Server Document Templates", kind::TEMPLATES_VOLUME),
        (2007, "Recycle Bin", kind::RECYCLE_BIN),
        (WORKFLOWS, "Workflow Volume", 190),
        (2009, "Transport Warehouse", 525),
    ] {
        put(state, id, -1, name, kind);
    }
    for (id, name, team) in [
        (CLAIMS, "Claims", Some(CLAIMS_TEAM)),
        (SUPPLIERS, "Suppliers", Some(SUPPLIER_TEAM)),
        (ONBOARDING, "Onboarding", Some(PEOPLE_TEAM)),
        (ARCHIVE, "Digitised Archive", Some(RECORDS_TEAM)),
        (3005, "Quarantine", Some(RECORDS_TEAM)),
        (MAPS, "Workflow Maps", None),
        (3007, "Board Minutes", None),
        (3008, "Reports", None),
    ] {
        put(state, id, ENTERPRISE, name, kind::FOLDER);
        if let Some(team) = team {
            grant(state, id, team, Permission::ALL.into_iter().collect());
            grant(state, id, INTEGRATIONS, filers());
            if let Some(node) = state.nodes.get_mut(&id) {
                node.permissions.public = None;
            }
        }
    }
    // Attachments of workflows are put there by whoever starts one.
    grant(state, WORKFLOWS, INTEGRATIONS, readers());
    if let Some(minutes) = state.nodes.get_mut(&3007) {
        minutes.permissions.public = None;
        minutes.permissions.custom.clear();
    }
    for (id, parent, name) in [
        (3101, CLAIMS, "Incoming"),
        (3102, CLAIMS, "Guidelines"),
        (3201, SUPPLIERS, "Submissions"),
        (3301, ONBOARDING, "Candidates"),
        (3401, ARCHIVE, "Maps and Plans"),
        (3402, ARCHIVE, "Registers"),
        (3403, ARCHIVE, "Photographs"),
    ] {
        put(state, id, parent, name, kind::FOLDER);
    }
    put(state, 3801, 3008, "Changes since", kind::WEB_REPORT);
    if let Some(report) = state.nodes.get_mut(&3801) {
        report.nickname = Some("changes_since".to_owned());
    }
    state.web_reports.insert("changes_since".to_owned(), json!({"changes": []}));
}

fn document(state: &mut State, parent: NodeId, name: &str, mime_type: &str, text: &str) -> Option<NodeId> {
    let version = NewVersion::of(name, mime_type, Blob::of(text.as_bytes().to_vec()));
    let new = NewNode {
        kind: kind::DOCUMENT,
        parent_id: parent,
        name: name.to_owned(),
        version: Some(version),
        ..NewNode::default()
    };
    state.create(ADMIN, new).ok()
}

/// Documents that are there from the start.
pub(super) fn plant_documents(state: &mut State) {
    document(
        state,
        3102,
        "Evidence guideline.txt",
        "text/plain",
        "What counts as evidence, and how it is filed.\n",
    );
    document(state, 3102, "Loss adjusters.csv", "text/csv", "region,office\nnorth,1\nsouth,2\n");
    document(state, 3402, "Register 1887.txt", "text/plain", "Transcript of the register of 1887.\n");
    document(state, 3007, "Minutes.txt", "text/plain", "Nobody but the board reads this.\n");
    let evidence = state.at("Claims/CLM-100117 Water damage/Evidence").map(|node| node.id);
    let Some(evidence) = evidence else { return };
    let Some(letter) = document(state, evidence, "First notice.txt", "text/plain", "Water in the cellar.\n")
    else {
        return;
    };
    let values = json!({"2": "100117", "3": "Correspondence", "6": 12500, "7": false});
    if let Some(values) = values.as_object() {
        let filed = state.add_category(ADMIN, letter, CLAIM_EVIDENCE, values);
        debug_assert_eq!(filed, Ok(()));
    }
    let held = state.apply_hold(ADMIN, letter, FLOOD_HOLD);
    debug_assert_eq!(held, Ok(()));
}
