use serde_json::json;

use super::*;

const RULE: &str = "[[rule]]\nname = \"a\"\nkey = \"a/{case}/{name}\"\n\
    [rule.workflow]\nmap = \"Enterprise:Maps/Review\"\ntitle = \"Case {capture.case}\"\n\
    [rule.decision]\nstep = \"Review\"\napproved = [\"Approve\"]\n\
    [rule.output]\nprefix = \"out/\"\n";

fn told(rules: &str) -> Vec<(usize, &'static str, String)> {
    let found = StagingRules::parse(rules, "rules.toml").expect_err("the file was accepted");
    found.list().iter().map(|one| (one.line, one.code, one.remedy.clone())).collect()
}

fn codes(rules: &str) -> Vec<(usize, &'static str)> {
    told(rules).into_iter().map(|(line, code, _)| (line, code)).collect()
}

fn rules(text: &str) -> StagingRules {
    StagingRules::parse(text, "rules.toml").unwrap_or_else(|found| panic!("{found}"))
}

fn staged(rules: &StagingRules, key: &str, tags: serde_json::Value) -> Result<Staged, shared::error::Error> {
    let name = key.rsplit('/').next().unwrap();
    let record = Record::new().with("tag", tags).with("object", json!({"name": name, "key": key}));
    let (rule, record) = rules.choose(key, record).unwrap_or_else(|| panic!("no rule takes {key}"));
    rule.stage(&record)
}

#[test]
fn the_packaged_rules_stage_what_they_say() {
    let rules = rules(SAMPLE);
    let contract = staged(&rules, "contracts/CON-2031/draft.docx", json!({})).unwrap();
    assert_eq!(contract.title, "Review of contract CON-2031");
    assert_eq!(contract.folder, ["CON-2031"]);
    assert_eq!(contract.attributes, [("Reason".into(), "New draft of contract CON-2031".into())]);
    let claim = staged(&rules, "claims/100117/statement.pdf", json!({})).unwrap();
    let (root, below) = claim.filed.unwrap();
    assert_eq!(
        (root.to_string().as_str(), below),
        ("Enterprise", vec!["Claims".into(), "Incoming".into(), "100117".into()])
    );
    let certificate =
        staged(&rules, "suppliers/451/certificates/iso.pdf", json!({"waybill-node": "4711"})).unwrap();
    assert_eq!(
        (certificate.original, certificate.folder),
        (Some(4711), vec!["Approval of supplier 451".to_owned()])
    );
    assert!(rules.rule("supplier-certificates").unwrap().needs_tags());
    assert!(!rules.rule("contract-review").unwrap().needs_tags());
    assert!(rules.choose("contracts/nonsense/draft.docx", Record::new()).is_none());
}

#[test]
fn an_upload_that_does_not_say_what_the_rule_needs_is_refused_with_the_field() {
    let rules = rules(SAMPLE);
    for (tags, code) in [
        (json!({}), "missing-value"),
        (json!({"waybill-node": "the third"}), "attachment.original-unreadable"),
        (json!({"waybill-node": "-1"}), "attachment.original-unreadable"),
    ] {
        let error = staged(&rules, "suppliers/451/certificates/iso.pdf", tags).unwrap_err();
        assert_eq!((error.code(), error.field_name()), (code, Some("attachment.original")));
        assert!(error.remedy_text().is_some());
    }
    let long = format!("contracts/{}-1/draft.docx", "A".repeat(300));
    assert_eq!(staged(&rules, &long, json!({})).unwrap_err().code(), "workflow.title-too-long");
}

#[test]
fn a_rule_without_more_attaches_the_document_and_starts_a_workflow() {
    let rules = rules(RULE);
    let rule = &rules.rules[0];
    assert!(matches!(rule.attachment, Attachment::Document) && rule.start);
    assert_eq!(staged(&rules, "a/7/b.pdf", json!({})).unwrap().folder, ["Case 7"]);
}

#[test]
fn every_mistake_is_told_with_its_line() {
    for (from, to, expected) in [
        ("\"a\"", "\"A rule\"", (2, "bad-rule-name")),
        ("a/{case}", "a/{case", (3, "bad-key-pattern")),
        ("Enterprise:Maps", "Somewhere:Maps", (5, "bad-path")),
        ("Case {capture.case}", "Case {capture.cases}", (6, "unknown-field")),
        ("Case {capture.case}", "Case", (6, "title-without-identity")),
        ("[\"Approve\"]", "[]", (9, "nothing-approves")),
        ("\"out/\"", "\"/out\"", (11, "bad-prefix")),
        ("prefix = \"out/\"", "prefix = \"out/\"\nfolder = \"all\"", (12, "shared-folder")),
        ("step = ", "stpe = ", (8, "unknown-key")),
        ("[rule.decision]", "[rule.attachment]\nas = \"shortcut\"\n[rule.decision]", (8, "unclear-shortcut")),
        ("[rule.decision]", "[rule.attachment]\noriginal = \"1\"\n[rule.decision]", (2, "no-effect")),
        ("[rule.decision]", "[rule.attachment]\nas = \"shorcut\"\n[rule.decision]", (8, "unknown-value")),
        (
            "[rule.decision]",
            "[rule.attachment]\nas = \"shortcut\"\nfolder = \"Claims\"\n[rule.decision]",
            (9, "bad-path"),
        ),
    ] {
        let found = codes(&RULE.replace(from, to));
        assert_eq!(found.first(), Some(&expected), "{to}: {found:?}");
    }
    assert_eq!(codes(""), [(1, "no-rules")]);
    assert_eq!(codes(&RULE.repeat(2)), [(13, "duplicate-rule")]);
}

#[test]
fn a_misspelt_word_is_met_with_the_one_that_was_meant() {
    let remedy = &told(&RULE.replace("step = ", "steps = "))[0].2;
    assert!(remedy.contains("`step`"), "{remedy}");
}

#[test]
fn the_schema_for_editors_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/staging-rules.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema(), "write it with UPDATE_SCHEMA=1");
}
