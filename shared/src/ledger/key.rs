use std::fmt;

use sha2::{Digest, Sha256};

/// The identity of an item: the smallest thing that is delivered once.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key {
    digest: String,
    text: String,
}

impl Key {
    /// A key of its parts. Parts are length-prefixed before hashing, so `["ab", "c"]` and `["a", "bc"]` differ.
    pub fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self { digest: hex::encode(hash.finalize()), text: parts.join(" ") }
    }

    /// The hash that names the record: 64 hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// A short form for markers left in target systems.
    pub fn short(&self) -> &str {
        self.digest.get(..24).unwrap_or(&self.digest)
    }

    /// The parts, for people.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({})", self.text)
    }
}
