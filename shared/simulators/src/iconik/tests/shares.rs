//! Shares.

use serde_json::{Value, json};

use super::call;
use super::segments::with_asset;

fn share() -> Value {
    json!({
        "title": "For the agency", "emails": ["agency@example.com"], "allow_download": true, "allow_comments": true,
        "allow_approving_comments": false, "allow_setting_approve_status": false, "password": "not shown",
        "message": "please look",
    })
}

#[tokio::test]
async fn a_share_has_its_address_after_a_while() {
    let (simulator, asset, _) = with_asset().await;
    let path = format!("assets/v1/assets/{asset}/shares/");
    let (status, made) = call(&simulator, "POST", &path, Some(share())).await;
    assert_eq!(
        (status.as_u16(), &made["url"], &made["population_status"]),
        (202, &Value::Null, &json!("POPULATING"))
    );
    assert_eq!(made["has_password"], true);
    assert!(made.get("password").is_none() && made.get("message").is_none(), "{made}");
    let own = format!("{path}{}/", made["id"].as_str().unwrap());
    simulator.clock().advance(jiff::SignedDuration::from_secs(2));
    let (_, now) = call(&simulator, "GET", &own, None).await;
    assert_eq!(now["population_status"], "FINISHED");
    assert!(now["url"].as_str().unwrap().starts_with("https://"));
    assert_eq!(now["users"][0]["email"], "agency@example.com");

    let (_, changed) =
        call(&simulator, "PUT", &own, Some(json!({"title": "New", "allow_download": false}))).await;
    assert_eq!((&changed["title"], &changed["allow_download"]), (&json!("New"), &json!(false)));
    for list in [path.clone(), format!("{path}all/"), "assets/v1/shares/".to_owned()] {
        assert_eq!(
            call(&simulator, "GET", &list, None).await.1["objects"].as_array().unwrap().len(),
            1,
            "{list}"
        );
    }
    assert_eq!(call(&simulator, "DELETE", &own, None).await.0, 204);
    assert_eq!(call(&simulator, "GET", &own, None).await.0, 404);
}

#[tokio::test]
async fn how_long_that_takes_is_a_switch_and_a_share_by_address_has_one_at_once() {
    let (simulator, asset, _) = with_asset().await;
    simulator.with_state(|state| state.settings.shares.population_seconds = 60);
    let path = format!("assets/v1/assets/{asset}/shares/");
    let (_, made) = call(&simulator, "POST", &path, Some(share())).await;
    simulator.clock().advance(jiff::SignedDuration::from_secs(59));
    let own = format!("{path}{}/", made["id"].as_str().unwrap());
    assert_eq!(call(&simulator, "GET", &own, None).await.1["url"], Value::Null);
    let (status, at_once) = call(&simulator, "POST", &format!("{path}url/"), Some(share())).await;
    assert_eq!(status, 200);
    assert!(at_once["url"].is_string(), "{at_once}");
}

#[tokio::test]
async fn a_share_says_what_is_allowed_and_to_whom() {
    let (simulator, asset, _) = with_asset().await;
    let path = format!("assets/v1/assets/{asset}/shares/");
    for missing in [
        "emails",
        "allow_download",
        "allow_comments",
        "allow_approving_comments",
        "allow_setting_approve_status",
    ] {
        let mut body = share();
        body.as_object_mut().unwrap().remove(missing);
        let (status, answer) = call(&simulator, "POST", &path, Some(body)).await;
        assert_eq!(status, 400);
        assert!(answer["errors"][0].as_str().unwrap().starts_with(missing), "{answer}");
    }
    let (_, made) = call(&simulator, "POST", &path, Some(share())).await;
    let users = format!("{path}{}/users/", made["id"].as_str().unwrap());
    let (status, added) =
        call(&simulator, "POST", &users, Some(json!({"email": "service@example.com"}))).await;
    assert_eq!(status, 201);
    assert!(added["internal_user_id"].is_string(), "{added}");
    let own = format!("{users}{}/", added["id"].as_str().unwrap());
    let (_, named) = call(&simulator, "PATCH", &own, Some(json!({"first_name": "A"}))).await;
    assert_eq!(named["first_name"], "A");
    assert_eq!(call(&simulator, "GET", &users, None).await.1["objects"].as_array().unwrap().len(), 2);
    assert_eq!(call(&simulator, "DELETE", &own, None).await.0, 204);
    assert_eq!(call(&simulator, "GET", &own, None).await.0, 404);
}

#[tokio::test]
async fn several_assets_are_shared_at_once() {
    let (simulator, asset, _) = with_asset().await;
    let mut body = share();
    body["object_ids"] = json!([asset]);
    let (status, made) = call(&simulator, "POST", "assets/v1/share/assets/", Some(body)).await;
    assert_eq!((status.as_u16(), &made["object_id"]), (201, &json!(asset)));
    for wrong in [json!({"object_ids": [asset]}), json!({"title": "x", "object_ids": []})] {
        assert_eq!(call(&simulator, "POST", "assets/v1/share/assets/", Some(wrong)).await.0, 400);
    }
}
