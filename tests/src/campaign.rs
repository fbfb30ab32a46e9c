//! A small production in iconik: two finals' worth of files, a project with its edit decision list, a link, a review and
//! a talk, in collections one inside the other.

use serde_json::{Value, json};
use simulators::{
    content::Blob,
    iconik::{
        State,
        seed::{EDITOR, PRODUCER, REVIEWER, media::ORIGINALS},
        state::{Object, media::Kind},
    },
};

/// The metadata view that says whether a production is closed. It is the one that the packaged rules name.
pub const VIEW: &str = "5f0c8f30-7a51-11f0-c006-0242ac120002";
/// The production.
pub const SPOT: &str = "Lighthouse spot";
/// Its final, which is in two of its collections.
pub const FINAL: &str = "Lighthouse 20s";
/// Its project.
pub const PROJECT: &str = "Lighthouse project";
/// What a comment says, in Arabic, with a mark that turns the writing round.
pub const TURNED: &str = "\u{645}\u{646} \u{202e}\u{641}\u{636}\u{644}\u{643} <b>v1</b>";

fn map(value: Value) -> Object {
    value.as_object().cloned().unwrap_or_default()
}

/// Adds the fields and the view by which productions are closed.
///
/// # Panics
/// When they are there already.
pub fn describe(state: &mut State) {
    for (name, kind) in [
        ("ProductionStatus", "string"),
        ("ClosedOn", "string"),
        ("PackageState", "string"),
        ("PackageNode", "integer"),
    ] {
        let field = json!({"name": name, "label": name, "field_type": kind});
        state.create_field(map(field)).expect("a field");
    }
    let fields =
        ["ProductionStatus", "ClosedOn", "PackageState", "PackageNode"].map(|name| json!({"name": name}));
    let view = json!({"id": VIEW, "name": "Production", "view_fields": fields});
    state.create_view(map(view)).expect("a view");
}

/// Says of a collection how it stands, and since when.
///
/// # Panics
/// When there is no such collection.
pub fn set_status(state: &mut State, title: &str, status: &str, on: &str) {
    let id = state.titled(title).expect("the collection");
    let entry = |value: &str| json!({"field_values": [{"value": value}]});
    let values = map(json!({"ProductionStatus": entry(status), "ClosedOn": entry(on)}));
    state.write_values(PRODUCER, ("collections", &id), VIEW, &values, false).expect("it is written");
}

/// A collection in another.
///
/// # Panics
/// When the other is not there.
pub fn collection(state: &mut State, parent: Option<&str>, given: Value) -> String {
    let mut given = map(given);
    if let Some(parent) = parent {
        given.insert("parent_id".to_owned(), parent.into());
    }
    state.create_collection(PRODUCER, given).expect("a collection")
}

/// An asset in a collection.
///
/// # Panics
/// When the collection is not there.
pub fn asset(state: &mut State, within: &str, given: Value) -> String {
    let id = state.create_asset(EDITOR, map(given)).expect("an asset");
    state.join(EDITOR, "assets", &id, within).expect("it is in the collection");
    id
}

/// A file and how it stands: its name, its bytes and its status.
pub type Planted<'a> = (&'a str, Blob, &'a str);

