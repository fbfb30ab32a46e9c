use super::*;

const HEAD: &str = "[publication]\ncategory = \"Categories:Integration/Publication\"\nstate = \"State\"\n\n\
    [[audience]]\nname = \"partners\"\nlink = \"Partner Link\"\nvalid_days = 90\n\n";
const APPROVED: &str = "approved = { by = \"attribute\", category = \"Categories:Business/Approval\", attribute = \
    \"Status\", values = [\"Approved\"] }\n";

fn told(rules: &str) -> Vec<(usize, &'static str, String)> {
    let found = PublishRules::parse(rules, "rules.toml").expect_err("the file was accepted");
    found.list().iter().map(|one| (one.line, one.code, one.remedy.clone())).collect()
}

fn codes(rules: &str) -> Vec<(usize, &'static str)> {
    told(rules).into_iter().map(|(line, code, _)| (line, code)).collect()
}

#[test]
fn the_packaged_rules_are_in_order() {
    let rules = PublishRules::parse(SAMPLE, "publish-rules.toml").unwrap_or_else(|found| panic!("{found}"));
    assert!(rules.issues_links());
    assert_eq!(rules.rules.len(), 3);
    assert!(rules.rules.iter().all(|rule| rule.held == Held::Withdraw), "nobody publishes what is on hold");
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let rule = format!(
        "[[rule]]\nname = \"Old Things\"\nwithin = \"Somewhere\"\nkey = \"a//b\"\naudiences = [\"partnrs\"]\n\
         never_classified = [\"Nowhere\"]\n{APPROVED}"
    );
    let mut found = codes(&format!("{HEAD}{rule}"));
    found.sort_unstable();
    assert_eq!(found[0], (11, "bad-rule-name"));
    assert_eq!(found[1], (12, "bad-path"));
    assert_eq!(found[2].0, 13);
    assert_eq!(found[3], (14, "unknown-audience"));
    assert_eq!(found[4], (15, "bad-path"));
    let remedy = told(&format!("{HEAD}{rule}"));
    assert!(remedy.iter().any(|(_, _, remedy)| remedy.contains("`partners`")), "{remedy:?}");
}

#[test]
fn a_key_reads_only_what_there_is() {
    let key = |key: &str, more: &str| {
        codes(&format!("{HEAD}[[rule]]\nname = \"a\"\nkey = \"{key}\"\n{more}")).first().map(|found| found.0)
    };
    assert_eq!(key("a/{node.nam}", APPROVED), Some(12));
    assert_eq!(key("a/{capture.number}", APPROVED), Some(12), "without a pattern");
    assert_eq!(key("a/{attribute.Title}", "approved = { by = \"request\" }\n"), Some(12));
    assert_eq!(key("a/{node.name}", &format!("{APPROVED}package = {{}}\n")), Some(12));
    let good = format!(
        "{HEAD}[[rule]]\nname = \"a\"\nkey = \"a/{{capture.number}}/{{attribute.Title}}\"\n\
         document_name = \"{{number}}-{{title}}\"\n{APPROVED}"
    );
    assert!(PublishRules::parse(&good, "rules.toml").is_ok());
}

#[test]
fn approval_and_audiences_must_mean_something() {
    let rule = "[[rule]]\nname = \"a\"\nkey = \"a/{node.name}\"\n";
    let none =
        "approved = { by = \"attribute\", category = \"Categories:A/B\", attribute = \"S\", values = [] }\n";
    assert_eq!(codes(&format!("{HEAD}{rule}{none}")), [(13, "no-approval")]);
    let workflow = |list: &str| {
        format!("approved = {{ by = \"workflow\", step = \"Review\", dispositions = {list} }}\n")
    };
    assert_eq!(codes(&format!("{HEAD}{rule}{}", workflow("[]"))), [(13, "no-approval")]);
    assert!(PublishRules::parse(&format!("{HEAD}{rule}{}", workflow("[\"Approve\"]")), "rules.toml").is_ok());
    assert_eq!(
        codes(&format!("{HEAD}{rule}expires = \"Valid Until\"\napproved = {{ by = \"request\" }}\n")),
        [(13, "no-category")]
    );
    let audiences =
        "[[audience]]\nname = \"a\"\nlink = \"L\"\nvalid_days = 0\nuses = 0\nnetworks = [\"office\"]\n";
    let found: Vec<&str> = told(&format!("{audiences}{rule}{APPROVED}")).iter().map(|one| one.1).collect();
    assert_eq!(found, ["no-publication", "bad-days", "no-uses", "bad-audience"]);
    assert_eq!(codes("")[0].1, "no-rules");
    let twice = format!("{HEAD}{rule}{APPROVED}{rule}{APPROVED}");
    assert_eq!(codes(&twice), [(15, "duplicate-rule")]);
}

#[test]
fn the_schema_for_editors_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/publish-rules.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema(), "write it with UPDATE_SCHEMA=1");
}
