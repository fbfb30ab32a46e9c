use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::Settings;
use super::Caller;

async fn names(caller: &Caller, query: &str, more: &[(&str, &str)]) -> Vec<String> {
    let form: Vec<(&str, &str)> = [("where", query)].into_iter().chain(more.iter().copied()).collect();
    let answer = caller.call("POST", "v2/search", &form).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    let name = |entry: &Value| entry["data"]["properties"]["name"].as_str().unwrap().to_owned();
    answer.json["results"].as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn search_sees_a_change_only_after_its_lag_and_a_deletion_too() {
    let caller = Caller::new(Settings { search_lag_seconds: 30, ..Settings::default() });
    let id = caller.document(3101, "needle.txt", b"x").await;
    assert!(names(&caller, "OTName:needle*", &[]).await.is_empty());
    caller.simulator.clock().advance(SignedDuration::from_secs(30));
    assert_eq!(names(&caller, "OTName:needle*", &[]).await, ["needle.txt"]);
    caller.call("DELETE", &format!("v2/nodes/{id}"), &[]).await;
    assert_eq!(names(&caller, "OTName:needle*", &[]).await, ["needle.txt"]);
    caller.simulator.clock().advance(SignedDuration::from_secs(30));
    assert!(names(&caller, "OTName:needle*", &[]).await.is_empty());
}

#[tokio::test]
async fn a_connector_pages_by_modify_time_and_place_and_attribute() {
    let caller = Caller::new(Settings::default());
    caller.document(3101, "first.txt", b"x").await;
    caller.simulator.clock().advance(SignedDuration::from_secs(10));
    let second = caller.document(3402, "second.txt", b"x").await;
    let since = r#"[QLREGION "OTModifyDate"] = "20310506" AND [QLREGION "OTModifyTime"] >= "070819" AND OTSubType:144"#;
    assert_eq!(names(&caller, since, &[]).await, ["second.txt"]);
    assert_eq!(names(&caller, "OTLocation:3004 AND OTName:second*", &[]).await, ["second.txt"]);
    assert_eq!(names(&caller, &format!("OTDataID:{second}"), &[]).await, ["second.txt"]);
    let newest = [("sort", "desc_OTModifyDate"), ("limit", "1")];
    assert_eq!(names(&caller, "OTSubType:144", &newest).await, ["second.txt"]);
    let form = [("category_id", "4104"), ("4104_2", "S 77")];
    caller.call("POST", &format!("v2/nodes/{second}/categories"), &form).await;
    assert_eq!(names(&caller, r#"Attr_4104_2:"S 77""#, &[]).await, ["second.txt"]);
}

#[tokio::test]
async fn results_are_what_the_caller_may_see() {
    let admin = Caller::new(Settings::default());
    assert_eq!(names(&admin, "OTName:Minutes.txt", &[]).await, ["Minutes.txt"]);
    assert!(names(&admin.is("waybill"), "OTName:Minutes.txt", &[]).await.is_empty());
}

#[tokio::test]
async fn pages_past_the_end_are_empty_or_repeat_as_the_known_bug_does() {
    let caller = Caller::new(Settings::default());
    for number in 0..3 {
        caller.document(3101, &format!("needle {number}.txt"), b"x").await;
    }
    let past = [("limit", "2"), ("page", "3")];
    assert!(names(&caller, "OTName:needle*", &past).await.is_empty());
    caller.switch(|settings| settings.search_repeats_past_end = true);
    assert_eq!(names(&caller, "OTName:needle*", &past).await, ["needle 0.txt", "needle 1.txt"]);
}

#[tokio::test]
async fn numbered_pages_may_overlap_or_skip_and_come_in_no_order() {
    let caller = Caller::new(Settings::default());
    for name in ["c", "a", "b", "d"] {
        caller.document(3101, &format!("needle {name}.txt"), b"x").await;
    }
    let page = async |number: &str| {
        let how = [("limit", "2"), ("page", number), ("sort", "asc_OTDataID")];
        names(&caller, "OTName:needle*", &how).await
    };
    assert_eq!(page("2").await, ["needle b.txt", "needle d.txt"]);
    caller.switch(|settings| settings.search_pages_overlap = true);
    assert_eq!(page("2").await, ["needle a.txt", "needle b.txt"]);
    caller.switch(|settings| {
        settings.search_pages_overlap = false;
        settings.search_pages_skip = true;
    });
    assert_eq!(page("1").await, ["needle c.txt", "needle a.txt"]);
    assert_eq!(page("2").await, ["needle d.txt"]);
    caller.switch(|settings| {
        settings.search_pages_skip = false;
        settings.search_ignores_sort = true;
    });
    assert_eq!(page("1").await, ["needle a.txt", "needle b.txt"]);
}

#[tokio::test]
async fn the_index_may_show_dates_of_another_zone() {
    let caller = Caller::new(Settings { search_dates_off_seconds: 3600, ..Settings::default() });
    caller.document(3101, "needle.txt", b"x").await;
    let at = |time: &str| format!(r#"OTName:needle* AND [QLREGION "OTModifyTime"] = "{time}""#);
    assert!(names(&caller, &at("070809"), &[]).await.is_empty());
    assert_eq!(names(&caller, &at("080809"), &[]).await, ["needle.txt"]);
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_a_bad_request() {
    let caller = Caller::new(Settings::default());
    let answer = caller.call("POST", "v2/search", &[("where", "OTName:(")]).await;
    assert_eq!(answer.status, 400);
    assert!(answer.json["error"].as_str().unwrap().starts_with("Error Evaluating Query"));
    assert_eq!(
        caller.call("POST", "v2/search", &[]).await.json,
        json!({"error": "Missing required parameter 'where'"})
    );
}
