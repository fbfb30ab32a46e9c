//! Whole runs: what their reports are like, how the function is started, how it goes on.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::{Request, StatusCode};
use operations::RECONCILE;
use serde_json::{Value, json};
use shared::{
    batch::Invocation,
    error::Error,
    function::AnyFunction,
    reconcile::{Kind, Options},
};
use tests::storm::{Scenario, StoredObject};
use tokio::sync::Notify;

use crate::{
    ingest_uploads,
    side::{Compared, INTAKE, REPORTS, repairing, run},
};

/// A name that would do harm where it is not escaped.
const WICKED: &str = "=cmd|'x'!A1 <script>alert(1) \"quoted\", with comma.txt";

#[test]
fn the_three_reports_say_the_same_and_do_no_harm() {
    run(async {
        let compared = Compared::after(ingest_uploads::story()).await;
        let object = StoredObject::new(format!("scans/{WICKED}"), "text/plain", "lost");
        compared.world.upload(&object).await;
        let _ = compared.world.events();
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.counts().missing, 1);
        assert!(said.prefix.starts_with("reports/ingest-uploads/2031-05-06/"), "{}", said.prefix);

        let sheet = compared.text(&format!("{}findings.csv", said.prefix)).await;
        let lines: Vec<&str> = sheet.split("\r\n").collect();
        assert!(lines[0].starts_with("kind,key,name,"), "{sheet}");
        assert_eq!(lines.len(), 3, "a heading, a finding, an end: {sheet}");
        assert!(
            lines[1].starts_with("missing,\"s3://intake/scans/=cmd") && lines[1].contains("\"\"quoted\"\"")
        );
        assert!(lines[1].contains(",redeliver,yes,yes,"), "{sheet}");

        let page = compared.text(&format!("{}report.html", said.prefix)).await;
        assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)"), "{page}");
        assert!(page.contains("1 difference was found") && page.contains("Queued by this run"));
        assert!(!page.contains("http://") && !page.contains("https://"), "it loads nothing");

        let text = compared.text(&format!("{}report.json", said.prefix)).await;
        let report: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(report["schema"], "waybill.reconcile-report.v1");
        assert_eq!((&report["agree"], &report["findings"][0]["kind"]), (&json!(false), &json!("missing")));
        assert_eq!(report["findings"][0]["repair"]["queued"], true);
    });
}

#[test]
fn a_report_without_findings_is_whole_too() {
    run(async {
        let compared = Compared::after(ingest_uploads::story()).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(compared.text(&format!("{}findings.csv", said.prefix)).await.matches("\r\n").count(), 1);
        let page = compared.text(&format!("{}report.html", said.prefix)).await;
        assert!(page.contains("Both sides agree. 3 compared and alike."), "{page}");
        assert!(!page.contains("<table"));
    });
}

/// The function `reconcile`, in a world.
struct Running<'a> {
    compared: &'a Compared,
    function: Arc<dyn AnyFunction>,
}

async fn start<'a>(compared: &'a Compared, rules: &str) -> Result<Running<'a>, Error> {
    let put = compared.world.s3.put_object().bucket("configuration").key("reconcile.toml");
    put.body(rules.as_bytes().to_vec().into()).send().await.expect("rules");
    let tap = compared.tap(BTreeMap::new());
    let mut environment = compared.environment(tap.transport(Arc::new(Notify::new())));
    environment.settings.rules = "s3://configuration/reconcile.toml".into();
    environment.settings.flow_queues = json!({"ingest-uploads": compared.world.queue_url()}).to_string();
    environment.settings.lease_margin_seconds = 1;
    let function = RECONCILE.connect(&environment).await?;
    Ok(Running { compared, function })
}

impl Running<'_> {
    /// An invocation of so many seconds.
    fn invocation(&self, seconds: i64) -> Invocation {
        Invocation { deadline: self.compared.world.context.now_milliseconds() + seconds * 1000 }
    }

    async fn ask(&self, body: &Value, seconds: i64) -> (StatusCode, Value) {
        let request = Request::post("/").body(Bytes::from(body.to_string())).expect("a request");
        let response = self.function.answer(request, self.invocation(seconds)).await;
        (response.status(), serde_json::from_slice(response.body()).expect("JSON"))
    }

    /// Where reports have been finished.
    fn reports(&self) -> Vec<String> {
        let objects = self.compared.world.aws.s3().versions(REPORTS);
        let mut keys: Vec<String> = objects.into_iter().map(|object| object.key).collect();
        keys.retain(|key| key.ends_with("report.json"));
        keys.sort();
        keys
    }
}

