//! What each story costs in a run without faults:
//!
//! ```text
//! cargo nextest run -p tests --test storm figures --no-capture
//! ```

use std::collections::BTreeMap;

use tests::storm::{Call, Drive, Form, Scenario, World, drive};

use crate::scenarios;

/// What an item of a story asks for at most: writes to the ledger with its locks, requests to AWS and to vendors, bytes
/// of content through the function. The READMEs of the flows tell them. The bar of the ledger itself, two writes and the
/// audit event, is held in `tests/ledger/figures.rs`.
const MOST: &[(&str, f64, f64, f64, f64)] = &[
    ("one upload", 3.0, f64::MAX, f64::MAX, f64::MAX),
    ("the approved version is published, not the newest", 11.0, 23.0, 48.0, 735.0),
    ("an upload starts its workflow", 12.0, 20.0, 17.0, 377.0),
    ("uploads go to the workflow that is running", 8.5, 16.0, 8.0, 220.0),
    ("what is approved comes out", 7.3, 15.3, 8.8, 131.0),
    ("a reference, whose object goes from S3 to S3", 7.0, 14.4, 7.7, 246.0),
    ("a closed case becomes a bag", 11.0, 66.0, 54.0, 1830.0),
    ("a bag is brought out of its archive", 10.0, 41.0, 26.7, 1415.0),
    ("a closed production becomes a complete package", 18.0, 46.0, 132.0, 27_200.0),
    ("an approved final is filed with its poster", 19.0, 28.0, 63.0, 137_000.0),
    ("the rights of an approved final are filed", 16.0, 27.0, 76.0, 6_800.0),
    ("an approval starts its sign-off", 14.0, 25.0, 23.0, 100.0),
    ("what is signed off is told", 11.1, 19.1, 12.1, 100.0),
    ("each side takes what the other has", 13.1, 20.1, 17.1, 1_300.0),
    ("an obsolete asset is asked about once", 8.6, 14.6, 21.1, 500.0),
    ("it is to be destroyed on both sides", 7.1, 12.7, 23.1, 800.0),
    ("a contract is shown beside the films", 12.0, 18.0, 48.0, 1_000.0),
    ("a review leaves evidence, and each side is told of the other", 11.6, 19.1, 28.6, 5_200.0),
];

struct Figures {
    items: usize,
    writes: u64,
    aws: usize,
    vendor: usize,
    content: u64,
}

fn measure(scenario: &Scenario) -> Figures {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let world = World::new(scenario, BTreeMap::new(), None, 1).await;
        for object in (scenario.objects)() {
            world.upload(&object).await;
        }
        let mut events = world.events();
        events.extend((scenario.messages)(&world));
        let before = world.aws.dynamodb().counters("ledger").writes;
        for event in &events {
            world.send(event).await;
        }
        let how = Drive::default();
        let (quiet, ()) = tokio::join!(drive(&world, scenario.flow, how), world.live(scenario));
        assert!(quiet, "{}", scenario.name);
        let calls = world.tap.calls();
        let is_aws = |call: &&Call| matches!(call.form, Form::AwsJson | Form::S3);
        let vendor = calls.len() - calls.iter().filter(is_aws).count();
        Figures {
            items: world.endings().len(),
            writes: world.aws.dynamodb().counters("ledger").writes - before,
            aws: calls.len() - vendor,
            vendor,
            content: world.tap.content(),
        }
    })
}

#[test]
fn figures_of_every_story() {
    println!(
        "\n{:<18} {:<52} {:>5} {:>7} {:>6} {:>7} {:>9}",
        "flow", "story, per item", "items", "writes", "AWS", "vendor", "bytes"
    );
    let mut held = Vec::new();
    for scenario in scenarios() {
        let figures = measure(&scenario);
        let each = |count: f64| count / figures.items.max(1) as f64;
        let writes = each(figures.writes as f64);
        println!(
            "{:<18} {:<52} {:>5} {:>7.1} {:>6.1} {:>7.1} {:>9.0}",
            scenario.flow.name,
            scenario.name,
            figures.items,
            writes,
            each(figures.aws as f64),
            each(figures.vendor as f64),
            each(figures.content as f64),
        );
        let told =
            [writes, each(figures.aws as f64), each(figures.vendor as f64), each(figures.content as f64)];
        for (name, ledger, aws, vendor, content) in MOST.iter().filter(|most| most.0 == scenario.name) {
            held.push(*name);
            let within = told.iter().zip([ledger, aws, vendor, content]).all(|(told, most)| told <= most);
            assert!(
                within,
                "{name}: {told:?}, at most {ledger} writes, {aws} to AWS, {vendor} to the vendor, {content}"
            );
        }
    }
    let most: Vec<&str> = MOST.iter().map(|most| most.0).collect();
    assert_eq!(held, most, "each of these stories is there");
}
