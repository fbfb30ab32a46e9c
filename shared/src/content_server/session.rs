//! One session per client: signing in once however many calls need it, keeping the newest ticket, renewing once.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{
    credential::Credential,
    error::{CREDENTIALS_REFUSED, Effect, Facts, Form, classify, sentence, unexpected},
    settings::Settings,
};
use crate::{
    error::{Error, FailureClass, Result, System},
    http::{Client as HttpClient, Limits, Pace, Payload, Request, Transport, retry_after},
};

/// Carries the ticket in both directions.
pub(super) const TICKET: HeaderName = HeaderName::from_static("otcsticket");
const DIRECTORY_TICKET: HeaderName = HeaderName::from_static("otdsticket");

/// What opens the door, and the sign-in it stems from.
#[derive(Clone)]
pub(super) struct Pass {
    header: HeaderName,
    value: String,
    sign_in: u64,
}

impl Pass {
    pub(super) fn present(&self, request: Request) -> Request {
        request.header(self.header.clone(), &self.value)
    }
}

pub(super) struct Session {
    direct: bool,
    pause_milliseconds: i64,
    transport: Transport,
    pace: Pace,
    limits: Limits,
    state: Mutex<State>,
}

struct State {
    credential: Credential,
    directory: Option<HttpClient>,
    pass: Option<Pass>,
    sign_ins: u64,
    /// When the credential was refused last, and with what sentence.
    refused: Option<(i64, String)>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

impl Session {
    pub(super) fn new(
        settings: &Settings,
        credential: Credential,
        http: &HttpClient,
        transport: Transport,
        pace: Pace,
        limits: Limits,
    ) -> Self {
        let directory = directory_of(&credential, http, &transport, &pace, limits);
        Self {
            direct: settings.direct_bearer,
            pause_milliseconds: i64::try_from(settings.refused_login_pause_seconds * 1000)
                .unwrap_or(i64::MAX),
            transport,
            pace,
            limits,
            state: Mutex::new(State { credential, directory, pass: None, sign_ins: 0, refused: None }),
        }
    }

    /// Whether the last sign-in was refused.
    pub(super) async fn is_refused(&self) -> bool {
        self.state.lock().await.refused.is_some()
    }

    /// Signs in with this credential from now on. The one it has already changes nothing.
    pub(super) async fn change_credential(&self, credential: Credential, http: &HttpClient) {
        let mut state = self.state.lock().await;
        if state.credential != credential {
            state.directory = directory_of(&credential, http, &self.transport, &self.pace, self.limits);
            state.credential = credential;
            state.pass = None;
            state.refused = None;
        }
    }

    /// The newest pass, signing in when there is none. Whoever comes while somebody signs in waits for that one.
    pub(super) async fn pass(&self, http: &HttpClient, settings: &Settings) -> Result<Pass> {
        let mut state = self.state.lock().await;
        match &state.pass {
            Some(pass) => Ok(pass.clone()),
            None => self.sign_in(&mut state, http, settings).await,
        }
    }

    /// A pass newer than the one that was refused: another caller's, or a fresh one.
    pub(super) async fn renew(&self, refused: &Pass, http: &HttpClient, settings: &Settings) -> Result<Pass> {
        let mut state = self.state.lock().await;
        match &state.pass {
            Some(pass) if pass.sign_in > refused.sign_in => Ok(pass.clone()),
            _ => {
                state.pass = None;
                self.sign_in(&mut state, http, settings).await
            }
        }
    }

    /// Keeps the ticket that came with an answer, unless somebody has signed in anew since.
    pub(super) async fn note(&self, used: &Pass, headers: &HeaderMap) {
        let Some(ticket) = ticket(headers) else { return };
        let mut state = self.state.lock().await;
        if let Some(pass) = &mut state.pass
            && pass.sign_in == used.sign_in
            && pass.header == TICKET
        {
            pass.value = ticket;
        }
    }

    pub(super) async fn forget(&self) {
        self.state.lock().await.pass = None;
    }

    /// Signs in anew with the next call: what this pass brought may be a log-in page nobody has described to us.
    pub(super) async fn doubt(&self, used: &Pass) {
        let mut state = self.state.lock().await;
        if state.pass.as_ref().is_some_and(|pass| pass.sign_in == used.sign_in) {
            state.pass = None;
        }
    }

    async fn sign_in(&self, state: &mut State, http: &HttpClient, settings: &Settings) -> Result<Pass> {
        let now = http.context().now_milliseconds();
        if let Some((at, text)) = &state.refused
            && now.saturating_sub(*at) < self.pause_milliseconds
        {
            return Err(refused(text.clone()));
        }
        match self.obtain(state, http, settings).await {
            Ok((header, value)) => {
                state.sign_ins += 1;
                state.refused = None;
                let pass = Pass { header, value, sign_in: state.sign_ins };
                state.pass = Some(pass.clone());
                Ok(pass)
            }
            Err(error) => {
                if error.class() == FailureClass::Auth {
                    state.refused = Some((now, error.message().to_owned()));
                }
                Err(error)
            }
        }
    }

