//! `ingest-uploads`: uploads, and the documents that were made of them.

use s3_content_server::INGEST_UPLOADS;
use shared::reconcile::{Action, Kind, Options};
use simulators::content_server::{Blob, state::ADMIN};
use tests::storm::{Scenario, StoredObject};

use crate::side::{Compared, INTAKE, repairing, run};

const RULES: &str = r#"
[[rule]]
name = "scans"
key = "scans/{name}"
target.folder = "Enterprise:Digitised Archive"
after = "keep"
"#;

fn objects() -> Vec<StoredObject> {
    let scan =
        |name: &str, text: &str| StoredObject::new(format!("scans/{name}"), "text/plain", text.to_owned());
    vec![
        scan("one.txt", "the first scan"),
        scan("two.txt", "the second scan"),
        scan("three.txt", "the third scan"),
        scan("empty.txt", ""),
        StoredObject::new("elsewhere/no rule.txt", "text/plain", "of no concern"),
    ]
}

pub(crate) fn story() -> Scenario {
    Scenario::of("scans", &INGEST_UPLOADS, RULES, objects, (3, 0, 2))
}

fn node(compared: &Compared, name: &str) -> i64 {
    let path = format!("Digitised Archive/{name}");
    compared.world.content_server.with_state(|state| state.at(&path).expect("the document").id)
}

/// An upload whose event is lost on its way.
async fn lost(compared: &Compared, name: &str, text: &str) {
    let object = StoredObject::new(format!("scans/{name}"), "text/plain", text.to_owned());
    compared.world.upload(&object).await;
    let _ = compared.world.events();
}

#[test]
fn what_was_delivered_agrees_and_what_was_put_aside_is_accounted_for() {
    run(async {
        let compared = Compared::after(story()).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), []);
        assert!(said.report.agree);
        let counts = said.counts();
        // The object of no rule is nobody's; the empty one was put aside.
        assert_eq!((counts.source, counts.equal + counts.alike, counts.accounted), (4, 3, 1), "{counts:?}");
    });
}

#[test]
fn a_lost_event_is_found_and_sent_again_and_nothing_is_there_twice() {
    run(async {
        let compared = Compared::after(story()).await;
        lost(&compared, "lost.txt", "nobody was told").await;
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Missing, format!("s3://{INTAKE}/scans/lost.txt"))]);
        let finding = said.finding("lost.txt");
        assert_eq!((finding.repair.action, finding.repair.safe), (Action::Redeliver, true));
        assert_eq!(compared.world.waiting(), 0, "nothing is sent without being asked for");

        // Asked twice: the flow is told twice, and delivers once.
        let repaired = compared.compare(repairing()).await;
        assert_eq!(repaired.counts().queued, 1);
        assert!(repaired.finding("lost.txt").repair.queued);
        compared.compare(repairing()).await;
        assert_eq!(compared.world.waiting(), 2);
        compared.work().await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
        let made = compared.world.made();
        assert_eq!(made.versions.iter().filter(|(path, _)| path.contains("lost")).count(), 1, "{made}");
        let told =
            compared.world.ledger().iter().any(|record| record.to_string().contains("waybill reconcile"));
        assert!(told, "the audit chain tells who asked");
    });
}

#[test]
fn a_lost_event_is_not_sent_again_once_a_newer_upload_is_there() {
    run(async {
        let compared = Compared::after(story()).await;
        lost(&compared, "one.txt", "a second state that nobody was told of").await;
        compared.hours(3).await;
        // Queued while it is the newest, worked when it is not any more.
        assert_eq!(compared.compare(repairing()).await.counts().queued, 1);
        let newest = StoredObject::new("scans/one.txt", "text/plain", "the third state");
        compared.world.upload(&newest).await;
        compared.work().await;
        let versions = compared.world.made().versions;
        let texts = versions.iter().filter(|(path, _)| path.contains("one.txt")).count();
        assert_eq!(texts, 2, "the first and the third: {versions:?}");
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [], "the second was skipped, with its reason");

        // Two lost ones: the older is told, and left to a person.
        lost(&compared, "two.txt", "lost, the older").await;
        lost(&compared, "two.txt", "lost, the newer").await;
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        let safe: Vec<bool> = said.report.findings.iter().map(|finding| finding.repair.safe).collect();
        assert_eq!(said.counts().missing, 2);
        assert_eq!(safe.iter().filter(|safe| **safe).count(), 1);
    });
}

#[test]
fn what_people_removed_is_told_and_never_brought_back() {
    run(async {
        let compared = Compared::after(story()).await;
        let gone = node(&compared, "two.txt");
        compared.world.content_server.with_state(|state| state.delete(ADMIN, gone)).expect("deleted");
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Missing, format!("s3://{INTAKE}/scans/two.txt"))]);
        let finding = said.finding("two.txt");
        assert_eq!((finding.repair.action, finding.repair.safe), (Action::Person, false));
        assert!(finding.explanation.contains("delivered"), "{}", finding.explanation);
        assert_eq!((said.counts().queued, compared.world.waiting()), (0, 0));
    });
}

#[test]
fn other_bytes_in_the_target_are_found_by_size_at_once_and_by_hash_when_read() {
    run(async {
        let compared = Compared::after(story()).await;
        let change = |name: &str, bytes: &[u8]| {
            let id = node(&compared, name);
            let blob = Blob::of(bytes.to_vec());
            compared.world.content_server.with_state(|state| {
                let node = state.nodes.get_mut(&id).expect("the document");
                node.versions.last_mut().expect("a version").content = blob;
            });
        };
        change("one.txt", b"longer than the first scan was");
        change("three.txt", b"the THIRD scan");
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Different, format!("s3://{INTAKE}/scans/one.txt"))]);
        assert_eq!(said.finding("one.txt").differences[0].what, "size");

        let said = compared.compare(Options { deep: true, ..Options::default() }).await;
        assert_eq!(said.counts().different, 2, "{:?}", said.found());
        let whats: Vec<_> =
            said.finding("three.txt").differences.iter().map(|one| one.what.as_str()).collect();
        assert_eq!(whats, ["sha256"]);
        assert_eq!(said.counts().equal, 1, "what was read and agrees is proven");
    });
}

#[test]
fn after_the_time_of_the_records_the_audit_chains_still_tell() {
    run(async {
        let compared = Compared::after(story()).await;
        compared.hours(24 * 100).await;
        lost(&compared, "lost.txt", "nobody was told").await;
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Missing, format!("s3://{INTAKE}/scans/lost.txt"))]);
        let counts = said.counts();
        assert_eq!((counts.equal + counts.alike, counts.accounted), (3, 1), "{counts:?}");
    });
}

#[test]
fn what_is_young_is_on_its_way() {
    run(async {
        let compared = Compared::after(story()).await;
        lost(&compared, "young.txt", "just now").await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), []);
        assert_eq!(said.counts().in_flight, 1);
    });
}

#[test]
fn in_a_bucket_without_versions_a_person_uploads_again() {
    run(async {
        let compared = Compared::after(Scenario { versioned: false, ..story() }).await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
        lost(&compared, "lost.txt", "nobody was told").await;
        lost(&compared, "one.txt", "the first scan, once more and longer").await;
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.counts().missing, 2, "{:?}", said.found());
        assert!(said.report.findings.iter().all(|finding| !finding.repair.safe));
        assert_eq!(compared.world.waiting(), 0);
    });
}
