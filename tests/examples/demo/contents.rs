//! Files made here, right enough for a viewer and different every time in nothing: the same demo, the same bytes.

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Bytes of one part of the video.
pub(crate) const PART: usize = 8 << 20;

/// A PDF of one page with a few lines of text, as large as asked for.
pub(crate) fn pdf(lines: &[&str], filler: usize) -> Vec<u8> {
    let mut text = String::from("BT /F1 14 Tf 60 780 Td 20 TL\n");
    for line in lines {
        // The standard fonts have no more.
        let plain: String =
            line.chars().map(|c| if c.is_ascii() && !"()\\".contains(c) { c } else { '?' }).collect();
        text.push_str(&format!("({plain}) Tj T*\n"));
    }
    text.push_str("ET\n");
    let mut attachment = noise(filler, lines.len() as u64);
    // A stream that happened to hold the mark of its own end would end early.
    attachment.iter_mut().filter(|byte| **byte == b'e').for_each(|byte| *byte = b'E');
    let objects: [Vec<u8>; 6] = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_vec(),
        stream(text.as_bytes()),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
        stream(&attachment),
    ];
    let mut pdf = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        offsets.push(pdf.len());
        pdf.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
        pdf.extend_from_slice(object);
        pdf.extend_from_slice(b"\nendobj\n");
    }
    let start = pdf.len();
    pdf.extend_from_slice(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).as_bytes());
    for offset in offsets {
        pdf.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    let size = objects.len() + 1;
    pdf.extend_from_slice(
        format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").as_bytes(),
    );
    pdf
}

fn stream(content: &[u8]) -> Vec<u8> {
    [format!("<< /Length {} >>\nstream\n", content.len()).as_bytes(), content, b"\nendstream"].concat()
}

/// A grey gradient as PNG, with stored (uncompressed) blocks.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..height {
        pixels.push(0);
        pixels.extend((0..width).map(|x| (x + y).to_le_bytes()[0]));
    }
    let mut packed = vec![0x78, 0x01];
    let blocks: Vec<&[u8]> = pixels.chunks(0xffff).collect();
    for (index, block) in blocks.iter().enumerate() {
        let length = u16::try_from(block.len()).unwrap();
        packed.push(u8::from(index + 1 == blocks.len()));
        packed.extend_from_slice(&length.to_le_bytes());
        packed.extend_from_slice(&(!length).to_le_bytes());
        packed.extend_from_slice(block);
    }
    packed.extend_from_slice(&adler(&pixels).to_be_bytes());
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    for (kind, data) in [(b"IHDR", header), (b"IDAT", packed), (b"IEND", Vec::new())] {
        png.extend_from_slice(&u32::try_from(data.len()).unwrap().to_be_bytes());
        let body = [kind.as_slice(), &data].concat();
        png.extend_from_slice(&body);
        png.extend_from_slice(&crc(&body).to_be_bytes());
    }
    png
}

fn adler(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

/// A photograph in all but its picture: the marks and tables of JPEG around noise.
pub(crate) fn jpeg(bytes: usize, seed: u64) -> Vec<u8> {
    let mut scan = noise(bytes, seed);
    // 0xff begins a mark.
    scan.iter_mut().filter(|byte| **byte == 0xff).for_each(|byte| *byte = 0xfe);
    let jfif = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x48\x00\x48\x00\x00";
    let frame =
        b"\xff\xc0\x00\x0b\x08\x02\x00\x03\x00\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00";
    [&jfif[..], frame, &scan, b"\xff\xd9"].concat()
}

/// A scan: one strip of grey pixels, uncompressed, as scanners deliver masters.
pub(crate) fn tiff(width: u32, height: u32, seed: u64) -> Vec<u8> {
    let pixels = noise((width * height) as usize, seed);
    let fields: [(u16, u16, u32); 9] = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8 + 2 + 9 * 12 + 4),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, width * height),
    ];
    let mut tiff = b"II\x2a\0\x08\0\0\0\x09\0".to_vec();
    for (tag, kind, value) in fields {
        tiff.extend_from_slice(&tag.to_le_bytes());
        tiff.extend_from_slice(&kind.to_le_bytes());
        tiff.extend_from_slice(&1u32.to_le_bytes());
        tiff.extend_from_slice(&value.to_le_bytes());
    }
    tiff.extend_from_slice(&[0; 4]);
    tiff.extend_from_slice(&pixels);
    tiff
}

/// The beginning of a Windows program.
pub(crate) fn program() -> Vec<u8> {
    let mut program = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0\0\0\0\0\0\0\x40".to_vec();
    program.resize(0x80, 0);
    program.extend_from_slice(b"PE\0\0\x64\x86");
    program.resize(4096, 0);
    program
}

/// Bytes that look like nothing, the same for the same seed.
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut noise = vec![0; bytes];
    random.fill(&mut noise);
    noise
}

/// A video made part by part, so that it is never in memory as a whole.
pub(crate) struct Video {
    size: u64,
    made: u64,
    pattern: Vec<u8>,
    digest: Sha256,
}

impl Video {
    pub(crate) fn new(size: u64) -> Self {
        Self { size, made: 0, pattern: noise(PART, 300), digest: Sha256::new() }
    }

    /// The next part, until there is none.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        let length = usize::try_from((self.size - self.made).min(PART as u64)).ok()?;
        if length == 0 {
            return None;
        }
        let mut part = self.pattern.get(..length)?.to_vec();
        // No two places are alike: a part in a wrong place, or twice, changes the hash.
        for (place, block) in part.chunks_exact_mut(4096).enumerate() {
            let at = self.made + 4096 * place as u64;
            block[..8].copy_from_slice(&at.to_be_bytes());
        }
        if self.made == 0 {
            let header = b"\0\0\0\x18ftypisom\0\0\x02\0isommp42\0\0\0\x01mdat";
            part[..header.len()].copy_from_slice(header);
            // The media data is the rest of the file.
            part[header.len()..header.len() + 8].copy_from_slice(&(self.size - 24).to_be_bytes());
        }
        self.made += length as u64;
        self.digest.update(&part);
        Some(part.into())
    }

    /// SHA-256 of what was made so far.
    pub(crate) fn sha256(&self) -> String {
        hex::encode(self.digest.clone().finalize())
    }
}
