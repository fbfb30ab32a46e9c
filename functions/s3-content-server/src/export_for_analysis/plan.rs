//! What a run is, decided once: everything else follows from it.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
    flow::{Flow, Run},
};

use super::{ExportForAnalysis, ExportRequest, Mode, Saved};
use crate::export_rules::DataSet;

/// How far the clocks of Content Server and of the function may differ.
pub(super) const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

const PLAN: &str = "plan";

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// Its name, which follows from the request.
    pub(super) run: String,
    pub(super) mode: Mode,
    /// The day it began, in UTC.
    pub(super) date: String,
    pub(super) begun: Timestamp,
    /// Where its window begins; nothing when everything is looked at.
    pub(super) since: Option<Timestamp>,
    /// The saved query that says which documents.
    #[serde(default)]
    pub(super) saved: Option<Saved>,
}

impl Plan {
    /// The folder of the run.
    pub(super) fn folder(&self, data_set: &DataSet) -> String {
        format!("{}/dt={}/run={}/", data_set.name, self.date, self.run)
    }

    /// The folder of its contents.
    pub(super) fn content_folder(&self, data_set: &DataSet) -> String {
        format!("{}content/", self.folder(data_set))
    }

    /// The folder of what is only needed until it ends.
    fn work_folder(&self, data_set: &DataSet) -> String {
        format!("_work/{}/{}/", data_set.name, self.run)
    }
}

/// An object of the work folder. Its name holds its hash: whoever writes it writes the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WorkObject {
    pub(super) key: String,
    pub(super) sha256: String,
    pub(super) size: u64,
}

impl ExportForAnalysis {
    /// The plan of this run: an earlier attempt's, or a new one.
    pub(super) async fn plan(&self, data_set: &DataSet, request: &ExportRequest, run: &Run) -> Result<Plan> {
        if let Some(plan) = run.recorded(PLAN) {
            return Ok(plan);
        }
        let plan = self.new_plan(data_set, request, run).await?;
        run.checkpoint(PLAN, &plan).await?;
        Ok(plan)
    }

    pub(super) async fn new_plan(
        &self,
        data_set: &DataSet,
        request: &ExportRequest,
        run: &Run,
    ) -> Result<Plan> {
        if let Some(Saved::Query(name)) = &request.saved
            && !data_set.queries.contains_key(name)
        {
            let message = "the data set saves no query of the name that was asked for";
            return Err(Error::invalid("export.no-query", message).field("query").remedy(
                "correct the name in the request, or add the query under `queries` of the data set",
            ));
        }
        let mark = match request.mode {
            Mode::Full | Mode::Selected => None,
            Mode::Incremental => self.environment.ledger.watermark(Self::NAME, &data_set.name).await?,
        };
        let since = mark.as_deref().map(|mark| before(mark, data_set)).transpose()?;
        let begun = run.context().now();
        Ok(Plan {
            run: request.key().short().to_owned(),
            mode: match request.mode {
                Mode::Incremental if since.is_none() => Mode::Full,
                mode => mode,
            },
            date: begun.to_zoned(TimeZone::UTC).date().to_string(),
            begun,
            since,
            saved: request.saved.clone(),
        })
    }

    /// Keeps something until the run ends.
    pub(super) async fn keep(
        &self,
        (data_set, plan): (&DataSet, &Plan),
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<WorkObject> {
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let key = format!("{}{name}-{sha256}", plan.work_folder(data_set));
        let size = bytes.len() as u64;
        self.s3
            .put_object()
            .bucket(self.bucket())
            .key(&key)
            .body(bytes.into())
            .send()
            .await
            .map_err(|error| classify(System::S3, "write list", error))?;
        Ok(WorkObject { key, sha256, size })
    }
}

/// Reads what was kept, whole; it is never large. What does not have its hash is not what was kept.
pub(super) async fn read_back(
    s3: &aws_sdk_s3::Client,
    bucket: &str,
    object: &WorkObject,
) -> Result<bytes::Bytes> {
    let output = s3.get_object().bucket(bucket).key(&object.key).send().await;
    let output = output.map_err(|error| match classify(System::S3, "read list", error) {
        // That a list of ours is gone is no source that was withdrawn.
        error if error.class() == FailureClass::Gone => Error::bug("read list", "a list of this run is gone")
            .with_code("export.list-gone")
            .remedy("leave objects under _work/ alone until the run has ended; ask for the run again"),
        error => error,
    })?;
    let damaged = || {
        let message = "a list of this run did not arrive as it was written";
        Error::new(FailureClass::Transient, System::S3, "read list", "source.cut", message)
    };
    let bytes = output.body.collect().await.map_err(|error| damaged().source(error))?.into_bytes();
    if hex::encode(Sha256::digest(&bytes)) == object.sha256 { Ok(bytes) } else { Err(damaged()) }
}

/// Where a window begins behind a watermark.
fn before(mark: &str, data_set: &DataSet) -> Result<Timestamp> {
    let mark: Timestamp = mark.parse().map_err(|error| {
        Error::bug("read watermark", "the data set's watermark is not a date").source(error)
    })?;
    let back = SignedDuration::from_mins(i64::from(data_set.overlap_minutes)).saturating_add(CLOCKS_DIFFER);
    Ok(mark.checked_sub(back).unwrap_or(Timestamp::MIN))
}
