//! The template and the package that customers deploy, on the stand-in for AWS.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use aws_sdk_s3::primitives::ByteStream;
use serde_json::Value;
use simulators::{
    Clock,
    content_server::{Settings, Simulator, seed},
    serve,
};
use tests::installation::Installation;

use crate::world::{artefacts, setting};

/// Deploys the template; gives its outputs.
fn deploy(account: &str, parameters: &[String]) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let python = root.join(".venv/stack/bin/python");
    assert!(python.is_file(), "{} is not there: `make test` makes it", python.display());
    let output = Command::new(python)
        .arg(root.join("tests/aws/deploy.py"))
        .args(["--url", &setting("WAYBILL_AWS_URL"), "--account", account, "--artefacts"])
        .arg(artefacts())
        .arg("--parameters")
        .args(parameters)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deployed_template_files_uploads_in_content_server() {
    let ecm = Simulator::new(Settings::default(), Clock::machine());
    let (address, server) = serve(ecm.router(), 0).await.unwrap();
    let mut place = Installation::at(&setting("WAYBILL_AWS_URL"));
    let outputs = deploy(
        &place.account,
        &[
            "EnvironmentName=trial".to_owned(),
            "FunctionTimeout=10".to_owned(),
            "LeaseMarginSeconds=1".to_owned(),
            format!("ContentServerUrl=http://{address}/otcs/cs.exe"),
        ],
    );
    place.intake = outputs["IntakeBucketName"].as_str().unwrap().to_owned();
    place.secret = outputs["ContentServerSecretArn"].as_str().unwrap().to_owned();
    let credential =
        serde_json::json!({"mode": "password", "username": seed::SERVICE_USER, "password": seed::PASSWORD});
    let request = place.secrets.put_secret_value().secret_id(&place.secret);
    request.secret_string(credential.to_string()).send().await.unwrap();

    // The sample rules of the package are in force.
    for number in 0..20 {
        let request =
            place.s3.put_object().bucket(&place.intake).key(format!("claims/100117/page {number}.txt"));
        let body = ByteStream::from(format!("page {number}, as it was sent\n").repeat(50).into_bytes());
        request.content_type("text/plain").body(body).send().await.unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    let documents = loop {
        let documents = ecm.with_state(|state| {
            let found = state
                .nodes
                .values()
                .filter(|node| node.name.starts_with("page ") && !node.versions.is_empty());
            found.cloned().collect::<Vec<_>>()
        });
        if documents.len() >= 20 || Instant::now() > deadline {
            break documents;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let mut names: Vec<_> = documents.iter().map(|document| document.name.clone()).collect();
    names.sort();
    names.dedup();
    assert_eq!((documents.len(), names.len()), (20, 20), "{names:?}");
    for document in &documents {
        let number = document.name.trim_start_matches("page ").trim_end_matches(".txt");
        let sent = format!("page {number}, as it was sent\n").repeat(50).into_bytes();
        assert_eq!(document.latest().unwrap().content.bytes().unwrap(), sent, "{}", document.name);
        let claim =
            ecm.with_state(|state| state.value_of(document.id, "Claim Evidence", "Claim Number").cloned());
        assert_eq!(claim, Some("100117".into()), "{}", document.name);
    }
    server.abort();
}
