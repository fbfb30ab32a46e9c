//! What people do in Content Server: the simulator's repository, changed from outside.

use serde_json::Value;
use simulators::content_server::{
    Blob, Simulator, seed,
    state::{ADMIN, NewNode, NewVersion, Node, kind},
};

/// Makes a folder in a container below Enterprise; gives its id.
///
/// # Panics
/// When the container is not there, or the repository refuses.
pub fn folder(server: &Simulator, within: &str, name: &str) -> i64 {
    server.with_state(|state| {
        let parent_id = state.at(within).map(|node| node.id).expect("the container");
        let new = NewNode { kind: kind::FOLDER, parent_id, name: name.to_owned(), ..NewNode::default() };
        state.create(ADMIN, new).expect("a folder")
    })
}

/// The id of the node at a path below Enterprise.
///
/// # Panics
/// When it is not there.
pub fn at(server: &Simulator, path: &str) -> i64 {
    server.with_state(|state| state.at(path).map(|node| node.id)).expect("the node")
}

/// Makes a document of the service user's with these versions, in a container below Enterprise; gives its id.
///
/// # Panics
/// When the container is not there, or the repository refuses.
pub fn document(server: &Simulator, within: &str, name: &str, media_type: &str, versions: &[Vec<u8>]) -> i64 {
    let version = |bytes: &Vec<u8>| NewVersion::of(name, media_type, Blob::of(bytes.clone()));
    let (first, rest) = versions.split_first().expect("a version");
    server.with_state(|state| {
        let parent_id = state.at(within).map(|node| node.id).expect("the container");
        let new = NewNode {
            kind: kind::DOCUMENT,
            parent_id,
            name: name.to_owned(),
            version: Some(version(first)),
            ..NewNode::default()
        };
        let node = state.create(seed::WAYBILL, new).expect("a document");
        for bytes in rest {
            state.add_version(seed::WAYBILL, node, version(bytes)).expect("a version");
        }
        node
    })
}

/// Adds a version, as the administrator.
///
/// # Panics
/// When the repository refuses.
pub fn version(server: &Simulator, node: i64, name: &str, media_type: &str, bytes: &[u8]) {
    let new = NewVersion::of(name, media_type, Blob::of(bytes.to_vec()));
    server.with_state(|state| state.add_version(ADMIN, node, new)).expect("a version");
}

/// Places a hold on a node, as the administrator.
///
/// # Panics
/// When the repository refuses.
pub fn hold(server: &Simulator, node: i64) {
    server.with_state(|state| state.apply_hold(ADMIN, node, seed::FLOOD_HOLD)).expect("a hold");
}

/// A node as it is.
///
/// # Panics
/// When it is not there.
pub fn node(server: &Simulator, node: i64) -> Node {
    server.with_state(|state| state.nodes.get(&node).cloned()).expect("the node")
}

/// The newest bytes of a document.
///
/// # Panics
/// When it has none.
pub fn newest_bytes(server: &Simulator, id: i64) -> Vec<u8> {
    let node = node(server, id);
    let version = node.latest().expect("a version");
    version.content.bytes().expect("the content is kept").to_vec()
}

/// The value of a category's attribute.
pub fn value(server: &Simulator, node: i64, category: &str, attribute: &str) -> Option<Value> {
    server.with_state(|state| state.value_of(node, category, attribute).cloned())
}

/// Sets the value of a category's attribute, as the administrator. A node without the category gets it.
///
/// # Panics
/// When there is no such category or attribute, or the repository refuses.
pub fn set_value(server: &Simulator, node: i64, category: &str, attribute: &str, value: Value) {
    server.with_state(|state| {
        let definition = state.category_named(category).expect("the category");
        let id = definition.id;
        let key = definition.named(attribute).expect("the attribute").id.to_string();
        let values = [(key, value)].into_iter().collect();
        let taken = if state.assigned(node, id).is_ok() {
            state.edit_category(ADMIN, node, id, &values, None)
        } else {
            state.add_category(ADMIN, node, id, &values)
        };
        taken.expect("the value is taken");
    });
}
