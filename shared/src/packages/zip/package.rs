//! A zip that is nowhere: any range of it is made when it is asked for.

use std::{collections::HashSet, fmt, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body_util::BodyExt;
use jiff::Timestamp;

use super::{
    BAD_NAME,
    reader::TWICE,
    record::{Described, Moment, end},
};
use crate::{
    error::{Error, FailureClass, Result, System},
    http::{Body, RangedSource, exactly, of_pieces},
    packages::{Content, Entry, Facts, Measure, entry::part_of, fixity::cut, is_storage_path},
};

/// A content is not what was measured.
pub const CONTENT_CHANGED: &str = "package.content-changed";

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A package: entries in a zip, stored as they are. Cheap to clone.
///
/// The same entries and moment give the same bytes, today and in another process.
#[derive(Clone)]
pub struct Package(Arc<Laid>);

struct Laid {
    entries: Vec<Entry>,
    /// Where the record before each begins.
    offsets: Vec<u64>,
    moment: Moment,
    /// Directory and end.
    tail: Bytes,
    tail_at: u64,
}

impl Package {
    /// The package of these entries, in this order, all of them dated `moment` (in UTC, to two seconds). Takes memory for paths,
    /// not for contents: about 150 bytes an entry.
    ///
    /// # Errors
    /// `Invalid`: [`BAD_NAME`] for a path that some system or archive does not take, [`TWICE`] for one that comes twice, or is a
    /// file and a folder.
    pub fn new(entries: Vec<Entry>, moment: Timestamp) -> Result<Self> {
        check(&entries)?;
        let moment = Moment::of(moment);
        let (mut offsets, mut offset) = (Vec::with_capacity(entries.len()), 0);
        for entry in &entries {
            offsets.push(offset);
            offset += described(entry, offset, moment).local_length() + entry.content.bytes();
        }
        let mut tail = Vec::new();
        for (entry, offset) in entries.iter().zip(&offsets) {
            tail.extend_from_slice(&described(entry, *offset, moment).central());
        }
        let last = end(entries.len() as u64, offset, tail.len() as u64);
        tail.extend_from_slice(&last);
        Ok(Self(Arc::new(Laid { entries, offsets, moment, tail: tail.into(), tail_at: offset })))
    }

    /// Its length in bytes, exactly, before any of them is made.
    pub fn length(&self) -> u64 {
        self.0.tail_at + self.0.tail.len() as u64
    }

    /// Its entries.
    pub fn entries(&self) -> &[Entry] {
        &self.0.entries
    }

    /// Its bytes, any range of them, as often as needed. A content that passes whole is compared with what was measured: when
    /// it is another one now, the range fails with [`CONTENT_CHANGED`] instead of ending.
    pub fn source(&self) -> RangedSource {
        let laid = self.0.clone();
        RangedSource::new(self.length(), move |offset, length| {
            let laid = laid.clone();
            async move { laid.range(offset, length) }
        })
    }

    /// Its CRCs, which follow from those of its contents; no content is read. Its fixities, if they are needed, are found by
    /// [`measure`](crate::packages::measure) over [`source`](Self::source).
    pub fn facts(&self) -> Facts {
        let laid = &*self.0;
        let records: Vec<Facts> = (0..laid.entries.len())
            .filter_map(|at| laid.local(at))
            .map(|record| Facts::of(&record, &[]))
            .collect();
        let contents = laid.entries.iter().map(|entry| entry.content.facts());
        let tail = Facts::of(&laid.tail, &[]);
        let in_order = records.iter().zip(contents).flat_map(|(record, content)| [record, content]);
        Facts::in_a_row(in_order.chain([&tail]))
    }

    /// It as a content of another package: a zip within a zip. Its description quotes the fixities of what is in it.
    ///
    /// # Errors
    /// As [`Content::new`].
    pub fn content(&self) -> Result<Content> {
        Content::new(self.source(), self.facts())
    }
}

fn described<'a>(entry: &'a Entry, offset: u64, moment: Moment) -> Described<'a> {
    let Facts { bytes, crc32, .. } = *entry.content.facts();
    Described { path: &entry.path, bytes, crc32, offset, moment }
}

fn check(entries: &[Entry]) -> Result<()> {
    let mut seen = HashSet::new();
    for entry in entries {
        if !is_storage_path(&entry.path) || entry.is_folder() && entry.content.bytes() > 0 {
            let message =
                format!("`{}` is no path that every system and archive takes", entry.path.escape_default());
            return Err(Error::invalid(BAD_NAME, message).remedy("make its names with `storage_name`"));
        }
        if !seen.insert(entry.path.trim_end_matches('/')) {
            return Err(Error::invalid(TWICE, format!("`{}` comes twice", entry.path)));
        }
    }
    let files: HashSet<&str> =
        entries.iter().filter(|entry| !entry.is_folder()).map(|entry| entry.path.as_str()).collect();
    for entry in entries {
        let above = entry.path.match_indices('/').filter_map(|(at, _)| entry.path.get(..at));
        if let Some(both) = above.into_iter().find(|folder| files.contains(folder)) {
            return Err(Error::invalid(TWICE, format!("`{both}` is a file and a folder")));
        }
    }
    Ok(())
}

