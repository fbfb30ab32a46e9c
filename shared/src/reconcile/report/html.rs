//! The report for people: one page that loads and runs nothing.

use std::fmt::Write as _;

use super::Report;
use crate::reconcile::{Counts, Finding, Kind};

/// Findings of one kind that the page shows; the sheet has all of them.
const SHOWN: usize = 1000;

const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#1b1f24;background:#fff}\
h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.2rem;margin:2rem 0 .5rem}\
.muted{color:#57606a}.verdict{padding:.8rem 1rem;border-radius:.4rem;font-weight:600;margin:1rem 0}\
.well{background:#dafbe1;color:#0b5a23}.ill{background:#ffebe9;color:#82071e}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#57606a}dd{margin:0}\
.counts{display:flex;flex-wrap:wrap;gap:.6rem;padding:0;list-style:none}\
.counts li{border:1px solid #d0d7de;border-radius:.4rem;padding:.4rem .8rem;min-width:6.5rem}\
.counts b{display:block;font-size:1.4rem}\
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}\
th,td{text-align:left;vertical-align:top;padding:.45rem .6rem;border-bottom:1px solid #d0d7de}\
th{background:#f6f8fa}td.key{overflow-wrap:anywhere;min-width:14rem;max-width:26rem}\
code{font:0.85rem ui-monospace,monospace;overflow-wrap:anywhere}\
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}.muted,dt{color:#9198a1}\
.well{background:#12361f;color:#aff5b4}.ill{background:#48110f;color:#ffdcd7}\
.counts li,th,td{border-color:#3d444d}th{background:#151b23}}";

/// What the page shows of each kind.
#[derive(Debug, Default)]
pub(super) struct Sections([Vec<Finding>; Kind::ALL.len()]);

impl Sections {
    pub(super) fn add(&mut self, finding: Finding) {
        let place = Kind::ALL.into_iter().position(|kind| kind == finding.kind);
        if let Some(section) = place.and_then(|place| self.0.get_mut(place))
            && section.len() < SHOWN
        {
            section.push(finding);
        }
    }

    /// The page.
    pub(super) fn page(&self, report: &Report) -> String {
        let mut page = String::with_capacity(16 << 10);
        let title = format!("{} - reconciliation", report.flow);
        let _ = writeln!(
            page,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
             <title>{}</title><style>{STYLE}</style></head><body>",
            escaped(&title)
        );
        head(&mut page, report);
        counts(&mut page, &report.counts);
        for (kind, findings) in Kind::ALL.into_iter().zip(&self.0) {
            section(&mut page, kind, findings, report.counts.of(kind));
        }
        page.push_str("</body></html>\n");
        page
    }
}

fn head(page: &mut String, report: &Report) {
    let _ = write!(page, "<h1>{}</h1>", escaped(&report.flow));
    let _ = write!(page, "<p class=\"muted\">Do both sides agree?</p>");
    let (class, verdict) = match (report.agree, report.counts.equal + report.counts.alike) {
        (true, 0) => ("well", "There is no difference; nothing is on both sides.".to_owned()),
        (true, both) => ("well", format!("Both sides agree. {both} compared and alike.")),
        (false, _) => {
            let found: u64 = Kind::ALL.into_iter().map(|kind| report.counts.of(kind)).sum();
            (
                "ill",
                format!("{found} {} found.", if found == 1 { "difference was" } else { "differences were" }),
            )
        }
    };
    let _ = write!(page, "<p class=\"verdict {class}\">{}</p>\n<dl>", escaped(&verdict));
    let ended = report.ended.map(|ended| ended.to_string()).unwrap_or_default();
    let contents = if report.options.deep {
        "read and hashed where no side states a hash"
    } else {
        "compared by the hashes and sizes both sides state"
    };
    let repairs = match (report.options.repair, report.counts.queued) {
        (false, _) => "none were asked for; the plan is below".to_owned(),
        (true, queued) => format!("{queued} of {} queued", report.counts.repairable),
    };
    let grace = format!("{} minutes", report.options.grace_minutes);
    for (name, fact) in [
        ("Source", report.sides.source.as_str()),
        ("Target", report.sides.target.as_str()),
        ("Deployment", report.environment.as_str()),
        ("Began", &report.started.to_string()),
        ("Ended", &ended),
        ("Contents", contents),
        ("Counts as on its way for", &grace),
        ("Repairs", &repairs),
    ] {
        let _ = write!(page, "<dt>{name}</dt><dd>{}</dd>", escaped(fact));
    }
    page.push_str("</dl>\n");
}

fn counts(page: &mut String, counts: &Counts) {
    page.push_str("<ul class=\"counts\">");
    for (name, count) in [
        ("in the source", counts.source),
        ("in the target", counts.target),
        ("equal, by hash", counts.equal),
        ("alike, no hash", counts.alike),
        ("accounted for", counts.accounted),
        ("on their way", counts.in_flight),
        ("missing", counts.missing),
        ("different", counts.different),
        ("other metadata", counts.metadata),
        ("extra", counts.extra),
        ("unverifiable", counts.unverifiable),
    ] {
        let _ = write!(page, "<li><b>{count}</b>{name}</li>");
    }
    page.push_str("</ul>\n");
    let _ = writeln!(
        page,
        "<p class=\"muted\">Accounted for: not on both sides, or not alike, and in order, such as what was put aside with \
         a reason. On their way: too young to count as a difference. Unverifiable: one side could not be read. Of the \
         differences, {} can be repaired by the flow itself; a person decides about the others.</p>",
        counts.repairable
    );
}

fn section(page: &mut String, kind: Kind, findings: &[Finding], all: u64) {
    if findings.is_empty() {
        return;
    }
    let heading = match kind {
        Kind::Missing => "Missing in the target",
        Kind::Different => "Different",
        Kind::Metadata => "Alike, with other metadata",
        Kind::Extra => "Only in the target",
        Kind::Unverifiable => "Could not be compared",
    };
    let _ = write!(page, "<h2>{heading} ({all})</h2>");
    let left = all.saturating_sub(u64::try_from(findings.len()).unwrap_or(u64::MAX));
    if left > 0 {
        let _ = write!(page, "<p class=\"muted\">{left} more are in findings.csv and report.json.</p>");
    }
    page.push_str(
        "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">What</th><th scope=\"col\">Why</th>\
         <th scope=\"col\">What to do</th></tr></thead><tbody>\n",
    );
    for finding in findings {
        row(page, finding);
    }
    page.push_str("</tbody></table></div>\n");
}

fn row(page: &mut String, finding: &Finding) {
    let _ = write!(page, "<tr><td class=\"key\">{}", escaped(&finding.name));
    if finding.key != finding.name {
        let _ = write!(page, "<br><code class=\"muted\">{}</code>", escaped(&finding.key));
    }
    let _ = write!(page, "</td><td>{}", escaped(&finding.explanation));
    for difference in &finding.differences {
        let _ = write!(
            page,
            "<br>{}: <code>{}</code> in the source, <code>{}</code> in the target",
            escaped(&difference.what),
            escaped(&difference.source),
            escaped(&difference.target)
        );
    }
    let who = match (finding.repair.safe, finding.repair.queued) {
        (true, true) => "Queued by this run",
        (true, false) => "With <code>--repair</code>",
        (false, _) => "A person",
    };
    let _ = writeln!(page, "</td><td><b>{who}:</b> {}</td></tr>", escaped(&finding.repair.what));
}

/// Text as HTML shows it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Those that turn the direction of writing round make a name look like another one.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => escaped.push('\u{fffd}'),
            character if character.is_control() && !matches!(character, '\n' | '\t') => {
                escaped.push('\u{fffd}');
            }
            character => escaped.push(character),
        }
    }
    escaped
}
