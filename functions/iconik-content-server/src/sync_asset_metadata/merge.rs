//! The three-way merge of a pair: what both sides agreed on last, against what each holds now.
//!
//! A pure function: it reads no clock, calls nobody and remembers nothing but the [`PairState`] it is given and gives back.
//! The flow reads both sides, merges, records the conflicts and the state, writes, reads again, and confirms.
//!
//! Field by field, where the sides hold different things (equal ones are agreed on, and nothing is written):
//!
//! | since the agreement | policy | becomes |
//! |---|---|---|
//! | one side changed | the field is the other side's | the change is undone; a conflict is recorded |
//! | one side changed | any other | the other side takes it |
//! | there is no agreement, one side has nothing | any | it takes what the other has |
//! | both changed, or there is no agreement, or it is not sure | a side's | that side's value; recorded |
//! | | newest | what was changed later; the side named for ties when they are equal or not known; recorded |
//! | | manual | waits for a person, recorded; nothing is written |
//! | what would be taken is unfit, or the other side does not take it | any | waits, recorded |
//! | a side has no place for the field | any | waits, recorded: what cannot be seen has not been deleted |
//! | writes were answered with something else [`MOST_HOPS`] times | any | waits, recorded |
//!
//! **Nothing is lost.** A value that somebody gave, and that both sides have not agreed on, is only overwritten when the
//! conflict with both values is among [`Merge::conflicts`], which are recorded before anything is written.
//!
//! **An end unknown is told from an edit.** Before a write its content is noted with a mark that the side changes at
//! every write ([`Intent`]). Found as written, it was: that is the agreement now (as it is when a person gave that very value
//! meanwhile). With the mark unmoved, it was not. Else
//! somebody may have edited before the write or after it, and both sides count as changed until they are equal again.
//!
//! **It ends.** After its writes a merge finds nothing more to write or to record, and keeps the same state from then on.
//! Sides that keep altering what is written to them are stopped after [`MOST_HOPS`] writes.

use std::collections::BTreeMap;

use super::{
    content::{Content, Misfit},
    state::{
        Both, Cause, Changed, Conflict, Decision, FieldState, Grounds, Intent, PairState, Party, Resolution,
        Side, Sighting, conflict_id,
    },
};

/// Writes to a field without the sides ever being found equal, after which it waits for a person.
pub const MOST_HOPS: u32 = 8;

/// Who wins when both sides changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// One side, always: what is changed on the other is undone.
    Owner(Side),
    /// What was changed later.
    Newest {
        /// Who wins when that cannot be told.
        tie: Side,
    },
    /// Nobody: a person decides.
    Manual,
}

/// A field to be merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRule {
    /// Its name in the mapping.
    pub name: String,
    /// Who wins.
    pub policy: Policy,
}

/// What a side holds in one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// In normal form; `None` when the side has no place for the field.
    pub content: Option<Content>,
    /// When and by whom it was changed, as far as the side says.
    pub changed: Changed,
    /// Changes with every write to that side; `None` when the side has no such thing.
    pub mark: Option<String>,
    /// Why the other side would not take it, as far as that is known before it is written.
    pub refused_there: Option<Misfit>,
}

/// What a side holds, by field. A field that is not in it has no place there.
pub type Reading = BTreeMap<String, Seen>;

/// What is to be done about a pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merge {
    /// What is to be written to each side, by field.
    pub writes: Both<BTreeMap<String, Content>>,
    /// Conflicts to be recorded before anything is written. One that is repeated after a crash has the same id.
    pub conflicts: Vec<Conflict>,
    /// Conflicts that no longer wait, by id.
    pub closed: Vec<String>,
    /// The state to keep before anything is written.
    pub state: PairState,
}

impl Merge {
    /// Whether nothing is to be written to either side.
    pub fn writes_nothing(&self) -> bool {
        self.writes.iconik.is_empty() && self.writes.content_server.is_empty()
    }
}

