//! What a day of work with the repository comes to.

use std::time::Duration;

use shared::{
    http::Replayable,
    otmm::{
        AssetId, ContentLoad, ImportLedger, ImportStep, JobState, Load, MetadataChange, NewAsset, NewFolder,
        Search, Upload,
    },
};
use simulators::otmm::{self as simulator, seed};

use crate::world::{calls, field, read, seeded, site};

#[tokio::test(start_paused = true)]
async fn an_asset_is_brought_in_found_described_and_taken_out_again_within_one_session() {
    let (simulator, client) = site(simulator::Settings::default());
    assert_eq!(client.login().await.unwrap().id.as_deref(), Some(seed::INTEGRATION_ID));
    let public = AssetId::new(seed::PUBLIC);
    let new = NewFolder { name: "From the archive".to_owned(), ..NewFolder::default() };
    let folder = client.ensure_folder(&public, &new).await.unwrap();
    assert_eq!(client.ensure_folder(&public, &new).await.unwrap().id, folder.id, "made once");
    let new = NewAsset {
        upload: Upload {
            content: Replayable::from_bytes("the bytes of a derivative"),
            file_name: "spring – Größe.tif".to_owned(),
            content_type: "image/tiff".to_owned(),
        },
        folder: folder.id.clone(),
        model: None,
        metadata: MetadataChange::new().text(&field(seed::ARCHIVE_ID), "archive-1"),
        policies: Vec::new(),
        template: None,
        correlation: Some("waybill-1".to_owned()),
    };
    let mut ledger = ImportLedger::default();
    let job = loop {
        if let ImportStep::Done(job) = client.import_step(&new, &mut ledger).await.unwrap() {
            break job;
        }
    };
    let ended = client.follow_job(&job, Duration::from_secs(60)).await.unwrap();
    assert_eq!((ended.state.clone(), ended.failure().is_none()), (JobState::Done, true));
    let made = client.find_imported(Some(&job), Some("waybill-1")).await.unwrap();
    assert_eq!(made.len(), 1);
    let asset = client.get_asset(&made[0].id, Load::Chosen(ContentLoad::ARCHIVE)).await.unwrap();
    assert_eq!((asset.name.as_str(), asset.version), ("spring – Größe.tif", 1));
    assert_eq!(asset.metadata.as_ref().unwrap().text(&field(seed::ARCHIVE_ID)), Some("archive-1"));
    assert_eq!(asset.paths.as_ref().unwrap()[0].last().map(String::as_str), Some("From the archive"));
    let bytes = read(client.download(&asset).await.unwrap().body).await.unwrap();
    assert_eq!(bytes, b"the bytes of a derivative");
    let change = MetadataChange::new().text(&field(seed::ARCHIVE_STATUS), "archived");
    client.update_metadata(&asset.id, &change, asset.metadata.as_ref()).await.unwrap();
    let found = client.find_made(&field(seed::ARCHIVE_ID), "archive-1").await.unwrap();
    assert_eq!(found.iter().map(|asset| &asset.id).collect::<Vec<_>>(), [&made[0].id]);
    let poster = seeded(&simulator, "spring-poster.tif");
    let outcome = client.add_to_folder(&folder.id, &[poster.clone(), AssetId::new("no-such")]).await.unwrap();
    assert_eq!((outcome.added, outcome.refused.len()), (vec![poster.clone()], 1));
    let parents = client.parents_of(&poster).await.unwrap();
    assert!(parents.iter().any(|parent| parent.id == folder.id));
    let mut names: Vec<String> = client
        .children_of(&folder.id, Load::State)
        .all()
        .await
        .unwrap()
        .into_iter()
        .map(|child| child.name)
        .collect();
    names.sort();
    assert_eq!(names, ["spring – Größe.tif", "spring-poster.tif"]);
    assert!(client.search(Search::new()).all().await.unwrap().len() > 5);
    let asset = client.get_asset(&asset.id, Load::State).await.unwrap();
    client.delete_asset(&asset, false).await.unwrap();
    client.undelete_asset(&asset.id, false).await.unwrap();
    assert!(!client.get_asset(&asset.id, Load::State).await.unwrap().is_gone());
    client.logout().await.unwrap();
    assert_eq!(calls(&simulator, "POST", "/sessions"), 1, "one login for all of it");
    assert_eq!(simulator.with_state(|state| state.sessions.len()), 0, "and it was given back");
    let unknown: Vec<_> = simulator.journal().entries().into_iter().filter(|entry| entry.unknown).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn the_site_tells_its_folders_collections_policies_and_lookups() {
    let (_, client) = site(simulator::Settings::default());
    assert!(client.root_folders().await.unwrap().iter().any(|folder| folder.id.as_str() == seed::PUBLIC));
    let policies = client.security_policies().await.unwrap();
    assert!(policies.iter().any(|policy| policy.id.as_str() == seed::POLICY.to_string()));
    let collections = client.collections().await.unwrap();
    assert_eq!(collections[0].name, "Press kit");
    assert_eq!(client.collection_assets(&collections[0].id, Load::State).all().await.unwrap().len(), 2);
    let domain = client.lookup_domain(&shared::otmm::DomainId::new("CUSTOM.DOMAIN.STATUS")).await.unwrap();
    let now = crate::world::BEGINNING.parse().unwrap();
    assert_eq!(domain.key_of("approved", now).unwrap(), "approved");
    assert_eq!(domain.display_of("approved"), Some("Approved"), "without the blank behind it");
    assert_eq!(domain.key_of("On hold", now).unwrap_err().code(), "otmm.no-such-value");
    assert!(client.lookup_domains().await.unwrap().len() > 3);
    assert!(!client.recent_assets(Load::State).all().await.unwrap().is_empty());
}
