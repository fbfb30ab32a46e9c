use serde_json::json;
use shared::mapping::Record;

use super::*;

fn mistakes(text: &str) -> String {
    ReviewRules::parse(text, "rules.toml").unwrap_err().to_string()
}

#[test]
fn the_sample_reads_and_takes_regulated_assets_only() {
    let rules = ReviewRules::parse(SAMPLE, "sample").unwrap();
    let of = |category: &str| Record::new().with("asset", json!({ "category": category }));
    assert_eq!(rules.choose(&of("healthcare")).map(|rule| rule.name.as_str()), Some("healthcare"));
    assert!(rules.choose(&of("campaign")).is_none());
}

#[test]
fn the_examples_take_what_is_regulated_of_a_campaign_and_of_a_newsroom() {
    let example = |name: &str| {
        let file = format!("{}/rules/examples/review-{name}.toml", env!("CARGO_MANIFEST_DIR"));
        ReviewRules::parse(&std::fs::read_to_string(file).unwrap(), name).unwrap()
    };
    let of = |category: &str, view: &str, values| {
        Record::new().with("asset", json!({ "category": category })).with(view, values)
    };
    let campaign = example("campaign");
    let claims = campaign.choose(&of("final", "campaign", json!({"Claims": "yes"}))).unwrap();
    assert_eq!(claims.evidence.as_ref().unwrap().to_string(), "Enterprise:Compliance/Review Evidence");
    let told = claims.to_content_server.as_ref().unwrap();
    assert_eq!(["MIXED", "N/A", "NEW"].map(|word| told.word(word)), ["Disputed", "None", "NEW"]);
    let read = claims.to_iconik.as_ref().unwrap();
    assert_eq!((read.word("Refused"), read.comment), ("not cleared", true));
    assert!(campaign.choose(&of("final", "campaign", json!({"Claims": "no"}))).is_none());
    assert!(campaign.choose(&of("final", "campaign", json!({}))).is_none());

    let news = example("news");
    let court = news.choose(&of("news", "news", json!({"Desk": "court"}))).unwrap();
    assert!(court.evidence.is_none(), "beside the report");
    assert!(!court.to_iconik.as_ref().unwrap().comment);
    assert!(news.choose(&of("news", "news", json!({"Desk": "sports"}))).is_none());
}

#[test]
fn the_schema_for_editors_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/review-rules.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema(), "write it with UPDATE_SCHEMA=1");
}

#[test]
fn what_would_go_round_for_ever_or_take_everything_is_refused_with_its_line() {
    let told = mistakes(
        r#"
[document]
view = "no id"
field = "ContentServerNode"

[[rule]]
name = "Everything"

[[rule]]
name = "round"
when = [{ field = "asset.colour", is = "red" }]

[rule.to_content_server]
category = "Categories:Review"
status = "Status"

[rule.to_iconik]
category = "Categories:Review"
status = "Status"
view = "5f0c8f30-7a51-11f0-c005-0242ac120002"
"#,
    );
    for code in ["bad-view", "bad-name", "takes-everything", "unknown-field", "goes-round"] {
        assert!(told.contains(code), "{code}: {told}");
    }
    assert!(told.contains("rules.toml:15:"), "{told}");
    let empty = mistakes("");
    assert!(empty.contains("missing-key"), "{empty}");
}
