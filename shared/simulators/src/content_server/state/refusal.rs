//! Why the server says no.

use super::super::settings::Language;

/// Which generation of the interface is asked; some refusals look different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// `/api/v1`
    V1,
    /// `/api/v2`
    V2,
}

const SORRY: &str = "Sorry, the item you requested could not be accessed. Either it does not exist or you do not have \
                     permission to access it.";

/// A refused call. Status and sentence are the vendor's; they are decided in [`answer`](Self::answer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No ticket, or a bad one.
    NotAuthenticated,
    /// Wrong name or password.
    BadPassword,
    /// Missing or invisible node, asked for by a read.
    NotAccessible,
    /// Missing or invisible node, asked for by a write or a list.
    NoNode(i64),
    /// A sibling has the name.
    Collision(String),
    /// A parameter is absent.
    Missing(&'static str),
    /// A parameter has the wrong type or value.
    BadType(String),
    /// The caller lacks the right for this verb, or the item has no such verb.
    InvalidAction(&'static str),
    /// The caller may not change rights.
    Insufficient,
    /// A `metadata_token` is stale.
    EditConflict,
    /// Somebody else reserved the item.
    Reserved {
        /// Who.
        by: String,
        /// Status to answer.
        status: u16,
    },
    /// A hold or the state of a record forbids it.
    RecordState {
        /// Which hold or state.
        reason: String,
        /// Status to answer.
        status: u16,
    },
    /// Too many calls.
    Throttled {
        /// Status to answer.
        status: u16,
        /// `Retry-After` to answer, in seconds.
        retry_after: Option<u64>,
    },
    /// No such URL, or its module is absent.
    NoUrl,
    /// Anything else, in words.
    Said {
        /// Status to answer.
        status: u16,
        /// Sentence to answer.
        text: String,
    },
}

impl Refusal {
    /// A refusal in words.
    pub fn said(status: u16, text: impl Into<String>) -> Self {
        Self::Said { status, text: text.into() }
    }

    /// The sentence for a missing or invisible item, where it comes with another status.
    pub(crate) fn sorry(status: u16) -> Self {
        Self::said(status, SORRY)
    }

    /// Status and sentence on the wire.
    pub fn answer(&self, api: Api, language: Language) -> (u16, String) {
        let (status, text) = self.english(api);
        match language {
            Language::English => (status, text),
            Language::German => (status, self.german().unwrap_or(text)),
        }
    }

    fn english(&self, api: Api) -> (u16, String) {
        let by_api = |v1, v2| if api == Api::V1 { v1 } else { v2 };
        match self {
            Self::NotAuthenticated => (401, "Authentication Required".to_owned()),
            Self::BadPassword => (401, "Invalid username/password specified.".to_owned()),
            Self::NotAccessible => (by_api(500, 400), SORRY.to_owned()),
            Self::NoNode(id) => (500, format!("Could not get a node for {id}")),
            Self::Collision(name) => {
                (by_api(400, 500), format!("An item with the name '{name}' already exists."))
            }
            Self::Missing(name) => (400, format!("Missing required parameter '{name}'")),
            Self::BadType(name) => (400, format!("Invalid datatype specified for argument '{name}'.")),
            Self::InvalidAction(verb) => (500, format!("Could not process object, invalid action '{verb}'")),
            Self::Insufficient => (500, "Insufficient permissions to perform that action".to_owned()),
            Self::EditConflict => (409, "Could not update metadata (edit conflict).".to_owned()),
            Self::Reserved { by, status } => (*status, format!("The item is reserved by {by}.")),
            Self::RecordState { reason, status } => {
                (*status, format!("The operation is not allowed: {reason}"))
            }
            Self::Throttled { status, .. } => (*status, "Too Many Requests".to_owned()),
            Self::NoUrl => (400, "The REST API URL could not be found in the mappings registry.".to_owned()),
            Self::Said { status, text } => (*status, text.clone()),
        }
    }

    fn german(&self) -> Option<String> {
        Some(match self {
            Self::NotAuthenticated => "Authentifizierung erforderlich".to_owned(),
            Self::NotAccessible => "Auf das angeforderte Element konnte nicht zugegriffen werden.".to_owned(),
            Self::NoNode(id) => format!("Kein Knoten für {id} gefunden"),
            Self::Collision(name) => format!("Ein Element mit dem Namen '{name}' ist bereits vorhanden."),
            Self::Missing(name) => format!("Erforderlicher Parameter '{name}' fehlt"),
            Self::EditConflict => {
                "Metadaten konnten nicht aktualisiert werden (Bearbeitungskonflikt).".to_owned()
            }
            Self::Reserved { by, .. } => format!("Das Element ist von {by} reserviert."),
            _ => return None,
        })
    }
}

/// Result of a rule.
pub type Outcome<T> = Result<T, Refusal>;
