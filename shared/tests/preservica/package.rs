//! Small packages, as a well-known client writes them.

use std::io::Write as _;

use bytes::Bytes;
use shared::{
    http::{RangedSource, full},
    preservica::Reference,
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// An asset with one preserved file.
pub(crate) struct Packed {
    pub(crate) reference: Reference,
    pub(crate) title: String,
    pub(crate) file_name: String,
    pub(crate) content: Vec<u8>,
    /// What is said to be its SHA-1; the right one when none is given.
    pub(crate) sha1: Option<String>,
    pub(crate) identifiers: Vec<(String, String)>,
}

impl Packed {
    pub(crate) fn new(number: u8, content: &[u8]) -> Self {
        Self {
            reference: Reference::new(format!("00000000-0000-4000-a000-0000000000{number:02x}")),
            title: format!("Asset {number}"),
            file_name: format!("master-{number}.tiff"),
            content: content.to_vec(),
            sha1: None,
            identifiers: vec![("OTMM".to_owned(), format!("asset-{number}:1"))],
        }
    }
}

/// A package of assets, each in a folder of its own.
pub(crate) fn package(folder: &Reference, assets: &[Packed]) -> Bytes {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for asset in assets {
        zip.start_file(format!("{}/metadata.xml", asset.reference), options).unwrap();
        zip.write_all(description(folder, asset).as_bytes()).unwrap();
        zip.start_file(format!("{}/content/p1/{}", asset.reference, asset.file_name), options).unwrap();
        zip.write_all(&asset.content).unwrap();
    }
    zip.finish().unwrap().into_inner().into()
}

/// It with as many bytes more as make it larger than so many.
pub(crate) fn padded(folder: &Reference, number: u8, bytes: usize) -> (Packed, Bytes) {
    let content: Vec<u8> = (0..bytes).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect();
    let asset = Packed::new(number, &content);
    let package = package(folder, std::slice::from_ref(&asset));
    (asset, package)
}

fn description(folder: &Reference, asset: &Packed) -> String {
    use sha1::Digest as _;
    let sha1 =
        asset.sha1.clone().unwrap_or_else(|| hex::encode(sha1::Sha1::digest(&asset.content).as_slice()));
    let Packed { reference, title, file_name, content, identifiers, .. } = asset;
    let part = reference.as_str().replace("-a000-", "-b000-");
    let identifiers: String = identifiers
        .iter()
        .map(|(kind, value)| {
            format!("<Identifier><Type>{kind}</Type><Value>{value}</Value><Entity>{reference}</Entity></Identifier>")
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><XIP xmlns=\"http://preservica.com/XIP/v6.0\">\
         <InformationObject><Ref>{reference}</Ref><Title>{title}</Title><Description>d</Description>\
         <SecurityTag>open</SecurityTag><CustomType/><Parent>{folder}</Parent></InformationObject>\
         <Representation><InformationObject>{reference}</InformationObject><Name>Preservation</Name>\
         <Type>Preservation</Type><ContentObjects><ContentObject>{part}</ContentObject></ContentObjects></Representation>\
         <ContentObject><Ref>{part}</Ref><Title>{file_name}</Title><SecurityTag>open</SecurityTag><CustomType/>\
         <Parent>{reference}</Parent></ContentObject>\
         <Generation original=\"true\" active=\"true\"><ContentObject>{part}</ContentObject><Label/>\
         <EffectiveDate>2031-05-06T07:08:09</EffectiveDate><Bitstreams><Bitstream>p1/{file_name}</Bitstream></Bitstreams>\
         <Formats/><Properties/></Generation>\
         <Bitstream><Filename>{file_name}</Filename><FileSize>{size}</FileSize><PhysicalLocation>p1</PhysicalLocation>\
         <Fixities><Fixity><FixityAlgorithmRef>SHA1</FixityAlgorithmRef><FixityValue>{sha1}</FixityValue></Fixity></Fixities>\
         </Bitstream>{identifiers}</XIP>",
        size = content.len(),
    )
}

/// Bytes that can be read from any place, as often as needed.
pub(crate) fn source(bytes: &Bytes) -> RangedSource {
    let bytes = bytes.clone();
    RangedSource::new(bytes.len() as u64, move |offset, length| {
        let (from, to) = (usize::try_from(offset).unwrap(), usize::try_from(offset + length).unwrap());
        let part = bytes.slice(from..to);
        async move { Ok(full(part)) }
    })
}
