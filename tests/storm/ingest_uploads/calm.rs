//! Stories with an end of their own: they go through no storm, as what happens meanwhile has to meet a certain moment, or
//! as what is there in the end is told to the letter.

use std::collections::BTreeMap;

use simulators::content_server::{
    seed,
    state::{ADMIN, CategoryDefinition, Member, NewNode},
};
use tests::{
    repository,
    storm::{Call, Drive, Fault, INTAKE, QUARANTINE, backwards, clean, drive},
};

use super::*;

fn story(objects: fn() -> Vec<StoredObject>, clean: (usize, usize, usize)) -> Scenario {
    Scenario::of("calm", &INGEST_UPLOADS, RULES, objects, clean)
}

/// The story of two uploads, between which something they need is deleted, and made anew under another id.
fn rebuilt(meanwhile: &'static [Meanwhile], first: fn() -> Vec<StoredObject>) -> Vec<String> {
    let story = Scenario { meanwhile, prepare: open_to_all, ..story(first, (2, 0, 0)) };
    let report = clean(&story);
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
    report.made.versions.iter().map(|(path, _)| path.clone()).collect()
}

async fn then_upload(world: &World, key: &str) {
    world.upload(&StoredObject::new(key, "application/pdf", pdf("second"))).await;
}

/// An upload that is damaged on its way: how often something was deleted for it, and why it was put aside. Held: a
/// hold is put on where it was filed, before it is read back. Content Server itself would let it go.
async fn damaged(held: bool) -> (usize, Vec<String>) {
    let story = story(one_upload, (1, 0, 0));
    let calm = clean_calls(&story).await;
    let at = |end: &str| calm.iter().rposition(|call| call.what.ends_with(end)).expect("the call is made");
    let world =
        World::new(&story, [(at("POST /otcs/cs.exe/api/v2/nodes"), Fault::FlipRequest)].into(), None, 1);
    let world = world.await;
    world.content_server.with_state(|state| state.settings.record_rules.hold_blocks_delete = false);
    if held {
        let server = world.content_server.clone();
        world.tap.before(at("/content"), move || {
            server.with_state(|state| {
                let folder = state.at("Claims/Storm").expect("the folder").id;
                state.apply_hold(ADMIN, folder, seed::FLOOD_HOLD).expect("a hold");
            });
        });
    }
    play(&world, &story).await;
    let calls = world.tap.calls();
    let objects = world.aws.s3().versions(QUARANTINE).into_iter();
    let reasons = objects.filter(|object| object.key.ends_with(".reason.json")).map(|object| {
        let told: serde_json::Value = serde_json::from_slice(&object.data).expect("JSON");
        told["reason"]["code"].as_str().unwrap_or_default().to_owned()
    });
    (calls.iter().filter(|call| call.what.starts_with("DELETE")).count(), reasons.collect())
}

async fn clean_calls(story: &Scenario) -> Vec<Call> {
    let world = World::new(story, BTreeMap::new(), None, 1).await;
    play(&world, story).await;
    world.tap.calls()
}

async fn play(world: &World, story: &Scenario) {
    for object in (story.objects)() {
        world.upload(&object).await;
    }
    assert!(drive(world, story.flow, Drive::default()).await, "the queue becomes quiet");
}

#[tokio::test(start_paused = true)]
async fn a_damaged_document_is_taken_back_unless_it_was_put_on_hold_meanwhile() {
    assert_eq!(damaged(false).await, (1, vec![]), "it goes, and the next attempt is good");
    assert_eq!(damaged(true).await, (0, vec!["verify.held".to_owned()]));
}

#[test]
fn a_folder_that_was_deleted_is_looked_for_again() {
    const DELETED: &[Meanwhile] = &[Meanwhile {
        after: Duration::from_secs(10),
        what: |world| {
            Box::pin(async move {
                delete(world, "Claims/Storm");
                then_upload(world, "claims/CL-100117/second.pdf").await;
            })
        },
    }];
    let filed = rebuilt(DELETED, one_upload);
    assert_eq!(filed, ["Enterprise/Claims/Storm/CL-100117/second.pdf"], "the first went with its folder");
}

