//! Where bags lie in a bucket, and where they are built.
//!
//! `<prefix><case>/<revision>/` is a bag; `work/<item>/<attempt>/` is where one is built, in the same bucket, and
//! expires there by the bucket's life cycle, and so does `retrieved/<case>/<revision>.zip`.

use shared::bagit::{safe_step, with_suffix};

/// The longest step of a path in a bag, and the longest path below `data/`, in bytes: keys end at 1,024.
const LONGEST_STEP: usize = 120;
const LONGEST_PATH: usize = 600;

/// The beginning of every key of a case's bags.
pub(super) fn case_prefix(prefix: &str, case: i64) -> String {
    format!("{prefix}{case}/")
}

/// The beginning of every key of a bag.
pub(super) fn bag_prefix(prefix: &str, case: i64, revision: &str) -> String {
    format!("{prefix}{case}/{revision}/")
}

/// The case that an object belongs to, by its key.
pub(super) fn case_of(prefix: &str, key: &str) -> Option<i64> {
    key.strip_prefix(prefix)?.split('/').next()?.parse().ok()
}

/// Where a bag is built.
pub(super) fn work_prefix(item: &str, attempt: u32) -> String {
    format!("work/{item}/{attempt}/")
}

/// Where the ZIP of a retrieved bag lies.
pub(super) fn retrieved_key(case: i64, revision: &str) -> String {
    format!("retrieved/{case}/{revision}.zip")
}

/// The path of a version in its bag: the folders it is in, its name, and what tells it from every other version.
pub(super) fn payload_path(folders: &[String], name: &str, node: i64, version: i64) -> String {
    let file = with_suffix(name, &format!(" ({node} v{version})"), LONGEST_STEP);
    let mut path = String::from("data/");
    for folder in folders {
        let step = safe_step(folder, LONGEST_STEP);
        if path.len() + step.len() + file.len() + 1 > LONGEST_PATH {
            break;
        }
        path.push_str(&step);
        path.push('/');
    }
    path + &file
}

/// The path of what is known of a document.
pub(super) fn description_path(node: i64) -> String {
    format!("metadata/documents/{node}.json")
}

/// The path of what is known of the case.
pub(super) const CASE: &str = "metadata/case.json";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_in_a_bag_can_be_read_and_comes_once() {
        let folders = ["Correspondence".to_owned(), "2031: in/out".to_owned()];
        assert_eq!(
            payload_path(&folders, "front door.jpg", 4711, 2),
            "data/Correspondence/2031_ in_out/front door (4711 v2).jpg"
        );
        assert_eq!(payload_path(&[], "..", 1, 1), "data/_ (1 v1)");
        assert_eq!(case_of("archive/", "archive/4711/ab/data/x"), Some(4711));
        assert_eq!(case_of("archive/", "work/4711/ab/data/x"), None);
    }

    proptest! {
        #[test]
        fn whatever_the_names_no_two_versions_share_a_path(
            names in proptest::collection::vec((".{0,300}", ".{0,300}"), 1..8),
            depth in 0_usize..12,
        ) {
            let mut seen = BTreeSet::new();
            for (node, (folder, name)) in (1..).zip(&names) {
                for version in 1..3 {
                    let path = payload_path(&vec![folder.clone(); depth], name, node, version);
                    prop_assert!(path.len() <= LONGEST_PATH + 5, "{}", path.len());
                    // Where case does not count either.
                    prop_assert!(seen.insert(path.to_lowercase()));
                }
            }
        }
    }
}
