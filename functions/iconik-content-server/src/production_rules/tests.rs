use super::*;

const VIEW: &str = "5f0c8f30-7a51-11f0-c006-0242ac120002";

/// A rule with these lines in it.
fn rule(lines: &str) -> String {
    format!(
        "[[rule]]\nname = \"campaigns\"\n{lines}\n[rule.closed]\nview = \"{VIEW}\"\nfield = \"ProductionStatus\"\n\
         values = [\"closed\"]\n[rule.target]\nfolder = \"Enterprise:Productions/{{collection.title}}\"\n\
         [[rule.part]]\nfolder = \"Masters\"\n"
    )
}

fn codes(rules: &str) -> Vec<(usize, &'static str)> {
    let found = ProductionRules::parse(rules, "rules.toml").expect_err("the file was accepted");
    found.list().iter().map(|one| (one.line, one.code)).collect()
}

#[test]
fn the_packaged_rules_and_the_examples_are_in_order_and_move_nothing_by_themselves() {
    let parse =
        |text: &str, name: &str| ProductionRules::parse(text, name).unwrap_or_else(|found| panic!("{found}"));
    let campaign = parse(SAMPLE, "production-rules.toml");
    assert!(campaign.rules.iter().all(|rule| rule.archive_state == ArchiveStateName::None));
    let masters = &campaign.rules[0].parts[0];
    assert_eq!(
        (masters.version, masters.missing, masters.at_least),
        (VersionName::Approved, MissingName::Hold, 1)
    );
    let news = parse(include_str!("../../rules/examples/production-news.toml"), "production-news.toml");
    assert!(news.rules[0].parts.iter().all(|part| part.missing == MissingName::List));
    let healthcare =
        parse(include_str!("../../rules/examples/production-healthcare.toml"), "production-healthcare.toml");
    let rule = &healthcare.rules[0];
    assert_eq!((rule.recycled, rule.comments), (Recycled::Hold, Comments::AllVersions));
    assert!(rule.parts.iter().all(|part| part.missing == MissingName::Hold));
    assert_eq!(rule.parts[0].version, VersionName::NewestApproved);
}

#[test]
fn a_part_takes_what_it_names_and_everything_where_it_names_nothing() {
    let lines = "kinds = [\"ASSET\"]\ncategories = [\"final\"]\nformats = [\"ORIGINAL\"]\nextensions = [\".MOV\", \"wav\"]\n";
    let parse =
        |lines: &str| ProductionRules::parse(&(rule("") + lines), "rules.toml").unwrap().rules.remove(0);
    let (narrow, wide) = (parse(lines).parts.remove(0), parse("").parts.remove(0));
    assert!(narrow.takes_asset(&AssetKind::Asset, Some("Final")));
    assert!(!narrow.takes_asset(&AssetKind::EditProject, Some("final")));
    assert!(!narrow.takes_asset(&AssetKind::Asset, None));
    assert!(narrow.takes_format("ORIGINAL") && !narrow.takes_format("EDIT_PROXY"));
    assert!(narrow.takes_name("HL_60.mov") && narrow.takes_name("a.WAV") && !narrow.takes_name("mov"));
    assert!(wide.takes_asset(&AssetKind::Link, None) && wide.takes_format("") && wide.takes_name("mov"));
}

#[test]
fn every_mistake_is_told_with_its_line() {
    assert_eq!(codes(""), [(1, "no-rules")]);
    assert_eq!(codes(&rule("within = \"here\"")), [(3, "bad-id")]);
    assert_eq!(codes(&rule("").replace("campaigns", "All Campaigns")), [(2, "bad-name")]);
    assert_eq!(codes(&rule("").replace(VIEW, "Production")), [(5, "bad-id")]);
    assert_eq!(codes(&rule("").replace("[\"closed\"]", "[]")), [(7, "never-closed")]);
    assert_eq!(codes(&rule("").replace("/{collection.title}", "")), [(8, "shared-folder")]);
    assert_eq!(codes(&rule("").replace("{collection.title}", "{collection.name}")), [(9, "bad-template")]);
    assert_eq!(codes(&rule("").replace("Masters", "a/b")), [(11, "bad-folder")]);
    assert_eq!(codes(&rule("").replace("Masters", "records")), [(11, "folder-taken")]);
    assert_eq!(codes(&(rule("") + "[[rule.part]]\nfolder = \"masters\"\n")), [(13, "folder-taken")]);
    assert_eq!(codes(&(rule("") + "kinds = [\"LINK\"]\n")), [(12, "unknown-value")]);
    assert_eq!(codes(&(rule("") + "version = \"newest\"\n")), [(12, "unknown-value")]);
    let told = "[rule.told]\nstate_field = \"PackageState\"\n";
    assert_eq!(codes(&(rule("") + told)), [(13, "no-view")]);
    let same = format!("[rule.told]\nview = \"{VIEW}\"\nstate_field = \"ProductionStatus\"\n");
    assert_eq!(codes(&(rule("") + &same)), [(2, "reopens-itself")]);
    assert_eq!(codes(&(rule("") + &rule(""))), [(13, "name-taken")]);
    let without = rule("").split("[[rule.part]]").next().unwrap_or_default().to_owned();
    assert_eq!(codes(&without), [(2, "no-parts")]);
}

#[test]
fn the_schemas_are_current() {
    use crate::archive_production::summary;
    for (name, text) in [
        ("production-rules", schema()),
        ("production-summary", summary::schema()),
        ("production-approvals", summary::approvals_schema()),
        ("production-comments", summary::comments_schema()),
    ] {
        let file = format!("{}/rules/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), text, "{file}");
    }
}
