//! Reading a message, record by record.

use std::io::BufRead;

use encoding_rs::{Encoding, UTF_8};
use quick_xml::{
    Reader as XmlReader,
    escape::unescape,
    events::{BytesRef, BytesStart, Event},
};

use super::{
    element::{Content, Element},
    gauge::{Gauge, TooLarge},
    product::{Header, Product},
    tags::Spelling,
};
use crate::error::{Error, Result};

/// The most bytes of one record, and of what stands before the first.
const LARGEST: usize = 4 << 20;
/// The most elements within each other.
const DEEPEST: usize = 64;

/// No ONIX message: another document, or none.
pub const NOT_ONIX: &str = "onix.not-onix";
/// Not well-formed, or it ends early.
pub const MALFORMED: &str = "onix.malformed";
/// An entity that XML does not have by itself, or a document type that declares something.
pub const ENTITY: &str = "onix.entity";
/// Characters in an encoding that was not declared or is not read.
pub const ENCODING: &str = "onix.encoding";
/// A record of more than 4 MiB, or with more than 64 elements within each other.
pub const TOO_LARGE: &str = "onix.too-large";

/// A message that is read record by record: one record at a time is in memory, however many there are.
///
/// Entities are never expanded, but for the five of XML and characters by their number; a document type that declares
/// anything is refused, and nothing it names is fetched.
pub struct Reader<R> {
    xml: XmlReader<Gauge<R>>,
    encoding: &'static Encoding,
    spelling: Spelling,
    header: Header,
    buffer: Vec<u8>,
    /// A record that began while the header was looked for.
    begun: Option<Element>,
    records: u64,
    is_at_end: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads up to the first record.
    ///
    /// # Errors
    /// `Invalid`: no message of ONIX 3, or none that can be read.
    pub fn open(source: R) -> Result<Self> {
        let mut xml = XmlReader::from_reader(Gauge::new(source, LARGEST));
        xml.config_mut().expand_empty_elements = true;
        let mut reader = Self {
            xml,
            encoding: UTF_8,
            spelling: Spelling::Reference,
            header: Header::default(),
            buffer: Vec::new(),
            begun: None,
            records: 0,
            is_at_end: false,
        };
        reader.read_root()?;
        reader.read_header()?;
        Ok(reader)
    }

    /// What the message says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Which tags it is written with.
    pub fn spelling(&self) -> Spelling {
        self.spelling
    }

    /// The next record; nothing after the last.
    ///
    /// # Errors
    /// `Invalid`: it cannot be read, and nothing after it can.
    pub fn next_product(&mut self) -> Result<Option<Product>> {
        loop {
            let Some(element) = self.next_top()? else { return Ok(None) };
            if element.name == "Product" {
                self.records += 1;
                return Ok(Some(Product::read(&element, self.header.default_currency.as_deref())));
            }
        }
    }

    fn read_root(&mut self) -> Result<()> {
        loop {
            match self.event()? {
                Event::Decl(declared) => {
                    self.take_encoding(declared.encoding().and_then(Result::ok).as_deref())?
                }
                Event::DocType(text) if text.contains(&b'[') => {
                    return Err(self.refused(ENTITY, "its document type declares something"));
                }
                Event::Start(start) => return self.take_root(&start),
                Event::Text(text) if !text.iter().all(u8::is_ascii_whitespace) && !is_mark(&text) => {
                    return Err(self.refused(NOT_ONIX, "it is no XML document"));
                }
                Event::Eof => return Err(self.refused(NOT_ONIX, "it is empty")),
                _ => {}
            }
        }
    }

    fn take_encoding(&mut self, label: Option<&[u8]>) -> Result<()> {
        let Some(label) = label else { return Ok(()) };
        match Encoding::for_label(label).filter(|encoding| encoding.is_ascii_compatible()) {
            Some(encoding) => {
                self.encoding = encoding;
                Ok(())
            }
            None => Err(self.refused(ENCODING, "it is in an encoding that is not read; send UTF-8")),
        }
    }

    fn take_root(&mut self, start: &BytesStart<'_>) -> Result<()> {
        let attributes = self.attributes(start)?;
        let namespace = attributes.iter().find(|(name, _)| name == "xmlns").map(|(_, value)| value.as_str());
        let release = attributes.iter().find(|(name, _)| name == "release").map(|(_, value)| value.as_str());
        let by_name = match start.local_name().as_ref() {
            b"ONIXMessage" => Spelling::Reference,
            b"ONIXmessage" => Spelling::Short,
            _ => return Err(self.refused(NOT_ONIX, "its first element is not that of an ONIX message")),
        };
        self.spelling = match namespace {
            Some(space) if space.ends_with("/reference") => Spelling::Reference,
            Some(space) if space.ends_with("/short") => Spelling::Short,
            _ => by_name,
        };
        let is_three = release.map_or_else(
            || namespace.is_some_and(|space| space.contains("/onix/3.")),
            |release| release.trim().starts_with("3."),
        );
        if !is_three {
            return Err(self.refused(NOT_ONIX, "it is not of release 3"));
        }
        self.header.release = release.map(|release| release.trim().to_owned());
        Ok(())
    }

