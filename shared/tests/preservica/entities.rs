//! Folders, assets and what is in them; moving, tagging and removing; and what goes wrong on the way.

use std::time::Duration;

use shared::{
    error::FailureClass,
    preservica::{EntityKind, NewFolder, ProgressStatus, Reference, Settings},
};
use simulators::{
    faults::{Action, Rule},
    preservica::{self as simulator, seed},
};

use crate::world::{calls, client_of, ours, seeded, tenant, tenant_with};

const NEW: &str = "11111111-2222-4333-a444-555555555555";

fn folder<'a>(reference: &'a Reference, parent: Option<&'a Reference>) -> NewFolder<'a> {
    NewFolder { reference, title: "Zürich <2031> & mehr", description: None, security_tag: "open", parent }
}

#[tokio::test(start_paused = true)]
async fn preservica_of_every_version_is_read_and_written_in_its_namespaces() {
    for version in ["6.0.1", "6.1.0", "6.2.0", "7.7.0", "8.3.0", "9.1.0"] {
        let (simulator, client) =
            tenant(simulator::Settings { version: version.to_owned(), ..simulator::Settings::default() });
        let records = seeded(&simulator, "Records");
        let reference = Reference::new(NEW);
        let made = client.create_folder(&folder(&reference, Some(&records))).await.unwrap();
        assert_eq!(
            (made.title.as_str(), &made.parent),
            ("Zürich <2031> & mehr", &Some(records)),
            "{version}"
        );
        assert!(version.starts_with(&client.version().await.unwrap().to_string()));
    }
    // A pinned version is asked for in the path.
    let (simulator, client) =
        tenant_with(simulator::Settings::default(), Settings { entity_version: "6.2".to_owned(), ..ours() });
    let asset = seeded(&simulator, "Spring launch");
    client.get_entity(EntityKind::Asset, &asset).await.unwrap();
    assert_eq!(calls(&simulator, "/api/entity/v6.2/information-objects"), 1);
}

#[tokio::test(start_paused = true)]
async fn preservica_folders_are_made_once_whatever_answers_are_lost() {
    for action in [Action::DropAfterEffect, Action::StatusAfterEffect { status: 504 }] {
        let (simulator, client) = tenant(simulator::Settings::default());
        let reference = Reference::new(NEW);
        simulator.faults().add(Rule::next(action).on("POST", "/structural-objects$")).unwrap();
        let made = client.ensure_folder(&folder(&reference, None)).await.unwrap();
        assert_eq!(made.reference, reference);
        client.ensure_folder(&folder(&reference, None)).await.unwrap();
        let posts = simulator.journal().entries().iter().filter(|entry| entry.method == "POST").count();
        // The login and one folder.
        assert_eq!(posts, 2);
    }
    // Alone, a lost answer is said to be one.
    let (simulator, client) = tenant(simulator::Settings::default());
    simulator.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/structural-objects$")).unwrap();
    let error = client.create_folder(&folder(&Reference::new(NEW), None)).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::UnknownOutcome);
}

#[tokio::test(start_paused = true)]
async fn preservica_entities_that_are_not_there_are_none_and_empty_references_are_never_sent() {
    let (simulator, client) = tenant(simulator::Settings::default());
    assert_eq!(client.find_entity(EntityKind::Asset, &Reference::new(NEW)).await.unwrap(), None);
    let before = simulator.journal().count();
    let error = client.ask_removal((EntityKind::Folder, &Reference::new("")), "no").await.unwrap_err();
    assert_eq!(error.code(), "preservica.bad-reference");
    // The version alone was asked for.
    assert!(simulator.journal().count() <= before + 1);
}

