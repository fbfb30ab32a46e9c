//! Who calls, with which roles, how often.

use std::collections::BTreeMap;

use http::HeaderMap;

use super::{Outcome, Refusal, State};

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    /// Id.
    pub id: String,
    /// Address, which is the login name.
    pub email: String,
    /// First and last name.
    pub name: (String, String),
    /// The administrator may do everything.
    pub is_admin: bool,
    /// Roles such as `can_read_assets`.
    pub roles: Vec<String>,
}

/// The token of an application, which acts as one user.
#[derive(Clone, Debug)]
pub struct Token {
    /// Id of the application.
    pub app_id: String,
    /// The secret.
    pub token: String,
    /// Id of the user.
    pub user: String,
    /// Until when it is valid; always when absent.
    pub expires: Option<jiff::Timestamp>,
}

/// Calls of the current second by user.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    second: i64,
    calls: BTreeMap<String, u64>,
}

impl State {
    /// The user whose credentials these are.
    pub(in crate::iconik) fn identify(&self, headers: &HeaderMap) -> Outcome<String> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let (app_id, token) = (text("app-id"), text("auth-token").or(bearer));
        let found = self.tokens.iter().find(|known| {
            let is_app = app_id.is_some_and(|app_id| app_id == known.app_id) || bearer.is_some();
            is_app
                && token.is_some_and(|token| token == known.token)
                && known.expires.is_none_or(|expires| expires > self.now)
        });
        found.map(|known| known.user.clone()).ok_or(Refusal::Unauthenticated)
    }

    /// Lets a call through, or not: so many per second.
    pub(in crate::iconik) fn admit(&mut self, user: &str) -> Outcome<()> {
        let Some(most) = self.settings.calls_per_second else { return Ok(()) };
        let second = self.now.as_second();
        if self.pace.second != second {
            self.pace = Pace { second, calls: BTreeMap::new() };
        }
        let calls = self.pace.calls.entry(user.to_owned()).or_default();
        *calls += 1;
        if *calls > most { Err(Refusal::TooMany) } else { Ok(()) }
    }

    /// Whether a user holds a role.
    pub fn has_role(&self, user: &str, role: &str) -> bool {
        let user = self.users.iter().find(|known| known.id == user);
        user.is_some_and(|user| user.is_admin || user.roles.iter().any(|held| held == role))
    }

    /// The address of a user.
    pub fn login_of(&self, user: &str) -> Option<String> {
        self.users.iter().find(|known| known.id == user).map(|user| user.email.clone())
    }
}
