//! The report for spreadsheets.

use crate::{
    error::{Error, Result},
    reconcile::Finding,
};

/// The first line.
pub(super) fn heading() -> Result<Vec<u8>> {
    line(&[
        "kind",
        "key",
        "name",
        "differs in",
        "source",
        "target",
        "explanation",
        "repair",
        "safe",
        "queued",
        "what to do",
        "found",
    ])
}

/// One finding.
pub(super) fn row(finding: &Finding) -> Result<Vec<u8>> {
    let all = |pick: fn(&crate::reconcile::Difference) -> &str| {
        finding.differences.iter().map(pick).collect::<Vec<_>>().join("; ")
    };
    let action = serde_json::to_value(finding.repair.action).unwrap_or_default();
    let cells = [
        finding.kind.name().to_owned(),
        harmless(&finding.key),
        harmless(&finding.name),
        all(|difference| &difference.what),
        harmless(&all(|difference| &difference.source)),
        harmless(&all(|difference| &difference.target)),
        harmless(&finding.explanation),
        action.as_str().unwrap_or_default().to_owned(),
        yes(finding.repair.safe),
        yes(finding.repair.queued),
        harmless(&finding.repair.what),
        finding.found.clone(),
    ];
    line(&cells)
}

/// Spreadsheets run what begins like a formula; names come from outside.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn yes(truth: bool) -> String {
    if truth { "yes" } else { "no" }.to_owned()
}

fn line<T: AsRef<[u8]>>(cells: &[T]) -> Result<Vec<u8>> {
    let broken = |error: csv::Error| Error::bug("write the report", "a line cannot be written").source(error);
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells).map_err(broken)?;
    writer.into_inner().map_err(|error| Error::bug("write the report", format!("a line is lost: {error}")))
}
