//! Uploads in parts. They belong to a user, not to a token: a long one outlives several.

use std::collections::BTreeMap;

use super::State;
use crate::content::{Blob, Spool};

/// An upload that is not complete.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Whose it is.
    pub user: String,
    /// Where to.
    pub bucket: String,
    /// Under which name.
    pub key: String,
    /// The folder the package goes to.
    pub destination: Option<String>,
    /// Parts and their marks.
    pub parts: BTreeMap<u32, (Blob, String)>,
}

/// Why an upload is refused: status, code and sentence, as the storage says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::preservica) struct Fault(
    pub(in crate::preservica) u16,
    pub(in crate::preservica) &'static str,
    pub(in crate::preservica) String,
);

impl Fault {
    pub(in crate::preservica) fn new(status: u16, code: &'static str, text: impl Into<String>) -> Self {
        Self(status, code, text.into())
    }

    fn no_upload() -> Self {
        Self::new(404, "NoSuchUpload", "The specified upload does not exist.")
    }
}

impl State {
    /// The bucket that packages go to.
    pub fn bucket(&self) -> String {
        format!("{}.package.upload", self.tenant.to_lowercase())
    }

    pub(in crate::preservica) fn begin_upload(
        &mut self,
        user: &str,
        (bucket, key): (&str, &str),
        destination: Option<String>,
    ) -> String {
        let id = format!("{}{}", self.new_api_id(), self.new_api_id());
        let (user, bucket, key) = (user.to_owned(), bucket.to_owned(), key.to_owned());
        self.uploads.insert(id.clone(), Upload { user, bucket, key, destination, parts: BTreeMap::new() });
        id
    }

    pub(in crate::preservica) fn upload(
        &mut self,
        user: &str,
        key: &str,
        id: &str,
    ) -> Result<&mut Upload, Fault> {
        let found = self.uploads.get_mut(id).filter(|upload| upload.user == user && upload.key == key);
        found.ok_or_else(Fault::no_upload)
    }

    /// Joins the parts that are named, and gives name, destination and bytes.
    pub(in crate::preservica) fn join_upload(
        &mut self,
        user: &str,
        key: &str,
        id: &str,
        named: &[(u32, String)],
    ) -> Result<(Option<String>, Blob), Fault> {
        let (threshold, least) =
            (self.settings.memory_threshold_bytes, self.settings.uploads.smallest_part_bytes);
        let most = self.settings.ingest.largest_package_bytes;
        let upload = self.upload(user, key, id)?;
        if named.windows(2).any(|two| two.first().map(|part| part.0) >= two.last().map(|part| part.0)) {
            let text = "The list of parts was not in ascending order.";
            return Err(Fault::new(400, "InvalidPartOrder", text));
        }
        let mut spool = Spool::new(threshold, false);
        for (at, (number, mark)) in named.iter().enumerate() {
            let part = upload.parts.get(number).filter(|(_, known)| known == mark.trim_matches('"'));
            let Some((part, _)) = part else {
                let text = "One or more of the specified parts could not be found.";
                return Err(Fault::new(400, "InvalidPart", text));
            };
            if at + 1 < named.len() && part.size < least {
                let text = "Your proposed upload is smaller than the minimum allowed size";
                return Err(Fault::new(400, "EntityTooSmall", text));
            }
            spool.append(part).map_err(|error| Fault::new(500, "InternalError", error.to_string()))?;
        }
        let whole = spool.finish();
        if let Some(most) = most.filter(|most| whole.size > *most) {
            return Err(Fault::new(
                400,
                "EntityTooLarge",
                super::ingest::too_large(whole.size, most).told().1,
            ));
        }
        let destination = upload.destination.clone();
        self.uploads.remove(id);
        Ok((destination, whole))
    }
}
