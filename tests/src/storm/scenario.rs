//! What a flow registers for the storm.

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use shared::flow::Entry;
use simulators::{content_server, iconik, preservica};

use super::{Broken, Made, World, archived_once, as_in_the_clean_run};

/// What must hold in a world, given what a clean run makes of it.
pub type Promise = fn(&World, &Made) -> Result<(), Broken>;

/// A flow's story: what arrives, and what the world around it is like.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// What happens in it.
    pub name: &'static str,
    /// The flow.
    pub flow: &'static Entry,
    /// Its rules; empty for those in its package.
    pub rules: &'static str,
    /// How Content Server answers the open questions of its interface, where that is not as it usually is.
    pub switches: fn(&mut content_server::Settings),
    /// How iconik answers the open questions of its interface. Nothing where there is no iconik.
    pub iconik: Option<fn(&mut iconik::Settings)>,
    /// How Preservica answers the open questions of its interface. Nothing where there is no Preservica.
    pub preservica: Option<fn(&mut preservica::Settings)>,
    /// Prepares the target before anything arrives.
    pub prepare: fn(&World),
    /// What is uploaded, in order.
    pub objects: fn() -> Vec<StoredObject>,
    /// What is sent to the flow besides, such as changes of prepared nodes.
    pub messages: fn(&World) -> Vec<String>,
    /// What people may do, each at any one call.
    pub interventions: &'static [Intervention],
    /// The same in iconik.
    pub in_iconik: &'static [IconikIntervention],
    /// The same in Preservica.
    pub in_preservica: &'static [PreservicaIntervention],
    /// What a change feed tells afterwards of what people did.
    pub told: fn(&World) -> Vec<String>,
    /// What must hold in the end, where that is not that every upload is in the target once.
    pub promise: Option<Promise>,
    /// Whether names follow from the input alone, not from who came first.
    pub named_by_input: bool,
    /// Whether the intake bucket keeps versions.
    pub versioned: bool,
    /// Whether the bucket in which flows keep content keeps versions.
    pub content_versioned: bool,
    /// What happens while the flow works.
    pub meanwhile: &'static [Meanwhile],
    /// How many items are expected to be delivered, skipped and quarantined in a run without faults.
    pub clean: (usize, usize, usize),
}

impl Scenario {
    /// A story under rules of its own, in a versioned bucket, in which nothing else happens meanwhile.
    pub const fn of(
        name: &'static str,
        flow: &'static Entry,
        rules: &'static str,
        objects: fn() -> Vec<StoredObject>,
        clean: (usize, usize, usize),
    ) -> Self {
        Self {
            name,
            flow,
            rules,
            switches: |_| (),
            iconik: None,
            preservica: None,
            prepare: |_| (),
            objects,
            messages: |_| Vec::new(),
            interventions: &[],
            in_iconik: &[],
            in_preservica: &[],
            told: |_| Vec::new(),
            promise: None,
            named_by_input: true,
            versioned: true,
            content_versioned: false,
            meanwhile: &[],
            clean,
        }
    }

    /// A story that begins with messages, about nodes that `prepare` has made.
    pub const fn of_messages(
        name: &'static str,
        flow: &'static Entry,
        rules: &'static str,
        prepare: fn(&World),
        messages: fn(&World) -> Vec<String>,
        clean: (usize, usize, usize),
    ) -> Self {
        Self { prepare, messages, ..Self::of(name, flow, rules, Vec::new, clean) }
    }

    /// The same with an iconik as it usually is, in which both systems must end as in the clean run.
    pub const fn of_iconik(
        name: &'static str,
        flow: &'static Entry,
        rules: &'static str,
        prepare: fn(&World),
        messages: fn(&World) -> Vec<String>,
        clean: (usize, usize, usize),
    ) -> Self {
        Self {
            iconik: Some(|_| ()),
            promise: Some(as_in_the_clean_run),
            ..Self::of_messages(name, flow, rules, prepare, messages, clean)
        }
    }

