//! The stories of `publish-finals`.

use std::collections::BTreeSet;

use iconik_content_server::PUBLISH_FINALS;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::iconik_change::IconikChange;
use simulators::iconik::{
    self, State,
    seed::{
        self,
        media::{MASTER, SHORT},
        metadata::CAMPAIGN_VIEW,
    },
    state::{Object, media::Kind},
};
use tests::{
    media_archive, messages,
    storm::{Broken, IconikIntervention, Made, Scenario, World},
};

/// One short film, its preview and its poster, into the folder of its campaign.
pub(crate) const RULES: &str = r#"
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
]

[permission_templates.finals]
public = ["see", "see_contents"]
assigned = [{ group = "Archive", rights = ["see", "see_contents", "modify"] }]

[lookups.rights]
cleared = "Cleared for use"
restricted = "Restricted use"
"#;

/// Where versions of an asset become versions of a document. Nothing is read of the metadata: that of the older version
/// is not described.
const VERSIONS: &str = r#"
[shown]
view = "5f0c8f30-7a51-11f0-c005-0242ac120002"
node = "ContentServerNode"
state = "ContentServerState"
incomplete = "not_filed"

[[rule]]
name = "finals"
target = { folder = "Enterprise:Marketing/Films", create = true }

[[rule.content]]
format = "ORIGINAL"
document.name = "{asset.title}.{media.extension}"

[[rule.category]]
path = "Marketing/Final Media"
fields = [
  { to = "Asset", from = "asset.id" },
  { to = "Asset Version", from = "version.number", as = "integer" },
  { to = "Rendition", from = "media.part" },
  { to = "Rights Status", value = "Cleared for use" },
]
"#;

const PEOPLE: &[IconikIntervention] = &[
    IconikIntervention { name: "the approval is taken back", act: |iconik| iconik.with_state(reject) },
    IconikIntervention { name: "the asset goes into the recycle bin", act: |iconik| iconik.with_state(bin) },
    IconikIntervention { name: "the file is opened again", act: |iconik| iconik.with_state(reopen) },
    IconikIntervention { name: "somebody aborts the jobs", act: |iconik| iconik.with_state(abort) },
    IconikIntervention { name: "a new version", act: |iconik| iconik.with_state(add_version) },
];

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            in_iconik: PEOPLE,
            promise: Some(only_the_approved),
            ..Scenario::of_iconik(
                "an approved final is filed with its poster",
                &PUBLISH_FINALS,
                RULES,
                prepare,
                |world| vec![approved(world, SHORT, "1")],
                (1, 0, 0),
            )
        },
        Scenario {
            promise: Some(only_the_approved),
            ..Scenario::of_iconik(
                "one approval is told twice, and another asset is not approved",
                &PUBLISH_FINALS,
                RULES,
                prepare,
                |world| {
                    vec![
                        approved(world, SHORT, "1"),
                        approved(world, SHORT, "2"),
                        approved(world, MASTER, "3"),
                    ]
                },
                (1, 2, 0),
            )
        },
        Scenario {
            promise: Some(only_the_approved),
            ..Scenario::of_iconik(
                "both versions of a final are approved",
                &PUBLISH_FINALS,
                VERSIONS,
                |world| {
                    prepare(world);
                    world.iconik().with_state(approve_first);
                },
                |world| vec![of_version(world, SHORT, 1, "1"), of_version(world, SHORT, 2, "2")],
                (2, 0, 0),
            )
        },
    ]
}

/// The hint that an asset was approved.
pub(crate) fn approved(world: &World, title: &str, occasion: &str) -> String {
    let id = id(world, title);
    messages::iconik_change("publish-finals", "assets", &id, Some("publish"), occasion)
}

pub(crate) fn of_version(world: &World, title: &str, number: i64, occasion: &str) -> String {
    let version = world.iconik().with_state(|state| version(state, title, number));
    let change = IconikChange {
        version_id: Some(version),
        ..IconikChange::about("assets", &id(world, title), Some("publish"), occasion)
    };
    let context = shared::context::Context::system();
    change.envelope("tests", "publish-finals", &context).expect("an envelope")
}

