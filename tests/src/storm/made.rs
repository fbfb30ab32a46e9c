//! What a flow made, as far as it can be compared between runs.

use std::collections::BTreeSet;

/// What a flow made in its target, or in both systems.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// Every node with its newest content, categories and rights.
    pub lines: BTreeSet<String>,
    /// Path and SHA-256 of every version.
    pub versions: Vec<(String, String)>,
    /// Titles of workflows.
    pub workflows: Vec<String>,
    /// What is true in iconik and was not before, a fact each; what was true and is not any more, after a `-`.
    pub iconik: Vec<String>,
    /// Jobs in iconik with their states. A run in which something goes wrong may need more of them.
    pub jobs: Vec<String>,
    /// What is true of assets in Preservica and was not before; what was true and is not any more, after a `-`.
    pub preservica: Vec<String>,
}

impl Made {
    /// SHA-256 of every version, in order.
    pub fn contents(&self) -> Vec<&str> {
        let mut contents: Vec<&str> = self.versions.iter().map(|(_, sha256)| sha256.as_str()).collect();
        contents.sort_unstable();
        contents
    }
}

impl std::fmt::Display for Made {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in &self.lines {
            writeln!(formatter, "{line}")?;
        }
        for (path, sha256) in &self.versions {
            writeln!(formatter, "version {} of {path}", sha256.get(..12).unwrap_or_default())?;
        }
        for workflow in &self.workflows {
            writeln!(formatter, "workflow {workflow}")?;
        }
        for fact in self.iconik.iter().chain(&self.jobs) {
            writeln!(formatter, "iconik: {fact}")?;
        }
        for fact in &self.preservica {
            writeln!(formatter, "Preservica: {fact}")?;
        }
        Ok(())
    }
}
