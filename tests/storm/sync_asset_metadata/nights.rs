//! The real flow with its real clients against both systems: people edit before any of its calls, on either side; what is told of
//! it is late, lost, doubled and out of order; calls fail in every way; two workers work at once. Whatever the night was,
//! both sides end equal or with a recorded conflict that waits; a further look is silent; and nothing that a person wrote is
//! overwritten unless it was recorded before.
//!
//! One edit can be overwritten before the flow sees it: one of the same field in iconik between the last look and the write, as
//! iconik takes no condition. Then it has to be recorded that something was, unless the flow is told that iconik's history does not
//! tell of writes. Such edits are counted. In a whole storm there is a night for each of
//! `STORM_SEEDS`, in a shorter one for every twentieth; `STORM_SEED=n STORM_LOG=info` tells one of them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use iconik_content_server::{
    SYNC_ASSET_METADATA,
    sync_asset_metadata::{content::Content, state::Side},
    sync_rules,
};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use shared::flow::Entry;
use tests::{
    messages,
    paired::{self, CAMPAIGN},
    repository,
    storm::{Drive, Fault, Form, Scenario, World, drive},
};

use super::{
    both::{Contents, Watched},
    campaign,
};
use crate::{
    due::{is_whole, number},
    weather::{each, none},
};

const FLOW: &Entry = &SYNC_ASSET_METADATA;
const QUEUE: &str = "queue";
/// Calls before which somebody may do something, or is watched; more than a night has.
const WATCHED: usize = 4000;
/// Calls among which people are awake and faults are planned.
const AWAKE: usize = 260;

/// What people write: the field, the side, and what.
fn edits() -> Vec<(&'static str, Side, Vec<Value>)> {
    let [here, there] = [Side::ContentServer, Side::Iconik];
    let long = "x".repeat(300);
    vec![
        ("project", there, vec![json!("Café"), json!("Cafe\u{301} "), json!("North"), json!(long)]),
        ("project", here, vec![json!("North"), json!("South\u{202e}"), json!("Café"), json!("")]),
        (
            "campaign",
            there,
            vec![json!("Spring"), json!("אביב \u{2067}2031\u{2069}"), json!("Autumn"), json!(null)],
        ),
        ("campaign", here, vec![json!("Spring"), json!("Winter"), json!("")]),
        ("rights-status", there, vec![json!("cleared"), json!("expired"), json!("pending"), json!(null)]),
        ("rights-status", here, vec![json!("Cleared for use"), json!("Lapsed"), json!("Expired"), json!("")]),
        ("expiry", there, vec![json!("2033-06-30"), json!("2034-01-01"), json!(null)]),
        ("expiry", here, vec![json!("2033-06-30"), json!("2035-05-05"), json!("")]),
        ("keywords", there, vec![json!(["a", "b"]), json!(["b", "a"]), json!(["a; b"]), json!([])]),
        ("keywords", here, vec![json!("a; b"), json!("c"), json!("")]),
        ("region", there, vec![json!(["EMEA"]), json!(["APAC", "EMEA"]), json!([])]),
        ("region", here, vec![json!(["EMEA"]), json!(["Moon"]), json!(["AMER", "APAC"]), json!([])]),
        ("language", there, vec![json!(["en"]), json!(["de", "en"]), json!(["ja"]), json!([])]),
        ("language", here, vec![json!(["English"]), json!(["German", "French"]), json!([])]),
        ("owner", there, vec![json!("studio@example.com"), json!("producer@example.com"), json!(null)]),
        ("owner", here, vec![json!("legal@example.com"), json!("nobody"), json!("")]),
    ]
}

/// How the vendors answer what they leave open.
type Switches = (fn(&mut simulators::content_server::Settings), fn(&mut simulators::iconik::Settings));

const SWITCHES: [Switches; 4] = [
    (|_| (), |_| ()),
    (
        |theirs| theirs.category_edit_moves_modify_date = true,
        |theirs| theirs.metadata_rules.values_as_text = true,
    ),
    (|theirs| theirs.category_edit_adds_version = true, |theirs| theirs.metadata_rules.cleared_stays = true),
    (
        |theirs| theirs.dates_with_zone = false,
        |theirs| theirs.metadata_rules.required = simulators::iconik::settings::Required::All,
    ),
];

