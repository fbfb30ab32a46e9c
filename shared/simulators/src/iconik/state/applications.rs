//! Applications and their tokens.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Outcome, Refusal, State};
use crate::iconik::dates;
use crate::iconik::settings::TokenHeader;

/// Kind of an application; it cannot be changed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationKind {
    /// Has a token that acts for one user.
    Personal,
    /// Gets tokens from the OAuth endpoint.
    Oauth,
}

/// An application that an administrator has registered.
#[derive(Clone, Debug)]
pub struct Application {
    /// The App-ID, for OAuth also the client id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: ApplicationKind,
    /// Client secret of an OAuth application.
    pub secret: String,
    /// The user it acts for when no other has agreed.
    pub user: String,
    /// Addresses that codes may be sent to.
    pub redirect_uris: Vec<String>,
    /// Scopes it may ask for.
    pub scopes: Vec<String>,
}

/// A token, which acts as one user.
#[derive(Clone, Debug)]
pub struct Token {
    /// Id.
    pub id: String,
    /// Id of the application.
    pub app_id: String,
    /// The secret.
    pub token: String,
    /// Id of the user.
    pub user: String,
    /// When it was made.
    pub made: Timestamp,
    /// Until when it is valid; always when absent.
    pub expires: Option<Timestamp>,
    /// From the OAuth endpoint, with the scope that was granted.
    pub scope: Option<String>,
    /// What brings the next one.
    pub refresh: Option<String>,
}

/// What a user has agreed to and an application may exchange once for a token.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The application.
    pub app_id: String,
    /// The user.
    pub user: String,
    /// Where the code was sent.
    pub redirect_uri: String,
    /// Scope.
    pub scope: String,
    /// SHA-256 of the verifier (RFC 7636), in base64url.
    pub challenge: String,
    /// Until when.
    pub expires: Timestamp,
}

impl State {
    /// The application and user whose credentials these are.
    pub(in crate::iconik) fn identify(&self, headers: &HeaderMap) -> Outcome<Token> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let found = self.tokens.iter().find(|known| {
            let sent = match (known.scope.is_some(), self.settings.credentials.oauth_header) {
                (false, _) | (true, TokenHeader::AuthToken) => text("auth-token"),
                (true, TokenHeader::Either) => text("auth-token").or(bearer),
                (true, TokenHeader::Bearer) => bearer,
            };
            // Who comes with a bearer token alone has said enough.
            let is_needed = self.settings.credentials.app_id_needed && text("auth-token").is_some();
            let is_app = text("app-id").map_or(!is_needed, |app_id| app_id == known.app_id);
            is_app
                && sent.is_some_and(|sent| sent == known.token)
                && known.expires.is_none_or(|expires| expires > self.now)
        });
        let active = |token: &&Token| self.user(&token.user).is_some_and(|user| user.status == "ACTIVE");
        found.filter(active).cloned().ok_or(Refusal::Unauthenticated)
    }

    /// Makes a token that acts for a user; it lives for ever when no time is given.
    pub fn issue_token(&mut self, app_id: &str, user: &str, seconds: Option<i64>) -> Token {
        let token = Token {
            id: self.new_id(),
            app_id: app_id.to_owned(),
            token: self.new_secret(),
            user: user.to_owned(),
            made: self.now,
            expires: seconds.map(|seconds| self.after(seconds)),
            scope: None,
            refresh: None,
        };
        self.tokens.push(token.clone());
        token
    }

    /// So many seconds from now.
    pub(in crate::iconik) fn after(&self, seconds: i64) -> Timestamp {
        self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(self.now)
    }

    /// Makes a token of the OAuth endpoint.
    pub(in crate::iconik) fn issue_oauth(
        &mut self,
        application: &Application,
        user: &str,
        scope: &str,
        expires_in: Option<i64>,
    ) -> Token {
        let longest = self.settings.credentials.oauth_token_seconds;
        let seconds = expires_in.unwrap_or(longest).clamp(1, longest.max(1));
        let refresh = self.settings.credentials.refresh_tokens.then(|| self.new_secret());
        let issued = self.issue_token(&application.id, user, Some(seconds));
        let token = Token { scope: Some(scope.to_owned()), refresh, ..issued };
        if let Some(last) = self.tokens.last_mut() {
            *last = token.clone();
        }
        token
    }

    /// Exchanges a refresh token, which is used up by that.
    pub(in crate::iconik) fn refresh_oauth(
        &mut self,
        application: &Application,
        refresh: &str,
        expires_in: Option<i64>,
    ) -> Outcome<Token> {
        let is_it =
            |token: &Token| token.app_id == application.id && token.refresh.as_deref() == Some(refresh);
        let Some(at) = self.tokens.iter().position(is_it) else {
            return Err(Refusal::Other(400, "invalid_grant".to_owned()));
        };
        let old = self.tokens.remove(at);
        Ok(self.issue_oauth(application, &old.user, old.scope.as_deref().unwrap_or_default(), expires_in))
    }

    /// Exchanges a code (RFC 6749 with RFC 7636), which is used up by that.
    pub(in crate::iconik) fn exchange_code(
        &mut self,
        application: &Application,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        expires_in: Option<i64>,
    ) -> Outcome<Token> {
        let refused = || Refusal::Other(400, "invalid_grant".to_owned());
        let grant = self.grants.remove(code).ok_or_else(refused)?;
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let fits = grant.app_id == application.id
            && grant.redirect_uri == redirect_uri
            && grant.challenge == challenge
            && grant.expires > self.now;
        if !fits {
            return Err(refused());
        }
        Ok(self.issue_oauth(application, &grant.user, &grant.scope, expires_in))
    }

    /// A token as the vendor shows it.
    pub(in crate::iconik) fn token_shown(&self, token: &Token) -> Value {
        let is_admin = self.user(&token.user).is_some_and(|user| user.is_admin);
        json!({
            "id": token.id, "app_id": token.app_id, "user_id": token.user, "token": token.token,
            "expires": token.expires.map(dates::kept), "date_created": dates::kept(token.made),
            "date_modified": dates::kept(token.made), "system_domain_id": self.system_domain_id,
            "system_domains": [self.system_domain_id], "auth_system_domains": [], "system_domain_status": "ACTIVE",
            "system_domain_type": "ENTERPRISE", "system_domain_warning_message": null, "is_admin": is_admin,
            "is_mfa_authenticated": false, "is_saml_authenticated": false, "is_super_admin": false,
            "is_super_admin_light": false,
        })
    }
}

impl Application {
    /// The application as the vendor shows it, without its secret.
    pub(in crate::iconik) fn shown(&self, system_domain_id: &str) -> Value {
        json!({
            "id": self.id, "name": self.name, "default_user_id": self.user, "redirect_uris": self.redirect_uris,
            "allowed_scopes": self.scopes, "system_domain_id": system_domain_id, "description": "",
            "type": match self.kind { ApplicationKind::Personal => "PAT", ApplicationKind::Oauth => "OAUTH" },
        })
    }
}
