//! The XML that the interface speaks: read with its namespaces and without entities, and written.

use std::borrow::Cow;
use std::fmt::Write as _;

use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde::{Deserialize, Serialize};

/// The namespace of `xml:` attributes.
const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// Elements within elements.
const DEEPEST: usize = 128;

/// An element with its namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    /// Namespace; empty for none.
    pub namespace: String,
    /// Name without prefix.
    pub name: String,
    /// Namespace, name and value of each attribute.
    pub attributes: Vec<(String, String, String)>,
    /// What is in it, in order.
    pub nodes: Vec<Node>,
}

/// What is in an element.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text.
    Text(String),
}

/// A document that is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The document is not well-formed, or declares a document type.")]
pub struct Malformed;

impl Element {
    /// An empty element.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned(), ..Self::default() }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: impl Into<String>) -> Self {
        self.attributes.push((String::new(), name.to_owned(), value.into()));
        self
    }

    /// Adds an element.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.nodes.push(Node::Element(child));
        self
    }

    /// Adds elements.
    #[must_use]
    pub fn children_from(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.nodes.extend(children.into_iter().map(Node::Element));
        self
    }

    /// Adds text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.nodes.push(Node::Text(text.into()));
        self
    }

    /// Adds an element of the same namespace that holds a text.
    #[must_use]
    pub fn with(self, name: &str, text: impl Into<String>) -> Self {
        let child = Self::new(&self.namespace, name).text(text);
        self.child(child)
    }

    /// The same when there is a text.
    #[must_use]
    pub fn with_some(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.with(name, text),
            None => self,
        }
    }

    /// The elements in it.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The elements in it with this name, of whatever namespace.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.elements().filter(move |child| child.name == name)
    }

    /// The first element in it with this name.
    pub fn find(&self, name: &str) -> Option<&Self> {
        self.elements().find(|child| child.name == name)
    }

    /// The text of that.
    pub fn text_of(&self, name: &str) -> Option<String> {
        self.find(name).map(Self::content)
    }

    /// Its text, trimmed, without that of the elements in it.
    pub fn content(&self) -> String {
        let mut whole = String::new();
        for node in &self.nodes {
            if let Node::Text(text) = node {
                whole.push_str(text);
            }
        }
        whole.trim().to_owned()
    }

    /// The value of an attribute without namespace.
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(_, known, _)| known == name);
        found.map(|(_, _, value)| value.as_str())
    }

    /// Reads a document. A document type, which is where entities are declared, is refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::from_reader(bytes);
        let mut open: Vec<(Self, Scope)> = vec![(Self::default(), Scope::default())];
        loop {
            let event = reader.read_event().map_err(|_| Malformed)?;
            let (parent, scope) = open.last_mut().ok_or(Malformed)?;
            match event {
                Event::Start(start) => {
                    let begun = read_start(&start, scope)?;
                    if open.len() > DEEPEST {
                        return Err(Malformed);
                    }
                    open.push(begun);
                }
                Event::Empty(start) => {
                    let (element, _) = read_start(&start, scope)?;
                    parent.nodes.push(Node::Element(element));
                }
                Event::Text(text) => parent.add(text.decode().map_err(|_| Malformed)?),
                Event::CData(text) => parent.add(text.decode().map_err(|_| Malformed)?),
                Event::GeneralRef(reference) => {
                    let name = reference.decode().map_err(|_| Malformed)?;
                    let written = format!("&{name};");
                    parent.add(quick_xml::escape::unescape(&written).map_err(|_| Malformed)?);
                }
                Event::End(_) => {
                    let (done, _) = open.pop().ok_or(Malformed)?;
                    open.last_mut().ok_or(Malformed)?.0.nodes.push(Node::Element(done));
                }
                Event::DocType(_) => return Err(Malformed),
                Event::Eof => break,
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            }
        }
        let (document, _) = open.pop().filter(|_| open.is_empty()).ok_or(Malformed)?;
        let mut roots = document.nodes.into_iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        });
        match (roots.next(), roots.next()) {
            (Some(root), None) => Ok(root),
            _ => Err(Malformed),
        }
    }

    fn add(&mut self, text: Cow<'_, str>) {
        match self.nodes.last_mut() {
            Some(Node::Text(before)) => before.push_str(&text),
            _ => self.nodes.push(Node::Text(text.into_owned())),
        }
    }

    /// As a document. Elements of one further namespace get a prefix that is declared once.
    pub fn document(&self, prefixed: Option<(&str, &str)>) -> String {
        let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned();
        self.write(&mut text, "", prefixed, true);
        text
    }

    fn write(&self, into: &mut String, default: &str, prefixed: Option<(&str, &str)>, is_root: bool) {
        let prefix = prefixed.filter(|(_, namespace)| *namespace == self.namespace).map(|(prefix, _)| prefix);
        let name = match prefix {
            Some(prefix) => format!("{prefix}:{}", self.name),
            None => self.name.clone(),
        };
        let _ = write!(into, "<{name}");
        let mut inner = default;
        if prefix.is_none() && self.namespace != default {
            let _ = write!(into, " xmlns=\"{}\"", escape(self.namespace.as_str()));
            inner = &self.namespace;
        }
        if let (true, Some((prefix, namespace))) = (is_root, prefixed) {
            let _ = write!(into, " xmlns:{prefix}=\"{}\"", escape(namespace));
        }
        for (number, (namespace, name, value)) in self.attributes.iter().enumerate() {
            let value = escape(value.as_str());
            let _ = match namespace.as_str() {
                "" => write!(into, " {name}=\"{value}\""),
                XML => write!(into, " xml:{name}=\"{value}\""),
                other => write!(into, " xmlns:n{number}=\"{}\" n{number}:{name}=\"{value}\"", escape(other)),
            };
        }
        if self.nodes.is_empty() {
            into.push_str("/>");
            return;
        }
        into.push('>');
        for node in &self.nodes {
            match node {
                Node::Element(element) => element.write(into, inner, prefixed, false),
                // A bare carriage return would be read back as a line feed.
                Node::Text(text) => into.push_str(&escape(text.as_str()).replace('\r', "&#13;")),
            }
        }
        let _ = write!(into, "</{name}>");
    }
}