/// In one night of so many, iconik's history does not tell of writes; in every second of these the flow is told so.
const WITHOUT_HISTORY: u64 = 11;

fn silent(theirs: &mut simulators::iconik::Settings) {
    theirs.metadata_rules.writes_in_history = false;
}

/// What is known of a night from outside.
struct Log {
    watched: Watched,
    /// What both sides held when they were last looked at, and how many calls they had had by then.
    last: Contents,
    had: u64,
    /// What a person wrote last, by field and side, after how many calls to iconik; until the flow writes there.
    by_person: BTreeMap<(String, Side), usize>,
    /// What the flow knows that both sides held: what it agreed on, with the count of agreements, or wrote.
    agreed: BTreeMap<String, (Option<Content>, u64)>,
    wrote: BTreeMap<String, Content>,
    late: Vec<String>,
    over: bool,
    counts: Counts,
    lost: Vec<String>,
    /// What took the place of something that the flow had not seen: the field, and what it wrote.
    unseen: Vec<(String, Content)>,
    /// The flow knows that it cannot know of these.
    is_untold: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    edits: usize,
    writes: usize,
    conflicts: usize,
    faults: usize,
    unseen: usize,
}

impl Log {
    /// What the flow has written since the last look, and what was lost by it.
    fn look(&mut self) {
        let now = self.watched.contents();
        let changed: Vec<(String, Side)> = now
            .keys()
            .flat_map(|field| Side::BOTH.map(|side| (field.clone(), side)))
            .filter(|(field, side)| now[field].get(*side) != self.last[field].get(*side))
            .collect();
        if changed.is_empty() {
            return;
        }
        let kept = self.watched.kept();
        for (field, side) in changed {
            let (old, new) = (self.last[&field].get(side).clone(), now[&field].get(side).clone());
            shown(|| {
                format!(
                    "the flow: {field} of {}: {old:?} -> {new:?}; kept {:?}",
                    side.name(),
                    kept.state.fields.get(&field)
                )
            });
            self.counts.writes += 1;
            let state = kept.state.fields.get(&field).cloned().unwrap_or_default();
            let (agreed, counted) = (state.agreed, state.revision);
            // What was agreed on since the flow's last write is newer than that, be it the same as before.
            let last = self.agreed.insert(field.clone(), (agreed.clone(), counted));
            let is_newer = !state.unsure && last != Some((agreed.clone(), counted));
            let known = if is_newer { agreed } else { self.wrote.get(&field).cloned().or(agreed) };
            let edited = self.by_person.remove(&(field.clone(), side));
            self.wrote.extend(new.clone().map(|new| (field.clone(), new)));
            let (Some(edited), Some(old)) = (edited, old) else { continue };
            // Before there was any agreement, who has nothing takes what the other has.
            if known.unwrap_or_default() == old || self.watched.is_recorded(&field, side, &old) {
                continue;
            }
            if side == Side::Iconik && !self.was_looked_at(edited) {
                self.unseen.extend(new.map(|new| (field, new)));
                continue;
            }
            self.lost.push(format!("{field}: {old:?} of {} by {new:?}", side.name()));
        }
        self.last = now;
    }

    /// Whether the flow read the asset's metadata after so many calls.
    fn was_looked_at(&self, after: usize) -> bool {
        let path = format!("/API/metadata/v1/assets/{}/views/{}/", self.watched.pair.asset, CAMPAIGN.view);
        let entries = self.watched.media.journal().entries();
        entries.iter().skip(after).any(|entry| entry.method == "GET" && entry.path == path)
    }

    /// Somebody writes; gives what is told of it.
    fn edit(&mut self, call: usize, rng: &mut StdRng) -> Option<String> {
        let all = edits();
        let (field, side, values) = all.choose(rng).expect("some");
        let value = values.choose(rng).expect("one");
        let watched = &self.watched;
        let rule = watched.rules.fields.iter().find(|one| one.rule.name == *field).expect("a field");
        let before = watched.content(rule, *side);
        match side {
            Side::Iconik => {
                let asset = &watched.pair.asset;
                // What iconik refuses did not happen.
                paired::edit(&watched.media, asset, CAMPAIGN.view, &rule.iconik, value).ok()?;
            }
            Side::ContentServer => {
                let (node, category) = (watched.pair.node, CAMPAIGN.category);
                repository::set_value(&watched.server, node, category, &rule.content_server, value.clone());
            }
        }
        let after = watched.content(rule, *side);
        shown(|| format!("call {call}: a person: {field} of {}: {before:?} -> {after:?}", side.name()));
        if after != before {
            self.counts.edits += 1;
            let so_far = watched.media.journal().entries().len();
            self.by_person.insert(((*field).to_owned(), *side), so_far);
        }
        self.last = watched.contents();
        let occasion = format!("{call}");
        Some(match side {
            Side::Iconik => {
                messages::iconik_change(FLOW.name, "assets", &watched.pair.asset, None, &occasion)
            }
            Side::ContentServer => messages::node_change(FLOW.name, watched.pair.node, None, &occasion),
        })
    }

