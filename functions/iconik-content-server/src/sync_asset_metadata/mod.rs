//! Keeps mapped fields of an asset in iconik and of its document in Content Server equal.

pub mod content;
pub mod memory;
pub mod merge;
pub mod state;

#[cfg(test)]
mod content_tests;
#[cfg(test)]
mod convergence;
#[cfg(test)]
mod merge_tests;
#[cfg(test)]
mod model;
