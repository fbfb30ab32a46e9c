use std::time::Duration;

use serde::Deserialize;

use crate::error::{Error, Result};

/// How a token is renewed before it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Renewal {
    /// By logging in again. A login ends no other token, so that what is under way with the old one goes on.
    #[default]
    Login,
    /// With the refresh token. Whether that ends the old token at once the vendor does not say.
    Refresh,
}

/// How one tenant differs from the common case. What the vendor leaves open is here.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The address up to but without `/api`: `https://eu.preservica.com`.
    pub base_url: String,
    /// Asks the entity interface for the namespaces of one version, `6.2` or later; for those of the running one when empty.
    /// Both are understood.
    pub entity_version: String,
    /// How a token is renewed.
    pub renewal: Renewal,
    /// Seconds that a token lives, where the answer to a login does not say.
    pub token_seconds: u64,
    /// Seconds before its end at which a token is renewed.
    pub token_margin_seconds: u64,
    /// Seconds during which a refused credential is not shown again.
    pub refused_credential_pause_seconds: u64,
    /// A token older than so many seconds is renewed once when it meets a 403: that is how some servers answer one that has
    /// ended.
    pub forbidden_renews_after_seconds: u64,
    /// Entries asked for at once. The most that is taken is not documented; 1000 was seen.
    pub page_size: u32,
    /// Seconds by which a list of changes begins earlier than asked: whether it includes its first moment, and how fine its
    /// times are, is not documented.
    pub change_overlap_seconds: u64,
    /// Statuses with which a download of what lies in cold storage is answered. Not documented; none when empty.
    pub cold_statuses: Vec<u16>,
    /// Seconds before what lies in cold storage is asked for again.
    pub cold_pause_seconds: u64,
    /// Packages up to this size go up in one request.
    pub single_upload_bytes: u64,
    /// Size of a part, in bytes; larger where a package would need more than 2,000.
    pub part_bytes: u64,
    /// Parts sent at the same time.
    pub parts_at_once: usize,
    /// Seconds between two questions for progress.
    pub progress_seconds: u64,
    /// Bytes per second below which a transfer counts as stuck.
    pub slowest_transfer: u64,
    /// Times a download that broke off goes on without a byte in between, before it is given up.
    pub download_resumptions: u32,
    /// Attempts in all of a call that may be repeated.
    pub attempts: u32,
    /// Seconds without an answer after which a call is given up.
    pub answer_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            entity_version: String::new(),
            renewal: Renewal::default(),
            token_seconds: 900,
            token_margin_seconds: 180,
            refused_credential_pause_seconds: 30,
            forbidden_renews_after_seconds: 60,
            page_size: 100,
            change_overlap_seconds: 60,
            cold_statuses: Vec::new(),
            cold_pause_seconds: 3600,
            single_upload_bytes: 32 << 20,
            part_bytes: 8 << 20,
            parts_at_once: 4,
            progress_seconds: 5,
            slowest_transfer: 256 * 1024,
            download_resumptions: 4,
            attempts: 3,
            answer_seconds: 62,
        }
    }
}

impl Settings {
    /// The defaults for the server at an address.
    pub fn at(base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), ..Self::default() }
    }

    /// Checks what can be checked without calling anybody.
    ///
    /// # Errors
    /// A configuration error that names the field.
    pub fn validate(&self) -> Result<()> {
        let wrong = |field: &str, message: String, remedy: &str| {
            Err(Error::configuration("preservica.settings", message).field(field).remedy(remedy))
        };
        let address = url::Url::parse(&self.base_url).ok();
        let is_address = address.is_some_and(|address| {
            matches!(address.scheme(), "http" | "https")
                && address.has_host()
                && address.query().is_none()
                && address.path() == "/"
        });
        if !is_address {
            let message = format!(
                "the Preservica address {:?} is not an http(s) address without a path",
                self.base_url
            );
            return wrong(
                "base_url",
                message,
                "give the server's address, for example https://eu.preservica.com",
            );
        }
        let numbers = self.entity_version.split_once('.');
        let is_version = numbers.is_some_and(|(major, minor)| {
            major.parse::<u8>().is_ok_and(|major| major >= 6) && minor.parse::<u8>().is_ok()
        });
        if !self.entity_version.is_empty() && !is_version {
            let message = format!("entity_version is {:?}, and has to be like 6.2", self.entity_version);
            return wrong("entity_version", message, "leave it out for the running version");
        }
        if !(1..=1000).contains(&self.page_size) {
            let message = format!("page_size is {}, and has to be between 1 and 1000", self.page_size);
            return wrong("page_size", message, "leave it out for 100");
        }
        if self.part_bytes < 5 << 20 || self.parts_at_once == 0 {
            let message = "part_bytes has to be at least 5 MiB and parts_at_once at least 1".to_owned();
            return wrong("part_bytes", message, "leave them out for 8 MiB and 4");
        }
        Ok(())
    }

    pub(super) fn answer(&self) -> Duration {
        Duration::from_secs(self.answer_seconds)
    }

    /// How long the transfer of so many bytes may take.
    pub(super) fn transfer_time(&self, bytes: u64) -> Duration {
        Duration::from_secs(self.answer_seconds + bytes / self.slowest_transfer.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_settings_are_refused_by_field_before_anybody_is_called() {
        let at = || Settings::at("https://eu.preservica.com");
        at().validate().unwrap();
        Settings { entity_version: "8.3".to_owned(), ..at() }.validate().unwrap();
        let cases = [
            (Settings::at("eu.preservica.com"), "base_url"),
            (Settings::at("https://eu.preservica.com/api"), "base_url"),
            (Settings { entity_version: "v8".to_owned(), ..at() }, "entity_version"),
            (Settings { page_size: 5000, ..at() }, "page_size"),
            (Settings { part_bytes: 1024, ..at() }, "part_bytes"),
        ];
        for (settings, field) in cases {
            let error = settings.validate().unwrap_err();
            assert_eq!((error.code(), error.field_name()), ("preservica.settings", Some(field)));
        }
    }
}
