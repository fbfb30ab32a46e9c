//! Collections and what is in them.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::{
    Client,
    asset::Asset,
    call::Call,
    error::CONFLICT,
    ids::{CollectionId, ObjectRef, UserId},
    page::{Pages, Style},
    wire::{self, words},
};
use crate::error::{FailureClass, Result};

words! {
    /// The state of a collection.
    CollectionStatus {
        /// In use.
        Active = "ACTIVE",
        /// Not shown.
        Hidden = "HIDDEN",
        /// In the recycle bin.
        Deleted = "DELETED",
    }
}

/// A collection.
#[derive(Debug, Clone, Deserialize)]
pub struct Collection {
    /// Its id.
    pub id: CollectionId,
    /// Its title.
    #[serde(default, deserialize_with = "wire::text")]
    pub title: String,
    /// Its state.
    #[serde(default)]
    pub status: CollectionStatus,
    /// The collection it is in.
    #[serde(default)]
    pub parent_id: Option<CollectionId>,
    /// Whether it is at the top.
    #[serde(default, deserialize_with = "wire::truth")]
    pub is_root: bool,
    /// Selects which metadata views people see.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub category: Option<String>,
    /// What an outside system calls it. Nothing makes it unique.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub external_id: Option<String>,
    /// Who made it.
    #[serde(default)]
    pub created_by_user: Option<UserId>,
    /// When it was made.
    #[serde(default, rename = "date_created", deserialize_with = "wire::moment_or_none")]
    pub created: Option<Timestamp>,
    /// When it was changed last.
    #[serde(default, rename = "date_modified", deserialize_with = "wire::moment_or_none")]
    pub modified: Option<Timestamp>,
    /// In search results: values of the view that was asked for.
    #[serde(default)]
    pub metadata: Value,
}

/// A collection to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewCollection {
    /// Its title.
    pub title: String,
    /// The collection it goes into; none for one at the top.
    pub parent: Option<CollectionId>,
    /// What we call it: how a collection whose creation was not confirmed is found again.
    pub external_id: Option<String>,
    /// Selects which metadata views people see.
    pub category: Option<String>,
}

/// What is to be changed of a collection; nothing else is sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CollectionChange(Map<String, Value>);

impl CollectionChange {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Its title.
    #[must_use]
    pub fn title(self, title: &str) -> Self {
        self.with("title", title)
    }

    /// What we call it.
    #[must_use]
    pub fn external_id(self, id: &str) -> Self {
        self.with("external_id", id)
    }

    /// Its category.
    #[must_use]
    pub fn category(self, category: Option<&str>) -> Self {
        self.with("category", category)
    }
}

/// Something in a collection.
#[derive(Debug, Clone)]
pub enum CollectionContent {
    /// An asset. The copy may be stale: get it by its id.
    Asset(Box<Asset>),
    /// A collection.
    Collection(Box<Collection>),
    /// Something this client does not know: its kind and id.
    Other(String, String),
}

impl<'de> Deserialize<'de> for CollectionContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let read = match text("object_type").as_str() {
            "assets" => serde_json::from_value(value).map(|asset| Self::Asset(Box::new(asset))),
            "collections" => serde_json::from_value(value).map(|found| Self::Collection(Box::new(found))),
            other => Ok(Self::Other(other.to_owned(), text("id"))),
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// Which contents to list.
#[derive(Debug, Clone, Default)]
pub struct ContentFilter {
    /// Only these kinds: `assets`, `collections`.
    pub object_types: Vec<&'static str>,
    /// Only what has this external id.
    pub external_id: Option<String>,
}

fn path(collection: &CollectionId) -> [&str; 4] {
    ["assets", "v1", "collections", collection.as_str()]
}

impl Client {
    /// A collection.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`].
    pub async fn get_collection(&self, collection: &CollectionId) -> Result<Collection> {
        self.ask(&Call::get("get collection", &path(collection))).await
    }

    /// A collection, if it is there. One in the recycle bin is, and says so.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_collection(&self, collection: &CollectionId) -> Result<Option<Collection>> {
        self.look(&Call::get("get collection", &path(collection))).await
    }

