//! The secret in a link, and the name it has in the ledger.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::context::Context;

/// What stands in a link's address: 128 random bits, as 22 characters that need no escaping. Whoever has it has the
/// link, so it is shown once, to the one who issued it, and kept nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    pub(super) fn new(context: &Context) -> Self {
        let mut bytes = [0_u8; 16];
        context.fill(&mut bytes);
        Self(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What somebody presents as a token. Nothing is checked here: a malformed one is one that no link has, found out
    /// in the same way and in the same time as any other.
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text that goes into the link's address.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The link's name in the ledger.
    pub fn id(&self) -> LinkId {
        LinkId(self.digest("waybill link", &[]))
    }

    /// Another name for a client of this link. The token is the salt: who has only the ledger cannot try all addresses
    /// there are, and one client of two links has two names.
    pub(super) fn pseudonym(&self, client: &str) -> String {
        self.digest("waybill link client", client.as_bytes()).chars().take(24).collect()
    }

    fn digest(&self, purpose: &str, more: &[u8]) -> String {
        let mut hash = Sha256::new();
        for part in [purpose.as_bytes(), self.0.as_bytes(), more] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

/// A link's name in the ledger and in logs: the SHA-256 of its token, in hexadecimal. It opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(String);

impl LinkId {
    pub(super) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The whole name.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Enough of it for people, logs and the audit.
    pub fn short(&self) -> &str {
        self.0.get(..24).unwrap_or(&self.0)
    }
}
