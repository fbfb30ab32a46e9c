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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// The data set, by its name in the rules.
    pub data_set: String,
    /// How much of it.
    #[serde(default)]
    pub mode: Mode,
    /// What tells two requests apart; without it the envelope's id.
    #[serde(default)]
    pub occasion: String,
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
        let mut request: Self = serde_json::from_value(data.clone())
            .map_err(|error| refused(format!("the event's data is not a request: {error}")))?;
        if request.occasion.is_empty() {
            event.id().clone_into(&mut request.occasion);
        }
        Ok(request)
    }

    /// What makes two requests the same run.
    pub fn key(&self) -> Key {
        let mode = match self.mode {
            Mode::Incremental => "incremental",
            Mode::Full => "full",
        };
        Key::of(&["export", &self.data_set, mode, &self.occasion])
    }
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
    fn what_is_no_request_is_refused_with_what_was_expected() {
        let others = [
            String::new(),
            "{}".to_owned(),
            body("other", r#"{"data_set":"claims"}"#),
            body(KIND, r#"{"data_set":"claims","query":"everything"}"#),
            body(KIND, r#"{"mode":"full"}"#),
        ];
        for body in others {
            let error = ExportRequest::parse(&body).unwrap_err();
            assert_eq!(error.code(), "event.not-a-request", "{body}");
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
