//! What nobody outside the vendor knows, as switches: each field is one open question of the interfaces, with the answer this
//! simulator gives unless told otherwise. All can be changed while it runs (`PUT /_simulator/settings` with the fields to
//! change).

use serde::{Deserialize, Serialize};

/// What a refusal of the GraphQL interface looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// JSON with `errors`.
    Json,
    /// A plain sentence.
    Text,
}

/// How a mutation tells what is wrong with its input. The vendor's examples disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayloadErrors {
    /// `{field message}`.
    Field,
    /// `{attribute message}`.
    Attribute,
    /// `{field messages}`.
    Messages,
    /// The payload has no list of errors: they are those of GraphQL.
    Top,
}

/// Where production files hang.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductionFiles {
    /// At the work.
    Work,
    /// At each product.
    Product,
    /// Nowhere that can be asked.
    Nowhere,
}

/// What an element of `rights_not_available_countries` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountryElement {
    /// `"US"`.
    Code,
    /// `{"code": "US", "name": "…"}`.
    Object,
}

/// The switches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long each call takes at least, in milliseconds.
    pub latency_milliseconds: u64,
    /// What the GraphQL interface answers to a wrong key.
    pub graphql_refusal: Refusal,
    /// The most records of a list of GraphQL.
    pub list_cap: Option<usize>,
    /// Lists of GraphQL come in another order than that of ids, and are capped in that order.
    pub lists_unordered: bool,
    /// `after` is not looked at: a list never ends.
    pub after_ignored: bool,
    /// `changedSince` gives siblings of what changed too.
    pub changed_since_over_reports: bool,
    /// Codes are enumerations, with an underscore before a digit; else texts.
    pub codes_are_enumerations: bool,
    /// `forSaleCountryCodes` is a list; else one text with blanks.
    pub countries_are_lists: bool,
    /// There is a list of contracts.
    pub contracts_list: bool,
    /// Where production files hang.
    pub production_files: ProductionFiles,
    /// A production file tells where its bytes are.
    pub production_file_downloads: bool,
    /// How mutations tell faults.
    pub payload_errors: PayloadErrors,
    /// A link has a switch that keeps it out of ONIX.
    pub web_link_onix_switch: bool,
    /// The name of the field with a signed address.
    pub upload_url_field: String,
    /// An upload is not prepared before `finishUpload` says that its bytes are there.
    pub upload_needs_follow_up: bool,
    /// The origin of signed addresses; they are paths alone when it is empty.
    pub upload_origin: String,
    /// How long a signed address lives, in seconds.
    pub upload_lifetime_seconds: i64,
    /// How long a file is prepared, in seconds.
    pub processing_seconds: i64,
    /// Products on a page of REST.
    pub rest_page_size: usize,
    /// A product moves to the end between two pages of REST.
    pub rest_pages_shift: bool,
    /// Filters of REST that are not known are ignored; else refused.
    pub rest_unknown_filters_ignored: bool,
    /// `price_amount` is a text; else a number.
    pub price_amount_is_text: bool,
    /// What an element of the countries without rights is.
    pub country_element: CountryElement,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            latency_milliseconds: 0,
            graphql_refusal: Refusal::Json,
            list_cap: None,
            lists_unordered: false,
            after_ignored: false,
            changed_since_over_reports: true,
            codes_are_enumerations: true,
            countries_are_lists: true,
            contracts_list: false,
            production_files: ProductionFiles::Work,
            production_file_downloads: false,
            payload_errors: PayloadErrors::Field,
            web_link_onix_switch: true,
            upload_url_field: "presignedUrl".to_owned(),
            upload_needs_follow_up: false,
            upload_origin: String::new(),
            upload_lifetime_seconds: 900,
            processing_seconds: 5,
            rest_page_size: 50,
            rest_pages_shift: false,
            rest_unknown_filters_ignored: true,
            price_amount_is_text: true,
            country_element: CountryElement::Code,
        }
    }
}

impl Settings {
    /// Whether a part of the schema that depends on a switch is there.
    pub(super) fn has(&self, switch: &str) -> bool {
        match switch {
            "contracts_list" => self.contracts_list,
            "codes_are_enumerations" => self.codes_are_enumerations,
            "countries_are_lists" => self.countries_are_lists,
            "production_files_at_work" => self.production_files == ProductionFiles::Work,
            "production_files_at_product" => self.production_files == ProductionFiles::Product,
            "production_file_downloads" => self.production_file_downloads,
            "errors_by_field" => self.payload_errors == PayloadErrors::Field,
            "errors_by_attribute" => self.payload_errors == PayloadErrors::Attribute,
            "errors_with_messages" => self.payload_errors == PayloadErrors::Messages,
            "web_link_onix_switch" => self.web_link_onix_switch,
            "upload_needs_follow_up" => self.upload_needs_follow_up,
            _ => false,
        }
    }
}
