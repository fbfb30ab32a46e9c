//! Events: one that is taken, ones that are not, and the answer 200 in both cases.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;

use crate::side::{Capability, Side, refusal};

crate::contract![an_event_is_taken_or_refused_by_its_entry];

async fn an_event_is_taken_or_refused_by_its_entry(side: Side) {
    let entry = |kind: &str, detail: &str| {
        PutEventsRequestEntry::builder().source("waybill.contract").detail_type(kind).detail(detail).build()
    };
    let put =
        |entries: Vec<PutEventsRequestEntry>| side.eventbridge.put_events().set_entries(Some(entries)).send();
    let taken = put(vec![entry("waybill.contract.v1", r#"{"data_set": "claims"}"#)]).await.unwrap();
    assert_eq!(taken.failed_entry_count(), 0);
    assert!(taken.entries()[0].event_id().is_some_and(|id| !id.is_empty()), "{taken:?}");
    if let Some(aws) = &side.aws {
        let [event] = aws.eventbridge().events().try_into().expect("one event");
        assert_eq!((event.bus.as_str(), event.source.as_str()), ("default", "waybill.contract"));
        assert_eq!(event.detail["data_set"], "claims");
    }
    if side.can(Capability::StrictEvents) {
        let mixed = put(vec![
            entry("waybill.contract.v1", "{}"),
            entry("", "{}"),
            entry("waybill.contract.v1", "{\"data_set\": "),
        ]);
        let mixed = mixed.await.unwrap();
        let codes: Vec<_> = mixed.entries().iter().map(|entry| entry.error_code()).collect();
        assert_eq!(codes, [None, Some("InvalidArgument"), Some("MalformedDetail")]);
        assert_eq!(mixed.failed_entry_count(), 2);
        assert_eq!(refusal(put(Vec::new()).await), "ValidationException");
        let large = format!("{{\"text\": \"{}\"}}", "x".repeat(256 * 1024));
        assert_eq!(refusal(put(vec![entry("waybill.contract.v1", &large)]).await), "ValidationException");
    }
}
