//! Packages as zips: their length, their bytes, any range of them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use proptest::prelude::*;

use super::*;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn entries() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let name = "[a-zA-Z0-9_-]{1,12}(/[a-zA-Z0-9_-]{1,8}){0,3}";
    let content = proptest::collection::vec(any::<u8>(), 0..300);
    proptest::collection::vec((name, content), 0..12).prop_map(|mut entries| {
        for (at, (name, _)) in entries.iter_mut().enumerate() {
            // Some are names of devices elsewhere, such as `con`.
            let names: Vec<String> = name.split('/').map(storage_name).collect();
            *name = format!("{at}/{}", names.join("/"));
        }
        entries
    })
}

fn packed(entries: &[(String, Vec<u8>)]) -> Package {
    let entries = entries.iter().map(|(path, bytes)| file(path, bytes)).collect();
    Package::new(entries, moment()).unwrap()
}

proptest! {
    #[test]
    fn a_package_has_the_length_and_the_checksums_that_were_known_before(entries in entries()) {
        let package = packed(&entries);
        let (length, facts) = (package.length(), package.facts());
        let bytes = runtime().block_on(whole(&package.source())).unwrap();
        prop_assert_eq!(bytes.len() as u64, length);
        prop_assert_eq!(Facts::of(&bytes, &[]), facts);
    }

    #[test]
    fn another_program_finds_what_was_packed(entries in entries()) {
        let bytes = runtime().block_on(whole(&packed(&entries).source())).unwrap();
        prop_assert_eq!(unzipped(&bytes), entries.into_iter().collect::<BTreeMap<_, _>>());
    }

    #[test]
    fn what_is_read_is_what_was_written(entries in entries()) {
        runtime().block_on(async {
            let bytes = whole(&packed(&entries).source()).await.unwrap();
            let archive = opened(&bytes).await.unwrap();
            prop_assert_eq!(archive.members().len(), entries.len());
            for (path, content) in &entries {
                let member = archive.find(path).unwrap();
                prop_assert_eq!(&archive.read(member).await.unwrap()[..], &content[..]);
                prop_assert_eq!(archive.measure(member, &HASHED).await.unwrap(), Facts::of(content, &HASHED));
            }
            Ok(())
        })?;
    }

    #[test]
    fn any_range_is_that_part_of_the_package(entries in entries(), from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let package = packed(&entries);
        runtime().block_on(async {
            let bytes = whole(&package.source()).await.unwrap();
            let (one, other) = (from.index(bytes.len() + 1), to.index(bytes.len() + 1));
            let (from, to) = (one.min(other), one.max(other));
            let range = part(&package.source(), from as u64, (to - from) as u64).await.unwrap();
            prop_assert_eq!(&range[..], &bytes[from..to]);
            Ok(())
        })?;
    }

    #[test]
    fn damage_to_a_package_is_told_and_never_more(entries in entries(), at in any::<prop::sample::Index>(), by in 1_u8..) {
        runtime().block_on(async {
            let mut bytes = whole(&packed(&entries).source()).await.unwrap().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = bytes[at].wrapping_add(by);
            let Ok(archive) = opened(&bytes).await else { return };
            for member in archive.members() {
                // Whatever comes, it is an error of ours or the content that was packed.
                if let Ok(read) = archive.read(member).await {
                    let known = entries.iter().any(|(_, content)| *content == read[..]);
                    assert!(known, "{} was read as something else", member.path);
                }
            }
        });
    }
}

/// Two hundred megabytes are enough to see it, if it were otherwise: nothing is read before it is asked for, and no more.
#[tokio::test]
async fn only_what_is_asked_for_is_read() {
    let read = Arc::new(AtomicU64::new(0));
    let counted = read.clone();
    let bytes = 200 << 20;
    let source = RangedSource::new(bytes, move |_, length| {
        counted.fetch_add(length, Ordering::Relaxed);
        async move { Ok(full(vec![0; usize::try_from(length).unwrap()])) }
    });
    let content = Content::new(source, zeros(bytes).facts().clone()).unwrap();
    let package = Package::new(vec![Entry::new("master.mov", content)], moment()).unwrap();
    package.facts();
    assert_eq!(read.load(Ordering::Relaxed), 0);
    part(&package.source(), package.length() - 1000, 1000).await.unwrap();
    assert!(read.load(Ordering::Relaxed) < 1000);
}

/// A hundred contents of a terabyte in all: beyond every number of a small zip.
#[tokio::test]
async fn a_package_beyond_every_bound_of_small_zips_is_laid_out_and_read_again() {
    let sizes = [5 << 30, 100 << 30, u64::from(u32::MAX), u64::from(u32::MAX) - 1, 0, 900 << 30];
    let entries = sizes.iter().enumerate().map(|(at, size)| Entry::new(format!("{at}.mov"), zeros(*size)));
    let package = Package::new(entries.collect(), moment()).unwrap();
    let archive = Archive::open(package.source(), Bounds::default()).await.unwrap();
    let read: Vec<_> = archive.members().iter().map(|member| (member.bytes, member.crc32)).collect();
    let known = package.entries().iter().map(|entry| (entry.content.bytes(), entry.content.facts().crc32));
    assert_eq!(read, known.collect::<Vec<_>>());
    for member in archive.members() {
        // What is before each content agrees with the directory, and its last bytes are where they should be.
        let content = archive.source(member).await.unwrap();
        let tail = member.bytes.min(1000);
        assert_eq!(part(&content, member.bytes - tail, tail).await.unwrap().len() as u64, tail);
    }
}

