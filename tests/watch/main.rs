//! The change feeds: nothing is lost and nothing is told twice, however the search index, its pages and the clocks behave.

mod actions;
mod lost_webhooks;
mod pushes;
mod searches;
mod side_effects;
mod sweeps;
mod walks;

use tests::watched::{Setting, Watched};
use watch::WATCH_CONTENT_SERVER;

/// Everything called `watched …`, for both flows; its digitised-item values count.
const FEEDS: &str = r#"
[[feed]]
name = "papers"
flows = ["offload-content", "publish-approved"]
search = { query = 'OTName:"watched*"' }
watch = [{ category = 4104 }]
"#;

/// Runs on one thread and a paused clock.
fn run<T>(story: impl Future<Output = T>) -> T {
    if let Ok(filter) = std::env::var("STORM_LOG") {
        let _ = tracing_subscriber::fmt().with_env_filter(filter).without_time().with_ansi(false).try_init();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(story)
}

async fn watched(setting: Setting) -> Watched {
    Watched::new(&WATCH_CONTENT_SERVER, setting).await
}

const DAY: u64 = 24 * 3600;
