use super::*;

fn mistakes(text: &str) -> String {
    Feeds::parse(text, "feeds.toml").unwrap_err().to_string()
}

#[test]
fn the_sample_reads() {
    let sample = Feeds::parse(SAMPLE, "sample").unwrap();
    let names: Vec<&str> = sample.feeds.iter().map(|feed| feed.name.as_str()).collect();
    assert_eq!(names, ["assets", "productions", "comments"]);
}

#[test]
fn what_is_left_out_has_a_safe_default() {
    let feeds = Feeds::parse("[[feed]]\nname = \"a\"\nflows = [\"b\"]\n", "feeds.toml").unwrap();
    let feed = &feeds.feeds[0];
    assert_eq!((feeds.receiver, feeds.least_webhooks, feed.objects.clone()), (None, 0, vec!["assets"]));
    assert_eq!(
        (feed.overlap, feed.clock_allowance),
        (SignedDuration::from_mins(60), SignedDuration::from_mins(2))
    );
    assert_eq!((feed.full_look, feed.existing), (SignedDuration::from_hours(24), Existing::Announce));
    assert!(feed.deleted && feed.watched.contains(&"approval.status".to_owned()));
}

#[test]
fn the_schema_beside_the_sample_is_the_one_the_code_has() {
    let written =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/iconik-feeds.schema.json"));
    assert_eq!(
        written.unwrap_or_default(),
        schema(),
        "run: cargo run -p watch --example iconik-feed-schema > functions/watch/rules/iconik-feeds.schema.json"
    );
}

#[test]
fn every_mistake_is_told_with_its_line() {
    insta::assert_snapshot!(mistakes(
        r#"
receiver = "waybill.example.com"

[[feed]]
name = "Assets"
flows = []
objects = ["asset"]
watch = ["approval..status"]

[[feed]]
name = "b"
flows = ["x"]
objects = []
overlap = "soon"

[[feed]]
name = "c"
flows = ["x"]
look_back = "7 days"
"#
    ));
    insta::assert_snapshot!(mistakes(""));
}
