//! `link-references`: documents of a workspace, and what the collection that belongs to it shows of them.

use iconik_content_server::LINK_REFERENCES;
use serde_json::{Value, json};
use shared::reconcile::{Action, Kind, Options};
use simulators::{
    content_server::{
        self, Blob,
        state::{ADMIN, Changes, NewVersion},
    },
    iconik::{self, seed::EDITOR, seed::metadata::GOVERNANCE_VIEW, state::Object},
};
use tests::{
    messages,
    production::{self, COLLECTION, WORKSPACE},
    repository,
    storm::{Scenario, World},
};

use crate::{
    faults,
    side::{Compared, Said, repairing, run},
};

const FLOW: &str = "link-references";
const RULES: &str = include_str!("../flows/link-rules.toml");
const CONTRACT: &str = "Contracts/Drying contract.pdf";
const CERTIFICATES: [&str; 2] = ["Certificates/Drying.pdf", "Certificates/Lifting.pdf"];
const FIELD: &str = "ContentServerLink";

/// A contract, shown as an asset, and two certificates, shown as addresses.
fn prepare(world: &World) {
    let server = &world.content_server;
    production::belongs_to(server, &[&production::collection(world.iconik(), COLLECTION)]);
    for path in [CONTRACT].into_iter().chain(CERTIFICATES) {
        let (folder, name) = path.split_once('/').expect("a folder and a name");
        let content = vec![path.as_bytes().to_vec()];
        repository::document(server, &format!("{WORKSPACE}/{folder}"), name, "application/pdf", &content);
    }
    world.iconik().with_state(|state| {
        let many = json!({"multi": true}).as_object().cloned().expect("an object");
        state.edit_field(FIELD, many).expect("a field");
    });
}

fn node(server: &content_server::Simulator, path: &str) -> i64 {
    repository::at(server, &format!("{WORKSPACE}/{path}"))
}

fn told(world: &World) -> Vec<String> {
    let paths = [CONTRACT].into_iter().chain(CERTIFICATES);
    paths.map(|path| messages::node_change(FLOW, node(&world.content_server, path), None, "first")).collect()
}

pub(crate) fn story() -> Scenario {
    Scenario::of_iconik("references", &LINK_REFERENCES, RULES, prepare, told, (3, 0, 0))
}

fn link(tenant: &iconik::Simulator) -> String {
    let found = tenant.with_state(|state| {
        let is_link = |asset: &&Object| {
            asset["external_id"].as_str().is_some_and(|id| id.starts_with("content-server-"))
        };
        state.assets.objects().find(is_link).and_then(|asset| asset["id"].as_str().map(str::to_owned))
    });
    found.expect("a link")
}

/// What the link of a document is called.
fn called(world: &World, node: i64) -> String {
    format!("content-server-{node}-in-{}", production::collection(world.iconik(), COLLECTION))
}

fn address(node: i64) -> String {
    format!("https://ecm.example.com/otcs/cs.exe/app/nodes/{node}")
}

fn what(said: &Said, name: &str) -> Vec<String> {
    said.finding(name).differences.iter().map(|difference| difference.what.clone()).collect()
}

/// Everything safe is done; afterwards both sides agree.
async fn put_right(compared: &Compared, queued: u64) {
    assert_eq!(compared.compare(repairing()).await.counts().queued, queued);
    compared.work().await;
    assert_eq!(compared.compare(Options::default()).await.found(), []);
}

#[test]
fn what_is_shown_agrees_as_an_asset_and_as_addresses() {
    run(async {
        let compared = Compared::after(story()).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), []);
        let counts = said.counts();
        assert_eq!((counts.alike, counts.accounted, counts.in_flight), (3, 0, 0), "{counts:?}");
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn documents_nobody_told_of_are_missing_and_are_shown() {
    run(async {
        let compared = Compared::after(Scenario { messages: |_| Vec::new(), ..story() }).await;
        let said = compared.compare(Options::default()).await;
        let missing = |name: &str| (Kind::Missing, name.to_owned());
        assert_eq!(said.found(), ["Drying contract.pdf", "Drying.pdf", "Lifting.pdf"].map(missing));
        assert!(said.report.findings.iter().all(|finding| finding.repair.action == Action::LookAgain));
        put_right(&compared, 3).await;
        assert_eq!(production::links(compared.world.iconik()).len(), 1);
    });
}

/// What people did to the link in iconik is found by its name, and undone.
fn done_in_iconik(act: fn(&iconik::Simulator, &str), kind: Kind, differing: &[&str]) {
    run(async {
        let compared = Compared::after(story()).await;
        let tenant = compared.world.iconik();
        act(tenant, &link(tenant));
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(kind, "Drying contract.pdf".to_owned())]);
        assert_eq!(what(&said, "contract.pdf"), differing);
        put_right(&compared, 1).await;
    });
}

#[test]
fn another_title_is_found() {
    let retitle = |tenant: &iconik::Simulator, link: &str| {
        tenant.with_state(|state| {
            let asset = state.assets.get_mut(link).expect("the link");
            asset.insert("title".to_owned(), "Something else".into());
        });
    };
    done_in_iconik(retitle, Kind::Metadata, &["title"]);
}

#[test]
fn a_link_in_another_place_is_found() {
    let take_out = |tenant: &iconik::Simulator, link: &str| {
        let collection = production::collection(tenant, COLLECTION);
        tenant.with_state(|state| state.part(EDITOR, "assets", link, &collection)).expect("it goes");
    };
    done_in_iconik(take_out, Kind::Different, &["state"]);
}

#[test]
fn a_link_that_was_deleted_is_missing() {
    let delete = |tenant: &iconik::Simulator, link: &str| {
        tenant.with_state(|state| state.delete(EDITOR, "assets", link)).expect("it goes");
    };
    done_in_iconik(delete, Kind::Missing, &[]);
}

