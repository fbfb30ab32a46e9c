//! What was found, for people and for programs.

use std::fmt;

use serde::Serialize;
use shared::{
    content_server::REFUSED_BY_SERVER,
    error::{Error, FailureClass, Result},
};

/// What a Content Server has of what intake rules need.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preflight {
    /// Whether nothing is missing.
    pub ready: bool,
    /// How many things are missing.
    pub missing: usize,
    /// How many work, but not for everything that may come.
    pub warnings: usize,
    /// How many could not be checked without doing them.
    pub not_checked: usize,
    /// What was found of the server itself.
    pub server: Vec<Finding>,
    /// What was found for each rule, in the order of the file.
    pub rules: Vec<RuleFindings>,
}

/// What was found for a rule.
#[derive(Debug, Clone, Serialize)]
pub struct RuleFindings {
    /// Its name.
    pub rule: String,
    /// The line of the file it stands on.
    pub line: usize,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at, or that could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it is.
    pub status: Status,
    /// What it is about, in the words of the rule file.
    pub about: String,
    /// What was found.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As the rule needs it.
    Ok,
    /// It works, but not for everything that may come.
    Warning,
    /// It is not there, or not as the rule needs it.
    Missing,
    /// The interface tells it only by doing it, or not of a rule as such.
    NotChecked,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Missing => "MISSING",
            Self::NotChecked => "not checked",
        }
    }
}

/// Findings, as they come.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, about: impl Into<String>, message: impl Into<String>) {
        self.add(Status::Ok, about.into(), message.into(), None);
    }

    pub(super) fn not_checked(&mut self, about: impl Into<String>, message: impl Into<String>) {
        self.add(Status::NotChecked, about.into(), message.into(), None);
    }

    pub(super) fn warning(
        &mut self,
        about: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Status::Warning, about.into(), message.into(), Some(remedy.into()));
    }

    pub(super) fn missing(
        &mut self,
        about: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Status::Missing, about.into(), message.into(), Some(remedy.into()));
    }

    /// What a call answered in place of what was asked for: that something is missing, or that the server does not tell.
    ///
    /// # Errors
    /// The error itself, when the server cannot be reached: then nothing can be said.
    pub(super) fn refusal(&mut self, about: impl Into<String>, error: Error) -> Result<()> {
        let message = format!("{} [{}]", error.message(), error.code());
        let remedy = error.remedy_text().map(str::to_owned);
        match error.class() {
            FailureClass::Forbidden | FailureClass::Invalid | FailureClass::Gone | FailureClass::Auth => {
                let usual = || "create it, correct the rule, or let the service user see it".to_owned();
                self.add(Status::Missing, about.into(), message, Some(remedy.unwrap_or_else(usual)));
            }
            _ if error.code() == REFUSED_BY_SERVER => {
                self.add(Status::NotChecked, about.into(), format!("the server answered: {message}"), remedy);
            }
            _ => return Err(error),
        }
        Ok(())
    }

    /// As [`Self::refusal`], where a refusal only means that the server does not tell.
    ///
    /// # Errors
    /// As [`Self::refusal`].
    pub(super) fn refusal_as_not_checked(
        &mut self,
        about: &str,
        message: String,
        error: Error,
    ) -> Result<()> {
        let mut judged = Self::default();
        judged.refusal(about, error)?;
        self.not_checked(about, message);
        Ok(())
    }

    /// The value of an answer; a refusal is noted.
    ///
    /// # Errors
    /// As [`Self::refusal`].
    pub(super) fn kept<T>(&mut self, about: &str, answer: Result<T>) -> Result<Option<T>> {
        match answer {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.refusal(about, error).map(|()| None),
        }
    }

    fn add(&mut self, status: Status, about: String, message: String, remedy: Option<String>) {
        self.0.push(Finding { status, about, message, remedy });
    }
}

impl Preflight {
    pub(super) fn of(server: Findings, rules: Vec<RuleFindings>) -> Self {
        let mut report = Self { server: server.0, rules, ..Self::default() };
        let all = report.server.iter().chain(report.rules.iter().flat_map(|rule| &rule.findings));
        let (mut missing, mut warnings, mut not_checked) = (0, 0, 0);
        for finding in all {
            match finding.status {
                Status::Ok => {}
                Status::Warning => warnings += 1,
                Status::Missing => missing += 1,
                Status::NotChecked => not_checked += 1,
            }
        }
        (report.missing, report.warnings, report.not_checked) = (missing, warnings, not_checked);
        report.ready = missing == 0;
        report
    }
}

impl fmt::Display for Preflight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "Content Server")?;
        self.server.iter().try_for_each(|finding| write!(formatter, "{finding}"))?;
        for rule in &self.rules {
            writeln!(formatter, "\nRule {} (line {})", rule.rule, rule.line)?;
            rule.findings.iter().try_for_each(|finding| write!(formatter, "{finding}"))?;
        }
        writeln!(
            formatter,
            "\n{}: {} missing, {} {}, {} not checked.",
            if self.ready { "Ready" } else { "Not ready" },
            self.missing,
            self.warnings,
            if self.warnings == 1 { "warning" } else { "warnings" },
            self.not_checked
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, about) = (self.status.word(), printable(&self.about));
        writeln!(formatter, "  {word:<11}  {about}: {}", printable(&self.message))?;
        match &self.remedy {
            Some(remedy) => writeln!(formatter, "               remedy: {}", printable(remedy)),
            None => Ok(()),
        }
    }
}

/// Names come from the server: control characters in them are shown, never sent to a terminal.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_control() {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}
