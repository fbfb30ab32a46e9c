//! The fifteen elements of Dublin Core, as archives keep them: in the container that OAI-PMH has for them.

use super::{
    Fragment,
    read::{BAD_XML, texts},
};
use crate::{
    error::{Error, Result},
    xml::Element,
};

/// The namespace of the container, by which archives know the fragment.
pub const SCHEMA: &str = "http://www.openarchives.org/OAI/2.0/oai_dc/";
/// The namespace of the elements.
pub const ELEMENTS: &str = "http://purl.org/dc/elements/1.1/";

/// The elements there are.
pub const NAMES: [&str; 15] = [
    "title",
    "creator",
    "subject",
    "description",
    "publisher",
    "contributor",
    "date",
    "type",
    "format",
    "identifier",
    "source",
    "language",
    "relation",
    "coverage",
    "rights",
];

/// A fragment of these elements, in the order they are given in; any may come more than once.
///
/// # Errors
/// `Invalid` for a name that is none of [`NAMES`], and for a character that XML has no way to say.
pub fn fragment<'a>(elements: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Fragment> {
    let mut root = Element::new(SCHEMA, "dc");
    for (name, value) in elements {
        if !NAMES.contains(&name) {
            let message = format!("`{}` is no element of Dublin Core", name.escape_default());
            return Err(Error::invalid(BAD_XML, message).remedy(format!("these are: {}", NAMES.join(", "))));
        }
        texts("Dublin Core", [value])?;
        root = root.child(Element::new(ELEMENTS, name).text(value));
    }
    Fragment::of(root)
}

/// The elements of a fragment, in their order.
///
/// # Errors
/// `Invalid` when it is another fragment.
pub fn read(fragment: &Fragment) -> Result<Vec<(String, String)>> {
    if fragment.schema() != SCHEMA || fragment.name() != "dc" {
        let message = format!("expected Dublin Core, and it is of `{}`", fragment.schema().escape_default());
        return Err(Error::invalid(BAD_XML, message));
    }
    let elements = fragment.root.elements().filter(|element| element.namespace.as_ref() == ELEMENTS);
    Ok(elements.map(|element| (element.name.clone(), element.whole())).collect())
}
