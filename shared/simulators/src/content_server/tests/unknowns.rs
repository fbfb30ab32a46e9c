//! Open questions: what each answer looks like on the wire.

use std::time::Duration;

use axum::body::Body;
use futures_util::future::join_all;
use http::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::settings::{
    HoldAnswer, HoldItems, NameFilter, NameForms, Throttle, TotalCount, Unauthenticated, WorkspaceInput,
};
use super::super::{Settings, seed};
use super::{Answer, Caller, Flip, read};

#[tokio::test]
async fn an_ended_session_may_be_answered_by_a_redirection() {
    let caller = Caller::new(Settings { unauthenticated: Unauthenticated::Redirect, ..Settings::default() });
    caller.simulator.clock().advance(SignedDuration::from_secs(1800));
    let answer = caller.get("v2/nodes/2000").await;
    assert_eq!((answer.status, &answer.headers["location"]), (302, &"/otdsws/login?RFA=cs".parse().unwrap()));
    assert!(!answer.headers.contains_key("OTCSTicket"));
}

#[tokio::test]
async fn an_ended_session_may_be_answered_with_another_status() {
    for status in [401, 400, 500] {
        let caller = Caller::new(Settings { unauthenticated_status: status, ..Settings::default() });
        caller.simulator.clock().advance(SignedDuration::from_secs(1800));
        let answer = caller.get("v2/nodes/2000").await;
        assert_eq!((answer.status, &answer.json["error"]), (status, &json!("Authentication Required")));
        let form = [("username", "admin"), ("password", "wrong")];
        let refused = caller.call("POST", "v1/auth", &form).await;
        assert_eq!(refused.status, 401, "a wrong password is another matter");
    }
}

#[tokio::test]
async fn using_a_ticket_prolongs_it_only_where_that_is_so() {
    for (prolongs, status) in [(false, 401), (true, 200)] {
        let caller = Caller::new(Settings {
            use_prolongs_ticket: prolongs,
            ticket_lifetime_seconds: 60,
            ..Settings::default()
        });
        for (after, expected) in [(40, 200), (40, status), (61, 401)] {
            caller.simulator.clock().advance(SignedDuration::from_secs(after));
            assert_eq!(caller.get("v2/nodes/2000").await.status, expected, "{prolongs}");
        }
    }
}

#[tokio::test]
async fn a_bearer_token_lives_as_long_as_it_says() {
    let caller = Caller::new(Settings {
        bearer_lifetime_seconds: 90,
        direct_directory_tokens: true,
        ..Settings::default()
    });
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        seed::CLIENT_ID,
        seed::CLIENT_SECRET
    );
    let request = Request::post("/otdsws/oauth2/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form));
    let token = read(caller.send(request.unwrap()).await).await.json;
    assert_eq!(token["expires_in"], 90);
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    for (after, status) in [(89, 200), (1, 401)] {
        caller.simulator.clock().advance(SignedDuration::from_secs(after));
        let request = Request::get("/cs/cs/api/v2/nodes/3001").header("Authorization", &bearer);
        assert_eq!(caller.send(request.body(Body::empty()).unwrap()).await.status(), status);
    }
}

#[tokio::test]
async fn content_has_a_tag_and_a_name_where_that_is_so() {
    for on in [false, true] {
        let caller = Caller::new(Settings { etags: on, content_disposition: on, ..Settings::default() });
        let id = caller.document(3101, "a b.txt", b"one").await;
        let file = ("file", "a b.txt", "text/plain", &b"two"[..]);
        assert_eq!(caller.upload(&format!("v2/nodes/{id}/versions"), &[], file).await.status, 200);
        let of = async |version: i64| caller.get(&format!("v1/nodes/{id}/versions/{version}/content")).await;
        let (one, two) = (of(1).await, of(2).await);
        assert_eq!(one.headers.contains_key("etag"), on);
        assert_eq!(one.headers.get("etag"), of(1).await.headers.get("etag"));
        assert_eq!(one.headers.get("etag") != two.headers.get("etag"), on, "each version has its own");
        let name = one.headers.get("content-disposition").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(name.as_deref(), on.then_some("attachment; filename*=UTF-8''a%20b%2Etxt"));
    }
}

