//! A production in both systems: a workspace of Content Server that belongs to a collection of iconik.

use serde_json::{Value, json};
use simulators::{
    content_server::{
        self, seed,
        state::{ADMIN, Attribute, AttributeKind, CategoryDefinition, NewNode, kind},
    },
    iconik,
};

use crate::repository;

/// The workspace of a supplier who works for the production.
pub const WORKSPACE: &str = "Suppliers/0000200777 Harbour Drying";
/// The collection that belongs to it.
pub const COLLECTION: &str = "Finals";
/// The category by which workspaces say which collections they belong to.
pub const CATEGORY: &str = "Production";
/// Its attribute.
pub const ATTRIBUTE: &str = "iconik Collection";

/// Makes the category, which a repository does not have from the beginning.
fn category(server: &content_server::Simulator) {
    server.with_state(|state| {
        if state.category_named(CATEGORY).is_some() {
            return;
        }
        let parent_id = state.nodes.values().find(|node| node.name == "Integration").map(|node| node.id);
        let parent_id = parent_id.expect("the folder of categories");
        let new =
            NewNode { kind: kind::CATEGORY, parent_id, name: CATEGORY.to_owned(), ..NewNode::default() };
        let id = state.create(ADMIN, new).expect("a category");
        let kind = AttributeKind::Text { max_length: 64 };
        let attributes = vec![Attribute::new(2, ATTRIBUTE, kind).many()];
        state.categories.insert(id, CategoryDefinition { id, name: CATEGORY.to_owned(), attributes });
    });
}

/// The id of a collection.
///
/// # Panics
/// When there is none with this title.
pub fn collection(tenant: &iconik::Simulator, title: &str) -> String {
    tenant.with_state(|state| state.titled(title)).expect("the collection")
}

/// Lets the workspace belong to these collections, by their ids.
///
/// # Panics
/// When the repository refuses.
pub fn belongs_to(server: &content_server::Simulator, collections: &[&str]) {
    category(server);
    let workspace = repository::at(server, WORKSPACE);
    repository::set_value(server, workspace, CATEGORY, ATTRIBUTE, json!(collections));
}

/// Classifies a node as confidential.
///
/// # Panics
/// When it is not there.
pub fn classify(server: &content_server::Simulator, node: i64) {
    server.with_state(|state| {
        state.nodes.get_mut(&node).expect("the node").classifications.push(seed::CONFIDENTIAL);
    });
}

/// The links that people see in iconik: title, address and collections of each, in order.
pub fn links(tenant: &iconik::Simulator) -> Vec<(String, String, Vec<String>)> {
    tenant.with_state(|state| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let ours = state.assets.objects().filter(|asset| {
            asset["type"] == "LINK"
                && asset["status"] == "ACTIVE"
                && asset["external_id"].as_str().is_some_and(|id| id.starts_with("content-server-"))
        });
        let mut links: Vec<_> = ours
            .map(|asset| {
                let holders = asset["in_collections"].as_array().into_iter().flatten();
                let title = |id: &str| state.collections.get(id).map(|found| text(&found["title"]));
                let holders = holders.filter_map(|id| title(id.as_str()?)).collect();
                (text(&asset["title"]), text(&asset["external_link"]), holders)
            })
            .collect();
        links.sort();
        links
    })
}
