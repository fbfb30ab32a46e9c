//! The summary for people: one page that loads and runs nothing, and prints.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    AssetSummary, Comment, FileSummary, PartSummary, Review, Shown, Summary, VersionSummary,
    text::{escaped, is_address, moment, place, plain, size},
};

const STYLE: &str = include_str!("page.css");

/// Files of one asset that the page lists one by one; the JSON document has all of them.
const FILES_SHOWN: usize = 200;

/// The page.
pub(in crate::archive_production) fn page(summary: &Summary) -> String {
    let mut page = String::with_capacity(64 << 10);
    let _ = writeln!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"referrer\" content=\"no-referrer\">\
         <title>{} - production summary</title><style>{STYLE}</style></head><body>",
        escaped(&plain(&summary.collection.title))
    );
    head(&mut page, summary);
    left_out(&mut page, summary);
    for part in &summary.parts {
        self::part(&mut page, summary, part);
    }
    discussion(&mut page, summary);
    production(&mut page, summary);
    documents(&mut page, summary);
    page.push_str("</body></html>\n");
    page
}

/// A text of its own direction, whatever stands around it.
fn text(text: &str) -> String {
    format!("<bdi>{}</bdi>", escaped(text))
}

fn head(page: &mut String, summary: &Summary) {
    let totals = &summary.totals;
    let _ = write!(
        page,
        "<header><p class=\"over\">Production summary</p><h1 dir=\"auto\">{}</h1>",
        escaped(&summary.collection.title)
    );
    let verdict = match totals.left_out {
        0 => ("well", "Complete: everything that belongs into the package is in it.".to_owned()),
        1 => ("wait", "One thing was left out, by rule. It is named below.".to_owned()),
        many => ("wait", format!("{many} things were left out, by rule. They are named below.")),
    };
    let _ =
        write!(page, "<p class=\"verdict {}\">{}</p></header>\n<ul class=\"counts\">", verdict.0, verdict.1);
    for (number, name) in [
        (totals.files.to_string(), one_or(totals.files, "file", "files")),
        (size(totals.bytes), "in all".to_owned()),
        (
            totals.packaged_assets.to_string(),
            format!("of {} {}", totals.assets, one_or(totals.assets, "asset", "assets")),
        ),
        (totals.verdicts.to_string(), one_or(totals.verdicts, "verdict", "verdicts")),
        (totals.comments.to_string(), one_or(totals.comments, "comment", "comments")),
    ] {
        let _ = write!(page, "<li><b>{number}</b> {name}</li>");
    }
    page.push_str("</ul>\n<dl>");
    let closing = &summary.closing;
    let revision =
        closing.revision.as_ref().map(|revision| format!(", {}", text(revision))).unwrap_or_default();
    let mut facts = vec![
        ("Closed", format!("{}: {}{revision}", text(&closing.field), text(&closing.value))),
        ("Closing", format!("number {}, noticed {}", closing.number, moment(closing.noticed))),
        ("Packaged", moment(closing.packaged)),
        ("Package", format!("{} (node {})", text(&summary.package.name), summary.package.node)),
        ("Collection", format!("<code>{}</code>", escaped(&summary.collection.id))),
    ];
    if let Some(id) = &summary.collection.external_id {
        facts.push(("Known as", text(id)));
    }
    for shown in &summary.metadata {
        for field in &shown.fields {
            let values: Vec<String> = field.values.iter().map(|value| text(value)).collect();
            facts.push((&field.name, values.join(", ")));
        }
    }
    for (name, fact) in facts {
        let _ = write!(page, "<dt>{}</dt><dd>{fact}</dd>", text(name));
    }
    page.push_str("</dl>\n<nav>");
    for (number, part) in summary.parts.iter().enumerate().filter(|(_, part)| part.files > 0) {
        let _ = write!(page, "<a href=\"#part-{number}\">{}</a>", text(&part.title));
    }
    if totals.comments > 0 {
        page.push_str("<a href=\"#comments\">Comments</a>");
    }
    page.push_str(
        "<a href=\"#production\">The whole production</a><a href=\"#documents\">All documents and their hashes</a></nav>\n",
    );
}

