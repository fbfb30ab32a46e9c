use std::fmt;

use serde::Deserialize;

use crate::error::{Error, Result};

/// Who calls, as the secret holds it: one JSON object whose `mode` says how the door is opened.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Credential {
    /// A user of OTMM.
    Password {
        /// Login name.
        username: String,
        /// Password.
        password: String,
    },
    /// A user of the directory service, whose ticket opens the session.
    DirectoryTicket {
        /// Login name.
        username: String,
        /// Password.
        password: String,
    },
    /// A header that what stands before OTMM trusts, or sets itself when none is given.
    RemoteUser {
        /// The header's name.
        #[serde(default)]
        header: String,
        /// What it says.
        #[serde(default)]
        value: String,
    },
    /// A token that OTMM gives for a user and an OAuth client.
    OauthPassword {
        /// Login name.
        username: String,
        /// Password.
        password: String,
        /// Client id.
        client_id: String,
        /// Client secret.
        client_secret: String,
    },
    /// A token that the directory service gives to an OAuth client.
    OauthClient {
        /// Client id.
        client_id: String,
        /// Client secret.
        client_secret: String,
    },
    /// A token that the directory service gives for a refresh token, which somebody got by signing in once.
    OauthRefresh {
        /// Client id.
        client_id: String,
        /// Client secret; empty for a public client.
        #[serde(default)]
        client_secret: String,
        /// The refresh token. Where each use gives a new one, the new one is kept as long as the process lives.
        refresh_token: String,
    },
}

impl Credential {
    /// Reads the JSON of a secret.
    ///
    /// # Errors
    /// A configuration error. It does not repeat what the secret holds.
    pub fn from_json(secret: &str) -> Result<Self> {
        let parsed: Result<Self, serde_json::Error> = serde_json::from_str(secret);
        let described = match parsed {
            Ok(credential) if credential.is_whole() => return Ok(credential),
            Ok(_) => "has a field that is empty or no header can hold".to_owned(),
            Err(error) => format!("is not understood (line {}, column {})", error.line(), error.column()),
        };
        Err(Error::configuration("otmm.credential", format!("the OTMM secret {described}")).remedy(
            "store {\"mode\":\"password\",\"username\":…,\"password\":…}, or the same with mode \
             directory-ticket, or mode oauth-password, oauth-client, oauth-refresh or remote-user with its fields",
        ))
    }

    fn is_whole(&self) -> bool {
        let is_name = |text: &str| http::HeaderName::from_bytes(text.as_bytes()).is_ok();
        match self {
            Self::Password { username, password } | Self::DirectoryTicket { username, password } => {
                are_filled(&[username, password])
            }
            Self::RemoteUser { header, value } => {
                (header.is_empty() && value.is_empty())
                    || (is_name(header) && !value.is_empty() && http::HeaderValue::from_str(value).is_ok())
            }
            Self::OauthPassword { username, password, client_id, client_secret } => {
                are_filled(&[username, password, client_id, client_secret])
            }
            Self::OauthClient { client_id, client_secret } => are_filled(&[client_id, client_secret]),
            Self::OauthRefresh { client_id, client_secret: _, refresh_token } => {
                are_filled(&[client_id, refresh_token])
            }
        }
    }

    fn mode(&self) -> &'static str {
        match self {
            Self::Password { .. } => "password",
            Self::DirectoryTicket { .. } => "directory-ticket",
            Self::RemoteUser { .. } => "remote-user",
            Self::OauthPassword { .. } => "oauth-password",
            Self::OauthClient { .. } => "oauth-client",
            Self::OauthRefresh { .. } => "oauth-refresh",
        }
    }
}

/// A trailing line break in a secret is the usual way to be refused and not know why.
fn are_filled(texts: &[&String]) -> bool {
    texts.iter().all(|text| !text.is_empty() && !text.ends_with(['\n', '\r']))
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credential").field("mode", &self.mode()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_in_each_mode_and_never_shown() {
        for secret in [
            r#"{"mode":"password","username":"hush","password":"hush-hush"}"#,
            r#"{"mode":"directory-ticket","username":"hush","password":"hush-hush"}"#,
            r#"{"mode":"remote-user"}"#,
            r#"{"mode":"remote-user","header":"X-User","value":"hush"}"#,
            r#"{"mode":"oauth-password","username":"hush","password":"hush","client_id":"c","client_secret":"hush"}"#,
            r#"{"mode":"oauth-client","client_id":"c","client_secret":"hush"}"#,
            r#"{"mode":"oauth-refresh","client_id":"c","refresh_token":"hush"}"#,
        ] {
            let credential = Credential::from_json(secret).unwrap();
            assert!(secret.contains(credential.mode()));
            assert!(!format!("{credential:?}").contains("hush"));
        }
    }

    #[test]
    fn a_broken_secret_is_refused_without_repeating_it() {
        for secret in [
            r#"{"mode":"hush-hush","password":"hush-hush"}"#,
            r#"{"mode":"password","username":"hush","password":""}"#,
            r#"{"mode":"password","username":"hush","password":"hush\n"}"#,
            r#"{"mode":"password","username":"hush"}"#,
            r#"{"mode":"remote-user","header":"X User","value":"hush"}"#,
            r#"{"mode":"oauth-client","client_id":"c","client_secret":"hush","more":"hush"}"#,
        ] {
            let error = Credential::from_json(secret).unwrap_err();
            assert_eq!(error.code(), "otmm.credential");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}
