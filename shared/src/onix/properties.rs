//! What holds for messages nobody thought of.

use proptest::prelude::*;

use super::tests::{read_all, shortened};

/// A record as a sender would write it.
fn record(reference: &str, title: &str, authors: &[String], countries: &[String]) -> String {
    let escaped = |text: &str| quick_xml::escape::escape(text).into_owned();
    let contributors: String = (1..)
        .zip(authors)
        .map(|(number, name)| {
            format!(
                "<Contributor><SequenceNumber>{number}</SequenceNumber><ContributorRole>A01</ContributorRole>\
                 <PersonName>{}</PersonName></Contributor>",
                escaped(name)
            )
        })
        .collect();
    format!(
        "<Product><RecordReference>{}</RecordReference><NotificationType>03</NotificationType>\
         <DescriptiveDetail><TitleDetail><TitleType>01</TitleType><TitleElement><TitleElementLevel>01\
         </TitleElementLevel><TitleText>{}</TitleText></TitleElement></TitleDetail>{contributors}</DescriptiveDetail>\
         <PublishingDetail><SalesRights><SalesRightsType>01</SalesRightsType><Territory><CountriesIncluded>{}\
         </CountriesIncluded></Territory></SalesRights></PublishingDetail></Product>",
        escaped(reference),
        escaped(title),
        countries.join(" "),
    )
}

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Zäé&<>\"'€日本; ]{0,20}[a-z]".prop_map(|text| text.trim().to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What was written is read, in both spellings, whatever characters it has.
    #[test]
    fn what_is_written_is_read(
        records in prop::collection::vec(
            (text(), text(), prop::collection::vec(text(), 1..4), prop::collection::vec("[A-Z]{2}", 1..5)),
            0..4,
        ),
    ) {
        let inside: String =
            records.iter().map(|(reference, title, authors, countries)| record(reference, title, authors, countries)).collect();
        let message = format!(
            "<ONIXMessage release=\"3.0\" xmlns=\"http://ns.editeur.org/onix/3.0/reference\"><Header/>{inside}</ONIXMessage>"
        );
        let products = read_all(message.as_bytes()).unwrap();
        prop_assert_eq!(&products, &read_all(shortened(&message).as_bytes()).unwrap());
        prop_assert_eq!(products.len(), records.len());
        for (product, (reference, wanted, authors, countries)) in products.iter().zip(&records) {
            let title = product.title();
            prop_assert_eq!(&product.record_reference, reference);
            prop_assert_eq!(title.title.as_ref(), Some(wanted));
            prop_assert_eq!(&title.authors, authors);
            prop_assert_eq!(title.territories.for_sale, countries.iter().cloned().collect());
        }
    }

    /// A message that was damaged in one place is read or refused, and never breaks the reader.
    #[test]
    fn damage_is_refused_or_read(at in 0_usize..6000, byte in any::<u8>(), cut in any::<bool>()) {
        let mut damaged = include_bytes!("samples/harbour.xml").to_vec();
        let whole = damaged.len();
        let at = at % whole;
        if cut {
            damaged.truncate(at);
        } else {
            damaged[at] = byte;
        }
        if let Err(error) = read_all(&damaged[..]) {
            prop_assert!(error.code().starts_with("onix."), "{}", error);
        } else if cut {
            prop_assert!(at + 1 >= whole, "a message without its end was read");
        }
    }

    #[test]
    fn bytes_of_any_kind_break_nothing(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_all(&bytes[..]);
        let within = [b"<ONIXMessage release=\"3.0\">".as_slice(), &bytes].concat();
        prop_assert!(read_all(&within[..]).is_err(), "it has no end");
    }
}
