use serde_json::json;

use super::*;

const HEAD: &str = "[iconik]\nview = \"5f0c8f30-7a51-11f0-c005-0242ac120002\"\nstatus = \"AssetStatus\"\noutcome = \"Outcome\"\n\n[certificates]\nfolder = \"Enterprise:Claims/Certificates\"\n\n";
const REVIEW: &str = "[rule.review]\nmap = \"Enterprise:Maps/Review\"\ntitle = \"Disposition of {asset.title}\"\nstep = \"Decide\"\n";
const DECISIONS: &str = "[rule.review.decisions]\nretain = [\"Retain\"]\ndestroy = [\"Destroy\"]\n";

fn rule(name: &str, more: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\nstatus = [\"obsolete\"]\n{more}")
}

fn codes(rules: &str) -> Vec<(usize, &'static str)> {
    let found = DispositionRules::parse(rules, "rules.toml").expect_err("the file was accepted");
    found.list().iter().map(|one| (one.line, one.code)).collect()
}

fn parsed(rules: &str) -> DispositionRules {
    DispositionRules::parse(rules, "rules.toml").unwrap_or_else(|found| panic!("{found}"))
}

#[test]
fn the_packaged_rules_and_the_examples_are_in_order() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/examples");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_string_lossy().contains("/disposition-"));
    assert!(files.len() >= 2, "{files:?}");
    let texts = files.iter().map(|path| std::fs::read_to_string(path).unwrap());
    for text in texts.chain([SAMPLE.to_owned()]) {
        assert!(!parsed(&text).rules.is_empty());
    }
}

#[test]
fn the_schema_for_editors_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/disposition-rules.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema(), "write it with UPDATE_SCHEMA=1");
}

#[test]
fn the_first_rule_for_a_status_and_a_category_wins() {
    let text = format!(
        "{HEAD}{}{REVIEW}{DECISIONS}{}{REVIEW}{DECISIONS}",
        rule("news", "category = [\"news\"]\n"),
        rule("all", "")
    );
    let rules = parsed(&text);
    let chosen = |status: &str, category| rules.choose(status, category).map(|rule| rule.name.clone());
    assert_eq!(chosen("obsolete", Some("news")).as_deref(), Some("news"));
    assert_eq!(chosen("obsolete", Some("campaign")).as_deref(), Some("all"));
    assert_eq!(chosen("obsolete", None).as_deref(), Some("all"));
    assert_eq!(chosen("active", None), None);
    assert_eq!(chosen("", None), None);
}

#[test]
fn only_named_words_decide_and_what_is_not_said_destroys_nothing() {
    let rules = parsed(&format!("{HEAD}{}{REVIEW}{DECISIONS}", rule("all", "")));
    let all = rules.rule("all").unwrap();
    assert_eq!(all.decision("Destroy"), Some(Outcome::Destroy));
    assert_eq!(all.decision(" Retain "), Some(Outcome::Retain));
    for word in ["destroy", "Archive", "SendOn", "", "Destroyed"] {
        assert_eq!(all.decision(word), None, "{word}");
    }
    assert_eq!(all.destroy, Destroy::Nothing);
    assert!(all.archive_formats.is_empty() && all.record.is_none());
    assert_eq!(all.missing_documents, MissingDocuments::Stop);
    assert_eq!(
        rules.certificates.root.to_string(),
        "Enterprise:Claims".parse::<NodePath>().unwrap().to_string()
    );
    assert_eq!(rules.certificates.below, ["Certificates"]);
}

#[test]
fn archiving_may_take_two_days_unless_the_rule_says_otherwise() {
    let decisions = "[rule.review.decisions]\narchive = [\"Archive\"]\n";
    let within = |more: &str| {
        let head = rule("all", "missing_documents = \"leave-out\"\n");
        let rules = parsed(&format!("{HEAD}{head}{REVIEW}{decisions}[rule.outcome]\n{more}"));
        let all = rules.rule("all").unwrap();
        assert_eq!(all.missing_documents, MissingDocuments::LeaveOut);
        all.archive_within.as_secs() / 3600
    };
    assert_eq!(within("archive_formats = [\"ORIGINAL\"]\n"), 48);
    assert_eq!(within("archive_formats = [\"ORIGINAL\"]\narchive_within = \"6 hours\"\n"), 6);
}

