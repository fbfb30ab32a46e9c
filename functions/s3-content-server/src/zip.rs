//! A ZIP file that is never anywhere as a whole: its entries are stored as they are, so the place of every byte is known
//! from names, sizes and CRCs before the first one is read.
//!
//! That is what an upload in parts over several invocations needs: a length to begin with, and to go on in the middle
//! without reading again what was sent. Writers that stream know neither. Sizes and offsets beyond 4 GiB are written as
//! zip64. Dates are the earliest that the format knows: equal contents make equal files.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use shared::{
    error::{Error, Result},
    http::Body,
    transfer::{Digests, RangedSource, crc64_in_a_row},
};

/// What does not fit into 32 bits is written as zip64.
const MOST: u64 = u32::MAX as u64;
/// The first of January 1980.
const DATE: u16 = 0x21;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
/// A file that its owner may write and everybody may read.
const FILE: u32 = 0o100_644 << 16;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// One file in the ZIP.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its name, with `/` between folders.
    pub(crate) name: String,
    /// Its CRC-32.
    pub(crate) crc32: u32,
    /// Its content.
    pub(crate) content: RangedSource,
}

/// A part of the file.
#[derive(Debug, Clone)]
enum Segment {
    Bytes(Bytes),
    Content(RangedSource),
}

impl Segment {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Content(content) => content.length(),
        }
    }
}

/// The ZIP of these entries, in this order.
///
/// # Errors
/// When a name is too long for the format.
pub(crate) fn zip(entries: &[Entry], mark: &str) -> Result<RangedSource> {
    let segments: Arc<[Segment]> = segments(entries)?.into();
    let length = segments.iter().map(Segment::length).sum();
    Ok(RangedSource::new(mark, length, move |offset, wanted| {
        let segments = segments.clone();
        async move { Ok(read(&segments, offset, wanted)) }
    }))
}

/// Where the content of each entry begins in the file.
pub(crate) fn places(entries: &[Entry]) -> Result<Vec<u64>> {
    let (mut at, mut found) = (0, Vec::with_capacity(entries.len()));
    for segment in segments(entries)? {
        if matches!(segment, Segment::Content(_)) {
            found.push(at);
        }
        at += segment.length();
    }
    Ok(found)
}

/// The CRC64-NVME of the ZIP of these entries, as S3 writes it, from those of their contents.
///
/// # Errors
/// As [`zip`].
pub(crate) fn crc64_nvme(entries: &[Entry], contents: &[&str]) -> Result<String> {
    let mut contents = contents.iter().copied();
    let mut parts = Vec::with_capacity(entries.len() * 2 + 1);
    for segment in segments(entries)? {
        let crc = match &segment {
            Segment::Bytes(bytes) => Digests::of(bytes).crc64_nvme,
            Segment::Content(_) => contents.next().unwrap_or_default().to_owned(),
        };
        parts.push((crc, segment.length()));
    }
    crc64_in_a_row(parts.iter().map(|(crc, length)| (crc.as_str(), *length)))
        .ok_or_else(|| Error::bug("pack", "a checksum is not one"))
}

fn segments(entries: &[Entry]) -> Result<Vec<Segment>> {
    let mut segments = Vec::with_capacity(entries.len() * 2 + 1);
    let (mut at, mut directory) = (0_u64, Vec::new());
    for entry in entries {
        let header = local_header(entry)?;
        central_header(entry, at, &mut directory)?;
        at += header.len() as u64 + entry.content.length();
        segments.push(Segment::Bytes(header.into()));
        segments.push(Segment::Content(entry.content.clone()));
    }
    end(entries.len() as u64, at, &mut directory);
    segments.push(Segment::Bytes(directory.into()));
    Ok(segments)
}

fn put16(into: &mut Vec<u8>, number: u16) {
    into.extend_from_slice(&number.to_le_bytes());
}

fn put32(into: &mut Vec<u8>, number: u32) {
    into.extend_from_slice(&number.to_le_bytes());
}

fn put64(into: &mut Vec<u8>, number: u64) {
    into.extend_from_slice(&number.to_le_bytes());
}

/// A number in 32 bits, or the mark that it stands elsewhere.
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn name_length(entry: &Entry) -> Result<u16> {
    u16::try_from(entry.name.len())
        .map_err(|_| Error::invalid("package.name-too-long", "a document's name is too long for a ZIP file"))
}

/// What local and central headers have in common, from the needed version to the length of the name.
fn put_facts(into: &mut Vec<u8>, entry: &Entry, large: bool) -> Result<()> {
    let size = short(if large { MOST } else { entry.content.length() });
    put16(into, if large { 45 } else { 20 });
    put16(into, FLAGS);
    put16(into, 0);
    put16(into, 0);
    put16(into, DATE);
    put32(into, entry.crc32);
    put32(into, size);
    put32(into, size);
    put16(into, name_length(entry)?);
    Ok(())
}

