use std::io::{BufRead, BufReader, Read};

use regex::Regex;

use super::{
    ENCODING, ENTITY, MALFORMED, NOT_ONIX, Notification, Product, Reader, Spelling, TOO_LARGE,
    tags::short_tag,
};
use crate::{error::Result, title::Title};

const HARBOUR: &str = include_str!("samples/harbour.xml");

/// A message in reference names, written with short tags.
pub(super) fn shortened(message: &str) -> String {
    let tag = Regex::new(r"<(/?)([A-Z][A-Za-z]*)").unwrap();
    let short = tag.replace_all(message, |found: &regex::Captures<'_>| {
        let name = match &found[2] {
            "ONIXMessage" => "ONIXmessage",
            name => short_tag(name),
        };
        format!("<{}{name}", &found[1])
    });
    short.replace("/onix/3.0/reference", "/onix/3.0/short")
}

pub(super) fn read_all(source: impl BufRead) -> Result<Vec<Product>> {
    let mut reader = Reader::open(source)?;
    let mut products = Vec::new();
    while let Some(product) = reader.next_product()? {
        products.push(product);
    }
    Ok(products)
}

fn message(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><ONIXMessage release=\"3.0\" xmlns=\"http://ns.editeur.org/onix/3.0/reference\">\
         <Header><Sender><SenderName>S</SenderName></Sender></Header>{inside}</ONIXMessage>"
    )
}

fn code_of(text: &str) -> &'static str {
    read_all(text.as_bytes()).unwrap_err().code()
}

#[test]
fn a_message_says_the_same_in_both_spellings() {
    let reader = Reader::open(HARBOUR.as_bytes()).unwrap();
    assert_eq!(
        (reader.spelling(), reader.header().sender.as_deref()),
        (Spelling::Reference, Some("Harbour Press"))
    );
    assert_eq!(reader.header().release.as_deref(), Some("3.0"));
    let short = shortened(HARBOUR);
    assert!(short.contains("<a001>") && !short.contains("RecordReference"));
    let reader = Reader::open(short.as_bytes()).unwrap();
    assert_eq!((reader.spelling(), reader.header().sent.as_deref()), (Spelling::Short, Some("20310506")));
    assert_eq!(read_all(HARBOUR.as_bytes()).unwrap(), read_all(short.as_bytes()).unwrap());
}

#[test]
fn the_title_of_a_record_is_that_of_the_product_and_not_of_its_series() {
    let titles: Vec<Title> = read_all(HARBOUR.as_bytes()).unwrap().iter().map(Product::title).collect();
    let salt = &titles[0];
    assert_eq!(salt.title.as_deref(), Some("The Salt Road & Other Ways"));
    assert_eq!(salt.subtitle.as_deref(), Some("A history of cafés"));
    assert_eq!(
        salt.authors,
        ["First Author", "Second Author"],
        "by number, editors only where there is no author"
    );
    assert_eq!(salt.isbn.as_ref().map(|isbn| isbn.as_str()), Some("9780000000002"));
    assert_eq!(salt.work_id, Some(1001), "of the work it manifests, not of another by the same author");
    assert_eq!(
        salt.publication_date,
        Some(jiff::civil::date(2031, 4, 1)),
        "not that of the printed counterpart"
    );
    assert_eq!((salt.form.as_deref(), salt.status.as_deref()), (Some("BC"), Some("04")));
    assert_eq!(salt.imprint.as_deref(), Some("Harbour Coastal"));
    assert_eq!(salt.warnings, []);
}

#[test]
fn a_record_without_isbn_and_with_a_month_only_has_neither_and_is_no_mistake() {
    let title = read_all(HARBOUR.as_bytes()).unwrap()[1].title();
    assert_eq!((title.isbn, title.isbn_text, title.publication_date), (None, None, None));
    assert_eq!(
        (title.title.as_deref(), title.authors),
        (Some("Tide Tables"), vec!["Harbour Institute".to_owned()])
    );
    assert_eq!(title.warnings, []);
}

#[test]
fn an_isbn_with_a_wrong_digit_is_text_and_a_warning() {
    let wrong = HARBOUR.replace("<IDValue>9780000000002<", "<IDValue>9780000000003<");
    let product = &read_all(wrong.as_bytes()).unwrap()[0];
    assert_eq!((product.isbn(), product.title().isbn_text.as_deref()), (None, Some("9780000000003")));
    assert_eq!(product.title().warnings.len(), 1);
}