fn one_or(count: u64, one: &str, many: &str) -> String {
    if count == 1 { one } else { many }.to_owned()
}

fn left_out(page: &mut String, summary: &Summary) {
    if summary.left_out.is_empty() {
        return;
    }
    page.push_str("<section class=\"wait box\"><h2>Left out</h2><ul>");
    for left in &summary.left_out {
        let file = left.file.as_ref().map(|file| format!("{} of ", text(file))).unwrap_or_default();
        let _ = write!(page, "<li>{file}<b>{}</b>: {}</li>", text(&left.asset), escaped(&left.what));
    }
    page.push_str("</ul></section>\n");
}

fn part(page: &mut String, summary: &Summary, part: &PartSummary) {
    if part.files == 0 {
        return;
    }
    let number = summary.parts.iter().position(|other| other.folder == part.folder).unwrap_or_default();
    let _ = write!(
        page,
        "<section id=\"part-{number}\"><h2>{} <small>{} {}, {}</small></h2>",
        text(&part.title),
        part.files,
        one_or(part.files, "file", "files"),
        size(part.bytes)
    );
    for asset in &summary.assets {
        let files: Vec<&FileSummary> = asset.files.iter().filter(|file| file.part == part.folder).collect();
        if let Some(first) = files.first() {
            self::asset(page, asset, first, &files);
        }
    }
    page.push_str("</section>\n");
}

fn asset(page: &mut String, asset: &AssetSummary, first: &FileSummary, files: &[&FileSummary]) {
    let version = asset.versions.iter().find(|version| version.id == first.version);
    let label = version.and_then(|version| version.number).map(|number| format!(" <small>v{number}</small>"));
    let _ = write!(
        page,
        "<article><h3>{}{}{}</h3><p class=\"muted\">{}",
        text(&asset.title),
        label.unwrap_or_default(),
        version.map(badge).unwrap_or_default(),
        places(asset)
    );
    if let Some(id) = &asset.external_id {
        let _ = write!(page, " · {}", text(id));
    }
    page.push_str("</p>");
    for version in asset.versions.iter().filter(|version| version.review.is_some()) {
        review(page, version);
    }
    metadata(page, &asset.metadata);
    table(page, files);
    page.push_str("</article>\n");
}

fn badge(version: &VersionSummary) -> String {
    let status = version.review.as_ref().map(|review| review.status.as_str());
    let (class, words) = match status {
        Some("APPROVED") => ("well", "approved"),
        Some("NOT_APPROVED") => ("ill", "rejected"),
        Some("MIXED") => ("ill", "reviewers disagree"),
        Some("REQUESTED") => ("wait", "review open"),
        // Where a rule wants an approval, what has none is not in the package.
        _ => ("", "not reviewed"),
    };
    format!(" <span class=\"badge {class}\">{words}</span>")
}

fn places(asset: &AssetSummary) -> String {
    let path = |path: &Vec<String>| path.iter().map(|step| text(step)).collect::<Vec<_>>().join(" / ");
    asset.places.iter().map(path).collect::<Vec<_>>().join("; ")
}

fn review(page: &mut String, version: &VersionSummary) {
    let Some(Review { status, needed, requested_by, requested, verdicts, .. }) = &version.review else {
        return;
    };
    let number = version.number.map(|number| format!("v{number}")).unwrap_or_default();
    let _ = write!(page, "<div class=\"review\"><b>Review of {number}</b>: {}", said(status));
    if let Some(needed) = needed.filter(|needed| *needed > 1) {
        let _ = write!(page, ", {needed} approvals needed");
    }
    if let Some(by) = requested_by {
        let _ = write!(page, ", asked by {}", text(by));
    }
    if let Some(at) = requested {
        let _ = write!(page, " on {}", moment(*at));
    }
    page.push_str("<ul>");
    for verdict in verdicts {
        let at = verdict.at.map(|at| format!(", {}", moment(at))).unwrap_or_default();
        let _ = write!(page, "<li>{}: {}{at}</li>", text(&verdict.reviewer), said(&verdict.status));
    }
    page.push_str("</ul></div>");
}

