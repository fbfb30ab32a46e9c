//! Large files in parts, however the server wants them, and going on elsewhere.

use shared::content_server::{Client, NodeId, Settings};
use simulators::{
    content_server::{
        self as simulator,
        settings::{Envelope, PartField},
    },
    faults::{Action, Rule},
};

use super::{client_of, content, document, simulated, simulated_with, upload};

async fn incoming(client: &Client) -> NodeId {
    client.resolve_path(&"Enterprise:Claims/Incoming".parse().unwrap()).await.unwrap().id
}

#[tokio::test(start_paused = true)]
async fn large_files_go_up_in_parts_however_the_server_wants_them() {
    for (field, envelope, creates) in [
        (PartField::PartContent, Envelope::Flat, false),
        (PartField::File, Envelope::Results, false),
        (PartField::Either, Envelope::Results, true),
    ] {
        let mut theirs = simulator::Settings { upload_envelope: envelope, ..simulator::Settings::default() };
        theirs.large_upload.min_size = 100;
        theirs.large_upload.part_size = 1000;
        theirs.large_upload.part_field = field;
        theirs.large_upload.envelope = envelope;
        theirs.large_upload.close_creates_node = creates;
        let mut ours = Settings::default();
        ours.large_upload.from_size = 100;
        ours.large_upload.close_creates_node = creates;
        if field == PartField::File {
            ours.large_upload.part_field = "file".to_owned();
        }
        let (_, client) = simulated_with(theirs, ours);
        let folder = incoming(&client).await;
        let bytes = [9; 2500];
        let made =
            client.create_document(&document(folder, "big.bin"), &upload("big.bin", &bytes)).await.unwrap();
        assert_eq!(content(&client, made.id, None).await, bytes, "{field:?}");
        assert_eq!(made.name, "big.bin");
        if !creates {
            let added = client
                .add_version(made.id, &Default::default(), &upload("big.bin", &[8; 1500]))
                .await
                .unwrap();
            assert_eq!(content(&client, made.id, Some(added.number)).await, [8; 1500]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_wants_parts_in_order_gets_them_so_also_where_one_is_lost_or_its_answer() {
    let mut theirs = simulator::Settings::default();
    theirs.large_upload.min_size = 100;
    theirs.large_upload.part_size = 1000;
    theirs.large_upload.parts_in_order = true;
    let mut ours = Settings::default();
    ours.large_upload.from_size = 100;
    let (simulator, client) = simulated_with(theirs, ours);
    let folder = incoming(&client).await;
    for (part, action) in [(1, Action::DropBeforeEffect), (2, Action::DropAfterEffect)] {
        let path = format!("/v2/multipart/[^/]+/{part}$");
        simulator.faults().add(Rule::next(action).on("POST", &path)).unwrap();
    }
    let bytes = [9; 3500];
    let made =
        client.create_document(&document(folder, "big.bin"), &upload("big.bin", &bytes)).await.unwrap();
    assert!(simulator.faults().waiting().is_empty());
    assert_eq!(content(&client, made.id, None).await, bytes);
}

#[tokio::test(start_paused = true)]
async fn a_large_upload_goes_on_in_another_process() {
    let mut theirs = simulator::Settings::default();
    theirs.large_upload.min_size = 10;
    theirs.large_upload.part_size = 1000;
    theirs.large_upload.parts_in_order = true;
    let (simulator, first) = simulated(theirs);
    let folder = incoming(&first).await;
    let source = upload("big.bin", &[5; 2500]).ranges.unwrap();
    let started = first.start_large_upload("big.bin", "application/octet-stream", 2500).await.unwrap();
    let part = |number| {
        let (offset, length) = started.range(number);
        source.range(offset, length)
    };
    first.upload_part(&started, 1, part(1)).await.unwrap();
    let kept = serde_json::to_string(&started).unwrap();

    let second = client_of(&simulator, Settings::default());
    let resumed = serde_json::from_str(&kept).unwrap();
    for number in 1..=started.parts() {
        second.upload_part(&resumed, number, part(number)).await.unwrap();
    }
    let made = second.create_document_from(&document(folder, "big.bin"), &resumed).await.unwrap();
    assert_eq!(content(&second, made.id, None).await, [5; 2500]);
}
