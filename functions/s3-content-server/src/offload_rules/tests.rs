use super::*;

const EXTERNAL: &str = "[external_content]\ncategory = \"Categories:Integration/External Content\"\n\
    location = \"Location\"\ndocument_version = \"Document Version\"\nsha256 = \"SHA-256\"\n\n";

fn told(rules: &str) -> Vec<(usize, &'static str, String)> {
    let found = OffloadRules::parse(rules, "rules.toml").expect_err("the file was accepted");
    found.list().iter().map(|one| (one.line, one.code, one.remedy.clone())).collect()
}

fn codes(rules: &str) -> Vec<(usize, &'static str)> {
    told(rules).into_iter().map(|(line, code, _)| (line, code)).collect()
}

#[test]
fn the_packaged_rules_are_in_order_and_reduce_nothing() {
    let rules = OffloadRules::parse(SAMPLE, "offload-rules.toml").unwrap_or_else(|found| panic!("{found}"));
    assert!(!rules.rules.is_empty());
    assert!(rules.rules.iter().all(|rule| rule.after == After::Keep), "nobody loses content by deploying");
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let rule = "[[rule]]\nname = \"Old scans\"\nwithin = \"Somewhere\"\nprefix = \"/offload\"\nreading = \"once\"\n\
                after = \"pointer\"\n";
    assert_eq!(
        codes(&format!("{EXTERNAL}{rule}")),
        [(8, "bad-rule-name"), (9, "bad-path"), (10, "bad-prefix"), (12, "reduced-after-one-reading")]
    );
    let words = "[[rule]]\nname = \"a\"\nprefix = \"a/\"\nstorage_class = \"GLACEIR\"\n\n[[rule]]\nname = \"b\"\n\
                 prefix = \"b/\"\nafter = \"points\"\n\n[[rule]]\nname = \"c\"\nprefx = \"c/\"\n";
    assert_eq!(
        codes(&format!("{EXTERNAL}{words}")),
        [(10, "unknown-value"), (15, "unknown-value"), (19, "unknown-key")]
    );
    let twice = "[[rule]]\nname = \"a\"\nprefix = \"a/\"\n[[rule]]\nname = \"a\"\nprefix = \"b/\"\n";
    assert_eq!(codes(&format!("{EXTERNAL}{twice}")), [(11, "duplicate-rule")]);
}

#[test]
fn a_misspelt_word_is_met_with_the_one_that_was_meant() {
    let rule = "[[rule]]\nname = \"a\"\nprefix = \"a/\"\nafter = \"pointers\"\n";
    let remedy = &told(&format!("{EXTERNAL}{rule}"))[0].2;
    assert!(remedy.contains("`pointer`"), "{remedy}");
}

#[test]
fn a_file_without_rules_or_category_says_so() {
    let codes = |text| codes(text).into_iter().map(|(_, code)| code).collect::<Vec<_>>();
    assert_eq!(codes(""), ["missing-key", "no-rules"]);
    assert_eq!(codes(EXTERNAL), ["no-rules"]);
    assert_eq!(codes("[[rule]]\nname = \"a\"\nprefix = \"a/\"\n"), ["missing-key"]);
}

#[test]
fn a_rule_takes_the_media_types_it_names() {
    let rule =
        "[[rule]]\nname = \"a\"\nprefix = \"a/\"\ncontent_types = [\"image/*\", \"application/pdf\"]\n";
    let rules = OffloadRules::parse(&format!("{EXTERNAL}{rule}"), "rules.toml").unwrap();
    for (kind, takes) in [
        (Some("image/tiff"), true),
        (Some("Application/PDF"), true),
        (Some("imagery/tiff"), false),
        (Some("text/plain"), false),
        (None, false),
    ] {
        assert_eq!(rules.rules[0].takes_type(kind), takes, "{kind:?}");
    }
}

#[test]
fn the_schema_for_editors_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/offload-rules.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema(), "write it with UPDATE_SCHEMA=1");
}
