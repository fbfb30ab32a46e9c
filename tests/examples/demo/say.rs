//! Progress for people: one line per thing that happened, with the time since the beginning.

use std::{
    io::{IsTerminal, Write},
    time::Instant,
};

use super::samples::shortened;

/// Where progress goes. Colours only where a terminal shows them.
pub(crate) struct Say {
    began: Instant,
    to_stderr: bool,
    colours: bool,
}

/// How a line is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Notable,
    Bad,
}

impl Say {
    pub(crate) fn new(to_stderr: bool) -> Self {
        let terminal =
            if to_stderr { std::io::stderr().is_terminal() } else { std::io::stdout().is_terminal() };
        let colours = terminal && std::env::var_os("NO_COLOR").is_none();
        Self { began: Instant::now(), to_stderr, colours }
    }

    /// Seconds since the beginning.
    pub(crate) fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// One step of the demo.
    pub(crate) fn step(&self, text: &str) {
        let seconds = self.seconds();
        self.line(&format!("{seconds:6.1} s  {text}"));
    }

    /// How one item ended.
    pub(crate) fn ended(&self, ending: &str, name: &str, detail: &str) {
        let tone = match ending {
            "delivered" => Tone::Good,
            "skipped" => Tone::Plain,
            "quarantined" => Tone::Notable,
            _ => Tone::Bad,
        };
        let ending = self.paint(tone, &format!("{ending:<11}"));
        let seconds = self.seconds();
        self.line(&format!("{seconds:6.1} s  {ending} {}  {detail}", shortened(name, 60)));
    }

    /// A line without a time.
    pub(crate) fn line(&self, text: &str) {
        // A reader that went away does not stop the demo.
        let _ = if self.to_stderr {
            writeln!(std::io::stderr(), "{text}")
        } else {
            writeln!(std::io::stdout(), "{text}")
        };
    }

    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            _ if !self.colours => return text.to_owned(),
            Tone::Plain => return text.to_owned(),
            Tone::Good => 32,
            Tone::Notable => 33,
            Tone::Bad => 31,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
