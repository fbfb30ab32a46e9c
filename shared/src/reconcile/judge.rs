//! What a pair amounts to. No clock, no calls: everything that decides is in the pair.

use jiff::{SignedDuration, Timestamp};

use super::{Account, Action, Again, Difference, Facts, Finding, Kind, Pair, Repair, Seen, Side, Words};
use crate::ledger::Ending;

/// What a pair amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// There is nothing to say here: it is gone from both sides, or the other side's listing tells of it.
    Nothing,
    /// Both sides have it.
    Equal {
        /// Whether a hash says so.
        proven: bool,
    },
    /// A difference that is in order.
    Accounted,
    /// A difference too young to be one.
    InFlight,
    /// A difference, with the message that lets the flow repair it where that is safe.
    Found(Box<Finding>, Option<String>),
}

/// Judges a pair. `listed_on` is the side whose listing it comes from: each listing tells only what it alone can know.
pub fn judge(pair: &Pair, listed_on: Side, words: &Words, now: Timestamp, grace: SignedDuration) -> Verdict {
    let young = |moment: Timestamp| now.duration_since(moment) < grace;
    let is_young = pair.changed.is_some_and(young)
        || matches!(pair.account, Account::UnderWay(claimed) if young(claimed));
    let kind = match (&pair.source, &pair.target) {
        (Seen::Absent, Seen::Absent) => return Verdict::Nothing,
        (Seen::Absent, _) if listed_on == Side::Source => return Verdict::Nothing,
        (Seen::There(_), _) if listed_on == Side::Target => return Verdict::Nothing,
        (Seen::Unreadable(_), _) | (_, Seen::Unreadable(_)) => Kind::Unverifiable,
        (Seen::There(source), Seen::There(target)) => {
            let mut differences = differences(source, target);
            let mapped = mapped_otherwise(source, target);
            let kind = match (differences.is_empty(), mapped.is_empty()) {
                (true, true) => return Verdict::Equal { proven: is_proven(source, target) },
                (true, false) => Kind::Metadata,
                (false, _) => Kind::Different,
            };
            differences.extend(mapped);
            return settle(pair, kind, differences, words, now, is_young);
        }
        (Seen::There(_), Seen::Absent) => Kind::Missing,
        (Seen::Absent, Seen::There(_)) => Kind::Extra,
    };
    settle(pair, kind, Vec::new(), words, now, is_young)
}

/// A difference: in order, on its way, or found.
fn settle(
    pair: &Pair,
    kind: Kind,
    differences: Vec<Difference>,
    words: &Words,
    now: Timestamp,
    is_young: bool,
) -> Verdict {
    let ended_aside = matches!(pair.account, Account::Ended(Ending::Quarantined | Ending::Skipped, _))
        && kind == Kind::Missing;
    if pair.accounted.is_some() || ended_aside {
        return Verdict::Accounted;
    }
    if is_young {
        return Verdict::InFlight;
    }
    let (repair, message) = repair(pair, kind, words);
    let finding = Finding {
        kind,
        key: pair.key.clone(),
        name: pair.name.clone(),
        asset: pair.asset.clone(),
        explanation: explain(pair, kind, &differences, words),
        differences,
        repair,
        found: now.to_string(),
    };
    Verdict::Found(Box::new(finding), message)
}

/// The facts that both sides state and that are not the same.
fn differences(source: &Facts, target: &Facts) -> Vec<Difference> {
    let size = |facts: &Facts| facts.size.map(|size| size.to_string());
    [
        ("size", size(source), size(target)),
        ("sha256", source.sha256.clone(), target.sha256.clone()),
        ("crc64-nvme", source.crc64_nvme.clone(), target.crc64_nvme.clone()),
        ("version", source.version.clone(), target.version.clone()),
        ("metadata", source.metadata.clone(), target.metadata.clone()),
        ("state", source.state.clone(), target.state.clone()),
    ]
    .into_iter()
    .filter_map(|(what, source, target)| {
        let (source, target) = (source?, target?);
        (source != target).then(|| Difference { what: what.to_owned(), source, target })
    })
    .collect()
}

