//! Documents: what is read is what was written, and what cannot be read is refused.

use proptest::prelude::*;

use super::{opex::Opex, *};

/// Texts that XML can say.
fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![Just('<'), Just('&'), Just('"'), Just('\r'), Just('\n'), Just(' '), any::<char>()],
        1..12,
    )
    .prop_map(|letters| letters.into_iter().filter(|letter| !is_unsayable(*letter)).collect())
}

fn is_unsayable(letter: char) -> bool {
    letter.is_control() && !"\t\n\r".contains(letter) || matches!(letter, '\u{fffe}' | '\u{ffff}')
}

fn fixity() -> impl Strategy<Value = (Algorithm, String)> {
    proptest::sample::select(&Algorithm::ALL[..])
        .prop_map(|algorithm| (algorithm, Facts::of(b"a", &[algorithm]).fixities[&algorithm].clone()))
}

prop_compose! {
    fn opex_document()(
        source_id in proptest::option::of(text()),
        names in proptest::option::of((proptest::collection::vec(text(), 0..3), proptest::collection::vec(text(), 0..3))),
        fixities in proptest::collection::vec((proptest::option::of(text()), fixity()), 0..3),
        single in proptest::collection::vec(proptest::option::of(text()), 4),
        pairs in proptest::collection::vec((text(), text()), 0..3),
        elements in proptest::collection::vec((proptest::sample::select(&dublin_core::NAMES[..]), text()), 0..4),
    ) -> Opex {
        let manifest = names.map(|(files, folders)| opex::Manifest {
            files: files.into_iter().enumerate().map(|(at, name)| opex::ManifestFile {
                name,
                size: (at > 0).then_some(u64::MAX / 3),
                kind: [None, Some(opex::Kind::Content), Some(opex::Kind::Metadata)][at % 3],
            }).collect(),
            folders,
        });
        let [original_filename, title, description, security_descriptor] = <[_; 4]>::try_from(single).unwrap();
        let events = pairs.iter().map(|(user, kind)| opex::Event {
            date: moment(),
            user: user.clone(),
            kind: Some(kind.clone()),
            action: None,
            detail: Some(user.clone()),
        });
        let descriptive = dublin_core::fragment(elements.iter().map(|(name, value)| (*name, value.as_str())));
        Opex {
            version: opex::Version::V1_2,
            source_id,
            manifest,
            fixities: fixities.into_iter().map(|(path, (algorithm, value))| opex::Fixity { path, algorithm, value }).collect(),
            original_filename,
            title,
            description,
            security_descriptor,
            events: events.collect(),
            relationships: pairs.iter().map(|(kind, object)| opex::Relationship {
                kind: Some(kind.clone()),
                object: Some(object.clone()),
            }).collect(),
            identifiers: pairs,
            descriptive: vec![descriptive.unwrap()],
        }
    }
}

proptest! {
    #[test]
    fn a_document_of_opex_says_what_it_was_told(document in opex_document()) {
        let xml = document.to_xml().unwrap();
        prop_assert_eq!(Opex::read(xml.as_bytes()).unwrap(), document, "{}", xml);
    }

    #[test]
    fn nothing_that_comes_for_a_document_does_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>()) {
        let _ = Opex::read(&bytes);
        let _ = xip::Xip::read(&bytes);
        let mut spoilt = described().to_xml().unwrap().into_bytes();
        let at = at.index(spoilt.len());
        spoilt.splice(at..at, bytes.iter().take(3).copied());
        let _ = Opex::read(&spoilt);
    }

    #[test]
    fn dublin_core_is_read_as_it_was_written(elements in proptest::collection::vec((proptest::sample::select(&dublin_core::NAMES[..]), text()), 0..6)) {
        let fragment = dublin_core::fragment(elements.iter().map(|(name, value)| (*name, value.as_str()))).unwrap();
        let again = Fragment::parse(&fragment.xml()).unwrap();
        let read = dublin_core::read(&again).unwrap();
        let known: Vec<_> = elements.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        prop_assert_eq!(read, known);
    }
}

fn described() -> Opex {
    Opex {
        source_id: Some("OTMM-4711".into()),
        title: Some("Act 1: <final>".into()),
        identifiers: vec![("OTMM".into(), "4711:3".into())],
        descriptive: vec![
            dublin_core::fragment([("title", "Act 1"), ("creator", "Harbour Mutual")]).unwrap(),
        ],
        ..Opex::default()
    }
}

#[test]
fn a_document_of_opex_has_the_prefix_that_readers_look_for() {
    insta::assert_snapshot!(described().to_xml().unwrap());
}

#[test]
fn a_version_is_not_told_what_it_has_no_place_for() {
    for (version, name, path) in [
        (opex::Version::V1_0, false, false),
        (opex::Version::V1_1, false, false),
        (opex::Version::V1_2, true, true),
    ] {
        let named = Opex { original_filename: Some("a.tif".into()), ..Opex::new(version) };
        assert_eq!(named.to_xml().is_ok(), name, "{version}");
        let facts = Facts::of(b"a", &HASHED);
        let fixities = opex::Fixity::all_of(Some("Representation_Access/a.tif"), &facts).collect();
        let within = Opex { fixities, ..Opex::new(version) };
        assert_eq!(within.to_xml().is_ok(), path, "{version}");
        let plain = Opex { version, ..described() };
        assert_eq!(Opex::read(plain.to_xml().unwrap().as_bytes()).unwrap(), plain);
    }
    assert_eq!(
        code(Opex { original_filename: Some("a".into()), ..Opex::new(opex::Version::V1_0) }.to_xml()),
        opex::NOT_IN_VERSION
    );
}

