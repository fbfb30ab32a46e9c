//! Why `file-rights` leaves something alone, waits for it or puts it aside; what it finds by itself, and what it does about an
//! asset that cannot be asked any more.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use iconik_content_server::{FILE_RIGHTS, rights_rules::SAMPLE};
use serde_json::{Value, json};
use simulators::{
    content_server::state::Permission,
    faults::{Action, Rule},
    iconik::seed::{self, media::SHORT, metadata::RIGHTS_VIEW},
};
use tests::{
    released, repository,
    storm::{Drive, Meanwhile, QUARANTINE, Scenario, World, drive},
};
use tokio::sync::Notify;

use crate::file_rights::{RELEASE, RULES, bin, filed, hint, scheduled};

fn story(rules: &'static str, prepare: fn(&World)) -> Scenario {
    Scenario::of_iconik("reasons", &FILE_RIGHTS, rules, prepare, |world| vec![hint(world, "1")], (1, 0, 0))
}

async fn played(story: &Scenario) -> World {
    let world = World::new(story, BTreeMap::new(), None, 1).await;
    play(&world, story).await;
    world
}

async fn play(world: &World, story: &Scenario) {
    for message in (story.messages)(world) {
        world.send(&message).await;
    }
    let (quiet, ()) = tokio::join!(drive(world, story.flow, Drive::default()), world.live(story));
    assert!(quiet, "the queue never becomes quiet");
}

/// The reasons that lie in the quarantine bucket.
fn reasons(world: &World) -> Vec<Value> {
    let objects = world.aws.s3().versions(QUARANTINE).into_iter();
    let reasons = objects.filter(|object| object.key.ends_with(".reason.json"));
    reasons.map(|object| serde_json::from_slice::<Value>(&object.data).unwrap()["reason"].clone()).collect()
}

async fn is_put_aside_as(prepare: fn(&World), code: &str) -> World {
    let world = played(&story(RULES, prepare)).await;
    assert_eq!(world.endings(), [format!("quarantined {code}")]);
    let reasons = reasons(&world);
    assert!(reasons[0]["remedy"].is_string(), "{code} has no remedy: {reasons:?}");
    world
}

async fn is_left_alone_as(prepare: fn(&World), code: &str) {
    let world = played(&story(RULES, prepare)).await;
    assert_eq!(world.endings(), [format!("skipped {code}")]);
    assert!(reasons(&world).is_empty() && statement(&world).is_none());
}

fn statement(world: &World) -> Option<String> {
    let path = format!("{}/Rights/{SHORT} rights statement.html", released::FINALS);
    let node = world.content_server.with_state(|state| state.at(&path).map(|node| node.id))?;
    Some(String::from_utf8(repository::newest_bytes(&world.content_server, node)).expect("a text"))
}

/// What everybody may do with the final.
fn public(world: &World) -> Vec<Permission> {
    let node = repository::at(&world.content_server, &format!("{}/{SHORT}.mov", released::FINALS));
    let rights = repository::node(&world.content_server, node).permissions.public;
    rights.unwrap_or_default().into_iter().collect()
}

fn prepared(world: &World) {
    filed(world, "2033-05-31");
}