    async fn obtain(
        &self,
        state: &State,
        http: &HttpClient,
        settings: &Settings,
    ) -> Result<(HeaderName, String)> {
        let proof = match &state.credential {
            Credential::Password { username, password, domain } => {
                let mut fields = vec![
                    ("username".to_owned(), username.clone()),
                    ("password".to_owned(), password.clone()),
                ];
                fields.extend(domain.iter().map(|domain| ("domain".to_owned(), domain.clone())));
                let request =
                    Request::new("sign in", Method::POST, "/api/v1/auth").form(&fields).idempotent();
                let answer = ask(http, &request, settings).await?;
                return Ok((TICKET, text_at(&answer, "ticket")?));
            }
            Credential::OtdsClient { client_id, client_secret, .. } => {
                let request = Request::new("get a directory token", Method::POST, "/oauth2/token")
                    .form(&[
                        ("grant_type".to_owned(), "client_credentials".to_owned()),
                        ("client_id".to_owned(), client_id.clone()),
                        ("client_secret".to_owned(), client_secret.clone()),
                    ])
                    .idempotent();
                let answer = ask(state.directory()?, &request, settings).await?;
                let token = Token::deserialize(&answer)
                    .map_err(|_| unexpected(request.operation(), Effect::Repeatable, "no access_token"))?;
                (header::AUTHORIZATION, format!("Bearer {}", token.access_token))
            }
            Credential::OtdsUser { username, password, .. } => {
                let body = json!({ "userName": username, "password": password }).to_string();
                let path = "/rest/authentication/credentials";
                let request = Request::new("get a directory ticket", Method::POST, path)
                    .payload(Payload::Bytes("application/json", body.into()))
                    .idempotent();
                let answer = ask(state.directory()?, &request, settings).await?;
                (DIRECTORY_TICKET, text_at(&answer, "ticket")?)
            }
            Credential::Bearer { token } => (header::AUTHORIZATION, format!("Bearer {token}")),
        };
        if self.direct { Ok(proof) } else { exchange(http, settings, proof).await }
    }
}

impl State {
    fn directory(&self) -> Result<&HttpClient> {
        self.directory.as_ref().ok_or_else(|| Error::bug("sign in", "no directory address"))
    }
}

fn directory_of(
    credential: &Credential,
    http: &HttpClient,
    transport: &Transport,
    pace: &Pace,
    limits: Limits,
) -> Option<HttpClient> {
    match credential {
        Credential::OtdsClient { otds_url, .. } | Credential::OtdsUser { otds_url, .. } => {
            let (transport, context) = (transport.clone(), http.context().clone());
            Some(HttpClient::new(System::ContentServer, otds_url, transport, context, pace.clone(), limits))
        }
        Credential::Password { .. } | Credential::Bearer { .. } => None,
    }
}

/// Swaps a token or ticket of the directory service for a Content Server ticket, which comes as a header.
async fn exchange(
    http: &HttpClient,
    settings: &Settings,
    (name, value): (HeaderName, String),
) -> Result<(HeaderName, String)> {
    let request =
        Request::new("exchange the directory token", Method::GET, "/api/v1/auth").header(name, &value);
    let (status, headers, bytes) = http.send_and_read(&request).await?;
    match ticket(&headers) {
        Some(ticket) if status.is_success() => Ok((TICKET, ticket)),
        _ => Err(failure(&request, settings, status, &headers, &bytes)
            .unwrap_or_else(|| unexpected(request.operation(), Effect::Read, "no OTCSTicket header"))),
    }
}

async fn ask(http: &HttpClient, request: &Request, settings: &Settings) -> Result<Value> {
    let (status, headers, bytes) = http.send_and_read(request).await?;
    match failure(request, settings, status, &headers, &bytes) {
        Some(error) => Err(error),
        None => serde_json::from_slice(&bytes)
            .map_err(|_| unexpected(request.operation(), Effect::Repeatable, "no JSON")),
    }
}

/// A refused sign-in, whichever server refused it.
fn failure(
    request: &Request,
    settings: &Settings,
    status: StatusCode,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Option<Error> {
    let answer: Option<Value> = serde_json::from_slice(bytes).ok();
    let (form, text) = match &answer {
        Some(Value::Null) => (Form::Empty, String::new()),
        Some(answer) => (Form::Json, sentence(answer)),
        None if bytes.is_empty() => (Form::Empty, String::new()),
        None => (Form::Page, String::new()),
    };
    if status.is_success() && form == Form::Json && text.is_empty() {
        return None;
    }
    let facts = Facts {
        operation: request.operation(),
        effect: Effect::Repeatable,
        status: status.as_u16(),
        retry_after: retry_after(headers),
        form,
        text: &text,
    };
    let error = classify(&settings.texts, &facts);
    // The directory service refuses a credential with 400 (`invalid_client`) as well as 401, and a wrong address ends
    // in a 400 or 404 of somebody else. No item is to blame for any of these: all wait until the door opens.
    match error.class() {
        FailureClass::Transient | FailureClass::Throttled => Some(error),
        _ => Some(refused(error.message().to_owned())),
    }
}

fn refused(text: String) -> Error {
    Error::new(FailureClass::Auth, System::ContentServer, "sign in", CREDENTIALS_REFUSED, text)
        .remedy("check the Content Server secret and address")
}

fn ticket(headers: &HeaderMap) -> Option<String> {
    let ticket = headers.get(TICKET).map(HeaderValue::to_str)?.ok()?;
    (!ticket.is_empty()).then(|| ticket.to_owned())
}

fn text_at(answer: &Value, key: &str) -> Result<String> {
    answer
        .get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| unexpected("sign in", Effect::Repeatable, format_args!("no {key}")))
}
