//! What is kept of a pair between two merges, and what is recorded of conflicts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::content::{Content, Misfit};

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The asset in iconik.
    Iconik,
    /// The document in Content Server.
    ContentServer,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Iconik, Self::ContentServer];

    /// The opposite one.
    pub const fn other(self) -> Self {
        match self {
            Self::Iconik => Self::ContentServer,
            Self::ContentServer => Self::Iconik,
        }
    }

    /// Its name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iconik => "iconik",
            Self::ContentServer => "Content Server",
        }
    }
}

/// One thing for each side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Both<T> {
    /// iconik's.
    pub iconik: T,
    /// Content Server's.
    pub content_server: T,
}

impl<T> Both<T> {
    /// One for each side.
    pub fn of(mut make: impl FnMut(Side) -> T) -> Self {
        Self { iconik: make(Side::Iconik), content_server: make(Side::ContentServer) }
    }

    /// That of a side.
    pub fn get(&self, side: Side) -> &T {
        match side {
            Side::Iconik => &self.iconik,
            Side::ContentServer => &self.content_server,
        }
    }

    /// That of a side, to be changed.
    pub fn get_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Iconik => &mut self.iconik,
            Side::ContentServer => &mut self.content_server,
        }
    }
}

/// When and by whom something was changed, as far as the side says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Who, by the side's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What a side was seen to hold last, and when that came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// What it held.
    pub content: Content,
    /// When and by whom it was changed to that.
    pub changed: Changed,
}

/// A write that was begun. Until it is confirmed, the side holds either this or what it held before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The side that is written to.
    pub side: Side,
    /// What is written.
    pub content: Content,
    /// What changes on that side with every write, as it was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

/// What is kept of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldState {
    /// What both sides held when they agreed last; nothing while they never have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed: Option<Content>,
    /// What each side was seen to hold last.
    #[serde(default)]
    pub seen: Both<Option<Sighting>>,
    /// The write that was begun and is not confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// Whether an end unknown came between: what both held last is not known, until they are equal again.
    #[serde(default)]
    pub unsure: bool,
    /// The conflict that waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Conflict>,
    /// Counts agreements, so that the same two values in conflict later are another conflict.
    #[serde(default)]
    pub revision: u64,
    /// Writes since both sides were last found equal.
    #[serde(default)]
    pub hops: u32,
}

impl FieldState {
    /// The write that was begun is confirmed: the side was read again and holds it.
    #[must_use]
    pub fn confirmed(mut self) -> Self {
        let Some(intent) = self.intent.take() else { return self };
        let source = self.seen.get(intent.side.other()).as_ref();
        let changed = source.map(|seen| seen.changed.clone()).unwrap_or_default();
        *self.seen.get_mut(intent.side) = Some(Sighting { content: intent.content.clone(), changed });
        (self.agreed, self.unsure) = (Some(intent.content), false);
        self.revision += 1;
        self
    }

    /// The write that was begun was refused: it is certain that the side does not have it from us.
    #[must_use]
    pub fn withdrawn(mut self) -> Self {
        if self.intent.take().is_some() {
            self.hops = self.hops.saturating_sub(1);
        }
        self
    }
}

/// What is kept of a pair, by field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PairState {
    /// By the field's name in the mapping.
    pub fields: BTreeMap<String, FieldState>,
}

impl PairState {
    /// The writes to these fields are confirmed.
    #[must_use]
    pub fn confirmed<'a>(self, fields: impl IntoIterator<Item = &'a str>) -> Self {
        self.each(fields, FieldState::confirmed)
    }

    /// The writes to these fields were refused.
    #[must_use]
    pub fn withdrawn<'a>(self, fields: impl IntoIterator<Item = &'a str>) -> Self {
        self.each(fields, FieldState::withdrawn)
    }

    fn each<'a>(
        mut self,
        fields: impl IntoIterator<Item = &'a str>,
        change: fn(FieldState) -> FieldState,
    ) -> Self {
        for field in fields {
            if let Some(state) = self.fields.remove(field) {
                self.fields.insert(field.to_owned(), change(state));
            }
        }
        self
    }
}

/// Two sides that say different things, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Names it: of the field, its revision and both contents.
    pub id: String,
    /// The field.
    pub field: String,
    /// What they had agreed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed: Option<Content>,
    /// What each says.
    pub sides: Both<Party>,
    /// What became of it.
    pub resolution: Resolution,
}

/// What one side says in a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// What it holds; nothing when it has no place for the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// When and by whom that was written.
    #[serde(default)]
    pub changed: Changed,
}

/// What became of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Resolution {
    /// One side's value was taken for both.
    Took {
        /// Whose.
        side: Side,
        /// On what grounds.
        grounds: Grounds,
    },
    /// It waits for a person.
    Waits {
        /// Why.
        cause: Cause,
    },
}

/// On what grounds one side's value was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grounds {
    /// The field is that side's.
    Owner,
    /// It was changed later.
    Newest,
    /// Both were changed at the same time, or it is not known when, and that side is named for this.
    Tie,
    /// A person said so.
    Person,
    /// It was written when somebody else may have written something that nobody saw.
    Unseen,
}

/// Why a conflict waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The field's policy leaves it to a person.
    Manual,
    /// The value that is to be taken is one the field cannot hold.
    Unfit {
        /// Whose value.
        side: Side,
        /// Why.
        why: Misfit,
    },
    /// A side has no place for the field: the view or the category does not have it.
    NoPlace {
        /// Which.
        side: Side,
    },
    /// The sides kept answering each other's writes with something else.
    Loop,
}

/// A person's answer to a conflict that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The conflict. When either side has changed since, the answer is to another question and does not count.
    pub conflict: String,
    /// Whose value is taken.
    pub take: Side,
    /// Who decided.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
}

/// The name of a conflict.
pub(super) fn conflict_id(field: &str, revision: u64, sides: &Both<Party>) -> String {
    let contents = (&sides.iconik.content, &sides.content_server.content);
    let text = serde_json::to_string(&(field, revision, contents)).unwrap_or_default();
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    digest.get(..24).unwrap_or(&digest).to_owned()
}
