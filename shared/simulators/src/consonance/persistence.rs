//! Keeping an account in a file across restarts. What was brought is kept as size and checksum only.

use std::fs;
use std::io::{Error, Result};
use std::path::PathBuf;

use super::settings::Settings;
use super::{Simulator, State};
use crate::clock::Clock;

/// A file that keeps an account.
#[derive(Debug)]
pub struct Store {
    file: PathBuf,
    saved: Option<u64>,
}

impl Store {
    /// A store in this file.
    pub fn at(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), saved: None }
    }

    /// The simulator with the kept account, or the seeded one when nothing was kept yet.
    pub fn open(&self, settings: Settings, clock: Clock) -> Result<Simulator> {
        if !self.file.exists() {
            return Ok(Simulator::new(settings, clock));
        }
        let mut state: State = serde_json::from_slice(&fs::read(&self.file)?).map_err(Error::other)?;
        state.settings = settings;
        Ok(Simulator::with(state, clock))
    }

    /// Writes the account if a call changed it since the last time.
    pub fn save(&mut self, simulator: &Simulator) -> Result<()> {
        let (json, changes) = simulator.with_state(|state| {
            let is_saved = self.saved == Some(state.changes);
            ((!is_saved).then(|| serde_json::to_vec(&*state)), state.changes)
        });
        let Some(json) = json.transpose()? else { return Ok(()) };
        let part = self.file.with_extension("part");
        fs::write(&part, json)?;
        fs::rename(part, &self.file)?;
        self.saved = Some(changes);
        Ok(())
    }
}
