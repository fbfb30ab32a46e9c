use serde_json::json;

use super::*;

const HEAD: &str = r#"[views]
rights = "5f0c8f30-7a51-11f0-c004-0242ac120002"
[permission_templates.desk]
public = []
[[rule]]
name = "rights"
statement.fact = [{ label = "Holder", from = "rights.RightsHolder" }]
final.narrowed = "desk"
"#;

fn codes(rules: &str) -> Vec<(usize, &'static str)> {
    let found = RightsRules::parse(rules, "rules.toml").expect_err("the file was accepted");
    found.list().iter().map(|one| (one.line, one.code)).collect()
}

fn with(lines: &str) -> Vec<(usize, &'static str)> {
    codes(&format!("{HEAD}{lines}"))
}

#[test]
fn the_packaged_rules_and_the_examples_are_in_order() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/examples");
    let texts = ["rights-news.toml", "rights-healthcare.toml"]
        .map(|name| std::fs::read_to_string(format!("{folder}/{name}")).unwrap());
    for text in texts.into_iter().chain([SAMPLE.to_owned()]) {
        let rules = RightsRules::parse(&text, "example.toml").unwrap_or_else(|found| panic!("{found}"));
        assert!(rules.rules.iter().all(|rule| !rule.releases.is_empty() && !rule.facts.is_empty()));
        for name in rules.views.keys() {
            let read = [rules.fields_of_assets(name), rules.fields_of_releases(name)].concat();
            assert!(!read.is_empty(), "the view {name} is read");
        }
    }
}

#[test]
fn the_schema_in_the_package_is_that_of_the_words() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/rights-rules.schema.json");
    if std::env::var_os("WRITE_SCHEMA").is_some() {
        std::fs::write(path, schema()).unwrap();
    }
    assert!(std::fs::read_to_string(path).unwrap() == schema(), "write it anew with WRITE_SCHEMA=1");
}

#[test]
fn a_rule_files_beside_the_final_and_says_so_on_it() {
    let rules = RightsRules::parse(SAMPLE, "rights-rules.toml").unwrap();
    let record = Record::new()
        .with("asset", json!({"id": "a1", "title": "Film", "category": "final"}))
        .with("campaign", json!({"Campaign": "Lights"}))
        .with("rights", json!({"RightsHolder": "Production", "RightsStatus": "cleared"}));
    let rule = rules.choose(&record).expect("a rule");
    let place = rule.place(7001, &record).unwrap();
    let Target::Folder { path, create } = &place else { panic!("{place:?}") };
    assert_eq!((path.to_string().as_str(), *create), ("7001:Rights", true));
    let filed = record.clone().with("filed", json!({"revision": 3, "expires": "2033-05-31"}));
    let plan = rule.statement(&filed, &place).unwrap();
    assert_eq!(plan.document.name, "Film rights statement.html");
    assert_eq!(plan.target, place);
    let said = json!({"statement": 8001, "releases": ["8002", "8003"], "revision": 3, "state": "current"});
    let categories = rule.categories(&record.clone().with("filed", said)).unwrap();
    assert_eq!(categories[0].category.to_string(), "Marketing/Rights of Final");
    let unknown = json!({"statement": 8001, "state": "perhaps"});
    let refused = rule.categories(&record.clone().with("filed", unknown)).unwrap_err();
    assert_eq!(refused.iter().next().unwrap().code, "not-in-lookup");
    let pending = record.with("rights", json!({"RightsStatus": "pending"}));
    assert!(rules.choose(&pending).is_none());
    assert_eq!(rules.fields_of_releases("rights"), ["LicenceNumber", "ReleaseExpiry"]);
}

#[test]
fn every_mistake_is_told_with_its_line() {
    assert!(RightsRules::parse(HEAD, "rules.toml").is_ok());
    assert_eq!(
        codes(&HEAD.replace("[{ label = \"Holder\", from = \"rights.RightsHolder\" }]", "[]")),
        [(6, "no-facts")]
    );
    assert_eq!(
        codes(&HEAD.replace("narrowed = \"desk\"", "narrowed = \"nobody\"")),
        [(8, "unknown-permission-template")]
    );
    assert_eq!(codes(&HEAD.replace("public = []", "owner_group = []")), [(8, "wide-narrowing")]);
    assert_eq!(codes(&HEAD.replace("rights =", "filed =")).first(), Some(&(2, "bad-view-name")));
    assert_eq!(codes(&HEAD.replace("c004-0242ac120002", "c004")).first(), Some(&(2, "bad-view")));
    assert_eq!(with("expires = \"right.Until\"\n"), [(9, "unknown-field")]);
    assert_eq!(with("expires = \"filed.expires\"\n"), [(9, "unknown-field")]);
    assert_eq!(with("release = [{ relation = \" \" }]\n"), [(9, "empty-name")]);
    assert_eq!(with("release = [{ relation = \"a\", formats = [] }]\n"), [(9, "no-formats")]);
    assert_eq!(with("release = [{ relation = \"a\", expiry_required = true }]\n"), [(9, "no-expiry")]);
    assert_eq!(with("task = { map = \"nowhere\", title = \"t\" }\n"), [(9, "bad-path")]);
    assert_eq!(with("task = { map = \"#7001\", title = \"{filed.state}\" }\n"), [(9, "unknown-field")]);
    let shown = "[shown]\nview = \"5f0c8f30-7a51-11f0-c004-0242ac120002\"\nstate = \"RightsHolder\"\n";
    assert_eq!(with(shown), [(11, "reads-what-it-writes")]);
}
