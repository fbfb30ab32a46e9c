//! What happened to a node, as the server wrote it down. Which events it writes is for its administrator to say.

use jiff::{Timestamp, civil};
use serde::Deserialize;

use super::{
    Client,
    call::Call,
    children::Turn,
    node::NodeId,
    wire::{self, Collection, Data, OneOrMany},
};
use crate::error::Result;

/// Which entries to list.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only these types of event.
    pub event_type: Option<i64>,
    /// From this day on.
    pub from: Option<civil::Date>,
    /// Until this day, itself included.
    pub until: Option<civil::Date>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The type of event.
    pub event_type: i64,
    /// Its name, in the user's language.
    pub name: String,
    /// When.
    pub at: Option<Timestamp>,
    /// Who.
    pub user: Option<i64>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    collection: Option<Collection>,
    results: Data<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    audit: OneOrMany<Written>,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    event_type: Option<i64>,
    #[serde(default, deserialize_with = "wire::text")]
    audit_name: String,
    #[serde(default, deserialize_with = "wire::text")]
    audit_date: String,
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    user_id: Option<i64>,
}

impl Client {
    /// What happened to a node, oldest first.
    ///
    /// # Errors
    /// `Forbidden` when this user may not read it.
    pub async fn list_audit(&self, node: NodeId, filter: &AuditFilter) -> Result<Vec<AuditEntry>> {
        const OPERATION: &str = "list the audit";
        let mut turn = Turn::new(self);
        let mut entries = Vec::new();
        while let Some(page) = turn.page(OPERATION)? {
            let call = Call::get(OPERATION, format!("/v2/nodes/{node}/audit"))
                .query_if("where_type", filter.event_type)
                .query_if("where_audit_date_start", filter.from)
                .query_if("where_audit_date_end", filter.until)
                .query("sort", "asc_audit_date")
                .query("page", page)
                .query("limit", turn.limit);
            let answer: Answer = self.ask(&call).await?;
            let page = answer.results.data.audit.0;
            turn.took(page.len(), answer.collection.as_ref().map(|collection| &collection.paging));
            for written in page {
                // Entries have no id, and two may be equal: their place in the listing tells them apart.
                turn.is_new(i64::try_from(entries.len()).unwrap_or(i64::MAX));
                entries.push(AuditEntry {
                    event_type: written.event_type.unwrap_or_default(),
                    name: written.audit_name,
                    at: wire::moment(&written.audit_date, &self.zone),
                    user: written.user_id,
                });
            }
        }
        Ok(entries)
    }
}