#[tokio::test]
async fn calls_that_are_too_many_are_counted_for_each_user_or_for_all() {
    for (per_user, other_status) in [(true, 200), (false, 429)] {
        let admin = Caller::new(Settings::default());
        let waybill = admin.is("waybill");
        let throttle = Throttle {
            calls: Some(2),
            seconds: 10,
            per_user,
            retry_after_seconds: Some(7),
            ..Throttle::default()
        };
        admin.switch(|settings| settings.throttle = throttle);
        for expected in [200, 200, 429] {
            let answer = waybill.get("v2/nodes/3001").await;
            assert_eq!(answer.status, expected);
            let asked = answer.headers.get("retry-after").map(|value| value.to_str().unwrap());
            assert_eq!(asked, (expected == 429).then_some("7"));
        }
        assert_eq!(admin.get("v2/nodes/3001").await.status, other_status, "per user {per_user}");
        assert_eq!(admin.call("GET", "v1/ping", &[]).await.status, other_status);
        admin.simulator.clock().advance(SignedDuration::from_secs(10));
        assert_eq!(waybill.get("v2/nodes/3001").await.status, 200, "another span has begun");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_too_many_at_the_same_time_are_counted_for_each_user_or_for_all() {
    for (per_user, other_status) in [(true, 200), (false, 429)] {
        let admin = Caller::new(Settings { latency_milliseconds: 500, ..Settings::default() });
        let waybill = admin.is("waybill");
        let throttle =
            Throttle { at_once: Some(2), per_user, retry_after_seconds: Some(7), ..Throttle::default() };
        admin.switch(|settings| settings.throttle = throttle);
        let callers = [&waybill, &waybill, &waybill, &admin];
        let answers = join_all(callers.map(|caller| caller.get("v2/nodes/3001"))).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200, 200, 429, other_status], "per user {per_user}");
        assert_eq!(answers[2].headers["retry-after"], "7");
        // Who gives up waiting does not count any more.
        for _ in 0..3 {
            let impatient = tokio::time::timeout(Duration::from_millis(1), waybill.get("v2/nodes/3001"));
            assert!(impatient.await.is_err(), "per user {per_user}");
        }
        assert_eq!(waybill.get("v2/nodes/3001").await.status, 200, "per user {per_user}");
        // The administrator of the simulator is not among its callers.
        let busy = join_all([&waybill, &waybill].map(|caller| caller.get("v2/nodes/3001")));
        let page = Request::get("/_simulator/clock").body(Body::empty()).unwrap();
        let (_, shown) = tokio::join!(busy, admin.send(page));
        assert_eq!(shown.status(), 200, "per user {per_user}");
    }
}

#[tokio::test]
async fn holds_are_answered_bare_wrapped_or_with_nothing() {
    for (answer, items) in [
        (HoldAnswer::Flat, HoldItems::Results),
        (HoldAnswer::Results, HoldItems::Contents),
        (HoldAnswer::Nothing, HoldItems::Results),
    ] {
        let caller = Caller::new(Settings { hold_answer: answer, hold_items: items, ..Settings::default() });
        let form = [("type", "LEGAL"), ("name", "New"), ("date_applied", "2031-05-06T00:00:00")];
        let created = caller.call("POST", "v1/holds", &form).await;
        let number = caller.simulator.with_state(|state| state.hold_named("New").unwrap().id);
        let shown = |answer: &Answer, path: &str| (answer.status, answer.json.pointer(path).cloned());
        match answer {
            HoldAnswer::Flat => assert_eq!(shown(&created, "/holdID"), (200, Some(number.into()))),
            HoldAnswer::Results => assert_eq!(shown(&created, "/results/holdID"), (200, Some(number.into()))),
            HoldAnswer::Nothing => assert_eq!((created.status, created.bytes.len()), (200, 0)),
        }
        let hold = number.to_string();
        let applied = caller.call("POST", "v1/nodes/3101/holds", &[("hold_id", &hold)]).await;
        assert_eq!((applied.status, applied.bytes.is_empty()), (200, answer == HoldAnswer::Nothing));
        let listed = caller.get(&format!("v2/holditems/{hold}")).await;
        let place = if items == HoldItems::Results { "/results/0/id" } else { "/results/contents/0/id" };
        assert_eq!(shown(&listed, place), (200, Some(3101.into())));
    }
}

