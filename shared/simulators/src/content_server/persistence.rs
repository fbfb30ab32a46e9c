//! Keeping the repository in a file across restarts: one JSON file, and beside it a folder with the content.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use super::Simulator;
use super::settings::Settings;
use super::state::State;
use crate::clock::Clock;

/// A file that keeps a repository.
#[derive(Debug)]
pub struct Store {
    file: PathBuf,
    saved: Option<u64>,
}

impl Store {
    /// A store in this file; content goes to `{file}.content/`.
    pub fn at(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), saved: None }
    }

    fn content_folder(&self) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(".content");
        name.into()
    }

    /// The simulator with the kept repository, or the seeded one when nothing was kept yet.
    pub fn open(&self, settings: Settings, clock: Clock) -> Result<Simulator> {
        if !self.file.exists() {
            return Ok(Simulator::new(settings, clock));
        }
        let mut state: State = serde_json::from_slice(&fs::read(&self.file)?).map_err(Error::other)?;
        state.settings = settings;
        let folder = self.content_folder();
        for node in state.nodes.values_mut().chain(state.recycle_bin.values_mut().flatten()) {
            for version in &mut node.versions {
                let path = folder.join(&version.content.sha256);
                version.content.load(&path)?;
            }
        }
        // Unfinished uploads do not survive: their parts were never written.
        state.large_uploads.clear();
        let now = state.now;
        let ids: Vec<i64> = state.nodes.keys().copied().collect();
        state.unindexed.extend(ids.into_iter().map(|id| (now, id)));
        Ok(Simulator::with(state, clock))
    }

    /// Writes the repository if it changed since the last time.
    pub fn save(&mut self, simulator: &Simulator) -> Result<()> {
        let folder = self.content_folder();
        let (json, blobs, changes) = simulator.with_state(|state| {
            let changes = state.changes;
            if self.saved == Some(changes) {
                return Ok((None, Vec::new(), changes));
            }
            let all = state.nodes.values().chain(state.recycle_bin.values().flatten());
            let blobs: Vec<_> =
                all.flat_map(|node| &node.versions).map(|version| version.content.clone()).collect();
            serde_json::to_vec(state).map(|json| (Some(json), blobs, changes))
        })?;
        let Some(json) = json else { return Ok(()) };
        fs::create_dir_all(&folder)?;
        let mut kept = BTreeSet::new();
        for blob in blobs {
            let path = folder.join(&blob.sha256);
            if kept.insert(path.clone()) && !path.exists() {
                let part = path.with_extension("part");
                blob.save(&part)?;
                if part.exists() {
                    fs::rename(&part, &path)?;
                }
            }
        }
        replace(&self.file, &json)?;
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if !kept.contains(&path) {
                fs::remove_file(path)?;
            }
        }
        self.saved = Some(changes);
        Ok(())
    }
}

fn replace(file: &Path, bytes: &[u8]) -> Result<()> {
    let part = file.with_extension("part");
    fs::write(&part, bytes)?;
    fs::rename(part, file)
}
