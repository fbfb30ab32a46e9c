//! Content on its way out.

use shared::{
    error::{FailureClass, Retry},
    otmm::{Checksum, ContentLoad, Load, Rendition, Settings},
};
use simulators::{
    faults::{Action, Rule},
    otmm::{self as simulator, seed, settings::Checksum as Shown},
};

use crate::world::{asset, client_as, ours, read, seeded, site, site_with};

fn strict() -> Settings {
    Settings { checksum: Checksum::Fail, ..ours() }
}

#[tokio::test(start_paused = true)]
async fn a_master_comes_whole_however_the_server_sends_it_and_goes_on_where_it_broke() {
    for (ranges, tells, etags) in
        [(true, true, true), (true, false, false), (false, true, false), (false, false, false)]
    {
        let mut settings = simulator::Settings::default();
        settings.downloads.ranges = ranges;
        settings.downloads.tells_length = tells;
        settings.downloads.etags = etags;
        let (simulator, client) = site_with(settings, strict());
        let spot = asset(&simulator, &client, "spring-spot.mov").await;
        let download = client.download(&spot).await.unwrap();
        assert_eq!(Some(download.length), spot.content_size);
        let whole = read(download.body).await.unwrap();
        assert_eq!(whole.len() as u64, spot.content_size.unwrap());
        simulator
            .faults()
            .add(Rule::next(Action::CutBody { at: 100_000 }).on("GET", "/contents").times(2))
            .unwrap();
        let again = read(client.download(&spot).await.unwrap().body).await.unwrap();
        assert!(again == whole, "ranges {ranges}, length {tells}");
        let part = read(client.download_range(&spot, 1000..2000).await.unwrap().body).await.unwrap();
        assert!(part == whole[1000..2000]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_byte_that_was_flipped_on_the_way_is_noticed_where_the_algorithm_is_known() {
    for (shown, checksum, fails) in [
        (Shown::Md5, Checksum::Fail, true),
        (Shown::Md5, Checksum::Warn, false),
        (Shown::Absent, Checksum::Fail, false),
        (Shown::Md5, Checksum::Ignore, false),
    ] {
        let mut settings = simulator::Settings::default();
        settings.wire.checksum = shown;
        let (simulator, client) = site_with(settings, Settings { checksum, ..ours() });
        let spot = asset(&simulator, &client, "spring-spot.mov").await;
        simulator.faults().add(Rule::next(Action::CorruptByte { at: 7 }).on("GET", "/contents")).unwrap();
        let outcome = read(client.download(&spot).await.unwrap().body).await;
        assert_eq!(
            outcome.is_err_and(|error| error.contains("otmm.checksum-mismatch")),
            fails,
            "{shown:?} {checksum:?}"
        );
    }
    // A site whose checksum is something else is only warned about until that is declared.
    let mut settings = simulator::Settings::default();
    settings.wire.checksum = Shown::Opaque;
    let (simulator, client) = site(settings);
    let spot = asset(&simulator, &client, "spring-spot.mov").await;
    read(client.download(&spot).await.unwrap().body).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_the_site_does_not_let_out_is_said() {
    let mut settings = simulator::Settings::default();
    settings.downloads.largest_bytes = Some(1000);
    let (simulator, client) = site(settings);
    let spot = asset(&simulator, &client, "spring-spot.mov").await;
    let error = client.download(&spot).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "otmm.too-large"));
    let (simulator, client) = site(simulator::Settings::default());
    let master = asset(&simulator, &client, "broadcast-master.mxf").await;
    let error = client.download(&master).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Transient, "otmm.content-offline"));
    assert!(matches!(error.retry_advice(), Retry::After(_)));
    let rough = asset(&simulator, &client, "spring-rough.jpg").await;
    assert_eq!(client.download(&rough).await.unwrap_err().code(), "otmm.no-content");
    let reader = client_as(&simulator, seed::READER);
    let spot = asset(&simulator, &reader, "spring-spot.mov").await;
    assert_eq!(reader.download(&spot).await.unwrap_err().code(), "otmm.forbidden");
    let folder = client.get_folder(&seeded(&simulator, "Products"), Load::State).await.unwrap();
    assert_eq!(client.download(&folder).await.unwrap_err().code(), "otmm.no-content");
}

#[tokio::test(start_paused = true)]
async fn a_rendition_comes_where_it_was_asked_for() {
    let (simulator, client) = site(simulator::Settings::default());
    let id = seeded(&simulator, "spring-poster.tif");
    let load = ContentLoad { renditions: true, ..ContentLoad::ARCHIVE };
    let poster = client.get_asset(&id, Load::Chosen(load)).await.unwrap();
    let preview = client.download_rendition(&poster, Rendition::Thumbnail).await.unwrap();
    assert!(!read(preview.body).await.unwrap().is_empty());
    // Pictures come unless they are left out, and not everything has one.
    let left_out = client.get_asset(&id, Load::Chosen(ContentLoad::ARCHIVE)).await.unwrap();
    let has_none = asset(&simulator, &client, "care-instructions.txt").await;
    for bare in [left_out, has_none] {
        let error = client.download_rendition(&bare, Rendition::Thumbnail).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Invalid, "otmm.no-content"));
    }
}
