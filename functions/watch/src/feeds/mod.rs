//! The feed file: what is watched, and which flows are told. It is read once, at start; everything wrong with it is told
//! together, each with line, column and remedy.

pub mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use shared::{
    content_server::kind,
    mapping::{
        Diagnostics, Document, Duration, Located, check_name, check_names_differ, closest, told_flows,
    },
};

pub use self::file::Existing;
use self::file::{FeedSpec, FeedsFile, TypeSpec};

/// The file in the package, used when no other is configured.
pub const SAMPLE: &str = include_str!("../../rules/feeds.toml");

/// One feed, ready to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its name.
    pub name: String,
    /// The flows that are told.
    pub flows: Vec<String>,
    /// Those of its flows that are not deployed, and need not be.
    pub left_out: Vec<String>,
    /// What is watched.
    pub scope: Scope,
    /// The types of nodes that are reported.
    pub types: BTreeSet<i64>,
    /// The categories whose values count.
    pub watched: Vec<Watched>,
    /// How far each search goes back behind the last one.
    pub overlap: SignedDuration,
    /// How far clocks may be apart.
    pub clock_allowance: SignedDuration,
    /// How often everything is looked at.
    pub full_look: SignedDuration,
    /// What happens with what is there when the feed begins.
    pub existing: Existing,
    /// How many nodes one full look may report as gone.
    pub most_removed: u64,
}

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// What a search finds.
    Search {
        /// Only below this container.
        below: Option<i64>,
        /// What must hold.
        query: Option<String>,
    },
    /// What is in the workspaces of a type.
    Workspaces {
        /// The type's name.
        kind: String,
    },
}

/// A category whose values count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Its node id.
    pub category: i64,
    /// The attributes that count; all when empty.
    pub attributes: BTreeSet<u64>,
}

const TYPES: [(&str, i64); 6] = [
    ("document", kind::DOCUMENT),
    ("folder", kind::FOLDER),
    ("workspace", kind::WORKSPACE),
    ("shortcut", kind::SHORTCUT),
    ("compound-document", 136),
    ("url", 140),
];

impl Feed {
    /// Reads a feed file, for flows of which some have queues.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse_all(
        text: &str,
        file: &str,
        has_queue: impl Fn(&str) -> bool,
    ) -> Result<Vec<Self>, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let specs = document.list::<FeedSpec>("feed", &mut diagnostics);
        let end = document.end();
        let broken = !diagnostics.is_empty();
        document.finish(&mut diagnostics);
        if specs.is_empty() && !broken {
            diagnostics.report(end, "no-feeds", "the file has no feeds", "add at least one `[[feed]]`");
        }
        check_names_differ("feeds", specs.iter().map(|spec| &spec.value().name), &mut diagnostics);
        let feeds = specs.iter().filter_map(|spec| compile(spec, &has_queue, &mut diagnostics)).collect();
        diagnostics.finish(feeds)
    }

    /// Whether a type of node is reported.
    pub fn takes(&self, kind: i64) -> bool {
        self.types.contains(&kind)
    }
}

fn compile(
    spec: &Located<FeedSpec>,
    has_queue: &dyn Fn(&str) -> bool,
    diagnostics: &mut Diagnostics,
) -> Option<Feed> {
    let before = diagnostics.len();
    let feed = spec.value();
    check_name(&feed.name, diagnostics);
    let told = told_flows("feed", &feed.flows, feed.if_deployed, has_queue, diagnostics);
    let types = types(feed.types.as_ref(), diagnostics);
    let scope = scope(spec, diagnostics);
    let minutes =
        |given: Option<Duration>, minutes| given.map_or(SignedDuration::from_mins(minutes), |given| given.0);
    let watched = feed.watch.iter().filter_map(|watch| {
        let category = i64::try_from(*watch.category.value()).ok();
        if category.is_none() {
            diagnostics.report(watch.category.span(), "wrong-value", "no node has that id", "correct the id");
        }
        Some(Watched { category: category?, attributes: watch.attributes.iter().copied().collect() })
    });
    let watched = watched.collect();
    let scope = scope.filter(|_| diagnostics.len() == before)?;
    Some(Feed {
        name: feed.name.value().clone(),
        flows: told.flows,
        left_out: told.left_out,
        scope,
        types,
        watched,
        overlap: minutes(feed.overlap, 15),
        clock_allowance: minutes(feed.clock_allowance, 2),
        full_look: minutes(feed.full_look, 24 * 60),
        existing: feed.existing,
        most_removed: feed.most_removed.unwrap_or(1000),
    })
}

fn types(types: Option<&Located<Vec<TypeSpec>>>, diagnostics: &mut Diagnostics) -> BTreeSet<i64> {
    let Some(types) = types else { return [kind::DOCUMENT].into() };
    if types.value().is_empty() {
        let message = "no type is reported, so the feed has no use";
        diagnostics.report(types.span(), "no-types", message, "leave `types` out for documents");
    }
    let mut found = BTreeSet::new();
    for wanted in types.value() {
        let known = match wanted {
            TypeSpec::Number(number) => Some(*number),
            TypeSpec::Name(name) => TYPES.iter().find(|(known, _)| known == name).map(|(_, number)| *number),
        };
        match (known, wanted) {
            (Some(number), _) => drop(found.insert(number)),
            (None, TypeSpec::Name(name)) => {
                let remedy = match closest(name, TYPES.iter().map(|(known, _)| *known)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "give its number".to_owned(),
                };
                diagnostics.report(types.span(), "unknown-type", format!("unknown type `{name}`"), remedy);
            }
            (None, TypeSpec::Number(_)) => {}
        }
    }
    found
}

fn scope(spec: &Located<FeedSpec>, diagnostics: &mut Diagnostics) -> Option<Scope> {
    let feed = spec.value();
    match (&feed.search, &feed.workspaces) {
        (Some(search), None) => {
            let search = search.value();
            let query = search.query.as_ref();
            if let Some(query) = query.filter(|query| !is_balanced(query.value())) {
                let message = "a quotation mark or parenthesis of the query is not closed";
                diagnostics.report(query.span(), "bad-query", message, "close it");
            }
            let below = search.below.and_then(|below| i64::try_from(below).ok());
            let query = query.map(|query| query.value().trim().to_owned()).filter(|query| !query.is_empty());
            Some(Scope::Search { below, query })
        }
        (None, Some(workspaces)) => Some(Scope::Workspaces { kind: workspaces.value().kind.value().clone() }),
        (given, _) => {
            let count = if given.is_some() { "both" } else { "none" };
            diagnostics.report(
                feed.name.span(),
                "unclear-scope",
                format!("expected either `search` or `workspaces`, found {count}"),
                "keep exactly one; make two feeds to watch both",
            );
            None
        }
    }
}

/// Whether a feed tells anybody. What it would tell if it were deployed stands in the log, so that nobody wonders.
pub(crate) fn is_told(feed: &str, flows: &[String], left_out: &[String]) -> bool {
    if !left_out.is_empty() {
        tracing::info!(feed, flows = left_out.join(", "), "flows that are not deployed are told nothing");
    }
    !flows.is_empty()
}

/// Whether a query can be put between parentheses without changing what is outside.
fn is_balanced(query: &str) -> bool {
    let (mut depth, mut quoted) = (0_i32, false);
    for c in query.chars() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0 && !quoted
}

/// The JSON Schema of feed files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(FeedsFile);
    schema.insert("title".to_owned(), "Waybill change feeds".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
