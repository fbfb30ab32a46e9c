//! Classifications, the records plan, schedules and a hold.

use serde_json::json;

use super::super::state::records::Stage;
use super::super::state::{Hold, RecordsSchedule, State, kind};
use super::{CLAIM_FILES, CLASSIFICATIONS, CONFIDENTIAL, FLOOD_HOLD, RECORDS, put};

pub(super) fn plant(state: &mut State) {
    put(state, 7200, CLASSIFICATIONS, "Sensitivity", kind::CLASSIFICATION_TREE);
    for (id, name) in [(7201, "Public"), (7202, "Internal"), (CONFIDENTIAL, "Confidential")] {
        put(state, id, 7200, name, kind::CLASSIFICATION);
    }
    let plan = [
        (CLAIM_FILES, "CLM-FILES", 7301, "Claim files", 10),
        (7102, "SUP-CONTRACTS", 7302, "Supplier contracts", 6),
        (7103, "HR-FILES", 7303, "Personnel files", 3),
        (7104, "ARC-DIGITISED", 7304, "Digitised archive", 0),
    ];
    put(state, 7100, RECORDS, "File Plan", kind::FOLDER);
    for (class, name, schedule, title, years) in plan {
        put(state, class, 7100, name, kind::RECORDS_CLASS);
        let rsi = format!("{name}-{years}Y");
        if let Some(node) = state.nodes.get_mut(&class) {
            node.system_attributes.insert("rsi".to_owned(), json!(rsi));
        }
        let event_type = if years == 0 { 5 } else { 1 };
        state.schedules.insert(
            schedule,
            RecordsSchedule {
                id: schedule,
                name: rsi,
                title: title.to_owned(),
                description: format!("{title}: {years} years after closing"),
                status: "ACTIVE".to_owned(),
                disposition: true,
                stages: vec![Stage { name: "Closed".to_owned(), event_type, years, action: 0 }],
            },
        );
    }
    let hold = Hold {
        id: FLOOD_HOLD,
        name: "Flood 2030 litigation".to_owned(),
        kind: "LEGAL".to_owned(),
        comment: "Keep everything about the flood of 2030.".to_owned(),
        alternate_id: "LIT-77".to_owned(),
        date_applied: "2030-11-02T00:00:00".to_owned(),
        date_to_remove: None,
        parent: None,
        active: true,
    };
    let created = state.create_hold(hold);
    debug_assert_eq!(created, Ok(FLOOD_HOLD));
}
