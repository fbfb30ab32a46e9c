//! What iconik is told, in words. Each sentence is the only one of its kind on an asset, so that it is found again.

use jiff::Timestamp;
use shared::content_server::ProcessId;

use super::memory::{Ending, Lapse, Workflow};

/// A finished step, with the people who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// What tells it from every other step of the workflow, also when it is done twice.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) disposition: String,
    pub(super) comment: String,
    /// The names of the people; none when Content Server does not say.
    pub(super) people: Vec<String>,
    pub(super) ended: Option<Timestamp>,
    /// It is one of those in which it is decided.
    pub(super) is_deciding: bool,
}

/// Names in a row; nobody is made up.
pub(super) fn names(people: &[String]) -> String {
    match people {
        [] => "somebody whom Content Server does not name".to_owned(),
        people => people.iter().map(|name| isolated(name)).collect::<Vec<_>>().join(", "),
    }
}

pub(super) fn began(workflow: &Workflow, process: ProcessId) -> String {
    format!("Sign-off of version {} began in Content Server (workflow {})", workflow.number, process.0)
}

pub(super) fn step(workflow: &Workflow, process: ProcessId, step: &Step) -> String {
    let (number, process) = (workflow.number, process.0);
    format!("Sign-off of version {number}: {} (workflow {process}, step {})", what_happened(step), step.id)
}

fn what_happened(step: &Step) -> String {
    let (name, people) = (isolated(&one_line(&step.name)), names(&step.people));
    let how = match step.disposition.trim() {
        "" => "done".to_owned(),
        disposition => format!("ended as \"{}\"", isolated(&one_line(disposition))),
    };
    let when = step.ended.map(|at| format!(" on {}", at.strftime("%Y-%m-%d at %H:%M UTC")));
    format!("\"{name}\" was {how} by {people}{}", when.unwrap_or_default())
}

/// A comment about a step: what was said stands as it was said, on lines of its own.
pub(super) fn comment(workflow: &Workflow, step: &Step) -> String {
    let head = format!("Sign-off of version {}: {}.", workflow.number, what_happened(step));
    match step.comment.trim() {
        "" => head,
        said => format!("{head}\n{}", isolated(said)),
    }
}

pub(super) fn ended(workflow: &Workflow, process: ProcessId, ending: Ending, people: &[String]) -> String {
    let how = match ending {
        Ending::Approved => format!("approved by {}", names(people)),
        Ending::Rejected => format!("rejected by {}", names(people)),
        Ending::Withdrawn => format!("withdrawn, as {}", why(workflow.withdrawn)),
        Ending::Stopped => "ended in Content Server before its last step, without a decision".to_owned(),
        Ending::Gone => "deleted in Content Server; its decision is not known".to_owned(),
    };
    format!("Sign-off of version {}: {how} (workflow {})", workflow.number, process.0)
}

pub(super) fn why(lapse: Option<Lapse>) -> &'static str {
    match lapse {
        Some(Lapse::ReviewReopened) | None => "its review is not approved any more",
        Some(Lapse::VersionDeleted) => "the version was deleted",
        Some(Lapse::AssetDeleted) => "the asset is in the recycle bin",
        Some(Lapse::AssetGone) => "the asset was deleted",
        Some(Lapse::Superseded) => "a newer version was approved",
    }
}

