//! The approvals and the comments of a production as documents of their own, for whoever wants them without the rest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Comment, Review, Summary};

/// The `schema` member of lists of approvals.
pub const APPROVALS: &str = "waybill.production-approvals.v1";
/// The `schema` member of lists of comments.
pub const COMMENTS: &str = "waybill.production-comments.v1";

/// The reviews of the versions in a production.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approvals {
    /// Always `waybill.production-approvals.v1`.
    pub schema: String,
    /// The collection's id in iconik.
    pub collection: String,
    /// Which closing of it.
    pub closing: u64,
    /// One entry for each version that was reviewed.
    pub approvals: Vec<ReviewedVersion>,
}

/// A version that was reviewed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReviewedVersion {
    /// The asset's id in iconik.
    pub asset: String,
    /// Its title.
    pub title: String,
    /// The version's id.
    pub version: String,
    /// Its number.
    pub number: Option<i64>,
    /// Whether files of it are in the package.
    pub packaged: bool,
    /// Its review.
    pub review: Review,
}

/// The comments on a production.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Comments {
    /// Always `waybill.production-comments.v1`.
    pub schema: String,
    /// The collection's id in iconik.
    pub collection: String,
    /// Which closing of it.
    pub closing: u64,
    /// The assets that were commented on.
    pub assets: Vec<CommentedAsset>,
}

/// An asset with its comments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommentedAsset {
    /// Its id in iconik.
    pub asset: String,
    /// Its title.
    pub title: String,
    /// Its comments, in the order of time, as they were written.
    pub comments: Vec<Comment>,
}

impl Summary {
    /// Its approvals alone.
    pub fn approvals(&self) -> Approvals {
        let versions = self.assets.iter().flat_map(|asset| {
            asset.versions.iter().filter_map(move |version| {
                Some(ReviewedVersion {
                    asset: asset.id.clone(),
                    title: asset.title.clone(),
                    version: version.id.clone(),
                    number: version.number,
                    packaged: version.packaged,
                    review: version.review.clone()?,
                })
            })
        });
        Approvals {
            schema: APPROVALS.to_owned(),
            collection: self.collection.id.clone(),
            closing: self.closing.number,
            approvals: versions.collect(),
        }
    }

    /// Its comments alone.
    pub fn comments(&self) -> Comments {
        let assets = self.assets.iter().filter(|asset| !asset.comments.is_empty());
        Comments {
            schema: COMMENTS.to_owned(),
            collection: self.collection.id.clone(),
            closing: self.closing.number,
            assets: assets
                .map(|asset| CommentedAsset {
                    asset: asset.id.clone(),
                    title: asset.title.clone(),
                    comments: asset.comments.clone(),
                })
                .collect(),
        }
    }
}
