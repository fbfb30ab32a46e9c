//! The server itself, and who we are to it.

use http::Method;
use serde::Deserialize;

use super::{
    Client,
    call::Call,
    wire::{self, Data},
};
use crate::{
    error::{Error, FailureClass, Result, System},
    http::Request,
};

/// Facts about the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    /// Its version, such as `25.4` or `16.2.3`.
    pub version: String,
    /// Whether it gives dates in the user's zone.
    pub time_zone_offset_enabled: bool,
    /// Milliseconds until a session ends, where it says so.
    pub session_timeout: Option<i64>,
}

/// The user this client is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CurrentUser {
    /// The user's id.
    #[serde(deserialize_with = "wire::integer")]
    pub id: i64,
    /// The user's log-in name.
    #[serde(deserialize_with = "wire::text")]
    pub name: String,
}

#[derive(Deserialize)]
struct ServerAnswer {
    server: ServerPart,
    #[serde(default)]
    sessions: SessionPart,
}

#[derive(Deserialize)]
struct ServerPart {
    #[serde(default, deserialize_with = "wire::text")]
    version: String,
    #[serde(default, deserialize_with = "wire::truth")]
    time_zone_offset_enabled: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SessionPart {
    #[serde(deserialize_with = "wire::integer_or_none")]
    session_timeout: Option<i64>,
}

impl Client {
    /// Whether the server answers at all. Needs no session.
    ///
    /// # Errors
    /// `Transient` when it does not.
    pub async fn ping(&self) -> Result<()> {
        let request = Request::new("ping", Method::GET, "/api/v1/ping");
        let (status, _, bytes) = self.http.send_and_read(&request).await?;
        let alive = status.is_success()
            && serde_json::from_slice::<serde_json::Value>(&bytes).is_ok_and(|v| v.is_object());
        if alive {
            return Ok(());
        }
        let message = format!("answered {status} instead of its version");
        Err(Error::new(
            FailureClass::Transient,
            System::ContentServer,
            "ping",
            "content-server.not-ready",
            message,
        ))
    }

    /// Facts about the server.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_server_info(&self) -> Result<ServerInfo> {
        let answer: ServerAnswer =
            self.ask(&Call::get("read the server information", "/v1/serverinfo")).await?;
        Ok(ServerInfo {
            version: answer.server.version,
            time_zone_offset_enabled: answer.server.time_zone_offset_enabled,
            session_timeout: answer.sessions.session_timeout,
        })
    }

    /// Who this client is. Cheap, and a way to keep a session alive over a long pause.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_current_user(&self) -> Result<CurrentUser> {
        let answer: Data<CurrentUser> = self.ask(&Call::get("read the current user", "/v1/auth")).await?;
        Ok(answer.data)
    }
}
