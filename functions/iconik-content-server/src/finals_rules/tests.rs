use serde_json::json;
use shared::filing::{Existing, Verify};

use super::*;
use crate::filing::Reading;

const HEAD: &str = r#"[views]
campaign = "5f0c8f30-7a51-11f0-c001-0242ac120002"
[shown]
view = "5f0c8f30-7a51-11f0-c005-0242ac120002"
node = "Node"
state = "State"
[[rule]]
name = "finals"
target = { folder = "Enterprise:Finals" }
"#;

fn codes(rules: &str) -> Vec<(usize, &'static str)> {
    let found = FinalsRules::parse(rules, "rules.toml").expect_err("the file was accepted");
    found.list().iter().map(|one| (one.line, one.code)).collect()
}

fn with(lines: &str) -> Vec<(usize, &'static str)> {
    codes(&format!("{HEAD}{lines}"))
}

#[test]
fn the_packaged_rules_and_the_examples_are_in_order() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/examples");
    let texts = ["finals-news.toml", "finals-healthcare.toml"]
        .map(|name| std::fs::read_to_string(format!("{folder}/{name}")).unwrap());
    for text in texts.into_iter().chain([SAMPLE.to_owned()]) {
        let rules = FinalsRules::parse(&text, "example.toml").unwrap_or_else(|found| panic!("{found}"));
        assert!(rules.rules.iter().all(|rule| !rule.contents.is_empty()));
        for name in rules.views.keys() {
            assert!(!rules.fields_read(name).is_empty(), "the view {name} is read");
        }
    }
}

#[test]
fn the_schema_in_the_package_is_that_of_the_words() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/finals-rules.schema.json");
    if std::env::var_os("WRITE_SCHEMA").is_some() {
        std::fs::write(path, schema()).unwrap();
    }
    assert!(std::fs::read_to_string(path).unwrap() == schema(), "write it anew with WRITE_SCHEMA=1");
}

#[test]
fn a_rule_says_what_becomes_of_each_part_of_a_version() {
    let rules = FinalsRules::parse(SAMPLE, "finals-rules.toml").unwrap();
    let rule = &rules.rules[0];
    let parts: Vec<&str> = rule.contents.iter().map(|content| content.part.name()).collect();
    assert_eq!(parts, ["ORIGINAL", "EDIT_PROXY", "proxy", "poster"]);
    let required: Vec<bool> = rule.contents.iter().map(|content| content.required).collect();
    assert_eq!(required, [true, false, false, false]);
    assert_eq!((rule.verify, rule.reading), (Verify::ReadBack, Reading::Twice));
    let record = Record::new()
        .with("asset", json!({"id": "a1", "title": "Film", "category": "final"}))
        .with("version", json!({"id": "v1", "number": 2}))
        .with("review", json!({"approved_at": "2031-05-06T07:08:09Z", "approved_by": ["Reviewer"]}))
        .with(
            "campaign",
            json!({"Campaign": "Lights", "Project": "P", "RightsStatus": "cleared", "Region": ["EMEA"]}),
        )
        .with("media", json!({"name": "film.mov", "extension": "mov", "part": "ORIGINAL"}));
    assert!(rules.choose(&record).is_some());
    let plan = rule.contents[0].plan(&record).unwrap();
    assert_eq!(plan.document.name, "film.mov");
    assert_eq!(plan.existing, Existing::SkipIfSame);
    assert_eq!(rule.contents[2].plan(&record).unwrap().document.name, "Film (preview).mov");
    let unclear =
        record.with("campaign", json!({"Campaign": "Lights", "Project": "P", "RightsStatus": "pending"}));
    let refused = rule.contents[0].plan(&unclear).unwrap_err();
    assert_eq!(refused.iter().next().unwrap().code, "not-in-lookup");
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let content = "content = [{ format = \"ORIGINAL\" }]\n";
    assert_eq!(with("content = []\n"), [(8, "no-content")]);
    assert_eq!(with("content = [{ format = \"A\", proxy = true }]\n"), [(10, "unclear-content")]);
    assert_eq!(with("content = [{}]\n"), [(8, "unclear-content")]);
    assert_eq!(with("content = [{ poster = true }, { poster = true }]\n"), [(8, "duplicate-content")]);
    assert_eq!(with(&format!("{content}max_files = 0\n")), [(11, "bad-max-files")]);
    assert_eq!(with(&format!("{content}permissions = \"nobody\"\n")), [(11, "unknown-permission-template")]);
    let read = "category = [{ path = \"A/B\", fields = [{ to = \"X\", from = \"campagne.Y\" }] }]\n";
    assert_eq!(with(&format!("{content}{read}")).len(), 1, "a view that is not named, told once");
    let when = "when = [{ field = \"media.name\", is = \"a\" }]\n";
    assert_eq!(with(&format!("{content}{when}")), [(11, "unknown-field")]);
    let view = HEAD.replace("c001-0242ac120002", "c001");
    assert_eq!(codes(&format!("{view}{content}")), [(2, "bad-view")]);
    let taken = HEAD.replace("campaign =", "asset =");
    assert_eq!(codes(&format!("{taken}{content}")), [(2, "bad-view-name")]);
    let half = HEAD.replace("state = \"State\"", "state = \"State\"\nlink_field = \"Link\"");
    assert_eq!(codes(&format!("{half}{content}")), [(7, "half-a-link")]);
}
