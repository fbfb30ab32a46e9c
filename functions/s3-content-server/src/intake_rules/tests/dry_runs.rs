//! The sample rules on their worked examples, as a person sees them; and the schema editors use.

use super::*;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/examples");
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/intake-rules.schema.json");

fn example(key: &str, tags: &[(&str, &str)], sidecar: Option<&str>) -> String {
    let mut upload = upload(key);
    upload.tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    upload.sidecar = sidecar.map(|file| {
        let text = std::fs::read_to_string(format!("{EXAMPLES}/{file}")).unwrap();
        serde_json::from_str(&text).unwrap()
    });
    explain(&rules(SAMPLE), &upload.record(), &NameRules::default()).to_string()
}

#[test]
fn evidence_goes_into_the_workspace_of_its_claim() {
    let tags = [("review", "urgent")];
    insta::assert_snapshot!(example("claims/100117/front door.jpg", &tags, Some("claim-sidecar.json")));
}

#[test]
fn evidence_needs_nothing_but_its_key() {
    insta::assert_snapshot!(example("claims/100117/report.pdf", &[], None));
}

#[test]
fn a_claim_number_that_is_none_is_taken_by_no_rule() {
    insta::assert_snapshot!(example("claims/17/report.pdf", &[], None));
}

#[test]
fn a_contract_of_a_supplier_is_approved() {
    insta::assert_snapshot!(example("suppliers/0000200451/frame.pdf", &[], Some("contract-sidecar.json")));
}

#[test]
fn a_certificate_of_a_supplier_is_filed() {
    insta::assert_snapshot!(example(
        "suppliers/0000200451/iso9001.pdf",
        &[],
        Some("certificate-sidecar.json")
    ));
}

#[test]
fn a_submission_without_its_sidecar_is_put_aside() {
    insta::assert_snapshot!(example("suppliers/0000200451/iso9001.pdf", &[], None));
}

#[test]
fn onboarding_papers_say_in_their_name_what_they_are() {
    let tags = [("start-date", "2026-12-01")];
    insta::assert_snapshot!(example("onboarding/300881/contract-signed.pdf", &tags, None));
}

#[test]
fn scans_keep_their_folders() {
    insta::assert_snapshot!(example("archive/Registers/1887/page 1.tif", &[], Some("archive-sidecar.json")));
}

#[test]
fn a_scan_with_a_broken_sidecar_is_put_aside_with_every_reason() {
    insta::assert_snapshot!(example("archive/Registers/1887/page 1.tif", &[], Some("broken-sidecar.json")));
}

/// Content Server takes no colon, and 248 characters.
#[test]
fn names_that_content_server_does_not_take_are_listed_with_what_becomes_of_them() {
    let long = format!("{}.tif", "ß".repeat(300));
    let record =
        with_sidecar(&format!("archive/Maps: north/1887/{long}"), serde_json::json!({"title": "North"}));
    let explanation = explain(&rules(SAMPLE), &record, &NameRules::default());
    let listed: Vec<_> =
        explanation.names.iter().map(|name| (name.of, name.original.as_str(), name.change)).collect();
    assert_eq!(
        listed,
        [
            (Named::Folder, "Digitised Archive", NameChange::None),
            (Named::Folder, "Maps: north", NameChange::Escaped),
            (Named::Folder, "1887", NameChange::None),
            (Named::Document, long.as_str(), NameChange::Shortened),
        ]
    );
    let stored = &explanation.names[3].stored;
    assert_eq!(*stored, NameRules::default().escape(&long), "what the delivery itself asks for");
    assert_eq!(stored.chars().count(), 248);
    let told = explanation.to_string();
    for shown in ["Maps%3A north", "escaped, for \"Maps: north\"", stored, "shortened, for"] {
        assert!(told.contains(shown), "{shown}:\n{told}");
    }
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(
        json["names"][1],
        serde_json::json!({
            "of": "folder", "original": "Maps: north", "stored": "Maps%3A north", "change": "escaped"
        })
    );
}

#[test]
fn a_cautious_installation_changes_more_names() {
    let cautious = NameRules { escape_final_dot: true, ..NameRules::default() };
    let explanation = explain(&rules(SAMPLE), &upload("claims/100117/Acme Inc.").record(), &cautious);
    let document = explanation.names.iter().find(|name| name.of == Named::Document).unwrap();
    assert_eq!((document.stored.as_str(), document.change), ("Acme Inc%2E", NameChange::Escaped));
    let workspace = explanation.names.iter().find(|name| name.of == Named::Workspace).unwrap();
    assert_eq!((workspace.stored.as_str(), workspace.change), ("CLM-100117", NameChange::None));
}

#[test]
fn terminals_are_safe_from_what_names_contain() {
    let told = example("claims/100117/a\u{1b}[31mb.pdf", &[], None);
    assert!(!told.contains('\u{1b}'), "{told}");
}

#[test]
fn the_schema_for_editors_is_current() {
    let checked_in = std::fs::read_to_string(SCHEMA).unwrap_or_default();
    assert!(
        checked_in == schema(),
        "the schema is out of date; write it with\n    \
         cargo run -p s3-content-server --example dry-run -- --schema > {SCHEMA}"
    );
}
