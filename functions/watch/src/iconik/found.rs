//! What a search finds, and what makes it another than it was.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use shared::{
    error::{Error, Result},
    iconik::{Found, Search, Sort, Term, moment},
    iconik_change::IconikChange,
};

use super::{WatchIconik, feeds::Feed};

/// An object as the index has it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Hit {
    id: String,
    #[serde(default)]
    object_type: Option<String>,
    #[serde(default)]
    asset_id: Option<String>,
    #[serde(default)]
    version_id: Option<String>,
    #[serde(flatten)]
    members: Map<String, Value>,
}

/// What makes an object another than it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// When it was last modified, by iconik's clock.
    pub(super) modified: Option<Timestamp>,
    /// Hash of the values that count.
    pub(super) projection: String,
    /// It is in the recycle bin, or not even there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) gone: bool,
}

/// An object that may have something new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// `assets`, `collections`, `segments`.
    pub(super) object_type: String,
    /// Its id.
    pub(super) id: String,
    /// The asset of a segment.
    asset: Option<String>,
    /// The version of a segment.
    version: Option<String>,
    /// As it is now; nothing when it was deleted.
    pub(super) facts: Option<Facts>,
}

impl Hit {
    /// A moment of it.
    pub(super) fn moment(&self, name: &str) -> Option<Timestamp> {
        self.members.get(name).and_then(Value::as_str).and_then(moment)
    }

    /// What may be new about it.
    pub(super) fn candidate(self, feed: &Feed) -> Result<Candidate> {
        let object_type =
            self.object_type.clone().or_else(|| feed.objects.first().map(|&first| first.to_owned()));
        let facts = match self.members.get("status").and_then(Value::as_str) {
            Some("DELETED") => None,
            _ => {
                let projection = projection(&self.members, &feed.watched)?;
                Some(Facts { modified: self.moment("date_modified"), projection, gone: false })
            }
        };
        Ok(Candidate {
            object_type: object_type.unwrap_or_default(),
            id: self.id,
            asset: self.asset_id,
            version: self.version_id,
            facts,
        })
    }
}

impl Candidate {
    /// An object of the recycle bin.
    pub(super) fn deleted(object_type: &str, id: String) -> Self {
        Self { object_type: object_type.to_owned(), id, asset: None, version: None, facts: None }
    }

    /// The name under which it is remembered.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.object_type, self.id)
    }

    /// What is told of it. The same state of the same object is the same report, however often it is told.
    pub(super) fn change(&self, facts: &Facts, revision: u64) -> IconikChange {
        let modified = facts.modified.map(|modified| modified.to_string()).unwrap_or_default();
        let state = format!("{modified} {} {revision}", facts.projection);
        let is_segment = self.object_type == "segments";
        let (object_type, object_id) = match &self.asset {
            Some(asset) if is_segment => ("assets", asset),
            _ => (self.object_type.as_str(), &self.id),
        };
        IconikChange {
            object_type: object_type.to_owned(),
            object_id: object_id.clone(),
            version_id: self.version.clone().filter(|_| is_segment),
            realm: is_segment.then(|| "segments".to_owned()),
            operation: facts.gone.then(|| "delete".to_owned()),
            request: None,
            occasion: if is_segment { format!("{} {state}", self.id) } else { state },
            form: Default::default(),
        }
    }
}

/// A hash over the values that count, each with its path.
fn projection(members: &Map<String, Value>, watched: &[String]) -> Result<String> {
    let mut hash = Sha256::new();
    for path in watched {
        let steps: Vec<&str> = path.split('.').collect();
        let mut values = Vec::new();
        if let Some((first, rest)) = steps.split_first() {
            members.get(*first).into_iter().for_each(|value| collect(value, rest, &mut values));
        }
        if values.is_empty() {
            continue;
        }
        let values = serde_json_canonicalizer::to_string(&values)
            .map_err(|error| Error::bug("compare", "values of the index cannot be written").source(error))?;
        for part in [path.as_str(), &values] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    let digest = hex::encode(hash.finalize());
    Ok(digest.chars().take(32).collect())
}

/// The values at a path. A list on the way is each of its members; null is as good as nothing.
fn collect<'a>(value: &'a Value, path: &[&str], found: &mut Vec<&'a Value>) {
    match (value, path.split_first()) {
        (Value::Null, _) => {}
        (value, None) => found.push(value),
        (Value::Array(values), Some(_)) => values.iter().for_each(|value| collect(value, path, found)),
        (value, Some((first, rest))) => {
            value.get(first).into_iter().for_each(|value| collect(value, rest, found));
        }
    }
}

