//! What the ledger costs.

use shared::ledger::Ending;

use crate::table::{Place, completion, key, ours};

#[tokio::test(start_paused = true)]
async fn a_small_item_costs_two_writes_and_its_audit_event_within_six_write_units() {
    let place = Place::in_process().await;
    let aws = place.aws.clone().unwrap();
    let attempt = ours(place.ledger.begin("ingest-uploads", &key("a"), "p1", place.lease(60)).await.unwrap());
    place.ledger.complete(&attempt, &completion(Ending::Delivered, "s"), None).await.unwrap();
    let counters = aws.dynamodb().counters(place.table());
    assert_eq!((counters.writes, counters.write_units), (3, 5));
}
