//! Contracts of a production are shown beside its films: renamed, versioned, made confidential, and released again.

use simulators::content_server::{
    Blob,
    state::{ADMIN, Changes, NewVersion},
};
use tests::{
    production::{self, COLLECTION, WORKSPACE},
    repository,
};

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::{Stage, asset_of},
};

pub(crate) const STORY: Story = Story {
    flow: "link-references",
    about: "documents of a workspace are shown as links in its collection, as long as they may be",
    stacks: &["link-references"],
    rules: include_str!("../../../flows/link-rules.toml"),
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const NAMES: [&str; 2] = ["Drying contract.pdf", "Vertrag Lagerung (倉庫).pdf"];

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    let server = &stage.simulator;
    production::belongs_to(server, &[&production::collection(stage.iconik()?, COLLECTION)]);
    for name in NAMES {
        let folder = format!("{WORKSPACE}/Contracts");
        repository::document(server, &folder, name, "application/pdf", &[b"%PDF-1.7".to_vec()]);
    }
    Ok(Vec::new())
}

fn address(node: i64) -> String {
    format!("https://ecm.example.com/otcs/cs.exe/app/nodes/{node}")
}

/// The links that people see, each as `title -> address`.
fn links(stage: &Stage<'_>) -> Result<Vec<String>> {
    let links = production::links(stage.iconik()?).into_iter();
    Ok(links.map(|(title, address, _)| format!("{title} -> {address}")).collect())
}

/// Tells the flow of a node, waits until it is dealt with, and compares what people see.
async fn shows(stage: &Stage<'_>, node: i64, occasion: &str, expected: &[String]) -> Result<Vec<String>> {
    let item = stage.change(node, None, occasion).await?;
    let record = stage.ended(&item, occasion).await?;
    if record.status != "delivered" {
        return Err(format!("{occasion}: {} {}", record.status, record.reason()));
    }
    let seen = links(stage)?;
    for link in &seen {
        stage.say.step(&format!("  {link}"));
    }
    let mut expected = expected.to_vec();
    expected.sort();
    Ok((seen != expected).then(|| format!("{occasion}: people see {seen:?}")).into_iter().collect())
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let at = |name: &str| repository::at(&stage.simulator, &format!("{WORKSPACE}/Contracts/{name}"));
    let nodes = NAMES.map(at);
    let link = |name: &str, version: i64, node: i64| {
        format!("Contract: {name} (version {version}) -> {}", address(node))
    };
    let (first, second) = (link(NAMES[0], 1, nodes[0]), link(NAMES[1], 1, nodes[1]));

    stage.say.step("two contracts lie in a workspace that belongs to the collection Finals");
    let mut faults = shows(stage, nodes[0], "the first contract", &[first]).await?;
    faults.extend(
        shows(stage, nodes[1], "the second contract", &[link(NAMES[0], 1, nodes[0]), second.clone()]).await?,
    );
    let mut promises = vec![promise("documents are shown beside the films", "two links".into(), faults)];

    let renamed = "Drying and storage.pdf";
    let changes = Changes { name: Some(renamed.to_owned()), ..Changes::default() };
    let named = stage.simulator.with_state(|state| state.update(ADMIN, nodes[0], changes));
    named.map_err(|refusal| format!("{refusal:?}"))?;
    let version = NewVersion::of(renamed, "application/pdf", Blob::of(b"%PDF-1.7 second".to_vec()));
    let added = stage.simulator.with_state(|state| state.add_version(ADMIN, nodes[0], version));
    added.map_err(|refusal| format!("{refusal:?}"))?;
    let followed = link(renamed, 2, nodes[0]);
    let faults = shows(stage, nodes[0], "another name and a version", &[followed, second.clone()]).await?;
    promises.push(promise("links follow names and versions", "title and history".into(), faults));

    production::classify(&stage.simulator, nodes[0]);
    let mut faults = shows(stage, nodes[0], "it becomes confidential", &[second]).await?;
    let kept = stage.iconik()?.with_state(|state| {
        let assets = state.assets.objects();
        assets.map(|asset| serde_json::Value::Object(asset.clone()).to_string()).collect::<String>()
    });
    faults.extend(kept.contains("Drying").then(|| "the recycle bin of iconik tells of it".to_owned()));
    promises.push(promise("what is confidential is not shown", "nor in the recycle bin".into(), faults));

    let moved =
        stage.iconik()?.journal().entries().into_iter().filter(|entry| entry.path.contains("/files/"));
    let moved: Vec<String> = moved.map(|entry| format!("{} {}", entry.method, entry.path)).collect();
    promises.push(promise("no content is copied", "no call about files".into(), moved));
    promises.extend(stage.usual_promises(&nodes.map(asset_of)).await?);
    Ok(promises)
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    Ok(vec![("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?))])
}
