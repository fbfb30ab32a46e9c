//! The reports of a run: CSV for spreadsheets, JSON for machines, HTML for people. One pass over the findings, however
//! many there are, writes all three; each goes out in parts while it grows.

mod html;
mod object;
mod sheet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::{html::Sections, object::Object};
use super::{
    Comparison, Counts, Finding, Options, Words,
    part::{Folder, Stored},
};
use crate::error::{Error, Result};

/// The `schema` of a report.
const SCHEMA: &str = "waybill.reconcile-report.v1";

/// The report for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `waybill.reconcile-report.v1`.
    pub schema: String,
    /// The flow whose sides were compared.
    pub flow: String,
    /// The deployment.
    pub environment: String,
    /// When the run began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// When it ended.
    #[schemars(with = "Option<String>")]
    pub ended: Option<Timestamp>,
    /// How it went.
    pub options: Options,
    /// What the sides are.
    pub sides: Words,
    /// What became of everything.
    pub counts: Counts,
    /// Whether both sides agree.
    pub agree: bool,
    /// The differences, in the order they were found. Always the last member.
    pub findings: Vec<Finding>,
}

/// The JSON Schema of reports, for whoever reads them.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(Report);
    schema.insert("title".to_owned(), "Waybill: report of a reconciliation".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

impl Comparison<'_> {
    /// Writes the three reports beside the run's state.
    pub(super) async fn write_reports(&mut self) -> Result<()> {
        // Everything found so far is in parts from here on.
        self.keep().await?;
        let report = self.header();
        let folder =
            Folder { s3: &self.environment.s3, bucket: &self.place.bucket, prefix: &self.place.prefix };
        let mut table = Object::new(&folder, "findings.csv", "text/csv; charset=utf-8");
        let mut json = Object::new(&folder, "report.json", "application/json");
        let mut sections = Sections::default();
        let written = async {
            table.write(&sheet::heading()?).await?;
            let (beginning, end) = around_findings(&report)?;
            json.write(beginning.as_bytes()).await?;
            let mut is_first = true;
            let mut queued = self.state.counts.queued;
            for part in 0..self.state.parts {
                let findings = folder.read_part(part).await?;
                let findings = findings.into_iter().map(|stored| told(stored, &mut queued));
                for finding in findings {
                    table.write(&sheet::row(&finding)?).await?;
                    let text = serde_json::to_vec(&finding).map_err(not_json)?;
                    json.write(if is_first { b"\n" } else { b",\n" }).await?;
                    json.write(&text).await?;
                    is_first = false;
                    sections.add(finding);
                }
            }
            json.write(end.as_bytes()).await
        };
        let outcome = written.await;
        if let Err(error) = outcome {
            table.abandon().await;
            json.abandon().await;
            return Err(error);
        }
        table.finish().await?;
        json.finish().await?;
        let mut page = Object::new(&folder, "report.html", "text/html; charset=utf-8");
        page.write(sections.page(&report).as_bytes()).await?;
        page.finish().await
    }

    fn header(&self) -> Report {
        Report {
            schema: SCHEMA.to_owned(),
            flow: self.state.flow.clone(),
            environment: self.environment.settings.environment.clone(),
            started: self.state.started,
            ended: self.state.ended,
            options: self.state.options,
            sides: self.words.clone(),
            counts: self.state.counts,
            agree: self.state.counts.agree(),
            findings: Vec::new(),
        }
    }
}

/// The finding as it is told: repairs are queued in the order of the findings, so the first so many were.
fn told(stored: Stored, queued: &mut u64) -> Finding {
    let mut finding = stored.finding;
    if stored.message.is_some() && *queued > 0 {
        finding.repair.queued = true;
        *queued -= 1;
    }
    finding
}

/// The report's JSON before and after its findings.
fn around_findings(report: &Report) -> Result<(String, &'static str)> {
    let text = serde_json::to_string(report).map_err(not_json)?;
    let beginning = text.strip_suffix("]}").ok_or_else(|| {
        Error::bug("write the report", "the findings are not the last member of the report")
    })?;
    Ok((beginning.to_owned(), "]}\n"))
}

fn not_json(error: serde_json::Error) -> Error {
    Error::bug("write the report", "a report cannot be written as JSON").source(error)
}
