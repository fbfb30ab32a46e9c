//! Pieces of descriptive metadata: XML of any schema on an entity. Several of the same schema are possible.

use super::{
    Client,
    call::Call,
    entity::{Entity, EntityKind},
    error::{failure, unexpected},
    ids::{FragmentId, Reference},
    xml::{Element, XIP},
};
use crate::error::{FailureClass, Result};

/// A piece of descriptive metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// Its reference.
    pub id: FragmentId,
    /// Schema.
    pub schema: String,
    /// The XML, which stands for itself: every namespace is declared in it.
    pub xml: String,
}

/// Whether two pieces of XML say the same: prefixes, and space around texts, do not count.
///
/// # Errors
/// `Invalid` when one of them is not XML.
pub fn is_same_xml(one: &str, other: &str) -> Result<bool> {
    Ok(content("compare metadata", one)?.fragment() == content("compare metadata", other)?.fragment())
}

/// XML of ours.
fn content(operation: &'static str, xml: &str) -> Result<Element> {
    Element::parse(xml.as_bytes()).map_err(|error| {
        failure(
            FailureClass::Invalid,
            operation,
            "preservica.bad-xml",
            format!("the metadata is refused: {error}"),
        )
    })
}

impl Client {
    /// The pieces of an entity, with what is in them.
    ///
    /// # Errors
    /// As any call.
    pub async fn fragments(&self, of: (EntityKind, &Reference)) -> Result<Vec<Fragment>> {
        let entity = self.get_entity(of.0, of.1).await?;
        self.fragments_of(&entity).await
    }

    /// The same of an entity that was just read.
    ///
    /// # Errors
    /// As any call.
    pub async fn fragments_of(&self, entity: &Entity) -> Result<Vec<Fragment>> {
        let mut fragments = Vec::new();
        for (schema, address) in &entity.fragments {
            let target = self.own_target("get metadata", address)?;
            let mut fragment = self.one_fragment(&Call::follow("get metadata", &target)).await?;
            if fragment.schema.is_empty() {
                fragment.schema.clone_from(schema);
            }
            fragments.push(fragment);
        }
        Ok(fragments)
    }

    /// Adds a piece. A second time adds a second one.
    ///
    /// # Errors
    /// As any call; `Invalid`, `preservica.bad-xml`, and nothing is sent, when it is not XML.
    pub async fn add_fragment(
        &self,
        of: (EntityKind, &Reference),
        schema: &str,
        xml: &str,
    ) -> Result<Fragment> {
        let path = [of.0.path(), of.1.as_str(), "metadata"];
        let body = self.container(of.1, None, schema, xml).await?;
        self.one_fragment(&Call::post("add metadata", &path).xml(&body)).await
    }

    /// Writes another content into a piece.
    ///
    /// # Errors
    /// As any call; `Invalid`, `preservica.bad-xml`, and nothing is sent, when it is not XML.
    pub async fn change_fragment(
        &self,
        of: (EntityKind, &Reference),
        changed: &Fragment,
    ) -> Result<Fragment> {
        let path = [of.0.path(), of.1.as_str(), "metadata", changed.id.as_str()];
        let body = self.container(of.1, Some(&changed.id), &changed.schema, &changed.xml).await?;
        self.one_fragment(&Call::put("change metadata", &path).xml(&body)).await
    }

    /// Lets an entity have one piece of a schema with this content: it is added, changed, or there already. Further ones of the
    /// schema stay.
    ///
    /// # Errors
    /// As any call.
    pub async fn ensure_fragment(
        &self,
        of: (EntityKind, &Reference),
        schema: &str,
        xml: &str,
    ) -> Result<Fragment> {
        let known = self.fragments(of).await?;
        let same_schema = || known.iter().filter(|fragment| fragment.schema == schema);
        for fragment in same_schema() {
            if is_same_xml(&fragment.xml, xml)? {
                return Ok(fragment.clone());
            }
        }
        match same_schema().next() {
            Some(fragment) => {
                self.change_fragment(of, &Fragment { xml: xml.to_owned(), ..fragment.clone() }).await
            }
            None => self.add_fragment(of, schema, xml).await,
        }
    }

    /// Removes a piece. One that is gone is no failure.
    ///
    /// # Errors
    /// As any call.
    pub async fn remove_fragment(&self, of: (EntityKind, &Reference), id: &FragmentId) -> Result<()> {
        let path = [of.0.path(), of.1.as_str(), "metadata", id.as_str()];
        self.remove(&Call::delete("remove metadata", &path)).await
    }

    async fn container(
        &self,
        entity: &Reference,
        id: Option<&FragmentId>,
        schema: &str,
        xml: &str,
    ) -> Result<Element> {
        let content = content("write metadata", xml)?;
        let namespace = self.xip_namespace().await?;
        Ok(Element::new(&namespace, "MetadataContainer")
            .attribute("schemaUri", schema)
            .with_some("Ref", id.map(FragmentId::as_str))
            .with("Entity", entity.as_str())
            .child(Element::new(&namespace, "Content").child(content)))
    }

    async fn one_fragment(&self, call: &Call) -> Result<Fragment> {
        let root = self.ask_xml(call).await?;
        let lacks = |what: &str| unexpected(call.operation(), call.effect(), format_args!("no {what} in it"));
        let container = root.search(XIP, "MetadataContainer").ok_or_else(|| lacks("MetadataContainer"))?;
        let content = container.find(XIP, "Content").and_then(|content| content.elements().next());
        Ok(Fragment {
            id: FragmentId::new(container.text_of("Ref").ok_or_else(|| lacks("Ref"))?),
            schema: container.value("schemaUri").unwrap_or_default().to_owned(),
            xml: content.map(Element::fragment).unwrap_or_default(),
        })
    }
}