#[tokio::test(start_paused = true)]
async fn preservica_titles_are_saved_and_tag_and_place_change_by_calls_of_their_own() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let (asset, records) = (seeded(&simulator, "Spring launch"), seeded(&simulator, "Records"));
    let mut entity = client.get_entity(EntityKind::Asset, &asset).await.unwrap();
    entity.title = "Spring".to_owned();
    entity.custom_type = Some("Campaign".to_owned());
    entity.security_tag = "closed".to_owned();
    let saved = client.save_entity(&entity).await.unwrap();
    assert_eq!((saved.title.as_str(), saved.security_tag.as_str()), ("Spring", "open"));
    let patience = Duration::from_secs(60);
    let token = client.change_security_tag((EntityKind::Asset, &asset), "closed", true).await.unwrap();
    assert_eq!(client.progress(&token).await.unwrap().status, ProgressStatus::Active);
    assert_eq!(client.follow_progress(&token, patience).await.unwrap().status, ProgressStatus::Completed);
    let token = client.move_entity((EntityKind::Asset, &asset), Some(&records)).await.unwrap();
    assert_eq!(client.follow_progress(&token, patience).await.unwrap().status, ProgressStatus::Completed);
    let moved = client.get_entity(EntityKind::Asset, &asset).await.unwrap();
    assert_eq!((moved.security_tag.as_str(), &moved.parent), ("closed", &Some(records)));
    let error = client.change_security_tag((EntityKind::Asset, &asset), "secret", false).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "preservica.against-a-rule"));
    // Nobody moves a folder into itself.
    let (campaigns, year) = (seeded(&simulator, "Campaigns"), seeded(&simulator, "2030"));
    let error = client.move_entity((EntityKind::Folder, &campaigns), Some(&year)).await.unwrap_err();
    assert_eq!(error.code(), "preservica.against-a-rule");
    let token = client.move_entity((EntityKind::Folder, &year), None).await.unwrap();
    client.follow_progress(&token, patience).await.unwrap();
    assert_eq!(client.get_entity(EntityKind::Folder, &year).await.unwrap().parent, None);
}

#[tokio::test(start_paused = true)]
async fn preservica_lists_are_read_to_their_end_page_by_page() {
    let (simulator, client) =
        tenant_with(simulator::Settings::default(), Settings { page_size: 2, ..ours() });
    for number in 0_u8..7 {
        let reference = Reference::new(format!("11111111-2222-4333-a444-0000000000{number:02}"));
        let title = format!("Folder {number}");
        client.create_folder(&NewFolder { title: &title, ..folder(&reference, None) }).await.unwrap();
    }
    let mut pages = client.children(None);
    let first = pages.next_page().await.unwrap().unwrap();
    assert_eq!((first.len(), pages.total()), (2, Some(9)));
    let all = client.children(None).all().await.unwrap();
    let titles: Vec<&str> = all.iter().filter_map(|one| one.title.as_deref()).collect();
    assert_eq!(titles.len(), 9);
    assert!(titles.is_sorted(), "{titles:?}");
    assert_eq!(calls(&simulator, "/root/children"), 1 + 5);
}

#[tokio::test(start_paused = true)]
async fn preservica_answers_that_lead_to_another_server_or_in_a_circle_are_not_followed() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let page = |next: &str| {
        format!(
            "<ChildrenResponse xmlns=\"http://preservica.com/EntityAPI/v9.1\"><Children><Child ref=\"a\" type=\"SO\" \
             title=\"t\">x</Child></Children><Paging><Next>{next}</Next><TotalResults>99</TotalResults></Paging>\
             </ChildrenResponse>"
        )
    };
    let answer = |next: &str, times: u64| {
        let action = Action::Status {
            status: 200,
            body: Some(page(next)),
            content_type: Some("application/xml".to_owned()),
            retry_after: None,
        };
        simulator.faults().clear();
        simulator.faults().add(Rule::next(action).on("GET", "/root/children").times(times)).unwrap();
    };
    answer("https://elsewhere.example.org/api/entity/root/children?start=1", 1);
    let error = client.children(None).all().await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "preservica.foreign-host"));
    answer("http://preservica.example.com/api/entity/root/children?start=1", 9);
    let error = client.children(None).all().await.unwrap_err();
    assert_eq!(error.code(), "preservica.endless-list");
}

