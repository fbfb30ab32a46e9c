//! Maps and patterns, as a person who writes rules would describe them.

mod fields;
mod patterns;
mod templates;

use super::*;

fn located(text: &str) -> Located<String> {
    Located::new(text.to_owned(), 0..text.len())
}

fn diagnostics() -> Diagnostics {
    Diagnostics::new(Source::new("rules.toml", ""))
}

fn anything() -> Scope {
    Scope::new().with("tag", Members::Any).with("sidecar", Members::Any).with("capture", Members::Any)
}
