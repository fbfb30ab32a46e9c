//! The repository that a simulator begins with.
//!
//! Users: [`INTEGRATION`], who may do everything, [`EDITOR`], who may not delete, [`READER`], who only looks; the password of
//! all is [`PASSWORD`]. Tokens are fetched by the client [`CLIENT_ID`]. Below the public root [`PUBLIC`]: `Campaigns` with
//! `Spring 2030` in it, and `Products`; each user has a root of their own (`2001N`). In `Spring 2030`: `spring-poster.tif` in
//! two versions, `spring-spot.mov`, `spring-brief.pdf`, which belongs to a business unit and to no product, and
//! `spring-rough.jpg`, which is deleted. In `Products`: `old-logo.png`, which has expired, `broadcast-master.mxf`, which lies
//! offline, and `care-instructions.txt`. A collection `Press kit`. Metadata model [`MODEL`], of two groups with fields of every
//! kind, lookups and tables; ids are constants of this module.

mod model;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::settings::Settings;
use super::state::{Asset, Collection, EXPIRATION, FOLDER_MODEL, FOLDER_TYPE, Link, State, written};
use crate::content::Blob;

/// Who may do everything.
pub const INTEGRATION: &str = "integration";
/// The number of that user.
pub const INTEGRATION_ID: &str = "2001";
/// Who changes what is there, but deletes nothing.
pub const EDITOR: &str = "editor";
/// The number of that user.
pub const EDITOR_ID: &str = "2002";
/// Who only looks.
pub const READER: &str = "reader";
/// The number of that user.
pub const READER_ID: &str = "2003";
/// The password of all.
pub const PASSWORD: &str = "demo-password";
/// The client that fetches tokens.
pub const CLIENT_ID: &str = "waybill";
/// Its secret.
pub const CLIENT_SECRET: &str = "demo-client-secret";

/// The public root folder.
pub const PUBLIC: &str = "ARTESIA.PUBLIC.TREEN";
/// The model of the seeded assets.
pub const MODEL: &str = "CUSTOM.MODEL.CAMPAIGN";
/// An import template for it.
pub const TEMPLATE: &str = "CUSTOM.TEMPLATE.CAMPAIGN";
/// The policy that everybody is in.
pub const POLICY: i64 = 1;
/// The policy of what only the archive may see.
pub const RESTRICTED_POLICY: i64 = 2;

/// The name.
pub const NAME: &str = "ARTESIA.FIELD.ASSET NAME";
/// A description.
pub const DESCRIPTION: &str = "ARTESIA.FIELD.ASSET DESCRIPTION";
/// When an asset changed, as search has it.
pub const UPDATED: &str = "ARTESIA.FIELD.DATE LAST UPDATED";
/// The language: a lookup.
pub const LANGUAGE: &str = "LANGUAGE_COMBO_CHAR_ID";
/// Business units: the one column of a table.
pub const BUSINESS_UNIT: &str = "OTMM.COLUMN.BUSINESS_UNIT.TAB";
/// Products: the one column of a table.
pub const PRODUCT: &str = "PRODUCT_CHAR_ID";
/// Products under their new names: the one column of a table.
pub const PRODUCT_NEW: &str = "OTMM.COLUMN.PRODUCT_NEW.TAB";
/// Whether an asset is approved: a lookup of `draft`, `approved`, `rejected`, and `on hold`, which has expired.
pub const STATUS: &str = "CUSTOM.FIELD.STATUS";
/// A date.
pub const RETAIN_UNTIL: &str = "CUSTOM.FIELD.RETAIN UNTIL";
/// A number.
pub const USES: &str = "CUSTOM.FIELD.USES";
/// What the archive calls the asset.
pub const ARCHIVE_ID: &str = "CUSTOM.FIELD.ARCHIVE ID";
/// How far archiving is.
pub const ARCHIVE_STATUS: &str = "CUSTOM.FIELD.ARCHIVE STATUS";
/// Why an asset must not be used.
pub const RESTRICTION: &str = "CUSTOM.FIELD.RESTRICTION";
/// What an import is found again by.
pub const CORRELATION: &str = "CUSTOM.FIELD.CORRELATION";
/// A table of what happened.
pub const EVENTS: &str = "CUSTOM.TABLE.EVENTS";
/// Its column of dates.
pub const EVENT_DATE: &str = "CUSTOM.COLUMN.EVENT DATE";
/// Its column of what happened.
pub const EVENT_TYPE: &str = "CUSTOM.COLUMN.EVENT TYPE";
/// Its column of details.
pub const EVENT_DETAIL: &str = "CUSTOM.COLUMN.EVENT DETAIL";

/// The seeded repository.
pub fn repository(settings: Settings, now: Timestamp) -> State {
    let mut state = State::new(settings, now);
    model::people(&mut state);
    model::lookups(&mut state);
    model::models(&mut state);
    root(&mut state, PUBLIC, "Public folders");
    for (id, name) in [(INTEGRATION_ID, INTEGRATION), (EDITOR_ID, EDITOR), (READER_ID, READER)] {
        root(&mut state, &format!("{id}N"), name);
    }
    let campaigns = folder(&mut state, PUBLIC, "Campaigns");
    let spring = folder(&mut state, &campaigns, "Spring 2030");
    let products = folder(&mut state, PUBLIC, "Products");
    campaign(&mut state, &spring);
    shelf(&mut state, &products);
    let kit = ["spring-poster.tif", "spring-spot.mov"]
        .into_iter()
        .filter_map(|name| state.titled(name).map(|asset| asset.id.clone()))
        .collect();
    let id = state.new_id();
    state.collections.push(Collection { id, name: "Press kit".to_owned(), assets: kit });
    state.index_all();
    state
}

