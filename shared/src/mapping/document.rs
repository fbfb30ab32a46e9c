//! Reads a TOML file part by part, so that a mistake in one part does not hide the mistakes in the others.

use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{Diagnostics, Located, Source, suggestion::closest};

/// A parsed file whose top-level keys are taken one after the other.
pub struct Document<'text> {
    root: DeTable<'text>,
    end: usize,
    known: Vec<&'static str>,
}

impl<'text> Document<'text> {
    /// Parses the text. Every syntax error is reported; a text that is not TOML gives no document.
    pub fn parse(file: &str, text: &'text str) -> Result<(Self, Diagnostics), Diagnostics> {
        let mut diagnostics = Diagnostics::new(Source::new(file, text));
        let (root, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            let document = Self { root: root.into_inner(), end: text.len(), known: Vec::new() };
            return Ok((document, diagnostics));
        }
        for error in errors {
            let span = error.span().unwrap_or_default();
            diagnostics.report(span, "not-toml", one_line(error.message()), syntax_remedy(error.message()));
        }
        match diagnostics.finish(()) {
            Err(diagnostics) => Err(diagnostics),
            Ok(()) => Err(Diagnostics::new(Source::new(file, text))),
        }
    }

    /// The last byte of the file, the place to report something that is missing from it.
    pub fn end(&self) -> std::ops::Range<usize> {
        self.end..self.end
    }

    /// A single top-level value.
    pub fn value<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Located<T>> {
        let value = self.take(key)?;
        read(value, diagnostics)
    }

    /// A top-level array of tables, `[[key]]`: each is read by itself.
    pub fn list<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Located<T>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let span = value.span();
        match value.into_inner() {
            DeValue::Array(items) => items.into_iter().filter_map(|item| read(item, diagnostics)).collect(),
            other => {
                diagnostics.report(
                    span,
                    "wrong-type",
                    format!("expected tables headed `[[{key}]]`, found {}", with_article(other.type_str())),
                    format!("write `[[{key}]]` with two brackets above each one"),
                );
                Vec::new()
            }
        }
    }

    /// A top-level table of named tables, `[key.name]`: each is read by itself, and a broken one still has its name.
    pub fn named<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Vec<(Located<String>, Option<T>)> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) => table
                .into_iter()
                .map(|(name, item)| {
                    let name = Located::new(name.get_ref().to_string(), name.span());
                    (name, read(item, diagnostics).map(Located::into_value))
                })
                .collect(),
            other => {
                diagnostics.report(
                    span,
                    "wrong-type",
                    format!(
                        "expected tables headed `[{key}.<name>]`, found {}",
                        with_article(other.type_str())
                    ),
                    format!("write `[{key}.<name>]` above each table"),
                );
                Vec::new()
            }
        }
    }

    /// Reports every top-level key that nobody took.
    pub fn finish(self, diagnostics: &mut Diagnostics) {
        for key in self.root.keys() {
            let name: &str = key.get_ref();
            let expected = self.known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
            diagnostics.report(
                key.span(),
                "unknown-key",
                format!("unknown key `{name}`, expected one of {expected}"),
                remedy_for_unknown(name, self.known.iter().copied()),
            );
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'text>>> {
        self.known.push(key);
        let found: Option<Spanned<DeString<'text>>> =
            self.root.keys().find(|candidate| candidate.get_ref() == key).cloned();
        found.and_then(|key| self.root.remove(&key))
    }
}

fn read<T: DeserializeOwned>(
    value: Spanned<DeValue<'_>>,
    diagnostics: &mut Diagnostics,
) -> Option<Located<T>> {
    let span = value.span();
    match T::deserialize(value.into_deserializer()) {
        Ok(read) => Some(Located::new(read, span)),
        Err(error) => {
            let (code, remedy) = explain(error.message());
            diagnostics.report(error.span().unwrap_or(span), code, one_line(error.message()), remedy);
            None
        }
    }
}

/// The stable code and the remedy for a message of the deserialiser.
fn explain(message: &str) -> (&'static str, String) {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let first = quoted.next().unwrap_or_default();
    if message.starts_with("unknown field") {
        ("unknown-key", remedy_for_unknown(first, quoted))
    } else if message.starts_with("unknown variant") {
        ("unknown-value", remedy_for_unknown(first, quoted))
    } else if message.starts_with("missing field") {
        ("missing-key", format!("add `{first} = …` to this table"))
    } else if message.starts_with("invalid type") {
        ("wrong-type", "write the value in the form that was expected".to_owned())
    } else {
        ("wrong-value", "correct the value".to_owned())
    }
}

fn remedy_for_unknown<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match closest(word, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "use one of the expected words, or remove it".to_owned(),
    }
}

fn syntax_remedy(message: &str) -> &'static str {
    if message.contains("duplicate key") {
        "keep one of the two"
    } else if message.contains("string") || message.contains("quote") {
        "put text between quotes on one line, and write a backslash inside quotes twice (or use '…')"
    } else {
        "see https://toml.io for the syntax of the file"
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}
