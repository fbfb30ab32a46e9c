use super::super::{Settings, Simulator, Store};
use super::Caller;
use crate::Clock;

#[tokio::test]
async fn a_kept_repository_comes_back_with_its_content_and_its_tickets() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::at(folder.path().join("repository.json"));
    let clock = Clock::fixed("2031-05-06T07:08:09Z".parse().unwrap());
    let simulator = store.open(Settings::default(), clock.clone()).unwrap();
    let ticket = simulator.with_state(|state| state.log_in("admin", super::super::seed::PASSWORD)).unwrap();
    let caller = Caller { simulator, ticket };
    let large = vec![7_u8; 3_000_000];
    let (small_id, large_id) = (
        caller.document(3101, "small.txt", b"small").await,
        caller.document(3101, "large.bin", &large).await,
    );
    let doomed = caller.document(3101, "doomed.txt", b"doomed").await;
    store.save(&caller.simulator).unwrap();
    caller.call("DELETE", &format!("v2/nodes/{doomed}"), &[]).await;
    caller.simulator.with_state(|state| state.purge(1000, doomed)).unwrap();
    store.save(&caller.simulator).unwrap();

    let again = Store::at(folder.path().join("repository.json")).open(Settings::default(), clock).unwrap();
    let caller = Caller { simulator: again, ticket: caller.ticket };
    assert_eq!(caller.get(&format!("v2/nodes/{small_id}/content")).await.bytes, &b"small"[..]);
    assert!(caller.get(&format!("v2/nodes/{large_id}/content")).await.bytes == large);
    assert_eq!(caller.get(&format!("v2/nodes/{doomed}")).await.status, 400);
    let found = caller.call("POST", "v2/search", &[("where", "OTName:large*")]).await;
    assert_eq!(found.json["collection"]["paging"]["total_count"], 1);
    let next = caller.document(3101, "next.txt", b"x").await;
    assert!(next > doomed);
}

#[tokio::test]
async fn the_same_calls_give_the_same_repository_to_the_last_byte() {
    let play = async || {
        let caller = Caller::new(Settings::default());
        let id = caller.document(3101, "memo.txt", b"x").await;
        caller.call("POST", &format!("v2/nodes/{id}/categories"), &[("category_id", "4104")]).await;
        caller.call("DELETE", "v2/nodes/3402", &[]).await;
        caller.simulator.with_state(|state| serde_json::to_string(state)).unwrap()
    };
    assert_eq!(play().await, play().await);
}

#[test]
fn two_simulators_share_nothing() {
    let one = Simulator::new(Settings::default(), Clock::machine());
    let two = Simulator::new(Settings::default(), Clock::machine());
    one.with_state(|state| state.delete(1000, 3001)).unwrap_err();
    one.with_state(|state| state.delete(1000, 3004)).unwrap();
    assert!(two.with_state(|state| state.at("Digitised Archive").is_some()));
}
