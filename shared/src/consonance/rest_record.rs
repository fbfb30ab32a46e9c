//! A product as REST v4 shows it. The complete list of its fields is not known.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{kept::Kept, wire};
use crate::title::PlainText;

/// A product of REST v4.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RestProduct {
    /// Its id.
    #[serde(deserialize_with = "wire::integer")]
    pub id: Option<i64>,
    /// Its work.
    #[serde(deserialize_with = "wire::integer")]
    pub work_id: Option<i64>,
    /// Title.
    #[serde(deserialize_with = "wire::text")]
    pub full_title: Option<String>,
    /// Subtitle.
    #[serde(deserialize_with = "wire::text")]
    pub subtitle: Option<String>,
    /// The ISBN with or without hyphens, or the words `No ISBN`.
    #[serde(deserialize_with = "wire::text")]
    pub isbn: Option<String>,
    /// Date of publication.
    #[serde(deserialize_with = "wire::text")]
    pub pub_date: Option<String>,
    /// List 64.
    #[serde(deserialize_with = "wire::code")]
    pub publishing_status: Option<String>,
    /// Probably list 7 of ONIX 2.1.
    #[serde(deserialize_with = "wire::code")]
    pub product_form: Option<String>,
    /// The publisher's own format.
    #[serde(deserialize_with = "wire::text")]
    pub in_house_format: Option<String>,
    /// Name of the imprint.
    #[serde(deserialize_with = "wire::text")]
    pub imprint: Option<String>,
    /// Authors as one text.
    #[serde(deserialize_with = "wire::text")]
    pub authorship: Option<String>,
    /// The publisher's own name of the stage.
    #[serde(deserialize_with = "wire::text")]
    pub project_stage_name: Option<String>,
    /// Prices.
    #[serde(deserialize_with = "wire::list")]
    pub prices: Vec<RestPrice>,
    /// Texts for readers.
    #[serde(rename = "marketingtexts", deserialize_with = "wire::list")]
    pub texts: Vec<RestText>,
    /// Where it may not be sold. Without any, everywhere.
    #[serde(deserialize_with = "codes_or_none")]
    pub rights_not_available_countries: Option<Vec<String>>,
    /// What else came: measurements, images, whatever a later release adds.
    #[serde(flatten)]
    pub other: Kept,
}

/// A price.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RestPrice {
    /// The amount, whether it comes as number or text.
    #[serde(deserialize_with = "wire::decimal")]
    pub price_amount: Option<Decimal>,
    /// Currency.
    #[serde(deserialize_with = "wire::text")]
    pub currency_code: Option<String>,
    /// List 59.
    #[serde(deserialize_with = "wire::code")]
    pub price_qualifier: Option<String>,
}

/// A text for readers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RestText {
    /// Its type, probably list 33 of ONIX 2.1.
    #[serde(deserialize_with = "wire::code")]
    pub code: Option<String>,
    /// Its words. They came as HTML.
    #[serde(deserialize_with = "wire::html")]
    pub external_text: Option<PlainText>,
}

fn codes_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok((!value.is_null()).then(|| wire::as_codes(&value)))
}
