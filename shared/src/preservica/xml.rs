//! The XML of the interface: read with its namespaces, without entities, within bounds; and written.
//!
//! An upgrade of the tenant changes every namespace, so names are told apart by the beginning of their namespace.

use std::{borrow::Cow, fmt::Write as _};

use quick_xml::{
    Reader, XmlVersion,
    escape::escape,
    events::{BytesStart, Event},
};

/// The namespace of `xml:` attributes.
const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// Elements within elements.
const DEEPEST: usize = 128;

/// What begins the namespace of the entity interface.
pub(super) const ENTITY: &str = "http://preservica.com/EntityAPI/";
/// What begins the namespace of what is archived.
pub(super) const XIP: &str = "http://preservica.com/XIP/";
/// What begins the namespace of retention.
pub(super) const RETENTION: &str = "http://preservica.com/RetentionManagement/";

/// An element with its namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) namespace: String,
    pub(super) name: String,
    /// Namespace, name and value.
    attributes: Vec<(String, String, String)>,
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Element(Element),
    Text(String),
}

/// Why a document is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("the XML is not well-formed")]
    Form,
    #[error("the XML declares a document type, which may hide entities")]
    DocumentType,
}

impl Element {
    pub(super) fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((String::new(), name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn child(mut self, child: Self) -> Self {
        self.nodes.push(Node::Element(child));
        self
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.nodes.push(Node::Text(text.to_owned()));
        self
    }

    /// Adds an element of the same namespace that holds a text.
    pub(super) fn with(self, name: &str, text: &str) -> Self {
        let child = Self::new(&self.namespace, name).text(text);
        self.child(child)
    }

    /// The same when there is a text.
    pub(super) fn with_some(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.with(name, text),
            None => self,
        }
    }

    /// Whether it is one of these.
    pub(super) fn is(&self, family: &str, name: &str) -> bool {
        self.name == name && self.namespace.starts_with(family)
    }

    pub(super) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first such element in it, directly.
    pub(super) fn find(&self, family: &str, name: &str) -> Option<&Self> {
        self.elements().find(|child| child.is(family, name))
    }

    /// The first such element in it, however deep, itself included.
    pub(super) fn search(&self, family: &str, name: &str) -> Option<&Self> {
        if self.is(family, name) {
            return Some(self);
        }
        self.elements().find_map(|child| child.search(family, name))
    }

    /// All such elements in it, however deep; none within another.
    pub(super) fn search_all<'a>(&'a self, family: &str, name: &str, found: &mut Vec<&'a Self>) {
        for child in self.elements() {
            match child.is(family, name) {
                true => found.push(child),
                false => child.search_all(family, name, found),
            }
        }
    }

    /// The same in a list.
    pub(super) fn all(&self, family: &str, name: &str) -> Vec<&Self> {
        let mut found = Vec::new();
        self.search_all(family, name, &mut found);
        found
    }

    /// The text of an element directly in it, of the same namespace; none for an empty one.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        let found = self.elements().find(|child| child.name == name && child.namespace == self.namespace)?;
        Some(found.content()).filter(|text| !text.is_empty())
    }

    /// Its text, trimmed, without that of the elements in it.
    pub(super) fn content(&self) -> String {
        let mut whole = String::new();
        for node in &self.nodes {
            if let Node::Text(text) = node {
                whole.push_str(text);
            }
        }
        whole.trim().to_owned()
    }

    /// An attribute without namespace.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found =
            self.attributes.iter().find(|(namespace, known, _)| namespace.is_empty() && known == name);
        found.map(|(_, _, value)| value.as_str())
    }

    /// Reads a document.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::from_reader(bytes);
        let mut open: Vec<(Self, Scope)> = vec![(Self::default(), Scope::default())];
        loop {
            let event = reader.read_event().map_err(|_| Malformed::Form)?;
            let (parent, scope) = open.last_mut().ok_or(Malformed::Form)?;
            match event {
                Event::Start(start) => {
                    let begun = read_start(&start, scope)?;
                    if open.len() > DEEPEST {
                        return Err(Malformed::Form);
                    }
                    open.push(begun);
                }
                Event::Empty(start) => {
                    let (element, _) = read_start(&start, scope)?;
                    parent.nodes.push(Node::Element(element));
                }
                Event::Text(text) => parent.add(text.decode().map_err(|_| Malformed::Form)?),
                Event::CData(text) => parent.add(text.decode().map_err(|_| Malformed::Form)?),
                Event::GeneralRef(reference) => {
                    // Only the five that XML knows, and characters by number.
                    let name = reference.decode().map_err(|_| Malformed::Form)?;
                    let written = format!("&{name};");
                    parent.add(quick_xml::escape::unescape(&written).map_err(|_| Malformed::Form)?);
                }
                Event::End(_) => {
                    let (done, _) = open.pop().ok_or(Malformed::Form)?;
                    open.last_mut().ok_or(Malformed::Form)?.0.nodes.push(Node::Element(done));
                }
                Event::DocType(_) => return Err(Malformed::DocumentType),
                Event::Eof => break,
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            }
        }
        let (document, _) = open.pop().filter(|_| open.is_empty()).ok_or(Malformed::Form)?;
        let mut roots = document.nodes.into_iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        });
        match (roots.next(), roots.next()) {
            (Some(root), None) => Ok(root),
            _ => Err(Malformed::Form),
        }
    }

    fn add(&mut self, text: Cow<'_, str>) {
        match self.nodes.last_mut() {
            Some(Node::Text(before)) => before.push_str(&text),
            _ => self.nodes.push(Node::Text(text.into_owned())),
        }
    }

    /// As a document.
    pub(super) fn document(&self) -> String {
        let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned();
        self.write(&mut text, "");
        text
    }

    /// As a text that stands for itself: every namespace is declared in it.
    pub(super) fn fragment(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, "");
        text
    }

    fn write(&self, into: &mut String, default: &str) {
        let _ = write!(into, "<{}", self.name);
        let mut inner = default;
        if self.namespace != default {
            let _ = write!(into, " xmlns=\"{}\"", escape(self.namespace.as_str()));
            inner = &self.namespace;
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
                Node::Element(element) => element.write(into, inner),
                // A bare carriage return would be read back as a line feed.
                Node::Text(text) => into.push_str(&escape(text.as_str()).replace('\r', "&#13;")),
            }
        }
        let _ = write!(into, "</{}>", self.name);
    }
}

