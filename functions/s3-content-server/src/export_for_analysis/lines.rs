//! Values of many documents come back in one file, a line for each. A line that does not fit keeps none of the others: it
//! is told in the report of the file, and the file is put aside when all lines have been dealt with.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use shared::{
    audit::{AuditEvent, EventType, Outcome as AuditOutcome},
    aws::classify,
    error::{Error, FailureClass, Result, System},
    flow::{Delivery, Flow, Item, Outcome, Run},
    ledger::Key,
    s3_notification::ObjectEvent,
};

use super::{
    ExportEvent, ExportForAnalysis,
    results::superseded,
    skipped,
    values::{Applied, SCHEMA, is_of},
};
use crate::export_rules::{DataSet, Values};

/// The largest file, in bytes.
const LARGEST: u64 = 32 << 20;
/// Lines after which it is recorded how far the file has come.
const HELD: usize = 100;

const LINES: &str = "lines";

/// A line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResultLine {
    schema: String,
    id: i64,
    version: i64,
    sha256: String,
    values: Map<String, Json>,
}

/// How far a file has come.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Progress {
    /// Lines that have been dealt with.
    done: usize,
    written: u64,
    nothing: u64,
    refused: u64,
    parts: u64,
}

/// A line of the report.
#[derive(Debug, Serialize)]
struct Told {
    line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// A file at work.
struct File<'a> {
    data_set: &'a DataSet,
    rule: &'a Values,
    item: Item,
    run: &'a Run,
}

impl File<'_> {
    /// The folder of its report.
    fn folder(&self) -> String {
        format!("_results/{}/{}/", self.data_set.name, self.item.key.short())
    }
}

impl ExportForAnalysis {
    /// Deals with the lines of a file, from wherever an earlier invocation has come to.
    pub(super) async fn take_lines(&self, event: &ObjectEvent, data_set: &str, run: &Run) -> Result<Outcome> {
        run.note("data-set", data_set);
        let data_set = self.data_set_of(data_set)?;
        let rule = data_set.values.as_ref().ok_or_else(|| {
            Error::invalid("result.not-wanted", "the data set takes no values")
                .field("key")
                .remedy("describe them under `results.values` of the data set")
        })?;
        let Some(object) = self.returned_object(event).await? else { return superseded() };
        // What is wrong with the rules is wrong with every line.
        self.places.id(&self.content_server, &rule.category).await?;
        let bytes = self.read_result(&object, LARGEST).await?;
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let is_empty = |line: &[u8]| line.iter().all(u8::is_ascii_whitespace);
        if run.is_dry() {
            let count = lines.iter().filter(|line| !is_empty(line)).count();
            return skipped("dry-run", &format!("values of {count} lines would be written"));
        }
        let item = self.item(&ExportEvent::Result(event.clone()));
        let file = File { data_set, rule, item, run };
        let mut progress: Progress = run.recorded(LINES).unwrap_or_default();
        let mut told = Vec::new();
        for (index, line) in lines.iter().enumerate().skip(progress.done) {
            // An invocation that has done nothing yet must not hand everything on to the next one.
            if run.must_stop() && !told.is_empty() {
                self.note(&file, &mut told, &mut progress).await?;
                return Ok(Outcome::Continue);
            }
            if !is_empty(line) {
                match Box::pin(self.line(&file, index + 1, line)).await {
                    Ok(one) => told.push(count(one, &mut progress)),
                    Err(error) => {
                        self.note(&file, &mut told, &mut progress).await?;
                        return Err(error);
                    }
                }
            }
            progress.done = index + 1;
            if told.len() >= HELD {
                self.note(&file, &mut told, &mut progress).await?;
            }
        }
        self.note(&file, &mut told, &mut progress).await?;
        self.conclude(&file, &progress)
    }

    fn conclude(&self, file: &File<'_>, progress: &Progress) -> Result<Outcome> {
        let report = format!("s3://{}/{}", self.bucket(), file.folder());
        if progress.refused > 0 {
            let Progress { refused, written, .. } = progress;
            let message = format!("{refused} lines were not taken, {written} were; {report} tells of each");
            return Err(Error::invalid("result.lines-refused", message).remedy(
                "correct the lines that the report names, and send those again in a file of their own",
            ));
        }
        if progress.written == 0 {
            return skipped("result.nothing", "the result has no value that the rules ask for");
        }
        Ok(Outcome::Delivered(Delivery {
            result: serde_json::json!({ "report": report, "lines": progress.written + progress.nothing }),
            detail: [("report", report), ("written", progress.written.to_string())]
                .map(|(name, fact)| (name.to_owned(), fact))
                .into(),
            ..Delivery::default()
        }))
    }

    /// Writes a part of the report, and how far the file has come.
    async fn note(&self, file: &File<'_>, told: &mut Vec<Told>, progress: &mut Progress) -> Result<()> {
        if told.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        for one in told.iter() {
            let line = serde_json::to_vec(one)
                .map_err(|error| Error::bug("write report", "a line is not JSON").source(error))?;
            text.extend(line);
            text.push(b'\n');
        }
        progress.parts += 1;
        let key = format!("{}{:05}.jsonl", file.folder(), progress.parts);
        let put = self.s3.put_object().bucket(self.bucket()).key(key).content_type("application/x-ndjson");
        put.body(text.into()).send().await.map_err(|error| classify(System::S3, "write report", error))?;
        file.run.checkpoint(LINES, progress).await?;
        told.clear();
        Ok(())
    }

