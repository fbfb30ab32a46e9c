//! The certificate of a destruction: a document that says what was destroyed, on whose decision, and that no hold was in
//! force; with the audit chain of the asset up to then. Together with that chain it is checked without us, offline.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::{
    audit::{self, Tampering},
    error::{Error, Result},
};

use super::review::Decision;

/// What a certificate calls itself.
pub const FORMAT: &str = "waybill-certificate-of-destruction/1";

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificate {
    /// What it is: [`FORMAT`].
    pub format: String,
    /// Its number, which follows from the asset, its status and the step.
    pub number: String,
    /// When it was written.
    pub issued_at: String,
    /// By what.
    pub agent: String,
    /// By which rule.
    pub rule: String,
    /// The asset as it was before anything was destroyed.
    pub asset: AssetRecord,
    /// Its documents in Content Server as they were.
    pub documents: Vec<DocumentRecord>,
    /// The decision.
    pub decision: Decision,
    /// The last look for holds before anything was destroyed.
    pub holds: HoldRecord,
    /// What was destroyed.
    pub destroyed: Vec<Destroyed>,
    /// The audit chain of the asset up to then.
    pub audit: AuditRecord,
}

/// An asset as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssetRecord {
    /// Its id in iconik.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The status for which a decision was asked.
    pub status: String,
    /// Which of its statuses that was.
    pub status_revision: u64,
    /// Its files.
    pub files: Vec<FileRecord>,
}

/// A file as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileRecord {
    /// Its id in iconik.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its size, where iconik says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Its checksum, as iconik says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// A document as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DocumentRecord {
    /// Its number.
    pub node: i64,
    /// Its name.
    pub name: String,
    /// Sizes of its versions, by number.
    pub versions: Vec<VersionRecord>,
    /// Whether it was removed, or left to Content Server.
    pub removed: bool,
}

/// A version of a document as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VersionRecord {
    /// Its number.
    pub number: i64,
    /// Its size, where Content Server says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A look for holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HoldRecord {
    /// When.
    pub looked_at: String,
    /// Over which documents, with every container they are in.
    pub nodes: Vec<i64>,
    /// Whether one was in force. It was not, or there would be no certificate.
    pub in_force: bool,
}

/// Something that was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Destroyed {
    /// What: `iconik asset`, `content server document`.
    pub what: String,
    /// Which.
    pub id: String,
    /// When it was found destroyed.
    pub at: String,
    /// How.
    pub how: String,
}

/// The audit chain up to the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditRecord {
    /// The chain's name.
    pub chain: String,
    /// Its events, one canonical line each.
    pub events: Vec<String>,
    /// The hash of the last of them.
    pub end: String,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// It is no certificate.
    #[error("it is no certificate: {0}")]
    Unreadable(String),
    /// The audit events in it do not hold together.
    #[error("the audit events in it: {0}")]
    Events(Tampering),
    /// The chain does not hold together.
    #[error("the audit chain: {0}")]
    Chain(Tampering),
    /// The chain does not begin with the events in the certificate.
    #[error("the audit chain does not begin with the events in the certificate")]
    Other,
    /// No event of the chain knows this certificate.
    #[error(
        "no event of the audit chain has the SHA-256 of this certificate: it was changed, or is another one"
    )]
    Unknown,
}

impl Certificate {
    /// Its text, as it is filed.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which is a defect.
    pub fn text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self);
        let text = text
            .map_err(|error| Error::bug("write certificate", "it cannot be written as JSON").source(error))?;
        Ok(text + "\n")
    }
}

/// SHA-256 of a certificate as it is filed.
pub fn digest(text: &[u8]) -> String {
    hex::encode(Sha256::digest(text))
}

