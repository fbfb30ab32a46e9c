//! Whether what leads here still tells. Only looked at, never changed.

use shared::{
    error::Result,
    iconik::{CustomAction, Webhook, WebhookStatus},
};

use super::{WatchIconik, feeds::Feeds};

impl WatchIconik {
    /// Looks at the webhooks and custom actions that lead to the receiver, and says of each that does not tell which one it
    /// is. Their headers and what they sent last stay where they are.
    pub(super) async fn check_webhooks(&self) -> Result<()> {
        let webhooks = self.iconik.list_webhooks().await?;
        let (silent, missing) = silent(&webhooks, &self.feeds);
        for webhook in &silent {
            tracing::warn!(
                webhook = webhook.id.as_str(),
                status = webhook.status.as_str(),
                since = webhook.failing_since.map(|since| since.to_string()),
                "a webhook that leads here does not tell; look at it in iconik and switch it on there"
            );
        }
        if missing > 0 {
            tracing::warn!(missing, "fewer webhooks lead here than the feed file says");
        }
        self.print_silent_webhooks(missing.saturating_add(silent.len() as u64));
        let actions = self.iconik.list_custom_actions().await?;
        let failing = failing(&actions, &self.feeds);
        for action in &failing {
            let (action, disabled) = (action.id.as_str(), action.disabled);
            tracing::warn!(action, disabled, "a custom action that leads here fails, or is switched off");
        }
        self.print_failing_actions(failing.len() as u64);
        Ok(())
    }
}

/// The webhooks that lead here and do not tell, and how many are not even there.
fn silent<'a>(webhooks: &'a [Webhook], feeds: &Feeds) -> (Vec<&'a Webhook>, u64) {
    let is_ours =
        |webhook: &&Webhook| leads_here(&webhook.url, feeds) && webhook.status != WebhookStatus::Deleted;
    let ours: Vec<&Webhook> = webhooks.iter().filter(is_ours).collect();
    let missing = feeds.least_webhooks.saturating_sub(ours.len() as u64);
    (ours.into_iter().filter(|webhook| webhook.status != WebhookStatus::Enabled).collect(), missing)
}

/// The custom actions that lead here and fail, or are switched off.
fn failing<'a>(actions: &'a [CustomAction], feeds: &Feeds) -> Vec<&'a CustomAction> {
    let fails = |action: &&CustomAction| action.disabled || action.status == "FAILING";
    actions.iter().filter(|action| leads_here(&action.url, feeds)).filter(fails).collect()
}

fn leads_here(url: &str, feeds: &Feeds) -> bool {
    feeds.receiver.as_ref().is_none_or(|ours| leads_to(url, ours))
}

/// Whether an address is the receiver's or lies below it.
fn leads_to(url: &str, receiver: &str) -> bool {
    url.strip_prefix(receiver).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OURS: &str = "https://a.example.com/webhooks";

    fn feeds(head: &str) -> Feeds {
        let text = format!("{head}\n[[feed]]\nname = \"a\"\nflows = [\"publish-finals\"]\n");
        Feeds::parse(&text, "feeds.toml", |_| true).unwrap()
    }

    fn webhook(url: &str, status: &str) -> Webhook {
        serde_json::from_value(json!({"id": status, "url": url, "status": status})).unwrap()
    }

    #[test]
    fn one_that_fails_or_was_switched_off_or_is_missing_counts_and_one_that_leads_elsewhere_does_not() {
        let feeds = feeds("receiver = \"https://a.example.com\"\nwebhooks = 4");
        let there = [
            webhook(OURS, "ENABLED"),
            webhook(OURS, "FAILING"),
            webhook(OURS, "DISABLED"),
            webhook(OURS, "DELETED"),
            webhook("https://b.example.com/webhooks", "FAILING"),
        ];
        let (silent, missing) = silent(&there, &feeds);
        let statuses: Vec<&str> = silent.iter().map(|webhook| webhook.status.as_str()).collect();
        assert_eq!((statuses, missing), (vec!["FAILING", "DISABLED"], 1), "one of the four is not there");
    }

    #[test]
    fn a_custom_action_counts_when_it_fails_or_is_switched_off_and_every_one_does_without_a_receiver() {
        let action = |id: &str, url: &str, status: &str, disabled: bool| -> CustomAction {
            let given = json!({"id": id, "url": url, "status": status, "disabled": disabled});
            serde_json::from_value(given).unwrap()
        };
        let there = [
            action("well", OURS, "HEALTHY", false),
            action("fails", OURS, "FAILING", false),
            action("off", OURS, "HEALTHY", true),
            action("elsewhere", "https://b.example.com/", "FAILING", false),
        ];
        let ids = |head: &str| -> Vec<&str> {
            failing(&there, &feeds(head)).into_iter().map(|action| action.id.as_str()).collect()
        };
        assert_eq!(ids("receiver = \"https://a.example.com\""), ["fails", "off"]);
        assert_eq!(ids(""), ["fails", "off", "elsewhere"]);
    }

    #[test]
    fn an_address_that_merely_begins_like_ours_is_another_s() {
        let ours = "https://a.example.com";
        assert!(leads_to("https://a.example.com/webhooks", ours) && leads_to(ours, ours));
        assert!(!leads_to("https://a.example.com.evil.example/webhooks", ours));
        assert!(!leads_to("http://a.example.com/webhooks", ours));
    }
}