/// Prefixes and their namespaces, the innermost last.
#[derive(Clone, Default)]
struct Scope(Vec<(String, String)>);

impl Scope {
    fn namespace(&self, prefix: &str) -> Result<String, Malformed> {
        match self.0.iter().rev().find(|(known, _)| known == prefix) {
            Some((_, namespace)) => Ok(namespace.clone()),
            None if prefix.is_empty() => Ok(String::new()),
            None if prefix == "xml" => Ok(XML.to_owned()),
            None => Err(Malformed::Form),
        }
    }
}

fn split(name: &[u8]) -> Result<(&str, &str), Malformed> {
    let name = std::str::from_utf8(name).map_err(|_| Malformed::Form)?;
    Ok(name.split_once(':').unwrap_or(("", name)))
}

fn read_start(start: &BytesStart<'_>, outer: &Scope) -> Result<(Element, Scope), Malformed> {
    let mut scope = outer.clone();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| Malformed::Form)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| Malformed::Form)?;
        match split(attribute.key.as_ref())? {
            ("", "xmlns") => scope.0.push((String::new(), value.into_owned())),
            ("xmlns", prefix) => scope.0.push((prefix.to_owned(), value.into_owned())),
            (prefix, name) => attributes.push((prefix.to_owned(), name.to_owned(), value.into_owned())),
        }
    }
    for (prefix, ..) in &mut attributes {
        if !prefix.is_empty() {
            *prefix = scope.namespace(prefix)?;
        }
    }
    let qualified = start.name();
    let (prefix, name) = split(qualified.as_ref())?;
    let namespace = scope.namespace(prefix)?;
    Ok((Element { namespace, name: name.to_owned(), attributes, nodes: Vec::new() }, scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_by_namespace_of_whatever_version_and_prefix() {
        let answer = br#"<?xml version="1.0"?><r:EntityResponse xmlns:r="http://preservica.com/EntityAPI/v8.3"
            xmlns="http://preservica.com/XIP/v8.3"><InformationObject><Ref>1</Ref><Title>a &amp; b</Title><Empty />
            </InformationObject><r:Ref>2</r:Ref></r:EntityResponse>"#;
        let read = Element::parse(answer).unwrap();
        let asset = read.find(XIP, "InformationObject").unwrap();
        assert_eq!((asset.text_of("Ref").as_deref(), asset.text_of("Empty")), (Some("1"), None));
        assert_eq!(asset.text_of("Title").as_deref(), Some("a & b"));
        assert_eq!(read.find(ENTITY, "Ref").map(Element::content).as_deref(), Some("2"));
    }

    #[test]
    fn a_fragment_stands_for_itself_and_is_the_same_when_read_again() {
        let answer =
            br#"<x:Content xmlns:x="urn:x" xmlns:s="urn:schema"><dc:dc xmlns:dc="urn:dc" s:at="here">mixed
            <dc:title xml:lang="de">f&#252;r &lt;alle&gt;</dc:title> text<y/></dc:dc></x:Content>"#;
        let content = Element::parse(answer).unwrap();
        let inner = content.elements().next().unwrap();
        let text = inner.fragment();
        assert_eq!(&Element::parse(text.as_bytes()).unwrap(), inner, "{text}");
    }

    #[test]
    fn entities_are_never_resolved_and_depth_has_an_end() {
        let bomb = "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/hostname\">]><a>&e;</a>";
        assert_eq!(Element::parse(bomb.as_bytes()), Err(Malformed::DocumentType));
        for document in ["<a>&e;</a>", "<a><b></a>", "<a/><b/>", "<p:a/>", "", "{}", "<a b=\"&e;\"/>"] {
            assert_eq!(Element::parse(document.as_bytes()), Err(Malformed::Form), "{document}");
        }
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert_eq!(Element::parse(deep.as_bytes()), Err(Malformed::Form));
    }
}
