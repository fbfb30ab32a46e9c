//! Writes a folder as a bag, and checks bags.
//!
//! ```text
//! cargo run -p shared --example bag -- write <folder> <bag>
//! cargo run -p shared --example bag -- check <bag>       # ends with 1 when it is not valid; warnings on standard error
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

use std::{
    collections::BTreeMap,
    error::Error,
    fs::{self, File},
    io::Read,
    path::Path,
    process::ExitCode,
};

use shared::bagit::{
    Algorithm, BAG_INFO, BAGIT_TXT, Bag, BagInfo, Checksums, DECLARATION, Found, MANIFEST, Problem,
    TAG_MANIFEST, manifest, safe_step, tag_files, with_suffix,
};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["write", folder, bag] => write(Path::new(folder), Path::new(bag)).map(|()| ExitCode::SUCCESS),
        ["check", bag] => check(Path::new(bag)),
        _ => Err("say `write <folder> <bag>` or `check <bag>`".into()),
    }
}

fn write(folder: &Path, bag: &Path) -> Result<(), Box<dyn Error>> {
    let mut files = BTreeMap::new();
    walk(folder, folder, &mut files)?;
    let (mut payload, mut bytes) = (BTreeMap::new(), 0);
    for (number, name) in (1..).zip(files.keys()) {
        let mut steps: Vec<String> = name.split('/').map(|step| safe_step(step, 120)).collect();
        let file = with_suffix(&steps.pop().unwrap_or_default(), &format!(" ({number})"), 120);
        let path = ["data".to_owned()].into_iter().chain(steps).chain([file]).collect::<Vec<_>>().join("/");
        let to = bag.join(&path);
        fs::create_dir_all(to.parent().unwrap_or(bag))?;
        fs::copy(folder.join(name), &to)?;
        let found = read(&to, [Algorithm::Sha256])?;
        bytes += found.bytes;
        payload.insert(path, found.checksums.into_values().collect());
    }
    let oxum = format!("{bytes}.{}", payload.len());
    let info = BagInfo::default().with("Source-Organization", "Harbour Mutual").with("Payload-Oxum", oxum);
    let mut tags = BTreeMap::new();
    let texts =
        [(MANIFEST, manifest(&payload)), (BAG_INFO, info.to_text()), (BAGIT_TXT, DECLARATION.to_owned())];
    for (name, text) in texts {
        fs::write(bag.join(name), text)?;
        let found = read(&bag.join(name), [Algorithm::Sha256])?;
        tags.insert(name.to_owned(), found.checksums.into_values().collect());
    }
    fs::write(bag.join(TAG_MANIFEST), manifest(&tags))?;
    Ok(())
}

fn check(folder: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let mut files = BTreeMap::new();
    walk(folder, folder, &mut files)?;
    let mut tags = BTreeMap::new();
    for name in tag_files(files.keys().map(String::as_str)) {
        tags.insert(name.to_owned(), fs::read(folder.join(name))?);
    }
    let bag = match Bag::open(&files, &tags) {
        Ok(bag) => bag,
        Err(problems) => return Ok(told(&problems)),
    };
    for warning in &bag.warnings {
        eprintln!("warning: {warning}");
    }
    let mut problems = Vec::new();
    for (path, algorithms) in bag.files() {
        problems.extend(bag.check(path, &read(&folder.join(path), algorithms)?));
    }
    Ok(told(&problems))
}

fn told(problems: &[Problem]) -> ExitCode {
    for problem in problems {
        println!("{problem}");
    }
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(path: &Path, algorithms: impl IntoIterator<Item = Algorithm>) -> Result<Found, Box<dyn Error>> {
    let (mut file, mut checksums) = (File::open(path)?, Checksums::of(algorithms));
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        match buffer.get(..count) {
            Some(data) if count > 0 => checksums.update(data),
            _ => return Ok(checksums.finish()),
        }
    }
}

fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, u64>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(root, &path, found)?;
        } else {
            let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
            found.insert(name, fs::metadata(&path)?.len());
        }
    }
    Ok(())
}
