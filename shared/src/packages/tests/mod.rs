mod damage;
mod documents;
mod layouts;
mod names;
mod zips;

use std::{collections::BTreeMap, io::Read};

use bytes::Bytes;
use http_body_util::BodyExt;
use jiff::Timestamp;

use super::*;
use crate::{
    error::{Error, Result},
    http::{RangedSource, full},
};

const HASHED: [Algorithm; 2] = [Algorithm::Sha1, Algorithm::Sha256];

fn moment() -> Timestamp {
    "2031-05-06T07:08:09Z".parse().unwrap()
}

fn content(bytes: impl AsRef<[u8]>) -> Content {
    Content::of_bytes(bytes.as_ref().to_vec(), &HASHED)
}

fn file(path: &str, bytes: impl AsRef<[u8]>) -> Entry {
    Entry::new(path, content(bytes))
}

/// Bytes as somebody else's source.
fn source(bytes: &[u8]) -> RangedSource {
    Content::of_bytes(bytes.to_vec(), &[]).source().clone()
}

async fn part(source: &RangedSource, offset: u64, length: u64) -> Result<Bytes> {
    let body = source.range(offset, length).open().await?;
    Ok(body.collect().await.map_err(fixity::cut)?.to_bytes())
}

async fn whole(source: &RangedSource) -> Result<Bytes> {
    part(source, 0, source.length()).await
}

/// What another program finds in a zip.
fn unzipped(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ::zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut found = BTreeMap::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        found.insert(entry.name().unwrap().into_owned(), content);
    }
    found
}

async fn opened(bytes: &[u8]) -> Result<Archive> {
    Archive::open(source(bytes), Bounds::default()).await
}

fn code<T>(outcome: Result<T>) -> &'static str {
    outcome.err().as_ref().map_or("it went well", Error::code)
}

/// A content of zeros that nobody stores, with the CRC that it has.
fn zeros(bytes: u64) -> Content {
    const PIECE: u64 = 1 << 20;
    let mut facts = Facts::of(&vec![0; usize::try_from(bytes % PIECE).unwrap()], &[]);
    let (mut doubled, mut times) = (Facts::of(&vec![0; 1 << 20], &[]), bytes / PIECE);
    while times > 0 {
        if times % 2 == 1 {
            facts = Facts::in_a_row([&facts, &doubled]);
        }
        doubled = Facts::in_a_row([&doubled, &doubled]);
        times /= 2;
    }
    let source = RangedSource::new(bytes, |_, length| async move {
        // Only short ranges are read of such a content.
        assert!(length <= 4 * PIECE);
        Ok(full(vec![0; usize::try_from(length).unwrap()]))
    });
    Content::new(source, facts).unwrap()
}
