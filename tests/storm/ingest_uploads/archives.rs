//! Archives are contents like any other: nobody looks inside.

use tests::storm::{Drive, drive};

use super::{
    INGEST_UPLOADS, Scenario, StoredObject,
    calm::{documents, world_of},
};

/// Zeros as a deflate stream of so many bytes: thirteen bits for each 258 zeros.
fn zeros(length: usize) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(length + 8), 0_u32, 0);
    let mut put = |value: u32, width: u32, bytes: &mut Vec<u8>| {
        bits |= value << count;
        count += width;
        while count >= 8 {
            bytes.push((bits & 0xff) as u8);
            bits >>= 8;
            count -= 8;
        }
    };
    // One last block of fixed codes, a zero, and from then on 258 times what came before.
    put(0b011, 3, &mut bytes);
    put(0x0c, 8, &mut bytes);
    while bytes.len() < length {
        put(0xa3, 8, &mut bytes);
        put(0, 5, &mut bytes);
    }
    put(0, 7, &mut bytes);
    put(0, 7, &mut bytes);
    bytes
}

/// A zip archive of these entries: name, method (8 deflated, 0 stored), what is in the file.
fn zip(entries: &[(String, u16, Vec<u8>)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("less than 4 GiB");
    for (name, method, data) in entries {
        let at = length(&file);
        let expanded = if *method == 8 { length(data) / 13 * 8 * 258 } else { length(data) };
        let mut described = Vec::new();
        described.extend([20, 0, 0, 0]);
        described.extend(method.to_le_bytes());
        described.extend([0; 8]);
        described.extend(length(data).to_le_bytes());
        described.extend(expanded.to_le_bytes());
        described.extend(u16::try_from(name.len()).expect("short").to_le_bytes());
        described.extend([0, 0]);
        file.extend(b"PK\x03\x04");
        file.extend(&described);
        file.extend(name.as_bytes());
        file.extend(data);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&described);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, size) = (length(&file), length(&directory));
    let count = u16::try_from(entries.len()).expect("few").to_le_bytes();
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count);
    file.extend(count);
    file.extend(size.to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}

/// 10 MB in which ten archives lie, each of a megabyte that would unpack to 160: all of it 1.6 GB of zeros.
#[tokio::test(start_paused = true)]
async fn an_archive_bomb_arrives_byte_for_byte_and_is_not_opened() {
    const ZIPS: &str = "[[rule]]\nname = \"archives\"\nkey = \"archives/{name}\"\ntarget.folder = \"Enterprise:Claims/Incoming\"\n\
                        limits.content_types = [\"application/zip\"]\n";
    let inner = zip(&[("zeros.bin".to_owned(), 8, zeros(1 << 20))]);
    let bomb = zip(&(0..10).map(|number| (format!("{number}.zip"), 0, inner.clone())).collect::<Vec<_>>());
    let size = bomb.len() as u64;
    assert!((10_000_000..12_000_000).contains(&size), "{size}");
    let world = world_of(&Scenario::of("calm", &INGEST_UPLOADS, ZIPS, Vec::new, (0, 0, 0))).await;
    world.upload(&StoredObject::new("archives/bomb.zip", "application/zip", bomb.clone())).await;
    assert!(drive(&world, &INGEST_UPLOADS, Drive::default()).await);
    assert_eq!(world.endings(), ["delivered"]);
    assert!(
        documents(&world, "Claims/Incoming") == [("bomb.zip".to_owned(), vec![bomb])],
        "byte for byte, and alone"
    );
    // A look at the beginning, the way over, and the reading back.
    let passed = world.tap.content();
    assert!(passed <= 2 * size + 16 * 1024, "{passed} bytes passed of {size}");
}
