//! Signs, takes and reads events about an account of Consonance, for whoever writes a sender.
//!
//! ```text
//! cargo run -p shared --example event -- schema                               # the JSON Schema of events
//! cargo run -p shared --example event -- examples                             # an event of each type, one a line
//! cargo run -p shared --example event -- sign <secret> <id> <seconds>  < body # the header webhook-signature
//! cargo run -p shared --example event -- read                          < body # what it says; ends with 1 when it is refused
//! cargo run -p shared --example event -- take <secret> <headers> <now> < body # the same, with its signature
//! ```
//!
//! A secret is `{"current":"whsec_…","previous":"whsec_…"}`, headers are a JSON object.
#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

use std::{
    collections::BTreeMap,
    error::Error,
    io::{Read, stdin},
    process::ExitCode,
};

use http::{HeaderMap, HeaderName};
use shared::{
    consonance::events::{self, Event, Received},
    webhook::Verifier,
};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["schema"] => println!("{:#}", events::schema()),
        ["examples"] => events::examples().iter().for_each(|example| println!("{example}")),
        ["sign", secret, id, seconds] => {
            println!("{}", Verifier::from_json(secret)?.sign(id, seconds.parse()?, &body()?));
        }
        ["read"] => return Ok(read(&body()?)),
        ["take", secret, headers, now] => {
            let named: BTreeMap<String, String> = serde_json::from_str(headers)?;
            let mut headers = HeaderMap::new();
            for (name, value) in named {
                headers.insert(HeaderName::try_from(name)?, value.parse()?);
            }
            let body = body()?;
            let now = jiff::Timestamp::from_second(now.parse()?)?;
            match Verifier::from_json(secret)?.verify(&headers, &body, now) {
                Ok(_) => return Ok(read(&body)),
                Err(refusal) => {
                    eprintln!("{refusal}");
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
        _ => return Err("say `schema`, `examples`, `sign`, `read` or `take`".into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn body() -> Result<Vec<u8>, std::io::Error> {
    let mut body = Vec::new();
    stdin().read_to_end(&mut body)?;
    Ok(body)
}

fn read(body: &[u8]) -> ExitCode {
    match Event::read(body) {
        Ok(Received::Event(event)) => println!("{} of {}", event.kind.name(), event.account),
        Ok(Received::Unknown(name)) => println!("{name}, which is not known and left alone"),
        Err(fault) => {
            eprintln!("{} {fault}", fault.status());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
