//! The ways in.

use http::{HeaderMap, HeaderName, Method, header};
use serde_json::{Value, json};

use super::{DIGEST, Jar, LOCALE, OPERATION, REQUESTED_BY, SessionUser, refused};
use crate::{
    error::{Error, FailureClass, Result},
    http::{Client as HttpClient, Form, Payload, Request},
    otmm::{
        credential::Credential,
        error::{Effect, Facts, NOT_JSON, classify, failure, not_configured, unexpected},
        send::{form_of, parsed},
        settings::{Settings, TicketPlace},
        wire,
    },
};

const TICKET: HeaderName = HeaderName::from_static("otdstoken");

/// What an opening gives.
pub(super) struct Opened {
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) jar: Option<Jar>,
    pub(super) user: SessionUser,
    pub(super) is_session: bool,
    pub(super) refresh: Option<String>,
    /// Seconds that it lives, where that is known.
    pub(super) lasts: Option<u64>,
}

struct Token {
    text: String,
    lasts: Option<u64>,
    refresh: Option<String>,
}

pub(super) struct Door<'a> {
    pub(super) http: &'a HttpClient,
    pub(super) directory: Option<&'a HttpClient>,
    pub(super) settings: &'a Settings,
}

impl Door<'_> {
    pub(super) async fn open(&self, credential: &Credential, refresh: Option<&str>) -> Result<Opened> {
        match credential {
            Credential::Password { username, password } => {
                let fields = [field("username", username), field("password", password)];
                // Not repeated by itself: an answer that was lost has left a session behind.
                self.session(Request::new(OPERATION, Method::POST, self.target("/sessions")).form(&fields))
                    .await
            }
            Credential::RemoteUser { header, value } => {
                let request = Request::new(OPERATION, Method::GET, self.target("/sessions"));
                let name = HeaderName::from_bytes(header.as_bytes()).ok();
                self.session(match name {
                    Some(name) => request.header(name, value),
                    None => request,
                })
                .await
            }
            Credential::DirectoryTicket { username, password } => {
                let ticket = self.ticket(username, password).await?;
                let request = match self.settings.session.directory_ticket_in {
                    TicketPlace::Header => {
                        Request::new(OPERATION, Method::GET, self.target("/sessions")).header(TICKET, &ticket)
                    }
                    TicketPlace::Query => {
                        let query =
                            serde_urlencoded::to_string([("OTDSTicket", &ticket)]).unwrap_or_default();
                        Request::new(OPERATION, Method::GET, self.target(&format!("/sessions?{query}")))
                    }
                };
                self.session(request).await
            }
            Credential::OauthPassword { username, password, client_id, client_secret } => {
                let fields = [
                    field("grant_type", "password"),
                    field("username", username),
                    field("password", password),
                    field("client_id", client_id),
                    field("client_secret", client_secret),
                ];
                let request = Request::new(OPERATION, Method::POST, self.target("/sessions/oauth2/token"));
                let (_, answer) = ask(self.http, self.settings, &request.form(&fields).idempotent()).await?;
                let inner = answer.pointer("/token_info/oauth_token").unwrap_or(&answer);
                self.with_token(token(inner)?).await
            }
            Credential::OauthClient { client_id, client_secret } => {
                let fields = [
                    field("grant_type", "client_credentials"),
                    field("client_id", client_id),
                    field("client_secret", client_secret),
                ];
                self.with_token(self.directory_token(&fields).await?).await
            }
            Credential::OauthRefresh { client_id, client_secret, refresh_token } => {
                let mut fields = vec![
                    field("grant_type", "refresh_token"),
                    field("refresh_token", refresh.unwrap_or(refresh_token)),
                    field("client_id", client_id),
                ];
                if !client_secret.is_empty() {
                    fields.push(field("client_secret", client_secret));
                }
                self.with_token(self.directory_token(&fields).await?).await
            }
        }
    }

    fn target(&self, path: &str) -> String {
        format!("{}{path}", self.settings.api_version.path())
    }

    fn directory(&self) -> Result<&HttpClient> {
        self.directory.ok_or_else(|| not_configured(OPERATION, "session.directory_url"))
    }

    async fn directory_token(&self, fields: &[(String, String)]) -> Result<Token> {
        let path = self.settings.session.directory_token_path.clone();
        let request = Request::new("get a token", Method::POST, path).form(fields).idempotent();
        let (_, answer) = ask(self.directory()?, self.settings, &request).await?;
        token(&answer)
    }

    /// A ticket of the directory service, exchanged for one of the resource where that is wanted.
    async fn ticket(&self, username: &str, password: &str) -> Result<String> {
        const BASE: &str = "/otdsws/rest/authentication";
        let directory = self.directory()?;
        let resource = &self.settings.session.directory_resource;
        let body = json!({"userName": username, "password": password, "ticketType": "OTDSTICKET"});
        let mut ticket = self.ticket_for(directory, &format!("{BASE}/credentials"), &body).await?;
        if !resource.is_empty() {
            let body = json!({"ticket": ticket, "targetResourceId": resource});
            ticket = self.ticket_for(directory, &format!("{BASE}/resource/ticketforresource"), &body).await?;
        }
        Ok(ticket)
    }

    async fn ticket_for(&self, directory: &HttpClient, path: &str, body: &Value) -> Result<String> {
        let payload = Payload::Bytes("application/json", body.to_string().into());
        let request = Request::new("get a ticket", Method::POST, path).payload(payload).idempotent();
        let (_, answer) = ask(directory, self.settings, &request).await?;
        let ticket = wire::text(&answer, "ticket").filter(|ticket| is_showable(ticket));
        ticket.ok_or_else(|| unexpected("get a ticket", Effect::Repeatable, "no ticket in it"))
    }

    /// The session that a request opens.
    async fn session(&self, request: Request) -> Result<Opened> {
        let (headers, answer) = ask(self.http, self.settings, &request).await?;
        let session = answer.pointer("/session_resource/session");
        let wrong = |what: &str| unexpected(OPERATION, Effect::Repeatable, what);
        let session = session.ok_or_else(|| wrong("no session in it"))?;
        let id = wire::text(session, "id").ok_or_else(|| wrong("the session has no id"))?;
        let user =
            SessionUser { id: wire::text(session, "user_id"), login_name: wire::text(session, "login_name") };
        let mut shown = self.locale();
        shown.push((REQUESTED_BY, id));
        let mut jar = Jar::default();
        jar.note(&headers);
        let how = &self.settings.session;
        let digest = wire::text(session, "message_digest").filter(|digest| is_showable(digest));
        match digest {
            Some(digest) => {
                if how.digest {
                    shown.push((DIGEST, digest.clone()));
                }
                if how.digest_as_bearer {
                    shown.push((header::AUTHORIZATION, format!("Bearer otmmToken {digest}")));
                }
            }
            None if how.cookies && !jar.0.is_empty() => {}
            None => return Err(wrong("neither a digest nor a cookie in it")),
        }
        let jar = how.cookies.then_some(jar);
        Ok(Opened { headers: shown, jar, user, is_session: true, refresh: None, lasts: None })
    }

    /// What a token opens: each call by itself, or a session too.
    async fn with_token(&self, token: Token) -> Result<Opened> {
        let bearer = (header::AUTHORIZATION, format!("Bearer {}", token.text));
        let lasts = token.lasts.or(Some(self.settings.session.token_seconds).filter(|seconds| *seconds > 0));
        if self.settings.session.token_opens_session {
            let request = Request::new(OPERATION, Method::GET, self.target("/sessions"));
            let mut opened = self.session(request.header(bearer.0.clone(), &bearer.1)).await?;
            opened.headers.retain(|(name, _)| *name != header::AUTHORIZATION);
            opened.headers.push(bearer);
            return Ok(Opened { refresh: token.refresh, lasts, ..opened });
        }
        let mut headers = self.locale();
        headers.push(bearer);
        let user = SessionUser { id: None, login_name: None };
        // What stands before the server may still want its cookies back.
        let jar = self.settings.session.cookies.then(Jar::default);
        Ok(Opened { headers, jar, user, is_session: false, refresh: token.refresh, lasts })
    }

    fn locale(&self) -> Vec<(HeaderName, String)> {
        let locale = &self.settings.session.locale;
        if locale.is_empty() { Vec::new() } else { vec![(LOCALE, locale.clone())] }
    }
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn is_showable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A token, in the spelling of either server.
fn token(answer: &Value) -> Result<Token> {
    let text = ["accessToken", "access_token"].iter().find_map(|name| wire::text(answer, name));
    let text = text.filter(|text| is_showable(text));
    let text = text.ok_or_else(|| unexpected("get a token", Effect::Repeatable, "no token in it"))?;
    let lasts = ["expires_in", "expiresIn"].iter().find_map(|name| wire::number(answer, name));
    let refresh = ["refresh_token", "refreshToken"].iter().find_map(|name| wire::text(answer, name));
    Ok(Token { text, lasts, refresh })
}

