//! Content on its way in: what a check-in and an import have in common.

use serde_json::{Value, json};

use super::{
    Client,
    call::Call,
    ids::{AssetId, JobId},
    jobs::handle,
    wire,
};
use crate::{
    error::Result,
    http::{FormData, Replayable},
};

/// Content on its way in.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The bytes, which can be opened as often as needed; they are not held.
    pub content: Replayable,
    /// The file's name.
    pub file_name: String,
    /// Its media type.
    pub content_type: String,
}

impl Upload {
    /// What the server is told of the files it gets; of a new version with the asset it is of.
    pub(super) fn manifest(&self, version_of: Option<&AssetId>) -> Value {
        let mut file = json!({"file": {"file_name": self.file_name, "file_type": self.content_type}});
        if let Some(asset) = version_of {
            wire::put(&mut file, "uoi_id", asset.as_str());
        }
        json!({"upload_manifest": {"master_files": [file]}})
    }

    pub(super) fn part(&self, form: FormData, name: &str) -> FormData {
        form.file(name, &self.file_name, &self.content_type, self.content.clone())
    }
}

impl Client {
    pub(super) fn new_form(&self) -> FormData {
        FormData::new(&self.http.context().new_id())
    }

    /// A job that waits for its content. One whose answer is lost stays behind and does nothing.
    pub(super) async fn new_job(&self, kind: &str, upload: &Upload) -> Result<JobId> {
        let call = Call::post("begin import", &["jobs", kind]).field("file_name", &upload.file_name);
        handle(&call, &self.ask(&call).await?)
    }

    /// The content of a job that waits for it. What becomes of a second sending nobody says, so it is not sent again to the same
    /// job.
    pub(super) async fn stage(&self, job: &JobId, upload: &Upload) -> Result<()> {
        let form = self.new_form().text("import_job_id", job.as_str()).text("file_name", &upload.file_name);
        let call = Call::post("send content", &["renditions"])
            .multipart(&upload.part(form, "file"))
            .within(self.settings.transfer_time(upload.content.length()));
        self.tell(&call).await.map(drop)
    }
}
