//! Open questions whose answer changes what the client has to do: each answer, and the client right under it.

use shared::{
    content_server::{
        BusinessObject, COLLISION, ChildFilter, Client, External, MemberKind, NewFolder, NewVersion,
        NewWorkspace, NodeId, Relation, Settings, WorkspaceType,
    },
    context::Context,
    error::FailureClass,
};
use simulators::{
    Clock,
    content_server::{
        self as simulator,
        settings::{
            HoldAnswer, NameFilter, NameForms, Throttle, TotalCount, Unauthenticated, WorkspaceInput,
        },
    },
    faults::{Action, Rule},
};

use super::{BEGINNING, client_as, client_of, document, simulated, simulated_with, upload};

async fn incoming(client: &Client) -> NodeId {
    client.resolve_path(&"Enterprise:Claims/Incoming".parse().unwrap()).await.unwrap().id
}

fn administrator(simulator: &simulator::Simulator) -> Client {
    let password = simulator::seed::PASSWORD;
    let secret = format!(r#"{{"mode":"password","username":"admin","password":"{password}"}}"#);
    client_as(simulator, Settings::default(), &secret)
}

/// Calls that were refused.
fn refused(simulator: &simulator::Simulator) -> usize {
    simulator.journal().entries().iter().filter(|entry| entry.status >= 400).count()
}

#[tokio::test(start_paused = true)]
async fn a_log_in_page_that_nobody_described_costs_one_call_and_not_all_that_follow() {
    let unauthenticated = Unauthenticated::LoginPage;
    let theirs = simulator::Settings { unauthenticated, ..simulator::Settings::default() };
    let mut ours = Settings::default();
    ours.texts.login_page.clear();
    let (simulator, client) = simulated_with(theirs, ours);
    let folder = incoming(&client).await;
    let ended = || simulator.clock().advance(jiff::SignedDuration::from_mins(31));
    ended();
    assert_eq!(client.get_node(folder).await.unwrap_err().class(), FailureClass::Transient);
    assert_eq!(client.get_node(folder).await.unwrap().id, folder);
    ended();
    let new = document(folder, "a.txt");
    let error = client.create_document(&new, &upload("a.txt", b"a")).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::UnknownOutcome, "nobody can tell a page from a page");
    assert!(client.find_child(folder, "a.txt").await.unwrap().is_none());
    let made = client.create_document(&new, &upload("a.txt", b"a")).await.unwrap();
    ended();
    assert_eq!(client.download(made.id, None).await.unwrap_err().class(), FailureClass::Transient);
    assert_eq!(super::content(&client, made.id, None).await, b"a");
}