impl WatchIconik {
    /// Searches a feed's objects in the order of one of their dates, from one on; what becomes later meanwhile moves behind
    /// what is still to be read.
    pub(super) fn search(&self, feed: &Feed, date: &str, since: Option<Timestamp>) -> Found<'_, Hit> {
        let mut members =
            vec!["asset_id", "date_created", "date_modified", "id", "object_type", "status", "version_id"];
        members.extend(feed.watched.iter().filter_map(|path| path.split('.').next()));
        members.sort_unstable();
        members.dedup();
        let mut search = Search::of(&feed.objects).sort(date, Sort::Ascending).only(&members);
        if let Some(since) = since {
            search = search.term(Term::during(date, Some(since), None));
        }
        if let Some(query) = &feed.query {
            search = search.query(query);
        }
        if let Some(view) = &feed.view {
            search = search.metadata_of(view);
        }
        self.iconik.search(search)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::feeds::{Feeds, SAMPLE},
        *,
    };
    use serde_json::json;

    fn of(document: &Value, watched: &[&str]) -> String {
        let watched: Vec<String> = watched.iter().map(|&path| path.to_owned()).collect();
        projection(document.as_object().unwrap(), &watched).unwrap()
    }

    #[test]
    fn only_the_values_that_count_make_another_hash() {
        let document = json!({
            "title": "Finals", "date_viewed": "2031-05-06T07:08:09", "approval": {"status": "REQUESTED", "users": [1]},
            "versions": [{"id": "a", "is_online": true}, {"id": "b"}], "metadata": {"Rights": ["cleared"], "Region": "EU"},
        });
        let watched = ["approval.status", "metadata", "title", "versions.id"];
        let before = of(&document, &watched);
        for (place, value, same) in [
            ("/date_viewed", json!("2031-05-07T07:08:09"), true),
            ("/approval/users", json!([1, 2]), true),
            ("/versions/0/is_online", json!(false), true),
            ("/approval/status", json!("APPROVED"), false),
            ("/versions/1/id", json!("c"), false),
            ("/metadata/Rights", json!([]), false),
            ("/title", json!("finals"), false),
        ] {
            let mut other = document.clone();
            *other.pointer_mut(place).unwrap() = value;
            assert_eq!(of(&other, &watched) == before, same, "{place}");
        }
    }

    #[test]
    fn the_order_of_members_and_what_is_null_do_not_matter() {
        let one = json!({"metadata": {"a": 1, "b": 2}, "title": "x", "category": null});
        let other = json!({"title": "x", "metadata": {"b": 2, "a": 1}});
        let watched = ["category", "metadata", "title"];
        assert_eq!(of(&one, &watched), of(&other, &watched));
        // Two paths cannot lend each other their values.
        assert_ne!(of(&json!({"a": "x"}), &["a", "b"]), of(&json!({"b": "x"}), &["a", "b"]));
    }

    #[test]
    fn of_a_comment_its_asset_is_told() {
        let hit: Hit = serde_json::from_value(json!({
            "id": "comment", "object_type": "segments", "asset_id": "asset", "version_id": "version",
            "date_modified": "2031-05-06 07:08:09", "segment_text": "zu laut",
        }))
        .unwrap();
        let feeds = Feeds::parse(SAMPLE, "sample", |_| true).unwrap();
        let candidate = hit.candidate(&feeds.feeds[2]).unwrap();
        let facts = candidate.facts.clone().unwrap();
        let change = candidate.change(&facts, 1);
        assert_eq!((change.object_type.as_str(), change.object_id.as_str()), ("assets", "asset"));
        assert_eq!(change.version_id.as_deref(), Some("version"));
        assert!(!change.occasion.contains("laut"), "{change:?}");
        assert_ne!(change.key(), candidate.change(&facts, 2).key());
        let other = Candidate { id: "other".into(), ..candidate.clone() };
        assert_ne!(change.key(), other.change(&facts, 1).key(), "two comments on one asset are two changes");
    }
}
