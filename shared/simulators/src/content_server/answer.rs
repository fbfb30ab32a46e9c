//! From a request to its response: journal, faults, place, ticket, route.

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use serde_json::json;

use super::Simulator;
use super::at_once::OneTooMany;
use super::reply::Reply;
use super::request::{BadRequest, Params};
use super::routes::{self, Call};
use super::settings::{Settings, Throttle, Unauthenticated};
use super::state::{Api, MemberId, Outcome, Refusal, State};
use crate::frame::{self, html, json_response, with_retry_after};

/// Where a path leads.
enum Place {
    /// The REST interface: base path, generation, rest.
    Api(Api, String),
    /// The directory service.
    Directory(String),
    /// The readiness file of container images.
    Ready,
    /// Nowhere.
    Nowhere,
}

fn place(path: &str, settings: &Settings) -> Place {
    let trimmed = path.trim_end_matches('/');
    if let Some(rest) = trimmed.strip_prefix("/otdsws/") {
        return Place::Directory(rest.to_owned());
    }
    let lower = trimmed.to_lowercase();
    for base in &settings.base_paths {
        let base = base.to_lowercase();
        let Some(rest) = lower.strip_prefix(&base) else { continue };
        if rest == "/cssupport/csconfigured" {
            return Place::Ready;
        }
        for (prefix, api) in [("/api/v1/", Api::V1), ("/api/v2/", Api::V2)] {
            if rest.starts_with(prefix) {
                let rest = trimmed.get(base.len() + "/api/".len()..).unwrap_or_default();
                return Place::Api(api, rest.to_owned());
            }
        }
        if rest == "/api" || rest.starts_with("/api/") {
            return Place::Api(Api::V2, "unknown".to_owned());
        }
    }
    Place::Nowhere
}

/// Serves one request.
pub(super) async fn answer(simulator: Simulator, request: Request<Body>, sequence: u64) -> Response<Body> {
    let settings = simulator.with_state(|state| state.settings.clone());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let headers = request.headers().clone();
    let one_too_many = request.extensions().get::<OneTooMany>().is_some();
    // The body is read even when the answer is decided: a client notices a refusal only after it has sent all.
    match Params::read(request, &settings).await {
        Ok(params) => {
            simulator.journal().note(sequence, |entry| entry.received = params.received);
            if one_too_many {
                let Throttle { status, retry_after_seconds, .. } = settings.throttle;
                return throttled(status, retry_after_seconds);
            }
            simulator.perform(&settings, &method, &path, &headers, params, sequence)
        }
        Err(BadRequest::TooLarge) => error_response(413, "Request Entity Too Large"),
        Err(BadRequest::Aborted) => error_response(400, "The request body could not be read."),
    }
}

impl Simulator {
    fn perform(
        &self,
        settings: &Settings,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        params: Params,
        sequence: u64,
    ) -> Response<Body> {
        let mut state = self.lock();
        match place(path, settings) {
            Place::Nowhere => {
                self.journal().note(sequence, |entry| entry.unknown = true);
                html(404, "404 Not Found")
            }
            Place::Ready => Response::new(Body::from("configured")),
            Place::Directory(rest) => {
                if !settings.modules.directory {
                    return html(404, "404 Not Found");
                }
                let (status, value) = routes::directory::answer(&mut state, method, &rest, headers, &params);
                if status == 404 {
                    self.journal().note(sequence, |entry| entry.unknown = true);
                }
                json_response(status, &value)
            }
            Place::Api(api, rest) => {
                let suppress = params.has("suppress_response_codes");
                let outcome = enter(&mut state, api, &rest, path, method, headers, params);
                let user = outcome.member.map(|member| state.login_of(member));
                let unknown = matches!(outcome.reply, Err(Refusal::NoUrl));
                self.journal().note(sequence, |entry| {
                    entry.user = user;
                    entry.unknown = unknown;
                });
                respond(&state, api, outcome, headers, suppress)
            }
        }
    }
}

/// What became of a call.
struct Entered {
    member: Option<MemberId>,
    fresh_ticket: Option<String>,
    reply: Outcome<Reply>,
}

/// Checks the ticket and routes.
fn enter(
    state: &mut State,
    api: Api,
    rest: &str,
    path: &str,
    method: &Method,
    headers: &HeaderMap,
    params: Params,
) -> Entered {
    let decoded = frame::segments(rest);
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let public = matches!(
        (method.as_str(), segments.as_slice()),
        ("GET" | "HEAD", ["v1", "ping"]) | ("POST", ["v1", "auth"])
    );
    let who = if public {
        Ok((super::state::ADMIN, None))
    } else {
        identify(state, method, &segments, headers, &params)
    };
    match who {
        Err(refusal) => Entered { member: None, fresh_ticket: None, reply: Err(refusal) },
        Ok((actor, fresh_ticket)) => {
            if let Err(refusal) = state.admit((!public).then_some(actor)) {
                return Entered { member: Some(actor), fresh_ticket: None, reply: Err(refusal) };
            }
            state.acting = actor;
            let method = if *method == Method::HEAD { Method::GET } else { method.clone() };
            let mut call = Call { state, params, method, api, actor, path: path.to_owned(), headers };
            let reply = routes::route(&mut call, &segments).unwrap_or(Err(Refusal::NoUrl));
            Entered { member: (!public).then_some(actor), fresh_ticket, reply }
        }
    }
}

