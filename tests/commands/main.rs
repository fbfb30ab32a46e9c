//! The commands for operators, run as programs: what they say, how they end, and what they leave alone. The simulators
//! as programs too.

mod audit;
mod conflicts;
mod dead_letters;
mod dry_run;
mod findings;
mod preflight;
mod program;
mod served;
