//! What the server says about an asset. A folder is one too.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    ids::{AssetId, ContentId, JobId, ModelId, OriginalId, PolicyId},
    metadata::Metadata,
    wire,
};

/// One version of an asset, or a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Asset {
    /// Id of this version.
    pub id: AssetId,
    /// What all versions share; that of the version itself where the server does not say.
    pub original_id: OriginalId,
    /// Number of the version.
    pub version: u64,
    /// Whether there is no later version; none when it is not told.
    pub is_latest: Option<bool>,
    /// Name.
    pub name: String,
    /// `ASSET`, `CONTAINER`, `USER`.
    pub data_type: Option<String>,
    /// Type of a folder; none for anything else.
    pub folder_type: Option<String>,
    /// State of the asset: `NORMAL`, `SEL_DEL`, `DELETED`.
    pub asset_state: Option<String>,
    /// State of its content, in the same words.
    pub content_state: Option<String>,
    /// Whether it is deleted, which can be undone for a while.
    pub is_deleted: bool,
    /// Whether its time is over.
    pub is_expired: bool,
    /// Whether somebody holds it.
    pub is_locked: bool,
    /// Who holds it, as the id of a user.
    pub locked_by: Option<String>,
    /// Since when.
    pub locked_since: Option<Timestamp>,
    /// Whether its content is being changed by somebody.
    pub is_checked_out: bool,
    /// By whom, as the id of a user.
    pub checked_out_by: Option<String>,
    /// When it came.
    pub imported: Option<Timestamp>,
    /// When it was changed last, in whole seconds.
    pub updated: Option<Timestamp>,
    /// The job that brought it.
    pub import_job: Option<JobId>,
    /// `BITMAP`, `VIDEO`, `AUDIO`, `ACROBAT`, `MSOFFICE`, `LAYOUT`, `NONE`.
    pub content_type: Option<String>,
    /// `CLIP` for a piece of another asset.
    pub content_sub_type: Option<String>,
    /// Media type of the master.
    pub mime_type: Option<String>,
    /// Length of the master in bytes; none for what has no file.
    pub content_size: Option<u64>,
    /// The master, where it was asked for.
    pub master: Option<ContentInfo>,
    /// Other renditions, where they are told: they are left out only when a [`super::ContentLoad`] does so.
    pub renditions: Vec<(Rendition, ContentInfo)>,
    /// The model of its metadata.
    pub model: Option<ModelId>,
    /// Its metadata; none when it was not asked for.
    pub metadata: Option<Metadata>,
    /// Its policies; none when they were not asked for.
    pub policies: Option<Vec<Policy>>,
    /// Where it is: each place as the names of the folders from the top; none when they were not asked for.
    pub paths: Option<Vec<Vec<String>>>,
    /// What it leads to, as the server tells it; none when it was not asked for.
    pub links: Option<Value>,
    /// What is in a folder, where it was asked for.
    pub child_counts: Option<ChildCounts>,
}

/// A file of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentInfo {
    /// Its id.
    pub id: ContentId,
    /// File name.
    pub name: Option<String>,
    /// Media type.
    pub mime_type: Option<String>,
    /// `MASTER`, `PDFRENDITION` and others.
    pub kind: Option<String>,
    /// Length in bytes.
    pub size: Option<u64>,
    /// A checksum in lower-case hexadecimal. By its length it is MD5; the vendor does not say.
    pub checksum: Option<String>,
    /// The storage it is in.
    pub storage: Option<String>,
}

/// Which rendition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendition {
    /// Small picture.
    Thumbnail,
    /// To look at.
    Preview,
    /// To look at, as PDF.
    PdfPreview,
}

impl Rendition {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Thumbnail => "thumbnail",
            Self::Preview => "preview",
            Self::PdfPreview => "pdf_preview",
        }
    }
}

/// A security policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// Its name, where it is told.
    pub name: Option<String>,
}

/// What is in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildCounts {
    /// Assets.
    pub assets: u64,
    /// Folders.
    pub folders: u64,
}

impl Asset {
    /// Reads one; nothing when it has no id.
    pub(super) fn read(json: &Value) -> Option<Self> {
        let text = |name: &str| wire::text(json, name);
        let id = AssetId::new(text("asset_id")?);
        let lock = ["asset_lock_state", "metadata_lock_state", "content_lock_state"];
        let lock = lock.into_iter().find(|lock| text(&format!("{lock}_user_id")).is_some());
        let locked_since = lock.and_then(|lock| wire::moment(json, &format!("{lock}_last_update_date")));
        let content = json.get("asset_content_info").and_then(|info| info.get("master_content"));
        let master = content.or_else(|| json.get("master_content_info")).and_then(ContentInfo::read);
        let is_folder = text("container_type_id");
        Some(Self {
            original_id: OriginalId::new(text("original_asset_id").unwrap_or_else(|| id.to_string())),
            id,
            version: wire::number(json, "version").unwrap_or(1),
            is_latest: wire::truth(json, "latest_version"),
            name: text("name").unwrap_or_default(),
            data_type: text("data_type"),
            folder_type: is_folder,
            asset_state: text("asset_state"),
            content_state: text("content_state"),
            is_deleted: wire::is(json, "deleted"),
            is_expired: wire::is(json, "expired"),
            is_locked: wire::is(json, "locked"),
            locked_by: lock.and_then(|lock| text(&format!("{lock}_user_id"))),
            locked_since,
            is_checked_out: wire::is(json, "checked_out"),
            checked_out_by: text("content_lock_state_user_id"),
            imported: wire::moment(json, "date_imported"),
            updated: wire::moment(json, "date_last_updated"),
            import_job: text("import_job_id").map(JobId::new),
            content_type: text("content_type"),
            content_sub_type: text("content_sub_type"),
            mime_type: text("mime_type"),
            content_size: wire::number(json, "content_size")
                .or_else(|| master.as_ref().and_then(|master| master.size)),
            master,
            renditions: renditions(json),
            model: text("metadata_model_id").map(ModelId::new),
            metadata: json.get("metadata").filter(|metadata| metadata.is_object()).map(Metadata::read),
            policies: json.get("security_policy_list").filter(|list| !list.is_null()).map(|_| policies(json)),
            paths: json.get("path_list").filter(|list| !list.is_null()).map(|_| paths(json)),
            links: json.get("links").filter(|links| !links.is_null()).cloned(),
            child_counts: json.get("container_child_counts").and_then(counts),
        })
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.folder_type.is_some() || self.data_type.as_deref() == Some("CONTAINER")
    }