const RULES: &str = "[[flow]]\nname = \"ingest-uploads\"\nbuckets = [\"intake\"]\n\
                     rules = \"s3://configuration/rules.toml\"\nevery_hours = 24\n";

#[test]
fn the_schedule_compares_each_flow_when_its_time_has_come() {
    run(async {
        let compared = Compared::after(ingest_uploads::story()).await;
        let running = start(&compared, RULES).await.expect("it starts");
        running.function.round(running.invocation(900)).await.expect("a round");
        assert_eq!(running.reports().len(), 1);
        running.function.round(running.invocation(900)).await.expect("a round");
        assert_eq!(running.reports().len(), 1, "its time has not come");
        compared.hours(24).await;
        running.function.round(running.invocation(900)).await.expect("a round");
        assert_eq!(running.reports().len(), 2);
        assert_eq!(compared.world.waiting(), 0, "nothing is repaired without being asked for");
    });
}

#[test]
fn a_person_asks_for_one_flow_and_for_its_repair() {
    run(async {
        let compared = Compared::after(ingest_uploads::story()).await;
        compared.world.upload(&StoredObject::new("scans/lost.txt", "text/plain", "lost")).await;
        let _ = compared.world.events();
        compared.hours(3).await;
        let running = start(&compared, RULES).await.expect("it starts");
        let (status, answer) = running.ask(&json!({"flow": "ingest-uploads"}), 900).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!((&answer["agree"], &answer["counts"]["missing"]), (&json!(false), &json!(1)));
        assert_eq!(compared.world.waiting(), 0);
        compared.hours(1).await;
        let (_, answer) = running.ask(&json!({"flow": "ingest-uploads", "repair": true}), 900).await;
        assert_eq!(answer["counts"]["queued"], 1);
        assert_eq!(compared.world.waiting(), 1);

        for (body, status, code) in [
            (json!({"flow": "publish"}), StatusCode::NOT_FOUND, "reconcile.no-flow"),
            (json!({"flow": "ingest-uploads", "fix": true}), StatusCode::BAD_REQUEST, "reconcile.request"),
        ] {
            let (answered, problem) = running.ask(&body, 900).await;
            assert_eq!((answered, problem["code"].as_str()), (status, Some(code)), "{problem}");
        }
    });
}

#[test]
fn a_long_run_goes_on_in_the_next_round() {
    run(async {
        let compared = Compared::after(ingest_uploads::story()).await;
        let running = start(&compared, RULES).await.expect("it starts");
        // No time at all: the run is begun and kept.
        let (status, answer) = running.ask(&json!({"flow": "ingest-uploads"}), 1).await;
        assert_eq!(
            (status, &answer["done"], &answer["agree"]),
            (StatusCode::ACCEPTED, &json!(false), &Value::Null)
        );
        assert_eq!(running.reports(), Vec::<String>::new());
        running.function.round(running.invocation(900)).await.expect("a round");
        let reports = running.reports();
        assert_eq!(reports.len(), 1);
        let begun = answer["reports"].as_str().expect("a place");
        assert!(begun.ends_with(reports[0].trim_end_matches("report.json")), "{begun} {reports:?}");
    });
}

#[test]
fn it_does_not_start_with_rules_that_cannot_be_meant() {
    run(async {
        let compared = Compared::after(Scenario { objects: Vec::new, ..ingest_uploads::story() }).await;
        let code = async |rules: &str| match start(&compared, rules).await {
            Ok(_) => "started",
            Err(error) => error.code(),
        };
        assert_eq!(code("[[flow]]\nname = \"ingest\"\n").await, "rules.invalid");
        let repaired = "[[flow]]\nname = \"offload-content\"\nrepair = true\n";
        assert_eq!(code(repaired).await, "reconcile.no-queue");
        // The buckets are looked for when the flow is compared: one flow's trouble is not another's.
        let running = start(&compared, "[[flow]]\nname = \"ingest-uploads\"\n").await.expect("it starts");
        let failed = running.function.round(running.invocation(900)).await.expect_err("no bucket");
        assert_eq!(failed.code(), "reconcile.no-bucket");
    });
}

#[test]
fn the_intake_bucket_must_be_there() {
    run(async {
        let compared = Compared::after(ingest_uploads::story()).await;
        let rules = RULES.replace(INTAKE, "no-such-bucket");
        let running = start(&compared, &rules).await.expect("it starts");
        let failed = running.function.round(running.invocation(900)).await;
        assert!(failed.is_err(), "a bucket that is not there is no empty bucket");
        assert_eq!(compared.compare(Options::default()).await.found(), Vec::<(Kind, String)>::new());
    });
}
