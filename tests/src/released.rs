//! The rights of a film: what its metadata in iconik say, its releases there, and its final in Content Server.

use serde_json::{Value, json};
use simulators::{
    content::Blob,
    content_server::{self, seed::CATEGORIES, seed::RECORDS, state as server, state::ADMIN},
    iconik::{
        self, State,
        seed::{
            EDITOR, PRODUCER,
            media::ORIGINALS,
            metadata::{GOVERNANCE_VIEW, RIGHTS_VIEW},
        },
        state::{Object, media::Kind},
    },
};

use crate::{media_archive, repository};

/// The folder of the final, and its document.
pub const FINALS: &str = "Marketing/Finals of Harbour Lights";
/// The relation by which a film refers to its releases.
pub const RELATION: &str = "rights_document";

fn object(value: Value) -> Object {
    value.as_object().cloned().expect("an object")
}

/// Makes the places that the packaged rules name: the archive of media with the categories and the class of rights.
///
/// # Panics
/// When the repository refuses.
pub fn plant(archive: &content_server::Simulator) {
    use server::{Attribute, AttributeKind, CategoryDefinition, NewNode, kind};
    media_archive::plant(archive);
    let text = |id, name: &str| Attribute::new(id, name, AttributeKind::Text { max_length: 254 });
    let choice = |id, name: &str, values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Attribute::new(id, name, AttributeKind::Choice { values })
    };
    let date = |id, name: &str| Attribute::new(id, name, AttributeKind::Date { with_time: false });
    let of_document = vec![
        text(2, "Asset").required(),
        choice(3, "Document", &["Rights statement", "Release"]),
        text(4, "Campaign"),
        text(5, "Licence"),
        date(6, "Last Day"),
    ];
    let of_final = vec![
        Attribute::new(2, "Statement", AttributeKind::Integer).required(),
        text(3, "Releases"),
        Attribute::new(4, "Revision", AttributeKind::Integer),
        choice(5, "State", &["Current", "Lapsed"]).required(),
        date(6, "Last Day"),
    ];
    archive.with_state(|state| {
        let below = |state: &server::State, root: i64| {
            let mut nodes = state.nodes.values();
            let found = nodes.find(|node| node.parent_id == root && node.name == "Marketing");
            found.map(|node| node.id).expect("the folder")
        };
        let make = |state: &mut server::State, parent_id: i64, name: &str, kind: i64| {
            let new = NewNode { kind, parent_id, name: name.to_owned(), ..NewNode::default() };
            state.create(ADMIN, new).expect("a node")
        };
        let folder = below(state, CATEGORIES);
        for (name, attributes) in [("Rights", of_document), ("Rights of Final", of_final)] {
            let id = make(state, folder, name, kind::CATEGORY);
            state.categories.insert(id, CategoryDefinition { id, name: name.to_owned(), attributes });
        }
        let classes = below(state, RECORDS);
        make(state, classes, "Rights", kind::RECORDS_CLASS);
    });
}

/// Files the final of a film, as if it had been filed by hand: everybody may read it. iconik says which document it is.
///
/// # Panics
/// When the repository refuses.
pub fn file_final(archive: &content_server::Simulator, media: &iconik::Simulator, film: &str) -> i64 {
    let (within, name) = FINALS.rsplit_once('/').expect("a path");
    repository::folder(archive, within, name);
    let bytes = vec![film.as_bytes().repeat(50)];
    let node = repository::document(archive, FINALS, &format!("{film}.mov"), "video/quicktime", &bytes);
    describe(media, film, GOVERNANCE_VIEW, &json!({ "ContentServerNode": node }));
    node
}

/// Makes a release of a film, with its file; gives its id.
///
/// # Panics
/// When iconik refuses.
pub fn release(media: &iconik::Simulator, film: &str, title: &str, until: Option<&str>) -> String {
    let id = media.with_state(|state| {
        let given = object(json!({"title": title, "type": "ASSET", "category": "document"}));
        let asset = state.create_asset(EDITOR, given).expect("an asset");
        add_file(state, &asset, &format!("{title}.pdf"));
        let film = state.titled(film).expect("the film");
        state.relate(EDITOR, &film, RELATION, &asset, Some("Talent")).expect("related");
        asset
    });
    if let Some(until) = until {
        describe(media, title, RIGHTS_VIEW, &json!({ "ReleaseExpiry": until }));
    }
    id
}

/// A release gets its file.
///
/// # Panics
/// When it is not there.
pub fn add_file_to(media: &iconik::Simulator, title: &str) {
    media.with_state(|state| {
        let asset = state.titled(title).expect("the release");
        add_file(state, &asset, &format!("{title}.pdf"));
    });
}

/// Adds a file that is closed to the original of an asset.
fn add_file(state: &mut State, asset: &str, name: &str) {
    let format = state.create_format(EDITOR, asset, object(json!({"name": "ORIGINAL"}))).expect("a format");
    let set = json!({
        "name": name, "format_id": format, "storage_id": ORIGINALS, "base_dir": "releases", "component_ids": [],
    });
    let set = state.create_file_set(EDITOR, asset, object(set)).expect("a file set");
    let file = json!({"original_name": name, "directory_path": "releases", "file_set_id": set, "name": name});
    let file = state.create_file(EDITOR, asset, object(file)).expect("a file");
    let bytes = [b"%PDF-1.7\n".as_slice(), &name.as_bytes().repeat(30)].concat();
    state.put_content(Kind::File, &file, Blob::of(bytes));
    state.edit_file(EDITOR, asset, &file, object(json!({"status": "CLOSED"}))).expect("closed");
}

/// Sets values of an asset in a view, as the editor does; `null` clears one.
///
/// # Panics
/// When iconik refuses.
pub fn describe(media: &iconik::Simulator, title: &str, view: &str, values: &Value) {
    media.with_state(|state| {
        let asset = state.titled(title).expect("the asset");
        let entries = object(values.clone()).into_iter().map(|(name, value)| {
            let list: Vec<Value> = match value {
                Value::Null => Vec::new(),
                Value::Array(values) => values,
                value => vec![value],
            };
            let list: Vec<Value> = list.into_iter().map(|value| json!({ "value": value })).collect();
            (name, json!({ "field_values": list }))
        });
        state.write_values(EDITOR, ("assets", &asset), view, &entries.collect(), false).expect("values");
    });
}

/// The rights of a film are cleared.
pub fn clear(media: &iconik::Simulator, film: &str) {
    let values = json!({
        "RightsHolder": "Harbour Lights Production", "RightsStatus": "cleared", "Territories": ["DE", "NO"],
        "LicenceNumber": "LIC-0042",
    });
    describe(media, film, RIGHTS_VIEW, &values);
}

/// A release is not a release of a film any more.
///
/// # Panics
/// When it is not there.
pub fn unrelate(media: &iconik::Simulator, film: &str, release: &str) {
    media.with_state(|state| {
        let film = state.titled(film).expect("the film");
        state.unrelate(PRODUCER, &film, RELATION, release).expect("ended");
    });
}
