//! Content on its way in: new assets, new versions, pictures of assets.

use serde::Serialize;
use serde_json::Value;

use super::metadata::{Change, as_text, entries};
use super::{Asset, CHANGE, Holder, JobKind, Lock, Outcome, Refusal, State};
use crate::content::Blob;

/// A file that came.
#[derive(Clone, Debug, Serialize)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub mime_type: String,
    /// MD5 in hexadecimal.
    pub md5: String,
    /// The bytes.
    pub content: Blob,
}

/// A file as a manifest names it.
#[derive(Clone, Debug)]
pub(in crate::otmm) struct Master {
    pub(in crate::otmm) name: String,
    pub(in crate::otmm) mime_type: Option<String>,
    /// The version that the file replaces.
    pub(in crate::otmm) replaces: Option<String>,
}

/// What an import is told beside its files.
#[derive(Clone, Debug, Default)]
pub(in crate::otmm) struct Source {
    /// The asset as it shall be.
    pub(in crate::otmm) representation: Option<Value>,
    /// The template it follows.
    pub(in crate::otmm) template: Option<String>,
    /// The folder it goes to.
    pub(in crate::otmm) parent: Option<String>,
    /// Which files there are.
    pub(in crate::otmm) manifest: Vec<Master>,
    /// There is no file.
    pub(in crate::otmm) no_content: bool,
}

/// What a job has to do at its end.
#[derive(Clone, Debug, Default)]
pub(super) enum Plan {
    #[default]
    Nothing,
    /// New assets, which are there already.
    Import,
    /// These versions get these files; with the locks they had.
    CheckIn(Vec<(String, File, Option<Lock>)>),
    /// This asset gets a picture of this kind.
    Rendition(String, String, File),
}

impl Master {
    /// The files of a manifest.
    pub(in crate::otmm) fn read(manifest: Option<&Value>) -> Outcome<Vec<Self>> {
        let Some(manifest) = manifest else { return Ok(Vec::new()) };
        let files = manifest.get("upload_manifest").and_then(|manifest| manifest.get("master_files"));
        let read = |entry: &Value| {
            let text = |name: &str| Some(entry.get("file")?.get(name)?.as_str()?.to_owned());
            Some(Self {
                name: text("file_name")?,
                mime_type: text("file_type"),
                replaces: entry.get("uoi_id").and_then(as_text),
            })
        };
        let found: Option<Vec<Self>> = entries(files).into_iter().map(read).collect();
        found
            .filter(|found| !found.is_empty())
            .ok_or_else(|| Refusal::Invalid("The manifest names no file".to_owned()))
    }
}

impl State {
    /// Whether a file of this name may come in.
    pub(in crate::otmm) fn takes(&self, name: &str) -> Outcome<()> {
        let extension =
            name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default();
        match self.settings.imports.restricted_extensions.contains(&extension) {
            true => Err(Refusal::Business(format!("The file extension '{extension}' is restricted"))),
            false => Ok(()),
        }
    }

    /// A file for a job that waits.
    pub(in crate::otmm) fn stage(&mut self, user: &str, job: &str, file: File) -> Outcome<()> {
        self.needs(user, CHANGE)?;
        self.takes(&file.name)?;
        let id = self.waiting_job(user, job)?;
        if let Some(job) = self.jobs.get_mut(&id) {
            job.files.push(file);
        }
        Ok(())
    }

    /// The files that a manifest names, in its order, of those that came for a job.
    fn named(&self, job: u64, manifest: &[Master]) -> Outcome<Vec<File>> {
        let came = self.jobs.get(&job).map(|job| job.files.as_slice()).unwrap_or_default();
        let find = |master: &Master| {
            let found = came.iter().rfind(|file| file.name == master.name).cloned();
            let found = found.ok_or_else(|| {
                Refusal::Business(format!(
                    "The manifest names the file '{}', which did not come",
                    master.name
                ))
            })?;
            Ok(File { mime_type: master.mime_type.clone().unwrap_or(found.mime_type), ..found })
        };
        manifest.iter().map(find).collect()
    }

