//! The preflight, as a program against a server on a socket.

use std::{net::TcpListener, sync::Arc};

use serde_json::json;
use simulators::{
    Clock,
    aws::Aws,
    content_server::{Settings, Simulator, seed},
    serve,
};
use tests::installation::Installation;

use crate::program::{Folder, run};

/// A Content Server on a socket, the variables that name it, and its credential in a file.
struct Place {
    server: Simulator,
    folder: Folder,
    variables: Vec<(String, String)>,
    credential: String,
}

impl Place {
    async fn new() -> Self {
        let server = Simulator::new(Settings::default(), Clock::machine());
        let (address, _) = serve::serve(server.router(), 0).await.unwrap();
        let folder = Folder::new();
        let credential = credential(seed::PASSWORD);
        Self {
            server,
            credential: folder.file("credential.json", credential),
            folder,
            variables: vec![at(&format!("http://{address}/otcs/cs.exe"))],
        }
    }
}

fn at(address: &str) -> (String, String) {
    ("WAYBILL_CONTENT_SERVER_URL".to_owned(), address.to_owned())
}

fn credential(password: &str) -> String {
    json!({"mode": "password", "username": seed::SERVICE_USER, "password": password}).to_string()
}

#[tokio::test]
async fn a_server_that_has_everything_is_ready_and_was_only_read() {
    let place = Place::new().await;
    let told = run("preflight", &["--credential", &place.credential], &place.variables, b"").await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    assert!(told.out.contains("as waybill (user 1300)"), "{}", told.out);
    assert!(told.out.contains("Ready: 0 missing"), "{}", told.out);
    assert!(!told.out.contains(seed::PASSWORD) && !told.err.contains(seed::PASSWORD));
    let calls = place.server.journal().entries();
    assert!(calls.len() > 20, "it looked: {}", calls.len());
    for call in calls {
        let signs_in = call.method == "POST" && call.path.ends_with("/v1/auth");
        assert!(call.method == "GET" || signs_in, "{} {}", call.method, call.path);
        assert!(!call.unknown, "{} {}", call.method, call.path);
    }
}

#[tokio::test]
async fn what_is_missing_is_told_by_rule_with_its_remedy() {
    let place = Place::new().await;
    let rules = place.folder.file(
        "rules.toml",
        "[[rule]]\nname = 'nowhere'\nkey = 'in/{name}'\ntarget.folder = 'Enterprise:Claims/Nowhere'\n",
    );
    let arguments = ["--rules", &rules, "--credential", &place.credential, "--json"];
    let told = run("preflight", &arguments, &place.variables, b"").await;
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    let told = told.json();
    assert_eq!((&told["ready"], &told["missing"]), (&json!(false), &json!(1)));
    assert_eq!((&told["rules"][0]["rule"], &told["rules"][0]["line"]), (&json!("nowhere"), &json!(1)));
    let missing = &told["rules"][0]["findings"][0];
    assert_eq!((&missing["status"], &missing["about"]), (&json!("missing"), &json!("target")));
    assert!(missing["message"].as_str().unwrap().contains("\"Nowhere\""), "{missing}");
    assert!(missing["remedy"].as_str().unwrap().contains("create = true"), "{missing}");
}

/// As the function gets it: from Secrets Manager.
#[tokio::test]
async fn the_credential_may_come_from_the_secret_of_the_function() {
    let mut place = Place::new().await;
    let now = || jiff::Timestamp::now().as_millisecond();
    let (aws, _) = serve::serve(Aws::new(Arc::new(now)).router(), 0).await.unwrap();
    let account = Installation::at(&format!("http://{aws}"));
    account.set_credential(seed::SERVICE_USER, seed::PASSWORD).await;
    let (_, address) = place.variables.remove(0);
    let mut variables: Vec<_> = account.variables(&address, "").into_iter().collect();
    variables.push(("AWS_REGION".to_owned(), "us-east-1".to_owned()));
    let told = run("preflight", &[], &variables, b"").await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
}

#[tokio::test]
async fn a_refused_sign_in_is_something_missing() {
    let place = Place::new().await;
    let wrong = place.folder.file("wrong.json", credential("not-the-password"));
    let told = run("preflight", &["--credential", &wrong], &place.variables, b"").await;
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    assert!(told.out.contains("MISSING      sign-in"), "{}", told.out);
    assert!(told.out.contains("not checked  rules"), "{}", told.out);
    assert!(!told.out.contains("not-the-password"));
}

#[tokio::test]
async fn a_server_that_is_away_or_a_wrong_command_line_is_neither_ready_nor_missing() {
    let place = Place::new().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = [
        at(&format!("http://{free}/otcs/cs.exe")),
        ("WAYBILL_CONTENT_SERVER_SETTINGS".to_owned(), json!({"attempts": 1}).to_string()),
    ];
    let credential = ["--credential", place.credential.as_str()];
    let told = run("preflight", &credential, &away, b"").await;
    assert_eq!((told.code, told.out.as_str()), (2, ""), "{}", told.err);
    let told = run("preflight", &["--rule"], &place.variables, b"").await;
    assert_eq!(told.code, 2);
    assert!(told.err.contains("Usage: preflight"), "{}", told.err);
    let broken = place.folder.file("broken.toml", "[[rule]]\nname = 'x'\n");
    let told =
        run("preflight", &["--rules", &broken, credential[0], credential[1]], &place.variables, b"").await;
    assert_eq!(told.code, 2);
    assert!(told.err.contains("broken.toml:1"), "{}", told.err);
    assert!(place.server.journal().entries().is_empty(), "nobody was asked for a broken rule file");
}