    /// All collections. The list comes from the index and may be behind.
    pub fn list_collections(&self) -> Pages<'_, Collection> {
        let call = Call::get("list collections", &["assets", "v1", "collections"]);
        Pages::new(self, call, Style::Number).of_everything()
    }

    /// What is directly in a collection. The list comes from the index: something may be missing or stale, so what matters
    /// is read anew by its id, and completeness is judged twice.
    pub fn list_contents(
        &self,
        collection: &CollectionId,
        filter: &ContentFilter,
    ) -> Pages<'_, CollectionContent> {
        let [service, version, kind, id] = path(collection);
        let kinds = (!filter.object_types.is_empty()).then(|| filter.object_types.join(","));
        let call = Call::get("list contents", &[service, version, kind, id, "contents"])
            .query_if("object_types", kinds)
            .query_if("external_id", filter.external_id.as_deref());
        Pages::new(self, call, Style::Number)
    }

    /// Makes a collection.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: look for it among its parent's contents before trying again.
    pub async fn create_collection(&self, new: &NewCollection) -> Result<Collection> {
        let mut body = json!({"title": new.title});
        if let Some(members) = body.as_object_mut() {
            let optional = [
                ("parent_id", new.parent.as_ref().map(CollectionId::as_str)),
                ("external_id", new.external_id.as_deref()),
                ("category", new.category.as_deref()),
            ];
            for (key, value) in optional {
                members.extend(value.map(|value| (key.to_owned(), value.into())));
            }
        }
        self.ask(&Call::post("create collection", &["assets", "v1", "collections"]).body(body)).await
    }

    /// The collection with an external id in its parent, made when there is none. When the answer to its making is lost,
    /// it is looked for until the index has had time to show it.
    ///
    /// # Errors
    /// `Bug` without parent or external id; `UnknownOutcome` when it could not be found out whether it was made.
    pub async fn ensure_collection(&self, new: &NewCollection) -> Result<Collection> {
        let (Some(parent), Some(external_id)) = (&new.parent, &new.external_id) else {
            return Err(crate::error::Error::bug("ensure collection", "it has no parent or no external id"));
        };
        let find = async || {
            let filter =
                ContentFilter { object_types: vec!["collections"], external_id: Some(external_id.clone()) };
            let mut pages = self.list_contents(parent, &filter);
            while let Some(page) = pages.next_page().await? {
                for content in page {
                    let CollectionContent::Collection(found) = content else { continue };
                    let Some(found) = self.find_collection(&found.id).await? else { continue };
                    let is_it = found.external_id.as_ref() == Some(external_id);
                    if is_it && found.status != CollectionStatus::Deleted {
                        return Ok(Some(found));
                    }
                }
            }
            Ok(None)
        };
        if let Some(found) = find().await? {
            return Ok(found);
        }
        match self.create_collection(new).await {
            Err(failure) if failure.class() == FailureClass::UnknownOutcome => {
                self.patiently(find).await?.ok_or(failure)
            }
            outcome => outcome,
        }
    }

    /// Changes a collection: only what is given.
    ///
    /// # Errors
    /// `Invalid` when a value is refused.
    pub async fn update_collection(
        &self,
        collection: &CollectionId,
        change: &CollectionChange,
    ) -> Result<Collection> {
        let body = Value::Object(change.0.clone());
        self.ask(&Call::patch("update collection", &path(collection)).body(body)).await
    }

    /// Puts a collection into the recycle bin.
    ///
    /// # Errors
    /// As any call; one that is gone already is no failure.
    pub async fn delete_collection(&self, collection: &CollectionId) -> Result<()> {
        self.remove(&Call::delete("delete collection", &path(collection))).await
    }

    /// Puts something into a collection. What is in it already stays, and is no failure.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`] when one of them is missing.
    pub async fn add_to_collection(&self, collection: &CollectionId, content: &ObjectRef) -> Result<()> {
        let [service, version, kind, id] = path(collection);
        let call = Call::post("add to collection", &[service, version, kind, id, "contents"])
            .repeatable()
            .body(json!({"object_id": content.id(), "object_type": content.kind()}));
        match self.tell(&call).await {
            Err(error) if error.code() == CONFLICT => Ok(()),
            outcome => outcome,
        }
    }

    /// Takes something out of a collection; it is not deleted.
    ///
    /// # Errors
    /// As any call; what is not in it is no failure.
    pub async fn remove_from_collection(&self, collection: &CollectionId, content: &ObjectRef) -> Result<()> {
        let [service, version, kind, id] = path(collection);
        let path = [service, version, kind, id, "contents", content.kind(), content.id()];
        self.remove(&Call::delete("remove from collection", &path)).await
    }
}
