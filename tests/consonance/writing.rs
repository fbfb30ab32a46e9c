//! Links, contracts and files: made once, kept from the trade, and refused when the schema cannot keep the promise.

use jiff::civil::date;
use serde_json::{Map, json};
use shared::{
    consonance::{
        FOREIGN_HOST, NOT_ALLOWED, NOT_JPEG, NewProductionFile, NewResource, NewWebLink, ONIX_SWITCH_MISSING,
        REFUSED, SIGNED_URL_REFUSED, Settings, UploadMethod,
    },
    error::FailureClass,
    http::Replayable,
};
use simulators::{
    consonance::{self as simulator, settings::PayloadErrors},
    faults::{Action, Rule},
};

use crate::{account, account_with, ours};

fn link() -> NewWebLink {
    NewWebLink {
        work_id: 1002,
        link: "https://ecm.example.com/nodes/42".to_owned(),
        description: "Contract file".to_owned(),
        role: "00".to_owned(),
    }
}

fn image() -> NewResource {
    NewResource { work_id: 1001, product_ids: vec![2001], file_name: "cover.jpg".to_owned(), caption: None }
}

fn theirs(change: impl FnOnce(&mut simulator::Settings)) -> simulator::Settings {
    let mut settings = simulator::Settings::default();
    change(&mut settings);
    settings
}

/// Links of the work, as the account has them: the address, and whether it goes into ONIX.
fn links(simulator: &simulator::Simulator) -> Vec<(String, bool)> {
    simulator.with_state(|state| {
        let its = state.web_links.values().filter(|link| link["workId"] == 1002);
        its.map(|link| (link["link"].as_str().unwrap().to_owned(), link["includeInOnix"] == true)).collect()
    })
}

#[tokio::test(start_paused = true)]
async fn a_link_is_made_once_and_kept_out_of_onix() {
    let (simulator, client) = account(simulator::Settings::default());
    let id = client.ensure_web_link(&link()).await.unwrap();
    assert_eq!(client.ensure_web_link(&link()).await.unwrap(), id);
    assert_eq!(links(&simulator), [(link().link, false)]);
    client.delete_web_link(id).await.unwrap();
    client.delete_web_link(id).await.unwrap();
    assert_eq!(links(&simulator), []);
}

#[tokio::test(start_paused = true)]
async fn a_link_whose_answer_is_lost_is_found_instead_of_made_again() {
    let (simulator, client) = account(simulator::Settings::default());
    client.web_links(1002).await.unwrap();
    // The first call looks, the second makes.
    simulator.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/graphql").call(2)).unwrap();
    client.ensure_web_link(&link()).await.unwrap();
    assert_eq!(links(&simulator).len(), 1);
    simulator.faults().add(Rule::next(Action::DropBeforeEffect).on("POST", "/graphql").call(2)).unwrap();
    let other = NewWebLink { link: "https://ecm.example.com/nodes/43".to_owned(), ..link() };
    let error = client.ensure_web_link(&other).await.unwrap_err();
    assert_eq!((error.class(), links(&simulator).len()), (FailureClass::UnknownOutcome, 1));
}

