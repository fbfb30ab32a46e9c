//! Links between entities, their small pictures, and tables that change metadata.

use axum::body::Body;
use http::Request;

use super::{Answer, call, get, perform, seeded, simulator, wait};
use crate::preservica::state::Fragment;
use crate::preservica::{Settings, Simulator, seed};

const PICTURE: &[u8] = b"\x89PNG and so on";

fn link(from: &str, kind: &str, to: &str) -> String {
    format!(
        "<Link  xmlns=\"http://preservica.com/XIP/v9.1\"><Type>{kind}</Type><FromEntity>{from}</FromEntity>\
         <ToEntity>{to}</ToEntity></Link >"
    )
}

async fn write(simulator: &Simulator, method: &str, path: &str, body: &str) -> Answer {
    call(simulator, seed::OPERATOR, method, path, body).await
}

#[tokio::test]
async fn preservica_links_are_seen_from_both_ends_and_taken_away_where_they_begin() {
    for from_both in [false, true] {
        let settings = Settings { links_removed_from_both_ends: from_both, ..Settings::default() };
        let simulator = simulator(settings);
        let (spring, report) = (seeded(&simulator, "Spring launch"), seeded(&simulator, "Annual report"));
        let path = |of: &str| format!("/api/entity/information-objects/{of}/links");
        let made = write(&simulator, "POST", &path(&spring), &link(&spring, "is told of in", &report)).await;
        assert_eq!(made.status, 200, "{}", made.text);
        assert_eq!(made.xml().find("Link").unwrap().text_of("Type").as_deref(), Some("is told of in"));
        let mut seen = Vec::new();
        for of in [&spring, &report] {
            let page = get(&simulator, &path(of)).await.xml();
            assert_eq!(page.find("Paging").unwrap().text_of("TotalResults").as_deref(), Some("1"));
            let shown = page.find("Links").unwrap().find("Link").unwrap().clone();
            let said = |name: &str| shown.value(name).unwrap().to_owned();
            assert_eq!((said("linkType").as_str(), said("type").as_str()), ("is told of in", "IO"));
            seen.push((said("linkDirection"), said("title"), said("ref"), said("apiId")));
        }
        let id = seen[0].3.clone();
        let wanted = |direction: &str, title: &str, of: &str| {
            (direction.to_owned(), title.to_owned(), of.to_owned(), id.clone())
        };
        assert_eq!(seen, [wanted("From", "Annual report", &report), wanted("To", "Spring launch", &spring)]);
        let far = write(&simulator, "DELETE", &format!("{}/{id}", path(&report)), "").await;
        assert_eq!(far.status, if from_both { 204 } else { 404 });
        let near = write(&simulator, "DELETE", &format!("{}/{id}", path(&spring)), "").await;
        assert_eq!(near.status, if from_both { 404 } else { 204 });
        assert!(simulator.with_state(|state| state.links.is_empty()));
    }
}

#[tokio::test]
async fn preservica_links_that_lead_nowhere_or_begin_elsewhere_are_refused() {
    let simulator = simulator(Settings::default());
    let (spring, report) = (seeded(&simulator, "Spring launch"), seeded(&simulator, "Annual report"));
    let part = seeded(&simulator, "spring.tiff");
    let path = format!("/api/entity/information-objects/{spring}/links");
    for (body, status) in [
        (link(&report, "t", &spring), 400),
        (link(&spring, "", &report), 400),
        (link(&spring, "t", "nothing"), 404),
        (link(&spring, "t", &part), 422),
    ] {
        assert_eq!(write(&simulator, "POST", &path, &body).await.status, status, "{body}");
    }
    let body = link(&spring, "t", &report);
    assert_eq!(call(&simulator, seed::READER, "POST", &path, &body).await.status, 403);
}

async fn put_picture(simulator: &Simulator, of: &str, content: &[u8]) -> u16 {
    let token = simulator.with_state(|state| state.open_session(seed::OPERATOR).token);
    let request = Request::put(format!("/api/entity/information-objects/{of}/preview"))
        .header("Preservica-Access-Token", token)
        .body(Body::from(content.to_vec()));
    perform(simulator, request.unwrap()).await.status
}

