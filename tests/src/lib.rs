//! The kit the tests, the storm and the demo share.

pub mod archive;
pub mod archiving;
pub mod campaign;
pub mod in_process;
pub mod installation;
pub mod media_archive;
pub mod messages;
pub mod noted;
pub mod paired;
pub mod production;
pub mod public_door;
pub mod released;
pub mod repository;
pub mod runtime;
pub mod storm;
pub mod swept;
pub mod watched;
pub mod web;
