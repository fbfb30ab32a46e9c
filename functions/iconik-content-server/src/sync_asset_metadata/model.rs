//! Both systems and the flow around the merge, small enough to be driven through any interleaving.
//!
//! What the systems give is what the real ones give: Content Server refuses a write when somebody wrote since it was read
//! (its token); iconik takes any write, so it is read again immediately before and afterwards. People edit between any two
//! of these steps, and the process may die there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value as Json, json};

use super::{
    content::{Content, FieldOption, Kind, Many, Shape},
    merge::{FieldRule, Merge, Policy, Reading, Seen, merge},
    state::{Both, Changed, Conflict, Decision, PairState, Resolution, Side},
};

/// The fields of the pair: every kind of value, every policy.
pub(super) fn fields() -> Vec<(FieldRule, Shape, Vec<Json>)> {
    let field = |name: &str, policy, shape, spellings: Json| {
        let Json::Array(spellings) = spellings else { panic!("a list") };
        (FieldRule { name: name.to_owned(), policy }, shape, spellings)
    };
    let text = Shape::one(Kind::Text);
    let option = |iconik: &str, content_server: &str| FieldOption {
        iconik: iconik.to_owned(),
        label: Some(iconik.to_uppercase()),
        content_server: content_server.to_owned(),
    };
    let rights = Shape {
        options: vec![option("cleared", "Cleared for use"), option("expired", "Expired")],
        ..text.clone()
    };
    let region = Shape { many: Many::Set, separator: Some(", ".to_owned()), ..text.clone() };
    vec![
        field(
            "project",
            Policy::Newest { tie: Side::ContentServer },
            Shape { longest: Some(12), ..text.clone() },
            json!(["Café", "Cafe\u{301} ", "North", " North", "far too long for it", ["a", "b"]]),
        ),
        field("campaign", Policy::Owner(Side::Iconik), text, json!(["Spring", "Spring ", "Autumn", 7, "7"])),
        field(
            "rights",
            Policy::Owner(Side::ContentServer),
            rights,
            json!(["cleared", "CLEARED", "Cleared for use", "expired", "Expired", "lapsed"]),
        ),
        field(
            "region",
            Policy::Manual,
            region,
            json!([["emea", "apac"], ["apac", "emea ", "apac"], ["emea"], "emea", "emea,apac", ["a,b"]]),
        ),
        field(
            "budget",
            Policy::Newest { tie: Side::Iconik },
            Shape::one(Kind::Decimal),
            json!([1500, "1500.00", "1500.5", 0, "a lot"]),
        ),
        field(
            "expiry",
            Policy::Newest { tie: Side::Iconik },
            Shape::one(Kind::Date),
            json!(["2031-05-06", "2031-05-06T00:00:00", "2031-05-07", "next spring"]),
        ),
        field(
            "released",
            Policy::Manual,
            Shape::one(Kind::DateTime),
            json!(["2031-05-06T07:08:09Z", "2031-05-06 07:08:09.5", "2031-05-06T07:08:10+00:00"]),
        ),
        field(
            "confidential",
            Policy::Owner(Side::ContentServer),
            Shape::one(Kind::Boolean),
            json!([true, "True", false, "no", "perhaps"]),
        ),
    ]
}

/// Something a person does to one field on one side.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) side: Side,
    pub(super) field: usize,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// Gives it one of the field's values, by number.
    Value(usize),
    /// Empties it.
    Clear,
    /// Takes it away: there is no value any more.
    Delete,
    /// Takes the field out of the view or the category, with what it held, or puts it back.
    Place(bool),
}

/// Between which steps of a run something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    IconikRead,
    BothRead,
    Recorded,
    StateKept,
    ContentServerWritten,
    IconikWritten,
    ReadAgain,
}

/// What happens during one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Meanwhile {
    pub(super) edits: Vec<(Step, Edit)>,
    /// The process dies after this step.
    pub(super) dies_after: Option<Step>,
}

/// One field on one side.
#[derive(Debug, Clone, Default)]
struct Cell {
    values: Vec<Json>,
    by_person: bool,
    misplaced: bool,
}

