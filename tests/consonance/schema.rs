//! What the account's schema has is asked, and what is built on it follows.

use simulators::consonance::{self as simulator, settings::ProductionFiles};

use crate::{account, account_with, ours};

#[tokio::test(start_paused = true)]
async fn the_schema_is_asked_once_for_all_clones_and_again_when_told() {
    let (simulator, client) = account(simulator::Settings::default());
    let first = client.capabilities().await.unwrap();
    let calls = simulator.journal().count();
    assert!(calls <= 8, "{calls} calls");
    client.clone().capabilities().await.unwrap();
    assert_eq!(simulator.journal().count(), calls);
    simulator.with_state(|state| {
        state.settings.contracts_list = true;
        state.settings.production_files = ProductionFiles::Product;
    });
    let second = client.probe_again().await.unwrap();
    assert_ne!(first.fingerprint().unwrap(), second.fingerprint().unwrap());
    let changes = second.changes_since(&first);
    assert!(changes.contains(&"+ Query.contracts(): [Contract!]!".to_owned()), "{changes:#?}");
    assert!(changes.iter().any(|line| line.starts_with("- Work.productionFiles")), "{changes:#?}");
    assert_eq!(
        second.missing(&[("Work", "productionFiles"), ("Product", "productionFiles")]),
        ["Work.productionFiles"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_introspection_says_is_what_the_schema_has() {
    let (_, client) = account(simulator::Settings::default());
    let schema = client.capabilities().await.unwrap();
    let missing = schema.missing(&[
        ("Query", "products"),
        ("Product", "isbn"),
        ("Work", "contributions"),
        ("ProductionFile", "fileSize"),
        ("CreateWebLinkInput", "link"),
        ("CreateProductionFileInput", "filename"),
        ("UpdateProductInput", "isbn"),
        ("FieldFault", "message"),
    ]);
    assert_eq!(missing, Vec::<String>::new());
    assert_eq!(schema.field("ProductionFile", "fileSize").unwrap().of, "BigInt");
    assert!(schema.values("ONIXWebsiteRoleCode").any(|value| value == "_02"));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_changes_its_schema_is_told_apart_from_a_fault() {
    let (simulator, client) = account(simulator::Settings::default());
    client.production_files(1001).await.unwrap();
    simulator.with_state(|state| state.settings.production_files = ProductionFiles::Product);
    let error = client.production_files(1001).await.unwrap_err();
    assert_eq!(error.code(), "consonance.query-refused");
    client.probe_again().await.unwrap();
    assert_eq!(client.production_files(1001).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn wishes_at_the_same_time_ask_the_schema_once_and_go_one_after_the_other() {
    let theirs = simulator::Settings { latency_milliseconds: 100, ..simulator::Settings::default() };
    let (simulator, client) = account_with(theirs, ours());
    client.capabilities().await.unwrap();
    let (before, began) = (simulator.journal().count(), tokio::time::Instant::now());
    let reads = (0..5).map(|_| client.find_work(1001));
    for work in futures_util::future::join_all(reads).await {
        assert_eq!(work.unwrap().and_then(|work| work.id), Some(1001));
    }
    assert_eq!(simulator.journal().count() - before, 5);
    assert!(began.elapsed().as_millis() >= 500, "{:?}: calls went side by side", began.elapsed());
}
