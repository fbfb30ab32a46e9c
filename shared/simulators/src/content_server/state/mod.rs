//! The repository: plain maps and the rules that change them. Nothing here knows HTTP.
//!
//! Every rule takes the member who acts. Time comes from [`State::now`], which the simulator sets before each
//! call; numbers come from counters. The same calls therefore give the same state.

pub mod audit;
pub mod categories;
pub mod definitions;
pub mod large_uploads;
mod lql;
pub mod members;
pub mod node;
pub mod nodes;
pub mod permissions;
pub mod records;
mod recycle;
pub mod refusal;
mod rights;
pub mod search;
pub mod sessions;
mod siblings;
mod throttle;
pub mod versions;
pub mod workflows;
pub mod workspaces;

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use audit::AuditEvent;
pub use definitions::{Attribute, AttributeKind, CategoryDefinition};
pub use members::Member;
pub use node::{Assigned, External, MemberId, Node, NodeId, Permission, Permissions, Rights, Version, kind};
pub use nodes::{Changes, NewNode};
pub use records::{Hold, RecordsSchedule};
pub use refusal::{Api, Outcome, Refusal};
pub(crate) use throttle::Arrival;
pub use versions::NewVersion;
pub use workflows::{Process, WorkflowMap};
pub use workspaces::{BusinessObject, WorkspaceType};

use super::settings::Settings;

/// The built-in administrator: sees and may do everything.
pub const ADMIN: MemberId = 1000;
/// First number given to items, members and processes that are not seeded.
const FIRST_FREE: i64 = 100_001;

/// The whole repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// Switches.
    #[serde(skip)]
    pub settings: Settings,
    /// The time of the running call.
    pub now: Timestamp,
    /// Who makes the running call: whoever is noted as having modified an item.
    #[serde(skip, default = "administrator")]
    pub(crate) acting: MemberId,
    /// Next free number.
    pub(crate) next_id: i64,
    /// Items by number.
    pub nodes: BTreeMap<NodeId, Node>,
    /// What is inside containers.
    pub(crate) children: BTreeMap<NodeId, siblings::Siblings>,
    /// Deleted items by the number of the topmost one, each with everything that was inside.
    pub recycle_bin: BTreeMap<NodeId, Vec<Node>>,
    /// Users, groups, roles.
    pub members: BTreeMap<MemberId, Member>,
    /// Log-ins, tickets, tokens.
    pub(crate) sessions: sessions::Sessions,
    /// Category definitions by the number of their node.
    pub categories: BTreeMap<NodeId, CategoryDefinition>,
    /// Workspace types.
    pub workspace_types: BTreeMap<i64, WorkspaceType>,
    /// Workflow maps by the number of their node.
    pub workflow_maps: BTreeMap<NodeId, WorkflowMap>,
    /// Draft processes.
    pub(crate) drafts: BTreeMap<i64, workflows::Draft>,
    /// Running and ended workflows.
    pub processes: BTreeMap<i64, Process>,
    /// Holds.
    pub holds: BTreeMap<i64, Hold>,
    /// Record series identifiers (retention schedules).
    pub schedules: BTreeMap<i64, RecordsSchedule>,
    /// What was done to items.
    pub audit: Vec<AuditEvent>,
    /// Large uploads under way or complete but not yet used.
    pub(crate) large_uploads: BTreeMap<String, large_uploads::LargeUpload>,
    /// Answers of web reports by nickname.
    pub web_reports: BTreeMap<String, serde_json::Value>,
    /// Expressions of saved search queries by the number of their node.
    #[serde(default)]
    pub search_queries: BTreeMap<NodeId, String>,
    /// What search sees.
    #[serde(skip)]
    pub(crate) index: BTreeMap<NodeId, search::Indexed>,
    /// Changes search has not yet seen.
    #[serde(skip)]
    pub(crate) unindexed: VecDeque<(Timestamp, NodeId)>,
    /// Calls counted for the throttle.
    #[serde(skip)]
    pub(crate) throttling: throttle::Throttling,
    /// Counts changes, for persistence.
    #[serde(skip)]
    pub(crate) changes: u64,
}

fn administrator() -> MemberId {
    ADMIN
}

impl State {
    /// An empty repository.
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        Self {
            settings,
            now,
            acting: ADMIN,
            next_id: FIRST_FREE,
            nodes: BTreeMap::new(),
            children: BTreeMap::new(),
            recycle_bin: BTreeMap::new(),
            members: BTreeMap::new(),
            sessions: sessions::Sessions::default(),
            categories: BTreeMap::new(),
            workspace_types: BTreeMap::new(),
            workflow_maps: BTreeMap::new(),
            drafts: BTreeMap::new(),
            processes: BTreeMap::new(),
            holds: BTreeMap::new(),
            schedules: BTreeMap::new(),
            audit: Vec::new(),
            large_uploads: BTreeMap::new(),
            web_reports: BTreeMap::new(),
            search_queries: BTreeMap::new(),
            index: BTreeMap::new(),
            unindexed: VecDeque::new(),
            throttling: throttle::Throttling::default(),
            changes: 0,
        }
    }

    pub(crate) fn fresh_id(&mut self) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Notes that an item changed: its token moves, and search hears of it after its lag.
    pub(crate) fn touch(&mut self, id: NodeId) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.token += 1;
        }
        self.unindexed.push_back((self.now, id));
        self.changes += 1;
    }

    /// Like [`touch`](Self::touch), and the item's modify date moves.
    pub(crate) fn modify(&mut self, id: NodeId) {
        let (now, acting) = (self.now, self.acting);
        if let Some(node) = self.nodes.get_mut(&id) {
            node.modified = now;
            node.modified_by = acting;
        }
        self.touch(id);
    }
}