/// One system.
#[derive(Debug, Clone, Default)]
struct System {
    cells: BTreeMap<String, Cell>,
    /// Counts writes: the mark, the token and the clock of the modification date.
    writes: i64,
    changed_at: i64,
}

/// Both systems, the flow's memory, and what is under way between them.
pub(super) struct World {
    rules: Vec<FieldRule>,
    shapes: BTreeMap<String, Shape>,
    spellings: Vec<Vec<Json>>,
    systems: Both<System>,
    state: PairState,
    pub(super) recorded: Vec<Conflict>,
    pub(super) decisions: Vec<Decision>,
    /// Hints that are under way; each only says that something may have changed.
    pub(super) events: VecDeque<Side>,
    /// What both sides were last known to hold, by what the flow read and wrote.
    known: BTreeMap<String, Content>,
    /// What was about to be written last: who gives that very value meanwhile agrees with it.
    offered: BTreeMap<String, Content>,
    clock: i64,
    /// Writes of the flow, in all.
    pub(super) writes: usize,
    pub(super) runs: usize,
    /// What a system makes of what is written to it.
    pub(super) alters: Both<bool>,
}

/// A run that died or was turned away; it will be delivered again.
pub(super) struct Unfinished;

impl World {
    pub(super) fn new() -> Self {
        let fields = fields();
        let cells: BTreeMap<String, Cell> =
            fields.iter().map(|(rule, ..)| (rule.name.clone(), Cell::default())).collect();
        Self {
            rules: fields.iter().map(|(rule, ..)| rule.clone()).collect(),
            shapes: fields.iter().map(|(rule, shape, _)| (rule.name.clone(), shape.clone())).collect(),
            spellings: fields.into_iter().map(|(.., spellings)| spellings).collect(),
            systems: Both::of(|_| System { cells: cells.clone(), ..System::default() }),
            state: PairState::default(),
            recorded: Vec::new(),
            decisions: Vec::new(),
            events: VecDeque::new(),
            known: BTreeMap::new(),
            offered: BTreeMap::new(),
            clock: 0,
            writes: 0,
            runs: 0,
            alters: Both::default(),
        }
    }

    pub(super) fn edit(&mut self, edit: &Edit, lost: bool) {
        let name = self.rules[edit.field % self.rules.len()].name.clone();
        let spellings = &self.spellings[edit.field % self.rules.len()];
        self.clock += 1;
        let system = self.systems.get_mut(edit.side);
        let cell = system.cells.get_mut(&name).unwrap();
        match edit.what {
            What::Value(number) => {
                cell.values = match &spellings[number % spellings.len()] {
                    Json::Array(values) => values.clone(),
                    value => vec![value.clone()],
                };
            }
            What::Clear => cell.values = vec![json!("")],
            What::Delete => cell.values = Vec::new(),
            What::Place(there) => cell.misplaced = !there,
        }
        cell.by_person |= !matches!(edit.what, What::Place(_));
        system.writes += 1;
        system.changed_at = self.clock;
        if !lost {
            self.events.push_back(edit.side);
        }
    }

    fn content(&self, side: Side, field: &str) -> Option<Content> {
        let cell = &self.systems.get(side).cells[field];
        if cell.misplaced {
            return None;
        }
        let shape = &self.shapes[field];
        Some(match cell.values.as_slice() {
            [Json::String(text)] if side == Side::ContentServer && shape.separator.is_some() => {
                shape.content_of_joined(text, &TimeZone::UTC)
            }
            values => shape.content(values, &TimeZone::UTC),
        })
    }

    fn read(&self, side: Side) -> Reading {
        let system = self.systems.get(side);
        let changed = Changed { at: Timestamp::from_second(system.changed_at).ok(), by: None };
        let mark = Some(system.writes.to_string());
        let seen = |field: &String| Seen {
            content: self.content(side, field),
            changed: changed.clone(),
            mark: mark.clone(),
            refused_there: None,
        };
        system.cells.keys().map(|field| (field.clone(), seen(field))).collect()
    }