/// The fields of the source that the target holds otherwise. What they hold is not told: it may be anything.
fn mapped_otherwise(source: &Facts, target: &Facts) -> Vec<Difference> {
    let (Some(ours), Some(theirs)) = (&source.mapped, &target.mapped) else { return Vec::new() };
    let told = |value: &str, word: &str| if value.is_empty() { "no value" } else { word }.to_owned();
    ours.iter()
        .filter_map(|(field, ours)| {
            let theirs = theirs.get(field).map(String::as_str).unwrap_or_default();
            (ours != theirs).then(|| Difference {
                what: field.clone(),
                source: told(ours, "a value"),
                target: told(theirs, "another value"),
            })
        })
        .collect()
}

fn is_proven(source: &Facts, target: &Facts) -> bool {
    source.sha256.is_some() && target.sha256.is_some()
        || source.crc64_nvme.is_some() && target.crc64_nvme.is_some()
}

fn repair(pair: &Pair, kind: Kind, words: &Words) -> (Repair, Option<String>) {
    let by_message = match (kind, &pair.account) {
        // What failed waits in the dead-letter queue with its reason: its message is the one that reopens it.
        (Kind::Missing, Account::Ended(Ending::Failed, _)) => None,
        (Kind::Missing, _) => pair.if_missing.as_ref(),
        (Kind::Different, _) => pair.if_different.as_ref(),
        (Kind::Extra, _) => pair.if_extra.as_ref(),
        // What differs may be what a person has corrected, unless the flow says that it can tell.
        (Kind::Metadata, _) => pair.if_metadata.as_ref(),
        (Kind::Unverifiable, _) => None,
    };
    if let Some(Again { action, message }) = by_message {
        let what = match action {
            Action::Redeliver => "send the flow the event again; it delivers it once",
            Action::LookAgain => "let the flow look at it again and do what its rules say",
            Action::Person => "",
        };
        let safe = *action != Action::Person;
        let repair = Repair { action: *action, safe, what: what.to_owned(), queued: false };
        return (repair, safe.then(|| message.clone()));
    }
    let what = match (kind, &pair.account) {
        (Kind::Missing, Account::Ended(Ending::Failed, _)) => {
            "mend what its dead letter says, then redrive the flow's dead-letter queue"
        }
        (Kind::Missing, _) => &words.missing,
        (Kind::Different, _) => &words.different,
        (Kind::Metadata, _) => {
            "find out which side is right, and correct the other one by hand: nothing overwrites what a person may have \
             corrected"
        }
        (Kind::Extra, _) => &words.extra,
        (Kind::Unverifiable, _) => "remove what keeps it from being read, then compare again",
    };
    (Repair { action: Action::Person, safe: false, what: what.to_owned(), queued: false }, None)
}

fn explain(pair: &Pair, kind: Kind, differences: &[Difference], words: &Words) -> String {
    let mut text = match kind {
        Kind::Missing => format!("It is among the {}, and not among the {}.", words.source, words.target),
        Kind::Extra => format!("It is among the {}, and not among the {}.", words.target, words.source),
        Kind::Different | Kind::Metadata => {
            let what: Vec<&str> = differences.iter().map(|difference| difference.what.as_str()).collect();
            format!("Both sides have it, and differ in {}.", what.join(", "))
        }
        Kind::Unverifiable => {
            let reason = [&pair.source, &pair.target].into_iter().find_map(|seen| match seen {
                Seen::Unreadable(reason) => Some(reason.as_str()),
                Seen::There(_) | Seen::Absent => None,
            });
            format!("It could not be compared: {}.", reason.unwrap_or("no reason was given"))
        }
    };
    if matches!(kind, Kind::Missing | Kind::Different | Kind::Metadata) {
        text.push_str(&match &pair.account {
            Account::NotAsked => String::new(),
            Account::Nothing => " The ledger has no record of it.".to_owned(),
            Account::UnderWay(claimed) => format!(" It was begun at {claimed} and has not ended since."),
            Account::Ended(ending, None) => format!(" Its record says: {}.", ending.name()),
            Account::Ended(ending, Some(code)) => format!(" Its record says: {} ({code}).", ending.name()),
        });
    }
    if let Some(note) = &pair.note {
        text.push(' ');
        text.push_str(note);
    }
    text
}
