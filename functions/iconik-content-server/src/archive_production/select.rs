//! What of a production goes into its package, under which names, and what holds it: a pure function of what was read.

use std::collections::{BTreeMap, BTreeSet};

use shared::iconik::AssetKind;

use super::{
    facts::{AssetFacts, AssetState, FileFacts, FormatFacts, SetFacts, VersionFacts},
    read::{has_no_files, parts_of},
};
use crate::production_rules::{MissingName, Part, ProductionRule, Recycled, VersionName};

/// What goes into a package and what does not.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Selection {
    /// The files, in the order they are filed.
    pub(super) files: Vec<Chosen>,
    /// What holds the package.
    pub(super) problems: Vec<Problem>,
    /// What was to be in it and is not, by rule.
    pub(super) left_out: Vec<Problem>,
}

/// A file of the package.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen {
    /// The position of its asset.
    pub(super) asset: usize,
    /// The position of its part in the rule.
    pub(super) part: usize,
    pub(super) version: String,
    pub(super) format: String,
    pub(super) format_id: String,
    pub(super) file: FileFacts,
    /// Folders below that of the package, from the top.
    pub(super) folders: Vec<String>,
    /// Its name there.
    pub(super) name: String,
}

impl Chosen {
    /// Where it is in the package.
    pub(super) fn path(&self) -> String {
        let steps = self.folders.iter().chain([&self.name]);
        steps.map(|step| step.replace('/', "\u{2215}")).collect::<Vec<_>>().join("/")
    }
}

/// Something that is missing, unfinished or not allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(super) struct Problem {
    /// The asset's title.
    pub(super) asset: String,
    /// The file's name, where it is about one.
    pub(super) file: Option<String>,
    pub(super) code: String,
    /// What is wrong with it.
    pub(super) what: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.file {
            Some(file) => write!(formatter, "{file} of {}: {}", self.asset, self.what),
            None => write!(formatter, "{}: {}", self.asset, self.what),
        }
    }
}

/// The version whose files a part takes.
pub(super) fn chosen_version(versions: &[VersionFacts], wanted: VersionName) -> Option<&VersionFacts> {
    match wanted {
        VersionName::Current | VersionName::Approved => versions.first(),
        VersionName::NewestApproved => versions.iter().find(|version| version.is_approved()),
    }
}

/// Selects. `assets` have to be in their final order ([`in_order`]).
pub(super) fn select(rule: &ProductionRule, assets: &[AssetFacts]) -> Selection {
    let mut selecting = Selecting { rule, names: Names::of(rule, assets), ..Selecting::new(rule) };
    for (position, asset) in assets.iter().enumerate() {
        selecting.asset(position, asset);
    }
    selecting.counted()
}

/// The order of assets in a package: by where they are and what they are called. The index gives them in any.
pub(super) fn in_order(mut assets: Vec<AssetFacts>) -> Vec<AssetFacts> {
    assets.sort_by(|one, other| {
        (one.places.first(), &one.title, &one.id).cmp(&(other.places.first(), &other.title, &other.id))
    });
    assets
}

struct Selecting<'a> {
    rule: &'a ProductionRule,
    names: Names,
    selection: Selection,
    taken: BTreeSet<String>,
    /// How many assets have a file in each part.
    filled: BTreeMap<usize, usize>,
}

impl<'a> Selecting<'a> {
    fn new(rule: &'a ProductionRule) -> Self {
        Self {
            rule,
            names: Names::default(),
            selection: Selection::default(),
            taken: BTreeSet::new(),
            filled: BTreeMap::new(),
        }
    }

    fn asset(&mut self, position: usize, asset: &AssetFacts) {
        let kind = AssetKind::from(asset.kind.as_str());
        let parts = parts_of(self.rule, &kind, asset.category.as_deref());
        match asset.state {
            AssetState::Gone => return,
            AssetState::Recycled => {
                if !parts.is_empty() && !has_no_files(&kind) {
                    let what = "is in the recycle bin";
                    let holds =
                        self.rule.recycled == Recycled::Hold && parts.iter().any(|part| part.every_asset);
                    self.report(holds, asset, None, "package.recycled", what.to_owned());
                }
                return;
            }
            AssetState::InUse => {}
        }
        if has_no_files(&kind) {
            return;
        }
        for (number, part) in self.rule.parts.iter().enumerate() {
            if part.takes_asset(&kind, asset.category.as_deref()) {
                self.part(position, asset, number, part);
            }
        }
    }