#[test]
fn territories_follow_from_all_rights_together() {
    let products = read_all(HARBOUR.as_bytes()).unwrap();
    let set = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
    let salt = products[0].title().territories;
    assert_eq!(
        (salt.worldwide, &salt.for_sale, &salt.exclusive),
        (Some(false), &set(&["GB", "IE"]), &set(&["GB", "IE"]))
    );
    assert_eq!(salt.not_for_sale, set(&["CA", "US"]));
    let tide = products[1].title().territories;
    assert_eq!((tide.worldwide, tide.exclusive.len()), (Some(true), 0));

    let rights = |rights: &str| {
        let record = format!("<Product><PublishingDetail>{rights}</PublishingDetail></Product>");
        read_all(message(&record).as_bytes()).unwrap()[0].title().territories
    };
    let world_without_us = "<SalesRights><SalesRightsType>01</SalesRightsType><Territory><RegionsIncluded>WORLD\
        </RegionsIncluded><CountriesExcluded>US</CountriesExcluded></Territory></SalesRights>";
    let alone = rights(world_without_us);
    assert_eq!(
        (alone.worldwide, alone.not_for_sale),
        (Some(false), set(&[])),
        "nobody said what holds there"
    );
    let closed = rights(&format!("{world_without_us}<ROWSalesRightsType>03</ROWSalesRightsType>"));
    assert_eq!((closed.worldwide, closed.not_for_sale), (Some(false), set(&["US"])));
    let us = "<SalesRights><SalesRightsType>02</SalesRightsType><Territory><CountriesIncluded>US</CountriesIncluded>\
        </Territory></SalesRights>";
    let split = rights(&format!("{world_without_us}{us}"));
    assert_eq!(
        (split.worldwide, split.exclusive),
        (Some(true), set(&["WORLD"])),
        "sold there too, but not exclusively"
    );
    assert_eq!(rights("").worldwide, None);
}

#[test]
fn texts_keep_their_markup_however_it_was_sent() {
    let products = read_all(HARBOUR.as_bytes()).unwrap();
    let texts: Vec<&str> = products[0].texts.iter().map(|text| text.text.as_str()).collect();
    assert_eq!(texts, ["<p>Salt &amp; sea.</p>", "<p>Salt &amp; <em>sea</em>.</p>"]);
    let title = products[0].title();
    let words =
        [&title.description, &title.short_description].map(|text| text.as_ref().map(|text| text.as_str()));
    assert_eq!(words, [Some("Salt & sea."), Some("Salt & sea.")], "a title has the words alone");
    let plain = HARBOUR.replace(
        "textformat=\"02\"><![CDATA[<p>Salt &amp; sea.</p>",
        "textformat=\"06\"><![CDATA[1 < 2 &amp;",
    );
    let title = read_all(plain.as_bytes()).unwrap()[0].title();
    assert_eq!(title.description.as_ref().map(|text| text.as_str()), Some("1 < 2 &amp;"), "plain is plain");
    assert!(!format!("{products:?}").contains("sea"), "texts are not logged");
}

#[test]
fn a_resource_keeps_its_link_to_the_byte_and_what_it_is_checked_by() {
    let products = read_all(HARBOUR.as_bytes()).unwrap();
    let file = &products[0].resources[0].files[0];
    assert_eq!(file.link, "https://images.example.com/harbour/77//_jpg_rgb_original.jpg");
    assert_eq!((file.bytes, file.height, file.width), (Some(120_034), Some(650), None));
    assert!(file.sha256.as_deref().is_some_and(|hash| hash.starts_with("9f86d081")));
}

#[test]
fn amounts_are_decimal_and_take_the_currency_of_the_message_when_they_name_none() {
    let products = read_all(HARBOUR.as_bytes()).unwrap();
    let prices: Vec<_> = products[0]
        .prices
        .iter()
        .map(|price| (price.amount.to_string(), price.currency.as_deref()))
        .collect();
    assert_eq!(prices, [("18.90".to_owned(), Some("EUR")), ("14.99".to_owned(), Some("GBP"))]);
}

#[test]
fn a_partial_update_and_a_deletion_are_told_apart_from_a_whole_record() {
    for (code, expected) in [
        ("01", Notification::Whole),
        ("03", Notification::Whole),
        ("04", Notification::Partial),
        ("05", Notification::Delete),
        ("88", Notification::Other("88".to_owned())),
    ] {
        let record = format!(
            "<Product><RecordReference>r</RecordReference><NotificationType>{code}</NotificationType></Product>"
        );
        let products = read_all(message(&record).as_bytes()).unwrap();
        assert_eq!(products[0].notification, expected);
        assert_eq!(products[0].title(), Title::default(), "nothing is made up");
    }
}

