//! Workflow maps.

use super::super::state::workflows::{Disposition, Step};
use super::super::state::{MemberId, State, WorkflowMap, kind};
use super::people::{CLAIMS_REVIEWER, RECORDS_MANAGER, RECORDS_TEAM, SUPPLIER_MANAGER};
use super::{DISPOSITION_REVIEW, DOCUMENT_REVIEW, EVIDENCE_CHECK, MAPS, SUPPLIER_APPROVAL, put};

fn step(name: &str, assignee: MemberId, instructions: &str, dispositions: &[(&str, bool)]) -> Step {
    Step {
        name: name.to_owned(),
        assignee,
        instructions: instructions.to_owned(),
        dispositions: dispositions
            .iter()
            .map(|(key, ends)| Disposition { key: (*key).to_owned(), label: (*key).to_owned(), ends: *ends })
            .collect(),
    }
}

fn fields(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect()
}

pub(super) fn plant(state: &mut State) {
    let maps = [
        WorkflowMap {
            id: DOCUMENT_REVIEW,
            name: "Document Review".to_owned(),
            start_step_disabled: false,
            steps: vec![
                step(
                    "Review",
                    CLAIMS_REVIEWER,
                    "Read the attached documents.",
                    &[("Approve", false), ("Reject", true)],
                ),
                step("File", RECORDS_TEAM, "Declare the documents as records.", &[]),
            ],
            fields: fields(&[("WorkflowForm_10", "Reason"), ("WorkflowForm_11", "Priority")]),
            managers: Vec::new(),
        },
        WorkflowMap {
            id: SUPPLIER_APPROVAL,
            name: "Supplier Approval".to_owned(),
            start_step_disabled: false,
            steps: vec![step(
                "Approve Supplier",
                SUPPLIER_MANAGER,
                "Check certificate and declaration.",
                &[("Approve", false), ("Reject", true)],
            )],
            fields: fields(&[("WorkflowForm_10", "Supplier Number")]),
            managers: Vec::new(),
        },
        WorkflowMap {
            id: EVIDENCE_CHECK,
            name: "Claim Evidence Check".to_owned(),
            start_step_disabled: true,
            steps: vec![step("Check Evidence", CLAIMS_REVIEWER, "Is the evidence complete?", &[])],
            fields: Vec::new(),
            managers: Vec::new(),
        },
        WorkflowMap {
            id: DISPOSITION_REVIEW,
            name: "Disposition Review".to_owned(),
            start_step_disabled: false,
            steps: vec![step(
                "Decide",
                RECORDS_MANAGER,
                "Is it to be retained, archived or destroyed?",
                &[("Retain", true), ("Archive", true), ("Destroy", true)],
            )],
            fields: fields(&[("WorkflowForm_10", "Reason")]),
            managers: Vec::new(),
        },
    ];
    for map in maps {
        put(state, map.id, MAPS, &map.name, kind::WORKFLOW_MAP);
        state.workflow_maps.insert(map.id, map);
    }
}
