use super::{
    facts::{AssetFacts, AssetState, FileFacts, FormatFacts, ReviewFacts, SetFacts, VersionFacts},
    select::{Selection, in_order, select},
};
use crate::production_rules::{ProductionRule, ProductionRules};

/// A rule with these parts.
fn rule(more: &str, parts: &str) -> ProductionRule {
    let text = format!(
        "[[rule]]\nname = \"a\"\n{more}\n[rule.closed]\nview = \"5f0c8f30-7a51-11f0-c006-0242ac120002\"\n\
         field = \"Status\"\nvalues = [\"closed\"]\n[rule.target]\nfolder = \"Enterprise:P/{{collection.id}}\"\n{parts}"
    );
    ProductionRules::parse(&text, "rules.toml").unwrap_or_else(|found| panic!("{found}")).rules.remove(0)
}

const MASTERS: &str = "[[rule.part]]\nfolder = \"Masters\"\ncategories = [\"final\"]\nformats = [\"ORIGINAL\"]\nversion = \"approved\"\n";

fn file(id: &str, name: &str) -> FileFacts {
    FileFacts {
        id: id.to_owned(),
        name: name.to_owned(),
        folder: "harbour/v1".to_owned(),
        kind: "FILE".to_owned(),
        status: "CLOSED".to_owned(),
        usable: true,
        method: "S3".to_owned(),
        size: Some(10),
        ..FileFacts::default()
    }
}

fn set(files: Vec<FileFacts>) -> SetFacts {
    SetFacts { id: format!("set of {}", files[0].id), files, ..SetFacts::default() }
}

fn format(name: &str, sets: Vec<SetFacts>) -> FormatFacts {
    FormatFacts {
        id: format!("format {name}"),
        name: name.to_owned(),
        version: "v-1".to_owned(),
        archived: false,
        sets,
    }
}

fn version(id: &str, number: i64, status: &str) -> VersionFacts {
    let review =
        (!status.is_empty()).then(|| ReviewFacts { status: status.to_owned(), ..ReviewFacts::default() });
    VersionFacts { id: id.to_owned(), number: Some(number), review, ..VersionFacts::default() }
}

fn master(id: &str, title: &str, formats: Vec<FormatFacts>) -> AssetFacts {
    AssetFacts {
        id: id.to_owned(),
        title: title.to_owned(),
        kind: "ASSET".to_owned(),
        category: Some("final".to_owned()),
        versions: vec![version("v-1", 1, "APPROVED")],
        formats,
        ..AssetFacts::default()
    }
}

fn paths(selection: &Selection) -> Vec<String> {
    selection.files.iter().map(super::select::Chosen::path).collect()
}

fn problems(selection: &Selection) -> Vec<(&str, String)> {
    selection.problems.iter().map(|problem| (problem.code.as_str(), problem.to_string())).collect()
}

#[test]
fn a_master_of_several_files_goes_in_whole_each_file_under_its_own_name() {
    let files = vec![file("1", "HL.mov"), file("2", "HL_stereo.wav")];
    let asset = master(
        "a",
        "Harbour",
        vec![format("ORIGINAL", vec![set(files)]), format("PROXY", vec![set(vec![file("3", "p.mp4")])])],
    );
    let selection = select(&rule("", MASTERS), &[asset]);
    assert_eq!(paths(&selection), ["Masters/Harbour v1/HL.mov", "Masters/Harbour v1/HL_stereo.wav"]);
    assert_eq!(selection.problems, []);
}

#[test]
fn what_cannot_be_used_holds_the_package_and_is_named() {
    let with = |change: fn(&mut FileFacts)| {
        let mut changed = file("2", "sound.wav");
        change(&mut changed);
        let asset =
            master("a", "Harbour", vec![format("ORIGINAL", vec![set(vec![file("1", "HL.mov"), changed])])]);
        let selection = select(&rule("", MASTERS), &[asset]);
        let found =
            problems(&selection).into_iter().map(|(code, text)| (code.to_owned(), text)).collect::<Vec<_>>();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].1.starts_with("sound.wav of Harbour: "), "{found:?}");
        found[0].0.clone()
    };
    for (change, code) in [
        (
            (|file: &mut FileFacts| file.status = "GROWING".into()) as fn(&mut FileFacts),
            "package.file-unfinished",
        ),
        (|file| file.status = "OPEN".into(), "package.file-unfinished"),
        (|file| file.status = "AWAITED".into(), "package.file-unfinished"),
        (|file| file.status = "FAILED".into(), "package.file-failed"),
        (|file| file.status = "MISSING".into(), "package.file-missing"),
        (|file| file.status = "ARCHIVED".into(), "package.file-archived"),
        (|file| file.status = "SOMETHING_NEW".into(), "package.file-unfinished"),
        (|file| file.usable = false, "package.file-missing"),
        (|file| file.method = "FILE".into(), "package.file-unreachable"),
        (|file| file.size = Some(0), "package.file-empty"),
        (|file| file.kind = "SYMLINK".into(), "package.file-link"),
    ] {
        assert_eq!(with(change), code);
    }
}