/// Merges a pair.
pub fn merge(fields: &[FieldRule], state: &PairState, now: &Both<Reading>, decisions: &[Decision]) -> Merge {
    let mut merge = Merge { state: state.clone(), ..Merge::default() };
    let nothing = FieldState::default();
    for rule in fields {
        let before = state.fields.get(&rule.name).unwrap_or(&nothing);
        let seen = Both::of(|side| now.get(side).get(&rule.name).cloned().unwrap_or_default());
        let outcome = merge_field(rule, before, &seen, decisions);
        if let Some((side, content)) = outcome.write {
            merge.writes.get_mut(side).insert(rule.name.clone(), content);
        }
        merge.conflicts.extend(outcome.conflict);
        merge.closed.extend(outcome.closed);
        merge.state.fields.insert(rule.name.clone(), outcome.state);
    }
    merge
}

/// What is to be done about one field.
struct Outcome {
    write: Option<(Side, Content)>,
    conflict: Option<Conflict>,
    closed: Option<String>,
    state: FieldState,
}

/// What is taken for both, or why nothing is.
enum Choice {
    /// With grounds: the other side's value is overruled.
    Take(Side, Option<Grounds>),
    Wait(Cause),
}

fn merge_field(rule: &FieldRule, before: &FieldState, now: &Both<Seen>, decisions: &[Decision]) -> Outcome {
    let before = &concluded(before.clone(), now);
    let mut state = before.clone();
    for side in Side::BOTH {
        sight(state.seen.get_mut(side), now.get(side));
    }
    let contents = match (&now.iconik.content, &now.content_server.content) {
        (Some(iconik), Some(content_server)) if iconik == content_server => {
            return agree(state, before, iconik.clone());
        }
        (Some(iconik), Some(content_server)) => Some(Both { iconik, content_server }),
        _ => None,
    };
    let sides = Both::of(|side| Party {
        content: now.get(side).content.clone(),
        changed: changed(state.seen.get(side).as_ref()),
    });
    let id = conflict_id(&rule.name, before.revision, &sides);
    let conflict = |resolution| Conflict {
        id: id.clone(),
        field: rule.name.clone(),
        agreed: before.agreed.clone(),
        sides: sides.clone(),
        resolution,
    };
    let decided = decisions.iter().rfind(|decision| decision.conflict == id);
    let choice = match &contents {
        Some(contents) => match refused_before(before, &id, decided) {
            Some(cause) => Choice::Wait(cause),
            None => choose(rule.policy, before, now, &state.seen, contents, decided),
        },
        None => Choice::Wait(Cause::NoPlace { side: placeless(now) }),
    };
    match (choice, contents) {
        (Choice::Take(side, grounds), Some(contents)) => {
            let (loser, content) = (side.other(), (*contents.get(side)).clone());
            let mark = now.get(loser).mark.clone();
            let intent = Some(Intent { side: loser, content: content.clone(), mark });
            // A write that is made again because it did not take place is the same one.
            state.hops += u32::from(intent != before.intent);
            state.intent = intent;
            let closed = state.open.take().map(|open| open.id);
            let conflict = grounds.map(|grounds| conflict(Resolution::Took { side, grounds }));
            Outcome { write: Some((loser, content)), conflict, closed, state }
        }
        (Choice::Take(..), None) => Outcome { write: None, conflict: None, closed: None, state },
        (Choice::Wait(cause), _) => {
            let waits = Resolution::Waits { cause };
            let is_known = before.open.as_ref().is_some_and(|open| open.id == id && open.resolution == waits);
            if is_known {
                return Outcome { write: None, conflict: None, closed: None, state };
            }
            let closed = state.open.take().map(|open| open.id).filter(|closed| *closed != id);
            let conflict = conflict(waits);
            state.open = Some(conflict.clone());
            Outcome { write: None, conflict: Some(conflict), closed, state }
        }
    }
}

/// What was refused is not written again, until something changes or a person says so.
fn refused_before(before: &FieldState, id: &str, decided: Option<&Decision>) -> Option<Cause> {
    let open = before.open.as_ref().filter(|open| open.id == id && decided.is_none())?;
    match open.resolution {
        Resolution::Waits { cause: cause @ Cause::Unfit { why: Misfit::Refused, .. } } => Some(cause),
        _ => None,
    }
}

