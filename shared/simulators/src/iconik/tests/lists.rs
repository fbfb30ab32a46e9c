use serde_json::{Value, json};

use super::super::settings::NextUrl;
use super::super::{Settings, Simulator};
use super::{call, make_asset, simulator, wait};

/// A simulator with this many more assets.
async fn filled(more: usize) -> Simulator {
    let simulator = simulator(Settings::default());
    for number in 0..more {
        make_asset(&simulator, &format!("Rushes {number:03}")).await;
    }
    simulator
}

fn ids(answer: &Value) -> Vec<String> {
    let objects = answer["objects"].as_array().unwrap();
    objects.iter().map(|object| object["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_follow_their_next_url_to_the_end_and_not_beyond() {
    let simulator = filled(25).await;
    let total = simulator.with_state(|state| state.assets.objects().count() - 1);
    let mut path = "assets/v1/assets/?per_page=7&sort=title,asc".to_owned();
    let mut seen = Vec::new();
    loop {
        let (status, answer) = call(&simulator, "GET", &path, None).await;
        assert_eq!((status.as_u16(), &answer["total"]), (200, &json!(total)));
        seen.extend(ids(&answer));
        match answer["next_url"].as_str() {
            Some(next) => path = next.strip_prefix("/API/").expect("a path").to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len(), total, "what is in the bin is not listed");
    let mut distinct = seen.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), total);
    let (status, answer) = call(&simulator, "GET", "assets/v1/assets/?per_page=7&page=99", None).await;
    assert_eq!(status, 404);
    assert!(answer["errors"][0].as_str().unwrap().contains("does not exist"));
}

#[tokio::test]
async fn pages_have_their_caps() {
    let simulator = filled(1).await;
    let (_, usual) = call(&simulator, "GET", "assets/v1/assets/", None).await;
    assert_eq!((&usual["per_page"], ids(&usual).len()), (&json!(10), 10));
    for (query, status) in [
        ("per_page=1000", 200),
        ("per_page=1001", 400),
        ("per_page=0", 400),
        ("page=0", 400),
        ("page=10001", 400),
        ("page=two", 400),
        ("sort=title,sideways", 400),
    ] {
        assert_eq!(
            call(&simulator, "GET", &format!("assets/v1/assets/?{query}"), None).await.0,
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_end_of_a_list_is_told_in_three_ways() {
    let simulator = filled(0).await;
    let last = async || call(&simulator, "GET", "assets/v1/assets/?per_page=100", None).await.1;
    assert_eq!(last().await.get("next_url"), Some(&Value::Null));
    simulator.with_state(|state| state.settings.next_url = NextUrl::Empty);
    assert_eq!(last().await["next_url"], "");
    simulator.with_state(|state| state.settings.next_url = NextUrl::Absent);
    assert_eq!(last().await.get("next_url"), None);
}

#[tokio::test]
async fn a_scroll_keeps_what_it_began_with_until_nothing_is_left() {
    let simulator = filled(15).await;
    let (_, first) = call(&simulator, "GET", "assets/v1/assets/?scroll=true&per_page=10", None).await;
    let scroll = first["scroll_id"].as_str().unwrap().to_owned();
    make_asset(&simulator, "Late").await;
    let mut seen = ids(&first);
    loop {
        let (_, next) =
            call(&simulator, "GET", &format!("assets/v1/assets/?scroll_id={scroll}&per_page=10"), None).await;
        match ids(&next) {
            none if none.is_empty() => break,
            more => seen.extend(more),
        }
    }
    let total = simulator.with_state(|state| state.assets.objects().count());
    assert_eq!(seen.len(), total - 2, "neither what is in the bin nor what came later");
    assert_eq!(call(&simulator, "GET", "assets/v1/assets/?scroll_id=none", None).await.0, 404);
}

#[tokio::test]
async fn sort_keys_lead_to_what_comes_behind_them() {
    let simulator = filled(12).await;
    let mut path = "assets/v1/assets/?per_page=5&sort=title,desc".to_owned();
    let mut seen = Vec::new();
    loop {
        let (_, answer) = call(&simulator, "GET", &path, None).await;
        if ids(&answer).is_empty() {
            break;
        }
        seen.extend(ids(&answer));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("per_page", "5").append_pair("sort", "title,desc");
        for key in answer["search_after"].as_array().unwrap() {
            query.append_pair("search_after", key.as_str().unwrap());
        }
        path = format!("assets/v1/assets/?{}", query.finish());
    }
    assert_eq!(seen.len(), simulator.with_state(|state| state.assets.objects().count() - 1));
}

#[tokio::test]
async fn applications_are_paged_by_the_last_id() {
    let simulator = filled(0).await;
    let page = async |query: &str| call(&simulator, "GET", &format!("auth/v1/apps/?{query}"), None).await.1;
    let first = page("per_page=1").await;
    let next = first["next_url"].as_str().unwrap();
    assert!(next.contains(&format!("last_id={}", ids(&first)[0])), "{next}");
    let second = page(next.split_once('?').unwrap().1).await;
    assert_ne!(ids(&first), ids(&second));
    assert_eq!(second["next_url"], Value::Null);
    assert_eq!(ids(&page(&format!("last_id={}", ids(&second)[0])).await), Vec::<String>::new());
}

#[tokio::test]
async fn lists_lag_behind_and_single_objects_do_not() {
    let simulator = filled(0).await;
    simulator.with_state(|state| state.settings.index.lag_seconds = 10);
    let before = call(&simulator, "GET", "assets/v1/assets/", None).await.1["total"].as_u64().unwrap();
    let id = make_asset(&simulator, "Rushes").await;
    let history = format!("assets/v1/assets/{id}/history/");
    call(&simulator, "POST", &history, Some(json!({"operation_type": "CUSTOM"}))).await;
    let count = async |path: &str| call(&simulator, "GET", path, None).await.1["total"].as_u64().unwrap();
    assert_eq!(call(&simulator, "GET", &format!("assets/v1/assets/{id}/"), None).await.0, 200);
    assert_eq!((count("assets/v1/assets/").await, count(&history).await), (before, 0));
    let found = json!({"query": "Rushes"});
    let search =
        async || call(&simulator, "POST", "search/v1/search/", Some(found.clone())).await.1["total"].clone();
    assert_eq!(search().await, 0);
    wait(&simulator, 10);
    assert_eq!((count("assets/v1/assets/").await, count(&history).await), (before + 1, 1));
    assert_eq!(search().await, 1);
    call(&simulator, "PATCH", &format!("assets/v1/assets/{id}/"), Some(json!({"title": "Selects"}))).await;
    assert_eq!(search().await, 1, "the index does not know of the new title");
    assert_eq!(call(&simulator, "POST", &format!("assets/v1/assets/{id}/reindex/"), None).await.0, 201);
    assert_eq!(search().await, 0);
}

#[tokio::test]
async fn assets_are_listed_by_type_and_by_who_likes_them() {
    let simulator = filled(0).await;
    let count = async |query: &str| {
        call(&simulator, "GET", &format!("assets/v1/assets/?{query}"), None).await.1["total"].clone()
    };
    assert_eq!(count("types=LINK,PLACEHOLDER").await, 2);
    let id = super::seeded(&simulator, "Creative brief");
    let user = super::super::seed::SERVICE;
    simulator.with_state(|state| state.favourites.push((user.to_owned(), "assets".to_owned(), id.clone())));
    assert_eq!(count(&format!("favoured_by={user}")).await, 1);
    assert_eq!(call(&simulator, "GET", &format!("assets/v1/assets/{id}/"), None).await.1["favoured"], true);
    let (_, named) =
        call(&simulator, "GET", "assets/v1/assets/?types=LINK&field_name=external_id", None).await;
    let asset = json!({"external_id": "3104", "title": "Creative brief", "id": id});
    assert_eq!(named["objects"], json!([asset]));
}

#[tokio::test]
async fn jobs_lag_and_scroll_like_other_lists() {
    let simulator = filled(0).await;
    simulator.with_state(|state| state.settings.index.lag_seconds = 10);
    let job = json!({"type": "CUSTOM", "status": "STARTED", "title": "Filing"});
    let (_, made) = call(&simulator, "POST", "jobs/v1/jobs/", Some(job)).await;
    let listed =
        async || ids(&call(&simulator, "GET", "jobs/v1/jobs/?scroll=true&per_page=100", None).await.1);
    let id = made["id"].as_str().unwrap().to_owned();
    assert!(!listed().await.contains(&id));
    wait(&simulator, 10);
    assert!(listed().await.contains(&id));
}
