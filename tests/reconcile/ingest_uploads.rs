//! `ingest-uploads`: uploads, and the documents that were made of them.

use s3_content_server::INGEST_UPLOADS;
use shared::reconcile::{Action, Kind, Options};
use simulators::content_server::{
    Blob,
    state::{ADMIN, Changes},
};
use tests::{
    repository,
    storm::{Scenario, StoredObject},
};

use crate::side::{Compared, INTAKE, repairing, run};

const RULES: &str = r#"
[[rule]]
name = "scans"
key = "scans/{name}"
target.folder = "Enterprise:Digitised Archive"
after = "keep"
"#;

/// Evidence with everything a rule can map: captures, user metadata, a sidecar, rows, the hour of delivery.
const MAPPING: &str = r#"
[[rule]]
name = "evidence"
key = "evidence/{claim_number}/{name}"
sidecar = "optional"
existing = "new-version"
target.folder = "Enterprise:Digitised Archive"
after = "keep"

[[rule.category]]
path = "Business/Claim Evidence"
fields = [
  { to = "Claim Number", from = "capture.claim_number", required = true },
  { to = "Loss Date", from = "sidecar.loss_date", as = "date" },
  { to = "Received At", from = "now.time", as = "date-time" },
  { to = "Estimated Amount", from = "sidecar.amount", as = "integer" },
  { to = "Third Party Involved", from = "sidecar.third_party", as = "boolean" },
  { to = "Keywords", from = "sidecar.keywords", multi = true },
  { to = "Remarks", from = "sidecar.remarks" },
]
rows = [
  { to = "Parties", from = "sidecar.parties", fields = [
    { to = "Name", from = "row.name", required = true },
    { to = "Role", from = "row.role" },
  ] },
]
"#;

fn evidence() -> Vec<StoredObject> {
    let about = serde_json::json!({
        "loss_date": "2031-03-04", "amount": 1200, "third_party": true, "keywords": ["storm", "roof"],
        "remarks": "the roof of the barn", "parties": [{"name": "Ada Byron", "role": "Witness"}],
    });
    ["barn.txt", "roof.txt", "yard.txt"]
        .into_iter()
        .flat_map(|name| {
            let key = format!("evidence/100117/{name}");
            [
                StoredObject::new(format!("{key}.metadata.json"), "application/json", about.to_string()),
                StoredObject::new(key, "text/plain", format!("what {name} looks like")),
            ]
        })
        .collect()
}

fn mapping() -> Scenario {
    Scenario::of("evidence", &INGEST_UPLOADS, MAPPING, evidence, (3, 3, 0))
}

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
fn values_that_people_changed_are_told_by_the_names_of_their_fields_and_never_repaired() {
    run(async {
        let compared = Compared::after(mapping()).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [], "what was filed is what the rule maps");

        let server = &compared.world.content_server;
        let (barn, roof) = (node(&compared, "barn.txt"), node(&compared, "roof.txt"));
        let set = |node: i64, attribute: &str, value: serde_json::Value| {
            repository::set_value(server, node, "Claim Evidence", attribute, value);
        };
        set(barn, "Remarks", "the roof of the house of Charles Babbage".into());
        set(barn, "Estimated Amount", serde_json::Value::Null);
        set(barn, "Keywords", serde_json::json!(["storm", "roof", "hail"]));
        // Nothing that the rule maps, and nothing that says anything else.
        set(roof, "Handler", ADMIN.into());
        set(roof, "Loss Date", "2031-03-04T00:00:00".into());
        let changes = Changes { name: Some("roof of the barn.txt".into()), ..Changes::default() };
        server.with_state(|state| state.update(ADMIN, roof, changes)).expect("renamed");

        let said = compared.compare(repairing()).await;
        let named = |name: &str| (Kind::Metadata, format!("s3://{INTAKE}/evidence/100117/{name}"));
        assert_eq!(said.found(), [named("barn.txt"), named("roof.txt")]);
        let told = |name: &str| -> Vec<[String; 3]> {
            let differences = said.finding(name).differences.iter();
            differences.map(|one| [one.what.clone(), one.source.clone(), one.target.clone()]).collect()
        };
        let of = |what: &str, target: &str| [what.to_owned(), "a value".to_owned(), target.to_owned()];
        assert_eq!(
            told("barn.txt"),
            [
                of("Claim Evidence:Estimated Amount", "no value"),
                of("Claim Evidence:Keywords", "another value"),
                of("Claim Evidence:Remarks", "another value"),
            ]
        );
        assert_eq!(told("roof.txt"), [of("name", "another value")]);

        let finding = said.finding("barn.txt");
        assert_eq!((finding.repair.action, finding.repair.safe), (Action::Person, false));
        assert_eq!((said.counts().metadata, said.counts().queued, compared.world.waiting()), (2, 0, 0));
        let page = compared.text(&format!("{}report.html", said.prefix)).await;
        assert!(page.contains("Alike, with other metadata (2)"), "{page}");
        for report in [page, compared.text(&format!("{}report.json", said.prefix)).await] {
            for personal in ["Babbage", "barn of", "1200", "hail", "Ada"] {
                assert!(!report.contains(personal), "the report tells {personal}: {report}");
            }
        }
    });
}

#[test]
fn rows_of_a_set_are_compared_one_by_one() {
    run(async {
        let compared = Compared::after(mapping()).await;
        let barn = node(&compared, "barn.txt");
        compared.world.content_server.with_state(|state| {
            let category = state.category_named("Claim Evidence").expect("the category").id;
            let rows = serde_json::json!({"9_1_10": "Ada Byron", "9_2_10": "Mary Somerville"});
            let rows = rows.as_object().expect("an object").clone().into_iter().collect();
            state.edit_category(ADMIN, barn, category, &rows, None).expect("a row more");
        });
        let said = compared.compare(Options::default()).await;
        let whats: Vec<_> =
            said.finding("barn.txt").differences.iter().map(|one| one.what.as_str()).collect();
        assert_eq!(whats, ["Claim Evidence:Parties[2]:Name"]);
    });
}

#[test]
fn only_the_last_upload_of_a_document_is_held_against_its_values() {
    run(async {
        let compared = Compared::after(mapping()).await;
        // A second version of the object, with another sidecar: the values are those of the second.
        for (name, text) in
            [("barn.txt.metadata.json", r#"{"remarks": "seen again"}"#), ("barn.txt", "in May")]
        {
            let object = StoredObject::new(format!("evidence/100117/{name}"), "text/plain", text.to_owned());
            compared.world.upload(&object).await;
        }
        compared.work().await;
        compared.hours(3).await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
        // A sidecar that was cleared away says nothing any more of what it once said.
        let gone = compared.world.s3.delete_object().bucket(INTAKE);
        gone.key("evidence/100117/roof.txt.metadata.json").send().await.expect("cleared away");
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [], "what the rule does not map any more is not compared");
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
