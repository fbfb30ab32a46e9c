//! References and ids, each of its own type.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::context::Context;

macro_rules! ids {
    ($($(#[$about:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$about])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )+};
}

impl Reference {
    /// A reference that nothing has, for something that is to be made.
    pub fn fresh(context: &Context) -> Self {
        let id = context.new_id();
        let part = |from: usize, to: usize| id.get(from..to).unwrap_or_default();
        // As a random UUID (RFC 9562).
        Self(format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32)))
    }
}

ids! {
    /// The reference of a folder, an asset or a content object. Whoever makes one may choose it.
    Reference,
    /// An entry among the identifiers of an entity.
    IdentifierId,
    /// A piece of descriptive metadata.
    FragmentId,
    /// A retention policy.
    PolicyId,
    /// A retention policy on an asset.
    AssignmentId,
    /// A legal hold.
    HoldId,
    /// Something that was done.
    EventId,
    /// A process as people see it. Not the same for ever: upgrades change them.
    MonitorId,
    /// Somebody who is told of what happens.
    SubscriptionId,
}
