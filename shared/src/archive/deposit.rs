//! What is to be archived.

use sha2::{Digest as _, Sha256};

use crate::{
    error::{Error, Result},
    http::RangedSource,
    ledger::Key,
    packages::{Algorithm, Purpose, Representation, storage_name},
    preservica::{Fixity, FixityAlgorithm, Reference, RepresentationKind},
};

/// One asset to be kept.
#[derive(Debug, Clone)]
pub struct Deposit {
    /// Whose identifier it is found by. One spelling: whether upper and lower case differ is not documented.
    pub kind: String,
    /// The identifier: of one thing in one version.
    pub value: String,
    /// The folder it goes to.
    pub folder: Reference,
    /// Its files.
    pub files: Vec<DepositedFile>,
    /// What is done when it is there with other content.
    pub when_different: WhenDifferent,
}

/// What is done with an asset that is there with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenDifferent {
    /// It stays as it is.
    Leave,
    /// Files that differ get a new generation; the earlier one stays.
    Replace,
}

/// A file of an asset, as it is to be in the archive.
#[derive(Debug, Clone)]
pub struct DepositedFile {
    /// In which kind of representation it is.
    pub representation: RepresentationKind,
    /// Its name in the package.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its checksum by SHA-256, in lower-case hexadecimal.
    pub sha256: String,
    /// Other checksums of it that are known.
    pub fixities: Vec<Fixity>,
    /// Its bytes.
    pub source: RangedSource,
}

impl DepositedFile {
    /// The files of what is packed as `packages::xip` and `packages::pax` name them in an archive: of each part those of the
    /// generation in use.
    ///
    /// # Errors
    /// A fault of ours, when a content was measured without SHA-256.
    pub fn of(contents: &[Representation]) -> Result<Vec<Self>> {
        let mut files = Vec::new();
        for representation in contents {
            let kind = match representation.purpose {
                Purpose::Preservation => RepresentationKind::Preservation,
                Purpose::Access => RepresentationKind::Access,
            };
            let newest = representation.parts.iter().filter_map(|part| part.generations.last());
            for file in newest.flatten() {
                let facts = file.content.facts();
                let sha256 = facts.fixities.get(&Algorithm::Sha256).cloned().ok_or_else(|| {
                    Error::bug("archive", format!("{:?} was measured without SHA-256", file.name))
                })?;
                let fixity = |(algorithm, value): (&Algorithm, &String)| Fixity {
                    algorithm: FixityAlgorithm::of(algorithm.xip_name()),
                    value: value.clone(),
                };
                files.push(Self {
                    representation: kind.clone(),
                    name: storage_name(&file.name),
                    size: facts.bytes,
                    sha256,
                    fixities: facts.fixities.iter().map(fixity).collect(),
                    source: file.content.source().clone(),
                });
            }
        }
        Ok(files)
    }

    /// The checksum by an algorithm, where it is known.
    pub(super) fn checksum(&self, algorithm: &FixityAlgorithm) -> Option<&str> {
        if *algorithm == FixityAlgorithm::Sha256 {
            return Some(&self.sha256);
        }
        let known = self.fixities.iter().find(|fixity| fixity.algorithm == *algorithm);
        known.map(|fixity| fixity.value.as_str())
    }

    /// It and its place are those of what has this kind and name.
    pub(super) fn is_at(&self, representation: &RepresentationKind, name: &str) -> bool {
        self.representation == *representation && self.name == name
    }
}

impl Deposit {
    /// # Errors
    /// When it names nothing, or one file twice: nothing could be compared afterwards.
    pub(super) fn check(&self) -> Result<()> {
        if self.kind.is_empty() || self.value.is_empty() || self.folder.as_str().is_empty() {
            return Err(Error::bug("archive", "what is to be archived has no identifier or no folder"));
        }
        if self.files.is_empty() {
            return Err(Error::invalid("preservation.no-files", "what is to be archived has no files"));
        }
        for (at, file) in self.files.iter().enumerate() {
            let is_sum = file.sha256.len() == 64 && file.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_sum {
                return Err(Error::bug("archive", format!("the SHA-256 of {:?} is none", file.name)));
            }
            if self.files.iter().skip(at + 1).any(|other| other.is_at(&file.representation, &file.name)) {
                let message = format!("two files of one representation are called {:?}", file.name);
                return Err(Error::invalid("preservation.same-name", message)
                    .remedy("give the files of a representation names that differ"));
            }
        }
        Ok(())
    }

    /// Under which name it is locked and remembered.
    pub(super) fn name(&self) -> String {
        Key::of(&[&self.kind, &self.value]).digest().to_owned()
    }

    /// What it is made of, as one checksum.
    pub(super) fn print(&self) -> String {
        let mut lines: Vec<String> = self
            .files
            .iter()
            .map(|file| format!("{:?} {} {} {}", file.representation, file.name, file.size, file.sha256))
            .collect();
        lines.sort();
        hex::encode(Sha256::digest(lines.join("\n")))
    }
}
