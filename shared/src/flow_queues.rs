//! The queues of the flows: where a function that no queue feeds puts what they have to know, ten to a request.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::future::join_all;

use crate::{
    aws::classify,
    environment::Environment,
    error::{Error, FailureClass, Result, System},
};

/// Messages one request takes.
const BATCH: usize = 10;
const OPERATION: &str = "tell a flow";

/// The queues a function may put messages on.
#[derive(Debug, Clone)]
pub struct FlowQueues {
    sqs: aws_sdk_sqs::Client,
    queues: BTreeMap<String, String>,
}

/// One message for one flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The flow.
    pub flow: String,
    /// The message's body.
    pub body: String,
}

/// What became of some messages.
#[derive(Debug)]
pub struct Sent {
    /// For each of them, in their order, whether its queue has it.
    pub arrived: Vec<bool>,
    /// The first failure: one flow's queue that is away keeps nothing from the others.
    pub failure: Option<Error>,
}

impl FlowQueues {
    /// From `WAYBILL_FLOW_QUEUES`.
    ///
    /// # Errors
    /// When that is not a JSON object of addresses.
    pub fn of(environment: &Environment) -> Result<Self> {
        let queues = parse(&environment.settings.flow_queues)?;
        Ok(Self { sqs: environment.sqs.clone(), queues })
    }

    /// The queue of a flow itself, for one that divides its work.
    pub fn of_own(environment: &Environment, flow: &str) -> Self {
        let queues = [(flow.to_owned(), environment.settings.queue_url.clone())].into();
        Self { sqs: environment.sqs.clone(), queues }
    }

    /// Whether a flow has a queue.
    pub fn has(&self, flow: &str) -> bool {
        self.queues.contains_key(flow)
    }

    /// Sends the messages: to several flows at the same time, to each of them in order.
    pub async fn send(&self, messages: &[Message]) -> Sent {
        let mut by_flow: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
        for (index, message) in messages.iter().enumerate() {
            by_flow.entry(&message.flow).or_default().push((index, &message.body));
        }
        let sending = by_flow.iter().map(|(flow, messages)| self.send_to(flow, messages));
        let mut sent = Sent { arrived: vec![false; messages.len()], failure: None };
        for (arrived, failure) in join_all(sending).await {
            for index in arrived {
                if let Some(arrived) = sent.arrived.get_mut(index) {
                    *arrived = true;
                }
            }
            sent.failure = sent.failure.or(failure);
        }
        sent
    }

    /// Which of them a flow's queue took, and why not all.
    async fn send_to(&self, flow: &str, messages: &[(usize, &str)]) -> (Vec<usize>, Option<Error>) {
        let (mut arrived, mut failure) = (Vec::with_capacity(messages.len()), None);
        for batch in messages.chunks(BATCH) {
            match self.send_batch(flow, batch).await {
                Ok(taken) => {
                    if taken.len() < batch.len() {
                        let message = format!("the queue of {flow} did not take every message");
                        let code = "flow-queues.not-all-sent";
                        let class = FailureClass::Transient;
                        failure.get_or_insert(Error::new(class, System::Sqs, OPERATION, code, message));
                    }
                    arrived.extend(taken);
                }
                Err(error) => {
                    tracing::warn!(told = flow, error = ?error, "the flow was not told");
                    // Its queue is away: the rest would fare no better.
                    return (arrived, Some(failure.unwrap_or(error)));
                }
            }
        }
        (arrived, failure)
    }

    async fn send_batch(&self, flow: &str, batch: &[(usize, &str)]) -> Result<Vec<usize>> {
        let entry = |(index, body): &(usize, &str)| {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(*body);
            entry.build().map_err(|error| Error::bug(OPERATION, "a message is incomplete").source(error))
        };
        let entries: Vec<_> = batch.iter().map(entry).collect::<Result<_>>()?;
        let queue = self.queues.get(flow).map(String::as_str).unwrap_or_default();
        let request = self.sqs.send_message_batch().queue_url(queue).set_entries(Some(entries));
        let output = request.send().await.map_err(|error| {
            classify(System::Sqs, OPERATION, error)
                .remedy(format!("check the address of {flow}'s queue and the right to send to it"))
        })?;
        for failed in &output.failed {
            tracing::warn!(told = flow, code = failed.code, "the queue refused a message");
        }
        Ok(output.successful.iter().filter_map(|sent| sent.id.parse().ok()).collect())
    }
}

fn parse(text: &str) -> Result<BTreeMap<String, String>> {
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    serde_json::from_str(text).map_err(|error| {
        let message = format!("WAYBILL_FLOW_QUEUES is not a JSON object of queue addresses: {error}");
        Error::configuration("settings.flow-queues", message)
            .remedy(r#"write {"offload-content": "https://sqs.…"}, one entry per flow"#)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_a_json_object_or_none() {
        assert!(parse(" ").unwrap().is_empty());
        let queues = parse(r#"{"offload-content": "https://sqs.example.com/1/a"}"#).unwrap();
        assert_eq!(queues["offload-content"], "https://sqs.example.com/1/a");
        for text in ["[]", "x", r#"{"offload-content": 1}"#] {
            assert_eq!(parse(text).unwrap_err().code(), "settings.flow-queues", "{text}");
        }
    }
}
