//! What the vendor leaves open, flow by flow: every story ends as told however Content Server answers an open question of
//! its interface.

use std::collections::BTreeMap;

use shared::node_change::NodeChange;
use simulators::content_server::{
    Settings,
    settings::{
        Envelope, HoldAnswer, NameFilter, NameForms, Throttle, TicketExpiry, Unauthenticated, WorkspaceInput,
    },
};
use tests::storm::{CONTENT, Drive, Scenario, World, clean, drive};

use crate::{
    exchange_review_status, file_rights, offload_content, publish_approved,
    weather::{each, none, wanted},
};

/// One answer to one question.
type Answer = (&'static str, fn(&mut Settings));

const ANSWERS: &[Answer] = &[
    ("tickets that end soon", |theirs| {
        theirs.ticket_expiry = TicketExpiry::Absolute;
        theirs.ticket_lifetime_seconds = 90;
    }),
    ("tickets that live on while they are used", |theirs| theirs.use_prolongs_ticket = true),
    ("a log-in page for an ended session", |theirs| {
        theirs.unauthenticated = Unauthenticated::LoginPage;
        theirs.ticket_lifetime_seconds = 90;
    }),
    ("a redirection for an ended session", |theirs| {
        theirs.unauthenticated = Unauthenticated::Redirect;
        theirs.ticket_lifetime_seconds = 90;
    }),
    ("a bound on each user's calls", |theirs| {
        let retry_after_seconds = Some(1);
        theirs.throttle =
            Throttle { calls: Some(40), per_user: true, retry_after_seconds, ..Throttle::default() };
    }),
    ("downloads with tags and names", |theirs| {
        theirs.etags = true;
        theirs.content_disposition = true;
    }),
    ("bare answers", |theirs| theirs.upload_envelope = Envelope::Flat),
    ("dates without zone", |theirs| theirs.dates_with_zone = false),
    ("category edits that move the date", |theirs| theirs.category_edit_moves_modify_date = true),
    (ADDS_VERSIONS, |theirs| theirs.category_edit_adds_version = true),
    ("rights that move the date", |theirs| theirs.permission_edit_moves_modify_date = true),
    ("moves that take the destination's rights", |theirs| theirs.move_takes_destination_permissions = true),
    ("filters that mind case", |theirs| {
        theirs.name_filters_mind_case = true;
        theirs.node_name_filter = NameFilter::Equals;
        theirs.member_name_filter = NameFilter::Contains;
        theirs.workspace_name_filter = NameFilter::Equals;
    }),
    ("composed names", |theirs| theirs.name_forms = NameForms::Composed),
    ("forms of a letter that are one name", |theirs| theirs.name_forms = NameForms::Alike),
    ("workspaces that read JSON only", |theirs| theirs.workspace_input = WorkspaceInput::Json),
    ("holds that are answered with nothing", |theirs| theirs.hold_answer = HoldAnswer::Nothing),
    ("refusals with other statuses", |theirs| {
        theirs.reserved_status = 423;
        theirs.missing_required_status = 500;
        theirs.record_rules.status = 400;
    }),
    ("official records that take versions", |theirs| theirs.record_rules.official_blocks_version = false),
    ("an audit that needs a right", |theirs| theirs.audit_needs_right = true),
    ("no web reports", |theirs| theirs.modules.web_reports = false),
    ("a bad request for an ended session", |theirs| {
        theirs.unauthenticated_status = 400;
        theirs.ticket_lifetime_seconds = 90;
    }),
    ("parts that must come in order", |theirs| theirs.large_upload.parts_in_order = true),
];

/// Where an edit of a category adds a version, these stories do not end with the versions they are told to end with: people
/// or the flow write values in them. Of most of them it is shown below that they come to rest.
const OF_COUNTED_VERSIONS: &[&str] = &[
    "every version is copied and kept",
    "old versions are purged",
    "a pointer stands for the content",
    "content is called back",
    "content is called back out of an archive",
    "a newer version is not approved by itself",
    "a set is restored",
    "results come back",
    "the rights of an approved final are filed",
    "two hints of one final",
    "a release has ended before",
    "a release ends and is renewed",
    "the last day of a release passes",
    "rights are not clear any more",
    "a review leaves evidence, and each side is told of the other",
    "hints that come together add each event once",
];
const ADDS_VERSIONS: &str = "category edits that add a version";

/// In a shorter storm a story meets one answer in so many, and each answer other stories.
const SHARE: usize = 4;

#[test]
fn every_story_ends_as_told_whatever_the_answer_to_an_open_question() {
    let wanted_answer = std::env::var("STORM_ANSWER").ok();
    let is_whole = ["STORM_SCENARIO", "STORM_ANSWER"].iter().any(|name| std::env::var_os(name).is_some());
    let mut all: Vec<(Scenario, Answer)> = Vec::new();
    for (number, story) in wanted().iter().enumerate() {
        let answers = ANSWERS.iter().enumerate();
        let due = answers.filter(|(turn, _)| is_whole || (number + turn).is_multiple_of(SHARE));
        let due = due.filter(|(_, (name, _))| wanted_answer.as_ref().is_none_or(|wanted| wanted == name));
        let due =
            due.filter(|(_, (name, _))| *name != ADDS_VERSIONS || !OF_COUNTED_VERSIONS.contains(&story.name));
        all.extend(due.map(|(_, answer)| (*story, *answer)));
    }
    none(&each(&all, |(story, (name, switches))| {
        let report = clean(&Scenario { switches: *switches, ..*story });
        let reason = report.outcome.err()?;
        Some(format!("{} ({}), with {name}: {}\n{}", story.name, story.flow.name, reason.0, report.made))
    }));
}

/// What is told of a change of the document, by whom the flow listens to.
type Told = fn(&World, &Scenario, &NodeChange) -> Vec<String>;

/// The change feed of Content Server.
fn by_feed(world: &World, story: &Scenario, change: &NodeChange) -> Vec<String> {
    let message = change.envelope("watch-content-server", story.flow.name, &world.context);
    vec![message.expect("an envelope")]
}

/// A flow says in a category what it did, whoever tells the flow of changes tells of what that made, and so on: that must
/// come to rest. Gives back the versions of a document before each of five rounds.
fn rounds(story: &Scenario, name: &str, told: Told) -> Vec<Vec<i64>> {
    let story = Scenario { switches: |theirs| theirs.category_edit_adds_version = true, ..*story };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let world = World::new(&story, BTreeMap::new(), None, 1).await;
        // Where people act meanwhile, all of it has happened before.
        if !story.meanwhile.is_empty() {
            for message in (story.messages)(&world) {
                world.send(&message).await;
            }
            let (quiet, ()) = tokio::join!(drive(&world, story.flow, Drive::default()), world.live(&story));
            assert!(quiet, "{}", story.name);
        }
        let (mut seen, mut made) = (Vec::new(), Vec::new());
        for round in 0..5 {
            let (node, numbers) = world.content_server.with_state(|state| {
                let document = state.nodes.values().find(|node| node.name == name).expect("the document");
                let numbers: Vec<i64> = document.versions.iter().map(|version| version.number).collect();
                (document.id, numbers)
            });
            let change = NodeChange {
                version: numbers.last().copied(),
                ..NodeChange::about(node, None, round.to_string())
            };
            seen.push(numbers);
            for message in told(&world, &story, &change) {
                world.send(&message).await;
            }
            assert!(drive(&world, story.flow, Drive::default()).await, "{}: {seen:?}", story.name);
            made.push(world.made());
        }
        assert_eq!(seen[2], seen[4], "{}: it never comes to rest", story.name);
        assert_eq!(made[2], made[4], "{}: it never comes to rest", story.name);
        let endings = world.endings();
        assert!(endings.contains(&"delivered".to_owned()), "{}: {endings:?}", story.name);
        let is_given_up = |ending: &String| ending.starts_with("quarantined") || ending.starts_with("failed");
        assert!(!endings.iter().any(is_given_up), "{}: {endings:?}", story.name);
        assert!(world.dead_letters().is_empty(), "{}", story.name);
        let is_kept = story.iconik.is_some() || !world.aws.s3().versions(CONTENT).is_empty();
        assert!(is_kept, "{}: nothing is in S3", story.name);
        seen
    })
}

