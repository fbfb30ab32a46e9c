//! Ids, each of its own type.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$about:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$about])+
        #[derive(
            Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The one with this text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether it names nothing.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// One version of an asset, or a folder.
    AssetId,
    /// An asset in all its versions.
    OriginalId,
    /// A job.
    JobId,
    /// The bytes of a master or a rendition.
    ContentId,
    /// A field, or a column of a table: spaces and dots are part of it, and every one counts.
    FieldId,
    /// A table of metadata.
    TableId,
    /// A metadata model.
    ModelId,
    /// A security policy.
    PolicyId,
    /// A domain of lookup values.
    DomainId,
    /// A collection.
    CollectionId,
    /// An operator of a search condition.
    OperatorId,
    /// A template by which an import fills in what is not said.
    TemplateId,
}
