//! Users: who they are, which roles they hold, how often they call.

use serde_json::{Value, json};

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
    /// `ACTIVE`, `INACTIVE`, `BLOCKED`, `DELETED`.
    pub status: String,
    /// Password of the legacy login; none for those who cannot log in.
    pub password: Option<String>,
}

/// Calls of one application in the current window.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    window: i64,
    calls: u64,
}

impl State {
    /// The user with this id.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// Lets a call of an application through, or not: so many in each window. Gives the calls that remain.
    pub(in crate::iconik) fn admit(&mut self, application: &str) -> Outcome<Option<u64>> {
        let Some(most) = self.settings.rate_limit.calls else { return Ok(None) };
        let window = self.now.as_second().div_euclid(self.settings.rate_limit.seconds.max(1));
        let pace = self.pace.entry(application.to_owned()).or_default();
        if pace.window != window {
            *pace = Pace { window, calls: 0 };
        }
        pace.calls += 1;
        if pace.calls > most { Err(Refusal::TooMany) } else { Ok(Some(most - pace.calls)) }
    }

    /// Whether a user holds a role.
    pub fn has_role(&self, user: &str, role: &str) -> bool {
        self.user(user).is_some_and(|user| user.is_admin || user.roles.iter().any(|held| held == role))
    }

    /// Whether a user is an administrator.
    pub fn is_admin(&self, user: &str) -> bool {
        self.users.iter().any(|known| known.id == user && known.is_admin)
    }

    /// The address of a user.
    pub fn login_of(&self, user: &str) -> Option<String> {
        self.user(user).map(|user| user.email.clone())
    }

    /// What is shown of a user beside an object.
    pub fn user_info(&self, id: &str) -> Value {
        let Some(user) = self.user(id) else { return Value::Null };
        json!({
            "id": user.id, "email": user.email, "first_name": user.name.0, "last_name": user.name.1, "photo": "",
            "photo_small": "", "photo_big": "",
        })
    }
}

impl User {
    /// The user as the users' service shows it.
    pub(in crate::iconik) fn shown(&self, system_domain_id: &str) -> Value {
        json!({
            "id": self.id, "email": self.email, "first_name": self.name.0, "last_name": self.name.1,
            "type": if self.is_admin { "POWER" } else { "STANDARD" }, "status": self.status, "is_admin": self.is_admin,
            "is_super_admin": false, "groups": [], "primary_group": null, "photo": "", "photo_small": "", "photo_big": "",
            "system_domain_id": system_domain_id, "system_domains": [system_domain_id],
        })
    }
}
