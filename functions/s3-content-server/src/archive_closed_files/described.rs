//! What the bags of a case say of themselves.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;
use shared::error::Result;

use super::{ArchiveClosedFiles, category::Archived, layout::CASE};

/// What `metadata/case.json` says, as far as it is asked for later.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Described {
    /// The rule by which it was archived.
    pub(super) rule: String,
    /// The day from which retention counts where no record has a date.
    pub(super) archived_on: Option<Date>,
    /// Its documents.
    pub(super) documents: Vec<i64>,
    /// Containers below the case.
    pub(super) containers: Vec<i64>,
}

/// The bags of a case.
#[derive(Debug, Default)]
pub(super) struct Bags {
    /// The one the case names.
    pub(super) current: Option<Described>,
    /// Every node that is in one of them: a hold on it is a hold on all of them.
    pub(super) nodes: Vec<i64>,
}

/// The beginning of the keys of all bags of a case, when this is one of them.
pub(super) fn in_case<'a>(archived: &Archived, prefix: &'a str) -> &'a str {
    prefix.strip_suffix(&format!("{}/", archived.revision)).unwrap_or(prefix)
}

impl ArchiveClosedFiles {
    /// What the bags of a case say of themselves.
    pub(super) async fn bags(&self, bucket: &str, case_prefix: &str, archived: &Archived) -> Result<Bags> {
        let (mut bags, mut nodes) = (Bags::default(), BTreeSet::new());
        for path in self.list(bucket, case_prefix).await?.keys().filter(|path| path.ends_with(CASE)) {
            let key = format!("{case_prefix}{path}");
            let Some(described) = self.get_json::<Described>(bucket, &key).await? else { continue };
            nodes.extend(described.documents.iter().chain(&described.containers).copied());
            if path.strip_suffix(CASE) == Some(&format!("{}/", archived.revision)) {
                bags.current = Some(described);
            }
        }
        bags.nodes = nodes.into_iter().collect();
        Ok(bags)
    }
}
