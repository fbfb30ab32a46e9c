//! User metadata as S3 treats it: read as Latin-1, decoded by RFC 2047 when it comes encoded, encoded by RFC 2047 on the
//! way out when it is not plain ASCII.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Longest text inside one encoded word.
const WORD: usize = 75 - "=?UTF-8?Q??=".len();

/// A header value as it is stored.
pub(super) fn decode(value: &str) -> String {
    let mut decoded = String::new();
    let mut rest = value;
    let mut after_word = false;
    while let Some((before, word, after)) = next_word(rest) {
        // White space between two encoded words is theirs, not the text's.
        if !(after_word && before.trim().is_empty()) {
            decoded.push_str(before);
        }
        decoded.push_str(&word);
        rest = after;
        after_word = true;
    }
    decoded.push_str(rest);
    decoded
}

fn next_word(text: &str) -> Option<(&str, String, &str)> {
    let (before, inner) = text.split_once("=?")?;
    let mut parts = inner.splitn(3, '?');
    let (charset, encoding, content) = (parts.next()?, parts.next()?, parts.next()?);
    let (content, after) = content.split_once("?=")?;
    let bytes = match encoding {
        "B" | "b" => STANDARD.decode(content).ok()?,
        "Q" | "q" => percent_encoding::percent_decode_str(
            &content.replace('_', " ").replace('%', "=25").replace('=', "%"),
        )
        .collect(),
        _ => return None,
    };
    let word = match charset.to_ascii_uppercase().as_str() {
        "UTF-8" | "US-ASCII" => String::from_utf8(bytes).ok()?,
        "ISO-8859-1" => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => return None,
    };
    Some((before, word, after))
}

/// A stored value as a header shows it.
pub(super) fn encode(value: &str) -> String {
    if value.is_ascii() {
        return value.to_owned();
    }
    let plain = value.chars().filter(char::is_ascii).count();
    let mostly_plain = plain > value.chars().count() - plain;
    let mut words = Vec::new();
    split(value, mostly_plain, &mut words);
    words.join(" ")
}

fn split(text: &str, quoted: bool, words: &mut Vec<String>) {
    let content = if quoted { quote(text) } else { STANDARD.encode(text) };
    let letters = text.chars().count();
    if content.len() > WORD && letters > 1 {
        let middle = text.char_indices().nth(letters / 2).map_or(text.len(), |(index, _)| index);
        let (front, back) = text.split_at(middle);
        split(front, quoted, words);
        split(back, quoted, words);
        return;
    }
    words.push(format!("=?UTF-8?{}?{content}?=", if quoted { 'Q' } else { 'B' }));
}

fn quote(text: &str) -> String {
    text.bytes().fold(String::new(), |mut quoted, byte| {
        match byte {
            b' ' => quoted.push('_'),
            b'=' | b'_' | b'?' => quoted.push_str(&format!("={byte:02X}")),
            b'!'..=b'~' => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("={byte:02X}")),
        }
        quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_documentation_comes_out_as_printed_there() {
        let sent: String = "ÄMÄZÕÑ S3".bytes().map(char::from).collect();
        assert_eq!(encode(&decode(&sent)), "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=");
        assert_eq!(encode(&decode("AMAZONS3")), "AMAZONS3");
    }

    #[test]
    fn an_encoded_value_survives_the_round_trip() {
        for text in
            ["Vertrag für Zürich", "契約書", "100 % = ½_ok?", "Straße und Ähnliches ".repeat(9).as_str()]
        {
            assert_eq!(decode(&encode(text)), text);
        }
        assert_eq!(encode("Vertrag für Zürich"), "=?UTF-8?Q?Vertrag_f=C3=BCr_Z=C3=BCrich?=");
        assert_eq!(decode("plain =?UTF-8?Q?z=C3=BC?= =?UTF-8?B?w7w=?= end"), "plain züü end");
        assert_eq!(decode("=?unknown"), "=?unknown");
    }
}
