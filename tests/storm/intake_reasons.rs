//! Why `ingest-uploads` puts an upload aside or passes it over, told by what it writes for people; and what it does when
//! it shall do nothing.

use std::collections::BTreeMap;

use s3_content_server::INGEST_UPLOADS;
use serde_json::Value;
use simulators::content_server::{
    Blob,
    state::{ADMIN, NewNode, NewVersion, kind},
};
use tests::{
    repository,
    storm::{Drive, INTAKE, Made, QUARANTINE, Scenario, StoredObject, World, drive},
};

/// A rule for the uploads below `in/`, with these further lines.
fn rule(lines: &str) -> &'static str {
    format!("[[rule]]\nname = \"inbox\"\nkey = \"in/{{name}}\"\n{lines}\n").leak()
}

/// The same, into the folder of the claims.
fn filed(lines: &str) -> &'static str {
    rule(&format!("target.folder = \"Enterprise:Claims/Incoming\"\n{lines}"))
}

/// The same, with a category of these lines.
fn described(lines: &str) -> &'static str {
    filed(&format!("[[rule.category]]\n{lines}"))
}

/// The same, into a business workspace of these words.
fn in_workspace(words: &str) -> &'static str {
    rule(&format!("target.workspace = {{ {words} }}"))
}

fn letter() -> StoredObject {
    StoredObject::new("in/letter.txt", "text/plain", "dear sirs")
}

fn one() -> Vec<StoredObject> {
    vec![letter()]
}

/// The letter with a sidecar of this text beside it.
fn with_sidecar(text: impl Into<bytes::Bytes>) -> Vec<StoredObject> {
    let sidecar = StoredObject::new("in/letter.txt.metadata.json", "application/json", text);
    vec![letter(), sidecar]
}

fn story(rules: &'static str) -> Scenario {
    Scenario::of("reasons", &INGEST_UPLOADS, rules, one, (0, 0, 1))
}

async fn played(story: &Scenario) -> World {
    let world = World::new(story, BTreeMap::new(), None, 1).await;
    play(&world, story).await;
    world
}

async fn play(world: &World, story: &Scenario) {
    for object in (story.objects)() {
        world.upload(&object).await;
    }
    assert!(drive(world, story.flow, Drive::default()).await, "the queue never becomes quiet");
}

/// The reason files in the quarantine bucket.
fn reasons(world: &World) -> Vec<Value> {
    let objects = world.aws.s3().versions(QUARANTINE).into_iter();
    let files = objects.filter(|object| object.key.ends_with(".reason.json"));
    files.map(|object| serde_json::from_slice(&object.data).unwrap()).collect()
}

/// What was there is as it was; the upload and its reason lie in quarantine, and the upload where it came from.
async fn is_put_aside_as(story: Scenario, code: &str) -> Value {
    let before = World::new(&story, BTreeMap::new(), None, 1).await.made().versions;
    let world = played(&story).await;
    let files = reasons(&world);
    let codes: Vec<&str> = files.iter().filter_map(|file| file["reason"]["code"].as_str()).collect();
    assert_eq!(codes, [code], "{files:?}");
    assert!(files[0]["reason"]["message"].is_string(), "{code} says nothing");
    assert!(files[0]["reason"]["remedy"].is_string(), "{code} has no remedy: {}", files[0]);
    assert_eq!(world.made().versions, before, "{code}: nothing of it stays in the target");
    let aside = world.aws.s3().versions(QUARANTINE);
    assert!(aside.iter().any(|object| object.data == "dear sirs"), "{code}: the upload is beside its reason");
    let source = world.aws.s3().versions(INTAKE).into_iter().find(|object| object.key == "in/letter.txt");
    let source = source.expect("the upload");
    assert!(!source.delete_marker, "{code}: the upload stays");
    assert_eq!(source.tags.get("waybill-state").map(String::as_str), Some("quarantined"), "{code}");
    files[0].clone()
}

