//! A case is closed and becomes a bag under lock; a hold comes and goes; the bag comes out of its archive class.

use std::collections::BTreeMap;

use aws_sdk_s3::types::ObjectLockLegalHoldStatus;
use http::Method;
use serde_json::json;
use sha2::{Digest, Sha256};
use shared::bagit::{Bag, Checksums, tag_files};
use simulators::content_server::{seed, state::ADMIN};
use tests::{archive, repository, web};

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::{Stage, asset_of},
};

pub(crate) const STORY: Story = Story {
    flow: "archive-closed-files",
    about: "a closed case becomes a bag in the archive, locked and held as its records are",
    stacks: &["serve-links", "archive-closed-files"],
    rules: RULES,
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const RULES: &str = r#"
[archive]
category = "Categories:Integration/Archive"
location = "Location"
revision = "Revision"
state = "State"
manifest_sha256 = "Manifest SHA-256"
retain_until = "Retain Until"
legal_hold = "Legal Hold"
archived_at = "Archived At"
link = "Link"
available_until = "Available Until"

[[rule]]
name = "closed-claims"
within = "Enterprise:Claims"
closed = { category = "Categories:Business/Case File", attribute = "Status", values = ["Closed"] }
prefix = "archive/"
storage_class = "GLACIER"
source_organization = "Harbour Mutual"
retention = { default = "10 years" }
retrieve = { to = "link" }
"#;

const CASE: &str = "Claims/CLM-100117 Water damage";
const FOLDERS: [&str; 3] = ["Correspondence", "Evidence", "Decisions"];
const DOCUMENTS: usize = 12;

/// So many bytes that do not repeat.
fn scan(kilobytes: usize, seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; kilobytes << 10];
    random.fill(&mut bytes);
    bytes
}

/// The versions of each document.
fn contents() -> Vec<Vec<Vec<u8>>> {
    let document = |number: usize| {
        let size = if number == 0 { 12 << 10 } else { 40 * number };
        (0..1 + number % 3).map(|version| scan(size, (number * 10 + version) as u64)).collect()
    };
    (0..DOCUMENTS).map(document).collect()
}

/// The checksums of all versions in the case, sorted: ours, and the letter that every case has from the start.
fn filed() -> Vec<String> {
    let sum = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let mut filed: Vec<String> = contents().iter().flatten().map(|bytes| sum(bytes)).collect();
    filed.push(sum(b"Water in the cellar.\n"));
    filed.sort();
    filed
}

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    stage
        .simulator
        .with_state(|state| {
            let letter = state.at(&format!("{CASE}/Evidence/First notice.txt")).map(|node| node.id);
            state.remove_hold(ADMIN, letter.unwrap_or_default(), seed::FLOOD_HOLD)
        })
        .map_err(|error| format!("{error:?}"))?;
    for (number, versions) in contents().iter().enumerate() {
        let folder = format!("{CASE}/{}", FOLDERS[number % FOLDERS.len()]);
        let name = format!("Page {number} 100 %?.pdf");
        repository::document(&stage.simulator, &folder, &name, "application/pdf", versions);
    }
    Ok(vec!["archive-closed-files:ServeLinksUrl={ServeLinksUrl}".to_owned()])
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let server = &stage.simulator;
    let case = repository::at(server, CASE);
    let mut refused = Vec::new();
    let item = stage.change(case, None, "1").await?;
    let open = stage.ended(&item, "CLM-100117, open").await?;
    if open.reason() != "archive.not-closed" {
        refused.push(format!("while it was open: {} {}", open.status, open.reason()));
    }
    repository::set_value(server, case, "Case File", "Status", json!("Closed"));
    let item = stage.change(case, None, "2").await?;
    let closed = stage.ended(&item, "CLM-100117, closed").await?;
    if closed.status != "delivered" {
        refused.push(format!("when it was closed: {} {}", closed.status, closed.reason()));
    }
    let mut promises =
        vec![promise("only a closed case is archived", "left while open, taken when closed".into(), refused)];
    let prefix = prefix(stage, case)?;
    let before = held(stage, &prefix).await?;

    stage.say.step("a hold is put on one document, then lifted");
    let document = server.with_state(|state| {
        let folder = state.at(&format!("{CASE}/Evidence")).map(|node| node.id).unwrap_or_default();
        state.children(folder).first().map(|node| node.id).unwrap_or_default()
    });
    repository::hold(server, document);
    let item = stage.change(document, None, "3").await?;
    stage.ended(&item, "the hold").await?;
    let during = held(stage, &prefix).await?;
    server
        .with_state(|state| state.remove_hold(ADMIN, document, seed::FLOOD_HOLD))
        .map_err(|error| format!("{error:?}"))?;
    let item = stage.change(case, Some("mirror-holds"), "4").await?;
    stage.ended(&item, "the hold, lifted").await?;
    let after = held(stage, &prefix).await?;
    let all = during.len();
    let on = |states: &[bool]| states.iter().filter(|state| **state).count();
    let seen = [on(&before), on(&during), on(&after)];
    let faults = (seen != [0, all, 0] || all == 0).then(|| format!("held objects: {seen:?} of {all}"));
    promises.push(promise(
        "a hold on a document holds its bag",
        format!("{all} objects held with it, none before and after"),
        faults.into_iter().collect(),
    ));

    promises.extend(retrieved(stage, case, &prefix).await?);
    promises.extend(stage.usual_promises(&[asset_of(case), asset_of(document)]).await?);
    Ok(promises)
}