#[tokio::test]
async fn preservica_pictures_are_given_seen_and_taken_away() {
    let simulator = simulator(Settings::default());
    let spring = seeded(&simulator, "Spring launch");
    let seen = format!("/api/content/thumbnail?id=sdb:IO%7C{spring}&size=small");
    assert_eq!(get(&simulator, &seen).await.status, 404);
    assert_eq!(put_picture(&simulator, &spring, PICTURE).await, 204);
    let answer = get(&simulator, &seen).await;
    assert_eq!((answer.status, answer.headers["content-type"].to_str().unwrap()), (200, "image/png"));
    assert_eq!(get(&simulator, &seen.replace("small", "huge")).await.status, 400);
    let path = format!("/api/entity/information-objects/{spring}/preview");
    assert_eq!(write(&simulator, "DELETE", &path, "").await.status, 204);
    assert_eq!(get(&simulator, &seen).await.status, 404);
    let part = seeded(&simulator, "spring.tiff");
    let path = format!("/api/entity/content-objects/{part}/preview");
    assert_eq!(write(&simulator, "DELETE", &path, "").await.status, 404);
}

#[tokio::test]
async fn preservica_pictures_have_a_largest_size_a_format_and_perhaps_one_of_the_servers_own() {
    let mut settings = Settings::default();
    settings.previews.largest_bytes = PICTURE.len() as u64;
    settings.previews.refused_status = 413;
    settings.previews.absent_status = 404;
    settings.previews.made_for_assets = true;
    let simulator = simulator(settings);
    let spring = seeded(&simulator, "Spring launch");
    assert_eq!(put_picture(&simulator, &spring, PICTURE).await, 204);
    assert_eq!(put_picture(&simulator, &spring, &[PICTURE, b"!"].concat()).await, 413);
    assert_eq!(put_picture(&simulator, &spring, b"no picture").await, 413);
    let path = format!("/api/entity/information-objects/{spring}/preview");
    assert_eq!(write(&simulator, "DELETE", &path, "").await.status, 204);
    assert_eq!(write(&simulator, "DELETE", &path, "").await.status, 404);
    let made = get(&simulator, &format!("/api/content/thumbnail?id=sdb:IO%7C{spring}")).await;
    assert_eq!((made.status, made.headers["content-type"].to_str().unwrap()), (200, "image/gif"));
}

/// The status that a table is answered with, and how it ends where it is taken.
async fn send_table(simulator: &Simulator, table: &str) -> (u16, String) {
    let path = "/api/entity/actions/metadata-csv-edits";
    let answer = write(simulator, "POST", path, table).await;
    if answer.status != 202 {
        return (answer.status, String::new());
    }
    wait(simulator, 5);
    let progress = get(simulator, &format!("/api/entity/progress/{}", answer.text)).await.xml();
    (202, progress.find("Progress").unwrap().text_of("Status").unwrap())
}

#[tokio::test]
async fn preservica_tables_of_metadata_are_kept_and_change_something_only_where_their_column_is_known() {
    let simulator = simulator(Settings::default());
    let (spring, report) = (seeded(&simulator, "Spring launch"), seeded(&simulator, "Annual report"));
    let table = format!("Asset,Right holder\n{spring},\"Bär, Wolf\"\n{report},Fuchs\n");
    let held = || {
        let of_schema = |fragment: &&Fragment| fragment.schema == "urn:rights";
        simulator.with_state(|state| {
            let fragments: Vec<_> = state.entities[&spring].fragments.iter().filter(of_schema).collect();
            fragments.iter().map(|one| one.content.text_of("Right_holder").unwrap()).collect::<Vec<_>>()
        })
    };
    assert_eq!(send_table(&simulator, &table).await, (202, "COMPLETED".to_owned()));
    assert_eq!(simulator.with_state(|state| state.csv_edits.clone()), std::slice::from_ref(&table));
    assert!(held().is_empty());
    simulator.with_state(|state| {
        state.settings.csv_edits.reference_column = Some("Asset".to_owned());
        state.settings.csv_edits.schema = "urn:rights".to_owned();
    });
    assert_eq!(send_table(&simulator, &table).await.1, "COMPLETED");
    assert_eq!(held(), ["Bär, Wolf"]);
    assert_eq!(send_table(&simulator, &table.replace("Wolf", "Igel")).await.1, "COMPLETED");
    assert_eq!(held(), ["Bär, Igel"]);
    // What is wrong in one row leaves the others as they were.
    assert_eq!(send_table(&simulator, &table.replace(&report, "nothing")).await.1, "FAILED");
    assert_eq!(held(), ["Bär, Igel"]);
    for wrong in ["", "Asset,Right holder\n", "Asset,Right holder\na\n", "Asset\n\"a\n"] {
        assert_eq!(send_table(&simulator, wrong).await.0, 400, "{wrong}");
    }
}
