//! `archive-closed-files`: cases of Content Server, and their bags with their locks.

use s3_content_server::ARCHIVE_CLOSED_FILES;
use serde_json::json;
use shared::{
    node_change::NodeChange,
    reconcile::{Action, Kind, Options},
};
use simulators::content_server::{
    Blob, seed,
    state::{ADMIN, NewNode, NewVersion, kind, records::RecordChanges},
};
use tests::storm::{ARCHIVE, Scenario, World};

use crate::side::{Compared, repairing, run};

fn rules(lines: &str) -> &'static str {
    format!(
        r#"
[archive]
category = "Categories:Integration/Archive"
location = "Location"
revision = "Revision"
state = "State"
manifest_sha256 = "Manifest SHA-256"
retain_until = "Retain Until"
legal_hold = "Legal Hold"

[[rule]]
name = "closed-claims"
within = "Enterprise:Claims"
closed = {{ category = "Categories:Business/Case File", attribute = "Status", values = ["Closed"] }}
bucket = "archive"
prefix = "kept/"
{lines}
[rule.retention]
schedules = {{ "CLM-FILES-10Y" = "10 years", "SUP-CONTRACTS-6Y" = "20 years" }}
default = "1 year"
"#
    )
    .leak()
}

const NAMES: [&str; 3] = ["A", "B", "C"];

/// Three closed cases of a folder with a record of two versions each.
fn cases(world: &World) {
    world.content_server.with_state(|state| {
        for name in NAMES {
            let new = |parent_id, name: &str, kind| NewNode {
                kind,
                parent_id,
                name: name.to_owned(),
                ..NewNode::default()
            };
            let case = state.create(seed::WAYBILL, new(seed::CLAIMS, name, kind::FOLDER)).expect("a case");
            let folder = state.create(seed::WAYBILL, new(case, "Letters", kind::FOLDER)).expect("a folder");
            let version = |number: u32| {
                let text = format!("{name}, version {number}");
                NewVersion::of("Letter.txt", "text/plain", Blob::of(text.into_bytes()))
            };
            let letter = NewNode {
                version: Some(version(1)),
                ..new(folder, &format!("Letter {name}"), kind::DOCUMENT)
            };
            let letter = state.create(seed::WAYBILL, letter).expect("a letter");
            state.add_version(seed::WAYBILL, letter, version(2)).expect("a version");
            state
                .classify_record(ADMIN, letter, seed::CLAIM_FILES, RecordChanges::default())
                .expect("a record");
            let values = json!({"2": "Closed"});
            state
                .add_category(ADMIN, case, seed::CASE_FILE, values.as_object().expect("values"))
                .expect("a category");
        }
    });
}

fn at(world: &World, path: &str) -> i64 {
    world.content_server.with_state(|state| state.at(&format!("Claims/{path}")).expect("it").id)
}

fn letter(world: &World, name: &str) -> i64 {
    at(world, &format!("{name}/Letters/Letter {name}"))
}

fn change(world: &World, node: i64, request: Option<&str>) -> String {
    let change = NodeChange::about(node, request, "");
    change.envelope("watch-content-server", "archive-closed-files", &world.context).expect("an envelope")
}

/// The changes of all cases but the last.
fn changed(world: &World) -> Vec<String> {
    ["A", "B"].map(|name| change(world, at(world, name), None)).into()
}

fn story(lines: &str) -> Scenario {
    Scenario::of_messages("cases", &ARCHIVE_CLOSED_FILES, rules(lines), cases, changed, (2, 0, 0))
}

/// All three cases are archived.
fn whole(lines: &str) -> Scenario {
    let all = |world: &World| NAMES.map(|name| change(world, at(world, name), None)).into();
    Scenario { messages: all, clean: (3, 0, 0), ..story(lines) }
}

fn set_hold(world: &World, node: i64, on: bool) {
    world.content_server.with_state(|state| {
        let done = match on {
            true => state.apply_hold(ADMIN, node, seed::FLOOD_HOLD),
            false => state.remove_hold(ADMIN, node, seed::FLOOD_HOLD),
        };
        done.map(drop).expect("a hold");
    });
}

fn set_schedule(world: &World, node: i64, code: &str) {
    world.content_server.with_state(|state| {
        let changes = RecordChanges { rsi: Some(code.to_owned()), ..RecordChanges::default() };
        state.edit_record(ADMIN, node, changes).expect("another schedule");
    });
}

fn keys(world: &World, part: &str) -> Vec<String> {
    let objects = world.aws.s3().versions(ARCHIVE).into_iter();
    objects.filter(|object| object.key.contains(part)).map(|object| object.key).collect()
}

async fn put(world: &World, key: &str) {
    let put = world.s3.put_object().bucket(ARCHIVE).key(key);
    put.body(b"a stranger".to_vec().into()).send().await.expect("put");
}

#[test]
fn what_was_archived_agrees_in_any_class_and_whatever_became_of_old_versions() {
    for lines in ["", "storage_class = \"GLACIER\"", "after = \"purge-old-versions\""] {
        run(async {
            let compared = Compared::after(whole(lines)).await;
            let said = compared.compare(Options::default()).await;
            assert_eq!(said.found(), [], "{lines}");
            assert_eq!(said.counts().equal, 3, "{lines}: {:?}", said.counts());
            let deep = compared.compare(Options { deep: true, ..Options::default() }).await;
            assert_eq!(deep.found(), [], "{lines}");
        });
    }
}