#[tokio::test(start_paused = true)]
async fn without_a_switch_that_keeps_it_out_no_link_is_written() {
    let (simulator, client) = account(theirs(|theirs| theirs.web_link_onix_switch = false));
    assert_eq!(client.ensure_web_link(&link()).await.unwrap_err().code(), ONIX_SWITCH_MISSING);
    assert_eq!(links(&simulator), []);
    let wrong = Settings { web_link_onix_field: "description".to_owned(), ..ours() };
    let (simulator, client) = account_with(simulator::Settings::default(), wrong);
    assert_eq!(client.ensure_web_link(&link()).await.unwrap_err().code(), ONIX_SWITCH_MISSING);
    assert_eq!(links(&simulator), []);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_input_is_told_by_field_in_each_way_the_vendor_writes_it() {
    for how in [PayloadErrors::Field, PayloadErrors::Attribute, PayloadErrors::Messages, PayloadErrors::Top] {
        let (_, client) = account(theirs(|theirs| theirs.payload_errors = how));
        let wrong = NewWebLink { link: "nonsense".to_owned(), ..link() };
        let error = client.ensure_web_link(&wrong).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Invalid, REFUSED), "{how:?}");
        let field = (how != PayloadErrors::Top).then_some("link");
        assert_eq!(error.field_name(), field, "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_taken_back_and_what_goes_to_the_trade_needs_a_setting() {
    let (simulator, client) = account(simulator::Settings::default());
    let error = client.end_contract(31, date(2031, 12, 31), "expired").await.unwrap_err();
    assert_eq!(error.code(), NOT_ALLOWED);
    let fields = Map::from_iter([("publicationDate".to_owned(), json!("2031-11-01"))]);
    let error = client.update_product(2001, fields.clone()).await.unwrap_err();
    assert_eq!((error.code(), error.field_name()), (NOT_ALLOWED, Some("publicationDate")));
    assert_eq!(simulator.journal().count(), 0, "nothing was sent");

    client.describe_contract(31, "Filed").await.unwrap();
    let reference = Map::from_iter([("publishersReference".to_owned(), json!("HP-1"))]);
    client.update_product(2001, reference).await.unwrap();
    let stage = Map::from_iter([("projectStageId".to_owned(), json!(4))]);
    client.update_work(1001, stage).await.unwrap();
    simulator.with_state(|state| {
        assert_eq!(state.contracts[&31]["description"], "Filed");
        assert_eq!(state.products[&2001]["publishersReference"], "HP-1");
        assert_eq!(state.works[&1001]["projectStage"], "Production");
    });

    let free = Settings { may_end_contracts: true, may_write_trade_fields: true, ..ours() };
    let (simulator, client) = account_with(simulator::Settings::default(), free);
    client.end_contract(31, date(2031, 12, 31), "expired").await.unwrap();
    client.update_product(2001, fields).await.unwrap();
    let error = client.end_contract(31, date(2020, 1, 1), "expired").await.unwrap_err();
    assert_eq!((error.code(), error.field_name()), (REFUSED, Some("terminatedDate")));
    simulator.with_state(|state| {
        assert_eq!(state.contracts[&31]["terminatedDate"], "2031-12-31");
        assert_eq!(state.products[&2001]["publicationDate"], "2031-11-01");
    });
    let unknown = Map::from_iter([("colour".to_owned(), json!("red"))]);
    let error = client.update_product(2001, unknown).await.unwrap_err();
    assert_eq!(error.code(), "consonance.schema-lacks", "a member that the schema lacks is not sent");
}

#[tokio::test(start_paused = true)]
async fn an_image_is_brought_as_settings_say_and_prepared_by_the_server() {
    for name in ["presignedUrl", "uploadUrl", "presigned_upload_url"] {
        let (simulator, client) = account(theirs(|theirs| theirs.upload_url_field = name.to_owned()));
        let content = Replayable::from_bytes(vec![7_u8; 70_000]);
        let id = client.upload_resource(&image(), &content).await.unwrap();
        let brought = simulator.with_state(|state| state.brought.clone());
        assert_eq!((brought.len(), brought[0].method.as_str(), brought[0].status), (1, "PUT", 200), "{name}");
        assert!(brought[0].headers.iter().all(|(header, _)| header != "authorization"), "the key stays here");
        let its = async || {
            client.supporting_resources(1001).await.unwrap().into_iter().find(|one| one.id == Some(id))
        };
        assert_eq!(its().await.unwrap().is_processing, Some(true));
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        let ready = its().await.unwrap();
        assert_eq!(
            (ready.is_processing, ready.file_size, ready.product_ids),
            (Some(false), Some(70_000), vec![2001])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_production_file_is_made_from_what_its_input_is_called() {
    let (simulator, client) = account(simulator::Settings::default());
    let new = NewProductionFile {
        product_id: 2002,
        file_name: "salt-road.epub".to_owned(),
        variant: "EPUB".to_owned(),
    };
    let id = client.upload_production_file(&new, &Replayable::from_bytes(vec![1_u8; 9])).await.unwrap();
    let files = client.production_files(1001).await.unwrap();
    let file = files.iter().find(|file| file.id == Some(id)).unwrap();
    assert_eq!(
        (file.file_size, file.exists, file.file_format.as_deref()),
        (Some(9), Some(true), Some("EPUB"))
    );
    let unknown = NewProductionFile { variant: "VELLUM".to_owned(), ..new };
    let error =
        client.upload_production_file(&unknown, &Replayable::from_bytes(vec![1_u8])).await.unwrap_err();
    assert_eq!(error.code(), "consonance.query-refused");
    assert_eq!(simulator.with_state(|state| state.production_files.len()), 2);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_needs_a_last_word_gets_it() {
    let follow = theirs(|theirs| theirs.upload_needs_follow_up = true);
    let (simulator, client) =
        account_with(follow.clone(), Settings { upload_follow_up: "finishUpload".to_owned(), ..ours() });
    let id = client.upload_resource(&image(), &Replayable::from_bytes(vec![7_u8])).await.unwrap();
    assert!(simulator.with_state(|state| state.resources[&id]["readyAt"].is_string()));
    let (simulator, client) = account(follow);
    let id = client.upload_resource(&image(), &Replayable::from_bytes(vec![7_u8])).await.unwrap();
    assert!(
        simulator.with_state(|state| state.resources[&id]["readyAt"].is_null()),
        "nobody said that the bytes are there"
    );
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_not_taken_says_why_and_shows_no_signature() {
    let content = Replayable::from_bytes(vec![7_u8; 10]);
    let fails = async |theirs: simulator::Settings, ours: Settings, new: NewResource| {
        let (_, client) = account_with(theirs, ours);
        let error = client.upload_resource(&new, &content).await.unwrap_err();
        assert!(!format!("{error:?}").contains("Signature"), "{error:?}");
        error.code()
    };
    let png = NewResource { file_name: "cover.png".to_owned(), ..image() };
    assert_eq!(fails(theirs(|_| {}), ours(), png).await, NOT_JPEG);
    let ended = theirs(|theirs| theirs.upload_lifetime_seconds = 0);
    assert_eq!(fails(ended, ours(), image()).await, SIGNED_URL_REFUSED);
    let elsewhere = theirs(|theirs| theirs.upload_origin = "http://storage.example.com".to_owned());
    assert_eq!(fails(elsewhere.clone(), ours(), image()).await, FOREIGN_HOST);
    let allowed = Settings { upload_hosts: vec!["storage.example.com".to_owned()], ..ours() };
    let (_, client) = account_with(elsewhere, allowed);
    client.upload_resource(&image(), &content).await.unwrap();
    let post = Settings { upload_method: UploadMethod::Post, ..ours() };
    assert_eq!(fails(theirs(|_| {}), post, image()).await, SIGNED_URL_REFUSED);
}

#[tokio::test(start_paused = true)]
async fn bytes_that_break_off_are_brought_again_and_an_entry_whose_answer_is_lost_is_told() {
    let (simulator, client) = account(simulator::Settings::default());
    let content = Replayable::from_bytes(vec![7_u8; 70_000]);
    let made = || simulator.with_state(|state| state.resources.len());
    let before = made();
    simulator.faults().add(Rule::next(Action::DropAfterEffect).on("PUT", "/_storage/")).unwrap();
    client.upload_resource(&image(), &content).await.unwrap();
    assert_eq!((made() - before, simulator.with_state(|state| state.brought.len())), (1, 2));
    // Making the entry again would make a second one.
    simulator.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/graphql")).unwrap();
    let error = client.upload_resource(&image(), &content).await.unwrap_err();
    assert_eq!((error.class(), made() - before), (FailureClass::UnknownOutcome, 2));
}
