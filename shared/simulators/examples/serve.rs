//! Serves one simulator on a loopback port until interrupted.
//!
//! `cargo run -p simulators --example serve -- content-server --port 8080 [--state FILE] [--settings FILE]`
//! `cargo run -p simulators --example serve -- iconik --port 8081 [--settings FILE]`
//! `cargo run -p simulators --example serve -- preservica --port 8082 [--settings FILE] [--bulk-port 8092]
//! [--tls-port 8443 --container-port 8093 --certificate FILE --key FILE]`
//! `cargo run -p simulators --example serve -- consonance --port 8083 [--state FILE] [--settings FILE]`
//! `cargo run -p simulators --example serve -- otmm --port 8084 [--settings FILE]`

use std::process::ExitCode;
use std::time::Duration;

use serde::de::DeserializeOwned;
use simulators::content_server::Store;
use simulators::{Clock, consonance, content_server, iconik, otmm, preservica, serve, serve_tls};

const USAGE: &str =
    "usage: serve content-server|iconik|preservica|consonance|otmm [--port N] [--state FILE] [--settings FILE]

  --port N         loopback port (default 8080; 0 takes a free one and prints it)
  --state FILE     keep the repository in this file across restarts (content-server, consonance)
  --settings FILE  JSON with the switches to change (see the README)
  --bulk-port N    a port for the bulk location (preservica)
  --tls-port N     a port on which the interface is served over TLS too (preservica)
  --container-port N  a port for the bulk location as a container of Azure, over TLS (preservica); these two with
  --certificate FILE --key FILE, both in PEM";

struct Arguments {
    system: String,
    port: u16,
    state: Option<String>,
    settings: Option<String>,
    bulk_port: Option<u16>,
    tls_port: Option<u16>,
    container_port: Option<u16>,
    certificate: String,
    key: String,
}

fn arguments() -> Result<Arguments, String> {
    let mut given = std::env::args().skip(1);
    let system = given.next().ok_or_else(|| USAGE.to_owned())?;
    if !["content-server", "iconik", "preservica", "consonance", "otmm"].contains(&system.as_str()) {
        return Err(format!("there is no simulator called '{system}'\n{USAGE}"));
    }
    let mut arguments = Arguments {
        system,
        port: 8080,
        state: None,
        settings: None,
        bulk_port: None,
        tls_port: None,
        container_port: None,
        certificate: String::new(),
        key: String::new(),
    };
    let is_preservica = arguments.system == "preservica";
    let port = |value: &str| value.parse().map_err(|_| format!("'{value}' is not a port"));
    while let Some(option) = given.next() {
        let value = given.next().ok_or_else(|| format!("{option} needs a value\n{USAGE}"))?;
        match option.as_str() {
            "--port" => arguments.port = port(&value)?,
            "--state" if ["content-server", "consonance"].contains(&arguments.system.as_str()) => {
                arguments.state = Some(value)
            }
            "--settings" => arguments.settings = Some(value),
            "--bulk-port" if is_preservica => arguments.bulk_port = Some(port(&value)?),
            "--tls-port" if is_preservica => arguments.tls_port = Some(port(&value)?),
            "--container-port" if is_preservica => arguments.container_port = Some(port(&value)?),
            "--certificate" if is_preservica => arguments.certificate = value,
            "--key" if is_preservica => arguments.key = value,
            _ => return Err(format!("there is no option {option}\n{USAGE}")),
        }
    }
    Ok(arguments)
}

/// The switches of a file, the others as they are by default.
fn settings<S: DeserializeOwned + Default>(file: Option<&str>) -> Result<S, String> {
    let Some(file) = file else { return Ok(S::default()) };
    let text = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    serde_json::from_slice(&text).map_err(|error| format!("{file}: {error}"))
}

/// Waits; what changed is kept twice a second.
async fn until_interrupted(mut keep: impl FnMut() -> std::io::Result<()>) -> std::io::Result<()> {
    loop {
        tokio::select! {
            ended = tokio::signal::ctrl_c() => return ended,
            () = tokio::time::sleep(Duration::from_millis(500)) => keep()?,
        }
    }
}

#[allow(clippy::print_stdout, reason = "a program for people: it says where it listens")]
async fn run_content_server(arguments: Arguments) -> Result<(), String> {
    let settings = settings(arguments.settings.as_deref())?;
    let failed = |error: std::io::Error| error.to_string();
    let mut store = arguments.state.map(Store::at);
    let clock = Clock::machine();
    let simulator = match &store {
        Some(store) => store.open(settings, clock).map_err(failed)?,
        None => content_server::Simulator::new(settings, clock),
    };
    let (address, server) = serve(simulator.router(), arguments.port).await.map_err(failed)?;
    println!(
        "Content Server simulator: http://{address}/otcs/cs.exe/api   page: http://{address}/_simulator/"
    );
    let mut keep = || store.as_mut().map_or(Ok(()), |store| store.save(&simulator));
    until_interrupted(&mut keep).await.map_err(failed)?;
    server.abort();
    keep().map_err(failed)
}