    fn part(&mut self, position: usize, asset: &AssetFacts, number: usize, part: &'a Part) {
        let holds = part.missing == MissingName::Hold;
        if asset.kind == "PLACEHOLDER" {
            if part.every_asset {
                let what = "is a placeholder: its media is still to come".to_owned();
                self.report(holds, asset, None, "package.placeholder", what);
            }
            return;
        }
        let Some(version) = chosen_version(&asset.versions, part.version) else {
            if part.every_asset {
                let (code, what) = match asset.versions.first() {
                    Some(_) => ("package.not-approved", "has no approved version"),
                    None => ("package.no-file", "has no version in use"),
                };
                self.report(true, asset, None, code, what.to_owned());
            }
            return;
        };
        let formats = asset.formats.iter().filter(|format| format.version == version.id);
        let wanted: Vec<&FormatFacts> = formats.filter(|format| part.takes_format(&format.name)).collect();
        let mut found = 0;
        let mut told = false;
        for format in wanted {
            let (set, mut problems) = best_set(format, part);
            // A part that only picks up what is there misses no format that has no files.
            problems.retain(|problem| part.every_asset || problem.file.is_some());
            told |= !problems.is_empty();
            for problem in problems {
                self.report(holds, asset, problem.file, problem.code, problem.what);
            }
            let Some(set) = set else { continue };
            let root = common_folder(set);
            for file in set.files.iter().filter(|file| is_content(file) && part.takes_name(&file.name)) {
                found += 1;
                if defect(file).is_some() || !self.taken.insert(file.id.clone()) {
                    continue;
                }
                let (folders, name) = self.names.place(part, asset, version, format, (file, &root));
                self.selection.files.push(Chosen {
                    asset: position,
                    part: number,
                    version: version.id.clone(),
                    format: format.name.clone(),
                    format_id: format.id.clone(),
                    file: file.clone(),
                    folders,
                    name,
                });
            }
        }
        if found > 0 {
            *self.filled.entry(number).or_default() += 1;
            if part.version == VersionName::Approved && !version.is_approved() {
                let status = version.review.as_ref().map_or("N/A", |review| review.status.as_str());
                let what = format!("{} is not approved ({status})", version.label());
                self.report(true, asset, None, "package.not-approved", what);
            }
        } else if part.every_asset && !told {
            let formats = if part.formats.is_empty() {
                String::new()
            } else {
                format!(" in {}", part.formats.join(", "))
            };
            let what = format!("{} has no file{formats} for the part {:?}", version.label(), part.title);
            self.report(holds, asset, None, "package.no-file", what);
        }
    }

    fn report(&mut self, holds: bool, asset: &AssetFacts, file: Option<String>, code: &str, what: String) {
        let problem = Problem { asset: asset.title.clone(), file, code: code.to_owned(), what };
        let list = if holds { &mut self.selection.problems } else { &mut self.selection.left_out };
        // A file may be wanted by several parts.
        if !list.contains(&problem) {
            list.push(problem);
        }
    }

    fn counted(mut self) -> Selection {
        for (number, part) in self.rule.parts.iter().enumerate() {
            let filled = self.filled.get(&number).copied().unwrap_or_default();
            if filled < part.at_least {
                self.selection.problems.push(Problem {
                    asset: part.title.clone(),
                    file: None,
                    code: "package.too-few".to_owned(),
                    what: format!("{filled} of at least {} assets have a file in it", part.at_least),
                });
            }
        }
        // What one part lists and another holds for is held for.
        let held = self.selection.problems.clone();
        self.selection.left_out.retain(|left| !held.contains(left));
        self.selection
    }
}

/// Something wrong with a file or a set of them.
struct Fault {
    file: Option<String>,
    code: &'static str,
    what: String,
}

/// The files of a rendition may be on several storages: the set that can be filed, or the one that comes nearest to it.
fn best_set<'f>(format: &'f FormatFacts, part: &Part) -> (Option<&'f SetFacts>, Vec<Fault>) {
    let judged = format.sets.iter().map(|set| (set, faults(format, set, part)));
    match judged.min_by_key(|(set, faults)| (faults.len(), set.archived)) {
        Some((set, faults)) => (Some(set), faults),
        None => {
            let what = format!("the format {} has no files", format.name);
            (None, vec![Fault { file: None, code: "package.no-file", what }])
        }
    }
}

fn faults(format: &FormatFacts, set: &SetFacts, part: &Part) -> Vec<Fault> {
    let mut faults = Vec::new();
    let about = |code, what: String| Fault { file: None, code, what };
    if set.files.is_empty() {
        faults.push(about("package.no-file", format!("the format {} has no files", format.name)));
    }
    let listed = set.files.len() as u64;
    if let Some(announced) = set.announced.filter(|announced| *announced > listed) {
        let what =
            format!("the format {} is said to have {announced} files, and {listed} are listed", format.name);
        faults.push(about("package.file-count", what));
    }
    for file in set.files.iter().filter(|file| part.takes_name(&file.name)) {
        let fault = match defect(file) {
            // Files of an archive say that they are closed.
            None if set.archived || (format.archived && format.sets.len() == 1) => {
                Some(("package.file-archived", "lies in an archive; restore it in iconik".to_owned()))
            }
            found => found,
        };
        faults.extend(fault.map(|(code, what)| Fault { file: Some(file.name.clone()), code, what }));
    }
    faults
}