fn local_header(entry: &Entry) -> Result<Vec<u8>> {
    let large = entry.content.length() >= MOST;
    let mut header = Vec::with_capacity(50 + entry.name.len());
    put32(&mut header, 0x0403_4b50);
    put_facts(&mut header, entry, large)?;
    put16(&mut header, if large { 20 } else { 0 });
    header.extend_from_slice(entry.name.as_bytes());
    if large {
        put16(&mut header, 1);
        put16(&mut header, 16);
        put64(&mut header, entry.content.length());
        put64(&mut header, entry.content.length());
    }
    Ok(header)
}

fn central_header(entry: &Entry, at: u64, directory: &mut Vec<u8>) -> Result<()> {
    let large = entry.content.length() >= MOST;
    let far = at >= MOST;
    let mut more = Vec::new();
    if large {
        put64(&mut more, entry.content.length());
        put64(&mut more, entry.content.length());
    }
    if far {
        put64(&mut more, at);
    }
    let length = u16::try_from(more.len()).unwrap_or_default();
    put32(directory, 0x0201_4b50);
    // Made under Unix, so that the rights of the file count.
    put16(directory, 3 << 8 | 45);
    put_facts(directory, entry, large || far)?;
    if far && !large {
        // Only the offset stands elsewhere then: the sizes are where they always are.
        let size = short(entry.content.length()).to_le_bytes();
        let start = directory.len() - 10;
        for (place, byte) in directory.iter_mut().skip(start).zip(size.into_iter().chain(size)) {
            *place = byte;
        }
    }
    put16(directory, if more.is_empty() { 0 } else { length + 4 });
    put16(directory, 0);
    put16(directory, 0);
    put16(directory, 0);
    put32(directory, FILE);
    put32(directory, if far { u32::MAX } else { short(at) });
    directory.extend_from_slice(entry.name.as_bytes());
    if !more.is_empty() {
        put16(directory, 1);
        put16(directory, length);
        directory.extend_from_slice(&more);
    }
    Ok(())
}

/// The end of the directory, which begins at an offset of the file.
fn end(entries: u64, begins: u64, directory: &mut Vec<u8>) {
    let size = directory.len() as u64;
    let many = entries >= u64::from(u16::MAX);
    if many || begins >= MOST || size >= MOST {
        let at = begins + size;
        put32(directory, 0x0606_4b50);
        put64(directory, 44);
        put16(directory, 3 << 8 | 45);
        put16(directory, 45);
        put32(directory, 0);
        put32(directory, 0);
        put64(directory, entries);
        put64(directory, entries);
        put64(directory, size);
        put64(directory, begins);
        put32(directory, 0x0706_4b50);
        put32(directory, 0);
        put64(directory, at);
        put32(directory, 1);
    }
    let count = u16::try_from(entries).unwrap_or(u16::MAX);
    put32(directory, 0x0605_4b50);
    put16(directory, 0);
    put16(directory, 0);
    put16(directory, count);
    put16(directory, count);
    put32(directory, short(size));
    put32(directory, short(begins));
    put16(directory, 0);
}

/// So many bytes of the file from an offset; contents are opened when it is their turn.
fn read(segments: &[Segment], offset: u64, wanted: u64) -> Body {
    let (mut at, end) = (0_u64, offset + wanted);
    let mut parts: Vec<(Segment, u64, u64)> = Vec::new();
    for segment in segments {
        let (first, last) = (at.max(offset), (at + segment.length()).min(end));
        if first < last {
            parts.push((segment.clone(), first - at, last - first));
        }
        at += segment.length();
    }
    let frames = stream::iter(parts).then(|(segment, from, length)| async move {
        match segment {
            Segment::Bytes(bytes) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
                let to = from.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(bytes.len());
                stream::iter([Ok(Frame::data(bytes.slice(from..to)))]).boxed()
            }
            Segment::Content(content) => match content.open(from, length).await {
                Ok(body) => body.into_data_stream().map(|data| data.map(Frame::data)).boxed(),
                Err(error) => stream::iter([Err(BoxError::from(error))]).boxed(),
            },
        }
    });
    BodyExt::boxed(StreamBody::new(OneAtATime(Mutex::new(frames.flatten().boxed()))))
}

