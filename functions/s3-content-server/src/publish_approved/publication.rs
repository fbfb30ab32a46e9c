//! What the publication category says.

use std::collections::BTreeMap;

use shared::{
    content_server::{AttributeValue, NodeId},
    error::{FailureClass, Result},
    flow::Run,
};

use super::{
    PublishApproved,
    copies::Copy,
    standing::{Content, Offer, is_missing},
};
use crate::{category_values, publish_rules::Publication};

const PUBLISHED: &str = "Published";
const WITHDRAWN: &str = "Withdrawn";

/// Values of the category by the names of their attributes; nothing where the node does not have it.
pub(super) type Told = Option<BTreeMap<String, AttributeValue>>;

/// What the category says under a name, as text.
pub(super) fn text(told: &Told, name: &str) -> String {
    told.as_ref().and_then(|values| values.get(name)).map(category_values::text).unwrap_or_default()
}

impl PublishApproved {
    /// What the category says of a node now.
    pub(super) async fn told(&self, node: NodeId) -> Result<Told> {
        let Some(names) = &self.rules.publication else { return Ok(None) };
        let category = self.places.id(&self.content_server, &names.category).await?;
        match category_values::read(&self.content_server, node, category).await {
            Err(error) if is_missing(&error) => Ok(None),
            told => told,
        }
    }

    /// What the category says in so many words, and what it is to say; nothing where there is no such category.
    pub(super) fn words(&self, told: &Told, offer: &Offer<'_>, copy: &Copy) -> Option<(String, String)> {
        let names = self.rules.publication.as_ref()?;
        let version = match &offer.content {
            Content::Version(version) => version.number.to_string(),
            Content::Members(_) => String::new(),
        };
        let expected = [
            (Some(&names.state), PUBLISHED.to_owned()),
            (names.version.as_ref(), version),
            (names.location.as_ref(), copy.uri(self.bucket())),
            (names.sha256.as_ref(), copy.sha256.clone()),
        ];
        let expected: Vec<(&String, String)> =
            expected.into_iter().filter_map(|(name, value)| Some((name?, value))).collect();
        let line = |parts: Vec<String>| parts.join("; ");
        let said = expected.iter().map(|(name, _)| format!("{name}: {}", text(told, name))).collect();
        let due = expected.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        Some((line(said), line(due)))
    }

    /// Whether the category says that something is published.
    pub(super) fn says_published(&self, told: &Told) -> bool {
        self.rules.publication.as_ref().is_some_and(|names| text(told, &names.state) == PUBLISHED)
    }

    /// Says what is published, where the category says something else. Says whether it did.
    pub(super) async fn tell(
        &self,
        node: NodeId,
        told: &Told,
        (offer, copy): (&Offer<'_>, &Copy),
        links: &BTreeMap<String, String>,
        run: &Run,
    ) -> Result<bool> {
        let Some(names) = &self.rules.publication else { return Ok(false) };
        let version = match &offer.content {
            Content::Version(version) => AttributeValue::Integer(version.number),
            Content::Members(_) => AttributeValue::Empty,
        };
        let location = copy.uri(self.bucket());
        let mut pairs: Vec<(&str, AttributeValue)> = vec![(names.state.as_str(), PUBLISHED.into())];
        let optional = [
            (&names.version, version),
            (&names.location, location.as_str().into()),
            (&names.sha256, copy.sha256.as_str().into()),
            (&names.reason, AttributeValue::Empty),
        ];
        pairs.extend(optional.into_iter().filter_map(|(name, value)| Some((name.as_deref()?, value))));
        pairs.extend(names.links.iter().map(|name| {
            let link = links.get(name).map_or(AttributeValue::Empty, |link| link.as_str().into());
            (name.as_str(), link)
        }));
        if pairs.iter().all(|(name, value)| category_values::text(value) == text(told, name)) {
            return Ok(false);
        }
        if let Some(name) = &names.published_at {
            pairs.push((name, AttributeValue::Moment(run.context().now())));
        }
        self.write(node, names, pairs).await?;
        Ok(true)
    }

    /// Says that nothing is published any more, where the category says otherwise. Says whether it did.
    pub(super) async fn tell_withdrawn(&self, node: NodeId, reason: &str, run: &Run) -> Result<bool> {
        let Some(names) = &self.rules.publication else { return Ok(false) };
        let told = self.told(node).await?;
        let state = text(&told, &names.state);
        let linked = names.links.iter().any(|name| !text(&told, name).is_empty());
        if !linked && (state.is_empty() || state == WITHDRAWN) {
            return Ok(false);
        }
        let mut pairs: Vec<(&str, AttributeValue)> = vec![(names.state.as_str(), WITHDRAWN.into())];
        let optional = [
            (&names.version, AttributeValue::Empty),
            (&names.location, AttributeValue::Empty),
            (&names.sha256, AttributeValue::Empty),
            (&names.published_at, AttributeValue::Empty),
            (&names.reason, reason.into()),
        ];
        pairs.extend(optional.into_iter().filter_map(|(name, value)| Some((name.as_deref()?, value))));
        pairs.extend(names.links.iter().map(|name| (name.as_str(), AttributeValue::Empty)));
        match self.write(node, names, pairs).await {
            Ok(()) => Ok(true),
            // It is withdrawn, whatever the category says: a document on hold may refuse to be written to.
            Err(error) if error.class() == FailureClass::Forbidden => {
                run.note(&format!("not-told-{node}"), error.code());
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn write(
        &self,
        node: NodeId,
        names: &Publication,
        pairs: Vec<(&str, AttributeValue)>,
    ) -> Result<()> {
        let category = self.places.id(&self.content_server, &names.category).await?;
        category_values::write(&self.content_server, node, category, pairs).await
    }
}
