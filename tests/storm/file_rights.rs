//! The stories of `file-rights`.

use std::time::Duration;

use iconik_content_server::{FILE_RIGHTS, file_rights::SCHEDULED};
use regex::Regex;
use serde_json::{Value, json};
use simulators::{
    content_server::{self, state::ADMIN},
    iconik::{
        self, State,
        seed::{self, media::SHORT, metadata::RIGHTS_VIEW},
    },
};
use tests::{
    messages, released,
    storm::{Broken, IconikIntervention, Intervention, Made, Meanwhile, Scenario, World},
};

const FLOW: &str = "file-rights";
/// The release.
pub(crate) const RELEASE: &str = "Talent release";
const STATEMENT: &str = "rights statement.html";

/// The packaged rules, for a final that was filed by hand.
pub(crate) const RULES: &str = include_str!("../flows/rights-rules.toml");

const IN_CONTENT_SERVER: &[Intervention] = &[
    Intervention { name: "the final is deleted", act: delete_final },
    Intervention { name: "everybody may read the final", act: open_final },
];

const IN_ICONIK: &[IconikIntervention] = &[
    IconikIntervention { name: "the approval is taken back", act: |iconik| iconik.with_state(reject) },
    IconikIntervention { name: "the asset goes into the recycle bin", act: |iconik| iconik.with_state(bin) },
    IconikIntervention { name: "the release is taken away", act: take_release_away },
    IconikIntervention { name: "the release has ended", act: end_release },
];

const ENDED_AND_RENEWED: &[Meanwhile] = &[
    Meanwhile { after: Duration::from_secs(5), what: |world| Box::pin(dated(world, "2031-05-01")) },
    Meanwhile { after: Duration::from_secs(10), what: |world| Box::pin(dated(world, "2034-05-31")) },
];
const A_DAY_LATER: &[Meanwhile] =
    &[Meanwhile { after: Duration::from_secs(5), what: |world| Box::pin(a_day_later(world)) }];
const NOT_CLEAR: &[Meanwhile] =
    &[Meanwhile { after: Duration::from_secs(5), what: |world| Box::pin(not_clear(world)) }];

fn story(name: &'static str, prepare: fn(&World), clean: (usize, usize, usize)) -> Scenario {
    Scenario {
        interventions: IN_CONTENT_SERVER,
        in_iconik: IN_ICONIK,
        promise: Some(in_order),
        ..Scenario::of_iconik(name, &FILE_RIGHTS, RULES, prepare, |world| vec![hint(world, "1")], clean)
    }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        story("the rights of an approved final are filed", |world| filed(world, "2033-05-31"), (1, 0, 0)),
        Scenario {
            messages: |world| vec![hint(world, "1"), hint(world, "2")],
            ..story("two hints of one final", |world| filed(world, "2033-05-31"), (1, 1, 0))
        },
        story("a release has ended before", |world| filed(world, "2031-05-05"), (1, 0, 0)),
        Scenario {
            meanwhile: ENDED_AND_RENEWED,
            ..story("a release ends and is renewed", |world| filed(world, "2033-05-31"), (3, 2, 0))
        },
        Scenario {
            meanwhile: A_DAY_LATER,
            ..story("the last day of a release passes", |world| filed(world, "2031-05-06"), (2, 1, 0))
        },
        Scenario {
            meanwhile: NOT_CLEAR,
            ..story("rights are not clear any more", |world| filed(world, "2033-05-31"), (2, 0, 0))
        },
    ]
}

// --- what there is ---------------------------------------------------------------------------------------------------

/// The final is filed by hand, its rights are cleared, and it has a release.
pub(crate) fn filed(world: &World, until: &str) {
    released::plant(&world.content_server);
    released::file_final(&world.content_server, world.iconik(), SHORT);
    released::clear(world.iconik(), SHORT);
    released::release(world.iconik(), SHORT, RELEASE, Some(until));
}

pub(crate) fn hint(world: &World, occasion: &str) -> String {
    about(world, SHORT, occasion)
}

pub(crate) fn about(world: &World, title: &str, occasion: &str) -> String {
    let asset = world.iconik().with_state(|state| state.titled(title)).expect("the asset");
    messages::iconik_change(FLOW, "assets", &asset, None, occasion)
}

/// What the schedule sends.
pub(crate) fn scheduled(world: &World) -> String {
    let time = world.context.now().to_string();
    json!({"version": "0", "detail-type": SCHEDULED, "source": "aws.events", "time": time}).to_string()
}

// --- what happens meanwhile ------------------------------------------------------------------------------------------

