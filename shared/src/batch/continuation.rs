//! Work longer than one invocation goes on with a message of its own: a `CloudEvents` envelope around the original
//! body, which is carried byte for byte.

use aws_lambda_events::event::sqs::SqsMessage;
use cloudevents::{AttributesReader, Data, EventBuilder, EventBuilderV10};
use serde_json::Value;

use crate::{
    context::Context,
    error::{Error, Result},
};

const KIND: &str = "waybill.continuation.v1";
/// Invocations one item may take; at 5 minutes each, more than three days.
const MOST_HOPS: u64 = 1000;

/// What a continuation carries.
struct Carried {
    body: String,
    hops: u64,
    sent: Option<i64>,
}

fn carried(body: &str) -> Option<Carried> {
    if !body.contains(KIND) {
        return None;
    }
    let event = serde_json::from_str::<cloudevents::Event>(body).ok().filter(|event| event.ty() == KIND)?;
    let Some(Data::Json(data)) = event.data() else { return None };
    Some(Carried {
        body: data.get("body")?.as_str()?.to_owned(),
        hops: data.get("hops").and_then(Value::as_u64).unwrap_or(0),
        sent: data.get("sent").and_then(Value::as_i64),
    })
}

/// The original body of a message, and how many invocations it has taken.
pub(super) fn unwrap(body: &str) -> (String, u64) {
    carried(body).map_or_else(|| (body.to_owned(), 0), |carried| (carried.body, carried.hops))
}

/// When a message, or the one it goes on with, was sent, in milliseconds since the epoch.
pub(super) fn sent(message: &SqsMessage) -> Option<i64> {
    match carried(message.body.as_deref().unwrap_or_default()) {
        Some(carried) => carried.sent,
        None => message.attributes.get("SentTimestamp")?.parse().ok(),
    }
}

/// How many invocations a message's items have taken before this one.
pub(super) fn hops(message: &SqsMessage) -> u64 {
    unwrap(message.body.as_deref().unwrap_or_default()).1
}

pub(super) fn wrap(flow: &str, message: &SqsMessage, context: &Context) -> Result<String> {
    let (original, hops) = unwrap(message.body.as_deref().unwrap_or_default());
    if hops >= MOST_HOPS {
        return Err(Error::bug("continue", format!("one item has taken {MOST_HOPS} invocations")));
    }
    let event = EventBuilderV10::new()
        .id(context.new_id())
        .source(format!("waybill:{flow}"))
        .ty(KIND)
        .time(context.now().to_string())
        .data(
            "application/json",
            serde_json::json!({"body": original, "hops": hops + 1, "sent": sent(message)}),
        )
        .build()
        .map_err(|error| Error::bug("continue", "the continuation cannot be formed").source(error))?;
    serde_json::to_string(&event)
        .map_err(|error| Error::bug("continue", "the continuation cannot be written").source(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_continuation_of_a_continuation_still_carries_the_original_body() {
        let context = Context::system();
        let mut message = SqsMessage::default();
        message.body = Some("{\"a\": \"é\"}  ".into());
        message.attributes.insert("SentTimestamp".into(), "1700000000000".into());
        message.body = Some(wrap("ingest-uploads", &message, &context).unwrap());
        let again = wrap("ingest-uploads", &message, &context).unwrap();
        assert_eq!(unwrap(&again), ("{\"a\": \"é\"}  ".to_owned(), 2));
        message.attributes.insert("SentTimestamp".into(), "1700000900000".into());
        message.body = Some(again.clone());
        assert_eq!((hops(&message), sent(&message)), (2, Some(1_700_000_000_000)));
        let envelope: Value = serde_json::from_str(&again).unwrap();
        assert_eq!(envelope["specversion"], "1.0");
    }
}