    /// Before a call: what came of the last one, and perhaps a person.
    fn before(&mut self, call: usize, rng: &mut StdRng) {
        let had = self.watched.server.journal().count() + self.watched.media.journal().count();
        // Most calls are AWS's, and leave both sides as they were.
        if had != self.had {
            self.look();
            self.had = had;
        }
        shown(|| format!("call {call}"));
        let send = |body: &str| assert!(self.watched.aws.sqs().send(QUEUE, body).is_some());
        if !self.late.is_empty() && rng.random_ratio(1, 8) {
            let at = rng.random_range(0..self.late.len());
            send(&self.late.swap_remove(at));
        }
        if self.over || call > AWAKE || !rng.random_ratio(1, 14) {
            return;
        }
        let Some(told) = self.edit(call, rng) else { return };
        match rng.random_range(0..10) {
            0..2 => {}
            2..5 => self.late.push(told),
            5..7 => self.late.extend([told.clone(), told]),
            _ => assert!(self.watched.aws.sqs().send(QUEUE, &told).is_some()),
        }
    }
}

fn shown(what: impl Fn() -> String) {
    if std::env::var_os("STORM_LOG").is_some() {
        eprintln!("{}", what());
    }
}

fn calls(world: &World) -> Vec<String> {
    world.tap.calls().into_iter().map(|call| call.what).collect()
}

fn sweep(world: &World, watched: &Watched, round: usize) {
    let occasion = format!("sweep {round}");
    let asset = messages::iconik_change(FLOW.name, "assets", &watched.pair.asset, None, &occasion);
    for body in [asset, messages::node_change(FLOW.name, watched.pair.node, None, &occasion)] {
        assert!(world.aws.sqs().send(QUEUE, &body).is_some());
    }
}

/// Writes of the flow in both systems.
fn writes(world: &World) -> usize {
    let is_write = |what: &String| {
        (what.starts_with("PUT") || what.starts_with("POST"))
            && (what.contains("/metadata/v1/assets/") || what.contains("/categories"))
    };
    calls(world).iter().filter(|what| is_write(what)).count()
}

async fn night(seed: u64) -> Result<Counts, String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let (here, there) = SWITCHES[usize::try_from(seed).expect("small") % SWITCHES.len()];
    let story = Scenario::of_iconik("a night", FLOW, sync_rules::SAMPLE, campaign, |_| Vec::new(), (0, 0, 0));
    let there: fn(&mut simulators::iconik::Settings) =
        if seed.is_multiple_of(WITHOUT_HISTORY) { silent } else { there };
    let story = Scenario { switches: here, iconik: Some(there), ..story };
    let mut plan = BTreeMap::new();
    for _ in 0..rng.random_range(0..6) {
        let form = *[Form::Vendor, Form::Iconik, Form::AwsJson].choose(&mut rng).expect("one");
        plan.insert(rng.random_range(4..AWAKE), *Fault::all(form).choose(&mut rng).expect("one"));
    }
    let world = World::new(&story, plan, None, seed).await;
    let watched = Watched::of(&world, CAMPAIGN).expect("the pair");
    let log = Log {
        last: watched.contents(),
        had: 0,
        watched: watched.clone(),
        by_person: BTreeMap::new(),
        agreed: BTreeMap::new(),
        wrote: BTreeMap::new(),
        late: Vec::new(),
        over: false,
        counts: Counts::default(),
        lost: Vec::new(),
        unseen: Vec::new(),
        is_untold: seed.is_multiple_of(2 * WITHOUT_HISTORY),
    };
    if log.is_untold {
        world.set_iconik(|_| (), r#"{"metadata_writes_in_history": false}"#);
    }
    let (log, people) = (Arc::new(Mutex::new(log)), Arc::new(Mutex::new(rng)));
    for call in 0..WATCHED {
        let (log, people) = (log.clone(), people.clone());
        world.tap.before(call, move || {
            log.lock().expect("no panic").before(call, &mut people.lock().expect("no panic"));
        });
    }
    sweep(&world, &watched, 0);
    let workers = 1 + usize::from(seed.is_multiple_of(3));
    let how = Drive { batch: 10, workers, clock_off: 15 };
    for round in 1..=4 {
        if !drive(&world, FLOW, how).await {
            return Err(format!("it never becomes quiet: {:?}", world.endings()));
        }
        sweep(&world, &watched, round);
    }
    morning(&world, &watched, &log, how).await
}

