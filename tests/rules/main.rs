//! The sample rules fit the repository the demo starts with: every category, attribute, value, group, class, workspace
//! and workflow that a worked example plans is there, and of the right type.

use std::collections::BTreeMap;

use s3_content_server::intake_rules::{
    IntakePlan, IntakeRules, SAMPLE, Target, Upload, permissions::MemberName, plan::Reference,
};
use shared::mapping::{MappedField, Value};
use simulators::content_server::{
    Settings, State, seed,
    state::{Attribute, AttributeKind},
};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/s3-content-server/rules/examples");

fn plan(key: &str, tags: &[(&str, &str)], sidecar: Option<&str>) -> IntakePlan {
    let rules = IntakeRules::parse(SAMPLE, "intake-rules.toml").unwrap_or_else(|found| panic!("{found}"));
    let sidecar = sidecar.map(|file| {
        let text = std::fs::read_to_string(format!("{EXAMPLES}/{file}")).unwrap();
        serde_json::from_str(&text).unwrap()
    });
    let record = Upload {
        bucket: "uploads".to_owned(),
        key: key.to_owned(),
        size: 1,
        content_type: None,
        etag: None,
        version_id: None,
        last_modified: "2026-11-20T12:00:00Z".parse().ok(),
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        user: BTreeMap::new(),
        sidecar,
        now: "2026-11-20T12:00:05Z".parse().unwrap(),
    }
    .record();
    let (rule, _) = rules.choose(&record).unwrap_or_else(|| panic!("no rule takes {key}"));
    rule.plan(&record).unwrap_or_else(|violations| panic!("{key}: {violations}"))
}

fn repository() -> State {
    seed::repository(Settings::default(), "2026-11-20T12:00:00Z".parse().unwrap())
}

fn fits(state: &State, attribute: &Attribute, value: &Value) -> bool {
    match (value, &attribute.kind) {
        (Value::List(values), _) if attribute.multi_value => {
            let single = Attribute { multi_value: false, ..attribute.clone() };
            values.iter().all(|value| fits(state, &single, value))
        }
        (_, _) if attribute.multi_value => false,
        (Value::Text(text), AttributeKind::Text { max_length }) => text.chars().count() <= *max_length,
        (Value::Text(text), AttributeKind::Choice { values }) => values.contains(text),
        (Value::User(login), AttributeKind::User) => state.member_by_name(login).is_some(),
        (value, kind) => matches!(
            (value, kind),
            (Value::Text(_), AttributeKind::TextArea)
                | (Value::Integer(_), AttributeKind::Integer)
                | (Value::Boolean(_), AttributeKind::Boolean)
                | (Value::Date(_), AttributeKind::Date { with_time: false })
                | (Value::DateTime(_), AttributeKind::Date { with_time: true })
        ),
    }
}

fn check_fields(state: &State, place: &str, attributes: &[Attribute], fields: &[MappedField]) {
    for field in fields {
        let attribute = attributes.iter().find(|attribute| attribute.name == field.to);
        let attribute = attribute.unwrap_or_else(|| panic!("{place} has no attribute {}", field.to));
        assert!(
            fits(state, attribute, &field.value),
            "{place}: {} = {} does not fit {:?}",
            field.to,
            field.value,
            attribute.kind
        );
    }
    for attribute in attributes.iter().filter(|attribute| attribute.required) {
        assert!(
            fields.iter().any(|field| field.to == attribute.name),
            "{place}: {} is missing",
            attribute.name
        );
    }
}

