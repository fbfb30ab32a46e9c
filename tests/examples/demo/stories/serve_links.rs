//! A link that expires leads to a document, as often as it may, and every use is in the audit.

use std::num::NonZeroU32;

use http::Method;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use shared::{
    audit::EventType,
    context::Context,
    links::{Audience, Issued, Links, NewLink, Origin, Target},
};
use tests::web::{self, Answer};

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::Stage,
};

pub(crate) const STORY: Story = Story {
    flow: "serve-links",
    about: "expiring links to published documents",
    stacks: &["serve-links"],
    rules: "",
    prepare: |_| Box::pin(async { Ok(vec![format!("DistributionBucketName={BUCKET}")]) }),
    play: |stage| Box::pin(play(stage)),
    look,
};

const BUCKET: &str = "waybill-demo-distribution";
const KEY: &str = "7001/3/partner/contract.pdf";
const ASSET: &str = "asset-of-7001";

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let document = contract();
    let made = stage.stack.s3.create_bucket().bucket(BUCKET).send().await;
    made.map_err(|error| format!("the distribution bucket: {error:?}"))?;
    stage.put(BUCKET, KEY, document.clone()).await?;
    let [once, revoked, expiring] =
        [issue(stage, 3600).await?, issue(stage, 3600).await?, issue(stage, 3).await?];
    stage.say.step("three links are issued: one for one use, one that is taken back, one for three seconds");

    let mut promises = vec![downloads(stage, &once, &document).await?];
    let links = Links::new(stage.ledger()?);
    links.revoke(&revoked.id, "superseded").await.map_err(|error| error.to_string())?;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    promises.push(refusals(stage, &revoked, &expiring).await?);
    promises.push(strangers(stage).await?);
    promises.push(audited(stage).await?);
    promises.extend(stage.usual_promises(&[ASSET.to_owned()]).await?);
    Ok(promises)
}

/// Five megabytes that do not repeat.
fn contract() -> Vec<u8> {
    let mut bytes = vec![0; 5 << 20];
    fastrand::Rng::with_seed(7).fill(&mut bytes);
    bytes
}

async fn issue(stage: &Stage<'_>, seconds: i64) -> Result<Issued> {
    let new = NewLink {
        target: Target {
            bucket: BUCKET.into(),
            key: KEY.into(),
            version: None,
            file_name: "Vertrag.pdf".into(),
            content_type: "application/pdf".into(),
            sha256: Some(hex::encode(Sha256::digest(contract()))),
        },
        valid_until: Context::system().now() + SignedDuration::from_secs(seconds),
        uses: NonZeroU32::new(1),
        audience: Audience::everybody(),
        origin: Origin { flow: "publish-approved".into(), reference: "7001 v3".into(), asset: ASSET.into() },
    };
    Links::new(stage.ledger()?).issue(&new).await.map_err(|error| error.to_string())
}

/// Asks for a link, as a browser does. Tells where it led, without the storage address.
async fn visit(stage: &Stage<'_>, method: Method, token: &str, what: &str) -> Result<Answer> {
    let url = stage.served(stage.output("ServeLinksUrl")?, token);
    let answer = web::ask(method.clone(), &url, &[("accept", "text/html")], "").await?;
    stage.say.step(&format!("{:<5} {what:<42} {}", method.as_str(), answer.status.as_u16()));
    Ok(answer)
}

async fn downloads(stage: &Stage<'_>, link: &Issued, document: &[u8]) -> Result<Promise> {
    let token = link.token.text();
    let mut faults = Vec::new();
    visit(stage, Method::HEAD, token, "looking costs no use").await?;
    let answer = visit(stage, Method::GET, token, "the download").await?;
    let whole = web::ask(Method::GET, answer.header("location"), &[], "").await?;
    if whole.body != document {
        faults.push(format!("{} bytes came, {}", whole.body.len(), whole.status));
    }
    let again = visit(stage, Method::GET, token, "the same client goes on where it broke off").await?;
    let range = [("range", "bytes=1000000-1999999")];
    let part = web::ask(Method::GET, again.header("location"), &range, "").await?;
    if part.status.as_u16() != 206 || part.body != document[1_000_000..2_000_000] {
        faults.push(format!("a range of it: {} and {} bytes", part.status, part.body.len()));
    }
    Ok(promise("a link leads to the document", "whole and in ranges, under its name; one use".into(), faults))
}

async fn refusals(stage: &Stage<'_>, revoked: &Issued, expired: &Issued) -> Result<Promise> {
    let mut faults = Vec::new();
    for (link, what) in [(revoked, "a link that was taken back"), (expired, "an expired link")] {
        let answer = visit(stage, Method::GET, link.token.text(), what).await?;
        if answer.status.as_u16() != 410 || !answer.text().contains("<html") {
            faults.push(format!("{what}: {}", answer.status));
        }
    }
    Ok(promise("a link that is over says so", "410 and a page for people".into(), faults))
}

async fn strangers(stage: &Stage<'_>) -> Result<Promise> {
    let mut answers = Vec::new();
    for token in ["AAAAAAAAAAAAAAAAAAAAAA", "not-a-token"] {
        let answer = visit(stage, Method::GET, token, "an address that never was one").await?;
        answers.push((answer.status.as_u16(), answer.text()));
    }
    let same = answers.iter().all(|answer| answer.0 == 404 && *answer == answers[0]);
    let faults = if same { vec![] } else { vec![format!("{answers:?}")] };
    Ok(promise("guessing tells nothing", "the same 404 for everything that is no link".into(), faults))
}

async fn audited(stage: &Stage<'_>) -> Result<Promise> {
    let chain = stage.ledger()?.chain(ASSET).await.map_err(|error| error.to_string())?;
    let uses = chain.iter().filter(|event| event.event.event_type == EventType::Dissemination).count();
    let faults = if uses == 1 { vec![] } else { vec![format!("{uses} uses are in the audit")] };
    Ok(promise("each use is in the audit, once", "one download".into(), faults))
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    Ok(vec![
        ("links begin with", stage.served(stage.output("ServeLinksUrl")?, "")),
        ("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?)),
    ])
}