#[tokio::test(start_paused = true)]
async fn an_ended_session_is_renewed_whatever_the_status_that_says_so() {
    for status in [401, 400, 500] {
        let theirs = simulator::Settings { unauthenticated_status: status, ..simulator::Settings::default() };
        let (simulator, client) = simulated(theirs);
        let folder = incoming(&client).await;
        simulator.journal().clear();
        let ended = || simulator.clock().advance(jiff::SignedDuration::from_mins(31));
        ended();
        // The words alone do not make it so: they are in a name here.
        let new = document(folder, "Authentication Required.txt");
        let made = client.create_document(&new, &upload("a.txt", b"a")).await.unwrap();
        let error = client.create_document(&new, &upload("a.txt", b"a")).await.unwrap_err();
        assert_eq!(error.code(), COLLISION, "{status}: {error:?}");
        ended();
        assert_eq!(super::content(&client, made.id, None).await, b"a", "{status}");
        assert_eq!(refused(&simulator), 3, "{status}: twice without a session, once for the name");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_write_of_holds_answers_makes_no_difference() {
    for answer in [HoldAnswer::Flat, HoldAnswer::Results, HoldAnswer::Nothing] {
        let theirs = simulator::Settings { hold_answer: answer, ..simulator::Settings::default() };
        let (simulator, client) = simulated(theirs);
        let node = incoming(&client).await;
        let hold = client.find_hold("Flood 2030 litigation").await.unwrap().unwrap();
        let held = || simulator.with_state(|state| state.nodes[&node.0].holds.len());
        for (step, applies, after) in [(1, true, 1), (2, true, 1), (3, false, 0), (4, false, 0)] {
            let changed = match applies {
                true => client.apply_hold(node, hold.id).await.unwrap(),
                false => client.remove_hold(node, hold.id).await.unwrap(),
            };
            assert_eq!((changed, held()), (step % 2 == 1, after), "{answer:?}, step {step}");
            assert_eq!(client.is_held(node).await.unwrap(), after == 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_is_complete_however_large_its_pages_and_whatever_it_says_of_its_length() {
    for largest_page in [1, 3, 1000] {
        for total_count in [TotalCount::Exact, TotalCount::Absent, TotalCount::TooHigh] {
            let theirs = simulator::Settings { largest_page, total_count, ..simulator::Settings::default() };
            let (simulator, client) = simulated(theirs);
            let case = format!("pages of {largest_page}, count {total_count:?}");
            let parent = incoming(&client).await;
            let folder = client.create_folder(parent, "Scans", &NewFolder::default()).await.unwrap().id;
            for number in 0..7 {
                let name = format!("scan {number}.txt");
                client.create_document(&document(folder, &name), &upload(&name, b"x")).await.unwrap();
            }
            let listed = client.list_children(folder, ChildFilter::default()).all().await.unwrap();
            assert_eq!(listed.len(), 7, "{case}");
            assert!(client.find_child(folder, "scan 6.txt").await.unwrap().is_some(), "{case}");
            for _ in 0..4 {
                client.add_version(listed[0].id, &NewVersion::default(), &upload("a", b"y")).await.unwrap();
            }
            assert_eq!(client.list_versions(listed[0].id).await.unwrap().len(), 5, "{case}");
            let kind = client.get_workspace_type("Claim").await.unwrap();
            for name in ["CLM-7", "CLM-7 Storm", "CLM-7 Storm, roof"] {
                client.ensure_workspace(&workspace(&kind, name, None)).await.unwrap();
            }
            assert!(client.find_workspace(kind.id, "CLM-7").await.unwrap().is_some(), "{case}");
            simulator.with_state(|state| {
                let one = state.holds.values().next().unwrap().clone();
                state.holds.extend((1..9).map(|id| (id, simulator::state::Hold { id, ..one.clone() })));
            });
            assert_eq!(client.list_holds().await.unwrap().len(), 9, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_minds_case_hides_nothing_that_has_the_name() {
    for minds_case in [false, true] {
        for filter in [NameFilter::Contains, NameFilter::StartsWith, NameFilter::Equals] {
            let theirs = simulator::Settings {
                name_filters_mind_case: minds_case,
                node_name_filter: filter,
                member_name_filter: filter,
                workspace_name_filter: filter,
                ..simulator::Settings::default()
            };
            let (_, client) = simulated(theirs);
            let case = format!("{filter:?}, minds case {minds_case}");
            let folder = incoming(&client).await;
            let notes = client.create_folder(folder, "Notes", &NewFolder::default()).await.unwrap();
            let (found, made) = client.ensure_folder(folder, "NOTES", &NewFolder::default()).await.unwrap();
            assert_eq!((found.id, made), (notes.id, false), "{case}");
            let path = format!("#{folder}:NOTES").parse().unwrap();
            assert_eq!(client.resolve_path(&path).await.unwrap().id, notes.id, "{case}");
            let new = document(folder, "notes");
            let error = client.create_document(&new, &upload("n", b"n")).await.unwrap_err();
            assert_eq!((error.class(), error.code()), (FailureClass::Conflict, COLLISION), "{case}");
            let taken = client.find_namesake(folder, "notes").await.unwrap();
            assert_eq!(taken.map(|node| node.id), Some(notes.id), "{case}");
            assert!(client.find_namesake(folder, "note").await.unwrap().is_none(), "{case}");
            assert_eq!(find_group(&client, "Claims").await.as_deref(), Some("Claims"), "{case}");
            assert!(find_group(&client, "claims").await.is_none_or(|name| name == "Claims"), "{case}");
            assert!(find_group(&client, "Claim").await.is_none(), "{case}");
            let kind = client.get_workspace_type("Claim").await.unwrap();
            let new = workspace(&kind, "CLM-7 Storm", None);
            let (made, _) = client.ensure_workspace(&new).await.unwrap();
            assert_eq!(client.ensure_workspace(&new).await.unwrap(), (made, false), "{case}");
            assert!(client.find_workspace(kind.id, "CLM-7").await.unwrap().is_none(), "{case}");
        }
    }
}

async fn find_group(client: &Client, name: &str) -> Option<String> {
    client.find_member(MemberKind::Group, name).await.unwrap().map(|member| member.name)
}

fn workspace(kind: &WorkspaceType, name: &str, business_object: Option<BusinessObject>) -> NewWorkspace {
    NewWorkspace {
        workspace_type: kind.id,
        template: kind.templates[0].id,
        name: name.to_owned(),
        description: String::new(),
        parent: None,
        business_object,
        categories: Vec::new(),
        external: External::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn an_accented_letter_is_found_again_in_whatever_form_the_server_keeps_it() {
    // One letter as two characters, as some machines write it, and as one.
    let (sent, other) = ("Mo\u{308}bel", "M\u{f6}bel");
    for (forms, kept, apart) in
        [(NameForms::Apart, sent, true), (NameForms::Alike, sent, false), (NameForms::Composed, other, false)]
    {
        let theirs = simulator::Settings { name_forms: forms, ..simulator::Settings::default() };
        let (simulator, client) = simulated(theirs);
        let folder = incoming(&client).await;
        let plain = NewFolder::default();
        let (first, made) = client.ensure_folder(folder, sent, &plain).await.unwrap();
        assert_eq!((first.name.as_str(), made), (kept, true), "{forms:?}");
        let (again, made) = client.ensure_folder(folder, sent, &plain).await.unwrap();
        assert_eq!((again.id, made), (first.id, false), "{forms:?}");
        let path = format!("#{folder}:{sent}").parse().unwrap();
        assert_eq!(client.resolve_path(&path).await.unwrap().id, first.id, "{forms:?}");
        let (there, made) = client.ensure_folder(folder, other, &plain).await.unwrap();
        assert_eq!(
            (there.id != first.id, made),
            (apart, apart),
            "{forms:?}: the server says what one name is"
        );

        // A document whose creation was not confirmed is found by what took its name.
        simulator.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/v2/nodes$")).unwrap();
        let new = document(folder, &format!("{sent}.pdf"));
        let error = client.create_document(&new, &upload("m", b"m")).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::UnknownOutcome);
        let error = client.create_document(&new, &upload("m", b"m")).await.unwrap_err();
        assert_eq!(error.code(), COLLISION, "{forms:?}");
        let found = client.find_namesake(folder, &new.name).await.unwrap().unwrap();
        assert_eq!(found.external.identity, new.external.identity, "{forms:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn workspaces_are_written_in_whatever_form_the_server_reads() {
    for (input, most_refused) in
        [(WorkspaceInput::Either, 0), (WorkspaceInput::Form, 0), (WorkspaceInput::Json, 1)]
    {
        let theirs = simulator::Settings { workspace_input: input, ..simulator::Settings::default() };
        let (simulator, _) = simulated(theirs);
        let client = administrator(&simulator);
        let kind = client.get_workspace_type("Claim").await.unwrap();
        let claim = |id: &str| BusinessObject {
            system: "CLAIMS".to_owned(),
            kind: "CLAIM".to_owned(),
            id: id.to_owned(),
        };
        simulator.journal().clear();
        let (one, _) =
            client.ensure_workspace(&workspace(&kind, "CLM-8 Hail", Some(claim("8")))).await.unwrap();
        let (other, _) = client.ensure_workspace(&workspace(&kind, "CLM-9 Flood", None)).await.unwrap();
        client.set_workspace_reference(other, &claim("9")).await.unwrap();
        assert_eq!(client.find_workspace_of(&claim("9")).await.unwrap().unwrap().id, other, "{input:?}");
        client.create_workspace_relation(one, other, Relation::Child).await.unwrap();
        assert_eq!(client.list_related_workspaces(one, Relation::Child).await.unwrap().len(), 1, "{input:?}");
        let roles = client.list_workspace_roles(one).await.unwrap();
        client.ensure_role_member(one, roles[0].id, 1202).await.unwrap();
        assert_eq!(client.list_role_members(one, roles[0].id).await.unwrap()[0].id, 1202, "{input:?}");
        client.delete_workspace_reference(other, &claim("9")).await.unwrap();
        assert!(client.find_workspace_of(&claim("9")).await.unwrap().is_none(), "{input:?}");
        assert_eq!(refused(&simulator), most_refused, "{input:?}: what was read goes first from then on");

        let wrong = NewWorkspace { template: 1, ..workspace(&kind, "CLM-10", None) };
        let error = client.create_workspace(&wrong).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Invalid, "{input:?}: {error:?}");
        assert!(error.message().contains("template"), "{input:?}: {error:?}");
    }
}

fn throttled(throttle: Throttle) -> simulator::Settings {
    simulator::Settings { throttle, ..simulator::Settings::default() }
}

#[tokio::test(start_paused = true)]
async fn one_users_calls_that_are_too_many_are_refused_and_blame_no_item() {
    for (per_user, status, class) in [
        (true, 429, FailureClass::Throttled),
        (false, 429, FailureClass::Throttled),
        (true, 403, FailureClass::Transient),
        (false, 503, FailureClass::Transient),
    ] {
        // The clock of the server stands still, so a bound once reached stays.
        let (simulator, client) = simulated(simulator::Settings::default());
        let folder = incoming(&client).await;
        let other = administrator(&simulator);
        other.login().await.unwrap();
        let throttle = Throttle { calls: Some(3), per_user, status, ..Throttle::default() };
        simulator.with_state(|state| state.settings.throttle = throttle);
        for _ in 0..3 {
            client.get_node(folder).await.unwrap();
        }
        let error = client.get_node(folder).await.unwrap_err();
        assert_eq!(error.class(), class, "per user {per_user}, {status}: {error:?}");
        assert_eq!(other.get_node(folder).await.is_ok(), per_user, "per user {per_user}, {status}");
        let new = document(folder, "a.txt");
        let error = client.create_document(&new, &upload("a.txt", b"a")).await.unwrap_err();
        assert!(
            matches!(error.class(), FailureClass::Throttled | FailureClass::UnknownOutcome),
            "per user {per_user}, {status}: {error:?}"
        );
        assert!(simulator.with_state(|state| state.at("Claims/Incoming/a.txt").is_none()));
    }
}

#[tokio::test(start_paused = true)]
async fn more_calls_than_are_let_through_at_once_wait_for_their_turn() {
    for (per_user, retry_after_seconds) in [(true, Some(1)), (true, None), (false, Some(2))] {
        let throttle = Throttle { calls: Some(25), per_user, retry_after_seconds, ..Throttle::default() };
        let context = Context::simulated(BEGINNING.parse().unwrap(), 3);
        let clock = Clock::from_fn(move || context.now());
        let simulator = simulator::Simulator::new(throttled(throttle), clock);
        let client = client_of(&simulator, Settings::default());
        let folder = incoming(&client).await;
        // As a queue does: what is told to come later comes again.
        let mut left = 60;
        for _ in 0..4 {
            let calls = (0..left).map(|_| client.get_node(folder));
            let outcomes = futures_util::future::join_all(calls).await;
            let failed = outcomes.into_iter().filter_map(Result::err);
            left = failed.inspect(|error| assert_eq!(error.class(), FailureClass::Throttled)).count();
        }
        assert_eq!(left, 0, "per user {per_user}, {retry_after_seconds:?}");
        assert!(refused(&simulator) > 0, "the bound was never met");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_too_many_at_the_same_time_wait_for_their_turn() {
    for (per_user, retry_after_seconds) in [(true, Some(1)), (true, None), (false, None)] {
        let throttle = Throttle { at_once: Some(4), per_user, retry_after_seconds, ..Throttle::default() };
        let theirs = simulator::Settings { latency_milliseconds: 200, ..throttled(throttle) };
        let (simulator, client) = simulated(theirs);
        let folder = incoming(&client).await;
        // As a queue does: what is told to come later comes again. Each time, four at least get through.
        let mut left = 12;
        for _ in 0..3 {
            let calls = (0..left).map(|_| client.get_node(folder));
            let outcomes = futures_util::future::join_all(calls).await;
            let failed = outcomes.into_iter().filter_map(Result::err);
            left = failed.inspect(|error| assert_eq!(error.class(), FailureClass::Throttled)).count();
        }
        assert_eq!(left, 0, "per user {per_user}, {retry_after_seconds:?}");
        assert!(refused(&simulator) > 0, "the bound was never met");
    }
}
