//! What all documents of packages have in common.

use crate::{
    error::{Error, Result},
    xml::Element,
};

/// A document is not well-formed, declares a document type, or is not of the kind it should be.
pub const BAD_XML: &str = "package.bad-xml";
/// A text has a character that XML has no way to say.
pub const NOT_XML_TEXT: &str = "package.not-xml-text";
/// More than is read.
pub const TOO_LARGE: &str = "package.too-large";

/// Reads a document of which the root is this one.
pub(super) fn document(bytes: &[u8], family: &str, root: &str) -> Result<Element> {
    let read = Element::parse(bytes)
        .map_err(|error| Error::invalid(BAD_XML, format!("expected a document {root}: {error}")))?;
    if read.is(family, root) {
        return Ok(read);
    }
    let message = format!("expected a document {root}, and its root is {}", read.name.escape_default());
    Err(Error::invalid(BAD_XML, message))
}

/// A document without something that it must have.
pub(super) fn missing(what: &str, of: &str) -> Error {
    Error::invalid(BAD_XML, format!("{of} has no {what}"))
}

/// Refuses texts with characters that XML 1.0 cannot say, not even by number.
pub(super) fn texts<'a>(of: &'static str, texts: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let is_none = |letter: char| matches!(letter, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    match texts.into_iter().find_map(|text| text.chars().find(|letter| is_none(*letter))) {
        None => Ok(()),
        Some(letter) => {
            let message = format!("a text holds {}, which XML has no way to say", letter.escape_unicode());
            Err(Error::invalid(NOT_XML_TEXT, message).field(of))
        }
    }
}
