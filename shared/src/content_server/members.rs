//! Users and groups.

use serde::Deserialize;

use super::{
    Client,
    call::Call,
    children::Turn,
    error::misconfigured,
    wire::{self, Entry, Listing, Results},
};
use crate::error::{FailureClass, Result};

/// The most entries asked for at once; clients of the vendor's own never ask for more.
const PAGE: u32 = 20;

/// Whether somebody or a group of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    /// A person or a service user.
    User,
    /// A group.
    Group,
}

/// A user or group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// The id, which permissions and user attributes refer to.
    #[serde(deserialize_with = "wire::integer")]
    pub id: i64,
    /// The log-in name or the group's name.
    #[serde(deserialize_with = "wire::text")]
    pub name: String,
    /// The first name; a group has none.
    #[serde(default, deserialize_with = "wire::text")]
    pub first_name: String,
    /// The last name; a group has none.
    #[serde(default, deserialize_with = "wire::text")]
    pub last_name: String,
    /// 0 for users, 1 for groups, others for what modules add.
    #[serde(rename = "type", default, deserialize_with = "wire::integer_or_none")]
    pub kind: Option<i64>,
    /// The mail address.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub business_email: Option<String>,
    /// Whether the account was removed.
    #[serde(default, deserialize_with = "wire::truth")]
    pub deleted: bool,
}

impl Member {
    /// The name as people write it, and the log-in name by which it is one person's.
    pub fn full_name(&self) -> String {
        match format!("{} {}", self.first_name, self.last_name).trim() {
            "" => self.name.clone(),
            name => format!("{name} ({})", self.name),
        }
    }
}

impl Client {
    /// The user or group with exactly this name.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_member(&self, kind: MemberKind, name: &str) -> Result<Option<Member>> {
        const OPERATION: &str = "find a member";
        let number = match kind {
            MemberKind::User => 0,
            MemberKind::Group => 1,
        };
        let mut turn = Turn::with_limit(self, PAGE);
        let mut similar = None;
        while let Some(page) = turn.page(OPERATION)? {
            // The name filter finds whatever begins with the name, or holds it.
            let call = Call::get(OPERATION, "/v2/members")
                .query("where_type", number)
                .query("where_name", name)
                .query("page", page)
                .query("limit", turn.limit);
            let answer: Listing<Entry<Member>> = self.ask(&call).await?;
            turn.took(answer.results.0.len(), answer.paging());
            for member in answer.results.0.into_iter().map(|entry| entry.data.properties) {
                if !turn.is_new(member.id) || member.deleted {
                    continue;
                }
                if member.name == name {
                    return Ok(Some(member));
                }
                if similar.is_none() && member.name.to_lowercase() == name.to_lowercase() {
                    similar = Some(member);
                }
            }
        }
        Ok(similar)
    }

    /// The user or group with exactly this name, which the configuration says there is.
    ///
    /// # Errors
    /// `Forbidden` when there is none.
    pub async fn resolve_member(&self, kind: MemberKind, name: &str) -> Result<Member> {
        self.find_member(kind, name).await?.ok_or_else(|| {
            let what = match kind {
                MemberKind::User => "user",
                MemberKind::Group => "group",
            };
            misconfigured("find a member", "content-server.no-member", format!("there is no {what} {name:?}"))
                .field(name)
                .remedy("correct the name in the rules, or create it on Content Server")
        })
    }

    /// A user or group by its id.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_member(&self, member: i64) -> Result<Member> {
        let answer: Results<Entry<Member>> =
            self.ask(&Call::get("read a member", format!("/v2/members/{member}"))).await?;
        Ok(answer.results.data.properties)
    }

    /// The names of users or groups as people write them. Somebody who is not there any more, or is not for us to see, did
    /// all the same what is said of them: then it is the number.
    ///
    /// # Errors
    /// As any call.
    pub async fn names_of(&self, members: &[i64]) -> Result<Vec<String>> {
        let mut names = Vec::with_capacity(members.len());
        for member in members {
            names.push(match self.get_member(*member).await {
                Ok(member) => member.full_name(),
                Err(error) => match error.class() {
                    FailureClass::Gone | FailureClass::Forbidden | FailureClass::Invalid => {
                        format!("user {member}")
                    }
                    _ => return Err(error),
                },
            });
        }
        Ok(names)
    }
}
