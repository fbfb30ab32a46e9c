//! Switches of comments, approvals and shares.

use serde::{Deserialize, Serialize};

/// Of comments and other segments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Segments {
    /// Whether a list without `status` shows those that were soft-deleted.
    pub list_shows_deleted: bool,
    /// Whether `user_id` of the poster is kept; else the caller is the author.
    pub author_can_be_given: bool,
    /// Whether the answers to a comment go with it.
    pub delete_takes_replies: bool,
}

impl Default for Segments {
    fn default() -> Self {
        Self { list_shows_deleted: false, author_can_be_given: true, delete_takes_replies: true }
    }
}

/// How the status of an approval follows from the verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollUp {
    /// Verdicts of both kinds are mixed; only bad ones reject; as many good ones as asked for approve.
    MinimumNumber,
    /// As that, but everybody who was asked has to approve.
    AllReviewers,
    /// One bad verdict rejects, whatever the others say.
    RejectionWins,
    /// The latest verdict is the status.
    LastVerdict,
}

/// What a second request for the same version does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondRequest {
    /// It takes the place of the first: no verdicts yet.
    StartsOver,
    /// Reviewers are those of the second, verdicts stay.
    KeepsVerdicts,
    /// 409.
    Refused,
}

/// Of approvals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Approvals {
    /// How the status follows from the verdicts.
    pub roll_up: RollUp,
    /// Whether an asset's request is answered 202 with a job, as a collection's always is.
    pub asset_requests_in_background: bool,
    /// How long such a job takes.
    pub background_seconds: i64,
    /// Whether a verdict without a request is 404.
    pub verdict_needs_request: bool,
    /// Whether a verdict of somebody who was not asked is 403.
    pub only_reviewers: bool,
    /// Whether a change of the request forgets the verdicts.
    pub edit_forgets_verdicts: bool,
    /// What a second request does.
    pub second_request: SecondRequest,
    /// Whether deleting a request answers 200 with what was deleted; else 204.
    pub delete_answers_body: bool,
}

impl Default for Approvals {
    fn default() -> Self {
        Self {
            roll_up: RollUp::MinimumNumber,
            asset_requests_in_background: false,
            background_seconds: 0,
            verdict_needs_request: true,
            only_reviewers: false,
            edit_forgets_verdicts: false,
            second_request: SecondRequest::StartsOver,
            delete_answers_body: true,
        }
    }
}

/// Of shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shares {
    /// How long it takes until a share has its address.
    pub population_seconds: i64,
}

impl Default for Shares {
    fn default() -> Self {
        Self { population_seconds: 2 }
    }
}
