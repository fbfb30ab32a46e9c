use super::*;

const HEAD: &str = "[[data_set]]\nname = \"claims\"\nwithin = \"Enterprise:Claims\"\n";

fn told(rules: &str) -> Vec<(usize, &'static str, String)> {
    let found = ExportRules::parse(rules, "rules.toml").expect_err("the file was accepted");
    found.list().iter().map(|one| (one.line, one.code, one.remedy.clone())).collect()
}

fn codes(rules: &str) -> Vec<(usize, &'static str)> {
    told(rules).into_iter().map(|(line, code, _)| (line, code)).collect()
}

#[test]
fn the_packaged_data_sets_are_in_order_and_forbid_something() {
    let rules = ExportRules::parse(SAMPLE, "export-rules.toml").unwrap_or_else(|found| panic!("{found}"));
    assert!(!rules.data_sets.is_empty());
    for data_set in &rules.data_sets {
        assert!(!data_set.audience.service_user, "{}: nobody exports everything by deploying", data_set.name);
        assert!(!data_set.forbid.classifications.is_empty(), "{}", data_set.name);
    }
}

#[test]
fn who_may_read_a_data_set_has_to_be_said() {
    assert_eq!(codes(HEAD), [(1, "missing-key")]);
    assert_eq!(codes(&format!("{HEAD}readable_by = []\n")), [(4, "no-audience")]);
    let rules = ExportRules::parse(&format!("{HEAD}readable_by = [\"public\", \"Claims\"]\n"), "rules.toml");
    let audience = rules.unwrap().data_sets.remove(0).audience;
    assert_eq!(audience, Audience { service_user: false, public: true, groups: vec!["Claims".to_owned()] });
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let lines = "readable_by = [\"public\"]\nfind = \"walk\"\nquery = \"x\"\n\
                 fields = [{ to = \"number\", from = \"document.id\" }]\n\n\
                 [data_set.forbid]\nclassifications = [\"Confidential\"]\n\n\
                 [[data_set.forbid.value]]\ncategory = \"Categories:Business/Claim\"\nattribute = \"Secret\"\none_of = []\n\n\
                 [data_set.results.text]\nname = \"{nod.name}.txt\"\n";
    let found = codes(&format!("{HEAD}{lines}"));
    let kinds: Vec<&str> = found.iter().map(|(_, code)| *code).collect();
    for code in ["query-without-search", "bad-path", "no-values", "unknown-field"] {
        assert!(kinds.contains(&code), "{code} is not among {found:?}");
    }
    assert!(found.contains(&(6, "query-without-search")), "{found:?}");
    assert!(found.contains(&(10, "bad-path")), "{found:?}");
    let twice = format!("{HEAD}readable_by = [\"public\"]\n{HEAD}readable_by = [\"public\"]\n");
    assert_eq!(codes(&twice), [(6, "duplicate-data-set")]);
    assert_eq!(codes(""), [(1, "no-data-sets")]);
}

#[test]
fn a_misspelt_word_is_met_with_the_one_that_was_meant() {
    let remedy = &told(&format!("{HEAD}readable_by = [\"public\"]\nversions = \"newst\"\n"))[0].2;
    assert!(remedy.contains("`newest`"), "{remedy}");
}

#[test]
fn the_schema_for_editors_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/export-rules.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema(), "write it with UPDATE_SCHEMA=1");
}
