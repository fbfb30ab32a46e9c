use serde_json::json;

use super::super::seed;
use super::super::settings::{Dependencies, Settings};
use super::super::state::{NewVersion, Permission};
use super::Caller;

#[tokio::test]
async fn who_may_not_see_an_item_cannot_tell_it_from_a_missing_one() {
    let caller = Caller::named(Settings::default(), "waybill");
    let hidden = caller.get("v2/nodes/3007").await;
    let missing = caller.get("v2/nodes/999999").await;
    assert_eq!((hidden.status, hidden.json), (missing.status, missing.json));
    let listed = caller.get("v2/nodes/2000/nodes?where_name=Board%20Minutes").await;
    assert_eq!(listed.json["results"], json!([]));
    assert_eq!(caller.get("v2/nodes/3007/nodes").await.json["error"], "Could not get a node for 3007");
}

#[tokio::test]
async fn each_verb_needs_its_right() {
    let auditor = Caller::named(Settings::default(), "auditor");
    let admin = auditor.is("admin");
    let id = admin.document(3101, "memo.txt", b"x").await;
    let give = |rights: serde_json::Value| {
        let (admin, path) = (&admin, format!("v2/nodes/{id}/permissions/custom/1207"));
        async move { assert_eq!(admin.send_body("PUT", &path, &json!({"permissions": rights})).await.status, 200) }
    };
    let path = format!("v2/nodes/{id}");
    give(json!(["see"])).await;
    assert_eq!(auditor.get(&path).await.status, 200);
    assert_eq!(auditor.get(&format!("{path}/content")).await.status, 500);
    give(json!(["see", "see_contents"])).await;
    assert_eq!(auditor.get(&format!("{path}/content")).await.status, 200);
    assert_eq!(auditor.send_body("PUT", &path, &json!({"name": "n.txt"})).await.status, 500);
    give(json!(["modify"])).await;
    assert_eq!(auditor.send_body("PUT", &path, &json!({"name": "n.txt"})).await.status, 200);
    let category = [("category_id", "4104")];
    assert_eq!(auditor.call("POST", &format!("{path}/categories"), &category).await.status, 500);
    give(json!(["edit_attributes"])).await;
    assert_eq!(auditor.call("POST", &format!("{path}/categories"), &category).await.status, 200);
    let mine = json!({"permissions": ["delete"], "right_id": 1207});
    let refused = auditor.send_body("POST", &format!("{path}/permissions/custom"), &mine).await;
    assert_eq!(refused.json["error"], "Insufficient permissions to perform that action");
    assert_eq!(auditor.call("DELETE", &path, &[]).await.status, 500);
    give(json!(["delete"])).await;
    assert_eq!(auditor.call("DELETE", &path, &[]).await.status, 200);
}

#[tokio::test]
async fn rights_that_need_others_bring_them_or_are_refused() {
    let caller = Caller::new(Settings::default());
    let grant = json!({"permissions": ["add_items"], "right_id": 1207});
    assert_eq!(caller.send_body("POST", "v2/nodes/3007/permissions/custom", &grant).await.status, 200);
    caller.simulator.with_state(|state| {
        let rights = &state.nodes[&3007].permissions.custom[&1207];
        assert!(rights.contains(&Permission::See) && rights.contains(&Permission::Modify));
    });
    caller.switch(|settings| settings.permission_dependencies = Dependencies::Reject);
    assert_eq!(caller.send_body("POST", "v2/nodes/3007/permissions/custom", &grant).await.status, 400);
}

#[tokio::test]
async fn rights_apply_to_the_item_to_what_is_inside_or_to_both() {
    let caller = Caller::new(Settings::default());
    let inside = caller.document(3101, "memo.txt", b"x").await;
    let has = |id: i64, member: i64| {
        caller.simulator.with_state(|state| state.nodes[&id].permissions.custom.contains_key(&member))
    };
    for (apply_to, member, item, sub_item) in
        [(0, 1201, true, false), (1, 1202, false, true), (2, 1203, true, true)]
    {
        let grant = json!({"permissions": ["see"], "right_id": member, "apply_to": apply_to});
        assert_eq!(caller.send_body("POST", "v2/nodes/3101/permissions/custom", &grant).await.status, 200);
        assert_eq!((has(3101, member), has(inside, member)), (item, sub_item), "apply_to {apply_to}");
    }
    let grant = json!({"permissions": ["see"], "right_id": 1204, "apply_to": 2});
    assert_eq!(
        caller.send_body("POST", &format!("v2/nodes/{inside}/permissions/custom"), &grant).await.status,
        400
    );
}

#[tokio::test]
async fn holds_and_official_records_forbid_what_the_switches_say() {
    let caller = Caller::new(Settings::default());
    let id = caller.document(3101, "memo.txt", b"x").await;
    let path = format!("v2/nodes/{id}");
    assert_eq!(caller.call("POST", "v1/nodes/3101/holds", &[("hold_id", "8001")]).await.status, 200);
    let file = ("file", "memo.txt", "text/plain", &b"new"[..]);
    let refused = caller.upload(&format!("{path}/versions"), &[], file).await;
    assert_eq!(
        refused.json["error"],
        "The operation is not allowed: the item is on hold 'Flood 2030 litigation'"
    );
    assert_eq!(caller.call("DELETE", &path, &[]).await.status, 500);
    caller.switch(|settings| {
        settings.record_rules.hold_blocks_version = false;
        settings.record_rules.status = 403;
    });
    assert_eq!(caller.upload(&format!("{path}/versions"), &[], file).await.status, 200);
    assert_eq!(caller.call("DELETE", "v2/nodes/3101", &[]).await.status, 403);
    assert_eq!(caller.call("DELETE", "v1/nodes/3101/holds/8001", &[]).await.status, 200);
    assert_eq!(caller.call("DELETE", &path, &[]).await.status, 200);
}

#[test]
fn a_member_of_a_role_may_work_in_its_workspace() {
    let caller = Caller::new(Settings::default());
    caller.simulator.with_state(|state| {
        let evidence = state.at("Suppliers/0000200451 Northern Glazing/Certificates").unwrap().id;
        let file = |name: &str| super::super::state::NewNode {
            kind: 144,
            parent_id: evidence,
            name: name.to_owned(),
            version: Some(NewVersion::of(name, "text/plain", super::super::Blob::of("x"))),
            ..Default::default()
        };
        let handler = state.member_by_name("claims.handler").unwrap().id;
        assert!(state.create(handler, file("a.txt")).is_err());
        let workspace = state.at("Suppliers/0000200451 Northern Glazing").unwrap();
        let role = workspace.workspace.as_ref().unwrap().roles[1].member;
        let id = workspace.id;
        state.set_role_member(1000, id, role, handler, true).unwrap();
        assert!(state.create(handler, file("a.txt")).is_ok());
        assert!(state.may(seed::WAYBILL, &state.nodes[&evidence], Permission::AddItems));
    });
}
