//! The file as it is written. What it may say is documented here, and from here in the JSON Schema for editors.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::{http::Disposition, mapping::Located};

/// Publish rules: which approved documents of Content Server are published, under which key, for which audiences. The
/// first rule that matches a document wins; what no rule matches is not published, and withdrawn when it was.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishRulesFile {
    /// The category that says what was published.
    pub publication: Option<PublicationSpec>,
    /// For whom links are issued.
    #[serde(default)]
    pub audience: Vec<AudienceSpec>,
    /// The rules, in the order they are tried.
    #[serde(default)]
    pub rule: Vec<RuleSpec>,
}

/// The category that says of a document (or of the container of a package) what was published, and the names of its
/// attributes. An attribute that is not named is not written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicationSpec {
    /// The path of the category, such as `Categories:Integration/Publication`.
    pub category: Located<String>,
    /// Text: `Published` or `Withdrawn`.
    pub state: Located<String>,
    /// Integer: the version that is published; empty for packages.
    pub version: Option<Located<String>>,
    /// Text: the address of the copy, `s3://bucket/key`.
    pub location: Option<Located<String>>,
    /// Text: its SHA-256, 64 hexadecimal digits.
    pub sha256: Option<Located<String>>,
    /// Date with time: when it was published.
    pub published_at: Option<Located<String>>,
    /// Text: why it was withdrawn.
    pub reason: Option<Located<String>>,
}

/// Somebody who is given links.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AudienceSpec {
    /// Its name, by which rules call it: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// The attribute of the publication category that takes the link (text, at least 254 characters).
    pub link: Located<String>,
    /// How many days a link lives; never longer than the document itself is valid.
    pub valid_days: Located<u32>,
    /// How often a link may be used. Without it: as often as anybody likes.
    pub uses: Option<Located<u32>>,
    /// Domains of verified e-mail addresses, such as `example.com`. Without it: everybody.
    #[serde(default)]
    pub email_domains: Vec<String>,
    /// Networks, such as `203.0.113.0/24`. Without it: everywhere.
    pub networks: Option<Located<Vec<String>>>,
    /// What becomes of a link when another version is approved. Without it: `"follow"`.
    #[serde(default)]
    pub superseded: Superseded,
}

/// What becomes of a link when another version is approved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Superseded {
    /// It leads to the new version.
    #[default]
    Follow,
    /// It ends, and another one is issued.
    End,
}

/// One rule: which documents it takes, how they are approved, and how they are published.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The rule's name, used in logs and reasons: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// The container it applies to, with everything below it. Without it: everywhere the service user may read.
    pub within: Option<Located<String>>,
    /// A pattern of the document's name with captures, such as `{number}-{title}`. Without it: any name.
    pub document_name: Option<Located<String>>,
    /// The media types it takes, such as `application/pdf` or `image/*`. Without it: all.
    pub content_types: Option<Located<Vec<String>>>,
    /// What makes a version an approved one.
    pub approved: Located<ApprovedSpec>,
    /// The key of the copy: names between `/`, with `{node.id}`, `{node.name}`, `{folder.name}`, `{capture.…}` and
    /// `{attribute.…}` (an attribute of the approving category). The extension of the file is added when it is missing.
    pub key: Located<String>,
    /// The audiences that get a link. Without it: the copy is published without links.
    #[serde(default)]
    pub audiences: Vec<Located<String>>,
    /// What a browser does with the copy: `"attachment"` (default) or `"inline"`.
    #[serde(default)]
    pub disposition: Disposition,
    /// The attribute of the approving category (a date) from which on the document is not valid any more.
    pub expires: Option<Located<String>>,
    /// Whether a document on hold is published. Without it: `"withdraw"`.
    #[serde(default)]
    pub held: Held,
    /// Classifications of which a published document may have none, such as `Classifications:Sensitivity/Confidential`.
    #[serde(default)]
    pub never_classified: Vec<Located<String>>,
    /// Publishes all approved documents of a container as one ZIP, instead of each by itself.
    pub package: Option<PackageSpec>,
}

/// What makes a version an approved one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, tag = "by", rename_all = "kebab-case")]
pub enum ApprovedSpec {
    /// An attribute of a category says so.
    Attribute {
        /// The path of the category.
        category: String,
        /// The attribute with the state.
        attribute: String,
        /// The values of it that mean approved.
        values: Vec<String>,
        /// The attribute (integer) with the number of the approved version. Without it, the version that is the newest
        /// when the approval is first seen; a newer one needs an approval of its own.
        version: Option<String>,
    },
    /// A workflow step or a person sends the request `publish`, and `withdraw` to take it back.
    Request,
    /// A workflow to which the document is attached has ended: the version that was the newest when its step was done is
    /// approved. `publish` and `withdraw` may be sent besides.
    Workflow {
        /// The name of the step in which it is decided.
        step: String,
        /// The dispositions of the step that approve, such as `Approve`.
        dispositions: Vec<String>,
    },
}

/// Whether a document on hold is published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// It is not, and is withdrawn when it was.
    #[default]
    Withdraw,
    /// It is: a hold keeps a document, and says nothing about who may read it.
    Publish,
}

/// Several documents as one ZIP with a manifest.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageSpec {
    /// The attribute of the approving category that says to which package of its container a document belongs. Without
    /// it: all approved documents of a container are one package.
    pub id: Option<Located<String>>,
}
