//! The simulators as programs of their own: those that `make up` starts together, and each by itself for another project.
//! They answer, and nobody beyond this machine can call them.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use regex::Regex;
use rustix::process::Signal;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use crate::program::{self, Folder};

const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/commands/loopback.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/commands/loopback-key.pem");

/// A system: its name on its page, a call of its interface by a stranger, and what that is answered.
struct System {
    title: &'static str,
    call: &'static str,
    status: u16,
}

const CONTENT_SERVER: System =
    System { title: "Content Server", call: "/otcs/cs.exe/api/v2/nodes/2000", status: 401 };
const ICONIK: System = System { title: "iconik", call: "/API/assets/v1/assets/", status: 401 };
const PRESERVICA: System = System { title: "Preservica", call: "/api/entity/root/children", status: 401 };
const CONSONANCE: System = System { title: "Consonance", call: "/api/v4/products.json", status: 401 };
const OTMM: System = System { title: "OTMM", call: "/otmmapi/v6/folders/rootfolders", status: 401 };

/// Says one request, and gives status and body.
async fn exchange(mut to: impl AsyncRead + AsyncWrite + Unpin, method: &str, path: &str) -> (u16, String) {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    to.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = to.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    exchange(TcpStream::connect(address).await.unwrap(), "GET", path).await
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// Asks for everything that tells whether a simulator is well.
async fn is_well(system: &System, address: SocketAddr) {
    let name = system.title;
    let (status, page) = get(address, "/_simulator/").await;
    assert!(status == 200 && page.contains(name), "{name}: {status} {page}");
    let (status, tree) = get(address, "/_simulator/state/tree/top").await;
    assert_eq!(status, 200, "{name}");
    assert!(json(&tree).as_array().is_some_and(|top| !top.is_empty()), "{name}: {tree}");
    for path in ["settings", "state", "clock", "faults"] {
        let (status, body) = get(address, &format!("/_simulator/{path}")).await;
        assert!(status == 200 && !json(&body).is_null(), "{name} {path}: {status} {body}");
    }
    // A stranger is refused, and known as one who called.
    let (status, body) = get(address, system.call).await;
    assert_eq!(status, system.status, "{name}: {body}");
    let journal = json(&get(address, "/_simulator/journal").await.1);
    let entries = journal["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{name}: the administrator's calls are in no journal: {journal}");
    assert_eq!(
        (&entries[0]["status"], &entries[0]["unknown"]),
        (&system.status.into(), &false.into()),
        "{name}"
    );
}

/// The addresses in a text, all of this machine.
fn addresses(text: &str) -> Vec<SocketAddr> {
    let places = Regex::new(r"https?://([^/\s\x22]+)").unwrap();
    let found = places.captures_iter(text).map(|place| place[1].parse::<SocketAddr>().unwrap());
    found.inspect(|address| assert!(address.ip().is_loopback(), "{address}")).collect()
}

/// Where a process listens, as the kernel knows it, whatever it says itself.
#[cfg(target_os = "linux")]
fn listening(pid: i32) -> BTreeSet<String> {
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = links.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let sockets: BTreeSet<String> = links
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut found = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let text = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let columns: Vec<&str> = line.split_whitespace().collect();
            // State 0A is LISTEN.
            if columns[3] == "0A" && sockets.contains(columns[9]) {
                found.insert(columns[1].to_owned());
            }
        }
    }
    found
}

