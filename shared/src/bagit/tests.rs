mod suite;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use proptest::prelude::*;

use super::*;

/// A bag in memory.
type Files = BTreeMap<String, Vec<u8>>;

fn sum(algorithm: Algorithm, content: &[u8]) -> String {
    let mut checksums = Checksums::of([algorithm]);
    checksums.update(content);
    checksums.finish().checksums.remove(&algorithm).unwrap_or_default()
}

/// What is wrong with a bag, or what is odd about it: codes only.
fn judge(files: &Files) -> Result<BTreeSet<&'static str>, BTreeSet<&'static str>> {
    let sizes = files.iter().map(|(path, content)| (path.clone(), content.len() as u64)).collect();
    let names = tag_files(files.keys().map(String::as_str));
    let tags = names.into_iter().map(|name| (name.to_owned(), files[name].clone())).collect();
    let codes = |problems: Vec<Problem>| problems.into_iter().map(|problem| problem.code).collect();
    let bag = Bag::open(&sizes, &tags).map_err(codes)?;
    let mut wrong = Vec::new();
    for (path, algorithms) in bag.files() {
        let mut checksums = Checksums::of(algorithms);
        checksums.update(&files[path]);
        wrong.extend(bag.check(path, &checksums.finish()));
    }
    if wrong.is_empty() { Ok(codes(bag.warnings)) } else { Err(codes(wrong)) }
}

/// A bag of two files in good order, with manifests over what it holds.
fn bag(version: &str, algorithms: &[Algorithm]) -> Files {
    let mut files: Files = [("data/a.txt", "first"), ("data/folder/b.txt", "second")]
        .map(|(path, content)| (path.to_owned(), content.as_bytes().to_vec()))
        .into();
    files.insert(BAGIT_TXT.into(), declaration(version, "UTF-8"));
    files.insert(BAG_INFO.into(), b"Source-Organization: Harbour Mutual\nPayload-Oxum: 11.2\n".to_vec());
    for algorithm in algorithms {
        sealed(&mut files, *algorithm);
    }
    files
}

fn declaration(version: &str, encoding: &str) -> Vec<u8> {
    format!("BagIt-Version: {version}\nTag-File-Character-Encoding: {encoding}\n").into_bytes()
}

/// Writes the manifests of one algorithm anew.
fn sealed(files: &mut Files, algorithm: Algorithm) {
    let name = format!("manifest-{}.txt", algorithm.name());
    let sums = |files: &Files, payload: bool| -> BTreeMap<String, String> {
        let of = files.iter().filter(|(path, _)| path.starts_with("data/") == payload);
        let of = of.filter(|(path, _)| !path.starts_with("tagmanifest-"));
        of.map(|(path, content)| (path.clone(), sum(algorithm, content))).collect()
    };
    files.insert(name.clone(), manifest(&sums(files, true)).into_bytes());
    files.insert(format!("tag{name}"), manifest(&sums(files, false)).into_bytes());
}

fn set(files: &mut Files, path: &str, content: impl AsRef<[u8]>) {
    files.insert(path.to_owned(), content.as_ref().to_vec());
}

/// Adds lines to the payload manifest, and seals the tag files over it.
fn list(files: &mut Files, lines: &str) {
    let manifest = files.get_mut(MANIFEST).unwrap();
    manifest.extend_from_slice(lines.as_bytes());
    sealed_tags(files);
}

fn sealed_tags(files: &mut Files) {
    let kept = files[MANIFEST].clone();
    files.remove(MANIFEST);
    sealed(files, Algorithm::Sha256);
    set(files, MANIFEST, kept);
    let tags =
        files.iter().filter(|(path, _)| !path.starts_with("data/") && !path.starts_with("tagmanifest-"));
    let tags = tags.map(|(path, content)| (path.clone(), sum(Algorithm::Sha256, content))).collect();
    set(files, TAG_MANIFEST, manifest(&tags));
}

const FIRST: &str = "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e";

type Change = fn(&mut Files);

/// Warnings of a valid bag, or problems of one that is not.
type Verdict = Result<&'static [&'static str], &'static [&'static str]>;