/// The bag is asked for, comes out of its archive class, and is had by its link.
async fn retrieved(stage: &Stage<'_>, case: i64, prefix: &str) -> Result<Vec<Promise>> {
    stage.say.step("somebody asks for the bag, which is in GLACIER");
    let item = stage.change(case, Some("retrieve"), "5").await?;
    stage
        .until("S3 has restored every object and said so; the bag is available", |server| {
            repository::value(server, case, "Archive", "State") == Some(json!("available"))
        })
        .await?;
    let there = bag(stage, prefix).await?;
    stage.ended(&item, "the request").await?;
    let link = repository::value(&stage.simulator, case, "Archive", "Link").unwrap_or_default();
    let token = link.as_str().and_then(|link| link.rsplit('/').next()).unwrap_or_default();
    let url = stage.served(stage.output("ServeLinksUrl")?, token);
    let answer = web::ask(Method::GET, &url, &[("accept", "text/html")], "").await?;
    stage.say.step(&format!("GET   the link in the category {:>16}", answer.status.as_u16()));
    let mut faults = Vec::new();
    if answer.status.as_u16() == 307 {
        let file = web::ask(Method::GET, answer.header("location"), &[], "").await?.body;
        let files = archive::read(&file)?;
        let sum = |bytes: &Vec<u8>| hex::encode(Sha256::digest(bytes));
        let filed = filed();
        let payload = files.iter().filter(|(name, _)| name.contains("/data/"));
        let mut packed: Vec<String> = payload.map(|(_, bytes)| sum(bytes)).collect();
        packed.sort();
        if filed != packed {
            faults.push(format!("{} versions were filed, {} others came", filed.len(), packed.len()));
        }
    } else {
        faults.push(format!("the link answers {}", answer.status));
    }
    let good = "one ZIP file with every version, byte for byte".to_owned();
    Ok(vec![there, promise("the retrieved bag is behind its link", good, faults)])
}

/// The beginning of the keys of the bag, by what the case says.
fn prefix(stage: &Stage<'_>, case: i64) -> Result<String> {
    let location = repository::value(&stage.simulator, case, "Archive", "Location").unwrap_or_default();
    let bucket = stage.output("ArchiveBucketName")?;
    let prefix = location.as_str().and_then(|text| text.strip_prefix(&format!("s3://{bucket}/")));
    prefix.map(str::to_owned).ok_or_else(|| format!("the case does not say where its bag is: {location}"))
}

/// Whether each object of the bag is held; all of them must be retained for nearly ten years.
async fn held(stage: &Stage<'_>, prefix: &str) -> Result<Vec<bool>> {
    let bucket = stage.output("ArchiveBucketName")?;
    let mut states = Vec::new();
    for key in stage.keys(bucket).await?.into_keys().filter(|key| key.starts_with(prefix)) {
        let head = stage.stack.s3.head_object().bucket(bucket).key(&key).send().await;
        let head = head.map_err(|error| format!("{key}: {error:?}"))?;
        let least = shared::context::Context::system().now().as_second() + 9 * 365 * 24 * 3600;
        if head.object_lock_retain_until_date().is_none_or(|until| until.secs() < least) {
            return Err(format!("{key} is not retained for ten years"));
        }
        states.push(head.object_lock_legal_hold_status() == Some(&ObjectLockLegalHoldStatus::On));
    }
    Ok(states)
}

/// What was restored is a valid bag, and holds every version that was filed.
async fn bag(stage: &Stage<'_>, prefix: &str) -> Result<Promise> {
    let bucket = stage.output("ArchiveBucketName")?;
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let keys = stage.keys(bucket).await?;
    for key in keys.keys() {
        if let Some(path) = key.strip_prefix(prefix) {
            files.insert(path.to_owned(), stage.get(bucket, key).await?);
        }
    }
    let sizes = files.iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64)).collect();
    let tags = tag_files(files.keys().map(String::as_str)).into_iter();
    let tags = tags.map(|name| (name.to_owned(), files[name].clone())).collect();
    let mut faults = Vec::new();
    match Bag::open(&sizes, &tags) {
        Ok(bag) => {
            for (path, algorithms) in bag.files() {
                let mut checksums = Checksums::of(algorithms);
                checksums.update(&files[path]);
                faults.extend(bag.check(path, &checksums.finish()).map(|problem| problem.to_string()));
            }
        }
        Err(problems) => faults.extend(problems.iter().map(ToString::to_string)),
    }
    let sum = |bytes: &Vec<u8>| hex::encode(Sha256::digest(bytes));
    let filed = filed();
    let payload = files.iter().filter(|(path, _)| path.starts_with("data/"));
    let mut packed: Vec<String> = payload.map(|(_, bytes)| sum(bytes)).collect();
    packed.sort();
    if filed != packed {
        faults.push(format!(
            "{} versions were filed, and {} others are in the bag",
            filed.len(),
            packed.len()
        ));
    }
    let glacier = keys.iter().filter(|(key, class)| key.starts_with(prefix) && *class == "GLACIER").count();
    if glacier != filed.len() {
        faults.push(format!("{glacier} of {} contents are in GLACIER", filed.len()));
    }
    let good = format!(
        "{} versions of {} documents, byte for byte, in a valid BagIt bag",
        packed.len(),
        DOCUMENTS + 1
    );
    Ok(promise("the bag is valid and is the case", good, faults))
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    Ok(vec![
        ("bags", format!("{aws} s3 ls --recursive s3://{}", stage.output("ArchiveBucketName")?)),
        ("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?)),
    ])
}
