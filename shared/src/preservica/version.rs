//! What the server is: its version decides the namespaces that are written, and what it offers.

use std::fmt;

use super::{
    Client,
    call::Call,
    error::{Effect, failure, unexpected},
    xml::{ENTITY, XIP},
};
use crate::error::{FailureClass, Result};

/// A version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
}

impl Version {
    /// From `8.3.0`; two or three numbers.
    pub fn read(text: &str) -> Option<Self> {
        let mut numbers = text.trim().split('.').map(str::parse::<u32>);
        let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        numbers.all(|number| number.is_ok()).then_some(Self { major, minor })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

/// The call needs a later version.
pub const NEEDS_VERSION: &str = "preservica.needs-version";

impl Client {
    /// The server's version, which is asked for once.
    ///
    /// # Errors
    /// As any call.
    pub async fn version(&self) -> Result<Version> {
        let ask = || async {
            // Of the running version, whichever one is asked for otherwise.
            let call = Call::get("get version", &["entity", "versiondetails", "version"]).elsewhere();
            let root = self.ask_xml(&call).await?;
            let found = root.search("", "CurrentVersion").and_then(|found| Version::read(&found.content()));
            found.ok_or_else(|| unexpected(call.operation(), Effect::Read, "no CurrentVersion in it"))
        };
        self.version.get_or_try_init(ask).await.copied()
    }

    /// Fails unless the server is of this version or later.
    pub(super) async fn needs(&self, operation: &'static str, major: u32, minor: u32) -> Result<()> {
        let (has, least) = (self.version().await?, Version { major, minor });
        if has >= least {
            return Ok(());
        }
        let message = format!("this Preservica is {has}; the call is offered since {least}");
        Err(failure(FailureClass::Forbidden, operation, NEEDS_VERSION, message).remedy("upgrade Preservica"))
    }

    /// The namespace of what is archived, as this server writes it.
    pub(super) async fn xip_namespace(&self) -> Result<String> {
        Ok(format!("{XIP}{}", self.namespace_version().await?))
    }

    /// The namespace of the entity interface, as this server writes it.
    pub(super) async fn entity_namespace(&self) -> Result<String> {
        Ok(format!("{ENTITY}{}", self.namespace_version().await?))
    }

    async fn namespace_version(&self) -> Result<String> {
        if !self.settings.entity_version.is_empty() {
            return Ok(format!("v{}", self.settings.entity_version));
        }
        let version = self.version().await?;
        // 6.1 brought no namespace of its own.
        Ok(match version {
            Version { major: 6, minor: 1 } => "v6.0".to_owned(),
            version => format!("v{version}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_two_or_three_numbers_and_an_order() {
        let read = |text| Version::read(text);
        assert_eq!(read("8.3.0"), Some(Version { major: 8, minor: 3 }));
        assert_eq!(read("6.10").map(|version| version.to_string()).as_deref(), Some("6.10"));
        assert!(read("10.0") > read("9.1") && read("9.1") > read("9.0.9"));
        for text in ["", "8", "8.x", "8.3.x", "v8.3"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