    /// One line. What is wrong with it, or with its document, is told of it; what is wrong with everything is an error.
    async fn line(&self, file: &File<'_>, number: usize, text: &[u8]) -> Result<Told> {
        let mut told = Told { line: number, id: None, outcome: "refused", code: None, message: None };
        let taken = async {
            let line = read(text)?;
            told.id = Some(line.id);
            match Box::pin(self.values_of(file, number, &line)).await {
                // A refusal is believed the second time.
                Err(error) if error.class() == FailureClass::Forbidden => {
                    Box::pin(self.values_of(file, number, &line)).await
                }
                taken => taken,
            }
        }
        .await;
        match taken {
            Ok(Applied::Nothing | Applied::Dry(_)) => told.outcome = "nothing",
            Ok(Applied::Written { .. }) => told.outcome = "written",
            Err(error) if is_of_the_line(&error) => {
                tracing::warn!(line = number, code = error.code(), "the line was not taken");
                (told.code, told.message) = (Some(error.code().to_owned()), Some(error.message().to_owned()));
            }
            Err(error) => return Err(error),
        }
        Ok(told)
    }

    async fn values_of(&self, file: &File<'_>, number: usize, line: &ResultLine) -> Result<Applied> {
        let (node, kept) = self.subject(file.data_set, line.id, line.version).await?;
        is_of(&kept, &line.sha256)?;
        let write = async {
            let values = line.values.clone();
            let applied =
                Box::pin(self.write_values(file.data_set, file.rule, &node, values, file.run)).await?;
            if let Applied::Written { written, .. } = &applied {
                self.tell_of(file, (number, line), *written).await?;
            }
            Ok(applied)
        };
        Box::pin(self.alone_with(line.id, file.run, write)).await
    }

    /// Tells the document's audit chain what was written, once.
    async fn tell_of(
        &self,
        file: &File<'_>,
        (number, line): (usize, &ResultLine),
        written: usize,
    ) -> Result<()> {
        let event = AuditEvent {
            asset: Key::of(&["content-server", &line.id.to_string()]).digest().to_owned(),
            event_type: EventType::Ingestion,
            event_date_time: file.run.context().now().to_string(),
            outcome: AuditOutcome::Success,
            agent: format!("waybill {} {}", Self::NAME, env!("CARGO_PKG_VERSION")),
            item: format!("{}:{number}", file.item.key.digest()),
            message_digest: None,
            detail: [
                ("data-set", file.data_set.name.clone()),
                ("version", line.version.to_string()),
                ("written", written.to_string()),
            ]
            .map(|(name, fact)| (name.to_owned(), fact))
            .into(),
        };
        let ledger = file.run.ledger();
        if file.run.is_taken_over() {
            let chain = ledger.chain(&event.asset).await?;
            if chain.iter().any(|sealed| sealed.event.item == event.item) {
                return Ok(());
            }
        }
        ledger.append_event(&event).await.map(drop)
    }
}

/// Whether a failure is what is wrong with a line or its document, and not with everything.
fn is_of_the_line(error: &Error) -> bool {
    matches!(error.system(), System::Waybill | System::ContentServer)
        && matches!(error.class(), FailureClass::Invalid | FailureClass::Gone | FailureClass::Forbidden)
}

fn count(told: Told, progress: &mut Progress) -> Told {
    match told.outcome {
        "written" => progress.written += 1,
        "nothing" => progress.nothing += 1,
        _ => progress.refused += 1,
    }
    told
}

/// The position of a mistake is told, not the text around it.
fn read(text: &[u8]) -> Result<ResultLine> {
    let unreadable = |what: String| {
        Error::invalid("result.unreadable", what).remedy(format!(
            "send {{\"schema\": \"{SCHEMA}\", \"id\": …, \"version\": …, \"sha256\": …, \"values\": {{…}}}} in each line"
        ))
    };
    let line: ResultLine = serde_json::from_slice(text).map_err(|error| {
        unreadable(format!("the line is not the JSON that was expected: column {}", error.column()))
    })?;
    if line.schema != SCHEMA {
        return Err(unreadable("the line is of another schema".to_owned()));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_strictly_and_nothing_of_it_is_told() {
        let good =
            r#"{"schema":"waybill.result.v1","id":7,"version":1,"sha256":"ab","values":{"year":1887}}"#;
        assert_eq!(read(good.as_bytes()).unwrap().id, 7);
        for bad in [
            "secret",
            &good.replace(".v1", ".v2"),
            &good.replace("\"id\":7,", ""),
            &good.replace("\"id\":7", "\"id\":7,\"note\":\"secret\""),
        ] {
            let error = read(bad.as_bytes()).map(|line| line.id).unwrap_err();
            assert_eq!(error.code(), "result.unreadable", "{bad}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
