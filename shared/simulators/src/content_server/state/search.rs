//! Search: what the index knows, which lags behind the repository.

use jiff::Timestamp;

use super::lql::{Expression, LqlError};
use super::{MemberId, Node, NodeId, Permission, State, lql};

/// What the index holds about an item: the item as it stood when the indexer came by, and its place.
#[derive(Clone, Debug)]
pub struct Indexed {
    /// The item.
    pub node: Node,
    /// Numbers from the volume down to the item.
    pub location: Vec<NodeId>,
}

/// What is searched for.
#[derive(Clone, Debug)]
pub enum Query {
    /// A parsed query.
    Complex(Expression),
    /// Words to be found in name, description or attribute values.
    Words {
        /// Lower-case words.
        words: Vec<String>,
        /// All of them, or any.
        all: bool,
    },
}

impl Query {
    /// Parses the `where` of a search.
    pub fn parse(text: &str, look_for: &str) -> Result<Self, LqlError> {
        let words = || text.to_lowercase().split_whitespace().map(str::to_owned).collect();
        Ok(match look_for.to_lowercase().as_str() {
            "allwords" => Self::Words { words: words(), all: true },
            "anywords" => Self::Words { words: words(), all: false },
            "exactphrase" => Self::Words { words: vec![text.to_lowercase()], all: true },
            _ => Self::Complex(lql::parse(text)?),
        })
    }
}

impl State {
    /// Lets the indexer catch up with everything older than its lag.
    pub(crate) fn index_now(&mut self) {
        let lag = jiff::SignedDuration::from_secs(self.settings.search_lag_seconds);
        while let Some((changed, _)) = self.unindexed.front() {
            if self.now.duration_since(*changed) < lag {
                break;
            }
            let Some((_, id)) = self.unindexed.pop_front() else { break };
            match self.nodes.get(&id).cloned() {
                Some(node) => {
                    let location = self.ancestors(id);
                    self.index.insert(id, Indexed { node, location });
                }
                None => drop(self.index.remove(&id)),
            }
        }
    }

    /// Items that match and that the member sees, in order of their number.
    pub fn search(&mut self, actor: MemberId, query: &Query, below: &[NodeId]) -> Vec<Indexed> {
        self.index_now();
        self.index
            .values()
            .filter(|entry| below.is_empty() || entry.location.iter().any(|id| below.contains(id)))
            .filter(|entry| match query {
                Query::Complex(expression) => expression.matches(&|region| self.region(entry, region)),
                Query::Words { words, all } => {
                    let text = searchable_text(&entry.node);
                    let found = |word: &String| text.contains(word);
                    if *all { words.iter().all(found) } else { words.iter().any(found) }
                }
            })
            .filter(|entry| self.may(actor, &entry.node, Permission::See))
            .cloned()
            .collect()
    }

    /// Values of a region for an entry; none when the entry has no such region.
    pub fn region(&self, entry: &Indexed, region: &str) -> Vec<String> {
        let node = &entry.node;
        let off = jiff::SignedDuration::from_secs(self.settings.search_dates_off_seconds);
        let shown = |at: Timestamp| at.checked_add(off).unwrap_or(at);
        let day = |at: Timestamp| shown(at).strftime("%Y%m%d").to_string();
        let time = |at: Timestamp| shown(at).strftime("%H%M%S").to_string();
        let lower = region.to_lowercase();
        match lower.as_str() {
            "otname" => vec![node.name.clone()],
            "otdcomment" => vec![node.description.clone()],
            "otsubtype" => vec![node.kind.to_string()],
            "otsubtypename" => vec![super::node::kind_name(node.kind).to_owned()],
            "otparentid" => vec![node.parent_id.to_string()],
            "otdataid" => vec![node.id.to_string()],
            "otcreatedate" => vec![day(node.created)],
            "otcreatetime" => vec![time(node.created)],
            "otmodifydate" | "otobjectdate" => vec![day(node.modified)],
            "otmodifytime" => vec![time(node.modified)],
            "otcreatedby" | "otowner" => vec![node.created_by.to_string()],
            "otmimetype" => node.latest().map(|version| version.mime_type.clone()).into_iter().collect(),
            "otobjectsize" => {
                node.latest().map(|version| version.content.size.to_string()).into_iter().collect()
            }
            "otfilename" => node.latest().map(|version| version.file_name.clone()).into_iter().collect(),
            "otlocation" => entry.location.iter().map(ToString::to_string).collect(),
            _ => lower.strip_prefix("attr_").map(|key| attribute(node, key)).unwrap_or_default(),
        }
    }
}

/// `{category}_{attribute}`, for a set member in any row.
fn attribute(node: &Node, key: &str) -> Vec<String> {
    let Some((category, key)) = key.split_once('_') else { return Vec::new() };
    let assigned = category.parse().ok().and_then(|id: NodeId| node.categories.get(&id));
    let Some(assigned) = assigned else { return Vec::new() };
    let texts = |value: &serde_json::Value| -> Vec<String> {
        let one = |value: &serde_json::Value| match value {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        match value {
            serde_json::Value::Array(items) => items.iter().filter_map(one).collect(),
            value => one(value).into_iter().collect(),
        }
    };
    let member = key.split_once('_');
    assigned
        .values
        .iter()
        .filter(|(known, _)| {
            let mut parts = known.split('_');
            let mut in_any_row =
                || (parts.next(), parts.nth(1)) == (member.map(|m| m.0), member.map(|m| m.1));
            known.as_str() == key || (member.is_some() && in_any_row())
        })
        .flat_map(|(_, value)| texts(value))
        .collect()
}

fn searchable_text(node: &Node) -> String {
    let mut text = format!("{} {}", node.name, node.description);
    for value in node.categories.values().flat_map(|assigned| assigned.values.values()) {
        text.push(' ');
        text.push_str(&value.to_string());
    }
    text.to_lowercase()
}
