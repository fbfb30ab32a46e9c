//! `file-rights`: the rights that iconik has of approved assets, and what is filed of them beside their finals.

use iconik_content_server::FILE_RIGHTS;
use serde_json::{Value, json};
use shared::reconcile::{Action, Kind, Options};
use simulators::{
    content_server::state::{ADMIN, Permission},
    iconik::seed::{
        PRODUCER,
        media::SHORT,
        metadata::{GOVERNANCE_VIEW, RIGHTS_VIEW},
    },
};
use tests::{
    released, repository,
    storm::{Scenario, World},
};

use crate::{
    approved::{decide, hint, id, untold},
    side::{Compared, repairing, run},
};

/// The packaged rules, for a final that was filed by hand.
const RULES: &str = include_str!("../flows/rights-rules.toml");
const RELEASE: &str = "Talent release";

fn filed(world: &World, until: &str) {
    released::plant(&world.content_server);
    released::file_final(&world.content_server, world.iconik(), SHORT);
    released::clear(world.iconik(), SHORT);
    released::release(world.iconik(), SHORT, RELEASE, Some(until));
}

fn told(world: &World) -> Vec<String> {
    vec![hint(world, "file-rights", SHORT, "1")]
}

pub(crate) fn story() -> Scenario {
    let prepare = |world: &World| filed(world, "2033-05-31");
    Scenario::of_iconik("rights", &FILE_RIGHTS, RULES, prepare, told, (1, 0, 0))
}

/// The same with a release whose last day is the first day of the story.
fn until_today() -> Scenario {
    Scenario { prepare: |world| filed(world, "2031-05-06"), ..story() }
}

fn describe(world: &World, values: &Value) {
    released::describe(world.iconik(), SHORT, RIGHTS_VIEW, values);
}

/// What the final is called.
fn film() -> String {
    format!("{SHORT}.mov")
}

/// The node of something beside the final, by a part of its name.
fn beside(world: &World, part: &str) -> i64 {
    world.content_server.with_state(|state| {
        let mut nodes = state.nodes.values();
        let found =
            nodes.find(|node| node.name.contains(part) && state.path_of(node.id).contains(released::FINALS));
        found.expect("the document").id
    })
}

fn delete(world: &World, node: i64) {
    world.content_server.with_state(|state| state.delete(ADMIN, node)).expect("deleted");
}

#[test]
fn what_is_filed_agrees() {
    run(async {
        let compared = Compared::after(story()).await;
        for deep in [false, true] {
            let said = compared.compare(Options { deep, ..Options::default() }).await;
            assert_eq!(said.found(), [], "{deep}");
            let counts = said.counts();
            // The statement and the release; the rights, what the final says, and what iconik shows.
            assert_eq!((counts.equal, counts.alike, counts.accounted), (2, 3, 0), "{counts:?}");
        }
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn rights_nobody_told_of_are_missing_and_are_filed_when_the_flow_looks() {
    run(async {
        let compared = Compared::after(untold(story())).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Missing, SHORT.to_owned())]);
        assert_eq!(said.finding(SHORT).repair.action, Action::LookAgain);
        assert_eq!(compared.repaired(1).await.found(), []);
    });
}

#[test]
fn rights_that_changed_since_are_different_and_get_their_revision() {
    run(async {
        let compared = Compared::after(story()).await;
        describe(&compared.world, &json!({"LicenceNumber": "LIC-0043"}));
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Different, SHORT.to_owned())]);
        let what: Vec<_> = said.finding(SHORT).differences.iter().map(|one| one.what.as_str()).collect();
        assert_eq!(what, ["version"]);
        assert!(!serde_json::to_string(&said.report).expect("JSON").contains("LIC-0043"));
        assert_eq!(compared.repaired(1).await.found(), []);
    });
}

#[test]
fn a_last_day_that_is_over_is_different_until_access_is_narrowed() {
    run(async {
        let compared = Compared::after(until_today()).await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
        compared.hours(24).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Different, SHORT.to_owned())]);
        assert_eq!(said.finding(SHORT).differences[0].what, "state");
        assert_eq!(compared.repaired(1).await.found(), []);
        // Somebody lets everybody see it again.
        let world = &compared.world;
        let node = beside(world, &film());
        world.content_server.with_state(|state| {
            let there = state.nodes.get_mut(&node).expect("the final");
            there.permissions.public = Some([Permission::See].into_iter().collect());
        });
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Different, film())]);
        let finding = said.finding(&film());
        assert_eq!((finding.differences[0].what.as_str(), finding.repair.action), ("state", Action::Person));
    });
}

#[test]
fn documents_that_were_removed_are_a_persons_business() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        for part in ["statement", "Talent release.pdf"] {
            delete(world, beside(world, part));
        }
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        let missing = |name: &str| (Kind::Missing, name.to_owned());
        let statement = format!("{SHORT}: rights statement");
        assert_eq!(said.found(), [missing(&statement), missing("Talent release.pdf")]);
        assert!(said.report.findings.iter().all(|finding| finding.repair.action == Action::Person));
        assert_eq!(said.counts().queued, 0);
        // And the final itself.
        delete(world, beside(world, &film()));
        compared.hours(3).await;
        let found = compared.compare(Options::default()).await.found();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.iter().all(|(kind, _)| *kind == Kind::Missing), "{found:?}");
    });
}

#[test]
fn what_a_final_says_and_what_iconik_shows_are_compared_field_by_field() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        let server = &world.content_server;
        repository::set_value(server, beside(world, &film()), "Rights of Final", "State", json!("Lapsed"));
        describe(world, &json!({"UsageBlocked": true}));
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Metadata, SHORT.to_owned()), (Kind::Metadata, film())]);
        let fields = |name: &str| {
            let found = said.report.findings.iter().find(|finding| finding.name == name).expect("it");
            found.differences.iter().map(|one| one.what.clone()).collect::<Vec<_>>()
        };
        assert_eq!(fields(&film()), ["Rights of Final:State"]);
        assert_eq!(fields(SHORT), ["UsageBlocked"]);
    });
}

#[test]
fn what_was_filed_of_an_asset_that_is_gone_stays_and_its_last_day_holds() {
    run(async {
        let compared = Compared::after(until_today()).await;
        let world = &compared.world;
        let film = id(world, SHORT);
        world.iconik().with_state(|state| state.delete(PRODUCER, "assets", &film)).expect("in the bin");
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), []);
        assert_eq!(said.counts().accounted, 1);
        compared.hours(24).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Extra, format!("asset {film}"))]);
        assert_eq!(said.finding(&film).repair.action, Action::LookAgain);
        assert_eq!(compared.repaired(1).await.found(), []);
    });
}

#[test]
fn what_is_not_yet_to_be_there_is_not_missing() {
    run(async {
        let compared = Compared::after(untold(story())).await;
        let world = &compared.world;
        // The final is not filed yet.
        released::describe(world.iconik(), SHORT, GOVERNANCE_VIEW, &json!({"ContentServerNode": null}));
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().accounted), (vec![], 1));
        // Nobody has approved it.
        decide(world, SHORT, 2, "NOT_APPROVED");
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().accounted), (vec![], 0));
    });
}
