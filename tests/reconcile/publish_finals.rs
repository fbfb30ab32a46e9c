//! `publish-finals`: files of approved versions, their documents, and what iconik is told of them.

use iconik_content_server::PUBLISH_FINALS;
use serde_json::{Value, json};
use shared::reconcile::{Action, Kind, Options};
use simulators::{
    content_server::{
        Blob,
        state::{ADMIN, External, NewNode, NewVersion, Node, kind},
    },
    iconik::seed::{
        EDITOR,
        media::{MASTER, SHORT},
        metadata::{CAMPAIGN_VIEW, GOVERNANCE_VIEW},
    },
};
use tests::{
    media_archive, released, repository,
    storm::{Scenario, World},
};

use crate::{
    approved::{decide, hint, id, map, originals, untold},
    side::{Compared, repairing, run},
};

const RULES: &str = r#"
[views]
campaign = "5f0c8f30-7a51-11f0-c001-0242ac120002"

[shown]
view = "5f0c8f30-7a51-11f0-c005-0242ac120002"
node = "ContentServerNode"
state = "ContentServerState"
incomplete = "not_filed"

[[rule]]
name = "finals"
when = [{ field = "asset.category", is = "final" }]
target = { folder = "Enterprise:Marketing/{campaign.Campaign}", create = true }
permissions = "finals"
classification = "Marketing/Finals"

[[rule.content]]
format = "ORIGINAL"
document.name = "{asset.title} {media.name}"

[[rule.content]]
poster = true
document.name = "{asset.title} poster.{media.extension}"

[[rule.category]]
path = "Marketing/Final Media"
fields = [
  { to = "Asset", from = "asset.id", required = true },
  { to = "Asset Version", from = "version.number", as = "integer", required = true },
  { to = "Rendition", from = "media.part", required = true },
  { to = "Rights Status", from = "campaign.RightsStatus", lookup = "rights", required = true },
  { to = "Region", from = "campaign.Region", multi = true },
  { to = "Rights Expiry", from = "now.date", as = "date" },
]

[permission_templates.finals]
public = ["see", "see_contents"]
assigned = [{ group = "Archive", rights = ["see", "see_contents", "modify"] }]

[lookups.rights]
cleared = "Cleared for use"
restricted = "Restricted use"
"#;

/// The folder of the documents.
const FOLDER: &str = "Marketing/Harbour Lights";

fn prepare(world: &World) {
    media_archive::plant(&world.content_server);
    for film in [SHORT, MASTER] {
        released::describe(world.iconik(), film, CAMPAIGN_VIEW, &json!({"RightsStatus": "cleared"}));
    }
}

pub(crate) fn story() -> Scenario {
    let told = |world: &World| vec![hint(world, "publish-finals", SHORT, "1")];
    Scenario::of_iconik("finals", &PUBLISH_FINALS, RULES, prepare, told, (1, 0, 0))
}

/// The document of the original of the short film.
fn original(world: &World) -> Node {
    let name = format!("{SHORT} {}", film(world));
    repository::node(
        &world.content_server,
        repository::at(&world.content_server, &format!("{FOLDER}/{name}")),
    )
}

/// What the file of the short film is called.
fn film(world: &World) -> String {
    originals(world, SHORT, 2).remove(0).0
}

fn show(world: &World, field: &str, value: Value) {
    released::describe(world.iconik(), SHORT, GOVERNANCE_VIEW, &json!({ field: value }));
}

#[test]
fn what_is_filed_agrees() {
    run(async {
        let compared = Compared::after(story()).await;
        for deep in [false, true] {
            let said = compared.compare(Options { deep, ..Options::default() }).await;
            assert_eq!(said.found(), [], "{deep}");
            let counts = said.counts();
            // The original and the poster; and what iconik is told.
            assert_eq!((counts.equal, counts.alike, counts.accounted), (2, 1, 0), "{counts:?}");
        }
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn an_approval_nobody_told_of_is_missing_and_is_filed_when_the_flow_looks() {
    run(async {
        let compared = Compared::after(untold(story())).await;
        let said = compared.compare(Options::default()).await;
        let found = said.found();
        assert!(found.iter().all(|(kind, _)| *kind == Kind::Missing), "{found:?}");
        assert_eq!(found.len(), 2, "the original and the poster: {found:?}");
        let finding = said.finding(&film(&compared.world));
        assert_eq!((finding.repair.action, finding.repair.safe), (Action::LookAgain, true));
        // Both messages are about one version: one item files both.
        assert_eq!(compared.repaired(2).await.found(), []);
    });
}

#[test]
fn of_an_asset_with_several_files_each_is_told() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        decide(world, MASTER, 3, "APPROVED");
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        for (name, _) in originals(world, MASTER, 3) {
            assert_eq!(said.finding(&name).kind, Kind::Missing);
        }
        assert_eq!(said.counts().equal, 2, "{:?}", said.found());
    });
}

