//! Bringing an asset in, step by step: small content in one call with its description, larger content ahead of it.
//! Its arrival begins a job, and what may have arrived is never sent again by itself.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Client,
    asset::Asset,
    assets::Load,
    call::Call,
    content::Upload,
    error::{NOT_FOUND, failure, not_configured},
    folders::policy_list,
    ids::{AssetId, JobId, ModelId, PolicyId, TemplateId},
    jobs::handle,
    metadata_change::MetadataChange,
    wire,
};
use crate::error::{Error, FailureClass, Result};

const OPERATION: &str = "import asset";
/// The content may have arrived, and its job may be under way: look for the asset before anything else, and begin with an
/// empty ledger only when it is not there.
pub const MAY_HAVE_ARRIVED: &str = "otmm.may-have-arrived";

/// An asset to be made.
#[derive(Debug, Clone)]
pub struct NewAsset {
    /// Its content.
    pub upload: Upload,
    /// The folder it goes into.
    pub folder: AssetId,
    /// The model of its metadata; that of the settings when absent.
    pub model: Option<ModelId>,
    /// Its metadata.
    pub metadata: MetadataChange,
    /// Its policies; those of the settings when empty. The user needs the right to give each of them.
    pub policies: Vec<PolicyId>,
    /// A template that fills in what is not said.
    pub template: Option<TemplateId>,
    /// What it is found by when nobody knows what became of it: a value that no other asset has, which goes into the
    /// settings' field for that.
    pub correlation: Option<String>,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportStep {
    /// More is done. Keep the ledger, then take the next step.
    Going,
    /// All has arrived, and its job begins. Whether that ends well is the job's to say.
    Done(JobId),
}

/// How far an import is. Keep it between steps; another process goes on from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportLedger {
    length: Option<u64>,
    /// The job that waits for its content.
    job: Option<JobId>,
    is_staged: bool,
    /// What makes it arrive is about to be sent, or was.
    is_arriving: bool,
    /// It was sent, and no answer came.
    is_unknown: bool,
    /// The job that does it.
    done: Option<JobId>,
}

impl ImportLedger {
    /// Whether the asset may be there. Whoever takes a ledger over for which this holds looks for the asset first.
    pub fn may_have_arrived(&self) -> bool {
        self.is_arriving && self.done.is_none()
    }

    /// The job, once it is known.
    pub fn job(&self) -> Option<&JobId> {
        self.done.as_ref().or(self.job.as_ref())
    }

    /// Goes on when the source is as long as it was.
    pub(super) fn check(&mut self, operation: &'static str, length: u64) -> Result<()> {
        let known = *self.length.get_or_insert(length);
        if known == length {
            return Ok(());
        }
        let message = format!("the content has {length} bytes and had {known} before");
        Err(failure(FailureClass::Conflict, operation, "otmm.source-changed", message))
    }

    /// The job that was to take the content is not taken any further. The next step begins another.
    pub(super) fn begin_anew(&mut self) {
        *self = Self { length: self.length, ..Self::default() };
    }

    /// Keeps what became of the call that makes it arrive.
    pub(super) fn arrived(&mut self, outcome: Result<JobId>) -> Result<ImportStep> {
        match outcome {
            Ok(job) => {
                self.done = Some(job.clone());
                Ok(ImportStep::Done(job))
            }
            Err(error) if error.class() == FailureClass::UnknownOutcome => {
                self.is_unknown = true;
                Err(error.with_code(MAY_HAVE_ARRIVED))
            }
            // The job is forgotten, and its content with it.
            Err(error) if error.code() == NOT_FOUND => {
                self.begin_anew();
                Err(error)
            }
            Err(error) => {
                self.is_arriving = false;
                Err(error)
            }
        }
    }

    /// What there is to say before anything is done.
    pub(super) fn ended(&self, operation: &'static str) -> Option<Result<ImportStep>> {
        if let Some(job) = &self.done {
            return Some(Ok(ImportStep::Done(job.clone())));
        }
        let text = "the content was sent before, and no answer came";
        self.is_unknown.then(|| Err(failure(FailureClass::UnknownOutcome, operation, MAY_HAVE_ARRIVED, text)))
    }
}

impl Client {
    /// Takes one step of an import. Content goes from its source to the server without being held. After an error keep the ledger
    /// as well.
    ///
    /// # Errors
    /// [`MAY_HAVE_ARRIVED`] (`UnknownOutcome`). [`super::RESTRICTED`], [`super::TOO_LARGE`] (`Forbidden`). As any call.
    pub async fn import_step(&self, new: &NewAsset, ledger: &mut ImportLedger) -> Result<ImportStep> {
        if let Some(ended) = ledger.ended(OPERATION) {
            return ended;
        }
        let length = new.upload.content.length();
        ledger.check(OPERATION, length)?;
        let description = self.description(new)?;
        let in_one_call = ledger.job.is_none() && length <= self.settings.imports.one_call_bytes;
        if !in_one_call && !self.is_content_there(&new.upload, "imports", ledger).await? {
            return Ok(ImportStep::Going);
        }
        if !ledger.is_arriving {
            // Whoever keeps the ledger now knows that it may have arrived from here on.
            ledger.is_arriving = true;
            return Ok(ImportStep::Going);
        }
        let outcome = if in_one_call {
            self.import_at_once(new, &description).await
        } else {
            self.import_staged(new, &description, ledger).await
        };
        ledger.arrived(outcome)
    }

