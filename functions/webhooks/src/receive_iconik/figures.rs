//! What became of each delivery, as figures for CloudWatch.

use shared::{
    function::{Function, Problem},
    metrics::{self, Figure},
};

use super::{Outcome, ReceiveIconik};

impl Outcome {
    /// The word for it in answers.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Told(_) => "told",
            Self::Repeated => "repeated",
            Self::Echo => "echo",
            Self::Unwanted => "unwanted",
            Self::Unknown => "unknown",
        }
    }

    fn is(self, other: Self) -> u64 {
        u64::from(self == other)
    }
}

impl ReceiveIconik {
    /// Prints what became of one delivery. Refusals are counted by their reason as well.
    pub(super) fn print_figures(&self, taken: &Result<Outcome, Problem>) {
        let environment = ("Environment", self.environment.settings.environment.as_str());
        let flow = ("Flow", Self::NAME);
        let context = &self.environment.context;
        let line = match taken {
            Ok(outcome) => {
                let told = if let Outcome::Told(messages) = outcome { *messages as u64 } else { 0 };
                let figures = [
                    Figure::count("Received", 1),
                    Figure::count("Told", told),
                    Figure::count("Repeated", outcome.is(Outcome::Repeated)),
                    Figure::count("Echo", outcome.is(Outcome::Echo)),
                    Figure::count("Unwanted", outcome.is(Outcome::Unwanted)),
                    Figure::count("Unknown", outcome.is(Outcome::Unknown)),
                    Figure::count("Refused", 0),
                ];
                metrics::line(context, &[&["Environment", "Flow"]], &[environment, flow], &figures)
            }
            Err(problem) => {
                let figures = [Figure::count("Received", 1), Figure::count("Refused", 1)];
                let sets: [&[&str]; 2] = [&["Environment", "Flow"], &["Environment", "Flow", "Reason"]];
                metrics::line(context, &sets, &[environment, flow, ("Reason", problem.code())], &figures)
            }
        };
        metrics::print(&line);
    }
}
