//! What Content Server decides about obsolete assets is done in iconik; never under a hold, and never without a certificate.

use iconik_content_server::request_disposition::{COMPLETED, SCHEDULED, certificate};
use serde_json::{Value, json};
use shared::{context::Context, ledger::Key};
use simulators::{
    content_server::{
        seed as ecm,
        state::{ADMIN, kind},
    },
    faults::{Action, Rule},
    iconik::{
        Settings,
        seed::{PRODUCER, media, metadata::GOVERNANCE_VIEW},
    },
};

use crate::world::{Usual, World, bytes, content};

fn usual() -> Usual {
    Usual { iconik: Some(Settings::default()), ..Usual::of("request-disposition") }
}

/// Sets a field of an asset, as people do.
fn set(world: &World, asset: &str, field: &str, value: &Value) {
    let values =
        json!({field: {"field_values": [{"value": value}]}}).as_object().cloned().unwrap_or_default();
    world.iconik().with_state(|state| {
        state.write_values(PRODUCER, ("assets", asset), GOVERNANCE_VIEW, &values, false).expect("written");
    });
}

/// What a field of an asset says.
fn field(world: &World, asset: &str, name: &str) -> String {
    let values = world.iconik().with_state(|state| state.values_of(("assets", asset), name));
    values.first().map_or_else(String::new, |value| value.as_str().map_or(value.to_string(), str::to_owned))
}

/// An asset that was filed as a document and is obsolete; the document.
fn obsolete(world: &World, title: &str, name: &str) -> (String, i64) {
    let node = world.document("Digitised Archive", name, "video/quicktime", &[content(10_000, 1)]);
    let asset = world.titled(title);
    set(world, &asset, "ContentServerNode", &json!(node));
    set(world, &asset, "AssetStatus", &json!("obsolete"));
    (asset, node)
}

/// Asks about an asset. Gives the number of the workflow.
async fn asked(world: &World, asset: &str) -> i64 {
    world.iconik_change("assets", asset).await;
    world.settle().await;
    let processes: Vec<i64> = world.ecm.with_state(|state| state.processes.keys().copied().collect());
    *processes.last().unwrap_or_else(|| panic!("no workflow; {}", world.told()))
}

async fn decide(world: &World, process: i64, decision: &str) {
    world
        .ecm
        .with_state(|state| state.finish_task(ADMIN, process, 1, decision, "by the plan").expect("decided"));
    world.request(process, COMPLETED).await;
    world.settle().await;
}

fn is_deleted(world: &World, asset: &str) -> bool {
    world.iconik().with_state(|state| state.is_deleted("assets", asset))
}

#[tokio::test]
async fn what_is_to_be_destroyed_leaves_iconik_with_a_certificate_that_verifies_offline() {
    let world = World::with(usual()).await;
    let (asset, node) = obsolete(&world, media::SHORT, "short.mov");
    let process = asked(&world, &asset).await;
    assert_eq!(field(&world, &asset, "ContentServerState"), "in_signoff", "{}", world.told());
    let record = world.node(node).record.expect("a record");
    assert_eq!((record.status.as_str(), record.status_date.is_some()), ("INACTIVE", true));
    // A hint of any kind asks nothing a second time.
    world.iconik_change("assets", &asset).await;
    world.settle().await;
    assert_eq!(world.ecm.with_state(|state| state.processes.len()), 1);

    decide(&world, process, "Destroy").await;
    assert!(is_deleted(&world, &asset), "{}", world.told());
    assert_eq!(field(&world, &asset, "DispositionOutcome"), "destroy");
    assert_eq!(field(&world, &asset, "ContentServerState"), "destroyed");
    assert_eq!(world.node(node).kind, kind::DOCUMENT, "the record is left to Content Server");
    let certificates = world.documents("Digitised Archive/Certificates of Destruction");
    let text = bytes(certificates.first().unwrap_or_else(|| panic!("no certificate; {}", world.told())));
    let chain = Key::of(&["iconik", &asset]);
    let (lines, end) = world.ledger().export_chain(chain.digest()).await.expect("the chain");
    let found = certificate::verify(&text, &lines.join("\n"), Some(&end)).expect("in order");
    assert_eq!((found.asset.id.as_str(), found.documents[0].node), (asset.as_str(), node));
    assert!(!found.asset.files.is_empty() && !found.holds.in_force);
    assert_eq!(found.decision.word, "Destroy");
    assert_eq!(found.decision.by.as_deref(), Some("System Administrator (admin)"));
    let history: Vec<String> = world.iconik().with_state(|state| {
        let entries = state.history.objects().filter(|entry| entry["asset_id"] == asset.as_str());
        entries.filter_map(|entry| entry["operation_description"].as_str().map(str::to_owned)).collect()
    });
    assert!(history.iter().any(|entry| entry.contains("Content Server decided: destroy")), "{history:?}");
}

