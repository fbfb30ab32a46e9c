//! Writes a folder as packages of every layout, and checks packages.
//!
//! ```text
//! cargo run -p shared --example package -- opex <v1.0|v1.1|v1.2> <folder> <to>   # as a tree of files; `x.pax` in it is an asset
//! cargo run -p shared --example package -- zip <folder> <to>                      # the same tree in a zip; to `-`, the output
//! cargo run -p shared --example package -- pax <folder> <to>                      # one asset: <to>.pax.zip with its document
//! cargo run -p shared --example package -- xip <version> <folder> <to>            # the package that Preservica ingests
//! cargo run -p shared --example package -- fragments <to>                         # PREMIS and Dublin Core, a file each
//! cargo run -p shared --example package -- check <tree or zip>                    # ends with 1 when something is wrong
//! cargo run -p shared --example package -- generated <bytes>                      # packs so much, keeps nothing: time, memory
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use jiff::Timestamp;
use shared::{
    http::{Body, RangedSource},
    packages::{
        Algorithm, Archive, Bounds, Content, Entry, Expected, Facts, Fragment, Measure, Package, Part,
        Problem, Purpose, Representation, dublin_core, opex, pax, premis, xip,
    },
};
use tokio::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;
const HASHED: [Algorithm; 2] = [Algorithm::Sha1, Algorithm::Sha256];
const PIECE: u64 = 1 << 18;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = ExitCode::SUCCESS;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["opex", version, folder, to] => {
            let version = opex::Version::ALL.into_iter().find(|known| known.to_string() == *version);
            let tree = tree(Path::new(folder)).await?;
            unpack(&opex::entries(&tree, version.ok_or("no such version")?)?, Path::new(to))
                .await
                .map(|()| done)
        }
        ["zip", folder, to] => {
            let tree = tree(Path::new(folder)).await?;
            pack(opex::entries(&tree, opex::Version::V1_2)?, Path::new(to)).await.map(|()| done)
        }
        ["pax", folder, to] => write_pax(Path::new(folder), to).await.map(|()| done),
        ["xip", version, folder, to] => {
            let asset = asset(Path::new(folder)).await?;
            pack(xip::package(&[asset], version)?, Path::new(to)).await.map(|()| done)
        }
        ["fragments", to] => {
            for fragment in fragments()? {
                fs::write(Path::new(to).join(format!("{}.xml", fragment.name())), fragment.xml())?;
            }
            Ok(done)
        }
        ["generated", bytes] => generated(bytes.parse()?).await.map(|()| done),
        ["check", package] if Path::new(package).is_dir() => check_tree(Path::new(package)).await,
        ["check", package] => check_zip(Path::new(package)).await,
        _ => Err("say opex, zip, pax, xip, fragments or check; see the top of this file".into()),
    }
}

fn moment() -> Outcome<Timestamp> {
    Ok("2031-05-06T07:08:09Z".parse()?)
}

/// A file, any range of it, read piece by piece.
fn source(path: &Path) -> Outcome<RangedSource> {
    let (length, path) = (fs::metadata(path)?.len(), path.to_owned());
    Ok(RangedSource::new(length, move |offset, length| {
        let path = path.clone();
        async move { Ok(body(path, offset, length)) }
    }))
}

fn body(path: PathBuf, offset: u64, length: u64) -> Body {
    let pieces = stream::iter((0..length).step_by(usize::try_from(PIECE).unwrap_or(1))).map(move |from| {
        let mut file = fs::File::open(&path)?;
        file.seek(SeekFrom::Start(offset + from))?;
        let mut piece = Vec::new();
        file.take(PIECE.min(length - from)).read_to_end(&mut piece)?;
        Ok::<_, Box<dyn Error + Send + Sync>>(http_body::Frame::data(piece.into()))
    });
    BodyExt::boxed(StreamBody::new(pieces))
}

async fn content(path: &Path) -> Outcome<Content> {
    Ok(Content::measured(source(path)?, &HASHED).await?)
}

fn listed(folder: &Path) -> Outcome<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    found.sort();
    Ok(found)
}

