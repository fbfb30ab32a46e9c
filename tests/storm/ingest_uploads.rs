//! The stories of `ingest-uploads`.

mod after_care;
mod archives;
mod calm;
mod claim_over;
mod people;

use std::time::Duration;

use s3_content_server::INGEST_UPLOADS;
use simulators::content_server::{
    settings::{NameFilter, NameForms},
    state::Permission,
};
use tests::storm::{Meanwhile, Scenario, StoredObject, World};

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

[[rule]]
name = "inbox"
key = "inbox/{name}"
target.folder = "Enterprise:Suppliers/Inbox"
target.create = true
existing = "new-version"
after = "delete"

[[rule]]
name = "described"
key = "described/{name}"
sidecar = "required"
target.folder = "Enterprise:Claims/Described"
target.create = true

[[rule.category]]
path = "Business/Claim Evidence"
fields = [
  { from = "sidecar.claim", to = "Claim Number", required = true },
  { value = "Report", to = "Evidence Type" },
]

[[rule]]
name = "cases"
key = "cases/{number}/{name}"
target.workspace = { type = "Claim", business_object = { system = "CLAIMS", type = "CLAIM", id = "{capture.number}" }, name = "CLM-{capture.number}", create = true, folder = "Evidence" }

[[rule]]
name = "sealed"
key = "sealed/{name}"
target.folder = "Enterprise:Reports"
permissions = "nobody"

[permission_templates.nobody]
owner = []
owner_group = []
public = []
assigned = [{ group = "Supplier Management", rights = ["see", "see_contents"] }]
"#;

/// What the clients are told where 1,000 bytes are large.
const LARGE: &str = r#"{"large_upload": {"from_size": 500}, "range_downloads": true}"#;

/// Uploads in parts of 100 bytes, downloads in ranges, and calls so slow that nothing fits one invocation.
fn in_parts(world: &World) {
    world.set_content_server(
        |settings| {
            settings.large_upload.min_size = 500;
            settings.large_upload.part_size = 100;
            settings.range_requests = true;
            settings.latency_milliseconds = 4_000;
        },
        LARGE,
    );
}

/// The same in parts of 300 bytes, for long stories.
fn in_few_parts(world: &World) {
    in_parts(world);
    world.set_content_server(|settings| settings.large_upload.part_size = 300, LARGE);
}

/// The same on a server that forgets unfinished uploads soon, and that gives no ranges although it was said to.
fn forgetful(world: &World) {
    in_parts(world);
    world.set_content_server(
        |settings| {
            settings.large_upload.session_seconds = 300;
            settings.range_requests = false;
        },
        LARGE,
    );
}

fn pdf(text: &str) -> Vec<u8> {
    format!("%PDF-1.7\n{text}\n%%EOF\n").into_bytes()
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name, objects, clean| Scenario::of(name, &INGEST_UPLOADS, RULES, objects, clean);
    vec![
        scenario("one upload", one_upload, (1, 0, 0)),
        scenario("a new version of an upload", new_version, (2, 0, 0)),
        scenario("an upload that is moved and one that is deleted afterwards", moved_and_deleted, (2, 1, 0)),
        Scenario { named_by_input: false, ..scenario("two of one name are both kept", both_kept, (2, 0, 0)) },
        scenario("one bad among good ones", one_bad, (3, 0, 1)),
        Scenario { prepare: in_parts, ..scenario("a large upload in parts", large, (1, 0, 0)) },
        Scenario { prepare: forgetful, ..scenario("large uploads soon forgotten", large, (1, 0, 0)) },
        Scenario {
            prepare: in_few_parts,
            ..scenario("a large new version, unless it is the same", large_versions, (2, 2, 0))
        },
        Scenario {
            rules: "",
            ..scenario("evidence that is classified, restricted and reviewed", reviewed, (1, 0, 0))
        },
        Scenario {
            named_by_input: false,
            ..scenario("two uploads of one key are both kept", both_of_one_key, (2, 0, 0))
        },
        Scenario {
            versioned: false,
            meanwhile: REPLACED,
            ..scenario("an object replaced in a bucket without versions", replaced, (2, 0, 0))
        },
        Scenario { meanwhile: DESCRIBED, ..scenario("a sidecar that arrives late", described, (1, 1, 0)) },
        scenario("a workspace that has to be created", new_workspace, (2, 0, 0)),
        Scenario {
            switches: |theirs| {
                theirs.name_forms = NameForms::Composed;
                theirs.node_name_filter = NameFilter::Equals;
            },
            ..scenario("names whose letters the server composes", decomposed, (2, 0, 0))
        },
        Scenario {
            prepare: open_to_all,
            ..scenario("a document whose rights leave none to us", sealed, (1, 0, 0))
        },
    ]
    .into_iter()
    .chain(people::scenarios())
    .collect()
}

