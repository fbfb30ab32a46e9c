//! Zips that come from elsewhere: nothing in them is believed.

use std::{collections::HashSet, fmt, sync::Arc};

use bytes::Bytes;
use http_body_util::BodyExt;

use super::{
    member::{Member, SIZES_BEHIND, broken},
    record::{
        CENTRAL_LENGTH, END, END_64, END_64_LENGTH, END_LENGTH, IN_EXTENSION, LOCAL, LOCAL_LENGTH,
        LOCATOR_64, LOCATOR_LENGTH, MANY, Reading,
    },
};
use crate::{
    error::{Error, Result},
    http::{RangedSource, exactly},
    packages::{Algorithm, Facts, TOO_LARGE, fixity::cut, measure},
};

/// A zip cannot be read as one.
pub const BAD_ZIP: &str = "package.bad-zip";
/// A path leads out of the package, or is a link.
pub const WAY_OUT: &str = "package.way-out";
/// A path comes twice.
pub const TWICE: &str = "package.twice";
/// An entry is encrypted.
pub const ENCRYPTED: &str = "package.encrypted";
/// An entry is compressed.
pub const UNKNOWN_METHOD: &str = "package.unknown-method";
/// A content is not the one that its CRC or a fixity says.
pub const FIXITY: &str = "package.fixity";

/// How much of a package is taken into memory at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Entries of the directory.
    pub entries: u64,
    /// Bytes of the directory.
    pub directory_bytes: u64,
    /// Bytes of one document in it that is read whole.
    pub document_bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { entries: 1_000_000, directory_bytes: 256 << 20, document_bytes: 64 << 20 }
    }
}

/// A zip of which the directory was read. Cheap to clone.
#[derive(Clone)]
pub struct Archive(Arc<Opened>);

struct Opened {
    source: RangedSource,
    members: Vec<Member>,
    /// Places of the members, in the order of their paths.
    by_path: Vec<usize>,
    bounds: Bounds,
}

/// Where the directory is.
struct Directory {
    entries: u64,
    at: u64,
    length: u64,
}

impl Archive {
    /// Reads the directory of a zip, which is a few short ranges at its end.
    ///
    /// # Errors
    /// `Invalid`: [`BAD_ZIP`], [`WAY_OUT`], [`TWICE`], [`ENCRYPTED`], or [`TOO_LARGE`] beyond the bounds. What the source says.
    pub async fn open(source: RangedSource, bounds: Bounds) -> Result<Self> {
        let directory = find_directory(&source).await?;
        if directory.entries > bounds.entries || directory.length > bounds.directory_bytes {
            let message = format!(
                "the package has {} entries and {} bytes of directory; at most {} and {} are read",
                directory.entries, directory.length, bounds.entries, bounds.directory_bytes
            );
            return Err(Error::invalid(TOO_LARGE, message));
        }
        if directory.entries > directory.length / CENTRAL_LENGTH {
            return Err(broken("it says that it has more entries than can be"));
        }
        let bytes = range(&source, directory.at, directory.length).await?;
        let mut reading = Reading(&bytes);
        let mut members = Vec::new();
        for _ in 0..directory.entries {
            members.push(Member::read(&mut reading)?);
        }
        if !reading.0.is_empty() {
            return Err(broken("its directory has more in it than it says"));
        }
        check(&members, directory.at)?;
        let mut by_path: Vec<usize> = (0..members.len()).collect();
        by_path.sort_by_key(|at| members.get(*at).map(|member| member.path.as_str()));
        Ok(Self(Arc::new(Opened { source, members, by_path, bounds })))
    }

    /// Files and folders, in the order of the directory.
    pub fn members(&self) -> &[Member] {
        &self.0.members
    }

    /// The one with this path.
    pub fn find(&self, path: &str) -> Option<&Member> {
        let Opened { members, by_path, .. } = &*self.0;
        let path_at = |at: &usize| members.get(*at).map(|member| member.path.as_str());
        let place = by_path.binary_search_by(|at| path_at(at).cmp(&Some(path))).ok()?;
        members.get(*by_path.get(place)?)
    }

    /// The bytes of an entry, any range of them.
    ///
    /// # Errors
    /// `Invalid`: [`UNKNOWN_METHOD`] for a compressed entry, [`BAD_ZIP`] when the record before the content says something else
    /// than the directory. What the source says.
    pub async fn source(&self, member: &Member) -> Result<RangedSource> {
        if member.method != 0 {
            let message = format!("`{}` is compressed (method {})", member.path, member.method);
            let error = Error::invalid(UNKNOWN_METHOD, message);
            return Err(error.remedy("archives store their entries; pack it again without compression"));
        }
        let begins = self.content_at(member).await?;
        let source = self.0.source.clone();
        Ok(RangedSource::new(member.bytes, move |offset, length| {
            let part = source.range(begins + offset, length);
            async move { Ok(exactly(length, part.open().await?)) }
        }))
    }