#[tokio::test(start_paused = true)]
async fn preservica_answering_with_what_is_not_asked_for_is_a_typed_failure() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let asset = seeded(&simulator, "Spring launch");
    client.login().await.unwrap();
    let bomb =
        "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/hostname\">]><EntityResponse>&e;</EntityResponse>";
    for (body, kind, code) in [
        (bomb, "application/xml", "preservica.unexpected-answer"),
        ("<EntityResponse", "application/xml", "preservica.unexpected-answer"),
        ("{\"success\":true}", "application/json", "preservica.unexpected-answer"),
        (
            "<EntityResponse xmlns=\"http://preservica.com/EntityAPI/v9.1\"/>",
            "application/xml",
            "preservica.unexpected-answer",
        ),
        ("<html><p>Sign in</p></html>", "text/html", "preservica.page-instead-of-answer"),
        ("", "application/xml", "preservica.empty-answer"),
    ] {
        let action = Action::Status {
            status: 200,
            body: Some(body.to_owned()),
            content_type: Some(kind.to_owned()),
            retry_after: None,
        };
        simulator.faults().add(Rule::next(action).on("GET", "/information-objects")).unwrap();
        let error = client.get_entity(EntityKind::Asset, &asset).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Transient, code), "{body}");
    }
    // A page where a token was due: it may have been begun.
    simulator.faults().add(Rule::next(Action::HtmlOk).on("DELETE", "/information-objects")).unwrap();
    let error = client.ask_removal((EntityKind::Asset, &asset), "no").await.unwrap_err();
    assert_eq!(error.class(), FailureClass::UnknownOutcome);
}

#[tokio::test(start_paused = true)]
async fn preservica_that_breaks_off_is_asked_again_where_that_does_no_harm() {
    let broken = [
        Action::DropBeforeEffect,
        Action::DropAfterEffect,
        Action::Status { status: 503, body: None, content_type: None, retry_after: Some(1) },
        Action::RateLimited { retry_after: 1 },
        Action::Delay { milliseconds: 70_000 },
    ];
    for action in broken {
        let (simulator, client) = tenant(simulator::Settings::default());
        let asset = seeded(&simulator, "Spring launch");
        client.login().await.unwrap();
        simulator.faults().add(Rule::next(action).times(2)).unwrap();
        client.get_entity(EntityKind::Asset, &asset).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn preservica_removes_what_two_persons_agree_on_and_nothing_else() {
    let (simulator, operator) = tenant(simulator::Settings::default());
    let manager = client_of(&simulator, ours(), seed::MANAGER);
    let asset = seeded(&simulator, "Spring launch");
    let of = (EntityKind::Asset, &asset);
    let token = operator.ask_removal(of, "no longer needed").await.unwrap();
    assert_eq!(operator.progress(&token).await.unwrap().status, ProgressStatus::Pending);
    // Whoever asked is not the second person, whatever role is held and whatever token is shown.
    let error = operator.decide_removal(&token, true, "mine").await.unwrap_err();
    assert_eq!(error.code(), "preservica.forbidden");
    let own = manager.ask_removal(of, "mine").await.unwrap();
    let again = client_of(&simulator, ours(), seed::MANAGER);
    let error = again.decide_removal(&own, true, "mine").await.unwrap_err();
    assert_eq!(error.code(), "preservica.forbidden");
    manager.decide_removal(&token, false, "keep it").await.unwrap();
    assert_eq!(operator.progress(&token).await.unwrap().status, ProgressStatus::Aborted);
    assert!(operator.find_entity(of.0, of.1).await.unwrap().is_some_and(|entity| !entity.is_deleted));
    let token = operator.ask_removal(of, "really").await.unwrap();
    manager.decide_removal(&token, true, "agreed").await.unwrap();
    let end = operator.follow_progress(&token, Duration::from_secs(60)).await.unwrap();
    assert_eq!(end.status, ProgressStatus::Completed);
    assert!(operator.find_entity(of.0, of.1).await.unwrap().is_none_or(|entity| entity.is_deleted));
    // Without a workflow for it nothing is begun.
    simulator.with_state(|state| state.settings.deletion.workflow_active = false);
    let records = seeded(&simulator, "Records");
    let error = operator.ask_removal((EntityKind::Folder, &records), "all").await.unwrap_err();
    assert_eq!(error.code(), "preservica.against-a-rule");
    let reader = client_of(&simulator, ours(), seed::READER);
    let error = reader.ask_removal((EntityKind::Folder, &records), "all").await.unwrap_err();
    assert_eq!(error.code(), "preservica.forbidden");
}
