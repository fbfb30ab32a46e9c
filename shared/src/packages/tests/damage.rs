//! Zips that somebody made to do harm, and zips that were harmed.

use super::*;

/// A small package to be spoilt.
async fn good() -> Vec<u8> {
    let package =
        Package::new(vec![file("folder/a.txt", "first"), file("b.txt", "second")], moment()).unwrap();
    whole(&package.source()).await.unwrap().to_vec()
}

/// Writes over bytes that come exactly so often.
fn spoilt(bytes: &[u8], from: &[u8], to: &[u8], times: usize) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let (mut spoilt, mut at, mut found) = (bytes.to_vec(), 0, 0);
    while let Some(next) = spoilt[at..].windows(from.len()).position(|window| window == from) {
        spoilt[at + next..at + next + to.len()].copy_from_slice(to);
        at += next + to.len();
        found += 1;
    }
    assert_eq!(found, times, "{from:?}");
    spoilt
}

#[tokio::test]
async fn paths_out_of_a_package_are_refused() {
    let good = good().await;
    for path in [
        "../../a.txt.",
        "/tmp/a.text.",
        "folder//a.tx",
        "folder/./a.t",
        "c:/windows/a",
        "folder\\..\\.t",
        "folder/a\0txt",
    ] {
        let bytes = spoilt(&good, b"folder/a.txt", path.as_bytes(), 2);
        assert_eq!(code(opened(&bytes).await), WAY_OUT, "{path}");
    }
    // What a link points to is not in the package.
    let link = spoilt(&good, &(0o100_644_u32 << 16).to_le_bytes(), &(0o120_777_u32 << 16).to_le_bytes(), 2);
    assert_eq!(code(opened(&link).await), WAY_OUT);
}

#[tokio::test]
async fn a_path_that_comes_twice_is_refused() {
    let entries = [("one.txt", "a"), ("two.txt", "b"), ("three", "c")].map(|(path, bytes)| file(path, bytes));
    let bytes = whole(&Package::new(entries.into(), moment()).unwrap().source()).await.unwrap();
    assert_eq!(code(opened(&spoilt(&bytes, b"two.txt", b"one.txt", 2)).await), TWICE);
    assert_eq!(code(opened(&spoilt(&bytes, b"two.txt", b"three/a", 2)).await), TWICE);
}

#[tokio::test]
async fn a_content_that_was_damaged_is_told_when_it_is_read() {
    let bytes = spoilt(&good().await, b"second", b"secand", 1);
    let archive = opened(&bytes).await.unwrap();
    let member = archive.find("b.txt").unwrap();
    assert_eq!(code(archive.read(member).await), FIXITY);
    assert_eq!(code(archive.measure(member, &HASHED).await), FIXITY);
    assert!(archive.read(archive.find("folder/a.txt").unwrap()).await.is_ok());
}

#[tokio::test]
async fn what_is_no_zip_or_only_the_beginning_of_one_is_refused() {
    let good = good().await;
    assert_eq!(code(opened(b"").await), BAD_ZIP);
    assert_eq!(code(opened(b"<html>Please log in</html>").await), BAD_ZIP);
    for length in 0..good.len() {
        assert_eq!(code(opened(&good[..length]).await), BAD_ZIP, "{length} bytes");
    }
    let after = [&good[..], b"more"].concat();
    assert_eq!(code(opened(&after).await), BAD_ZIP);
    let before = [b"more", &good[..]].concat();
    assert_eq!(code(opened(&before).await), BAD_ZIP);
}

#[tokio::test]
async fn entries_that_share_their_bytes_are_refused() {
    let entries = vec![file("a.bin", [7; 100]), file("b.bin", [7; 100])];
    let package = Package::new(entries, moment()).unwrap();
    let bytes = whole(&package.source()).await.unwrap().to_vec();
    let (place, second) = (135_u32, 46 + 5 + 42);
    let directory = bytes.windows(4).position(|window| window == 0x0201_4b50_u32.to_le_bytes()).unwrap();
    assert_eq!(bytes[directory + second..][..4], place.to_le_bytes());
    let mut shared = bytes.clone();
    shared[directory + second..][..4].copy_from_slice(&0_u32.to_le_bytes());
    assert_eq!(code(opened(&shared).await), BAD_ZIP);
}

#[tokio::test]
async fn the_record_before_a_content_must_say_what_the_directory_says() {
    let good = good().await;
    for (from, to) in [(&b"b.txt"[..], &b"c.txt"[..]), (&6_u32.to_le_bytes()[..], &7_u32.to_le_bytes()[..])] {
        let at = good.windows(from.len()).position(|window| window == from).unwrap();
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        let archive = opened(&bytes).await.unwrap();
        let member = archive.members().iter().find(|member| member.bytes == 6).unwrap();
        assert_eq!(code(archive.read(member).await), BAD_ZIP);
    }
}

#[tokio::test]
async fn more_than_the_bounds_is_not_taken_into_memory() {
    let bytes = good().await;
    for bounds in
        [Bounds { entries: 1, ..Bounds::default() }, Bounds { directory_bytes: 50, ..Bounds::default() }]
    {
        assert_eq!(code(Archive::open(source(&bytes), bounds).await), TOO_LARGE);
    }
    let bounds = Bounds { document_bytes: 5, ..Bounds::default() };
    let archive = Archive::open(source(&bytes), bounds).await.unwrap();
    assert_eq!(code(archive.read(archive.find("b.txt").unwrap()).await), TOO_LARGE);
    assert!(archive.read(archive.find("folder/a.txt").unwrap()).await.is_ok());
}

#[tokio::test]
async fn compressed_and_encrypted_entries_are_refused_by_name() {
    use std::io::Write as _;
    let mut zip = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = ::zip::write::SimpleFileOptions::default();
    let deflated = options.compression_method(::zip::CompressionMethod::Deflated);
    zip.start_file("a.txt", deflated).unwrap();
    zip.write_all(&[b'a'; 1000]).unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    let archive = opened(&bytes).await.unwrap();
    assert_eq!(code(archive.read(&archive.members()[0]).await), UNKNOWN_METHOD);

    let good = good().await;
    let directory = good.windows(4).position(|window| window == 0x0201_4b50_u32.to_le_bytes()).unwrap();
    let mut encrypted = good.clone();
    encrypted[directory + 8] |= 1;
    assert_eq!(code(opened(&encrypted).await), ENCRYPTED);
}

/// Zips of other programs: sizes behind the content, comments, a large form where none is needed.
#[tokio::test]
async fn zips_of_another_program_are_read() {
    use std::io::Write as _;
    let options =
        ::zip::write::SimpleFileOptions::default().compression_method(::zip::CompressionMethod::Stored);
    let mut streamed = ::zip::ZipWriter::new_stream(Vec::new());
    streamed.start_file("Gr\u{f6}\u{df}e.txt", options).unwrap();
    streamed.write_all(b"content").unwrap();
    let streamed = streamed.finish().unwrap().into_inner();
    let mut commented = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    commented.set_comment("PK\u{5}\u{6} is how the end of a zip begins").unwrap();
    commented.start_file("Gr\u{f6}\u{df}e.txt", options.large_file(true)).unwrap();
    commented.write_all(b"content").unwrap();
    let commented = commented.finish().unwrap().into_inner();
    for bytes in [streamed, commented] {
        let archive = opened(&bytes).await.unwrap();
        let member = archive.find("Größe.txt").unwrap();
        assert_eq!(&archive.read(member).await.unwrap()[..], b"content");
    }
}
