//! Layouts: OPEX trees, PAX, and the packages of XIP.

use std::collections::BTreeMap;

use super::{opex::Opex, *};

fn representation(purpose: Purpose, files: &[(&str, &str)]) -> Representation {
    let parts = files.iter().enumerate().map(|(at, (name, bytes))| {
        let letter = if purpose == Purpose::Preservation { 'b' } else { 'c' };
        Part::new(format!("00000000-0000-4000-{letter}000-00000000000{at}"), *name, content(bytes))
    });
    Representation { purpose, name: purpose.name().into(), parts: parts.collect() }
}

fn asset() -> xip::NewAsset {
    let about = xip::Asset {
        reference: "00000000-0000-4000-a000-000000000001".into(),
        title: "Act 1: <final>".into(),
        security_tag: "open".into(),
        parent: Some("00000000-0000-4000-9000-000000000001".into()),
        identifiers: vec![("OTMM".into(), "4711:3".into())],
        fragments: vec![(
            "00000000-0000-4000-d000-000000000001".into(),
            dublin_core::fragment([("title", "Act 1")]).unwrap(),
        )],
        ..xip::Asset::default()
    };
    let contents = vec![
        representation(Purpose::Preservation, &[("Act 1: <final>.mov", "master"), ("notes.txt", "notes")]),
        representation(Purpose::Access, &[("Act 1: <final>.mov", "copy")]),
    ];
    xip::NewAsset { about, contents, effective: Some(moment()) }
}

fn paths(entries: &[Entry]) -> String {
    entries.iter().map(|entry| format!("{} {}\n", entry.path, entry.content.bytes())).collect()
}

async fn sizes(entries: &[Entry]) -> (BTreeMap<String, u64>, BTreeMap<String, Vec<u8>>) {
    let mut documents = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.path.ends_with(".opex")) {
        documents.insert(entry.path.clone(), whole(entry.content.source()).await.unwrap().to_vec());
    }
    (entries.iter().map(|entry| (entry.path.clone(), entry.content.bytes())).collect(), documents)
}

fn tree() -> opex::Folder {
    let representations = asset().contents;
    let description = xip::in_pax(&asset(), "7.7").unwrap();
    let pax = pax::entries(&representations, Some(("asset", description))).unwrap();
    let about = Opex { source_id: Some("folder-1".into()), ..Opex::default() };
    opex::Folder {
        name: "Spring | Summer".into(),
        about,
        files: vec![opex::File::new("Größe: 5?.tif", content("a picture"))],
        assets: vec![opex::AssetFolder { name: "Act 1".into(), about: Opex::default(), entries: pax }],
        folders: vec![opex::Folder {
            name: "inner".into(),
            files: vec![opex::File::new("b.opex", content("not a document of ours"))],
            ..opex::Folder::default()
        }],
    }
}

#[tokio::test]
async fn a_tree_of_opex_comes_with_its_manifests_last_and_is_in_order() {
    let entries = opex::entries(&tree(), opex::Version::V1_2).unwrap();
    insta::assert_snapshot!(paths(&entries));
    let (sizes, documents) = sizes(&entries).await;
    let judged = opex::judge(&sizes, &documents).unwrap();
    assert!(judged.warnings.is_empty(), "{:?}", judged.warnings);
    for expected in &judged.files {
        let entry = entries.iter().find(|entry| entry.path == expected.path).unwrap();
        expected.check(&measure(entry.content.source(), &expected.algorithms()).await.unwrap()).unwrap();
        assert!(!expected.fixities.is_empty(), "{}", expected.path);
        let damaged = Facts::of(b"something else", &expected.algorithms());
        assert_eq!(code(expected.check(&damaged)), FIXITY);
    }
    let named = &judged.documents["Spring !7C Summer/Gr!C3!B6!C3!9Fe!3A 5!3F.tif.opex"];
    assert_eq!(named.original_filename.as_deref(), Some("Größe: 5?.tif"));
    assert_eq!(named.title.as_deref(), Some("Größe: 5?.tif"));
    assert_eq!(
        judged.documents["Spring !7C Summer/Spring !7C Summer.opex"].title.as_deref(),
        Some("Spring | Summer")
    );
}

