//! Large file upload: parts that become one content.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{MemberId, Outcome, Refusal, State};
use crate::content::Blob;

/// An upload in parts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LargeUpload {
    pub(crate) file_name: String,
    pub(crate) mime_type: String,
    pub(crate) size: u64,
    owner: MemberId,
    began: Timestamp,
    part_size: u64,
    parts: Vec<Option<Blob>>,
    closed: Option<Blob>,
}

/// What the caller needs to send the parts.
#[derive(Debug)]
pub struct Started {
    /// Key of the upload.
    pub upload_key: String,
    /// How many parts it wants.
    pub parts: usize,
    /// Bytes per part; the last one may be shorter.
    pub part_size: u64,
}

fn bad_key() -> Refusal {
    Refusal::said(500, "Invalid upload key.")
}

impl State {
    /// Starts an upload.
    pub fn start_large_upload(
        &mut self,
        actor: MemberId,
        file_name: &str,
        size: u64,
        mime_type: &str,
    ) -> Outcome<Started> {
        let settings = &self.settings.large_upload;
        if !settings.enabled {
            return Err(Refusal::said(500, "Large file upload is not enabled."));
        }
        if !(settings.min_size..=settings.max_size).contains(&size) {
            let (min, max) = (settings.min_size, settings.max_size);
            let text = format!("Invalid block size: File size must be between {min} and {max} bytes.");
            return Err(Refusal::said(500, text));
        }
        let part_size = settings.part_size.max(1);
        let parts = usize::try_from(size.div_ceil(part_size).max(1)).map_err(|_| bad_key())?;
        let upload_key = format!("upload{:08}", self.fresh_id());
        self.large_uploads.insert(
            upload_key.clone(),
            LargeUpload {
                file_name: file_name.to_owned(),
                mime_type: mime_type.to_owned(),
                size,
                owner: actor,
                began: self.now,
                part_size,
                parts: vec![None; parts],
                closed: None,
            },
        );
        Ok(Started { upload_key, parts, part_size })
    }

    fn large_upload(&mut self, actor: MemberId, key: &str) -> Outcome<&mut LargeUpload> {
        let (now, lifetime) = (self.now, self.settings.large_upload.session_seconds);
        let upload = self.large_uploads.get_mut(key).filter(|upload| upload.owner == actor);
        let upload = upload.ok_or_else(bad_key)?;
        if now.duration_since(upload.began).as_secs() >= lifetime {
            return Err(Refusal::said(500, "The upload session has expired."));
        }
        Ok(upload)
    }

    /// Keys of uploads that hold bytes, have become nothing yet, and are not forgotten.
    pub fn open_large_uploads(&self) -> Vec<String> {
        let lifetime = self.settings.large_upload.session_seconds;
        let open = self.large_uploads.iter().filter(|(_, upload)| {
            let holds = upload.closed.is_some() || upload.parts.iter().any(Option::is_some);
            holds && self.now.duration_since(upload.began).as_secs() < lifetime
        });
        open.map(|(key, _)| key.clone()).collect()
    }

    /// Takes a part, numbered from 1.
    pub fn put_part(&mut self, actor: MemberId, key: &str, number: i64, content: Blob) -> Outcome<()> {
        let in_order = self.settings.large_upload.parts_in_order;
        let upload = self.large_upload(actor, key)?;
        let count = upload.parts.len();
        let index = usize::try_from(number - 1).ok().filter(|index| *index < count);
        let range = || Refusal::said(500, format!("Invalid BlockID: Expected BlockID between 1 and {count}"));
        let index = index.ok_or_else(range)?;
        let start = upload.part_size.saturating_mul(index as u64);
        let expected = upload.part_size.min(upload.size.saturating_sub(start));
        let is_early = in_order && upload.parts.iter().take(index).any(Option::is_none);
        let slot = upload.parts.get_mut(index).ok_or_else(range)?;
        if slot.is_some() || upload.closed.is_some() {
            let text = format!("Invalid BlockID: BlockID {number} has already been uploaded.");
            return Err(Refusal::said(500, text));
        }
        if is_early {
            let text = format!("Invalid BlockID: BlockID {number} came before those in front of it.");
            return Err(Refusal::said(500, text));
        }
        if content.size != expected {
            return Err(Refusal::said(500, format!("Invalid block size: Expected {expected} bytes.")));
        }
        *slot = Some(content);
        Ok(())
    }

    /// Joins the parts.
    pub fn close_large_upload(&mut self, actor: MemberId, key: &str) -> Outcome<()> {
        let mut spool = self.settings.spool();
        let upload = self.large_upload(actor, key)?;
        if upload.closed.is_some() || upload.parts.iter().any(Option::is_none) {
            let text = "Invalid status. Cannot close an empty or already closed upload.";
            return Err(Refusal::said(500, text));
        }
        for part in std::mem::take(&mut upload.parts).into_iter().flatten() {
            spool.append(&part).map_err(|error| Refusal::said(500, error.to_string()))?;
        }
        upload.closed = Some(spool.finish());
        Ok(())
    }

    /// Forgets an upload.
    pub fn cancel_large_upload(&mut self, actor: MemberId, key: &str) -> Outcome<()> {
        self.large_upload(actor, key)?;
        self.large_uploads.remove(key);
        Ok(())
    }

    /// The joined content of a closed upload; a key is used once, when the call succeeds.
    pub fn closed_upload(&mut self, actor: MemberId, key: &str) -> Outcome<(Blob, String, String)> {
        let upload = self.large_upload(actor, key)?;
        match &upload.closed {
            Some(blob) => Ok((blob.clone(), upload.file_name.clone(), upload.mime_type.clone())),
            None => Err(Refusal::said(500, "Invalid status. The upload is not complete.")),
        }
    }
}
