//! A believable repository to start with: an insurer's claims, suppliers, onboarding and digitised archive.
//!
//! Everything can be found by name or path ([`State::at`], [`State::category_named`], [`State::member_by_name`],
//! [`State::workflow_named`], [`State::hold_named`]); what is most used also has a fixed number, a constant here.
//! Nobody in it is a real person: users are named after their roles. All log in with [`PASSWORD`].
//!
//! | what | where |
//! |---|---|
//! | volumes | Enterprise 2000, Categories 2002, Classifications 2003, Records Management 2004, … |
//! | folders | `Claims`, `Suppliers`, `Onboarding`, `Digitised Archive`, `Quarantine`, `Workflow Maps`, `Board Minutes` (hidden from all but the administrator) |
//! | categories | `Claim Evidence` (required: Claim Number), `Supplier Submission`, `Onboarding Document`, `Digitised Item`, `External Content`, `Document Approval`, `Publication`, `Review` |
//! | workspace types | `Claim` 16, `Supplier` 17, `Employee` 18, each with a template, roles and some workspaces |
//! | business objects | `CLAIMS`/`CLAIM`/`100117`…, `SAP`/`LFA1`/`0000200451`…, `HR`/`EMPLOYEE`/`300881`… |
//! | workflow maps | `Document Review`, `Supplier Approval`, `Claim Evidence Check` (starts in one call), `Disposition Review` |
//! | records | classes `CLM-FILES`, `SUP-CONTRACTS`, `HR-FILES`, `ARC-DIGITISED` with a schedule each; hold `Flood 2030 litigation` |
//! | service user | `waybill`: adds and edits below the business folders, deletes nothing it did not create |
//! | directory client | [`CLIENT_ID`] / [`CLIENT_SECRET`], acting as `waybill` |

mod categories;
mod folders;
mod people;
mod records;
mod workflows;
mod workspaces;

use jiff::Timestamp;

use super::settings::Settings;
use super::state::node::{Grant, Permissions};
use super::state::{ADMIN, MemberId, NodeId, Permission, Rights, State};

/// Password of every seeded user.
pub const PASSWORD: &str = "demo-password";
/// Login name of the service user.
pub const SERVICE_USER: &str = "waybill";
/// Directory client that acts as the service user.
pub const CLIENT_ID: &str = "waybill-client";
/// Secret of [`CLIENT_ID`].
pub const CLIENT_SECRET: &str = "demo-client-secret";

/// Enterprise volume.
pub const ENTERPRISE: NodeId = 2000;
/// Categories volume.
pub const CATEGORIES: NodeId = 2002;
/// Classifications volume.
pub const CLASSIFICATIONS: NodeId = 2003;
/// Records Management volume.
pub const RECORDS: NodeId = 2004;
/// Business Workspaces volume.
pub const WORKSPACES: NodeId = 2005;
/// Document Templates volume.
pub const TEMPLATES: NodeId = 2006;
/// Workflow volume: attachments of running workflows.
pub const WORKFLOWS: NodeId = 2008;
/// Folder `Claims`.
pub const CLAIMS: NodeId = 3001;
/// Folder `Suppliers`.
pub const SUPPLIERS: NodeId = 3002;
/// Folder `Onboarding`.
pub const ONBOARDING: NodeId = 3003;
/// Folder `Digitised Archive`.
pub const ARCHIVE: NodeId = 3004;
/// Folder `Workflow Maps`.
pub const MAPS: NodeId = 3006;
/// Category `Claim Evidence`.
pub const CLAIM_EVIDENCE: NodeId = 4101;
/// Category `Supplier Submission`.
pub const SUPPLIER_SUBMISSION: NodeId = 4102;
/// Category `Onboarding Document`.
pub const ONBOARDING_DOCUMENT: NodeId = 4103;
/// Category `Digitised Item`.
pub const DIGITISED_ITEM: NodeId = 4104;
/// Category `External Content`.
pub const EXTERNAL_CONTENT: NodeId = 4105;
/// Category `Document Approval`.
pub const DOCUMENT_APPROVAL: NodeId = 4111;
/// Category `Publication`.
pub const PUBLICATION: NodeId = 4112;
/// Category `Review`.
pub const REVIEW: NodeId = 4113;
/// Folder `Claims/Guidelines`.
pub const GUIDELINES: NodeId = 3102;
/// Category `Case File`.
pub const CASE_FILE: NodeId = 4121;
/// Category `Archive`.
pub const ARCHIVED: NodeId = 4122;
/// Workspace type `Claim`.
pub const CLAIM_TYPE: i64 = 16;
/// Workspace type `Supplier`.
pub const SUPPLIER_TYPE: i64 = 17;
/// Workspace type `Employee`.
pub const EMPLOYEE_TYPE: i64 = 18;
/// Map `Document Review`.
pub const DOCUMENT_REVIEW: NodeId = 6001;
/// Map `Supplier Approval`.
pub const SUPPLIER_APPROVAL: NodeId = 6002;
/// Map `Claim Evidence Check`.
pub const EVIDENCE_CHECK: NodeId = 6003;
/// Map `Disposition Review`.
pub const DISPOSITION_REVIEW: NodeId = 6004;
/// Class `CLM-FILES`.
pub const CLAIM_FILES: NodeId = 7101;
/// Classification `Confidential`.
pub const CONFIDENTIAL: NodeId = 7203;
/// Hold `Flood 2030 litigation`.
pub const FLOOD_HOLD: i64 = 8001;
/// The service user.
pub const WAYBILL: MemberId = 1300;
/// Group `Integrations`, to which the service user belongs.
pub const INTEGRATIONS: MemberId = 1105;