fn campaign(state: &mut State, spring: &str) {
    let first = asset(state, spring, "spring-poster.tif", "image/tiff", Blob::generated(11, 300_000));
    describe(state, &first, "approved", &[("1", Some("7")), ("2", None)]);
    let poster = newer(state, &first, Blob::generated(12, 310_000));
    let spot = asset(state, spring, "spring-spot.mov", "video/quicktime", Blob::generated(13, 900_000));
    describe(state, &spot, "approved", &[("1", Some("7"))]);
    if let Some(spot) = state.assets.get_mut(&spot) {
        spot.links.push(Link { kind: "ARTESIA.LINK.PARENT CHILD".to_owned(), target: poster });
        spot.values.insert(RETAIN_UNTIL.to_owned(), "2040-01-01T00:00:00Z".into());
        spot.values.insert(USES.to_owned(), 3.into());
        for (column, value) in
            [(EVENT_DATE, "2030-03-01T08:00:00Z"), (EVENT_TYPE, "approved"), (EVENT_DETAIL, "By legal")]
        {
            spot.columns.insert(column.to_owned(), vec![Some(value.into())]);
        }
    }
    let brief = asset(state, spring, "spring-brief.pdf", "application/pdf", Blob::generated(14, 60_000));
    describe(state, &brief, "draft", &[("1", None)]);
    let rough = asset(state, spring, "spring-rough.jpg", "image/jpeg", Blob::generated(15, 20_000));
    describe(state, &rough, "rejected", &[]);
    let now = state.now;
    if let Some(rough) = state.assets.get_mut(&rough) {
        rough.deleted = Some(now);
    }
}

fn shelf(state: &mut State, products: &str) {
    let logo = asset(state, products, "old-logo.png", "image/png", Blob::generated(16, 8_000));
    describe(state, &logo, "approved", &[("3", Some("8"))]);
    let yesterday = state.now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(state.now);
    if let Some(logo) = state.assets.get_mut(&logo) {
        logo.values.insert(EXPIRATION.to_owned(), written(yesterday).into());
    }
    let master =
        asset(state, products, "broadcast-master.mxf", "application/mxf", Blob::generated(17, 500_000));
    describe(state, &master, "approved", &[("3", Some("8"))]);
    if let Some(content) = state.assets.get_mut(&master).and_then(|asset| asset.master.as_mut()) {
        content.offline = true;
    }
    let words = "Wash at thirty degrees. Größe und Pflege.";
    let text = asset(state, products, "care-instructions.txt", "text/plain", Blob::of(words));
    describe(state, &text, "draft", &[]);
}

fn root(state: &mut State, id: &str, name: &str) {
    let draft = state.draft(name, FOLDER_MODEL, INTEGRATION_ID);
    state.add(Asset {
        id: id.to_owned(),
        original_id: id.to_owned(),
        folder_type: Some(FOLDER_TYPE.to_owned()),
        policies: vec![POLICY],
        ..draft
    });
}

/// A folder in another.
pub fn folder(state: &mut State, parent: &str, name: &str) -> String {
    let draft = state.draft(name, FOLDER_MODEL, INTEGRATION_ID);
    state.add(Asset {
        folder_type: Some(FOLDER_TYPE.to_owned()),
        parents: vec![parent.to_owned()],
        policies: vec![POLICY],
        ..draft
    })
}

/// An asset in a folder, as its import would have left it; gives its id.
pub fn asset(state: &mut State, folder: &str, name: &str, mime_type: &str, content: Blob) -> String {
    let draft = state.draft(name, MODEL, EDITOR_ID);
    let master = state.content(name, mime_type, "MASTER", content);
    let job = 380 + draft.number;
    let id = state.add(Asset {
        master: Some(master),
        import_job: Some(job),
        parents: vec![folder.to_owned()],
        policies: vec![POLICY],
        ..draft
    });
    state.picture(&id);
    id
}

/// A version after another, with other content; gives its id.
pub fn newer(state: &mut State, id: &str, content: Blob) -> String {
    let Ok(old) = state.asset(id).cloned() else { return String::new() };
    let file = old.master.as_ref().map(|master| (master.name.clone(), master.mime_type.clone()));
    let (name, mime_type) = file.unwrap_or_default();
    let master = state.content(&name, &mime_type, "MASTER", content);
    let draft = state.draft(&old.name, &old.model, EDITOR_ID);
    if let Some(old) = state.assets.get_mut(id) {
        old.latest = false;
    }
    let made = state.add(Asset {
        id: draft.id,
        version: old.version + 1,
        latest: true,
        number: draft.number,
        imported: draft.imported,
        updated: draft.updated,
        import_job: Some(380 + draft.number),
        master: Some(master),
        lock: None,
        check_out: None,
        ..old
    });
    state.reindex(id);
    state.picture(&made);
    made
}

/// A value of each kind that the seeded assets have: status, and business units with the product of each.
fn describe(state: &mut State, id: &str, status: &str, units: &[(&str, Option<&str>)]) {
    let Some(asset) = state.assets.get_mut(id) else { return };
    let name = asset.name.clone();
    let column =
        |values: Vec<&str>| values.into_iter().map(|value| Some(Value::from(value))).collect::<Vec<_>>();
    for (field, value) in [
        (STATUS, json!(status)),
        (LANGUAGE, json!("en")),
        (DESCRIPTION, json!(format!("About {name}"))),
        ("OTMM.CUSTOM.FIELD_TITLE", json!(name.split('.').next())),
    ] {
        asset.values.insert(field.to_owned(), value);
    }
    asset.columns.insert(BUSINESS_UNIT.to_owned(), column(units.iter().map(|(unit, _)| *unit).collect()));
    asset
        .columns
        .insert(PRODUCT.to_owned(), column(units.iter().filter_map(|(_, product)| *product).collect()));
}
