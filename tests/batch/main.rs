//! What becomes of messages whose items end differently, of duplicates, and of what a person puts back.

mod breakers;
mod chores;
mod endings;
mod figures;
mod intake;
mod invocations;
mod logs;