    /// Reads the header, and notes a record that begins where it should be.
    fn read_header(&mut self) -> Result<()> {
        match self.next_top()? {
            Some(element) if element.name == "Header" => {
                let release = self.header.release.take();
                self.header = Header { release, ..Header::read(&element) };
            }
            other => self.begun = other,
        }
        Ok(())
    }

    /// The next element below the root, whole.
    fn next_top(&mut self) -> Result<Option<Element>> {
        if let Some(begun) = self.begun.take() {
            return Ok(Some(begun));
        }
        if self.is_at_end {
            return Ok(None);
        }
        self.xml.get_mut().allow(LARGEST);
        loop {
            match self.event()? {
                Event::Start(start) => return self.element(&start).map(Some),
                Event::End(_) => {
                    self.is_at_end = true;
                    return Ok(None);
                }
                Event::Eof => return Err(self.refused(MALFORMED, "it ends before its last element does")),
                _ => {}
            }
        }
    }

    /// Reads an element that has begun to its end.
    fn element(&mut self, start: &BytesStart<'_>) -> Result<Element> {
        let mut open = vec![self.named(start)?];
        loop {
            let event = self.event()?;
            let within = open.len();
            let Some(innermost) = open.last_mut() else {
                return Err(Error::bug("read ONIX", "nothing is open"));
            };
            match event {
                Event::Start(_) if within >= DEEPEST => {
                    return Err(self.refused(TOO_LARGE, "too many elements are within each other"));
                }
                Event::Start(start) => open.push(self.named(&start)?),
                Event::Text(text) => innermost.push_text(&self.text(&text)?),
                Event::CData(text) => innermost.push_text(&self.text(&text)?),
                Event::GeneralRef(reference) => innermost.push_text(&self.reference(&reference)?),
                Event::End(_) => {
                    let Some(done) = open.pop() else {
                        return Err(Error::bug("read ONIX", "nothing is open"));
                    };
                    match open.last_mut() {
                        Some(parent) => parent.content.push(Content::Element(done)),
                        None => return Ok(done),
                    }
                }
                Event::DocType(_) => return Err(self.refused(ENTITY, "it has a document type inside it")),
                Event::Eof => return Err(self.refused(MALFORMED, "it ends within a record")),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    fn named(&self, start: &BytesStart<'_>) -> Result<Element> {
        let name = start.local_name();
        let tag = self.text(name.as_ref())?;
        Ok(Element::of(self.spelling, &tag, self.attributes(start)?))
    }

    fn attributes(&self, start: &BytesStart<'_>) -> Result<Vec<(String, String)>> {
        let read = start.attributes().map(|attribute| {
            let attribute = attribute.map_err(|error| self.refused(MALFORMED, &error.to_string()))?;
            let name = self.text(attribute.key.as_ref())?;
            let written = self.text(&attribute.value)?;
            let value = unescape(&written).map_err(|_| self.foreign_entity())?;
            Ok((name, value.into_owned()))
        });
        read.collect()
    }

    /// A character by its number, or one of the five entities of XML.
    fn reference(&self, reference: &BytesRef<'_>) -> Result<String> {
        let name = self.text(reference)?;
        unescape(&format!("&{name};")).map(std::borrow::Cow::into_owned).map_err(|_| self.foreign_entity())
    }

    fn text(&self, bytes: &[u8]) -> Result<String> {
        let (text, had_errors) = self.encoding.decode_without_bom_handling(bytes);
        match had_errors {
            false => Ok(text.into_owned()),
            true => {
                Err(self.refused(ENCODING, &format!("it has bytes that are not {}", self.encoding.name())))
            }
        }
    }

    fn event(&mut self) -> Result<Event<'static>> {
        self.buffer.clear();
        match self.xml.read_event_into(&mut self.buffer) {
            Ok(event) => Ok(event.into_owned()),
            Err(quick_xml::Error::Io(error))
                if error.get_ref().is_some_and(|inner| inner.is::<TooLarge>()) =>
            {
                Err(self.refused(TOO_LARGE, "a record has more than 4 MiB"))
            }
            Err(quick_xml::Error::Io(error)) => Err(Error::new(
                crate::error::FailureClass::Transient,
                crate::error::System::Waybill,
                "read ONIX",
                "onix.source",
                "the source broke off",
            )
            .source(error)),
            Err(error) => Err(self.refused(MALFORMED, &error.to_string())),
        }
    }

    fn foreign_entity(&self) -> Error {
        self.refused(ENTITY, "it names an entity that XML does not have; entities are not expanded")
            .remedy("write the character itself, or its number (&#233;)")
    }

    fn refused(&self, code: &'static str, what: &str) -> Error {
        let (position, records) = (self.xml.buffer_position(), self.records);
        let message =
            format!("the ONIX message cannot be read: {what} (byte {position}, after {records} records)");
        Error::invalid(code, message)
    }
}

/// A byte order mark that the parser left.
fn is_mark(text: &[u8]) -> bool {
    text == [0xEF, 0xBB, 0xBF]
}