fn check(state: &State, plan: &IntakePlan) {
    for category in &plan.categories {
        let Reference::Path(names) = &category.category else { panic!("the samples name their categories") };
        let path = names.join("/");
        let definition =
            state.category_named(names.last().unwrap()).unwrap_or_else(|| panic!("no category {path}"));
        let folder = state.nodes[&state.nodes[&definition.id].parent_id].name.clone();
        assert_eq!(vec![folder, definition.name.clone()], *names, "the path of the category");
        check_fields(state, &path, &definition.attributes, &category.values.fields);
        for set in &category.values.sets {
            let attribute =
                definition.named(&set.to).unwrap_or_else(|| panic!("{path} has no set {}", set.to));
            let AttributeKind::Set { members, max_rows } = &attribute.kind else {
                panic!("{} is no set", set.to)
            };
            assert!(set.rows.len() <= *max_rows);
            for row in &set.rows {
                check_fields(state, &format!("{path}: {}", set.to), members, row);
            }
        }
    }
    if let Some(permissions) = &plan.permissions {
        for entry in &permissions.assigned {
            let (MemberName::Group(name) | MemberName::User(name)) = &entry.member;
            assert!(state.member_by_name(name).is_some(), "no member {name}");
        }
    }
    if let Some(Reference::Path(names)) = &plan.classification {
        let class = state.nodes.values().find(|node| Some(&node.name) == names.last());
        let class = class.unwrap_or_else(|| panic!("no class {names:?}"));
        assert_eq!(names.first(), Some(&state.nodes[&class.parent_id].name));
        assert_eq!(state.nodes[&class.parent_id].parent_id, seed::RECORDS);
    }
    if let Some(review) = &plan.review {
        let map = state.workflow_named(&review.workflow.to_string());
        let map = map.unwrap_or_else(|| panic!("no workflow map {}", review.workflow));
        for attribute in &review.attributes {
            assert!(
                map.fields.iter().any(|(_, name)| *name == attribute.to),
                "{} has no {}",
                map.name,
                attribute.to
            );
        }
    }
    match &plan.target {
        Target::Folder { path, .. } => assert!(state.at(&path.names[0]).is_some(), "{path}"),
        Target::Workspace(target) => {
            let kind =
                state.workspace_types.values().find(|kind| kind.name == target.workspace_type).unwrap();
            let object = target.business_object.as_ref().unwrap();
            let known = (object.system.clone(), object.object_type.clone());
            assert!(kind.business_object_types.contains(&known), "{known:?}");
            let template = kind.templates[0];
            let folder = target.folder.first().expect("the samples file into a folder of the workspace");
            assert!(
                state.nodes.values().any(|node| node.parent_id == template && node.name == *folder),
                "the template of {} has no folder {folder}",
                kind.name
            );
        }
    }
}

#[test]
fn every_worked_example_fits_the_repository_of_the_demo() {
    let state = repository();
    for (key, tags, sidecar, rule) in [
        (
            "claims/100117/front door.jpg",
            vec![("review", "urgent")],
            Some("claim-sidecar.json"),
            "claims-evidence",
        ),
        ("claims/100999/report.pdf", vec![("evidence-type", "invoice")], None, "claims-evidence"),
        ("suppliers/0000200451/frame.pdf", vec![], Some("contract-sidecar.json"), "supplier-contracts"),
        ("suppliers/0000200777/iso.pdf", vec![], Some("certificate-sidecar.json"), "supplier-submissions"),
        (
            "onboarding/300881/contract-1.pdf",
            vec![("start-date", "2026-12-01")],
            None,
            "onboarding-documents",
        ),
        ("archive/Registers/1887/page 1.tif", vec![], Some("archive-sidecar.json"), "digitised-archive"),
    ] {
        let plan = plan(key, &tags, sidecar);
        assert_eq!(plan.rule, rule, "{key}");
        check(&state, &plan);
    }
}

#[test]
fn every_value_a_lookup_can_give_is_one_the_repository_knows() {
    let state = repository();
    for kind in ["photo", "video", "report", "invoice", "letter", "strange"] {
        check(&state, &plan("claims/100117/a.bin", &[("evidence-type", kind)], None));
    }
    for kind in ["contract", "identity", "certificate", "tax", "other"] {
        check(&state, &plan(&format!("onboarding/300881/{kind}-a.pdf"), &[], None));
    }
}

#[test]
fn a_value_of_the_wrong_type_would_be_noticed() {
    let state = repository();
    let definition = state.category_named("Claim Evidence").unwrap();
    let loss_date = definition.named("Loss Date").unwrap();
    assert!(!fits(&state, loss_date, &Value::Text("2026-05-03".to_owned())));
    let kind = definition.named("Evidence Type").unwrap();
    assert!(!fits(&state, kind, &Value::Text("photo".to_owned())));
    let handler = definition.named("Handler").unwrap();
    assert!(!fits(&state, handler, &Value::User("nobody".to_owned())));
}