#[tokio::test]
async fn a_tree_in_a_zip_is_the_tree_that_was_packed() {
    let entries = opex::entries(&tree(), opex::Version::V1_2).unwrap();
    let package = Package::new(entries.clone(), moment()).unwrap();
    let archive = Archive::open(package.source(), Bounds::default()).await.unwrap();
    let read: Vec<_> = archive.members().iter().map(|member| (member.path.clone(), member.bytes)).collect();
    assert_eq!(
        read,
        entries.iter().map(|entry| (entry.path.clone(), entry.content.bytes())).collect::<Vec<_>>()
    );
}

#[test]
fn asset_folders_and_true_names_need_a_version_that_has_them() {
    assert_eq!(code(opex::entries(&tree(), opex::Version::V1_1)), opex::NOT_IN_VERSION);
    let plain = opex::Folder { assets: Vec::new(), ..tree() };
    for version in opex::Version::ALL {
        assert!(opex::entries(&plain, version).is_ok(), "{version}");
    }
}

#[tokio::test]
async fn a_zipped_asset_tells_the_fixities_of_what_is_in_it() {
    let inner = Package::new(pax::entries(&asset().contents, None).unwrap(), moment()).unwrap();
    let file = opex::File::zipped_asset("Act 1", &inner).unwrap();
    let folder = opex::Folder { name: "top".into(), files: vec![file], ..opex::Folder::default() };
    let entries = opex::entries(&folder, opex::Version::V1_2).unwrap();
    let (sizes, documents) = sizes(&entries).await;
    let judged = opex::judge(&sizes, &documents).unwrap();
    let archive = Archive::open(inner.source(), Bounds::default()).await.unwrap();
    let within: Vec<_> =
        judged.files.iter().filter_map(|file| Some((file, file.within.as_deref()?))).collect();
    assert_eq!(within.len(), 3);
    for (expected, path) in within {
        let found = archive.measure(archive.find(path).unwrap(), &expected.algorithms()).await.unwrap();
        expected.check(&found).unwrap();
    }
}

type Change = fn(&mut BTreeMap<String, u64>, &mut BTreeMap<String, Vec<u8>>);

const DISORDER: &[(&str, Change, &[&str])] = &[
    (
        "a file is lost",
        |sizes, _| {
            sizes.remove("top/a.tif");
        },
        &["opex.describes-nothing", "opex.missing"],
    ),
    (
        "a file is too much",
        |sizes, _| {
            sizes.insert("top/b.tif".into(), 1);
        },
        &["opex.not-listed"],
    ),
    (
        "a folder is too much",
        |sizes, _| {
            sizes.insert("top/b/b.tif".into(), 1);
        },
        &["opex.not-listed"],
    ),
    (
        "a file is shorter",
        |sizes, _| {
            sizes.insert("top/a.tif".into(), 1);
        },
        &["opex.size"],
    ),
    (
        "a folder is lost",
        |sizes, documents| {
            sizes.retain(|path, _| !path.starts_with("top/inner/"));
            documents.retain(|path, _| !path.starts_with("top/inner/"));
        },
        &["opex.missing"],
    ),
    (
        "an asset is not whole",
        |sizes, _| {
            sizes.remove("top/x.pax/Representation_Access/c/Generation_1/c");
        },
        &["opex.missing", "opex.missing", "opex.missing", "opex.missing", "opex.missing"],
    ),
    (
        "a document is a page",
        |_, documents| {
            documents.insert("top/a.tif.opex".into(), b"<html/>".to_vec());
        },
        &["opex.bad-document"],
    ),
    (
        "a document was not read",
        |_, documents| drop(documents.remove("top/a.tif.opex")),
        &["opex.bad-document"],
    ),
];

