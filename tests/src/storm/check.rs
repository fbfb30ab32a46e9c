//! What must hold when the queue is quiet, whatever happened before.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{
    Scenario, World,
    made::Made,
    world::{ARCHIVE, CONTENT, INTAKE, QUARANTINE},
};

/// A promise that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

/// How the items ended: delivered, skipped, quarantined, failed.
pub type Endings = BTreeMap<String, usize>;

/// Checks a quiet world. `clean` is what a run without faults makes of the target.
///
/// With faults, items may end put aside, or skipped because a later upload of the same key was quicker; then their own
/// documents or versions may be missing, and nobody else's. Nothing may ever be there that a clean run does not make,
/// or more often.
pub fn check(world: &World, scenario: &Scenario, quiet: bool, clean: &Made) -> Result<Endings, Broken> {
    if !quiet {
        return Err(Broken(format!("the queue never becomes quiet: {} messages wait", world.waiting())));
    }
    let endings = endings(world)?;
    chains_hold(world)?;
    let orphans =
        [INTAKE, QUARANTINE, CONTENT, ARCHIVE].map(|bucket| world.aws.s3().open_uploads(bucket)).concat();
    if !orphans.is_empty() {
        return Err(Broken(format!("multipart uploads were left open: {orphans:?}")));
    }
    // An upload in parts may be left when throwing it away failed, but never without the attempt.
    let calls = world.tap.calls();
    let tried = |key: &String| {
        calls.iter().any(|call| call.what.starts_with("DELETE") && call.what.ends_with(key.as_str()))
    };
    let parts = world.content_server.with_state(|state| state.open_large_uploads());
    if let Some(key) = parts.iter().find(|key| !tried(key)) {
        return Err(Broken(format!("the upload {key} was left open in Content Server")));
    }
    if let Some(promise) = scenario.promise {
        return promise(world, clean).map(|()| endings);
    }
    contents_equal(world)?;
    let made = world.made();
    let excused = excused(world, clean);
    if is_as_told(scenario, &made, clean, &excused) {
        return Ok(endings);
    }
    Err(Broken(format!(
        "the target differs from a clean run ({endings:?}).\n--- clean\n{clean}\n--- seen\n{made}"
    )))
}

/// Contents that may be missing: of the uploads that hold them, fewer ended as delivered than a clean run makes
/// versions of them.
fn excused(world: &World, clean: &Made) -> BTreeSet<String> {
    let mut delivered: BTreeMap<String, usize> = BTreeMap::new();
    let items: Vec<(String, String)> = items(world).map(|item| (item.key, item.status)).collect();
    for version in world.aws.s3().versions(INTAKE).iter().filter(|version| !version.delete_marker) {
        let its_own = items.iter().find(|(key, _)| key.contains(&version.version_id));
        if its_own.is_some_and(|(_, status)| status == "delivered") {
            *delivered.entry(hex::encode(Sha256::digest(&version.data))).or_default() += 1;
        }
    }
    let mut due: BTreeMap<&str, usize> = BTreeMap::new();
    for content in clean.contents() {
        *due.entry(content).or_default() += 1;
    }
    let short =
        due.into_iter().filter(|(content, due)| delivered.get(*content).is_none_or(|count| count < due));
    short.map(|(content, _)| content.to_owned()).collect()
}

/// Whether the target is that of a clean run, but for what is excused.
fn is_as_told(scenario: &Scenario, made: &Made, clean: &Made, excused: &BTreeSet<String>) -> bool {
    if excused.is_empty() && made.workflows != clean.workflows
        || !is_part_of(&made.workflows, &clean.workflows)
    {
        return false;
    }
    if !scenario.named_by_input {
        let (made, clean) = (made.contents(), clean.contents());
        let missing = missing(&made, &clean);
        return is_part_of(&made, &clean) && missing.iter().all(|content| excused.contains(**content));
    }
    let missing = missing(&made.versions, &clean.versions);
    if !is_part_of(&made.versions, &clean.versions)
        || !missing.iter().all(|(_, content)| excused.contains(content))
    {
        return false;
    }
    // A document that waits for a version of its own, and the folders made for it, may look different.
    let concerned: Vec<&str> = clean
        .versions
        .iter()
        .filter(|(_, content)| excused.contains(content))
        .map(|(path, _)| path.as_str())
        .collect();
    made.lines.symmetric_difference(&clean.lines).all(|line| {
        let path = line.lines().next().and_then(|first| first.rsplit_once(" (")).map_or("", |(path, _)| path);
        concerned
            .iter()
            .any(|of| of.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    })
}

/// Whether a sorted list holds nothing that the other does not hold, at least as often.
fn is_part_of<T: Ord>(part: &[T], whole: &[T]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|wanted| rest.any(|there| there == wanted))
}

/// What a sorted list holds beyond another.
pub(super) fn missing<'whole, T: Ord>(part: &[T], whole: &'whole [T]) -> Vec<&'whole T> {
    let mut rest = part.iter().peekable();
    let mut missing = Vec::new();
    for wanted in whole {
        while rest.next_if(|there| *there < wanted).is_some() {}
        if rest.next_if(|there| *there == wanted).is_none() {
            missing.push(wanted);
        }
    }
    missing
}

