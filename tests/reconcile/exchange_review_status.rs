//! `exchange-review-status`: a review of a regulated asset, its evidence, and what each side was told.

use iconik_content_server::EXCHANGE_REVIEW_STATUS;
use serde_json::{Value, json};
use shared::reconcile::{Action, Kind, Options};
use simulators::{
    content_server::{self, state::ADMIN},
    iconik::{
        self, State,
        seed::{self, metadata::GOVERNANCE_VIEW},
        state::Object,
    },
};
use tests::{
    in_process, messages, repository,
    storm::{Scenario, World},
};

use crate::{
    faults,
    side::{Compared, Said, repairing, run},
};

const FLOW: &str = "exchange-review-status";
const ASSET: &str = "Using the inhaler";
const FOLDER: &str = "Digitised Archive";
const FILM: &str = "inhaler.mp4";
const OURS: &str = "waybill:review:";

fn asset(state: &State) -> String {
    state.titled(ASSET).expect("it is seeded")
}

fn object(value: Value) -> Object {
    value.as_object().cloned().unwrap_or_default()
}

/// A film that was filed and is approved in Content Server; its reviewers in iconik do not agree, and have said two things.
fn prepare(world: &World) {
    let server = &world.content_server;
    let node = repository::document(server, FOLDER, FILM, "video/mp4", &[b"the film".to_vec()]);
    repository::set_value(server, node, "Document Approval", "Status", "Approved".into());
    let approver = server.with_state(|state| state.member_by_name("claims.reviewer").expect("a reviewer").id);
    repository::set_value(server, node, "Document Approval", "Approver", approver.into());
    world.iconik().with_state(|state| {
        let id = asset(state);
        let values = object(json!({"ContentServerNode": {"field_values": [{"value": node}]}}));
        state.write_directly(seed::EDITOR, ("assets", &id), &values);
    });
    say(world.iconik());
}

fn hint(world: &World) -> Vec<String> {
    let id = world.iconik().with_state(|state| asset(state));
    vec![messages::iconik_change(FLOW, "assets", &id, None, "first")]
}

pub(crate) fn story() -> Scenario {
    Scenario::of_iconik("a review", &EXCHANGE_REVIEW_STATUS, "", prepare, hint, (1, 1, 0))
}

fn say(iconik: &iconik::Simulator) {
    iconik.with_state(|state| {
        let said = object(json!({"segment_type": "COMMENT", "segment_text": "die Dosis stimmt jetzt"}));
        let id = asset(state);
        state.add_segment(seed::REVIEWER, &id, None, &said).expect("a comment");
    });
}

/// A comment that is there, of people or of the flow.
fn comment(state: &State, of_ours: bool) -> String {
    let id = asset(state);
    let is_it = |segment: &&Object| {
        let is_ours = segment["external_id"].as_str().unwrap_or_default().starts_with(OURS);
        segment["asset_id"] == id.as_str()
            && segment["segment_type"] == "COMMENT"
            && segment["status"] == "ACTIVE"
            && is_ours == of_ours
    };
    let found = state.review.segments.objects().find(is_it).expect("a comment");
    found["id"].as_str().expect("an id").to_owned()
}

fn edit(iconik: &iconik::Simulator) {
    iconik.with_state(|state| {
        let (id, comment) = (asset(state), comment(state, false));
        let said = object(json!({"segment_text": "the dose is right now", "segment_checked": true}));
        state.edit_segment(seed::REVIEWER, &id, &comment, &said).expect("an edit");
    });
}

fn delete(iconik: &iconik::Simulator) {
    iconik.with_state(|state| {
        let (id, comment) = (asset(state), comment(state, false));
        state.delete_segment(seed::REVIEWER, &id, &comment, true).expect("deleted");
    });
}

fn take_back(iconik: &iconik::Simulator) {
    iconik.with_state(|state| {
        let key = state.approval_key("assets", &asset(state), None).expect("a review");
        let reviewer = state.approval(&key).expect("a review").verdicts[0].user.clone().expect("a user");
        state.take_back(&reviewer, &key, &reviewer).expect("taken back");
    });
}

fn film(server: &content_server::Simulator) -> i64 {
    repository::at(server, &format!("{FOLDER}/{FILM}"))
}