#[allow(clippy::print_stdout, reason = "a program for people: it says where it listens")]
async fn run_iconik(arguments: Arguments) -> Result<(), String> {
    let settings = settings(arguments.settings.as_deref())?;
    let simulator = iconik::Simulator::new(settings, Clock::machine());
    let served = serve(simulator.router(), arguments.port).await;
    let (address, server) = served.map_err(|error| error.to_string())?;
    let sender = simulator.start_sending();
    println!("iconik simulator: http://{address}/API/   page: http://{address}/_simulator/");
    let ended = tokio::signal::ctrl_c().await;
    server.abort();
    sender.abort();
    ended.map_err(|error| error.to_string())
}

#[allow(clippy::print_stdout, reason = "a program for people: it says where it listens")]
async fn run_preservica(arguments: Arguments) -> Result<(), String> {
    let settings = settings(arguments.settings.as_deref())?;
    let simulator = preservica::Simulator::new(settings, Clock::machine());
    let served = serve(simulator.router(), arguments.port).await;
    let (address, server) = served.map_err(|error| error.to_string())?;
    let sender = simulator.start_sending();
    println!("Preservica simulator: http://{address}/api/   page: http://{address}/_simulator/");
    let mut beside = Vec::new();
    if let Some(port) = arguments.bulk_port {
        let served = serve(simulator.bulk_router(), port).await;
        let (address, server) = served.map_err(|error| error.to_string())?;
        println!("bulk location: http://{address}/");
        beside.push(server);
    }
    let over_tls = [
        (arguments.tls_port, simulator.router(), "over TLS"),
        (arguments.container_port, simulator.container_router(), "container"),
    ];
    for (port, router, what) in over_tls {
        let Some(port) = port else { continue };
        let read = |file: &str| std::fs::read(file).map_err(|error| format!("{file}: {error}"));
        let (certificate, key) = (read(&arguments.certificate)?, read(&arguments.key)?);
        let served = serve_tls(router, port, &certificate, &key).await;
        let (address, server) = served.map_err(|error| error.to_string())?;
        println!("{what}: https://{address}/");
        beside.push(server);
    }
    let ended = tokio::signal::ctrl_c().await;
    for server in &beside {
        server.abort();
    }
    server.abort();
    sender.abort();
    ended.map_err(|error| error.to_string())
}

#[allow(clippy::print_stdout, reason = "a program for people: it says where it listens")]
async fn run_consonance(arguments: Arguments) -> Result<(), String> {
    let settings: consonance::Settings = settings(arguments.settings.as_deref())?;
    let failed = |error: std::io::Error| error.to_string();
    let mut store = arguments.state.map(consonance::Store::at);
    let simulator = match &store {
        Some(store) => store.open(settings, Clock::machine()).map_err(failed)?,
        None => consonance::Simulator::new(settings, Clock::machine()),
    };
    let (address, server) = serve(simulator.router(), arguments.port).await.map_err(failed)?;
    let (storage, storage_server) = serve(simulator.storage_router(), 0).await.map_err(failed)?;
    simulator.begin_with(|settings| {
        if settings.upload_origin.is_empty() {
            settings.upload_origin = format!("http://{storage}");
        }
    });
    println!(
        "Consonance simulator: http://{address}/graphql and /api/v4/products.json   storage: http://{storage}   page: http://{address}/_simulator/"
    );
    let mut keep = || store.as_mut().map_or(Ok(()), |store| store.save(&simulator));
    until_interrupted(&mut keep).await.map_err(failed)?;
    server.abort();
    storage_server.abort();
    keep().map_err(failed)
}

#[allow(clippy::print_stdout, reason = "a program for people: it says where it listens")]
async fn run_otmm(arguments: Arguments) -> Result<(), String> {
    let settings = settings(arguments.settings.as_deref())?;
    let simulator = otmm::Simulator::new(settings, Clock::machine());
    let served = serve(simulator.router(), arguments.port).await;
    let (address, server) = served.map_err(|error| error.to_string())?;
    println!("OTMM simulator: http://{address}/otmmapi/v6   page: http://{address}/_simulator/");
    let ended = tokio::signal::ctrl_c().await;
    server.abort();
    ended.map_err(|error| error.to_string())
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match arguments() {
        Ok(arguments) if arguments.system == "iconik" => run_iconik(arguments).await,
        Ok(arguments) if arguments.system == "preservica" => run_preservica(arguments).await,
        Ok(arguments) if arguments.system == "consonance" => run_consonance(arguments).await,
        Ok(arguments) if arguments.system == "otmm" => run_otmm(arguments).await,
        Ok(arguments) => run_content_server(arguments).await,
        Err(reason) => Err(reason),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            #[allow(clippy::print_stderr, reason = "a program for people: it says why it stops")]
            {
                eprintln!("{reason}");
            }
            ExitCode::FAILURE
        }
    }
}
