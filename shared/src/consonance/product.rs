//! Products and works as GraphQL shows them. Every field can be missing; what is shown besides is kept.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::{kept::Kept, wire};
use crate::title::PlainText;

/// A product: a hardback, an e-book, an audiobook.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Product {
    /// Its id.
    #[serde(deserialize_with = "wire::integer")]
    pub id: Option<i64>,
    /// Which kind of product it is: `PhysicalBookProduct`, `ElectronicBookProduct`, ….
    #[serde(rename = "__typename", deserialize_with = "wire::text")]
    pub kind: Option<String>,
    /// Its ISBN in several spellings; without any when none is assigned.
    #[serde(deserialize_with = "wire::record")]
    pub isbn: Option<Spellings>,
    /// Title with prefix.
    #[serde(deserialize_with = "wire::text")]
    pub full_title: Option<String>,
    /// Subtitle.
    #[serde(deserialize_with = "wire::text")]
    pub subtitle: Option<String>,
    /// Authors as one text.
    #[serde(deserialize_with = "wire::text")]
    pub authorship_description: Option<String>,
    #[serde(deserialize_with = "wire::record")]
    onix21_product_form: Option<Coded>,
    #[serde(deserialize_with = "wire::code")]
    onix21_product_form_code: Option<String>,
    #[serde(deserialize_with = "wire::record")]
    onix_publishing_status: Option<Coded>,
    #[serde(deserialize_with = "wire::code")]
    onix_publishing_status_code: Option<String>,
    /// Date of publication, `YYYY-MM-DD`.
    #[serde(deserialize_with = "wire::text")]
    pub publication_date: Option<String>,
    /// The publisher's own format.
    #[serde(deserialize_with = "wire::record")]
    pub in_house_format: Option<Named>,
    /// Prices.
    #[serde(deserialize_with = "wire::list")]
    pub prices: Vec<Price>,
    /// Where it is for sale.
    #[serde(deserialize_with = "wire::codes")]
    pub for_sale_country_codes: Vec<String>,
    /// Where it is not.
    #[serde(deserialize_with = "wire::codes")]
    pub not_for_sale_country_codes: Vec<String>,
    /// Everywhere.
    #[serde(deserialize_with = "wire::truth")]
    pub is_for_sale_worldwide: Option<bool>,
    /// The same in words.
    #[serde(deserialize_with = "wire::text")]
    pub sales_rights_description: Option<String>,
    /// Its short descriptions: of the kinds of texts, the only one whose name the vendor tells.
    #[serde(rename = "marketingTexts", deserialize_with = "wire::list")]
    pub short_descriptions: Vec<MarketingText>,
    /// Its work.
    #[serde(deserialize_with = "wire::record")]
    pub work: Option<Work>,
    /// What else came.
    #[serde(flatten)]
    pub other: Kept,
}

impl Product {
    /// Product form of ONIX 2.1, without the underscore that a name of GraphQL needs.
    pub fn form_21(&self) -> Option<&str> {
        let coded = self.onix21_product_form.as_ref().and_then(|form| form.code.as_deref());
        coded.or(self.onix21_product_form_code.as_deref())
    }

    /// Publishing status, ONIX list 64.
    pub fn status(&self) -> Option<&str> {
        let coded = self.onix_publishing_status.as_ref().and_then(|status| status.code.as_deref());
        coded.or(self.onix_publishing_status_code.as_deref())
    }
}

/// An ISBN in the spellings the server gives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Spellings {
    /// 13 digits.
    #[serde(deserialize_with = "wire::text")]
    pub isbn13: Option<String>,
    /// With hyphens.
    #[serde(deserialize_with = "wire::text")]
    pub isbn_with_dashes: Option<String>,
}

/// A code of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Coded {
    #[serde(deserialize_with = "wire::code")]
    pub(super) code: Option<String>,
}