pub(crate) fn id(world: &World, title: &str) -> String {
    world.iconik().with_state(|state| state.titled(title)).expect("it is seeded")
}

/// The id of a version.
pub(crate) fn version(state: &State, title: &str, number: i64) -> String {
    let asset = state.titled(title).and_then(|id| state.assets.get(&id)).expect("the asset");
    let versions = asset["versions"].as_array().expect("versions");
    let found = versions.iter().find(|version| version["version_number"] == number).expect("the version");
    found["id"].as_str().expect("an id").to_owned()
}

pub(crate) fn map(value: Value) -> Object {
    value.as_object().cloned().expect("an object")
}

/// Sets values of an asset in a view, as the editor.
pub(crate) fn describe(state: &mut State, title: &str, view: &str, values: &Value) {
    let id = state.titled(title).expect("the asset");
    let entries = map(values.clone())
        .into_iter()
        .map(|(name, value)| (name, json!({"field_values": [{"value": value}]})));
    state.write_values(seed::EDITOR, ("assets", &id), view, &entries.collect(), false).expect("values");
}

/// The places are there, and the rights of the short film are clear.
pub(crate) fn prepare(world: &World) {
    media_archive::plant(&world.content_server);
    world.iconik().with_state(|state| {
        describe(state, SHORT, CAMPAIGN_VIEW, &json!({"RightsStatus": "cleared"}));
    });
}

fn decide(state: &mut State, version: &str, status: &str) {
    let asset = state.titled(SHORT).expect("the asset");
    let Ok(key) = state.approval_key("assets", &asset, Some(version)) else { return };
    for reviewer in [seed::PRODUCER, seed::REVIEWER] {
        let _ = state.decide(reviewer, &key, status);
    }
}

pub(crate) fn reject(state: &mut State) {
    let version = version(state, SHORT, 2);
    decide(state, &version, "NOT_APPROVED");
}

fn approve_first(state: &mut State) {
    let version = version(state, SHORT, 1);
    decide(state, &version, "APPROVED");
}

pub(crate) fn bin(state: &mut State) {
    let asset = state.titled(SHORT).expect("the asset");
    state.delete(seed::PRODUCER, "assets", &asset).expect("deleted");
}

fn add_version(state: &mut State) {
    let asset = state.titled(SHORT).expect("the asset");
    state.add_version(seed::EDITOR, &asset, &Object::new()).expect("a version");
}

/// Somebody writes to the file again.
pub(crate) fn reopen(state: &mut State) {
    let asset = state.titled(SHORT).expect("the asset");
    let file = original(state, SHORT, 2);
    state.edit_file(seed::EDITOR, &asset, &file, map(json!({"status": "GROWING"}))).expect("opened");
}

pub(crate) fn abort(state: &mut State) {
    let jobs: Vec<String> = state
        .jobs
        .objects()
        .filter(|job| job["status"] == "STARTED" && job["type"] == "CUSTOM")
        .map(|job| job["id"].as_str().expect("an id").to_owned())
        .collect();
    for job in jobs {
        state.edit_job(seed::EDITOR, &job, map(json!({"status": "ABORT_PENDING"})), false).expect("aborted");
    }
}

/// The file of the original of a version.
pub(crate) fn original(state: &State, title: &str, number: i64) -> String {
    let version = version(state, title, number);
    let formats = state.media.formats.objects();
    let format = formats
        .filter(|format| format["version_id"] == *version && format["name"] == "ORIGINAL")
        .map(|format| format["id"].clone())
        .next()
        .expect("the format");
    let mut files = state.media.files.objects().filter(|file| file["format_id"] == format);
    files.next().expect("the file")["id"].as_str().expect("an id").to_owned()
}

fn sha256_of(state: &State, kind: Kind, id: &str) -> Option<String> {
    let stored = state.stored(kind, id)?;
    Some(hex::encode(Sha256::digest(stored.content.bytes().ok()?)))
}

/// Every content that iconik has.
fn contents(iconik: &iconik::Simulator) -> BTreeSet<String> {
    iconik.with_state(|state| {
        let files = state.media.files.ids().into_iter().map(|id| (Kind::File, id));
        let pictures = state.media.keyframes.ids().into_iter().map(|id| (Kind::Keyframe, id));
        let proxies = state.media.proxies.ids().into_iter().map(|id| (Kind::Proxy, id));
        files.chain(pictures).chain(proxies).filter_map(|(kind, id)| sha256_of(state, kind, &id)).collect()
    })
}

