//! Legal holds, which Preservica has since 9.1.

use jiff::Timestamp;

use super::{
    Client,
    call::Call,
    changes::moment,
    error::{Effect, unexpected},
    ids::{HoldId, Reference},
    lists::Entries,
    xml::{ENTITY, Element},
};
use crate::error::Result;

/// A legal hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its reference.
    pub id: HoldId,
    /// Name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

fn hold(element: &Element) -> Option<Hold> {
    Some(Hold {
        id: HoldId::new(element.text_of("Ref")?),
        name: element.text_of("Name").unwrap_or_default(),
        description: element.text_of("Description"),
        created: element.text_of("CreatedDate").as_deref().and_then(moment),
    })
}

impl Client {
    /// The legal holds, or those of a name.
    ///
    /// # Errors
    /// `Forbidden`, [`super::NEEDS_VERSION`], before 9.1. As any call.
    pub async fn holds(&self, name: Option<&str>) -> Result<Vec<Hold>> {
        self.needs("list legal holds", 9, 1).await?;
        let call =
            Call::get("list legal holds", &["legal-holds"]).query("expand", true).query_if("name", name);
        Entries::new(self, call, |root| root.all(ENTITY, "LegalHold").into_iter().map(hold).collect())
            .all()
            .await
    }

    /// Makes a legal hold. A second time makes a second one.
    ///
    /// # Errors
    /// As [`Client::holds`]; `UnknownOutcome` when the answer was lost: look for its name.
    pub async fn create_hold(&self, name: &str, description: &str) -> Result<Hold> {
        self.needs("create legal hold", 9, 1).await?;
        let namespace = self.xip_namespace().await?;
        let body = Element::new(&namespace, "LegalHold").with("Name", name).with("Description", description);
        let call = Call::post("create legal hold", &["legal-holds"]).xml(&body);
        let root = self.ask_xml(&call).await?;
        let made = root.search(ENTITY, "LegalHold").and_then(hold);
        made.ok_or_else(|| unexpected(call.operation(), call.effect(), "no LegalHold in it"))
    }

    /// The holds an asset is under.
    ///
    /// # Errors
    /// As [`Client::holds`].
    pub async fn holds_of(&self, asset: &Reference) -> Result<Vec<HoldId>> {
        self.needs("list legal holds of asset", 9, 1).await?;
        let call =
            Call::get("list legal holds of asset", &["information-objects", asset.as_str(), "legal-holds"]);
        let root = self.ask_xml(&call).await?;
        let id = |element: &Element| element.text_of("LegalHold").map(HoldId::new);
        let found: Option<Vec<HoldId>> =
            root.all(ENTITY, "LegalHoldAssignment").into_iter().map(id).collect();
        found.ok_or_else(|| unexpected(call.operation(), Effect::Read, "an assignment without its hold"))
    }

    /// Puts an asset under a hold, unless it is.
    ///
    /// # Errors
    /// As [`Client::holds`]; `UnknownOutcome` when the answer was lost and it was not there afterwards either.
    pub async fn ensure_hold(&self, asset: &Reference, id: &HoldId) -> Result<()> {
        if self.holds_of(asset).await?.contains(id) {
            return Ok(());
        }
        let namespace = self.xip_namespace().await?;
        let body = Element::new(&namespace, "LegalHoldAssignmentRequest").with("LegalHoldRef", id.as_str());
        let path = ["information-objects", asset.as_str(), "legal-holds"];
        match self.tell(&Call::post("hold asset", &path).xml(&body)).await {
            Ok(()) => Ok(()),
            Err(error) => match self.holds_of(asset).await {
                Ok(holds) if holds.contains(id) => Ok(()),
                _ => Err(error),
            },
        }
    }

    /// Takes an asset out of a hold. One that it is not under is no failure.
    ///
    /// # Errors
    /// As [`Client::holds`].
    pub async fn release_hold(&self, asset: &Reference, id: &HoldId) -> Result<()> {
        self.needs("release asset", 9, 1).await?;
        let path = ["information-objects", asset.as_str(), "legal-holds", id.as_str()];
        self.remove(&Call::delete("release asset", &path)).await
    }
}
