//! Content Server: what is in it, who calls it, and that it goes away.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use simulators::{content_server::state::Node, serve};
use tests::{repository, runtime::Process};

use super::{PATIENCE, World};

impl World {
    /// Makes a document with these versions; gives its id.
    pub(crate) fn document(&self, within: &str, name: &str, media_type: &str, versions: &[Vec<u8>]) -> i64 {
        repository::document(&self.ecm, within, name, media_type, versions)
    }

    /// A node as it is.
    pub(crate) fn node(&self, id: i64) -> Node {
        repository::node(&self.ecm, id)
    }

    /// The value of a category's attribute.
    pub(crate) fn value(&self, node: i64, category: &str, attribute: &str) -> Option<serde_json::Value> {
        repository::value(&self.ecm, node, category, attribute)
    }

    /// The documents in a folder, by name.
    pub(crate) fn documents(&self, path: &str) -> Vec<Node> {
        self.ecm.with_state(|state| {
            let folder = state.at(path).map(|node| node.id);
            let children = folder.map(|id| state.children(id).into_iter().cloned().collect::<Vec<_>>());
            let mut documents = children.unwrap_or_default();
            documents.retain(|node| !node.versions.is_empty());
            documents.sort_by(|one, other| one.name.cmp(&other.name));
            documents
        })
    }

    /// The one document of a folder, with one version of these bytes.
    pub(crate) fn only_document(&self, path: &str, content: &[u8]) -> Node {
        let documents = self.documents(path);
        let names: Vec<_> = documents.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(documents.len(), 1, "documents in {path}: {names:?}; {}", self.told());
        let document = documents.into_iter().next().expect("one");
        assert_eq!(document.versions.len(), 1, "versions of {}", document.name);
        assert_eq!(bytes(&document), content, "the bytes of {}", document.name);
        document
    }

    /// Waits until Content Server has received the beginning of such a call, and gives the process that made it.
    pub(crate) async fn caught_calling(&self, method: &str, path_end: &str) -> Arc<Process> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let entries = self.ecm.journal().entries();
            let called = entries
                .iter()
                .any(|entry| entry.method == method && entry.path.ends_with(path_end) && entry.status == 0);
            if called && let Some(process) = self.function.busy().first() {
                return process.clone();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no call of {method} …{path_end}; {}", self.told())
    }

    /// Content Server goes away.
    pub(crate) async fn stop_content_server(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
            let _ = server.await;
        }
        // Connections that are kept alive would go on.
        for process in self.function.processes() {
            process.kill();
        }
    }

    /// Content Server is back at the same address.
    pub(crate) async fn start_content_server(&mut self) {
        let (_, server) = serve(self.ecm.router(), self.port).await.expect("the port is still free");
        self.server = Some(server);
    }
}

/// The newest bytes of a document.
pub(crate) fn bytes(document: &Node) -> Vec<u8> {
    let version = document.latest().expect("a version");
    version.content.bytes().expect("the content is kept").to_vec()
}
