use super::*;

const CATEGORY: &str = "[archive]\ncategory = \"Categories:Integration/Archive\"\nlocation = \"Location\"\n\
    revision = \"Revision\"\nstate = \"State\"\nmanifest_sha256 = \"Manifest SHA-256\"\n\n";
const CLOSED: &str = "closed = { category = \"Categories:Business/Case File\", attribute = \"Status\", values = [\"Closed\"] }\n";

fn codes(rules: &str) -> Vec<(usize, &'static str)> {
    let found = ArchiveRules::parse(rules, "rules.toml").expect_err("the file was accepted");
    found.list().iter().map(|one| (one.line, one.code)).collect()
}

#[test]
fn the_packaged_rules_are_in_order_and_reduce_nothing() {
    let rules = ArchiveRules::parse(SAMPLE, "archive-rules.toml").unwrap_or_else(|found| panic!("{found}"));
    assert!(rules.rules.len() >= 2);
    assert!(rules.rules.iter().all(|rule| rule.after == After::Keep), "nobody loses content by deploying");
    let modes: Vec<_> = rules.rules.iter().filter_map(|rule| Some(rule.retention.as_ref()?.mode)).collect();
    assert!(!modes.is_empty() && modes.iter().all(|mode| *mode == RetentionMode::Governance));
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let rule = format!(
        "[[rule]]\nname = \"Closed claims\"\nwithin = \"Somewhere\"\nprefix = \"/archive\"\n{CLOSED}reading = \"once\"\n\
         after = \"purge-old-versions\"\n[rule.retention]\ndefault = \"for ever\"\n"
    );
    assert_eq!(
        codes(&format!("{CATEGORY}{rule}")),
        [
            (9, "bad-rule-name"),
            (10, "bad-path"),
            (11, "bad-prefix"),
            (14, "reduced-without-proof"),
            (16, "bad-period")
        ]
    );
    let work = format!("[[rule]]\nname = \"a\"\nprefix = \"work/a/\"\n{CLOSED}");
    assert_eq!(codes(&format!("{CATEGORY}{work}")), [(10, "bad-prefix")]);
    let open = "[[rule]]\nname = \"a\"\nprefix = \"a/\"\n";
    assert_eq!(codes(&format!("{CATEGORY}{open}")), [(9, "never-closed")]);
    let latest = format!(
        "[[rule]]\nname = \"a\"\nprefix = \"a/\"\n{CLOSED}versions = \"latest\"\nafter = \"purge-old-versions\"\n"
    );
    assert_eq!(codes(&format!("{CATEGORY}{latest}")), [(13, "reduced-without-proof")]);
    let link = format!(
        "[[rule]]\nname = \"a\"\nprefix = \"a/\"\n{CLOSED}retrieve = {{ to = \"link\", days = 31 }}\n"
    );
    assert_eq!(codes(&format!("{CATEGORY}{link}")), [(12, "link-nowhere"), (12, "link-too-long")]);
    let words = format!("[[rule]]\nname = \"a\"\nprefix = \"a/\"\n{CLOSED}storage_class = \"GLACEIR\"\n");
    assert_eq!(codes(&format!("{CATEGORY}{words}")), [(12, "unknown-value")]);
}

#[test]
fn a_file_without_rules_or_category_says_so() {
    let codes = |text| codes(text).into_iter().map(|(_, code)| code).collect::<Vec<_>>();
    assert_eq!(codes(""), ["missing-key", "no-rules"]);
    assert_eq!(codes(CATEGORY), ["no-rules"]);
}

#[test]
fn a_period_ends_with_its_last_day() {
    let from = "2031-05-06".parse().unwrap();
    let end = |text: &str| Period::parse(text).and_then(|period| period.end(from)).map(|end| end.to_string());
    assert_eq!(end("10 years").as_deref(), Some("2041-05-07T00:00:00Z"));
    assert_eq!(end("1 month").as_deref(), Some("2031-06-07T00:00:00Z"));
    assert_eq!(end("90 days").as_deref(), Some("2031-08-05T00:00:00Z"));
    assert_eq!(end("2099-12-31").as_deref(), Some("2100-01-01T00:00:00Z"));
    for bad in ["ten years", "0 days", "-1 days", "10", "10 weeks", "2099-13-01"] {
        assert!(end(bad).is_none(), "{bad}");
    }
}

#[test]
fn the_schema_for_editors_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/archive-rules.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema());
}
