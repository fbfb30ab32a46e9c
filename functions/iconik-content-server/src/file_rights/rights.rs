//! What is known of the rights of an approved version: facts, releases, last days; and what of it has lapsed.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::{
    error::{Error, Result},
    ledger::Key,
    mapping::Record,
};

use super::{plain, releases::Release};
use crate::{approval::Approved, rights_rules::RightsRule};

/// The form of the statement: another one makes another revision.
const FORM: u32 = 1;
/// What stands for the asset's own rights among the last days.
const OWN: &str = "rights";

/// The last day of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Expiry {
    /// The id of the release, or the asset's own rights.
    pub(super) of: String,
    /// The release's title; none for the asset's own rights.
    pub(super) title: Option<String>,
    pub(super) until: Date,
}

/// Something that does not last any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lapse {
    /// Tells it from every other.
    pub(super) key: String,
    /// What people read.
    pub(super) text: String,
    pub(super) date: Option<Date>,
}

impl Expiry {
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.of, self.until)
    }

    fn lapse(&self) -> Lapse {
        let what = self.title.as_ref().map_or_else(
            || "the rights of the asset".to_owned(),
            |title| format!("the release \"{}\"", plain(title)),
        );
        let text = format!("{what} ended with {}", self.until);
        Lapse { key: self.key(), text, date: Some(self.until) }
    }
}

/// What has lapsed of these by a day.
pub(super) fn lapsed(expiries: &[Expiry], today: Date) -> Vec<Lapse> {
    expiries.iter().filter(|expiry| expiry.until < today).map(Expiry::lapse).collect()
}

/// All of it in a row.
pub(super) fn sentence(lapses: &[Lapse]) -> String {
    lapses.iter().map(|lapse| lapse.text.as_str()).collect::<Vec<_>>().join("; ")
}

/// What a record of a task says of lapses.
pub(super) fn facts(lapses: &[Lapse]) -> Value {
    let date = lapses.iter().filter_map(|lapse| lapse.date).min().map(|date| date.to_string());
    json!({ "text": sentence(lapses), "date": date })
}

/// The rights of an approved version under a rule.
pub(super) struct Rights<'a> {
    pub(super) rule: &'a RightsRule,
    pub(super) record: Record,
    pub(super) releases: Vec<Release<'a>>,
    pub(super) expiries: Vec<Expiry>,
    /// What has lapsed otherwise than by its last day.
    pub(super) gone: Vec<Lapse>,
    /// Tells this revision from every other.
    pub(super) digest: String,
}

impl<'a> Rights<'a> {
    /// Puts together what is known. `had_releases` tells whether releases had been filed before, so that one that is required
    /// and is not there has been taken away.
    ///
    /// # Errors
    /// `rights.bad-date`, `missing-value`, `release.missing`, each with the field.
    pub(super) fn of(
        approved: &Approved,
        rule: &'a RightsRule,
        record: Record,
        releases: Vec<Release<'a>>,
        is_filed: bool,
    ) -> Result<Self> {
        check_facts(rule, &record)?;
        let mut gone = Vec::new();
        for wanted in rule.releases.iter().filter(|wanted| wanted.required) {
            if releases.iter().any(|release| release.rule.relation == wanted.relation) {
                continue;
            }
            let message = format!("no release is related to the asset as {:?}", wanted.relation);
            if !is_filed {
                return Err(Error::invalid("release.missing", message)
                    .field(wanted.relation.clone())
                    .remedy("relate the release to the asset in iconik; the asset is looked at again then"));
            }
            gone.push(Lapse { key: format!("missing {}", wanted.relation), text: message, date: None });
        }
        let own = match &rule.expires {
            Some(path) => last_day(&record, path)?,
            None => None,
        };
        let own = own.map(|until| Expiry { of: OWN.to_owned(), title: None, until });
        let of_releases = releases.iter().filter_map(|release| {
            let title = Some(release.asset.title.clone());
            Some(Expiry { of: release.asset.id.to_string(), title, until: release.expires? })
        });
        let expiries = own.into_iter().chain(of_releases).collect();
        let digest = digest(approved, rule, &record, &releases);
        Ok(Self { rule, record, releases, expiries, gone, digest })
    }

    /// What has lapsed by a day.
    pub(super) fn lapses(&self, today: Date) -> Vec<Lapse> {
        lapsed(&self.expiries, today).into_iter().chain(self.gone.iter().cloned()).collect()
    }

