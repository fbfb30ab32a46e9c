//! What a package is made of.

use std::fmt;

use bytes::Bytes;

use super::{Algorithm, Facts, measure};
use crate::{
    error::{Error, Result},
    http::{RangedSource, full},
};

/// A content of which the length, the CRCs and fixities are known.
#[derive(Clone)]
pub struct Content {
    source: RangedSource,
    facts: Facts,
}

impl Content {
    /// A content that was measured before. While it passes into a package whole, it is compared with what was found then.
    ///
    /// # Errors
    /// `Invalid` when the source has another length than was measured.
    pub fn new(source: RangedSource, facts: Facts) -> Result<Self> {
        if source.length() == facts.bytes {
            return Ok(Self { source, facts });
        }
        let message = format!("{} bytes were measured, and there are {} now", facts.bytes, source.length());
        Err(Error::invalid(super::CONTENT_CHANGED, message))
    }

    /// Bytes in memory.
    pub fn of_bytes(bytes: impl Into<Bytes>, algorithms: &[Algorithm]) -> Self {
        let bytes = bytes.into();
        let facts = Facts::of(&bytes, algorithms);
        let source = RangedSource::new(facts.bytes, move |offset, length| {
            let part = part_of(&bytes, offset, length);
            async move { part.map(full) }
        });
        Self { source, facts }
    }

    /// Reads a source once to know it.
    ///
    /// # Errors
    /// As [`measure`].
    pub async fn measured(source: RangedSource, algorithms: &[Algorithm]) -> Result<Self> {
        let facts = measure(&source, algorithms).await?;
        Ok(Self { source, facts })
    }

    /// Its bytes, any range of them.
    pub fn source(&self) -> &RangedSource {
        &self.source
    }

    /// What is known of it.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Its length in bytes.
    pub fn bytes(&self) -> u64 {
        self.facts.bytes
    }
}

/// Some of these bytes.
pub(super) fn part_of(bytes: &Bytes, offset: u64, length: u64) -> Result<Bytes> {
    let from = usize::try_from(offset).ok();
    let to = offset.checked_add(length).and_then(|to| usize::try_from(to).ok());
    match from.zip(to).filter(|(_, to)| *to <= bytes.len()) {
        Some((from, to)) => Ok(bytes.slice(from..to)),
        None => Err(Error::bug("open range", "a range lies outside of a content")),
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Content").field(&self.facts).finish()
    }
}

/// One file or folder of a package.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where: steps that are [storage names](super::storage_name), with `/` between them; a folder ends with one.
    pub path: String,
    /// What. Nothing for a folder.
    pub content: Content,
}

impl Entry {
    /// A file.
    pub fn new(path: impl Into<String>, content: Content) -> Self {
        Self { path: path.into(), content }
    }

    /// A folder by itself: folders of files need none.
    pub fn folder(path: &str) -> Self {
        let path = format!("{}/", path.trim_end_matches('/'));
        Self { path, content: Content::of_bytes(Bytes::new(), &[]) }
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.path.ends_with('/')
    }
}
