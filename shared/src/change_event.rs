//! The `CloudEvents` envelope around what is told about an object of another system.

use std::fmt::Display;

use cloudevents::{AttributesReader, Data, Event, EventBuilder, EventBuilderV10};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    context::Context,
    error::{Error, Result},
    ledger::Key,
};

/// Wraps what is told. `kind` is the envelope's `type`, `source` who tells it, `id` what two reports of the same have alike.
///
/// # Errors
/// When it cannot be formed, which is a defect.
pub(crate) fn wrap(
    kind: &str,
    source: &str,
    subject: String,
    id: &Key,
    told: &impl Serialize,
    context: &Context,
) -> Result<String> {
    let form = |error: &dyn Display| {
        Error::bug("send change", format!("the envelope of a change cannot be formed: {error}"))
    };
    let data = serde_json::to_value(told).map_err(|error| form(&error))?;
    let event = EventBuilderV10::new()
        .id(id.digest())
        .source(format!("waybill:{source}"))
        .ty(kind)
        .subject(subject)
        .time(context.now().to_string())
        .data("application/json", data)
        .build()
        .map_err(|error| form(&error))?;
    serde_json::to_string(&event).map_err(|error| form(&error))
}

/// Reads a message body. `sender` is who sends such envelopes, for whoever sent something else.
///
/// # Errors
/// When it is no envelope of this kind; it never will be.
pub(crate) fn unwrap<T: DeserializeOwned>(kind: &str, sender: &str, body: &str) -> Result<T> {
    let refused = |what: String| {
        Error::invalid("event.not-a-change", what)
            .remedy(format!("send CloudEvents of type {kind}, as {sender} does"))
    };
    let event: Event =
        serde_json::from_str(body).map_err(|error| refused(format!("not a CloudEvent: {error}")))?;
    if event.ty() != kind {
        return Err(refused(format!("expected an event of type {kind}, found {}", event.ty())));
    }
    let Some(Data::Json(data)) = event.data() else {
        return Err(refused("the event has no JSON data".into()));
    };
    T::deserialize(data).map_err(|error| refused(format!("the event's data is not a change: {error}")))
}
