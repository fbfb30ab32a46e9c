//! What is archived, compared file by file with what is to be.

use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};

use super::{Archive, Deposit, DepositedFile, OPERATION};
use crate::{
    error::{Error, FailureClass, Result, System},
    preservica::{Bitstream, Reference, RepresentationKind},
};

/// A file that is not as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In which kind of representation.
    pub representation: RepresentationKind,
    /// Its name.
    pub name: String,
    /// The part it is the file of, where it is there.
    pub part: Option<Reference>,
    /// In what it differs.
    pub how: How,
}

/// In what a file differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// It is not there.
    Missing,
    /// It is there and is not to be.
    Extra,
    /// What it has, and what it is to have.
    Content(String, String),
}

/// A file in the archive.
struct Kept {
    representation: RepresentationKind,
    part: Reference,
    file: Bitstream,
}

impl Archive {
    /// How the files of an asset differ from what they are to be. Copies for access that others have made are theirs.
    ///
    /// # Errors
    /// As any call.
    pub async fn compare(&self, asset: &Reference, deposit: &Deposit) -> Result<Vec<Difference>> {
        let mut kept = self.files(asset).await?;
        let mut differences = Vec::new();
        for wanted in &deposit.files {
            let at = kept.iter().position(|kept| wanted.is_at(&kept.representation, &kept.file.filename));
            let found = at.map(|at| kept.remove(at));
            let how = match &found {
                None => Some(How::Missing),
                Some(found) => self.judge(wanted, &found.file).await?,
            };
            let part = found.map(|found| found.part);
            let (representation, name) = (wanted.representation.clone(), wanted.name.clone());
            differences.extend(how.map(|how| Difference { representation, name, part, how }));
        }
        let extra = kept.into_iter().filter(|kept| kept.representation == RepresentationKind::Preservation);
        differences.extend(extra.map(|kept| Difference {
            representation: kept.representation,
            name: kept.file.filename,
            part: Some(kept.part),
            how: How::Extra,
        }));
        Ok(differences)
    }

    async fn files(&self, asset: &Reference) -> Result<Vec<Kept>> {
        let mut kept = Vec::new();
        for representation in self.client.representations(asset).await? {
            for part in self.client.parts(&representation).await? {
                for file in self.client.active_bitstreams(&part).await? {
                    let (representation, part) = (representation.kind.clone(), part.clone());
                    kept.push(Kept { representation, part, file });
                }
            }
        }
        Ok(kept)
    }

    async fn judge(&self, wanted: &DepositedFile, found: &Bitstream) -> Result<Option<How>> {
        if found.size != wanted.size {
            let content = (format!("{} bytes", found.size), format!("{} bytes", wanted.size));
            return Ok(Some(How::Content(content.0, content.1)));
        }
        let mut is_shown = false;
        for fixity in &found.fixities {
            let Some(known) = wanted.checksum(&fixity.algorithm) else { continue };
            if !known.eq_ignore_ascii_case(&fixity.value) {
                let algorithm = &fixity.algorithm;
                let content = (format!("{algorithm:?} {}", fixity.value), format!("{algorithm:?} {known}"));
                return Ok(Some(How::Content(content.0, content.1)));
            }
            is_shown = true;
        }
        if is_shown {
            return Ok(None);
        }
        let read = self.read(found).await?;
        let same = read.eq_ignore_ascii_case(&wanted.sha256);
        Ok((!same).then(|| How::Content(format!("Sha256 {read}"), format!("Sha256 {}", wanted.sha256))))
    }

    /// The SHA-256 of a file's bytes, where the archive tells no checksum that is known here.
    async fn read(&self, file: &Bitstream) -> Result<String> {
        let mut body = self.client.download(file).await?.body;
        let mut hash = Sha256::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                let message = format!("{:?} could not be read back from the archive", file.filename);
                let transient = FailureClass::Transient;
                Error::new(transient, System::Preservica, OPERATION, "preservation.unread", message)
                    .source(error)
            })?;
            if let Some(data) = frame.data_ref() {
                hash.update(data);
            }
        }
        Ok(hex::encode(hash.finalize()))
    }
}

/// The first few differences, for people.
pub(super) fn described(differences: &[Difference]) -> String {
    let shown: Vec<String> = differences
        .iter()
        .take(3)
        .map(|one| match &one.how {
            How::Missing => format!("{} is missing", one.name),
            How::Extra => format!("{} is there too", one.name),
            How::Content(found, wanted) => format!("{} has {found}, and is to have {wanted}", one.name),
        })
        .collect();
    let more = differences.len().saturating_sub(shown.len());
    if more == 0 { shown.join("; ") } else { format!("{}; and {more} more", shown.join("; ")) }
}