    /// A document of the package, whole.
    ///
    /// # Errors
    /// As [`source`](Self::source); [`TOO_LARGE`] beyond the bounds; [`FIXITY`] when it is not what its CRC says.
    pub async fn read(&self, member: &Member) -> Result<Bytes> {
        if member.bytes > self.0.bounds.document_bytes {
            let most = self.0.bounds.document_bytes;
            let message = format!("`{}` has {} bytes; at most {most} are read", member.path, member.bytes);
            return Err(Error::invalid(TOO_LARGE, message));
        }
        let source = self.source(member).await?;
        let bytes = range(&source, 0, member.bytes).await?;
        compare(member, &Facts::of(&bytes, &[]))?;
        Ok(bytes)
    }

    /// Reads a content to its end, without keeping it, for the fixities that are asked for.
    ///
    /// # Errors
    /// As [`source`](Self::source); [`FIXITY`] when it is not what its CRC says.
    pub async fn measure(&self, member: &Member, algorithms: &[Algorithm]) -> Result<Facts> {
        let found = measure(&self.source(member).await?, algorithms).await?;
        compare(member, &found)?;
        Ok(found)
    }

    /// Where the content of an entry begins, by the record before it.
    async fn content_at(&self, member: &Member) -> Result<u64> {
        let odd = |what: &str| broken(format_args!("before `{}`, {what}", member.path));
        let head = range(&self.0.source, member.offset, LOCAL_LENGTH + member.path.len() as u64).await?;
        let mut reading = Reading(&head);
        let read = (|| {
            let signature = reading.four()?;
            let (_version, flags, method) = (reading.two()?, reading.two()?, reading.two()?);
            let _moment = reading.four()?;
            let (crc32, packed, bytes) = (reading.four()?, reading.four()?, reading.four()?);
            let (name, extra) = (reading.two()?, reading.two()?);
            Some((signature, flags, method, (crc32, packed, bytes), name, extra, reading.bytes(name)?))
        })();
        let (signature, flags, method, sizes, name, extra, path) =
            read.ok_or_else(|| odd("a name is longer than in the directory"))?;
        let agrees = |said: u32, known: u64| said == IN_EXTENSION || u64::from(said) == known;
        let (crc32, packed, bytes) = sizes;
        let has_sizes = flags & SIZES_BEHIND == 0;
        let other_sizes = has_sizes
            && (crc32 != member.crc32 || !agrees(packed, member.packed) || !agrees(bytes, member.bytes));
        if signature != LOCAL || path != member.path.as_bytes() || method != member.method || other_sizes {
            return Err(odd("there is another entry than the directory says"));
        }
        if (flags ^ member.flags) & SIZES_BEHIND != 0 {
            return Err(odd("it is said in another way where its sizes are"));
        }
        let begins = member.offset + LOCAL_LENGTH + u64::from(name) + u64::from(extra);
        match begins.checked_add(member.packed) {
            Some(end) if end <= self.0.source.length() => Ok(begins),
            _ => Err(odd("there is less room than it needs")),
        }
    }
}

fn compare(member: &Member, found: &Facts) -> Result<()> {
    if (found.bytes, found.crc32) == (member.bytes, member.crc32) {
        return Ok(());
    }
    let message = format!(
        "`{}`: expected CRC-32 {:08x}, and its {} bytes have {:08x}",
        member.path, member.crc32, found.bytes, found.crc32
    );
    Err(Error::invalid(FIXITY, message).remedy("it was damaged on its way; fetch it again"))
}

