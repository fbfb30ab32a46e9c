//! What goes wrong on purpose: rules that turn one chosen call into a failure of a chosen kind.
//!
//! A rule says which call it waits for (method, path, the n-th that matches) and what happens then. It fires
//! `times` times and is gone. Nothing here is random: the same calls meet the same faults.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// What happens to the chosen call. All but the `after` and download kinds leave the simulated system untouched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Answer this status with this body.
    Status {
        /// HTTP status.
        status: u16,
        /// Body; a JSON error sentence when absent.
        #[serde(default)]
        body: Option<String>,
        /// `Content-Type`; JSON when absent.
        #[serde(default)]
        content_type: Option<String>,
        /// Seconds for a `Retry-After` header.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// 401, as for an expired ticket.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 409, an edit conflict.
    Conflict,
    /// 423, locked.
    Locked,
    /// 429 with `Retry-After`.
    RateLimited {
        /// Seconds for the `Retry-After` header.
        retry_after: u64,
    },
    /// The HTML page an exhausted server sends with status 500.
    HtmlError,
    /// An HTML page with status 200.
    HtmlOk,
    /// 200 and no body at all.
    EmptyOk,
    /// 204.
    NoContent,
    /// Do the call, but only after this long.
    Delay {
        /// Milliseconds to wait.
        milliseconds: u64,
    },
    /// Cut the connection without doing anything.
    DropBeforeEffect,
    /// Do the call, then cut the connection without an answer: the fault that makes duplicates.
    DropAfterEffect,
    /// Do the call, then answer this status: a gateway that lost patience.
    StatusAfterEffect {
        /// HTTP status.
        status: u16,
    },
    /// Answer normally, but end the body after this many bytes (the announced length stays).
    CutBody {
        /// Bytes that still arrive.
        at: u64,
    },
    /// Answer normally, with one byte of the body flipped.
    CorruptByte {
        /// Position of the byte.
        at: u64,
    },
}

/// One fault waiting for its call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// HTTP method, any when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Regular expression searched in the path (with query), any when absent.
    #[serde(default)]
    pub path: Option<String>,
    /// Fires from the n-th matching call on (1 is the next one).
    #[serde(default = "one")]
    pub call: u64,
    /// For how many matching calls it fires.
    #[serde(default = "one")]
    pub times: u64,
    /// What happens.
    pub action: Action,
}

fn one() -> u64 {
    1
}

impl Rule {
    /// The next call, whatever it is, meets `action`.
    pub fn next(action: Action) -> Self {
        Self { method: None, path: None, call: 1, times: 1, action }
    }

    /// Only calls with this method and a path in which `path` (a regular expression) is found.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path = Some(path.to_owned());
        self
    }

    /// Waits for the n-th matching call (1 is the next one).
    #[must_use]
    pub fn call(mut self, n: u64) -> Self {
        self.call = n;
        self
    }

    /// Fires this many times.
    #[must_use]
    pub fn times(mut self, n: u64) -> Self {
        self.times = n;
        self
    }
}

/// The path of a rule is not a regular expression.
#[derive(Debug, thiserror::Error)]
#[error("the path pattern of a fault is not a regular expression: {0}")]
pub struct BadPattern(#[from] regex::Error);

struct Armed {
    rule: Rule,
    pattern: Option<Regex>,
    seen: u64,
}

/// The faults of one simulator. Clones share them.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Armed>>>);

impl Faults {
    /// Arms a rule.
    pub fn add(&self, rule: Rule) -> Result<(), BadPattern> {
        let pattern = rule.path.as_deref().map(Regex::new).transpose()?;
        self.lock().push(Armed { rule, pattern, seen: 0 });
        Ok(())
    }

    /// Disarms all rules.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Rules that still wait.
    pub fn waiting(&self) -> Vec<Rule> {
        self.lock().iter().map(|armed| armed.rule.clone()).collect()
    }

    /// Counts this call and says what must go wrong with it, if anything. The first rule that fires wins; all
    /// matching rules count the call.
    pub fn meet(&self, method: &str, path: &str) -> Option<Action> {
        let mut rules = self.lock();
        let mut action = None;
        for armed in rules.iter_mut() {
            let same_method = armed.rule.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(method));
            if !same_method || armed.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(path)) {
                continue;
            }
            armed.seen += 1;
            if action.is_none() && armed.seen >= armed.rule.call {
                action = Some(armed.rule.action.clone());
            }
        }
        rules.retain(|armed| armed.seen < armed.rule.call.saturating_add(armed.rule.times).saturating_sub(1));
        action
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Armed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks a response that must never reach the caller. [`serve`](crate::serve::serve) cuts the connection when it
/// sees this extension; whoever calls the router in-process does the same by returning a connection error.
#[derive(Clone, Copy, Debug)]
pub struct Dropped;

impl Action {
    pub(crate) fn delay(&self) -> Option<Duration> {
        match self {
            Self::Delay { milliseconds } => Some(Duration::from_millis(*milliseconds)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_waits_for_its_call_and_fires_as_often_as_told() {
        let faults = Faults::default();
        faults.add(Rule::next(Action::Unauthorized).on("POST", "/nodes$").call(2).times(2)).unwrap();
        let met: Vec<bool> = (0..5).map(|_| faults.meet("POST", "/api/v2/nodes").is_some()).collect();
        assert_eq!(met, [false, true, true, false, false]);
        assert!(faults.waiting().is_empty());
    }

    #[test]
    fn other_methods_and_paths_are_not_counted() {
        let faults = Faults::default();
        faults.add(Rule::next(Action::EmptyOk).on("PUT", "/nodes/7$")).unwrap();
        assert_eq!(faults.meet("GET", "/api/v2/nodes/7"), None);
        assert_eq!(faults.meet("PUT", "/api/v2/nodes/70"), None);
        assert_eq!(faults.meet("PUT", "/api/v2/nodes/7"), Some(Action::EmptyOk));
    }

    #[test]
    fn a_broken_pattern_is_refused() {
        assert!(Faults::default().add(Rule::next(Action::EmptyOk).on("GET", "(")).is_err());
    }
}
