//! Reads a ZIP file whose entries are stored: by its directory, as a program does that did not make it.

use std::collections::BTreeMap;

/// The files in it by their names.
///
/// # Errors
/// What is wrong with it.
pub fn read(data: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let at = |start: usize, length: usize| {
        data.get(start..start + length).ok_or_else(|| format!("nothing at {start}"))
    };
    let number = |start: usize, length: usize| {
        at(start, length)
            .map(|bytes| bytes.iter().rev().fold(0_usize, |all, byte| all << 8 | usize::from(*byte)))
    };
    let end = data.windows(4).rposition(|window| window == b"PK\x05\x06").ok_or("no end of a directory")?;
    let (count, mut place) = (number(end + 10, 2)?, number(end + 16, 4)?);
    let mut files = BTreeMap::new();
    for _ in 0..count {
        if at(place, 4)? != b"PK\x01\x02" || number(place + 10, 2)? != 0 {
            return Err(format!("no stored entry of a directory at {place}"));
        }
        let (size, header) = (number(place + 24, 4)?, number(place + 42, 4)?);
        let (name, extra) = (number(place + 28, 2)?, number(place + 30, 2)?);
        if at(header, 4)? != b"PK\x03\x04" || at(header + 30, name)? != at(place + 46, name)? {
            return Err(format!("no entry at {header}"));
        }
        let content = header + 30 + number(header + 26, 2)? + number(header + 28, 2)?;
        let name_text =
            String::from_utf8(at(place + 46, name)?.to_vec()).map_err(|error| error.to_string())?;
        files.insert(name_text, at(content, size)?.to_vec());
        place += 46 + name + extra + number(place + 32, 2)?;
    }
    Ok(files)
}