fn said(status: &str) -> String {
    match status {
        "APPROVED" => "approved".to_owned(),
        "NOT_APPROVED" => "rejected".to_owned(),
        "MIXED" => "verdicts contradict one another".to_owned(),
        "REQUESTED" => "asked, not decided".to_owned(),
        "N/A" => "nobody was asked".to_owned(),
        other => escaped(other),
    }
}

fn metadata(page: &mut String, shown: &[Shown]) {
    for shown in shown.iter().filter(|shown| !shown.fields.is_empty()) {
        let _ = write!(page, "<details open><summary>{}</summary><dl>", text(&shown.title));
        for field in &shown.fields {
            let values: Vec<String> = field.values.iter().map(|value| text(value)).collect();
            let _ = write!(page, "<dt>{}</dt><dd>{}</dd>", text(&field.name), values.join(", "));
        }
        page.push_str("</dl></details>");
    }
}

fn table(page: &mut String, files: &[&FileSummary]) {
    page.push_str(
        "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">File</th><th scope=\"col\">Format</th>\
         <th scope=\"col\" class=\"number\">Size</th><th scope=\"col\" class=\"number\">Node</th>\
         <th scope=\"col\">SHA-256</th></tr></thead><tbody>\n",
    );
    for file in files.iter().take(FILES_SHOWN) {
        let _ = writeln!(
            page,
            "<tr><td class=\"name\">{}</td><td>{}</td><td class=\"number\" title=\"{} bytes\">{}</td>\
             <td class=\"number\">{}</td><td><code>{}</code></td></tr>",
            text(&file.name),
            text(&file.format),
            file.size,
            size(file.size),
            file.node,
            escaped(&file.sha256)
        );
    }
    page.push_str("</tbody></table></div>");
    let more = files.len().saturating_sub(FILES_SHOWN);
    if more > 0 {
        let _ = write!(page, "<p class=\"muted\">{more} more are in the JSON document.</p>");
    }
}

fn discussion(page: &mut String, summary: &Summary) {
    if summary.totals.comments == 0 {
        return;
    }
    page.push_str("<section id=\"comments\"><h2>Comments</h2>");
    for asset in summary.assets.iter().filter(|asset| !asset.comments.is_empty()) {
        let _ = write!(page, "<article><h3>{}</h3>", text(&asset.title));
        let mut threads: BTreeMap<Option<&str>, Vec<&Comment>> = BTreeMap::new();
        let known: Vec<&str> = asset.comments.iter().map(|comment| comment.id.as_str()).collect();
        for comment in &asset.comments {
            // What answers a comment that is not there stands by itself.
            let answers = comment.answers.as_deref().filter(|id| known.contains(id) && *id != comment.id);
            threads.entry(answers).or_default().push(comment);
        }
        let roots = threads.remove(&None).unwrap_or_default();
        for version in asset.versions.iter().map(Some).chain([None]) {
            let id = version.map(|version| version.id.as_str());
            let of_version: Vec<&&Comment> = roots
                .iter()
                .filter(|comment| match id {
                    Some(id) => comment.version.as_deref() == Some(id),
                    None => !asset
                        .versions
                        .iter()
                        .any(|version| Some(version.id.as_str()) == comment.version.as_deref()),
                })
                .collect();
            if of_version.is_empty() {
                continue;
            }
            let label = match version {
                Some(version) => {
                    version.number.map_or_else(|| "Version".to_owned(), |number| format!("On v{number}"))
                }
                None => "On other versions".to_owned(),
            };
            let packaged = version.is_some_and(|version| version.packaged);
            let where_to = if packaged { " <small>in the package</small>" } else { "" };
            let _ = write!(page, "<h4>{label}{where_to}</h4>");
            for root in of_version {
                comment(page, root, &mut threads, 0);
            }
        }
        page.push_str("</article>\n");
    }
    page.push_str("</section>\n");
}

