//! What opens the door: one session for all who need it, as long as the process lives. Each open session counts against
//! the site, so none is opened where one will do, and it is given back when the process ends.

mod door;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex as SyncMutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use http::{HeaderMap, HeaderName, Method, header};
use tokio::sync::Mutex;

use self::door::Door;
use super::{
    credential::Credential,
    error::{UNAUTHENTICATED, failure},
    settings::Settings,
};
use crate::{
    context::Context,
    error::{Error, FailureClass, Result},
    http::{Client as HttpClient, Request},
};

const DIGEST: HeaderName = HeaderName::from_static("otmmauthtoken");
const REQUESTED_BY: HeaderName = HeaderName::from_static("x-requested-by");
const LOCALE: HeaderName = HeaderName::from_static("x-otmm-locale");
const OPERATION: &str = "log in";

/// Cookies by name. Those of load balancers are among them: without theirs, another node would be asked, which knows nothing
/// of the session.
#[derive(Default)]
pub(super) struct Jar(BTreeMap<String, String>);

impl Jar {
    fn note(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let mut parts = cookie.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let ended = parts.any(|part| {
                let part = part.to_ascii_lowercase();
                part.strip_prefix("max-age=").is_some_and(|age| age.trim_start().starts_with(['0', '-']))
            });
            if ended || value.is_empty() {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    fn header(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}

/// Who the session is of, as the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUser {
    /// Id of the user; none where only a token is shown.
    pub id: Option<String>,
    /// Login name.
    pub login_name: Option<String>,
}

/// What is shown with each call, and which opening it stems from.
#[derive(Clone)]
pub(super) struct Pass {
    headers: Vec<(HeaderName, String)>,
    jar: Option<Arc<SyncMutex<Jar>>>,
    number: u64,
    user: SessionUser,
    /// Whether the server keeps something for it.
    is_session: bool,
    used: Arc<AtomicI64>,
}

impl Pass {
    pub(super) fn present(&self, request: Request) -> Request {
        let request =
            self.headers.iter().fold(request, |request, (name, value)| request.header(name.clone(), value));
        let cookies = self.jar.as_ref().map(|jar| lock(jar).header()).filter(|cookies| !cookies.is_empty());
        match cookies {
            Some(cookies) => request.header(header::COOKIE, &cookies),
            None => request,
        }
    }

    /// Keeps the cookies of an answer.
    pub(super) fn note(&self, headers: &HeaderMap) {
        if let Some(jar) = &self.jar {
            lock(jar).note(headers);
        }
    }

    /// Milliseconds since it was taken last.
    pub(super) fn idle(&self, now: i64) -> i64 {
        now.saturating_sub(self.used.load(Ordering::Relaxed))
    }

    pub(super) fn touch(&self, now: i64) {
        self.used.store(now, Ordering::Relaxed);
    }

    pub(super) fn is_session(&self) -> bool {
        self.is_session
    }

    pub(super) fn user(&self) -> &SessionUser {
        &self.user
    }
}

fn lock(jar: &SyncMutex<Jar>) -> std::sync::MutexGuard<'_, Jar> {
    jar.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Session {
    state: Mutex<State>,
    /// The directory service, where there is one.
    directory: Option<HttpClient>,
}

struct State {
    credential: Credential,
    pass: Option<Pass>,
    /// The newest refresh token.
    refresh: Option<String>,
    /// When the token ends, in milliseconds; never as far as is known when absent.
    ends: Option<i64>,
    opened: u64,
    /// When the credential was refused last, and with what sentence.
    refused: Option<(i64, String)>,
}

impl State {
    fn new(credential: Credential, opened: u64) -> Self {
        Self { credential, pass: None, refresh: None, ends: None, opened, refused: None }
    }
}

impl Session {
    pub(super) fn new(credential: Credential, directory: Option<HttpClient>) -> Self {
        Self { state: Mutex::new(State::new(credential, 0)), directory }
    }

    /// Whether the credential was refused when it was shown last.
    pub(super) async fn is_refused(&self) -> bool {
        self.state.lock().await.refused.is_some()
    }

    /// Calls with this credential from now on. The one it has already changes nothing.
    pub(super) async fn change_credential(&self, credential: Credential) {
        let mut state = self.state.lock().await;
        if state.credential != credential {
            *state = State::new(credential, state.opened);
        }
    }

    /// The newest pass, opening a session when there is none or its token is about to end. Whoever comes meanwhile waits
    /// for that one.
    pub(super) async fn pass(&self, http: &HttpClient, settings: &Settings) -> Result<Pass> {
        let mut state = self.state.lock().await;
        let now = http.context().now_milliseconds();
        let margin = milliseconds(settings.session.token_margin_seconds);
        match &state.pass {
            Some(pass) if state.ends.is_none_or(|ends| now < ends.saturating_sub(margin)) => Ok(pass.clone()),
            _ => self.open(&mut state, http, settings).await,
        }
    }

    /// A pass newer than the one that was refused: another caller's, or a fresh one.
    pub(super) async fn renew(&self, refused: &Pass, http: &HttpClient, settings: &Settings) -> Result<Pass> {
        let mut state = self.state.lock().await;
        match &state.pass {
            Some(pass) if pass.number > refused.number => Ok(pass.clone()),
            _ => self.open(&mut state, http, settings).await,
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

    /// Gives the session back. Whatever the server says, it is not shown again.
    pub(super) async fn close(&self, http: &HttpClient, settings: &Settings) -> Result<()> {
        let mut state = self.state.lock().await;
        let Some(pass) = state.pass.take() else { return Ok(()) };
        state.ends = None;
        if !pass.is_session {
            return Ok(());
        }
        let target = format!("{}/sessions", settings.api_version.path());
        let request = Request::new("log out", Method::DELETE, target).idempotent();
        let (status, ..) = http.send_and_read(&pass.present(request)).await?;
        match status.as_u16() {
            // One that has ended already is as good.
            200..=299 | 401 | 403 | 404 => Ok(()),
            _ => {
                let message = format!("answered {status} to the end of the session");
                Err(failure(FailureClass::Transient, "log out", "otmm.not-logged-out", message))
            }
        }
    }

    async fn open(&self, state: &mut State, http: &HttpClient, settings: &Settings) -> Result<Pass> {
        let now = http.context().now_milliseconds();
        let pause = milliseconds(settings.session.refused_credential_pause_seconds);
        if let Some((at, text)) = &state.refused
            && now.saturating_sub(*at) < pause
        {
            return Err(refused(text.clone()));
        }
        state.pass = None;
        let door = Door { http, directory: self.directory.as_ref(), settings };
        let opened = door.open(&state.credential, state.refresh.as_deref()).await.inspect_err(|error| {
            if error.class() == FailureClass::Auth {
                state.refused = Some((now, error.message().to_owned()));
            }
        })?;
        state.opened += 1;
        state.ends = opened.lasts.map(|seconds| now.saturating_add(milliseconds(seconds)));
        state.refresh = opened.refresh.or(state.refresh.take());
        let pass = Pass {
            headers: opened.headers,
            jar: opened.jar.map(|jar| Arc::new(SyncMutex::new(jar))),
            number: state.opened,
            user: opened.user,
            is_session: opened.is_session,
            used: Arc::new(AtomicI64::new(now)),
        };
        state.pass = Some(pass.clone());
        Ok(pass)
    }
}

pub(super) fn refused(text: String) -> Error {
    failure(FailureClass::Auth, OPERATION, UNAUTHENTICATED, text)
        .remedy("check the OTMM secret, its mode, and the addresses of OTMM and of the directory service")
}

pub(super) fn milliseconds(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_jar_is_kept_and_what_has_ended_is_not() {
        let mut jar = Jar::default();
        let mut headers = HeaderMap::new();
        for cookie in ["JSESSIONID=abc.node1; Path=/otmmapi; HttpOnly", "AWSALB=x=y; Secure", "old=1"] {
            headers.append(header::SET_COOKIE, cookie.parse().unwrap());
        }
        jar.note(&headers);
        assert_eq!(jar.header(), "AWSALB=x=y; JSESSIONID=abc.node1; old=1");
        let mut headers = HeaderMap::new();
        headers.append(header::SET_COOKIE, "old=; Max-Age=0".parse().unwrap());
        headers.append(header::SET_COOKIE, "JSESSIONID=def.node1".parse().unwrap());
        jar.note(&headers);
        assert_eq!(jar.header(), "AWSALB=x=y; JSESSIONID=def.node1");
    }
}