/// Something with a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Named {
    /// Its id.
    #[serde(deserialize_with = "wire::integer")]
    pub id: Option<i64>,
    /// Its name.
    #[serde(deserialize_with = "wire::text")]
    pub name: Option<String>,
}

/// A price.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Price {
    /// The amount.
    #[serde(deserialize_with = "wire::decimal")]
    pub amount: Option<Decimal>,
    /// Currency, ISO 4217.
    #[serde(deserialize_with = "wire::text")]
    pub currency_code: Option<String>,
    /// List 58.
    #[serde(deserialize_with = "wire::code")]
    pub onix_price_type_code: Option<String>,
    /// List 59.
    #[serde(deserialize_with = "wire::code")]
    pub onix_price_type_qualifier_code: Option<String>,
}

/// A text for readers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct MarketingText {
    /// Its words. They came as HTML.
    #[serde(deserialize_with = "wire::html")]
    pub external_text: Option<PlainText>,
}

/// A work: what its products have in common.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Work {
    /// Its id.
    #[serde(deserialize_with = "wire::integer")]
    pub id: Option<i64>,
    /// Title.
    #[serde(deserialize_with = "wire::text")]
    pub title: Option<String>,
    /// Subtitle.
    #[serde(deserialize_with = "wire::text")]
    pub subtitle: Option<String>,
    /// Imprint.
    #[serde(deserialize_with = "wire::record")]
    pub imprint: Option<Named>,
    /// The publisher's own name of its stage.
    #[serde(deserialize_with = "wire::text")]
    pub project_stage: Option<String>,
    /// The publisher's own reference.
    #[serde(deserialize_with = "wire::text")]
    pub in_house_work_reference: Option<String>,
    /// Short descriptions of all its products.
    #[serde(rename = "marketingTexts", deserialize_with = "wire::list")]
    pub short_descriptions: Vec<MarketingText>,
    /// Who contributed.
    #[serde(deserialize_with = "wire::list")]
    pub contributions: Vec<Contribution>,
    /// What else came.
    #[serde(flatten)]
    pub other: Kept,
}

/// What somebody did for a work, and for which of its products.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Contribution {
    /// Its place in the order.
    #[serde(deserialize_with = "wire::integer")]
    pub sequence_number: Option<i64>,
    /// Products it holds for; all when there are none.
    #[serde(deserialize_with = "wire::integers")]
    pub product_ids: Vec<i64>,
    #[serde(deserialize_with = "wire::code")]
    onix_contributor_role_code: Option<String>,
    #[serde(deserialize_with = "wire::record")]
    onix_contributor_role: Option<Coded>,
    /// Who.
    #[serde(deserialize_with = "wire::record")]
    pub contributor: Option<Named>,
}

impl Contribution {
    /// The role, list 17.
    pub fn role(&self) -> Option<&str> {
        let coded = self.onix_contributor_role.as_ref().and_then(|role| role.code.as_deref());
        coded.or(self.onix_contributor_role_code.as_deref())
    }
}

/// What is asked of a contribution, a work, a product.
pub(super) const WORK: &str = "id title subtitle imprint{id name} projectStage inHouseWorkReference workType season \
    marketingTexts(variantIn:SHORT_DESCRIPTION){externalText} \
    contributions{sequenceNumber productIds onixContributorRoleCode onixContributorRole{code} contributor{id name}}";
pub(super) const PRODUCT: &str = "id __typename isbn{isbn13 isbnWithDashes} fullTitle subtitle authorshipDescription \
    onix21ProductForm{code} onix21ProductFormCode onixPublishingStatus{code} onixPublishingStatusCode publicationDate \
    inHouseFormat{id name} forSaleCountryCodes notForSaleCountryCodes isForSaleWorldwide salesRightsDescription \
    marketingTexts(variantIn:SHORT_DESCRIPTION){externalText} \
    prices{amount currencyCode onixPriceTypeCode onixPriceTypeQualifierCode}";
