//! What a log line says about the item it is about.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use shared::{
    lambda::{invocation_span, log_lines},
    ledger::Key,
};
use tracing::Instrument;
use tracing_subscriber::EnvFilter;

use crate::chores::{Process, chores, world};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn lines_carry_flow_item_fence_asset_and_trace() {
    let lines = Lines::default();
    let to = lines.clone();
    let subscriber = log_lines(EnvFilter::new("info"), move || to.clone());
    // While there is only one, a line that another test's thread comes to first is taken for one that nobody wants.
    let _second = tracing::Dispatch::new(log_lines(EnvFilter::new("info"), io::sink));
    let _telling = tracing::subscriber::set_default(subscriber);
    let world = world().await;
    let mut process = Process::start(&world, |_| ()).await;
    for _ in 0..2 {
        let mut message = process.message(&chores(&[("a", "later")]));
        message.attributes.insert("AWSTraceHeader".into(), "Root=1-sender".into());
        let delivery = process.deliver_messages(vec![message]);
        delivery.instrument(invocation_span("request 1", "Root=1-invocation")).await;
    }
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let spans = |fence: u32| {
        json!([
            {"name": "invocation", "request_id": "request 1", "trace": "Root=1-invocation"},
            {
                "name": "item", "flow": "chores", "item": Key::of(&["a"]).digest(), "asset": "a", "fence": fence,
                "trace": "Root=1-sender",
            },
        ])
    };
    for (message, fence) in [("to be tried again", 1), ("ended", 2)] {
        let line = lines.iter().find(|line| line["message"] == message);
        let line = line.unwrap_or_else(|| panic!("no line says {message:?}: {lines:?}"));
        assert_eq!(line["spans"], spans(fence), "{line}");
        assert_eq!(line["span"], spans(fence)[1], "{line}");
    }
}
