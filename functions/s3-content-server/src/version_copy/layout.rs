//! Where copies of versions lie in a bucket.
//!
//! `<prefix><node>/<version>/<file name>` for the content and `<prefix><node>/<version>.json` for what is known of it.
//! The place follows from node, version and file name alone, so that every flow and every redelivery finds the same.

use std::fmt::Write as _;

/// The longest key, in bytes of UTF-8.
const LONGEST_KEY: usize = 1024;

/// The key of a version's content.
pub fn content_key(prefix: &str, node: i64, version: i64, file_name: &str) -> String {
    let folder = format!("{prefix}{node}/{version}/");
    let room = LONGEST_KEY.saturating_sub(folder.len());
    format!("{folder}{}", shortened(&escaped(file_name), room))
}

/// The key of a version's description.
pub fn description_key(prefix: &str, node: i64, version: i64) -> String {
    format!("{prefix}{node}/{version}.json")
}

/// A file name as one step of a key: slashes, control characters and the percent sign itself become `%XX`; a name
/// that clients would take for a step of a path is escaped whole. The description keeps the name as it is.
pub(crate) fn escaped(name: &str) -> String {
    if name.is_empty() {
        return "content".to_owned();
    }
    if name.chars().all(|character| character == '.') {
        return "%2E".repeat(name.len());
    }
    let mut escaped = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_control() || matches!(character, '/' | '\\' | '%') {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                let _ = write!(escaped, "%{byte:02X}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// A name cut to so many bytes; its extension stays.
pub(crate) fn shortened(name: &str, most: usize) -> String {
    if name.len() <= most {
        return name.to_owned();
    }
    let extension = name.rfind('.').filter(|at| *at > 0 && name.len() - at <= 16).unwrap_or(name.len());
    let (stem, extension) = name.split_at(extension);
    let mut end = most.saturating_sub(extension.len()).min(stem.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", stem.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place_follows_from_node_version_and_name() {
        for (name, key) in [
            ("front door.jpg", "offload/4711/2/front door.jpg"),
            ("Prüfbericht №5.pdf", "offload/4711/2/Prüfbericht №5.pdf"),
            ("a/b\\c.txt", "offload/4711/2/a%2Fb%5Cc.txt"),
            ("100%.txt", "offload/4711/2/100%25.txt"),
            ("..", "offload/4711/2/%2E%2E"),
            ("", "offload/4711/2/content"),
            ("tab\tline\n", "offload/4711/2/tab%09line%0A"),
        ] {
            assert_eq!(content_key("offload/", 4711, 2, name), key);
        }
        assert_eq!(description_key("offload/", 4711, 2), "offload/4711/2.json");
    }

    proptest! {
        #[test]
        fn whatever_the_name_the_key_is_one_s3_takes(name in ".{0,400}", long in 0_usize..3) {
            let key = content_key("p/", 1, 1, &format!("{}.pdf", name.repeat(long + 1)));
            prop_assert!(key.len() <= LONGEST_KEY);
            prop_assert!(key.ends_with(".pdf"));
            prop_assert_eq!(key.matches('/').count(), 3);
            prop_assert!(!key.chars().any(char::is_control));
        }
    }
}
