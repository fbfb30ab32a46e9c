//! The commands for operators, the simulators, `make up` and `make down`, run as programs: what they say, how they end, and what they
//! leave alone.

mod audit;
mod conflicts;
mod dead_letters;
mod down;
mod dry_run;
mod findings;
mod preflight;
mod program;
mod served;
mod up;
