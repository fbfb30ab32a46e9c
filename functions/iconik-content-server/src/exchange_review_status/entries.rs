//! What becomes an entry of the evidence: what is seen now, held against what the record says already. Pure: the same two
//! give the same entries, so that whoever comes second adds nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use shared::{
    audit::{AuditEvent, EventType, Outcome, SealedEvent},
    error::{Error, Result},
    ledger::Key,
};

/// A version was approved that is not there any more.
pub const VERSION_DELETED: &str = "review.version-deleted";
/// A comment has signs in it that turn text round for whoever reads it.
pub const BIDI_CONTROLS: &str = "review.bidi-controls";
/// A comment was too long for the record: its beginning is in it, and the hash of the whole.
pub const TEXT_CUT: &str = "review.text-cut";

/// The most bytes of a text in an entry.
const LONGEST: usize = 32 * 1024;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Where the review of a version stands.
    Review,
    /// What one reviewer says of a version.
    Verdict,
    /// A comment or an answer to one.
    Comment,
    /// The state of the document in Content Server.
    Document,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Review, Self::Verdict, Self::Comment, Self::Document];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Verdict => "verdict",
            Self::Comment => "comment",
            Self::Document => "document",
        }
    }

    fn of(subject: &str) -> Option<Self> {
        let word = subject.split('/').next()?;
        Self::ALL.into_iter().find(|kind| kind.name() == word)
    }
}

/// Something as it is now.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it is about.
    pub kind: Kind,
    /// Which one: with the kind, its name for ever.
    pub id: String,
    /// The version of the asset or document.
    pub version: Option<String>,
    /// The version's number.
    pub version_number: Option<i64>,
    /// The version is not there any more.
    pub version_gone: bool,
    /// Who said it: an id of its system, or an address.
    pub author: Option<String>,
    /// The author's name.
    pub author_name: Option<String>,
    /// When, by the clock of its system.
    pub at: Option<Timestamp>,
    /// The status: `APPROVED`, `Draft`.
    pub status: Option<String>,
    /// What was said.
    pub text: Option<String>,
    /// Further facts that make it another when they change: the comment it answers, where in the film, whether it was seen to.
    pub facts: BTreeMap<String, String>,
}

/// What people say is not for logs.
impl std::fmt::Debug for Seen {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Seen").field("subject", &self.subject()).finish_non_exhaustive()
    }
}

impl Seen {
    /// Something of which nothing more is known.
    pub fn of(kind: Kind, id: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
            version: None,
            version_number: None,
            version_gone: false,
            author: None,
            author_name: None,
            at: None,
            status: None,
            text: None,
            facts: BTreeMap::new(),
        }
    }

    /// Its name in the record.
    pub fn subject(&self) -> String {
        format!("{}/{}", self.kind.name(), self.id)
    }

    /// A hash of what makes it another when it changes. Names and moments are not among it: people marry, and a server may
    /// touch a date.
    fn fingerprint(&self) -> Result<String> {
        #[derive(Serialize)]
        struct Content<'a> {
            version: &'a Option<String>,
            author: &'a Option<String>,
            status: &'a Option<String>,
            text: &'a Option<String>,
            facts: &'a BTreeMap<String, String>,
        }
        let content = Content {
            version: &self.version,
            author: &self.author,
            status: &self.status,
            text: &self.text,
            facts: &self.facts,
        };
        let text = serde_json::to_string(&content)
            .map_err(|error| Error::bug("evidence", "what was seen cannot be written").source(error))?;
        Ok(Key::of(&[&self.subject(), &text]).digest().to_owned())
    }

    /// What a person should know of it, given what was known before.
    fn notice(&self, before: Option<&Known>) -> Option<&'static str> {
        let is_approved = |status: Option<&str>| status == Some("APPROVED");
        let is_approval = matches!(self.kind, Kind::Review | Kind::Verdict);
        // An approval that was there before the version was deleted is none of a deleted version.
        let is_news = !is_approved(before.and_then(|before| before.status.as_deref()));
        if is_approval && self.version_gone && is_news && is_approved(self.status.as_deref()) {
            return Some(VERSION_DELETED);
        }
        let text = self.text.as_deref()?;
        if text.len() > LONGEST {
            return Some(TEXT_CUT);
        }
        text.chars().any(is_bidi_control).then_some(BIDI_CONTROLS)
    }
}

/// What the record says last of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    fingerprint: String,
    /// How many entries it has.
    entries: u64,
    /// The last one says that it is gone.
    pub is_gone: bool,
    /// When it was said, by its system's clock.
    pub at: Option<Timestamp>,
    /// Its status.
    status: Option<String>,
}

/// What the record says of everything, by its name.
pub fn known(chain: &[SealedEvent]) -> BTreeMap<String, Known> {
    let mut all: BTreeMap<String, Known> = BTreeMap::new();
    for entry in chain {
        let detail = |name: &str| entry.event.detail.get(name).cloned().unwrap_or_default();
        let before = all.get(&detail("subject")).map_or(0, |known| known.entries);
        let known = Known {
            fingerprint: detail("fingerprint"),
            entries: before + 1,
            is_gone: detail("action") == "deleted",
            at: detail("happened").parse().ok(),
            status: entry.event.detail.get("status").cloned(),
        };
        all.insert(detail("subject"), known);
    }
    all
}