/// Nothing comes twice, nothing is a file and a folder, and no two entries share bytes: such zips unpack into far more than
/// they are.
fn check(members: &[Member], directory_at: u64) -> Result<()> {
    let mut seen = HashSet::new();
    for member in members {
        if !seen.insert(member.path.trim_end_matches('/')) {
            return Err(Error::invalid(TWICE, format!("`{}` comes twice", member.path)));
        }
    }
    let files: HashSet<&str> =
        members.iter().filter(|member| !member.is_folder()).map(|member| member.path.as_str()).collect();
    for member in members {
        let mut above = member.path.match_indices('/').filter_map(|(at, _)| member.path.get(..at));
        if let Some(both) = above.find(|folder| *folder != member.path && files.contains(folder)) {
            return Err(Error::invalid(TWICE, format!("`{both}` is a file and a folder")));
        }
    }
    let mut places: Vec<(u64, Option<u64>, &str)> = members
        .iter()
        .map(|member| {
            let record = LOCAL_LENGTH + member.path.len() as u64;
            let end = member.offset.checked_add(record).and_then(|begins| begins.checked_add(member.packed));
            (member.offset, end, member.path.as_str())
        })
        .collect();
    places.sort_unstable();
    let next = places.iter().skip(1).map(|(offset, ..)| *offset).chain([directory_at]);
    for ((_, end, path), next) in places.iter().zip(next) {
        if end.is_none_or(|end| end > next) {
            return Err(broken(format_args!("`{path}` has no room of its own")));
        }
    }
    Ok(())
}

/// Bytes of a source, which are bounded by who asks.
async fn range(source: &RangedSource, offset: u64, length: u64) -> Result<Bytes> {
    if offset.checked_add(length).is_none_or(|end| end > source.length()) {
        return Err(broken("something is said to lie behind its end"));
    }
    if length == 0 {
        return Ok(Bytes::new());
    }
    let body = exactly(length, source.range(offset, length).open().await?);
    Ok(body.collect().await.map_err(cut)?.to_bytes())
}

/// Reads the end of a zip.
async fn find_directory(source: &RangedSource) -> Result<Directory> {
    let length = source.length().min(END_LENGTH + u64::from(MANY));
    let tail = range(source, source.length() - length, length).await?;
    let (mut found, mut at) = (None, tail.len());
    // The last one that reaches to the end: a comment may hold anything, also the beginning of a record.
    while let Some(before) = at.checked_sub(1).filter(|_| found.is_none()) {
        at = before;
        found = tail.get(at..).and_then(read_end);
    }
    let (entries, directory) = found.ok_or_else(|| broken("it has no end"))?;
    let end_at = source.length() - length + at as u64;
    let large = entries == MANY
        || directory.at == u64::from(IN_EXTENSION)
        || directory.length == u64::from(IN_EXTENSION);
    let (directory, end_at) = match find_large(source, end_at).await? {
        Some((large, end_at)) => (large, end_at),
        None if large => return Err(broken("the numbers of a large zip are missing")),
        None => (directory, end_at),
    };
    match directory.at.checked_add(directory.length) {
        Some(end) if end == end_at => Ok(directory),
        _ => Err(broken("its directory is not where it is said to be")),
    }
}

fn read_end(bytes: &[u8]) -> Option<(u16, Directory)> {
    let mut reading = Reading(bytes);
    let signature = reading.four()?;
    let (disk, first, here, all) = (reading.two()?, reading.two()?, reading.two()?, reading.two()?);
    let (length, at) = (reading.four()?, reading.four()?);
    let comment = reading.two()?;
    let reaches = reading.0.len() == usize::from(comment);
    let is_one = disk == 0 && first == 0 && here == all;
    let directory = Directory { entries: all.into(), at: at.into(), length: length.into() };
    (signature == END && reaches && is_one).then_some((all, directory))
}

/// The end of a large zip, which is before the other one.
async fn find_large(source: &RangedSource, end_at: u64) -> Result<Option<(Directory, u64)>> {
    let Some(locator_at) = end_at.checked_sub(LOCATOR_LENGTH) else { return Ok(None) };
    let locator = range(source, locator_at, LOCATOR_LENGTH).await?;
    let mut reading = Reading(&locator);
    if reading.four() != Some(LOCATOR_64) {
        return Ok(None);
    }
    let odd = || broken("the end of a large zip is damaged");
    let _disk = reading.four();
    let at = reading.eight().ok_or_else(odd)?;
    if at.checked_add(END_64_LENGTH).is_none_or(|end| end > locator_at) {
        return Err(odd());
    }
    let record = range(source, at, END_64_LENGTH).await?;
    let mut reading = Reading(&record);
    let read = (|| {
        let (signature, _length) = (reading.four()?, reading.eight()?);
        let (_made_by, _needed, disk, first) =
            (reading.two()?, reading.two()?, reading.four()?, reading.four()?);
        let (here, entries, length, place) =
            (reading.eight()?, reading.eight()?, reading.eight()?, reading.eight()?);
        let is_one = signature == END_64 && disk == 0 && first == 0 && here == entries;
        is_one.then_some(Directory { entries, at: place, length })
    })();
    Ok(Some((read.ok_or_else(odd)?, at)))
}

impl fmt::Debug for Archive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Archive").field("members", &self.0.members.len()).finish_non_exhaustive()
    }
}
