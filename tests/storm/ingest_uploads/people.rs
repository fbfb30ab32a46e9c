//! People work with the very document an upload becomes a version of: they reserve it, or it is put on hold.

use simulators::content_server::{
    Simulator, State,
    state::{ADMIN, Changes, Node},
};
use tests::{
    repository,
    storm::{Broken, Intervention, Made},
};

use super::{INGEST_UPLOADS, Meanwhile, RULES, Scenario, StoredObject, World, film, in_few_parts, pdf};
use std::time::Duration;

const DOCUMENT: &str = "Claims/Storm/CL-100117/report.pdf";

/// What people may do with it, at any call.
const PEOPLE: &[Intervention] = &[
    Intervention { name: "a hold on the document", act: hold },
    Intervention { name: "a hold on the folder above it", act: hold_folder },
    Intervention { name: "a person reserves the document", act: reserve },
];

/// Whoever reserved the document gives it back in the afternoon.
const GIVEN_BACK: &[Meanwhile] = &[Meanwhile {
    after: Duration::from_secs(1800),
    what: |world| {
        Box::pin(async move {
            world.content_server.with_state(|state| {
                let node = the_document(state).id;
                if the_document(state).reserved.is_some() {
                    let changes = Changes { reserved_user_id: Some(None), ..Changes::default() };
                    state.update(ADMIN, node, changes).expect("it is given back");
                }
            });
        })
    },
}];

pub(super) fn scenarios() -> Vec<Scenario> {
    let story = |name, objects| Scenario {
        prepare: in_use,
        interventions: PEOPLE,
        meanwhile: GIVEN_BACK,
        promise: Some(nobody_is_overruled),
        ..Scenario::of(name, &INGEST_UPLOADS, RULES, objects, (1, 0, 0))
    };
    vec![
        story("a new version of a document that people work with", report),
        Scenario {
            prepare: |world| {
                in_use(world);
                in_few_parts(world);
            },
            ..story("a large new version of a document that people work with", large_report)
        },
    ]
}

/// The document as a person filed it.
fn in_use(world: &World) {
    let server = &world.content_server;
    repository::folder(server, "Claims", "Storm");
    repository::folder(server, "Claims/Storm", "CL-100117");
    repository::document(
        server,
        "Claims/Storm/CL-100117",
        "report.pdf",
        "application/pdf",
        &[pdf("a person's")],
    );
}

fn report() -> Vec<StoredObject> {
    vec![StoredObject::new("claims/CL-100117/report.pdf", "application/pdf", pdf("second"))]
}

fn large_report() -> Vec<StoredObject> {
    vec![StoredObject::new("claims/CL-100117/report.pdf", "application/pdf", film("second"))]
}

fn the_document(state: &State) -> &Node {
    state.at(DOCUMENT).expect("nobody takes the document away")
}

fn hold(server: &Simulator) {
    repository::hold(server, repository::at(server, DOCUMENT));
}

fn hold_folder(server: &Simulator) {
    repository::hold(server, repository::at(server, "Claims/Storm"));
}

fn reserve(server: &Simulator) {
    server.with_state(|state| {
        let node = the_document(state).id;
        let changes = Changes { reserved_user_id: Some(Some(ADMIN)), ..Changes::default() };
        state.update(ADMIN, node, changes).expect("a reservation");
    });
}

const ADDED: i64 = 13;
const DELETED: i64 = 14;
const RESERVED: i64 = 7;
const RELEASED: i64 = 8;
const HELD: i64 = 352;

/// G5 and G6: what the person filed stays the first version. While the document is reserved, and once it is on hold, no
/// version comes or goes. A reservation is waited for: the upload is delivered when it ends. A hold is not: the upload
/// is put aside with that reason, and the document is as it was, unless the version was there before the hold. What was
/// delivered looks like a clean run.
fn nobody_is_overruled(world: &World, clean: &Made) -> Result<(), Broken> {
    let made = world.made();
    let first = made.versions.iter().any(|(_, sha256)| *sha256 == sha256_of(&pdf("a person's")));
    if !first {
        return Err(Broken(format!("what the person filed is gone\n{made}")));
    }
    let count =
        |all: &Made, one: &(String, String)| all.versions.iter().filter(|other| *other == one).count();
    if let Some(more) = made.versions.iter().find(|one| count(&made, one) > count(clean, one)) {
        return Err(Broken(format!("{} is there oftener than in a clean run\n{made}", more.0)));
    }
    untouched_meanwhile(world)?;
    let endings = world.endings();
    if endings == ["delivered"] {
        return if made == *clean { Ok(()) } else { Err(Broken(format!("not as in a clean run\n{made}"))) };
    }
    let (held, reserved) = world.content_server.with_state(|state| {
        let happened = |kind| state.audit.iter().any(|event| event.event_type == kind);
        (happened(HELD), happened(RESERVED))
    });
    if reserved {
        return Err(Broken(format!("a reservation is waited for: {endings:?}")));
    }
    if held && (endings != ["quarantined content-server.record-state"] || made.versions.len() != 1) {
        return Err(Broken(format!("put aside for a hold, and nothing done: {endings:?}\n{made}")));
    }
    Ok(())
}

fn untouched_meanwhile(world: &World) -> Result<(), Broken> {
    world.content_server.with_state(|state| {
        let document = the_document(state).id;
        let (mut held, mut reserved) = (false, false);
        for event in &state.audit {
            match event.event_type {
                HELD => held = true,
                RESERVED => reserved = true,
                RELEASED => reserved = false,
                ADDED | DELETED if event.node == document && (held || reserved) => {
                    return Err(Broken(format!("a version came or went all the same: {event:?}")));
                }
                _ => {}
            }
        }
        Ok(())
    })
}

fn sha256_of(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(bytes))
}