/// Whose entry it becomes.
pub struct Of<'a> {
    /// The asset, whose chain it is.
    pub asset: &'a str,
    /// The item that found it.
    pub item: &'a str,
    /// When it was found.
    pub now: Timestamp,
}

/// The entries that are due: what is new, what is another than it was, and what is gone, in the order in which it happened.
///
/// # Errors
/// When an entry cannot be formed, which is a defect.
pub fn due(
    known: &BTreeMap<String, Known>,
    seen: &[Seen],
    gone: &[String],
    of: &Of<'_>,
) -> Result<Vec<AuditEvent>> {
    let mut entries = Vec::new();
    for one in seen {
        let (subject, fingerprint) = (one.subject(), one.fingerprint()?);
        let before = known.get(&subject);
        let action = match before {
            None => "created",
            Some(before) if before.is_gone => "restored",
            Some(before) if before.fingerprint == fingerprint => continue,
            // Comments are listed from an index: a copy that is behind shows what was said before.
            Some(before) if one.kind == Kind::Comment && one.at.is_some() && one.at < before.at => continue,
            Some(_) => "changed",
        };
        entries.push((one.at, entry(one, action, &fingerprint, before, of)));
    }
    for subject in gone {
        let Some(before) = known.get(subject).filter(|before| !before.is_gone) else { continue };
        entries.push((Some(of.now), deletion(subject, before, of)));
    }
    // What has no date happened before it was seen.
    entries.sort_by_key(|(at, _)| at.unwrap_or(of.now));
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn entry(seen: &Seen, action: &str, fingerprint: &str, before: Option<&Known>, of: &Of<'_>) -> AuditEvent {
    let (subject, notice) = (seen.subject(), seen.notice(before));
    let before = before.map_or(0, |before| before.entries);
    let mut detail = BTreeMap::from([
        ("action".to_owned(), action.to_owned()),
        ("fingerprint".to_owned(), fingerprint.to_owned()),
        ("identity".to_owned(), identity(&subject, fingerprint, before)),
        ("kind".to_owned(), seen.kind.name().to_owned()),
        ("observed".to_owned(), of.now.to_string()),
        ("subject".to_owned(), subject),
    ]);
    let facts = [
        ("author", seen.author.clone()),
        ("authorName", seen.author_name.clone()),
        ("happened", seen.at.map(|at| at.to_string())),
        ("notice", notice.map(str::to_owned)),
        ("status", seen.status.clone()),
        ("text", seen.text.as_deref().map(|text| cut(text).to_owned())),
        ("version", seen.version.clone()),
        ("versionNumber", seen.version_number.map(|number| number.to_string())),
    ];
    detail.extend(facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?))));
    detail.extend(seen.facts.iter().map(|(name, fact)| (format!("fact.{name}"), fact.clone())));
    let outcome = match seen.status.as_deref() {
        _ if notice.is_some() || seen.version_gone => Outcome::Warning,
        Some("NOT_APPROVED") => Outcome::Fail,
        Some("MIXED") => Outcome::Warning,
        _ => Outcome::Success,
    };
    event(of, seen.at, outcome, detail)
}

fn deletion(subject: &str, before: &Known, of: &Of<'_>) -> AuditEvent {
    let kind = Kind::of(subject).unwrap_or(Kind::Comment);
    let detail = BTreeMap::from([
        ("action".to_owned(), "deleted".to_owned()),
        ("fingerprint".to_owned(), before.fingerprint.clone()),
        ("identity".to_owned(), identity(subject, "deleted", before.entries)),
        ("kind".to_owned(), kind.name().to_owned()),
        ("observed".to_owned(), of.now.to_string()),
        ("subject".to_owned(), subject.to_owned()),
    ]);
    // When and by whom it was taken away, the interface does not say.
    event(of, None, Outcome::Warning, detail)
}

fn event(
    of: &Of<'_>,
    at: Option<Timestamp>,
    outcome: Outcome,
    detail: BTreeMap<String, String>,
) -> AuditEvent {
    AuditEvent {
        asset: of.asset.to_owned(),
        event_type: EventType::Validation,
        event_date_time: at.unwrap_or(of.now).to_string(),
        outcome,
        agent: format!("waybill {} {}", super::NAME, env!("CARGO_PKG_VERSION")),
        item: of.item.to_owned(),
        message_digest: None,
        detail,
    }
}

/// What identifies an event: the thing, what it became, and how often it had become something before.
fn identity(subject: &str, fingerprint: &str, before: u64) -> String {
    Key::of(&[subject, fingerprint, &before.to_string()]).digest().to_owned()
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Signs that turn text round, or seem to.
fn is_bidi_control(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text as people may be shown it: such signs and other controls are written out, every language stays as it is.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_bidi_control(character) || (character.is_control() && character != '\n') {
            shown.push_str(&format!("[U+{:04X}]", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    shown
}