/// An item's record in the ledger.
struct Item {
    key: String,
    status: String,
    last_reason: String,
    result: String,
}

fn items(world: &World) -> impl Iterator<Item = Item> {
    world.ledger().into_iter().filter_map(|record| {
        let text = |name: &str| record.pointer(&format!("/{name}/S")).and_then(|text| text.as_str());
        let of = |name: &str| text(name).unwrap_or("none").to_owned();
        text("pk")?.contains("#item#").then(|| Item {
            key: of("item_key"),
            status: of("status"),
            last_reason: of("last_reason"),
            result: of("result"),
        })
    })
}

/// G5: every item is in a final state, nobody holds a claim, and what failed is in the dead-letter queue.
fn endings(world: &World) -> Result<Endings, Broken> {
    let mut endings = Endings::new();
    for item in items(world) {
        if item.status == "in-progress" {
            return Err(Broken(format!("{} never ended: {}", item.key, item.last_reason)));
        }
        *endings.entry(item.status).or_default() += 1;
    }
    // Every failure is parked for itself.
    let failed = endings.get("failed").copied().unwrap_or(0);
    let parked = world.dead_letters().len();
    if failed > parked {
        return Err(Broken(format!(
            "{failed} items failed, and {parked} messages are in the dead-letter queue"
        )));
    }
    Ok(endings)
}

/// G5: whatever was told to the flow in the beginning has an ending of its own, or is in the dead-letter queue unread.
/// What follows from that (a moved source is an upload too) may come or not, as the night goes.
pub fn nothing_is_lost(
    world: &World,
    scenario: &Scenario,
    told: usize,
    endings: &Endings,
) -> Result<(), Broken> {
    let (delivered, skipped, quarantined) = scenario.clean;
    let told = told.min(delivered + skipped + quarantined);
    let unread = world.dead_letters().len() - endings.get("failed").copied().unwrap_or(0);
    let ended: usize = endings.values().sum();
    if ended + unread < told {
        return Err(Broken(format!("{told} items were told, {ended} ended and {unread} were never begun")));
    }
    Ok(())
}

/// After faults that say nothing about an item, none is put aside or failed that is not in a clean run. What a person
/// must decide, because nobody can know whether a call was carried out, is no failure of the flow; nor is it when people
/// who decide at a time of their own find less than in a calm night.
pub fn nothing_is_given_up(world: &World, scenario: &Scenario) -> Result<(), Broken> {
    if !scenario.meanwhile.is_empty() {
        return Ok(());
    }
    let given_up: Vec<Item> = items(world)
        .filter(|item| ["quarantined", "failed"].contains(&item.status.as_str()))
        .filter(|item| !item.result.contains(".undecided\""))
        .collect();
    if given_up.len() > scenario.clean.2 {
        let shown: Vec<String> = given_up
            .iter()
            .map(|item| format!("{}: {} ({} {})", item.key, item.status, item.last_reason, item.result))
            .collect();
        return Err(Broken(format!("given up after a fault that passes:\n{}", shown.join("\n"))));
    }
    Ok(())
}

/// G2: every version in the target has the bytes of an object that was uploaded.
fn contents_equal(world: &World) -> Result<(), Broken> {
    let uploaded = world.uploaded();
    for (path, sha256) in world.made().versions {
        if !uploaded.contains(&sha256) {
            return Err(Broken(format!("{path} holds bytes nobody uploaded")));
        }
    }
    Ok(())
}

/// G5, G7: every audit chain verifies from its export and tells of one ending per item; of one more for each time a
/// person redrove the dead letters, when all before it were failures.
fn chains_hold(world: &World) -> Result<(), Broken> {
    let mut ended: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    let mut chains: BTreeMap<String, Vec<(String, String, String)>> = BTreeMap::new();
    for item in world.ledger() {
        let text = |name: &str| {
            item.pointer(&format!("/{name}/S")).and_then(|text| text.as_str()).map(str::to_owned)
        };
        if let (Some(pk), Some(sk), Some(event), Some(hash)) =
            (text("pk"), text("sk"), text("event"), text("hash"))
        {
            chains.entry(pk).or_default().push((sk, event, hash));
        }
    }
    for (asset, mut events) in chains {
        events.sort();
        for (_, event, _) in &events {
            let event: serde_json::Value = serde_json::from_str(event).unwrap_or_default();
            // What becomes of a link is told under its reference, as often as it happens.
            if event.pointer("/detail/link").is_some() {
                continue;
            }
            let item = event["item"].as_str().unwrap_or_default().to_owned();
            let endings = ended.entry(item.clone()).or_default();
            if endings.len() > world.redrives() || endings.contains(&false) {
                return Err(Broken(format!("item {item} ended twice")));
            }
            endings.push(event["eventType"] == "transfer");
        }
        let export: Vec<&str> = events.iter().map(|(_, event, _)| event.as_str()).collect();
        let end = events.last().map(|(_, _, hash)| hash.as_str());
        if let Err(tampering) = shared::audit::verify(&export.join("\n"), end) {
            return Err(Broken(format!("the audit chain of {asset}: {tampering}")));
        }
    }
    Ok(())
}
