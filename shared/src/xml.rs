//! XML: read with its namespaces, without entities, within bounds; and written.
//!
//! Names are told apart by the beginning of their namespace, because its end is a version: an upgrade changes it.

use std::{borrow::Cow, fmt::Write as _, sync::Arc};

use quick_xml::{
    Reader, XmlVersion,
    escape::escape,
    events::{BytesStart, Event},
};

/// The namespace of `xml:` attributes.
const XML: &str = "http://www.w3.org/XML/1998/namespace";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
/// Elements within elements.
const DEEPEST: usize = 128;
/// Elements of a document.
const MOST_ELEMENTS: usize = 4_000_000;
/// Prefixes that are declared at one place, by all elements around it.
const MOST_PREFIXES: usize = 1000;
/// Bytes of a namespace.
const LONGEST_NAMESPACE: usize = 2048;

/// An element with its namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Shared by all that have it, so that a small document stays small in memory.
    pub(crate) namespace: Arc<str>,
    pub(crate) name: String,
    /// Namespace, name and value.
    attributes: Vec<(Arc<str>, String, String)>,
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Element(Element),
    Text(String),
}

/// Why a document is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("the XML is not well-formed")]
    Form,
    #[error("the XML declares a document type, which may hide entities")]
    DocumentType,
}

