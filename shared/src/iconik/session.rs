//! What opens the door: a token that was given, or one that is fetched, once for all who need it, and renewed.

use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use serde_json::Value;
use tokio::sync::Mutex;

use super::{
    credential::Credential,
    error::{Effect, Facts, Form, UNAUTHENTICATED, classify, failure, retry_after, unexpected},
    settings::{OauthHeader, Settings},
    wire,
};
use crate::{
    context::Context,
    error::{Error, FailureClass, Result},
    http::{Client as HttpClient, Request},
};

const APP_ID: HeaderName = HeaderName::from_static("app-id");
const AUTH_TOKEN: HeaderName = HeaderName::from_static("auth-token");
const OPERATION: &str = "get a token";

/// The headers of a call, and which token they show.
#[derive(Clone)]
pub(super) struct Pass {
    headers: Vec<(HeaderName, String)>,
    renewable: bool,
    number: u64,
}

impl Pass {
    pub(super) fn present(&self, request: Request) -> Request {
        self.headers.iter().fold(request, |request, (name, value)| request.header(name.clone(), value))
    }

    /// Whether another token can be had when this one is refused.
    pub(super) fn is_renewable(&self) -> bool {
        self.renewable
    }
}

pub(super) struct Session {
    state: Mutex<State>,
}

struct State {
    credential: Credential,
    pass: Option<Pass>,
    /// When the token in the pass ends, in milliseconds; never as far as we know when absent.
    ends: Option<i64>,
    fetched: u64,
    /// When the credential was refused last, and with what sentence.
    refused: Option<(i64, String)>,
}

impl Session {
    pub(super) fn new(credential: Credential) -> Self {
        let state = State { credential, pass: None, ends: None, fetched: 0, refused: None };
        Self { state: Mutex::new(state) }
    }

    /// Whether the credential was refused when it was shown last.
    pub(super) async fn is_refused(&self) -> bool {
        self.state.lock().await.refused.is_some()
    }

    /// Calls with this credential from now on. The one it has already changes nothing.
    pub(super) async fn change_credential(&self, credential: Credential) {
        let mut state = self.state.lock().await;
        if state.credential != credential {
            let fetched = state.fetched;
            *state = State { credential, pass: None, ends: None, fetched, refused: None };
        }
    }

    /// The newest pass, fetching a token when there is none or it is about to end. Whoever comes meanwhile waits for
    /// that one.
    pub(super) async fn pass(&self, http: &HttpClient, settings: &Settings) -> Result<Pass> {
        let mut state = self.state.lock().await;
        let now = http.context().now_milliseconds();
        let margin = milliseconds(settings.token_margin_seconds);
        match &state.pass {
            Some(pass) if state.ends.is_none_or(|ends| now < ends.saturating_sub(margin)) => Ok(pass.clone()),
            _ => state.open(http, settings).await,
        }
    }

    /// A pass newer than the one that was refused: another caller's, or a fresh one.
    pub(super) async fn renew(&self, refused: &Pass, http: &HttpClient, settings: &Settings) -> Result<Pass> {
        let mut state = self.state.lock().await;
        match &state.pass {
            Some(pass) if pass.number > refused.number => Ok(pass.clone()),
            _ => state.open(http, settings).await,
        }
    }

    /// The pass was refused and cannot be renewed, or was refused right after its renewal.
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
        self.pass = None;
        self.fetched += 1;
        let (headers, ends, renewable) = match &self.credential {
            Credential::ApplicationToken { app_id, auth_token } => {
                (vec![(APP_ID, app_id.clone()), (AUTH_TOKEN, auth_token.clone())], None, false)
            }
            Credential::OauthClient { client_id, client_secret } => {
                match fetch(http, settings, client_id, client_secret).await {
                    Ok(token) => (token.headers(settings.oauth_header), token.ends, true),
                    Err(error) => {
                        if error.class() == FailureClass::Auth {
                            self.refused = Some((now, error.message().to_owned()));
                        }
                        return Err(error);
                    }
                }
            }
        };
        let pass = Pass { headers, renewable, number: self.fetched };
        self.pass = Some(pass.clone());
        self.ends = ends;
        Ok(pass)
    }
}

struct Token {
    app_id: String,
    token: String,
    ends: Option<i64>,
}

impl Token {
    fn headers(&self, how: OauthHeader) -> Vec<(HeaderName, String)> {
        let own = || [(APP_ID, self.app_id.clone()), (AUTH_TOKEN, self.token.clone())];
        let bearer = || (header::AUTHORIZATION, format!("Bearer {}", self.token));
        match how {
            OauthHeader::AuthToken => own().into(),
            OauthHeader::Bearer => vec![bearer()],
            OauthHeader::Both => own().into_iter().chain([bearer()]).collect(),
        }
    }
}

async fn fetch(
    http: &HttpClient,
    settings: &Settings,
    client_id: &str,
    client_secret: &str,
) -> Result<Token> {
    let mut fields = vec![
        ("grant_type".to_owned(), "client_credentials".to_owned()),
        ("client_id".to_owned(), client_id.to_owned()),
        ("client_secret".to_owned(), client_secret.to_owned()),
    ];
    if !settings.oauth_scope.is_empty() {
        fields.push(("scope".to_owned(), settings.oauth_scope.clone()));
    }
    let request = Request::new(OPERATION, Method::POST, "/API/auth/v1/oauth/token/")
        .header(header::ACCEPT, "application/json")
        .form(&fields)
        .idempotent();
    let (status, headers, bytes) = http.send_and_read(&request).await?;
    let parsed = serde_json::from_slice::<Value>(&bytes);
    let (answer, form) = match parsed {
        Ok(answer) => (answer, Form::Words),
        Err(_) if bytes.is_empty() => (Value::Null, Form::Empty),
        Err(_) => (Value::Null, Form::Page),
    };
    if !status.is_success() || form != Form::Words {
        return Err(refusal(status, &headers, form, &answer));
    }
    let token = ["token", "access_token"].iter().find_map(|key| answer.get(key)?.as_str());
    let token = token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| unexpected(OPERATION, Effect::Repeatable, "no token in it"))?;
    let now = http.context().now_milliseconds();
    let lasts = answer.get("expires_in").and_then(wire::as_integer);
    let ends = answer.get("expires").and_then(Value::as_str).and_then(wire::moment);
    Ok(Token {
        app_id: answer.get("app_id").and_then(Value::as_str).unwrap_or(client_id).to_owned(),
        token: token.to_owned(),
        ends: match lasts {
            Some(seconds) => Some(now.saturating_add(seconds.saturating_mul(1000))),
            None => ends.map(jiff::Timestamp::as_millisecond),
        },
    })
}

/// A refused client: OAuth says so with 400 (`invalid_client`) as well as 401. No item is to blame for it, so everything
/// waits until the door opens.
fn refusal(status: StatusCode, headers: &HeaderMap, form: Form, answer: &Value) -> Error {
    let error = classify(&Facts {
        operation: OPERATION,
        effect: Effect::Repeatable,
        status: status.as_u16(),
        retry_after: retry_after(headers),
        form,
        answer,
    });
    match error.class() {
        FailureClass::Transient | FailureClass::Throttled => error,
        _ => refused(error.message().to_owned()),
    }
}

pub(super) fn refused(text: String) -> Error {
    failure(FailureClass::Auth, OPERATION, UNAUTHENTICATED, text)
        .remedy("check the iconik secret and address")
}

fn milliseconds(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)
}
