//! What an answer means: a table for each system, read from the top, first row that fits.

use std::time::Duration;

use http::{HeaderMap, header};

use crate::error::{
    Error,
    FailureClass::{self, Transient, UnknownOutcome},
    Retry, System,
};

/// What repeating a call would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes nothing.
    Read,
    /// It changes something, and a second time changes nothing more.
    Repeatable,
    /// A second time makes a second thing.
    Once,
}

/// What kind of body came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// What the system sends: its data, or a sentence.
    Words,
    /// Nothing.
    Empty,
    /// HTML, or anything else that comes from something before the system.
    Page,
}

/// A row of such a table.
pub(crate) struct Row {
    statuses: (u16, u16),
    form: Option<Form>,
    /// The stable reason.
    pub(crate) code: &'static str,
    class: FailureClass,
    /// A write that must not be repeated blindly may have taken effect.
    uncertain: bool,
    remedy: Option<&'static str>,
}

/// A row for the statuses from one to another.
pub(crate) const fn row(statuses: (u16, u16), code: &'static str, class: FailureClass) -> Row {
    Row { statuses, form: None, code, class, uncertain: false, remedy: None }
}

impl Row {
    /// Only for answers of this form.
    pub(crate) const fn with(mut self, form: Form) -> Self {
        self.form = Some(form);
        self
    }

    /// A write that must not be repeated blindly may have taken effect.
    pub(crate) const fn uncertain(mut self) -> Self {
        self.uncertain = true;
        self
    }

    /// What a person can do about it.
    pub(crate) const fn remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = Some(remedy);
        self
    }
}

/// A failure as the table of its system has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged {
    pub(crate) system: System,
    pub(crate) operation: &'static str,
    pub(crate) effect: Effect,
    pub(crate) status: u16,
    pub(crate) form: Form,
    pub(crate) retry_after: Option<Duration>,
}

impl Judged {
    /// The failure this stands for; `otherwise` is the code of one that no row fits.
    pub(crate) fn by(&self, table: &[Row], otherwise: &'static str, message: String) -> Error {
        let found = table.iter().find(|row| {
            (row.statuses.0..=row.statuses.1).contains(&self.status)
                && row.form.is_none_or(|form| form == self.form)
        });
        let (class, code, remedy) = match found {
            Some(row) if row.uncertain && self.effect == Effect::Once => {
                (UnknownOutcome, row.code, row.remedy)
            }
            Some(row) => (row.class, row.code, row.remedy),
            None => (Transient, otherwise, None),
        };
        let mut error = Error::new(class, self.system, self.operation, code, message);
        if let Some(remedy) = remedy {
            error = error.remedy(remedy);
        }
        match self.retry_after {
            Some(pause) if error.retry_advice() != Retry::Never => error.retry(Retry::After(pause)),
            _ => error,
        }
    }
}

/// What a `Retry-After` header in seconds asks for. The date form is not used by the systems we call.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
