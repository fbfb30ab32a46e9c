//! One message per change and interested flow.

use shared::{
    error::{Error, Result},
    flow_queues::Message,
    function::Function,
    node_change::NodeChange,
};

use super::WatchContentServer;

impl WatchContentServer {
    /// Sends each change to its flows. Tells for each change which flows have it, and the first failure: one flow's
    /// queue that is away keeps nothing from the others.
    pub(super) async fn tell(
        &self,
        feed: &str,
        changes: &[(NodeChange, Vec<String>)],
    ) -> (Vec<Vec<String>>, Option<Error>) {
        let mut told = vec![Vec::new(); changes.len()];
        let messages = match self.messages(feed, changes) {
            Ok(messages) => messages,
            Err(error) => return (told, Some(error)),
        };
        let bodies: Vec<Message> = messages.iter().map(|(_, message)| message.clone()).collect();
        let sent = self.queues.send(&bodies).await;
        for ((index, message), arrived) in messages.into_iter().zip(sent.arrived) {
            if let Some(told) = told.get_mut(index).filter(|_| arrived) {
                told.push(message.flow);
            }
        }
        (told, sent.failure)
    }

    /// The messages, each with the place of its change.
    fn messages(&self, feed: &str, changes: &[(NodeChange, Vec<String>)]) -> Result<Vec<(usize, Message)>> {
        let source = format!("{}/{feed}", Self::NAME);
        let mut messages = Vec::new();
        for (index, (change, flows)) in changes.iter().enumerate() {
            for flow in flows {
                let body = change.envelope(&source, flow, &self.environment.context)?;
                messages.push((index, Message { flow: flow.clone(), body }));
            }
        }
        Ok(messages)
    }
}
