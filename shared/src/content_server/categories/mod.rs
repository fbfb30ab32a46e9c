//! Categories: what attributes they have, what a node has in them, and changing that.
//!
//! Keys on the wire are `{category}_{attribute}`, and `{category}_{set}_{row}_{attribute}` inside a set, rows counted
//! from 1. People name attributes; [`CategoryDefinition`] translates.

mod attribute;
mod compare;
mod definition;
mod form;
mod read;
mod value;
mod write;

pub use attribute::{Attribute, AttributeKind, AttributeSet};
pub use compare::ComparedValue;
pub use definition::CategoryDefinition;
pub use value::{AttributeValue, CategoryValues};
pub use write::CategoryOutcome;

pub(super) use definition::Definitions;
pub(super) use read::values_in;
