use super::*;

fn mistakes(text: &str) -> String {
    Feeds::parse(text, "feeds.toml", |_| true).unwrap_err().to_string()
}

/// Every flow that iconik has something to tell.
const OF_ICONIK: [&str; 7] = [
    "archive-production",
    "exchange-review-status",
    "file-rights",
    "publish-finals",
    "request-disposition",
    "start-signoff",
    "sync-asset-metadata",
];

#[test]
fn the_sample_tells_every_flow_of_iconik() {
    let sample = Feeds::parse(SAMPLE, "sample", |_| true).unwrap();
    let names: Vec<&str> = sample.feeds.iter().map(|feed| feed.name.as_str()).collect();
    assert_eq!(names, ["assets", "productions", "comments"]);
    let told: BTreeSet<&str> = sample.feeds.iter().flat_map(|feed| &feed.flows).map(String::as_str).collect();
    assert_eq!(told, OF_ICONIK.into());
}

#[test]
fn the_sample_reads_whichever_of_the_flows_are_deployed_and_loses_none_of_them() {
    for subset in 0..1_u32 << OF_ICONIK.len() {
        let deployed = |flow: &str| {
            OF_ICONIK.iter().position(|known| *known == flow).is_some_and(|at| subset >> at & 1 == 1)
        };
        let sample = Feeds::parse(SAMPLE, "sample", deployed).unwrap();
        for flow in OF_ICONIK {
            let lists = |of: fn(&Feed) -> &Vec<String>| {
                sample.feeds.iter().any(|feed| of(feed).iter().any(|told| told == flow))
            };
            assert_eq!(
                (lists(|feed| &feed.flows), lists(|feed| &feed.left_out)),
                (deployed(flow), !deployed(flow))
            );
        }
    }
}

#[test]
fn a_flow_without_a_queue_is_a_mistake_unless_it_need_not_be_deployed_and_a_misspelled_one_always() {
    let of = |flows: &str, more: &str| {
        let text = format!("[[feed]]\nname = \"assets\"\nflows = {flows}\n{more}\n");
        Feeds::parse(&text, "f.toml", |flow| flow == "publish-finals").map(|mut feeds| feeds.feeds.remove(0))
    };
    let both = r#"["publish-finals", "file-rights"]"#;
    let feed = of(both, "if_deployed = true").unwrap();
    assert_eq!(
        (feed.flows, feed.left_out),
        (vec!["publish-finals".to_owned()], vec!["file-rights".to_owned()])
    );
    let refused = of(both, "").unwrap_err().to_string();
    assert!(refused.starts_with("f.toml:3:9: the flow `file-rights` has no queue [no-queue]"), "{refused}");
    let misspelled = of(r#"["file-right"]"#, "if_deployed = true").unwrap_err().to_string();
    assert!(misspelled.starts_with("f.toml:3:9: `file-right` is no flow of Waybill"), "{misspelled}");
    assert!(misspelled.contains("did you mean `file-rights`?"), "{misspelled}");
}

#[test]
fn what_is_left_out_has_a_safe_default() {
    let feeds = Feeds::parse("[[feed]]\nname = \"a\"\nflows = [\"b\"]\n", "feeds.toml", |_| true).unwrap();
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
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/iconik-feeds.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema(), "write it with UPDATE_SCHEMA=1");
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
