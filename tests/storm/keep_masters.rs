//! The stories of the archive engine, told by a small flow: whatever happens, nothing is archived twice, and nothing wrong.

use std::time::Duration;

use simulators::preservica::{
    seed::asset,
    state::{State, Status},
};
use tests::{
    archiving::{KEEP_MASTERS, Master, MasterFile},
    storm::{Meanwhile, PreservicaIntervention, Scenario, World},
};

/// What Preservica and its people do.
const OF_PRESERVICA: &[PreservicaIntervention] = &[
    PreservicaIntervention {
        name: "every token ends",
        act: |preservica| preservica.with_state(|state| state.tokens.clear()),
    },
    PreservicaIntervention {
        name: "the next ingest fails after the upload",
        act: |preservica| preservica.with_state(|state| state.settings.ingest.fail_next = 1),
    },
    PreservicaIntervention {
        name: "the next ingest fails, and what it brought stays",
        act: |preservica| {
            preservica.with_state(|state| {
                state.settings.ingest.fail_next = 1;
                state.settings.ingest.failure_leaves_assets = true;
            });
        },
    },
    PreservicaIntervention {
        name: "the storage forgets unfinished uploads",
        act: |preservica| preservica.with_state(|state| state.uploads.clear()),
    },
    PreservicaIntervention {
        name: "somebody gives every ingest up that is on its way",
        act: |preservica| preservica.with_state(give_up),
    },
];

const TOKENS_END: &[Meanwhile] =
    &[Meanwhile { after: Duration::from_secs(40), what: |world| Box::pin(tokens_end(world)) }];

fn give_up(state: &mut State) {
    let active: Vec<String> = state
        .progress
        .iter()
        .filter(|(_, one)| one.status == Status::Active)
        .map(|(token, _)| token.clone())
        .collect();
    for token in active {
        state.end(&token, Status::Aborted, Some("somebody gave it up"));
    }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            in_preservica: OF_PRESERVICA,
            ..Scenario::of_preservica(
                "a master is archived with its copy for access",
                &KEEP_MASTERS,
                |_| (),
                |world| vec![first(world, "1").message()],
                (1, 0, 0),
            )
        },
        Scenario::of_preservica(
            "two events at once tell of one master",
            &KEEP_MASTERS,
            |_| (),
            |world| vec![first(world, "1").message(), first(world, "2").message()],
            (2, 0, 0),
        ),
        Scenario {
            in_preservica: OF_PRESERVICA,
            ..Scenario::of_preservica(
                "a master that is there with other content gets it",
                &KEEP_MASTERS,
                there_with_other_content,
                |world| vec![Master { replace: true, ..first(world, "1") }.message()],
                (1, 0, 0),
            )
        },
        Scenario {
            meanwhile: TOKENS_END,
            ..Scenario::of_preservica(
                "one is there, one is there with other content, one is new and waits for its ingest",
                &KEEP_MASTERS,
                |world| {
                    there_with_other_content(world);
                    world.preservica().with_state(|state| state.settings.ingest.seconds = 90);
                },
                |world| {
                    let second = Master { value: "kept-2:1".to_owned(), ..first(world, "1") };
                    vec![first(world, "1").message(), second.message()]
                },
                (1, 1, 0),
            )
        },
    ]
}

async fn tokens_end(world: &World) {
    world.preservica().with_state(|state| state.tokens.clear());
}

pub(crate) fn folder(world: &World) -> String {
    world
        .preservica()
        .with_state(|state| state.titled("Records").map(|folder| folder.reference.clone()))
        .expect("it is seeded")
}

/// One file that is preserved, and one for access.
pub(crate) fn first(world: &World, occasion: &str) -> Master {
    Master {
        value: "kept-1:1".to_owned(),
        occasion: occasion.to_owned(),
        folder: folder(world),
        files: vec![
            MasterFile::preserved("master.tif", 1, 3000),
            MasterFile::for_access("small.jpg", 2, 500),
        ],
        replace: false,
    }
}

/// An asset with the identifier, the same copy for access, and another master.
pub(crate) fn there_with_other_content(world: &World) {
    let older = MasterFile::preserved("master.tif", 9, 2000);
    let same = first(world, "1");
    let folder = folder(world);
    // What is there was sent by somebody at some time.
    let _ = Master { files: vec![older.clone()], ..same.clone() }.deposit().expect("it can be kept");
    world.preservica().with_state(|state| {
        let blob = |file: &MasterFile| simulators::content::Blob::of(file.content());
        let files =
            [("Preservation", "master.tif", blob(&older)), ("Access", "small.jpg", blob(&same.files[1]))];
        let made = asset(state, &folder, "kept-1:1", &files);
        state.identify(&made, "OTMM", "kept-1:1");
    });
}
