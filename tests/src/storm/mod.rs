//! The storm: real flows against simulators in this process, with faults at every call.
//!
//! One world holds one flow's systems. A [`Tap`] stands between the flow and all of them; it counts calls and puts
//! faults in. A [`drive`] works the queue like the Lambda service does: batches, visibility, redelivery, processes
//! that die. When the queue is quiet the world is compared with the clean run's, and with what Waybill promises.
//! Everything runs on one thread and a paused clock, so a schedule replays exactly.

mod check;
mod content_server;
mod drive;
mod fault;
mod iconik;
mod made;
mod preservica;
mod scenario;
mod schedule;
mod seeds;
mod tap;
mod world;

pub use check::{Broken, check};
pub use drive::{Drive, drive};
pub use fault::{Fault, Form};
pub use iconik::as_in_the_clean_run;
pub use made::Made;
pub use preservica::archived_once;
pub use scenario::{
    Deed, IconikIntervention, Intervention, Meanwhile, PreservicaIntervention, Promise, Scenario,
    StoredObject,
};
pub use schedule::{
    Report, backwards, clean, intervened, one_fault, overtaken, random, rivals, undisturbed_rivals,
};
pub use tap::{Call, Sabotage, Tap, Vendors};
pub use world::{ARCHIVE, CONTENT, INTAKE, LINK_ADDRESS, QUARANTINE, World};
