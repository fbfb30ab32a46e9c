//! Log-ins, tickets and tokens.
//!
//! A ticket names its session and the moment it was issued, sealed with the simulator's seed: any number of
//! tickets of one session are good at the same time, as on the real server.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::settings::TicketExpiry;
use super::{MemberId, Outcome, Refusal, State};

/// Sessions and credentials.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sessions {
    sessions: BTreeMap<i64, Session>,
    /// Directory clients that may ask for a token, by client id: secret and the member they act as.
    pub(crate) clients: BTreeMap<String, (String, MemberId)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Session {
    member: MemberId,
    /// Milliseconds since 1970.
    began: i64,
    last_used: i64,
    ended: bool,
}

const MOST_SESSIONS: usize = 10_000;

impl State {
    fn seal(&self, purpose: &str, claims: &str) -> String {
        let digest = Sha256::digest(format!("{}|{purpose}|{claims}", self.settings.seed));
        format!("{claims}.{}", STANDARD.encode(digest.iter().take(18).copied().collect::<Vec<u8>>()))
    }

    fn unseal<'a>(&self, purpose: &str, sealed: &'a str) -> Option<Vec<&'a str>> {
        let (claims, _) = sealed.rsplit_once('.')?;
        (self.seal(purpose, claims) == sealed).then(|| claims.split('-').collect())
    }

    /// Checks a password and opens a session.
    pub fn log_in(&mut self, name: &str, password: &str) -> Outcome<String> {
        let member = self
            .member_by_name(name)
            .filter(|member| member.password.as_deref() == Some(password))
            .map(|member| member.id)
            .ok_or(Refusal::BadPassword)?;
        Ok(self.open_session(member))
    }

    /// Opens a session for a member whose identity is proven and returns its first ticket.
    pub fn open_session(&mut self, member: MemberId) -> String {
        let id = self.fresh_id();
        let now = self.now.as_millisecond();
        let session = Session { member, began: now, last_used: now, ended: false };
        self.sessions.sessions.insert(id, session);
        if self.sessions.sessions.len() > MOST_SESSIONS {
            self.sessions.sessions.pop_first();
        }
        self.issue(id)
    }

    fn issue(&self, session: i64) -> String {
        STANDARD.encode(self.seal("ticket", &format!("{session}-{}", self.now.as_millisecond())))
    }

    /// Who holds this ticket, and a fresh ticket of the same session.
    pub fn check_ticket(&mut self, ticket: &str) -> Outcome<(MemberId, String)> {
        let decoded = STANDARD.decode(ticket).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.ok_or(Refusal::NotAuthenticated)?;
        let claims = self.unseal("ticket", &decoded).ok_or(Refusal::NotAuthenticated)?;
        let [session, issued] = claims.as_slice() else { return Err(Refusal::NotAuthenticated) };
        let (session, issued): (i64, i64) =
            session.parse().ok().zip(issued.parse().ok()).ok_or(Refusal::NotAuthenticated)?;
        let now = self.now.as_millisecond();
        let lifetime = self.settings.ticket_lifetime_seconds * 1000;
        let (expiry, prolongs) = (self.settings.ticket_expiry, self.settings.use_prolongs_ticket);
        let known = self.sessions.sessions.get_mut(&session).filter(|known| !known.ended);
        let known = known.ok_or(Refusal::NotAuthenticated)?;
        let alive_from = match expiry {
            TicketExpiry::Absolute => known.began,
            TicketExpiry::Sliding if prolongs => known.last_used,
            TicketExpiry::Sliding => issued,
        };
        if now - alive_from >= lifetime {
            return Err(Refusal::NotAuthenticated);
        }
        known.last_used = now;
        let member = known.member;
        Ok((member, self.issue(session)))
    }

    /// Ends the session of a ticket.
    pub fn log_out(&mut self, ticket: &str) {
        let decoded = STANDARD.decode(ticket).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let session = decoded
            .as_deref()
            .and_then(|decoded| self.unseal("ticket", decoded)?.first()?.parse::<i64>().ok());
        if let Some(session) = session.and_then(|id| self.sessions.sessions.get_mut(&id)) {
            session.ended = true;
        }
    }

    /// Ends all sessions: every ticket issued so far is refused from now on.
    pub fn end_all_sessions(&mut self) {
        self.sessions.sessions.values_mut().for_each(|session| session.ended = true);
    }

    /// A bearer token of the directory service.
    pub fn issue_bearer(&self, member: MemberId) -> String {
        self.seal("bearer", &format!("{member}-{}", self.now.as_millisecond()))
    }

    /// A directory ticket.
    pub fn issue_directory_ticket(&self, member: MemberId) -> String {
        let sealed = self.seal("directory", &format!("{member}-{}", self.now.as_millisecond()));
        format!("*OTDSSSO*{sealed}")
    }

    /// Who holds this bearer token.
    pub fn check_bearer(&self, token: &str) -> Outcome<MemberId> {
        self.check_sealed("bearer", token, self.settings.bearer_lifetime_seconds)
    }

    /// Who holds this directory ticket.
    pub fn check_directory_ticket(&self, ticket: &str) -> Outcome<MemberId> {
        let sealed = ticket.strip_prefix("*OTDSSSO*").ok_or(Refusal::NotAuthenticated)?;
        self.check_sealed("directory", sealed, self.settings.bearer_lifetime_seconds)
    }

    /// A token for one download of an item's content, for links a browser follows.
    pub fn issue_content_token(&self, member: MemberId, node: super::NodeId) -> String {
        self.seal(&format!("content {node}"), &format!("{member}-{}", self.now.as_millisecond()))
    }

    /// Who may download the item with this token.
    pub fn check_content_token(&self, token: &str, node: &str) -> Outcome<MemberId> {
        self.check_sealed(&format!("content {node}"), token, 300)
    }

    fn check_sealed(&self, purpose: &str, sealed: &str, lifetime_seconds: i64) -> Outcome<MemberId> {
        let claims = self.unseal(purpose, sealed).ok_or(Refusal::NotAuthenticated)?;
        let numbers: Vec<i64> = claims.iter().filter_map(|claim| claim.parse().ok()).collect();
        let [member, issued] = numbers.as_slice() else { return Err(Refusal::NotAuthenticated) };
        let fresh = self.now.as_millisecond() - issued < lifetime_seconds * 1000;
        if fresh && self.members.contains_key(member) { Ok(*member) } else { Err(Refusal::NotAuthenticated) }
    }

    /// Checks a directory client's secret and says which member it acts as.
    pub fn check_client(&self, id: &str, secret: &str) -> Option<MemberId> {
        self.sessions.clients.get(id).filter(|(known, _)| known == secret).map(|(_, member)| *member)
    }

    /// Lets a directory client act as a member.
    pub fn add_client(&mut self, id: &str, secret: &str, member: MemberId) {
        self.sessions.clients.insert(id.to_owned(), (secret.to_owned(), member));
    }
}
