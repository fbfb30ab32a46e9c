//! The status of an approval, from what the reviewers said.

use super::super::super::settings::RollUp;
use super::Approval;

/// The status under this rule.
pub(super) fn status(rule: RollUp, approval: &Approval) -> &'static str {
    let with = |status: &str| approval.verdicts.iter().filter(|verdict| verdict.status == status).count();
    let (good, bad) = (with("APPROVED"), with("NOT_APPROVED"));
    let enough = match rule {
        RollUp::AllReviewers => {
            let asked = approval.users.iter().chain(&approval.externals);
            let said_yes = |reviewer: &String| {
                let by = approval.verdicts.iter().find(|verdict| verdict.is_by(reviewer));
                by.is_some_and(|verdict| verdict.status == "APPROVED")
            };
            good > 0 && asked.clone().all(said_yes)
        }
        RollUp::MinimumNumber | RollUp::RejectionWins | RollUp::LastVerdict => {
            good > 0 && good as u64 >= approval.min_number
        }
    };
    match rule {
        RollUp::RejectionWins if bad > 0 => "NOT_APPROVED",
        RollUp::LastVerdict => match approval.verdicts.last().map(|verdict| verdict.status.as_str()) {
            Some("APPROVED") => "APPROVED",
            Some(_) => "NOT_APPROVED",
            None => "REQUESTED",
        },
        _ if bad > 0 && good > 0 => "MIXED",
        _ if bad > 0 => "NOT_APPROVED",
        _ if enough => "APPROVED",
        _ => "REQUESTED",
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    /// An approval two people were asked for, with verdicts in the order they came.
    fn approval(min_number: u64, verdicts: &[(&str, bool)]) -> Approval {
        let verdict = |(user, good): &(&str, bool)| Verdict {
            user: Some((*user).to_owned()),
            external: None,
            status: if *good { "APPROVED" } else { "NOT_APPROVED" }.to_owned(),
            change_date: serde_json::Value::Null,
        };
        Approval {
            users: vec!["one".to_owned(), "two".to_owned()],
            min_number,
            verdicts: verdicts.iter().map(verdict).collect(),
            ..Approval::default()
        }
    }

    #[test]
    fn each_rule_tells_the_same_verdicts_differently() {
        use RollUp::{AllReviewers, LastVerdict, MinimumNumber, RejectionWins};
        let none = approval(1, &[]);
        let one_yes = approval(1, &[("one", true)]);
        let one_yes_of_two = approval(2, &[("one", true)]);
        let no_then_yes = approval(1, &[("one", false), ("two", true)]);
        let no = approval(1, &[("two", false)]);
        let cases = [
            (MinimumNumber, ["REQUESTED", "APPROVED", "REQUESTED", "MIXED", "NOT_APPROVED"]),
            (AllReviewers, ["REQUESTED", "REQUESTED", "REQUESTED", "MIXED", "NOT_APPROVED"]),
            (RejectionWins, ["REQUESTED", "APPROVED", "REQUESTED", "NOT_APPROVED", "NOT_APPROVED"]),
            (LastVerdict, ["REQUESTED", "APPROVED", "APPROVED", "APPROVED", "NOT_APPROVED"]),
        ];
        for (rule, expected) in cases {
            let told = [&none, &one_yes, &one_yes_of_two, &no_then_yes, &no].map(|it| status(rule, it));
            assert_eq!(told, expected, "{rule:?}");
        }
        let both = approval(1, &[("one", true), ("two", true)]);
        assert_eq!(status(AllReviewers, &both), "APPROVED");
    }
}