#[test]
fn entities_are_not_expanded_and_no_document_type_declares_any() {
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE ONIXMessage [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]>\
        <ONIXMessage release=\"3.0\"><Product><RecordReference>&lol2;</RecordReference></Product></ONIXMessage>";
    assert_eq!(code_of(laughs), ENTITY);
    let file =
        "<!DOCTYPE ONIXMessage [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><ONIXMessage release=\"3.0\"/>";
    assert_eq!(code_of(file), ENTITY);
    let reference = "<Product><RecordReference>caf&eacute;</RecordReference></Product>";
    assert_eq!(code_of(&message(reference)), ENTITY);
    let attribute = "<Product><RecordReference sourcename=\"&eacute;\">r</RecordReference></Product>";
    assert_eq!(code_of(&message(attribute)), ENTITY);
    // One that only names itself changes nothing, and is not fetched.
    let named = message("<Product><RecordReference>r</RecordReference></Product>").replace(
        "<ONIXMessage",
        "<!DOCTYPE ONIXMessage SYSTEM \"http://www.editeur.org/onix/3.0.dtd\"><ONIXMessage",
    );
    assert_eq!(read_all(named.as_bytes()).unwrap().len(), 1);
}

#[test]
fn what_is_no_message_is_refused_for_what_it_is() {
    for text in [
        "",
        "   ",
        "{\"products\":[]}",
        "<!DOCTYPE html><html><body>Bad Gateway</body></html>",
        "<ONIXMessage release=\"2.1\"></ONIXMessage>",
        "<ONIXMessage></ONIXMessage>",
        "<rss version=\"2.0\"/>",
    ] {
        assert_eq!(code_of(text), NOT_ONIX, "{text}");
    }
    let record = "<Product><RecordReference>r</RecordReference>";
    for text in [
        message(record),
        message("<Product><RecordReference>r</NotificationType></Product>"),
        message("<Product><RecordReference>r</RecordReference></Product>").replace("</ONIXMessage>", ""),
        message("<Product a=b></Product>"),
    ] {
        assert_eq!(code_of(&text), MALFORMED, "{text}");
    }
}

#[test]
fn records_before_a_fault_are_read() {
    let text = message("<Product><RecordReference>1</RecordReference></Product><Product><RecordReference>2");
    let mut reader = Reader::open(text.as_bytes()).unwrap();
    assert_eq!(reader.next_product().unwrap().unwrap().record_reference, "1");
    let error = reader.next_product().unwrap_err();
    assert!(error.message().contains("after 1 records"), "{error}");
}

#[test]
fn a_declared_encoding_is_read_and_a_wrong_byte_is_told() {
    let mut latin = message("<Product><RecordReference>caf\u{e9}</RecordReference></Product>")
        .replace("version=\"1.0\"", "version=\"1.0\" encoding=\"ISO-8859-1\"")
        .chars()
        .map(|character| u8::try_from(u32::from(character)).unwrap())
        .collect::<Vec<u8>>();
    assert_eq!(read_all(&latin[..]).unwrap()[0].record_reference, "café");
    let at = latin.windows(10).position(|part| part == b"ISO-8859-1").unwrap();
    latin.splice(at..at + 10, *b"UTF-8");
    assert_eq!(read_all(&latin[..]).unwrap_err().code(), ENCODING);
    assert_eq!(
        code_of(&message("").replace("version=\"1.0\"", "version=\"1.0\" encoding=\"UTF-16\"")),
        ENCODING
    );
    let marked = format!("\u{feff}{}", message("<Product><RecordReference>r</RecordReference></Product>"));
    assert_eq!(read_all(marked.as_bytes()).unwrap().len(), 1);
}

/// A message without an end, made as it is read.
struct Endless {
    part: Vec<u8>,
    at: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let part = &self.part[self.at..];
        let length = part.len().min(buffer.len());
        buffer[..length].copy_from_slice(&part[..length]);
        self.at = (self.at + length) % self.part.len();
        Ok(length)
    }
}

#[test]
fn a_record_larger_than_memory_is_refused_and_a_long_message_is_not() {
    let beginning = "<ONIXMessage release=\"3.0\"><Product><RecordReference>";
    for endless in ["a", "<b></b>", "<b>"] {
        let source = beginning.as_bytes().chain(Endless { part: endless.as_bytes().to_vec(), at: 0 });
        assert_eq!(read_all(BufReader::new(source)).unwrap_err().code(), TOO_LARGE, "{endless}");
    }
    let record = format!("<Product><RecordReference>{}</RecordReference></Product>", "r".repeat(1 << 20));
    let source = Endless { part: record.into_bytes(), at: 0 }.take(10 * (1 << 20));
    let mut reader =
        Reader::open(BufReader::new("<ONIXMessage release=\"3.0\">".as_bytes().chain(source))).unwrap();
    for _ in 0..9 {
        assert_eq!(reader.next_product().unwrap().unwrap().record_reference.len(), 1 << 20);
    }
}
