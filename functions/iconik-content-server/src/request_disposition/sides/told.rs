//! What iconik was told of a disposition, and the records it is about.

use shared::{
    error::Result,
    iconik::{MetadataChange, ViewId},
    reconcile::{Facts, Pair, Seen},
};

use super::{DispositionSides, state};
use crate::{
    disposition_rules::{Outcome, State},
    request_disposition::{
        asset::Asset,
        case::{Case, Phase},
    },
    sides::{self, OnBothSides, find_node},
};

/// Every state that is told.
const STATES: [State; 7] = [
    State::Held,
    State::InReview,
    State::Retained,
    State::Archiving,
    State::Archived,
    State::Destroyed,
    State::Withdrawn,
];

/// What iconik is told of how far a disposition is.
struct Told {
    state: Option<State>,
    outcome: Option<Outcome>,
    held: bool,
}

impl DispositionSides {
    /// The fields of the asset, against what was told. Other flows say something in the field of the state too: what is none of
    /// this flow's words is not held against it.
    pub(super) async fn told(&self, asset: &Asset, case: &Case, mut pair: Pair) -> Result<Pair> {
        let Told { state, outcome, held } = self.expected(case);
        let fields = &self.flow.rules.iconik;
        let values = self.flow.iconik.get_metadata(&asset.reference(), &ViewId::new(&fields.view)).await?;
        let mut both = OnBothSides::default();
        let mut put = |field: &str, change: MetadataChange, wanted: &str| {
            let there = values.texts(field).join("\n");
            let is_so = change.beyond(&values).is_empty();
            both.put(field.to_owned(), wanted, if is_so { wanted } else { &there });
        };
        if let Some(outcome) = outcome {
            let word = fields.outcome_word(outcome);
            put(&fields.outcome, MetadataChange::new().set(&fields.outcome, [word]), word);
        }
        if let Some((field, word)) = state.and_then(|state| fields.state_word(state)) {
            let there = values.texts(field).join("\n");
            let ours = |state: State| fields.state_word(state).is_some_and(|(_, word)| word == there);
            if there.is_empty() || STATES.into_iter().any(ours) {
                put(field, MetadataChange::new().set(field, [word]), word);
            }
        }
        if let Some(field) = &fields.hold {
            put(field, MetadataChange::new().set(field, [held]), if held { "true" } else { "false" });
        }
        let (mut source, mut target) = (Facts::default(), Facts::default());
        both.into_facts(&mut source, &mut target);
        pair.changed = pair.changed.max(asset.modified);
        (pair.source, pair.target) = (Seen::There(source), Seen::There(target));
        Ok(pair)
    }

    fn expected(&self, case: &Case) -> Told {
        let told = |state, outcome, held| Told { state, outcome, held };
        if case.held {
            return told(Some(State::Held), None, true);
        }
        match &case.phase {
            Phase::Due => told(None, None, false),
            Phase::InReview { .. } => told(Some(State::InReview), None, false),
            Phase::Archiving { .. } => told(Some(State::Archiving), None, false),
            Phase::Closed { outcome: None } => told(Some(State::Withdrawn), None, false),
            Phase::Closed { outcome: Some(outcome) } => {
                let rule = self.flow.rules.rule(&case.rule);
                let state = match outcome {
                    Outcome::Retain => Some(State::Retained),
                    // Where people archive themselves, nobody says how far it is; nor where they destroy.
                    Outcome::Archive if rule.is_some_and(|rule| !rule.archive_formats.is_empty()) => {
                        Some(State::Archived)
                    }
                    Outcome::Archive | Outcome::Destroy => None,
                };
                told(state, Some(*outcome), false)
            }
        }
    }

    /// The records of an asset while it is being decided: their status says so.
    pub(super) async fn records(&self, asset: &Asset, case: &Case) -> Result<Vec<Pair>> {
        let rule = self.flow.rules.rule(&case.rule);
        let Some(record) = rule.and_then(|rule| rule.record.as_ref()) else { return Ok(Vec::new()) };
        if !matches!(case.phase, Phase::InReview { .. }) {
            return Ok(Vec::new());
        }
        let mut pairs = Vec::with_capacity(case.nodes.len());
        for node in &case.nodes {
            let key = format!("node {node} of asset {}", asset.id);
            let mut pair = Pair::new(key, format!("record of {}", asset.title), sides::asset(&asset.id));
            pair.source = state(format!("status {}", record.status));
            if let Some(found) = find_node(&self.flow.content_server, *node).await? {
                pair.name = format!("record {} of {}", found.name, asset.title);
                pair.changed = found.modified.max(asset.since);
                let held = self.flow.content_server.get_record(*node).await?;
                let mut words: Vec<String> =
                    held.classifications().iter().map(|class| format!("status {}", class.status)).collect();
                words.sort();
                words.dedup();
                pair.target = state(if words.is_empty() { "no record".to_owned() } else { words.join(", ") });
            } else {
                pair.note = Some(format!("Node {node} was deleted, or the service user may not see it."));
            }
            pairs.push(pair);
        }
        Ok(pairs)
    }
}
