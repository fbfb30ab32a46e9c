//! What each story costs in a run without faults:
//!
//! ```text
//! cargo nextest run -p tests --test storm figures --no-capture
//! ```

use std::collections::BTreeMap;

use tests::storm::{Drive, Form, Scenario, World, drive};

use crate::scenarios;

/// Writes of a small upload to the ledger at most, with its locks. The bar of the ledger itself, two writes and the audit
/// event, is held in `tests/ledger/figures.rs`.
const MOST_WRITES: f64 = 10.0;

/// The story that is held to it.
const SMALL: &str = "one upload";

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
        let vendor = calls.iter().filter(|call| call.form == Form::Vendor).count();
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
    let mut held = false;
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
        if scenario.name == SMALL {
            held = true;
            assert!(writes <= MOST_WRITES, "{SMALL}: {writes} writes to the ledger per item");
        }
    }
    assert!(held, "there is no story {SMALL} any more");
}