fn evidence_name(world: &World) -> String {
    world.iconik().with_state(|state| format!("Review evidence {}.jsonl", asset(state)))
}

fn evidence(world: &World) -> i64 {
    repository::at(&world.content_server, &format!("{FOLDER}/{}", evidence_name(world)))
}

/// Kinds and names without the title of the asset.
fn found(said: &Said) -> Vec<(Kind, String)> {
    let short = |(kind, name): (Kind, String)| (kind, name.trim_end_matches(ASSET).trim().to_owned());
    said.found().into_iter().map(short).collect()
}

/// Something nobody told of is found under these names, and put right by the flow.
fn nobody_told(act: fn(&World), expected: &[(Kind, &str)]) {
    run(async {
        let compared = Compared::after(story()).await;
        act(&compared.world);
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        let expected: Vec<_> = expected.iter().map(|(kind, name)| (*kind, (*name).to_owned())).collect();
        assert_eq!(found(&said), expected);
        for finding in &said.report.findings {
            assert_eq!(
                (finding.repair.action, finding.repair.safe),
                (Action::LookAgain, true),
                "{finding:?}"
            );
            assert!(!finding.explanation.contains("dose"), "{}", finding.explanation);
        }
        compared.compare(repairing()).await;
        compared.work().await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
    });
}

/// Something is found under this name, and is a person's business.
fn for_a_person(act: fn(&World), kind: Kind, name: &str) {
    run(async {
        let compared = Compared::after(story()).await;
        act(&compared.world);
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(found(&said), [(kind, name.replace("EVIDENCE", &evidence_name(&compared.world)))]);
        assert_eq!(said.report.findings[0].repair.action, Action::Person);
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn a_review_with_its_evidence_agrees() {
    run(async {
        let compared = Compared::after(story()).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), []);
        let counts = said.counts();
        // A review, two verdicts, two comments, a state of the document; what is told of it as fields, words and values.
        assert_eq!((counts.equal, counts.alike, counts.accounted), (1, 9, 0), "{counts:?}");
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn a_review_the_flow_never_heard_of_is_found_thing_by_thing() {
    run(async {
        let compared = Compared::after(Scenario { messages: |_| Vec::new(), ..story() }).await;
        let said = compared.compare(repairing()).await;
        let missing = |name: &str| (Kind::Missing, format!("{name} of"));
        let expected = ["comment", "comment", "document", "review", "verdict", "verdict"].map(missing);
        assert_eq!(found(&said), expected);
        compared.work().await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
    });
}

#[test]
fn what_reviewers_say_is_found() {
    nobody_told(|world| say(world.iconik()), &[(Kind::Missing, "comment of")]);
    nobody_told(|world| edit(world.iconik()), &[(Kind::Different, "comment of")]);
    nobody_told(|world| delete(world.iconik()), &[(Kind::Different, "comment of")]);
}

#[test]
fn a_verdict_that_was_taken_back_is_found_with_its_review() {
    let expected = [(Kind::Different, "review of"), (Kind::Different, "verdict of")];
    nobody_told(|world| take_back(world.iconik()), &expected);
}

#[test]
fn another_state_of_the_document_is_found() {
    let revoke = |world: &World| {
        let node = film(&world.content_server);
        repository::set_value(&world.content_server, node, "Document Approval", "Status", "Revoked".into());
    };
    nobody_told(revoke, &[(Kind::Different, "document of")]);
}

#[test]
fn what_each_side_was_told_and_somebody_changed_is_found() {
    let in_content_server = |world: &World| {
        let node = film(&world.content_server);
        repository::set_value(&world.content_server, node, "Review", "Status", "APPROVED".into());
    };
    nobody_told(in_content_server, &[(Kind::Metadata, "standing of")]);
    let in_iconik = |world: &World| {
        world.iconik().with_state(|state| {
            let id = asset(state);
            let values = object(json!({"DocumentState": {"field_values": [{"value": "Draft"}]}}));
            state.write_directly(seed::EDITOR, ("assets", &id), &values);
        });
    };
    nobody_told(in_iconik, &[(Kind::Metadata, "fields of")]);
}

#[test]
fn evidence_that_is_gone_or_behind_is_made_whole() {
    let remove = |world: &World| {
        let node = evidence(world);
        world.content_server.with_state(|state| state.delete(ADMIN, node)).expect("deleted");
    };
    let acts: [fn(&World); 2] = [remove, behind];
    for act in acts {
        run(async {
            let compared = Compared::after(story()).await;
            let name = evidence_name(&compared.world);
            act(&compared.world);
            compared.hours(3).await;
            let said = compared.compare(repairing()).await;
            let names: Vec<String> = said.found().into_iter().map(|(_, name)| name).collect();
            assert_eq!(names, [name]);
            compared.work().await;
            assert_eq!(compared.compare(Options::default()).await.found(), []);
        });
    }
}

/// Somebody brings an earlier state of the evidence back.
fn behind(world: &World) {
    let node = evidence(world);
    let whole = repository::newest_bytes(&world.content_server, node);
    let end = whole.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    repository::version(&world.content_server, node, "evidence.jsonl", "application/x-ndjson", &whole[..end]);
}

#[test]
fn evidence_that_somebody_altered_is_a_persons_business() {
    let alter = |world: &World| {
        let node = evidence(world);
        repository::version(&world.content_server, node, "evidence.jsonl", "application/x-ndjson", b"{}\n");
    };
    for_a_person(alter, Kind::Different, "EVIDENCE");
}

#[test]
fn a_chain_that_does_not_verify_is_found() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        let ledger = world.environment(in_process::transport(world.aws.router()), 900, 0).ledger;
        let log = world.iconik().with_state(|state| format!("review-{}", asset(state)));
        let lines = ledger.log_entries(FLOW, &log).await.expect("the chain");
        let (count, first) = (lines.len() as u64, &lines[0]);
        assert!(ledger.append_log(FLOW, &log, count, first).await.expect("the table"));
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Unverifiable, evidence_name(world))]);
        assert!(said.report.findings[0].explanation.contains("does not verify"));
    });
}

