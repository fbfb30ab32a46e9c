//! What an account holds, and what happens to it, without HTTP.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::graphql::Schema;
use super::settings::Settings;
use crate::content::Blob;

/// Records by id, as GraphQL shows them, with the ids of what they belong to.
pub type Table = BTreeMap<i64, Value>;

/// What an upload is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadKind {
    /// An image.
    Resource,
    /// A production file.
    ProductionFile,
}

/// A signed address that was given out, and what came to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Upload {
    /// What it is for.
    pub kind: UploadKind,
    /// The record.
    pub id: i64,
    /// When its address ends.
    pub ends: Timestamp,
    /// What came.
    pub content: Option<Blob>,
}

/// A request to the storage, as it came: how clients do it is what one wants to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brought {
    /// Method.
    pub method: String,
    /// Headers, without values that authorize.
    pub headers: Vec<(String, String)>,
    /// Status of the answer.
    pub status: u16,
}

/// Everything an account holds.
#[derive(Clone, Serialize, Deserialize)]
pub struct State {
    /// The switches.
    #[serde(skip)]
    pub settings: Settings,
    /// The simulator's time.
    pub now: Timestamp,
    /// Keys of the GraphQL interface.
    pub graphql_keys: Vec<String>,
    /// Tokens of the REST interface.
    pub rest_tokens: Vec<String>,
    /// Works.
    pub works: Table,
    /// Products.
    pub products: Table,
    /// The order in which REST shows products.
    pub rest_order: Vec<i64>,
    /// Persons and organisations.
    pub contacts: Table,
    /// Contributions.
    pub contributions: Table,
    /// Contracts.
    pub contracts: Table,
    /// Production files.
    pub production_files: Table,
    /// Images.
    pub resources: Table,
    /// Links.
    pub web_links: Table,
    /// Names of the stages of works.
    pub stages: BTreeMap<i64, String>,
    /// Lists that REST shows to websites: ids of products.
    pub shops: BTreeMap<i64, Vec<i64>>,
    /// Signed addresses by the last part of their path.
    pub uploads: BTreeMap<String, Upload>,
    /// Requests to the storage.
    pub brought: Vec<Brought>,
    /// The last id that was given.
    pub last_id: i64,
    /// How often the state was changed by a call.
    #[serde(skip)]
    pub changes: u64,
    /// The schema of GraphQL, and the switches it was built for.
    #[serde(skip)]
    pub(super) schema: Option<(Settings, Schema)>,
}

/// A whole number of JSON.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value.as_i64()
}

