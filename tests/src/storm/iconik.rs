//! What is true in an iconik, as lines that two runs can be compared by: without ids, times and people.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;
use simulators::iconik::{
    State,
    state::{Object, Table, media::Kind},
};

use super::{Broken, Made, World, check::missing};

/// Facts, each with how often it is true.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    facts: BTreeMap<String, i64>,
    jobs: BTreeMap<String, i64>,
}

impl Facts {
    /// What is true of the objects of an iconik. What its tenant has set up is not among it.
    pub(super) fn of(state: &State) -> Self {
        let mut facts = Self::default();
        for (kind, table) in [("assets", &state.assets), ("collections", &state.collections)] {
            for object in table.objects() {
                facts.object(state, kind, object);
            }
        }
        facts.relations(state);
        facts.reviews(state);
        facts.media(state);
        for entry in state.history.objects() {
            let asset = asset(state, text(entry, "asset_id"));
            let (operation, said) = (text(entry, "operation_type"), text(entry, "operation_description"));
            facts.add(format!("{asset}: history {operation} {said}"));
        }
        for job in state.jobs.objects() {
            let name = |name| text(job, name);
            let of = object(state, name("object_type"), name("object_id"));
            let line = format!("job {} of {of}: {} {}%", name("title"), name("status"), job["progress"]);
            *facts.jobs.entry(line).or_default() += 1;
        }
        facts
    }

    /// What is true now and was not then; what was and is not any more, after a `-`.
    pub(super) fn since(&self, before: &Self) -> Vec<String> {
        since(&self.facts, &before.facts)
    }

    /// The same of jobs.
    pub(super) fn jobs_since(&self, before: &Self) -> Vec<String> {
        since(&self.jobs, &before.jobs)
    }

    fn add(&mut self, fact: impl Into<String>) {
        *self.facts.entry(fact.into()).or_default() += 1;
    }

    /// An asset or a collection: what it says of itself, where it is, and its metadata.
    fn object(&mut self, state: &State, kind: &str, found: &Object) {
        let (id, name) = (text(found, "id"), object(state, kind, text(found, "id")));
        self.add(name.as_str());
        for (field, value) in plain(found) {
            self.add(format!("{name}: {field} = {value}"));
        }
        for version in found.get("versions").and_then(Value::as_array).into_iter().flatten() {
            self.add(format!("{name}: version {}", version["version_number"]));
        }
        for holder in found.get("in_collections").and_then(Value::as_array).into_iter().flatten() {
            let holder = object(state, "collections", holder.as_str().unwrap_or_default());
            self.add(format!("{name}: in {holder}"));
        }
        for (field, value) in state.flat_values((kind, id)) {
            self.add(format!("{name}: metadata {field} = {value}"));
        }
    }

    fn relations(&mut self, state: &State) {
        for relation in state.relations.objects() {
            let end = |name| asset(state, text(relation, name));
            let (from, to) = (end("related_from_asset_id"), end("related_to_asset_id"));
            let (kind, said) = (text(relation, "relation_type"), text(relation, "description"));
            self.add(format!("{from} {kind} {to} {said}").trim_end());
        }
    }

    fn reviews(&mut self, state: &State) {
        for segment in state.review.segments.objects() {
            let mut line = asset(state, text(segment, "asset_id"));
            for name in ["segment_type", "status", "segment_text", "time_start_milliseconds"] {
                let _ = write!(line, " {}", segment.get(name).unwrap_or(&Value::Null));
            }
            let answers = state.review.segments.get(text(segment, "parent_id"));
            if let Some(answered) = answers {
                let _ = write!(line, " in answer to {}", text(answered, "segment_text"));
            }
            self.add(line);
        }
        for (key, approval) in &state.review.approvals {
            let name = object(state, &key.object_type, &key.object_id);
            let said: Vec<&str> = approval.verdicts.iter().map(|verdict| verdict.status.as_str()).collect();
            self.add(format!("{name}: approval {} {said:?}", approval.status));
        }
        for share in state.review.shares.values() {
            let of = object(state, text(&share.object, "object_type"), text(&share.object, "object_id"));
            self.add(format!("{of}: shared with {} people", share.users.len()));
        }
    }

    fn media(&mut self, state: &State) {
        let tables: [(&str, &Table, Option<Kind>); 6] = [
            ("format", &state.media.formats, None),
            ("file set", &state.media.file_sets, None),
            ("file", &state.media.files, Some(Kind::File)),
            ("proxy", &state.media.proxies, Some(Kind::Proxy)),
            ("subtitle", &state.media.subtitles, None),
            ("attachment", &state.media.attachments, Some(Kind::Attachment)),
        ];
        for (what, table, kind) in tables {
            for found in table.objects() {
                let mut line = format!("{}: {what}", asset(state, text(found, "asset_id")));
                for name in ["name", "original_name", "filename", "language", "status", "archive_status"] {
                    let _ = write!(line, " {}", text(found, name));
                }
                let stored = kind.and_then(|kind| state.stored(kind, text(found, "id")));
                if let Some(stored) = stored {
                    let _ = write!(line, " of {} bytes, {}", stored.content.size, stored.etag);
                }
                self.add(line);
            }
        }
    }
}

pub(super) fn since(now: &BTreeMap<String, i64>, before: &BTreeMap<String, i64>) -> Vec<String> {
    let count = |facts: &BTreeMap<String, i64>, fact: &String| facts.get(fact).copied().unwrap_or(0);
    let times = |times: i64| usize::try_from(times).unwrap_or(0);
    let mut lines = Vec::new();
    for fact in now.keys().chain(before.keys().filter(|fact| !now.contains_key(*fact))) {
        let more = count(now, fact) - count(before, fact);
        lines.extend(std::iter::repeat_n(fact.clone(), times(more)));
        lines.extend(std::iter::repeat_n(format!("- {fact}"), times(-more)));
    }
    lines.sort();
    lines
}

