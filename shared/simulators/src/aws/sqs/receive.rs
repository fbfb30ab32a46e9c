//! `ReceiveMessage`, and what one does with a receipt handle.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::message::{Message, parse_handle};
use super::queue::Queue;
use super::{Call, Failure, State, invalid_parameter, missing_parameter};

/// Longest a message may stay invisible after a receive, in seconds.
const LONGEST_VISIBILITY: i64 = 43_200;

/// Messages a standard queue may have in flight.
const MOST_IN_FLIGHT: usize = 120_000;

fn names<'call>(call: &'call Call, members: &[&str]) -> Vec<&'call str> {
    let lists = members.iter().filter_map(|member| call.request.get(*member)?.as_array());
    lists.flatten().filter_map(Json::as_str).collect()
}

pub(super) fn receive(state: &mut State, call: &Call) -> Result<Json, Failure> {
    let name = call.queue_name()?.to_owned();
    let most = call.number("MaxNumberOfMessages").unwrap_or(1);
    if !(1..=10).contains(&most) {
        return Err(invalid_parameter(format!(
            "Value {most} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
        )));
    }
    dead_letters(state, &name, call.now)?;
    let queue = state.queue(&name)?;
    let visibility = call.number("VisibilityTimeout").unwrap_or_else(|| queue.number("VisibilityTimeout"));
    check_visibility(visibility)?;
    if queue.messages.iter().filter(|message| message.in_flight(call.now)).count() >= MOST_IN_FLIGHT {
        return Err(Failure::new("OverLimit", "Too many messages in flight"));
    }
    let system = names(call, &["AttributeNames", "MessageSystemAttributeNames"]);
    let wanted = names(call, &["MessageAttributeNames"]);
    let mut blocked = blocked_groups(queue, call.now);
    let fifo = queue.is_fifo();
    let mut found = Vec::new();
    for message in &mut queue.messages {
        if found.len() >= usize::try_from(most).unwrap_or(1) {
            break;
        }
        let group = message.group.clone().filter(|_| fifo);
        if group.as_ref().is_some_and(|group| blocked.contains(group)) {
            continue;
        }
        if !message.is_visible(call.now) {
            // Whatever follows in the group waits for a delayed one too.
            blocked.extend(group);
            continue;
        }
        message.receives += 1;
        message.first_received.get_or_insert(call.now);
        message.visible_from = call.now + visibility * 1000;
        found.push(message.render(&system, &wanted));
    }
    Ok(if found.is_empty() { json!({}) } else { json!({ "Messages": found }) })
}

fn check_visibility(seconds: i64) -> Result<(), Failure> {
    if (0..=LONGEST_VISIBILITY).contains(&seconds) {
        return Ok(());
    }
    Err(invalid_parameter(format!(
        "Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and \
         {LONGEST_VISIBILITY}, if provided."
    )))
}

fn blocked_groups(queue: &Queue, now: i64) -> BTreeSet<String> {
    let in_flight = queue.messages.iter().filter(|message| message.in_flight(now));
    in_flight.filter_map(|message| message.group.clone()).collect()
}

/// Moves what has been received often enough, at the moment it would be received once more.
fn dead_letters(state: &mut State, name: &str, now: i64) -> Result<(), Failure> {
    let queue = state.queue(name)?;
    let Some((target, most)) = queue.redrive() else { return Ok(()) };
    let arn = queue.arn();
    if !state.queues.contains_key(&target) {
        return Ok(());
    }
    let queue = state.queue(name)?;
    let (dead, alive): (Vec<Message>, Vec<Message>) =
        queue.messages.drain(..).partition(|message| message.receives >= most && message.is_visible(now));
    queue.messages = alive;
    let target = state.queue(&target)?;
    target.messages.extend(dead.into_iter().map(|message| Message { source: Some(arn.clone()), ..message }));
    Ok(())
}

/// A receipt handle: which message and which of its receives.
struct Receipt {
    text: String,
    message: String,
    copy: u64,
    receive: u64,
}

impl Receipt {
    fn read(call: &Call) -> Result<Self, Failure> {
        let text = call.text("ReceiptHandle").ok_or_else(|| missing_parameter("ReceiptHandle"))?.to_owned();
        let (message, copy, receive) = parse_handle(&text).ok_or_else(|| {
            Failure::new(
                "ReceiptHandleIsInvalid",
                format!("The input receipt handle \"{text}\" is not a valid receipt handle."),
            )
        })?;
        Ok(Self { text, message, copy, receive })
    }

    fn find<'queue>(&self, queue: &'queue mut Queue) -> Option<&'queue mut Message> {
        queue.messages.iter_mut().find(|message| message.id == self.message && message.copy == self.copy)
    }
}

pub(super) fn delete(state: &mut State, call: &Call) -> Result<Json, Failure> {
    let queue = state.queue(call.queue_name()?)?;
    let receipt = Receipt::read(call)?;
    let fifo = queue.is_fifo();
    let Some(message) = receipt.find(queue) else { return Ok(json!({})) };
    let latest = message.receives == receipt.receive;
    if fifo && (!latest || message.is_visible(call.now)) {
        return Err(invalid_parameter(format!(
            "Value {} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
            receipt.text
        )));
    }
    // An older handle of a standard queue is accepted and does nothing; the latest works even after its visibility
    // ran out, as long as nobody else has received the message.
    if latest {
        queue.messages.retain(|message| message.id != receipt.message || message.copy != receipt.copy);
    }
    Ok(json!({}))
}

pub(super) fn change_visibility(state: &mut State, call: &Call) -> Result<Json, Failure> {
    let queue = state.queue(call.queue_name()?)?;
    let receipt = Receipt::read(call)?;
    let seconds = call.number("VisibilityTimeout").ok_or_else(|| missing_parameter("VisibilityTimeout"))?;
    check_visibility(seconds)?;
    let gone = || {
        invalid_parameter(format!(
            "Value {} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for \
             visibility timeout change.",
            receipt.text
        ))
    };
    let message = receipt.find(queue).ok_or_else(gone)?;
    if message.receives != receipt.receive || !message.in_flight(call.now) {
        return Err(gone());
    }
    let until = call.now + seconds * 1000;
    if message.first_received.is_some_and(|first| until - first > LONGEST_VISIBILITY * 1000) {
        return Err(invalid_parameter(format!(
            "Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the \
             message is beyond the limit [{LONGEST_VISIBILITY} seconds]."
        )));
    }
    message.visible_from = until;
    Ok(json!({}))
}
