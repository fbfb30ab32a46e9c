//! The report for people.

use super::{
    Result, ledger,
    promises::{Promise, delivered, is_equal},
    report::Report,
    run::Told,
    samples::{CONTRACT, shortened},
    say::{Say, Tone},
    systems::{CREDENTIALS, Stack, root, state},
};

/// One item's outcome in a few words.
pub(crate) fn outcome(record: &ledger::Record) -> String {
    match record.status.as_str() {
        "delivered" => format!("node {} v{}", record.node(), record.version()),
        _ => record.reason().to_owned(),
    }
}

/// Everything, as tables. Names stand last: they are of any length and width.
pub(crate) fn show(report: &Report<'_>, say: &Say) {
    say.line("\nDelivered");
    say.line("    node  v        size  SHA-256  tries  rule                  file");
    for (uploaded, record) in delivered(report.course) {
        let equal = if is_equal(uploaded, record, report.evidence) {
            say.paint(Tone::Good, &format!("{:<7}", "equal"))
        } else {
            say.paint(Tone::Bad, &format!("{:<7}", "DIFFERS"))
        };
        say.line(&format!(
            "{:>8}  {}  {:>10}  {equal}  {:>5}  {:<20}  {}",
            record.node(),
            record.version(),
            uploaded.size,
            record.attempts,
            record.rule(),
            shortened(&uploaded.key, 70)
        ));
    }
    for (title, status) in
        [("Put aside", "quarantined"), ("Looked at and left", "skipped"), ("Failed", "failed")]
    {
        let of_status = |item: &str| report.course.records.get(item).filter(|record| record.status == status);
        let rows: Vec<_> = report
            .course
            .uploaded
            .iter()
            .filter_map(|uploaded| Some((uploaded, of_status(&uploaded.item)?)))
            .filter(|(uploaded, _)| !uploaded.sidecar)
            .collect();
        if rows.is_empty() {
            continue;
        }
        say.line(&format!("\n{title}"));
        for (uploaded, record) in rows {
            say.line(&format!("  {:<19} {}", record.reason(), shortened(&uploaded.key, 70)));
            say.line(&format!("  {:<19}   {}", "", shortened(record.message(), 140)));
        }
    }
    show_audit(report, say);
    show_promises(report.promises, say);
}

/// Which promises held, and the verdict.
pub(crate) fn show_promises(promises: &[Promise], say: &Say) {
    say.line("\nPromises");
    for promise in promises {
        let verdict =
            if promise.held { say.paint(Tone::Good, "held  ") } else { say.paint(Tone::Bad, "BROKEN") };
        say.line(&format!("  {verdict}  {:<39} {}", promise.name, promise.detail));
    }
    let broken = promises.iter().filter(|promise| !promise.held).count();
    let verdict = match broken {
        0 => say.paint(Tone::Good, "Every promise held."),
        number => say.paint(Tone::Bad, &format!("{number} of {} promises did not hold.", promises.len())),
    };
    say.line(&format!("\n{verdict} {:.0} s.", say.seconds()));
}

/// All flows in one table.
pub(crate) fn show_flows(told: &[Told], say: &Say) {
    say.line("\nflow                      promises   seconds");
    for told in told {
        let held = told.promises.iter().filter(|promise| promise.held).count();
        let tone = if told.held() { Tone::Good } else { Tone::Bad };
        let verdict = say.paint(tone, &format!("{held:>3} of {:<3}", told.promises.len()));
        say.line(&format!("{:<25} {verdict}  {:>7.0}", told.flow, told.seconds));
        for broken in told.promises.iter().filter(|promise| !promise.held) {
            say.line(&format!("  {}  {}: {}", say.paint(Tone::Bad, "BROKEN"), broken.name, broken.detail));
        }
    }
}

fn show_audit(report: &Report<'_>, say: &Say) {
    let Some(chain) = report.evidence.chains.get(&report.shown_asset()) else { return };
    say.line(&format!("\nAudit of {CONTRACT}"));
    for sealed in &chain.events {
        let event = &sealed.event;
        let detail = |name: &str| event.detail.get(name).map_or("", String::as_str);
        say.line(&format!(
            "  {}  {}  {:?}, {:?}: node {} v{} by {}, {}",
            sealed.sequence,
            event.event_date_time,
            event.event_type,
            event.outcome,
            detail("node"),
            detail("version"),
            event.agent,
            detail("rule"),
        ));
        let short =
            |hash: &str| hash.get(..16).map_or_else(|| "nothing".to_owned(), |start| format!("{start}…"));
        say.line(&format!(
            "     content {}  after {}  hash {}",
            short(event.message_digest.as_deref().unwrap_or("")),
            short(&sealed.previous_hash),
            short(&sealed.hash),
        ));
    }
    match &chain.verdict {
        Ok(hash) => say.line(&format!("  verified from its export; it ends with {hash}")),
        Err(problem) => say.line(&say.paint(Tone::Bad, &format!("  does not verify: {problem}"))),
    }
}

/// Where one can look around.
pub(crate) fn show_where(
    stack: &Stack,
    stand_in: &str,
    content_server: &str,
    kept: bool,
    say: &Say,
) -> Result<()> {
    let report = state("report");
    let report = report.strip_prefix(root()).unwrap_or(&report).display().to_string();
    say.line("\nWhere to look");
    say.line(&format!("  report and audit chains  {report}/report.json, {report}/audit/"));
    let live = if kept { "" } else { "  (while it runs: make demo ARGS=--keep, or make up)" };
    say.line(&format!("  Content Server           {content_server}/_simulator/{live}"));
    show_commands(stack, stand_in, say)
}

/// What one types to see the stack from outside.
pub(crate) fn show_commands(stack: &Stack, stand_in: &str, say: &Say) -> Result<()> {
    let aws = format!("aws --endpoint-url {stand_in}");
    say.line(&format!(
        "  quarantine               {aws} s3 ls --recursive s3://{}",
        stack.output("QuarantineBucketName")?
    ));
    say.line(&format!(
        "  ledger                   {aws} dynamodb scan --table-name {}",
        stack.output("LedgerTableName")?
    ));
    say.line(&format!(
        "  the function's log       {aws} logs tail {}",
        stack.output("IngestUploadsLogGroupName")?
    ));
    say.line(&format!("  for these                export {CREDENTIALS}"));
    Ok(())
}