/// Checks a certificate against an export of the asset's audit chain, one canonical event per line, offline. `noted_end`
/// is the hash of the chain's last event as noted elsewhere.
///
/// # Errors
/// The first doubt.
pub fn verify(text: &[u8], chain: &str, noted_end: Option<&str>) -> std::result::Result<Certificate, Doubt> {
    let certificate: Certificate =
        serde_json::from_slice(text).map_err(|error| Doubt::Unreadable(error.to_string()))?;
    if certificate.format != FORMAT {
        return Err(Doubt::Unreadable(format!("it calls itself {:?}", certificate.format)));
    }
    let begun = certificate.audit.events.join("\n");
    audit::verify(&begun, Some(&certificate.audit.end)).map_err(Doubt::Events)?;
    let whole = audit::inspect(chain, noted_end).map_err(Doubt::Chain)?;
    let is_its_own = whole.asset.as_deref() == Some(certificate.audit.chain.as_str());
    if !is_its_own || !chain.split('\n').take(certificate.audit.events.len()).eq(&certificate.audit.events) {
        return Err(Doubt::Other);
    }
    let digest = digest(text);
    let knows_it = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        event.get("messageDigest").and_then(|found| found.as_str()) == Some(digest.as_str())
    };
    if chain.split('\n').skip(certificate.audit.events.len()).any(knows_it) {
        return Ok(certificate);
    }
    Err(Doubt::Unknown)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use shared::audit::{AuditEvent, EventType, Outcome};

    use super::*;
    use crate::disposition_rules::Outcome as Decided;

    /// A chain of events, each with the digest of something.
    fn chain(digests: &[Option<String>]) -> (Vec<String>, String) {
        let (mut lines, mut end) = (Vec::new(), String::new());
        for (index, digest) in digests.iter().enumerate() {
            let event = AuditEvent {
                asset: "a1".into(),
                event_type: EventType::Ingestion,
                event_date_time: "2031-05-06T07:08:09Z".into(),
                outcome: Outcome::Success,
                agent: "waybill request-disposition".into(),
                item: format!("item {index}"),
                message_digest: digest.clone(),
                detail: BTreeMap::new(),
            };
            let sealed = event.seal(index as u64 + 1, &end).unwrap();
            end.clone_from(&sealed.hash);
            lines.push(sealed.canonical().unwrap());
        }
        (lines, end)
    }

    fn certificate() -> Certificate {
        let (events, end) = chain(&[None, None]);
        let decision = Decision {
            outcome: Decided::Destroy,
            word: "Destroy".into(),
            place: "workflow 7, step Decide".into(),
            by: None,
            people: Vec::new(),
            at: None,
            comment: String::new(),
        };
        Certificate {
            format: FORMAT.into(),
            number: "n".into(),
            issued_at: "2031-05-06T07:08:09Z".into(),
            agent: "waybill".into(),
            rule: "obsolete".into(),
            asset: AssetRecord {
                id: "asset".into(),
                title: "t".into(),
                status: "obsolete".into(),
                status_revision: 1,
                files: Vec::new(),
            },
            documents: Vec::new(),
            decision,
            holds: HoldRecord { looked_at: "2031-05-06T07:08:09Z".into(), nodes: vec![1], in_force: false },
            destroyed: Vec::new(),
            audit: AuditRecord { chain: "a1".into(), events, end },
        }
    }

    #[test]
    fn a_certificate_is_checked_against_its_chain_and_nothing_else() {
        let text = certificate().text().unwrap().into_bytes();
        let (lines, end) = chain(&[None, None, Some(digest(&text)), None]);
        assert_eq!(verify(&text, &lines.join("\n"), Some(&end)), Ok(certificate()));

        // One that was changed by a letter, wherever.
        let changed = String::from_utf8(text.clone()).unwrap().replace("\"t\"", "\"u\"");
        assert_eq!(verify(changed.as_bytes(), &lines.join("\n"), Some(&end)), Err(Doubt::Unknown));
        // A chain that does not know it, or is cut, or another one's.
        let (without, end_without) = chain(&[None, None, None]);
        assert_eq!(verify(&text, &without.join("\n"), Some(&end_without)), Err(Doubt::Unknown));
        let cut = lines[..2].join("\n");
        assert_eq!(verify(&text, &cut, Some(&end)), Err(Doubt::Chain(Tampering::End)));
        let (other, end_other) = chain(&[Some("x".into()), None, Some(digest(&text))]);
        assert_eq!(verify(&text, &other.join("\n"), Some(&end_other)), Err(Doubt::Other));
        // Events in it that do not hold together.
        let mut broken = certificate();
        broken.audit.events.swap(0, 1);
        let text = broken.text().unwrap().into_bytes();
        assert!(matches!(verify(&text, &lines.join("\n"), Some(&end)), Err(Doubt::Events(_))));
        assert!(matches!(verify(b"{}", "", None), Err(Doubt::Unreadable(_))));
    }
}