fn comment<'c>(
    page: &mut String,
    of: &'c Comment,
    threads: &mut BTreeMap<Option<&'c str>, Vec<&'c Comment>>,
    depth: usize,
) {
    let class = if depth > 0 { "comment answer" } else { "comment" };
    let _ = write!(page, "<div class=\"{class}\"><p class=\"muted\"><b>{}</b>", text(&of.author));
    if let Some(at) = of.at {
        let _ = write!(page, " · {}", moment(at));
    }
    if let Some(starts) = of.starts_milliseconds {
        let _ = write!(page, " · at <code>{}</code>", place(starts));
    }
    for (is, words) in
        [(of.resolved, "dealt with"), (of.internal, "internal"), (of.drawing, "with a drawing, in iconik")]
    {
        if is {
            let _ = write!(page, " <span class=\"badge\">{words}</span>");
        }
    }
    let _ = write!(page, "</p><p class=\"said\" dir=\"auto\">{}</p>", escaped(&of.text));
    // Answers of answers go as deep as anybody reads; a ring that people cannot make would end here too.
    if depth < 8
        && let Some(answers) = threads.remove(&Some(of.id.as_str()))
    {
        for answer in answers {
            comment(page, answer, threads, depth + 1);
        }
    }
    page.push_str("</div>");
}

fn production(page: &mut String, summary: &Summary) {
    let totals = &summary.totals;
    let _ = writeln!(
        page,
        "<section id=\"production\"><h2>The whole production <small>{} {}, {} {}</small></h2>\
         <div class=\"scroll\"><table><thead><tr><th scope=\"col\">Asset</th><th scope=\"col\">Type</th>\
         <th scope=\"col\">Where</th><th scope=\"col\">In the package</th></tr></thead><tbody>",
        totals.assets,
        one_or(totals.assets, "asset", "assets"),
        totals.collections,
        one_or(totals.collections, "collection", "collections"),
    );
    for asset in &summary.assets {
        let title = match asset.link.as_deref().filter(|link| is_address(link)) {
            Some(link) => {
                let (href, title) = (escaped(&plain(link.trim())), text(&asset.title));
                format!("<a rel=\"noopener noreferrer\" href=\"{href}\">{title}</a>")
            }
            None if asset.title.is_empty() => format!("<code>{}</code>", escaped(&asset.id)),
            None => text(&asset.title),
        };
        let files = asset.files.len();
        let word = if files == 1 { "file" } else { "files" };
        let state = match (asset.state.as_str(), files) {
            ("recycled", _) => "no, in the recycle bin".to_owned(),
            ("gone", _) => "no, deleted".to_owned(),
            (_, 0) => "no".to_owned(),
            (_, files) => format!("{files} {word}"),
        };
        let kind = escaped(&asset.kind.to_lowercase().replace('_', " "));
        let _ = writeln!(
            page,
            "<tr><td class=\"name\">{title}</td><td>{kind}</td><td>{}</td><td>{state}</td></tr>",
            places(asset)
        );
    }
    page.push_str("</tbody></table></div></section>\n");
}

fn documents(page: &mut String, summary: &Summary) {
    let _ = writeln!(
        page,
        "<section id=\"documents\"><h2>All documents <small>{}</small></h2><p class=\"muted\">Each was read back from \
         Content Server, and had the hash that was taken on its way there. The JSON document beside this page has the same \
         list, with every id and with the hash of this page; its own hash is in the audit trail.</p>\
         <div class=\"scroll\"><table><thead><tr><th scope=\"col\">Document</th><th scope=\"col\" class=\"number\">Node</th>\
         <th scope=\"col\" class=\"number\">Bytes</th><th scope=\"col\">SHA-256</th></tr></thead><tbody>",
        summary.documents.len()
    );
    for document in &summary.documents {
        let _ = writeln!(
            page,
            "<tr><td class=\"name\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td><code>{}</code></td></tr>",
            text(&document.path),
            document.node,
            document.size,
            escaped(&document.sha256)
        );
    }
    let _ = write!(
        page,
        "</tbody></table></div></section><footer class=\"muted\">Made by {} from iconik collection <code>{}</code>, rule \
         {}.</footer>",
        concat!("Waybill ", env!("CARGO_PKG_VERSION")),
        escaped(&summary.collection.id),
        escaped(&summary.rule)
    );
}