/// The caller and a fresh ticket, from whichever credential is valid.
fn identify(
    state: &mut State,
    method: &Method,
    segments: &[&str],
    headers: &HeaderMap,
    params: &Params,
) -> Outcome<(MemberId, Option<String>)> {
    let tickets = routes::session::tickets(headers);
    let mut refusal = Refusal::NotAuthenticated;
    for ticket in &tickets {
        match state.check_ticket(ticket) {
            Ok((member, fresh)) => return Ok((member, Some(fresh))),
            Err(error) => refusal = error,
        }
    }
    let exchange = matches!((method.as_str(), segments), ("GET", ["v1", "auth"]));
    if exchange || state.settings.direct_directory_tokens {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let member = bearer
            .map(|token| state.check_bearer(token))
            .or_else(|| text("otdsticket").map(|ticket| state.check_directory_ticket(ticket)));
        if let Some(member) = member {
            let member = member?;
            return Ok((member, Some(state.open_session(member))));
        }
    }
    if let (["v1" | "v2", "nodes", id, .., "content"], Some(token)) = (segments, params.text("token")) {
        return state.check_content_token(&token, id).map(|member| (member, None));
    }
    Err(refusal)
}

fn respond(state: &State, api: Api, outcome: Entered, headers: &HeaderMap, suppress: bool) -> Response<Body> {
    let mut response = match outcome.reply {
        Ok(Reply::Json(mut value)) => {
            if let (true, Some(object)) = (suppress, value.as_object_mut()) {
                object.insert("statusCode".to_owned(), json!(200));
            }
            json_response(200, &value)
        }
        Ok(Reply::Text { kind, text }) => {
            let mut response = Response::new(Body::from(text));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            response
        }
        Ok(Reply::Content(content)) => routes::content::response(&state.settings, &content, headers),
        Err(Refusal::NotAuthenticated) if state.settings.unauthenticated == Unauthenticated::LoginPage => {
            return login_page();
        }
        Err(Refusal::NotAuthenticated) if state.settings.unauthenticated == Unauthenticated::Redirect => {
            return to_login_page();
        }
        Err(Refusal::Throttled { status, retry_after }) => return throttled(status, retry_after),
        Err(refusal) => {
            let (mut status, text) = refusal.answer(api, state.settings.language);
            if refusal == Refusal::NotAuthenticated {
                status = state.settings.unauthenticated_status;
            }
            if suppress {
                return json_response(200, &json!({"error": text, "statusCode": status}));
            }
            return json_response(status, &json!({ "error": text }));
        }
    };
    if let Some(ticket) = outcome.fresh_ticket.and_then(|ticket| HeaderValue::from_str(&ticket).ok()) {
        let headers = response.headers_mut();
        headers.insert("OTCSTicket", ticket);
        let lifetime = jiff::SignedDuration::from_secs(state.settings.ticket_lifetime_seconds);
        let expires = state.now.checked_add(lifetime).unwrap_or(state.now);
        if let Ok(expires) = HeaderValue::from_str(&expires.as_second().to_string()) {
            headers.insert("OTCSTicketExpires", expires);
        }
    }
    response
}

/// An error with one sentence.
pub(super) fn error_response(status: u16, text: &str) -> Response<Body> {
    json_response(status, &json!({ "error": text }))
}

/// The refusal of a call that is one too many: it is not the server that answers, so it is not JSON.
fn throttled(status: u16, retry_after: Option<u64>) -> Response<Body> {
    with_retry_after(html(status, "Too Many Requests"), retry_after)
}

/// What a single-sign-on gateway shows instead of an answer.
fn login_page() -> Response<Body> {
    let mut response = html(200, "Sign in");
    let form = "<form action=\"/otdsws/login\" method=\"post\"><input name=\"otds_username\">\
                <input name=\"otds_password\" type=\"password\"><button>Sign in</button></form>";
    *response.body_mut() = Body::from(format!("<!DOCTYPE html><html><body>{form}</body></html>"));
    response
}

/// Where such a gateway sends a browser.
fn to_login_page() -> Response<Body> {
    let mut response = html(302, "Found");
    let place = HeaderValue::from_static("/otdsws/login?RFA=cs");
    response.headers_mut().insert(header::LOCATION, place);
    response
}
