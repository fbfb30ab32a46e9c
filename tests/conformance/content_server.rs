//! Our Content Server client against the simulator and, when these are set, against a real tenant:
//!
//! | variable | what |
//! |---|---|
//! | `WAYBILL_CONTENT_SERVER_URL` | address without `/api` |
//! | `WAYBILL_CONTENT_SERVER_SECRET` | the JSON of the secret |
//! | `WAYBILL_CONTENT_SERVER_FOLDER` | path of a folder for the tests, such as `Enterprise:Waybill tests` |
//! | `WAYBILL_CONTENT_SERVER_CATEGORY` | path of a category with a text attribute that is all it requires |
//! | `WAYBILL_CONTENT_SERVER_ATTRIBUTE` | that attribute's name |
//! | `WAYBILL_CONTENT_SERVER_GROUP` | name of a group |
//! | `WAYBILL_CONTENT_SERVER_WORKSPACE_TYPE` | name of a workspace type |
//! | `WAYBILL_CONTENT_SERVER_WORKFLOW_MAP` | path of a workflow map |
//! | `WAYBILL_CONTENT_SERVER_RECORDS_CLASS` | path of a records management classification |
//! | `WAYBILL_CONTENT_SERVER_HOLD` | name of a hold |
//!
//! All but the first three may be left out; the stories that need them are then skipped by name.

mod categories;
mod documents;
mod faults;
mod large_files;
mod modules;
mod places;
mod refusals;
mod side_effects;
mod switches;
mod unknowns;

use std::collections::BTreeMap;

use http_body_util::BodyExt;
use shared::{
    content_server::{
        Client, Credential, External, NewDocument, NewFolder, Node, NodeId, NodePath, RangedSource, Settings,
        Upload,
    },
    context::Context,
    http::{Pace, Replayable, Transport, full},
};
use simulators::{Clock, content_server as simulator};
use tests::in_process;

/// The moment every simulated story begins.
pub(crate) const BEGINNING: &str = "2031-05-06T07:08:09Z";

/// One Content Server under test.
pub(crate) struct Tenant {
    pub(crate) client: Client,
    /// An empty folder of this story's own.
    pub(crate) folder: NodeId,
    names: BTreeMap<&'static str, String>,
    story: String,
    pub(crate) simulator: Option<simulator::Simulator>,
}

const VARIABLES: [(&str, &str); 7] = [
    ("CATEGORY", "Categories:Business/Claim Evidence"),
    ("ATTRIBUTE", "Claim Number"),
    ("GROUP", "Claims"),
    ("WORKSPACE_TYPE", "Claim"),
    ("WORKFLOW_MAP", "Enterprise:Workflow Maps/Document Review"),
    ("RECORDS_CLASS", "Records:File Plan/CLM-FILES"),
    ("HOLD", "Flood 2030 litigation"),
];

impl Tenant {
    /// What the tenant has to offer under a name; says so when it has nothing.
    pub(crate) fn offer(&self, name: &str) -> Option<&str> {
        let found = self.names.get(name).map(String::as_str);
        if found.is_none() {
            println!("skipped: {} needs WAYBILL_CONTENT_SERVER_{name}", self.story);
        }
        found
    }

    /// The node at a path the tenant offers.
    pub(crate) async fn offered_node(&self, name: &str) -> Option<Node> {
        let path: NodePath = self.offer(name)?.parse().unwrap();
        Some(self.client.resolve_path(&path).await.unwrap())
    }
}

/// A simulator with settings, and a client of it.
pub(crate) fn simulated(settings: simulator::Settings) -> (simulator::Simulator, Client) {
    simulated_with(settings, Settings::default())
}

/// A simulator and a client, both with settings.
pub(crate) fn simulated_with(
    settings: simulator::Settings,
    ours: Settings,
) -> (simulator::Simulator, Client) {
    let simulator = simulator::Simulator::new(settings, Clock::fixed(BEGINNING.parse().unwrap()));
    let client = client_of(&simulator, ours);
    (simulator, client)
}

