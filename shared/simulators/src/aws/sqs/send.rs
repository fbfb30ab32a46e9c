//! `SendMessage`.

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::message::{Message, attribute, md5_of, md5_of_attributes};
use super::queue::{Queue, Remembered};
use super::{Call, Failure, State, invalid_parameter, missing_parameter};

/// How long a deduplication id is remembered.
const DEDUPLICATION: i64 = 5 * 60 * 1000;

/// Bytes a message counts for: body, and the name, type and value of each attribute.
pub(super) fn size(request: &Map<String, Json>) -> Result<usize, Failure> {
    let body = request.get("MessageBody").and_then(Json::as_str).map_or(0, str::len);
    let attributes = request.get("MessageAttributes").and_then(Json::as_object);
    attributes.into_iter().flatten().try_fold(body, |size, (name, value)| {
        let (kind, content, _) = attribute(name, value)?;
        Ok(size + name.len() + kind.len() + content.len())
    })
}

fn check(queue: &Queue, call: &Call) -> Result<(), Failure> {
    let body = call.text("MessageBody").filter(|body| !body.is_empty());
    let body = body.ok_or_else(|| missing_parameter("MessageBody"))?;
    let forbidden = |letter: char| matches!(letter, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if body.contains(forbidden) {
        return Err(Failure::new("InvalidMessageContents", "Invalid characters found in the message body."));
    }
    let most = queue.number("MaximumMessageSize");
    if i64::try_from(size(call.request)?).is_ok_and(|size| size > most) {
        return Err(invalid_parameter(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
        )));
    }
    let attributes = call.request.get("MessageAttributes").and_then(Json::as_object);
    if attributes.is_some_and(|attributes| attributes.len() > 10) {
        return Err(invalid_parameter("Number of message attributes [11] exceeds the allowed maximum [10]."));
    }
    Ok(())
}

pub(super) fn one(state: &mut State, call: &Call) -> Result<Json, Failure> {
    let count = state.count + 1;
    let queue = state.queue(call.queue_name()?)?;
    check(queue, call)?;
    let fifo = fifo(queue, call)?;
    let seen = fifo.as_ref().and_then(|fifo| queue.remembered.get(&fifo.deduplication));
    if let Some(seen) = seen {
        return Ok(seen.answer.clone());
    }
    let delay = match call.number("DelaySeconds") {
        Some(_) if fifo.is_some() => {
            return Err(invalid_parameter(
                "Value for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid \
                 for this queue type.",
            ));
        }
        Some(seconds) if !(0..=900).contains(&seconds) => {
            return Err(invalid_parameter(format!(
                "Value {seconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
            )));
        }
        Some(seconds) => seconds,
        None => queue.number("DelaySeconds"),
    };
    let body = call.text("MessageBody").unwrap_or_default().to_owned();
    let attributes =
        call.request.get("MessageAttributes").and_then(Json::as_object).cloned().unwrap_or_default();
    let id = format!("{:08x}-0000-4000-8000-{count:012x}", count & 0xffff_ffff);
    let mut answer = Map::new();
    answer.insert("MessageId".to_owned(), json!(id));
    answer.insert("MD5OfMessageBody".to_owned(), json!(md5_of(body.as_bytes())));
    if !attributes.is_empty() {
        answer.insert("MD5OfMessageAttributes".to_owned(), json!(md5_of_attributes(&attributes)?));
    }
    let sequence = fifo.as_ref().map(|_| format!("{:020}", 18_849_496_460_467_696_128 + u128::from(count)));
    if let Some(sequence) = &sequence {
        answer.insert("SequenceNumber".to_owned(), json!(sequence));
    }
    let answer = Json::Object(answer);
    if let Some(fifo) = &fifo {
        let remembered = Remembered { until: call.now + DEDUPLICATION, answer: answer.clone() };
        queue.remembered.insert(fifo.deduplication.clone(), remembered);
    }
    let group = call.text("MessageGroupId").map(str::to_owned);
    queue.messages.push(Message {
        id,
        copy: 0,
        body,
        attributes,
        trace: trace(call.request),
        sent: call.now,
        visible_from: call.now + delay * 1000,
        receives: 0,
        first_received: None,
        group,
        deduplication: fifo.map(|fifo| fifo.deduplication),
        sequence,
        source: None,
    });
    state.count = count;
    Ok(answer)
}

fn trace(request: &Map<String, Json>) -> Option<String> {
    let attributes = request.get("MessageSystemAttributes")?;
    Some(attributes.get("AWSTraceHeader")?.get("StringValue")?.as_str()?.to_owned())
}

struct Fifo {
    deduplication: String,
}

fn fifo(queue: &Queue, call: &Call) -> Result<Option<Fifo>, Failure> {
    let given = call.text("MessageDeduplicationId").map(str::to_owned);
    if !queue.is_fifo() {
        return match given {
            Some(_) => Err(invalid_parameter(
                "The request include parameter that is not valid for this queue type. Reason: MessageDeduplicationId",
            )),
            None => Ok(None),
        };
    }
    if call.text("MessageGroupId").is_none() {
        return Err(missing_parameter("MessageGroupId"));
    }
    let body = call.text("MessageBody").unwrap_or_default();
    let hashed =
        || queue.flag("ContentBasedDeduplication").then(|| hex::encode(Sha256::digest(body.as_bytes())));
    let Some(deduplication) = given.or_else(hashed) else {
        return Err(invalid_parameter(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        ));
    };
    Ok(Some(Fifo { deduplication }))
}
