use super::*;

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

fn mistakes(text: &str) -> String {
    Subscriptions::parse(text, "subscriptions.toml", |_| true).unwrap_err().to_string()
}

#[test]
fn the_sample_tells_every_flow_of_iconik_by_webhook_and_by_action_in_iconik_s_documented_words() {
    let sample = Subscriptions::parse(SAMPLE, "sample", |_| true).unwrap();
    let told: BTreeSet<&str> = sample.flows().flat_map(|(_, told)| &told.flows).map(String::as_str).collect();
    assert_eq!(told, OF_ICONIK.into());
    for flow in OF_ICONIK {
        let hears = sample.webhooks.iter().any(|webhook| webhook.told.flows.iter().any(|told| told == flow));
        assert!(hears, "{flow} is told by no webhook");
    }
    for webhook in &sample.webhooks {
        assert!(webhook.realms.iter().all(|realm| REALMS.contains(&realm.as_str())), "{webhook:?}");
    }
    // What flows are asked for has to be their word for it.
    let names: Vec<&str> = sample.actions.iter().map(|action| action.name.as_str()).collect();
    assert_eq!(names, ["review", "publish", "archive", "resubmit-signoff"]);
}

#[test]
fn the_sample_reads_whichever_of_the_flows_are_deployed_and_loses_none_of_them() {
    for subset in 0..1_u32 << OF_ICONIK.len() {
        let deployed = |flow: &str| {
            OF_ICONIK.iter().position(|known| *known == flow).is_some_and(|at| subset >> at & 1 == 1)
        };
        let sample = Subscriptions::parse(SAMPLE, "sample", deployed).unwrap();
        for flow in OF_ICONIK {
            let lists = |of: fn(&ToldFlows) -> &Vec<String>| {
                sample.flows().any(|(_, told)| of(told).iter().any(|told| told == flow))
            };
            assert_eq!(
                (lists(|told| &told.flows), lists(|told| &told.left_out)),
                (deployed(flow), !deployed(flow))
            );
        }
    }
}

#[test]
fn a_flow_without_a_queue_is_a_mistake_unless_it_need_not_be_deployed_and_a_misspelled_one_always() {
    let of = |flows: &str, more: &str| {
        let text = format!(
            "[[action]]\nname = \"publish\"\nid = \"11111111-6b1e-11ef-8f5e-0a58a9feac02\"\nflows = {flows}\n{more}\n"
        );
        Subscriptions::parse(&text, "s.toml", |flow| flow == "publish-finals" || flow == "listener")
    };
    let told = |flows: &str, more: &str| of(flows, more).unwrap().actions.remove(0).told;
    let both = r#"["publish-finals", "start-signoff"]"#;
    let told_to = told(both, "if_deployed = true");
    assert_eq!(told_to.flows, ["publish-finals"]);
    assert_eq!(told_to.left_out, ["start-signoff"]);
    assert_eq!(told(r#"["listener"]"#, "").flows, ["listener"], "a queue makes it known");
    let refused = of(both, "").unwrap_err().to_string();
    assert!(refused.starts_with("s.toml:4:9: the flow `start-signoff` has no queue [no-queue]"), "{refused}");
    assert!(refused.contains("if_deployed = true"), "{refused}");
    let misspelled = of(r#"["publish-final"]"#, "if_deployed = true").unwrap_err().to_string();
    assert!(misspelled.starts_with("s.toml:4:9: `publish-final` is no flow of Waybill"), "{misspelled}");
    assert!(misspelled.contains("did you mean `publish-finals`?"), "{misspelled}");
}

#[test]
fn what_is_left_out_has_a_safe_default() {
    let text = "[[webhook]]\nname = \"a\"\nflows = [\"publish-finals\"]\nrealms = [\"entity\"]\n";
    let read = Subscriptions::parse(text, "subscriptions.toml", |_| true).unwrap();
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
    let read = Subscriptions::parse(text, "subscriptions.toml", |_| true).unwrap();
    assert!(read.knows("assets", "segments", "resolve") && read.knows("collections", "acls", "update"));
    assert!(!read.knows("assets", "approvals", "update"));
    assert!(!read.knows("assets", "entity", "ignite") && !read.knows("jobs", "entity", "update"));
}

#[test]
fn the_schema_beside_the_sample_is_the_one_the_code_has() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/iconik-subscriptions.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema(), "write it with UPDATE_SCHEMA=1");
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
