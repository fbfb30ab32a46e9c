//! Expiring links: an opaque token in an address, instead of a signed address that dies with the credentials which
//! signed it. `serve-links` turns a token into a storage address that lives a minute; flows issue and revoke here.
//!
//! **What is stored**, in the ledger's table: under the SHA-256 of the token (the token itself is kept nowhere) the
//! object, its name and type, until when and how often it may be used, for whom, the asset and the issuing flow with its
//! own reference. For each client that used it: a pseudonym and until when that use lasts. The pseudonym is a hash of
//! the client's verified e-mail address, or else of its network (an IPv4 address, an IPv6 /64), salted with the token:
//! without the link it cannot be tried out, and it does not join one link's clients with another's. Neither addresses nor
//! e-mail addresses are stored or logged; the audit says which of the link's e-mail domains let somebody in.
//!
//! **What a use is.** One client, for a window of time that begins with its first download: a download that broke off
//! may be resumed, in parts and as often as it takes, without costing another use. Looking (`HEAD`) costs none. With a
//! window of zero every download is a use. Expiry and revocation end a window too.
//!
//! **Counting.** A use is one transaction: the count (on the condition that the link is open and has uses left), the
//! client's window (on the condition that it has none) and the event in the asset's audit chain. So no two clients get
//! the last use, and there is no use without its event.
//!
//! **For flows.** Issuing cannot be looked for afterwards, as the token is gone: after a takeover, revoke what the
//! reference has and issue anew.

mod audience;
mod store;
mod token;
mod visit;

use std::{collections::BTreeMap, num::NonZeroU32};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use audience::{Audience, Visitor};
pub use token::{LinkId, Token};
pub use visit::{Answer, Purpose};

use crate::{
    audit::{AuditEvent, EventType, Outcome},
    ledger::Ledger,
};

/// The links of one deployment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Links {
    ledger: Ledger,
}

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The bucket.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// The version; without it, whatever the key holds when somebody comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The name the download is saved under.
    pub file_name: String,
    /// Its media type.
    pub content_type: String,
    /// SHA-256 of the content in hexadecimal, for the audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Whose link it is and what it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The flow that issues it.
    pub flow: String,
    /// What the flow issues it for, such as node and version: all links of a reference can be revoked together.
    pub reference: String,
    /// The asset whose audit chain tells of it.
    pub asset: String,
}

/// A link to be issued.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// What it leads to.
    pub target: Target,
    /// The moment from which on it is expired.
    pub valid_until: Timestamp,
    /// How often it may be used; without it, as often as anybody likes.
    pub uses: Option<NonZeroU32>,
    /// For whom it is.
    pub audience: Audience,
    /// Whose it is.
    pub origin: Origin,
}

/// A link that was issued.
#[derive(Debug, Clone)]
pub struct Issued {
    /// What goes into its address. It is not kept: whoever needs it later must be given it now.
    pub token: Token,
    /// Its name, for revoking it and in the audit.
    pub id: LinkId,
}

/// A link as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub id: LinkId,
    /// What it leads to.
    pub target: Target,
    /// Milliseconds since the epoch from which on it is expired.
    pub valid_until: i64,
    /// How often it may be used.
    pub uses: Option<u32>,
    /// How often it was.
    pub used: u32,
    /// Whether it was taken back.
    pub revoked: bool,
    /// For whom it is.
    pub audience: Audience,
    /// Whose it is.
    pub origin: Origin,
}

/// Why a link leads nowhere any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was taken back.
    Revoked,
    /// Its time is over.
    Expired,
    /// Its uses are used up.
    UsedUp,
}

impl Link {
    /// Why it leads nowhere at this moment, if it does not; `resuming` is for a client whose use has begun.
    pub fn ended(&self, now: i64, resuming: bool) -> Option<Ended> {
        if self.revoked {
            Some(Ended::Revoked)
        } else if now >= self.valid_until {
            Some(Ended::Expired)
        } else if !resuming && self.uses.is_some_and(|uses| self.used >= uses) {
            Some(Ended::UsedUp)
        } else {
            None
        }
    }

    fn event(
        &self,
        event_type: EventType,
        when: Timestamp,
        agent: &str,
        detail: impl IntoIterator<Item = (&'static str, String)>,
    ) -> AuditEvent {
        let mut detail: BTreeMap<String, String> =
            detail.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        detail.insert("link".to_owned(), self.id.short().to_owned());
        AuditEvent {
            asset: self.origin.asset.clone(),
            event_type,
            event_date_time: when.to_string(),
            outcome: Outcome::Success,
            agent: format!("waybill {agent} {}", env!("CARGO_PKG_VERSION")),
            item: format!("{} {}", self.origin.flow, self.origin.reference),
            message_digest: self.target.sha256.clone(),
            detail,
        }
    }
}

impl Links {
    /// The links in a ledger.
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger }
    }
}
