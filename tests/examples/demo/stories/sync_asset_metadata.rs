//! A campaign's master and its document: each side says what is its own, two people disagree, a third decides.

use iconik_content_server::sync_asset_metadata::{
    memory::Memory,
    state::{Decision, Side},
};
use serde_json::{Value, json};
use tests::{
    paired::{self, CAMPAIGN, Pair, held},
    repository,
};

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::{Stage, asset_of},
};

pub(crate) const STORY: Story = Story {
    flow: "sync-asset-metadata",
    about: "metadata of an asset and of its document is kept equal, field by field",
    stacks: &["sync-asset-metadata"],
    rules: "",
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const HEBREW: &str = "אורות הנמל \u{2067}Harbour Lights\u{2069}";

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    paired::plant(&stage.simulator, CAMPAIGN);
    let pair = paired::pair(&stage.simulator, stage.iconik()?, CAMPAIGN);
    file(stage, &pair, "Rights Status", json!("Restricted use"));
    Ok(Vec::new())
}

fn file(stage: &Stage<'_>, pair: &Pair, attribute: &str, value: Value) {
    repository::set_value(&stage.simulator, pair.node, CAMPAIGN.category, attribute, value);
}

fn filed(stage: &Stage<'_>, pair: &Pair, attribute: &str) -> Value {
    repository::value(&stage.simulator, pair.node, CAMPAIGN.category, attribute).unwrap_or_default()
}

fn edit(stage: &Stage<'_>, pair: &Pair, field: &str, value: &Value) -> Result<()> {
    paired::edit(stage.iconik()?, &pair.asset, CAMPAIGN.view, field, value)
}

async fn asset_told(stage: &Stage<'_>, pair: &Pair, occasion: &str) -> Result<String> {
    let item = stage.iconik_change("assets", &pair.asset, None, occasion).await?;
    Ok(stage.ended(&item, CAMPAIGN.title).await?.status)
}

async fn document_told(
    stage: &Stage<'_>,
    pair: &Pair,
    request: Option<&str>,
    occasion: &str,
) -> Result<String> {
    let item = stage.change(pair.node, request, occasion).await?;
    Ok(stage.ended(&item, "its document").await?.status)
}

/// What differs from what is expected on a side.
fn differs(side: &str, field: &str, found: &Value, expected: &Value) -> Option<String> {
    (found != expected).then(|| format!("{field} in {side} is {found} instead of {expected}"))
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let media = stage.iconik()?;
    let asset = media.with_state(|state| state.titled(CAMPAIGN.title)).ok_or("the master is not there")?;
    let node = repository::at(&stage.simulator, &format!("Claims/Incoming/{}.mov", CAMPAIGN.title));
    let pair = Pair { asset, node };
    let there = |field: &str| Value::from(held(media, &pair.asset, field));

    stage
        .say
        .step("the studio has described the master in iconik; legal has restricted it in Content Server");
    asset_told(stage, &pair, "1").await?;
    let faults = [
        differs("Content Server", "Project", &filed(stage, &pair, "Project"), &json!("CMP-2031-014")),
        differs("Content Server", "Region", &filed(stage, &pair, "Region"), &json!(["APAC", "EMEA"])),
        differs("Content Server", "Keywords", &filed(stage, &pair, "Keywords"), &json!("ferry; harbour")),
        differs("iconik", "RightsStatus", &there("RightsStatus"), &json!(["restricted"])),
    ];
    let mut promises = vec![promise(
        "each side takes what is the other's",
        "studio's fields filed, legal's status in iconik".into(),
        faults.into_iter().flatten().collect(),
    )];

    edit(stage, &pair, "Campaign", &json!(HEBREW))?;
    file(stage, &pair, "Rights Expiry", json!("2034-01-31"));
    stage.say.step("the campaign gets a Hebrew name in iconik, the rights an end in Content Server");
    document_told(stage, &pair, None, "2").await?;
    let faults = [
        differs("Content Server", "Campaign", &filed(stage, &pair, "Campaign"), &json!(HEBREW)),
        differs("iconik", "ExpiryDate", &there("ExpiryDate"), &json!(["2034-01-31"])),
    ];
    promises.push(promise(
        "changes go in both directions at once",
        "letter by letter".into(),
        faults.into_iter().flatten().collect(),
    ));

    let so_far = changes(stage)?;
    let echoes = [asset_told(stage, &pair, "3").await?, document_told(stage, &pair, None, "3").await?];
    let mut faults = Vec::new();
    if echoes != ["skipped", "skipped"] || changes(stage)? != so_far {
        faults.push(format!("the echo ended {echoes:?}, with {} more writes", changes(stage)? - so_far));
    }
    promises.push(promise("its own writes start nothing", "two echoes, no write".into(), faults));
    promises.push(disagreement(stage, &pair).await?);
    promises.extend(stage.usual_promises(&[asset_of(node)]).await?);
    Ok(promises)
}

/// Two people name an owner; a third decides.
async fn disagreement(stage: &Stage<'_>, pair: &Pair) -> Result<Promise> {
    edit(stage, pair, "Owner", &json!("studio@example.com"))?;
    file(stage, pair, "Business Owner", json!("legal@example.com"));
    stage.say.step("the studio and legal each name another owner");
    asset_told(stage, pair, "4").await?;
    let memory = Memory::new(stage.ledger()?);
    let waiting = memory.waiting(None).await.map_err(|error| error.to_string())?;
    let [conflict] = waiting.as_slice() else {
        let faults = vec![format!("{} conflicts wait instead of one", waiting.len())];
        return Ok(promise("two answers wait for a person", String::new(), faults));
    };
    let id = conflict.conflict.id.clone();
    stage.say.step(&format!("conflict {id} waits: a steward takes legal's"));
    let decision = Decision { conflict: id, take: Side::ContentServer, by: "steward@example.com".to_owned() };
    memory.decide(&decision).await.map_err(|error| error.to_string())?;
    document_told(stage, pair, Some("sync"), "5").await?;
    let owner = Value::from(held(stage.iconik()?, &pair.asset, "Owner"));
    let mut faults: Vec<String> =
        differs("iconik", "Owner", &owner, &json!(["legal@example.com"])).into_iter().collect();
    let told = memory.history(&pair.asset).await.map_err(|error| error.to_string())?;
    if !told.iter().any(|recorded| format!("{:?}", recorded.conflict.sides.iconik).contains("studio@")) {
        faults.push("what the studio said is in no conflict".to_owned());
    }
    Ok(promise(
        "two answers wait for a person, and the decision is carried out",
        "both kept on record".into(),
        faults,
    ))
}

/// Writes of metadata in both systems.
fn changes(stage: &Stage<'_>) -> Result<usize> {
    let entries = stage.simulator.journal().entries().into_iter().chain(stage.iconik()?.journal().entries());
    let is_write = |path: &str| {
        path.contains("/metadata/v1/assets/")
            || path.ends_with("/categories")
            || path.contains("/categories/")
    };
    Ok(entries.filter(|entry| entry.method != "GET" && is_write(&entry.path)).count())
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    let command = format!(
        "WAYBILL_TABLE={} AWS_ENDPOINT_URL={} cargo run -p iconik-content-server --example conflicts -- list",
        stage.output("LedgerTableName")?,
        stage.stand_in
    );
    Ok(vec![
        ("what waits", command),
        ("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?)),
    ])
}