    /// Starts an import.
    pub(in crate::otmm) fn run_import(&mut self, user: &str, job: u64, source: &Source) -> Outcome<()> {
        self.needs(user, CHANGE)?;
        if self.jobs.get(&job).is_some_and(|job| job.kind != JobKind::Import) {
            return Err(Refusal::Business(format!("The job {job} is no import")));
        }
        let files: Vec<Option<File>> = match source.no_content {
            true => vec![None],
            false if source.manifest.is_empty() => {
                return Err(Refusal::Invalid("There is no manifest".to_owned()));
            }
            false => self.named(job, &source.manifest)?.into_iter().map(Some).collect(),
        };
        let described = match self.describe(user, source) {
            Ok(described) => Ok(described),
            Err(refusal) if self.settings.imports.checked_by_job => Err(refusal.told(&self.settings).1),
            Err(refusal) => return Err(refusal),
        };
        let (asset, changes) = match described {
            Ok(described) => described,
            Err(doom) => {
                self.run(job, Plan::Import, Some(doom));
                return Ok(());
            }
        };
        let mut made = Vec::new();
        for file in files {
            let draft = self.draft("", &asset.model, user);
            let mut new = Asset {
                name: file.as_ref().map_or_else(|| format!("Import {job}"), |file| file.name.clone()),
                import_job: Some(job),
                policies: asset.policies.clone(),
                parents: asset.parents.clone(),
                lock: Some(Lock { holder: Holder::Job(job), since: self.now }),
                hidden: !self.settings.imports.visible_at_once,
                ..draft
            };
            self.apply(&mut new, changes.clone())?;
            if let Some(file) = file {
                new.master =
                    Some(self.content_with(&file.name, &file.mime_type, "MASTER", (file.content, file.md5)));
            }
            made.push(self.add(new));
        }
        if let Some(job) = self.jobs.get_mut(&job) {
            job.assets = made;
        }
        self.run(job, Plan::Import, None);
        Ok(())
    }

    /// What the new assets of an import have in common.
    fn describe(&mut self, user: &str, source: &Source) -> Outcome<(Asset, Vec<Change>)> {
        let template = match &source.template {
            None => None,
            Some(id) => {
                let found = self.templates.iter().find(|template| template.id == *id).cloned();
                Some(found.ok_or_else(|| Refusal::Business(format!("There is no import template {id}")))?)
            }
        };
        let asked = source.representation.as_ref().and_then(|root| root.get("asset_resource")?.get("asset"));
        if template.is_none() && asked.is_none() {
            return Err(Refusal::Business(
                "Neither an asset representation nor an import template came".to_owned(),
            ));
        }
        let member = |name: &str| asked.and_then(|asked| asked.get(name));
        let model = member("metadata_model_id").and_then(Value::as_str).map(str::to_owned);
        let model = model.or_else(|| template.as_ref().map(|template| template.model.clone()));
        let model =
            model.ok_or_else(|| Refusal::Business("The asset has no metadata_model_id".to_owned()))?;
        let changes =
            self.read_changes(&model, member("metadata").and_then(|all| all.get("metadata_element_list")))?;
        let policies = match (member("security_policy_list"), template) {
            (None, Some(template)) => template.policies,
            (list, _) => self.read_policies(list)?,
        };
        if policies.is_empty() {
            return Err(Refusal::Business("The asset has no security policy".to_owned()));
        }
        let parent = source.parent.clone().unwrap_or_else(|| format!("{user}{}", super::USER_ROOT));
        self.folder(&parent)?;
        let draft = self.draft("", &model, user);
        let mut asset = Asset { policies, parents: vec![parent], ..draft };
        // What cannot be saved is told before anything is made.
        self.apply(&mut asset, changes.clone())?;
        Ok((asset, changes))
    }

    /// Starts a check-in.
    pub(in crate::otmm) fn run_check_in(&mut self, user: &str, job: u64, manifest: &[Master]) -> Outcome<()> {
        self.needs(user, CHANGE)?;
        let files = self.named(job, manifest)?;
        let mine = Holder::User(user.to_owned());
        let mut plan = Vec::new();
        for (master, file) in manifest.iter().zip(files) {
            let id = master.replaces.as_deref();
            let id =
                id.ok_or_else(|| Refusal::Business(format!("The file '{}' has no uoi_id", master.name)))?;
            let asset = self.asset(id)?;
            if asset.check_out.as_ref().is_none_or(|lock| lock.holder != mine) {
                return Err(Refusal::Locked(format!("The asset {id} is not checked out by the user")));
            }
            if asset.is_held_from(user) {
                return Err(self.held(asset));
            }
            if self.settings.imports.check_in_needs_lock && !asset.is_locked_by(user) {
                return Err(Refusal::Locked(format!("The asset {id} is not locked by the user")));
            }
            plan.push((id.to_owned(), file, asset.lock.clone()));
        }
        for (id, ..) in &plan {
            let lock = Lock { holder: Holder::Job(job), since: self.now };
            if let Some(asset) = self.assets.get_mut(id) {
                asset.lock = Some(lock);
            }
        }
        self.run(job, Plan::CheckIn(plan), None);
        Ok(())
    }

    /// Starts the making of a thumbnail or preview.
    pub(in crate::otmm) fn run_rendition(
        &mut self,
        user: &str,
        id: &str,
        kind: &str,
        file: File,
    ) -> Outcome<u64> {
        self.needs(user, CHANGE)?;
        self.asset(id)?;
        if !matches!(kind, "thumbnail" | "preview") {
            return Err(Refusal::Business(format!("There is no rendition type '{kind}'")));
        }
        if file.mime_type != "image/png" && !file.name.contains('.') {
            return Err(Refusal::Business("The file has no name with an extension".to_owned()));
        }
        let job = self.begin_job(user, JobKind::Rendition);
        self.run(job, Plan::Rendition(id.to_owned(), kind.to_owned(), file), None);
        Ok(job)
    }