impl Element {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.to_owned(), ..Self::default() }
    }

    pub(crate) fn attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((Arc::default(), name.to_owned(), value.to_owned()));
        self
    }

    /// An attribute of another namespace.
    pub(crate) fn attribute_of(mut self, namespace: &str, name: &str, value: &str) -> Self {
        self.attributes.push((namespace.into(), name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn child(mut self, child: Self) -> Self {
        self.nodes.push(Node::Element(child));
        self
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        self.nodes.push(Node::Text(text.to_owned()));
        self
    }

    /// Adds an element of the same namespace that holds a text.
    pub(crate) fn with(self, name: &str, text: &str) -> Self {
        let namespace = self.namespace.clone();
        let child = Self { namespace, name: name.to_owned(), ..Self::default() }.text(text);
        self.child(child)
    }

    /// The same when there is a text.
    pub(crate) fn with_some(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.with(name, text),
            None => self,
        }
    }

    /// Whether it is one of these.
    pub(crate) fn is(&self, family: &str, name: &str) -> bool {
        self.name == name && self.namespace.starts_with(family)
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first such element in it, directly.
    pub(crate) fn find(&self, family: &str, name: &str) -> Option<&Self> {
        self.elements().find(|child| child.is(family, name))
    }

    /// The first such element in it, however deep, itself included.
    pub(crate) fn search(&self, family: &str, name: &str) -> Option<&Self> {
        if self.is(family, name) {
            return Some(self);
        }
        self.elements().find_map(|child| child.search(family, name))
    }

    /// All such elements in it, however deep; none within another.
    pub(crate) fn search_all<'a>(&'a self, family: &str, name: &str, found: &mut Vec<&'a Self>) {
        for child in self.elements() {
            match child.is(family, name) {
                true => found.push(child),
                false => child.search_all(family, name, found),
            }
        }
    }

    /// The same in a list.
    pub(crate) fn all(&self, family: &str, name: &str) -> Vec<&Self> {
        let mut found = Vec::new();
        self.search_all(family, name, &mut found);
        found
    }

    /// The text of an element directly in it, of the same namespace; none for an empty one.
    pub(crate) fn text_of(&self, name: &str) -> Option<String> {
        let found = self.elements().find(|child| child.name == name && child.namespace == self.namespace)?;
        Some(found.content()).filter(|text| !text.is_empty())
    }

    /// Its text, trimmed, without that of the elements in it.
    pub(crate) fn content(&self) -> String {
        let mut whole = String::new();
        for node in &self.nodes {
            if let Node::Text(text) = node {
                whole.push_str(text);
            }
        }
        whole.trim().to_owned()
    }

    /// Its text with the space around it, without that of the elements in it.
    pub(crate) fn whole(&self) -> String {
        self.nodes
            .iter()
            .filter_map(|node| if let Node::Text(text) = node { Some(text.as_str()) } else { None })
            .collect()
    }

    /// An attribute without namespace.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let found =
            self.attributes.iter().find(|(namespace, known, _)| namespace.is_empty() && known == name);
        found.map(|(_, _, value)| value.as_str())
    }

    /// An attribute of a namespace.
    pub(crate) fn value_of(&self, namespace: &str, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(of, known, _)| **of == *namespace && known == name);
        found.map(|(_, _, value)| value.as_str())
    }

    /// Reads a document.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::from_reader(bytes);
        let mut scope = Scope::default();
        // Each with the number of prefixes outside of it.
        let mut open: Vec<(Self, usize)> = vec![(Self::default(), 0)];
        let mut elements = 0;
        loop {
            let event = reader.read_event().map_err(|_| Malformed::Form)?;
            elements += usize::from(matches!(event, Event::Start(_) | Event::Empty(_)));
            if elements > MOST_ELEMENTS {
                return Err(Malformed::Form);
            }
            let (parent, _) = open.last_mut().ok_or(Malformed::Form)?;
            match event {
                Event::Start(start) => {
                    let outside = scope.0.len();
                    let begun = read_start(&start, &mut scope)?;
                    if open.len() > DEEPEST {
                        return Err(Malformed::Form);
                    }
                    open.push((begun, outside));
                }
                Event::Empty(start) => {
                    let outside = scope.0.len();
                    parent.nodes.push(Node::Element(read_start(&start, &mut scope)?));
                    scope.0.truncate(outside);
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
                    let (done, outside) = open.pop().ok_or(Malformed::Form)?;
                    scope.0.truncate(outside);
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
    pub(crate) fn document(&self) -> String {
        format!("{DECLARATION}{}", self.fragment())
    }

    /// As a document whose root declares a prefix for its namespace: some readers look for the prefix itself.
    pub(crate) fn document_with(&self, prefix: &str) -> String {
        let mut text = DECLARATION.to_owned();
        self.write(
            &mut text,
            &Written { default: "", prefixed: Some((prefix, &self.namespace)), is_root: true },
        );
        text
    }

    /// As a text that stands for itself: every namespace is declared in it.
    pub(crate) fn fragment(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, &Written { default: "", prefixed: None, is_root: true });
        text
    }

    fn write(&self, into: &mut String, outer: &Written<'_>) {
        let prefix = outer.prefixed.filter(|(_, namespace)| **namespace == *self.namespace);
        let name = match prefix {
            Some((prefix, _)) => Cow::Owned(format!("{prefix}:{}", self.name)),
            None => Cow::Borrowed(self.name.as_str()),
        };
        let _ = write!(into, "<{name}");
        let mut inner = Written { is_root: false, ..*outer };
        match prefix {
            Some((prefix, namespace)) if outer.is_root => {
                let _ = write!(into, " xmlns:{prefix}=\"{}\"", escape(namespace));
            }
            None if *self.namespace != *outer.default => {
                let _ = write!(into, " xmlns=\"{}\"", escape(&*self.namespace));
                inner.default = &self.namespace;
            }
            _ => {}
        }
        for (number, (namespace, name, value)) in self.attributes.iter().enumerate() {
            let value = written(value).replace('\t', "&#9;").replace('\n', "&#10;");
            let _ = match &**namespace {
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
                Node::Element(element) => element.write(into, &inner),
                Node::Text(text) => into.push_str(&written(text)),
            }
        }
        let _ = write!(into, "</{name}>");
    }
}

/// What is declared around an element.
#[derive(Clone, Copy)]
struct Written<'a> {
    default: &'a str,
    prefixed: Option<(&'a str, &'a str)>,
    is_root: bool,
}

/// A text with what XML would read in another way escaped: a bare carriage return would be read back as a line feed.
fn written(text: &str) -> String {
    escape(text).replace('\r', "&#13;")
}

