//! Every call a simulator received, in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

/// Older calls fall out, so that a simulator left running does not grow.
const KEPT: usize = 50_000;

/// One call and its answer. Neither headers nor bodies are kept: they hold tickets and content.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Position in the whole sequence, from 1.
    pub sequence: u64,
    /// When it arrived, by the simulator's clock.
    pub time: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path without query.
    pub path: String,
    /// Query, decoded by nobody.
    pub query: String,
    /// Status of the answer; 0 while the call runs and for a cut connection.
    pub status: u16,
    /// Login name of the caller, when known.
    pub user: Option<String>,
    /// Bytes of the request body.
    pub received: u64,
    /// The fault it met.
    pub fault: Option<String>,
    /// No such call in the imitated system, or one this simulator does not know.
    pub unknown: bool,
}

#[derive(Default)]
struct Inner {
    entries: VecDeque<Entry>,
    count: u64,
}

/// The journal of one simulator. Clones share it.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Inner>>);

impl Journal {
    /// Notes the arrival of a call and returns its sequence number.
    pub fn begin(&self, time: Timestamp, method: &str, path: &str, query: &str) -> u64 {
        let mut inner = self.lock();
        inner.count += 1;
        let sequence = inner.count;
        inner.entries.push_back(Entry {
            sequence,
            time,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            status: 0,
            user: None,
            received: 0,
            fault: None,
            unknown: false,
        });
        if inner.entries.len() > KEPT {
            inner.entries.pop_front();
        }
        sequence
    }

    /// Completes the entry with this number.
    pub fn note(&self, sequence: u64, change: impl FnOnce(&mut Entry)) {
        let mut inner = self.lock();
        if let Some(entry) = inner.entries.iter_mut().rev().find(|entry| entry.sequence == sequence) {
            change(entry);
        }
    }

    /// All kept entries, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.iter().cloned().collect()
    }

    /// How many calls there were in all.
    pub fn count(&self) -> u64 {
        self.lock().count
    }

    /// Calls that reached no known URL: a well-behaved client leaves none.
    pub fn unknown(&self) -> Vec<Entry> {
        self.lock().entries.iter().filter(|entry| entry.unknown).cloned().collect()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.lock() = Inner::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