#[test]
fn a_workspace_that_was_deleted_is_looked_for_again() {
    const DELETED: &[Meanwhile] = &[Meanwhile {
        after: Duration::from_secs(10),
        what: |world| {
            Box::pin(async move {
                delete(world, "Claims/CLM-990001");
                then_upload(world, "cases/990001/second.pdf").await;
            })
        },
    }];
    let filed = rebuilt(DELETED, || new_workspace().into_iter().take(1).collect());
    assert_eq!(filed, ["Enterprise/Claims/CLM-990001/Evidence/second.pdf"]);
}

#[test]
fn a_category_that_was_made_anew_is_looked_for_again() {
    const REMADE: &[Meanwhile] = &[Meanwhile {
        after: Duration::from_secs(10),
        what: |world| {
            Box::pin(async move {
                remake_category(world);
                then_upload(world, "claims/CL-100117/second.pdf").await;
            })
        },
    }];
    assert_eq!(rebuilt(REMADE, one_upload).len(), 2);
}

#[test]
fn a_group_that_was_made_anew_is_looked_for_again() {
    const REMADE: &[Meanwhile] = &[Meanwhile {
        after: Duration::from_secs(10),
        what: |world| {
            Box::pin(async move {
                remake_group(world);
                then_upload(world, "sealed/second.pdf").await;
            })
        },
    }];
    assert_eq!(rebuilt(REMADE, sealed).len(), 2);
}

fn delete(world: &World, path: &str) {
    world.content_server.with_state(|state| {
        let there = state.at(path).unwrap_or_else(|| panic!("{path} is not there")).id;
        state.delete(ADMIN, there).expect("deleted");
    });
}

fn remake_category(world: &World) {
    world.content_server.with_state(|state| {
        let before = state.nodes.get(&seed::CLAIM_EVIDENCE).cloned().expect("the category");
        state.delete(ADMIN, before.id).expect("deleted");
        let definition = state.categories.remove(&before.id).expect("its definition");
        let new = NewNode {
            kind: before.kind,
            parent_id: before.parent_id,
            name: before.name,
            ..NewNode::default()
        };
        let id = state.create(ADMIN, new).expect("a category");
        state.categories.insert(id, CategoryDefinition { id, ..definition });
    });
}

fn remake_group(world: &World) {
    world.content_server.with_state(|state| {
        let group = state.members.values().find(|member| member.name == "Supplier Management");
        let group = group.cloned().expect("the group");
        state.members.remove(&group.id);
        state.members.insert(1999, Member { id: 1999, ..group });
    });
}

#[test]
fn a_late_event_of_an_older_upload_is_delivered_when_the_newer_was_put_aside() {
    fn uploads() -> Vec<StoredObject> {
        vec![
            StoredObject::new("claims/CL-1/a.pdf", "application/pdf", pdf("good")),
            StoredObject::new("claims/CL-1/a.pdf", "application/pdf", Vec::new()),
        ]
    }
    let report = backwards(&story(uploads, (1, 0, 1)));
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
}

#[test]
fn a_late_event_of_an_older_upload_is_skipped_when_the_newer_was_delivered() {
    let report = backwards(&story(new_version, (1, 1, 0)));
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
}

/// What people find in the intake bucket: the newest object of each key.
async fn intake(world: &World) -> Vec<(String, Vec<u8>)> {
    let listed = world.s3.list_objects_v2().bucket(INTAKE).send().await.expect("listed");
    let mut there = Vec::new();
    for key in listed.contents().iter().filter_map(|object| object.key()) {
        let object = world.s3.get_object().bucket(INTAKE).key(key).send().await.expect("it is there");
        there.push((key.to_owned(), object.body.collect().await.expect("whole").to_vec()));
    }
    there
}

