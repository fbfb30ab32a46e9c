//! Stories with an end of their own: they go through no storm.

use tests::storm::{Drive, Form, QUARANTINE, drive};

use super::*;

/// Two queries that are saved in the rules, and one that nobody can read.
fn with_queries() -> &'static str {
    RULES
        .replace(
            "readable_by",
            "queries = { others = '[QLREGION \"OTName\"] = \"Other.txt\"', broken = '[QLREGION \"OTName\"] == oops ((' }\nreadable_by",
        )
        .leak()
}

fn told(story: impl Future<Output = ()>) {
    if let Ok(filter) = std::env::var("STORM_LOG") {
        let _ = tracing_subscriber::fmt().with_env_filter(filter).without_time().with_ansi(false).try_init();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(story);
}

async fn world_of(rules: &'static str) -> World {
    let scenario =
        Scenario::of_messages("calm", &EXPORT_FOR_ANALYSIS, rules, documents, asked_for, (0, 0, 0));
    World::new(&scenario, BTreeMap::new(), None, 1).await
}

async fn quiet(world: &World) {
    for event in world.events() {
        world.send(&event).await;
    }
    assert!(drive(world, &EXPORT_FOR_ANALYSIS, Drive::default()).await, "the queue is never quiet");
    tokio::time::sleep(Duration::from_secs(60)).await;
}

/// Asks for a run; gives back all complete ones.
async fn asked(world: &World, occasion: &str, data: serde_json::Value) -> Vec<Run> {
    let mut data = data;
    data["data_set"] = "archive".into();
    let body = json!({"specversion": "1.0", "id": occasion, "source": "tests", "type": KIND, "data": data});
    world.send(&body.to_string()).await;
    quiet(world).await;
    let objects = objects(world);
    let runs = runs(&objects).unwrap_or_else(|broken| panic!("{}", broken.0));
    manifests_are_true(&objects, &runs).unwrap_or_else(|broken| panic!("{}", broken.0));
    nothing_forbidden(world, &objects, &runs).unwrap_or_else(|broken| panic!("{}", broken.0));
    runs
}

fn names(run: &Run) -> Vec<String> {
    said(run).into_keys().collect()
}

fn reasons(world: &World) -> Vec<serde_json::Value> {
    let kept = world.aws.s3().versions(QUARANTINE).into_iter();
    let reasons = kept.filter(|object| object.key.ends_with(".json"));
    reasons.map(|object| serde_json::from_slice(&object.data).expect("a reason")).collect()
}

async fn put(world: &World, key: &str, body: &str) {
    let put = world.s3.put_object().bucket(CONTENT).key(key);
    put.body(body.as_bytes().to_vec().into()).send().await.expect("a result");
}

fn saved_in_the_server(world: &World, kind: i64, expression: &str) -> i64 {
    world.content_server.with_state(|state| {
        let new =
            NewNode { kind, parent_id: seed::ARCHIVE, name: format!("Saved {kind}"), ..NewNode::default() };
        let node = state.create(ADMIN, new).expect("a saved search");
        state.search_queries.insert(node, expression.to_owned());
        state.audit.clear();
        node
    })
}

#[test]
fn a_query_saved_in_the_rules_selects_and_moves_no_watermark() {
    told(async {
        let world = world_of(with_queries()).await;
        let runs = asked(&world, "1", json!({"query": "others"})).await;
        assert_eq!((names(&runs[0]), runs[0].marker.mode), (vec![OTHER.to_owned()], Mode::Selected));
        // The next incremental run is still the first: everything is in it, and what was exported is referenced.
        let runs = asked(&world, "2", json!({})).await;
        assert_eq!(runs[1].marker.mode, Mode::Full);
        let told = said(&runs[1]);
        assert_eq!(told.len(), 3, "{told:?}");
        assert_eq!(told[OTHER].0, Said::Referenced);
        // Of what the query does not find nothing is said: it is not withdrawn.
        let runs = asked(&world, "3", json!({"query": "others", "mode": "selected"})).await;
        assert_eq!(said(&runs[2]), [(OTHER.to_owned(), (Said::Referenced, sha256(b"other")))].into());
    });
}

#[test]
fn a_search_or_report_saved_in_content_server_selects_and_adds_nothing_that_is_forbidden() {
    told(async {
        let world = world_of(RULES).await;
        let search =
            saved_in_the_server(&world, kind::SEARCH_QUERY, "OTName:\"Open.txt\" OR OTName:\"Held.txt\"");
        let runs = asked(&world, "1", json!({"saved_search": search})).await;
        assert_eq!(names(&runs[0]), [OPEN]);
        assert_eq!(runs[0].marker.excluded["excluded.held"], 1);
        let report = saved_in_the_server(&world, kind::WEB_REPORT, "");
        world.content_server.with_state(|state| {
            let (other, scan) = (named(state, OTHER).id, named(state, "Scan.tif").id);
            state.nodes.get_mut(&report).expect("it").nickname = Some("chosen".to_owned());
            state.web_reports.insert("chosen".to_owned(), json!([{"id": other}, {"id": scan}, {"id": 2000}]));
        });
        let runs = asked(&world, "2", json!({"saved_search": report})).await;
        assert_eq!(names(&runs[1]), [OTHER]);
        assert_eq!(runs[1].marker.excluded.values().sum::<u64>(), 2, "a scan, and what is no document");
    });
}

/// What the data set's own query says holds for a saved search as well.
#[test]
fn a_saved_search_does_not_widen_the_data_set() {
    told(async {
        let rules = RULES.replace("readable_by", "query = 'OTName:\"Other.txt\"'\nreadable_by").leak();
        let world = world_of(rules).await;
        let search =
            saved_in_the_server(&world, kind::SEARCH_QUERY, "OTName:\"Open.txt\" OR OTName:\"Other.txt\"");
        let runs = asked(&world, "1", json!({"saved_search": search})).await;
        assert_eq!(names(&runs[0]), [OTHER]);
    });
}

#[test]
fn queries_that_are_not_there_or_not_readable_are_put_aside_with_their_reasons() {
    told(async {
        let world = world_of(with_queries()).await;
        let open = world.content_server.with_state(|state| named(state, OPEN).id);
        let broken = saved_in_the_server(&world, kind::SEARCH_QUERY, "OTName:(((");
        for (occasion, data) in [
            ("1", json!({"query": "broken"})),
            ("2", json!({"query": "other"})),
            ("3", json!({"saved_search": broken})),
            ("4", json!({"saved_search": open})),
            ("5", json!({"saved_search": 999_999})),
        ] {
            assert!(asked(&world, occasion, data).await.is_empty(), "nothing is exported");
        }
        assert_eq!(
            world.endings(),
            [
                "quarantined export.no-query",
                "quarantined export.no-saved-search",
                "quarantined export.no-saved-search",
                "quarantined export.query-rejected",
                "quarantined export.query-rejected",
            ]
        );
        for reason in reasons(&world) {
            assert!(reason["reason"]["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{reason}");
        }
    });
}

#[test]
fn a_dry_run_exports_and_writes_nothing() {
    told(async {
        let world = world_of(with_queries()).await.dry();
        let results = "results/archive/many.jsonl";
        put(&world, results, "{}\n").await;
        for (occasion, data) in [("1", json!({"mode": "full"})), ("2", json!({"query": "others"}))] {
            assert!(asked(&world, occasion, data).await.is_empty());
        }
        let made = world.made();
        assert_eq!(objects(&world).into_keys().collect::<Vec<_>>(), [results]);
        assert_eq!(made, world_of(RULES).await.made());
        let calls = world.tap.calls();
        assert!(!calls.iter().any(|call| call.what.starts_with("PUT") || call.what.starts_with("DELETE")));
        assert!(world.aws.eventbridge().events().is_empty());
    });
}

#[test]
fn all_versions_are_exported_where_the_rules_say_so() {
    told(async {
        let world = world_of(RULES.replace("readable_by", "versions = \"all\"\nreadable_by").leak()).await;
        world.content_server.with_state(|state| add(state, OPEN, "open, revised"));
        let runs = asked(&world, "1", json!({})).await;
        let lines = |run: &Run| -> Vec<(i64, Said, String)> {
            let of_open =
                run.lines.iter().filter(|line| line.content.as_ref().is_some_and(|it| it.name == OPEN));
            let facts = |line: &Line| {
                let content = line.content.as_ref().expect("a content");
                (line.version.expect("a version"), line.state, content.sha256.clone())
            };
            of_open.map(facts).collect()
        };
        let (first, second, third) = (sha256(b"open"), sha256(b"open, revised"), sha256(b"open, again"));
        assert_eq!(
            lines(&runs[0]),
            [(1, Said::Exported, first.clone()), (2, Said::Exported, second.clone())]
        );
        world.content_server.with_state(|state| add(state, OPEN, "open, again"));
        let runs = asked(&world, "2", json!({"mode": "full"})).await;
        assert_eq!(
            lines(&runs[1]),
            [(1, Said::Referenced, first), (2, Said::Referenced, second), (3, Said::Exported, third)]
        );
    });
}

/// Calls that carried an item on to the next invocation.
fn continuations(world: &World) -> usize {
    world.tap.calls().iter().filter(|call| call.what == "SendMessage").count()
}

#[test]
fn a_run_longer_than_an_invocation_goes_on_in_the_next_ones() {
    told(async {
        let (calm, slow) = (world_of(RULES).await, world_of(RULES).await);
        for world in [&calm, &slow] {
            world.content_server.with_state(|state| {
                for number in 0..12 {
                    new_document(
                        state,
                        &format!("More {number}.txt"),
                        "text/plain",
                        &format!("text {number}"),
                    );
                }
            });
        }
        let expected = asked(&calm, "1", json!({})).await;
        slow.set_content_server(|settings| settings.latency_milliseconds = 500, "");
        let runs = asked(&slow, "1", json!({})).await;
        assert!(continuations(&slow) >= 2, "it took {} invocations", continuations(&slow) + 1);
        assert_eq!((runs.len(), said(&runs[0])), (1, said(&expected[0])));
        assert_eq!(slow.endings(), ["delivered"]);
        let downloads = |world: &World| {
            let calls = world.tap.calls();
            calls.iter().filter(|call| call.form == Form::Vendor && call.what.ends_with("/content")).count()
        };
        assert_eq!(
            downloads(&slow),
            downloads(&calm),
            "what an earlier invocation copied is not copied again"
        );
    });
}

fn line(node: i64, version: i64, content: &str, values: serde_json::Value) -> String {
    json!({"schema": "waybill.result.v1", "id": node, "version": version, "sha256": sha256(content.as_bytes()),
        "values": values})
    .to_string()
        + "\n"
}

/// The values that the flow may write.
fn filed(world: &World, name: &str) -> (serde_json::Value, serde_json::Value) {
    world.content_server.with_state(|state| {
        let filed =
            named(state, name).categories.get(&seed::DIGITISED_ITEM).map(|category| category.values.clone());
        let filed = filed.unwrap_or_default();
        let of = |attribute: &str| filed.get(attribute).cloned().unwrap_or_default();
        (of("3"), of("4"))
    })
}

#[test]
fn values_of_many_documents_come_back_in_one_file_and_a_bad_line_keeps_none_of_the_others() {
    told(async {
        let world = world_of(RULES).await;
        asked(&world, "1", json!({})).await;
        let (open, other, private) = world.content_server.with_state(|state| {
            (named(state, OPEN).id, named(state, OTHER).id, named(state, "Private.txt").id)
        });
        let good = line(open, 1, "open", json!({"year": 1887}))
            + "\n"
            + &line(other, 1, "other", json!({"title": "O"}));
        put(&world, "results/archive/good.jsonl", &good).await;
        quiet(&world).await;
        assert_eq!(world.endings(), ["delivered", "delivered"]);
        assert_eq!(filed(&world, OPEN), (json!("What is open"), json!(1887)), "a person's title stays");
        assert_eq!(filed(&world, OTHER).0, json!("O"));

        let mixed = [
            line(other, 1, "other", json!({"year": 1900})),
            "not JSON\n".to_owned(),
            line(private, 1, "Private.txt", json!({"year": 1900})),
            line(open, 1, "another content", json!({"year": 1900})),
            line(open, 1, "open", json!({"year": 3000})),
        ];
        put(&world, "results/archive/mixed.jsonl", &mixed.concat()).await;
        quiet(&world).await;
        assert_eq!(filed(&world, OTHER).1, json!(1900), "the good line is taken");
        assert_eq!(filed(&world, OPEN).1, json!(1887));
        assert_eq!(world.endings()[2], "quarantined result.lines-refused");
        let reason = reasons(&world).pop().expect("a reason")["reason"].clone();
        let message = reason["message"].as_str().expect("a message");
        assert!(message.starts_with("4 lines were not taken, 1 were"), "{message}");
        let folder = message.split('/').skip(3).collect::<Vec<_>>().join("/");
        let report = format!("{}00001.jsonl", folder.split(' ').next().expect("a folder"));
        let told = objects(&world).remove(&report).expect("the report that the reason names");
        let told: Vec<serde_json::Value> = String::from_utf8_lossy(&told)
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line"))
            .collect();
        let codes: Vec<&str> = told.iter().filter_map(|line| line["code"].as_str()).collect();
        assert_eq!(codes, ["result.unreadable", "result.not-exported", "result.other-content", "too-large"]);
        assert_eq!((&told[0]["outcome"], &told[0]["line"]), (&json!("written"), &json!(1)));

        // Each document's audit chain tells of what was written.
        for (node, count) in [(open, 1), (other, 2)] {
            let asset = shared::ledger::Key::of(&["content-server", &node.to_string()]);
            let chain = world.ledger().into_iter().filter(|record| {
                record["pk"]["S"].as_str().is_some_and(|pk| pk.contains(asset.digest()))
                    && record.get("event").is_some()
            });
            assert_eq!(chain.count(), count, "node {node}");
        }
    });
}

#[test]
fn a_file_of_lines_longer_than_an_invocation_goes_on_in_the_next_ones() {
    told(async {
        let world = world_of(RULES).await;
        asked(&world, "1", json!({})).await;
        let (open, other) =
            world.content_server.with_state(|state| (named(state, OPEN).id, named(state, OTHER).id));
        let years = (1800..1830).map(|year| {
            line(open, 1, "open", json!({"year": year})) + &line(other, 1, "other", json!({"year": year}))
        });
        put(&world, "results/archive/years.jsonl", &years.collect::<String>()).await;
        world.set_content_server(|settings| settings.latency_milliseconds = 400, "");
        quiet(&world).await;
        assert!(continuations(&world) >= 2, "it took {} invocations", continuations(&world) + 1);
        assert_eq!(world.endings(), ["delivered", "delivered"]);
        assert_eq!((filed(&world, OPEN).1, filed(&world, OTHER).1), (json!(1829), json!(1829)));
        let reports = objects(&world).into_iter().filter(|(key, _)| key.starts_with("_results/"));
        let lines: usize = reports.map(|(_, text)| String::from_utf8_lossy(&text).lines().count()).sum();
        assert_eq!(lines, 60, "each line is told once");
    });
}

/// What one more document costs a full run, and one more line a file of results: README.md of the flow says so.
#[test]
fn figures_per_document() {
    const FEW: usize = 5;
    const MANY: usize = 25;
    let measured = |count: usize, again: bool| {
        let mut figures = [0_u64; 4];
        told(async {
            let world = world_of(RULES).await;
            world.content_server.with_state(|state| {
                for number in 0..count {
                    new_document(
                        state,
                        &format!("More {number}.txt"),
                        "text/plain",
                        &"a page of text\n".repeat(700),
                    );
                }
            });
            let count = |world: &World| {
                let calls = world.tap.calls();
                let vendor = calls.iter().filter(|call| call.form == Form::Vendor).count() as u64;
                let writes = world.aws.dynamodb().counters("ledger").writes;
                [writes, calls.len() as u64 - vendor, vendor, world.tap.content()]
            };
            if again {
                asked(&world, "before", json!({"mode": "full"})).await;
            }
            let before = count(&world);
            asked(&world, "1", json!({"mode": "full"})).await;
            let after = count(&world);
            for (figure, (after, before)) in figures.iter_mut().zip(after.into_iter().zip(before)) {
                *figure = after - before;
            }
        });
        figures
    };
    let per_document = |again: bool| {
        let (few, many) = (measured(FEW, again), measured(MANY, again));
        let more = (MANY - FEW) as u64;
        [0, 1, 2, 3].map(|at| (many[at] - few[at]) as f64 / more as f64)
    };
    let (new, known) = (per_document(false), per_document(true));
    println!("per document of 10,500 bytes, new: writes, AWS, vendor, bytes {new:?}; known: {known:?}");
    // One write remembers it. Its content is read twice, and never again.
    assert!(new[0] <= 1.1 && known[0] <= 0.1, "{new:?} {known:?}");
    assert!(new[3] < 2.2 * 10_500.0 && known[3] < 2000.0, "{new:?} {known:?}");
    assert!(new[1] <= 8.0 && new[2] <= 22.0 && known[1] <= 3.0 && known[2] <= 8.0, "{new:?} {known:?}");
}
