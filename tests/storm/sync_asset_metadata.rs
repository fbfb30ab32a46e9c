//! The stories of `sync-asset-metadata`.

pub(crate) mod both;
mod nights;

use std::{pin::Pin, time::Duration};

use iconik_content_server::{
    SYNC_ASSET_METADATA,
    sync_asset_metadata::{
        content::{Content, Scalar},
        memory::Memory,
        state::{Decision, Side},
    },
    sync_rules,
};
use serde_json::json;
use simulators::{
    content_server::{self, State, seed, state::ADMIN},
    iconik,
};
use tests::{
    messages,
    paired::{self, CAMPAIGN, FOOTAGE, Kind, PROMOTION},
    repository,
    storm::{Broken, IconikIntervention, Intervention, Made, Meanwhile, Scenario, World},
};

use self::both::{Watched, document};

const FLOW: &str = "sync-asset-metadata";
const NEWS: &str = include_str!("../../functions/iconik-content-server/rules/examples/sync-news.toml");
const HEALTHCARE: &str =
    include_str!("../../functions/iconik-content-server/rules/examples/sync-healthcare.toml");

/// What people write into the campaign, at any moment: fields that the story itself does not write there.
const AUTUMN: &str = "Autumn in the harbour";
const FERRIES: &str = "Ferries";
/// What people write there at any moment, though the story does too.
const CHRISTMAS: &str = "2041-12-24";
/// What Content Server says.
const EXPIRY: &str = "2034-01-31";

const IN_CONTENT_SERVER: &[Intervention] = &[
    Intervention { name: "the campaign is renamed in Content Server", act: rename_here },
    Intervention { name: "a hold", act: hold },
    Intervention { name: "the document is deleted", act: delete },
];

const IN_ICONIK: &[IconikIntervention] = &[
    IconikIntervention { name: "the project is changed in iconik", act: rename_there },
    IconikIntervention { name: "the owner is cleared in iconik", act: clear },
    IconikIntervention { name: "the asset goes into the recycle bin", act: recycle },
    IconikIntervention { name: "a field is taken out of the view", act: take_out },
    IconikIntervention { name: "the expiry that is to be written is changed in iconik", act: expire },
];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let campaign = Scenario {
        interventions: IN_CONTENT_SERVER,
        in_iconik: IN_ICONIK,
        told: |world| both_told(world, CAMPAIGN, "told"),
        promise: Some(campaign_is_settled),
        ..Scenario::of_iconik(
            "each side takes what the other has",
            &SYNC_ASSET_METADATA,
            sync_rules::SAMPLE,
            campaign,
            |world| both_told(world, CAMPAIGN, "first"),
            (1, 1, 0),
        )
    };
    vec![
        campaign,
        Scenario {
            interventions: &IN_CONTENT_SERVER[..1],
            in_iconik: &IN_ICONIK[..1],
            prepare: two_owners,
            meanwhile: DECIDED,
            name: "what differs waits until a person decides",
            clean: (2, 1, 0),
            ..campaign
        },
        Scenario {
            promise: Some(footage_is_settled),
            meanwhile: REWRITTEN,
            ..Scenario::of_iconik(
                "the newsroom and the archive change a story at the same time",
                &SYNC_ASSET_METADATA,
                NEWS,
                footage,
                |world| vec![of_asset(world, FOOTAGE, "first")],
                (2, 1, 0),
            )
        },
        Scenario {
            promise: Some(promotion_is_settled),
            ..Scenario::of_iconik(
                "what is regulated is put back",
                &SYNC_ASSET_METADATA,
                HEALTHCARE,
                promotion,
                |world| vec![of_document(world, PROMOTION, None, "first")],
                (1, 0, 0),
            )
        },
    ]
}

fn of_asset(world: &World, kind: Kind, occasion: &str) -> String {
    let asset = world.iconik().with_state(|state| state.titled(kind.title)).expect("the asset");
    messages::iconik_change(FLOW, "assets", &asset, None, occasion)
}

fn of_document(world: &World, kind: Kind, request: Option<&str>, occasion: &str) -> String {
    let name = document(kind);
    let node = world.content_server.with_state(|state| {
        let deleted = state.recycle_bin.values().flatten().find(|node| node.name == name);
        let there = state.nodes.values().find(|node| node.name == name);
        there.or(deleted).map(|node| node.id)
    });
    messages::node_change(FLOW, node.expect("the document"), request, occasion)
}

fn both_told(world: &World, kind: Kind, occasion: &str) -> Vec<String> {
    vec![of_asset(world, kind, occasion), of_document(world, kind, None, occasion)]
}

