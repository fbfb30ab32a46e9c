//! The subscription file: what iconik may tell, and which flows want to know. It is read once, at start; everything wrong
//! with it is told together, each with line, column and remedy.

pub mod file;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, ops::Range};

use http::HeaderName;
use jiff::SignedDuration;
use shared::mapping::{
    Diagnostics, Document, Duration, Located, ToldFlows, check_name, check_names_differ, told_flows,
};

use self::file::{ActionSpec, SubscriptionsFile, WebhookSpec};
use super::words::{is_id, is_word};

/// The file in the package, used when no other is configured.
pub const SAMPLE: &str = include_str!("../../../rules/iconik-subscriptions.toml");

/// What people call one.
const KIND: &str = "subscription";
/// The header, unless the file names another.
const HEADER: &str = "x-waybill-secret";
/// The bytes of a body, unless the file says otherwise, and the most that Lambda hands over.
const LARGEST: (usize, usize) = (256 * 1024, 6 * 1024 * 1024);
/// What iconik documents of its webhooks. The list of realms is not published as a whole.
const EVENT_TYPES: [&str; 2] = ["assets", "collections"];
const REALMS: [&str; 6] = ["acls", "contents", "entity", "files", "metadata", "shares"];
const OPERATIONS: [&str; 6] = ["create", "delete", "download", "purge", "restore", "update"];

/// The whole file, ready to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriptions {
    /// The header with the secret.
    pub header: HeaderName,
    /// The users as whom Waybill works.
    pub own_users: BTreeSet<String>,
    /// The tenant that may speak; any when there is none.
    pub tenant: Option<String>,
    /// The most bytes of a body.
    pub largest_body: usize,
    /// How long a delivery is remembered.
    pub remember: SignedDuration,
    /// What webhooks tell.
    pub webhooks: Vec<Webhook>,
    /// What custom actions ask for.
    pub actions: Vec<Action>,
}

/// What webhooks tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// The flows that are told.
    pub told: ToldFlows,
    event_types: BTreeSet<String>,
    realms: BTreeSet<String>,
    operations: BTreeSet<String>,
    objects: BTreeSet<String>,
}

/// What a custom action asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its name, which is what is asked for.
    pub name: String,
    /// Its id in iconik.
    pub id: String,
    /// The flows that are told.
    pub told: ToldFlows,
    /// The fields of its form that are told.
    pub form: BTreeSet<String>,
    /// Whether what our own users cause is left out.
    pub ignore_own_users: bool,
}

impl Webhook {
    /// Whether an event is meant.
    pub fn takes(&self, event_type: &str, realm: &str, operation: &str) -> bool {
        self.event_types.contains(event_type)
            && self.realms.contains(realm)
            && self.operations.contains(operation)
    }

    /// Whether objects of this type are told.
    pub fn tells_of(&self, object_type: &str) -> bool {
        self.objects.contains(object_type)
    }
}

impl Subscriptions {
    /// Reads a subscription file, for flows of which some have queues.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str, file: &str, has_queue: impl Fn(&str) -> bool) -> Result<Self, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let found = &mut diagnostics;
        let header = header(document.value("header", found), found);
        let own_users = own_users(document.value("own_users", found), found);
        let tenant = document.value("tenant", found).filter(|tenant| check_id("tenant", tenant, found));
        let largest_body = largest(document.value("largest_body", found), found);
        let remember = remember(document.value("remember", found), found);
        let webhooks = document.list::<WebhookSpec>("webhook", found);
        let actions = document.list::<ActionSpec>("action", found);
        let (end, whole) = (document.end(), found.is_empty());
        document.finish(found);
        if webhooks.is_empty() && actions.is_empty() && whole {
            let remedy = "add at least one `[[webhook]]` or `[[action]]`";
            found.report(end, "no-subscriptions", "the file has no subscriptions", remedy);
        }
        let names = webhooks.iter().map(|spec| &spec.value().name);
        let names = names.chain(actions.iter().map(|spec| &spec.value().name));
        check_names_differ("subscriptions", names, found);
        let webhooks = webhooks.iter().map(|spec| webhook(spec.value(), &has_queue, found)).collect();
        let actions = compile_actions(&actions, &has_queue, found);
        let tenant = tenant.map(Located::into_value);
        diagnostics.finish(Self { header, own_users, tenant, largest_body, remember, webhooks, actions })
    }

    /// The names of the subscriptions, each with its flows.
    pub fn flows(&self) -> impl Iterator<Item = (&str, &ToldFlows)> {
        let webhooks = self.webhooks.iter().map(|webhook| (webhook.name.as_str(), &webhook.told));
        webhooks.chain(self.actions.iter().map(|action| (action.name.as_str(), &action.told)))
    }

    /// Whether an event is made of words that iconik documents or this file names.
    pub fn knows(&self, event_type: &str, realm: &str, operation: &str) -> bool {
        let named = |of: fn(&Webhook) -> &BTreeSet<String>, word: &str| {
            self.webhooks.iter().any(|webhook| of(webhook).contains(word))
        };
        (EVENT_TYPES.contains(&event_type) || named(|webhook| &webhook.event_types, event_type))
            && (REALMS.contains(&realm) || named(|webhook| &webhook.realms, realm))
            && (OPERATIONS.contains(&operation) || named(|webhook| &webhook.operations, operation))
    }
}