    /// What a job that ends well leaves; gives the assets it has made just now.
    pub(super) fn finish(&mut self, job: u64, plan: Plan, user: &str) -> Vec<String> {
        match plan {
            Plan::Nothing => Vec::new(),
            Plan::Import => {
                for id in self.jobs.get(&job).map(|job| job.assets.clone()).unwrap_or_default() {
                    self.picture(&id);
                    if let Some(asset) = self.assets.get_mut(&id) {
                        (asset.lock, asset.hidden) = (None, false);
                    }
                    self.touch(&id, user);
                }
                Vec::new()
            }
            Plan::CheckIn(files) => {
                files.into_iter().filter_map(|(id, file, _)| self.new_version(&id, file, job, user)).collect()
            }
            Plan::Rendition(id, kind, file) => {
                let upper = kind.to_uppercase();
                let made = self.content_with(&file.name, &file.mime_type, &upper, (file.content, file.md5));
                if let Some(asset) = self.assets.get_mut(&id) {
                    match kind.as_str() {
                        "thumbnail" => asset.thumbnail = Some(made),
                        _ => asset.preview = Some(made),
                    }
                }
                self.touch(&id, user);
                Vec::new()
            }
        }
    }

    /// What a job that fails leaves.
    pub(super) fn undo(&mut self, job: u64, plan: Plan) {
        match plan {
            Plan::Nothing | Plan::Rendition(..) => {}
            Plan::Import => {
                let made: Vec<String> = self
                    .assets
                    .values()
                    .filter(|asset| asset.import_job == Some(job))
                    .map(|asset| asset.id.clone())
                    .collect();
                for id in made {
                    self.remove(&id);
                }
            }
            Plan::CheckIn(files) => {
                for (id, _, lock) in files {
                    if let Some(asset) = self.assets.get_mut(&id) {
                        asset.lock = lock;
                    }
                }
            }
        }
    }

    /// A version after another, with everything that one had but its file. The check-out ends.
    fn new_version(&mut self, id: &str, file: File, job: u64, user: &str) -> Option<String> {
        let old = self.assets.get_mut(id)?;
        (old.check_out, old.lock, old.latest) = (None, None, false);
        let old = old.clone();
        let master = self.content_with(&file.name, &file.mime_type, "MASTER", (file.content, file.md5));
        let new = Asset {
            id: self.new_id(),
            version: old.version + 1,
            latest: true,
            number: self.next(),
            imported: self.now,
            updated: self.now,
            creator: user.to_owned(),
            updated_by: user.to_owned(),
            import_job: Some(job),
            master: Some(master),
            thumbnail: None,
            preview: None,
            pdf: None,
            ..old
        };
        self.reindex(id);
        let made = self.add(new);
        self.picture(&made);
        Some(made)
    }

    /// Pictures that an import makes of pictures.
    pub(in crate::otmm) fn picture(&mut self, id: &str) {
        let Some(asset) = self.assets.get(id).filter(|asset| asset.content_type() == "BITMAP") else {
            return;
        };
        let name = asset.master.as_ref().map(|master| master.name.clone()).unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
        let number = asset.number;
        let mut make = |kind: &str, suffix: &str, size: u64| {
            let content = Blob::generated(number.wrapping_mul(31).wrapping_add(size), size);
            self.content(&format!("{stem}_{suffix}.jpg"), "image/jpeg", kind, content)
        };
        let (thumbnail, preview) = (make("THUMBNAIL", "tn", 2_000), make("PREVIEW", "pv", 9_000));
        if let Some(asset) = self.assets.get_mut(id) {
            (asset.thumbnail, asset.preview) = (Some(thumbnail), Some(preview));
        }
    }

    /// Starts an export; gives its number, how many can leave and how many cannot.
    pub(in crate::otmm) fn run_export(&mut self, user: &str, ids: &[String]) -> Outcome<(u64, usize, usize)> {
        let may = self.needs(user, super::EXPORT).is_ok() && self.needs(user, super::DOWNLOAD).is_ok();
        let can = |id: &&String| {
            may && self.asset(id).is_ok_and(|asset| asset.deleted.is_none() && asset.master.is_some())
        };
        let exportable: Vec<String> = ids.iter().filter(can).cloned().collect();
        if exportable.is_empty() {
            return Err(Refusal::Business("None of the assets can be exported".to_owned()));
        }
        let (count, rest) = (exportable.len(), ids.len() - exportable.len());
        let job = self.begin_job(user, JobKind::Export);
        self.run(job, Plan::Nothing, None);
        Ok((job, count, rest))
    }
}
