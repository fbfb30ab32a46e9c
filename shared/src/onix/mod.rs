//! ONIX for Books 3.0 and 3.1, as publishers send it: messages in reference names or short tags, read record by record.
//!
//! A partial update (`NotificationType` 04) leaves out what it does not change, a deletion (05) almost everything: whoever
//! uses a [`Product`] looks at its `notification` first.

pub mod codes;
#[cfg(test)]
mod codes_tests;
mod element;
mod gauge;
mod product;
#[cfg(test)]
mod properties;
mod reader;
mod tags;
#[cfg(test)]
mod tests;
mod title;

pub use self::{
    product::{
        Contributor, Header, Identifier, Notification, Price, Product, ProductTitle, PublishingDate,
        RelatedWork, Resource, ResourceFile, SalesRight, Subject, Territory, TextContent,
    },
    reader::{ENCODING, ENTITY, MALFORMED, NOT_ONIX, Reader, TOO_LARGE},
    tags::Spelling,
};
