//! Assets of iconik and documents of Content Server that belong together, and what people write on either side.

use serde_json::{Map, Value, json};
use simulators::{
    content_server::{
        self,
        state::{ADMIN, Attribute, AttributeKind, CategoryDefinition, NewNode, Node, kind},
    },
    iconik::{
        self,
        seed::{
            EDITOR,
            media::{HEALTHCARE, MASTER, NEWS},
            metadata::{CAMPAIGN_VIEW, GOVERNANCE_VIEW, HEALTHCARE_VIEW, NEWS_VIEW},
        },
    },
};

use crate::repository;

/// One kind of asset whose metadata is kept equal.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The title of the seeded asset.
    pub title: &'static str,
    /// Its metadata view.
    pub view: &'static str,
    /// The category of its document.
    pub category: &'static str,
}

/// A campaign.
pub const CAMPAIGN: Kind = Kind { title: MASTER, view: CAMPAIGN_VIEW, category: "Campaign Asset" };
/// News.
pub const FOOTAGE: Kind = Kind { title: NEWS, view: NEWS_VIEW, category: "News Footage" };
/// Regulated healthcare.
pub const PROMOTION: Kind =
    Kind { title: HEALTHCARE, view: HEALTHCARE_VIEW, category: "Promotional Material" };

/// An asset and its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The asset's id.
    pub asset: String,
    /// The document's number.
    pub node: i64,
}

fn text(name: &str) -> (String, AttributeKind, bool) {
    (name.to_owned(), AttributeKind::Text { max_length: 254 }, false)
}

fn of(name: &str, kind: AttributeKind) -> (String, AttributeKind, bool) {
    (name.to_owned(), kind, false)
}

fn choice(name: &str, values: &[&str]) -> (String, AttributeKind, bool) {
    of(name, AttributeKind::Choice { values: values.iter().map(|value| (*value).to_owned()).collect() })
}

fn several((name, kind, _): (String, AttributeKind, bool)) -> (String, AttributeKind, bool) {
    (name, kind, true)
}

const DAY: AttributeKind = AttributeKind::Date { with_time: false };
const MOMENT: AttributeKind = AttributeKind::Date { with_time: true };

fn attributes(category: &str) -> Vec<Attribute> {
    let own = match category {
        "Campaign Asset" => vec![
            text("Project"),
            text("Campaign"),
            choice(
                "Rights Status",
                &["Pending clearance", "Cleared for use", "Restricted use", "Expired", "Lapsed"],
            ),
            of("Rights Expiry", DAY),
            text("Keywords"),
            several(text("Region")),
            several(choice("Language", &["English", "German", "French", "Norwegian", "Japanese"])),
            text("Business Owner"),
        ],
        "News Footage" => vec![
            text("Slug"),
            text("Desk"),
            of("Priority", AttributeKind::Integer),
            of("Synopsis", AttributeKind::TextArea),
            text("Regions"),
            of("Embargo Until", MOMENT),
            choice("Reuse", &["Free for reuse", "Ask the agency", "Own programmes only", "Not for reuse"]),
        ],
        _ => vec![
            text("Reference Number"),
            text("Product"),
            choice("Audience", &["Patients and carers", "Healthcare professionals"]),
            text("Medical Reviewer"),
            of("Review Due", DAY),
            of("Safety Information", AttributeKind::Boolean),
            text("Languages"),
            of("Approved Until", DAY),
        ],
    };
    let numbered = own.into_iter().chain([text("Asset ID")]).zip(2..);
    let attribute = |((name, kind, many), id): ((String, AttributeKind, bool), i64)| {
        let attribute = Attribute::new(id, &name, kind);
        if many { attribute.many() } else { attribute }
    };
    numbered.map(attribute).collect()
}

/// Makes the category of a kind below *Categories:Business*.
///
/// # Panics
/// When it is there.
pub fn plant(server: &content_server::Simulator, of: Kind) {
    server.with_state(|state| {
        let is_folder = |node: &&Node| node.name == "Business" && node.kind == kind::CATEGORY_FOLDER;
        let parent_id = state.nodes.values().find(is_folder).expect("the folder of categories").id;
        let name = of.category.to_owned();
        let new = NewNode { kind: kind::CATEGORY, parent_id, name: name.clone(), ..NewNode::default() };
        let id = state.create(ADMIN, new).expect("a category");
        state.categories.insert(id, CategoryDefinition { id, name, attributes: attributes(of.category) });
    });
}

/// Pairs the seeded asset of a kind with a new document; each tells the other's id.
///
/// # Panics
/// When there is no such asset, or a system refuses.
pub fn pair(server: &content_server::Simulator, media: &iconik::Simulator, of: Kind) -> Pair {
    let asset = media.with_state(|state| state.titled(of.title)).expect("the asset");
    let (name, bytes) = (format!("{}.mov", of.title), of.title.as_bytes().to_vec());
    let node = repository::document(server, "Claims/Incoming", &name, "video/quicktime", &[bytes]);
    repository::set_value(server, node, of.category, "Asset ID", json!(asset));
    let number = json!({"ContentServerNode": {"field_values": [{"value": node}]}});
    write(media, &asset, GOVERNANCE_VIEW, &number).expect("the document's number");
    Pair { asset, node }
}

fn write(media: &iconik::Simulator, asset: &str, view: &str, values: &Value) -> Result<(), String> {
    let values: Map<String, Value> = values.as_object().cloned().unwrap_or_default();
    let written =
        media.with_state(|state| state.write_values(EDITOR, ("assets", asset), view, &values, false));
    written.map(drop).map_err(|refusal| format!("{refusal:?}"))
}

/// An editor writes a field in iconik; `null` and an empty list clear it.
///
/// # Errors
/// What iconik says against it.
pub fn edit(
    media: &iconik::Simulator,
    asset: &str,
    view: &str,
    field: &str,
    value: &Value,
) -> Result<(), String> {
    let values = match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.clone(),
        one => vec![one.clone()],
    };
    let values: Vec<Value> = values.into_iter().map(|value| json!({"value": value})).collect();
    write(media, asset, view, &json!({field: {"field_values": values}}))
}

/// The values of a field in iconik.
pub fn held(media: &iconik::Simulator, asset: &str, field: &str) -> Vec<Value> {
    media.with_state(|state| state.values_of(("assets", asset), field))
}