fn text<'object>(object: &'object Object, name: &str) -> &'object str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// How an object is named in a fact: by its title, as ids follow from who came first.
fn object(state: &State, kind: &str, id: &str) -> String {
    let table = if kind == "collections" { &state.collections } else { &state.assets };
    let title = table.get(id).map_or("?", |found| text(found, "title"));
    format!("{} {title}", kind.trim_end_matches('s'))
}

fn asset(state: &State, id: &str) -> String {
    object(state, "assets", id)
}

/// The fields that follow from what was done, and not from when, by whom and in which order.
fn plain(object: &Object) -> impl Iterator<Item = (&String, &Value)> {
    object.iter().filter(|(name, value)| {
        let follows = matches!(name.as_str(), "id" | "title" | "versions" | "in_collections" | "favoured");
        let id_or_person = (name.ends_with("_id") && *name != "external_id") || name.ends_with("_user");
        let is_filled = value.as_array().is_none_or(|list| !list.is_empty());
        let is_filled = is_filled && !value.is_null() && *value != &Value::from("");
        is_filled && !follows && !id_or_person && !name.starts_with("date_")
    })
}

/// The promise of a flow between both systems: they end as in the clean run. Where items were put aside or given up that
/// end well there, what they would have made may be missing, and nothing else may be there.
///
/// # Errors
/// What differs.
pub fn as_in_the_clean_run(world: &World, clean: &Made) -> Result<(), Broken> {
    let made = world.made();
    let (_, _, expected) = world.expected();
    let endings = world.endings();
    let failed = endings.iter().filter(|one| one.starts_with("quarantined") || one.starts_with("failed"));
    // What could not be read at all has no ending.
    let given_up = failed.count().max(world.dead_letters().len());
    let extra =
        missing(&clean.iconik, &made.iconik).into_iter().chain(missing(&clean.workflows, &made.workflows));
    let versions = missing(&clean.versions, &made.versions);
    let extra = extra.chain(versions.into_iter().map(|(path, _)| path)).next();
    if let Some(extra) = extra {
        return Err(differ(&format!("{extra} is there, or there too often"), &endings, &made, clean));
    }
    let same = made.lines == clean.lines && made.iconik == clean.iconik;
    let same = same && made.versions == clean.versions && made.workflows == clean.workflows;
    if !same && given_up <= expected {
        return Err(differ("something is missing or different", &endings, &made, clean));
    }
    Ok(())
}

fn differ(what: &str, endings: &[String], made: &Made, clean: &Made) -> Broken {
    Broken(format!(
        "{what}: the systems differ from a clean run ({endings:?}).\n--- clean\n{clean}\n--- seen\n{made}"
    ))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use serde_json::json;
    use shared::{
        error::FailureClass,
        iconik::{AssetChange, AssetId},
    };
    use simulators::iconik::seed;
    use tokio::sync::Notify;

    use super::*;
    use crate::storm::{Fault, Form, Scenario};

    fn scenario() -> Scenario {
        Scenario::of_iconik(
            "nothing",
            s3_content_server::FLOWS[0],
            "",
            |world| {
                world.iconik().with_state(|state| {
                    let given = json!({"title": "Prepared"}).as_object().cloned().expect("an object");
                    state.create_asset(seed::EDITOR, given).expect("an asset")
                });
            },
            |_| Vec::new(),
            (0, 0, 0),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_client_changes_is_a_fact_and_what_was_prepared_is_none() {
        let world = World::new(&scenario(), BTreeMap::new(), None, 1).await;
        assert_eq!(world.made().iconik, [""; 0]);
        let transport = world.tap.transport(Arc::new(Notify::new()));
        let client = world.environment(transport, 1, 0).iconik().await.expect("a client");
        let asset = AssetId::new(world.iconik().with_state(|state| state.titled("Prepared")).expect("it is"));
        let change = AssetChange::new().title("Changed");
        client.update_asset(&asset, &change).await.expect("an edit");
        let made = world.made().iconik;
        assert!(made.contains(&"asset Changed".to_owned()), "{made:?}");
        assert!(made.contains(&"- asset Prepared".to_owned()), "{made:?}");
        assert!(!made.iter().any(|fact| fact.contains(asset.as_str())), "{made:?}");
        let broken = as_in_the_clean_run(&world, &Made::default()).expect_err("it differs");
        assert!(broken.0.contains("Changed"), "{}", broken.0);
        as_in_the_clean_run(&world, &world.made()).expect("it is as itself");
        let forms: Vec<Form> = world.tap.calls().iter().map(|call| call.form).collect();
        assert!(forms.contains(&Form::Iconik) && forms.contains(&Form::AwsJson), "{forms:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn iconik_refuses_in_its_own_words() {
        // The secret, the user, and then three attempts of the one call.
        let plan = [(2, Fault::Refused(409))].into();
        let world = World::new(&scenario(), plan, None, 1).await;
        let transport = world.tap.transport(Arc::new(Notify::new()));
        let client = world.environment(transport, 1, 0).iconik().await.expect("a client");
        let asset = AssetId::new(world.iconik().with_state(|state| state.titled("Prepared")).expect("it is"));
        let error = client.get_asset(&asset).await.expect_err("it is refused");
        assert_eq!(error.class(), FailureClass::Conflict, "{error:?}");
        assert!(error.message().contains("Refused with 409"), "{error:?}");
        assert!(world.tap.is_spent());
    }
}