#[test]
fn a_rendition_on_two_storages_is_taken_from_the_one_that_can_be_read() {
    let mut behind_gateway = file("1", "HL.mov");
    behind_gateway.method = "FILE".to_owned();
    let sets = vec![set(vec![behind_gateway]), set(vec![file("2", "HL.mov")])];
    let selection = select(&rule("", MASTERS), &[master("a", "Harbour", vec![format("ORIGINAL", sets)])]);
    assert_eq!(selection.problems, []);
    assert_eq!(selection.files.iter().map(|chosen| chosen.file.id.as_str()).collect::<Vec<_>>(), ["2"]);
}

#[test]
fn an_image_sequence_keeps_its_folders_and_misses_no_frame_unnoticed() {
    let frame = |number: usize| FileFacts {
        folder: format!("shots/reel {}", number / 3),
        ..file(&number.to_string(), &format!("{number:04}.dpx"))
    };
    let frames: Vec<FileFacts> = (0..6).map(frame).collect();
    let whole = SetFacts { announced: Some(6), ..set(frames.clone()) };
    let parts = MASTERS.replace("approved", "current");
    let selection =
        select(&rule("", &parts), &[master("a", "Shot", vec![format("ORIGINAL", vec![whole.clone()])])]);
    assert_eq!(selection.files.len(), 6);
    assert_eq!(paths(&selection)[5], "Masters/Shot v1/reel 1/0005.dpx");
    let short = SetFacts { announced: Some(7), ..whole };
    let selection = select(&rule("", &parts), &[master("a", "Shot", vec![format("ORIGINAL", vec![short])])]);
    assert_eq!(problems(&selection)[0].0, "package.file-count");
}

#[test]
fn a_current_version_that_is_not_approved_holds_unless_the_newest_approved_is_wanted() {
    let mut asset = master("a", "Harbour", vec![format("ORIGINAL", vec![set(vec![file("1", "HL.mov")])])]);
    asset.versions.insert(0, version("v-2", 2, "REQUESTED"));
    asset.formats.push(FormatFacts {
        version: "v-2".to_owned(),
        ..format("ORIGINAL", vec![set(vec![file("9", "HL.mov")])])
    });
    let selection = select(&rule("", MASTERS), &[asset.clone()]);
    assert_eq!(
        problems(&selection),
        [("package.not-approved", "Harbour: v2 is not approved (REQUESTED)".to_owned())]
    );
    let newest = MASTERS.replace("\"approved\"", "\"newest-approved\"");
    let selection = select(&rule("", &newest), &[asset.clone()]);
    assert_eq!(
        (paths(&selection), selection.problems),
        (vec!["Masters/Harbour v1/HL.mov".to_owned()], vec![])
    );
    asset.versions = vec![version("v-1", 1, "NOT_APPROVED")];
    let selection = select(&rule("", &newest), &[asset]);
    assert_eq!(
        problems(&selection),
        [("package.not-approved", "Harbour: has no approved version".to_owned())]
    );
}

#[test]
fn a_placeholder_and_an_asset_without_the_format_hold_the_package() {
    let placeholder = AssetFacts { kind: "PLACEHOLDER".to_owned(), ..master("a", "To come", vec![]) };
    let bare = master("b", "Bare", vec![format("PROXY", vec![set(vec![file("1", "p.mp4")])])]);
    let empty = master("c", "Empty", vec![format("ORIGINAL", vec![])]);
    let selection = select(&rule("", MASTERS), &[placeholder, bare, empty]);
    let codes: Vec<&str> = problems(&selection).iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, ["package.placeholder", "package.no-file", "package.no-file"]);
    assert_eq!(problems(&selection)[1].1, "Bare: v1 has no file in ORIGINAL for the part \"Masters\"");
}

#[test]
fn a_part_that_picks_up_what_is_there_waits_for_no_format_without_files() {
    let lists = "[[rule.part]]\nfolder = \"Lists\"\nextensions = [\"edl\"]\nevery_asset = false\n";
    let asset = master("a", "Rushes", vec![format("ORIGINAL", vec![])]);
    assert_eq!(select(&rule("", lists), &[asset]), Selection::default());
    let mut growing = file("1", "cut.edl");
    growing.status = "GROWING".to_owned();
    let asset = master("a", "Rushes", vec![format("ORIGINAL", vec![set(vec![growing])])]);
    assert_eq!(problems(&select(&rule("", lists), &[asset]))[0].0, "package.file-unfinished");
}

#[test]
fn links_and_subclips_are_never_missing_a_file() {
    let link = AssetFacts { kind: "LINK".to_owned(), ..master("a", "Brief", vec![]) };
    let subclip = AssetFacts { kind: "SUBCLIP".to_owned(), ..master("b", "Clip", vec![]) };
    assert_eq!(select(&rule("", MASTERS), &[link, subclip]), Selection::default());
}

