//! One record of a message as a tree, with reference names.

use super::tags::{Spelling, reference_name};

/// An element with what is in it, in order.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) content: Vec<Content>,
}

/// What is in an element.
#[derive(Debug)]
pub(super) enum Content {
    Text(String),
    Element(Element),
}

impl Element {
    pub(super) fn of(spelling: Spelling, tag: &str, attributes: Vec<(String, String)>) -> Self {
        Self { name: reference_name(spelling, tag).to_owned(), attributes, content: Vec::new() }
    }

    pub(super) fn push_text(&mut self, text: &str) {
        match self.content.last_mut() {
            Some(Content::Text(before)) => before.push_str(text),
            _ => self.content.push(Content::Text(text.to_owned())),
        }
    }

    pub(super) fn all<'element, 'name>(
        &'element self,
        name: &'name str,
    ) -> impl Iterator<Item = &'element Self> + use<'element, 'name> {
        self.content.iter().filter_map(move |content| match content {
            Content::Element(element) if element.name == name => Some(element),
            _ => None,
        })
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.all(name).next()
    }

    /// The text of the first child with a name, without blanks around it; nothing when it is missing or empty.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        self.child(name).map(Self::text).filter(|text| !text.is_empty())
    }

    /// The texts of all children with a name.
    pub(super) fn texts_of(&self, name: &str) -> Vec<String> {
        self.all(name).map(Self::text).filter(|text| !text.is_empty()).collect()
    }

    /// A list that is written with blanks in between.
    pub(super) fn words_of(&self, name: &str) -> Vec<String> {
        self.text_of(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Its text, without that of elements in it.
    fn text(&self) -> String {
        let texts = self.content.iter().map(|content| match content {
            Content::Text(text) => text.as_str(),
            Content::Element(_) => "",
        });
        texts.collect::<String>().trim().to_owned()
    }

    /// What is in it as markup: texts may have elements of XHTML in them. Text that stands for itself is given as it is,
    /// so that markup kept in a CDATA section and markup of elements look alike.
    pub(super) fn markup(&self) -> String {
        if self.content.iter().all(|content| matches!(content, Content::Text(_))) {
            return self.text();
        }
        let mut written = String::new();
        self.write_content(&mut written);
        written.trim().to_owned()
    }

    fn write_content(&self, to: &mut String) {
        for content in &self.content {
            match content {
                Content::Text(text) => to.push_str(&quick_xml::escape::partial_escape(text.as_str())),
                Content::Element(element) => {
                    to.push_str(&format!("<{}", element.name));
                    for (name, value) in &element.attributes {
                        to.push_str(&format!(" {name}=\"{}\"", quick_xml::escape::escape(value.as_str())));
                    }
                    to.push('>');
                    element.write_content(to);
                    to.push_str(&format!("</{}>", element.name));
                }
            }
        }
    }
}