#[test]
fn offloading_comes_to_rest_where_saying_so_adds_a_version() {
    for (story, left) in offload_content::scenarios().iter().take(3).zip([4, 1, 1]) {
        let story = Scenario { meanwhile: &[], ..*story };
        let seen = rounds(&story, offload_content::NAME, by_feed);
        assert_eq!(seen[4].len(), left, "{}: {seen:?}", story.name);
    }
}

#[test]
fn publishing_comes_to_rest_where_telling_adds_a_version() {
    let stories =
        ["the approved version is published, not the newest", "a newer version is not approved by itself"];
    for story in publish_approved::scenarios().iter().filter(|story| stories.contains(&story.name)) {
        let story = Scenario { meanwhile: &[], ..*story };
        let seen = rounds(&story, publish_approved::STORM, by_feed);
        assert_eq!(
            seen[1].len() + seen[0].len(),
            2 * seen[0].len() + 1,
            "{}: told once: {seen:?}",
            story.name
        );
    }
}

#[test]
fn filing_rights_comes_to_rest_where_saying_so_adds_a_version() {
    let told: Told = |world, _, change| vec![file_rights::hint(world, &format!("round {}", change.occasion))];
    // One for each time that the final says something else of its rights.
    for (story, left) in file_rights::scenarios().iter().zip([2, 2, 2, 4, 3, 3]) {
        let seen = rounds(story, &file_rights::document_name(), told);
        assert_eq!(seen[4].len(), left, "{}: {seen:?}", story.name);
    }
}

#[test]
fn exchanging_reviews_comes_to_rest_where_telling_adds_a_version() {
    let told: Told = |world, story, change| {
        let hint = exchange_review_status::hint(world, &format!("round {}", change.occasion));
        [by_feed(world, story, change), vec![hint]].concat()
    };
    for story in exchange_review_status::scenarios().iter().take(2) {
        let seen = rounds(story, exchange_review_status::FILM, told);
        assert_eq!(seen[4].len(), seen[0].len() + 1, "{}: told once: {seen:?}", story.name);
    }
}