/// Which changes leave a bag valid (and what is said about it), and which do not, by version.
const TABLE: &[(&str, &str, Change, Verdict)] = &[
    ("as written", "1.0", |_| (), Ok(&[])),
    ("as written", "0.97", |_| (), Ok(&[])),
    ("an old version", "0.93", |_| (), Ok(&[])),
    ("a version there never was", "0.98", |_| (), Err(&["bag.declaration"])),
    ("a version without its first digit", ".97", |_| (), Err(&["bag.declaration"])),
    ("no declaration", "1.0", |files| drop(files.remove(BAGIT_TXT)), Err(&["bag.no-declaration"])),
    (
        "no encoding",
        "0.97",
        |files| set(files, BAGIT_TXT, "BagIt-Version: 0.97\n"),
        Err(&["bag.declaration"]),
    ),
    (
        "a byte order mark",
        "1.0",
        |files| set(files, BAGIT_TXT, format!("\u{feff}{DECLARATION}")),
        Err(&["bag.declaration"]),
    ),
    (
        "space before a colon",
        "1.0",
        |files| set(files, BAGIT_TXT, "BagIt-Version : 1.0\nTag-File-Character-Encoding : UTF-8\n"),
        Err(&["bag.declaration"]),
    ),
    (
        "space before a colon",
        "0.97",
        |files| {
            set(files, BAGIT_TXT, "BagIt-Version : 0.97\nTag-File-Character-Encoding : UTF-8\n");
            sealed_tags(files);
        },
        Ok(&[]),
    ),
    (
        "an unknown encoding",
        "1.0",
        |files| set(files, BAGIT_TXT, declaration("1.0", "EBCDIC-6")),
        Err(&["bag.encoding"]),
    ),
    (
        "lines that end with CR LF",
        "1.0",
        |files| {
            for name in [BAGIT_TXT, BAG_INFO, MANIFEST] {
                let text = String::from_utf8(files[name].clone()).unwrap().replace('\n', "\r\n");
                set(files, name, text);
            }
            sealed_tags(files);
        },
        Ok(&[]),
    ),
    (
        "tag files in Latin-1",
        "0.97",
        |files| {
            set(files, BAGIT_TXT, declaration("0.97", "ISO-8859-1"));
            set(files, BAG_INFO, b"Contact-Name: M\xfcller\n");
            sealed_tags(files);
        },
        Ok(&[]),
    ),
    (
        "tag files that are not UTF-8 as they should be",
        "1.0",
        |files| {
            set(files, BAG_INFO, b"Contact-Name: M\xfcller\n");
            sealed_tags(files);
        },
        Err(&["bag.encoding"]),
    ),
    (
        "a payload file with other bytes",
        "1.0",
        |files| set(files, "data/a.txt", "FIRST"),
        Err(&["bag.checksum"]),
    ),
    (
        "a tag file with other bytes",
        "0.97",
        |files| set(files, BAG_INFO, "Source-Organization: Others\n"),
        Err(&["bag.checksum"]),
    ),
    (
        "a payload file less",
        "1.0",
        |files| drop(files.remove("data/a.txt")),
        Err(&["bag.missing", "bag.oxum"]),
    ),
    ("a tag file less", "0.97", |files| drop(files.remove(BAG_INFO)), Err(&["bag.missing"])),
    (
        "a payload file more",
        "0.97",
        |files| set(files, "data/c.txt", "third"),
        Err(&["bag.not-listed", "bag.oxum"]),
    ),
    ("a tag file nobody lists", "1.0", |files| set(files, "notes.txt", "anything"), Ok(&[])),
    (
        "no manifest",
        "1.0",
        |files| drop(files.remove(MANIFEST)),
        Err(&["bag.missing", "bag.no-manifest", "bag.not-listed"]),
    ),
    ("no tag manifest", "1.0", |files| drop(files.remove(TAG_MANIFEST)), Ok(&[])),
    (
        "a tag manifest that leaves the manifest out",
        "1.0",
        |files| set(files, TAG_MANIFEST, ""),
        Err(&["bag.tag-manifest"]),
    ),
    (
        "a tag manifest that leaves the manifest out",
        "0.97",
        |files| set(files, TAG_MANIFEST, ""),
        Ok(&["bag.tag-manifest"]),
    ),
    ("a second algorithm", "1.0", |files| sealed(files, Algorithm::Sha512), Err(&["bag.tag-manifest"])),
    (
        "a second manifest that lists less",
        "1.0",
        |files| {
            set(files, "manifest-md5.txt", format!("{}  data/a.txt\n", sum(Algorithm::Md5, b"first")));
            sealed_tags(files);
        },
        Err(&["bag.not-listed"]),
    ),
    (
        "a second manifest that lists less",
        "0.97",
        |files| {
            set(files, "manifest-md5.txt", format!("{}  data/a.txt\n", sum(Algorithm::Md5, b"first")));
            sealed_tags(files);
        },
        Ok(&[]),
    ),
    (
        "a second manifest that says otherwise",
        "0.97",
        |files| {
            set(files, "manifest-sha1.txt", format!("{}  data/a.txt\n", sum(Algorithm::Sha1, b"other")));
            sealed_tags(files);
        },
        Err(&["bag.checksum"]),
    ),
    (
        "a manifest of an algorithm nobody here knows",
        "1.0",
        |files| {
            set(files, "manifest-blake9.txt", "00  data/a.txt\n");
            sealed_tags(files);
        },
        Ok(&["bag.algorithm"]),
    ),
    ("a line without a path", "1.0", |files| list(files, "deadbeef\n"), Err(&["bag.manifest-line"])),
    (
        "a checksum that is too short",
        "1.0",
        |files| list(files, "beef  data/a.txt\n"),
        Err(&["bag.manifest-line"]),
    ),
    (
        "a file twice, same checksum",
        "1.0",
        |files| list(files, &format!("{FIRST}  data/a.txt\n")),
        Err(&["bag.listed-twice"]),
    ),
    (
        "a file twice, same checksum",
        "0.97",
        |files| list(files, &format!("{FIRST}  data/a.txt\n")),
        Ok(&["bag.listed-twice"]),
    ),
    (
        "a file twice, other checksum",
        "0.97",
        |files| list(files, &format!("{}  data/a.txt\n", FIRST.replace('a', "b"))),
        Err(&["bag.listed-twice"]),
    ),
    (
        "checksums in capitals, a tab, a star, a dot",
        "0.97",
        |files| {
            let text = String::from_utf8(files[MANIFEST].clone()).unwrap();
            let text = text.replace(FIRST, &FIRST.to_uppercase()).replace("  data/a", "\t*./data/a");
            set(files, MANIFEST, text);
            sealed_tags(files);
        },
        Ok(&["bag.binary-marker", "bag.relative-path"]),
    ),
    (
        "one file under two cases",
        "0.97",
        |files| list(files, &format!("{FIRST}  data/A.txt\n")),
        Ok(&["bag.same-name"]),
    ),
    (
        "one file under two normalisations",
        "0.97",
        |files| {
            files.remove("data/a.txt");
            set(files, "data/\u{fc}.txt", "first");
            sealed(files, Algorithm::Sha256);
            list(files, &format!("{FIRST}  data/u\u{308}.txt\n"));
        },
        Ok(&["bag.same-name"]),
    ),
    ("a path upwards", "1.0", |files| list(files, &format!("{FIRST}  data/../../a\n")), Err(&["bag.path"])),
    (
        "a path upwards with backslashes",
        "0.97",
        |files| list(files, &format!("{FIRST}  data\\..\\..\\a\n")),
        Err(&["bag.path"]),
    ),
    ("an absolute path", "0.97", |files| list(files, &format!("{FIRST}  /etc/hosts\n")), Err(&["bag.path"])),
    ("a home folder", "0.97", |files| list(files, &format!("{FIRST}  ~/a\n")), Err(&["bag.path"])),
    (
        "somebody's home folder",
        "0.97",
        |files| list(files, &format!("{FIRST}  ~root/a\n")),
        Err(&["bag.path"]),
    ),
    ("a drive", "0.97", |files| list(files, &format!("{FIRST}  C:\\Windows\\a\n")), Err(&["bag.path"])),
    (
        "a network share",
        "0.97",
        |files| list(files, &format!("{FIRST}  \\\\?\\UNC\\server\\a\n")),
        Err(&["bag.path"]),
    ),
    ("a variable", "0.97", |files| list(files, &format!("{FIRST}  %HomeDrive%\\a\n")), Err(&["bag.path"])),
    (
        "a tag file in the payload manifest",
        "1.0",
        |files| list(files, &format!("{FIRST}  bagit.txt\n")),
        Err(&["bag.path"]),
    ),
    (
        "names with a line end and a percent sign",
        "1.0",
        |files| {
            set(files, "data/a\nb 100%.txt", "");
            set(files, BAG_INFO, "Payload-Oxum: 11.3\n");
            sealed(files, Algorithm::Sha256);
        },
        Ok(&[]),
    ),
    (
        "a percent sign left as it is",
        "0.97",
        |files| {
            set(files, "data/%7Ea", "first");
            set(files, BAG_INFO, "");
            sealed(files, Algorithm::Sha256);
            let text = String::from_utf8(files[MANIFEST].clone()).unwrap().replace("%257E", "%7E");
            set(files, MANIFEST, text);
            sealed_tags(files);
        },
        Ok(&[]),
    ),
    (
        "a count that is not true",
        "0.97",
        |files| {
            set(files, BAG_INFO, "Payload-Oxum: 12.2\n");
            sealed_tags(files);
        },
        Err(&["bag.oxum"]),
    ),
    (
        "labels twice, folded values, spaces before a colon",
        "0.97",
        |files| {
            set(files, BAG_INFO, "Contact-Name: A\ncontact-name : B\n\tand C\n");
            sealed_tags(files);
        },
        Ok(&[]),
    ),
    (
        "a file that is to be fetched",
        "1.0",
        |files| {
            set(files, "fetch.txt", "https://example.com/a 5 data/a.txt\n");
            sealed_tags(files);
            files.remove("data/a.txt");
            set(files, BAG_INFO, "");
        },
        Err(&["bag.to-be-fetched"]),
    ),
    (
        "a file that was fetched",
        "1.0",
        |files| {
            set(files, "fetch.txt", "https://example.com/a - data/a.txt\n");
            sealed_tags(files);
        },
        Ok(&[]),
    ),
    (
        "a file to be fetched that no manifest lists",
        "1.0",
        |files| {
            set(files, "fetch.txt", "https://example.com/a - data/c.txt\n");
            sealed_tags(files);
        },
        Err(&["bag.fetch"]),
    ),
    (
        "a file to be fetched to somewhere else",
        "0.97",
        |files| {
            set(files, "fetch.txt", "https://example.com/a - ~/a\n");
            sealed_tags(files);
        },
        Err(&["bag.path"]),
    ),
];

