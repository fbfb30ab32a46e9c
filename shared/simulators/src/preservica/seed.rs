//! The archive that a simulator begins with.
//!
//! Users: [`OPERATOR`], who does the daily work, [`MANAGER`], who approves and configures, [`READER`], who only reads; the
//! password of all is [`PASSWORD`]. Security tags `open`, `closed`, `sensitive`. At the root: `Campaigns`, with
//! `2030` in it, and `Records`. In `2030`: an asset `Spring launch` with a preservation and an access representation, three
//! identifiers and Dublin Core; and `Press photographs`, whose one file lies in cold storage. In `Records`: `Annual report`,
//! which a retention policy keeps for seven years. A legal hold that nothing is under.

use jiff::Timestamp;

use super::settings::Settings;
use super::state::{
    ADMINISTRATOR, Algorithm, Bitstream, CONFIGURATION_MANAGER, Entity, Generation, Kind,
    MANAGER as MANAGER_ROLE, READER as READER_ROLE, Representation, State, User, digest, format_of,
};
use super::xml::Element;
use crate::content::Blob;

/// Who does the daily work.
pub const OPERATOR: &str = "operator@example.com";
/// Who approves and configures.
pub const MANAGER: &str = "manager@example.com";
/// Who only reads.
pub const READER: &str = "reader@example.com";
/// Who may do everything.
pub const ADMINISTRATOR_NAME: &str = "administrator@example.com";
/// The password of all.
pub const PASSWORD: &str = "demo-password";
/// The tenant.
pub const TENANT: &str = "DEMO";

/// The seeded archive.
pub fn archive(settings: Settings, now: Timestamp) -> State {
    let mut state = State::new(settings, now);
    state.tenant = TENANT.to_owned();
    state.tags = ["open", "closed", "sensitive"].map(str::to_owned).to_vec();
    for (name, full_name, roles) in [
        (OPERATOR, "Archive operator", vec!["ROLE_SDB_USER", "ROLE_SDB_INGEST_USER"]),
        (MANAGER, "Archive manager", vec![MANAGER_ROLE, CONFIGURATION_MANAGER]),
        (READER, "Reading room", vec![READER_ROLE]),
        (ADMINISTRATOR_NAME, "Administrator", vec![ADMINISTRATOR]),
    ] {
        state.users.push(User {
            name: name.to_owned(),
            password: PASSWORD.to_owned(),
            full_name: full_name.to_owned(),
            roles: roles.into_iter().map(str::to_owned).collect(),
            second_factor: format!("second factor of {name}"),
        });
    }
    let campaigns = folder(&mut state, None, "Campaigns");
    let year = folder(&mut state, Some(&campaigns), "2030");
    let records = folder(&mut state, None, "Records");
    let spring = asset(
        &mut state,
        &year,
        "Spring launch",
        &[
            ("Preservation", "spring.tiff", Blob::generated(1, 300_000)),
            ("Access", "spring.jpg", Blob::generated(2, 40_000)),
        ],
    );
    for (kind, value) in
        [("OTMM", "a1b2c3:1"), ("SourceID", "campaigns/2030/spring"), ("ISBN", "978-3-16-148410-0")]
    {
        state.identify(&spring, kind, value);
    }
    let dc = "http://purl.org/dc/elements/1.1/";
    let described = Element::new("http://www.openarchives.org/OAI/2.0/oai_dc/", "dc")
        .child(Element::new(dc, "title").text("Spring launch"))
        .child(Element::new(dc, "creator").text("Marketing"));
    state.describe(&spring, "http://www.openarchives.org/OAI/2.0/oai_dc/", described);
    let photographs = asset(
        &mut state,
        &year,
        "Press photographs",
        &[("Preservation", "press.zip", Blob::generated(3, 80_000))],
    );
    freeze(&mut state, &photographs);
    let report = asset(
        &mut state,
        &records,
        "Annual report",
        &[("Preservation", "report.pdf", Blob::generated(4, 60_000))],
    );
    let fields = [
        ("Name", "Seven years"),
        ("Description", "Kept for seven years, then looked at"),
        ("SecurityTag", "open"),
        ("StartDateField", "xip.created"),
        ("Period", "7"),
        ("PeriodUnit", "YEAR"),
        ("ExpiryAction", "REVIEW"),
        ("Restriction", "DELETE"),
        ("Assignable", "true"),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    if let Ok(policy) = state.put_policy(None, fields) {
        // The seed has what it names.
        let _ = state.assign(&report, &policy);
    }
    let _ = state.make_hold(MANAGER, "Dispute of 2030", "Everything about the spring campaign");
    state.index_all();
    state
}

fn folder(state: &mut State, parent: Option<&str>, title: &str) -> String {
    let draft = state.draft(Kind::StructuralObject, title);
    state.add(Entity { parent: parent.map(str::to_owned), ..draft }).unwrap_or_default()
}

/// An asset with one file in each representation.
pub fn asset(state: &mut State, folder: &str, title: &str, files: &[(&str, &str, Blob)]) -> String {
    let draft = state.draft(Kind::InformationObject, title);
    let reference = state.add(Entity { parent: Some(folder.to_owned()), ..draft }).unwrap_or_default();
    let mut made = vec![reference.clone()];
    for (kind, name, content) in files {
        let draft = state.draft(Kind::ContentObject, name);
        let fixities = [Algorithm::Sha1, Algorithm::Sha256].into_iter().filter_map(|algorithm| {
            digest(algorithm, content).ok().map(|value| (algorithm.name().to_owned(), value))
        });
        let generation = Generation {
            original: true,
            active: true,
            label: String::new(),
            effective: state.now,
            format: format_of(name),
            bitstreams: vec![Bitstream {
                filename: (*name).to_owned(),
                fixities: fixities.collect(),
                cold: false,
                content: content.clone(),
            }],
        };
        let part = Entity { parent: Some(reference.clone()), generations: vec![generation], ..draft };
        let part = state.add(part).unwrap_or_default();
        made.push(part.clone());
        if let Ok(asset) = state.living_mut(Kind::InformationObject, &reference) {
            let representation = Representation {
                kind: (*kind).to_owned(),
                name: (*kind).to_owned(),
                content_objects: vec![part],
            };
            asset.representations.push(representation);
        }
    }
    state.happened("Ingest", OPERATOR, "command_create", &made);
    reference
}

/// Puts the files of an asset into cold storage.
fn freeze(state: &mut State, asset: &str) {
    for entity in state.entities.values_mut().filter(|entity| entity.parent.as_deref() == Some(asset)) {
        for file in entity.generations.iter_mut().flat_map(|generation| &mut generation.bitstreams) {
            file.cold = true;
        }
    }
}