fn is_content(file: &FileFacts) -> bool {
    file.kind != "DIRECTORY"
}

/// Why a file cannot be filed.
fn defect(file: &FileFacts) -> Option<(&'static str, String)> {
    if !is_content(file) {
        return None;
    }
    if file.kind == "SYMLINK" {
        return Some(("package.file-link", "is a link to another file".to_owned()));
    }
    let state = |text: &str| format!("{text} ({})", file.status);
    match file.status.as_str() {
        "CLOSED" if !file.usable => {
            return Some((
                "package.file-missing",
                "its file set or format is deleted, archived or missing".to_owned(),
            ));
        }
        "CLOSED" => {}
        "OPEN" => return Some(("package.file-unfinished", state("its upload has not ended"))),
        "GROWING" => return Some(("package.file-unfinished", state("is still being written"))),
        "AWAITED" => return Some(("package.file-unfinished", state("is still to come"))),
        "FAILED" => return Some(("package.file-failed", state("could not be brought into iconik"))),
        "ARCHIVED" => {
            return Some(("package.file-archived", state("lies in an archive; restore it in iconik")));
        }
        "MISSING" => return Some(("package.file-missing", state("is missing on its storage"))),
        _ => return Some(("package.file-unfinished", state("cannot be used"))),
    }
    if matches!(file.method.as_str(), "FILE" | "FTP" | "SFTP") {
        let what = "its storage gives no addresses; transfer it to a cloud storage in iconik".to_owned();
        return Some(("package.file-unreachable", what));
    }
    (file.size == Some(0)).then(|| ("package.file-empty", "has no bytes".to_owned()))
}

/// The folder that all files of a set are in.
fn common_folder(set: &SetFacts) -> Vec<String> {
    let mut folders = set.files.iter().filter(|file| is_content(file)).map(|file| steps(&file.folder));
    let mut common = folders.next().unwrap_or_default();
    for folder in folders {
        let same = common.iter().zip(&folder).take_while(|(one, other)| one == other).count();
        common.truncate(same);
    }
    common
}

fn steps(folder: &str) -> Vec<String> {
    let steps = folder.split(['/', '\\']).map(str::trim).filter(|step| !matches!(*step, "" | "." | ".."));
    steps.map(str::to_owned).collect()
}

/// Gives every file a place of its own. Content Server takes names that differ in case alone for the same.
#[derive(Debug, Default)]
struct Names {
    taken: BTreeSet<String>,
    /// Titles that several assets have.
    shared: BTreeSet<String>,
}

impl Names {
    fn of(rule: &ProductionRule, assets: &[AssetFacts]) -> Self {
        let mut once = BTreeSet::new();
        let in_package = assets.iter().filter(|asset| {
            !parts_of(rule, &AssetKind::from(asset.kind.as_str()), asset.category.as_deref()).is_empty()
        });
        let shared = in_package.map(|asset| asset.title.to_lowercase());
        let shared = shared.filter(|title| !once.insert(title.clone())).collect();
        Self { taken: BTreeSet::new(), shared }
    }

    fn place(
        &mut self,
        part: &Part,
        asset: &AssetFacts,
        version: &VersionFacts,
        format: &FormatFacts,
        (file, root): (&FileFacts, &[String]),
    ) -> (Vec<String>, String) {
        let title = match asset.title.trim() {
            "" => asset.id.clone(),
            title if self.shared.contains(&asset.title.to_lowercase()) => format!("{title} ({})", asset.id),
            title => title.to_owned(),
        };
        let own = match version.number {
            Some(number) => format!("{title} v{number}"),
            None => title,
        };
        let inner = steps(&file.folder).into_iter().skip(root.len());
        let name = if file.name.trim().is_empty() { file.id.clone() } else { file.name.clone() };
        let plain: Vec<String> =
            [part.folder.clone(), own.clone()].into_iter().chain(inner.clone()).collect();
        let with_format: Vec<String> =
            [part.folder.clone(), own, format.name.clone()].into_iter().chain(inner).collect();
        let by_id = format!("{} {name}", file.id);
        for (folders, name) in [(&plain, &name), (&with_format, &name)] {
            if self.taken.insert(key(folders, name)) {
                return (folders.clone(), name.clone());
            }
        }
        self.taken.insert(key(&with_format, &by_id));
        (with_format, by_id)
    }
}

fn key(folders: &[String], name: &str) -> String {
    let steps = folders.iter().map(String::as_str).chain([name]);
    steps.map(str::to_lowercase).collect::<Vec<_>>().join("\u{0}")
}