fn header(given: Option<Located<String>>, diagnostics: &mut Diagnostics) -> HeaderName {
    let usual = HeaderName::from_static(HEADER);
    let Some(given) = given else { return usual };
    HeaderName::try_from(given.value().as_str()).unwrap_or_else(|_| {
        let message = format!("`{}` is not the name of a header", given.value());
        diagnostics.report(given.span(), "bad-header", message, "write it like `x-waybill-secret`");
        usual
    })
}

fn own_users(given: Option<Located<Vec<String>>>, diagnostics: &mut Diagnostics) -> BTreeSet<String> {
    let Some(given) = given else { return BTreeSet::new() };
    for user in given.value() {
        check_id_at("user", user, given.span(), diagnostics);
    }
    given.into_value().into_iter().collect()
}

fn largest(given: Option<Located<u64>>, diagnostics: &mut Diagnostics) -> usize {
    let (usual, most) = LARGEST;
    let Some(given) = given else { return usual };
    match usize::try_from(*given.value()) {
        Ok(bytes) if (1024..=most).contains(&bytes) => bytes,
        _ => {
            let message = format!("a body of {} bytes at most makes no sense here", given.value());
            let remedy = format!("give a number from 1024 to {most}");
            diagnostics.report(given.span(), "wrong-value", message, remedy);
            usual
        }
    }
}

fn remember(given: Option<Located<Duration>>, diagnostics: &mut Diagnostics) -> SignedDuration {
    let usual = SignedDuration::from_hours(24);
    let Some(given) = given else { return usual };
    let wanted = given.value().0;
    if wanted < SignedDuration::from_mins(1) || wanted > SignedDuration::from_hours(30 * 24) {
        let message = "a delivery is remembered for a minute at least and for 30 days at most";
        diagnostics.report(given.span(), "wrong-value", message, "leave it out for a day");
        return usual;
    }
    wanted
}

fn webhook(spec: &WebhookSpec, has_queue: &dyn Fn(&str) -> bool, diagnostics: &mut Diagnostics) -> Webhook {
    check_name(&spec.name, diagnostics);
    Webhook {
        name: spec.name.value().clone(),
        told: told_flows(KIND, &spec.flows, spec.if_deployed, has_queue, diagnostics),
        event_types: words(spec.event_types.as_ref(), &EVENT_TYPES, diagnostics),
        realms: words(Some(&spec.realms), &[], diagnostics),
        operations: words(spec.operations.as_ref(), &OPERATIONS, diagnostics),
        objects: words(spec.objects.as_ref(), &["assets"], diagnostics),
    }
}

/// The words that were given, or else the usual ones.
fn words(
    given: Option<&Located<Vec<String>>>,
    usual: &[&str],
    diagnostics: &mut Diagnostics,
) -> BTreeSet<String> {
    let Some(given) = given else { return usual.iter().map(|word| (*word).to_owned()).collect() };
    if given.value().is_empty() {
        let message = "nothing is named, so the subscription has no use";
        diagnostics.report(given.span(), "no-words", message, "name at least one");
    }
    for word in given.value() {
        if !is_word(word) {
            let message = format!("`{word}` is no word of iconik's");
            let remedy = "write it as it stands in the webhook, such as `metadata`";
            diagnostics.report(given.span(), "bad-word", message, remedy);
        }
    }
    given.value().iter().cloned().collect()
}

fn compile_actions(
    specs: &[Located<ActionSpec>],
    has_queue: &dyn Fn(&str) -> bool,
    diagnostics: &mut Diagnostics,
) -> Vec<Action> {
    let mut known = BTreeSet::new();
    let mut actions = Vec::with_capacity(specs.len());
    for spec in specs {
        let spec = spec.value();
        check_name(&spec.name, diagnostics);
        let told = told_flows(KIND, &spec.flows, spec.if_deployed, has_queue, diagnostics);
        check_id("action", &spec.id, diagnostics);
        if !known.insert(spec.id.value()) {
            let message = format!("two subscriptions are to the action `{}`", spec.id.value());
            diagnostics.report(
                spec.id.span(),
                "id-taken",
                message,
                "make one of them, with the flows of both",
            );
        }
        actions.push(Action {
            name: spec.name.value().clone(),
            id: spec.id.value().clone(),
            told,
            form: form(spec.form.as_ref(), diagnostics),
            ignore_own_users: spec.ignore_own_users,
        });
    }
    actions
}

fn form(given: Option<&Located<Vec<String>>>, diagnostics: &mut Diagnostics) -> BTreeSet<String> {
    let Some(given) = given else { return BTreeSet::new() };
    let fits = |field: &str| (1..=128).contains(&field.len()) && !field.contains(char::is_control);
    for field in given.value().iter().filter(|field| !fits(field)) {
        let message = format!("{field:?} is not the name of a field");
        diagnostics.report(
            given.span(),
            "bad-field",
            message,
            "copy it from the metadata view of the action",
        );
    }
    given.value().iter().cloned().collect()
}

fn check_id(what: &str, id: &Located<String>, diagnostics: &mut Diagnostics) -> bool {
    check_id_at(what, id.value(), id.span(), diagnostics)
}

fn check_id_at(what: &str, id: &str, at: Range<usize>, diagnostics: &mut Diagnostics) -> bool {
    if !is_id(id) {
        let message = format!("`{id}` is not the id of a {what}");
        let remedy = "copy it from iconik, such as `0f3c1a52-6b1e-11ef-8f5e-0a58a9feac02`";
        diagnostics.report(at, "bad-id", message, remedy);
        return false;
    }
    true
}

/// The JSON Schema of subscription files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(SubscriptionsFile);
    schema.insert("title".to_owned(), "Waybill subscriptions to iconik".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
