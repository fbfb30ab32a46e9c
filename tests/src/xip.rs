//! A small package as Preservica takes it: one asset with its files, their checksums and an identifier.

use std::{fmt::Write as _, io::Write as _};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// The package of an asset of this reference for a folder: for each file whether it is for access, its name and its bytes.
///
/// # Panics
/// Never: it is written to memory.
pub fn package(reference: &str, folder: &str, of: (&str, &str), files: &[(bool, &str, Bytes)]) -> Bytes {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    let mut add = |name: String, content: &[u8]| {
        zip.start_file(name, options).expect("an entry");
        zip.write_all(content).expect("it is written");
    };
    add(format!("{reference}/metadata.xml"), described(reference, folder, of, files).as_bytes());
    for (access, name, content) in files {
        add(format!("{reference}/content/{}/{name}", place(*access)), content);
    }
    zip.finish().expect("a zip").into_inner().into()
}

fn place(access: bool) -> &'static str {
    if access { "a1" } else { "p1" }
}

/// The reference of a part of it.
fn part(reference: &str, number: usize) -> String {
    let hash = Sha256::digest(format!("{reference} {number}"));
    let text = hex::encode(hash);
    let piece = |from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    format!("{}-{}-4{}-a{}-{}", piece(0, 8), piece(8, 12), piece(12, 15), piece(15, 18), piece(18, 30))
}

fn described(
    reference: &str,
    folder: &str,
    (kind, value): (&str, &str),
    files: &[(bool, &str, Bytes)],
) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><XIP xmlns=\"http://preservica.com/XIP/v6.0\">\
         <InformationObject><Ref>{reference}</Ref><Title>{value}</Title><Description/><SecurityTag>open</SecurityTag>\
         <CustomType/><Parent>{folder}</Parent></InformationObject>"
    );
    for access in [false, true] {
        let name = if access { "Access" } else { "Preservation" };
        let parts: Vec<String> = files
            .iter()
            .enumerate()
            .filter(|(_, file)| file.0 == access)
            .map(|(number, _)| format!("<ContentObject>{}</ContentObject>", part(reference, number)))
            .collect();
        if !parts.is_empty() {
            let _ = write!(
                text,
                "<Representation><InformationObject>{reference}</InformationObject><Name>{name}</Name>\
                 <Type>{name}</Type><ContentObjects>{}</ContentObjects></Representation>",
                parts.concat()
            );
        }
    }
    for (number, (access, name, content)) in files.iter().enumerate() {
        let (of, place) = (part(reference, number), place(*access));
        let sum = hex::encode(Sha256::digest(content));
        let _ = write!(
            text,
            "<ContentObject><Ref>{of}</Ref><Title>{name}</Title><SecurityTag>open</SecurityTag><CustomType/>\
             <Parent>{reference}</Parent></ContentObject>\
             <Generation original=\"true\" active=\"true\"><ContentObject>{of}</ContentObject><Label/>\
             <EffectiveDate>2031-05-06T07:08:09</EffectiveDate><Bitstreams><Bitstream>{place}/{name}</Bitstream>\
             </Bitstreams><Formats/><Properties/></Generation>\
             <Bitstream><Filename>{name}</Filename><FileSize>{}</FileSize><PhysicalLocation>{place}</PhysicalLocation>\
             <Fixities><Fixity><FixityAlgorithmRef>SHA256</FixityAlgorithmRef><FixityValue>{sum}</FixityValue></Fixity>\
             </Fixities></Bitstream>",
            content.len()
        );
    }
    let _ = write!(
        text,
        "<Identifier><Type>{kind}</Type><Value>{value}</Value><Entity>{reference}</Entity></Identifier></XIP>"
    );
    text
}
