use serde_json::json;

use super::*;

const RULES: &str = "[shown]\nview = \"8f1f3c2e-5a0b-11ef-9d2a-0a58a9feac02\"\nstate = \"State\"\n\
    [views]\ncampaign = \"9f1f3c2e-5a0b-11ef-9d2a-0a58a9feac02\"\n\
    [[rule]]\nname = \"a\"\nwhen = [{ field = \"asset.category\", is = \"final\" }]\n\
    [rule.workflow]\nmap = \"Enterprise:Maps/Review\"\ntitle = \"Sign-off of {asset.title}\"\n\
    [rule.document]\nnode = \"{campaign.Node}\"\n\
    [rule.decision]\nsteps = [\"Review\"]\napproved = [\"Approve\"]\n";

fn told(rules: &str) -> Vec<(usize, &'static str, String)> {
    let found = SignoffRules::parse(rules, "rules.toml").expect_err("the file was accepted");
    found.list().iter().map(|one| (one.line, one.code, one.remedy.clone())).collect()
}

fn codes(rules: &str) -> Vec<(usize, &'static str)> {
    told(rules).into_iter().map(|(line, code, _)| (line, code)).collect()
}

fn rules(text: &str) -> SignoffRules {
    SignoffRules::parse(text, "rules.toml").unwrap_or_else(|found| panic!("{found}"))
}

/// An example by its name.
fn example(name: &str) -> SignoffRules {
    let file = format!("{}/rules/examples/signoff-{name}.toml", env!("CARGO_MANIFEST_DIR"));
    rules(&std::fs::read_to_string(file).unwrap())
}

fn record(category: &str, namespace: &str, values: serde_json::Value) -> Record {
    Record::new()
        .with("asset", json!({"title": "Harbour Lights 60s", "category": category}))
        .with("version", json!({"id": "v2", "number": 2}))
        .with("review", json!({"approved_by": "Producer, Reviewer"}))
        .with(namespace, values)
}

#[test]
fn assets_are_routed_by_their_type_to_the_workflow_of_their_rule() {
    let campaign = rules(SAMPLE);
    let asset = record("final", "campaign", json!({"Campaign": "Harbour Lights"}));
    let rule = campaign.choose(&asset).unwrap();
    assert_eq!(
        (rule.name.as_str(), rule.map.to_string()),
        ("campaign", "Enterprise:Workflow Maps/Document Review".into())
    );
    let staged = rule.stage(&asset).unwrap();
    assert_eq!(staged.title, "Sign-off of Harbour Lights 60s, version 2");
    assert_eq!(
        staged.attributes,
        [("Reason".into(), "Campaign Harbour Lights, approved by Producer, Reviewer".into())]
    );
    assert!(
        campaign.choose(&record("footage", "campaign", json!({}))).is_none(),
        "footage needs no sign-off"
    );

    let news = example("news");
    for (priority, name, is_waited_for) in [(json!(1), "urgent", false), (json!(4), "planned", true)] {
        let asset =
            record("news", "news", json!({"NewsPriority": priority, "Slug": "FERRY", "Desk": "domestic"}));
        let rule = news.choose(&asset).unwrap();
        assert_eq!((rule.name.as_str(), rule.document.is_some()), (name, is_waited_for));
        assert_eq!(rule.stage(&asset).unwrap().title, "Clear FERRY, version 2");
    }

    let healthcare = example("healthcare");
    for (audience, steps) in [("patients", 3), ("professionals", 2)] {
        let values = json!({"Audience": audience, "Product": "Inhaler", "ReferenceNumber": "HC-204"});
        let asset = record("healthcare", "healthcare", values);
        assert_eq!(healthcare.choose(&asset).unwrap().steps.len(), steps);
    }
}

