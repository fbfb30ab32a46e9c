//! Users and their tokens.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Outcome, Refusal, State};

/// The role that may do everything.
pub const ADMINISTRATOR: &str = "ROLE_SDB_ADMIN_USER";
/// The role that approves, and subscribes to webhooks.
pub const MANAGER: &str = "ROLE_SDB_MANAGER_USER";
/// The role that configures, since 8.1.
pub const CONFIGURATION_MANAGER: &str = "ROLE_SDB_CONFIG_MANAGER_USER";
/// The role that only reads.
pub const READER: &str = "ROLE_SDB_ACCESS_USER";

/// Who may log in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Password.
    pub password: String,
    /// Name for people.
    pub full_name: String,
    /// Roles.
    pub roles: Vec<String>,
    /// What the second factor's codes are made of.
    pub second_factor: String,
}

impl User {
    /// Whether one of these roles is held.
    pub fn holds(&self, roles: &[&str]) -> bool {
        self.roles.iter().any(|held| held == ADMINISTRATOR || roles.contains(&held.as_str()))
    }
}

/// A token that was given out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// The token.
    pub token: String,
    /// What renews it, once.
    pub refresh: Option<String>,
    /// Whose it is.
    pub user: String,
    /// When it ends.
    pub ends: Timestamp,
}

/// What a login leads to.
pub(in crate::preservica) enum Login {
    /// A token.
    Done(Token),
    /// A code is to be shown first, with this.
    SecondFactor(String),
}

impl State {
    /// The user with a name.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// Logs somebody in.
    pub(in crate::preservica) fn login(
        &mut self,
        name: &str,
        password: &str,
        tenant: Option<&str>,
    ) -> Outcome<Login> {
        let is_right = self.user(name).is_some_and(|user| user.password == password);
        let is_here = tenant.is_none_or(|tenant| tenant.eq_ignore_ascii_case(&self.tenant));
        if !is_right || !is_here {
            return Err(Refusal::Refused(401, "Bad credentials".to_owned()));
        }
        if self.settings.sessions.two_factor {
            let token = self.open_session(name);
            // It opens nothing but the second step.
            self.tokens.retain(|known| known.token != token.token);
            return Ok(Login::SecondFactor(format!("{name}|{}", token.token)));
        }
        Ok(Login::Done(self.open_session(name)))
    }

    /// The second step.
    pub(in crate::preservica) fn complete_login(
        &mut self,
        name: &str,
        continuation: &str,
        code: &str,
    ) -> Outcome<Token> {
        let is_right = continuation.starts_with(&format!("{name}|"))
            && self.second_factor(name).as_deref() == Some(code);
        match is_right {
            true => Ok(self.open_session(name)),
            false => Err(Refusal::Refused(401, "The code is wrong".to_owned())),
        }
    }

    /// The code that a user's second factor shows now (RFC 6238).
    pub fn second_factor(&self, name: &str) -> Option<String> {
        let user = self.user(name)?;
        let step = u64::try_from(self.now.as_second().div_euclid(30)).ok()?;
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(user.second_factor.as_bytes()).ok()?;
        mac.update(&step.to_be_bytes());
        let tag = mac.finalize().into_bytes();
        let tag: &[u8] = tag.as_slice();
        let at = usize::from(tag.last()? & 0xf);
        let four: [u8; 4] = tag.get(at..at + 4)?.try_into().ok()?;
        Some(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
    }

    /// A token for a user, whoever asks.
    pub fn open_session(&mut self, user: &str) -> Token {
        let token = Token {
            token: self.new_reference(),
            refresh: Some(self.new_reference()),
            user: user.to_owned(),
            ends: self.after(self.settings.sessions.lifetime_seconds),
        };
        let now = self.now;
        self.tokens.retain(|known| known.ends > now);
        self.tokens.push(token.clone());
        token
    }

    /// A new token for one that is about to end.
    pub(in crate::preservica) fn refresh(&mut self, old: &str, refresh: &str) -> Outcome<Token> {
        let now = self.now;
        let found = self.tokens.iter_mut().find(|known| {
            known.token == old && known.ends > now && known.refresh.as_deref() == Some(refresh)
        });
        let found = found.ok_or(Refusal::Unauthenticated)?;
        found.refresh = None;
        let user = found.user.clone();
        if self.settings.sessions.refresh_ends_old {
            self.tokens.retain(|known| known.token != old);
        }
        Ok(self.open_session(&user))
    }

    /// Whose token it is.
    pub(in crate::preservica) fn identify_token(&self, token: &str) -> Outcome<String> {
        let now = self.now;
        let found = self.tokens.iter().find(|known| known.token == token && known.ends > now);
        found.map(|known| known.user.clone()).ok_or(Refusal::Unauthenticated)
    }

    /// One of these roles is needed.
    pub(in crate::preservica) fn needs(&self, user: &str, roles: &[&str]) -> Outcome<()> {
        match self.user(user).is_some_and(|user| user.holds(roles)) {
            true => Ok(()),
            false => Err(Refusal::Forbidden(format!("One of the roles {} is needed", roles.join(", ")))),
        }
    }

    /// Whoever only reads changes nothing.
    pub(in crate::preservica) fn may_write(&self, user: &str) -> Outcome<()> {
        let only_reads = self.user(user).is_none_or(|user| user.roles.iter().all(|role| role == READER));
        match only_reads {
            true => Err(Refusal::Forbidden("The user may only read".to_owned())),
            false => Ok(()),
        }
    }
}