/// The seeded repository.
pub fn repository(settings: Settings, now: Timestamp) -> State {
    let mut state = State::new(settings, now);
    let first_free = std::mem::replace(&mut state.next_id, 10_001);
    people::plant(&mut state);
    folders::plant(&mut state);
    categories::plant(&mut state);
    workspaces::plant(&mut state);
    workflows::plant(&mut state);
    records::plant(&mut state);
    folders::plant_documents(&mut state);
    state.next_id = first_free;
    state.audit.clear();
    state
}

fn rights(list: &[Permission]) -> Rights {
    list.iter().flat_map(|right| right.needs().iter().copied().chain([*right])).collect()
}

/// Rights of those who read.
fn readers() -> Rights {
    rights(&[Permission::SeeContents])
}

/// Rights of those who file: everything but deleting and changing rights.
fn filers() -> Rights {
    use Permission::{AddItems, AddMajorVersion, EditAttributes, Reserve};
    rights(&[AddItems, EditAttributes, Reserve, AddMajorVersion])
}

/// The administrator's, readable by everybody.
fn open_to_all() -> Permissions {
    Permissions {
        owner: Some(Grant { right_id: ADMIN, rights: Permission::ALL.into_iter().collect() }),
        group: None,
        public: Some(readers()),
        custom: [(INTEGRATIONS, readers())].into(),
    }
}

/// Puts an item with a fixed number.
fn put(state: &mut State, id: NodeId, parent: NodeId, name: &str, kind: i64) {
    let mut node = state.blank(id, ADMIN, parent, name.to_owned(), kind);
    if parent == -1 {
        node.permissions = open_to_all();
    }
    state.insert(node);
}

/// Lets a member do more with an item than its container says.
fn grant(state: &mut State, id: NodeId, member: MemberId, rights: Rights) {
    if let Some(node) = state.nodes.get_mut(&id) {
        node.permissions.custom.insert(member, rights);
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::Refusal;
    use super::*;

    fn seeded() -> State {
        repository(Settings::default(), "2031-05-06T07:08:09Z".parse().unwrap())
    }

    #[test]
    fn the_documented_numbers_are_what_they_say() {
        let state = seeded();
        for (id, path) in [(CLAIMS, "Claims"), (SUPPLIERS, "Suppliers"), (ARCHIVE, "Digitised Archive")] {
            assert_eq!(state.at(path).map(|node| node.id), Some(id), "{path}");
        }
        assert_eq!(state.category_named("Claim Evidence").map(|one| one.id), Some(CLAIM_EVIDENCE));
        assert_eq!(state.workflow_named("Document Review").map(|one| one.id), Some(DOCUMENT_REVIEW));
        assert_eq!(state.hold_named("Flood 2030 litigation").map(|one| one.id), Some(FLOOD_HOLD));
        assert_eq!(state.member_by_name(SERVICE_USER).map(|one| one.id), Some(WAYBILL));
    }

    #[test]
    fn the_service_user_files_claims_but_sees_no_board_minutes() {
        let state = seeded();
        let claims = state.visible(WAYBILL, CLAIMS).unwrap();
        assert!(state.may(WAYBILL, claims, Permission::AddItems));
        assert!(!state.may(WAYBILL, claims, Permission::Delete));
        let minutes = state.at("Board Minutes").unwrap().id;
        assert_eq!(state.visible(WAYBILL, minutes).unwrap_err(), Refusal::NotAccessible);
    }

    #[test]
    fn two_repositories_are_alike_to_the_last_byte() {
        let json = |state: &State| serde_json::to_string(state).unwrap();
        assert_eq!(json(&seeded()), json(&seeded()));
    }
}