/// A text among members; empty when there is none.
pub(super) fn text<'members>(members: &'members Map<String, Value>, name: &str) -> &'members str {
    members.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl State {
    /// Ends the validity of every key.
    pub fn end_sessions(&mut self) {
        self.graphql_keys.clear();
        self.rest_tokens.clear();
    }

    /// An account that holds nothing.
    pub fn empty(settings: Settings, now: Timestamp) -> Self {
        Self {
            settings,
            now,
            graphql_keys: Vec::new(),
            rest_tokens: Vec::new(),
            works: Table::new(),
            products: Table::new(),
            rest_order: Vec::new(),
            contacts: Table::new(),
            contributions: Table::new(),
            contracts: Table::new(),
            production_files: Table::new(),
            resources: Table::new(),
            web_links: Table::new(),
            stages: BTreeMap::new(),
            shops: BTreeMap::new(),
            uploads: BTreeMap::new(),
            brought: Vec::new(),
            last_id: 5000,
            changes: 0,
            schema: None,
        }
    }

    /// A product with this title.
    pub fn titled(&self, title: &str) -> Option<i64> {
        let found = self.products.iter().find(|(_, product)| product["fullTitle"] == title);
        found.map(|(id, _)| *id)
    }

    /// Adds a product; its `changedOn` is today.
    pub fn add_product(&mut self, mut product: Value) -> i64 {
        let id = product.get("id").and_then(integer).unwrap_or_else(|| self.new_id());
        if let Some(members) = product.as_object_mut() {
            members.insert("id".to_owned(), json!(id));
            members.entry("changedOn").or_insert_with(|| json!(self.now.strftime("%F").to_string()));
        }
        self.products.insert(id, product);
        self.rest_order.push(id);
        id
    }

    /// Takes a product away, of which no interface tells.
    pub fn remove_product(&mut self, id: i64) {
        self.products.remove(&id);
        self.rest_order.retain(|known| *known != id);
    }

    pub(super) fn new_id(&mut self) -> i64 {
        self.last_id += 1;
        self.changes += 1;
        self.last_id
    }

    pub(super) fn contributions_of(&self, work: &Value) -> impl Iterator<Item = &Value> {
        let work = work.clone();
        self.contributions.values().filter(move |one| one["workId"] == work)
    }

    fn today(&self) -> String {
        self.now.strftime("%F").to_string()
    }

    /// Notes that a product was changed today.
    pub fn touch_product(&mut self, id: i64) {
        let today = self.today();
        self.changes += 1;
        if let Some(members) = self.products.get_mut(&id).and_then(Value::as_object_mut) {
            members.insert("changedOn".to_owned(), json!(today));
        }
    }

    /// Notes that a work was changed today.
    pub fn touch_work(&mut self, id: i64) {
        let today = self.today();
        self.changes += 1;
        if let Some(members) = self.works.get_mut(&id).and_then(Value::as_object_mut) {
            members.insert("changedOn".to_owned(), json!(today));
        }
    }

    /// Whether a product may have changed since a day: by itself, by its work, or by a sibling where too much is told.
    pub(super) fn product_changed_since(&self, product: &Value, day: &str) -> bool {
        let changed = |record: &Value| record["changedOn"].as_str().is_some_and(|on| on >= day);
        let work = integer(&product["workId"]).and_then(|id| self.works.get(&id));
        let sibling = |other: &Value| other["workId"] == product["workId"] && changed(other);
        changed(product)
            || work.is_some_and(changed)
            || (self.settings.changed_since_over_reports && self.products.values().any(sibling))
    }

    /// The same of a work, with its products.
    pub(super) fn work_changed_since(&self, work: &Value, day: &str) -> bool {
        let changed = |record: &Value| record["changedOn"].as_str().is_some_and(|on| on >= day);
        changed(work) || self.products.values().any(|one| one["workId"] == work["id"] && changed(one))
    }

    /// Gives out a signed address.
    pub(super) fn new_upload(&mut self, kind: UploadKind, id: i64) -> String {
        let lifetime = jiff::SignedDuration::from_secs(self.settings.upload_lifetime_seconds);
        let ends = self.now.checked_add(lifetime).unwrap_or(self.now);
        let token = format!("{:08x}{id:08x}", self.uploads.len() + 1);
        self.uploads.insert(token.clone(), Upload { kind, id, ends, content: None });
        let origin = self.settings.upload_origin.trim_end_matches('/');
        format!("{origin}/_storage/{token}?X-Amz-Expires={}&X-Amz-Signature={token}", ends.as_second())
    }

    /// Takes what came to an address.
    pub(super) fn receive(&mut self, token: &str, content: Blob) {
        let Some(upload) = self.uploads.get_mut(token) else { return };
        let (kind, id, size) = (upload.kind, upload.id, content.size);
        upload.content = Some(content);
        self.changes += 1;
        let table = match kind {
            UploadKind::Resource => &mut self.resources,
            UploadKind::ProductionFile => &mut self.production_files,
        };
        if let Some(members) = table.get_mut(&id).and_then(Value::as_object_mut) {
            let told = match kind {
                UploadKind::Resource => json!(size),
                UploadKind::ProductionFile => json!(size.to_string()),
            };
            members.insert("fileSize".to_owned(), told);
        }
        if !self.settings.upload_needs_follow_up {
            self.finish_upload(id);
        }
    }

    /// Begins the preparation of what came; whether anything did.
    pub(super) fn finish_upload(&mut self, id: i64) -> bool {
        let Some(upload) = self.uploads.values().find(|upload| upload.id == id && upload.content.is_some())
        else {
            return false;
        };
        let kind = upload.kind;
        let ready = (self.now.as_second() + self.settings.processing_seconds).to_string();
        let table = match kind {
            UploadKind::Resource => &mut self.resources,
            UploadKind::ProductionFile => &mut self.production_files,
        };
        if let Some(members) = table.get_mut(&id).and_then(Value::as_object_mut) {
            members.insert("readyAt".to_owned(), json!(ready));
            if kind == UploadKind::ProductionFile {
                members.insert("exists".to_owned(), json!(true));
                members.insert("analysisStatus".to_owned(), json!("DONE"));
            }
        }
        true
    }

    /// A field of an image, which is prepared for a while.
    pub(super) fn resource_field(&self, resource: &Value, name: &str) -> Value {
        let ready = resource["readyAt"].as_str().and_then(|at| at.parse::<i64>().ok());
        let is_ready = ready.is_some_and(|at| self.now.as_second() >= at);
        match name {
            "isProcessing" => json!(!is_ready),
            "delayedJobStatus" if is_ready => Value::Null,
            "delayedJobStatus" => json!(if ready.is_some() { "running" } else { "waiting" }),
            "url" if is_ready && resource["url"].is_null() => {
                // Two slashes in a row, as the real bucket has them.
                json!(format!("https://images.example.com/harbour/{}//_jpg_rgb_original.jpg", resource["id"]))
            }
            _ => resource[name].clone(),
        }
    }
}