/// Both sides hold the same.
fn agree(mut state: FieldState, before: &FieldState, content: Content) -> Outcome {
    let closed = state.open.take().map(|open| open.id);
    if before.agreed.as_ref() != Some(&content) || before.intent.is_some() {
        state.revision += 1;
    }
    state.agreed = Some(content);
    (state.intent, state.unsure, state.hops) = (None, false, 0);
    Outcome { write: None, conflict: None, closed, state }
}

fn choose(
    policy: Policy,
    before: &FieldState,
    now: &Both<Seen>,
    seen: &Both<Option<Sighting>>,
    contents: &Both<&Content>,
    decided: Option<&Decision>,
) -> Choice {
    let (side, grounds) = match decided {
        Some(decision) => (decision.take, Some(Grounds::Person)),
        None => match (lone_change(before, contents), policy) {
            (Some(side), Policy::Owner(owner)) if owner != side && before.agreed.is_some() => {
                (owner, Some(Grounds::Owner))
            }
            (Some(side), _) => (side, None),
            (None, Policy::Owner(owner)) => (owner, Some(Grounds::Owner)),
            (None, Policy::Newest { tie }) => later(seen, tie),
            (None, Policy::Manual) => return Choice::Wait(Cause::Manual),
        },
    };
    if let Some(why) = contents.get(side).misfit().or(now.get(side).refused_there) {
        return Choice::Wait(Cause::Unfit { side, why });
    }
    if before.hops >= MOST_HOPS && decided.is_none() {
        return Choice::Wait(Cause::Loop);
    }
    Choice::Take(side, grounds)
}

/// What became of a write that was begun: it was made and is agreed on, or it was not and is still to be made, or nobody
/// can tell.
fn concluded(before: FieldState, now: &Both<Seen>) -> FieldState {
    let Some(intent) = &before.intent else { return before };
    let there = now.get(intent.side);
    if there.content.as_ref() == Some(&intent.content) {
        before.confirmed()
    } else if there.mark.is_some() && there.mark == intent.mark {
        before
    } else {
        // Whatever a person decided of the two contents was about the time before.
        FieldState { intent: None, unsure: true, revision: before.revision + 1, ..before }
    }
}

/// The side that alone has something new.
fn lone_change(before: &FieldState, contents: &Both<&Content>) -> Option<Side> {
    if before.unsure {
        return None;
    }
    let old = before.agreed.as_ref().unwrap_or(&Content::Nothing);
    match (contents.iconik == old, contents.content_server == old) {
        (false, true) => Some(Side::Iconik),
        (true, false) => Some(Side::ContentServer),
        _ => None,
    }
}

fn later(seen: &Both<Option<Sighting>>, tie: Side) -> (Side, Option<Grounds>) {
    let at = |side: Side| seen.get(side).as_ref().and_then(|sighting| sighting.changed.at);
    match (at(Side::Iconik), at(Side::ContentServer)) {
        (Some(iconik), Some(content_server)) if iconik > content_server => {
            (Side::Iconik, Some(Grounds::Newest))
        }
        (Some(iconik), Some(content_server)) if iconik < content_server => {
            (Side::ContentServer, Some(Grounds::Newest))
        }
        _ => (tie, Some(Grounds::Tie)),
    }
}

/// Keeps what a side holds now; what it held already keeps its date.
fn sight(kept: &mut Option<Sighting>, now: &Seen) {
    let Some(content) = &now.content else { return };
    if kept.as_ref().is_none_or(|kept| kept.content != *content) {
        *kept = Some(Sighting { content: content.clone(), changed: now.changed.clone() });
    }
}

fn changed(sighting: Option<&Sighting>) -> Changed {
    sighting.map(|sighting| sighting.changed.clone()).unwrap_or_default()
}

fn placeless(now: &Both<Seen>) -> Side {
    if now.iconik.content.is_none() { Side::Iconik } else { Side::ContentServer }
}