    /// The first of the last days.
    pub(super) fn until(&self) -> Option<Date> {
        self.expiries.iter().map(|expiry| expiry.until).min()
    }
}

fn check_facts(rule: &RightsRule, record: &Record) -> Result<()> {
    let missing = |from: &str| texts(record.get(from)).is_empty();
    match rule.facts.iter().find(|fact| fact.required && missing(&fact.from)) {
        None => Ok(()),
        Some(fact) => {
            let message = format!("expected a value for {:?}, found none", fact.label);
            Err(Error::invalid("missing-value", message)
                .field(fact.from.clone())
                .remedy("fill the field in iconik; the asset is looked at again then"))
        }
    }
}

/// Values as people read them.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(if *truth { "yes" } else { "no" }.to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let values = match value {
        Some(Value::Array(values)) => values.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    };
    values.into_iter().filter(|text: &String| !text.is_empty()).collect()
}

/// The last day at a path; of several the first. A moment counts by its day.
pub(super) fn last_day(record: &Record, path: &str) -> Result<Option<Date>> {
    let mut first: Option<Date> = None;
    for text in texts(record.get(path)) {
        let day = text.get(..10).and_then(|day| day.parse::<Date>().ok()).ok_or_else(|| {
            Error::invalid("rights.bad-date", "expected a date such as 2031-05-31")
                .field(path)
                .remedy("correct the field in iconik; the asset is looked at again then")
        })?;
        first = Some(first.map_or(day, |first| first.min(day)));
    }
    Ok(first)
}

/// What tells a revision from another: the version, the rule, everything it reads, and the releases with their files.
fn digest(approved: &Approved, rule: &RightsRule, record: &Record, releases: &[Release<'_>]) -> String {
    let read = |record: &Record, paths: Vec<&str>| -> BTreeMap<String, Value> {
        paths.into_iter().filter_map(|path| Some((path.to_owned(), record.get(path)?.clone()))).collect()
    };
    let releases: Vec<Value> = releases
        .iter()
        .map(|release| {
            let files: Vec<Value> = release
                .media
                .iter()
                .map(|media| json!([media.id(), media.name, media.size, media.checksum]))
                .collect();
            json!({
                "asset": release.asset.id, "version": release.version(), "title": release.asset.title,
                "relation": release.rule.relation, "address": release.asset.external_link,
                "read": read(&release.record, release.rule.paths()), "files": files,
            })
        })
        .collect();
    let labels: Vec<[&str; 2]> =
        rule.facts.iter().map(|fact| [fact.label.as_str(), fact.from.as_str()]).collect();
    let all = json!({
        "form": FORM, "labels": labels, "version": approved.version.id, "rule": rule.name, "read": read(record, rule.paths()),
        "releases": releases,
    });
    Key::of(&["rights", &all.to_string()]).digest().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_last_day_is_one_on_which_rights_last() {
        let expiry = Expiry { of: "r-1".into(), title: Some("Talent".into()), until: day("2031-05-31") };
        let expiries = [expiry.clone()];
        assert_eq!(lapsed(&expiries, day("2031-05-31")), []);
        let lapses = lapsed(&expiries, day("2031-06-01"));
        assert_eq!(lapses[0].key, expiry.key());
        assert_eq!(sentence(&lapses), "the release \"Talent\" ended with 2031-05-31");
        let renewed = Expiry { until: day("2032-05-31"), ..expiry.clone() };
        assert_ne!(renewed.key(), expiry.key(), "another last day is another thing to do");
    }

    #[test]
    fn a_last_day_is_a_date_or_a_moment_and_never_made_up() {
        let record = |value: Value| Record::new().with("rights", json!({ "Until": value }));
        let read = |value: Value| last_day(&record(value), "rights.Until");
        assert_eq!(read(json!("2031-05-31")).unwrap(), Some(day("2031-05-31")));
        assert_eq!(read(json!("2031-05-31T22:00:00+00:00")).unwrap(), Some(day("2031-05-31")));
        assert_eq!(read(json!(["2032-01-01", "2031-05-31"])).unwrap(), Some(day("2031-05-31")));
        assert_eq!(read(json!(null)).unwrap(), None);
        assert_eq!(read(json!("")).unwrap(), None);
        assert_eq!(read(json!("next spring")).unwrap_err().code(), "rights.bad-date");
    }
}
