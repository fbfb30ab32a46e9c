use std::fmt;

use serde::Deserialize;

use crate::error::{Error, Result};

/// Who calls, as the secret holds it: one JSON object.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Login name.
    pub username: String,
    /// Password.
    pub password: String,
    /// The tenant, where one user is in several.
    #[serde(default)]
    pub tenant: Option<String>,
}

impl Credential {
    /// Reads the JSON of a secret.
    ///
    /// # Errors
    /// A configuration error. It does not repeat what the secret holds.
    pub fn from_json(secret: &str) -> Result<Self> {
        let parsed: Result<Self, serde_json::Error> = serde_json::from_str(secret);
        let described = match parsed {
            Ok(credential) if !credential.username.is_empty() && !credential.password.is_empty() => {
                return Ok(credential);
            }
            Ok(_) => "has an empty field".to_owned(),
            Err(error) => format!("is not understood (line {}, column {})", error.line(), error.column()),
        };
        Err(Error::configuration("preservica.credential", format!("the Preservica secret {described}"))
            .remedy("store {\"username\":…,\"password\":…}, and \"tenant\" where the user is in several"))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credential").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_and_neither_it_nor_a_broken_one_is_shown() {
        let credential =
            Credential::from_json(r#"{"username":"hush","password":"hush-hush","tenant":"DEMO"}"#).unwrap();
        assert!(!format!("{credential:?}").contains("hush"));
        for secret in [
            r#"{"username":"hush","password":""}"#,
            r#"{"username":"hush-hush"}"#,
            r#"{"username":"hush","password":"hush","mode":"hush"}"#,
        ] {
            let error = Credential::from_json(secret).unwrap_err();
            assert_eq!(error.code(), "preservica.credential");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}