/// A format of the current version of an asset with files on a storage. Gives the files' ids.
///
/// # Panics
/// When the asset is not there.
pub fn format(
    state: &mut State,
    asset: &str,
    name: &str,
    storage: &str,
    folder: &str,
    files: &[Planted<'_>],
) -> Vec<String> {
    let format = state.create_format(EDITOR, asset, map(json!({ "name": name }))).expect("a format");
    let kind = if files.len() < 10 { "REGULAR" } else { "MANY_FILES" };
    let set = json!({
        "name": name, "format_id": format, "storage_id": storage, "base_dir": folder, "component_ids": [], "type": kind,
    });
    let set = state.create_file_set(EDITOR, asset, map(set)).expect("a file set");
    let mut ids = Vec::new();
    for (name, content, status) in files {
        let file = json!({
            "original_name": name, "directory_path": folder, "file_set_id": set, "name": name,
        });
        let id = state.create_file(EDITOR, asset, map(file)).expect("a file");
        if matches!(*status, "CLOSED" | "GROWING") {
            state.put_content(Kind::File, &id, content.clone());
        }
        let size = content.size;
        let stands = json!({"status": status, "size": size});
        state.edit_file(EDITOR, asset, &id, map(stands)).expect("it stands so");
        ids.push(id);
    }
    ids
}

/// Says how a file stands.
///
/// # Panics
/// When there is no such file.
pub fn set_file(state: &mut State, name: &str, status: &str) {
    let found = state.media.files.objects().find(|file| file["original_name"] == name);
    let file = found.expect("the file");
    let (asset, id) = (text(file, "asset_id"), text(file, "id"));
    state.edit_file(EDITOR, &asset, &id, map(json!({ "status": status }))).expect("it stands so");
}

fn text(object: &Object, name: &str) -> String {
    object[name].as_str().unwrap_or_default().to_owned()
}

/// Has the current version of an asset reviewed.
///
/// # Panics
/// When there is no such asset.
pub fn review(state: &mut State, asset: &str, verdicts: &[(&str, &str)]) {
    let version = state.current_version_of(asset).expect("a version");
    let reviewers: Vec<&str> = verdicts.iter().map(|(who, _)| *who).collect();
    let request = json!({"version_id": version, "users": reviewers, "min_number": reviewers.len()});
    state.request_approval(EDITOR, "assets", asset, &map(request)).expect("a request");
    let key = state.approval_key("assets", asset, Some(&version)).expect("a review");
    for (reviewer, status) in verdicts {
        state.decide(reviewer, &key, status).expect("a verdict");
    }
}

/// A comment on the current version. Gives its id.
///
/// # Panics
/// When there is no such asset.
pub fn comment(state: &mut State, author: &str, asset: &str, text: &str, answers: Option<&str>) -> String {
    let given = json!({"segment_type": "COMMENT", "segment_text": text, "parent_id": answers});
    state.add_segment(author, asset, None, &map(given)).expect("a comment")
}

/// The bytes of a planted file.
pub fn bytes(name: &str) -> Vec<u8> {
    format!("{name}: ").repeat(40).into_bytes()
}

/// Plants the production, open.
///
/// # Panics
/// When it is there already.
pub fn plant(state: &mut State) {
    describe(state);
    let given = json!({"title": SPOT, "category": "campaign", "external_id": "CMP-7"});
    let spot = collection(state, None, given);
    let finals = collection(state, Some(&spot), json!({"title": "Finals"}));
    let edit = collection(state, Some(&spot), json!({"title": "Edit"}));
    let reels = collection(state, Some(&edit), json!({"title": "Reels"}));
    let film = asset(state, &finals, json!({"title": FINAL, "type": "ASSET", "category": "final"}));
    state.join(EDITOR, "assets", &film, &reels).expect("it is in two collections");
    let closed = |name: &'static str| (name, Blob::of(bytes(name)), "CLOSED");
    let files = [closed("LH_20.mov"), closed("LH_20_stereo.wav")];
    format(state, &film, "ORIGINAL", ORIGINALS, "spot/finals", &files);
    let project = asset(state, &edit, json!({"title": PROJECT, "type": "NLE_PROJECT"}));
    format(state, &project, "EDL", ORIGINALS, "spot/edit", &[closed("LH_20.edl")]);
    let link =
        json!({"title": "Brief", "type": "LINK", "external_link": "https://ecm.example.com/nodes/3104"});
    asset(state, &spot, link);
    review(state, &film, &[(PRODUCER, "APPROVED"), (REVIEWER, "APPROVED")]);
    let question = comment(state, REVIEWER, &film, "Das Logo ist zu klein.", None);
    comment(state, EDITOR, &film, "Wie groß soll es sein?", Some(&question));
    comment(state, PRODUCER, &film, TURNED, None);
    set_status(state, SPOT, "open", "");
    state.index_all();
}
