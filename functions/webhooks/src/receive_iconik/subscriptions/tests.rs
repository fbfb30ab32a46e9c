use super::*;

fn mistakes(text: &str) -> String {
    Subscriptions::parse(text, "subscriptions.toml").unwrap_err().to_string()
}

#[test]
fn the_sample_reads() {
    let sample = Subscriptions::parse(SAMPLE, "sample").unwrap();
    let flows: Vec<_> = sample.flows().map(|(name, flows)| (name, flows[0].as_str())).collect();
    assert_eq!(flows, [("metadata", "sync-asset-metadata"), ("publish", "publish-finals")]);
}

#[test]
fn what_is_left_out_has_a_safe_default() {
    let text = "[[webhook]]\nname = \"a\"\nflows = [\"publish-finals\"]\nrealms = [\"entity\"]\n";
    let read = Subscriptions::parse(text, "subscriptions.toml").unwrap();
    assert_eq!((read.header.as_str(), read.largest_body), ("x-waybill-secret", 256 * 1024));
    assert_eq!((read.remember, read.tenant), (SignedDuration::from_hours(24), None));
    let webhook = &read.webhooks[0];
    assert!(webhook.takes("collections", "entity", "purge"));
    assert!(!webhook.takes("assets", "metadata", "update"), "no realm is meant that is not named");
    assert!(webhook.tells_of("assets") && !webhook.tells_of("collections"));
}

#[test]
fn a_word_that_the_file_names_is_known() {
    let text =
        "[[webhook]]\nname = \"a\"\nflows = [\"b\"]\nrealms = [\"segments\"]\noperations = [\"resolve\"]\n";
    let read = Subscriptions::parse(text, "subscriptions.toml").unwrap();
    assert!(read.knows("assets", "segments", "resolve") && read.knows("collections", "acls", "update"));
    assert!(!read.knows("assets", "approvals", "update"));
    assert!(!read.knows("assets", "entity", "ignite") && !read.knows("jobs", "entity", "update"));
}

#[test]
fn the_schema_beside_the_sample_is_the_one_the_code_has() {
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/iconik-subscriptions.schema.json");
    assert_eq!(
        std::fs::read_to_string(place).unwrap_or_default(),
        schema(),
        "run: cargo run -p webhooks --example iconik-subscription-schema > functions/webhooks/rules/iconik-subscriptions.schema.json"
    );
}

#[test]
fn every_mistake_is_told_with_its_line() {
    insta::assert_snapshot!(mistakes(
        r#"
header = "x waybill"
own_users = ["editor@example.com"]
tenant = "a b"
largest_body = 10485760
remember = "1 year"

[[webhook]]
name = "Metadata"
flows = []
realms = ["meta data"]

[[webhook]]
name = "b"
flows = ["offload-content"]

[[webhook]]
name = "c"
flows = ["offload-content"]
realms = []
operation = ["create"]

[[action]]
name = "d"
id = "11111111-6b1e-11ef-8f5e-0a58a9feac02"
flows = ["x", "x"]

[[action]]
name = "d"
id = "11111111-6b1e-11ef-8f5e-0a58a9feac02"
flows = ["x"]

[[hook]]
"#
    ));
    insta::assert_snapshot!(mistakes(""));
}