fn describe(world: &World, title: &str, values: &Value) {
    released::describe(world.iconik(), title, RIGHTS_VIEW, values);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_approved_deleted_or_not_clear_is_left_alone() {
    is_left_alone_as(
        |world| {
            prepared(world);
            world.iconik().with_state(crate::file_rights::reject);
        },
        "approval.not-approved",
    )
    .await;
    is_left_alone_as(
        |world| {
            prepared(world);
            world.iconik().with_state(bin);
        },
        "asset.in-recycle-bin",
    )
    .await;
    is_left_alone_as(
        |world| {
            prepared(world);
            describe(world, SHORT, &json!({"RightsStatus": "pending"}));
        },
        "rule.none",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_iconik_says_wrong_is_put_aside_by_field() {
    let world = is_put_aside_as(
        |world| {
            prepared(world);
            describe(world, SHORT, &json!({"RightsHolder": null}));
        },
        "missing-value",
    )
    .await;
    assert_eq!(reasons(&world)[0]["field"], "rights.RightsHolder");
    is_put_aside_as(
        |world| {
            prepared(world);
            released::describe(
                world.iconik(),
                SHORT,
                seed::metadata::GOVERNANCE_VIEW,
                &json!({"ContentServerNode": 999_999}),
            );
        },
        "rights.final-gone",
    )
    .await;
    // The view was changed: what cannot be seen is not taken for empty.
    let world = is_put_aside_as(
        |world| {
            prepared(world);
            world.iconik().with_state(|state| {
                let view = state.metadata.views.get_mut(RIGHTS_VIEW).expect("the view");
                let fields = view["view_fields"].as_array_mut().expect("fields");
                fields.retain(|field| field["name"] != "ReleaseExpiry");
            });
        },
        "metadata.field-missing",
    )
    .await;
    assert_eq!(reasons(&world)[0]["field"], "ReleaseExpiry");
}

/// Releases without which the rights of a film are not filed.
fn required() -> &'static str {
    let release = "relation = \"rights_document\"\n";
    assert!(RULES.contains(release));
    RULES.replace(release, &format!("{release}required = true\nexpiry_required = true\n")).leak()
}

/// The final is filed by hand and its rights are cleared; there is no release yet.
fn without_release(world: &World) {
    released::plant(&world.content_server);
    released::file_final(&world.content_server, world.iconik(), SHORT);
    released::clear(world.iconik(), SHORT);
}

/// A release that has everything but a file.
fn release_without_file(world: &World) {
    without_release(world);
    world.iconik().with_state(|state| {
        let given = json!({"title": RELEASE, "type": "ASSET", "category": "document"});
        let release = state.create_asset(seed::EDITOR, given.as_object().cloned().unwrap()).unwrap();
        let film = state.titled(SHORT).unwrap();
        state.relate(seed::EDITOR, &film, released::RELATION, &release, None).unwrap();
    });
    describe(world, RELEASE, &json!({ "ReleaseExpiry": "2033-05-31" }));
}

#[tokio::test(start_paused = true)]
async fn a_required_release_that_is_missing_has_no_last_day_or_no_file_is_put_aside_by_name() {
    let id = |world: &World| world.iconik().with_state(|state| state.titled(RELEASE)).expect("the release");
    let no_day: fn(&World) = |world| {
        without_release(world);
        released::release(world.iconik(), SHORT, RELEASE, None);
    };
    type Change = fn(&World);
    let cases: [(Change, &str); 3] = [
        (without_release, "release.missing"),
        (no_day, "release.no-expiry"),
        (release_without_file, "release.no-file"),
    ];
    for (prepare, code) in cases {
        let story = story(required(), prepare);
        let world = played(&story).await;
        assert_eq!(world.endings(), [format!("quarantined {code}")]);
        let reason = reasons(&world).remove(0);
        let named = match code {
            "release.missing" => released::RELATION.to_owned(),
            "release.no-expiry" => "rights.ReleaseExpiry".to_owned(),
            _ => id(&world),
        };
        assert_eq!(reason["field"], named, "{reason}");
        assert!(reason["remedy"].is_string(), "{reason}");
        assert!(statement(&world).is_none() && said(&world).is_empty(), "{code}: nothing is filed or told");
        assert!(world.made().workflows.is_empty(), "{code}: nobody has a task");

        // What the remedy says is done, and the asset is looked at again.
        match code {
            "release.missing" => drop(released::release(world.iconik(), SHORT, RELEASE, Some("2033-05-31"))),
            "release.no-expiry" => describe(&world, RELEASE, &json!({ "ReleaseExpiry": "2033-05-31" })),
            _ => released::add_file_to(world.iconik(), RELEASE),
        }
        deal_with_another_hint(&world, &story, "2").await;
        assert_eq!(world.endings(), ["delivered".to_owned(), format!("quarantined {code}")]);
        assert!(statement(&world).expect("the statement").contains(RELEASE), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn rights_lapse_when_a_required_release_goes_away_and_last_again_when_there_is_another() {
    let story = story(required(), prepared);
    let world = played(&story).await;
    assert_eq!(world.endings(), ["delivered"]);
    assert_eq!(public(&world), [Permission::See, Permission::SeeContents]);
    let release = world.iconik().with_state(|state| state.titled(RELEASE)).expect("the release");
    released::unrelate(world.iconik(), SHORT, &release);
    deal_with_another_hint(&world, &story, "gone").await;
    assert_eq!(world.endings(), ["delivered"; 2], "it is not put aside: it has lapsed");
    assert!(public(&world).is_empty(), "nobody may use the final any more");
    assert_eq!(world.made().workflows.len(), 1, "somebody has a task");
    let told = said(&world);
    let lapsed = "no release is related to the asset as \"rights_document\"";
    assert!(told.iter().any(|entry| entry.contains("have lapsed") && entry.contains(lapsed)), "{told:?}");
    // Once more, and nobody gets another task.
    deal_with_another_hint(&world, &story, "still gone").await;
    assert_eq!(world.made().workflows.len(), 1);
    assert!(world.endings().contains(&"skipped rights.already-filed".to_owned()), "{:?}", world.endings());

    released::release(world.iconik(), SHORT, "Another release", Some("2034-05-31"));
    deal_with_another_hint(&world, &story, "another").await;
    assert_eq!(public(&world), [Permission::See, Permission::SeeContents], "access is given back");
    assert!(said(&world).iter().any(|entry| entry.contains("last again")), "{:?}", said(&world));
}

#[tokio::test(start_paused = true)]
async fn a_final_that_nobody_files_is_waited_for_and_then_put_aside() {
    let mut story = story(SAMPLE, prepared);
    story.rules =
        SAMPLE.replace("folder = \"Rights\"\n", "folder = \"Rights\"\npatience = \"10 minutes\"\n").leak();
    let world = played(&story).await;
    assert_eq!(world.endings(), ["quarantined rights.final-not-filed"]);
    assert!(statement(&world).is_none());
}

#[tokio::test(start_paused = true)]
async fn the_final_is_what_publish_finals_has_filed_of_the_version() {
    let story = story(SAMPLE, prepared);
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    // As publish-finals remembers it.
    let node = repository::at(&world.content_server, &format!("{}/{SHORT}.mov", released::FINALS));
    let (asset, version, file) = world.iconik().with_state(|state| {
        let asset = state.titled(SHORT).expect("the film");
        let version = crate::publish_finals::version(state, SHORT, 2);
        (asset, version, crate::publish_finals::original(state, SHORT, 2))
    });
    let key = shared::ledger::Key::of(&["iconik", &asset, &version, "format ORIGINAL", &file]);
    let filed =
        json!({"node": node, "version": 1, "sha256": "0", "bytes": 1, "restricted": true}).to_string();
    let transport = world.tap.transport(Arc::new(Notify::new()));
    let ledger = world.environment(transport, world.next_process(), 0).ledger;
    ledger.put_reference("iconik-media", key.digest(), "content-server", &filed).await.expect("noted");
    play(&world, &story).await;
    assert_eq!(world.endings(), ["delivered"]);
    assert!(statement(&world).is_some());
    assert_eq!(public(&world), [Permission::See, Permission::SeeContents]);
}

const GONE: &[Meanwhile] = &[
    Meanwhile {
        after: Duration::from_secs(60),
        what: |world| Box::pin(async { world.iconik().with_state(bin) }),
    },
    Meanwhile {
        after: Duration::from_secs(65),
        what: |world| {
            Box::pin(async {
                tokio::time::advance(Duration::from_secs(17 * 3600)).await;
                world.send(&scheduled(world)).await;
            })
        },
    },
];

#[tokio::test(start_paused = true)]
async fn the_last_days_of_an_asset_that_is_gone_hold_all_the_same() {
    let mut story = story(RULES, |world| filed(world, "2031-05-06"));
    story.meanwhile = GONE;
    let world = played(&story).await;
    assert_eq!(world.endings(), ["delivered", "delivered", "skipped look.done"]);
    assert!(public(&world).is_empty());
    let tasks = world.made().workflows;
    assert!(tasks.len() == 1 && tasks[0].contains(SHORT), "{tasks:?}");
}

/// What the flow said in the history.
fn said(world: &World) -> Vec<String> {
    let history = |fact: &String| Some(fact.split_once(": history CUSTOM ")?.1.to_owned());
    world.made().iconik.iter().filter_map(history).collect()
}

/// iconik refuses these calls from now on.
fn refuse(world: &World, method: &str, path: &str) {
    let refusal = Rule::next(Action::Forbidden).on(method, path).times(u64::MAX);
    world.iconik().faults().add(refusal).expect("a pattern");
}

async fn deal_with_another_hint(world: &World, story: &Scenario, occasion: &str) {
    world.send(&hint(world, occasion)).await;
    assert!(drive(world, story.flow, Drive::default()).await, "the queue never becomes quiet");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_told_is_put_aside_keeps_nothing_from_being_done_and_is_told_once_it_may_be() {
    let story = story(RULES, prepared);
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    refuse(&world, "POST", "/history/");
    play(&world, &story).await;
    assert_eq!(world.endings(), ["quarantined iconik.forbidden"]);
    assert!(statement(&world).is_some(), "what was filed stays");
    assert_eq!(public(&world), [Permission::See, Permission::SeeContents]);
    assert!(said(&world).is_empty());

    // The rights end, and nothing can be told still.
    describe(&world, RELEASE, &json!({ "ReleaseExpiry": "2031-05-01" }));
    deal_with_another_hint(&world, &story, "2").await;
    assert_eq!(world.endings(), ["quarantined iconik.forbidden"; 2]);
    assert!(public(&world).is_empty(), "access is narrowed all the same");
    assert_eq!(world.made().workflows.len(), 1, "and somebody has a task");

    world.iconik().faults().clear();
    deal_with_another_hint(&world, &story, "3").await;
    let said = said(&world);
    assert!(said.len() == 3 && said.iter().any(|entry| entry.contains("have lapsed")), "{said:?}");
    assert!(world.endings().contains(&"skipped rights.already-filed".to_owned()), "{:?}", world.endings());
}

#[tokio::test(start_paused = true)]
async fn rights_that_may_not_be_shown_as_lapsed_are_narrowed_and_shown_once_they_may_be() {
    let story = story(RULES, prepared);
    let world = played(&story).await;
    describe(&world, SHORT, &json!({ "RightsStatus": "pending" }));
    refuse(&world, "PUT", "/metadata/");
    deal_with_another_hint(&world, &story, "doubt").await;
    assert_eq!(world.endings(), ["delivered", "quarantined iconik.forbidden"]);
    assert!(public(&world).is_empty(), "access is narrowed first of all");

    world.iconik().faults().clear();
    deal_with_another_hint(&world, &story, "round").await;
    assert_eq!(world.endings(), ["delivered", "delivered", "quarantined iconik.forbidden"]);
    assert_eq!(world.made().workflows.len(), 1, "one task");
    assert!(said(&world).iter().any(|entry| entry.contains("have lapsed")), "{:?}", said(&world));
}

#[tokio::test(start_paused = true)]
async fn a_statement_names_links_and_keeps_what_people_wrote_from_being_more_than_text() {
    let world = played(&story(RULES, |world| {
        prepared(world);
        let said = "Alle Rechte <b>vorbehalten</b> \u{645}\u{62d}\u{641}\u{648}\u{638}\u{629}\u{202e}desrever";
        describe(world, SHORT, &json!({ "RightsStatement": said }));
        world.iconik().with_state(|state| {
            let link = json!({
                "title": "Agency terms", "type": "LINK", "external_link": "https://agency.example.com/terms?a=1&b=2",
            });
            let link = state.create_asset(seed::EDITOR, link.as_object().cloned().unwrap()).unwrap();
            let film = state.titled(SHORT).unwrap();
            state.relate(seed::EDITOR, &film, released::RELATION, &link, None).unwrap();
        });
    }))
    .await;
    assert_eq!(world.endings(), ["delivered"]);
    let page = statement(&world).expect("the statement");
    assert!(page.contains("&lt;b&gt;vorbehalten&lt;/b&gt;") && !page.contains("<b>"), "{page}");
    assert!(page.contains("<bdi>https://agency.example.com/terms?a=1&amp;b=2</bdi>"), "{page}");
    assert!(page.contains(RELEASE) && page.contains("Agency terms"));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_files_nothing() {
    let story = story(RULES, prepared);
    let world = World::new(&story, BTreeMap::new(), None, 1).await.dry();
    play(&world, &story).await;
    assert!(statement(&world).is_none() && world.made().workflows.is_empty());
}