/// Uploads one after the other, each delivered before the next.
async fn upload_in_turn(world: &World, key: &str, contents: &[Vec<u8>]) {
    for content in contents {
        world.upload(&StoredObject::new(key, "application/pdf", content.clone())).await;
        assert!(drive(world, &INGEST_UPLOADS, Drive::default()).await, "the queue becomes quiet");
    }
}

pub(super) async fn world_of(scenario: &Scenario) -> World {
    World::new(scenario, BTreeMap::new(), None, 1).await
}

/// Name and versions of every document in a folder, by name.
pub(super) fn documents(world: &World, folder: &str) -> Vec<(String, Vec<Vec<u8>>)> {
    world.content_server.with_state(|state| {
        let folder = state.at(folder).expect("the folder").id;
        let bytes = |version: &simulators::content_server::state::Version| {
            version.content.bytes().expect("the content is kept").to_vec()
        };
        let children = state.children(folder).into_iter();
        children.map(|node| (node.name.clone(), node.versions.iter().map(bytes).collect())).collect()
    })
}

#[tokio::test(start_paused = true)]
async fn what_is_moved_lies_below_its_prefix_and_what_is_deleted_is_gone() {
    for versioned in [true, false] {
        let story = Scenario { versioned, ..story(moved_and_deleted, (2, 1, 0)) };
        let world = world_of(&story).await;
        play(&world, &story).await;
        assert_eq!(documents(&world, "Suppliers/Storm"), [("offer.pdf".to_owned(), vec![pdf("offer")])]);
        assert_eq!(documents(&world, "Suppliers/Twins"), [("terms.pdf".to_owned(), vec![pdf("terms")])]);
        assert_eq!(intake(&world).await, [("done/drops/offer.pdf".to_owned(), pdf("offer"))]);
        let kept: Vec<_> =
            world.aws.s3().versions(INTAKE).into_iter().map(|kept| (kept.key, kept.delete_marker)).collect();
        // Where versions are kept, what was deleted can be brought back.
        let here = |key: &str, marker| kept.contains(&(key.to_owned(), marker));
        assert_eq!(here("twins/a/terms.pdf", true), versioned, "{kept:?}");
        assert_eq!(here("twins/a/terms.pdf", false), versioned, "{kept:?}");
        assert_eq!(world.endings(), ["delivered", "delivered", "skipped event.own-work"]);
    }
}

/// What is put aside, or has nothing to add, leaves its source where it is.
#[tokio::test(start_paused = true)]
async fn what_is_not_delivered_is_neither_moved_nor_deleted() {
    let world = world_of(&story(Vec::new, (0, 0, 0))).await;
    upload_in_turn(&world, "twins/a/empty.pdf", &[Vec::new()]).await;
    upload_in_turn(&world, "drops/no.pdf", &[b"MZ\x90\0 a program".to_vec()]).await;
    let left: Vec<String> = intake(&world).await.into_iter().map(|(key, _)| key).collect();
    assert_eq!(left, ["drops/no.pdf", "twins/a/empty.pdf"]);
}

