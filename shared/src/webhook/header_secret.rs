//! Who may call us when nothing is signed: a secret in a header, which the sender was told to send along.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Secrets;
use crate::error::{Error, Result};

/// The fewest characters of a secret.
const SHORTEST: usize = 24;
/// What the secrets are hashed under, so that two of different lengths are compared like two of the same.
const LABEL: &[u8] = b"waybill header secret";

/// The secrets a sender may send, current and previous. Only their hashes are kept.
#[derive(Clone)]
pub struct HeaderSecret {
    tags: Vec<Vec<u8>>,
}

impl HeaderSecret {
    /// From the text of a secret: `{"current": "…", "previous": "…"}`. While senders change over, both count.
    ///
    /// # Errors
    /// When it is not that, or one has fewer than 24 characters or any that do not fit into a header.
    pub fn from_json(text: &str) -> Result<Self> {
        let refused = |what: &str| {
            Error::configuration("webhook.secret", format!("the secret for the header {what}"))
                .remedy(r#"store {"current": "<at least 24 random letters and digits>"}, and "previous" while changing over"#)
        };
        let secrets = Secrets::parse(text).ok_or_else(|| refused("is not the JSON that was expected"))?;
        let tags = secrets.all().map(|secret| {
            if secret.len() < SHORTEST || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(refused("is shorter than 24 characters, or has one that a header cannot carry"));
            }
            tag(secret.as_bytes())
                .map(|mac| mac.finalize().into_bytes().to_vec())
                .ok_or_else(|| refused("cannot be hashed"))
        });
        Ok(Self { tags: tags.collect::<Result<_>>()? })
    }

    /// Whether this is one of them. It takes as long whichever it is, and wherever a wrong one differs.
    pub fn is_right(&self, presented: &[u8]) -> bool {
        self.tags.iter().fold(false, |right, known| {
            let same = tag(presented).is_some_and(|tag| tag.verify_slice(known).is_ok());
            right | same
        })
    }
}

fn tag(secret: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(LABEL).ok()?;
    mac.update(secret);
    Some(mac)
}

impl std::fmt::Debug for HeaderSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("HeaderSecret").field("secrets", &self.tags.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "kR3nVd8sQm1xZt7bLw5cYf2h";
    const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn current_and_previous_count_and_nothing_near_them_does() {
        let both =
            HeaderSecret::from_json(&format!(r#"{{"current": "{NEW}", "previous": "{OLD}"}}"#)).unwrap();
        assert!(both.is_right(NEW.as_bytes()) && both.is_right(OLD.as_bytes()));
        let longer = format!("{NEW}x");
        let near = ["", &NEW[1..], &NEW[..23], longer.as_str(), "KR3nVd8sQm1xZt7bLw5cYf2h"];
        for wrong in near {
            assert!(!both.is_right(wrong.as_bytes()), "{wrong:?}");
        }
        let after = HeaderSecret::from_json(&format!(r#"{{"current": "{NEW}", "previous": ""}}"#)).unwrap();
        assert!(!after.is_right(OLD.as_bytes()) && !after.is_right(b""));
    }

    #[test]
    fn a_secret_that_can_be_guessed_or_sent_by_nobody_is_refused_without_being_shown() {
        for text in [
            "",
            "{}",
            r#"{"current": "QUFBQUFB"}"#,
            r#"{"current": "QUFBQUFB QUFBQUFBQUFBQUFBQUFB"}"#,
            r#"{"current": "QUFBQUFBäQUFBQUFBQUFBQUFBQUFB"}"#,
            r#"{"current": "kR3nVd8sQm1xZt7bLw5cYf2h", "previous": "QUFB"}"#,
            r#"{"current": "kR3nVd8sQm1xZt7bLw5cYf2h", "next": "QUFB"}"#,
        ] {
            let error = HeaderSecret::from_json(text).unwrap_err();
            assert_eq!(error.code(), "webhook.secret", "{text}");
            assert!(!format!("{error:?}").contains("QUFB"), "{error:?}");
        }
        let one = HeaderSecret::from_json(&format!(r#"{{"current": "{NEW}"}}"#)).unwrap();
        assert!(!format!("{one:?}").contains("kR3n"), "{one:?}");
    }
}