    fn passes(&mut self, step: Step, meanwhile: &Meanwhile) -> Result<(), Unfinished> {
        for (_, edit) in meanwhile.edits.iter().filter(|(at, _)| *at == step) {
            self.edit(edit, false);
        }
        if meanwhile.dies_after == Some(step) { Err(Unfinished) } else { Ok(()) }
    }

    /// One run of the flow. Gives whether it was silent: nothing written, nothing recorded, the same state.
    pub(super) fn run(&mut self, meanwhile: &Meanwhile) -> Result<bool, Unfinished> {
        self.runs += 1;
        let iconik = self.read(Side::Iconik);
        self.passes(Step::IconikRead, meanwhile)?;
        let content_server = self.read(Side::ContentServer);
        let token = self.systems.content_server.writes;
        self.passes(Step::BothRead, meanwhile)?;
        let now = Both { iconik, content_server };
        let merged = merge(&self.rules, &self.state, &now, &self.decisions);
        let fresh: Vec<Conflict> = merged
            .conflicts
            .iter()
            .filter(|new| !self.is_recorded(&new.id, new.resolution))
            .cloned()
            .collect();
        let silent = merged.writes_nothing() && fresh.is_empty() && merged.state == self.state;
        self.recorded.extend(fresh);
        self.passes(Step::Recorded, meanwhile)?;
        self.state = merged.state.clone();
        // What was read and not kept is not known to whoever comes next.
        for (field, seen) in &now.iconik {
            if let Some(content) = &seen.content
                && now.content_server[field].content.as_ref() == Some(content)
            {
                self.known.insert(field.clone(), content.clone());
            }
        }
        for (field, offered) in &self.offered {
            let is_there = |side: Side| now.get(side)[field].content.as_ref() == Some(offered);
            if Side::BOTH.into_iter().any(is_there)
                && self.state.fields[field].agreed.as_ref() == Some(offered)
            {
                self.known.insert(field.clone(), offered.clone());
            }
        }
        let offered = self.offered.clone();
        for side in Side::BOTH {
            self.offered.extend(merged.writes.get(side).clone());
        }
        self.passes(Step::StateKept, meanwhile)?;
        if !merged.writes.content_server.is_empty() {
            if self.systems.content_server.writes != token {
                return self.turned_away(&merged, &Side::BOTH);
            }
            self.write(Side::ContentServer, &merged, &offered);
        }
        self.passes(Step::ContentServerWritten, meanwhile)?;
        if !merged.writes.iconik.is_empty() {
            let again = self.read(Side::Iconik);
            if merged.writes.iconik.keys().any(|field| again[field].content != now.iconik[field].content) {
                return self.turned_away(&merged, &[Side::Iconik]);
            }
            self.write(Side::Iconik, &merged, &offered);
        }
        self.passes(Step::IconikWritten, meanwhile)?;
        let mut confirmed = BTreeSet::new();
        for side in Side::BOTH {
            let again = self.read(side);
            let written = merged.writes.get(side).iter();
            confirmed.extend(
                written
                    .filter(|(field, content)| again[*field].content.as_ref() == Some(content))
                    .map(|(field, _)| field),
            );
        }
        let confirmed: Vec<String> = confirmed.into_iter().cloned().collect();
        self.passes(Step::ReadAgain, meanwhile)?;
        self.state = self.state.clone().confirmed(confirmed.iter().map(String::as_str));
        Ok(silent)
    }

    /// Somebody was faster; nothing was written to these sides, for certain.
    fn turned_away(&mut self, merged: &Merge, sides: &[Side]) -> Result<bool, Unfinished> {
        let fields = sides.iter().flat_map(|side| merged.writes.get(*side).keys());
        self.state = self.state.clone().withdrawn(fields.map(String::as_str));
        Err(Unfinished)
    }

    fn is_recorded(&self, id: &str, resolution: Resolution) -> bool {
        self.recorded.iter().any(|known| known.id == id && known.resolution == resolution)
    }

