//! Users and groups.

use super::super::state::{ADMIN, Member, MemberId, State};
use super::{CLIENT_ID, CLIENT_SECRET, INTEGRATIONS, PASSWORD, WAYBILL};

pub(super) const DEFAULT_GROUP: MemberId = 1001;
pub(super) const CLAIMS_TEAM: MemberId = 1101;
pub(super) const SUPPLIER_TEAM: MemberId = 1102;
pub(super) const PEOPLE_TEAM: MemberId = 1103;
pub(super) const RECORDS_TEAM: MemberId = 1104;
pub(super) const CLAIMS_REVIEWER: MemberId = 1201;
pub(super) const SUPPLIER_MANAGER: MemberId = 1203;
pub(super) const RECORDS_MANAGER: MemberId = 1205;

pub(super) fn plant(state: &mut State) {
    let users = [
        (ADMIN, "admin", "System", "Administrator", DEFAULT_GROUP),
        (CLAIMS_REVIEWER, "claims.reviewer", "Claims", "Reviewer", CLAIMS_TEAM),
        (1202, "claims.handler", "Claims", "Handler", CLAIMS_TEAM),
        (SUPPLIER_MANAGER, "supplier.manager", "Supplier", "Manager", SUPPLIER_TEAM),
        (1204, "onboarding.officer", "Onboarding", "Officer", PEOPLE_TEAM),
        (RECORDS_MANAGER, "records.manager", "Records", "Manager", RECORDS_TEAM),
        (1206, "archive.clerk", "Archive", "Clerk", RECORDS_TEAM),
        (1207, "auditor", "Internal", "Auditor", DEFAULT_GROUP),
        (WAYBILL, "waybill", "Waybill", "Service", INTEGRATIONS),
    ];
    let groups = [
        (DEFAULT_GROUP, "DefaultGroup"),
        (CLAIMS_TEAM, "Claims"),
        (SUPPLIER_TEAM, "Supplier Management"),
        (PEOPLE_TEAM, "Human Resources"),
        (RECORDS_TEAM, "Records Managers"),
        (INTEGRATIONS, "Integrations"),
    ];
    for (id, name) in groups {
        let members: Vec<MemberId> = users.iter().filter(|user| user.4 == id).map(|user| user.0).collect();
        state.members.insert(id, Member::group(id, name, &members));
    }
    for (id, name, first, last, group) in users {
        let member = Member {
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            email: format!("{name}@insurer.example"),
            password: Some(PASSWORD.to_owned()),
            administrator: id == ADMIN,
            ..Member::user(id, name, group)
        };
        state.members.insert(id, member);
    }
    state.add_client(CLIENT_ID, CLIENT_SECRET, WAYBILL);
}