#[test]
fn what_is_shown_in_iconik_has_the_words_of_its_options() {
    let shown = rules(SAMPLE).shown;
    assert_eq!(shown.decided_by.as_deref(), Some("SignoffDecidedBy"));
    assert_eq!(shown.words.states, ["in_signoff", "signed_off", "rejected", "filed"]);
    assert_eq!(shown.words.decisions, ["approved", "rejected", "withdrawn", "withdrawn"]);
    let news = example("news").shown;
    assert_eq!((news.state, news.words.decisions[1].as_str()), (None, "spiked"));
}

#[test]
fn a_document_counts_only_for_the_version_it_holds() {
    let regulated = example("healthcare");
    let document = regulated.rule("patient-material").unwrap().document.clone().unwrap();
    let found =
        |values: serde_json::Value| document.document(&record("healthcare", "governance", values), "v2");
    assert_eq!(found(json!({})).unwrap(), None);
    assert_eq!(found(json!({"ContentServerNode": 4711})).unwrap(), None, "of which version?");
    assert_eq!(found(json!({"ContentServerNode": 4711, "FiledVersion": "v1"})).unwrap(), None);
    assert_eq!(found(json!({"ContentServerNode": "4711", "FiledVersion": "v2"})).unwrap(), Some(4711));
    let error = found(json!({"ContentServerNode": "the third", "FiledVersion": "v2"})).unwrap_err();
    assert_eq!((error.code(), error.field_name()), ("document.unreadable", Some("document.node")));
}

#[test]
fn an_asset_that_does_not_say_what_the_rule_needs_is_refused_with_the_field() {
    let rules = rules(SAMPLE);
    let asset = record("final", "campaign", json!({}));
    let error = rules.choose(&asset).unwrap().stage(&asset).unwrap_err();
    assert_eq!((error.code(), error.field_name()), ("missing-value", Some("Reason")));
    let long = asset.with("asset", json!({"title": "x".repeat(300), "category": "final"}));
    let long = long.with("campaign", json!({"Campaign": "Harbour Lights"}));
    let error = rules.choose(&long).unwrap().stage(&long).unwrap_err();
    assert_eq!(error.code(), "workflow.title-too-long");
    assert!(error.remedy_text().is_some());
}

#[test]
fn every_mistake_is_told_with_its_line() {
    for (from, to, expected) in [
        ("8f1f3c2e", "8f1", (2, "bad-view")),
        ("9f1f3c2e", "9f1", (5, "bad-view")),
        ("campaign = ", "asset = ", (5, "bad-view-name")),
        ("\"a\"", "\"A rule\"", (7, "bad-name")),
        ("asset.category", "asset.categories", (8, "unknown-field")),
        ("is = \"final\"", "", (8, "unclear-condition")),
        ("Enterprise:Maps", "Somewhere:Maps", (10, "bad-path")),
        ("{asset.title}", "{assets.title}", (11, "unknown-field")),
        ("{campaign.Node}", "{campaign.Node", (13, "bad-template")),
        ("[\"Review\"]", "[]", (15, "no-steps")),
        ("[\"Approve\"]", "[]", (16, "nothing-approves")),
        ("steps = ", "stpe = ", (15, "unknown-key")),
        ("node = ", "wait = \"soon\"\nnode = ", (13, "wrong-value")),
    ] {
        let found = codes(&RULES.replace(from, to));
        assert!(found.contains(&expected), "{to}: {found:?}");
    }
    assert_eq!(codes(""), [(1, "missing-key"), (1, "no-rules")]);
    let rule = &RULES[RULES.find("[[rule]]").unwrap()..];
    assert_eq!(codes(&format!("{RULES}{rule}")), [(18, "name-taken")]);
}

#[test]
fn a_misspelt_word_is_met_with_the_one_that_was_meant() {
    let remedy = &told(&RULES.replace("approved = ", "aproved = "))[0].2;
    assert!(remedy.contains("`approved`"), "{remedy}");
}

#[test]
fn the_schema_for_editors_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/signoff-rules.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema(), "write it with UPDATE_SCHEMA=1");
}
