//! Tells others what a flow has finished, through an `EventBridge` bus.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    aws::classify,
    environment::Environment,
    error::{Error, FailureClass, Result, System},
};

const OPERATION: &str = "put event";

/// What an entry was refused with when the bus is only busy.
const BUSY: [&str; 4] =
    ["ThrottlingException", "InternalFailure", "InternalException", "ServiceUnavailableException"];

/// Something that is finished. Sent at least once: whoever listens compares what identifies it.
#[derive(Debug, Clone)]
pub struct BusEvent<'a> {
    /// Whose event it is, such as `waybill.export-for-analysis`.
    pub source: &'a str,
    /// What kind of event, such as `waybill.data-set-completed.v1`.
    pub kind: &'a str,
    /// When it happened.
    pub time: Timestamp,
    /// What there is to know about it, at most 256 KB together with the rest.
    pub detail: &'a Value,
}

impl Environment {
    /// Puts an event on the bus of this deployment.
    ///
    /// # Errors
    /// `bus.refused` when the bus answers that it did not take the event, `Transient` when it is only busy; what
    /// EventBridge says.
    pub async fn put_event(&self, event: &BusEvent<'_>) -> Result<()> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.settings.event_bus)
            .source(event.source)
            .detail_type(event.kind)
            .time(aws_smithy_types::DateTime::from_secs(event.time.as_second()))
            .detail(event.detail.to_string())
            .build();
        let output = self.eventbridge.put_events().entries(entry).send().await.map_err(|error| {
            classify(System::EventBridge, OPERATION, error)
                .remedy("let this function put events on the bus that WAYBILL_EVENT_BUS names")
        })?;
        // The answer is 200 even when not one entry was taken.
        let taken = output.entries().iter().any(|entry| entry.event_id().is_some());
        if output.failed_entry_count() == 0 && taken {
            return Ok(());
        }
        let code = output.entries().iter().find_map(|entry| entry.error_code()).unwrap_or("no code");
        let busy = code == "no code" || BUSY.contains(&code);
        let class = if busy { FailureClass::Transient } else { FailureClass::Forbidden };
        let message = format!("the bus did not take the event ({code})");
        Err(Error::new(class, System::EventBridge, OPERATION, "bus.refused", message)
            .remedy("check that the bus is there, and what its policy and its quotas allow"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        aws,
        context::Context,
        environment::Settings,
        http::{Transport, full},
    };

    async fn put(answer: &'static str) -> Result<()> {
        let transport = Transport::in_process(move |_| async move {
            let response = http::Response::builder().header("content-type", "application/x-amz-json-1.1");
            Ok(response.body(full(answer)).unwrap())
        });
        let context = Context::system();
        let sdk = aws::connect_to(&transport, &context, "http://aws.test", "test");
        let settings = Settings::from_variables([("WAYBILL_TABLE".into(), "ledger".into())]).unwrap();
        let environment = Environment::new(settings, context, transport, &sdk);
        let detail = json!({"run": "7"});
        let time = "2031-05-06T07:08:09Z".parse().unwrap();
        environment.put_event(&BusEvent { source: "test", kind: "test.v1", time, detail: &detail }).await
    }

    #[tokio::test]
    async fn an_answer_of_200_is_not_yet_an_event_that_was_taken() {
        put(r#"{"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}"#).await.unwrap();
        let class = |answer| async move { put(answer).await.unwrap_err().class() };
        let busy = r#"{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}"#;
        assert_eq!(class(busy).await, FailureClass::Transient);
        let refused =
            r#"{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "NotAuthorizedForSourceException"}]}"#;
        assert_eq!(class(refused).await, FailureClass::Forbidden);
        assert_eq!(class(r#"{"FailedEntryCount": 0, "Entries": []}"#).await, FailureClass::Transient);
    }
}
