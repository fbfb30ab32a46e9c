use super::*;

const REST: &str = "within = \"Enterprise:Claims\"\nrestore_into = \"Enterprise:Quarantine\"\n";

fn told(rules: &str) -> Vec<(usize, &'static str, String)> {
    let found = ReplicaRules::parse(rules, "rules.toml").expect_err("the file was accepted");
    found.list().iter().map(|one| (one.line, one.code, one.remedy.clone())).collect()
}

fn codes(rules: &str) -> Vec<(usize, &'static str)> {
    told(rules).into_iter().map(|(line, code, _)| (line, code)).collect()
}

#[test]
fn the_packaged_rules_are_in_order_and_give_nobody_more_rights_than_the_original() {
    let rules = ReplicaRules::parse(SAMPLE, "replica-rules.toml").unwrap_or_else(|found| panic!("{found}"));
    assert!(!rules.rules.is_empty());
    assert!(rules.rules.iter().all(|rule| rule.permissions == Permissions::Restore));
    assert!(
        rules.rules.iter().all(|rule| rule.records == Records::Leave),
        "a drill leaves no official records"
    );
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let rule = "[[rule]]\nname = \"My Claims\"\nprefix = \"/claims\"\nwithin = \"Somewhere\"\n\
                restore_into = \"Elsewhere\"\nstorage_class = \"DEEP_ARCHIVE\"\ndrill_documents = 51\n\
                region = \"eu-west-1\"\n";
    assert_eq!(
        codes(rule),
        [
            (2, "bad-rule-name"),
            (3, "bad-prefix"),
            (4, "bad-path"),
            (5, "bad-path"),
            (6, "slow-storage-class"),
            (7, "out-of-range"),
            (8, "region-without-bucket")
        ]
    );
    let words = format!("[[rule]]\nname = \"a\"\nprefix = \"a/\"\n{REST}permissions = \"everybody\"\n");
    assert_eq!(codes(&words), [(6, "unknown-value")]);
    assert_eq!(codes("[[rule]]\nname = \"a\"\nprefix = \"a/\"\n"), [(1, "missing-key")]);
    assert_eq!(codes(""), [(1, "no-rules")]);
}

#[test]
fn sets_share_neither_name_nor_place() {
    let rule =
        |name: &str, prefix: &str| format!("[[rule]]\nname = \"{name}\"\nprefix = \"{prefix}\"\n{REST}");
    assert_eq!(codes(&format!("{}{}", rule("a", "a/"), rule("a", "b/"))), [(7, "duplicate-rule")]);
    for (one, other) in [("a/", "a/"), ("a/", "a/b/"), ("a/b/", "a/")] {
        assert_eq!(codes(&format!("{}{}", rule("a", one), rule("b", other))), [(8, "shared-prefix")]);
    }
    let apart = format!("{}{}bucket = \"another\"\n", rule("a", "a/"), rule("b", "a/"));
    assert_eq!(ReplicaRules::parse(&apart, "rules.toml").map(|rules| rules.rules.len()).ok(), Some(2));
}

#[test]
fn the_schema_for_editors_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/replica-rules.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema(), "write it with UPDATE_SCHEMA=1");
}
