//! Open questions: what an edit does besides, and what forbids one.

use jiff::SignedDuration;
use serde_json::json;

use super::super::Settings;
use super::super::seed::{CLAIM_EVIDENCE, DIGITISED_ITEM, FLOOD_HOLD};
use super::{Caller, Flip};

/// Modify date and number of versions of an item.
fn looks(caller: &Caller, id: i64) -> (String, usize) {
    caller.simulator.with_state(|state| {
        let node = &state.nodes[&id];
        (node.modified.to_string(), node.versions.len())
    })
}

#[tokio::test]
async fn an_edit_of_a_category_or_of_rights_moves_the_date_or_adds_a_version_as_switched() {
    // After an edit of a category, and after one of rights: whether the date moved, and how many versions there are.
    type Besides = [(bool, usize); 2];
    let edits: [(&str, Flip, Besides); 4] = [
        ("nothing", |_| (), [(false, 1), (false, 1)]),
        (
            "category date",
            |settings| settings.category_edit_moves_modify_date = true,
            [(true, 1), (false, 1)],
        ),
        ("category version", |settings| settings.category_edit_adds_version = true, [(true, 2), (false, 2)]),
        (
            "rights date",
            |settings| settings.permission_edit_moves_modify_date = true,
            [(false, 1), (true, 1)],
        ),
    ];
    for (name, switch, [by_category, by_rights]) in edits {
        let caller = Caller::new(Settings::default());
        caller.switch(switch);
        let id = caller.document(3101, "memo.txt", b"x").await;
        let mut before = looks(&caller, id);
        for (step, (moves, versions)) in [by_category, by_rights].into_iter().enumerate() {
            caller.simulator.clock().advance(SignedDuration::from_secs(5));
            let answer = if step == 0 {
                let form = [("category_id", "4104"), ("4104_2", "S 1")];
                caller.call("POST", &format!("v2/nodes/{id}/categories"), &form).await
            } else {
                let grant = json!({"permissions": ["see"], "right_id": 1207});
                caller.send_body("POST", &format!("v2/nodes/{id}/permissions/custom"), &grant).await
            };
            assert_eq!(answer.status, 200);
            let after = looks(&caller, id);
            assert_eq!((after.0 != before.0, after.1), (moves, versions), "{name}, step {step}");
            before = after;
        }
    }
}

#[tokio::test]
async fn a_move_keeps_the_items_rights_or_takes_those_of_its_new_place() {
    for takes in [false, true] {
        let caller =
            Caller::new(Settings { move_takes_destination_permissions: takes, ..Settings::default() });
        let id = caller.document(3101, "memo.txt", b"x").await;
        let rights =
            |id: i64| caller.simulator.with_state(|state| state.nodes[&id].permissions.custom.clone());
        let (own, theirs) = (rights(id), rights(3201));
        assert_ne!(own, theirs);
        let moved = caller.send_body("PUT", &format!("v2/nodes/{id}"), &json!({"parent_id": 3201})).await;
        assert_eq!(moved.status, 200);
        assert_eq!(rights(id), if takes { theirs } else { own });
    }
}

#[tokio::test]
async fn refusals_have_the_status_that_is_set() {
    for status in [400, 409, 423, 500] {
        let admin = Caller::new(Settings {
            reserved_status: status,
            missing_required_status: status,
            ..Settings::default()
        });
        let waybill = admin.is("waybill");
        let id = waybill.document(3101, "memo.txt", b"x").await;
        let path = format!("v2/nodes/{id}");
        let reserve = json!({"reserved_user_id": 1000});
        assert_eq!(admin.send_body("PUT", &path, &reserve).await.status, 200);
        let refused = waybill.send_body("PUT", &path, &json!({"name": "n.txt"})).await;
        assert_eq!(
            (refused.status, &refused.json["error"]),
            (status, &json!("The item is reserved by admin."))
        );
        let category = CLAIM_EVIDENCE.to_string();
        let refused = admin.call("POST", &format!("{path}/categories"), &[("category_id", &category)]).await;
        assert_eq!(refused.status, status);
        assert!(refused.json["error"].as_str().unwrap().contains("is required"));
    }
}

#[tokio::test]
async fn names_are_refused_for_the_characters_that_are_set() {
    let caller = Caller::new(Settings { forbidden_name_characters: "*?".to_owned(), ..Settings::default() });
    for (name, status) in [("a*b", 400), ("a?b", 400), ("a:b", 200), ("plain", 200)] {
        let folder = json!({"type": 0, "parent_id": 3101, "name": name});
        assert_eq!(caller.send_body("POST", "v2/nodes", &folder).await.status, status, "{name}");
    }
}

