//! Expiring links, over the stand-in in this process on a paused clock: what is issued, who gets the last use, what
//! stays in the ledger, and what the function that serves them says to whom.

mod faults;
mod issuing;
mod place;
mod rivals;
mod server;
mod serving;
mod visiting;