#[tokio::test(start_paused = true)]
async fn what_the_rule_names_and_the_target_does_not_have_is_told() {
    let claim = |more: &str| format!("type = \"Claim\", name = \"CLM-7\"{more}");
    let given = "permissions = \"team\"\n[permission_templates.team]\nassigned = [{ group = \"Nobody Here\", rights = [\"see\"] }]";
    for (rules, code) in [
        (in_workspace("type = \"Voyage\", name = \"V-1\""), "content-server.no-workspace-type"),
        (in_workspace(&claim("")), "target.workspace-missing"),
        (in_workspace(&claim(", create = true, template = \"Voyage\"")), "target.template-missing"),
        (described("path = \"Business\"\nfields = []"), "content-server.no-category"),
        (filed(given), "content-server.no-member"),
        (filed("classification = \"File Plan/VOYAGES\""), "content-server.path-missing"),
    ] {
        is_put_aside_as(story(rules), code).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_set_that_the_category_does_not_have_is_told() {
    fn crewed() -> Vec<StoredObject> {
        with_sidecar(r#"{"crew": [{"name": "A. Smith"}]}"#)
    }
    let rules = filed(
        r#"sidecar = "required"

[[rule.category]]
path = "Business/Claim Evidence"
fields = [{ to = "Claim Number", value = "1" }]
rows = [{ to = "Crew", from = "sidecar.crew", fields = [{ to = "Name", from = "row.name" }] }]"#,
    );
    is_put_aside_as(Scenario { objects: crewed, ..story(rules) }, "content-server.set-unknown").await;
}

#[tokio::test(start_paused = true)]
async fn a_user_whom_nobody_knows_is_told_with_the_field() {
    fn handled() -> Vec<StoredObject> {
        vec![letter().metadata(&[("handler", "nobody.here")])]
    }
    fn there(world: &World) {
        let version = |text: &str| vec![text.as_bytes().to_vec()];
        let server = &world.content_server;
        repository::document(
            server,
            "Claims/Incoming",
            "letter.txt",
            "text/plain",
            &version("an older letter"),
        );
    }
    let rules = described(
        "path = \"Business/Claim Evidence\"\nfields = [{ to = \"Claim Number\", value = \"1\" }, { to = \"Handler\", from = \"user.handler\", as = \"user\" }]",
    );
    let story = Scenario { objects: handled, ..story(rules) };
    let told = is_put_aside_as(story, "value.unknown-user").await;
    assert_eq!(told["reason"]["field"], "Handler");
    // A document that is there already gets no further version before its values are known to fit.
    is_put_aside_as(Scenario { prepare: there, ..story }, "value.unknown-user").await;
}

#[tokio::test(start_paused = true)]
async fn a_sidecar_that_is_no_description_is_told() {
    let rules = filed("sidecar = \"optional\"");
    fn broken() -> Vec<StoredObject> {
        with_sidecar("{\"claim\": ")
    }
    fn a_list() -> Vec<StoredObject> {
        with_sidecar("[\"claim\"]")
    }
    fn too_large() -> Vec<StoredObject> {
        with_sidecar(format!("{{\"claim\": \"{}\"}}", "x".repeat(1 << 20)))
    }
    type Stored = fn() -> Vec<StoredObject>;
    let stories: [(Stored, &str); 3] =
        [(broken, "sidecar.unreadable"), (a_list, "sidecar.unreadable"), (too_large, "sidecar.too-large")];
    for (objects, code) in stories {
        let told = is_put_aside_as(Scenario { objects, ..story(rules) }, code).await;
        assert_eq!(told["reason"]["field"], "sidecar", "{told}");
    }
    // One byte less than too much.
    fn largest() -> Vec<StoredObject> {
        with_sidecar(format!("{{\"claim\": \"{}\"}}", "x".repeat((1 << 20) - 13)))
    }
    assert_eq!(largest()[1].content.len(), 1 << 20);
    let world = played(&Scenario { objects: largest, ..story(rules) }).await;
    assert_eq!(world.endings(), ["delivered", "skipped event.sidecar"]);
}

#[tokio::test(start_paused = true)]
async fn a_required_sidecar_is_waited_for_for_two_minutes() {
    let world_began: jiff::Timestamp = "2031-05-06T07:08:09Z".parse().unwrap();
    let story = story(filed("sidecar = \"required\""));
    let told = is_put_aside_as(story, "missing-sidecar").await;
    let at: jiff::Timestamp = told["quarantinedAt"].as_str().unwrap().parse().unwrap();
    let waited = at.as_second() - world_began.as_second();
    assert!((120..300).contains(&waited), "after {waited} s");
}

#[tokio::test(start_paused = true)]
async fn bytes_that_arrive_otherwise_three_times_are_told_and_taken_back_each_time() {
    // Downloads read as zeros.
    let story = Scenario { switches: |theirs| theirs.discard_content = true, ..story(filed("")) };
    is_put_aside_as(story, "verify.mismatch").await;
    let calls = played(&story).await.tap.calls();
    let count = |method: &str, path: &str| {
        calls.iter().filter(|call| call.what.starts_with(method) && call.what.contains(path)).count()
    };
    assert_eq!((count("POST", "/api/v2/nodes"), count("DELETE", "/api/v2/nodes/")), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn an_upload_in_parts_that_the_server_forgets_six_times_is_told() {
    fn forgetful(world: &World) {
        world.set_content_server(
            |settings| {
                settings.large_upload.min_size = 5;
                settings.large_upload.part_size = 3;
                settings.large_upload.session_seconds = 2;
                settings.latency_milliseconds = 4_000;
            },
            r#"{"large_upload": {"from_size": 5}}"#,
        );
    }
    let story = Scenario { prepare: forgetful, ..story(filed("")) };
    is_put_aside_as(story, "large-upload.forgotten").await;
    let calls = played(&story).await.tap.calls();
    let begun =
        calls.iter().filter(|call| call.what.starts_with("POST") && call.what.ends_with("/v2/multipart"));
    assert_eq!(begun.count(), 6);
}

#[tokio::test(start_paused = true)]
async fn an_upload_larger_than_its_rule_takes_is_told_with_both_sizes() {
    let told = is_put_aside_as(story(filed("limits = { max_size = \"8 B\" }")), "object-too-large").await;
    let message = told["reason"]["message"].as_str().unwrap();
    assert!(message.contains('8') && message.contains('9'), "{message}");
}

#[tokio::test(start_paused = true)]
async fn an_upload_too_large_to_be_copied_is_referred_to_and_stays_where_it_is() {
    const LARGEST_COPIED: usize = 5 << 30;
    let world = World::new(&story(filed("limits = { max_size = \"8 B\" }")), BTreeMap::new(), None, 1).await;
    assert!(world.aws.s3().put_zeros(INTAKE, "in/film.mov", LARGEST_COPIED + 1));
    assert!(drive(&world, &INGEST_UPLOADS, Drive::default()).await, "the queue never becomes quiet");
    assert_eq!(world.endings(), ["quarantined object-too-large"]);
    let [told] = reasons(&world).try_into().expect("one reason");
    assert_eq!(told["copied"], false);
    assert_eq!(told["source"]["size"], LARGEST_COPIED + 1);
    assert_eq!(told["source"]["present"], true);
    assert_eq!(world.aws.s3().versions(QUARANTINE).len(), 1, "its reason, and nothing else");
    let source = world.aws.s3().versions(INTAKE).into_iter().next().expect("the upload");
    assert_eq!(source.tags.get("waybill-state").map(String::as_str), Some("quarantined"));
}

#[tokio::test(start_paused = true)]
async fn an_upload_with_the_longest_key_there_is_has_room_in_quarantine_for_its_reason() {
    fn long() -> Vec<StoredObject> {
        let key = |end: &str| format!("in/{}{end}", "ä".repeat((1024 - "in/".len() - end.len()) / 2));
        let long = [key("1.txt"), key("2.txt")];
        long.into_iter().map(|key| StoredObject::new(key, "text/plain", "")).collect()
    }
    assert!(long().iter().all(|object| object.key.len() >= 1023));
    let story = Scenario { objects: long, ..story(filed("")) };
    let world = played(&story).await;
    assert_eq!(world.endings(), ["quarantined empty-object", "quarantined empty-object"]);
    let aside = world.aws.s3().versions(QUARANTINE);
    assert_eq!(aside.len(), 4, "two uploads, each beside its reason");
    assert!(aside.iter().all(|object| object.key.len() <= 1024));
    let mut told: Vec<String> =
        reasons(&world).iter().map(|file| file["source"]["key"].as_str().unwrap().to_owned()).collect();
    told.sort();
    assert_eq!(told, long().into_iter().map(|object| object.key).collect::<Vec<_>>(), "by their whole keys");
}

/// Puts a document of this name into the incoming claims; gives its id.
fn taken(world: &World, name: &str) -> i64 {
    world.content_server.with_state(|state| {
        let version = NewVersion::of(name, "text/plain", Blob::of(b"somebody else's".to_vec()));
        let parent_id = state.at("Claims/Incoming").unwrap().id;
        let new = NewNode { kind: kind::DOCUMENT, parent_id, name: name.to_owned(), ..NewNode::default() };
        state.create(ADMIN, NewNode { version: Some(version), ..new }).unwrap()
    })
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_by_something_unseen_is_told() {
    fn hidden(world: &World) {
        let node = taken(world, "letter.txt");
        world.content_server.with_state(|state| {
            let permissions = &mut state.nodes.get_mut(&node).unwrap().permissions;
            permissions.public = None;
            permissions.group = None;
            permissions.custom.clear();
        });
    }
    let story = Scenario { prepare: hidden, ..story(filed("")) };
    is_put_aside_as(story, "target.name-taken-unseen").await;
}

#[tokio::test(start_paused = true)]
async fn five_hundred_of_one_name_are_enough() {
    fn crowded(world: &World) {
        taken(world, "letter.txt");
        for number in 2..=500 {
            taken(world, &format!("letter ({number}).txt"));
        }
    }
    fn nearly(world: &World) {
        taken(world, "letter.txt");
        for number in 2..=499 {
            taken(world, &format!("letter ({number}).txt"));
        }
    }
    let story = Scenario { prepare: crowded, ..story(filed("existing = \"keep-both\"")) };
    is_put_aside_as(story, "target.too-many-namesakes").await;
    let world = played(&Scenario { prepare: nearly, ..story }).await;
    assert_eq!(world.endings(), ["delivered"]);
    let last = repository::at(&world.content_server, "Claims/Incoming/letter (500).txt");
    assert_eq!(repository::newest_bytes(&world.content_server, last), b"dear sirs");
}

/// What is no upload of a document ends as skipped, and leaves nothing.
async fn is_passed_over_as(body: String, ending: &str) {
    let story = story(filed(""));
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    world.send(&body).await;
    assert!(drive(&world, &INGEST_UPLOADS, Drive::default()).await);
    assert_eq!(world.endings(), [ending]);
    assert_eq!(world.made(), Made::default());
    assert!(reasons(&world).is_empty() && world.dead_letters().is_empty());
}

fn event(name: &str, key: &str, size: u64) -> String {
    let object =
        serde_json::json!({"key": key, "size": size, "eTag": "e", "versionId": "v", "sequencer": "0A"});
    let record = serde_json::json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "eventTime": "2031-05-06T07:08:09.000Z", "eventName": name,
        "s3": {"bucket": {"name": INTAKE}, "object": object},
    });
    serde_json::json!({"Records": [record]}).to_string()
}

#[tokio::test(start_paused = true)]
async fn what_is_no_upload_of_a_document_is_passed_over_with_its_reason() {
    for (name, key, size, ending) in [
        ("ObjectCreated:Put", "in/", 0, "skipped event.folder-marker"),
        ("ObjectRemoved:Delete", "in/letter.txt", 9, "skipped event.not-a-creation"),
        ("ObjectTagging:Put", "in/letter.txt", 9, "skipped event.not-a-creation"),
        ("ObjectRestore:Completed", "in/letter.txt", 9, "skipped event.not-a-creation"),
    ] {
        is_passed_over_as(event(name, key, size), ending).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_writes_nothing() {
    fn good_and_bad() -> Vec<StoredObject> {
        vec![letter(), StoredObject::new("in/empty.txt", "text/plain", "")]
    }
    let template = "permissions = \"team\"\nclassification = \"File Plan/CLM-FILES\"\nafter = \"delete\"\n[permission_templates.team]\npublic = []";
    let story = Scenario { objects: good_and_bad, ..story(filed(template)) };
    let world = World::new(&story, BTreeMap::new(), None, 1).await.dry();
    play(&world, &story).await;
    assert_eq!(world.made(), Made::default());
    assert!(world.aws.s3().versions(QUARANTINE).is_empty());
    let sources = world.aws.s3().versions(INTAKE);
    assert_eq!(sources.len(), 2);
    assert!(sources.iter().all(|source| !source.delete_marker && source.tags.is_empty()));
    assert!(world.endings().iter().all(|ending| ending == "in-progress"), "{:?}", world.endings());
    assert_eq!((world.waiting(), world.dead_letters().len()), (0, 0));
    let wrote = |call: &&tests::storm::Call| {
        let what = &call.what;
        (what.starts_with("POST ") || what.starts_with("PUT ") || what.starts_with("DELETE "))
            && what.contains("/api/v2/")
    };
    let calls = world.tap.calls();
    let written: Vec<_> = calls.iter().filter(wrote).collect();
    assert!(written.is_empty(), "{written:?}");
}