fn one_upload() -> Vec<StoredObject> {
    vec![
        StoredObject::new("claims/CL-100117/report a+b.pdf", "application/pdf", pdf("one"))
            .metadata(&[("kind", "Report")]),
    ]
}

/// A letter as two characters, as some machines write names.
fn decomposed() -> Vec<StoredObject> {
    vec![
        StoredObject::new("claims/CL-100117/Mo\u{308}bel.pdf", "application/pdf", pdf("one")),
        StoredObject::new("claims/CL-100117/Mo\u{308}bel.pdf", "application/pdf", pdf("two")),
    ]
}

fn film(text: &str) -> Vec<u8> {
    let mut bytes = pdf(text);
    bytes.resize(1_050, b'x');
    bytes
}

fn large() -> Vec<StoredObject> {
    vec![StoredObject::new("claims/CL-100117/film.pdf", "application/pdf", film("one"))]
}

fn large_versions() -> Vec<StoredObject> {
    vec![
        StoredObject::new("drops/film.pdf", "application/pdf", film("one")),
        StoredObject::new("drops/film.pdf", "application/pdf", film("two")),
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

fn both_of_one_key() -> Vec<StoredObject> {
    vec![
        StoredObject::new("twins/a/terms.pdf", "application/pdf", pdf("first terms")),
        StoredObject::new("twins/a/terms.pdf", "application/pdf", pdf("second terms")),
    ]
}

fn replaced() -> Vec<StoredObject> {
    vec![StoredObject::new("inbox/offer.pdf", "application/pdf", pdf("first offer"))]
}

const REPLACED: &[Meanwhile] = &[Meanwhile {
    after: Duration::from_secs(10),
    what: |world| {
        Box::pin(async move {
            let better = StoredObject::new("inbox/offer.pdf", "application/pdf", pdf("second offer"));
            world.upload(&better).await;
        })
    },
}];

fn described() -> Vec<StoredObject> {
    vec![StoredObject::new("described/door.pdf", "application/pdf", pdf("door"))]
}

const DESCRIBED: &[Meanwhile] = &[Meanwhile {
    after: Duration::from_secs(40),
    what: |world| {
        Box::pin(async move {
            let sidecar = StoredObject::new(
                "described/door.pdf.metadata.json",
                "application/json",
                r#"{"claim": "CL-100117"}"#,
            );
            world.upload(&sidecar).await;
        })
    },
}];

fn new_workspace() -> Vec<StoredObject> {
    vec![
        StoredObject::new("cases/990001/door.pdf", "application/pdf", pdf("door")),
        StoredObject::new("cases/990001/roof.pdf", "application/pdf", pdf("roof")),
    ]
}

/// Whoever files into the reports does so by the rights of the public alone.
fn open_to_all(world: &World) {
    world.content_server.with_state(|state| {
        let reports = state.at("Reports").expect("the reports").id;
        let permissions = &mut state.nodes.get_mut(&reports).expect("the reports").permissions;
        permissions.public = Some(Permission::ALL.into_iter().collect());
        permissions.custom.clear();
    });
}

fn sealed() -> Vec<StoredObject> {
    vec![StoredObject::new("sealed/offer.pdf", "application/pdf", pdf("sealed offer"))]
}

fn one_bad() -> Vec<StoredObject> {
    vec![
        StoredObject::new("claims/CL-1/a.pdf", "application/pdf", pdf("a")),
        StoredObject::new("claims/CL-2/b.pdf", "application/pdf", Vec::new()),
        StoredObject::new("claims/CL-3/c.pdf", "application/pdf", pdf("c")),
        StoredObject::new("claims/CL-4/d.pdf", "application/pdf", pdf("d")),
    ]
}
