//! Assets and folders as they are written.

use serde_json::{Map, Value, json};

use super::reply::{Outcome, Refusal};
use super::request::Params;
use super::settings::{Checksum, EmptyValue};
use super::state::{
    Asset, CHANGE, Content, DELETE_ASSET, DOWNLOAD, Domain, Element, Field, Holder, Kind, Link, Lock, State,
    written,
};

/// What of an asset is written beside what always is.
#[derive(Clone, Debug, Default)]
pub(super) struct Load {
    metadata: bool,
    content: bool,
    pictures: bool,
    policies: bool,
    path: bool,
    links: bool,
    subscribed: bool,
    counts: bool,
    /// Only these fields of the metadata.
    fields: Option<Vec<String>>,
}

impl Load {
    /// As a request says.
    pub(super) fn read(params: &Params) -> Outcome<Self> {
        let plain = Self { content: true, pictures: true, subscribed: true, ..Self::default() };
        let mut load = match params.text("load_type") {
            None | Some("system") => plain,
            Some("metadata" | "inherited_metadata") => Self { metadata: true, ..plain },
            Some("full") => {
                Self { metadata: true, policies: true, path: true, links: true, counts: true, ..plain }
            }
            Some("custom") => Self::custom(params)?,
            Some(other) => return Err(Refusal::Invalid(format!("There is no load_type '{other}'"))),
        };
        if let Some(detail) = params.text("level_of_detail")
            && !matches!(detail, "slim" | "full")
        {
            return Err(Refusal::Invalid(format!("There is no level_of_detail '{detail}'")));
        }
        load.fields = params.text("metadata_to_return").map(|fields| {
            fields.split(',').map(|field| field.trim().to_owned()).filter(|field| !field.is_empty()).collect()
        });
        Ok(load)
    }

    fn custom(params: &Params) -> Outcome<Self> {
        let request = params.parsed("data_load_request")?;
        let request = request.as_ref().and_then(|root| root.get("data_load_request"));
        let request = request
            .ok_or_else(|| Refusal::Invalid("load_type=custom needs a data_load_request".to_owned()))?;
        // The flags come as booleans or as their words.
        let flag = |name: &str| {
            request
                .get(name)
                .is_some_and(|flag| *flag == true || flag.as_str().is_some_and(|text| text == "true"))
        };
        Ok(Self {
            metadata: flag("load_metadata"),
            content: flag("load_asset_content_info"),
            pictures: flag("load_thumbnail_info")
                || flag("load_preview_info")
                || flag("load_pdf_preview_info"),
            policies: flag("load_security_policies"),
            path: flag("load_path"),
            links: flag("load_destination_links"),
            subscribed: flag("load_subscribed_to"),
            counts: request.get("child_count_load_type").is_some(),
            fields: None,
        })
    }
}

/// Writes assets for a caller.
pub(super) struct Writer<'a> {
    pub(super) state: &'a State,
    pub(super) user: &'a str,
    /// Scheme, host and port that the call came to.
    pub(super) base: &'a str,
    /// Version of the interface, as addresses in answers have it.
    pub(super) version: u8,
}

