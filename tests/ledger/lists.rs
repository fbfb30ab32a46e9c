//! Sets that only grow, and logs.

use crate::table::Place;

#[tokio::test(start_paused = true)]
async fn a_set_gives_its_members_once_and_forgets_those_whose_time_is_over() {
    let place = Place::in_process().await;
    let ledger = &place.ledger;
    let soon = place.context.now() + jiff::SignedDuration::from_secs(60);
    for member in ["b", "a", "b"] {
        ledger.add_member("flow", "copies", member, None).await.unwrap();
    }
    ledger.add_member("flow", "copies", "c", Some(soon)).await.unwrap();
    ledger.add_member("flow", "links", "d", None).await.unwrap();
    assert_eq!(ledger.members("flow", "copies").await.unwrap(), ["a", "b", "c"]);
    tokio::time::sleep(std::time::Duration::from_secs(61)).await;
    assert_eq!(ledger.members("flow", "copies").await.unwrap(), ["a", "b"]);
    assert!(ledger.members("other flow", "copies").await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn of_two_who_append_after_the_same_entry_one_is_told_to_look_again() {
    let place = Place::in_process().await;
    let ledger = &place.ledger;
    assert_eq!(ledger.log_end("flow", "log").await.unwrap(), None);
    assert!(ledger.append_log("flow", "log", 0, "first").await.unwrap());
    assert!(!ledger.append_log("flow", "log", 0, "rival").await.unwrap());
    assert!(ledger.append_log("flow", "log", 0, "first").await.unwrap(), "a repeat whose answer was lost");
    assert!(ledger.append_log("flow", "log", 1, "second").await.unwrap());
    assert!(!ledger.append_log("flow", "log", 0, "late").await.unwrap(), "what comes late changes nothing");
    assert_eq!(ledger.log_end("flow", "log").await.unwrap(), Some((2, "second".to_owned())));
    assert_eq!(ledger.log_entries("flow", "log").await.unwrap(), ["first", "second"]);
    // More than one answer of the table holds.
    let long = "x".repeat(300_000);
    for place in 2..7 {
        assert!(ledger.append_log("flow", "log", place, &format!("{place}{long}")).await.unwrap());
    }
    let entries = ledger.log_entries("flow", "log").await.unwrap();
    let begins: Vec<&str> = entries.iter().filter_map(|entry| entry.get(..1)).collect();
    assert_eq!(begins, ["f", "s", "2", "3", "4", "5", "6"]);
}

#[tokio::test(start_paused = true)]
async fn notes_are_listed_by_the_beginning_of_their_names() {
    let place = Place::in_process().await;
    let ledger = &place.ledger;
    for name in ["pair b", "pair a", "pair c", "conflict 1", "pairs"] {
        ledger.set_note("flow", name, &format!("of {name}")).await.unwrap();
    }
    ledger.set_note("other flow", "pair d", "").await.unwrap();
    let note = |name: &str| (name.to_owned(), format!("of {name}"));
    let first = ledger.notes_behind("flow", "pair ", None, 2).await.unwrap();
    assert_eq!(first, [note("pair a"), note("pair b")]);
    let rest = ledger.notes_behind("flow", "pair ", Some("pair b"), 2).await.unwrap();
    assert_eq!(rest, [note("pair c")], "fewer than asked for is the end");
    assert_eq!(ledger.notes_behind("flow", "pair ", Some("pair c"), 2).await.unwrap(), []);
}