#[test]
fn every_change_of_a_bag_gets_its_verdict() {
    for (name, version, change, expected) in TABLE {
        let mut files = bag(version, &[Algorithm::Sha256]);
        change(&mut files);
        let codes = |list: &[&'static str]| list.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(judge(&files), expected.map(codes).map_err(codes), "{version}: {name}");
    }
}

#[test]
fn every_algorithm_is_read() {
    use Algorithm::{Md5, Sha1, Sha224, Sha256, Sha384, Sha512};
    for algorithm in [Md5, Sha1, Sha224, Sha256, Sha384, Sha512] {
        let mut files = bag("0.97", &[algorithm]);
        assert!(judge(&files).is_ok(), "{algorithm:?}");
        set(&mut files, "data/a.txt", "FIRST");
        assert_eq!(judge(&files), Err(["bag.checksum"].into()), "{algorithm:?}");
        assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
    }
}

#[test]
fn tag_files_of_sixteen_bits_are_read() {
    let utf16 = |text: &str| {
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    let mut files = bag("0.97", &[Algorithm::Sha256]);
    files.remove(TAG_MANIFEST);
    set(&mut files, BAGIT_TXT, declaration("0.97", "UTF-16"));
    for name in [BAG_INFO, MANIFEST] {
        let text = String::from_utf8(files[name].clone()).unwrap();
        set(&mut files, name, utf16(&text));
    }
    assert_eq!(judge(&files), Ok(BTreeSet::new()));
}

#[test]
fn a_step_made_of_any_name_is_a_file_name_everywhere() {
    for (name, step) in [
        ("front door.jpg", "front door.jpg"),
        ("a/b\\c: d?.txt", "a_b_c_ d_.txt"),
        ("..", "_"),
        ("~root", "_root"),
        (" dots ... ", "dots"),
        ("con.txt", "_con.txt"),
        ("COM1", "_COM1"),
        ("controller.txt", "controller.txt"),
        ("100 %\n", "100 __"),
        ("", "_"),
        ("Prüfbericht №5", "Prüfbericht №5"),
    ] {
        assert_eq!(safe_step(name, 100), step, "{name:?}");
    }
    assert_eq!(with_suffix("front door.jpg", " (4711 v2)", 100), "front door (4711 v2).jpg");
    assert_eq!(with_suffix(&"ü".repeat(90), " (1 v1)", 20), format!("{} (1 v1)", "ü".repeat(6)));
}

proptest! {
    #[test]
    fn whatever_the_names_a_bag_made_of_them_is_valid(names in proptest::collection::vec(".{0,40}", 1..6)) {
        let mut files = Files::new();
        for (number, name) in names.iter().enumerate() {
            let path = format!("data/{}/{}", safe_step(name, 60), with_suffix(name, &format!(" ({number})"), 60));
            prop_assert!(files.insert(path, name.as_bytes().to_vec()).is_none());
        }
        let info = BagInfo::default().with("Source-Organization", &names[0]);
        set(&mut files, BAG_INFO, info.to_text());
        set(&mut files, BAGIT_TXT, DECLARATION);
        sealed(&mut files, Algorithm::Sha256);
        prop_assert_eq!(judge(&files), Ok(BTreeSet::new()));
    }

    #[test]
    fn whatever_is_in_the_tag_files_the_reader_says_something(text in "(?s).{0,200}", name in "[a-z]{0,8}") {
        for tag in [BAGIT_TXT, BAG_INFO, MANIFEST, TAG_MANIFEST, "fetch.txt"] {
            let mut files = bag("1.0", &[Algorithm::Sha256]);
            set(&mut files, tag, &text);
            set(&mut files, &format!("manifest-{name}.txt"), &text);
            let _ = judge(&files);
        }
    }
}