#[test]
fn the_recycle_bin_is_left_out_or_holds_by_rule_and_what_is_gone_is_neither() {
    let recycled = AssetFacts { state: AssetState::Recycled, ..master("a", "Old cut", vec![]) };
    let gone = AssetFacts { state: AssetState::Gone, ..master("b", "", vec![]) };
    let assets = [recycled, gone];
    let left = select(&rule("", MASTERS), &assets);
    assert_eq!((left.problems.len(), left.left_out.len()), (0, 1));
    assert_eq!(left.left_out[0].to_string(), "Old cut: is in the recycle bin");
    let held = select(&rule("recycled = \"hold\"", MASTERS), &assets);
    assert_eq!(problems(&held)[0].0, "package.recycled");
    assert_eq!(held.left_out, []);
}

#[test]
fn what_a_part_lists_does_not_hold_and_is_named() {
    let mut growing = file("1", "HL.mov");
    growing.status = "GROWING".to_owned();
    let parts = format!("{MASTERS}missing = \"list\"\n");
    let selection = select(
        &rule("", &parts),
        &[master("a", "Harbour", vec![format("ORIGINAL", vec![set(vec![growing])])])],
    );
    assert_eq!(selection.problems, []);
    assert_eq!(selection.left_out[0].to_string(), "HL.mov of Harbour: is still being written (GROWING)");
    assert_eq!(selection.files, []);
}

#[test]
fn too_few_assets_hold_the_package() {
    let parts = format!("{MASTERS}at_least = 2\n");
    let asset = master("a", "Harbour", vec![format("ORIGINAL", vec![set(vec![file("1", "HL.mov")])])]);
    let selection = select(&rule("", &parts), &[asset]);
    assert_eq!(
        problems(&selection),
        [("package.too-few", "Masters: 1 of at least 2 assets have a file in it".to_owned())]
    );
}

#[test]
fn a_file_goes_into_the_first_part_that_takes_it_and_no_two_share_a_place() {
    let parts =
        format!("{MASTERS}[[rule.part]]\nfolder = \"Lists\"\nextensions = [\"EDL\"]\nevery_asset = false\n");
    let original = vec![file("1", "cut.edl"), file("2", "HL.mov")];
    let further = vec![file("3", "CUT.edl"), file("4", "other.edl")];
    let asset = master(
        "a",
        "Harbour",
        vec![format("ORIGINAL", vec![set(original)]), format("EDL", vec![set(further)])],
    );
    let selection = select(&rule("", &parts), &[asset]);
    assert_eq!(
        paths(&selection),
        [
            "Masters/Harbour v1/cut.edl",
            "Masters/Harbour v1/HL.mov",
            "Lists/Harbour v1/CUT.edl",
            "Lists/Harbour v1/other.edl"
        ]
    );
    let twice = vec![file("1", "cut.edl"), file("2", "Cut.EDL"), file("3", "CUT.edl")];
    let asset = master("a", "Harbour", vec![format("ORIGINAL", vec![set(twice)])]);
    let selection = select(&rule("", MASTERS), &[asset]);
    assert_eq!(
        paths(&selection),
        [
            "Masters/Harbour v1/cut.edl",
            "Masters/Harbour v1/ORIGINAL/Cut.EDL",
            "Masters/Harbour v1/ORIGINAL/3 CUT.edl"
        ]
    );
}

#[test]
fn assets_of_one_title_are_told_apart_and_the_order_of_the_index_does_not_matter() {
    let asset = |id: &str| {
        master(id, "Harbour", vec![format("ORIGINAL", vec![set(vec![file(&format!("{id}1"), "HL.mov")])])])
    };
    let there = in_order(vec![asset("a"), asset("b")]);
    let back = in_order(vec![asset("b"), asset("a")]);
    assert_eq!(there, back);
    assert_eq!(
        paths(&select(&rule("", MASTERS), &there)),
        ["Masters/Harbour (a) v1/HL.mov", "Masters/Harbour (b) v1/HL.mov"]
    );
}

#[test]
fn names_from_outside_stay_below_the_package() {
    let mut evil = file("1", "a/b\\c.mov");
    evil.folder = "../../etc//x".to_owned();
    let other = FileFacts { folder: "..".to_owned(), ..file("2", "d.mov") };
    let asset = master("a", "up/../..", vec![format("ORIGINAL", vec![set(vec![evil, other])])]);
    let selection = select(&rule("", MASTERS), &[asset]);
    for chosen in &selection.files {
        assert!(chosen.folders.iter().all(|step| step != ".." && step != "."), "{chosen:?}");
        assert_eq!(chosen.folders[..2], ["Masters".to_owned(), "up/../.. v1".to_owned()]);
    }
    assert_eq!(selection.files[0].folders[2..], ["etc".to_owned(), "x".to_owned()]);
}