#[test]
fn evidence_without_a_chain_is_extra() {
    let forge = |world: &World| {
        let name = "Review evidence 0f3c1a52-6b1e-11ef-8f5e-0a58a9feac02.jsonl";
        let content = [b"{}\n".to_vec()];
        repository::document(&world.content_server, FOLDER, name, "application/x-ndjson", &content);
    };
    for_a_person(forge, Kind::Extra, "Review evidence 0f3c1a52-6b1e-11ef-8f5e-0a58a9feac02.jsonl");
}

#[test]
fn a_comment_in_the_flows_name_is_extra_and_one_that_was_taken_away_is_found() {
    let forge = |world: &World| {
        world.iconik().with_state(|state| {
            let said = json!({
                "segment_type": "COMMENT", "segment_text": "Content Server: Approved",
                "external_id": format!("{OURS}nobody"),
            });
            let id = asset(state);
            state.add_segment(seed::REVIEWER, &id, None, &object(said)).expect("a comment");
        });
    };
    for_a_person(forge, Kind::Extra, "comment of");
    let take_away = |world: &World| {
        world.iconik().with_state(|state| {
            let (id, ours) = (asset(state), comment(state, true));
            state.delete_segment(seed::EDITOR, &id, &ours, true).expect("deleted");
        });
    };
    for_a_person(take_away, Kind::Different, "state of the document of");
}

#[test]
fn a_document_that_is_gone_is_missing() {
    let remove = |world: &World| {
        let node = film(&world.content_server);
        world.content_server.with_state(|state| state.delete(ADMIN, node)).expect("deleted");
    };
    for_a_person(remove, Kind::Missing, "");
}

#[test]
fn what_was_put_aside_is_not_missing() {
    run(async {
        let compared = Compared::after(Scenario { prepare: |_| (), ..story() }).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().accounted), (vec![], 1));
    });
}

#[test]
fn a_view_that_is_gone_is_told_as_such() {
    run(async {
        let compared = Compared::after(story()).await;
        compared.world.iconik().with_state(|state| state.metadata.views.remove(GOVERNANCE_VIEW));
        let said = compared.compare(Options::default()).await;
        assert!(!said.found().is_empty());
        assert!(said.found().iter().all(|(kind, _)| *kind == Kind::Unverifiable), "{:?}", said.found());
    });
}

#[test]
fn no_fault_makes_a_difference_of_a_review() {
    run(faults::every_call(story()));
}
