//! What an iconik holds when it starts: a small production.

use jiff::Timestamp;

use super::settings::Settings;
use super::state::{State, Token, User};

/// Id of the application that integrations use.
pub const APP_ID: &str = "5f0c8f30-7a51-11f0-a001-0242ac120002";
/// Its token, which acts for the service user.
pub const TOKEN: &str = "simulated-service-token";
/// The token of the administrator.
pub const ADMIN_TOKEN: &str = "simulated-administrator-token";
/// Id of the service user.
pub const SERVICE: &str = "5f0c8f30-7a51-11f0-a002-0242ac120002";
/// Id of the administrator.
pub const ADMIN: &str = "5f0c8f30-7a51-11f0-a003-0242ac120002";

/// The seeded production.
pub fn production(settings: Settings, now: Timestamp) -> State {
    let mut state = State::new(settings, now);
    let user = |id: &str, email: &str, first: &str, is_admin: bool| User {
        id: id.to_owned(),
        email: email.to_owned(),
        name: (first.to_owned(), "User".to_owned()),
        is_admin,
        roles: ["can_read_assets", "can_create_assets", "can_write_assets"].map(str::to_owned).to_vec(),
    };
    state.users = vec![
        user(SERVICE, "service@example.com", "Service", false),
        user(ADMIN, "administrator@example.com", "Administrator", true),
    ];
    let token = |token: &str, user: &str| Token {
        app_id: APP_ID.to_owned(),
        token: token.to_owned(),
        user: user.to_owned(),
        expires: None,
    };
    state.tokens = vec![token(TOKEN, SERVICE), token(ADMIN_TOKEN, ADMIN)];
    state
}