/// A stream that only ever has one reader, and can say so.
struct OneAtATime(Mutex<BoxStream<'static, std::result::Result<Frame<Bytes>, BoxError>>>);

impl Stream for OneAtATime {
    type Item = std::result::Result<Frame<Bytes>, BoxError>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let stream = self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner);
        stream.poll_next_unpin(context)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};

    use proptest::prelude::*;
    use shared::http::full;

    use super::*;

    fn entry(name: &str, content: &[u8]) -> Entry {
        let (bytes, length) = (Bytes::copy_from_slice(content), content.len() as u64);
        let crc32 = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, content);
        let content = RangedSource::new(name, length, move |offset, wanted| {
            let (from, to) = (usize::try_from(offset).unwrap(), usize::try_from(offset + wanted).unwrap());
            let bytes = bytes.slice(from..to);
            async move { Ok(full(bytes)) }
        });
        Entry { name: name.to_owned(), crc32: u32::try_from(crc32).unwrap(), content }
    }

    async fn bytes(source: &RangedSource, offset: u64, length: u64) -> Vec<u8> {
        let body = source.open(offset, length).await.unwrap();
        body.collect().await.unwrap().to_bytes().to_vec()
    }

    fn samples() -> Vec<Entry> {
        vec![
            entry("manifest.json", b"{}"),
            entry("Prüfbericht №5.pdf", &[7; 1000]),
            entry("empty.txt", b""),
            entry("photos/door.jpg", &[9; 3]),
        ]
    }

    /// What the reader of Python's own library finds in a file: name, size, offset of the content, whether it is stored,
    /// and for small ones the SHA-256, after it has checked the CRC.
    fn listed(path: &std::path::Path) -> Vec<(String, u64, u64, bool, String)> {
        const SCRIPT: &str = r#"
import hashlib, json, struct, sys, zipfile
found = []
with zipfile.ZipFile(sys.argv[1]) as archive, open(sys.argv[1], "rb") as file:
    for info in archive.infolist():
        file.seek(info.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
        small = info.file_size < 1 << 20
        digest = hashlib.sha256(archive.read(info)).hexdigest() if small else ""
        archive.open(info).close()
        found.append([info.filename, info.file_size, info.header_offset + 30 + name + extra, info.compress_type == 0, digest])
json.dump(found, sys.stdout)
"#;
        let output = std::process::Command::new("python3").args(["-c", SCRIPT]).arg(path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn file(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("waybill-{}-{name}.zip", std::process::id()))
    }

    fn sha256(bytes: &[u8]) -> String {
        use sha2::{Digest, Sha256};
        hex::encode(Sha256::digest(bytes))
    }

    #[tokio::test]
    async fn another_reader_finds_every_entry_as_it_was() {
        let source = zip(&samples(), "mark").unwrap();
        let whole = bytes(&source, 0, source.length()).await;
        assert_eq!(whole.len() as u64, source.length());
        let path = file("small");
        std::fs::write(&path, &whole).unwrap();
        let found = listed(&path);
        std::fs::remove_file(&path).unwrap();
        let contents: [(&str, &[u8]); 4] = [
            ("manifest.json", b"{}"),
            ("Prüfbericht №5.pdf", &[7; 1000]),
            ("empty.txt", b""),
            ("photos/door.jpg", &[9; 3]),
        ];
        let starts = places(&samples()).unwrap();
        let expected: Vec<_> = contents
            .iter()
            .zip(starts)
            .map(|((name, bytes), start)| {
                ((*name).to_owned(), bytes.len() as u64, start, true, sha256(bytes))
            })
            .collect();
        assert_eq!(found, expected);
        let contents = contents.map(|(_, bytes)| Digests::of(bytes).crc64_nvme);
        let crc64 = crc64_nvme(&samples(), &contents.each_ref().map(String::as_str)).unwrap();
        assert_eq!(crc64, Digests::of(&whole).crc64_nvme, "known before a byte is read");
        assert_eq!(whole, bytes(&zip(&samples(), "other").unwrap(), 0, source.length()).await);
    }

    #[test]
    fn beyond_four_gibibytes_another_reader_finds_sizes_and_places() {
        let sizes = [5 << 30, 2_000_000, MOST, 3_000_000];
        let entries: Vec<Entry> = sizes
            .iter()
            .enumerate()
            .map(|(index, size)| Entry {
                name: format!("{index}.bin"),
                crc32: 1,
                content: RangedSource::new("zeros", *size, |_, _| async { Ok(full(Bytes::new())) }),
            })
            .collect();
        // A file of which only what is no content is written; the rest are holes.
        let path = file("large");
        let mut sparse = std::fs::File::create(&path).unwrap();
        for segment in segments(&entries).unwrap() {
            match segment {
                Segment::Bytes(bytes) => sparse.write_all(&bytes).unwrap(),
                Segment::Content(content) => {
                    let length = i64::try_from(content.length()).unwrap();
                    sparse.seek(SeekFrom::Current(length)).map(drop).unwrap();
                }
            }
        }
        let found = listed(&path);
        std::fs::remove_file(&path).unwrap();
        let starts = places(&entries).unwrap();
        for ((index, size), (name, length, start, stored, _)) in sizes.into_iter().enumerate().zip(found) {
            let expected = (format!("{index}.bin"), size, starts[index], true);
            assert_eq!((name, length, start, stored), expected);
        }
    }

    proptest! {
        #[test]
        fn any_part_is_what_the_whole_has_there(offset in 0_u64..1500, wanted in 0_u64..1500) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let source = zip(&samples(), "mark").unwrap();
                let offset = offset.min(source.length());
                let wanted = wanted.min(source.length() - offset);
                let whole = bytes(&source, 0, source.length()).await;
                let (from, to) = (usize::try_from(offset).unwrap(), usize::try_from(offset + wanted).unwrap());
                assert_eq!(bytes(&source, offset, wanted).await, whole[from..to]);
            });
        }
    }
}
