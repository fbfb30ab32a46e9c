//! The same over the network, with the storage on a port of its own.

use shared::{
    consonance::{Client, Credential, NewResource, Settings},
    context::Context,
    http::{Pace, Replayable, Transport},
};
use simulators::{
    Clock,
    consonance::{self as simulator},
    serve,
};

use crate::secret;

#[tokio::test]
async fn a_file_goes_over_the_network_to_a_storage_that_never_sees_the_key() {
    let simulator = simulator::Simulator::new(simulator::Settings::default(), Clock::machine());
    let (address, server) = serve(simulator.router(), 0).await.unwrap();
    let (storage, storage_server) = serve(simulator.storage_router(), 0).await.unwrap();
    simulator.with_state(|state| state.settings.upload_origin = format!("http://{storage}"));
    let settings =
        Settings { upload_hosts: vec!["127.0.0.1".to_owned()], ..Settings::at(format!("http://{address}")) };
    settings.validate().unwrap();
    let client = Client::new(
        settings,
        Credential::from_json(&secret()).unwrap(),
        Transport::network().unwrap(),
        Context::system(),
        Pace::per_second(1000.0),
    );
    assert_eq!(client.products_changed(None).await.unwrap().len(), 5);
    assert_eq!(client.rest_products(None).await.unwrap().len(), 5);
    let image = NewResource {
        work_id: 1001,
        product_ids: Vec::new(),
        file_name: "cover.jpg".to_owned(),
        caption: Some("Front".to_owned()),
    };
    let id = client.upload_resource(&image, &Replayable::from_bytes(vec![7_u8; 300_000])).await.unwrap();
    simulator.with_state(|state| {
        let upload = state.uploads.values().find(|upload| upload.id == id).unwrap();
        assert_eq!(upload.content.as_ref().map(|content| content.size), Some(300_000));
        let headers = &state.brought[0].headers;
        assert!(
            headers.iter().any(|(name, value)| name == "host" && value == &storage.to_string()),
            "{headers:?}"
        );
        assert!(
            headers.iter().any(|(name, value)| name == "content-length" && value == "300000"),
            "{headers:?}"
        );
        assert!(headers.iter().all(|(name, _)| name != "authorization"), "{headers:?}");
    });
    server.abort();
    storage_server.abort();
}
