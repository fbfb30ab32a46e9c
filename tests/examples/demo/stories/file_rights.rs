//! A film and its talent release: rights are filed beside the final, the release ends, and is renewed.

use serde_json::{Value, json};
use shared::ledger::Key;
use simulators::iconik::seed::{media::SHORT, metadata::RIGHTS_VIEW};
use tests::released::{self, FINALS};

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::Stage,
};

pub(crate) const STORY: Story = Story {
    flow: "file-rights",
    about: "statement and releases are filed beside a final; a release that ends narrows access and raises a task",
    stacks: &["file-rights"],
    rules: include_str!("../../../flows/rights-rules.toml"),
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const RELEASES: [&str; 2] = ["Talent release (Søndre pier)", "Music licence ヨコハマ"];

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    let iconik = stage.iconik()?;
    released::plant(&stage.simulator);
    released::file_final(&stage.simulator, iconik, SHORT);
    released::clear(iconik, SHORT);
    for title in RELEASES {
        released::release(iconik, SHORT, title, Some("2041-05-31"));
    }
    Ok(Vec::new())
}

fn asset(stage: &Stage<'_>, title: &str) -> Result<String> {
    stage.iconik()?.with_state(|state| state.titled(title)).ok_or_else(|| format!("{title} is not there"))
}

/// What everybody may do with the final, and what it says of its rights.
fn final_media(stage: &Stage<'_>) -> (usize, String) {
    stage.simulator.with_state(|state| {
        let Some(node) = state.at(&format!("{FINALS}/{SHORT}.mov")) else { return (0, String::new()) };
        let public = node.permissions.public.as_ref().map_or(0, |rights| rights.len());
        let said = state.value_of(node.id, "Rights of Final", "State").and_then(Value::as_str);
        (public, said.unwrap_or_default().to_owned())
    })
}

fn shown(stage: &Stage<'_>, field: &str) -> Result<Vec<Value>> {
    let film = asset(stage, SHORT)?;
    Ok(stage.iconik()?.with_state(|state| state.values_of(("assets", &film), field)))
}

/// The release gets another last day, iconik tells of it, and the final has to say `state`.
async fn dated(stage: &Stage<'_>, until: &str, state: &str) -> Result<Vec<String>> {
    released::describe(stage.iconik()?, RELEASES[0], RIGHTS_VIEW, &json!({ "ReleaseExpiry": until }));
    let release = asset(stage, RELEASES[0])?;
    let item = stage.iconik_change("assets", &release, None, until).await?;
    stage.ended(&item, &format!("{} until {until}", RELEASES[0])).await?;
    let what = format!("the final says that its rights are {}", state.to_lowercase());
    stage
        .until(&what, |server| {
            server.with_state(|server| {
                let node =
                    server.at(&format!("{FINALS}/{SHORT}.mov")).map(|node| node.id).unwrap_or_default();
                server.value_of(node, "Rights of Final", "State").and_then(Value::as_str) == Some(state)
            })
        })
        .await?;
    // It is said before iconik is told.
    let blocked = json!(state == "Lapsed");
    for _ in 0..100 {
        if shown(stage, "UsageBlocked")? == [blocked.clone()] {
            return Ok(Vec::new());
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Ok(vec![format!("iconik shows {:?}", shown(stage, "UsageBlocked")?)])
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    stage.say.step(
        "the film is approved, its rights are cleared, and it has a talent release and a music licence",
    );
    let film = asset(stage, SHORT)?;
    let item = stage.iconik_change("assets", &film, None, "approved").await?;
    let record = stage.ended(&item, SHORT).await?;
    let mut faults = Vec::new();
    if record.status != "delivered" {
        faults.push(format!("it ended as {} {}", record.status, record.reason()));
    }
    let names: Vec<String> = stage.simulator.with_state(|state| {
        let folder = state.at(&format!("{FINALS}/Rights")).map(|node| node.id);
        let nodes = folder.map(|folder| state.children(folder)).unwrap_or_default();
        nodes.into_iter().map(|node| node.name.clone()).collect()
    });
    for name in &names {
        stage.say.step(&format!("  {FINALS}/Rights/{name}"));
    }
    if names.len() != RELEASES.len() + 1 {
        faults.push(format!("beside the final are {names:?}"));
    }
    if final_media(stage) != (2, "Current".to_owned()) {
        faults.push(format!("the final is {:?}", final_media(stage)));
    }
    let good = format!("{} documents, and everybody may use the final", names.len());
    let mut promises = vec![promise("statement and releases are filed beside the final", good, faults)];

    stage.say.step("the talent release has ended");
    let mut faults = dated(stage, "2021-05-31", "Lapsed").await?;
    if final_media(stage).0 != 0 {
        faults.push("everybody may still use the final".to_owned());
    }
    let tasks: Vec<String> =
        stage.simulator.with_state(|state| state.processes.values().map(|one| one.title.clone()).collect());
    if tasks.len() != 1 {
        faults.push(format!("tasks: {tasks:?}"));
    }
    let good = format!("nobody but the archive may use the final; task: {}", tasks.join(", "));
    promises.push(promise("a release that ends narrows access and raises a task", good, faults));

    stage.say.step("the talent release is renewed");
    let mut faults = dated(stage, "2042-05-31", "Current").await?;
    if final_media(stage).0 != 2 {
        faults.push("nobody may use the final".to_owned());
    }
    promises.push(promise("a renewal gives access back", "everybody may use the final".to_owned(), faults));
    promises.extend(stage.usual_promises(&[Key::of(&["iconik", &film]).digest().to_owned()]).await?);
    Ok(promises)
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    let ask = tests::messages::iconik_change(stage.flow, "assets", "<asset>", None, "by-hand-1");
    Ok(vec![
        (
            "look at an asset",
            format!("{aws} sqs send-message --queue-url {} --message-body '{ask}'", stage.own("QueueUrl")?),
        ),
        ("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?)),
    ])
}
