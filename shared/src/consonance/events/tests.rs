use serde_json::{Value, json};

use super::{Details, Event, Fault, Kind, LARGEST_BODY, MilestoneKind, Received, examples::data, schema};

fn envelope(kind: &str, data: &Value) -> Value {
    json!({
        "type": kind, "timestamp": "2031-05-06T07:08:09Z", "schema_version": 1, "account": "harbour",
        "a_member_of_next_year": true, "data": data,
    })
}

fn read(value: &Value) -> Result<Received, Fault> {
    Event::read(value.to_string().as_bytes())
}

fn event(kind: Kind) -> Event {
    match read(&envelope(kind.name(), &data(kind))) {
        Ok(Received::Event(event)) => *event,
        other => panic!("{}: {other:?}", kind.name()),
    }
}

#[test]
fn every_type_of_event_is_read() {
    for &kind in Kind::ALL {
        let event = event(kind);
        assert_eq!((event.kind, event.account.as_str(), event.about.work_id), (kind, "harbour", Some(1001)));
        assert_eq!(event.about.revision.as_deref(), Some("3"));
        assert!(!format!("{event:?}").contains("hush"), "a signed address is shown");
    }
    assert_eq!(Kind::ALL.len(), 16);
    let Details::Payment(payment) = event(Kind::PaymentScheduled).details else { panic!("a payment") };
    assert_eq!(payment.amount.to_string(), "1234.50");
    let Details::Milestone(reached) = event(Kind::MilestoneReached).details else { panic!("a milestone") };
    assert_eq!(reached.milestone, MilestoneKind::EditorialSignoff);
}

#[test]
fn a_type_of_next_year_is_acknowledged_whatever_its_shape() {
    let unknown = json!({"type": "sample.sent", "whatever": []});
    assert_eq!(read(&unknown), Ok(Received::Unknown("sample.sent".to_owned())));
}

#[test]
fn a_fault_is_told_by_its_place_and_shows_no_value() {
    let whole = envelope("manuscript.submitted", &data(Kind::ManuscriptSubmitted));
    let cases: [(&str, Value); 14] = [
        ("/type", json!("no type at all")),
        ("/type", json!(7)),
        ("/timestamp", json!("hush")),
        ("/schema_version", json!(2)),
        ("/account", json!("")),
        ("/data", json!("hush")),
        ("/data/work_id", json!("hush")),
        ("/data/product_ids", json!(7)),
        ("/data/isbn13", json!("9780000000003")),
        ("/data/files", json!([])),
        ("/data/files/0/url", json!("http://hush.example.com")),
        ("/data/files/0/filename", json!("")),
        ("/data/files/0/size", json!(-1)),
        ("/data/files/0/sha256", json!("hush")),
    ];
    for (pointer, wrong) in cases {
        let mut changed = whole.clone();
        match changed.pointer_mut(pointer) {
            Some(place) => *place = wrong.clone(),
            None => changed["data"][pointer.rsplit('/').next().unwrap()] = wrong.clone(),
        }
        let fault = read(&changed).unwrap_err();
        let Fault::Schema { pointer: told, .. } = &fault else { panic!("{pointer}: {fault:?}") };
        assert_eq!((told.as_str(), fault.status()), (pointer, 422), "{wrong}: {fault}");
        assert!(!fault.to_string().contains("hush"), "{fault}");
    }
}

#[test]
fn an_event_names_a_record() {
    for (member, value) in
        [("work_id", json!(1)), ("product_ids", json!([1])), ("isbn13", json!("9780000000002"))]
    {
        let named = envelope("title.deleted", &json!({member: value}));
        assert!(matches!(read(&named), Ok(Received::Event(_))), "{member}");
    }
    let fault = read(&envelope("title.deleted", &json!({"product_ids": []}))).unwrap_err();
    assert!(matches!(fault, Fault::Schema { pointer, .. } if pointer == "/data"));
}

#[test]
fn what_is_no_json_or_too_large_is_neither_read() {
    for text in ["", "hush", "[]", "\"text\"", "{\"type\":", "<html></html>"] {
        assert_eq!(Event::read(text.as_bytes()).unwrap_err().status(), 400, "{text}");
    }
    let large = vec![b' '; LARGEST_BODY + 1];
    assert_eq!(Event::read(&large).unwrap_err().status(), 413);
}

#[test]
fn a_file_is_fetched_from_allowed_hosts_only() {
    let hosts = ["*.example.com".to_owned()];
    let of = |url: &str| {
        let mut data = data(Kind::ProductionFileApproved);
        data["files"][0]["url"] = json!(url);
        match read(&envelope("production.file_approved", &data)) {
            Ok(Received::Event(event)) => {
                event.details.files()[0].source(&hosts).map(|url| url.origin().to_owned())
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(of("https://files.example.com/1.pdf?sig=hush").unwrap(), "https://files.example.com");
    for url in [
        "https://example.org/1.pdf?sig=hush",
        "https://169.254.169.254/latest/hush",
        "https://[::1]/hush",
        "https://user:hush@files.example.com/1",
        "https://consonance.invalid/hush",
        "https://",
    ] {
        let error = of(url).unwrap_err();
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
}

#[test]
fn the_schema_has_an_alternative_for_each_type_and_closes_none() {
    let schema = schema();
    let alternatives = schema["oneOf"].as_array().unwrap();
    let names: Vec<&str> = alternatives.iter().map(|one| one["title"].as_str().unwrap()).collect();
    assert_eq!(names, Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
    assert!(!schema.to_string().contains("additionalProperties\":false"), "unknown members are no fault");
}
