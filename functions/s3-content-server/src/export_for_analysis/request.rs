//! What arrives: a request for a run, or a result that came back.

use cloudevents::{AttributesReader, Data, Event};
use serde::{Deserialize, Serialize};
use shared::{
    error::{Error, Result},
    ledger::Key,
    s3_notification::ObjectEvent,
};

/// The `type` of the envelope of a request.
pub const KIND: &str = "waybill.export-request.v1";

/// The folder results come back in.
pub(super) const RESULTS: &str = "results/";

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportEvent {
    /// A data set is to be exported.
    Run(ExportRequest),
    /// Something came back.
    Result(ObjectEvent),
}

/// A data set is to be exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportRequest {
    /// The data set, by its name in the rules.
    pub data_set: String,
    /// How much of it.
    pub mode: Mode,
    /// A saved query that says which of its documents.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub saved: Option<Saved>,
    /// What tells two requests apart; without it the envelope's id.
    pub occasion: String,
}

/// A query that is saved somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Saved {
    /// In the rules of the data set, by its name there.
    Query(String),
    /// In Content Server, by the number of its node: a search query, or a `WebReport`.
    SavedSearch(i64),
}

/// How much of a data set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// What changed since the last run that ended; everything when there was none.
    #[default]
    Incremental,
    /// Everything, and what is not there any more.
    Full,
    /// What a saved query finds. Of other documents nothing is said, and the next incremental run looks back as if this
    /// one had not been.
    Selected,
}

/// The data of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    data_set: String,
    #[serde(default)]
    mode: Option<Mode>,
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    saved_search: Option<i64>,
    #[serde(default)]
    occasion: String,
}

impl Written {
    fn request(self, id: &str) -> std::result::Result<ExportRequest, &'static str> {
        let saved = match (self.query, self.saved_search) {
            (Some(_), Some(_)) => return Err("it names a query and a saved search"),
            (Some(name), None) => Some(Saved::Query(name)),
            (None, Some(node)) if node > 0 => Some(Saved::SavedSearch(node)),
            (None, Some(_)) => return Err("its saved search is no node"),
            (None, None) => None,
        };
        let mode = match (self.mode, &saved) {
            (None | Some(Mode::Selected), Some(_)) => Mode::Selected,
            (Some(_), Some(_)) => return Err("a saved query has no other mode than `selected`"),
            (Some(Mode::Selected), None) => {
                return Err("the mode `selected` needs a query or a saved search");
            }
            (mode, None) => mode.unwrap_or_default(),
        };
        let occasion = if self.occasion.is_empty() { id.to_owned() } else { self.occasion };
        Ok(ExportRequest { data_set: self.data_set, mode, saved, occasion })
    }
}

impl ExportRequest {
    /// Reads a message body.
    ///
    /// # Errors
    /// When it is no such envelope; it never will be.
    pub fn parse(body: &str) -> Result<Self> {
        let refused = |what: String| {
            Error::invalid("event.not-a-request", what)
                .remedy(format!("send CloudEvents of type {KIND}, or S3 events of the data set bucket"))
        };
        let event: Event =
            serde_json::from_str(body).map_err(|error| refused(format!("not a CloudEvent: {error}")))?;
        if event.ty() != KIND {
            return Err(refused(format!("expected an event of type {KIND}, found {}", event.ty())));
        }
        let Some(Data::Json(data)) = event.data() else {
            return Err(refused("the event has no JSON data".into()));
        };
        let written: Written = serde_json::from_value(data.clone())
            .map_err(|error| refused(format!("the event's data is not a request: {error}")))?;
        written
            .request(event.id())
            .map_err(|what| refused(format!("the event's data is not a request: {what}")))
    }

    /// What makes two requests the same run.
    pub fn key(&self) -> Key {
        let (data_set, occasion) = (self.data_set.as_str(), self.occasion.as_str());
        match (&self.saved, self.mode) {
            (Some(Saved::Query(name)), _) => Key::of(&["export", data_set, "query", name, occasion]),
            (Some(Saved::SavedSearch(node)), _) => {
                Key::of(&["export", data_set, "saved-search", &node.to_string(), occasion])
            }
            (None, Mode::Full) => Key::of(&["export", data_set, "full", occasion]),
            (None, _) => Key::of(&["export", data_set, "incremental", occasion]),
        }
    }
}

/// The data set and the file name of values of many documents: `results/<data set>/<file name>.jsonl`.
pub(super) fn lines_of(key: &str) -> Option<(&str, &str)> {
    let (data_set, name) = key.strip_prefix(RESULTS)?.split_once('/')?;
    let stem = name.strip_suffix(".jsonl")?;
    (!data_set.is_empty() && !stem.is_empty() && !name.contains('/')).then_some((data_set, name))
}

