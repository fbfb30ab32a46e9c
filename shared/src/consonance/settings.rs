use std::time::Duration;

use serde::Deserialize;

use crate::error::{Error, Result};

/// How content is brought to a signed address. The vendor does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum UploadMethod {
    /// `PUT`.
    #[default]
    Put,
    /// `POST`.
    Post,
}

/// How one account differs from the common case. What the vendor leaves open is here.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The account's address, as people log in: `https://web.consonance.app`.
    pub base_url: String,
    /// Calls at the same time. Limits are not documented.
    pub calls_at_once: usize,
    /// Seconds during which a refused key is not shown again.
    pub refused_credential_pause_seconds: u64,
    /// Records that are read in one call. Limits of cost are not documented.
    pub records_at_once: usize,
    /// Records that come in one list before the client asks for no more: a list that never ends is a fault.
    pub most_records: usize,
    /// A list that is not in order of ids is whole, because the account's lists have no cap. Where a list is both capped and out
    /// of order, what is asked for after its greatest id leaves records out, and nothing in the answers tells.
    pub unordered_lists_are_whole: bool,
    /// The field of an answer that holds a signed address; found by its name in the schema when empty.
    pub upload_url_field: String,
    /// How content is brought there.
    pub upload_method: UploadMethod,
    /// The content type that is sent along. A signature may cover it.
    pub upload_content_type: String,
    /// The mutation that says the bytes are there; none when empty.
    pub upload_follow_up: String,
    /// Hosts that signed addresses may lead to, besides Consonance's own: exact, or `*.` and a domain.
    pub upload_hosts: Vec<String>,
    /// Bytes per second below which an upload counts as stuck.
    pub slowest_transfer: u64,
    /// The input field that keeps a link out of ONIX; found by its name and type in the schema when empty.
    pub web_link_onix_field: String,
    /// The date of a contract's end may be written: its effect cannot be taken back.
    pub may_end_contracts: bool,
    /// Dates, status, ISBN and titles may be written: they go to the trade by themselves.
    pub may_write_trade_fields: bool,
    /// Attempts in all of a call that may be repeated.
    pub attempts: u32,
    /// Seconds without an answer after which a call is given up: large lists are slow.
    pub answer_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            calls_at_once: 1,
            refused_credential_pause_seconds: 30,
            records_at_once: 25,
            most_records: 1_000_000,
            unordered_lists_are_whole: false,
            upload_url_field: String::new(),
            upload_method: UploadMethod::Put,
            upload_content_type: "application/octet-stream".to_owned(),
            upload_follow_up: String::new(),
            upload_hosts: vec!["*.amazonaws.com".to_owned()],
            slowest_transfer: 256 * 1024,
            web_link_onix_field: String::new(),
            may_end_contracts: false,
            may_write_trade_fields: false,
            attempts: 5,
            answer_seconds: 60,
        }
    }
}

impl Settings {
    /// The pace that suits an account whose limits nobody documents, in requests per second.
    pub const PACE: f64 = 4.0;

    /// The defaults for the account at an address.
    pub fn at(base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), ..Self::default() }
    }

    /// Checks what can be checked without calling anybody.
    ///
    /// # Errors
    /// A configuration error that names the field.
    pub fn validate(&self) -> Result<()> {
        let wrong = |field: &str, message: String, remedy: &str| {
            Err(Error::configuration("consonance.settings", message).field(field).remedy(remedy))
        };
        let address = url::Url::parse(&self.base_url).ok();
        let is_address = address.is_some_and(|address| {
            matches!(address.scheme(), "http" | "https")
                && address.has_host()
                && address.query().is_none()
                && address.path() == "/"
        });
        if !is_address {
            let message =
                format!("the Consonance address {:?} is no http(s) address without a path", self.base_url);
            return wrong(
                "base_url",
                message,
                "give the address people log in at, as https://web.consonance.app",
            );
        }
        if self.calls_at_once == 0 || self.records_at_once == 0 || self.most_records == 0 {
            let message = "calls_at_once, records_at_once and most_records have to be at least 1".to_owned();
            return wrong("calls_at_once", message, "leave them out for 1, 25 and 1000000");
        }
        let is_host = |host: &String| {
            let host = host.strip_prefix("*.").unwrap_or(host);
            !host.is_empty() && !host.contains(['*', '/', ':', '@', ' '])
        };
        if let Some(host) = self.upload_hosts.iter().find(|host| !is_host(host)) {
            let message = format!("{host:?} in upload_hosts is neither a host name nor *. and a domain");
            return wrong("upload_hosts", message, "name hosts without scheme and port");
        }
        let names = [
            ("upload_url_field", &self.upload_url_field),
            ("upload_follow_up", &self.upload_follow_up),
            ("web_link_onix_field", &self.web_link_onix_field),
        ];
        if let Some((field, name)) = names.into_iter().find(|(_, name)| !is_name(name)) {
            return wrong(field, format!("{name:?} is no name of GraphQL"), "leave it out to have it found");
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

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !text.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_settings_are_refused_by_field_before_anybody_is_called() {
        let at = || Settings::at("https://web.consonance.app");
        at().validate().unwrap();
        let cases = [
            (Settings::at("web.consonance.app"), "base_url"),
            (Settings::at("https://web.consonance.app/graphql"), "base_url"),
            (Settings { calls_at_once: 0, ..at() }, "calls_at_once"),
            (
                Settings { upload_hosts: vec!["https://bucket.example.com/".to_owned()], ..at() },
                "upload_hosts",
            ),
            (Settings { upload_follow_up: "done{id}".to_owned(), ..at() }, "upload_follow_up"),
        ];
        for (settings, field) in cases {
            let error = settings.validate().unwrap_err();
            assert_eq!((error.code(), error.field_name()), ("consonance.settings", Some(field)));
        }
    }
}
