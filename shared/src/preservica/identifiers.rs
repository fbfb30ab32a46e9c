//! What others call an entity. Neither one entity nor the tenant keeps them apart: a lookup may find several.

use super::{
    Client,
    call::Call,
    entity::{EntityKind, Listed, listed},
    error::unexpected,
    ids::{IdentifierId, Reference},
    lists::Entries,
    xml::{ENTITY, Element, XIP},
};
use crate::error::Result;

/// An identifier of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// Its entry.
    pub id: IdentifierId,
    /// Whose identifier it is. Whether upper and lower case differ is not documented: use one spelling.
    pub kind: String,
    /// The identifier.
    pub value: String,
}

fn identifier(element: &Element) -> Option<Identifier> {
    Some(Identifier {
        id: IdentifierId::new(element.text_of("ApiId")?),
        kind: element.text_of("Type")?,
        value: element.text_of("Value").unwrap_or_default(),
    })
}

impl Client {
    /// Those that have an identifier. It is exact at once, unlike search.
    pub fn by_identifier(&self, kind: &str, value: &str) -> Entries<'_, Listed> {
        let call = Call::get("look up identifier", &["entities", "by-identifier"]);
        let call = call.query("type", kind).query("value", value);
        Entries::new(self, call, |root| root.all(ENTITY, "Entity").into_iter().map(listed).collect())
    }

    /// The identifiers of an entity.
    pub fn identifiers(&self, (kind, reference): (EntityKind, &Reference)) -> Entries<'_, Identifier> {
        let call = Call::get("list identifiers", &[kind.path(), reference.as_str(), "identifiers"]);
        Entries::new(self, call, |root| root.all(XIP, "Identifier").into_iter().map(identifier).collect())
    }

    /// Adds an identifier. A second time adds a second one: [`Client::ensure_identifier`] looks first.
    ///
    /// # Errors
    /// As any call; `UnknownOutcome` when the answer was lost.
    pub async fn add_identifier(
        &self,
        of: (EntityKind, &Reference),
        kind: &str,
        value: &str,
    ) -> Result<Identifier> {
        let path = [of.0.path(), of.1.as_str(), "identifiers"];
        let call = Call::post("add identifier", &path).xml(&self.written(of.1, kind, value).await?);
        self.one_identifier(&call).await
    }

    /// Adds an identifier unless the entity has it.
    ///
    /// # Errors
    /// As any call; `UnknownOutcome` when the answer was lost and it was not there afterwards either.
    pub async fn ensure_identifier(
        &self,
        of: (EntityKind, &Reference),
        kind: &str,
        value: &str,
    ) -> Result<Identifier> {
        let known = |all: Vec<Identifier>| all.into_iter().find(|one| one.kind == kind && one.value == value);
        if let Some(found) = known(self.identifiers(of).all().await?) {
            return Ok(found);
        }
        match self.add_identifier(of, kind, value).await {
            Ok(made) => Ok(made),
            Err(error) => match self.identifiers(of).all().await.map(known) {
                Ok(Some(found)) => Ok(found),
                _ => Err(error),
            },
        }
    }

    /// Changes an identifier.
    ///
    /// # Errors
    /// As any call.
    pub async fn change_identifier(&self, of: (EntityKind, &Reference), changed: &Identifier) -> Result<()> {
        let path = [of.0.path(), of.1.as_str(), "identifiers", changed.id.as_str()];
        let body = self.written(of.1, &changed.kind, &changed.value).await?;
        // Answered with the identifier, or with nothing.
        self.tell(&Call::put("change identifier", &path).xml(&body)).await
    }

    /// Removes an identifier. One that is gone is no failure.
    ///
    /// # Errors
    /// As any call.
    pub async fn remove_identifier(&self, of: (EntityKind, &Reference), id: &IdentifierId) -> Result<()> {
        let path = [of.0.path(), of.1.as_str(), "identifiers", id.as_str()];
        self.remove(&Call::delete("remove identifier", &path)).await
    }

    async fn written(&self, entity: &Reference, kind: &str, value: &str) -> Result<Element> {
        let namespace = self.xip_namespace().await?;
        let element = Element::new(&namespace, "Identifier");
        Ok(element.with("Type", kind).with("Value", value).with("Entity", entity.as_str()))
    }

    async fn one_identifier(&self, call: &Call) -> Result<Identifier> {
        let root = self.ask_xml(call).await?;
        let found = root.search(XIP, "Identifier").and_then(identifier);
        found.ok_or_else(|| unexpected(call.operation(), call.effect(), "no Identifier in it"))
    }
}