async fn ask(http: &HttpClient, settings: &Settings, request: &Request) -> Result<(HeaderMap, Value)> {
    let request = request.clone().header(header::ACCEPT, "application/json");
    let read = http.send_and_read(&request).await;
    // Nobody's work hangs on a session that may have been opened: another one will do.
    let (status, headers, bytes) = read.map_err(|error| match error.class() {
        FailureClass::UnknownOutcome => error.with_class(FailureClass::Transient),
        _ => error,
    })?;
    let answer = parsed(&bytes);
    let form = form_of(&answer, &bytes);
    if status.is_success() && form == Form::Words && answer.get("exception_body").is_none() {
        return Ok((headers, answer));
    }
    let facts = Facts {
        operation: request.operation(),
        effect: Effect::Repeatable,
        names: &[],
        status,
        headers: &headers,
        form,
        answer: &answer,
    };
    Err(judged(classify(&settings.texts, &facts), status.as_u16(), form))
}

/// No item is to blame for a door that stays shut, so everything waits. A user whom the server does not want is told by
/// its status, or by OAuth's 400; any other refusal may pass.
fn judged(error: Error, status: u16, form: Form) -> Error {
    match error.class() {
        FailureClass::Transient | FailureClass::Throttled => error,
        _ if form == Form::Page => {
            let message = error.message().to_owned();
            failure(FailureClass::Transient, OPERATION, NOT_JSON, message)
        }
        _ if matches!(status, 400 | 401 | 403) => refused(error.message().to_owned()),
        _ => error.with_class(FailureClass::Transient),
    }
}