    /// Whether it or its content is deleted.
    pub fn is_gone(&self) -> bool {
        let gone = |state: &Option<String>| matches!(state.as_deref(), Some("SEL_DEL" | "DELETED"));
        self.is_deleted || gone(&self.asset_state) || gone(&self.content_state)
    }

    /// Why there is no content of its own to be had, where there is none. The vendor's own interface offers none either.
    pub fn why_no_content(&self) -> Option<&'static str> {
        match () {
            () if self.is_folder() => Some("it is a folder"),
            () if self.is_gone() => Some("it is deleted"),
            () if self.content_type.as_deref() == Some("NONE") => Some("it has no content"),
            () if self.content_sub_type.as_deref() == Some("CLIP") => Some("it is a piece of another asset"),
            () if self.data_type.as_deref() == Some("USER") => Some("it is a user"),
            () => None,
        }
    }
}

impl ContentInfo {
    fn read(json: &Value) -> Option<Self> {
        let checksum = wire::text(json, "content_checksum");
        Some(Self {
            id: ContentId::new(wire::text(json, "id")?),
            name: wire::text(json, "name"),
            mime_type: wire::text(json, "mime_type"),
            kind: wire::text(json, "content_kind"),
            size: wire::number(json, "content_size"),
            checksum: checksum.map(|checksum| checksum.trim().to_ascii_lowercase()),
            storage: wire::text(json, "content_manager_id"),
        })
    }
}

fn renditions(json: &Value) -> Vec<(Rendition, ContentInfo)> {
    let Some(content) = json.get("rendition_content") else { return Vec::new() };
    let kinds = [
        (Rendition::Thumbnail, "thumbnail_content"),
        (Rendition::Preview, "preview_content"),
        (Rendition::PdfPreview, "pdf_preview_content"),
    ];
    let read = |(kind, name): (Rendition, &str)| Some((kind, ContentInfo::read(content.get(name)?)?));
    kinds.into_iter().filter_map(read).collect()
}

pub(super) fn policies(json: &Value) -> Vec<Policy> {
    let read = |policy: &Value| {
        let id = PolicyId::new(wire::text(policy, "id").or_else(|| wire::as_text(policy))?);
        Some(Policy { id, name: wire::text(policy, "name") })
    };
    wire::list(json, "security_policy_list").iter().filter_map(read).collect()
}

fn paths(json: &Value) -> Vec<Vec<String>> {
    let steps = |path: &Value| -> Vec<String> {
        let elements = match path {
            Value::Array(elements) => elements.as_slice(),
            _ => ["path_elements", "path_element_list", "tree_path", "path"]
                .iter()
                .map(|name| wire::list(path, name))
                .find(|list| !list.is_empty())
                .unwrap_or_default(),
        };
        elements.iter().filter_map(|step| wire::text(step, "name").or_else(|| wire::as_text(step))).collect()
    };
    wire::list(json, "path_list").iter().map(steps).collect()
}

fn counts(json: &Value) -> Option<ChildCounts> {
    json.is_object().then(|| ChildCounts {
        assets: wire::number(json, "asset_count").unwrap_or_default(),
        folders: wire::number(json, "container_count").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_asset_reads_with_numbers_as_texts_and_says_why_it_has_no_content() {
        let json = json!({
            "asset_id": "a1", "original_asset_id": "o1", "version": "2", "latest_version": "true",
            "name": "Trailer", "import_job_id": 4711, "content_size": "21474836480",
            "date_last_updated": "2024-01-02T03:04:05Z", "content_type": "VIDEO",
            "security_policy_list": {"id": 2}, "master_content_info": {"id": "c1", "content_checksum": "ABCD"},
            "locked": true, "metadata_lock_state_user_id": 7
        });
        let asset = Asset::read(&json).unwrap();
        assert_eq!(
            (asset.version, asset.is_latest, asset.content_size),
            (2, Some(true), Some(21_474_836_480))
        );
        assert_eq!(asset.import_job, Some(JobId::new("4711")));
        assert_eq!(asset.policies, Some(vec![Policy { id: PolicyId::new("2"), name: None }]));
        assert_eq!(asset.master.as_ref().unwrap().checksum.as_deref(), Some("abcd"));
        assert_eq!((asset.locked_by.as_deref(), asset.metadata.clone()), (Some("7"), None));
        assert_eq!(asset.why_no_content(), None);
        for (name, value) in
            [("content_state", "SEL_DEL"), ("content_sub_type", "CLIP"), ("container_type_id", "F")]
        {
            let mut other = json.clone();
            other[name] = value.into();
            assert!(Asset::read(&other).unwrap().why_no_content().is_some(), "{name}");
        }
        assert_eq!(Asset::read(&json!({"name": "x"})), None);
    }
}
