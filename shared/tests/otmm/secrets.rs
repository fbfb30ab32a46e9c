//! What is a secret is in no log and no error, however much is logged.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use shared::otmm::{Credential, Load};
use simulators::{
    faults::{Action, Rule},
    otmm::{self as simulator, seed},
};

use crate::world::{client_with, ours, password_of, seeded, site};

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn passwords_digests_cookies_and_tokens_are_told_to_nobody() {
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::info!("the log is read");
    let (simulator, _) = site(simulator::Settings::default());
    let (id, secret) = (seed::CLIENT_ID, seed::CLIENT_SECRET);
    let oauth = format!(
        r#"{{"mode":"oauth-password","username":"{}","password":"{}","client_id":"{id}","client_secret":"{secret}"}}"#,
        seed::INTEGRATION,
        seed::PASSWORD
    );
    let ticket = format!(
        r#"{{"mode":"directory-ticket","username":"{}","password":"{}"}}"#,
        seed::INTEGRATION,
        seed::PASSWORD
    );
    let spot = seeded(&simulator, "spring-spot.mov");
    let mut said = String::new();
    for secret in [password_of(seed::INTEGRATION), oauth, ticket] {
        for action in [
            Action::Unauthorized,
            Action::HtmlOk,
            Action::DropAfterEffect,
            Action::EmptyOk,
            Action::Forbidden,
        ] {
            let client = client_with(&simulator, ours(), &secret);
            said.push_str(&format!("{client:?} {:?}", Credential::from_json(&secret).unwrap()));
            simulator.faults().add(Rule::next(action).on("GET", "/assets/").times(9)).unwrap();
            let error = client.get_asset(&spot, Load::Full).await.unwrap_err();
            said.push_str(&format!("{error:?} {error}"));
            simulator.faults().clear();
            client.get_asset(&spot, Load::Full).await.map(drop).unwrap_or_default();
        }
    }
    let mut secrets =
        vec![seed::PASSWORD.to_owned(), seed::CLIENT_SECRET.to_owned(), "accessToken".to_owned()];
    simulator.with_state(|state| {
        for session in state.sessions.values() {
            secrets.extend([session.digest.clone(), session.cookie.clone()]);
        }
    });
    assert!(secrets.len() > 6, "there were sessions");
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the log is read"));
    for secret in secrets {
        assert!(!log.contains(&secret) && !said.contains(&secret), "{secret}");
    }
}
