//! Where the files of a package are: in a zip, or one by one at the bulk location.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};

use zip::ZipArchive;

use crate::content::{Blob, Spool};

/// Largest description that is read.
const LARGEST_DESCRIPTION: u64 = 64 << 20;

/// The files of a package by name.
pub(in crate::preservica::state) enum Files {
    Zip(Box<ZipArchive<Reader>>),
    Objects(BTreeMap<String, Blob>),
}

impl Files {
    pub(in crate::preservica::state) fn of_zip(package: &Blob) -> Result<Self, String> {
        let archive = ZipArchive::new(Reader { blob: package.clone(), at: 0 });
        let archive = archive.map_err(|error| format!("The package is no zip: {error}"))?;
        Ok(Self::Zip(Box::new(archive)))
    }

    /// Names of files, without those of folders.
    pub(in crate::preservica::state) fn names(&self) -> Vec<String> {
        match self {
            Self::Zip(archive) => {
                let names = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned()));
                names.filter(|name| !name.ends_with('/')).collect()
            }
            Self::Objects(objects) => objects.keys().filter(|name| !name.ends_with('/')).cloned().collect(),
        }
    }

    /// The bytes of a description.
    pub(super) fn description(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        match self {
            Self::Zip(archive) => {
                let file = archive.by_name(name).map_err(|error| format!("{name}: {error}"))?;
                let mut file = file.take(LARGEST_DESCRIPTION);
                file.read_to_end(&mut bytes).map_err(|error| format!("{name}: {error}"))?;
            }
            Self::Objects(objects) => {
                let blob = objects.get(name).ok_or_else(|| format!("{name} is not there"))?;
                let read = blob.read_at(0, blob.size.min(LARGEST_DESCRIPTION));
                bytes = read.map_err(|error| format!("{name}: {error}"))?.to_vec();
            }
        }
        Ok(bytes)
    }

    /// The content of a file.
    pub(super) fn content(&mut self, name: &str, threshold: u64) -> Result<Blob, String> {
        let missing = || format!("The file {name} is not in the package");
        let archive = match self {
            Self::Objects(objects) => return objects.get(name).cloned().ok_or_else(missing),
            Self::Zip(archive) => archive,
        };
        let mut file = archive.by_name(name).map_err(|_| missing())?;
        let mut spool = Spool::new(threshold, false);
        let mut piece = vec![0; 64 << 10];
        loop {
            let read = file.read(&mut piece).map_err(|error| format!("{name}: {error}"))?;
            let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else { break };
            spool.write(read).map_err(|error| error.to_string())?;
        }
        Ok(spool.finish())
    }
}

/// Reads what is kept from any place.
pub(in crate::preservica::state) struct Reader {
    blob: Blob,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let piece = self.blob.read_at(self.at, into.len() as u64)?;
        if let Some(place) = into.get_mut(..piece.len()) {
            place.copy_from_slice(&piece);
        }
        self.at += piece.len() as u64;
        Ok(piece.len())
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (self.blob.size, by),
            SeekFrom::Current(by) => (self.at, by),
        };
        self.at = from.checked_add_signed(by).ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