    /// Takes a step towards the content waiting at the server. True when it does.
    pub(super) async fn is_content_there(
        &self,
        upload: &Upload,
        kind: &str,
        ledger: &mut ImportLedger,
    ) -> Result<bool> {
        let Some(job) = ledger.job.clone() else {
            // A second one does no harm: nothing is done by a job without content.
            let made = self.new_job(kind, upload).await.map_err(harmless)?;
            ledger.job = Some(made);
            return Ok(false);
        };
        if ledger.is_staged {
            return Ok(true);
        }
        let staged = self.stage(&job, upload).await;
        if let Err(error) = staged {
            ledger.begin_anew();
            return Err(harmless(error));
        }
        ledger.is_staged = true;
        Ok(false)
    }

    async fn import_at_once(&self, new: &NewAsset, description: &Value) -> Result<JobId> {
        let form = self.described(new, description);
        let call = Call::post(OPERATION, &["assets"])
            .naming(description)
            .multipart(&new.upload.part(form, "files"))
            .within(self.settings.transfer_time(new.upload.content.length()));
        handle(&call, &self.ask(&call).await?)
    }

    async fn import_staged(
        &self,
        new: &NewAsset,
        description: &Value,
        ledger: &ImportLedger,
    ) -> Result<JobId> {
        let Some(job) = &ledger.job else {
            return Err(Error::bug(OPERATION, "content was sent to no job"));
        };
        let form = self
            .described(new, description)
            .text("import_job_id", job.as_str())
            .text("file_name", &new.upload.file_name);
        let call = Call::put(OPERATION, &["jobs", "imports", job.as_str()]);
        let call = call.once().naming(description).multipart(&form);
        let answer = self.tell(&call).await?;
        // A server that says no more than that it is done goes on with the job it gave.
        Ok(handle(&call, &answer).unwrap_or_else(|_| job.clone()))
    }

    fn described(&self, new: &NewAsset, description: &Value) -> crate::http::FormData {
        let form = self
            .new_form()
            .json("asset_representation", description)
            .json("manifest", &new.upload.manifest(None))
            .text("parent_folder_id", new.folder.as_str())
            .text("no_content", "false");
        match &new.template {
            Some(template) => form.text(&self.settings.imports.template_part, template.as_str()),
            None => form,
        }
    }

    /// What the server is told of the asset.
    fn description(&self, new: &NewAsset) -> Result<Value> {
        let ids = &self.settings.ids;
        let mut metadata = new.metadata.clone();
        if let Some(correlation) = &new.correlation {
            if ids.correlation.is_empty() {
                return Err(not_configured(OPERATION, "ids.correlation"));
            }
            metadata = metadata.text(&ids.correlation, correlation);
        }
        let policies = if new.policies.is_empty() { &ids.policies } else { &new.policies };
        let mut asset = json!({
            "metadata": {"metadata_element_list": metadata.of_new(&self.settings)?},
            "metadata_model_id": new.model.as_ref().unwrap_or(&ids.asset_model),
        });
        if !policies.is_empty() {
            wire::put(&mut asset, "security_policy_list", policy_list(policies));
        }
        Ok(json!({"asset_resource": {"asset": asset}}))
    }

    /// The assets that an import made: those that its job names, and those that have its correlation. Each is read by its id, and
    /// belongs to the job where both are known.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_imported(&self, job: Option<&JobId>, correlation: Option<&str>) -> Result<Vec<Asset>> {
        let named = match job {
            Some(job) => self.get_job(job).await?.assets,
            None => Vec::new(),
        };
        let mut found = Vec::new();
        for id in named {
            found.extend(self.find_asset(&id, Load::Metadata).await?);
        }
        let field = &self.settings.ids.correlation;
        if let Some(correlation) = correlation.filter(|_| found.is_empty()) {
            if field.is_empty() {
                return Err(not_configured("look for an import", "ids.correlation"));
            }
            found = self.find_made(field, correlation).await?;
        }
        if let Some(job) = job {
            found.retain(|asset| asset.import_job.as_ref().is_none_or(|known| known == job));
        }
        Ok(found)
    }
}

/// What was lost on the way, and does not matter: it is begun anew.
fn harmless(error: Error) -> Error {
    match error.class() {
        FailureClass::UnknownOutcome => error.with_class(FailureClass::Transient),
        _ => error,
    }
}