#[test]
fn another_name_and_another_version_are_found() {
    run(async {
        let compared = Compared::after(story()).await;
        let server = &compared.world.content_server;
        let contract = node(server, CONTRACT);
        let changes = Changes { name: Some("Drying and storage.pdf".to_owned()), ..Changes::default() };
        server.with_state(|state| state.update(ADMIN, contract, changes)).expect("a name");
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Metadata, "Drying and storage.pdf".to_owned())]);
        assert_eq!(what(&said, "storage.pdf"), ["SignoffStep", "title"]);
        assert!(said.finding("storage.pdf").repair.safe);

        let version = NewVersion::of("x.pdf", "application/pdf", Blob::of(b"%PDF-1.7 second".to_vec()));
        server.with_state(|state| state.add_version(ADMIN, contract, version)).expect("a version");
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Different, "Drying and storage.pdf".to_owned())]);
        assert_eq!(what(&said, "storage.pdf"), ["version", "SignoffStep", "title"]);
        put_right(&compared, 1).await;
    });
}

#[test]
fn what_is_confidential_is_extra_without_its_name_and_is_withdrawn() {
    run(async {
        let compared = Compared::after(story()).await;
        let server = &compared.world.content_server;
        let (contract, certificate) = (node(server, CONTRACT), node(server, CERTIFICATES[0]));
        for node in [contract, certificate] {
            production::classify(server, node);
        }
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        let extra = |name: String| (Kind::Extra, name);
        let shown = format!("node {certificate} in the field {FIELD}");
        assert_eq!(said.found(), [extra(called(&compared.world, contract)), extra(shown)]);
        for finding in &said.report.findings {
            assert!(finding.repair.safe && finding.explanation.contains("classified"), "{finding:?}");
        }
        let report = compared.text(&format!("{}report.json", said.prefix)).await;
        assert!(!report.contains("Drying contract") && !report.contains("Drying.pdf"), "{report}");
        put_right(&compared, 2).await;
        assert_eq!(production::links(compared.world.iconik()), []);
    });
}

#[test]
fn what_is_gone_or_belongs_to_nothing_any_more_is_extra() {
    run(async {
        let compared = Compared::after(story()).await;
        let server = &compared.world.content_server;
        let contract = node(server, CONTRACT);
        server.with_state(|state| state.delete(ADMIN, contract)).expect("it goes");
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Extra, called(&compared.world, contract))]);
        production::belongs_to(server, &[]);
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found().len(), said.counts().extra), (3, 3), "{:?}", said.found());
        put_right(&compared, 3).await;
    });
}

#[test]
fn a_link_that_tells_of_it_in_the_recycle_bin_is_found_and_concealed() {
    run(async {
        let compared = Compared::after(story()).await;
        let (server, tenant) = (&compared.world.content_server, compared.world.iconik());
        let (contract, link) = (node(server, CONTRACT), link(tenant));
        tenant.with_state(|state| state.delete(EDITOR, "assets", &link)).expect("it goes");
        production::classify(server, contract);
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Different, called(&compared.world, contract))]);
        put_right(&compared, 1).await;
        let title = tenant.with_state(|state| state.assets.get(&link).map(|asset| asset["title"].clone()));
        assert!(title.is_none_or(|title| !title.to_string().contains("contract")));
    });
}

#[test]
fn what_people_made_is_a_persons_business() {
    run(async {
        let compared = Compared::after(story()).await;
        let (server, tenant) = (&compared.world.content_server, compared.world.iconik());
        let contract = node(server, CONTRACT);
        let (collection, called) =
            (production::collection(tenant, COLLECTION), called(&compared.world, contract));
        let object = |value: Value| value.as_object().cloned().expect("an object");
        tenant.with_state(|state| {
            let double = json!({
                "title": "Contract, once more", "type": "LINK", "external_link": address(contract),
                "external_id": called,
            });
            state.create_asset(EDITOR, object(double)).expect("an asset");
            let field = ("collections", collection.as_str());
            let mut values = state.values_of(field, FIELD);
            // Theirs stays, and is nobody's business; a document that is shown as an asset is not shown here too.
            values.extend([json!("https://example.com/brief"), json!(address(contract))]);
            let values: Vec<Value> = values.into_iter().map(|value| json!({"value": value})).collect();
            let values = object(json!({FIELD: {"field_values": values}}));
            state.write_values(EDITOR, field, GOVERNANCE_VIEW, &values, false).expect("written");
        });
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        let extra = |name: String| (Kind::Extra, name);
        let shown = format!("node {contract} in the field {FIELD}");
        assert_eq!(said.found(), [extra(called), extra(shown)]);
        assert!(said.report.findings.iter().all(|finding| finding.repair.action == Action::Person));
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn what_was_put_aside_is_not_missing() {
    run(async {
        let compared = Compared::after(Scenario {
            prepare: |world| {
                let nowhere = "5f0c8f30-7a51-11f0-ffff-0242ac120002";
                production::belongs_to(&world.content_server, &[nowhere]);
                let folder = format!("{WORKSPACE}/Contracts");
                let content = vec![b"%PDF-1.7".to_vec()];
                repository::document(
                    &world.content_server,
                    &folder,
                    "Drying contract.pdf",
                    "application/pdf",
                    &content,
                );
            },
            messages: |world| {
                vec![messages::node_change(FLOW, node(&world.content_server, CONTRACT), None, "first")]
            },
            ..story()
        })
        .await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().accounted), (vec![], 1));
    });
}

#[test]
fn no_fault_makes_a_difference_of_what_is_shown() {
    run(faults::every_call(story()));
}