#[tokio::test]
async fn the_audit_is_everybodys_or_needs_a_right() {
    let caller = Caller::named(Settings::default(), "waybill");
    let path = "v2/nodes/3101/audit";
    assert_eq!(caller.get(path).await.status, 200);
    caller.switch(|settings| settings.audit_needs_right = true);
    let refused = caller.get(path).await;
    assert_eq!(
        (refused.status, &refused.json["error"]),
        (400, &json!("Could not process object, invalid action 'audit-list'"))
    );
    assert_eq!(caller.is("admin").get(path).await.status, 200);
}

#[tokio::test]
async fn each_rule_for_records_and_holds_forbids_its_own_write_and_no_other() {
    let rules: [(&str, Flip); 6] = [
        ("none", |_| ()),
        ("hold, delete", |settings| settings.record_rules.hold_blocks_delete = true),
        ("hold, version", |settings| settings.record_rules.hold_blocks_version = true),
        ("hold, edit", |settings| settings.record_rules.hold_blocks_edit = true),
        ("official, delete", |settings| settings.record_rules.official_blocks_delete = true),
        ("official, version", |settings| settings.record_rules.official_blocks_version = true),
    ];
    for (name, rule) in rules {
        for state_of in ["hold", "official"] {
            let caller = Caller::new(Settings::default());
            let id = caller.document(3101, "memo.txt", b"x").await;
            let path = format!("v2/nodes/{id}");
            let answer = if state_of == "hold" {
                let form = [("hold_id", FLOOD_HOLD.to_string())];
                caller.call("POST", &format!("v1/nodes/{id}/holds"), &[("hold_id", &form[0].1)]).await
            } else {
                let form = [("class_id", "7101"), ("official", "true")];
                caller.call("POST", &format!("v1/nodes/{id}/rmclassifications"), &form).await
            };
            assert_eq!(answer.status, 200);
            caller.switch(|settings| {
                let rules = &mut settings.record_rules;
                rules.hold_blocks_delete = false;
                rules.hold_blocks_version = false;
                rules.hold_blocks_edit = false;
                rules.official_blocks_delete = false;
                rules.official_blocks_version = false;
                rules.status = 403;
                rule(settings);
            });
            let category = [("category_id", DIGITISED_ITEM.to_string())];
            let category = [("category_id", category[0].1.as_str())];
            let file = ("file", "memo.txt", "text/plain", &b"new"[..]);
            for (verb, status) in [
                ("edit", caller.call("POST", &format!("{path}/categories"), &category).await.status),
                ("edit", caller.send_body("PUT", &path, &json!({"name": "n.txt"})).await.status),
                ("version", caller.upload(&format!("{path}/versions"), &[], file).await.status),
                ("delete", caller.call("DELETE", &path, &[]).await.status),
            ] {
                let forbidden = name == format!("{state_of}, {verb}");
                assert_eq!(status, if forbidden { 403 } else { 200 }, "{name}: {state_of}, {verb}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_deleted_goes_to_the_bin_or_is_gone() {
    for bin in [true, false] {
        let caller = Caller::new(Settings { recycle_bin: bin, ..Settings::default() });
        let id = caller.document(3101, "memo.txt", b"x").await;
        assert_eq!(caller.call("DELETE", &format!("v2/nodes/{id}"), &[]).await.status, 200);
        let listed = caller.get("v2/volumes/recyclebin/nodes").await;
        assert_eq!(listed.json["results"].as_array().is_some_and(|found| !found.is_empty()), bin);
    }
}

#[tokio::test]
async fn content_is_the_same_wherever_it_is_kept() {
    let bytes: Vec<u8> = (0..5000_u32).flat_map(u32::to_le_bytes).collect();
    for threshold in [0, 100, 1 << 20] {
        let caller = Caller::new(Settings {
            memory_threshold_bytes: threshold,
            range_requests: true,
            ..Settings::default()
        });
        let id = caller.document(3101, "memo.bin", &bytes).await;
        assert_eq!(caller.get(&format!("v1/nodes/{id}/content")).await.bytes, bytes, "{threshold}");
        let range = caller.request("GET", &format!("v1/nodes/{id}/content")).header("range", "bytes=150-249");
        let part = super::read(caller.send(range.body(axum::body::Body::empty()).unwrap()).await).await;
        assert_eq!(&part.bytes[..], &bytes[150..250], "{threshold}");
    }
    let caller = Caller::new(Settings { discard_content: true, ..Settings::default() });
    let id = caller.document(3101, "memo.bin", &bytes).await;
    let zeros = caller.get(&format!("v1/nodes/{id}/content")).await.bytes;
    assert_eq!((zeros.len(), zeros.iter().all(|byte| *byte == 0)), (bytes.len(), true));
}
