//! What is archived, compared file by file with what is to be.

use std::collections::BTreeSet;

use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Archive, Deposit, DepositedFile, OPERATION};
use crate::{
    error::{Error, FailureClass, Result, System},
    flow::Run,
    preservica::{Bitstream, Reference, RepresentationKind},
};

/// Under which name it is recorded how far a look at an asset is that did not fit into one invocation.
const LOOKED: &str = "looked";

/// A file that is not as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// It is not there.
    Missing,
    /// It is there and is not to be.
    Extra,
    /// What it has, and what it is to have.
    Content(String, String),
}

/// How far a look at an asset is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Looked {
    /// Which look it is.
    of: String,
    /// Parts that were looked at.
    parts: BTreeSet<Reference>,
    /// Files of the deposit, by position, that are there.
    found: BTreeSet<usize>,
    differences: Vec<Difference>,
}

impl Archive {
    /// How the files of an asset differ from what they are to be; nothing when the invocation must end before that is known.
    /// Copies for access that others have made are theirs. `of` says which look it is: what was seen is taken up again only by
    /// the same one.
    ///
    /// # Errors
    /// As any call.
    pub(super) async fn compare(
        &self,
        run: &Run,
        asset: &Reference,
        deposit: &Deposit,
        of: &str,
    ) -> Result<Option<Vec<Difference>>> {
        let of = format!("{asset} {} {of}", deposit.print());
        let known = run.recorded::<Looked>(LOOKED).filter(|looked| looked.of == of);
        let mut looked = known.unwrap_or_else(|| Looked { of, ..Looked::default() });
        for representation in self.client.representations(asset).await? {
            for part in self.client.parts(&representation).await? {
                if looked.parts.contains(&part) {
                    continue;
                }
                if run.must_stop() {
                    run.checkpoint(LOOKED, &looked).await?;
                    return Ok(None);
                }
                for file in self.client.active_bitstreams(&part).await? {
                    self.look_at(deposit, &representation.kind, &part, &file, &mut looked).await?;
                }
                looked.parts.insert(part);
            }
        }
        for (at, wanted) in deposit.files.iter().enumerate() {
            if !looked.found.contains(&at) {
                let (representation, name) = (wanted.representation.clone(), wanted.name.clone());
                looked.differences.push(Difference { representation, name, part: None, how: How::Missing });
            }
        }
        Ok(Some(looked.differences))
    }

    async fn look_at(
        &self,
        deposit: &Deposit,
        kind: &RepresentationKind,
        part: &Reference,
        file: &Bitstream,
        looked: &mut Looked,
    ) -> Result<()> {
        let wanted = deposit
            .files
            .iter()
            .enumerate()
            .find(|(at, wanted)| wanted.is_at(kind, &file.filename) && !looked.found.contains(at));
        let how = match wanted {
            Some((at, wanted)) => {
                looked.found.insert(at);
                self.judge(wanted, file).await?
            }
            None => (*kind == RepresentationKind::Preservation).then_some(How::Extra),
        };
        looked.differences.extend(how.map(|how| Difference {
            representation: kind.clone(),
            name: file.filename.clone(),
            part: Some(part.clone()),
            how,
        }));
        Ok(())
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
