//! Faults of the set-up that an upload meets: what is written about it for people, and what is counted.

use std::{collections::BTreeMap, sync::Arc};

use aws_lambda_events::event::sqs::SqsEvent;
use s3_content_server::INGEST_UPLOADS;
use serde_json::Value;
use shared::batch::{Invocation, Runner};
use simulators::content_server::state::Permission;
use tests::storm::{QUARANTINE, Scenario, StoredObject, World};

use crate::chores::receive;

const FILED: &str =
    "[[rule]]\nname = \"claims\"\nkey = \"claims/{name}\"\ntarget.folder = \"Enterprise:Claims\"\n";
const REVIEWED: &str = "[[rule]]\nname = \"claims\"\nkey = \"claims/{name}\"\ntarget.folder = \"Enterprise:Claims\"\n\
    [rule.review]\nworkflow = \"No Such Map\"\ntitle = \"Please look\"\n";

fn letter() -> Vec<StoredObject> {
    vec![StoredObject::new("claims/letter.txt", "text/plain", "dear sirs")]
}

/// Nobody may add to the folder of the claims.
fn closed(world: &World) {
    world.content_server.with_state(|state| {
        let folder = state.at("Claims").expect("a folder").id;
        let permissions = &mut state.nodes.get_mut(&folder).expect("a folder").permissions;
        let everybody = permissions.owner.iter_mut().chain(permissions.group.iter_mut());
        let rights = everybody.map(|grant| &mut grant.rights).chain(permissions.public.iter_mut());
        for rights in rights.chain(permissions.custom.values_mut()) {
            *rights = [Permission::See, Permission::SeeContents].into_iter().collect();
        }
    });
}

/// Puts the upload of a story aside; the message it came in, the reason file, and the figures.
async fn put_aside(story: &Scenario) -> (String, Value, Value) {
    let world = World::new(story, BTreeMap::new(), None, 1).await;
    let environment = world.environment(world.tap.transport(Arc::default()), 1, 0);
    let runner = Runner::connect(&INGEST_UPLOADS, environment).await.expect("it starts");
    for object in (story.objects)() {
        world.upload(&object).await;
    }
    let sent = world.events().remove(0);
    world.send(&sent).await;
    let mut event = SqsEvent::default();
    event.records = vec![receive(&world).await.expect("a message")];
    let deadline = world.context.now_milliseconds() + 60_000;
    let (response, tally) = runner.run_counted(event, Invocation { deadline }).await;
    assert!(response.batch_item_failures.is_empty(), "{:?}", world.endings());
    let objects = world.aws.s3().versions(QUARANTINE);
    let file = objects.iter().find(|object| object.key.ends_with(".reason.json")).expect("a reason file");
    let file = serde_json::from_slice(&file.data).expect("JSON");
    (sent, file, tally.render("ingest-uploads", "test", &world.context))
}

async fn is_a_fault_of_the_configuration(story: Scenario, code: &str) {
    let (sent, file, figures) = put_aside(&story).await;
    assert_eq!(file["reason"]["code"], code, "{file}");
    assert!(file["reason"]["remedy"].is_string(), "{file}");
    assert_eq!(file["envelope"], sent, "byte for byte");
    assert_eq!(
        (&figures["Quarantined"], &figures["ConfigurationFaults"]),
        (&1.into(), &1.into()),
        "{figures}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_review_whose_map_is_missing_is_a_fault_of_the_configuration() {
    let story = Scenario::of("reviewed", &INGEST_UPLOADS, REVIEWED, letter, (0, 0, 1));
    is_a_fault_of_the_configuration(story, "review.workflow-missing").await;
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_may_not_be_added_to_is_a_fault_of_the_configuration() {
    let story = Scenario::of("closed", &INGEST_UPLOADS, FILED, letter, (0, 0, 1));
    is_a_fault_of_the_configuration(Scenario { prepare: closed, ..story }, "content-server.action-refused")
        .await;
}
