//! Which rule takes an approved version, and which documents it makes of it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use shared::{
    error::{Error, FailureClass, Result, System},
    filing::FilingPlan,
    flow::Run,
    iconik::{MetadataValues, NOT_FOUND, View, ViewId},
    mapping::{Record, Violations},
};

use super::{PublishFinals, standing::Approved};
use crate::{
    filing::{Media, Part, VersionMedia, media::Wanted},
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
    pub(super) async fn record(&self, approved: &Approved, run: &Run) -> Result<Record> {
        let (asset, version) = (&approved.asset, &approved.version);
        let now = run.context().now();
        let mut record = Record::new()
            .with(
                "asset",
                json!({
                    "id": asset.id, "title": asset.title, "kind": asset.kind.as_str(),
                    "category": asset.category, "external_id": asset.external_id,
                }),
            )
            .with("version", json!({"id": version.id, "number": approved.number()}))
            .with(
                "review",
                json!({
                    "approved_at": approved.at.map(|at| at.to_string()),
                    "approved_by": (!approved.by.is_empty()).then_some(&approved.by),
                }),
            )
            .with(
                "now",
                json!({
                    "date": now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string(), "time": now.to_string(),
                }),
            );
        for (name, id) in &self.rules.views {
            let fields = self.rules.fields_read(name);
            if !fields.is_empty() {
                record = record.with(name, self.values(approved, id, &fields).await?);
            }
        }
        Ok(record)
    }

    /// What the version has in a view. A field that rules read and the view does not have (any more) is told by name:
    /// what cannot be seen must not be taken for empty.
    async fn values(&self, approved: &Approved, id: &ViewId, fields: &[String]) -> Result<Value> {
        let view = match self.iconik.get_view(id).await {
            Err(error) if error.code() == NOT_FOUND => return Err(view_missing(id).source(error)),
            outcome => outcome?,
        };
        if let Some(missing) = fields.iter().find(|field| view.field(field).is_none()) {
            return Err(field_missing(&view, missing));
        }
        let values = if approved.is_current {
            self.iconik.get_metadata(&approved.object(), id).await?
        } else {
            self.iconik.get_version_metadata(&approved.asset.id, &approved.version.id, id).await?
        };
        Ok(by_field(&values))
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
                match content.plan(&with_media(record, media)) {
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

fn by_field(values: &MetadataValues) -> Value {
    let fields = values.fields().filter_map(|(field, values)| match values {
        [] => None,
        [one] => Some((field.to_owned(), one.clone())),
        several => Some((field.to_owned(), several.to_vec().into())),
    });
    fields.collect::<Map<_, _>>().into()
}

fn with_media(record: &Record, media: &Media) -> Record {
    let (stem, extension) = match media.name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, Some(extension.to_lowercase())),
        _ => (media.name.as_str(), None),
    };
    record.clone().with(
        "media",
        json!({
            "name": media.name, "stem": stem, "extension": extension, "part": media.part.name(),
            "folder": media.folder, "type": media.media_type(),
        }),
    )
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

fn view_missing(view: &ViewId) -> Error {
    let message = format!("iconik has no metadata view {view}");
    Error::new(FailureClass::Forbidden, System::Iconik, "read metadata", "metadata.view-missing", message)
        .remedy("correct the id of the view in the rules, or bring the view back")
}

fn field_missing(view: &View, field: &str) -> Error {
    let message = format!("the metadata view {:?} has no field {field:?}, which the rules read", view.name);
    Error::new(FailureClass::Forbidden, System::Iconik, "read metadata", "metadata.field-missing", message)
        .field(field)
        .remedy("put the field back into the view, or correct the rules")
}

/// All violations as one reason: the first gives the code and the field, the message tells every one.
fn refused(violations: &Violations) -> Error {
    let Some(first) = violations.iter().next() else {
        return Error::bug("plan", "a plan was refused without a violation");
    };
    let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
    Error::invalid(first.code, all.join("; ")).field(first.field.clone()).remedy(first.remedy.clone())
}