#[tokio::test]
async fn a_tree_that_is_not_in_order_is_told_by_file_and_reason() {
    let assets = vec![opex::AssetFolder {
        name: "x".into(),
        about: Opex::default(),
        entries: ["c", "d"]
            .map(|part| file(&format!("Representation_Access/{part}/Generation_1/{part}"), part))
            .into(),
    }];
    let inner = opex::Folder { name: "inner".into(), ..opex::Folder::default() };
    let files = vec![opex::File::new("a.tif", content("a picture"))];
    let folder =
        opex::Folder { name: "top".into(), files, assets, folders: vec![inner], ..opex::Folder::default() };
    let entries = opex::entries(&folder, opex::Version::V1_2).unwrap();
    for (what, change, problems) in DISORDER {
        let (mut sizes, mut documents) = sizes(&entries).await;
        assert!(opex::judge(&sizes, &documents).is_ok());
        change(&mut sizes, &mut documents);
        let mut found: Vec<_> =
            opex::judge(&sizes, &documents).unwrap_err().iter().map(|one| one.code).collect();
        found.sort_unstable();
        assert_eq!(&found, problems, "{what}");
    }
}

#[tokio::test]
async fn a_package_of_xip_describes_every_file_and_can_be_read_again() {
    let entries = xip::package(&[asset()], "6.0").unwrap();
    insta::assert_snapshot!(paths(&entries));
    let package = Package::new(entries, moment()).unwrap();
    let bytes = whole(&package.source()).await.unwrap();
    insta::assert_snapshot!(
        String::from_utf8(unzipped(&bytes)["00000000-0000-4000-a000-000000000001/metadata.xml"].clone())
            .unwrap()
    );
    let archive = opened(&bytes).await.unwrap();
    let found = xip::assets_in(&archive).await.unwrap();
    let (document, files) = &found["00000000-0000-4000-a000-000000000001"];
    assert_eq!(document.version, "6.0");
    let [read] = document.assets.as_slice() else { panic!("one asset") };
    assert_eq!(
        (&read.title, &read.identifiers, &read.fragments),
        (&asset().about.title, &asset().about.identifiers, &asset().about.fragments)
    );
    assert_eq!(xip::Xip::read(document.to_xml().unwrap().as_bytes()).as_ref().unwrap(), document);
    assert_eq!(files.len(), 3);
    for expected in files {
        let found =
            archive.measure(archive.find(&expected.path).unwrap(), &expected.algorithms()).await.unwrap();
        expected.check(&found).unwrap();
    }
}

#[test]
fn two_files_that_would_lie_at_one_place_are_refused_instead_of_lost() {
    let same = |names: [&str; 2]| representation(Purpose::Preservation, &names.map(|name| (name, "a")));
    let asset = |names| xip::NewAsset { contents: vec![same(names)], ..asset() };
    assert_eq!(code(xip::package(&[asset(["a.tif", "a.tif"])], "6.0")), TWICE);
    assert!(xip::package(&[asset(["a:.tif", "a;.tif"])], "6.0").is_ok());
    assert_eq!(code(pax::entries(&[same(["a.tif", "a.tif"])], None)), TWICE);
    assert_eq!(code(xip::package(&[asset(["a.tif", "b.tif"])], "six")), BAD_XML);
}

#[tokio::test]
async fn true_names_are_told_by_versions_that_have_a_place_for_them() {
    for (version, told) in [("6.0", false), ("6.1", false), ("6.2", true), ("7.7", true), ("10.0", true)] {
        let entries = xip::package(&[asset()], version).unwrap();
        let document = whole(entries[1].content.source()).await.unwrap();
        let read = xip::Xip::read(&document).unwrap();
        let file = &read.assets[0].representations[0].parts[0].generations[0].bitstreams[0];
        let name = told.then_some("Act 1: <final>.mov");
        assert_eq!(file.original_filename.as_deref(), name, "{version}");
        assert_eq!(true_name(&file.filename).as_deref(), Some("Act 1: <final>.mov"));
        let older = xip::Xip { version: "6.0".into(), ..read };
        assert_eq!(code(older.to_xml()), if told { xip::NOT_IN_VERSION } else { "it went well" });
    }
}

