//! Which call goes where.

pub(super) mod access_token;
mod changes;
mod content;
mod download;
mod entities;
mod exports;
mod holds;
mod identifiers;
mod links;
mod location;
mod metadata;
mod monitor;
mod previews;
mod retention;
pub(super) mod storage;
mod structure;
mod users;
pub(super) mod webhooks;
mod workflow;

use super::call::{Call, Names};
use super::reply::{Outcome, Refusal, Reply};
use super::state::Kind;
use super::xml::Element;

/// Routes a call with a valid token that is not below `/api`.
pub(super) fn beside(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    match path {
        ["sdb", "rest", "workflow", rest @ ..] => workflow::route(call, rest),
        _ => Err(Refusal::NoUrl),
    }
}

/// Routes a call with a valid token. `path` is below `/api`.
pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    match path {
        ["entity", version, rest @ ..] if is_version(version) => {
            call.names = Names::of(version.trim_start_matches('v'));
            entity(call, rest)
        }
        ["entity", rest @ ..] => entity(call, rest),
        ["user", rest @ ..] => users::route(call, rest),
        ["security", "tags"] => users::tags(call),
        ["entitlement", "edition"] => Ok(Reply::Json(200, serde_json::json!({"edition": "enterprise"}))),
        ["content", what] => content::route(call, what),
        ["processmonitor", "progress", token] => progress(call, token),
        ["processmonitor", rest @ ..] => monitor::route(call, rest),
        ["webhook", "subscriptions", rest @ ..] => webhooks::route(call, rest),
        ["location", "upload", rest @ ..] => location::route(call, rest),
        ["s3", "buckets", rest @ ..] => storage::route(call, rest),
        _ => Err(Refusal::NoUrl),
    }
}

fn is_version(segment: &str) -> bool {
    let numbers = segment.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    numbers.is_some_and(|(major, minor)| major.parse::<u8>().is_ok() && minor.parse::<u8>().is_ok())
}

fn entity(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    match (call.method.as_str(), path) {
        ("GET", ["versiondetails", "version"]) => Ok(version(call)),
        (_, ["entities" | "events" | "root", ..]) => changes::route(call, path),
        (_, ["retention-policies", rest @ ..]) => retention::policies(call, rest),
        (_, ["legal-holds", rest @ ..]) => holds::route(call, rest),
        ("GET", ["progress", token]) => progress(call, token),
        ("PUT", ["actions", "deletions", token]) => decide(call, token),
        ("GET", ["actions", "exports", token, "content"]) => exports::content(call, token),
        ("POST", ["actions", "metadata-csv-edits"]) => {
            call.state.may_write(&call.user)?;
            let (user, table) = (call.user.clone(), call.bytes.clone());
            Ok(Reply::Text(202, call.state.ask_csv_edit(&user, &table)?))
        }
        (_, [kind, rest @ ..]) => {
            let kind = Kind::of_path(kind).ok_or(Refusal::NoUrl)?;
            match rest {
                [] => entities::make(call, kind),
                [reference, rest @ ..] => of_entity(call, (kind, reference), rest),
            }
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn of_entity(call: &mut Call<'_>, of: (Kind, &str), path: &[&str]) -> Outcome<Reply> {
    match path {
        [] => entities::route(call, of),
        ["identifiers", rest @ ..] => identifiers::route(call, of, rest),
        ["metadata", rest @ ..] => metadata::route(call, of, rest),
        ["event-actions"] => changes::events_of(call, of),
        ["children"] if of.0 == Kind::StructuralObject => {
            call.state.living(of.0, of.1)?;
            entities::children(call, Some(of.1))
        }
        ["security-descriptor"] => entities::retag(call, of),
        ["parent-ref"] => entities::relocate(call, of),
        ["links", rest @ ..] => links::route(call, of, rest),
        ["preview"] => previews::route(call, of),
        ["exports"] => exports::begin(call, of),
        ["representations" | "generations", ..] => structure::route(call, of, path),
        ["retention-assignments", rest @ ..] => retention::assignments(call, of, rest),
        ["legal-holds", rest @ ..] => holds::assignments(call, of, rest),
        _ => Err(Refusal::NoUrl),
    }
}

/// The element is looked for as a literal text without prefix.
fn version(call: &Call<'_>) -> Reply {
    let root = call.entity_element("VersionDetails");
    Reply::Xml(root.with("CurrentVersion", call.state.settings.version.clone()))
}

fn progress(call: &Call<'_>, token: &str) -> Outcome<Reply> {
    let unknown = || Refusal::NotFound(format!("There is no progress {token}"));
    let status = call.state.status(token).ok_or_else(unknown)?;
    let mut progress = Element::new(super::call::STATUS, "Progress").with("Status", status.word());
    if call.text("includeErrors").is_some_and(|text| text.eq_ignore_ascii_case("true"))
        && let Some(known) = call.state.progress.get(token)
        && !known.errors.is_empty()
    {
        let mut errors = Element::new(super::call::STATUS, "Errors");
        for error in &known.errors {
            errors = errors.with("Error", error.clone());
        }
        progress = progress.child(errors);
    }
    // What is looked for has to be below the root.
    Ok(Reply::Xml(Element::new(super::call::STATUS, "ProgressResponse").child(progress)))
}

fn decide(call: &mut Call<'_>, token: &str) -> Outcome<Reply> {
    let action = call.xml("DeletionAction")?;
    let approval = action.find("Approval");
    let approval = approval.ok_or_else(|| Refusal::Invalid("There is no Approval".to_owned()))?;
    let approved = approval.text_of("Approved").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let user = call.user.clone();
    call.state.decide_removal(&user, token, approved)?;
    Ok(Reply::Text(202, token.to_owned()))
}
