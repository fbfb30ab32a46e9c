//! What is kept: each thing of a review as an entry of the chain, and the chain as a document.

use std::collections::BTreeMap;

use shared::{
    audit,
    error::Result,
    iconik::Asset,
    reconcile::{Account, Facts, Pair, Seen},
    transfer::Digests,
};

use super::{ReviewSides, observed, pair, state};
use crate::exchange_review_status::{
    Subject,
    chain::Chain,
    entries::{Known, Of, due},
    evidence::{Standing, content_of, name_of},
    look::Sight,
    standing::detail,
};

/// What both sides say of something that the record has as it is.
const RECORDED: &str = "as it is now";

impl ReviewSides {
    /// Each review, verdict, comment and state of the document, against the last entry about it.
    pub(super) fn things(
        &self,
        asset: &Asset,
        known: &BTreeMap<String, Known>,
        seen: &Sight,
        account: &Account,
    ) -> Result<Vec<Pair>> {
        let id = asset.id.as_str();
        let of = Of { asset: id, item: "", now: self.flow.environment.context.now() };
        let due = due(known, &seen.now, &seen.gone, &of)?;
        let action = |subject: &str| {
            let entry = due.iter().find(|entry| detail(entry, "subject") == Some(subject));
            entry.and_then(|entry| detail(entry, "action"))
        };
        let mut pairs = Vec::with_capacity(seen.now.len());
        for one in &seen.now {
            let subject = one.subject();
            let mut pair = pair(asset, &subject, format!("{} of {}", one.kind.name(), asset.title));
            pair.changed = one.at;
            pair.source = state(RECORDED);
            let again = self.again(&asset.id)?;
            match action(&subject) {
                None => pair.target = state(RECORDED),
                Some("created") => {
                    pair.account = account.clone();
                    pair.if_missing = Some(again);
                }
                Some(_) => {
                    pair.target = state("as it was before");
                    pair.if_different = Some(again);
                }
            }
            pairs.push(pair);
        }
        for subject in seen.gone.iter().filter(|subject| action(subject).is_some()) {
            let kind = subject.split('/').next().unwrap_or_default();
            let mut pair = pair(asset, subject, format!("{kind} of {}", asset.title));
            (pair.source, pair.target) = (state("not there any more"), state("as if it were there"));
            pair.if_different = Some(self.again(&asset.id)?);
            pairs.push(pair);
        }
        Ok(pairs)
    }

    /// The evidence against the chain. Content Server states no hash, so the document is read: it is small.
    pub(super) async fn evidence(
        &self,
        subject: &Subject<'_>,
        asset: &Asset,
        chain: &Chain,
        account: &Account,
    ) -> Result<Option<Pair>> {
        if chain.entries.is_empty() {
            return Ok(None);
        }
        let name = name_of(&asset.id);
        let mut pair = pair(asset, "evidence", name.clone());
        pair.changed = observed(&chain.entries);
        let content = content_of(chain)?;
        if let Err(tampering) = audit::verify(&content, Some(chain.end())) {
            pair.source = Seen::Unreadable(format!("the chain in the ledger does not verify: {tampering}"));
            return Ok(Some(pair));
        }
        let whole = Digests::of(content.as_bytes()).sha256;
        pair.source = Seen::There(Facts { sha256: Some(whole.clone()), ..Facts::default() });
        let folder = self.flow.folder_of(subject).await?;
        let Some(node) = self.flow.content_server.find_child(folder, &name).await? else {
            pair.account = account.clone();
            pair.if_missing = Some(self.again(&asset.id)?);
            return Ok(Some(pair));
        };
        let held = match self.flow.standing(node.id, &content).await? {
            Standing::Same => whole,
            Standing::Behind => {
                pair.if_different = Some(self.again(&asset.id)?);
                pair.note = Some("The document holds the beginning of the chain.".into());
                "that of its beginning".to_owned()
            }
            Standing::Altered => {
                pair.note = Some("The document holds something else than the chain.".into());
                "another".to_owned()
            }
        };
        pair.target = Seen::There(Facts { sha256: Some(held), ..Facts::default() });
        Ok(Some(pair))
    }
}