/// Prefixes and their namespaces, the innermost last.
#[derive(Clone, Default)]
struct Scope(Vec<(String, String)>);

impl Scope {
    fn namespace(&self, prefix: &str) -> Result<String, Malformed> {
        let known = self.0.iter().rev().find(|(known, _)| known == prefix);
        match known {
            Some((_, namespace)) => Ok(namespace.clone()),
            None if prefix.is_empty() => Ok(String::new()),
            None if prefix == "xml" => Ok(XML.to_owned()),
            None => Err(Malformed),
        }
    }
}

fn split(name: &[u8]) -> Result<(&str, &str), Malformed> {
    let name = std::str::from_utf8(name).map_err(|_| Malformed)?;
    Ok(name.split_once(':').unwrap_or(("", name)))
}

fn read_start(start: &BytesStart<'_>, outer: &Scope) -> Result<(Element, Scope), Malformed> {
    let mut scope = outer.clone();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| Malformed)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| Malformed)?;
        let (prefix, name) = split(attribute.key.as_ref())?;
        match (prefix, name) {
            ("", "xmlns") => scope.0.push((String::new(), value.into_owned())),
            ("xmlns", prefix) => scope.0.push((prefix.to_owned(), value.into_owned())),
            _ => attributes.push((prefix.to_owned(), name.to_owned(), value.into_owned())),
        }
    }
    for (prefix, ..) in &mut attributes {
        if !prefix.is_empty() {
            *prefix = scope.namespace(prefix)?;
        }
    }
    let qualified = start.name();
    let (prefix, name) = split(qualified.as_ref())?;
    let element =
        Element { namespace: scope.namespace(prefix)?, name: name.to_owned(), attributes, nodes: Vec::new() };
    Ok((element, scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_come_and_go_and_names_and_texts_stay() {
        let sent = "<ns0:Box xmlns:ns0=\"urn:x\" ns0:kind=\"a&amp;b\"><Plain xmlns=\"urn:y\"> &lt;1&gt; </Plain>\
                    <ns0:Empty /></ns0:Box>";
        let read = Element::parse(sent.as_bytes()).unwrap();
        let again = Element::parse(read.document(Some(("x", "urn:x"))).as_bytes()).unwrap();
        assert_eq!(again, read);
        assert_eq!(read.text_of("Plain").as_deref(), Some("<1>"));
        assert_eq!(
            (read.value("kind"), read.find("Empty").unwrap().namespace.as_str()),
            (Some("a&b"), "urn:x")
        );
    }

    #[test]
    fn entities_and_what_is_not_well_formed_are_refused() {
        for document in [
            "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
            "<a>&e;</a>",
            "<a><b></a>",
            "<a/><b/>",
            "<p:a/>",
            "",
            "{}",
        ] {
            assert_eq!(Element::parse(document.as_bytes()), Err(Malformed), "{document}");
        }
        let deep = format!("{}{}", "<a>".repeat(400), "</a>".repeat(400));
        assert_eq!(Element::parse(deep.as_bytes()), Err(Malformed));
    }
}