#[tokio::test]
async fn filters_of_names_mean_what_their_switches_say() {
    let caller = Caller::new(Settings::default());
    for minds_case in [false, true] {
        for (filter, expected) in [
            (NameFilter::Contains, [true, true, true, false]),
            (NameFilter::StartsWith, [false, true, true, false]),
            (NameFilter::Equals, [false, false, true, false]),
        ] {
            caller.switch(|settings| {
                settings.name_filters_mind_case = minds_case;
                settings.node_name_filter = filter;
                settings.member_name_filter = filter;
                settings.workspace_name_filter = filter;
            });
            let found = async |path: &str, name: &str| {
                let name = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
                let listed = caller.get(&format!("{path}where_name={name}")).await.json;
                listed["results"].as_array().is_some_and(|results| !results.is_empty())
            };
            for (path, name) in [
                ("v2/nodes/2000/nodes?", "Digitised Archive"),
                ("v2/members?where_type=1&", "Claims"),
                ("v2/businessworkspaces?expanded_view=true&", "CLM-100117 Water damage"),
            ] {
                let cases = [&name[2..], &name[..5], name, "nothing of the name"];
                for (wanted, expected) in cases.into_iter().zip(expected) {
                    assert_eq!(found(path, wanted).await, expected, "{filter:?} {wanted:?}");
                    let other = wanted.to_uppercase();
                    let same = wanted == other;
                    assert_eq!(
                        found(path, &other).await,
                        expected && (same || !minds_case),
                        "{filter:?} {other:?}"
                    );
                }
            }
        }
    }
    // Whether names collide is another question.
    let folder = json!({"type": 0, "parent_id": 2000, "name": "CLAIMS"});
    assert_eq!(caller.send_body("POST", "v2/nodes", &folder).await.status, 500);
}

#[tokio::test]
async fn two_forms_of_a_letter_are_one_name_or_two() {
    let (two, one) = ("Mo\u{308}bel", "M\u{f6}bel");
    for (forms, kept, status) in
        [(NameForms::Apart, two, 200), (NameForms::Alike, two, 500), (NameForms::Composed, one, 500)]
    {
        let caller = Caller::new(Settings { name_forms: forms, ..Settings::default() });
        let folder = async |name: &str| {
            let body = json!({"type": 0, "parent_id": 3101, "name": name});
            caller.send_body("POST", "v2/nodes", &body).await
        };
        let made = folder(two).await;
        assert_eq!(made.json.pointer("/results/data/properties/name"), Some(&Value::from(kept)), "{forms:?}");
        assert_eq!(folder(one).await.status, status, "{forms:?}");
        let body = json!({"parent_id": 3101, "names": [one]});
        let taken = caller.send_body("POST", "v1/validation/nodes/names", &body).await;
        assert_eq!(taken.json["results"].as_array().map(Vec::len), Some(1), "{forms:?}");
        let id = made.json.pointer("/results/data/properties/id").and_then(Value::as_i64).unwrap();
        assert_eq!(
            caller.send_body("PUT", &format!("v2/nodes/{id}"), &json!({"name": "x"})).await.status,
            200
        );
        assert_eq!(caller.call("DELETE", &format!("v2/nodes/{id}"), &[]).await.status, 200);
        assert_eq!(folder(two).await.status, 200, "{forms:?}: its old name is free again");
    }
}

#[tokio::test]
async fn workspace_writes_are_read_from_a_form_or_from_json_or_from_both() {
    for (input, form_status, json_status) in [
        (WorkspaceInput::Either, 200, 200),
        (WorkspaceInput::Form, 200, 400),
        (WorkspaceInput::Json, 400, 200),
    ] {
        let caller = Caller::new(Settings { workspace_input: input, ..Settings::default() });
        let body = |name: &str| json!({"template_id": 5001, "wksp_type_id": 16, "type": 848, "name": name});
        let form = caller.send_body("POST", "v2/businessworkspaces", &body("CLM-1")).await;
        let request =
            caller.request("POST", "v2/businessworkspaces").header("content-type", "application/json");
        let request = request.body(Body::from(body("CLM-2").to_string())).unwrap();
        let sent = read(caller.send(request).await).await;
        assert_eq!((form.status, sent.status), (form_status, json_status), "{input:?}");
        let refused = [form, sent].into_iter().find(|answer| answer.status == 400);
        assert!(refused.is_none_or(|answer| answer.json["error"].as_str().unwrap().contains("template_id")));
        // Other writes stay as they are.
        let folder = json!({"type": 0, "parent_id": 3101, "name": "plain"});
        assert_eq!(caller.send_body("POST", "v2/nodes", &folder).await.status, 200);
    }
}

