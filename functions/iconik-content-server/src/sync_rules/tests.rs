use super::*;

const PAIR: &str = "[pair]\nview = \"8f1f3c2e-5a0b-11ef-9d2a-0a58a9feac02\"\ncategory = \"Categories:Marketing/Campaign Asset\"\n\n";

fn told(rules: &str) -> Vec<(usize, &'static str, String)> {
    let found = SyncRules::parse(rules, "rules.toml").expect_err("the file was accepted");
    found.list().iter().map(|one| (one.line, one.code, one.remedy.clone())).collect()
}

fn codes(rules: &str) -> Vec<(usize, &'static str)> {
    told(rules).into_iter().map(|(line, code, _)| (line, code)).collect()
}

fn field(name: &str, more: &str) -> String {
    format!("[[field]]\nname = \"{name}\"\niconik = \"I{name}\"\ncontent_server = \"C{name}\"\n{more}\n")
}

#[test]
fn the_packaged_rules_and_the_examples_are_in_order() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/examples");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sync-")));
    assert!(files.len() >= 2, "{files:?}");
    let texts = files.iter().map(|path| std::fs::read_to_string(path).unwrap());
    for text in texts.chain([SAMPLE.to_owned()]) {
        let rules = SyncRules::parse(&text, "example.toml").unwrap_or_else(|found| panic!("{found}"));
        assert!(rules.fields.len() >= 5, "an example shows something");
    }
}

#[test]
fn what_the_packaged_rules_say_is_what_is_merged() {
    let rules = SyncRules::parse(SAMPLE, "sync-rules.toml").unwrap();
    let field = |name: &str| rules.fields.iter().find(|field| field.rule.name == name).unwrap();
    let rights = field("rights-status");
    assert_eq!(rights.rule.policy, Policy::Owner(Side::ContentServer));
    assert!(rights.shape.options.iter().any(|option| option.iconik == "cleared"));
    assert_eq!(field("region").shape.many, Many::Set);
    assert_eq!(field("expiry").shape.kind, Kind::Date);
    assert_eq!(field("project").rule.policy, Policy::Newest { tie: Side::ContentServer });
    assert_eq!(field("project").shape.longest, Some(LONGEST));
    assert_eq!(rules.merged().len(), rules.fields.len());
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let names =
        "[[field]]\nname = \"Rights Status\"\niconik = \" \"\ncontent_server = \"\"\npolicy = \"newest\"\n";
    assert_eq!(
        codes(&format!("{PAIR}{names}")),
        [(6, "bad-field-name"), (7, "empty-name"), (8, "empty-name")]
    );
    for (settings, code) in [
        ("policy = \"manual\"\ntie = \"iconik\"", (10, "tie-without-newest")),
        ("policy = \"manual\"\nmax_length = 0", (10, "bad-max-length")),
        ("policy = \"manual\"\ntype = \"date\"\nmax_length = 9", (11, "bad-max-length")),
        ("policy = \"manual\"\nseparator = \"; \"", (10, "bad-separator")),
        ("policy = \"manual\"\nmany = \"set\"\nseparator = \" \"", (11, "bad-separator")),
        ("policy = \"manual\"\noptions = \"rights\"", (10, "unknown-options")),
        ("policy = \"latest\"", (9, "unknown-value")),
        ("policy = \"manual\"\nowner = \"iconik\"", (10, "unknown-key")),
        ("many = \"one\"", (5, "missing-key")),
    ] {
        assert_eq!(codes(&format!("{PAIR}{}", field("a", settings))), [code], "{settings}");
    }
    let twice = format!("{PAIR}{}{}", field("a", "policy = \"manual\""), field("a", "policy = \"manual\""));
    let duplicate = "duplicate-field";
    assert_eq!(codes(&twice), [(11, duplicate), (12, duplicate), (13, duplicate)]);
}

#[test]
fn a_file_without_pair_or_fields_says_so() {
    let codes = |text: &str| codes(text).into_iter().map(|(_, code)| code).collect::<Vec<_>>();
    assert_eq!(codes(""), ["missing-key", "no-fields"]);
    assert_eq!(codes(PAIR), ["no-fields"]);
    let field = field("a", "policy = \"manual\"");
    assert_eq!(codes(&field), ["missing-key"]);
    let pair = "[pair]\nview = \"Campaign\"\ncategory = \"Somewhere\"\n";
    assert_eq!(codes(&format!("{pair}{field}")), ["bad-view", "bad-path"]);
}

#[test]
fn how_a_pair_is_found_is_checked() {
    let found = |more: &str| {
        let text = format!("{}\n{more}\n\n{}", PAIR.trim_end(), field("a", "policy = \"manual\""));
        SyncRules::parse(&text, "rules.toml")
    };
    let view = "8f1f3c2e-5a0b-11ef-9d2a-0a58a9feac02";
    let rules =
        found(&format!("node = {{ view = \"{view}\", field = \"Node\" }}\nasset = \"Asset ID\"")).unwrap();
    assert_eq!(rules.node, Some((view.to_owned(), "Node".to_owned())));
    assert_eq!(rules.asset.as_deref(), Some("Asset ID"));
    let wrong =
        found("node = { view = \"Campaign\", field = \"\" }\nasset = \" \"").expect_err("it is wrong");
    let mut codes: Vec<_> = wrong.list().iter().map(|one| (one.line, one.code)).collect();
    codes.sort_unstable();
    assert_eq!(codes, [(4, "bad-view"), (4, "empty-name"), (5, "empty-name")]);
}

#[test]
fn options_are_told_apart() {
    let with =
        |options: &str| format!("{PAIR}{}{options}", field("a", "policy = \"manual\"\noptions = \"rights\""));
    let option = |iconik: &str, ecm: &str| {
        format!("[[options.rights]]\niconik = \"{iconik}\"\ncontent_server = \"{ecm}\"\n")
    };
    assert!(SyncRules::parse(&with(&option("cleared", "Cleared")), "rules.toml").is_ok());
    let ambiguous = with(&(option("cleared", "Cleared") + &option("expired", "cleared ")));
    assert_eq!(codes(&ambiguous), [(16, "ambiguous-option")]);
    assert_eq!(codes(&with(&option("", "Cleared"))), [(12, "empty-option")]);
    let misspelt = with(&option("cleared", "Cleared").replace("options.rights", "options.right"));
    let found = told(&misspelt);
    assert!(
        found.iter().any(|(_, code, remedy)| *code == "unknown-options" && remedy.contains("`right`")),
        "{found:?}"
    );
    assert!(found.iter().any(|(_, code, _)| *code == "unused-options"), "{found:?}");
}

#[test]
fn the_schema_for_editors_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/sync-rules.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema(), "write it with UPDATE_SCHEMA=1");
}
