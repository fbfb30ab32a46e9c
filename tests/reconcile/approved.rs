//! Assets of iconik and what reviewers say of their versions.

use serde_json::{Value, json};
use simulators::iconik::{
    State,
    seed::{EDITOR, PRODUCER, REVIEWER},
    state::Object,
};
use tests::{
    messages,
    storm::{Scenario, World},
};

/// The message that tells the flow of a story that an asset was approved.
pub(crate) fn hint(world: &World, flow: &str, title: &str, occasion: &str) -> String {
    messages::iconik_change(flow, "assets", &id(world, title), None, occasion)
}

/// The id of what has a title.
pub(crate) fn id(world: &World, title: &str) -> String {
    world.iconik().with_state(|state| state.titled(title)).expect("it is there")
}

pub(crate) fn map(value: Value) -> Object {
    value.as_object().cloned().expect("an object")
}

/// The id of a version of an asset.
pub(crate) fn version(state: &State, title: &str, number: i64) -> String {
    let asset = state.titled(title).and_then(|id| state.assets.get(&id)).expect("the asset");
    let versions = asset["versions"].as_array().expect("versions");
    let found = versions.iter().find(|version| version["version_number"] == number).expect("the version");
    found["id"].as_str().expect("an id").to_owned()
}

/// Both reviewers say the same of a version.
pub(crate) fn decide(world: &World, title: &str, number: i64, status: &str) {
    world.iconik().with_state(|state| {
        let (asset, version) = (state.titled(title).expect("the asset"), version(state, title, number));
        let key = match state.approval_key("assets", &asset, Some(&version)) {
            Ok(key) if state.review.approvals.contains_key(&key) => key,
            _ => {
                let request = json!({"version_id": version, "users": [PRODUCER, REVIEWER], "min_number": 2});
                state.request_approval(EDITOR, "assets", &asset, &map(request)).expect("a request");
                state.approval_key("assets", &asset, Some(&version)).expect("a review")
            }
        };
        for reviewer in [PRODUCER, REVIEWER] {
            state.decide(reviewer, &key, status).expect("a verdict");
        }
    });
}

/// Names and ids of the files of the original of a version.
pub(crate) fn originals(world: &World, title: &str, number: i64) -> Vec<(String, String)> {
    world.iconik().with_state(|state| {
        let version = version(state, title, number);
        let mut formats = state.media.formats.objects();
        let format = formats
            .find(|format| format["version_id"] == *version && format["name"] == "ORIGINAL")
            .expect("the original")["id"]
            .clone();
        let files = state.media.files.objects().filter(|file| file["format_id"] == format);
        let text = |file: &Object, name: &str| file[name].as_str().expect("a text").to_owned();
        let mut files: Vec<_> = files.map(|file| (text(file, "original_name"), text(file, "id"))).collect();
        files.sort();
        files
    })
}

/// A story in which nothing is told of anything.
pub(crate) fn untold(story: Scenario) -> Scenario {
    Scenario { messages: |_| Vec::new(), ..story }
}
