//! Both sides of the flow and the function between them.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use simulators::{
    Clock,
    content_server::{Settings as EcmSettings, Simulator, seed, state::Node},
    serve,
};
use tests::{
    installation::Installation,
    runtime::{Delivery, Function, Poller, Process, Queue, Settings},
};
use tokio::task::JoinHandle;

/// An installation of the flow with its own Content Server.
pub(crate) struct World {
    pub(crate) place: Installation,
    pub(crate) ecm: Simulator,
    pub(crate) function: Function,
    pub(crate) queue: Queue,
    server: Option<JoinHandle<()>>,
    port: u16,
}

/// What differs from the usual.
pub(crate) struct Usual {
    pub(crate) rules: String,
    pub(crate) timeout: Duration,
    pub(crate) enforce_timeout: bool,
    pub(crate) concurrency: usize,
    pub(crate) ecm: EcmSettings,
    pub(crate) username: &'static str,
    pub(crate) password: &'static str,
    /// Seconds until a message that nobody acknowledged is shown again.
    pub(crate) visibility: u32,
}

impl Default for Usual {
    fn default() -> Self {
        Self {
            rules: concat!(env!("CARGO_MANIFEST_DIR"), "/flows/rules.toml").into(),
            timeout: Duration::from_secs(20),
            enforce_timeout: true,
            concurrency: 1,
            ecm: EcmSettings::default(),
            username: seed::SERVICE_USER,
            password: seed::PASSWORD,
            visibility: 2,
        }
    }
}

/// A setting that `make test` makes.
pub(crate) fn setting(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: `make test` sets it (see tests/README.md)"))
}

/// Folder with one folder per function.
pub(crate) fn artefacts() -> PathBuf {
    let folder = PathBuf::from(setting("WAYBILL_ARTEFACTS"));
    let folder = std::path::absolute(&folder).expect("a path");
    let bootstrap = folder.join("ingest-uploads/bootstrap");
    assert!(bootstrap.is_file(), "{} is not there: `make test` builds it", bootstrap.display());
    folder
}

impl World {
    pub(crate) async fn usual() -> Self {
        Self::with(Usual::default()).await
    }

    pub(crate) async fn with(usual: Usual) -> Self {
        let place = Installation::create(&setting("WAYBILL_AWS_URL"), usual.visibility).await;
        place.notify().await;
        take_test_event(&place).await;
        place.set_credential(usual.username, usual.password).await;
        let ecm = Simulator::new(usual.ecm, Clock::machine());
        let (address, server) = serve(ecm.router(), 0).await.expect("a free port");
        let mut settings = Settings::new("ingest-uploads", artefacts().join("ingest-uploads/bootstrap"));
        settings.variables = place.variables(&format!("http://{address}/otcs/cs.exe"), &usual.rules);
        settings.timeout = usual.timeout;
        settings.enforce_timeout = usual.enforce_timeout;
        settings.concurrency = usual.concurrency;
        let function = Function::new(settings);
        let queue = Queue::new(place.sqs.clone(), &place.queue_url, function.clone());
        Self { place, ecm, function, queue, server: Some(server), port: address.port() }
    }

    /// Puts an object into the intake bucket.
    pub(crate) async fn upload(&self, key: &str, content: impl Into<Vec<u8>>) {
        let body = ByteStream::from(content.into());
        let request = self.place.s3.put_object().bucket(&self.place.intake).key(key).body(body);
        request.send().await.expect("the upload is taken");
    }

    /// Puts a message on the queue as it is.
    pub(crate) async fn send(&self, body: &str) {
        let request = self.place.sqs.send_message().queue_url(&self.place.queue_url).message_body(body);
        request.send().await.expect("the message is taken");
    }

    /// Delivers in the background.
    pub(crate) fn poll(&self) -> Poller {
        self.queue.poll()
    }

    /// Delivers one batch that must be there.
    pub(crate) async fn deliver(&self) -> Delivery {
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline {
            if let Some(delivery) = self.queue.deliver().await.expect("the queue can be read") {
                return delivery;
            }
        }
        panic!("no message arrived; {}", self.told())
    }

    /// Delivers until the queue is empty, hidden messages included.
    pub(crate) async fn settle(&self) {
        // A claim outlives its invocation by half a minute.
        self.settle_within(Duration::from_secs(90)).await;
    }

