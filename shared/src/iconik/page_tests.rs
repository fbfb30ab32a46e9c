use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    AssetId, FileScope, Search, Settings, Term,
    testing::{Answer, BASE, Canned, answer},
};
use crate::error::FailureClass;

#[derive(Debug, Deserialize)]
struct Thing {
    id: String,
}

fn objects(ids: &[&str]) -> Vec<Value> {
    ids.iter().map(|id| json!({"id": id, "title": id, "_sort": [1, id]})).collect()
}

/// A page as the server gives it: two at once.
fn page(ids: &[&str], page: i64, pages: i64) -> Answer {
    let next = (page < pages).then(|| format!("/API/assets/v1/assets/?page={}&per_page=2", page + 1));
    answer(
        200,
        json!({"objects": objects(ids), "page": page, "pages": pages, "per_page": 2, "total": 5,
            "first_url": "/API/assets/v1/assets/?page=1", "next_url": next, "scroll_id": null}),
    )
}

fn no_such_page() -> Answer {
    answer(404, json!({"errors": ["Page 4 does not exist. There are 3 pages."]}))
}

fn two() -> Settings {
    Settings { page_size: 2, ..Settings::at(BASE) }
}

fn ids(found: &[super::Asset]) -> Vec<&str> {
    found.iter().map(|asset| asset.id.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_list_by_number_ends_on_its_last_page_and_next_url_need_not_be_an_address() {
    let canned = Canned::new([page(&["a", "b"], 1, 3), page(&["c", "d"], 2, 3), page(&["e"], 3, 3)]);
    let found = canned.client_with(two()).list_assets().all().await.unwrap();
    assert_eq!(ids(&found), ["a", "b", "c", "d", "e"]);
    assert_eq!(
        canned.lines(),
        [1, 2, 3].map(|page| format!("GET assets/v1/assets/?sort=date_created%2Casc&per_page=2&page={page}"))
    );
}

#[tokio::test(start_paused = true)]
async fn the_404_behind_the_last_page_is_the_end_and_repeated_objects_come_once() {
    // The list was announced longer than it is by now: somebody deleted something, and the rest moved up.
    let canned = Canned::new([page(&["a", "b"], 1, 3), page(&["b", "c"], 2, 3), no_such_page()]);
    let found = canned.client_with(two()).list_assets().all().await.unwrap();
    assert_eq!(ids(&found), ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_says_nothing_of_its_length_goes_on_until_a_short_page() {
    let bare = |ids: &[&str]| answer(200, json!({"objects": objects(ids)}));
    let canned = Canned::new([bare(&["a", "b"]), bare(&["c"])]);
    assert_eq!(canned.client_with(two()).list_assets().all().await.unwrap().len(), 3);
    let canned = Canned::new([bare(&["a", "b"]), bare(&[])]);
    assert_eq!(canned.client_with(two()).list_assets().all().await.unwrap().len(), 2);
    // A server that ignores the page number would go on for ever.
    let canned = Canned::new([bare(&["a", "b"]), bare(&["a", "b"])]);
    assert_eq!(canned.client_with(two()).list_assets().all().await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_404_to_the_first_page_is_an_empty_list_of_everything_and_a_missing_owner_of_something() {
    let canned = Canned::new([no_such_page(), no_such_page()]);
    let client = canned.client_with(two());
    assert!(client.list_assets().all().await.unwrap().is_empty());
    let scope = FileScope::Asset(AssetId::new("a"));
    let error = client.list_files(&scope).all().await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Gone, "iconik.not-found"));
}

#[tokio::test(start_paused = true)]
async fn a_list_by_last_id_goes_on_behind_the_last_object_even_when_no_next_url_comes() {
    let files = |ids: &[&str]| {
        answer(200, json!({"objects": objects(ids), "page": 1, "pages": 1, "per_page": 2, "next_url": null}))
    };
    let canned = Canned::new([files(&["a", "b"]), files(&["c", "d"]), files(&[])]);
    let scope = FileScope::Asset(AssetId::new("x"));
    let found = canned.client_with(two()).list_files(&scope).all().await.unwrap();
    assert_eq!(found.len(), 4);
    let lines = canned.lines();
    let path = "GET files/v1/assets/x/files/?generate_signed_url=false&per_page=2";
    assert_eq!(lines, [path.to_owned(), format!("{path}&last_id=b"), format!("{path}&last_id=d")]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_gives_fewer_than_asked_for_is_believed_when_it_says_so() {
    let files = |ids: &[&str]| answer(200, json!({"objects": objects(ids), "per_page": 1}));
    let canned = Canned::new([files(&["a"]), files(&["b"]), files(&[])]);
    let scope = FileScope::Asset(AssetId::new("x"));
    assert_eq!(canned.client_with(two()).list_formats(&scope).all().await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_search_goes_on_by_the_sort_keys_of_its_last_object() {
    let hits = |ids: &[&str]| answer(200, json!({"objects": objects(ids), "pages": 1, "next_url": null}));
    let canned = Canned::new([hits(&["a", "b"]), hits(&["c"]), hits(&[])]);
    let search = Search::of(&["assets"]).term(Term::is("title", "Q&A"));
    let found = canned.client_with(two()).search::<Thing>(search).all().await.unwrap();
    assert_eq!(found.iter().map(|thing| thing.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let asked = canned.asked();
    assert_eq!(
        asked[0].line(),
        "POST search/v1/search/?generate_signed_url=false&save_search_history=false&per_page=2"
    );
    assert_eq!(asked[0].json()["filter"]["terms"][0], json!({"name": "title", "value": "Q\\&A"}));
    assert_eq!(
        asked[0].json()["sort"],
        json!([{"name": "date_created", "order": "asc"}, {"name": "id", "order": "asc"}])
    );
    assert_eq!(asked[0].json().get("search_after"), None);
    assert_eq!(asked[1].json()["search_after"], json!([1, "b"]));
    assert_eq!(asked[2].json()["search_after"], json!([1, "c"]));
}

#[tokio::test(start_paused = true)]
async fn scrolling_goes_on_until_a_page_is_empty() {
    let scrolled =
        |ids: &[&str]| answer(200, json!({"objects": objects(ids), "scroll_id": "s+1", "pages": 1}));
    let canned = Canned::new([scrolled(&["a"]), scrolled(&["b"]), scrolled(&[])]);
    let found = canned.client_with(two()).list_assets().scrolling().all().await.unwrap();
    assert_eq!(ids(&found), ["a", "b"]);
    let lines = canned.lines();
    assert!(lines[0].ends_with("&scroll=true"), "{lines:?}");
    assert!(lines[1].ends_with("&scroll=true&scroll_id=s%2B1"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn an_endless_list_is_cut_and_a_failure_in_the_middle_is_no_end() {
    let settings = Settings { page_ceiling: 2, ..two() };
    let canned = Canned::new([page(&["a", "b"], 1, 9), page(&["c", "d"], 2, 9)]);
    let error = canned.client_with(settings).list_assets().all().await.unwrap_err();
    assert_eq!(error.code(), "iconik.endless-list");
    let failed = || answer(500, json!({"errors": ["Internal"]}));
    let canned = Canned::new([page(&["a", "b"], 1, 3), failed()]);
    let error = canned.client_with(two()).list_assets().all().await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Transient);
    // Nor is an object that cannot be read.
    let odd = answer(200, json!({"objects": [{"title": "without id"}], "pages": 1}));
    let error = Canned::new([odd]).client_with(two()).list_assets().all().await.unwrap_err();
    assert_eq!(error.code(), "iconik.unexpected-answer");
}
