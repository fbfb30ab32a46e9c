use super::*;

const HEAD: &str =
    "[links]\ncollection = { by = \"external-id\" }\n\n[confidential]\nclassifications = []\n\n";

fn told(rules: &str) -> Vec<(usize, &'static str)> {
    let found = LinkRules::parse(rules, "rules.toml").expect_err("the file was accepted");
    found.list().iter().map(|one| (one.line, one.code)).collect()
}

fn rule(more: &str) -> String {
    format!("{HEAD}[[rule]]\nname = \"briefs\"\n{more}\n")
}

fn read(rules: &str) -> LinkRules {
    LinkRules::parse(rules, "rules.toml").unwrap_or_else(|found| panic!("{found}"))
}

#[test]
fn the_packaged_rules_and_the_examples_are_in_order() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/examples");
    let files = ["link-news.toml", "link-healthcare.toml"].map(|name| format!("{folder}/{name}"));
    let texts = files.iter().map(|path| std::fs::read_to_string(path).unwrap());
    for text in texts.chain([SAMPLE.to_owned()]) {
        let rules = read(&text);
        assert!(!rules.rules.is_empty() && !rules.confidential.classifications.is_empty());
    }
}

#[test]
fn the_schema_beside_the_rules_is_that_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/link-rules.schema.json");
    if std::env::var_os("WAYBILL_WRITE_SCHEMAS").is_some() {
        std::fs::write(path, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), schema(), "WAYBILL_WRITE_SCHEMAS=1 writes it");
}

#[test]
fn what_is_confidential_has_to_be_said() {
    let rules =
        "[links]\ncollection = { by = \"external-id\" }\n[[rule]]\nname = \"a\"\nshow = { as = \"asset\" }\n";
    assert_eq!(told(rules), [(6, "missing-key")]);
}

#[test]
fn every_mistake_is_told_with_its_line() {
    for (more, expected) in [
        ("show = { as = \"asset\", title = \"{node.nam}\" }", vec![(9, "unknown-field")]),
        ("show = { as = \"asset\", title = \"{capture.number}\" }", vec![(9, "unknown-field")]),
        ("show = { as = \"field\", view = \"governance\", field = \"Link\" }", vec![(9, "bad-view")]),
        ("show = { as = \"asset\" }\nfolders = [\"Contracts//2031\"]", vec![(10, "bad-folder")]),
        (
            "show = { as = \"asset\" }\nwhen = { category = \"nowhere\", attribute = \"Type\", values = [] }",
            vec![(10, "bad-path"), (10, "no-values")],
        ),
        ("show = { as = \"asset\", relation = { type = \" \" } }", vec![(9, "empty-name")]),
    ] {
        assert_eq!(told(&rule(more)), expected, "{more}");
    }
    let twice = format!(
        "{}[[rule]]\nname = \"briefs\"\nshow = {{ as = \"asset\" }}\n",
        rule("show = { as = \"asset\" }")
    );
    assert_eq!(told(&twice).len(), 1);
    for address in ["ecm.example.com/{node.id}", "https://ecm.example.com/nodes"] {
        let rules = rule("show = { as = \"asset\" }")
            .replace("[confidential]", &format!("address = \"{address}\"\n[confidential]"))
            .replace("\n\naddress", "\naddress");
        assert_eq!(told(&rules), [(3, "bad-address")], "{address}");
    }
}

#[test]
fn a_rule_takes_what_lies_in_its_folders_at_any_depth() {
    let rules = read(&rule("show = { as = \"asset\" }\nfolders = [\"Contracts\", \"Legal/Contracts\"]"));
    let takes = |folders: &[&str]| rules.rules[0].takes_place(folders);
    assert!(takes(&["Contracts"]) && takes(&["Contracts", "2031"]) && takes(&["Legal", "Contracts"]));
    assert!(!takes(&[]) && !takes(&["Legal"]) && !takes(&["Offers", "Contracts"]) && !takes(&["contracts"]));
    assert!(read(&rule("show = { as = \"asset\" }")).rules[0].takes_place(&[]), "the whole workspace");
}

#[test]
fn a_rule_takes_the_media_types_it_names() {
    let rules = read(&rule("show = { as = \"asset\" }\ncontent_types = [\"application/pdf\", \"image/*\"]"));
    let takes = |media_type| rules.rules[0].takes_type(media_type);
    assert!(takes(Some("application/PDF")) && takes(Some("image/tiff")));
    assert!(!takes(Some("text/plain")) && !takes(Some("imagery/x")) && !takes(None));
}
