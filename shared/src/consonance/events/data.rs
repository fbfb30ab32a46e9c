//! What events say. A member that is not named here is kept by nobody, and is no fault.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{consonance::Kept, error::Result, http::SignedUrl};

/// The record an event is about. At least one of work, products and ISBN is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct About {
    /// The work.
    pub work_id: Option<i64>,
    /// Products of it.
    pub product_ids: Vec<i64>,
    /// The ISBN.
    #[schemars(regex(pattern = "^97[89][0-9]{10}$"))]
    pub isbn13: Option<String>,
    /// The revision of the record. Events come in any order: an older one is dropped.
    pub revision: Option<String>,
    /// When it happened, where there is no revision.
    #[schemars(with = "Option<String>")]
    pub occurred_at: Option<Timestamp>,
}

/// A file that is fetched by us; never sent along.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct FileReference {
    /// Where it is: `https`, at a host that settings allow. Whoever has it may read the file.
    url: String,
    /// Its name.
    #[schemars(length(min = 1, max = 255))]
    pub filename: String,
    /// Its media type.
    #[serde(default)]
    pub media_type: Option<String>,
    /// Its size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// Its SHA-256 in hexadecimal.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-fA-F]{64}$"))]
    pub sha256: Option<String>,
}

impl std::fmt::Debug for FileReference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("FileReference").field("size", &self.size).finish_non_exhaustive()
    }
}

impl FileReference {
    /// Where it is, when one of these hosts (exact, or `*.` and a domain) has it. An address of numbers is none of them, so no
    /// private network is ever asked.
    ///
    /// # Errors
    /// Why it is refused, in words that do not repeat it.
    pub fn source(&self, hosts: &[String]) -> Result<SignedUrl> {
        // The base has no part in it: an address has to be whole, and its host has to be allowed.
        SignedUrl::parse(&self.url, "https://consonance.invalid", hosts)
            .ok()
            .filter(|url| self.url.starts_with("https://") && url.origin() != "https://consonance.invalid")
            .ok_or_else(|| {
                crate::error::Error::invalid(
                    super::super::FOREIGN_HOST,
                    "a file's address is no https address at a host that is allowed",
                )
                .field("url")
            })
    }

    /// What is wrong with it, and where.
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str)> {
        let is_hash = |hash: &String| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        match () {
            () if !self.url.starts_with("https://") => Some(("url", "is no https address")),
            () if self.filename.is_empty() || self.filename.len() > 255 => {
                Some(("filename", "has to have 1 to 255 bytes"))
            }
            () if self.sha256.as_ref().is_some_and(|hash| !is_hash(hash)) => {
                Some(("sha256", "has to have 64 hexadecimal digits"))
            }
            () => None,
        }
    }
}

/// A manuscript.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Manuscript {
    /// Its files.
    #[schemars(length(min = 1))]
    pub files: Vec<FileReference>,
    /// Who sent it, as the sender calls them.
    #[serde(default)]
    pub submitted_by: Option<String>,
}

/// A contract.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Contract {
    /// Its id.
    pub contract_id: i64,
    /// Its name.
    #[serde(default)]
    pub contract_name: Option<String>,
    /// When it was signed.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub signed_date: Option<Date>,
    /// Its last day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub terminated_date: Option<Date>,
    /// Its files.
    #[serde(default)]
    pub files: Vec<FileReference>,
}

/// Rights.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Rights {
    /// All that hold now.
    pub rights: Vec<Right>,
}

/// A right.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Right {
    /// What kind of right.
    pub right_type: String,
    /// Sales rights type, ONIX list 46.
    #[serde(default)]
    pub sales_rights_type: Option<String>,
    /// Where it holds, ISO 3166.
    #[serde(default)]
    pub countries: Vec<String>,
    /// From when.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub starts: Option<Date>,
    /// Until when.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub expires: Option<Date>,
    /// For which language.
    #[serde(default)]
    pub language: Option<String>,
}

/// A package for an editorial review.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct ReviewPackage {
    /// Its id, as the sender has it.
    pub package_id: String,
    /// The stage of the review.
    #[serde(default)]
    pub stage: Option<String>,
    /// What was decided.
    #[serde(default)]
    pub decision: Option<String>,
    /// Its files.
    #[schemars(length(min = 1))]
    pub files: Vec<FileReference>,
}

/// A production file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct ProductionFile {
    /// Its id.
    pub production_file_id: i64,
    /// Which file of the product it is.
    #[serde(default)]
    pub variant: Option<String>,
    /// The file.
    #[schemars(length(min = 1, max = 1))]
    pub files: Vec<FileReference>,
}

/// A title.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Title {
    /// The product as one of the interfaces shows it. Without it, it is read.
    pub product: Option<Kept>,
}

/// A royalty statement, or a payment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Payment {
    /// Who is paid, as the sender calls them.
    pub payee: String,
    /// From when.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub period_start: Option<Date>,
    /// Until when.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub period_end: Option<Date>,
    /// Currency, ISO 4217.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
    /// The amount as text: a number would not be exact.
    #[schemars(with = "String")]
    pub amount: Decimal,
    /// Its files.
    #[serde(default)]
    pub files: Vec<FileReference>,
}

/// A milestone that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Milestone {
    /// Which.
    pub milestone: MilestoneKind,
    /// When.
    #[schemars(with = "String")]
    pub reached_on: Date,
}

/// A milestone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MilestoneKind {
    /// The contract is signed.
    AcquisitionApproval,
    /// The editors are done.
    EditorialSignoff,
    /// It may be produced.
    ProductionRelease,
    /// It is out.
    PublicationCompletion,
}

/// A link that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct DocumentLink {
    /// What kind of document.
    pub document_kind: String,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}