async fn tree(folder: &Path) -> Outcome<opex::Folder> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let source_id = Some(format!("folder {name}"));
    let about = opex::Opex { source_id, descriptive: fragments()?, ..remembered()? };
    let mut tree = opex::Folder { name, about, ..opex::Folder::default() };
    for (name, path) in listed(folder)? {
        if let Some(name) = name.strip_suffix(".pax").filter(|_| path.is_dir()) {
            tree.assets.push(asset_folder(name, &path).await?);
        } else if path.is_dir() {
            tree.folders.push(Box::pin(self::tree(&path)).await?);
        } else {
            let file = opex::File::new(name, content(&path).await?);
            tree.files.push(opex::File { about: remembered()?, ..file });
        }
    }
    Ok(tree)
}

/// A folder `name.pax` is one asset, and stays a folder.
async fn asset_folder(name: &str, folder: &Path) -> Outcome<opex::AssetFolder> {
    let asset = asset(folder).await?;
    let entries = pax::entries(&asset.contents, Some((name, xip::in_pax(&asset, "7.7")?)))?;
    let source_id = Some(format!("asset {name}"));
    let about = opex::Opex { source_id, descriptive: fragments()?, ..remembered()? };
    Ok(opex::AssetFolder { name: name.to_owned(), about, entries })
}

/// What is known of a thing besides what it is: everything that a document has a place for.
fn remembered() -> Outcome<opex::Opex> {
    let event = opex::Event {
        date: moment()?,
        user: "j.doe & partner".to_owned(),
        kind: Some("Create".to_owned()),
        action: Some("Scanned, <twice>".to_owned()),
        detail: Some("Größe: A4".to_owned()),
    };
    let later = opex::Event {
        date: "2031-05-06T23:59:59.123456789+02:00".parse()?,
        kind: None,
        action: None,
        detail: None,
        ..event.clone()
    };
    let related = |kind: Option<&str>| opex::Relationship {
        kind: kind.map(str::to_owned),
        object: Some("urn:uuid:00000000-0000-4000-a000-000000000002".to_owned()),
    };
    Ok(opex::Opex {
        description: Some("What it is about, in \"words\" & <signs>".to_owned()),
        security_descriptor: Some("open".to_owned()),
        identifiers: vec![("OTMM".to_owned(), "4711:3".to_owned()), ("ISBN".to_owned(), "none".to_owned())],
        events: vec![event, later],
        relationships: vec![related(Some("isVersionOf")), related(None)],
        ..opex::Opex::default()
    })
}

/// An asset of all files of a folder, to be preserved and to be given out.
async fn asset(folder: &Path) -> Outcome<xip::NewAsset> {
    let mut contents = Vec::new();
    for (purpose, letter) in [(Purpose::Preservation, 'b'), (Purpose::Access, 'c')] {
        let mut parts = Vec::new();
        for (number, (name, path)) in (1..).zip(listed(folder)?).filter(|(_, (_, path))| path.is_file()) {
            let reference = format!("00000000-0000-4000-{letter}000-{number:012}");
            parts.push(Part::new(reference, name, content(&path).await?));
        }
        contents.push(Representation { purpose, name: purpose.name().to_owned(), parts });
    }
    let references = (1..).map(|number| format!("00000000-0000-4000-d000-{number:012}"));
    let about = xip::Asset {
        reference: "00000000-0000-4000-a000-000000000001".to_owned(),
        title: "An asset: <final>".to_owned(),
        description: Some("All files of a folder".to_owned()),
        security_tag: "open".to_owned(),
        parent: Some("00000000-0000-4000-9000-000000000001".to_owned()),
        identifiers: vec![("SourceID".to_owned(), "4711:3".to_owned())],
        fragments: references.zip(fragments()?).collect(),
        ..xip::Asset::default()
    };
    Ok(xip::NewAsset { about, contents, effective: Some(moment()?) })
}

async fn write_pax(folder: &Path, to: &str) -> Outcome<()> {
    let asset = asset(folder).await?;
    let entries = pax::entries(&asset.contents, Some(("asset", xip::in_pax(&asset, "7.7")?)))?;
    let package = Package::new(entries, moment()?)?;
    let file = opex::File::zipped_asset("asset", &package)?;
    let fixities = file
        .within
        .iter()
        .flat_map(|entry| opex::Fixity::all_of(Some(&entry.path), entry.content.facts()).collect::<Vec<_>>());
    let about = opex::Opex {
        source_id: Some("4711:3".to_owned()),
        title: Some(asset.about.title.clone()),
        fixities: fixities.collect(),
        descriptive: fragments()?,
        ..opex::Opex::default()
    };
    fs::write(format!("{to}.pax.zip.opex"), about.to_xml()?)?;
    write(&package.source(), Path::new(&format!("{to}.pax.zip"))).await
}