/// Nobody edits any more and nothing fails; what is late arrives.
async fn morning(
    world: &World,
    watched: &Watched,
    log: &Arc<Mutex<Log>>,
    how: Drive,
) -> Result<Counts, String> {
    world.tap.calm();
    {
        let mut log = log.lock().expect("no panic");
        log.over = true;
        for body in std::mem::take(&mut log.late) {
            assert!(world.aws.sqs().send(QUEUE, &body).is_some());
        }
    }
    let mut quiet = 0;
    for round in 10..30 {
        let (before, recorded, kept) = (writes(world), watched.recorded().len(), watched.kept());
        sweep(world, watched, round);
        if !drive(world, FLOW, how).await {
            return Err(format!("it never becomes quiet: {:?}", world.endings()));
        }
        let is_silent =
            writes(world) == before && watched.recorded().len() == recorded && watched.kept() == kept;
        quiet = if is_silent { quiet + 1 } else { 0 };
        if quiet == 2 {
            break;
        }
    }
    let mut log = log.lock().expect("no panic");
    log.look();
    for (number, call) in calls(world).iter().enumerate() {
        shown(|| format!("CALL {number} {call}"));
    }
    if quiet < 2 {
        return Err(format!("it does not fall silent: {:?}", watched.contents()));
    }
    let unsettled = watched.unsettled();
    if !unsettled.is_empty() {
        return Err(format!("it does not converge: {unsettled:#?} {:?}", world.endings()));
    }
    for (field, wrote) in std::mem::take(&mut log.unseen) {
        log.counts.unseen += 1;
        if !log.is_untold && !watched.is_recorded_unseen(&field, &wrote) {
            log.lost.push(format!("{field}, which the flow had not seen, by {wrote:?}"));
        }
    }
    if !log.lost.is_empty() {
        return Err(format!("overwritten, and nobody is told: {:#?}", log.lost));
    }
    if calls(world).len() > WATCHED {
        return Err("a night longer than it was watched".to_owned());
    }
    Ok(Counts { conflicts: watched.recorded().len(), faults: world.tap.met().len(), ..log.counts })
}

#[test]
fn whatever_the_night_was_both_sides_agree_or_wait_fall_silent_and_nothing_is_lost_unrecorded() {
    let seeds = number("STORM_SEEDS").unwrap_or(100);
    let nights = match std::env::var("STORM_FLOW") {
        Ok(named) if named != FLOW.name => 0,
        _ if is_whole() => seeds,
        _ => seeds.div_ceil(20),
    };
    let seeds: Vec<u64> = match number("STORM_SEED") {
        Some(seed) => vec![seed],
        None => (1..=nights).collect(),
    };
    let sums = Mutex::new(Counts::default());
    none(&each(&seeds, |seed| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        match runtime.expect("a runtime").block_on(night(*seed)) {
            Ok(counts) => {
                let mut sums = sums.lock().expect("no panic");
                sums.edits += counts.edits;
                sums.writes += counts.writes;
                sums.conflicts += counts.conflicts;
                sums.faults += counts.faults;
                sums.unseen += counts.unseen;
                None
            }
            Err(reason) => Some(format!("STORM_SEED={seed}: {reason}")),
        }
    }));
    let sums = *sums.lock().expect("no panic");
    eprintln!("{} nights: {sums:?}", seeds.len());
    if seeds.len() > 1 {
        assert!(
            sums.edits > seeds.len() && sums.writes > seeds.len() && sums.conflicts > 0 && sums.faults > 0
        );
    }
}
