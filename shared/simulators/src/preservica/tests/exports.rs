//! Exports: what is in them, and that it can be taken in again.

use std::io::Read as _;

use axum::body::Body;
use http::Request;
use tower::ServiceExt as _;
use zip::ZipArchive;

use super::{Answer, call, get, seeded, simulator, wait};
use crate::content::Blob;
use crate::preservica::state::Kind;
use crate::preservica::xml::Element;
use crate::preservica::{Settings, Simulator, seed};

async fn ask(simulator: &Simulator, path: &str, words: [&str; 4]) -> Answer {
    let [content, metadata, generations, parents] = words;
    let body = format!(
        "<ExportAction xmlns=\"http://preservica.com/EntityAPI/v9.1\"><IncludeContent>{content}</IncludeContent>\
         <IncludeMetadata>{metadata}</IncludeMetadata><IncludedGenerations>{generations}</IncludedGenerations>\
         <IncludeParentHierarchy>{parents}</IncludeParentHierarchy></ExportAction>"
    );
    call(simulator, seed::OPERATOR, "POST", &format!("/api/entity/{path}/exports"), &body).await
}

fn content_of(token: &str) -> String {
    format!("/api/entity/actions/exports/{token}/content")
}

/// The bytes of an export by the end.
async fn exported(simulator: &Simulator, path: &str, words: [&str; 4]) -> Vec<u8> {
    let token = ask(simulator, path, words).await.text;
    wait(simulator, 5);
    let session = simulator.with_state(|state| state.open_session(seed::OPERATOR).token);
    let request = Request::get(content_of(&token)).header("Preservica-Access-Token", session);
    let answer = simulator.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec()
}

fn files(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(std::io::Cursor::new(zip.to_vec())).unwrap();
    (0..zip.len())
        .map(|at| {
            let (mut file, mut content) = (zip.by_index(at).unwrap(), Vec::new());
            file.read_to_end(&mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

fn names(zip: &[u8]) -> Vec<String> {
    files(zip).into_iter().map(|(name, _)| name).collect()
}

#[tokio::test]
async fn preservica_exports_hold_a_pax_and_its_opex_with_what_was_asked_for() {
    let simulator = simulator(Settings::default());
    let spring = seeded(&simulator, "Spring launch");
    let path = format!("information-objects/{spring}");
    let (pax, opex) = (format!("{spring}.pax.zip"), format!("{spring}.pax.zip.opex"));
    let whole = exported(&simulator, &path, ["Content", "MetadataWithEvents", "All", "false"]).await;
    assert_eq!(names(&whole), [pax.clone(), opex.clone()]);
    let held = files(&whole);
    assert_eq!(
        names(&held[0].1),
        [
            "Representation_Preservation/spring.tiff/spring.tiff",
            "Representation_Access/spring.jpg/spring.jpg"
        ]
    );
    let said = Element::parse(&held[1].1).unwrap();
    assert_eq!(said.find("Properties").unwrap().text_of("Title").as_deref(), Some("Spring launch"));
    assert!(said.find("DescriptiveMetadata").unwrap().find("dc").is_some());
    assert!(said.find("History").unwrap().find("Events").unwrap().find("Event").is_some());
    assert_eq!(said.find("Transfer").unwrap().find("Fixities").unwrap().elements().count(), 4);
    let less = exported(&simulator, &path, ["NoContent", "NoMetadata", "All", "false"]).await;
    assert_eq!(names(&less), [opex]);
    let said = Element::parse(&files(&less)[0].1).unwrap();
    assert!(said.find("DescriptiveMetadata").is_none() && said.find("History").is_none());
}

#[tokio::test]
async fn preservica_exports_hold_the_generations_that_were_asked_for() {
    let simulator = simulator(Settings::default());
    let (report, part) = (seeded(&simulator, "Annual report"), seeded(&simulator, "report.pdf"));
    simulator.with_state(|state| {
        let generations = &mut state.living_mut(Kind::ContentObject, &part).unwrap().generations;
        let newer = generations[0].clone();
        generations[0].active = false;
        generations.extend([newer.clone(), newer]);
    });
    for (wanted, numbers) in
        [("LatestActive", vec![]), ("AllActive", vec!["2", "3"]), ("All", vec!["1", "2", "3"])]
    {
        let path = format!("information-objects/{report}");
        let whole = exported(&simulator, &path, ["Content", "Metadata", wanted, "false"]).await;
        let inside = names(&files(&whole)[0].1);
        let place = "Representation_Preservation/report.pdf";
        let named: Vec<String> = match numbers.is_empty() {
            true => vec![format!("{place}/report.pdf")],
            false => numbers.iter().map(|n| format!("{place}/Generation_{n}/report.pdf")).collect(),
        };
        assert_eq!(inside, named, "{wanted}");
    }
}

#[tokio::test]
async fn preservica_exports_of_folders_are_trees_that_can_be_taken_in_elsewhere() {
    let there = simulator(Settings::default());
    let (campaigns, year) = (seeded(&there, "Campaigns"), seeded(&there, "2030"));
    let photographs = seeded(&there, "Press photographs");
    let path = format!("structural-objects/{year}");
    let tree = exported(&there, &path, ["Content", "Metadata", "LatestActive", "true"]).await;
    let found = names(&tree);
    for name in [
        format!("{campaigns}/{year}/{photographs}.pax.zip"),
        format!("{campaigns}/{year}/{year}.opex"),
        format!("{campaigns}/{campaigns}.opex"),
    ] {
        assert!(found.contains(&name), "{name}: {found:?}");
    }
    let here = simulator(Settings::default());
    let records = seeded(&here, "Records");
    let tree = exported(&there, &path, ["Content", "Metadata", "LatestActive", "false"]).await;
    let before = here.with_state(|state| state.entities.len());
    let token = here.with_state(|state| {
        state.receive_package(seed::OPERATOR, "export.zip", Some(records), Blob::of(tree))
    });
    wait(&here, 60);
    here.with_state(|state| {
        assert_eq!(state.status(&token).unwrap().word(), "COMPLETED", "{:?}", state.progress[&token].errors);
        // A folder, two assets, and the three files of these.
        assert_eq!(state.entities.len(), before + 6);
        assert_eq!(state.identified("OTMM", "a1b2c3:1").len(), 2);
    });
}

#[tokio::test]
async fn preservica_exports_need_a_workflow_and_their_end() {
    let mut settings = Settings::default();
    settings.exports.unfinished_status = 409;
    settings.exports.rejected_status = 403;
    let simulator = simulator(settings);
    let spring = format!("information-objects/{}", seeded(&simulator, "Spring launch"));
    let words = ["Content", "Metadata", "All", "true"];
    let begun = ask(&simulator, &spring, words).await;
    assert_eq!(begun.status, 202);
    assert_eq!(get(&simulator, &content_of(&begun.text)).await.status, 409);
    assert_eq!(get(&simulator, &content_of("nothing")).await.status, 404);
    wait(&simulator, 5);
    assert_eq!(get(&simulator, &content_of(&begun.text)).await.status, 200);
    for at in 0..4 {
        let mut wrong = words;
        wrong[at] = "Perhaps";
        assert_eq!(ask(&simulator, &spring, wrong).await.status, 400);
    }
    let part = format!("content-objects/{}", seeded(&simulator, "spring.tiff"));
    assert_eq!(ask(&simulator, &part, words).await.status, 404);
    simulator.with_state(|state| state.settings.exports.workflow_active = false);
    assert_eq!(ask(&simulator, &spring, words).await.status, 403);
}
