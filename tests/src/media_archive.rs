//! The places in Content Server that media is filed in: folders, categories, a class and the service user's rights. What the
//! packaged rules of the flows between iconik and Content Server name.

use simulators::content_server::{
    Simulator, State, seed,
    state::{ADMIN, Attribute, AttributeKind, CategoryDefinition, Member, NewNode, Permission, kind},
};

/// The group that keeps the archive of media.
pub const ARCHIVISTS: &str = "Archive";
const ARCHIVISTS_ID: i64 = 1190;

/// Makes them.
///
/// # Panics
/// When the repository refuses.
pub fn plant(server: &Simulator) {
    server.with_state(|state| {
        state.members.insert(ARCHIVISTS_ID, Member::group(ARCHIVISTS_ID, ARCHIVISTS, &[]));
        for name in ["Marketing", "News", "Regulated"] {
            let folder = node(state, seed::ENTERPRISE, name, kind::FOLDER);
            let all = Permission::ALL.into_iter().collect();
            let there = state.nodes.get_mut(&folder).expect("the folder");
            there.permissions.custom.insert(seed::INTEGRATIONS, all);
        }
        for (folder, name, attributes) in [
            ("Marketing", "Final Media", final_media()),
            ("News", "Footage", footage()),
            ("Regulated", "Promotional Material", promotional_material()),
        ] {
            let folder = node(state, seed::CATEGORIES, folder, kind::CATEGORY_FOLDER);
            let id = node(state, folder, name, kind::CATEGORY);
            let definition = CategoryDefinition { id, name: name.to_owned(), attributes };
            state.categories.insert(id, definition);
        }
        for (folder, name) in [("Marketing", "Finals"), ("Regulated", "Promotional Material")] {
            let folder = node(state, seed::RECORDS, folder, kind::FOLDER);
            node(state, folder, name, kind::RECORDS_CLASS);
        }
    });
}

fn node(state: &mut State, parent_id: i64, name: &str, kind: i64) -> i64 {
    let new = NewNode { kind, parent_id, name: name.to_owned(), ..NewNode::default() };
    state.create(ADMIN, new).expect("a node")
}

fn text(id: i64, name: &str) -> Attribute {
    Attribute::new(id, name, AttributeKind::Text { max_length: 254 })
}

fn choice(id: i64, name: &str, values: &[&str]) -> Attribute {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Attribute::new(id, name, AttributeKind::Choice { values })
}

fn date(id: i64, name: &str, with_time: bool) -> Attribute {
    Attribute::new(id, name, AttributeKind::Date { with_time })
}

fn final_media() -> Vec<Attribute> {
    vec![
        text(2, "Asset").required(),
        Attribute::new(3, "Asset Version", AttributeKind::Integer).required(),
        text(4, "Rendition").required(),
        text(5, "Project"),
        text(6, "Campaign"),
        choice(7, "Rights Status", &["Cleared for use", "Restricted use", "Expired"]).required(),
        date(8, "Rights Expiry", false),
        choice(9, "Region", &["worldwide", "EMEA", "AMER", "APAC"]).many(),
        choice(10, "Language", &["English", "German", "French", "Norwegian", "Japanese"]).many(),
        text(11, "Keywords"),
        date(12, "Approved On", true),
        text(13, "Approved By"),
    ]
}

fn footage() -> Vec<Attribute> {
    vec![
        text(2, "Slug").required(),
        choice(3, "Desk", &["domestic", "foreign", "sports", "culture"]).required(),
        text(4, "Synopsis"),
        date(5, "Embargo Until", true),
        Attribute::new(6, "Priority", AttributeKind::Integer),
        choice(7, "Reuse", &["Free for reuse", "Ask the agency", "Not for reuse"]),
    ]
}

fn promotional_material() -> Vec<Attribute> {
    vec![
        text(2, "Reference Number").required(),
        text(3, "Product").required(),
        choice(4, "Audience", &["Patients", "Healthcare professionals"]),
        text(5, "Languages"),
        Attribute::new(6, "Safety Information", AttributeKind::Boolean),
        date(7, "Review Due", false).required(),
        date(8, "Approved On", true).required(),
        text(9, "Approved By").required(),
    ]
}
