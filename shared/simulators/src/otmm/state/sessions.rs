//! Users, sessions, access tokens, tickets.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use serde::Serialize;

use super::{Outcome, Refusal, State};
use crate::otmm::settings::Full;

/// The right to get content.
pub const DOWNLOAD: &str = "ASSET.DOWNLOAD";
/// The right to let content leave.
pub const EXPORT: &str = "EXPORT";
/// The right to delete assets, and to bring them back.
pub const DELETE_ASSET: &str = "ASSET.DELETE_UNDELETE";
/// The same for folders.
pub const DELETE_FOLDER: &str = "FOLDER.DELETE_UNDELETE";
/// The right to change anything: imports, metadata, states. Its name is the simulator's own.
pub const CHANGE: &str = "ASSET.CHANGE";

/// Who may log in.
#[derive(Clone, Debug, Serialize)]
pub struct User {
    /// Number, as text.
    pub id: String,
    /// Login name.
    pub login: String,
    /// Password.
    #[serde(skip)]
    pub password: String,
    /// Name for people.
    pub full_name: String,
    /// Number and name of the role.
    pub role: (i64, String),
    /// Rights (functional enablement tokens).
    pub rights: BTreeSet<String>,
}

/// A session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its number, as `X-Requested-By` shows it.
    pub id: u64,
    /// Its cookie.
    pub cookie: String,
    /// Its digest, as `otmmauthtoken` shows it.
    pub digest: String,
    /// A number that may be negative.
    pub validation_key: i32,
    /// Id of the user.
    pub user: String,
    /// When it was last used.
    pub used: Timestamp,
}

/// A token or ticket.
#[derive(Clone, Debug)]
pub(super) struct Token {
    token: String,
    user: String,
    ends: Timestamp,
}

impl State {
    /// The user with an id.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// Whose login and password these are.
    pub(in crate::otmm) fn whose(&self, login: &str, password: &str) -> Outcome<String> {
        let found = self.users.iter().find(|user| user.login == login && user.password == password);
        found
            .map(|user| user.id.clone())
            .ok_or_else(|| Refusal::Status(401, "The user name or the password is wrong".to_owned()))
    }

    /// The id of the user with a login name.
    pub(in crate::otmm) fn user_named(&self, login: &str) -> Outcome<String> {
        let found = self.users.iter().find(|user| user.login == login);
        found.map(|user| user.id.clone()).ok_or(Refusal::Unauthenticated)
    }

    /// A session for a user, as many as the site allows.
    pub fn open_session(&mut self, user: &str) -> Outcome<Session> {
        let rules = self.settings.sessions.clone();
        let idle = self.now.checked_sub(SignedDuration::from_secs(rules.idle_seconds)).unwrap_or(self.now);
        let mut alive: Vec<u64> = self
            .sessions
            .values()
            .filter(|session| session.user == user && session.used > idle)
            .map(|session| session.id)
            .collect();
        while rules.most.is_some_and(|most| alive.len() >= most) {
            match rules.full {
                Full::Refused => {
                    return Err(Refusal::Status(
                        rules.full_status,
                        "The maximum number of sessions of this user has been reached".to_owned(),
                    ));
                }
                Full::OldestEnds if alive.is_empty() => break,
                Full::OldestEnds => drop(self.sessions.remove(&alive.remove(0))),
            }
        }
        let id = 100_000 + self.next();
        let cookie: u128 = self.ids.random();
        let session = Session {
            id,
            cookie: format!("{cookie:032X}.node1"),
            digest: self.new_id(),
            validation_key: self.ids.random(),
            user: user.to_owned(),
            used: self.now,
        };
        self.sessions.insert(id, session.clone());
        Ok(session)
    }

    /// All sessions, tokens and tickets end.
    pub fn end_sessions(&mut self) {
        self.sessions.clear();
        self.tokens.clear();
        self.tickets.clear();
    }

    fn is_alive(&self, session: &Session) -> bool {
        self.now.duration_since(session.used).as_secs() < self.settings.sessions.idle_seconds
    }

    /// The session of a cookie. What a balancer has added behind the dot does not count.
    pub(in crate::otmm) fn session_of_cookie(&mut self, cookie: &str) -> Option<Session> {
        let wanted = cookie.split('.').next()?;
        let found =
            self.sessions.values().find(|session| session.cookie.split('.').next() == Some(wanted))?;
        if !self.is_alive(found) {
            return None;
        }
        let id = found.id;
        self.used(id)
    }

    /// The session of a digest.
    pub(in crate::otmm) fn session_of_digest(&mut self, digest: &str) -> Option<Session> {
        let found = self.sessions.values().find(|session| session.digest == digest)?;
        if !self.is_alive(found) && !self.settings.sessions.digest_survives {
            return None;
        }
        let id = found.id;
        self.used(id)
    }

    fn used(&mut self, id: u64) -> Option<Session> {
        let now = self.now;
        let session = self.sessions.get_mut(&id)?;
        session.used = now;
        Some(session.clone())
    }

    /// An access token for a user.
    pub(in crate::otmm) fn new_token(&mut self, user: &str) -> String {
        let (token, ends) = (
            format!("{}.{}", self.new_id(), self.new_id()),
            self.after(self.settings.sessions.token_seconds),
        );
        self.tokens.push(Token { token: token.clone(), user: user.to_owned(), ends });
        token
    }

    /// Whose token it is.
    pub(in crate::otmm) fn user_of_token(&self, token: &str) -> Option<String> {
        let found = self.tokens.iter().find(|known| known.token == token && known.ends > self.now)?;
        Some(found.user.clone())
    }

    /// A ticket of the directory service for a user.
    pub(in crate::otmm) fn new_ticket(&mut self, user: &str) -> String {
        let (token, ends) =
            (format!("*OTDSSSO*{}", self.new_id()), self.after(self.settings.sessions.ticket_seconds));
        self.tickets.push(Token { token: token.clone(), user: user.to_owned(), ends });
        token
    }

    /// Whose ticket it is.
    pub(in crate::otmm) fn user_of_ticket(&self, ticket: &str) -> Option<String> {
        let found = self.tickets.iter().find(|known| known.token == ticket && known.ends > self.now)?;
        Some(found.user.clone())
    }

    /// A right is needed.
    pub(in crate::otmm) fn needs(&self, user: &str, right: &str) -> Outcome<()> {
        match self.user(user).is_some_and(|user| user.rights.contains(right)) {
            true => Ok(()),
            false => Err(Refusal::Forbidden(format!("The user does not have the right {right}"))),
        }
    }
}