#[test]
fn words_of_the_tenant_replace_ours() {
    let head = HEAD.replace(
        "outcome = \"Outcome\"\n",
        "outcome = \"Outcome\"\nstate = \"State\"\noutcomes = { destroy = \"delete\" }\nstates = { held = \"hold\" }\n",
    );
    let fields = parsed(&format!("{head}{}{REVIEW}{DECISIONS}", rule("all", ""))).iconik;
    assert_eq!(fields.outcome_word(Outcome::Destroy), "delete");
    assert_eq!(fields.outcome_word(Outcome::Retain), "retain");
    assert_eq!(fields.state_word(State::Held), Some(("State", "hold")));
    assert_eq!(fields.state_word(State::Retained), None);
}

#[test]
fn a_title_reads_the_asset_and_is_cut() {
    let rules = parsed(&format!("{HEAD}{}{REVIEW}{DECISIONS}", rule("all", "")));
    let Review::Workflow(review) = &rules.rule("all").unwrap().review else { panic!("no workflow") };
    let record = |title: &str| {
        Record::new().with("asset", json!({"id": "a", "title": title, "category": "", "status": "obsolete"}))
    };
    assert_eq!(review.title(&record("Harbour")).unwrap(), "Disposition of Harbour");
    assert_eq!(review.title(&record(&"x".repeat(400))).unwrap().chars().count(), TITLE_LENGTH);
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let missing = codes("[[rule]]\n");
    assert!(missing.iter().filter(|(_, code)| *code == "missing-key").count() >= 3, "{missing:?}");
    let with = |more: &str| format!("{HEAD}{}", rule("all", more));
    for (more, wanted) in [
        (format!("{REVIEW}[rule.review.decisions]\n"), (10, "no-decisions")),
        (
            format!("{REVIEW}[rule.review.decisions]\nretain = [\"Yes\"]\ndestroy = [\"Yes\"]\n"),
            (18, "ambiguous-decision"),
        ),
        (format!("[rule.review]\nmap = \"Enterprise:M\"\n{DECISIONS}"), (10, "unclear-review")),
        (
            format!("{REVIEW}category = \"Categories:C\"\ndecision = \"D\"\nasked_for = \"A\"\n{DECISIONS}"),
            (10, "unclear-review"),
        ),
        (
            format!("[rule.review]\ncategory = \"Categories:C\"\ndecision = \"D\"\n{DECISIONS}"),
            (10, "unclear-review"),
        ),
        (format!("{REVIEW}{DECISIONS}[rule.outcome]\narchive_formats = [\"ORIGINAL\"]\n"), (20, "no-effect")),
        (format!("{REVIEW}{DECISIONS}[rule.outcome]\ndestroy = \"all\"\n"), (20, "unknown-value")),
        (REVIEW.replace("asset.title", "asset.owner") + DECISIONS, (14, "unknown-field")),
        (REVIEW.replace("Enterprise:", "Firm:") + DECISIONS, (13, "bad-path")),
    ] {
        let found = codes(&with(&more));
        assert!(found.contains(&wanted), "{wanted:?} is not among {found:?} for\n{more}");
    }
    let twice = format!("{HEAD}{0}{REVIEW}{DECISIONS}{0}{REVIEW}{DECISIONS}", rule("all", ""));
    assert!(codes(&twice).iter().any(|(_, code)| *code == "name-taken"));
    let view = HEAD.replace("5f0c8f30-7a51-11f0-c005-0242ac120002", "Governance");
    let wrong = format!("{view}{}{REVIEW}{DECISIONS}", rule("all", ""));
    assert_eq!(codes(&wrong), [(2, "bad-view")]);
    let same = HEAD.replace("\"Outcome\"", "\"AssetStatus\"");
    assert_eq!(codes(&format!("{same}{}{REVIEW}{DECISIONS}", rule("all", ""))), [(4, "field-taken")]);
    assert_eq!(codes(HEAD), [(9, "no-rules")]);
}
