//! Storage names.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn every_name_can_be_read_again_from_its_storage_name(name in "\\PC{1,40}") {
        let storage = storage_name(&name);
        prop_assert!(is_storage_path(&storage), "{storage}");
        if storage.starts_with("!-") {
            prop_assert_eq!(true_name(&storage), None);
        } else {
            prop_assert_eq!(true_name(&storage), Some(name));
        }
    }

    #[test]
    fn control_characters_and_all_bytes_can_be_read_again_too(name in proptest::collection::vec(any::<char>(), 1..18)) {
        let name: String = name.into_iter().collect();
        prop_assert_eq!(true_name(&storage_name(&name)), Some(name));
    }

    #[test]
    fn two_names_never_have_one_storage_name(one in "[!:a-cA-F0-9.]{1,6}", other in "[!:a-cA-F0-9.]{1,6}") {
        prop_assume!(one != other);
        prop_assert_ne!(storage_name(&one), storage_name(&other));
    }

    #[test]
    fn whatever_a_name_is_read_from_is_its_storage_name(storage in "[!a-f0-9A-F.]{0,12}") {
        if let Some(name) = true_name(&storage) {
            prop_assert_eq!(storage_name(&name), storage);
        }
    }
}

#[test]
fn names_stay_as_they_are_where_they_can_and_are_safe_everywhere() {
    for (name, storage) in [
        ("master_v2 (final)-50%.mov", "master_v2 (final)-50%.mov"),
        ("a:b<c>d|e?f*g\"h.tif", "a!3Ab!3Cc!3Ed!7Ce!3Ff!2Ag!22h.tif"),
        ("Größe.tif", "Gr!C3!B6!C3!9Fe.tif"),
        ("a/b\\c", "a!2Fb!5Cc"),
        ("..", "!2E!2E"),
        (" a ", "!20a!20"),
        ("wow!.txt", "wow!21.txt"),
        ("con.txt", "!63on.txt"),
        ("COM7", "!43OM7"),
        ("console.log", "console.log"),
        ("report.OPEX", "report!2EOPEX"),
        ("asset.pax.zip", "asset!2Epax.zip"),
        ("asset.pax", "asset!2Epax"),
        ("a.xip", "a!2Exip"),
        ("plain.zip", "plain.zip"),
        ("~home", "!7Ehome"),
    ] {
        assert_eq!(storage_name(name), storage);
        assert_eq!(true_name(storage).as_deref(), Some(name));
    }
    for wrong in ["!3a", "!G1", "!", "!4", "!41", "!-0000", "a:b", "", "!C3"] {
        assert_eq!(true_name(wrong), None, "{wrong}");
    }
}

#[test]
fn a_name_that_is_too_long_keeps_its_extension_and_stands_in_the_metadata_only() {
    let long = format!("{}.tiff", "長".repeat(80));
    let other = format!("{}.tiff", "長".repeat(81));
    let storage = storage_name(&long);
    assert!(storage.len() <= LONGEST_NAME && storage.ends_with(".tiff") && is_storage_path(&storage));
    assert_ne!(storage, storage_name(&other));
    assert_eq!(true_name(&storage), None);
    assert!(!storage_name(&format!("{}.opex", "x".repeat(400))).contains("opex"));
    assert_eq!(storage_name(&"x".repeat(LONGEST_NAME)), "x".repeat(LONGEST_NAME));
    assert_eq!(storage_name(&"x".repeat(LONGEST_NAME + 1)).len(), 66);
}
