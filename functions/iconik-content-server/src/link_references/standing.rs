//! What Content Server says now of a document: what is to be shown of it and where, or why nothing is.

use std::collections::BTreeMap;

use serde_json::json;
use shared::{
    content_server::{Ancestor, NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, category_values, kind},
    error::{Error, Result},
    flow::Reason,
    iconik::CollectionId,
    mapping::Record,
};

use super::{
    LinkReferences,
    address::{filled, title},
    again,
};
use crate::link_rules::{LinkRule, Show, ShownAsset, Valued};

/// Why nothing is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Withheld {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Withheld {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn reason(&self) -> Reason {
        Reason::new(self.code, self.message.clone())
    }
}

/// What is to be shown of a document.
#[derive(Debug, Clone)]
pub(super) struct Offer<'a> {
    pub(super) rule: &'a LinkRule,
    pub(super) workspace: NodeId,
    /// The collections it is shown in.
    pub(super) collections: Vec<CollectionId>,
    /// Where a link leads.
    pub(super) address: String,
    pub(super) version: i64,
    /// Title of a link asset.
    pub(super) title: String,
    /// Values of its metadata by field.
    pub(super) details: BTreeMap<String, String>,
}

/// What Content Server says.
#[derive(Debug, Clone)]
pub(super) enum Standing<'a> {
    /// This is to be shown.
    Shown(Box<Offer<'a>>),
    /// Nothing is.
    Withheld(Withheld),
}

impl Standing<'_> {
    /// Whether another look said the same.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Shown(one), Self::Shown(other)) => {
                one.rule.name == other.rule.name
                    && one.collections == other.collections
                    && one.version == other.version
                    && one.title == other.title
                    && one.details == other.details
            }
            (Self::Withheld(one), Self::Withheld(other)) => one.code == other.code,
            _ => false,
        }
    }

    /// The collections in which something is to be shown.
    pub(super) fn collections(&self) -> &[CollectionId] {
        match self {
            Self::Shown(offer) => &offer.collections,
            Self::Withheld(_) => &[],
        }
    }
}

impl LinkReferences {
    /// A node, or nothing when it is gone or hidden: asked twice, as what is withdrawn by mistake is missed.
    pub(super) async fn find_node(&self, node: NodeId) -> Result<Option<Node>> {
        for _ in 0..2 {
            match self.content_server.get_node(node).await {
                Err(error) if is_missing(&error) => {}
                found => return found.map(Some),
            }
        }
        Ok(None)
    }

