use std::fmt;

use serde::Deserialize;

use crate::error::{Error, Result};

/// Who calls, as the secret holds it: one JSON object whose `mode` says which kind it is.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Credential {
    /// The token of an application, which acts for one user. When it ends is the tenant's business; nothing renews it.
    ApplicationToken {
        /// Id of the application.
        app_id: String,
        /// The token.
        auth_token: String,
    },
    /// An OAuth client, which fetches its tokens itself.
    OauthClient {
        /// Client id, which is the application's.
        client_id: String,
        /// Client secret.
        client_secret: String,
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
            Ok(credential) if credential.is_filled() => return Ok(credential),
            Ok(_) => "has a field that is empty or no header can hold".to_owned(),
            Err(error) => format!("is not understood (line {}, column {})", error.line(), error.column()),
        };
        Err(Error::configuration("iconik.credential", format!("the iconik secret {described}")).remedy(
            "store {\"mode\":\"application-token\",\"app_id\":…,\"auth_token\":…} or \
             {\"mode\":\"oauth-client\",\"client_id\":…,\"client_secret\":…}",
        ))
    }

    /// A trailing line break in a secret is the usual way to call without a credential and not know why.
    fn is_filled(&self) -> bool {
        let (Self::ApplicationToken { app_id: one, auth_token: other }
        | Self::OauthClient { client_id: one, client_secret: other }) = self;
        [one, other].iter().all(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
    }

    fn mode(&self) -> &'static str {
        match self {
            Self::ApplicationToken { .. } => "application-token",
            Self::OauthClient { .. } => "oauth-client",
        }
    }
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
            r#"{"mode":"application-token","app_id":"a","auth_token":"hush-hush"}"#,
            r#"{"mode":"oauth-client","client_id":"c","client_secret":"hush-hush"}"#,
        ] {
            let credential = Credential::from_json(secret).unwrap();
            assert!(secret.contains(credential.mode()));
            assert!(!format!("{credential:?}").contains("hush"));
        }
    }

    #[test]
    fn a_broken_secret_is_refused_without_repeating_it() {
        for secret in [
            r#"{"mode":"hush-hush","auth_token":"hush-hush"}"#,
            r#"{"mode":"application-token","app_id":"a","auth_token":"hush-hush\n"}"#,
            r#"{"mode":"application-token","app_id":"","auth_token":"hush-hush"}"#,
            r#"{"mode":"oauth-client","client_id":"c"}"#,
        ] {
            let error = Credential::from_json(secret).unwrap_err();
            assert_eq!(error.code(), "iconik.credential");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}