/// Nothing but what it says, and that on the loopback interface alone.
fn listens_only_at(pid: i32, told: &[SocketAddr]) {
    #[cfg(target_os = "linux")]
    {
        // 127.0.0.1 as the kernel writes it.
        let loopback = u32::from_ne_bytes([127, 0, 0, 1]);
        let expected: BTreeSet<String> =
            told.iter().map(|address| format!("{loopback:08X}:{:04X}", address.port())).collect();
        assert_eq!(listening(pid), expected, "{told:?}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (pid, told, BTreeSet::<String>::new());
}

/// Nobody answers there any more.
async fn are_gone(told: &[SocketAddr]) {
    for address in told {
        assert!(TcpStream::connect(address).await.is_err(), "{address}");
    }
}

#[tokio::test]
async fn what_make_up_starts_answers_in_all_five_and_on_this_machine_only() {
    let folder = Folder::new();
    let record = folder.path("simulator.json");
    let running = program::start("demo", &["simulator", "--simulator-port", "0", "--record", &record]).await;
    let noted = tokio::time::timeout(std::time::Duration::from_secs(60), async {
        loop {
            match std::fs::read_to_string(&record) {
                Ok(text) => return json(&text),
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
    });
    let noted = noted.await.expect("it says where it is");
    assert_eq!(noted["pid"], running.pid());
    let content_server = addresses(noted["url"].as_str().unwrap())[0];
    let others = noted["others"].as_array().unwrap();
    let place = |name: &str| {
        let other = others.iter().find(|other| other[0] == name).unwrap_or_else(|| panic!("{name}: {noted}"));
        addresses(other[1].as_str().unwrap())[0]
    };
    let (iconik, preservica) = (place("iconik simulator"), place("Preservica simulator"));
    let (consonance, otmm) = (place("Consonance simulator"), place("OTMM simulator"));
    let bulk = place("Preservica bulk location");
    let state = get(consonance, "/_simulator/settings").await.1;
    let storage = addresses(json(&state)["upload_origin"].as_str().unwrap())[0];
    for (system, address) in [
        (&CONTENT_SERVER, content_server),
        (&ICONIK, iconik),
        (&PRESERVICA, preservica),
        (&CONSONANCE, consonance),
        (&OTMM, otmm),
    ] {
        is_well(system, address).await;
        let reset = exchange(TcpStream::connect(address).await.unwrap(), "POST", "/_simulator/reset").await;
        assert_eq!(reset.0, 200, "{}", system.title);
    }
    let state = get(consonance, "/_simulator/settings").await.1;
    assert_eq!(
        addresses(json(&state)["upload_origin"].as_str().unwrap())[0],
        storage,
        "a reset keeps the storage"
    );
    assert_eq!(get(storage, "/_storage/none").await.0, 404);
    assert_eq!(get(bulk, "/no-bucket/no-key").await.0, 403, "nobody without credentials");
    let told = [content_server, iconik, preservica, consonance, otmm, bulk, storage];
    listens_only_at(running.pid(), &told);
    running.end(Signal::TERM).await;
    are_gone(&told).await;
}

#[tokio::test]
async fn each_simulator_is_a_program_of_its_own_for_tests_in_any_language() {
    let folder = Folder::new();
    let switches = folder.file("switches.json", r#"{"latency_milliseconds": 1}"#);
    for (name, system, places) in [
        ("content-server", &CONTENT_SERVER, 1),
        ("iconik", &ICONIK, 1),
        ("consonance", &CONSONANCE, 2),
        ("otmm", &OTMM, 1),
    ] {
        let mut running = program::start("serve", &[name, "--port", "0", "--settings", &switches]).await;
        let line = running.line().await;
        let told: Vec<SocketAddr> =
            addresses(&line).into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(told.len(), places, "{line}");
        let first = addresses(&line)[0];
        is_well(system, first).await;
        let settings = json(&get(first, "/_simulator/settings").await.1);
        assert_eq!(settings["latency_milliseconds"], 1, "{name}");
        listens_only_at(running.pid(), &told);
        running.end(Signal::INT).await;
        are_gone(&told).await;
    }
}

#[tokio::test]
async fn preservica_has_its_bulk_location_and_its_interface_over_tls_beside_it() {
    let arguments = [
        "preservica",
        "--port",
        "0",
        "--bulk-port",
        "0",
        "--tls-port",
        "0",
        "--certificate",
        CERTIFICATE,
        "--key",
        KEY,
    ];
    let mut running = program::start("serve", &arguments).await;
    let interface = addresses(&running.line().await)[0];
    let bulk = addresses(&running.line().await)[0];
    let line = running.line().await;
    assert!(line.contains("https://"), "{line}");
    let secure = addresses(&line)[0];
    is_well(&PRESERVICA, interface).await;
    assert_eq!(get(bulk, "/no-bucket/no-key").await.0, 403);
    let mut known = RootCertStore::empty();
    known.add(CertificateDer::from_pem_file(CERTIFICATE).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let settings = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(known)
        .with_no_client_auth();
    let stream = TcpStream::connect(secure).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(settings)).connect(name, stream).await.unwrap();
    assert_eq!(exchange(stream, "GET", PRESERVICA.call).await.0, PRESERVICA.status, "the same, over TLS");
    assert_eq!(get(secure, PRESERVICA.call).await.0, 0, "without TLS there is nothing");
    let told = [interface, bulk, secure];
    listens_only_at(running.pid(), &told);
    running.end(Signal::INT).await;
    are_gone(&told).await;
}
