//! Both sides of a pair as they are, what the flow keeps of it, and what it recorded: read past the flow.

use std::collections::BTreeMap;

use iconik_content_server::{
    sync_asset_metadata::{
        content::Content,
        memory::{Pair as Kept, Recorded},
        state::{Both, Grounds, Resolution, Side},
    },
    sync_rules::{Field, SyncRules},
};
use jiff::tz::TimeZone;
use serde_json::Value;
use simulators::{aws::Aws, content_server, iconik};
use tests::{
    paired::{Kind, Pair, held},
    repository,
    storm::World,
};

/// What a field holds on either side; nothing where it has no place.
pub(crate) type Contents = BTreeMap<String, Both<Option<Content>>>;

/// The ledger's table in the worlds of the storm.
const TABLE: &str = "ledger";

/// A pair, looked at from outside.
#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) kind: Kind,
    pub(crate) pair: Pair,
    pub(crate) rules: SyncRules,
    pub(crate) server: content_server::Simulator,
    pub(crate) media: iconik::Simulator,
    pub(crate) aws: Aws,
}

/// The name of the document of a kind.
pub(crate) fn document(kind: Kind) -> String {
    format!("{}.mov", kind.title)
}

impl Watched {
    /// The pair of a kind in a world; nothing when its document is gone.
    pub(crate) fn of(world: &World, kind: Kind) -> Option<Self> {
        let name = document(kind);
        let media = world.iconik().clone();
        let node = world
            .content_server
            .with_state(|state| state.nodes.values().find(|node| node.name == name).map(|node| node.id))?;
        let asset = media.with_state(|state| state.titled(kind.title))?;
        Some(Self {
            kind,
            pair: Pair { asset, node },
            rules: SyncRules::parse(world.rules(), "rules.toml").unwrap_or_else(|found| panic!("{found}")),
            server: world.content_server.clone(),
            media,
            aws: world.aws.clone(),
        })
    }

    pub(crate) fn contents(&self) -> Contents {
        let one = |field: &Field| {
            let both = Both::of(|side| self.content(field, side));
            (field.rule.name.clone(), both)
        };
        self.rules.fields.iter().map(one).collect()
    }

    pub(crate) fn content(&self, field: &Field, side: Side) -> Option<Content> {
        let zone = TimeZone::UTC;
        match side {
            Side::Iconik => {
                let is_in_view = self.media.with_state(|state| {
                    let view = state.metadata.views.get(self.kind.view)?.get("view_fields")?.as_array()?;
                    view.iter().any(|one| one["name"] == field.iconik.as_str()).then_some(())
                });
                is_in_view?;
                Some(field.shape.content(&held(&self.media, &self.pair.asset, &field.iconik), &zone))
            }
            Side::ContentServer => {
                let name = &field.content_server;
                let held = repository::value(&self.server, self.pair.node, self.kind.category, name);
                Some(match held.unwrap_or_default() {
                    Value::String(text) => field.shape.content_of_joined(&text, &zone),
                    Value::Array(values) => field.shape.content(&values, &zone),
                    one => field.shape.content(&[one], &zone),
                })
            }
        }
    }

    fn notes(&self) -> BTreeMap<String, String> {
        let items = self.aws.dynamodb().dump(TABLE);
        let items = items.as_array().cloned().unwrap_or_default();
        let note = |item: &Value| {
            let text = |name: &str| item.pointer(&format!("/{name}/S")).and_then(Value::as_str);
            (text("pk")? == "sync-asset-metadata#note")
                .then(|| Some((text("sk")?.to_owned(), text("note")?.to_owned())))?
        };
        items.iter().filter_map(note).collect()
    }

    /// What the flow keeps of the pair.
    pub(crate) fn kept(&self) -> Kept {
        let note = self.notes().remove(&format!("pair {}", self.pair.asset));
        note.map(|text| serde_json::from_str(&text).expect("a pair")).unwrap_or_default()
    }

    /// Every conflict that was recorded.
    pub(crate) fn recorded(&self) -> Vec<Recorded> {
        let notes = self.notes().into_iter();
        let conflicts = notes.filter(|(name, _)| name.starts_with("conflict "));
        conflicts.map(|(_, text)| serde_json::from_str(&text).expect("a conflict")).collect()
    }

    /// Whether a side's content was told in a conflict of the field.
    pub(crate) fn is_recorded(&self, field: &str, side: Side, content: &Content) -> bool {
        self.recorded().iter().any(|recorded| {
            let conflict = &recorded.conflict;
            conflict.field == field && conflict.sides.get(side).content.as_ref() == Some(content)
        })
    }

    /// Whether it was recorded that this may have taken the place of something nobody saw in iconik.
    pub(crate) fn is_recorded_unseen(&self, field: &str, wrote: &Content) -> bool {
        let unseen = Resolution::Took { side: Side::ContentServer, grounds: Grounds::Unseen };
        self.recorded().iter().any(|recorded| {
            let conflict = &recorded.conflict;
            let is_it = conflict.field == field && conflict.resolution == unseen;
            is_it && conflict.sides.content_server.content.as_ref() == Some(wrote)
        })
    }

    /// What is neither equal nor waits, recorded, with the very contents there are.
    pub(crate) fn unsettled(&self) -> Vec<String> {
        let kept = self.kept();
        let recorded = self.recorded();
        let mut unsettled = Vec::new();
        for (field, now) in self.contents() {
            let open = kept.state.fields.get(&field).and_then(|state| state.open.clone());
            let waits = open.is_some_and(|open| {
                Side::BOTH.iter().all(|side| open.sides.get(*side).content == *now.get(*side))
                    && recorded.iter().any(|recorded| recorded.conflict.id == open.id)
            });
            if !waits && now.iconik != now.content_server {
                unsettled.push(format!("{field}: {:?} and {:?}", now.iconik, now.content_server));
            }
        }
        unsettled
    }
}