/// The offload rules name a category, attributes and containers that are there, and of types that take what is written.
#[test]
fn the_offload_rules_fit_the_repository() {
    let rules = s3_content_server::offload_rules::OffloadRules::parse(
        s3_content_server::offload_rules::SAMPLE,
        "offload-rules.toml",
    )
    .unwrap_or_else(|found| panic!("{found}"));
    let state = repository();
    let names = &rules.external_content;
    let category = names.category.segments.last().and_then(|name| state.category_named(name));
    let attributes = &category.expect("the category").attributes;
    let text = |name: &str| (name.to_owned(), Value::Text("x".into()));
    let optional = |name: &Option<String>| name.as_deref().map(text);
    let mut written = vec![text(&names.location), text(&names.sha256)];
    written.push((names.document_version.clone(), Value::Integer(3)));
    written.extend(
        [optional(&names.object_version), optional(&names.size), optional(&names.storage_class)]
            .into_iter()
            .flatten(),
    );
    written.extend(names.recall.iter().map(|name| (name.clone(), Value::Boolean(true))));
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    written.extend(names.offloaded_at.iter().map(|name| (name.clone(), Value::DateTime(now))));
    for (name, value) in written {
        let attribute = attributes.iter().find(|attribute| attribute.name == name);
        let attribute = attribute.unwrap_or_else(|| panic!("there is no attribute {name}"));
        assert!(fits(&state, attribute, &value), "{name} = {value} does not fit {:?}", attribute.kind);
    }
    for rule in &rules.rules {
        let within = rule.within.as_ref().expect("a sample says where it applies");
        assert!(state.at(&within.segments.join("/")).is_some(), "{within} is not there");
    }
}

/// The staging rules name maps, steps, dispositions and form fields that are there.
#[test]
fn the_staging_rules_fit_the_repository() {
    use s3_content_server::staging_rules::{SAMPLE, StagingRules};
    let rules = StagingRules::parse(SAMPLE, "staging-rules.toml").unwrap_or_else(|found| panic!("{found}"));
    let state = repository();
    for rule in &rules.rules {
        let node =
            state.at(&rule.map.segments.join("/")).unwrap_or_else(|| panic!("{} is not there", rule.map));
        let map = state.workflow_maps.get(&node.id).unwrap_or_else(|| panic!("{} is no map", rule.map));
        let step = map.steps.iter().find(|step| step.name == rule.decision_step);
        let step = step.unwrap_or_else(|| panic!("{} has no step {}", map.name, rule.decision_step));
        for approved in &rule.approved {
            assert!(
                step.dispositions.iter().any(|known| known.key == *approved),
                "{approved} of {}",
                step.name
            );
        }
        for label in rule.attribute_labels() {
            assert!(map.fields.iter().any(|(_, name)| name == label), "{} has no {label}", map.name);
        }
    }
}

/// The replica rules name containers and a category that are there, and restore into none of the sets.
#[test]
fn the_replica_rules_fit_the_repository() {
    let rules = s3_content_server::replica_rules::ReplicaRules::parse(
        s3_content_server::replica_rules::SAMPLE,
        "replica-rules.toml",
    )
    .unwrap_or_else(|found| panic!("{found}"));
    let state = repository();
    let within: Vec<String> = rules.rules.iter().map(|rule| rule.within.segments.join("/")).collect();
    for rule in &rules.rules {
        for place in [&rule.within, &rule.restore_into, &rule.drill_into] {
            assert!(state.at(&place.segments.join("/")).is_some(), "{place} is not there");
        }
        for place in [&rule.restore_into, &rule.drill_into] {
            let place = format!("{}/", place.segments.join("/"));
            assert!(within.iter().all(|set| !place.starts_with(&format!("{set}/"))), "{place} is in a set");
        }
        if let Some(category) = &rule.with_category {
            let name = category.segments.last().expect("a name");
            assert!(state.category_named(name).is_some(), "{category} is not there");
        }
    }
}
