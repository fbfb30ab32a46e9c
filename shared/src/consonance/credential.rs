use std::fmt;

use serde::Deserialize;

use crate::error::{Error, Result};

/// Who calls, as the secret holds it. Whether one key opens both interfaces is for the account to say, so there can be one
/// for each; keys are issued by the vendor's support and are not renewed by themselves.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// The key of the GraphQL interface.
    #[serde(default)]
    pub graphql_key: String,
    /// The token of the REST interface.
    #[serde(default)]
    pub rest_token: String,
}

impl Credential {
    /// Reads the JSON of a secret.
    ///
    /// # Errors
    /// A configuration error. It does not repeat what the secret holds.
    pub fn from_json(secret: &str) -> Result<Self> {
        let parsed: Result<Self, serde_json::Error> = serde_json::from_str(secret);
        let described = match parsed {
            Ok(credential) if credential.is_right() => return Ok(credential),
            Ok(_) => "has no key, or one that no header can hold".to_owned(),
            Err(error) => format!("is not understood (line {}, column {})", error.line(), error.column()),
        };
        Err(Error::configuration("consonance.credential", format!("the Consonance secret {described}"))
            .remedy("store {\"graphql_key\":…,\"rest_token\":…}; one of them is enough"))
    }

    /// A trailing line break in a secret is the usual way to call without a credential and not know why.
    fn is_right(&self) -> bool {
        let keys = [&self.graphql_key, &self.rest_token];
        keys.iter().any(|key| !key.is_empty())
            && keys
                .iter()
                .all(|key| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(&byte)))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credential")
            .field("graphql", &!self.graphql_key.is_empty())
            .field("rest", &!self.rest_token.is_empty())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_and_never_shown() {
        for secret in [
            r#"{"graphql_key":"hushhush","rest_token":"hushhush"}"#,
            r#"{"graphql_key":"hushhush"}"#,
            r#"{"rest_token":"hushhush"}"#,
        ] {
            let credential = Credential::from_json(secret).unwrap();
            assert!(!format!("{credential:?}").contains("hush"));
        }
    }

    #[test]
    fn a_broken_secret_is_refused_without_repeating_it() {
        for secret in [
            "hushhush",
            "{}",
            r#"{"graphql_key":""}"#,
            r#"{"graphql_key":"hushhush\n"}"#,
            r#"{"rest_token":"hush\"hush"}"#,
            r#"{"graphql_key":"a","hush":"b"}"#,
        ] {
            let error = Credential::from_json(secret).unwrap_err();
            assert_eq!(error.code(), "consonance.credential", "{secret}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}
