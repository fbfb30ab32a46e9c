//! The stories of `ingest-uploads`.

use s3_content_server::INGEST_UPLOADS;
use tests::storm::{Scenario, StoredObject, World};

const RULES: &str = r#"
[[rule]]
name = "claims"
key = "claims/{claim}/{name}"
target.folder = "Enterprise:Claims/Storm/{capture.claim}"
target.create = true
existing = "new-version"
after = "tag"

[[rule.category]]
path = "Business/Claim Evidence"
fields = [
  { from = "capture.claim", to = "Claim Number", required = true },
  { from = "user.kind", to = "Evidence Type", default = "Other" },
]

[[rule]]
name = "drops"
key = "drops/{name}"
target.folder = "Enterprise:Suppliers/Storm"
target.create = true
existing = "skip-if-same"
after = { move = "done/" }

[[rule]]
name = "twins"
key = "twins/{folder}/{name}"
target.folder = "Enterprise:Suppliers/Twins"
target.create = true
existing = "keep-both"
after = "delete"
"#;

fn nothing(_: &World) {}

fn pdf(text: &str) -> Vec<u8> {
    format!("%PDF-1.7\n{text}\n%%EOF\n").into_bytes()
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name, objects, clean| Scenario {
        name,
        flow: &INGEST_UPLOADS,
        rules: RULES,
        prepare: nothing,
        objects,
        named_by_input: true,
        clean,
    };
    vec![
        scenario("one upload", one_upload, (1, 0, 0)),
        scenario("a new version of an upload", new_version, (2, 0, 0)),
        scenario("an upload that is moved and one that is deleted afterwards", moved_and_deleted, (2, 1, 0)),
        Scenario { named_by_input: false, ..scenario("two of one name are both kept", both_kept, (2, 0, 0)) },
        scenario("one bad among good ones", one_bad, (3, 0, 1)),
        Scenario {
            rules: "",
            ..scenario("evidence that is classified, restricted and reviewed", reviewed, (1, 0, 0))
        },
    ]
}

fn one_upload() -> Vec<StoredObject> {
    vec![
        StoredObject::new("claims/CL-100117/report a+b.pdf", "application/pdf", pdf("one"))
            .metadata(&[("kind", "Report")]),
    ]
}

fn new_version() -> Vec<StoredObject> {
    vec![
        StoredObject::new("claims/CL-100117/report.pdf", "application/pdf", pdf("first")),
        StoredObject::new("claims/CL-100117/report.pdf", "application/pdf", pdf("second")),
    ]
}

fn moved_and_deleted() -> Vec<StoredObject> {
    vec![
        StoredObject::new("drops/offer.pdf", "application/pdf", pdf("offer")),
        StoredObject::new("twins/a/terms.pdf", "application/pdf", pdf("terms")),
    ]
}

fn both_kept() -> Vec<StoredObject> {
    vec![
        StoredObject::new("twins/a/terms.pdf", "application/pdf", pdf("terms of a")),
        StoredObject::new("twins/b/terms.pdf", "application/pdf", pdf("terms of b")),
    ]
}

fn reviewed() -> Vec<StoredObject> {
    vec![
        StoredObject::new("claims/100117/front door.pdf", "application/pdf", pdf("door"))
            .tags("review=urgent&evidence-type=report"),
    ]
}

fn one_bad() -> Vec<StoredObject> {
    vec![
        StoredObject::new("claims/CL-1/a.pdf", "application/pdf", pdf("a")),
        StoredObject::new("claims/CL-2/b.pdf", "application/pdf", Vec::new()),
        StoredObject::new("claims/CL-3/c.pdf", "application/pdf", pdf("c")),
        StoredObject::new("claims/CL-4/d.pdf", "application/pdf", pdf("d")),
    ]
}
