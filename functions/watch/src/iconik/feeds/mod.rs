//! The feed file for iconik. It is read once, at start; everything wrong with it is told together, each with line, column
//! and remedy.

pub mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use shared::{
    iconik::ViewId,
    mapping::{
        Diagnostics, Document, Duration, Located, check_name, check_names_differ, closest, told_flows,
    },
};

use self::file::{FeedSpec, FeedsFile};
use crate::feeds::Existing;

/// The file in the package, used when no other is configured.
pub const SAMPLE: &str = include_str!("../../../rules/iconik-feeds.toml");

/// What can be looked for.
const OBJECTS: [&str; 3] = ["assets", "collections", "segments"];
/// The parts whose values count unless the file says otherwise.
const USUAL: [&str; 14] = [
    "approval.change_date",
    "approval.status",
    "approval.version_id",
    "archive_status",
    "category",
    "external_id",
    "is_online",
    "metadata",
    "parent_id",
    "segment_checked",
    "segment_text",
    "status",
    "title",
    "versions.id",
];

/// The whole file, ready to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feeds {
    /// Where iconik sends to; everywhere when there is none.
    pub receiver: Option<String>,
    /// How many webhooks have to.
    pub least_webhooks: u64,
    /// The feeds.
    pub feeds: Vec<Feed>,
}

/// One feed, ready to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its name.
    pub name: String,
    /// The flows that are told.
    pub flows: Vec<String>,
    /// Those of its flows that are not deployed, and need not be.
    pub left_out: Vec<String>,
    /// What is looked for.
    pub objects: Vec<&'static str>,
    /// What must hold.
    pub query: Option<String>,
    /// The view whose values count.
    pub view: Option<ViewId>,
    /// The parts that count, sorted.
    pub watched: Vec<String>,
    /// How far each search goes back behind the last one.
    pub overlap: SignedDuration,
    /// Whether the recycle bin is looked into.
    pub deleted: bool,
    /// How far clocks may be apart.
    pub clock_allowance: SignedDuration,
    /// How often everything is looked at.
    pub full_look: SignedDuration,
    /// What happens with what is there when the feed begins.
    pub existing: Existing,
}

impl Feeds {
    /// Reads a feed file, for flows of which some have queues.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str, file: &str, has_queue: impl Fn(&str) -> bool) -> Result<Self, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let found = &mut diagnostics;
        let receiver = receiver(document.value("receiver", found), found);
        let least = document.value::<u64>("webhooks", found).map(Located::into_value);
        let specs = document.list::<FeedSpec>("feed", found);
        let (end, whole) = (document.end(), found.is_empty());
        document.finish(found);
        if specs.is_empty() && whole {
            found.report(end, "no-feeds", "the file has no feeds", "add at least one `[[feed]]`");
        }
        check_names_differ("feeds", specs.iter().map(|spec| &spec.value().name), found);
        let feeds = specs.iter().map(|spec| compile(spec.value(), &has_queue, found)).collect();
        let least_webhooks = least.unwrap_or_else(|| u64::from(receiver.is_some()));
        diagnostics.finish(Self { receiver, least_webhooks, feeds })
    }
}

fn receiver(given: Option<Located<String>>, diagnostics: &mut Diagnostics) -> Option<String> {
    let given = given?;
    let address = given.value().trim_end_matches('/');
    let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    if host.is_none_or(str::is_empty) {
        let message = format!("`{address}` is not the beginning of an address");
        let remedy = "copy ReceiveIconikWebhooksUrl from the outputs of receive-iconik, without /webhooks";
        diagnostics.report(given.span(), "bad-address", message, remedy);
    }
    Some(address.to_owned())
}

fn compile(spec: &FeedSpec, has_queue: &dyn Fn(&str) -> bool, diagnostics: &mut Diagnostics) -> Feed {
    check_name(&spec.name, diagnostics);
    let told = told_flows("feed", &spec.flows, spec.if_deployed, has_queue, diagnostics);
    let minutes =
        |given: Option<Duration>, minutes| given.map_or(SignedDuration::from_mins(minutes), |given| given.0);
    let text = |given: Option<&Located<String>>| {
        given.map(|given| given.value().trim().to_owned()).filter(|text| !text.is_empty())
    };
    Feed {
        name: spec.name.value().clone(),
        flows: told.flows,
        left_out: told.left_out,
        objects: objects(spec.objects.as_ref(), diagnostics),
        query: text(spec.query.as_ref()),
        view: text(spec.view.as_ref()).map(ViewId::new),
        watched: watched(spec.watch.as_ref(), diagnostics),
        overlap: minutes(spec.overlap, 60),
        deleted: spec.deleted.unwrap_or(true),
        clock_allowance: minutes(spec.clock_allowance, 2),
        full_look: minutes(spec.full_look, 24 * 60),
        existing: spec.existing,
    }
}

fn watched(given: Option<&Located<Vec<String>>>, diagnostics: &mut Diagnostics) -> Vec<String> {
    let Some(given) = given else { return USUAL.map(str::to_owned).to_vec() };
    let is_path = |path: &str| {
        let is_step = |step: &str| {
            !step.is_empty() && step.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        };
        path.split('.').all(is_step)
    };
    for path in given.value().iter().filter(|path| !is_path(path)) {
        let message = format!("`{path}` is not a path into a document");
        diagnostics.report(given.span(), "bad-path", message, "write it like `approval.status`");
    }
    let paths: BTreeSet<String> = given.value().iter().cloned().collect();
    paths.into_iter().collect()
}

fn objects(given: Option<&Located<Vec<String>>>, diagnostics: &mut Diagnostics) -> Vec<&'static str> {
    let Some(given) = given else { return vec!["assets"] };
    if given.value().is_empty() {
        let message = "nothing is looked for, so the feed has no use";
        diagnostics.report(given.span(), "no-objects", message, "leave `objects` out for assets");
    }
    let mut found = BTreeSet::new();
    for name in given.value() {
        match OBJECTS.iter().find(|known| *known == name) {
            Some(known) => drop(found.insert(*known)),
            None => {
                let remedy = match closest(name, OBJECTS.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "use `assets`, `collections` or `segments`".to_owned(),
                };
                let message = format!("`{name}` cannot be looked for");
                diagnostics.report(given.span(), "unknown-object", message, remedy);
            }
        }
    }
    found.into_iter().collect()
}

/// The JSON Schema of feed files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(FeedsFile);
    schema.insert("title".to_owned(), "Waybill change feeds of iconik".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
