//! Removing something takes two persons: one asks, another approves. Each is a client with a credential of its own.

use super::{Client, call::Call, entity::EntityKind, ids::Reference, progress::ProgressToken, xml::Element};
use crate::error::Result;

impl Client {
    /// Asks for an entity and all that is in it to be removed. Its progress is pending until a second person decides. The
    /// request is not sent a second time by itself: each one is another request for that person.
    ///
    /// # Errors
    /// `Forbidden`, [`super::RULE`], when a hold, a retention policy or a missing workflow stands against it. As any call.
    pub async fn ask_removal(&self, of: (EntityKind, &Reference), comment: &str) -> Result<ProgressToken> {
        let namespace = self.entity_namespace().await?;
        let submission = Element::new(&namespace, "Submission").with("Comment", comment);
        let body = Element::new(&namespace, "DeletionAction").child(submission);
        let call = Call::delete("ask for removal", &[of.0.path(), of.1.as_str()]).once().xml(&body);
        self.begin(&call).await
    }

    /// Decides on a removal that somebody else asked for.
    ///
    /// # Errors
    /// `Forbidden` when it was this user who asked. As any call.
    pub async fn decide_removal(&self, token: &ProgressToken, approved: bool, comment: &str) -> Result<()> {
        let namespace = self.entity_namespace().await?;
        let approval = Element::new(&namespace, "Approval")
            .with("Approved", if approved { "true" } else { "false" })
            .with("Comment", comment);
        let body = Element::new(&namespace, "DeletionAction").child(approval);
        let call = Call::put("decide on removal", &["actions", "deletions", token.as_str()]);
        self.tell(&call.once().xml(&body)).await
    }
}