#[test]
fn what_xml_cannot_say_is_refused_before_it_is_written() {
    let wrong = Opex { title: Some("bell \u{7}".into()), ..Opex::default() };
    assert_eq!(code(wrong.to_xml()), NOT_XML_TEXT);
    assert_eq!(code(dublin_core::fragment([("title", "\u{0}")])), NOT_XML_TEXT);
    assert_eq!(code(dublin_core::fragment([("headline", "a")])), BAD_XML);
}

#[test]
fn documents_of_others_are_read_and_wrong_ones_refused() {
    let plain = br#"<?xml version="1.0"?><OPEXMetadata xmlns="http://www.openpreservationexchange.org/opex/v1.1">
        <Transfer><SourceID>7</SourceID><Fixities><Fixity type="SHA-1" value="86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8"/></Fixities></Transfer>
        <History><Events><Event date="2021-05-13T10:00:00" user="a"><Type>Scan</Type></Event></Events></History>
        <Unknown/><DescriptiveMetadata><LegacyXIP xmlns="http://preservica.com/LegacyXIP"/></DescriptiveMetadata></OPEXMetadata>"#;
    let read = Opex::read(plain).unwrap();
    assert_eq!((read.version, read.source_id.as_deref()), (opex::Version::V1_1, Some("7")));
    assert_eq!(read.fixities[0].value, "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8");
    assert_eq!(read.events[0].date.to_string(), "2021-05-13T10:00:00Z");
    assert_eq!(read.descriptive[0].name(), "LegacyXIP");

    let within = |inner: &str| {
        format!(
            "<OPEXMetadata xmlns=\"http://www.openpreservationexchange.org/opex/v1.2\">{inner}</OPEXMetadata>"
        )
    };
    let fixity = |name: &str, value: &str| {
        within(&format!(
            "<Transfer><Fixities><Fixity type=\"{name}\" value=\"{value}\"/></Fixities></Transfer>"
        ))
    };
    let bomb = "<!DOCTYPE a [<!ENTITY e \"eeee\">]><OPEXMetadata xmlns=\"http://www.openpreservationexchange.org/opex/v1.2\">&e;</OPEXMetadata>";
    for wrong in [
        String::new(),
        "<html><body>Please log in</body></html>".to_owned(),
        bomb.to_owned(),
        "<OPEXMetadata/>".to_owned(),
        "<OPEXMetadata xmlns=\"http://www.openpreservationexchange.org/opex/v2.0\"/>".to_owned(),
        fixity("SHA-1", "not hexadecimal"),
        fixity("SHA-256", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        fixity("CRC32", "86f7e437"),
        within("<Transfer><Manifest><Files><File size=\"-1\">a</File></Files></Manifest></Transfer>"),
        within("<Transfer><Manifest><Files><File type=\"other\">a</File></Files></Manifest></Transfer>"),
        within("<Properties><Identifiers><Identifier>a</Identifier></Identifiers></Properties>"),
        within("<History><Events><Event user=\"a\" date=\"yesterday\"/></Events></History>"),
        within("<DescriptiveMetadata><none xmlns=\"\"/></DescriptiveMetadata>"),
    ] {
        assert_eq!(code(Opex::read(wrong.as_bytes())), BAD_XML, "{wrong}");
    }
}

fn history() -> premis::Premis {
    let asset = premis::Identifier::new("UUID", "00000000-0000-4000-a000-000000000001");
    let file = premis::Identifier::new("local", "master.mov");
    let program = premis::Identifier::new("local", "waybill");
    premis::Premis {
        asset: asset.clone(),
        files: vec![premis::File::new(file.clone(), "Act 1: <final>.mov", &Facts::of(b"a", &HASHED))],
        events: vec![premis::Event {
            identifier: premis::Identifier::new("UUID", "00000000-0000-4000-a000-000000000002"),
            kind: "message digest calculation".into(),
            moment: moment(),
            detail: Some("SHA-256 & SHA-1".into()),
            outcome: Some("success".into()),
            outcome_note: Some("as at the source".into()),
            agents: vec![(program.clone(), Some("implementer".into()))],
            objects: vec![(asset, None), (file, Some("source".into()))],
        }],
        agents: vec![premis::Agent {
            identifier: program,
            name: Some("Waybill".into()),
            kind: Some("software".into()),
            version: Some("0.1.0".into()),
        }],
    }
}

#[test]
fn premis_is_read_as_it_was_written() {
    let fragment = history().fragment().unwrap();
    assert_eq!(premis::Premis::read(&Fragment::parse(&fragment.xml()).unwrap()).unwrap(), history());
    insta::assert_snapshot!(fragment.xml());
    let nameless = premis::Premis::default();
    assert_eq!(code(nameless.fragment()), BAD_XML);
    assert_eq!(code(premis::Premis::read(&dublin_core::fragment([]).unwrap())), BAD_XML);
}
