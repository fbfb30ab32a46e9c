//! A guideline is approved, published and sent to partners; another version follows; then the approval ends.

use http::Method;
use serde_json::json;
use tests::{
    archive, repository,
    web::{self, Answer},
};

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::{Stage, asset_of},
};

pub(crate) const STORY: Story = Story {
    flow: "publish-approved",
    about: "approved versions are published with links that expire, and withdrawn",
    stacks: &["serve-links", "publish-approved"],
    rules: "",
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const FOLDER: &str = "Claims/Guidelines";
const GUIDE: &str = "Leitfaden Sturmschäden.pdf";
const KEY: &str = "guidelines/Leitfaden Sturmschäden.pdf";
const SUPPLIER: &str = "Suppliers/Terms 2031";
const TERMS: [&str; 2] = ["Delivery terms.pdf", "Quality terms.pdf"];

/// So many bytes that do not repeat.
fn pages(megabytes: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; megabytes << 20];
    fastrand::Rng::with_seed(seed).fill(&mut bytes);
    bytes
}

fn versions() -> [Vec<u8>; 3] {
    [pages(3, 1), pages(20, 2), pages(1, 3)]
}

fn approve(stage: &Stage<'_>, node: i64, state: &str, version: i64) {
    let set = |name: &str, value| {
        repository::set_value(&stage.simulator, node, "Document Approval", name, value);
    };
    set("Status", json!(state));
    set("Approved Version", json!(version));
}

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    let server = &stage.simulator;
    let guide = repository::document(server, FOLDER, GUIDE, "application/pdf", &versions());
    approve(stage, guide, "Approved", 1);
    repository::folder(server, "Suppliers", "Terms 2031");
    for (name, seed) in TERMS.iter().zip(4..) {
        let node = repository::document(server, SUPPLIER, name, "application/pdf", &[pages(6, seed)]);
        approve(stage, node, "Approved", 1);
        repository::set_value(server, node, "Document Approval", "Package", json!("terms"));
    }
    Ok(vec!["publish-approved:ServeLinksUrl={ServeLinksUrl}".to_owned()])
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let guide = repository::at(&stage.simulator, &format!("{FOLDER}/{GUIDE}"));
    let [first, second, third] = versions();
    let bucket = stage.output("DistributionBucketName")?;

    stage.say.step("version 1 of three is approved");
    settle(stage, guide, "1").await?;
    let link = told(stage, guide)?;
    let mut faults = Vec::new();
    if stage.get(bucket, KEY).await? != first {
        faults.push("the copy is not the approved version".to_owned());
    }
    if download(stage, &link, "the link, version 1").await? != Some(first) {
        faults.push("the link does not lead to the approved version".to_owned());
    }
    let mut promises =
        vec![promise("the approved version is published, not the newest", "byte for byte".into(), faults)];

    approve(stage, guide, "Approved", 2);
    stage.say.step("version 2 is approved");
    settle(stage, guide, "2").await?;
    let mut faults = Vec::new();
    if download(stage, &link, "the same link, version 2").await? != Some(second) {
        faults.push("the link does not lead to version 2".to_owned());
    }
    if told(stage, guide)? != link {
        faults.push("another link is told".to_owned());
    }
    promises.push(promise("a link goes on to the next approved version", "the same address".into(), faults));

    promises.push(package(stage, bucket).await?);

    approve(stage, guide, "Revoked", 2);
    stage.say.step("the approval of the guideline is taken back");
    settle(stage, guide, "3").await?;
    let mut faults = Vec::new();
    let gone = visit(stage, &link, "the link, afterwards").await?;
    if gone.status.as_u16() != 410 {
        faults.push(format!("the link answers {}", gone.status));
    }
    let left = stage.stack.s3.list_object_versions().bucket(bucket).prefix("guidelines/").send().await;
    let left = left.map_err(|error| format!("s3://{bucket}: {error:?}"))?;
    if !left.versions().is_empty() {
        faults.push(format!("{} versions of the copy are left", left.versions().len()));
    }
    for object in stage.keys(bucket).await?.keys() {
        if stage.get(bucket, object).await? == third {
            faults.push("the version that nobody approved is in the bucket".to_owned());
        }
    }
    promises.push(promise("what is not approved any more is gone", "copy and link".into(), faults));
    promises.extend(stage.usual_promises(&[asset_of(guide)]).await?);
    Ok(promises)
}

async fn settle(stage: &Stage<'_>, node: i64, occasion: &str) -> Result<()> {
    let item = stage.change(node, None, occasion).await?;
    let record = stage.ended(&item, GUIDE).await?;
    if record.status == "delivered" { Ok(()) } else { Err(format!("{} {}", record.status, record.reason())) }
}

/// The token that the publication category tells.
fn told(stage: &Stage<'_>, node: i64) -> Result<String> {
    let link = repository::value(&stage.simulator, node, "Publication", "Partner Link");
    let link = link.and_then(|link| link.as_str().map(str::to_owned)).unwrap_or_default();
    link.rsplit('/')
        .next()
        .filter(|token| !token.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| "no link is told".to_owned())
}

async fn visit(stage: &Stage<'_>, token: &str, what: &str) -> Result<Answer> {
    let url = stage.served(stage.output("ServeLinksUrl")?, token);
    let answer = web::ask(Method::GET, &url, &[("accept", "text/html")], "").await?;
    stage.say.step(&format!("GET   {what:<42} {}", answer.status.as_u16()));
    Ok(answer)
}

/// What a browser gets that follows the link.
async fn download(stage: &Stage<'_>, token: &str, what: &str) -> Result<Option<Vec<u8>>> {
    let answer = visit(stage, token, what).await?;
    if answer.status.as_u16() != 307 {
        return Ok(None);
    }
    Ok(Some(web::ask(Method::GET, answer.header("location"), &[], "").await?.body.to_vec()))
}

/// Two documents of a supplier are one package: each is in it, stored as it is.
async fn package(stage: &Stage<'_>, bucket: &str) -> Result<Promise> {
    stage.say.step("two documents for suppliers are approved, with one package id");
    let node = repository::at(&stage.simulator, &format!("{SUPPLIER}/{}", TERMS[0]));
    let item = stage.change(node, None, "1").await?;
    stage.ended(&item, "the package").await?;
    let bytes = stage.get(bucket, "suppliers/Terms 2031/terms.zip").await?;
    let files = archive::read(&bytes)?;
    let mut faults = Vec::new();
    for (name, seed) in TERMS.iter().zip(4..) {
        if files.get(*name).is_none_or(|file| *file != pages(6, seed)) {
            faults.push(format!("{name} is not in the package as it is in Content Server"));
        }
    }
    if files.len() != TERMS.len() + 1 || !files.contains_key("manifest.json") {
        faults.push(format!("the package holds {:?}", files.keys()));
    }
    let good = format!("{} files in {} bytes, read by another program", files.len(), bytes.len());
    Ok(promise("a package holds every approved document and a manifest", good, faults))
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    Ok(vec![
        ("published", format!("{aws} s3 ls --recursive s3://{}", stage.output("DistributionBucketName")?)),
        ("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?)),
    ])
}
