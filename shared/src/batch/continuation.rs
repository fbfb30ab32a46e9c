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

/// The original body of a message, and how many invocations it has taken.
pub(super) fn unwrap(body: &str) -> (String, u64) {
    if !body.contains(KIND) {
        return (body.to_owned(), 0);
    }
    let Ok(event) = serde_json::from_str::<cloudevents::Event>(body) else { return (body.to_owned(), 0) };
    let Some(Data::Json(data)) = event.data() else { return (body.to_owned(), 0) };
    match (event.ty() == KIND, data.get("body").and_then(Value::as_str)) {
        (true, Some(original)) => {
            (original.to_owned(), data.get("hops").and_then(Value::as_u64).unwrap_or(0))
        }
        _ => (body.to_owned(), 0),
    }
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
        .data("application/json", serde_json::json!({"body": original, "hops": hops + 1}))
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
        message.body = Some(wrap("ingest-uploads", &message, &context).unwrap());
        let again = wrap("ingest-uploads", &message, &context).unwrap();
        assert_eq!(unwrap(&again), ("{\"a\": \"é\"}  ".to_owned(), 2));
        let envelope: Value = serde_json::from_str(&again).unwrap();
        assert_eq!(envelope["specversion"], "1.0");
    }
}
