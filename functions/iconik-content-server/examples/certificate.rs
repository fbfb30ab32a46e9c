//! Checks a certificate of destruction, for a person at a terminal, offline.
//!
//! ```text
//! cargo run -p iconik-content-server --example certificate -- verify certificate.json chain.jsonl --end 5f0c…
//! ```
//!
//! `chain.jsonl` is an export of the asset's audit chain (`audit export --asset …`, whose name is `audit.chain` in the
//! certificate). Nothing but the two files is needed: neither settings, nor credentials, nor a network.
//!
//! Exit code 0: both hold together. 1: they do not. 2: a file could not be read, or the command line is wrong.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal"
)]

use std::process::ExitCode;

use iconik_content_server::request_disposition::certificate::{Certificate, verify};

const USAGE: &str = "Usage: certificate verify CERTIFICATE CHAIN [--end HASH]

  CERTIFICATE   the certificate as it was filed
  CHAIN         an export of the asset's audit chain, one event per line
  --end HASH    the hash of the chain's last event as noted elsewhere; without it a chain that was cut at its end
                cannot be told from a whole one";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (certificate, chain, end) = match arguments.as_slice() {
        ["verify", certificate, chain] => (*certificate, *chain, None),
        ["verify", certificate, chain, "--end", end] => (*certificate, *chain, Some(*end)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let read = |path: &str| std::fs::read(path).map_err(|error| format!("{path}: {error}"));
    let files = read(certificate).and_then(|text| Ok((text, read(chain)?)));
    match files {
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
        Ok((text, chain)) => match verify(&text, &String::from_utf8_lossy(&chain), end) {
            Ok(certificate) => {
                tell(&certificate, end.is_some());
                ExitCode::SUCCESS
            }
            Err(doubt) => {
                println!("not in order: {doubt}");
                ExitCode::from(1)
            }
        },
    }
}

fn tell(certificate: &Certificate, has_end: bool) {
    println!("in order: certificate {}", certificate.number);
    println!("  asset     {} {:?}", certificate.asset.id, certificate.asset.title);
    println!("  decision  {} ({})", certificate.decision.word, certificate.decision.place);
    println!("  no hold   {}", certificate.holds.looked_at);
    for destroyed in &certificate.destroyed {
        println!("  destroyed {} {} {}", destroyed.at, destroyed.what, destroyed.id);
    }
    if !has_end {
        println!("  the end of the chain was not compared: give --end with the hash noted elsewhere");
    }
}
