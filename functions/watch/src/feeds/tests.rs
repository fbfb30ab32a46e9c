use super::*;

fn mistakes(text: &str) -> String {
    Feed::parse_all(text, "feeds.toml", |_| true).unwrap_err().to_string()
}

fn one(more: &str) -> Feed {
    let text = format!("[[feed]]\nname = \"a\"\nflows = [\"offload-content\"]\n{more}\n");
    Feed::parse_all(&text, "feeds.toml", |_| true).unwrap().remove(0)
}

#[test]
fn the_sample_reads() {
    let feeds = Feed::parse_all(SAMPLE, "sample", |_| true).unwrap();
    let names: Vec<&str> = feeds.iter().map(|feed| feed.name.as_str()).collect();
    assert_eq!(names, ["approvals", "contracts", "claims", "filed-assets", "references"]);
    assert_eq!(feeds[1].full_look, SignedDuration::from_hours(12));
    assert_eq!(feeds[2].scope, Scope::Workspaces { kind: "Claim".into() });
}

#[test]
fn the_sample_reads_when_nothing_is_deployed_and_a_misspelled_flow_never_does() {
    let feeds = Feed::parse_all(SAMPLE, "sample", |_| false).unwrap();
    assert!(feeds.iter().all(|feed| feed.flows.is_empty() && !feed.left_out.is_empty()), "{feeds:?}");
    assert!(feeds.iter().all(|feed| !is_told(&feed.name, &feed.flows, &feed.left_out)));
    let misspelled = SAMPLE.replace("link-references", "link-reference");
    let refused = Feed::parse_all(&misspelled, "sample", |_| false).unwrap_err().to_string();
    assert!(refused.contains("did you mean `link-references`?"), "{refused}");
}

#[test]
fn what_is_left_out_has_a_safe_default() {
    let feed = one("search = {}");
    assert_eq!(feed.types, [144].into());
    assert_eq!(feed.overlap, SignedDuration::from_mins(15));
    assert_eq!(feed.clock_allowance, SignedDuration::from_mins(2));
    assert_eq!(feed.full_look, SignedDuration::from_hours(24));
    assert_eq!((feed.existing, feed.most_removed), (Existing::Announce, 1000));
}

#[test]
fn the_schema_beside_the_sample_is_the_one_the_code_has() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/feeds.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema(), "write it with UPDATE_SCHEMA=1");
}

#[test]
fn every_mistake_is_told_with_its_line() {
    insta::assert_snapshot!(mistakes(
        r#"
[[feed]]
name = "Approvals"
flows = []
search = { query = 'OTName:"x' }
types = ["documnet"]

[[feed]]
name = "b"
flows = ["offload-content", "offload-content"]

[[feed]]
name = "b"
flows = ["x"]
search = { query = ") OR (" }
workspaces = { type = "Claim" }
overlap = "soon"

[[feed]]
name = "b"
flows = ["x"]
search = {}
watched = 1

[[fed]]
"#
    ));
    insta::assert_snapshot!(mistakes(""));
}
