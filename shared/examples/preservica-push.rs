//! Reads pushes of Preservica, a JSON object a line on standard input, and says what it makes of each, a JSON object a line:
//!
//! ```text
//! {"secret": {"current": "…"}, "challenge": "code"}            → {"answer": {…}}
//! {"secret": {"current": "…"}, "signature": "…", "body": "…"}  → {"entities": [{"reference": "…", "kind": "IO"}]} or {"refused": "…"}
//! ```
#![allow(clippy::print_stdout, missing_docs)]

use std::{
    error::Error,
    io::{BufRead, Write},
};

use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use shared::preservica::{EntityKind, PushSecret};

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        writeln!(out, "{}", answer(&serde_json::from_str(&line?)?)?)?;
        out.flush()?;
    }
    Ok(())
}

fn answer(asked: &Value) -> Result<Value, Box<dyn Error>> {
    let text = |name: &str| asked.get(name).and_then(Value::as_str);
    let secret = PushSecret::from_json(&asked.get("secret").unwrap_or(&Value::Null).to_string())?;
    if let Some(code) = text("challenge") {
        return Ok(json!({"answer": secret.answer_challenge(code)}));
    }
    let mut headers = HeaderMap::new();
    if let Some(signature) = text("signature") {
        headers.insert("preservica-signature", HeaderValue::from_str(signature)?);
    }
    let shown = match secret.verify(&headers, text("body").unwrap_or_default().as_bytes()) {
        Err(refusal) => json!({"refused": refusal.to_string()}),
        Ok(push) => {
            let entities: Vec<Value> = push
                .entities
                .iter()
                .map(|one| {
                    json!({
                        "reference": one.reference.as_str(), "kind": one.kind.map(EntityKind::as_str),
                        "identifiers": one.identifiers,
                    })
                })
                .collect();
            json!({"trigger": push.trigger, "entities": entities})
        }
    };
    Ok(shown)
}
