//! Pieces of descriptive metadata.

use super::read::{BAD_XML, texts};
use crate::{
    error::{Error, Result},
    xml::Element,
};

/// A piece of descriptive metadata: one element of XML, which stands for itself. Two are equal when they say the same, whatever
/// prefixes they were written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    pub(super) root: Element,
}

impl Fragment {
    /// The one with this XML.
    ///
    /// # Errors
    /// `Invalid` when it is not well-formed, declares a document type or has no namespace: archives tell fragments apart by it.
    pub fn parse(xml: &str) -> Result<Self> {
        let root = Element::parse(xml.as_bytes())
            .map_err(|error| Error::invalid(BAD_XML, format!("a piece of descriptive metadata: {error}")))?;
        Self::of(root)
    }

    pub(super) fn of(root: Element) -> Result<Self> {
        if root.namespace.is_empty() {
            let message =
                format!("the descriptive metadata `{}` has no namespace", root.name.escape_default());
            return Err(Error::invalid(BAD_XML, message));
        }
        let xml = root.fragment();
        texts("descriptive metadata", [xml.as_str()])?;
        // As it will be read: an empty text is no text.
        let root = Element::parse(xml.as_bytes())
            .map_err(|error| Error::bug("describe", format!("a fragment of ours cannot be read: {error}")))?;
        Ok(Self { root })
    }

    /// Its schema, which is the namespace of its root.
    pub fn schema(&self) -> &str {
        &self.root.namespace
    }

    /// The name of its root.
    pub fn name(&self) -> &str {
        &self.root.name
    }

    /// The XML.
    pub fn xml(&self) -> String {
        self.root.fragment()
    }
}