/// Waits until nothing is under way: a worker looks at an empty queue every 20 seconds.
async fn calm(world: &World) {
    for _ in 0..90 {
        if world.waiting() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
}

/// The release gets another last day, and iconik tells of the release.
async fn dated(world: &World, until: &'static str) {
    calm(world).await;
    released::describe(world.iconik(), RELEASE, RIGHTS_VIEW, &json!({ "ReleaseExpiry": until }));
    world.send(&about(world, RELEASE, until)).await;
}

/// It is tomorrow, and a round follows.
async fn a_day_later(world: &World) {
    calm(world).await;
    tokio::time::advance(Duration::from_secs(17 * 3600)).await;
    world.send(&scheduled(world)).await;
}

/// Somebody doubts the rights, and iconik tells of it.
async fn not_clear(world: &World) {
    calm(world).await;
    released::describe(world.iconik(), SHORT, RIGHTS_VIEW, &json!({ "RightsStatus": "pending" }));
    world.send(&hint(world, "doubt")).await;
}

// --- what people do --------------------------------------------------------------------------------------------------

/// What the final is called.
pub(crate) fn document_name() -> String {
    format!("{SHORT}.mov")
}

fn document(state: &content_server::State) -> Option<i64> {
    state.at(&format!("{}/{}", released::FINALS, document_name())).map(|node| node.id)
}

fn delete_final(server: &content_server::Simulator) {
    server.with_state(|state| {
        if let Some(node) = document(state) {
            state.delete(ADMIN, node).expect("deleted");
        }
    });
}

/// Whatever the flow has done about it so far.
fn open_final(server: &content_server::Simulator) {
    server.with_state(|state| {
        if let Some(node) = document(state) {
            let rights = [content_server::state::Permission::See].into_iter().collect();
            state.nodes.get_mut(&node).expect("the final").permissions.public = Some(rights);
        }
    });
}

pub(crate) fn reject(state: &mut State) {
    let asset = state.titled(SHORT).expect("the asset");
    let version = state.current_version_of(&asset).map(|version| version.to_owned());
    let Ok(key) = state.approval_key("assets", &asset, version.as_deref()) else { return };
    for reviewer in [seed::PRODUCER, seed::REVIEWER] {
        let _ = state.decide(reviewer, &key, "NOT_APPROVED");
    }
}

pub(crate) fn bin(state: &mut State) {
    let asset = state.titled(SHORT).expect("the asset");
    let _ = state.delete(seed::PRODUCER, "assets", &asset);
}

fn take_release_away(iconik: &iconik::Simulator) {
    iconik.with_state(|state| {
        let (film, release) = (state.titled(SHORT), state.titled(RELEASE));
        if let (Some(film), Some(release)) = (film, release) {
            let _ = state.unrelate(seed::PRODUCER, &film, released::RELATION, &release);
        }
    });
}

/// The last day of a release that people say has ended.
const ENDED: &str = "2031-04-01";

fn end_release(iconik: &iconik::Simulator) {
    released::describe(iconik, RELEASE, RIGHTS_VIEW, &json!({ "ReleaseExpiry": ENDED }));
}

// --- what must hold --------------------------------------------------------------------------------------------------

/// Nothing is filed or asked for twice; the final says how it stands, and who may use it agrees with that. Where nothing was
/// put aside and nobody came in between, both systems are as in the clean run.
fn in_order(world: &World, clean: &Made) -> Result<(), Broken> {
    let made = world.made();
    let broken = |what: String| {
        Err(Broken(format!("{what} ({:?}).\n--- clean\n{clean}\n--- seen\n{made}", world.endings())))
    };
    for (index, title) in made.workflows.iter().enumerate() {
        if made.workflows.iter().skip(index + 1).any(|other| other == title) {
            return broken(format!("{title} was started twice"));
        }
    }
    for (index, version) in made.versions.iter().enumerate() {
        if made.versions.iter().skip(index + 1).any(|other| other == version) {
            return broken(format!("{} was filed twice", version.0));
        }
    }
    let (told, wanted) = (told(&made.iconik), told(&clean.iconik));
    for (index, fact) in told.iter().enumerate() {
        if told.iter().skip(index + 1).any(|other| other == fact) {
            return broken(format!("{fact} was told twice"));
        }
    }
    let given_up =
        world.endings().iter().any(|one| one.starts_with("quarantined") || one.starts_with("failed"));
    let given_up = given_up || !world.dead_letters().is_empty();
    if given_up || is_touched(world) {
        return Ok(());
    }
    if let Some(fault) = disagreement(world) {
        return broken(fault);
    }
    // Somebody ended the release, the flow saw it, and then it was renewed: more was done and told than in the clean run.
    if told.iter().any(|fact| fact.contains(ENDED)) {
        return Ok(());
    }
    let is_nothing_made = told.is_empty() && made.versions.len() == 1 && made.workflows.is_empty();
    if is_nothing_made && is_first_seen_unclear(world) {
        return Ok(());
    }
    if comparable(&made) != comparable(clean) {
        return broken("Content Server differs from a clean run".to_owned());
    }
    if told != wanted {
        return broken(format!("iconik is told {told:?} instead of {wanted:?}"));
    }
    Ok(())
}

/// What is in Content Server, without numbers of nodes, which follow from what was made before: the final says them, and so
/// does the statement.
fn comparable(made: &Made) -> (Vec<String>, Vec<(&str, &str)>, &[String]) {
    let number = Regex::new("\\b1000[0-9]{2}\\b").expect("a pattern");
    let lines = made.lines.iter().map(|line| {
        let is_statement = line.lines().next().is_some_and(|first| first.contains(STATEMENT));
        let told = line.lines().filter(|line| !is_statement || !line.starts_with("  content "));
        number.replace_all(&told.collect::<Vec<_>>().join("\n"), "#").into_owned()
    });
    let versions = made
        .versions
        .iter()
        .map(|(path, sha256)| (path.as_str(), if path.contains(STATEMENT) { "" } else { sha256.as_str() }));
    (lines.collect(), versions.collect(), &made.workflows)
}

/// What the final and the statement say, and whether that is so.
fn disagreement(world: &World) -> Option<String> {
    world.content_server.with_state(|state| {
        let node = document(state)?;
        let said = state.value_of(node, "Rights of Final", "State").and_then(Value::as_str)?;
        let folder = state.at(&format!("{}/Rights", released::FINALS))?.id;
        let filed = state.children(folder);
        let statement = filed.iter().find(|node| node.name.contains(STATEMENT))?;
        if state.value_of(node, "Rights of Final", "Statement") != Some(&json!(statement.id)) {
            return Some("the final names another statement".to_owned());
        }
        let page = statement.latest()?.content.bytes().ok()?.to_vec();
        let page = String::from_utf8(page).ok()?;
        let mut releases = filed.iter().filter(|node| node.id != statement.id);
        if let Some(release) = releases.find(|node| !page.contains(&format!("document {})", node.id))) {
            return Some(format!("the statement does not name document {}", release.id));
        }
        let public = state.nodes.get(&node)?.permissions.public.clone().unwrap_or_default();
        match (said, public.is_empty()) {
            ("Current", false) | ("Lapsed", true) => None,
            (said, _) => Some(format!("its rights are {said}, and everybody may {public:?}")),
        }
    })
}

/// Whether the flow first looked when the rights were not clear any more: then there is nothing to file beside the final.
fn is_first_seen_unclear(world: &World) -> bool {
    let is_unclear = world.iconik().with_state(|state| {
        let film = state.titled(SHORT).unwrap_or_default();
        state.values_of(("assets", &film), "RightsStatus") == [json!("pending")]
    });
    let endings = world.endings();
    is_unclear && !endings.is_empty() && endings.iter().all(|one| one == "skipped rule.none")
}

/// Whether people came in between.
fn is_touched(world: &World) -> bool {
    let in_iconik = world.iconik().with_state(|state| {
        let film = state.titled(SHORT).unwrap_or_default();
        let version = state.current_version_of(&film).map(|version| version.to_owned());
        let key = state.approval_key("assets", &film, version.as_deref());
        let approved = key.is_ok_and(|key| {
            state.review.approvals.get(&key).is_some_and(|approval| approval.status == "APPROVED")
        });
        let release = state.titled(RELEASE).unwrap_or_default();
        let until = state.values_of(("assets", &release), "ReleaseExpiry");
        let is_related = state.relation(&film, released::RELATION, &release).is_some();
        !approved || !is_related || until == [json!(ENDED)] || state.is_deleted("assets", &film)
    });
    let in_content_server = world.content_server.with_state(|state| {
        let seen = content_server::state::Permission::See;
        document(state).is_none_or(|node| {
            let public = state.nodes.get(&node).and_then(|node| node.permissions.public.clone());
            public.is_some_and(|rights| rights.into_iter().eq([seen]))
        })
    });
    in_iconik || in_content_server
}

/// What iconik is told by the flow.
fn told(facts: &[String]) -> Vec<String> {
    let ours =
        facts.iter().filter(|fact| fact.contains(": history CUSTOM ") || fact.contains(": metadata Usage"));
    ours.cloned().collect()
}
