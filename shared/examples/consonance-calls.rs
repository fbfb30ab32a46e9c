//! Makes every call of the client of Consonance once, at the account of a simulator, for whoever wants to look at what goes
//! over the wire: each query and mutation, and each filter of REST.
//!
//! ```text
//! cargo run -p shared --example consonance-calls -- http://127.0.0.1:8083 '{"graphql_key":"…","rest_token":"…"}' [follow-up]
//! ```
//!
//! Says what came of each, a line for a call. It writes to the account it is given: never name a real one.
#![allow(clippy::large_futures, clippy::print_stdout, missing_docs)]

use std::error::Error;

use jiff::civil::date;
use serde_json::{Map, json};
use shared::{
    consonance::{Client, Credential, Filter, NewProductionFile, NewResource, NewWebLink, Settings},
    context::Context,
    http::{Pace, Replayable, Transport},
    title::Isbn,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (address, secret, follow_up) = match arguments.as_slice() {
        [address, secret] => (address, secret, ""),
        [address, secret, follow_up] => (address, secret, follow_up.as_str()),
        _ => return Err("say the address of a simulator and a secret".into()),
    };
    let settings = Settings {
        upload_hosts: vec!["127.0.0.1".to_owned()],
        upload_follow_up: follow_up.to_owned(),
        may_end_contracts: true,
        may_write_trade_fields: true,
        records_at_once: 2,
        attempts: 1,
        ..Settings::at(address)
    };
    settings.validate()?;
    let credential = Credential::from_json(secret)?;
    let client =
        Client::new(settings, credential, Transport::network()?, Context::system(), Pace::per_second(1000.0));
    graphql(&client).await?;
    writes(&client).await?;
    rest(&client).await
}

fn say(call: &str, came: impl std::fmt::Display) {
    println!("{call}: {came}");
}

async fn graphql(client: &Client) -> Result<(), Box<dyn Error>> {
    say("capabilities", client.capabilities().await?.fingerprint()?.len());
    for since in [None, Some(date(2031, 5, 1))] {
        say("products_changed", client.products_changed(since).await?.len());
        say("works_changed", client.works_changed(since).await?.len());
    }
    let product = client.find_product(2001).await?.ok_or("no product")?;
    say("find_product", product.title().title.unwrap_or_default());
    say("find_work", client.find_work(1001).await?.is_some());
    say("find_contract", client.find_contract(31).await?.is_some());
    // An account may have none of them, and is not asked then.
    say("production_files", client.production_files(1001).await.map_or(0, |files| files.len()));
    say("supporting_resources", client.supporting_resources(1001).await?.len());
    say("web_links", client.web_links(1001).await?.len());
    Ok(())
}

async fn writes(client: &Client) -> Result<(), Box<dyn Error>> {
    let link = NewWebLink {
        work_id: 1002,
        link: "https://ecm.example.com/nodes/42".to_owned(),
        description: "Contract file".to_owned(),
        role: "00".to_owned(),
    };
    // An account whose links cannot be kept out of ONIX gets none.
    if let Ok(id) = client.ensure_web_link(&link).await {
        client.delete_web_link(id).await?;
        say("web link", id);
    }
    client.describe_contract(33, "Filed: 42").await?;
    client.end_contract(31, date(2033, 1, 31), "rights reverted").await?;
    let fields = Map::from_iter([
        ("publishersReference".to_owned(), json!("HP-2001")),
        ("publicationDate".to_owned(), json!("2031-04-02")),
        ("onixPublishingStatusCode".to_owned(), json!("_04")),
    ]);
    client.update_product(2001, fields).await?;
    client.update_work(1001, Map::from_iter([("projectStageId".to_owned(), json!(5))])).await?;
    let content = Replayable::from_bytes(vec![7_u8; 4096]);
    for product_ids in [Vec::new(), vec![2001]] {
        let image = NewResource {
            work_id: 1001,
            product_ids,
            file_name: "cover.jpg".to_owned(),
            caption: Some("Front".to_owned()),
        };
        say("upload_resource", client.upload_resource(&image, &content).await?);
    }
    let file = NewProductionFile {
        product_id: 2002,
        file_name: "salt-road.epub".to_owned(),
        variant: "EPUB".to_owned(),
    };
    say("upload_production_file", client.upload_production_file(&file, &content).await?);
    Ok(())
}

async fn rest(client: &Client) -> Result<(), Box<dyn Error>> {
    let isbn = Isbn::parse("978-0-00-000001-9").ok_or("no ISBN")?;
    for filter in [
        None,
        Some(Filter::Id(2003)),
        Some(Filter::Isbn(isbn)),
        Some(Filter::PublicationDate(date(2031, 4, 1))),
        Some(Filter::Shop(1)),
    ] {
        say("rest_products", client.rest_products(filter.as_ref()).await?.len());
    }
    Ok(())
}