    /// What is to become of what is shown of a document, as Content Server says at this moment.
    pub(super) async fn standing(&self, node: NodeId) -> Result<Standing<'_>> {
        let Some(found) = self.find_node(node).await? else {
            return Ok(withheld("node.gone", "it is not there, or the service user may not see it"));
        };
        match Box::pin(self.standing_of(&found)).await {
            Err(error) if is_missing(&error) => {
                Err(again("link.changing", "something went away while it was being read").source(error))
            }
            standing => standing,
        }
    }

    async fn standing_of(&self, node: &Node) -> Result<Standing<'_>> {
        if node.kind != kind::DOCUMENT {
            return Ok(withheld("node.no-document", "only documents are shown"));
        }
        let Some(workspace) = self.content_server.find_workspace_around(node.id).await? else {
            return Ok(withheld("link.no-workspace", "the document is in no workspace"));
        };
        let way = self.content_server.list_ancestors(node.id).await?;
        let Some(at) = way.iter().position(|step| step.id == workspace) else {
            return Err(again("link.changing", "the document was moved while it was being read"));
        };
        let inside: Vec<Ancestor> = way.into_iter().skip(at).collect();
        // Before anything else: nothing that can go wrong later may keep it from being withdrawn.
        if let Some(why) = self.confidential(node.id, &inside).await? {
            return Ok(Standing::Withheld(why));
        }
        let Some(rule) = self.select(node, &inside).await? else {
            return Ok(withheld("rule.none", "no rule takes the document"));
        };
        let collections = self.collections_of(workspace).await?;
        if collections.is_empty() {
            return Ok(withheld("link.not-mapped", "the workspace belongs to no collection"));
        }
        let version = self.content_server.latest_version(node.id).await?.number;
        let workspace_name = inside.first().map(|step| step.name.clone()).unwrap_or_default();
        let mut record = Record::new()
            .with("node", json!({"id": node.id.to_string(), "name": node.name}))
            .with("version", json!({"number": version.to_string()}))
            .with("workspace", json!({"id": workspace.to_string(), "name": workspace_name}));
        if let Some(captures) =
            rule.document_name.as_ref().and_then(|pattern| pattern.matches(&node.name).ok())
        {
            record = record.with_captures(&captures);
        }
        let (title, details) = match &rule.show {
            Show::Asset(asset) => texts(asset, &record)?,
            Show::Field(_) => (String::new(), BTreeMap::new()),
        };
        let address = self.address(node.id)?;
        Ok(Standing::Shown(Box::new(Offer {
            rule,
            workspace,
            collections,
            address,
            version,
            title,
            details,
        })))
    }

    /// The first rule that takes a document. `inside` is the way from the workspace to it, both included.
    async fn select(&self, node: &Node, inside: &[Ancestor]) -> Result<Option<&LinkRule>> {
        let between = inside.len().saturating_sub(2);
        let folders: Vec<&str> = inside.iter().skip(1).take(between).map(|step| step.name.as_str()).collect();
        for rule in &self.rules.rules {
            let named = rule.document_name.as_ref().is_none_or(|pattern| pattern.matches(&node.name).is_ok());
            if !named || !rule.takes_place(&folders) || !rule.takes_type(node.mime_type.as_deref()) {
                continue;
            }
            match &rule.when {
                Some(values) if !self.has_value(node.id, values).await? => {}
                _ => return Ok(Some(rule)),
            }
        }
        Ok(None)
    }

    /// Whether a node has one of the values in the category.
    pub(super) async fn has_value(&self, node: NodeId, wanted: &Valued) -> Result<bool> {
        let found = self.values_of(node, &wanted.category, &wanted.attribute).await?;
        let is_wanted = |text: &String| wanted.values.iter().any(|value| value.eq_ignore_ascii_case(text));
        Ok(found.iter().any(is_wanted))
    }

    /// The values of an attribute as texts; none when the node does not have the category.
    pub(super) async fn values_of(
        &self,
        node: NodeId,
        category: &shared::content_server::NodePath,
        attribute: &str,
    ) -> Result<Vec<String>> {
        let category = self.places.id(&self.content_server, category).await?;
        let Some(values) = category_values::read(&self.content_server, node, category).await? else {
            return Ok(Vec::new());
        };
        let Some(value) = values.get(attribute) else {
            let message = format!("the category has no attribute {attribute:?}");
            return Err(Error::configuration("link.attribute-unknown", message)
                .field(attribute)
                .remedy("correct the name in the rules, or add the attribute to the category"));
        };
        let texts = category_values::texts(value);
        Ok(texts.into_iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect())
    }
}

/// Title and metadata of a link asset.
fn texts(asset: &ShownAsset, record: &Record) -> Result<(String, BTreeMap<String, String>)> {
    let called = title(&filled(&asset.title, record, "title")?);
    if called.is_empty() {
        return Err(Error::invalid("link.no-text", "nothing is left of the title that can be shown")
            .field("title")
            .remedy("rename the document"));
    }
    let mut details = BTreeMap::new();
    for (field, text) in asset.details.iter().flat_map(|(_, fields)| fields) {
        details.insert(field.clone(), filled(text, record, field)?);
    }
    Ok((called, details))
}

fn withheld(code: &'static str, message: &str) -> Standing<'static> {
    Standing::Withheld(Withheld::new(code, message))
}

pub(super) fn is_missing(error: &Error) -> bool {
    matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND)
}
