use std::time::Duration;

use serde::Deserialize;

use crate::error::{Error, Result};

/// How a token that came by OAuth is shown. The vendor documents the two headers for tokens of applications only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OauthHeader {
    /// `App-ID` and `Auth-Token`, as every other token.
    #[default]
    AuthToken,
    /// `Authorization: Bearer`.
    Bearer,
    /// Both.
    Both,
}

/// How one tenant differs from the common case. What the vendor leaves open is here.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The address up to but without `/API`. It decides the region: `https://app.iconik.io`, `eu`, `us`,
    /// `app.aws`, `eu.aws`, `us.aws`. The global ones may read in another region than they wrote in.
    pub base_url: String,
    /// How a token that came by OAuth is shown.
    pub oauth_header: OauthHeader,
    /// The scope asked for with OAuth; none is sent when empty.
    pub oauth_scope: String,
    /// Seconds before its end at which a token is renewed.
    pub token_margin_seconds: u64,
    /// Seconds during which a refused credential is not shown again.
    pub refused_credential_pause_seconds: u64,
    /// Objects asked for at once.
    pub page_size: u32,
    /// The last page that can be asked for by its number.
    pub page_ceiling: u32,
    /// Hosts that signed addresses may lead to, besides iconik's own: exact, or `*.` and a domain.
    pub signed_hosts: Vec<String>,
    /// Requests per second to those hosts.
    pub signed_rate: f64,
    /// Calls left in the window (`RateLimit-Remaining`) below which the client slows down by itself.
    pub few_calls_left: u64,
    /// Seconds for which a search is asked again for what was just made: the index lags, by how much nobody says.
    pub index_patience_seconds: u64,
    /// The field that decides the order of what a search finds equal, without which a page may begin behind some of it; none
    /// when empty. The vendor does not say whether the index has one by itself.
    pub search_tie_breaker: String,
    /// A write of metadata clears the fields of the view that it does not name. The vendor does not say; its own tools leave
    /// out what they do not change.
    pub metadata_writes_replace_view: bool,
    /// Every write of an asset's metadata makes an entry in its history. The vendor names the kind of entry, and does not say
    /// when it is made.
    pub metadata_writes_in_history: bool,
    /// Deleting a segment keeps it as deleted.
    pub soft_delete_segments: bool,
    /// Files up to this size go up in one request, where the storage takes that.
    pub single_upload_bytes: u64,
    /// Size of a part, in bytes; larger where a file would need more than 10,000.
    pub part_bytes: u64,
    /// Parts sent at the same time, where the storage takes them in any order.
    pub parts_at_once: usize,
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
        let hosts = [
            "*.amazonaws.com",
            "storage.googleapis.com",
            "*.storage.googleapis.com",
            "*.backblazeb2.com",
            "*.blob.core.windows.net",
        ];
        Self {
            base_url: String::new(),
            oauth_header: OauthHeader::default(),
            oauth_scope: String::new(),
            token_margin_seconds: 60,
            refused_credential_pause_seconds: 30,
            page_size: 100,
            page_ceiling: 10_000,
            signed_hosts: hosts.map(str::to_owned).to_vec(),
            signed_rate: 50.0,
            few_calls_left: 50,
            index_patience_seconds: 20,
            search_tie_breaker: "id".to_owned(),
            metadata_writes_replace_view: false,
            metadata_writes_in_history: true,
            soft_delete_segments: true,
            single_upload_bytes: 8 << 20,
            part_bytes: 16 << 20,
            parts_at_once: 4,
            slowest_transfer: 256 * 1024,
            download_resumptions: 4,
            attempts: 3,
            answer_seconds: 60,
        }
    }
}

impl Settings {
    /// The defaults for the tenant at an address.
    pub fn at(base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), ..Self::default() }
    }

    /// Checks what can be checked without calling anybody.
    ///
    /// # Errors
    /// A configuration error that names the field.
    pub fn validate(&self) -> Result<()> {
        let wrong = |field: &str, message: String, remedy: &str| {
            Err(Error::configuration("iconik.settings", message).field(field).remedy(remedy))
        };
        let address = url::Url::parse(&self.base_url).ok();
        let is_address = address.is_some_and(|address| {
            matches!(address.scheme(), "http" | "https") && address.has_host() && address.query().is_none()
        });
        if !is_address || self.base_url.trim_end_matches('/').ends_with("/API") {
            let message =
                format!("the iconik address {:?} is not an http(s) address without /API", self.base_url);
            return wrong("base_url", message, "give the region's address, for example https://eu.iconik.io");
        }
        // The narrowest list takes 100 at once.
        if !(1..=100).contains(&self.page_size) {
            let message = format!("page_size is {}, and has to be between 1 and 100", self.page_size);
            return wrong("page_size", message, "leave it out for 100");
        }
        if self.part_bytes < 5 << 20 || self.parts_at_once == 0 {
            let message = "part_bytes has to be at least 5 MiB and parts_at_once at least 1".to_owned();
            return wrong("part_bytes", message, "leave them out for 16 MiB and 4");
        }
        let is_host = |host: &String| {
            let host = host.strip_prefix("*.").unwrap_or(host);
            !host.is_empty() && !host.contains(['*', '/', ':', '@', ' '])
        };
        if let Some(host) = self.signed_hosts.iter().find(|host| !is_host(host)) {
            let message = format!("{host:?} in signed_hosts is neither a host name nor *. and a domain");
            return wrong("signed_hosts", message, "name hosts without scheme and port");
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
        let at = || Settings::at("https://eu.iconik.io");
        at().validate().unwrap();
        let cases = [
            (Settings::at("eu.iconik.io"), "base_url"),
            (Settings::at("https://eu.iconik.io/API/"), "base_url"),
            (Settings { page_size: 500, ..at() }, "page_size"),
            (Settings { part_bytes: 1024, ..at() }, "part_bytes"),
            (
                Settings { signed_hosts: vec!["https://bucket.example.com/".to_owned()], ..at() },
                "signed_hosts",
            ),
            (Settings { signed_hosts: vec!["*".to_owned()], ..at() }, "signed_hosts"),
        ];
        for (settings, field) in cases {
            let error = settings.validate().unwrap_err();
            assert_eq!((error.code(), error.field_name()), ("iconik.settings", Some(field)));
        }
    }
}