/// What is in Content Server is what iconik has, once, of what was approved; whatever could not be filed is told; and no job
/// is left standing. Where everything was delivered, the target is that of the clean run.
fn only_the_approved(world: &World, clean: &Made) -> Result<(), Broken> {
    let made = world.made();
    let broken = |what: String| {
        Err(Broken(format!("{what} ({:?}).\n--- clean\n{clean}\n--- seen\n{made}", world.endings())))
    };
    let known = contents(world.iconik());
    if let Some((path, _)) = made.versions.iter().find(|(_, sha256)| !known.contains(sha256)) {
        return broken(format!("{path} has bytes that nobody has"));
    }
    let mut rest = clean.versions.clone();
    for version in &made.versions {
        match rest.iter().position(|wanted| wanted == version) {
            Some(at) => drop(rest.remove(at)),
            None => return broken(format!("{} is there too often, or was not approved", version.0)),
        }
    }
    if let Some(job) = made.jobs.iter().find(|job| !is_over(job)) {
        return broken(format!("a job is left standing: {job}"));
    }
    let finished = |made: &Made| made.jobs.iter().filter(|job| job.contains(": FINISHED ")).count();
    if finished(&made) >= finished(clean) && made.versions != clean.versions {
        return broken("a job says that it is finished, and not all of it is there".to_owned());
    }
    let endings = world.endings();
    let delivered = endings.iter().filter(|ending| *ending == "delivered").count();
    let expected = world.expected().0;
    if delivered < expected {
        let given_up = endings.iter().any(|one| one.starts_with("quarantined") || one.starts_with("failed"));
        // The later version came first, and the one before it is not filed any more.
        let overtaken = endings.iter().filter(|ending| *ending == "skipped version.superseded").count();
        let is_overtaken = delivered > 0 && delivered + overtaken >= expected;
        if given_up || is_overtaken || !world.dead_letters().is_empty() || is_stopped(world) {
            return Ok(());
        }
        return broken("nobody stopped it, and not all of it is delivered".to_owned());
    }
    if made.lines != clean.lines || made.versions != clean.versions {
        return broken("the target differs from that of a clean run".to_owned());
    }
    let (told, wanted) = (told(&made.iconik), told(&clean.iconik));
    if told != wanted {
        return broken(format!("iconik is told {told:?} instead of {wanted:?}"));
    }
    Ok(())
}

/// Whether a person did something because of which less is filed.
fn is_stopped(world: &World) -> bool {
    world.iconik().with_state(|state| {
        let asset = state.titled(SHORT).expect("the asset");
        let version = version(state, SHORT, 2);
        let key = state.approval_key("assets", &asset, Some(&version));
        let approval = key.ok().and_then(|key| state.review.approvals.get(&key));
        let file = state.media.files.get(&original(state, SHORT, 2)).expect("the file");
        let is_aborted = |job: &Object| job["type"] == "CUSTOM" && job["status"] == "ABORTED";
        approval.is_none_or(|approval| approval.status != "APPROVED")
            || state.is_deleted("assets", &asset)
            || file["status"] != "CLOSED"
            || state.current_version_of(&asset) != Some(version.clone())
            || state.jobs.objects().any(is_aborted)
    })
}

fn is_over(job: &str) -> bool {
    job.starts_with('-')
        || ["FINISHED", "FINISHED_WITH_WARNING", "FAILED", "ABORTED"]
            .iter()
            .any(|status| job.contains(&format!(": {status} ")))
}

/// What iconik is told by the flow, whatever people and its own downloads tell besides; without numbers of nodes, which
/// follow from what was made before.
fn told(facts: &[String]) -> Vec<String> {
    let number = regex::Regex::new("[0-9]{4,}").expect("a pattern");
    let ours = facts
        .iter()
        .filter(|fact| fact.contains(": history CUSTOM ") || fact.contains(": metadata ContentServer"));
    ours.map(|fact| number.replace_all(fact, "#").into_owned()).collect()
}
