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
use tests::{installation::Installation, messages, repository};

use crate::world::{PATIENCE, artefacts, content, setting};

/// Deploys the template and the stacks of these flows; gives their outputs.
fn deploy(account: &str, flows: &[&str], parameters: &[String]) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let python = root.join(".venv/stack/bin/python");
    assert!(python.is_file(), "{} is not there: `make test` makes it", python.display());
    let output = Command::new(python)
        .arg(root.join("tests/aws/deploy.py"))
        .args(["--url", &setting("WAYBILL_AWS_URL"), "--account", account, "--artefacts"])
        .arg(artefacts())
        .arg("--flows")
        .args(flows)
        .arg("--parameters")
        .args(parameters)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deployed_template_files_uploads_in_content_server() {
    let (ecm, place, _) = deployed(&[], &[]).await;

    // The sample rules of the package are in force.
    for number in 0..20 {
        let request =
            place.s3.put_object().bucket(&place.intake).key(format!("claims/100117/page {number}.txt"));
        let body = ByteStream::from(format!("page {number}, as it was sent\n").repeat(50).into_bytes());
        request.content_type("text/plain").body(body).send().await.unwrap();
    }
    let deadline = Instant::now() + PATIENCE;
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
}

/// The stacks, deployed, with a Content Server that they can sign in to.
async fn deployed(flows: &[&str], parameters: &[&str]) -> (Simulator, Installation, Value) {
    let ecm = Simulator::new(Settings::default(), Clock::machine());
    // The server runs for as long as the test does.
    let (address, _) = serve(ecm.router(), 0).await.unwrap();
    let mut place = Installation::at(&setting("WAYBILL_AWS_URL"));
    let usual = [
        "EnvironmentName=trial".to_owned(),
        "FunctionTimeout=10".to_owned(),
        "LeaseMarginSeconds=1".to_owned(),
        format!("ContentServerUrl=http://{address}/otcs/cs.exe"),
    ];
    let parameters: Vec<String> =
        usual.into_iter().chain(parameters.iter().map(|one| (*one).to_owned())).collect();
    let outputs = deploy(&place.account, flows, &parameters);
    let output = |name: &str| outputs[name].as_str().unwrap_or_default().to_owned();
    place.intake = output("IntakeBucketName");
    place.configuration = output("ConfigurationBucketName");
    place.secret = output("ContentServerSecretArn");
    place.set_credential(seed::SERVICE_USER, seed::PASSWORD).await;
    (ecm, place, outputs)
}

/// Every stack there is comes up with its real artefact, and one document goes through a flow that stands beside the
/// first stack.
#[tokio::test(flavor = "multi_thread")]
async fn every_stack_comes_up_together_and_a_document_moves() {
    let rules = [
        "offload-content:RulesUri=s3://{ConfigurationBucketName}/rules.toml",
        "reconcile:RulesUri=s3://{ConfigurationBucketName}/reconcile-rules.toml",
    ];
    let (ecm, place, outputs) = deployed(&["all"], &rules).await;
    place.put_rules(RULES).await;
    let scan = content(3_000_000, 1);
    let node = repository::document(
        &ecm,
        "Digitised Archive",
        "Plan.tif",
        "image/tiff",
        std::slice::from_ref(&scan),
    );
    let queue = outputs["OffloadContentQueueUrl"].as_str().unwrap();
    let message = messages::node_change("offload-content", node, None, "once");
    place.sqs.send_message().queue_url(queue).message_body(message).send().await.unwrap();
    let bucket = outputs["OffloadBucketName"].as_str().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while repository::value(&ecm, node, "External Content", "SHA-256").is_none() {
        assert!(Instant::now() < deadline, "it was not offloaded: {:?}", ecm.journal().entries());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let request = place.s3.get_object().bucket(bucket).key(format!("kept/{node}/1/Plan.tif"));
    let kept = request.send().await.unwrap().body.collect().await.unwrap();
    assert!(kept.to_vec() == scan, "other bytes in S3");
}

const RULES: &str = r#"
[external_content]
category = "Categories:Integration/External Content"
location = "Location"
document_version = "Document Version"
sha256 = "SHA-256"

[[rule]]
name = "scans"
within = "Enterprise:Digitised Archive"
prefix = "kept/"
"#;
