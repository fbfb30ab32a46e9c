//! Where a review stands, for people: what the record says last of each thing.

use std::collections::BTreeMap;

use shared::{
    audit::{AuditEvent, SealedEvent},
    iconik::{Asset, VersionStatus},
};

use super::entries::VERSION_DELETED;

/// What iconik calls a version of which no review stands.
const NONE: &str = "N/A";

/// Where the review stands of the newest version that has one and is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) status: String,
    pub(super) approved_by: Vec<String>,
    pub(super) changed: Option<String>,
    pub(super) version_number: Option<String>,
    /// Comments that nobody has seen to, without the answers to them.
    pub(super) open_comments: usize,
}

impl Standing {
    /// Nothing while no review was ever there that somebody may have been told of.
    pub(super) fn of(asset: &Asset, chain: &[SealedEvent]) -> Option<Self> {
        let mut last: BTreeMap<&str, &AuditEvent> = BTreeMap::new();
        let mut was_told = false;
        for entry in chain.iter().map(|entry| &entry.event) {
            last.insert(detail(entry, "subject")?, entry);
            was_told |=
                detail(entry, "kind") == Some("review") && detail(entry, "notice") != Some(VERSION_DELETED);
        }
        let there: Vec<&AuditEvent> =
            last.into_values().filter(|entry| detail(entry, "action") != Some("deleted")).collect();
        let of_kind = |kind: &'static str| {
            there.iter().copied().filter(move |entry| detail(entry, "kind") == Some(kind))
        };
        let open_comments = of_kind("comment")
            .filter(|entry| {
                detail(entry, "fact.resolved") == Some("false") && detail(entry, "fact.answers").is_none()
            })
            .count();
        let number = |entry: &&AuditEvent| {
            detail(entry, "versionNumber").and_then(|number| number.parse::<i64>().ok())
        };
        let review = of_kind("review").filter(|entry| is_there(asset, entry)).max_by_key(number);
        let Some(review) = review else {
            return was_told.then(|| Self {
                status: NONE.to_owned(),
                approved_by: Vec::new(),
                changed: None,
                version_number: None,
                open_comments,
            });
        };
        let version = detail(review, "version");
        let approved_by = of_kind("verdict")
            .filter(|entry| {
                detail(entry, "version") == version && detail(entry, "status") == Some("APPROVED")
            })
            .filter_map(|entry| detail(entry, "authorName").or_else(|| detail(entry, "author")))
            .map(str::to_owned)
            .collect();
        Some(Self {
            status: detail(review, "status").unwrap_or_default().to_owned(),
            approved_by,
            changed: detail(review, "happened").map(str::to_owned),
            version_number: detail(review, "versionNumber").map(str::to_owned),
            open_comments,
        })
    }
}

/// Whether the version an entry is about is there.
fn is_there(asset: &Asset, entry: &AuditEvent) -> bool {
    let is_gone = |status: &VersionStatus| matches!(status, VersionStatus::Deleted | VersionStatus::Deleting);
    let of_entry = |id: &str| Some(id) == detail(entry, "version");
    asset.versions.iter().any(|version| of_entry(version.id.as_str()) && !is_gone(&version.status))
}

/// A fact of an entry.
pub(super) fn detail<'a>(entry: &'a AuditEvent, name: &str) -> Option<&'a str> {
    entry.detail.get(name).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use shared::audit::SealedEvent;

    use super::{
        super::entries::{Kind, Of, Seen, due, known},
        *,
    };

    fn asset(first: &str, second: &str) -> Asset {
        let versions = json!([
            {"id": "v1", "version_number": 1, "status": first},
            {"id": "v2", "version_number": 2, "status": second},
        ]);
        serde_json::from_value(json!({"id": "asset", "title": "Film", "versions": versions})).unwrap()
    }

    fn of_version(kind: Kind, id: &str, version: i64, status: &str) -> Seen {
        Seen {
            version: Some(format!("v{version}")),
            version_number: Some(version),
            author_name: Some(format!("Reviewer {version}")),
            status: Some(status.to_owned()),
            ..Seen::of(kind, id)
        }
    }

    fn comment(id: &str, resolved: bool, answers: Option<&str>) -> Seen {
        let mut facts = BTreeMap::from([("resolved".to_owned(), resolved.to_string())]);
        facts.extend(answers.map(|answers| ("answers".to_owned(), answers.to_owned())));
        Seen { facts, text: Some("said".to_owned()), ..Seen::of(Kind::Comment, id) }
    }

    fn add(chain: &mut Vec<SealedEvent>, seen: &[Seen], gone: &[&str]) {
        let gone: Vec<String> = gone.iter().map(|gone| (*gone).to_owned()).collect();
        let of = Of { asset: "asset", item: "item", now: "2031-05-06T07:08:09Z".parse().unwrap() };
        for event in due(&known(chain), seen, &gone, &of).unwrap() {
            let (sequence, hash) =
                chain.last().map_or((0, String::new()), |last| (last.sequence, last.hash.clone()));
            chain.push(event.seal(sequence + 1, &hash).unwrap());
        }
    }

    #[test]
    fn the_newest_version_that_is_there_and_was_reviewed_says_where_it_stands() {
        let mut chain = Vec::new();
        let both = asset("ACTIVE", "ACTIVE");
        assert_eq!(Standing::of(&both, &chain), None, "nobody asked for a review");
        add(
            &mut chain,
            &[
                of_version(Kind::Review, "v1", 1, "APPROVED"),
                of_version(Kind::Verdict, "v1/r1", 1, "APPROVED"),
                of_version(Kind::Review, "v2", 2, "MIXED"),
                of_version(Kind::Verdict, "v2/r2", 2, "APPROVED"),
                of_version(Kind::Verdict, "v2/r3", 2, "NOT_APPROVED"),
                comment("a", false, None),
                comment("b", false, Some("a")),
                comment("c", true, None),
            ],
            &[],
        );
        let standing = Standing::of(&both, &chain).unwrap();
        assert_eq!((standing.status.as_str(), standing.version_number.as_deref()), ("MIXED", Some("2")));
        assert_eq!(standing.approved_by, ["Reviewer 2"], "of this version, and who did approve");
        assert_eq!(standing.open_comments, 1, "an answer is none, nor what was seen to");

        let older = Standing::of(&asset("ACTIVE", "DELETED"), &chain).unwrap();
        assert_eq!(
            (older.status.as_str(), older.approved_by.as_slice()),
            ("APPROVED", &["Reviewer 1".into()][..])
        );
        let none = Standing::of(&asset("DELETING", "DELETED"), &chain).unwrap();
        assert_eq!((none.status.as_str(), none.approved_by.len()), ("N/A", 0), "what was told is taken back");
        add(&mut chain, &[], &["review/v1", "review/v2", "comment/a"]);
        let withdrawn = Standing::of(&both, &chain).unwrap();
        assert_eq!((withdrawn.status.as_str(), withdrawn.open_comments), ("N/A", 0));
    }

    #[test]
    fn an_approval_of_a_version_that_was_deleted_before_is_told_to_nobody() {
        let mut chain = Vec::new();
        let late = Seen { version_gone: true, ..of_version(Kind::Review, "v2", 2, "APPROVED") };
        add(&mut chain, &[late], &[]);
        assert_eq!(Standing::of(&asset("ACTIVE", "DELETED"), &chain), None);
    }
}