/// What comes next in a range: records, or some of a content.
enum Piece {
    Bytes(Bytes),
    Content { at: usize, offset: u64, length: u64 },
}

impl Laid {
    fn local(&self, at: usize) -> Option<Vec<u8>> {
        let (entry, offset) = (self.entries.get(at)?, self.offsets.get(at)?);
        Some(described(entry, *offset, self.moment).local())
    }

    fn range(self: Arc<Self>, offset: u64, length: u64) -> Result<Body> {
        let whole = self.tail_at + self.tail.len() as u64;
        let outside = || Error::bug("open range", "a range lies outside of a package");
        let to = offset.checked_add(length).filter(|to| *to <= whole).ok_or_else(outside)?;
        Ok(of_pieces(pieces(Making { laid: self, at: offset, to, open: None }), length))
    }

    /// What is at this place of the zip, up to `to`.
    fn piece(&self, from: u64, to: u64) -> Option<Piece> {
        if from >= self.tail_at {
            return part_of(&self.tail, from - self.tail_at, to - from).ok().map(Piece::Bytes);
        }
        let at = self.offsets.partition_point(|offset| *offset <= from).checked_sub(1)?;
        let record = Bytes::from(self.local(at)?);
        let (within, recorded) = (from - self.offsets.get(at)?, record.len() as u64);
        if within < recorded {
            let length = (recorded - within).min(to - from);
            return part_of(&record, within, length).ok().map(Piece::Bytes);
        }
        let offset = within - recorded;
        let left = self.entries.get(at)?.content.bytes() - offset;
        // Of an empty content there is nothing to open: its place is that of the next record.
        Some(Piece::Content { at, offset, length: left.min(to - from) })
    }
}

/// A range on its way.
struct Making {
    laid: Arc<Laid>,
    at: u64,
    to: u64,
    open: Option<Passing>,
}

/// A content that passes.
struct Passing {
    body: Body,
    /// What is found and what was measured, when all of it passes.
    compared: Option<(Measure, Facts)>,
    path: String,
}

fn pieces(making: Making) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    stream::try_unfold(making, |mut making| async move {
        match making.next().await {
            Ok(Some(data)) => Ok(Some((data, making))),
            Ok(None) => Ok(None),
            Err(error) => Err(BoxError::from(error)),
        }
    })
}

impl Making {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(passing) = &mut self.open {
                match passing.next().await? {
                    Some(data) => {
                        self.at += data.len() as u64;
                        return Ok(Some(data));
                    }
                    None => self.open = None,
                }
            } else if self.at >= self.to {
                return Ok(None);
            } else {
                let lost = || Error::bug("make package", "nothing is at a place of a package");
                match self.laid.piece(self.at, self.to).ok_or_else(lost)? {
                    Piece::Bytes(data) => {
                        self.at += data.len() as u64;
                        return Ok(Some(data));
                    }
                    Piece::Content { at, offset, length } => {
                        let entry = self.laid.entries.get(at).ok_or_else(lost)?;
                        self.open = Some(Passing::open(entry, offset, length).await?);
                    }
                }
            }
        }
    }
}

impl Passing {
    async fn open(entry: &Entry, offset: u64, length: u64) -> Result<Self> {
        let content = &entry.content;
        let body = exactly(length, content.source().range(offset, length).open().await?);
        // CRCs only: they say whether it is another content, and cost next to nothing.
        let compared = (length == content.bytes()).then(|| (Measure::new(&[]), content.facts().clone()));
        Ok(Self { body, compared, path: entry.path.clone() })
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        while let Some(frame) = self.body.frame().await {
            let Ok(data) = frame.map_err(cut)?.into_data() else { continue };
            if data.is_empty() {
                continue;
            }
            if let Some((measure, _)) = &mut self.compared {
                measure.update(&data);
                // Before its last bytes are given: what is made of them is not taken for whole.
                self.compare()?;
            }
            return Ok(Some(data));
        }
        Ok(None)
    }

    fn compare(&mut self) -> Result<()> {
        let whole = self.compared.take_if(|(measure, expected)| measure.bytes() == expected.bytes);
        if whole.is_none_or(|(measure, expected)| measure.finish().agrees(&expected)) {
            return Ok(());
        }
        let message = format!("the content of `{}` is another one than was measured", self.path);
        let error =
            Error::new(FailureClass::Conflict, System::Waybill, "make package", CONTENT_CHANGED, message);
        Err(error.remedy("measure it again and begin the package anew"))
    }
}

impl fmt::Debug for Package {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Package")
            .field("entries", &self.0.entries.len())
            .field("length", &self.length())
            .finish_non_exhaustive()
    }
}
