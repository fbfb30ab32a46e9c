//! What opens the door: a token that is fetched once for all who need it, and renewed before it ends. A new login ends no
//! other token, so what is under way with the old one goes on.

use http::{HeaderName, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{
    credential::Credential,
    error::{Effect, Facts, Form, UNAUTHENTICATED, classify, failure, form_of, retry_after, unexpected},
    settings::{Renewal, Settings},
};
use crate::{
    context::Context,
    error::{Error, FailureClass, Result},
    http::{Client as HttpClient, Request},
};

pub(super) const TOKEN: HeaderName = HeaderName::from_static("preservica-access-token");
const OPERATION: &str = "log in";

/// A token, and which one it is.
#[derive(Clone)]
pub(super) struct Pass {
    token: String,
    number: u64,
    since: i64,
}

impl Pass {
    pub(super) fn present(&self, request: Request) -> Request {
        request.header(TOKEN, &self.token)
    }

    /// Whether it was fetched longer ago than so many seconds.
    pub(super) fn is_older(&self, seconds: u64, now: i64) -> bool {
        now.saturating_sub(self.since) > milliseconds(seconds)
    }
}

pub(super) struct Session {
    state: Mutex<State>,
}

struct State {
    credential: Credential,
    pass: Option<Pass>,
    refresh: Option<String>,
    /// When the token ends, in milliseconds.
    ends: i64,
    fetched: u64,
    /// The tenant, as the answer to a login said.
    tenant: Option<String>,
    /// When the credential was refused last, and with what sentence.
    refused: Option<(i64, String)>,
}

impl State {
    fn new(credential: Credential, fetched: u64) -> Self {
        Self { credential, pass: None, refresh: None, ends: 0, fetched, tenant: None, refused: None }
    }
}

impl Session {
    pub(super) fn new(credential: Credential) -> Self {
        Self { state: Mutex::new(State::new(credential, 0)) }
    }

    /// Whether the credential was refused when it was shown last.
    pub(super) async fn is_refused(&self) -> bool {
        self.state.lock().await.refused.is_some()
    }

    /// Calls with this credential from now on. The one it has already changes nothing.
    pub(super) async fn change_credential(&self, credential: Credential) {
        let mut state = self.state.lock().await;
        if state.credential != credential {
            *state = State::new(credential, state.fetched);
        }
    }

    /// The newest pass, fetching a token when there is none or it is about to end. Whoever comes meanwhile waits for
    /// that one.
    pub(super) async fn pass(&self, http: &HttpClient, settings: &Settings) -> Result<Pass> {
        let mut state = self.state.lock().await;
        let now = http.context().now_milliseconds();
        match &state.pass {
            Some(pass) if now < state.ends.saturating_sub(milliseconds(settings.token_margin_seconds)) => {
                Ok(pass.clone())
            }
            _ => state.open(http, settings).await,
        }
    }

    /// The tenant: as the credential says, or as the answer to a login said.
    pub(super) async fn tenant(&self, http: &HttpClient, settings: &Settings) -> Result<String> {
        self.pass(http, settings).await?;
        let state = self.state.lock().await;
        let tenant = state.credential.tenant.clone().or_else(|| state.tenant.clone());
        tenant.filter(|tenant| !tenant.is_empty() && !tenant.contains('/')).ok_or_else(|| {
            Error::configuration(
                "preservica.no-tenant",
                "the server does not say which tenant the user is in",
            )
            .remedy("name the tenant in the Preservica secret")
        })
    }

    /// A pass newer than the one that was refused: another caller's, or a fresh one.
    pub(super) async fn renew(&self, refused: &Pass, http: &HttpClient, settings: &Settings) -> Result<Pass> {
        let mut state = self.state.lock().await;
        match &state.pass {
            Some(pass) if pass.number > refused.number => Ok(pass.clone()),
            _ => {
                // It was refused, and so would be what renews it.
                state.refresh = None;
                state.open(http, settings).await
            }
        }
    }

    /// The pass was refused right after its renewal.
    pub(super) async fn note_refusal(&self, pass: &Pass, context: &Context, text: &str) {
        let mut state = self.state.lock().await;
        if state.pass.as_ref().is_none_or(|known| known.number == pass.number) {
            state.refused = Some((context.now_milliseconds(), text.to_owned()));
            state.pass = None;
        }
    }

    /// The pass was taken.
    pub(super) async fn note_success(&self, pass: &Pass) {
        let mut state = self.state.lock().await;
        if state.pass.as_ref().is_some_and(|known| known.number == pass.number) {
            state.refused = None;
        }
    }
}

impl State {
    async fn open(&mut self, http: &HttpClient, settings: &Settings) -> Result<Pass> {
        let now = http.context().now_milliseconds();
        let pause = milliseconds(settings.refused_credential_pause_seconds);
        if let Some((at, text)) = &self.refused
            && now.saturating_sub(*at) < pause
        {
            return Err(refused(text.clone()));
        }
        let answer = match (settings.renewal, self.pass.take(), self.refresh.take()) {
            (Renewal::Refresh, Some(pass), Some(refresh)) if now < self.ends => {
                // One that cannot be used any more is no reason to stay outside.
                match refreshed(http, &pass, refresh).await {
                    Ok(answer) => Ok(answer),
                    Err(_) => login(http, &self.credential).await,
                }
            }
            _ => login(http, &self.credential).await,
        };
        let answer = answer.inspect_err(|error| {
            if error.class() == FailureClass::Auth {
                self.refused = Some((now, error.message().to_owned()));
            }
        })?;
        self.fetched += 1;
        let seconds = answer.minutes.map_or(settings.token_seconds, |minutes| minutes.saturating_mul(60));
        self.ends = now.saturating_add(milliseconds(seconds));
        self.refresh = answer.refresh;
        self.tenant = answer.tenant.or(self.tenant.take());
        let pass = Pass { token: answer.token, number: self.fetched, since: now };
        self.pass = Some(pass.clone());
        Ok(pass)
    }
}

#[derive(Deserialize)]
struct Opened {
    token: String,
    #[serde(default, rename = "refresh-token")]
    refresh: Option<String>,
    #[serde(default, rename = "validFor")]
    minutes: Option<u64>,
    #[serde(default)]
    tenant: Option<String>,
}

async fn login(http: &HttpClient, credential: &Credential) -> Result<Opened> {
    let mut fields = vec![
        ("username".to_owned(), credential.username.clone()),
        ("password".to_owned(), credential.password.clone()),
    ];
    fields.push(match &credential.tenant {
        Some(tenant) => ("tenant".to_owned(), tenant.clone()),
        None => ("includeUserDetails".to_owned(), "true".to_owned()),
    });
    // Any number of tokens may be live at a time: a second one does no harm.
    let request = Request::new(OPERATION, Method::POST, "/api/accesstoken/login").form(&fields).idempotent();
    ask(http, &request).await
}

async fn refreshed(http: &HttpClient, pass: &Pass, refresh: String) -> Result<Opened> {
    let request = Request::new(OPERATION, Method::POST, "/api/accesstoken/refresh")
        .header(TOKEN, &pass.token)
        .form(&[("refreshToken".to_owned(), refresh)]);
    ask(http, &request).await
}

async fn ask(http: &HttpClient, request: &Request) -> Result<Opened> {
    let request = request.clone().header(header::ACCEPT, "application/json");
    let (status, headers, bytes) = http.send_and_read(&request).await?;
    let answer = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
    if status == StatusCode::OK && answer.is_object() {
        let opened: Opened = serde_json::from_value(answer)
            .map_err(|_| unexpected(OPERATION, Effect::Repeatable, "no token in it"))?;
        return match opened.token.bytes().all(|byte| byte.is_ascii_graphic()) && !opened.token.is_empty() {
            true => Ok(opened),
            false => Err(unexpected(OPERATION, Effect::Repeatable, "a token that no header can carry")),
        };
    }
    if answer.get("message").and_then(Value::as_str).is_some_and(|text| text.starts_with("needs.2fa")) {
        let text = "the user has to show a second factor, which a service cannot";
        return Err(failure(FailureClass::Auth, OPERATION, "preservica.second-factor", text)
            .remedy("let the service log in as a user without a second factor"));
    }
    let form = form_of(&headers, &bytes);
    let error = classify(&Facts {
        operation: OPERATION,
        effect: Effect::Repeatable,
        status: status.as_u16(),
        retry_after: retry_after(&headers),
        form,
        body: &bytes,
    });
    // No item is to blame for it, so everything waits until the door opens.
    match error.class() {
        FailureClass::Transient | FailureClass::Throttled => Err(error),
        _ if form == Form::Page => Err(error.with_class(FailureClass::Transient)),
        _ => Err(refused(error.message().to_owned())),
    }
}

pub(super) fn refused(text: String) -> Error {
    failure(FailureClass::Auth, OPERATION, UNAUTHENTICATED, text)
        .remedy("check the Preservica secret: user, password and tenant")
}

fn milliseconds(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)
}