/// A text without line breaks and other control characters.
pub(super) fn one_line(text: &str) -> String {
    let spaced: String =
        text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

const FIRST_STRONG: char = '\u{2068}';
const ISOLATE_ENDS: char = '\u{2069}';
const EMBEDDING_ENDS: char = '\u{202c}';

/// A text that cannot turn round what stands beside it: what directional controls it leaves open is closed, what it closes
/// and has not opened is left out, and the whole of each line is isolated. A text without such controls stays as it is.
pub(super) fn isolated(text: &str) -> String {
    let is_control = |character: char| matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.chars().any(is_control) {
        return text.to_owned();
    }
    text.split('\n').map(isolated_line).collect::<Vec<_>>().join("\n")
}

fn isolated_line(line: &str) -> String {
    let mut isolated = String::from(FIRST_STRONG);
    // What ends each control that is open.
    let mut open: Vec<char> = Vec::new();
    for character in line.chars() {
        match character {
            '\u{2066}'..='\u{2068}' => open.push(ISOLATE_ENDS),
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => open.push(EMBEDDING_ENDS),
            // It ends an embedding only when that is the innermost thing.
            EMBEDDING_ENDS if open.last() == Some(&EMBEDDING_ENDS) => drop(open.pop()),
            ISOLATE_ENDS if open.contains(&ISOLATE_ENDS) => {
                // And with an isolate everything within it.
                while open.pop().is_some_and(|end| end != ISOLATE_ENDS) {}
            }
            EMBEDDING_ENDS | ISOLATE_ENDS => continue,
            _ => {}
        }
        isolated.push(character);
    }
    isolated.extend(open.into_iter().rev());
    isolated.push(ISOLATE_ENDS);
    isolated
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::iconik::{AssetId, VersionId};

    use super::*;

    fn workflow() -> Workflow {
        Workflow {
            asset: AssetId::new("a"),
            version: VersionId::new("v"),
            number: 2,
            rule: "campaign".into(),
            round: 1,
            told: Default::default(),
            seen: String::new(),
            withdrawn: None,
            closed: None,
        }
    }

    fn review(comment: &str) -> Step {
        Step {
            id: "1".into(),
            name: "Review".into(),
            disposition: "Approve".into(),
            comment: comment.into(),
            people: vec!["Mona Lee (brand.reviewer)".into()],
            ended: Some("2031-05-06T07:10:00Z".parse().unwrap()),
            is_deciding: true,
        }
    }

    #[test]
    fn a_step_is_told_with_who_did_it_and_when() {
        assert_eq!(
            step(&workflow(), ProcessId(4711), &review("")),
            "Sign-off of version 2: \"Review\" was ended as \"Approve\" by Mona Lee (brand.reviewer) on \
             2031-05-06 at 07:10 UTC (workflow 4711, step 1)"
        );
        let unnamed = Step { people: Vec::new(), ended: None, disposition: String::new(), ..review("") };
        assert_eq!(
            comment(&workflow(), &unnamed),
            "Sign-off of version 2: \"Review\" was done by somebody whom Content Server does not name."
        );
    }

    #[test]
    fn a_comment_in_any_script_stands_as_it_was_said_and_turns_nothing_round() {
        let said = "\u{645}\u{646} \u{641}\u{636}\u{644}\u{643}\nMerci !";
        assert!(comment(&workflow(), &review(said)).ends_with(&format!(".\n{said}")));
        // Shown without care, this says that it was rejected.
        let forged = "\u{202e}devorppa ton";
        assert_eq!(
            comment(&workflow(), &review(forged)).lines().last(),
            Some("\u{2068}\u{202e}devorppa ton\u{202c}\u{2069}")
        );
        assert_eq!(isolated("a\u{2069}b\u{202c}c"), "\u{2068}abc\u{2069}", "what closes the frame");
    }

    #[test]
    fn a_title_is_one_line() {
        assert_eq!(one_line(" Harbour\r\n lights\t\u{0}60s "), "Harbour lights 60s");
    }

    proptest! {
        #[test]
        fn whatever_is_said_its_lines_open_and_close_in_pairs(text in "[a\u{5d0}\n\u{202a}-\u{202e}\u{2066}-\u{2069}]{0,24}") {
            let shown = isolated(&text);
            prop_assert_eq!(shown.split('\n').count(), text.split('\n').count());
            for line in shown.split('\n').filter(|_| shown != text) {
                let mut open = Vec::new();
                for character in line.chars() {
                    match character {
                        '\u{2066}'..='\u{2068}' => open.push(ISOLATE_ENDS),
                        '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => open.push(EMBEDDING_ENDS),
                        EMBEDDING_ENDS => prop_assert_eq!(open.pop(), Some(EMBEDDING_ENDS)),
                        ISOLATE_ENDS => {
                            while let Some(end) = open.pop() {
                                if end == ISOLATE_ENDS { break; }
                            }
                        }
                        _ => {}
                    }
                    // The frame stays open until the last character.
                    prop_assert!(!open.is_empty() || character == ISOLATE_ENDS);
                }
                prop_assert!(open.is_empty());
                prop_assert!(line.starts_with(FIRST_STRONG) && line.ends_with(ISOLATE_ENDS));
            }
            let plain = |text: &str| text.chars().filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')).collect::<String>();
            prop_assert_eq!(plain(&shown), plain(&text));
        }
    }
}
