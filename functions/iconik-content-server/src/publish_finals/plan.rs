//! Which rule takes an approved version, and which documents it makes of it.

use std::collections::BTreeSet;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::json;
use shared::{
    error::{Error, Result},
    filing::FilingPlan,
    mapping::Record,
};

use super::PublishFinals;
use crate::{
    approval::{self, Approved},
    filing::{Media, Part, VersionMedia, media::Wanted, refused},
    finals_rules::FinalsRule,
};

/// A document that is to be made.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) media: Media,
    pub(super) plan: FilingPlan,
}

/// What is to be made of a version.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) rule: &'a FinalsRule,
    pub(super) documents: Vec<Document>,
    /// What cannot be made, and why.
    pub(super) refused: Vec<Error>,
}

impl PublishFinals {
    /// What is known of the asset and its version, for conditions and fields.
    pub(super) async fn record(&self, approved: &Approved, now: Timestamp) -> Result<Record> {
        let mut record = at(approved.record(), now);
        for (name, id) in &self.rules.views {
            let fields = self.rules.fields_read(name);
            if !fields.is_empty() {
                approval::check_view(&self.iconik, id, &fields).await?;
                record = record.with(name, approved.values(&self.iconik, id).await?);
            }
        }
        Ok(record)
    }

    /// The documents the rule makes.
    pub(super) async fn plan<'a>(
        &self,
        approved: &Approved,
        record: &Record,
        rule: &'a FinalsRule,
    ) -> Result<Plan<'a>> {
        let wants = |wanted: fn(&Part) -> bool| rule.contents.iter().any(|content| wanted(&content.part));
        let wanted = Wanted {
            files: wants(|part| matches!(part, Part::Format(_))),
            proxies: wants(|part| *part == Part::Proxy),
            posters: wants(|part| *part == Part::Poster),
        };
        let (asset, version) = (&approved.asset, &approved.version);
        let poster = asset.custom_poster.as_ref().filter(|_| approved.is_current);
        let found = VersionMedia::list(&self.iconik, &asset.id, version, poster, wanted).await?;
        let mut plan = Plan { rule, documents: Vec::new(), refused: Vec::new() };
        for content in &rule.contents {
            let media = found.of(&content.part);
            if media.is_empty() && content.required {
                plan.refused.push(nothing_there(&content.part, &found));
            }
            for media in media {
                match content.plan(&record.clone().with("media", media.facts())) {
                    Ok(filing) => plan.documents.push(Document { media: media.clone(), plan: filing }),
                    Err(violations) => plan.refused.push(refused(&violations)),
                }
            }
        }
        if plan.documents.len() > rule.max_files {
            let message = format!(
                "the version has {} files, the rule takes {} at most",
                plan.documents.len(),
                rule.max_files
            );
            return Err(Error::invalid("version.too-many-files", message)
                .field("max_files")
                .remedy("raise `max_files` in the rule, or file an archive of them as a format of its own"));
        }
        check_names(&plan.documents)?;
        Ok(plan)
    }
}

/// The record with the present.
pub(super) fn at(record: Record, now: Timestamp) -> Record {
    let date = now.to_zoned(TimeZone::UTC).date().to_string();
    record.with("now", json!({ "date": date, "time": now.to_string() }))
}

/// Two files that become one document would become versions of one another.
fn check_names(documents: &[Document]) -> Result<()> {
    let mut taken = BTreeSet::new();
    for document in documents {
        let target = serde_json::to_string(&document.plan.target).unwrap_or_default();
        if !taken.insert((target, document.plan.document.name.as_str())) {
            let message = "two files of the version get the same name in the same folder";
            return Err(Error::invalid("document.name-twice", message)
                .field("document.name")
                .remedy("put `{media.name}` or `{media.part}` into the name"));
        }
    }
    Ok(())
}

fn nothing_there(part: &Part, found: &VersionMedia) -> Error {
    let there: Vec<&str> = found.formats().collect();
    let message = match part {
        Part::Format(name) if there.is_empty() => {
            format!("the version has no format {name:?}, nor any other")
        }
        Part::Format(name) => {
            format!("the version has no format {name:?}; it has {}", there.join(", "))
        }
        Part::Proxy | Part::Poster => format!("the version has no {}", part.name()),
    };
    Error::invalid("media.missing", message)
        .field(part.name())
        .remedy("bring it into iconik, or write `required = false` in the rule")
}