#[test]
fn what_xip_names_must_be_there() {
    let document = |inner: &str| format!("<XIP xmlns=\"http://preservica.com/XIP/v7.7\">{inner}</XIP>");
    let asset =
        "<InformationObject><Ref>a</Ref><Title>t</Title><SecurityTag>open</SecurityTag></InformationObject>";
    let one = format!(
        "{asset}<Representation><InformationObject>a</InformationObject><Type>Preservation</Type>\
        <ContentObjects><ContentObject>c</ContentObject></ContentObjects></Representation>"
    );
    let part = "<ContentObject><Ref>c</Ref><Title>t</Title><SecurityTag>open</SecurityTag><Parent>a</Parent></ContentObject>";
    let generation = "<Generation><ContentObject>c</ContentObject><Bitstreams><Bitstream>p1/a</Bitstream></Bitstreams></Generation>";
    let bitstream = "<Bitstream><Filename>a</Filename><FileSize>1</FileSize><PhysicalLocation>p1</PhysicalLocation></Bitstream>";
    for (inner, is_whole) in [
        (asset.to_owned(), true),
        (one.clone(), false),
        (format!("{one}{part}"), true),
        (format!("{one}{part}{part}"), false),
        (format!("{one}{part}{generation}"), false),
        (format!("{one}{part}{generation}{bitstream}"), true),
        (format!("{one}{part}{generation}{bitstream}{bitstream}"), false),
    ] {
        let read = xip::Xip::read(document(&inner).as_bytes());
        assert_eq!(read.is_ok(), is_whole, "{inner}: {read:?}");
    }
}

#[test]
fn the_structure_of_an_asset_follows_from_its_paths() {
    let entries = pax::entries(&asset().contents, Some(("asset", content("<XIP/>")))).unwrap();
    let structure = pax::structure(entries.iter().map(|entry| entry.path.as_str())).unwrap();
    assert_eq!(structure.description.as_deref(), Some("asset.xip"));
    let found: Vec<_> = structure.representations.iter().map(|one| (one.purpose, one.parts.len())).collect();
    assert_eq!(found, [(Purpose::Access, 1), (Purpose::Preservation, 2)]);

    let short = pax::structure([
        "Representation_Preservation_2/c/a.tif",
        "Representation_Preservation_1/c/Generation_2/a.tif",
        "Representation_Preservation_1/c/Generation_1/a.tif",
    ])
    .unwrap();
    assert_eq!(short.representations[0].parts[0].generations.len(), 2);
    for (wrong, reason) in [
        (&["Representation_Other/c/a.tif"][..], "pax.no-place"),
        (&["a.tif"][..], "pax.no-place"),
        (&["Representation_Access/a.tif"][..], "pax.no-place"),
        (&["Representation_Access/c/Version_1/a.tif"][..], "pax.no-place"),
        (&["a.xip"][..], "pax.empty"),
        (&["a.xip", "b.xip", "Representation_Access/c/a"][..], "pax.two-descriptions"),
    ] {
        let problems = pax::structure(wrong.iter().copied()).unwrap_err();
        assert!(problems.iter().any(|problem| problem.code == reason), "{wrong:?}: {problems:?}");
    }
}

#[test]
fn ten_representations_keep_their_order_by_name() {
    let many: Vec<_> = (0..12).map(|_| representation(Purpose::Access, &[("a.jpg", "a")])).collect();
    let entries = pax::entries(&many, None).unwrap();
    let mut sorted: Vec<_> = entries.iter().map(|entry| entry.path.clone()).collect();
    sorted.sort();
    assert_eq!(sorted, entries.iter().map(|entry| entry.path.clone()).collect::<Vec<_>>());
    assert!(sorted[0].starts_with("Representation_Access_01/"), "{}", sorted[0]);
}
