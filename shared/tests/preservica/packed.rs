//! Packages of ours on their way into the archive: made on the way, in parts, and again by another process.

use std::time::Duration;

use jiff::Timestamp;
use shared::{
    http::{RangedSource, full},
    packages::{
        Algorithm, Content, Facts, Measure, Package, Part, Purpose, Representation, dublin_core, true_name,
        xip,
    },
    preservica::{
        Client, EntityKind, ProgressStatus, Reference, RepresentationKind, Settings, UploadLedger, UploadStep,
    },
};
use simulators::preservica as simulator;

use crate::world::{ours, seeded, tenant_with};

const PATIENCE: Duration = Duration::from_secs(600);
const MASTER: u64 = 12 << 20;
const TRUE_NAME: &str = "Akt 1: Größe <final> | take?.mov";

fn in_parts() -> Settings {
    Settings { single_upload_bytes: 1 << 20, part_bytes: 5 << 20, ..ours() }
}

fn byte(at: u64) -> u8 {
    u8::try_from(at * 31 % 251).unwrap()
}

/// A master that nobody holds whole.
fn master() -> RangedSource {
    RangedSource::new(MASTER, |offset, length| async move {
        Ok(full((offset..offset + length).map(byte).collect::<Vec<_>>()))
    })
}

fn facts() -> Facts {
    let mut measure = Measure::new(&[Algorithm::Sha1, Algorithm::Sha256]);
    (0..MASTER).step_by(1 << 20).for_each(|from| {
        measure.update(&(from..from + (1 << 20)).map(byte).collect::<Vec<_>>());
    });
    measure.finish()
}

/// The package, as each process makes it anew of what was kept: the facts of the master.
fn package(folder: &Reference, facts: &Facts) -> Package {
    let (master, copy) =
        (Content::new(master(), facts.clone()).unwrap(), Content::of_bytes("a copy", &[Algorithm::Sha1]));
    let representation = |purpose: Purpose, reference: &str, content| Representation {
        purpose,
        name: purpose.name().to_owned(),
        parts: vec![Part::new(reference, TRUE_NAME, content)],
    };
    let contents = vec![
        representation(Purpose::Preservation, "00000000-0000-4000-b000-000000000001", master),
        representation(Purpose::Access, "00000000-0000-4000-c000-000000000001", copy),
    ];
    let about = xip::Asset {
        reference: "00000000-0000-4000-a000-000000000001".into(),
        title: "Akt 1: <final>".into(),
        security_tag: "open".into(),
        parent: Some(folder.as_str().to_owned()),
        identifiers: vec![("OTMM".into(), "4711:3".into())],
        fragments: vec![(
            "00000000-0000-4000-d000-000000000001".into(),
            dublin_core::fragment([("title", "Akt 1"), ("creator", "Harbour Mutual")]).unwrap(),
        )],
        ..xip::Asset::default()
    };
    let asset = xip::NewAsset { about, contents, effective: None };
    let moment: Timestamp = "2031-05-06T07:08:09Z".parse().unwrap();
    Package::new(xip::package(&[asset], "6.0").unwrap(), moment).unwrap()
}

async fn brought_in(client: &Client, folder: &Reference, facts: &Facts) -> (ProgressStatus, usize) {
    let mut ledger = UploadLedger::default();
    for steps in 1.. {
        // Every step is another process: nothing is left of the package but what was kept.
        let package = package(folder, facts);
        let step = client.upload_step(&package.source(), Some(folder), &mut ledger).await.unwrap();
        ledger = serde_json::from_str(&serde_json::to_string(&ledger).unwrap()).unwrap();
        if let UploadStep::Done(token) = step {
            assert_eq!(ledger.bytes_sent(), package.length());
            let end = client.follow_progress(&token.expect("a token"), PATIENCE).await.unwrap();
            return (end.status, steps);
        }
    }
    unreachable!("it ends")
}

#[tokio::test(start_paused = true)]
async fn preservica_ingests_a_package_that_was_made_on_its_way_in_parts_by_several_processes() {
    let (simulator, client) = tenant_with(simulator::Settings::default(), in_parts());
    let folder = seeded(&simulator, "Records");
    let (status, steps) = brought_in(&client, &folder, &facts()).await;
    assert_eq!(status, ProgressStatus::Completed);
    assert!(steps > 2, "it went up in parts");

    let found = client.by_identifier("OTMM", "4711:3").all().await.unwrap();
    let asset = Reference::new("00000000-0000-4000-a000-000000000001");
    assert_eq!(found.iter().map(|one| &one.reference).collect::<Vec<_>>(), [&asset]);
    let kept = client.get_entity(EntityKind::Asset, &asset).await.unwrap();
    assert_eq!((kept.title.as_str(), kept.parent.as_ref()), ("Akt 1: <final>", Some(&folder)));
    let fragments = client.fragments_of(&kept).await.unwrap();
    assert_eq!(fragments[0].schema, dublin_core::SCHEMA);
    for (kind, bytes) in [(RepresentationKind::Preservation, MASTER), (RepresentationKind::Access, 6)] {
        let files = client.files_of(&asset, &kind).await.unwrap();
        let [file] = files.as_slice() else { panic!("one file, not {files:?}") };
        assert_eq!(file.size, bytes);
        assert_eq!(true_name(&file.filename).as_deref(), Some(TRUE_NAME));
    }
    let master = client.files_of(&asset, &RepresentationKind::Preservation).await.unwrap();
    // The archive's own checksum is compared while it is read.
    let read = crate::world::read(client.download(&master[0]).await.unwrap().body).await.unwrap();
    assert_eq!(
        Facts::of(&read, &[Algorithm::Sha256]).fixities[&Algorithm::Sha256],
        facts().fixities[&Algorithm::Sha256]
    );
}

#[tokio::test(start_paused = true)]
async fn preservica_refuses_a_package_whose_fixity_is_that_of_another_content() {
    let (simulator, client) = tenant_with(simulator::Settings::default(), in_parts());
    let folder = seeded(&simulator, "Records");
    let mut other = facts();
    other.fixities.insert(
        Algorithm::Sha1,
        Facts::of(b"another", &[Algorithm::Sha1]).fixities[&Algorithm::Sha1].clone(),
    );
    let (status, _) = brought_in(&client, &folder, &other).await;
    assert_eq!(status, ProgressStatus::Failed);
    assert!(client.by_identifier("OTMM", "4711:3").all().await.unwrap().is_empty());
}