#[test]
fn a_case_nobody_told_of_and_locks_that_lag_behind_are_found_and_put_right() {
    run(async {
        let compared = Compared::after(story("")).await;
        let world = &compared.world;
        set_hold(world, letter(world, "A"), true);
        set_schedule(world, letter(world, "B"), "SUP-CONTRACTS-6Y");
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        let found = |kind, name: &str| (kind, name.to_owned());
        let all = [found(Kind::Missing, "C"), found(Kind::Different, "A"), found(Kind::Different, "B")];
        assert_eq!(said.found(), all);
        let differences = |name: &str| {
            let finding = said.finding(name);
            finding.differences.iter().map(|one| (one.source.clone(), one.target.clone())).collect::<Vec<_>>()
        };
        let held = "legal hold on, retained until 2041-05-07T00:00:00Z";
        let free = "legal hold off, retained until 2041-05-07T00:00:00Z";
        assert_eq!(differences("A"), [(held.to_owned(), free.to_owned())]);
        let longer = "legal hold off, retained until 2051-05-07T00:00:00Z";
        assert_eq!(differences("B"), [(longer.to_owned(), free.to_owned())]);
        assert_eq!(said.counts().queued, 3);
        compared.work().await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
        // The hold is lifted, and the record gets its old schedule back: nothing is shortened.
        set_hold(world, letter(world, "A"), false);
        set_schedule(world, letter(world, "B"), "CLM-FILES-10Y");
        compared.hours(24).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [found(Kind::Different, "A")], "longer than it has to be is no difference");
        compared.work().await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
    });
}

#[test]
fn a_case_that_changed_since_gets_another_bag_and_the_earlier_one_is_accounted_for() {
    run(async {
        let compared = Compared::after(whole("")).await;
        let world = &compared.world;
        world.content_server.with_state(|state| {
            let letter = state.at("Claims/A/Letters/Letter A").expect("the letter").id;
            let version = NewVersion::of("Letter.txt", "text/plain", Blob::of(b"A, version 3".to_vec()));
            state.add_version(ADMIN, letter, version).expect("a version");
        });
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Different, "A".to_owned())]);
        assert_eq!(said.finding("A").differences[0].what, "version");
        compared.work().await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), []);
        assert_eq!((said.counts().equal, said.counts().accounted), (3, 1));
    });
}

#[test]
fn damaged_strange_and_orphaned_bags_are_found_and_nothing_is_deleted() {
    run(async {
        let compared = Compared::after(whole("")).await;
        let world = &compared.world;
        let (a, b, c) = (at(world, "A"), at(world, "B"), at(world, "C"));
        // Object Lock keeps versions, and does not keep anybody from putting something over them.
        let lost = keys(world, &format!("kept/{a}/")).into_iter().find(|key| key.contains("/data/"));
        let lost = lost.expect("a letter");
        world.s3.delete_object().bucket(ARCHIVE).key(&lost).send().await.expect("a delete marker");
        let changed = keys(world, &format!("kept/{b}/")).into_iter().find(|key| key.contains("/data/"));
        put(world, &changed.expect("a letter")).await;
        world.content_server.with_state(|state| state.delete(ADMIN, c)).expect("deleted");
        put(world, "kept/notes.txt").await;
        put(world, &format!("kept/{a}/0123456789abcdef/data/stray.txt")).await;
        compared.hours(3).await;
        let before = world.aws.s3().versions(ARCHIVE).len();
        let said = compared.compare(repairing()).await;
        let found = |kind, name: &str| (kind, name.to_owned());
        assert_eq!(
            said.found(),
            [
                found(Kind::Different, "A"),
                found(Kind::Different, "B"),
                found(Kind::Extra, "A"),
                found(Kind::Extra, "bag-info.txt"),
                found(Kind::Extra, "notes.txt"),
            ]
        );
        assert!(said.report.findings.iter().all(|finding| finding.repair.action == Action::Person));
        assert_eq!(said.counts().queued, 0);
        assert_eq!(world.aws.s3().versions(ARCHIVE).len(), before);
    });
}

#[test]
fn a_bag_that_is_gone_is_missing_and_one_that_went_back_into_its_archive_is_said_to_be_there() {
    run(async {
        let compared = Compared::after(whole("storage_class = \"GLACIER\"")).await;
        let world = &compared.world;
        world.send(&change(world, at(world, "A"), Some("retrieve"))).await;
        compared.work().await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), []);
        let gone = keys(world, &format!("kept/{}/", at(world, "B")));
        for key in gone {
            world.s3.delete_object().bucket(ARCHIVE).key(key).send().await.expect("a delete marker");
        }
        compared.hours(8 * 24).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Missing, "B".to_owned()), (Kind::Different, "A".to_owned())]);
        assert_eq!(said.finding("B").repair.action, Action::Person);
        assert!(said.finding("A").differences[0].source.ends_with(", available"));
        assert_eq!(said.counts().queued, 1);
        compared.work().await;
        let state = world.content_server.with_state(|state| {
            let case = state.at("Claims/A").expect("the case").id;
            state.value_of(case, "Archive", "State").cloned()
        });
        assert_eq!(state, Some(json!("archived")));
        assert_eq!(compared.compare(Options::default()).await.found(), [(Kind::Missing, "B".to_owned())]);
    });
}