/// Prefixes and their namespaces, the innermost last. One list for all open elements: a copy for each would let a small
/// document fill the memory.
#[derive(Default)]
struct Scope(Vec<(String, Arc<str>)>);

impl Scope {
    fn declare(&mut self, prefix: &str, namespace: Cow<'_, str>) -> Result<(), Malformed> {
        if self.0.len() >= MOST_PREFIXES || namespace.len() > LONGEST_NAMESPACE {
            return Err(Malformed::Form);
        }
        self.0.push((prefix.to_owned(), namespace.into()));
        Ok(())
    }

    fn namespace(&self, prefix: &str) -> Result<Arc<str>, Malformed> {
        match self.0.iter().rev().find(|(known, _)| known == prefix) {
            Some((_, namespace)) => Ok(namespace.clone()),
            None if prefix.is_empty() => Ok(Arc::default()),
            None if prefix == "xml" => Ok(XML.into()),
            None => Err(Malformed::Form),
        }
    }
}

fn split(name: &[u8]) -> Result<(&str, &str), Malformed> {
    let name = std::str::from_utf8(name).map_err(|_| Malformed::Form)?;
    Ok(name.split_once(':').unwrap_or(("", name)))
}

/// Reads a start tag; what it declares is in scope from then on.
fn read_start(start: &BytesStart<'_>, scope: &mut Scope) -> Result<Element, Malformed> {
    let mut prefixed = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| Malformed::Form)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| Malformed::Form)?;
        match split(attribute.key.as_ref())? {
            ("", "xmlns") => scope.declare("", value)?,
            ("xmlns", prefix) => scope.declare(prefix, value)?,
            (prefix, name) => {
                prefixed.push((prefix.to_owned(), name.to_owned(), value.into_owned()));
            }
        }
    }
    // An attribute without a prefix is of no namespace, whatever its element is of.
    let attributes = prefixed.into_iter().map(|(prefix, name, value)| match prefix.as_str() {
        "" => Ok((Arc::default(), name, value)),
        prefix => Ok((scope.namespace(prefix)?, name, value)),
    });
    let attributes = attributes.collect::<Result<_, Malformed>>()?;
    let qualified = start.name();
    let (prefix, name) = split(qualified.as_ref())?;
    let namespace = scope.namespace(prefix)?;
    Ok(Element { namespace, name: name.to_owned(), attributes, nodes: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTITY: &str = "http://preservica.com/EntityAPI/";
    const XIP: &str = "http://preservica.com/XIP/";

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
    fn a_document_with_a_prefix_is_the_same_document() {
        let root = Element::new("urn:o", "Root").attribute("at", "a\tb\n").with("Title", "<a>\r & b").child(
            Element::new("urn:dc", "dc")
                .with("title", "t")
                .child(Element::new("urn:o", "Inner").attribute_of("urn:x", "type", "file")),
        );
        let text = root.document_with("o");
        assert!(text.contains("<o:Root xmlns:o=\"urn:o\" at=\"a&#9;b&#10;\"><o:Title>"), "{text}");
        assert!(text.contains("<dc xmlns=\"urn:dc\"><title>t</title><o:Inner "), "{text}");
        assert_eq!(Element::parse(text.as_bytes()), Ok(root.clone()));
        assert_eq!(Element::parse(root.document().as_bytes()), Ok(root));
    }

    #[test]
    fn prefixes_end_with_their_element_and_are_not_without_number() {
        assert_eq!(Element::parse(b"<a><b xmlns:p='urn:p'><p:c/></b><p:d/></a>"), Err(Malformed::Form));
        assert_eq!(Element::parse(b"<a><b xmlns:p='urn:p'/><p:d/></a>"), Err(Malformed::Form));
        let many: String = (0..2000).map(|number| format!(" xmlns:p{number}='urn:{number}'")).collect();
        assert_eq!(Element::parse(format!("<a{many}/>").as_bytes()), Err(Malformed::Form));
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
