//! What is taken in: packages of every kind, trees of the bulk location, and what goes wrong with them.

use std::io::Write as _;

use axum::body::Body;
use http::Request;
use tower::ServiceExt as _;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{Answer, call, get, seeded, simulator, wait};
use crate::content::Blob;
use crate::preservica::state::{Algorithm, Kind, digest};
use crate::preservica::{Settings, Simulator, seed};

const OPEX: &str = "xmlns=\"http://www.openpreservationexchange.org/opex/v1.2\"";
const BUCKET: &str = "com.preservica.demo.bulk";

pub(super) fn zipped(files: &[(&str, &str)]) -> Blob {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in files {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    Blob::of(zip.finish().unwrap().into_inner())
}

/// Lets a package arrive, and gives the word for its end.
fn ends(simulator: &Simulator, package: Blob, folder: Option<String>) -> String {
    let token =
        simulator.with_state(|state| state.receive_package(seed::OPERATOR, "package.zip", folder, package));
    wait(simulator, 60);
    simulator.with_state(|state| state.status(&token).unwrap().word().to_owned())
}

fn opex(source: &str, title: &str, fixities: &str) -> String {
    format!(
        "<OPEXMetadata {OPEX}><Transfer><SourceID>{source}</SourceID><Fixities>{fixities}</Fixities></Transfer>\
         <Properties><Title>{title}</Title><SecurityDescriptor>closed</SecurityDescriptor>\
         <Identifiers><Identifier type=\"OTMM\">{source}:1</Identifier></Identifiers></Properties>\
         <DescriptiveMetadata><dc xmlns=\"urn:dc\"><title>{title}</title></dc></DescriptiveMetadata></OPEXMetadata>"
    )
}

fn sum(content: &str, algorithm: Algorithm) -> String {
    digest(algorithm, &Blob::of(content.as_bytes().to_vec())).unwrap()
}

fn manifest(title: &str, source: &str, files: &[(&str, usize)], folders: &[&str]) -> String {
    let files: String = files
        .iter()
        .map(|(name, size)| format!("<File size=\"{size}\" type=\"content\">{name}</File>"))
        .collect();
    let folders: String = folders.iter().map(|name| format!("<Folder>{name}</Folder>")).collect();
    format!(
        "<OPEXMetadata {OPEX}><Transfer><SourceID>{source}</SourceID><Manifest><Files>{files}</Files>\
         <Folders>{folders}</Folders></Manifest></Transfer><Properties><Title>{title}</Title></Properties></OPEXMetadata>"
    )
}

#[tokio::test]
async fn preservica_takes_a_tree_with_opex_in_a_zip_and_keeps_what_is_said_beside_each_file() {
    let simulator = simulator(Settings::default());
    let records = seeded(&simulator, "Records");
    let right = format!(
        "<Fixity type=\"SHA-1\" value=\"{}\"/><Fixity type=\"SHA-256\" value=\"{}\"/>",
        sum("the film", Algorithm::Sha1),
        sum("the film", Algorithm::Sha256)
    );
    let tree = zipped(&[
        ("Spring/film.mp4", "the film"),
        ("Spring/film.mp4.opex", &opex("film-1", "The film", &right)),
        ("Spring/plain.txt", "no word is said of it"),
        (
            "Spring/Spring.opex",
            &manifest("Spring 2031", "spring", &[("film.mp4", 8), ("plain.txt", 21)], &[]),
        ),
    ]);
    assert_eq!(ends(&simulator, tree, Some(records.clone())), "COMPLETED");
    simulator.with_state(|state| {
        let folder = state.titled("Spring 2031").unwrap();
        assert_eq!((folder.kind, folder.parent.as_deref()), (Kind::StructuralObject, Some(records.as_str())));
        let film = state.identified("OTMM", "film-1:1")[0];
        assert_eq!(film.parent.as_deref(), Some(folder.reference.as_str()));
        assert_eq!((film.security_tag.as_str(), film.fragments[0].schema.as_str()), ("closed", "urn:dc"));
        assert_eq!(state.identified("SourceID", "film-1").len(), 1);
        let part = &state.entities[&film.representations[0].content_objects[0]];
        let fixities: Vec<&str> =
            part.generations[0].bitstreams[0].fixities.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(fixities, ["SHA1", "SHA256"]);
        assert_eq!(state.titled("plain.txt").unwrap().security_tag, "open");
    });
}

#[tokio::test]
async fn preservica_takes_pax_with_representations_and_generations_zipped_or_as_a_folder() {
    let access = sum("small", Algorithm::Md5);
    let said =
        format!("<Fixity path=\"Representation_Access/Web/web.jpg\" type=\"MD5\" value=\"{access}\"/>");
    let files = [
        ("Representation_Preservation/Master/Generation_1/a.tif", "first"),
        ("Representation_Preservation/Master/Generation_2/a.tif", "second"),
        ("Representation_Access/Web/web.jpg", "small"),
    ];
    let inner = zipped(&files).bytes().unwrap();
    let beside = opex("pax-1", "Both", &said);
    for is_zipped in [true, false] {
        let simulator = simulator(Settings::default());
        let records = seeded(&simulator, "Records");
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let mut add = |name: &str, content: &[u8]| {
            zip.start_file(name, options).unwrap();
            zip.write_all(content).unwrap();
        };
        if is_zipped {
            add("both.pax.zip", &inner);
            add("both.pax.zip.opex", beside.as_bytes());
        } else {
            for (name, content) in files {
                add(&format!("both.pax/{name}"), content.as_bytes());
            }
            add("both.pax.opex", beside.as_bytes());
        }
        let package = Blob::of(zip.finish().unwrap().into_inner());
        assert_eq!(ends(&simulator, package, Some(records)), "COMPLETED", "{is_zipped}");
        simulator.with_state(|state| {
            let asset = state.titled("Both").unwrap();
            let kinds: Vec<&str> = asset.representations.iter().map(|one| one.kind.as_str()).collect();
            assert_eq!(kinds, ["Access", "Preservation"]);
            let master = &state.entities[&asset.representations[1].content_objects[0]];
            let active: Vec<bool> = master.generations.iter().map(|generation| generation.active).collect();
            assert_eq!((master.title.as_str(), active), ("Master", vec![false, true]));
        });
    }
    // Without a word beside it.
    let simulator = simulator(Settings::default());
    let bare = zipped(&[("Alone.pax/Representation_Preservation/A/a.tif", "x")]);
    assert_eq!(ends(&simulator, bare, Some(seeded(&simulator, "Records"))), "COMPLETED");
    assert!(simulator.with_state(|state| state.titled("Alone").is_some()));
}

#[tokio::test]
async fn preservica_compares_fixities_and_ends_mixed_when_one_of_several_is_wrong() {
    let wrong = format!("<Fixity type=\"SHA-256\" value=\"{}\"/>", "0".repeat(64));
    let tree =
        zipped(&[("good.txt", "good"), ("bad.txt", "bad"), ("bad.txt.opex", &opex("bad-1", "Bad", &wrong))]);
    let simulator = simulator(Settings::default());
    assert_eq!(ends(&simulator, tree, Some(seeded(&simulator, "Records"))), "FINISHED_MIXED_OUTCOME");
    simulator.with_state(|state| {
        assert!(state.titled("good.txt").is_some() && state.titled("Bad").is_none());
        let said = &state.monitors[0].messages;
        assert!(said.iter().any(|message| message.text.contains("Fixity check failed")), "{said:?}");
    });
}

async fn credentials(simulator: &Simulator) -> (String, String) {
    let given = get(simulator, "/api/location/upload/bulk-1/upload-credentials").await.json();
    let text = |name: &str| given[name].as_str().unwrap().to_owned();
    (text("key"), text("sessionToken"))
}

async fn put(
    simulator: &Simulator,
    (key, session): &(String, String),
    object: &str,
    metadata: &[(&str, &str)],
    content: Vec<u8>,
) -> u16 {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={key}/20310506/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    );
    let mut request = Request::put(format!("/{BUCKET}/{object}"))
        .header("authorization", authorization)
        .header("x-amz-security-token", session);
    for (name, value) in metadata {
        request = request.header(format!("x-amz-meta-{name}"), *value);
    }
    let request = request.body(Body::from(content)).unwrap();
    simulator.bulk_router().oneshot(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn preservica_takes_packages_from_the_bulk_location_while_credentials_are_good() {
    let mut settings = Settings::default();
    settings.uploads.credential_seconds = 100;
    let simulator = simulator(settings);
    let records = seeded(&simulator, "Records");
    let package = zipped(&[("a.txt", "a"), ("a.txt.opex", &opex("a-1", "A", ""))]).bytes().unwrap().to_vec();
    let given = credentials(&simulator).await;
    let told = [("status", "ready"), ("name", "a.zip"), ("collectionreference", records.as_str())];
    assert_eq!(put(&simulator, &given, "0d3c7b9e", &[], package.clone()).await, 200, "and it is not ready");
    assert_eq!(put(&simulator, &given, "0d3c7b9f", &told, package.clone()).await, 200);
    wait(&simulator, 60);
    assert_eq!(simulator.with_state(|state| state.identified("OTMM", "a-1:1").len()), 1);
    // Nobody keeps a second one from coming in.
    assert_eq!(put(&simulator, &given, "0d3c7ba0", &told, package.clone()).await, 200);
    wait(&simulator, 39);
    assert_eq!(simulator.with_state(|state| state.identified("OTMM", "a-1:1").len()), 2);
    wait(&simulator, 2);
    assert_eq!(put(&simulator, &given, "0d3c7ba1", &told, package.clone()).await, 400, "they have ended");
    let nobody = ("key".to_owned(), given.1);
    assert_eq!(put(&simulator, &nobody, "0d3c7ba1", &told, package).await, 403);
    let monitors = get(&simulator, "/api/processmonitor/monitors?name=a.zip").await.json();
    assert_eq!(monitors["value"]["paging"]["totalResults"], 2);
}

async fn start(simulator: &Simulator, directory: &str) -> Answer {
    let asked = format!(
        "<StartWorkflowRequest xmlns=\"http://workflow.preservica.com\"><WorkflowContextId>2</WorkflowContextId>\
         <Parameter><Key>OpexContainerDirectory</Key><Value>{directory}</Value></Parameter></StartWorkflowRequest>"
    );
    call(simulator, seed::OPERATOR, "POST", "/sdb/rest/workflow/instances", &asked).await
}

async fn state_of(simulator: &Simulator, id: &str) -> String {
    let shown = get(simulator, &format!("/sdb/rest/workflow/instances/{id}?includeErrors=true")).await;
    shown.xml().text_of("State").unwrap()
}

/// A tree with one folder and two files.
async fn upload_tree(simulator: &Simulator, batch: &str, with_manifests: bool) {
    let given = credentials(simulator).await;
    let mut files = vec![
        ("Box/one.txt".to_owned(), "one".to_owned()),
        ("Box/two.txt".to_owned(), "two".to_owned()),
        ("Box/one.txt.opex".to_owned(), opex("one", "One", "")),
    ];
    let listed = [("one.txt", 3), ("two.txt", 3), ("one.txt.opex", opex("one", "One", "").len())];
    if with_manifests {
        files.push(("Box/Box.opex".to_owned(), manifest("Box", "box", &listed, &[])));
        files.push((format!("{batch}.opex"), manifest(batch, batch, &[], &["Box"])));
    }
    for (name, content) in files {
        assert_eq!(
            put(simulator, &given, &format!("opex/{batch}/{name}"), &[], content.into_bytes()).await,
            200
        );
    }
}

#[tokio::test]
async fn preservica_takes_a_tree_when_its_workflow_is_started_and_the_monitor_tells_how_far_it_is() {
    let simulator = simulator(Settings::default());
    let records = seeded(&simulator, "Records");
    // Nothing is ingested into the root: the folder is there before.
    simulator.with_state(|state| {
        let draft = state.draft(Kind::StructuralObject, "Whatever it is called");
        let folder = crate::preservica::state::Entity { parent: Some(records.clone()), ..draft };
        let folder = state.add(folder).unwrap();
        state.identify(&folder, "SourceID", "box");
    });
    let contexts = get(
        &simulator,
        "/sdb/rest/workflow/contexts?workflowDefinitionId=com.preservica.core.workflow.ingest.opex.incremental",
    )
    .await
    .xml();
    assert_eq!(contexts.find("WorkflowContext").unwrap().text_of("Id").as_deref(), Some("2"));
    upload_tree(&simulator, "b1", true).await;
    let started = start(&simulator, "opex/b1").await;
    assert_eq!(started.status, 201);
    let id = started.xml().text_of("Id").unwrap();
    assert_eq!(state_of(&simulator, &id).await, "Active");
    wait(&simulator, 10);
    let monitors = get(&simulator, "/api/processmonitor/monitors?name=opex/b1&category=Ingest").await.json();
    let shown = &monitors["value"]["monitors"][0];
    assert_eq!((shown["status"].as_str(), shown["percentComplete"].as_u64()), (Some("Running"), Some(50)));
    assert_eq!(shown["filesPending"].as_u64().unwrap() + shown["filesProcessed"].as_u64().unwrap(), 5);
    wait(&simulator, 11);
    assert_eq!(state_of(&simulator, &id).await, "Completed");
    let messages = format!("/api/processmonitor/messages?monitor={}", shown["mappedId"].as_str().unwrap());
    let messages = get(&simulator, &messages).await.json();
    let all = messages["value"]["messages"].as_array().unwrap();
    let skipped = all.iter().find(|one| one["message"] == "monitor.info.directory.skip").unwrap();
    assert_eq!(skipped["path"], "opex/b1/Box");
    let one = all.iter().find(|message| message["sourceId"] == "one").unwrap();
    let reference = simulator.with_state(|state| state.identified("SourceID", "one")[0].reference.clone());
    assert_eq!(
        (one["entityRef"].as_str(), one["path"].as_str()),
        (Some(&*reference), Some("opex/b1/Box/one.txt"))
    );
    let listed = get(&simulator, "/sdb/rest/workflow/instances?state=Completed").await.xml();
    assert_eq!(listed.text_of("TotalCount").as_deref(), Some("1"));
}

#[tokio::test]
async fn preservica_leaves_trees_without_manifests_and_refuses_the_root() {
    for (needs, expected) in [(true, 0), (false, 1)] {
        let mut settings = Settings::default();
        settings.ingest.opex_needs_manifests = needs;
        let simulator = simulator(settings);
        let records = seeded(&simulator, "Records");
        upload_tree(&simulator, "b2", false).await;
        let id = start(&simulator, "opex/b2").await.xml().text_of("Id").unwrap();
        wait(&simulator, 60);
        // With a folder for what names none, the box goes there.
        assert_eq!(
            state_of(&simulator, &id).await,
            if needs { "Completed" } else { "Finished_Mixed_Outcome" }
        );
        simulator.with_state(|state| state.settings.ingest.default_folder = Some(records.clone()));
        start(&simulator, "opex/b2").await;
        wait(&simulator, 60);
        let boxes = simulator.with_state(|state| {
            state.children(Some(&records)).into_iter().filter(|entity| entity.title == "Box").count()
        });
        assert_eq!(boxes, expected, "{needs}");
    }
}

#[tokio::test]
async fn preservica_stops_a_tree_for_some_characters_and_says_nothing_of_others() {
    for (name, stops) in [("b|d.txt", true), ("größe.txt", false)] {
        let tree =
            zipped(&[("fine.txt", "x"), ("fine.txt.opex", &opex("fine", "fine.txt", "")), (name, "y")]);
        let simulator = simulator(Settings::default());
        let end = ends(&simulator, tree, Some(seeded(&simulator, "Records")));
        assert_eq!(end, if stops { "FAILED" } else { "COMPLETED" }, "{name}");
        let is_there = |title: &str| simulator.with_state(|state| state.titled(title).is_some());
        assert_eq!((is_there("fine.txt"), is_there(name)), (!stops, false), "{name}");
    }
}

#[tokio::test]
async fn preservica_workflows_are_terminated() {
    let simulator = simulator(Settings::default());
    upload_tree(&simulator, "b3", true).await;
    let id = start(&simulator, "opex/b3").await.xml().text_of("Id").unwrap();
    let path = format!("/sdb/rest/workflow/instances/terminate?workflowInstanceIds={id}");
    assert_eq!(call(&simulator, seed::OPERATOR, "POST", &path, "").await.status, 202);
    wait(&simulator, 60);
    assert_eq!(state_of(&simulator, &id).await, "Aborted");
    assert!(simulator.with_state(|state| state.titled("One").is_none()));
}

#[tokio::test]
async fn preservica_ingests_fail_after_the_upload_with_or_without_what_they_brought() {
    for leaves in [false, true] {
        let mut settings = Settings::default();
        settings.ingest.fail_next = 1;
        settings.ingest.failure_leaves_assets = leaves;
        settings.ingest.monitors_name_package = false;
        let simulator = simulator(settings);
        let records = seeded(&simulator, "Records");
        let package = || zipped(&[("a.txt", "a"), ("a.txt.opex", &opex("a-1", "A", ""))]);
        assert_eq!(ends(&simulator, package(), Some(records.clone())), "FAILED");
        let there = || simulator.with_state(|state| state.identified("OTMM", "a-1:1").len());
        assert_eq!(there(), usize::from(leaves));
        assert_eq!(ends(&simulator, package(), Some(records)), "COMPLETED");
        assert_eq!(there(), 1 + usize::from(leaves));
        assert!(simulator.with_state(|state| state.monitors.iter().all(|one| one.name != "package.zip")));
    }
}