#[tokio::test]
async fn under_a_hold_nothing_is_asked_and_nothing_is_destroyed_until_it_is_lifted() {
    let world = World::with(usual()).await;
    let (asset, node) = obsolete(&world, media::SHORT, "short.mov");
    let hold = |on| world.ecm.with_state(|state| state.apply_hold(ADMIN, on, ecm::FLOOD_HOLD).expect("held"));
    let lift =
        |on| world.ecm.with_state(|state| state.remove_hold(ADMIN, on, ecm::FLOOD_HOLD).expect("lifted"));
    let round = || {
        let time = Context::system().now().to_string();
        json!({"version": "0", "detail-type": SCHEDULED, "source": "aws.events", "time": time}).to_string()
    };
    // On the folder the document is in.
    hold(ecm::ARCHIVE);
    world.iconik_change("assets", &asset).await;
    world.settle().await;
    assert!(world.ecm.with_state(|state| state.processes.is_empty()), "{}", world.told());
    assert_eq!(field(&world, &asset, "ContentServerState"), "under_hold");
    assert_eq!(field(&world, &asset, "LegalHold"), "true");
    lift(ecm::ARCHIVE);
    world.send(&round()).await;
    world.settle().await;
    let process = world.ecm.with_state(|state| state.processes.keys().copied().next()).expect("a workflow");

    // It comes between the last look and the deletion, and iconik knows nothing of it.
    let delete = Rule::next(Action::Delay { milliseconds: 1500 }).on("DELETE", &format!("/assets/{asset}/"));
    world.iconik().faults().add(delete).expect("a rule");
    let deciding = decide(&world, process, "Destroy");
    let holding = async {
        for _ in 0..400 {
            if world.iconik().journal().entries().iter().any(|entry| entry.method == "DELETE") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        hold(node);
    };
    tokio::join!(deciding, holding);
    assert!(!is_deleted(&world, &asset), "it came out of the bin again; {}", world.told());
    assert_eq!(field(&world, &asset, "ContentServerState"), "under_hold");
    assert!(world.documents("Digitised Archive/Certificates of Destruction").is_empty());

    lift(node);
    world.send(&round()).await;
    world.settle().await;
    assert!(is_deleted(&world, &asset), "{}", world.told());
    assert_eq!(world.documents("Digitised Archive/Certificates of Destruction").len(), 1);
}

#[tokio::test]
async fn what_is_retained_or_archived_stays_and_says_so() {
    let world = World::with(usual()).await;
    let (kept, kept_node) = obsolete(&world, media::SHORT, "short.mov");
    let process = asked(&world, &kept).await;
    decide(&world, process, "Retain").await;
    assert_eq!(field(&world, &kept, "DispositionOutcome"), "retain", "{}", world.told());
    assert_eq!(world.node(kept_node).record.expect("a record").status, "ACTIVE");

    let (archived, _) = obsolete(&world, media::DAWN, "dawn.mov");
    let process = asked(&world, &archived).await;
    decide(&world, process, "Archive").await;
    assert_eq!(field(&world, &archived, "DispositionOutcome"), "archive", "{}", world.told());
    let status = world.asset(&archived)["archive_status"].clone();
    assert_eq!(status, "ARCHIVED", "{}", world.told());
    assert_eq!(field(&world, &archived, "ContentServerState"), "archived");
    assert!(!is_deleted(&world, &kept) && !is_deleted(&world, &archived));
}

#[tokio::test]
async fn what_cannot_be_asked_about_is_put_aside_with_its_reason() {
    let world = World::with(usual()).await;
    let never_filed = world.titled(media::VISUAL);
    set(&world, &never_filed, "AssetStatus", &json!("obsolete"));
    world.iconik_change("assets", &never_filed).await;
    let (gone, node) = obsolete(&world, media::SHORT, "short.mov");
    world.ecm.with_state(|state| state.delete(ADMIN, node).expect("deleted"));
    world.iconik_change("assets", &gone).await;
    let binned = world.titled(media::DAWN);
    world.iconik().with_state(|state| state.delete(PRODUCER, "assets", &binned).expect("deleted"));
    world.iconik_change("assets", &binned).await;
    world.settle().await;
    let mut endings = world.endings().await;
    endings.retain(|ending| ending != "skipped disposition.told");
    assert_eq!(
        endings,
        [
            "quarantined disposition.document-gone",
            "quarantined disposition.not-filed",
            "skipped asset.in-recycle-bin"
        ],
        "{}",
        world.told()
    );
}
