//! The little XML that S3 speaks.

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;

use super::error::{Error, Result};

/// Writes elements in order.
pub(super) struct Writer {
    text: String,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned() }
    }

    pub(super) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.text.push_str(&format!("<{name}>"));
        content(self);
        self.text.push_str(&format!("</{name}>"));
    }

    /// The outermost element of an answer, in the namespace of S3.
    pub(super) fn root(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.text.push_str(&format!("<{name} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"));
        content(self);
        self.text.push_str(&format!("</{name}>"));
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        // A bare carriage return would be read back as a line feed.
        let escaped = escape(text).replace('\r', "&#13;");
        self.text.push_str(&format!("<{name}>{escaped}</{name}>"));
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// One element read, without its namespace.
#[derive(Debug, Default)]
pub(super) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a document whose root must be `root`.
    pub(super) fn parse(bytes: &[u8], root: &str) -> Result<Self> {
        let malformed = |_| Error::malformed_xml();
        let mut reader = Reader::from_reader(bytes);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(malformed)? {
                Event::Start(start) => open.push(Self::named(start.local_name().as_ref())),
                Event::Empty(start) => {
                    let empty = Self::named(start.local_name().as_ref());
                    open.last_mut().ok_or_else(Error::malformed_xml)?.children.push(empty);
                }
                Event::Text(text) => {
                    let text = text.decode().map_err(|_| Error::malformed_xml())?;
                    open.last_mut().ok_or_else(Error::malformed_xml)?.text.push_str(&text);
                }
                Event::CData(text) => {
                    let text = text.decode().map_err(|_| Error::malformed_xml())?;
                    open.last_mut().ok_or_else(Error::malformed_xml)?.text.push_str(&text);
                }
                Event::GeneralRef(reference) => {
                    let name = reference.decode().map_err(|_| Error::malformed_xml())?;
                    let text = quick_xml::escape::unescape(&format!("&{name};"))
                        .map_err(|_| Error::malformed_xml())?
                        .into_owned();
                    open.last_mut().ok_or_else(Error::malformed_xml)?.text.push_str(&text);
                }
                Event::End(_) => {
                    let done = open.pop().ok_or_else(Error::malformed_xml)?;
                    open.last_mut().ok_or_else(Error::malformed_xml)?.children.push(done);
                }
                Event::Eof => break,
                Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => {}
            }
        }
        let mut document = open.pop().filter(|_| open.is_empty()).ok_or_else(Error::malformed_xml)?;
        document.children.pop().filter(|found| found.name == root).ok_or_else(Error::malformed_xml)
    }

    fn named(name: &[u8]) -> Self {
        Self { name: String::from_utf8_lossy(name).into_owned(), ..Self::default() }
    }

    pub(super) fn all<'element>(&'element self, name: &'element str) -> impl Iterator<Item = &'element Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str> {
        self.text_of(name).ok_or_else(Error::malformed_xml)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut xml = Writer::new();
        xml.root("Tagging", |xml| xml.text("Key", "a<b> & \"c\"\r\n  d'é"));
        let read = Element::parse(xml.finish().as_bytes(), "Tagging").unwrap();
        assert_eq!(read.text_of("Key"), Some("a<b> & \"c\"\r\n  d'é"));
        for broken in ["", "<Tagging>", "<Tagging></Other>", "<Other/>", "text"] {
            assert!(Element::parse(broken.as_bytes(), "Tagging").is_err(), "{broken}");
        }
    }
}
