//! What must hold when the queue is quiet, whatever happened before.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{
    Scenario, World,
    world::{INTAKE, Made, QUARANTINE},
};

/// A promise that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

/// How the items ended: delivered, skipped, quarantined, failed.
pub type Endings = BTreeMap<String, usize>;

/// Checks a quiet world. `clean` is what a run without faults makes of the target.
///
/// With faults, items may end put aside, or skipped because a later upload of the same key was quicker; then their
/// documents or versions may be missing. Nothing may ever be there that a clean run does not make, or more often.
pub fn check(world: &World, scenario: &Scenario, quiet: bool, clean: &Made) -> Result<Endings, Broken> {
    if !quiet {
        return Err(Broken(format!("the queue never becomes quiet: {} messages wait", world.waiting())));
    }
    let endings = endings(world)?;
    contents_equal(world)?;
    chains_hold(world)?;
    let orphans = [INTAKE, QUARANTINE].map(|bucket| world.aws.s3().open_uploads(bucket)).concat();
    if !orphans.is_empty() {
        return Err(Broken(format!("multipart uploads were left open: {orphans:?}")));
    }
    let made = world.made();
    let put_aside = ["quarantined", "failed"].iter().any(|ending| endings.contains_key(*ending));
    let sound = if scenario.named_by_input {
        (put_aside || made.lines == clean.lines) && is_part_of(&made.versions, &clean.versions)
    } else {
        let (made, clean) = (made.contents(), clean.contents());
        (put_aside || made.len() == clean.len()) && is_part_of(&made, &clean)
    };
    if sound && is_part_of(&made.workflows, &clean.workflows) {
        return Ok(endings);
    }
    Err(Broken(format!(
        "the target differs from a clean run ({endings:?}).\n--- clean\n{clean}\n--- seen\n{made}"
    )))
}

/// Whether a sorted list holds nothing that the other does not hold, at least as often.
fn is_part_of<T: Ord>(part: &[T], whole: &[T]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|wanted| rest.any(|there| there == wanted))
}

/// G5: every item is in a final state, nobody holds a claim, and what failed is in the dead-letter queue.
fn endings(world: &World) -> Result<Endings, Broken> {
    let mut endings = Endings::new();
    for item in world.ledger() {
        let text = |name: &str| item.pointer(&format!("/{name}/S")).and_then(|text| text.as_str());
        let Some(pk) = text("pk") else { continue };
        if pk.contains("#lock#") {
            continue;
        }
        if !pk.contains("#item#") {
            continue;
        }
        let status = text("status").unwrap_or("none").to_owned();
        if status == "in-progress" {
            let reason = text("last_reason").unwrap_or("no reason");
            return Err(Broken(format!("{} never ended: {reason}", text("item_key").unwrap_or(pk))));
        }
        *endings.entry(status).or_default() += 1;
    }
    let failed = endings.get("failed").copied().unwrap_or(0);
    let parked: BTreeSet<String> = world.dead_letters().into_iter().map(|(body, _)| body).collect();
    if failed > 0 && parked.is_empty() {
        return Err(Broken("an item failed and is not in the dead-letter queue".into()));
    }
    Ok(endings)
}

/// G2: every version in the target has the bytes of an object that was uploaded.
fn contents_equal(world: &World) -> Result<(), Broken> {
    let versions = world.aws.s3().versions(INTAKE);
    let uploaded: BTreeSet<String> = versions
        .iter()
        .filter(|version| !version.delete_marker)
        .map(|version| hex::encode(Sha256::digest(&version.data)))
        .collect();
    for (path, sha256) in world.made().versions {
        if !uploaded.contains(&sha256) {
            return Err(Broken(format!("{path} holds bytes nobody uploaded")));
        }
    }
    Ok(())
}

/// G7: every audit chain verifies from its export, and tells of one delivery per item.
fn chains_hold(world: &World) -> Result<(), Broken> {
    let mut ended = BTreeSet::new();
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
            let item = event["item"].as_str().unwrap_or_default().to_owned();
            // What failed may be tried again by a second message; what was delivered never is.
            if event["eventType"] == "ingestion" && !ended.insert(item.clone()) {
                return Err(Broken(format!("item {item} ended twice")));
            }
        }
        let export: Vec<&str> = events.iter().map(|(_, event, _)| event.as_str()).collect();
        let end = events.last().map(|(_, _, hash)| hash.as_str());
        if let Err(tampering) = shared::audit::verify(&export.join("\n"), end) {
            return Err(Broken(format!("the audit chain of {asset}: {tampering}")));
        }
    }
    Ok(())
}