/// A client of a simulator, signed in as its service user.
pub(crate) fn client_of(simulator: &simulator::Simulator, ours: Settings) -> Client {
    let secret = format!(
        r#"{{"mode":"password","username":"{}","password":"{}"}}"#,
        simulator::seed::SERVICE_USER,
        simulator::seed::PASSWORD
    );
    client_as(simulator, ours, &secret)
}

/// A client of a simulator with a secret.
pub(crate) fn client_as(simulator: &simulator::Simulator, ours: Settings, secret: &str) -> Client {
    let settings = Settings { base_url: "http://content-server.test/cs/cs".to_owned(), ..ours };
    settings.validate().unwrap();
    let context = Context::simulated(BEGINNING.parse().unwrap(), 7);
    let transport = in_process::transport(simulator.router());
    Client::new(
        settings,
        Credential::from_json(secret).unwrap(),
        transport,
        context,
        Pace::per_second(10_000.0),
    )
}

/// The simulator and, when it is configured, the real tenant; each with a folder of the story's own.
pub(crate) async fn tenants(story: &str) -> Vec<Tenant> {
    let (simulator, client) = simulated(simulator::Settings::default());
    let names = VARIABLES.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let mut tenants = vec![tenant(story, client, "Enterprise:Claims/Incoming", names, Some(simulator)).await];
    let variable = |name: &str| std::env::var(format!("WAYBILL_CONTENT_SERVER_{name}")).ok();
    if let (Some(url), Some(secret), Some(folder)) = (variable("URL"), variable("SECRET"), variable("FOLDER"))
    {
        let client = Client::new(
            Settings::at(url),
            Credential::from_json(&secret).unwrap(),
            Transport::network().unwrap(),
            Context::system(),
            Pace::per_second(5.0),
        );
        let names = VARIABLES.into_iter().filter_map(|(name, _)| Some((name, variable(name)?))).collect();
        tenants.push(tenant(story, client, &folder, names, None).await);
    }
    tenants
}

async fn tenant(
    story: &str,
    client: Client,
    folder: &str,
    names: BTreeMap<&'static str, String>,
    simulator: Option<simulator::Simulator>,
) -> Tenant {
    let root = client.resolve_path(&folder.parse().unwrap()).await.unwrap();
    let name = format!("{story} {}", Context::system().new_id());
    let folder = client.create_folder(root.id, &name, &NewFolder::default()).await.unwrap();
    Tenant { client, folder: folder.id, names, story: story.to_owned(), simulator }
}

/// A document to be made in a folder, with an identity of ours.
pub(crate) fn document(folder: NodeId, name: &str) -> NewDocument {
    NewDocument {
        parent: folder,
        name: name.to_owned(),
        description: String::new(),
        external: External {
            source: Some("cloud_storage".to_owned()),
            identity: Some(format!("s3://intake/{name}#1")),
            identity_type: Some("waybill".to_owned()),
            ..External::default()
        },
        categories: Vec::new(),
        advanced_versioning: None,
    }
}

/// Content that can be opened whole and in ranges.
pub(crate) fn upload(file_name: &str, bytes: &[u8]) -> Upload {
    let all = bytes::Bytes::copy_from_slice(bytes);
    let length = all.len() as u64;
    Upload {
        content: Replayable::from_bytes(all.clone()),
        ranges: Some(RangedSource::new(length, move |offset, length| {
            let from = usize::try_from(offset).unwrap();
            let range = all.slice(from..from + usize::try_from(length).unwrap());
            async move { Ok(full(range)) }
        })),
        file_name: file_name.to_owned(),
        content_type: "application/octet-stream".to_owned(),
    }
}

/// The content of a version, or of the latest.
pub(crate) async fn content(client: &Client, node: NodeId, version: Option<i64>) -> Vec<u8> {
    let download = client.download(node, version).await.unwrap();
    let length = download.length;
    let bytes = download.body.collect().await.unwrap().to_bytes().to_vec();
    assert!(length.is_none_or(|length| length == bytes.len() as u64));
    bytes
}
