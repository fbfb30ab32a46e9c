//! The audit: every asset's chain, exported and verified as an outsider would.

use std::collections::BTreeMap;

use shared::{
    audit::{self, SealedEvent},
    ledger::Ledger,
};

use super::{Result, systems::Stack};

/// A chain as exported, and what verifying it said.
pub(crate) struct Chain {
    pub(crate) events: Vec<SealedEvent>,
    /// One canonical event per line.
    pub(crate) export: String,
    /// The last hash, or what was found to be wrong.
    pub(crate) verdict: std::result::Result<String, String>,
}

/// Reads and verifies the chain of each asset.
pub(crate) async fn read(stack: &Stack, assets: &[String]) -> Result<BTreeMap<String, Chain>> {
    let ledger = Ledger::new(stack.dynamodb.clone(), stack.output("LedgerTableName")?, stack.context.clone());
    let mut chains = BTreeMap::new();
    for asset in assets {
        let events =
            ledger.chain(asset).await.map_err(|error| format!("the audit cannot be read: {error}"))?;
        let lines: std::result::Result<Vec<_>, _> = events.iter().map(SealedEvent::canonical).collect();
        let export = lines.map_err(|error| error.to_string())?.join("\n");
        let noted_end = events.last().map(|event| event.hash.as_str());
        let verdict = audit::verify(&export, noted_end).map_err(|tampering| tampering.to_string());
        chains.insert(asset.clone(), Chain { events, export, verdict });
    }
    Ok(chains)
}
