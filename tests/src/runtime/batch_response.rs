//! What a function's answer to a batch means to the queue, by the rules of Lambda's event source mappings for SQS.

use std::collections::HashSet;

use serde_json::Value;

use super::Outcome;

/// Which of a batch's messages stay on the queue. An answer that names a message which is not in the batch, or names
/// none where it should, is wrong as a whole: then every message stays.
pub fn failed_messages(outcome: &Outcome, batch: &[String]) -> HashSet<String> {
    named(outcome, batch).unwrap_or_else(|| batch.iter().cloned().collect())
}

/// `None` when the whole batch failed.
fn named(outcome: &Outcome, batch: &[String]) -> Option<HashSet<String>> {
    let Outcome::Answer(Some(answer)) = outcome else { return None };
    let failures = match answer {
        Value::Null => return Some(HashSet::new()),
        Value::Object(fields) => fields.get("batchItemFailures").unwrap_or(&Value::Null),
        _ => return None,
    };
    let failures = match failures {
        Value::Null => return Some(HashSet::new()),
        Value::Array(failures) => failures,
        _ => return None,
    };
    failures
        .iter()
        .map(|failure| {
            let id = failure.get("itemIdentifier")?.as_str()?;
            batch.iter().any(|known| known == id).then(|| id.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stay(answer: Value) -> usize {
        failed_messages(&Outcome::Answer(Some(answer)), &["a".into(), "b".into()]).len()
    }

    #[test]
    fn nothing_named_is_a_success() {
        for answer in
            [json!(null), json!({}), json!({"batchItemFailures": null}), json!({"batchItemFailures": []})]
        {
            assert_eq!(stay(answer), 0);
        }
    }

    #[test]
    fn only_the_named_message_stays() {
        assert_eq!(stay(json!({"batchItemFailures": [{"itemIdentifier": "b"}]})), 1);
    }

    #[test]
    fn a_wrong_name_fails_the_whole_batch() {
        for failure in [
            json!({"itemIdentifier": ""}),
            json!({"itemIdentifier": null}),
            json!({"itemIdentifier": "c"}),
            json!({"messageId": "a"}),
            json!(null),
        ] {
            assert_eq!(stay(json!({"batchItemFailures": [{"itemIdentifier": "a"}, failure]})), 2);
        }
        assert_eq!(stay(json!("done")), 2);
        assert_eq!(stay(json!({"batchItemFailures": "a"})), 2);
    }

    #[test]
    fn no_answer_fails_the_whole_batch() {
        let batch = ["a".to_owned(), "b".to_owned()];
        for outcome in [
            Outcome::Answer(None),
            Outcome::TimedOut,
            Outcome::Failed(json!({})),
            Outcome::Exited("signal: 9".into()),
            Outcome::DidNotStart("rules".into()),
        ] {
            assert_eq!(failed_messages(&outcome, &batch).len(), 2);
        }
    }
}