#[test]
fn a_document_that_was_removed_is_a_persons_business() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        let node = original(world);
        world.content_server.with_state(|state| state.delete(ADMIN, node.id)).expect("deleted");
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Missing, film(world))]);
        let finding = said.finding(&film(world));
        assert_eq!(finding.repair.action, Action::Person);
        assert!(finding.explanation.contains(&node.id.to_string()), "{}", finding.explanation);
        assert_eq!(said.counts().queued, 0);
    });
}

#[test]
fn other_bytes_and_other_values_are_told_by_name() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        let node = original(world).id;
        let server = &world.content_server;
        repository::set_value(server, node, "Final Media", "Rights Status", json!("Expired"));
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Metadata, film(world))]);
        let fields: Vec<_> = said.finding(&film(world)).differences.iter().map(|one| &one.what).collect();
        assert_eq!(fields, ["Final Media:Rights Status"]);
        server.with_state(|state| {
            let versions = &mut state.nodes.get_mut(&node).expect("the document").versions;
            versions[0].content = Blob::of(b"somebody's".to_vec());
        });
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Different, film(world))]);
        let what: Vec<_> = said.finding(&film(world)).differences.iter().map(|one| &one.what).collect();
        assert!(what.contains(&&"size".to_owned()), "{what:?}");
        assert_eq!(said.finding(&film(world)).repair.action, Action::Person);
    });
}

#[test]
fn a_file_of_the_same_size_that_was_replaced_in_iconik_is_found_by_reading_it() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        let (name, file) = originals(world, SHORT, 2).remove(0);
        world.iconik().with_state(|state| {
            let kind = simulators::iconik::state::media::Kind::File;
            let size = state.stored(kind, &file).expect("its content").content.size;
            let other = vec![7; usize::try_from(size).expect("small")];
            state.put_content(kind, &file, simulators::content::Blob::of(other));
        });
        compared.hours(3).await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
        let deep = compared.compare(Options { deep: true, ..Options::default() }).await;
        assert_eq!(deep.found(), [(Kind::Different, name)]);
    });
}

#[test]
fn what_iconik_is_told_is_compared_and_told_again() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        show(world, "ContentServerNode", Value::Null);
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Different, SHORT.to_owned())]);
        assert_eq!(said.finding(SHORT).repair.action, Action::LookAgain);
        assert_eq!(compared.repaired(1).await.found(), []);
        show(world, "ContentServerNode", json!(4711));
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Different, SHORT.to_owned())]);
        assert_eq!(said.finding(SHORT).repair.action, Action::Person);
    });
}

#[test]
fn a_second_document_of_a_file_is_extra() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        let node = original(world);
        world.content_server.with_state(|state| {
            let content = Blob::of(b"made twice".to_vec());
            let new = NewNode {
                kind: kind::DOCUMENT,
                parent_id: node.parent_id,
                name: "twice.mov".into(),
                external: node.external.clone(),
                version: Some(NewVersion::of("twice.mov", "video/quicktime", content)),
                ..NewNode::default()
            };
            state.create(ADMIN, new).expect("a document");
            // What others file beside it is no business of this flow.
            let content = Blob::of(b"another flow's".to_vec());
            let new = NewNode {
                kind: kind::DOCUMENT,
                parent_id: node.parent_id,
                name: "another.mov".into(),
                external: External { identity: Some("waybill:0123456789abcdef:1:2".into()), ..node.external },
                version: Some(NewVersion::of("another.mov", "video/quicktime", content)),
                ..NewNode::default()
            };
            state.create(ADMIN, new).expect("a document");
        });
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Extra, "twice.mov".to_owned())]);
        assert_eq!(said.counts().queued, 0, "nothing is ever deleted");
    });
}

#[test]
fn what_is_not_yet_to_be_there_is_not_missing() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        let asset = id(world, MASTER);
        for (_, file) in originals(world, MASTER, 3) {
            let growing = map(json!({"status": "GROWING"}));
            world.iconik().with_state(|state| state.edit_file(EDITOR, &asset, &file, growing)).expect("open");
        }
        decide(world, MASTER, 3, "APPROVED");
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        let originals = originals(world, MASTER, 3);
        let is_told = |name: &str| said.found().iter().any(|(_, found)| found == name);
        assert!(originals.iter().all(|(name, _)| !is_told(name)), "{:?}", said.found());
        assert_eq!(said.counts().accounted, 3);
        // Not approved any more: nothing is to be filed, and what was filed stays.
        decide(world, MASTER, 3, "NOT_APPROVED");
        decide(world, SHORT, 2, "NOT_APPROVED");
        compared.hours(3).await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
    });
}
