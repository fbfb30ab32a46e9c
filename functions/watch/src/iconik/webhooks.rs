//! Whether what leads here still tells. Only looked at, never changed.

use shared::{
    error::Result,
    iconik::{CustomAction, Webhook, WebhookStatus},
};

use super::WatchIconik;

impl WatchIconik {
    /// Looks at the webhooks and custom actions that lead to the receiver, and says of each that does not tell which one it
    /// is. Their headers and what they sent last stay where they are.
    pub(super) async fn check_webhooks(&self) -> Result<()> {
        let leads_here = |url: &str| self.feeds.receiver.as_ref().is_none_or(|ours| leads_to(url, ours));
        let webhooks = self.iconik.list_webhooks().await?;
        let ours: Vec<&Webhook> = webhooks
            .iter()
            .filter(|webhook| leads_here(&webhook.url) && webhook.status != WebhookStatus::Deleted)
            .collect();
        let silent: Vec<&&Webhook> =
            ours.iter().filter(|webhook| webhook.status != WebhookStatus::Enabled).collect();
        for webhook in &silent {
            tracing::warn!(
                webhook = webhook.id.as_str(),
                status = webhook.status.as_str(),
                since = webhook.failing_since.map(|since| since.to_string()),
                "a webhook that leads here does not tell; look at it in iconik and switch it on there"
            );
        }
        let missing = self.feeds.least_webhooks.saturating_sub(ours.len() as u64);
        if missing > 0 {
            tracing::warn!(missing, "fewer webhooks lead here than the feed file says");
        }
        self.print_silent_webhooks(silent.len() as u64 + missing);
        let actions = self.iconik.list_custom_actions().await?;
        let failing: Vec<&CustomAction> = actions
            .iter()
            .filter(|action| leads_here(&action.url))
            .filter(|action| action.disabled || action.status == "FAILING")
            .collect();
        for action in &failing {
            let (action, disabled) = (action.id.as_str(), action.disabled);
            tracing::warn!(action, disabled, "a custom action that leads here fails, or is switched off");
        }
        self.print_failing_actions(failing.len() as u64);
        Ok(())
    }
}

/// Whether an address is the receiver's or lies below it.
fn leads_to(url: &str, receiver: &str) -> bool {
    url.strip_prefix(receiver).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

#[cfg(test)]
mod tests {
    use super::leads_to;

    #[test]
    fn an_address_that_merely_begins_like_ours_is_another_s() {
        let ours = "https://a.example.com";
        assert!(leads_to("https://a.example.com/webhooks", ours) && leads_to(ours, ours));
        assert!(!leads_to("https://a.example.com.evil.example/webhooks", ours));
        assert!(!leads_to("http://a.example.com/webhooks", ours));
    }
}