    /// A story with a Preservica as it usually is, but for ingests that are quick, in which nothing is archived twice or wrong.
    pub const fn of_preservica(
        name: &'static str,
        flow: &'static Entry,
        prepare: fn(&World),
        messages: fn(&World) -> Vec<String>,
        clean: (usize, usize, usize),
    ) -> Self {
        Self {
            preservica: Some(|theirs| theirs.ingest.seconds = 8),
            promise: Some(archived_once),
            ..Self::of_messages(name, flow, "", prepare, messages, clean)
        }
    }

    /// All that people may do.
    pub fn deeds(&self) -> Vec<Deed> {
        let here = self.interventions.iter().copied().map(Deed::InContentServer);
        let in_iconik = self.in_iconik.iter().copied().map(Deed::InIconik);
        here.chain(in_iconik).chain(self.in_preservica.iter().copied().map(Deed::InPreservica)).collect()
    }
}

/// Something a person does in Content Server, immediately before one call of the flow.
#[derive(Debug, Clone, Copy)]
pub struct Intervention {
    /// What it is.
    pub name: &'static str,
    /// Does it.
    pub act: fn(&content_server::Simulator),
}

/// Something a person does in iconik, immediately before one call of the flow.
#[derive(Debug, Clone, Copy)]
pub struct IconikIntervention {
    /// What it is.
    pub name: &'static str,
    /// Does it.
    pub act: fn(&iconik::Simulator),
}

/// Something that happens in Preservica, immediately before one call of the flow.
#[derive(Debug, Clone, Copy)]
pub struct PreservicaIntervention {
    /// What it is.
    pub name: &'static str,
    /// Does it.
    pub act: fn(&preservica::Simulator),
}

/// What a person does, in either system.
#[derive(Debug, Clone, Copy)]
pub enum Deed {
    /// In Content Server.
    InContentServer(Intervention),
    /// In iconik.
    InIconik(IconikIntervention),
    /// In Preservica.
    InPreservica(PreservicaIntervention),
}

impl Deed {
    /// What it is.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InContentServer(deed) => deed.name,
            Self::InIconik(deed) => deed.name,
            Self::InPreservica(deed) => deed.name,
        }
    }

    /// Does it.
    ///
    /// # Panics
    /// When it is one in a system that is not there.
    pub fn act(
        &self,
        content_server: &content_server::Simulator,
        iconik: Option<&iconik::Simulator>,
        preservica: Option<&preservica::Simulator>,
    ) {
        match self {
            Self::InContentServer(deed) => (deed.act)(content_server),
            Self::InIconik(deed) => (deed.act)(iconik.expect("the scenario has an iconik")),
            Self::InPreservica(deed) => (deed.act)(preservica.expect("the scenario has a Preservica")),
        }
    }
}

/// Something that happens while the flow works.
#[derive(Clone, Copy)]
pub struct Meanwhile {
    /// How long after the beginning.
    pub after: Duration,
    /// What.
    pub what: for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = ()> + 'a>>,
}

/// An object to upload.
#[derive(Debug, Clone)]
pub struct StoredObject {
    /// Its key.
    pub key: String,
    /// Its content.
    pub content: Bytes,
    /// Its content type.
    pub content_type: &'static str,
    /// Its tags, form-encoded.
    pub tags: &'static str,
    /// Its user metadata.
    pub metadata: Vec<(&'static str, &'static str)>,
}

impl StoredObject {
    /// An object without tags and metadata.
    pub fn new(key: impl Into<String>, content_type: &'static str, content: impl Into<Bytes>) -> Self {
        Self { key: key.into(), content: content.into(), content_type, tags: "", metadata: Vec::new() }
    }

    /// With user metadata.
    #[must_use]
    pub fn metadata(mut self, metadata: &[(&'static str, &'static str)]) -> Self {
        self.metadata = metadata.to_vec();
        self
    }

    /// With tags.
    #[must_use]
    pub fn tags(mut self, tags: &'static str) -> Self {
        self.tags = tags;
        self
    }
}
