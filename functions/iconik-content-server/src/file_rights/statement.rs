//! The rights statement: a page that people read, made of what iconik says. The same revision gives the same bytes.

use std::{fmt::Write as _, sync::Arc};

use shared::{
    content_server::NodeId,
    error::Result,
    filing::{Content, Filed, Filing, FilingPlan, Mark, Step, Verify, VersionsOf, plan::Target},
    flow::{Item, Run},
    http::{Replayable, full},
    iconik::AssetId,
    ledger::Key,
    s3_notification::Sequencer,
    transfer::{Digests, RangedSource, Witness},
};

use super::{
    FileRights, again,
    releases::FiledRelease,
    rights::{self, Rights},
};
use crate::{approval::Approved, filing::refused};

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Rights statement</title>\n\
<style>body{font:16px/1.5 sans-serif;margin:2em auto;max-width:60em;padding:0 1em}table{border-collapse:collapse;width:100%}\
th,td{border:1px solid #999;padding:.3em .6em;text-align:start;vertical-align:top;overflow-wrap:anywhere}\
th{background:#eee}</style>\n</head>\n<body>\n";

impl FileRights {
    /// Files a revision of the statement, as a version of the one that is there. Gives its document.
    pub(super) async fn file_statement(
        &self,
        approved: &Approved,
        rights: &Rights<'_>,
        (revision, releases): (u64, &[FiledRelease]),
        place: &Target,
        run: &Run,
    ) -> Result<(NodeId, Digests)> {
        let plan = plan(rights, revision, place)?;
        let page = page(approved, rights, revision, releases);
        let key = key(&approved.asset.id, approved.version.id.as_str(), revision);
        let content = content(page, &plan.document.name, key.digest());
        let mark = mark(&approved.asset.id, key, revision);
        let origin = format!("iconik version {}, rights revision {revision}", approved.number());
        let guard = || -> Step<'_> { Box::pin(approved.check(&self.iconik)) };
        let filing = Filing {
            plan: &plan,
            mark: &mark,
            content: &content,
            verify: Verify::ReadBack,
            versions_of: VersionsOf::SameAsset,
            origin: &origin,
            run,
            guard: Some(&guard),
            told: None,
        };
        match Box::pin(self.filer().file(&filing)).await? {
            Filed::Done { placed, digests } => {
                if let Some(permissions) = &plan.permissions {
                    let template = self.filer().permission_template(permissions).await?;
                    self.filer().restrict(placed.node, &template).await?;
                }
                Ok((placed.node, digests))
            }
            Filed::LeftAlone { .. } => {
                Err(again("rights.overtaken", "a later revision of these rights is filed already"))
            }
        }
    }
}

/// What a revision of a statement is made of once.
pub(super) fn key(asset: &AssetId, version: &str, revision: u64) -> Key {
    Key::of(&["iconik rights", asset.as_str(), version, &revision.to_string()])
}

/// The mark of a revision. They succeed one another by their numbers.
pub(super) fn mark(asset: &AssetId, key: Key, revision: u64) -> Mark {
    let item = Item {
        key,
        payload_hash: String::new(),
        asset: Key::of(&["iconik rights", asset.as_str()]).digest().to_owned(),
        asset_text: String::new(),
    };
    // Sequencers are compared as text.
    Mark::of(&item, Some(&Sequencer::new(&format!("{revision:016X}"))))
}

/// The document of a revision of the statement.
fn plan(rights: &Rights<'_>, revision: u64, place: &Target) -> Result<FilingPlan> {
    let until = rights.until().map(|day| day.to_string());
    let filed = serde_json::json!({ "revision": revision, "expires": until });
    let record = rights.record.clone().with("filed", filed);
    rights.rule.statement(&record, place).map_err(|violations| refused(&violations))
}

/// A page as a content that can be filed.
fn content(page: String, name: &str, key: &str) -> Content {
    let (page, witness) = (Arc::new(page.into_bytes()), Witness::new());
    let length = page.len() as u64;
    let (whole, watching) = (Arc::clone(&page), witness.clone());
    let whole = Replayable::new(length, move || {
        let body = watching.watch(full(whole.to_vec()));
        async move { Ok(body) }
    });
    let source = RangedSource::new(key, length, move |offset, wanted| {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let part: Vec<u8> = page.iter().skip(from).take(wanted).copied().collect();
        async move { Ok(full(part)) }
    });
    Content {
        whole,
        witness,
        source,
        file_name: name.to_owned(),
        content_type: "text/html".to_owned(),
        crc64_nvme: None,
        sha256: None,
        modified: None,
    }
}

/// The page. It says what iconik says, and where its releases are; nothing in it depends on when it is written.
fn page(approved: &Approved, rights: &Rights<'_>, revision: u64, releases: &[FiledRelease]) -> String {
    let mut page = HEAD.to_owned();
    let _ = writeln!(page, "<h1>Rights statement</h1>\n<table>");
    let none = || vec!["–".to_owned()];
    row(&mut page, "Asset", std::slice::from_ref(&approved.asset.title));
    row(&mut page, "Asset in iconik", &[approved.asset.id.to_string()]);
    row(&mut page, "Version", &[format!("{} ({})", approved.number(), approved.version.id)]);
    row(&mut page, "Revision of the rights", &[revision.to_string()]);
    for fact in &rights.rule.facts {
        let values = rights::texts(rights.record.get(&fact.from));
        row(&mut page, &fact.label, &if values.is_empty() { none() } else { values });
    }
    let until = rights.until().map_or_else(|| "no last day is recorded".to_owned(), |day| day.to_string());
    row(&mut page, "The first last day", &[until]);
    let _ = writeln!(page, "</table>\n<h2>Releases and licences</h2>");
    if rights.releases.is_empty() {
        let _ = writeln!(page, "<p>None is related to the asset.</p>");
    } else {
        let heads =
            ["Title", "Kind", "Last day", "Documents", "SHA-256"].map(|head| format!("<th>{head}</th>"));
        let _ = writeln!(page, "<table>\n<tr>{}</tr>", heads.concat());
        for release in &rights.releases {
            let of_it: Vec<&FiledRelease> =
                releases.iter().filter(|filed| filed.release == release.asset.id).collect();
            let documents = match of_it.as_slice() {
                [] => vec![release.asset.external_link.clone().unwrap_or_else(|| "–".to_owned())],
                some => some.iter().map(|one| format!("{} (document {})", one.name, one.node)).collect(),
            };
            let hashes: Vec<String> = of_it.iter().map(|one| one.sha256.clone()).collect();
            let until = release.expires.map_or_else(|| "–".to_owned(), |day| day.to_string());
            let kind = release.rule.relation.clone();
            let cells = [vec![release.asset.title.clone()], vec![kind], vec![until], documents, hashes];
            let cells: Vec<String> = cells.iter().map(|values| cell(values)).collect();
            let _ = writeln!(page, "<tr>{}</tr>", cells.concat());
        }
        let _ = writeln!(page, "</table>");
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn row(page: &mut String, label: &str, values: &[String]) {
    let _ = writeln!(page, "<tr><th dir=\"auto\">{}</th>{}</tr>", escaped(label), cell(values));
}

fn cell(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("<bdi>{}</bdi>", escaped(value))).collect();
    format!("<td>{}</td>", values.join("<br>"))
}

/// A text inside a page: nothing of it is a tag, and control characters are left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' => safe.push_str("<br>"),
            other if other.is_control() => {}
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use shared::transfer::hash_body;

    use super::*;

    #[test]
    fn what_people_wrote_is_no_tag() {
        assert_eq!(escaped("<b a='1'>&\u{7}\n"), "&lt;b a=&#39;1&#39;&gt;&amp;<br>");
        assert_eq!(cell(&["a".into(), "<i>".into()]), "<td><bdi>a</bdi><br><bdi>&lt;i&gt;</bdi></td>");
    }

    #[tokio::test]
    async fn a_page_can_be_read_from_anywhere() {
        let content = content("0123456789".to_owned(), "a.html", "key");
        let part = hash_body(content.source.open(3, 4).await.unwrap(), Some(4)).await.unwrap();
        let same = hash_body(full("3456"), Some(4)).await.unwrap();
        assert_eq!(part.sha256, same.sha256);
        let whole = hash_body(content.whole.open().await.unwrap(), Some(10)).await.unwrap();
        assert_eq!(content.witness.digests().unwrap().sha256, whole.sha256);
    }
}
