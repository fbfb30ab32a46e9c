//! Uploads the samples, as anybody would.

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use sha2::{Digest, Sha256};
use shared::ledger::Key;

use super::{
    Result,
    contents::Video,
    samples::{Content, Expected, Sample, VIDEO_SIZE},
    systems::Stack,
};

/// What was uploaded, and what must become of it.
#[derive(Clone)]
pub(crate) struct Uploaded {
    pub(crate) key: String,
    pub(crate) version: String,
    pub(crate) size: u64,
    pub(crate) sha256: String,
    pub(crate) expected: Expected,
    /// Whether it only describes another upload.
    pub(crate) sidecar: bool,
    /// The item's number in the ledger.
    pub(crate) item: String,
}

/// The item of an object version, as the flow names it.
pub(crate) fn item(bucket: &str, key: &str, version: &str) -> String {
    Key::of(&[bucket, key, &format!("version {version}")]).digest().to_owned()
}

/// The asset of an object, as the flow names it.
pub(crate) fn asset(bucket: &str, key: &str) -> String {
    Key::of(&[bucket, key]).digest().to_owned()
}

/// Uploads a sample, its sidecar first.
pub(crate) async fn upload(stack: &Stack, sample: &Sample) -> Result<Vec<Uploaded>> {
    let bucket = stack.intake()?;
    let mut uploaded = Vec::new();
    let mut note = |key: String, version: Option<String>, size, sha256, expected, sidecar| {
        let version = version
            .ok_or_else(|| format!("{key} was stored without a version: the bucket is not versioned"))?;
        let item = item(bucket, &key, &version);
        uploaded.push(Uploaded { key, version, size, sha256, expected, sidecar, item });
        Ok::<(), String>(())
    };
    if let Some(sidecar) = &sample.sidecar {
        let key = format!("{}.metadata.json", sample.key);
        let version = put(stack, bucket, &key, sidecar.clone().into_bytes(), "").await?;
        note(
            key,
            version,
            sidecar.len() as u64,
            hash(sidecar.as_bytes()),
            Expected::Skipped("event.sidecar"),
            true,
        )?;
    }
    match &sample.content {
        Content::Bytes(bytes) => {
            let version = put(stack, bucket, &sample.key, bytes.clone(), sample.tags).await?;
            note(sample.key.clone(), version, bytes.len() as u64, hash(bytes), sample.expected, false)?;
        }
        Content::Video => {
            let (version, sha256) = put_video(stack, bucket, &sample.key).await?;
            note(sample.key.clone(), version, VIDEO_SIZE, sha256, sample.expected, false)?;
        }
    }
    Ok(uploaded)
}

async fn put(stack: &Stack, bucket: &str, key: &str, bytes: Vec<u8>, tags: &str) -> Result<Option<String>> {
    let tags = (!tags.is_empty()).then(|| tags.to_owned());
    let put = stack.s3.put_object().bucket(bucket).key(key).set_tagging(tags).body(bytes.into());
    let output = put.send().await.map_err(|error| format!("{key} could not be uploaded: {error:?}"))?;
    Ok(output.version_id)
}

/// In parts, made as they go.
async fn put_video(stack: &Stack, bucket: &str, key: &str) -> Result<(Option<String>, String)> {
    let s3 = &stack.s3;
    let failed = |error: String| format!("{key} could not be uploaded: {error}");
    let begun = s3.create_multipart_upload().bucket(bucket).key(key).content_type("video/mp4").send().await;
    let begun = begun.map_err(|error| failed(format!("{error:?}")))?;
    let id = begun.upload_id.unwrap_or_default();
    let mut video = Video::new(VIDEO_SIZE);
    let mut parts = Vec::new();
    for number in 1.. {
        let Some(bytes) = video.next() else { break };
        let part =
            s3.upload_part().bucket(bucket).key(key).upload_id(&id).part_number(number).body(bytes.into());
        let part = part.send().await.map_err(|error| failed(format!("{error:?}")))?;
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(part.e_tag).build());
    }
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let done = s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(&id).multipart_upload(parts);
    let done = done.send().await.map_err(|error| failed(format!("{error:?}")))?;
    Ok((done.version_id, video.sha256()))
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Sends the notification of an upload a second time, as S3 does now and then.
pub(crate) async fn notify_again(stack: &Stack, uploaded: &Uploaded) -> Result<()> {
    let bucket = stack.intake()?;
    let head =
        stack.s3.head_object().bucket(bucket).key(&uploaded.key).version_id(&uploaded.version).send().await;
    let head = head.map_err(|error| format!("{}: {error:?}", uploaded.key))?;
    let etag = head.e_tag.unwrap_or_default();
    let mut event = serde_json::json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
        "eventTime": stack.context.now().to_string(), "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": format!("arn:aws:s3:::{bucket}")},
            "object": {
                "key": encoded(&uploaded.key), "size": uploaded.size, "eTag": etag.trim_matches('"'),
                "versionId": uploaded.version, "sequencer": "",
            },
        },
    }]});
    if let Some(object) = event["Records"][0]["s3"]["object"].as_object_mut() {
        object.remove("sequencer");
    }
    send(stack, &event.to_string()).await
}

/// Puts a message on the flow's queue.
pub(crate) async fn send(stack: &Stack, body: &str) -> Result<()> {
    let queue = stack.output("IngestUploadsQueueUrl")?;
    let sent = stack.sqs.send_message().queue_url(queue).message_body(body).send().await;
    sent.map(drop).map_err(|error| format!("the queue took no message: {error:?}"))
}

/// A key as notifications write it: form encoding.
fn encoded(key: &str) -> String {
    key.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                char::from(byte).to_string()
            }
            b' ' => "+".to_owned(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