#[tokio::test(start_paused = true)]
async fn of_two_of_one_name_the_second_is_numbered_and_the_first_is_not_touched() {
    let world = world_of(&story(Vec::new, (0, 0, 0))).await;
    upload_in_turn(&world, "twins/a/terms.pdf", &[pdf("terms of a")]).await;
    let first = repository::at(&world.content_server, "Suppliers/Twins/terms.pdf");
    let before = serde_json::to_value(repository::node(&world.content_server, first)).expect("JSON");
    tokio::time::sleep(Duration::from_secs(60)).await;
    upload_in_turn(&world, "twins/b/terms.pdf", &[pdf("terms of b")]).await;
    let both = [
        ("terms (2).pdf".to_owned(), vec![pdf("terms of b")]),
        ("terms.pdf".to_owned(), vec![pdf("terms of a")]),
    ];
    assert_eq!(documents(&world, "Suppliers/Twins"), both);
    let after = serde_json::to_value(repository::node(&world.content_server, first)).expect("JSON");
    assert_eq!(after, before, "not even a date of it");
    // The same bytes are kept beside the others too.
    upload_in_turn(&world, "twins/c/terms.pdf", &[pdf("terms of a")]).await;
    let third = repository::at(&world.content_server, "Suppliers/Twins/terms (3).pdf");
    assert_eq!(repository::newest_bytes(&world.content_server, third), pdf("terms of a"));
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_again_are_a_version_or_nothing_as_the_rule_says() {
    let world = world_of(&story(Vec::new, (0, 0, 0))).await;
    let same = [pdf("same"), pdf("same")];
    upload_in_turn(&world, "claims/CL-1/report.pdf", &same).await;
    let versions = documents(&world, "Claims/Storm/CL-1");
    assert_eq!(versions, [("report.pdf".to_owned(), same.to_vec())], "new-version");
    assert_eq!(world.endings(), ["delivered", "delivered"]);

    upload_in_turn(&world, "drops/offer.pdf", &same).await;
    let once = documents(&world, "Suppliers/Storm");
    assert_eq!(once, [("offer.pdf".to_owned(), vec![pdf("same")])], "skip-if-same");
    let endings = ["delivered", "delivered", "delivered", "skipped document.same", "skipped event.own-work"];
    assert_eq!(world.endings(), endings);
}

#[tokio::test(start_paused = true)]
async fn a_document_has_the_class_the_review_and_the_rights_of_its_rule_and_no_others() {
    use Permission::{AddMajorVersion, EditAttributes, Modify, Reserve, See, SeeContents};
    let story = Scenario { rules: "", ..story(reviewed, (1, 0, 0)) };
    let world = world_of(&story).await;
    play(&world, &story).await;
    assert_eq!(world.endings(), ["delivered"]);
    let document = world.content_server.with_state(|state| {
        let filed = state.nodes.values().find(|node| node.name == "front door.pdf").expect("the document");
        assert!(state.path_of(filed.id).ends_with("CLM-100117 Water damage/Evidence/front door.pdf"));
        filed.clone()
    });
    assert_eq!(document.record.as_ref().map(|record| record.class), Some(seed::CLAIM_FILES));
    assert_eq!(document.permissions.public.iter().flatten().count(), 0, "nothing for everybody");
    world.content_server.with_state(|state| {
        let reviews: Vec<_> = state.processes.values().collect();
        let [review] = reviews.as_slice() else { panic!("one review: {reviews:?}") };
        assert_eq!(state.workflow_maps[&review.map].name, "Document Review");
        assert!(review.title.starts_with("Evidence for claim 100117: front door.pdf ["), "{}", review.title);
        assert_eq!(review.documents, [document.id], "the document is attached");
        let said = |field: &str| review.values.get(field).and_then(|value| value.as_str());
        assert_eq!(said("WorkflowForm_10"), Some("New evidence was uploaded"), "its reason");
        assert_eq!(said("WorkflowForm_11"), Some("High"), "its priority, as the tag says");
    });
    world.content_server.with_state(|state| {
        let given = |name: &str| {
            let group = state.member_by_name(name).expect("the group").id;
            document.permissions.custom.get(&group).cloned().unwrap_or_default()
        };
        let claims = [See, SeeContents, Modify, EditAttributes, Reserve, AddMajorVersion];
        assert_eq!(given("Claims"), claims.into());
        assert_eq!(given("Records Managers"), [See, SeeContents].into());
        let of = |login: &str| {
            let user = state.member_by_name(login).expect("the user").id;
            state.effective_rights(user, &document)
        };
        assert!(!of("claims.handler").contains(&Permission::Delete), "{:?}", of("claims.handler"));
        assert_eq!(of("onboarding.officer"), [].into());
    });
}
