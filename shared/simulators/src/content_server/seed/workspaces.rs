//! Workspace types, templates and workspaces.

use super::super::state::workspaces::{NewWorkspace, Role, Workspace};
use super::super::state::{ADMIN, BusinessObject, Member, MemberId, NodeId, State, WorkspaceType, kind};
use super::people::{CLAIMS_REVIEWER, SUPPLIER_MANAGER};
use super::{
    CLAIM_TYPE, CLAIMS, EMPLOYEE_TYPE, ONBOARDING, SUPPLIER_TYPE, SUPPLIERS, TEMPLATES, WORKSPACES, put,
};

struct Plan {
    type_id: i64,
    name: &'static str,
    template: NodeId,
    location: NodeId,
    folders: &'static [&'static str],
    roles: &'static [(&'static str, Option<MemberId>)],
    system: (&'static str, &'static str),
    workspaces: &'static [(&'static str, &'static str)],
}

const PLANS: [Plan; 3] = [
    Plan {
        type_id: CLAIM_TYPE,
        name: "Claim",
        template: 5001,
        location: CLAIMS,
        folders: &["Correspondence", "Evidence", "Decisions"],
        roles: &[("Lead Handler", None), ("Reviewers", Some(CLAIMS_REVIEWER))],
        system: ("CLAIMS", "CLAIM"),
        workspaces: &[
            ("CLM-100117 Water damage", "100117"),
            ("CLM-100118 Hail damage", "100118"),
            ("CLM-100245 Fire in a warehouse", "100245"),
        ],
    },
    Plan {
        type_id: SUPPLIER_TYPE,
        name: "Supplier",
        template: 5002,
        location: SUPPLIERS,
        folders: &["Certificates", "Contracts", "Offers"],
        roles: &[("Buyer", None), ("Approvers", Some(SUPPLIER_MANAGER))],
        system: ("SAP", "LFA1"),
        workspaces: &[
            ("0000200451 Northern Glazing", "0000200451"),
            ("0000200777 Harbour Drying", "0000200777"),
        ],
    },
    Plan {
        type_id: EMPLOYEE_TYPE,
        name: "Employee",
        template: 5003,
        location: ONBOARDING,
        folders: &["Contract", "Certificates", "Payroll"],
        roles: &[("People Partner", None)],
        system: ("HR", "EMPLOYEE"),
        workspaces: &[("300881", "300881"), ("300882", "300882")],
    },
];

pub(super) fn plant(state: &mut State) {
    for (index, plan) in PLANS.iter().enumerate() {
        let index = i64::try_from(index).unwrap_or_default();
        put(state, 5101 + index, WORKSPACES, plan.name, kind::FOLDER);
        put(state, plan.template, TEMPLATES, &format!("{} (standard)", plan.name), kind::WORKSPACE);
        for (place, folder) in (1..).zip(plan.folders) {
            put(state, plan.template * 10 + place, plan.template, folder, kind::FOLDER);
        }
        let mut roles = Vec::new();
        for (place, (name, member)) in (1..).zip(plan.roles) {
            let id = 1400 + index * 10 + place;
            let members: Vec<MemberId> = member.iter().copied().collect();
            let role = Member { kind: 848, node: Some(plan.template), ..Member::group(id, name, &members) };
            state.members.insert(id, role);
            roles.push(Role { member: id, leader: place == 1 });
        }
        if let Some(template) = state.nodes.get_mut(&plan.template) {
            template.workspace = Some(Workspace { type_id: plan.type_id, roles, ..Workspace::default() });
        }
        let (system, object) = plan.system;
        state.workspace_types.insert(
            plan.type_id,
            WorkspaceType {
                id: plan.type_id,
                name: plan.name.to_owned(),
                config_node: 5101 + index,
                templates: vec![plan.template],
                location: plan.location,
                name_pattern: None,
                business_object_types: vec![(system.to_owned(), object.to_owned())],
            },
        );
        for (name, number) in plan.workspaces {
            let created = state.create_workspace(
                ADMIN,
                NewWorkspace {
                    template: plan.template,
                    type_id: Some(plan.type_id),
                    name: (*name).to_owned(),
                    reference: Some(BusinessObject::new(system, object, number)),
                    ..NewWorkspace::default()
                },
            );
            debug_assert!(created.is_ok(), "{created:?}");
        }
    }
}
