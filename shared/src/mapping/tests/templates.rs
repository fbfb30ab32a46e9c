use proptest::prelude::*;
use serde_json::json;

use super::*;

fn path(text: &str) -> Result<PathTemplate, Vec<Diagnostic>> {
    let mut found = diagnostics();
    PathTemplate::compile(&located(text), &anything(), &mut found).ok_or_else(|| found.list().to_vec())
}

fn template(text: &str) -> Result<Template, Vec<Diagnostic>> {
    let mut found = diagnostics();
    Template::compile(&located(text), &anything(), &mut found).ok_or_else(|| found.list().to_vec())
}

#[test]
fn placeholders_are_filled_from_the_input() {
    let record = Record::new().with("tag", json!({ "claim": "AB1", "year": 2026, "doc.type": "memo" }));
    let text = template("Claim {tag.claim} of {tag.year}, {tag.doc.type} {{draft}}").unwrap();
    assert_eq!(text.render(&View::of(&record), "name").unwrap(), "Claim AB1 of 2026, memo {draft}");
}

#[test]
fn every_placeholder_without_a_single_value_is_told() {
    let record = Record::new().with("tag", json!({ "list": ["a", "b"], "blank": "  " }));
    let violations =
        template("{tag.none}{tag.list}{tag.blank}").unwrap().render(&View::of(&record), "name").unwrap_err();
    let found: Vec<&str> = violations.iter().map(|violation| violation.found.as_str()).collect();
    assert_eq!(
        found,
        ["nothing at `tag.none`", "a list of 2 values at `tag.list`", "text of 2 characters at `tag.blank`"]
    );
}

#[test]
fn a_tail_keeps_the_folders_of_the_key() {
    let record = Record::new().with("capture", json!({ "folders": "letters/1911", "box": "7" }));
    let names =
        path("Box {capture.box}/{capture.folders...}").unwrap().render(&View::of(&record), "f").unwrap();
    assert_eq!(names, ["Box 7", "letters", "1911"]);
}

#[test]
fn input_cannot_lead_a_path_outside_its_target() {
    let path = path("Claims/{tag.id}/{tag.rest...}").unwrap();
    for (id, rest) in [
        ("..", "ok"),
        (".", "ok"),
        (" .. ", "ok"),
        ("a/b", "ok"),
        ("   ", "ok"),
        ("ok", "../../secret"),
        ("ok", "a//b"),
        ("ok", "/a"),
        ("ok", "a/"),
        ("ok", "a/./b"),
        ("o\nk", "ok"),
    ] {
        let record = Record::new().with("tag", json!({ "id": id, "rest": rest }));
        assert!(path.render(&View::of(&record), "folder").is_err(), "{id:?} {rest:?}");
    }
}

#[test]
fn paths_with_steps_that_are_no_names_are_refused_in_the_file() {
    for text in ["a//b", "/a", "a/", "a/../b", "./a", "a/x{tag.rest...}"] {
        assert!(path(text).is_err(), "{text}");
    }
    let refused = template("{tag.rest...}").unwrap_err();
    assert!(refused[0].message.contains("shares its place"), "{refused:?}");
    let refused = template("{tags.status}").unwrap_err();
    assert_eq!(refused[0].remedy, "did you mean `tag.…`?");
}

proptest! {
    #[test]
    fn no_input_ever_leaves_the_target(id in "\\PC{0,8}|[./ ]{0,4}", rest in "(\\PC{0,4}|[./ ]{0,4}|a)(/(\\PC{0,4}|\\.\\.|a)){0,3}") {
        let record = Record::new().with("tag", json!({ "id": id, "rest": rest }));
        if let Ok(names) = path("Claims/x{tag.id}/{tag.id}/{tag.rest...}").unwrap().render(&View::of(&record), "f") {
            prop_assert!(names.len() >= 4);
            prop_assert_eq!(&names[0], "Claims");
            for name in &names {
                prop_assert!(!name.contains('/'));
                prop_assert!(!name.trim().is_empty() && name.trim() != "." && name.trim() != "..");
            }
        }
    }

    #[test]
    fn whatever_the_template_nothing_panics(text in "\\PC{0,40}") {
        let _ = template(&text);
        let _ = path(&text);
    }
}