    /// The flow's write, and what would be lost by it.
    fn write(&mut self, side: Side, merged: &Merge, before: &BTreeMap<String, Content>) {
        for (field, content) in merged.writes.get(side) {
            let old = self.content(side, field).expect("no write where there is no place");
            let was_known = match self.known.get(field) {
                Some(known) => *known == old,
                None => old == Content::Nothing,
            };
            let was_known = was_known || before.get(field) == Some(&old);
            let is_an_edit = self.systems.get(side).cells[field].by_person && !was_known && old != *content;
            let is_told = merged.conflicts.iter().any(|conflict| {
                conflict.field == *field
                    && conflict.sides.get(side).content.as_ref() == Some(&old)
                    && self.is_recorded(&conflict.id, conflict.resolution)
            });
            assert!(
                !is_an_edit || is_told,
                "{field}: {old:?} of {} is overwritten by {content:?} and nobody is told",
                side.name()
            );
            self.check_owner(side, field);
            let mut values = self.shapes[field].spell(content, side).expect("what is unfit is never written");
            if *self.alters.get(side) && field == "project" {
                values = values.iter().map(|value| altered(value, side)).collect();
            }
            let cell = self.systems.get_mut(side).cells.get_mut(field).unwrap();
            (cell.values, cell.by_person) = (values, false);
            self.known.insert(field.clone(), content.clone());
            self.writes += 1;
        }
        self.clock += 1;
        let system = self.systems.get_mut(side);
        system.writes += 1;
        system.changed_at = self.clock;
        // The echo.
        self.events.push_back(side);
    }

    /// An owner is only written to when there never was an agreement and it had nothing, or when a person said so.
    fn check_owner(&self, side: Side, field: &str) {
        let rule = self.rules.iter().find(|rule| rule.name == field).unwrap();
        if rule.policy != Policy::Owner(side) || !self.decisions.is_empty() {
            return;
        }
        let old = self.content(side, field).unwrap_or_default();
        assert!(
            old == Content::Nothing && self.state.fields[field].agreed.is_none(),
            "{field} is its owner's"
        );
    }

    /// The conflicts that wait.
    pub(super) fn open(&self) -> Vec<Conflict> {
        self.state.fields.values().filter_map(|field| field.open.clone()).collect()
    }

    /// Both sides hold the same in every field, or the difference waits, with both values, for a person.
    pub(super) fn check_settled(&self) {
        for rule in &self.rules {
            let now = Both::of(|side| self.content(side, &rule.name));
            let open = self.state.fields.get(&rule.name).and_then(|state| state.open.as_ref());
            match open {
                Some(open) => {
                    for side in Side::BOTH {
                        assert_eq!(
                            open.sides.get(side).content,
                            *now.get(side),
                            "{}: another question",
                            rule.name
                        );
                    }
                    assert!(
                        self.is_recorded(&open.id, open.resolution),
                        "{} waits and is not recorded",
                        rule.name
                    );
                }
                None => assert_eq!(now.iconik, now.content_server, "{} differs", rule.name),
            }
        }
        let names: BTreeSet<_> = self
            .recorded
            .iter()
            .map(|conflict| (&conflict.id, format!("{:?}", conflict.resolution)))
            .collect();
        assert_eq!(names.len(), self.recorded.len(), "a conflict is recorded twice");
    }

    /// Delivers what is under way and sweeps, until nothing is left to do.
    pub(super) fn settle(&mut self) {
        let before = self.runs;
        loop {
            let silent = matches!(self.run(&Meanwhile::default()), Ok(true));
            let quiet = self.events.pop_front().is_none();
            assert!(self.runs - before < 200 + self.events.len(), "it does not come to rest");
            if silent && quiet {
                return;
            }
        }
    }
}

/// A system with ideas of its own.
fn altered(value: &Json, side: Side) -> Json {
    match (value, side) {
        (Json::String(text), Side::Iconik) => text.to_uppercase().into(),
        (Json::String(text), Side::ContentServer) => text.to_lowercase().into(),
        (value, _) => value.clone(),
    }
}