#[tokio::test]
async fn more_entries_than_a_small_zip_can_count_are_read_by_another_program() {
    let entries = (0..70_000).map(|at| file(&format!("{}/{at}", at % 100), at.to_string())).collect();
    let package = Package::new(entries, moment()).unwrap();
    let bytes = whole(&package.source()).await.unwrap();
    assert_eq!(bytes.len() as u64, package.length());
    assert_eq!(unzipped(&bytes).len(), 70_000);
    assert_eq!(opened(&bytes).await.unwrap().members().len(), 70_000);
}

#[tokio::test]
async fn the_same_entries_are_the_same_bytes_and_another_moment_is_another_package() {
    let make =
        |moment: &str| Package::new(vec![file("a.txt", "a"), Entry::folder("b")], moment.parse().unwrap());
    let bytes = |moment: &'static str| async move { whole(&make(moment).unwrap().source()).await.unwrap() };
    let first = bytes("2031-05-06T07:08:09Z").await;
    assert_eq!(first, bytes("2031-05-06T07:08:08Z").await, "zips know two seconds");
    assert_ne!(first, bytes("2031-05-06T07:08:10Z").await);
    insta::assert_snapshot!(hex::encode(&first));
    for (moment, year) in [("1970-01-01T00:00:00Z", 1980), ("2200-01-01T00:00:00Z", 2107)] {
        let bytes = bytes(moment).await;
        let mut archive = ::zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        assert_eq!(archive.by_index(0).unwrap().last_modified().unwrap().year(), year);
    }
}

#[tokio::test]
async fn a_zip_within_a_zip_needs_no_reading_to_be_known() {
    let inner =
        Package::new(vec![file("Representation_Access/a/Generation_1/a.txt", "a")], moment()).unwrap();
    let outer = Package::new(vec![Entry::new("a.pax.zip", inner.content().unwrap())], moment()).unwrap();
    let bytes = whole(&outer.source()).await.unwrap();
    let inside = unzipped(&unzipped(&bytes)["a.pax.zip"]);
    assert_eq!(inside["Representation_Access/a/Generation_1/a.txt"], b"a");
}

#[tokio::test]
async fn a_content_that_changed_since_it_was_measured_does_not_pass() {
    let measured = content("what was there").facts().clone();
    let now = content("what IS there!").source().clone();
    let changed = Entry::new("a.txt", Content::new(now, measured.clone()).unwrap());
    let package = Package::new(vec![changed], moment()).unwrap();
    assert_eq!(code(whole(&package.source()).await), CONTENT_CHANGED);
    assert_eq!(code(Content::new(source(b"longer than it was"), measured)), CONTENT_CHANGED);
}

#[tokio::test]
async fn a_source_that_breaks_off_is_never_a_shorter_file() {
    let facts = content("fourteen bytes").facts().clone();
    let cut = RangedSource::new(14, |_, _| async { Ok(full("fourteen")) });
    assert_eq!(code(measure(&cut, &HASHED).await), "package.source-cut");
    let package =
        Package::new(vec![Entry::new("a.txt", Content::new(cut, facts).unwrap())], moment()).unwrap();
    assert_eq!(code(whole(&package.source()).await), "package.source-cut");
}

#[tokio::test]
async fn a_measure_begun_in_one_invocation_is_finished_in_another() {
    let bytes: Vec<u8> = (0..10_007_u32).map(|at| (at % 251) as u8).collect();
    for step in [1_000, 4_096, 20_000] {
        let (mut state, mut invocations) = (Measure::new(&Algorithm::ALL).state(), 0);
        let facts = loop {
            invocations += 1;
            let kept: MeasureState = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
            let mut measure = Measure::resume(&kept).unwrap();
            let is_over = measure.read_on(&source(&bytes), step).await.unwrap();
            state = measure.state();
            if is_over {
                break measure.finish();
            }
        };
        assert_eq!(facts, Facts::of(&bytes, &Algorithm::ALL));
        assert_eq!(invocations, 10_007_u64.div_ceil(step));
    }
    let facts = Facts::of(b"123456789", &Algorithm::ALL);
    // The check values of the catalogue of CRC algorithms, and what the programs md5sum and sha1sum say.
    assert_eq!(facts.crc32, 0xcbf4_3926);
    assert_eq!(facts.fixities[&Algorithm::Md5], "25f9e794323b453885f5181f1b624d0b");
    assert_eq!(facts.fixities[&Algorithm::Sha1], "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
}

#[test]
fn paths_that_some_system_does_not_take_are_refused() {
    let package = |path: &str| Package::new(vec![file(path, "")], moment());
    for path in [
        "",
        "/a",
        "a//b",
        "../a",
        "a/../b",
        "a:b",
        "a|b",
        "<a>",
        "a?",
        "grün.tif",
        "a\\b",
        ".a",
        "a.",
        "CON",
        "a\n",
    ] {
        assert_eq!(code(package(path)), BAD_NAME, "{path}");
    }
    let twice = |paths: [&str; 2]| Package::new(paths.map(|path| file(path, "")).into(), moment());
    assert_eq!(code(twice(["a", "a"])), TWICE);
    assert_eq!(code(twice(["a", "a/b"])), TWICE);
    assert_eq!(code(Package::new(vec![Entry::folder("a"), file("a", "")], moment())), TWICE);
    assert!(twice(["a!", "a/b"]).is_ok());
}