impl Writer<'_> {
    /// An asset or folder.
    pub(super) fn asset(&self, asset: &Asset, load: &Load) -> Value {
        let mut members = Map::new();
        self.identity(asset, &mut members);
        self.states(asset, &mut members);
        self.contents(asset, load, &mut members);
        if load.metadata {
            members.insert("metadata".to_owned(), self.metadata(asset, load.fields.as_deref()));
        }
        if load.policies {
            let policies = self.state.policies.iter().filter(|policy| asset.policies.contains(&policy.id));
            let list: Vec<Value> =
                policies.map(|policy| json!({"id": policy.id, "name": policy.name})).collect();
            members.insert("security_policy_list".to_owned(), list.into());
        }
        if load.path {
            let above = self.state.path(asset);
            let step = |folder: &&Asset| json!({"id": folder.id, "name": folder.name});
            let path: Vec<Value> = above.iter().map(step).collect();
            members.insert("path_list".to_owned(), json!([{"path_elements": path}]));
        }
        if load.links {
            let link = |link: &Link| json!({"link_type_id": link.kind, "source_id": asset.id, "destination_id": link.target});
            let links: Vec<Value> = asset.links.iter().map(link).collect();
            members.insert("links".to_owned(), json!({"links": links, "source_id": asset.id}));
        }
        if load.subscribed {
            members.insert("subscribed_to".to_owned(), asset.subscribers.contains(self.user).into());
        }
        if asset.is_folder() && load.counts {
            let children = self.state.children(&asset.id, false);
            let folders = children.iter().filter(|child| child.is_folder()).count();
            let counts = json!({
                "asset_count": children.len() - folders, "container_count": folders, "total_child_count": children.len(),
            });
            members.insert("container_child_counts".to_owned(), counts);
        }
        members.into()
    }

    fn identity(&self, asset: &Asset, members: &mut Map<String, Value>) {
        let model = self.state.model(&asset.model);
        put(
            members,
            json!({
                "asset_id": asset.id, "original_asset_id": asset.original_id, "version": asset.version,
                "latest_version": asset.latest, "name": asset.name,
                "data_type": if asset.is_folder() { "CONTAINER" } else { "ASSET" },
                "metadata_model_id": asset.model, "legacy_model_id": model.map(|model| model.legacy_id),
                "date_imported": written(asset.imported), "date_last_updated": written(asset.updated),
                "creator_id": asset.creator, "import_user_name": self.login(&asset.creator),
                "product_associations": false, "expired": self.state.is_expired(asset), "deleted": asset.deleted.is_some(),
            }),
        );
        if let Some(job) = asset.import_job {
            members.insert("import_job_id".to_owned(), job.into());
        }
        if let Some(kind) = &asset.folder_type {
            put(
                members,
                json!({
                    "type": "com.artesia.container.Container", "container_id": asset.id, "container_type_id": kind,
                    "container_type_name": "Folder", "in_review": false,
                }),
            );
        }
        if self.state.settings.delivery.enabled && asset.master.is_some() {
            let address = format!("{}/adaptivemedia/rendition?id={}", self.base, asset.original_id);
            members.insert("delivery_service_url".to_owned(), address.into());
        }
    }

    fn states(&self, asset: &Asset, members: &mut Map<String, Value>) {
        let since = written(asset.deleted.unwrap_or(asset.imported));
        let (name, full_name) = (self.login(&asset.updated_by), self.full_name(&asset.updated_by));
        put(
            members,
            json!({
                "asset_state": if asset.deleted.is_some() { "DELETED" } else { "NORMAL" },
                "asset_state_last_update_date": since, "asset_state_user_id": asset.updated_by,
                "content_state": if asset.deleted.is_some() { "SEL_DEL" } else { "NORMAL" },
                "content_state_last_update_date": since, "content_state_user_id": asset.updated_by,
                "content_state_user_name": full_name, "metadata_state_user_name": full_name,
                "metadata_lock_state_user_name": name,
                "locked": asset.lock.is_some(), "checked_out": asset.check_out.is_some(),
                "content_editable": asset.master.is_some(),
            }),
        );
        for (prefix, lock) in [("asset_lock_state", &asset.lock), ("content_lock_state", &asset.check_out)] {
            let holder = lock.as_ref().map_or_else(|| asset.updated_by.clone(), |lock| self.holder(lock));
            let since = lock.as_ref().map_or(asset.updated, |lock| lock.since);
            members.insert(format!("{prefix}_last_update_date"), written(since).into());
            members.insert(format!("{prefix}_user_id"), holder.clone().into());
            if prefix == "content_lock_state" {
                members.insert(format!("{prefix}_user_name"), self.login(&holder).into());
            }
        }
        let holds = |right: &str| self.state.user(self.user).is_some_and(|user| user.rights.contains(right));
        let entry: Vec<Value> = [
            ("VIEW", true),
            ("EDIT_METADATA", holds(CHANGE)),
            ("EDIT_CONTENT", holds(CHANGE)),
            ("DOWNLOAD_CONTENT", holds(DOWNLOAD)),
            ("DELETE", holds(DELETE_ASSET)),
        ]
        .map(|(key, value)| json!({"key": key, "value": value}))
        .to_vec();
        members.insert("access_control_descriptor".to_owned(), json!({"permissions_map": {"entry": entry}}));
    }

    fn contents(&self, asset: &Asset, load: &Load, members: &mut Map<String, Value>) {
        members.insert("content_type".to_owned(), asset.content_type().into());
        let Some(master) = &asset.master else { return };
        put(members, json!({"mime_type": master.mime_type, "content_size": master.content.size}));
        if load.content {
            let master = self.content(master);
            put(
                members,
                json!({"master_content_info": master, "asset_content_info": {"master_content": master}}),
            );
        }
        let pictures = [
            ("thumbnail_content", &asset.thumbnail),
            ("preview_content", &asset.preview),
            ("pdf_preview_content", &asset.pdf),
        ];
        let shown: Map<String, Value> = pictures
            .into_iter()
            .filter_map(|(name, content)| Some((name.to_owned(), self.content(content.as_ref()?))))
            .collect();
        if load.pictures && !shown.is_empty() {
            members.insert("rendition_content".to_owned(), shown.into());
        }
        if let Some(thumbnail) = &asset.thumbnail {
            members.insert("thumbnail_content_id".to_owned(), thumbnail.id.clone().into());
        }
    }

    fn content(&self, content: &Content) -> Value {
        let mut shown = json!({
            "id": content.id, "name": content.name, "mime_type": content.mime_type, "content_kind": content.kind,
            "content_size": content.content.size, "unit_of_size": "BYTES",
            "width": content.pixels.0, "height": content.pixels.1,
            "content_manager_id": if content.offline { "ARTESIA.CONTENT.NEARLINE" } else { "ARTESIA.CONTENT.DISK" },
            "content_data": {"data_source": "NO_CONTENT", "temp_file": false},
            "url": format!("/otmmapi/v{}/renditions/{}", self.version, content.id),
        });
        let checksum = match self.state.settings.wire.checksum {
            Checksum::Md5 => Some(content.md5.clone()),
            Checksum::Opaque => Some(content.md5.chars().rev().collect()),
            Checksum::Absent => None,
        };
        if let (Some(checksum), Some(members)) = (checksum, shown.as_object_mut()) {
            members.insert("content_checksum".to_owned(), checksum.into());
        }
        shown
    }

    fn metadata(&self, asset: &Asset, only: Option<&[String]>) -> Value {
        let Some(model) = self.state.model(&asset.model) else { return json!({}) };
        let is_wanted = |id: &str| only.is_none_or(|only| only.iter().any(|wanted| wanted == id));
        let groups: Vec<Value> = model
            .groups
            .iter()
            .filter_map(|group| {
                let inner =
                    group.elements.iter().filter_map(|element| self.element(asset, element, &is_wanted));
                let inner: Vec<Value> = inner.collect();
                // Where only some fields are wanted, groups without any are left out.
                (only.is_none() || !inner.is_empty()).then(|| {
                    json!({
                        "type": "com.artesia.metadata.MetadataCategory", "id": group.id, "name": group.name,
                        "metadata_element_list": inner,
                    })
                })
            })
            .collect();
        json!({
            "type": "com.artesia.metadata.MetadataModel", "id": model.id, "name": model.name,
            "legacy_id": model.legacy_id, "has_multilingual_fields": false, "metadata_element_list": groups,
        })
    }

    fn element(&self, asset: &Asset, element: &Element, is_wanted: &dyn Fn(&str) -> bool) -> Option<Value> {
        match element {
            Element::Field(field) if is_wanted(&field.id) => Some(self.field(asset, field)),
            Element::Field(_) => None,
            Element::Table { id, name, columns } => {
                let wanted = columns.iter().filter(|column| is_wanted(id) || is_wanted(&column.id));
                let shown: Vec<Value> = wanted.map(|column| self.column(asset, column)).collect();
                (!shown.is_empty()).then(|| {
                    json!({
                        "type": "com.artesia.metadata.MetadataTable", "id": id, "name": name,
                        "metadata_element_list": shown,
                    })
                })
            }
        }
    }

    fn field(&self, asset: &Asset, field: &Field) -> Value {
        let value = self.state.values_of(asset, &field.id).into_iter().next();
        let mut shown =
            json!({"type": "com.artesia.metadata.MetadataField", "id": field.id, "name": field.name});
        let mut holder = json!({
            "cascading_domain_value": field.cascading, "domain_value": field.domain.is_some(), "is_locked": false,
        });
        let is_empty = value.is_none();
        if let (Some(value), Some(members)) = (value, holder.as_object_mut()) {
            members.insert("value".to_owned(), self.value(field, &value));
        }
        if (!is_empty || self.state.settings.wire.empty_value == EmptyValue::Hollow)
            && let Some(members) = shown.as_object_mut()
        {
            members.insert("value".to_owned(), holder);
        }
        shown
    }

    fn column(&self, asset: &Asset, column: &Field) -> Value {
        let rows = asset.columns.get(&column.id).map(Vec::as_slice).unwrap_or_default();
        let rows: Vec<Value> = rows
            .iter()
            .map(|row| match row {
                Some(value) => json!({"value": self.value(column, value)}),
                None => json!({}),
            })
            .collect();
        json!({
            "type": "com.artesia.metadata.MetadataTableField", "id": column.id, "name": column.name, "values": rows,
        })
    }

    fn value(&self, field: &Field, value: &Value) -> Value {
        let wire = &self.state.settings.wire;
        let kind = match field.kind {
            Kind::Char => "string",
            Kind::Number => wire.number_type.as_str(),
            Kind::Date => wire.date_type.as_str(),
        };
        let scalar = json!({"type": kind, "value": value});
        let domain = field.domain.as_deref().and_then(|domain| self.state.domain(domain));
        let Some(domain) = domain else { return scalar };
        let kind = match field.cascading {
            true => "com.artesia.metadata.CascadingDomainValue",
            false => "com.artesia.metadata.DomainValue",
        };
        let text = value.as_str().unwrap_or_default();
        let known = domain.display(text);
        json!({
            "type": kind, "display_value": known.map_or(text, |known| known.display.as_str()), "field_value": scalar,
            "expired_value": known.is_some_and(|known| known.expired),
        })
    }

    fn holder(&self, lock: &Lock) -> String {
        match &lock.holder {
            Holder::User(id) => id.clone(),
            // Jobs do what they do as their user.
            Holder::Job(number) => {
                self.state.jobs.get(number).map(|job| job.user.clone()).unwrap_or_default()
            }
        }
    }

    fn login(&self, user: &str) -> String {
        self.state.user(user).map(|user| user.login.clone()).unwrap_or_default()
    }

    fn full_name(&self, user: &str) -> String {
        self.state.user(user).map(|user| user.full_name.clone()).unwrap_or_default()
    }
}

/// Adds members.
fn put(members: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        members.extend(more);
    }
}

/// A lookup.
pub(super) fn domain(domain: &Domain) -> Value {
    let values: Vec<Value> = domain
        .values
        .iter()
        .map(|known| {
            json!({
                "active_from": "", "active_to": "", "description": known.display.trim(),
                "display_value": known.display, "expired_value": known.expired,
                "field_value": {"type": "string", "value": known.value},
            })
        })
        .collect();
    json!({"cacheable": true, "datatype": "CHAR", "domainId": domain.id, "domainValues": values})
}
