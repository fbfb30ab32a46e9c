//! Which paths a rule may read. A path that can never have a value is a mistake in the file, not in the input.

use super::suggestion::closest;

/// The namespaces a rule may read, each with its members.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    namespaces: Vec<(String, Members)>,
}

/// What may stand in a namespace.
#[derive(Debug, Clone)]
pub enum Members {
    /// Any path.
    Any,
    /// Any path in lower case.
    AnyLowerCase,
    /// These names only.
    Only(Vec<String>),
    /// Nothing, because of this reason; the second text is the remedy.
    Closed(String, String),
}

impl Scope {
    /// Without any namespace.
    pub fn new() -> Self {
        Self::default()
    }

    /// The scope with one more namespace.
    #[must_use]
    pub fn with(mut self, namespace: &str, members: Members) -> Self {
        self.namespaces.push((namespace.to_owned(), members));
        self
    }

    /// `Ok`, or what is wrong with the path and the remedy.
    pub fn check(&self, path: &str) -> Result<(), (String, String)> {
        let (namespace, rest) = path.split_once('.').unwrap_or((path, ""));
        let Some((_, members)) = self.namespaces.iter().find(|(name, _)| name == namespace) else {
            let names: Vec<&str> = self.namespaces.iter().map(|(name, _)| name.as_str()).collect();
            let remedy = match closest(namespace, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}.…`?"),
                None => format!("begin with one of {}", list(&names)),
            };
            return Err((format!("`{path}` reads from `{namespace}`, which is not known"), remedy));
        };
        if namespace != "row" && rest.is_empty() {
            return Err((format!("`{path}` names no value"), format!("write `{namespace}.<name>`")));
        }
        match members {
            Members::Any => Ok(()),
            Members::AnyLowerCase if rest == rest.to_lowercase() => Ok(()),
            Members::AnyLowerCase => Err((
                format!("`{path}` has capitals, but names under `{namespace}` arrive in lower case"),
                format!("write `{namespace}.{}`", rest.to_lowercase()),
            )),
            Members::Closed(reason, remedy) => Err((format!("`{path}` {reason}"), remedy.clone())),
            Members::Only(names) if names.iter().any(|name| name == rest) => Ok(()),
            Members::Only(names) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let remedy = match closest(rest, names.iter().copied()) {
                    Some(near) => format!("did you mean `{namespace}.{near}`?"),
                    None if names.is_empty() => format!("nothing is known under `{namespace}` here"),
                    None => format!("`{namespace}` has {}", list(&names)),
                };
                Err((format!("`{path}` does not exist"), remedy))
            }
        }
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