/// Where a result belongs, by its key: `results/<data set>/<node>/<version>/<file name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) data_set: &'a str,
    pub(super) node: i64,
    pub(super) version: i64,
    pub(super) file_name: &'a str,
}

impl<'a> Place<'a> {
    pub(super) fn of(key: &'a str) -> Option<Self> {
        let mut steps = key.strip_prefix(RESULTS)?.split('/');
        let number = |step: Option<&str>| {
            let step = step.filter(|step| step.bytes().all(|byte| byte.is_ascii_digit()))?;
            step.parse::<i64>().ok().filter(|number| *number > 0)
        };
        let data_set = steps.next()?;
        let place = Self {
            data_set,
            node: number(steps.next())?,
            version: number(steps.next())?,
            file_name: steps.next()?,
        };
        let whole = steps.next().is_none() && !data_set.is_empty() && !place.file_name.is_empty();
        whole.then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(kind: &str, data: &str) -> String {
        format!(r#"{{"specversion":"1.0","id":"7","source":"schedule","type":"{kind}","data":{data}}}"#)
    }

    #[test]
    fn a_request_without_an_occasion_is_told_apart_by_its_envelope() {
        let request = ExportRequest::parse(&body(KIND, r#"{"data_set":"claims"}"#)).unwrap();
        assert_eq!((request.occasion.as_str(), request.mode), ("7", Mode::Incremental));
        let asked =
            ExportRequest::parse(&body(KIND, r#"{"data_set":"claims","mode":"full","occasion":"x"}"#));
        let asked = asked.unwrap();
        assert_eq!((asked.occasion.as_str(), asked.mode), ("x", Mode::Full));
        assert_ne!(request.key().digest(), asked.key().digest());
    }

    #[test]
    fn a_saved_query_is_asked_for_by_its_name_or_its_number() {
        let request = |data: &str| ExportRequest::parse(&body(KIND, data)).unwrap();
        let named = request(r#"{"data_set":"claims","query":"open-claims"}"#);
        assert_eq!((&named.saved, named.mode), (&Some(Saved::Query("open-claims".into())), Mode::Selected));
        let numbered = request(r#"{"data_set":"claims","saved_search":4711,"mode":"selected"}"#);
        assert_eq!((&numbered.saved, numbered.mode), (&Some(Saved::SavedSearch(4711)), Mode::Selected));
        let plain = request(r#"{"data_set":"claims"}"#);
        let keys = [&named, &numbered, &plain].map(|request| request.key().digest().to_owned());
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
        let shown = serde_json::to_value(&named).unwrap();
        assert_eq!(shown["query"], "open-claims", "whoever reads a reason sees what was asked for");
    }

    #[test]
    fn what_is_no_request_is_refused_with_what_was_expected() {
        let others = [
            String::new(),
            "{}".to_owned(),
            body("other", r#"{"data_set":"claims"}"#),
            body(KIND, r#"{"data_set":"claims","expression":"everything"}"#),
            body(KIND, r#"{"data_set":"claims","query":"a","saved_search":7}"#),
            body(KIND, r#"{"data_set":"claims","query":"a","mode":"full"}"#),
            body(KIND, r#"{"data_set":"claims","mode":"selected"}"#),
            body(KIND, r#"{"data_set":"claims","saved_search":0}"#),
            body(KIND, r#"{"mode":"full"}"#),
        ];
        for body in others {
            let error = ExportRequest::parse(&body).unwrap_err();
            assert_eq!(error.code(), "event.not-a-request", "{body}");
        }
    }

    #[test]
    fn values_of_many_documents_belong_to_the_data_set() {
        assert_eq!(lines_of("results/claims/model-7.jsonl"), Some(("claims", "model-7.jsonl")));
        for key in [
            "results/claims/a/b.jsonl",
            "results/b.jsonl",
            "results//b.jsonl",
            "results/claims/.jsonl",
            "results/claims/b.json",
        ] {
            assert_eq!(lines_of(key), None, "{key}");
        }
    }

    #[test]
    fn a_result_belongs_where_its_key_says_or_nowhere() {
        let place = Place::of("results/claims/4711/2/values.json").unwrap();
        assert_eq!(place, Place { data_set: "claims", node: 4711, version: 2, file_name: "values.json" });
        for key in [
            "results/claims/4711/values.json",
            "results/claims/4711/2/",
            "results/claims/4711/2/more/values.json",
            "results/claims/-1/2/values.json",
            "results/claims/+1/2/values.json",
            "results/claims/4711/0/values.json",
            "results//4711/2/values.json",
            "result/claims/4711/2/values.json",
            "results/claims/99999999999999999999/2/values.json",
        ] {
            assert_eq!(Place::of(key), None, "{key}");
        }
    }
}
