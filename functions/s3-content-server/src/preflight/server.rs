//! The server itself: who we are to it, and what it says of itself.

use shared::{
    content_server::{Client, CurrentUser},
    error::{FailureClass, Result},
};

use super::{Look, report::Findings};
use crate::intake_rules::{HumanSize, IntakeRule};

/// Signs in. Nothing when the server refuses: then the rest cannot be looked at.
pub(super) async fn sign_in(client: &Client, findings: &mut Findings) -> Result<Option<CurrentUser>> {
    let me = match client.login().await {
        Ok(()) => client.get_current_user().await,
        Err(error) => Err(error),
    };
    match me {
        Ok(me) => {
            findings.ok("sign-in", format!("as {} (user {})", me.name, me.id));
            Ok(Some(me))
        }
        Err(error) if error.class() == FailureClass::Auth => {
            findings.refusal("sign-in", error)?;
            findings.not_checked("rules", "nothing can be looked at without signing in");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl Look<'_> {
    /// Version and settings.
    pub(super) async fn server(&self, findings: &mut Findings) -> Result<()> {
        let info = self.client.get_server_info().await;
        if let Some(info) = findings.kept("version", info)? {
            findings.ok("version", info.version);
        }
        let settings = self.client.settings();
        if !settings.large_upload.enabled {
            findings.ok("Large File Upload", "switched off in the settings of the function");
        } else if let Some(offer) =
            findings.kept("Large File Upload", self.client.large_upload_offer().await)?
        {
            let message = match offer {
                Some(offer) => format!(
                    "from {} to {}",
                    HumanSize::bytes(offer.min_size),
                    HumanSize::bytes(offer.max_size)
                ),
                None => "off, or not installed: every object goes up in one piece".to_owned(),
            };
            findings.ok("Large File Upload", message);
        }
        if settings.range_downloads {
            let message = "whether the server gives ranges of content: it shows only on a document";
            findings.not_checked("range_downloads", message);
        }
        Ok(())
    }

    /// Whether everything that the rule accepts can go up.
    pub(super) async fn size(&self, rule: &IntakeRule, findings: &mut Findings) -> Result<()> {
        let settings = &self.client.settings().large_upload;
        let most = rule.limits.max_size;
        if most.as_bytes() < settings.from_size {
            return Ok(());
        }
        let offer = match settings.enabled {
            true => findings.kept("limits", self.client.large_upload_offer().await)?.flatten(),
            false => None,
        };
        let in_parts = offer.map_or(0, |offer| offer.max_size);
        if in_parts >= most.as_bytes() {
            findings.ok("limits", format!("objects of up to {most} can go up in parts"));
            return Ok(());
        }
        let larger = HumanSize::bytes(in_parts.max(settings.from_size));
        findings.warning(
            "limits",
            format!("up to {most} is accepted, and what is larger than {larger} has to go up within one invocation"),
            "lower `limits.max_size`, or raise the largest file of Large File Upload on the server",
        );
        Ok(())
    }
}