fn fragments() -> Outcome<Vec<Fragment>> {
    let asset = premis::Identifier::new("UUID", "00000000-0000-4000-a000-000000000001");
    let file = premis::Identifier::new("local", "master.mov");
    let program = premis::Identifier::new("local", "waybill");
    let history = premis::Premis {
        asset,
        files: vec![premis::File::new(file.clone(), "Act 1: <final>.mov", &Facts::of(b"a", &HASHED))],
        events: vec![premis::Event {
            identifier: premis::Identifier::new("UUID", "00000000-0000-4000-e000-000000000001"),
            kind: "message digest calculation".to_owned(),
            moment: moment()?,
            detail: Some("SHA-1 and SHA-256".to_owned()),
            outcome: Some("success".to_owned()),
            outcome_note: Some("as at the source".to_owned()),
            agents: vec![(program.clone(), Some("implementer".to_owned()))],
            objects: vec![(file, None)],
        }],
        agents: vec![premis::Agent {
            identifier: program,
            name: Some("Waybill".to_owned()),
            kind: Some("software".to_owned()),
            version: Some("0.1.0".to_owned()),
        }],
    };
    let described = dublin_core::NAMES.iter().map(|name| (*name, "Größe & <more>"));
    Ok(vec![dublin_core::fragment(described)?, history.fragment()?])
}

async fn pack(entries: Vec<Entry>, to: &Path) -> Outcome<()> {
    write(&Package::new(entries, moment()?)?.source(), to).await
}

async fn unpack(entries: &[Entry], to: &Path) -> Outcome<()> {
    for entry in entries {
        write(entry.content.source(), &to.join(&entry.path)).await?;
    }
    Ok(())
}

async fn write(source: &RangedSource, to: &Path) -> Outcome<()> {
    let mut file: Box<dyn Write> = if to == Path::new("-") {
        Box::new(std::io::stdout())
    } else {
        fs::create_dir_all(to.parent().ok_or("no folder to write to")?)?;
        Box::new(fs::File::create(to)?)
    };
    let mut body = source.range(0, source.length()).open().await?;
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|error| error.to_string())?.into_data() {
            file.write_all(&data)?;
        }
    }
    Ok(file.flush()?)
}

fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, u64>) -> Outcome<()> {
    for (_, path) in listed(folder)? {
        if path.is_dir() {
            walk(root, &path, found)?;
        } else {
            let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
            found.insert(name, fs::metadata(&path)?.len());
        }
    }
    Ok(())
}

