//! Reviews: one that took two rounds, one that is open, one whose reviewers do not agree.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::people::{EDITOR, PRODUCER, REVIEWER};
use crate::iconik::state::{Object, Outcome, Refusal, State};

/// A comment.
struct Said {
    /// Minutes after the request.
    after: i64,
    author: &'static str,
    text: &'static str,
    /// Where in the film, in seconds.
    place: Option<u64>,
    /// It answers the last one that does not.
    answers: bool,
    /// Somebody has seen to it.
    is_done: bool,
}

const fn said(after: i64, author: &'static str, text: &'static str, place: Option<u64>) -> Said {
    Said { after, author, text, place, answers: false, is_done: false }
}

/// What was said of the first version of the short film, in German, English and Arabic.
const FIRST_ROUND: &[Said] = &[
    Said { is_done: true, ..said(30, REVIEWER, "Das Logo ist in der Schlussszene zu klein.", Some(27)) },
    Said { answers: true, ..said(45, EDITOR, "Wie groß soll es sein?", None) },
    Said { answers: true, ..said(60, REVIEWER, "Ein Drittel der Bildbreite.", None) },
    said(
        75,
        PRODUCER,
        "The disclaimer must stay for three seconds: \"*Conditions apply\", then <cut>.",
        Some(24),
    ),
    said(
        80,
        PRODUCER,
        "\u{645}\u{646} \u{641}\u{636}\u{644}\u{643} \u{631}\u{627}\u{62c}\u{639} \u{627}\u{644}\u{646}\u{635} (v1)",
        Some(12),
    ),
];

/// And of the second, in French and Japanese.
const SECOND_ROUND: &[Said] = &[
    said(20, PRODUCER, "C'est beaucoup mieux, merci !", Some(24)),
    said(25, REVIEWER, "\u{826f}\u{3044}\u{3067}\u{3059}\u{306d}\u{3002}", None),
];

/// The three reviews.
pub(super) fn add(state: &mut State, now: Timestamp) -> Outcome<()> {
    let rejected = [(PRODUCER, "NOT_APPROVED"), (REVIEWER, "NOT_APPROVED")];
    let approved = [(PRODUCER, "APPROVED"), (REVIEWER, "APPROVED")];
    let short = titled(state, "Harbour Lights 30s")?;
    let versions = versions(state, &short);
    let (Some(first), Some(second)) = (versions.first(), versions.last()) else { return Ok(()) };
    round(state, days_before(now, 8), (&short, first), FIRST_ROUND, &rejected)?;
    round(state, days_before(now, 5), (&short, second), SECOND_ROUND, &approved)?;

    let master = titled(state, "Harbour Lights 60s master")?;
    if let Some(latest) = self::versions(state, &master).last() {
        round(state, days_before(now, 3), (&master, latest), &[], &[])?;
    }
    let explainer = titled(state, "Using the inhaler")?;
    if let Some(latest) = self::versions(state, &explainer).last() {
        state.now = now;
        let disagree = [(PRODUCER, "APPROVED"), (REVIEWER, "NOT_APPROVED")];
        let why = [said(5, REVIEWER, "The dose on the pack shot is that of the adult product.", Some(41))];
        let start = now.checked_sub(SignedDuration::from_hours(12)).unwrap_or(now);
        round(state, start, (&explainer, latest), &why, &disagree)?;
    }
    Ok(())
}

fn titled(state: &State, title: &str) -> Outcome<String> {
    state.titled(title).ok_or_else(|| Refusal::NotFound(title.to_owned()))
}

/// The versions of an asset, oldest first.
fn versions(state: &State, asset: &str) -> Vec<String> {
    let versions = state.assets.get(asset).and_then(|asset| asset.get("versions")).and_then(Value::as_array);
    let ids = versions.into_iter().flatten().filter_map(|version| version["id"].as_str());
    ids.map(str::to_owned).collect()
}

/// The editor asks two people, they talk, and each says yes or no.
fn round(
    state: &mut State,
    start: Timestamp,
    (asset, version): (&str, &str),
    comments: &[Said],
    verdicts: &[(&str, &str)],
) -> Outcome<()> {
    let after = |minutes: i64| start.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(start);
    state.now = start;
    let request = json!({ "version_id": version, "users": [PRODUCER, REVIEWER], "min_number": 2 });
    state.request_approval(EDITOR, "assets", asset, &map(request))?;
    let mut thread = Value::Null;
    for comment in comments {
        state.now = after(comment.after);
        let begins = comment.place.map(|seconds| seconds * 1000);
        let given = json!({
            "segment_type": "COMMENT", "segment_text": comment.text, "version_id": version,
            "time_start_milliseconds": begins, "time_end_milliseconds": begins.map(|begins| begins + 1000),
            "parent_id": if comment.answers { thread.clone() } else { Value::Null },
            "segment_checked": comment.is_done,
        });
        let id = state.add_segment(comment.author, asset, None, &map(given))?;
        if !comment.answers {
            thread = id.into();
        }
    }
    let key = state.approval_key("assets", asset, Some(version))?;
    let mut minutes = 120;
    for (reviewer, status) in verdicts {
        state.now = after(minutes);
        state.decide(reviewer, &key, status)?;
        minutes += 10;
    }
    Ok(())
}

fn days_before(now: Timestamp, days: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(now)
}

fn map(value: Value) -> Object {
    value.as_object().cloned().unwrap_or_default()
}