fn prepared(world: &World, kind: Kind, values: &[(&str, serde_json::Value)]) {
    paired::plant(&world.content_server, kind);
    let pair = paired::pair(&world.content_server, world.iconik(), kind);
    for (attribute, value) in values {
        repository::set_value(&world.content_server, pair.node, kind.category, attribute, value.clone());
    }
}

/// Legal has decided; the studio has described.
fn campaign(world: &World) {
    let rights = [("Rights Status", json!("Restricted use")), ("Rights Expiry", json!(EXPIRY))];
    prepared(world, CAMPAIGN, &rights);
}

fn two_owners(world: &World) {
    campaign(world);
    let node = watched(world, CAMPAIGN).pair.node;
    let owner = json!("legal@example.com");
    repository::set_value(&world.content_server, node, CAMPAIGN.category, "Business Owner", owner);
}

fn footage(world: &World) {
    prepared(world, FOOTAGE, &[("Reuse", json!("Own programmes only"))]);
}

fn promotion(world: &World) {
    let values = [
        ("Reference Number", json!("HC-300")),
        ("Product", json!("Inhaler 2")),
        ("Safety Information", json!(false)),
        ("Languages", json!("en; nb")),
        ("Approved Until", json!("2032-12-31")),
    ];
    prepared(world, PROMOTION, &values);
}

fn watched(world: &World, kind: Kind) -> Watched {
    Watched::of(world, kind).expect("the pair")
}

const LATER: Duration = Duration::from_secs(30);
type Eventual<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

const DECIDED: &[Meanwhile] = &[Meanwhile { after: LATER, what: decide }];
const REWRITTEN: &[Meanwhile] = &[Meanwhile { after: LATER, what: rewrite }];

/// A steward takes the owner that Content Server names, as the command does.
fn decide(world: &World) -> Eventual<'_> {
    Box::pin(async move {
        let open =
            |watched: &Watched| watched.kept().state.fields.get("owner").and_then(|field| field.open.clone());
        if let Some(conflict) = Watched::of(world, CAMPAIGN).as_ref().and_then(open) {
            // Past the faults, as an operator's command that is run until it works.
            let transport = tests::in_process::transport(world.aws.router());
            let memory = Memory::new(world.environment(transport, 1000, 0).ledger);
            let by = "steward@example.com".to_owned();
            let decision = Decision { conflict: conflict.id, take: Side::ContentServer, by };
            memory.decide(&decision).await.expect("it waits");
        }
        world.send(&of_document(world, CAMPAIGN, Some("sync"), "decided")).await;
    })
}

/// Both sides change the same text, in a language that is written from the right, and each something of its own.
fn rewrite(world: &World) -> Eventual<'_> {
    Box::pin(async move {
        let pair = watched(world, FOOTAGE).pair;
        let write = |field: &str, value| {
            paired::edit(world.iconik(), &pair.asset, FOOTAGE.view, field, &value).expect("it is taken");
        };
        write("Synopsis", json!("המסוף החדש \u{2067}Terminal 2\u{2069} נפתח"));
        write("Slug", json!("TERMINAL-OPENS"));
        let file = |attribute: &str, value| {
            repository::set_value(&world.content_server, pair.node, FOOTAGE.category, attribute, value);
        };
        file("Synopsis", json!("The terminal opens after all."));
        file("Reuse", json!("Free for reuse"));
        for message in both_told(world, FOOTAGE, "later") {
            world.send(&message).await;
        }
    })
}

fn rename_here(server: &content_server::Simulator) {
    server.with_state(|state| {
        let Some(node) = id(state, CAMPAIGN) else { return };
        let definition = state.category_named(CAMPAIGN.category).expect("the category");
        let (category, key) = (definition.id, definition.named("Campaign").expect("it").id.to_string());
        let values = [(key, json!(AUTUMN))].into_iter().collect();
        state.edit_category(ADMIN, node, category, &values, None).expect("an edit");
        // What tells the check that it happened.
        state.nodes.get_mut(&node).expect("the document").description = AUTUMN.to_owned();
    });
}

fn id(state: &State, kind: Kind) -> Option<i64> {
    let name = document(kind);
    state.nodes.values().find(|node| node.name == name).map(|node| node.id)
}

fn hold(server: &content_server::Simulator) {
    server.with_state(|state| {
        let node = id(state, CAMPAIGN).expect("the document");
        state.apply_hold(ADMIN, node, seed::FLOOD_HOLD).expect("a hold");
    });
}