async fn check_tree(folder: &Path) -> Outcome<ExitCode> {
    let mut sizes = BTreeMap::new();
    walk(folder, folder, &mut sizes)?;
    let mut documents = BTreeMap::new();
    for path in sizes.keys().filter(|path| path.ends_with(".opex")) {
        documents.insert(path.clone(), fs::read(folder.join(path))?);
    }
    let judged = match opex::judge(&sizes, &documents) {
        Ok(judged) => judged,
        Err(problems) => return Ok(told(&problems)),
    };
    judged.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    let mut wrong = false;
    for expected in &judged.files {
        let path = folder.join(&expected.path);
        let found = match &expected.within {
            None => {
                let mut measure = Measure::new(&expected.algorithms());
                measure.read_on(&source(&path)?, u64::MAX).await?;
                measure.finish()
            }
            Some(within) => {
                let archive = Archive::open(source(&path)?, Bounds::default()).await?;
                let member = archive.find(within).ok_or("a file of an asset is missing")?;
                archive.measure(member, &expected.algorithms()).await?
            }
        };
        wrong |= is_wrong(expected, &found);
    }
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn check_zip(package: &Path) -> Outcome<ExitCode> {
    let archive = Archive::open(source(package)?, Bounds::default()).await?;
    let mut wrong = false;
    for (_, files) in xip::assets_in(&archive).await?.values() {
        for expected in files {
            let member = archive.find(&expected.path).ok_or("a file is missing")?;
            wrong |= is_wrong(expected, &archive.measure(member, &expected.algorithms()).await?);
        }
    }
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn is_wrong(expected: &Expected, found: &Facts) -> bool {
    let outcome = expected.check(found);
    if let Err(error) = &outcome {
        println!("{error}");
    }
    outcome.is_err()
}

/// A content that nobody stores: does not repeat within a piece, and compresses badly, as a film does.
fn generator(bytes: u64) -> RangedSource {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let piece: bytes::Bytes = (0..PIECE)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
        .collect();
    RangedSource::new(bytes, move |offset, length| {
        let piece = piece.clone();
        let end = offset + length;
        let first = offset / PIECE;
        let pieces = stream::iter(first..end.div_ceil(PIECE)).map(move |number| {
            let from = offset.max(number * PIECE) - number * PIECE;
            let to = end.min((number + 1) * PIECE) - number * PIECE;
            let range = usize::try_from(from)?..usize::try_from(to)?;
            Ok::<_, Box<dyn Error + Send + Sync>>(http_body::Frame::data(piece.slice(range)))
        });
        async move { Ok(BodyExt::boxed(StreamBody::new(pieces))) }
    })
}

/// Says how far it is, on the error output: a large one takes minutes.
struct Progress {
    what: &'static str,
    of: u64,
    began: Instant,
    said: Instant,
}

impl Progress {
    const EVERY: Duration = Duration::from_secs(10);

    fn new(what: &'static str, of: u64) -> Self {
        let began = Instant::now();
        Self { what, of, began, said: began }
    }

    fn at(&mut self, bytes: u64) {
        if self.said.elapsed() >= Self::EVERY {
            self.said = Instant::now();
            let speed = (bytes >> 20) as f64 / self.began.elapsed().as_secs_f64();
            eprintln!("  {} {} of {} MiB, {speed:.0} MiB/s", self.what, bytes >> 20, self.of >> 20);
        }
    }
}

/// Measures a generated content once, packs it, and lets the package pass part by part, as an upload does. Nothing of it is kept.
/// Says what it took.
async fn generated(bytes: u64) -> Outcome<()> {
    const AT_ONCE: u64 = 64 << 20;
    let source = generator(bytes);
    let (mut measure, mut progress) = (Measure::new(&[Algorithm::Sha256]), Progress::new("measured", bytes));
    while !measure.read_on(&source, AT_ONCE).await? {
        progress.at(measure.bytes());
    }
    let measured = progress.began.elapsed();
    let content = Content::new(source, measure.finish())?;
    let parts = vec![Part::new("00000000-0000-4000-b000-000000000001", "master.mov", content)];
    let preserved = Representation { purpose: Purpose::Preservation, name: String::new(), parts };
    let about = xip::Asset {
        reference: "00000000-0000-4000-a000-000000000001".to_owned(),
        security_tag: "open".to_owned(),
        ..xip::Asset::default()
    };
    let asset = xip::NewAsset { about, contents: vec![preserved], effective: None };
    let package = Package::new(xip::package(&[asset], "6.0")?, moment()?)?;

    // CRCs only, of what passes: they were known before, and cost next to nothing.
    let (source, mut passed) = (package.source(), Measure::new(&[]));
    let mut progress = Progress::new("packed", package.length());
    while !passed.read_on(&source, AT_ONCE).await? {
        progress.at(passed.bytes());
    }
    let packed = progress.began.elapsed();
    if passed.finish() != package.facts() {
        return Err("the package is not the one that was known before".into());
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak
        .and_then(|rest| rest.split_whitespace().next())
        .ok_or("Linux does not say the peak of memory")?;
    println!(
        "{{\"length\":{},\"measure_seconds\":{:.6},\"pack_seconds\":{:.6},\"peak_kib\":{peak}}}",
        package.length(),
        measured.as_secs_f64(),
        packed.as_secs_f64()
    );
    Ok(())
}

fn told(problems: &[Problem]) -> ExitCode {
    for problem in problems {
        println!("{problem}");
    }
    ExitCode::FAILURE
}