#[tokio::test]
async fn an_absent_module_is_an_unknown_url() {
    let calls: [(&str, Flip); 6] = [
        ("v2/holds", |settings| settings.modules.records = false),
        ("v2/businessworkspacetypes", |settings| settings.modules.workspaces = false),
        ("v2/docworkflows?doc_id=3101", |settings| settings.modules.workflows = false),
        ("v1/webreports/changes_since", |settings| settings.modules.web_reports = false),
        ("v2/multipart/settings", |settings| settings.modules.large_upload = false),
        ("", |settings| settings.modules.directory = false),
    ];
    for (path, absent) in calls {
        let caller = Caller::new(Settings::default());
        if path.is_empty() {
            let ask = || Request::post("/otdsws/oauth2/token").body(Body::empty()).unwrap();
            assert_ne!(caller.send(ask()).await.status(), 404);
            caller.switch(absent);
            assert_eq!(caller.send(ask()).await.status(), 404);
            continue;
        }
        assert_eq!(caller.get(path).await.status, 200, "{path}");
        caller.switch(absent);
        let answer = caller.get(path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.json["error"].as_str().unwrap().contains("mappings registry"), "{path}");
        assert!(!caller.simulator.journal().unknown().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn where_the_simulator_is_and_what_it_says_of_itself_follow_the_settings() {
    let caller = Caller::new(Settings {
        base_paths: vec!["/content".to_owned()],
        version: "24.2".to_owned(),
        default_limit: 2,
        ..Settings::default()
    });
    for (path, status) in [("/CONTENT/api/v1/ping", 200), ("/otcs/cs.exe/api/v1/ping", 404)] {
        let answer = read(caller.send(Request::get(path).body(Body::empty()).unwrap()).await).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(status == 404 || answer.json["version"] == "24.2");
    }
    let listed = Request::get("/content/api/v2/nodes/2000/nodes").header("OTCSTicket", &caller.ticket);
    let listed = read(caller.send(listed.body(Body::empty()).unwrap()).await).await.json;
    assert_eq!(listed["results"].as_array().map(Vec::len), Some(2));
    assert!(listed["collection"]["paging"]["total_count"].as_u64() > Some(2));
}

#[tokio::test]
async fn a_page_is_as_large_as_the_server_lets_it_be() {
    let caller = Caller::new(Settings { largest_page: 2, ..Settings::default() });
    for path in ["v2/nodes/2000/nodes?limit=100", "v2/members?where_type=0&limit=100", "v2/nodes/2000/nodes"]
    {
        let listed = caller.get(path).await.json;
        let paging = &listed["collection"]["paging"];
        assert_eq!(listed["results"].as_array().map(Vec::len), Some(2), "{path}");
        assert_eq!((&paging["limit"], &paging["range_max"]), (&json!(2), &json!(2)), "{path}");
        assert!(
            paging["links"]["data"]["next"]["href"].as_str().unwrap().ends_with("page=2&limit=2"),
            "{path}"
        );
    }
    let workspaces = caller.get("v2/businessworkspaces?expanded_view=true&limit=500").await.json;
    assert_eq!(
        (&workspaces["paging"]["limit"], workspaces["results"].as_array().map(Vec::len)),
        (&json!(2), Some(2))
    );
}

#[tokio::test]
async fn a_list_says_how_many_there_are_as_its_switch_wants() {
    let caller = Caller::new(Settings::default());
    let paging = async |total_count: TotalCount, page: u32| {
        caller.switch(|settings| settings.total_count = total_count);
        let listed = caller.get(&format!("v2/nodes/3004/nodes?limit=3&page={page}")).await.json;
        (listed["collection"]["paging"].clone(), listed["results"].as_array().unwrap().len())
    };
    let (exact, there) = paging(TotalCount::Exact, 1).await;
    assert_eq!((&exact["total_count"], &exact["page_total"], there), (&json!(3), &json!(1), 3));
    assert!(exact.get("links").is_none(), "{exact}");
    let (absent, _) = paging(TotalCount::Absent, 1).await;
    assert!(absent.get("total_count").is_none() && absent.get("page_total").is_none(), "{absent}");
    assert_eq!(absent["range_max"], 3);
    // A count that is too high promises pages on which there is nothing.
    let (high, there) = paging(TotalCount::TooHigh, 1).await;
    assert!(high["total_count"].as_u64() > Some(3) && high.get("links").is_some(), "{high}");
    assert_eq!((there, paging(TotalCount::TooHigh, 2).await.1), (3, 0));
}
