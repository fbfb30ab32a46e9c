//! Who is who.

use serde::Deserialize;

use super::{
    Client,
    call::Call,
    ids::{GroupId, UserId},
    wire::{self, words},
};
use crate::error::Result;

words! {
    /// What a user may do at most.
    UserKind {
        /// Everything.
        Power = "POWER",
        /// Most.
        Standard = "STANDARD",
        /// Look.
        BrowseOnly = "BROWSE_ONLY",
        /// Look, through this interface.
        BrowseApiOnly = "BROWSE_API_ONLY",
    }
}

words! {
    /// Whether a user may come in.
    UserStatus {
        /// Yes.
        Active = "ACTIVE",
        /// Not now.
        Inactive = "INACTIVE",
        /// No.
        Blocked = "BLOCKED",
        /// No more.
        Deleted = "DELETED",
    }
}

/// A user, as objects name the one who made or changed them.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Person {
    /// The user's id.
    #[serde(default, deserialize_with = "wire::text")]
    pub id: String,
    /// The address.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub email: Option<String>,
    /// The first name.
    #[serde(default, deserialize_with = "wire::text")]
    pub first_name: String,
    /// The last name.
    #[serde(default, deserialize_with = "wire::text")]
    pub last_name: String,
}

impl Person {
    /// The name as people write it; the address when there is none.
    pub fn name(&self) -> String {
        full_name(&self.first_name, &self.last_name, self.email.as_deref())
    }
}

/// Names and addresses are not for logs.
impl std::fmt::Debug for Person {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Person").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A user.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The address.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub email: Option<String>,
    /// The first name.
    #[serde(default, deserialize_with = "wire::text")]
    pub first_name: String,
    /// The last name.
    #[serde(default, deserialize_with = "wire::text")]
    pub last_name: String,
    /// What the user may do at most.
    #[serde(default, rename = "type")]
    pub kind: UserKind,
    /// Whether the user may come in.
    #[serde(default)]
    pub status: UserStatus,
    /// The groups.
    #[serde(default, deserialize_with = "wire::list")]
    pub groups: Vec<GroupId>,
}

impl User {
    /// The name as people write it; the address when there is none.
    pub fn name(&self) -> String {
        full_name(&self.first_name, &self.last_name, self.email.as_deref())
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("User").field("id", &self.id).finish_non_exhaustive()
    }
}

fn full_name(first: &str, last: &str, email: Option<&str>) -> String {
    match format!("{first} {last}").trim() {
        "" => email.unwrap_or_default().to_owned(),
        name => name.to_owned(),
    }
}

impl Client {
    /// The user the token acts for: whose writes are our own.
    ///
    /// # Errors
    /// `Auth` when the credential is refused.
    pub async fn get_current_user(&self) -> Result<User> {
        self.ask(&Call::get("get current user", &["users", "v1", "users", "current"])).await
    }

    /// A user.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_user(&self, user: &UserId) -> Result<Option<User>> {
        self.look(&Call::get("get user", &["users", "v1", "users", user.as_str()])).await
    }
}
