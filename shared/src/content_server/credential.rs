use std::fmt;

use serde::Deserialize;

use crate::error::{Error, Result};

/// Who signs in, as the secret holds it: one JSON object whose `mode` says which kind it is.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Credential {
    /// A user of Content Server itself.
    Password {
        /// Log-in name.
        username: String,
        /// Password.
        password: String,
        /// Domain, where the server uses them.
        #[serde(default)]
        domain: Option<String>,
    },
    /// An OAuth client of the directory service.
    OtdsClient {
        /// Address of the directory service, for example `https://otds.example.com/otdsws`.
        otds_url: String,
        /// Client id.
        client_id: String,
        /// Client secret.
        client_secret: String,
    },
    /// A user of the directory service.
    OtdsUser {
        /// Address of the directory service.
        otds_url: String,
        /// Log-in name, with its partition where needed.
        username: String,
        /// Password.
        password: String,
    },
    /// A token of the directory service that somebody else renews.
    Bearer {
        /// The token.
        token: String,
    },
}

impl Credential {
    /// Reads the JSON of a secret.
    ///
    /// # Errors
    /// A configuration error. It does not repeat what the secret holds.
    pub fn from_json(secret: &str) -> Result<Self> {
        serde_json::from_str(secret).map_err(|error| {
            Error::configuration(
                "content-server.credential",
                format!(
                    "the Content Server secret is not understood (line {}, column {})",
                    error.line(),
                    error.column()
                ),
            )
            .remedy(
                "store {\"mode\":\"password\",\"username\":…,\"password\":…}, or mode otds-client, otds-user or \
                 bearer with their fields",
            )
        })
    }

    fn mode(&self) -> &'static str {
        match self {
            Self::Password { .. } => "password",
            Self::OtdsClient { .. } => "otds-client",
            Self::OtdsUser { .. } => "otds-user",
            Self::Bearer { .. } => "bearer",
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
            r#"{"mode":"password","username":"svc","password":"hush-hush"}"#,
            r#"{"mode":"otds-client","otds_url":"https://d/otdsws","client_id":"c","client_secret":"hush-hush"}"#,
            r#"{"mode":"otds-user","otds_url":"https://d/otdsws","username":"u","password":"hush-hush"}"#,
            r#"{"mode":"bearer","token":"hush-hush"}"#,
        ] {
            let credential = Credential::from_json(secret).unwrap();
            let shown = format!("{credential:?}");
            assert!(secret.contains(credential.mode()));
            assert!(!shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn a_broken_secret_is_refused_without_repeating_it() {
        let error = Credential::from_json(r#"{"mode":"hush-hush","password":"hush-hush"}"#).unwrap_err();
        let shown = format!("{error:?}");
        assert_eq!(error.code(), "content-server.credential");
        assert!(!shown.contains("hush"), "{shown}");
    }
}