fn delete(server: &content_server::Simulator) {
    server.with_state(|state| {
        let node = id(state, CAMPAIGN).expect("the document");
        state.delete(ADMIN, node).expect("it goes");
    });
}

fn asset_of(media: &iconik::Simulator) -> String {
    media.with_state(|state| state.titled(CAMPAIGN.title)).expect("the asset")
}

fn rename_there(media: &iconik::Simulator) {
    let asset = asset_of(media);
    paired::edit(media, &asset, CAMPAIGN.view, "Project", &json!(FERRIES)).expect("it is taken");
}

fn clear(media: &iconik::Simulator) {
    paired::edit(media, &asset_of(media), CAMPAIGN.view, "Owner", &json!(null)).expect("it is taken");
}

fn expire(media: &iconik::Simulator) {
    let asset = asset_of(media);
    paired::edit(media, &asset, CAMPAIGN.view, "ExpiryDate", &json!(CHRISTMAS)).expect("it is taken");
}

fn recycle(media: &iconik::Simulator) {
    let asset = asset_of(media);
    media.with_state(|state| state.delete(iconik::seed::EDITOR, "assets", &asset)).expect("it goes");
}

fn take_out(media: &iconik::Simulator) {
    media.with_state(|state| {
        let view = state.metadata.views.get_mut(CAMPAIGN.view).expect("the view");
        let fields = view.get_mut("view_fields").and_then(|fields| fields.as_array_mut()).expect("fields");
        fields.retain(|field| field["name"] != "Campaign");
    });
}

fn campaign_is_settled(world: &World, _: &Made) -> Result<(), Broken> {
    let Some(watched) = Watched::of(world, CAMPAIGN) else { return Ok(()) };
    let text = |text: &str| Content::Values(vec![Scalar::Text(text.to_owned())]);
    // Whatever else happens, what a person wrote is where it was written, or told.
    let (here, there) = (text(AUTUMN), text(FERRIES));
    let was_renamed_here = repository::node(&world.content_server, watched.pair.node).description == AUTUMN;
    let was_told = |text: &str| {
        watched
            .media
            .with_state(|state| state.events.iter().any(|event| event.data.to_string().contains(text)))
    };
    let was_renamed_there = was_told(FERRIES);
    if was_told(CHRISTMAS) {
        let day = |text: &str| Content::Values(vec![Scalar::Date(text.parse().expect("a day"))]);
        let (there, here) = (day(CHRISTMAS), day(EXPIRY));
        let now = watched.contents().remove("expiry").expect("a field");
        let is_told = watched.is_recorded("expiry", Side::Iconik, &there)
            || watched.is_recorded_unseen("expiry", &here);
        if now.iconik.as_ref() != Some(&there) && !is_told {
            return Err(Broken(format!("expiry: what a person wrote is lost, and nobody is told: {now:?}")));
        }
    }
    for (happened, field, side, content) in [
        (was_renamed_here, "campaign", Side::ContentServer, here),
        (was_renamed_there, "project", Side::Iconik, there),
    ] {
        let now = watched.contents().remove(field).expect("a field");
        let is_there = now.get(side).as_ref() == Some(&content);
        if happened && !is_there && !watched.is_recorded(field, side, &content) {
            return Err(Broken(format!("{field}: what a person wrote is lost, and nobody is told: {now:?}")));
        }
    }
    settled(world, &watched)
}

fn footage_is_settled(world: &World, _: &Made) -> Result<(), Broken> {
    settled(world, &watched(world, FOOTAGE))
}

fn promotion_is_settled(world: &World, _: &Made) -> Result<(), Broken> {
    settled(world, &watched(world, PROMOTION))
}

/// Both sides hold the same, or what differs waits. Not so while one side is gone or held, or an item was put aside or
/// given up, which a person has yet to redrive.
fn settled(world: &World, watched: &Watched) -> Result<(), Broken> {
    let is_kept_out = world
        .content_server
        .with_state(|state| state.nodes.get(&watched.pair.node).is_none_or(|node| !node.holds.is_empty()));
    let is_deleted = watched.media.with_state(|state| {
        state.assets.get(&watched.pair.asset).is_none_or(|asset| asset["status"] == "DELETED")
    });
    let endings = world.endings();
    let is_unfinished = |ending: &String| ending.starts_with("quarantined") || ending.starts_with("failed");
    if is_kept_out || is_deleted || endings.iter().any(is_unfinished) || !world.dead_letters().is_empty() {
        return Ok(());
    }
    match watched.unsettled().as_slice() {
        [] => Ok(()),
        unsettled => Err(Broken(format!("{endings:?}, and yet {unsettled:#?}"))),
    }
}
