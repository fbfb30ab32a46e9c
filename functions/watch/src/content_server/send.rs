//! One message per change and interested flow, ten to a request.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use shared::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
    function::Function,
    node_change::NodeChange,
};

use super::WatchContentServer;

/// Messages one request takes.
const BATCH: usize = 10;

impl WatchContentServer {
    /// Sends each change to its flows. Tells for each change which flows have it, and the first failure: one flow's
    /// queue that is away keeps nothing from the others.
    pub(super) async fn tell(
        &self,
        feed: &str,
        changes: &[(NodeChange, Vec<String>)],
    ) -> (Vec<Vec<String>>, Option<Error>) {
        let mut told = vec![Vec::new(); changes.len()];
        let mut failure = None;
        let mut by_flow: BTreeMap<&str, Vec<(usize, &NodeChange)>> = BTreeMap::new();
        for (index, (change, flows)) in changes.iter().enumerate() {
            for flow in flows {
                by_flow.entry(flow).or_default().push((index, change));
            }
        }
        for (flow, changes) in by_flow {
            for chunk in changes.chunks(BATCH) {
                match self.send(feed, flow, chunk).await {
                    Ok(sent) => {
                        if sent.len() < chunk.len() {
                            let message = format!("the queue of {flow} did not take every message");
                            let class = FailureClass::Transient;
                            failure.get_or_insert(Error::new(
                                class,
                                System::Sqs,
                                "tell a flow",
                                "watch.not-all-sent",
                                message,
                            ));
                        }
                        for index in sent {
                            if let Some(told) = told.get_mut(index) {
                                told.push(flow.to_owned());
                            }
                        }
                    }
                    Err(error) => {
                        tracing::warn!(feed, flow, error = ?error, "the flow was not told");
                        failure.get_or_insert(error);
                        // Its queue is away: the rest would fare no better.
                        break;
                    }
                }
            }
        }
        (told, failure)
    }

    async fn send(&self, feed: &str, flow: &str, chunk: &[(usize, &NodeChange)]) -> Result<Vec<usize>> {
        const OPERATION: &str = "tell a flow";
        let source = format!("{}/{feed}", Self::NAME);
        let entries: Vec<SendMessageBatchRequestEntry> = chunk
            .iter()
            .map(|(index, change)| {
                SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(change.envelope(&source, flow, &self.environment.context)?)
                    .build()
                    .map_err(|error| Error::bug(OPERATION, "a message is incomplete").source(error))
            })
            .collect::<Result<_>>()?;
        let queue = self.queues.get(flow).map(String::as_str).unwrap_or_default();
        let request = self.environment.sqs.send_message_batch().queue_url(queue).set_entries(Some(entries));
        let output = request.send().await.map_err(|error| {
            classify(System::Sqs, OPERATION, error)
                .remedy(format!("check the address of {flow}'s queue and the right to send to it"))
        })?;
        for failed in &output.failed {
            tracing::warn!(feed, flow, code = failed.code, "the queue refused a message");
        }
        Ok(output.successful.iter().filter_map(|sent| sent.id.parse().ok()).collect())
    }
}
