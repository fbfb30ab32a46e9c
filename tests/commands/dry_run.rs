//! The dry run.

use serde_json::json;

use crate::program::{Folder, run};

/// A person who uploads a name that Content Server does not take sees what becomes of it.
#[tokio::test]
async fn the_dry_run_lists_names_that_content_server_would_not_take() {
    let key = format!("archive/Maps: north/{}.tif", "a".repeat(300));
    let folder = Folder::new();
    let sidecar = folder.file("sidecar.json", json!({"title": "North", "signature": "MAP 7"}).to_string());
    let arguments = ["--bucket", "intake", "--key", &key, "--sidecar", &sidecar];
    let told = run("dry-run", &arguments, &[], b"").await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    assert!(told.out.contains("Maps%3A north"), "{}", told.out);
    assert!(told.out.contains("escaped, for \"Maps: north\""), "{}", told.out);
    assert!(told.out.contains("shortened, for \"aaa"), "{}", told.out);

    let told = run("dry-run", &[&arguments[..], &["--json"]].concat(), &[], b"").await.json();
    assert_eq!(told["names"][1]["stored"], json!("Maps%3A north"));
    assert_eq!(told["names"][2]["change"], json!("shortened"));

    let cautious = json!({"names": {"length": 60, "forbidden": ":/\\ "}}).to_string();
    let variables = [("WAYBILL_CONTENT_SERVER_SETTINGS".to_owned(), cautious)];
    let told = run("dry-run", &[&arguments[..], &["--json"]].concat(), &variables, b"").await.json();
    assert_eq!(told["names"][1]["stored"], json!("Maps%3A%20north"), "as the installation's settings say");
    assert_eq!(told["names"][2]["stored"].as_str().unwrap().chars().count(), 60);

    let broken = [("WAYBILL_CONTENT_SERVER_SETTINGS".to_owned(), "{".to_owned())];
    assert_eq!(run("dry-run", &arguments, &broken, b"").await.code, 2);
}
