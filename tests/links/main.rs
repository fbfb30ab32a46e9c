//! Expiring links, over the stand-in in this process on a paused clock: what is issued, who gets the last use, what
//! stays in the ledger.

mod issuing;
mod place;
mod rivals;
mod visiting;