    pub(crate) async fn settle_within(&self, patience: Duration) {
        let _poller = self.poll();
        let deadline = Instant::now() + patience;
        // S3 tells of an upload a moment after it.
        tokio::time::sleep(Duration::from_millis(300)).await;
        while self.waiting().await > 0 {
            assert!(Instant::now() < deadline, "the queue is not empty; {}", self.told());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Messages on the queue, seen or hidden.
    pub(crate) async fn waiting(&self) -> u64 {
        use QueueAttributeName::{
            ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed,
            ApproximateNumberOfMessagesNotVisible,
        };
        let names = [
            ApproximateNumberOfMessages,
            ApproximateNumberOfMessagesNotVisible,
            ApproximateNumberOfMessagesDelayed,
        ];
        let request = self.place.sqs.get_queue_attributes().queue_url(&self.place.queue_url);
        let answer =
            request.set_attribute_names(Some(names.to_vec())).send().await.expect("the queue answers");
        let attributes = answer.attributes.unwrap_or_default();
        attributes.values().filter_map(|count| count.parse::<u64>().ok()).sum()
    }

    /// Messages that were given up.
    pub(crate) async fn dead_letters(&self) -> Vec<Message> {
        let request = self.place.sqs.receive_message().queue_url(&self.place.dead_letter_queue_url);
        let request = request.max_number_of_messages(10).message_attribute_names("All");
        request.send().await.expect("the queue can be read").messages.unwrap_or_default()
    }

    /// The reasons of what was put aside: the JSON files beside the objects.
    pub(crate) async fn reasons(&self) -> Vec<serde_json::Value> {
        let listed =
            self.place.s3.list_objects_v2().bucket(&self.place.quarantine).send().await.expect("listed");
        let mut reasons = Vec::new();
        for object in listed.contents.unwrap_or_default() {
            let key = object.key.unwrap_or_default();
            if key.ends_with(".reason.json") {
                let request = self.place.s3.get_object().bucket(&self.place.quarantine).key(&key);
                let body =
                    request.send().await.expect("the reason is there").body.collect().await.expect("whole");
                reasons.push(serde_json::from_slice(&body.to_vec()).expect("a reason is JSON"));
            }
        }
        reasons
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
    pub(crate) async fn caught_calling(&self, method: &str, path_end: &str) -> std::sync::Arc<Process> {
        let deadline = Instant::now() + Duration::from_secs(20);
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

    /// What the function and Content Server have to say, for a test that failed.
    pub(crate) fn told(&self) -> String {
        let calls: Vec<String> = self
            .ecm
            .journal()
            .entries()
            .iter()
            .map(|entry| format!("{} {} {}", entry.status, entry.method, entry.path))
            .collect();
        format!(
            "Content Server was called\n{}\nthe function's log\n{}",
            calls.join("\n"),
            self.function.log().text()
        )
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
        if !std::thread::panicking() {
            let unknown = self.ecm.journal().unknown();
            assert!(unknown.is_empty(), "calls that Content Server does not know: {unknown:?}");
        }
    }
}

/// S3 announces a new notification with a test event; a test of its own looks at that.
pub(crate) async fn take_test_event(place: &Installation) {
    let request = place.sqs.receive_message().queue_url(&place.queue_url).wait_time_seconds(5);
    for message in request.send().await.expect("the queue can be read").messages.unwrap_or_default() {
        assert!(message.body.unwrap_or_default().contains("s3:TestEvent"));
        let request = place.sqs.delete_message().queue_url(&place.queue_url);
        request.set_receipt_handle(message.receipt_handle).send().await.expect("the message goes");
    }
}

/// The newest bytes of a document.
pub(crate) fn bytes(document: &Node) -> Vec<u8> {
    let version = document.latest().expect("a version");
    version.content.bytes().expect("the content is kept").to_vec()
}

/// So many bytes that do not repeat, other ones for each seed.
pub(crate) fn content(size: usize, seed: u64) -> Vec<u8> {
    use rand::{RngExt, SeedableRng, rngs::StdRng};
    let mut bytes = vec![0; size];
    StdRng::seed_from_u64(seed).fill(&mut bytes[..]);
    bytes
}
