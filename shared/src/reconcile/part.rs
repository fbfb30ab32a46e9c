//! What a run keeps in its bucket while it is under way: its state, and its findings in parts of a few hundred.

use aws_sdk_s3::Client;
use serde::{Deserialize, Serialize};

use super::{Finding, State};
use crate::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
};

/// A finding as a part holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) finding: Finding,
    /// The message that repairs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
}

/// A bucket, and the beginning of the keys of one run.
#[derive(Debug, Clone)]
pub(super) struct Folder<'a> {
    pub(super) s3: &'a Client,
    pub(super) bucket: &'a str,
    pub(super) prefix: &'a str,
}

impl Folder<'_> {
    pub(super) async fn write_part(&self, number: u32, findings: &[Stored]) -> Result<()> {
        let mut text = Vec::new();
        for stored in findings {
            serde_json::to_writer(&mut text, stored)
                .map_err(|error| Error::bug("keep findings", "a finding is not JSON").source(error))?;
            text.push(b'\n');
        }
        self.put(&part_name(number), "application/x-ndjson", text).await
    }

    pub(super) async fn read_part(&self, number: u32) -> Result<Vec<Stored>> {
        let bytes = self.get(&part_name(number)).await?;
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines
            .map(|line| {
                serde_json::from_slice(line)
                    .map_err(|error| Error::bug("read findings", "a part holds no findings").source(error))
            })
            .collect()
    }

    pub(super) async fn write_state(&self, state: &State) -> Result<()> {
        let text = serde_json::to_vec_pretty(state)
            .map_err(|error| Error::bug("keep the state", "a state is not JSON").source(error))?;
        self.put("state.json", "application/json", text).await
    }

    pub(super) async fn read_state(&self) -> Result<State> {
        serde_json::from_slice(&self.get("state.json").await?)
            .map_err(|error| Error::bug("read the state", "the state of a run cannot be read").source(error))
    }

    async fn put(&self, name: &str, content_type: &str, bytes: Vec<u8>) -> Result<()> {
        let put = self.s3.put_object().bucket(self.bucket).key(format!("{}{name}", self.prefix));
        let sent = put.content_type(content_type).body(bytes.into()).send().await;
        sent.map(drop).map_err(|error| refused("write to the report bucket", error))
    }

    async fn get(&self, name: &str) -> Result<Vec<u8>> {
        let get = self.s3.get_object().bucket(self.bucket).key(format!("{}{name}", self.prefix));
        let object = get.send().await.map_err(|error| refused("read from the report bucket", error))?;
        let bytes = object.body.collect().await.map_err(|error| {
            let message = "what was kept of a run broke off";
            let cut = FailureClass::Transient;
            Error::new(cut, System::S3, "read from the report bucket", "answer.cut", message).source(error)
        })?;
        Ok(bytes.to_vec())
    }
}

fn part_name(number: u32) -> String {
    format!("parts/{number:06}.ndjson")
}

fn refused<E>(
    operation: &'static str,
    error: aws_sdk_s3::error::SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
) -> Error
where
    E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    classify(System::S3, operation, error)
        .remedy("name a bucket as WAYBILL_REPORT_BUCKET and let this function read and write its reports/")
}
