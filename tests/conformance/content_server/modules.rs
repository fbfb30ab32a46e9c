//! Rights, members, workspaces, records, workflows.

use shared::{
    content_server::{
        BusinessObject, Client, External, Grant, Holder, MemberKind, NewWorkflow, NewWorkspace, NodeId,
        PermissionTemplate, RecordDetails, Relation, Right, TaskId, WorkflowScope,
    },
    error::FailureClass,
};
use simulators::content_server::{
    seed,
    state::{Permission, node::Grant as Held},
};

use super::{Tenant, client_as, document, tenants, upload};

async fn made(tenant: &Tenant, name: &str) -> NodeId {
    tenant.client.create_document(&document(tenant.folder, name), &upload(name, b"x")).await.unwrap().id
}

#[tokio::test]
async fn a_permission_template_is_applied_once_and_then_found_in_place() {
    for tenant in tenants("permissions").await {
        let Some(group) = tenant.offer("GROUP") else { continue };
        let node = made(&tenant, "secret.txt").await;
        let group = tenant.client.resolve_member(MemberKind::Group, group).await.unwrap();
        let rights = [Right::See, Right::SeeContents, Right::Modify].into();
        let owners = [Right::See, Right::SeeContents, Right::Modify, Right::EditPermissions].into();
        let template = PermissionTemplate {
            grants: vec![
                Grant { holder: Holder::Member(group.id), rights },
                Grant { holder: Holder::Public, rights: [].into() },
                Grant { holder: Holder::Owner, rights: owners },
                Grant { holder: Holder::Group, rights: [Right::See, Right::SeeContents].into() },
            ],
            only_these_members: false,
        };
        assert!(!tenant.client.has_permissions(node, &template).await.unwrap());
        tenant.client.apply_permissions(node, &template).await.unwrap();
        assert!(tenant.client.has_permissions(node, &template).await.unwrap());
        assert_eq!(tenant.client.apply_permissions(node, &template).await.unwrap(), 0);
        let present = tenant.client.list_permissions(node).await.unwrap();
        let found = present.iter().find(|grant| grant.holder == Holder::Member(group.id)).unwrap();
        assert!(found.rights.contains(&Right::Modify) && !found.rights.contains(&Right::Delete));

        let Some(simulator) = &tenant.simulator else { continue };
        let held = simulator.with_state(|state| state.nodes[&node.0].permissions.clone());
        let [see, open] = [Permission::See, Permission::SeeContents];
        let (modify, grant) = (Permission::Modify, Permission::EditPermissions);
        let of = |right_id, rights: &[Permission]| {
            Some(Held { right_id, rights: rights.iter().copied().collect() })
        };
        assert_eq!(held.owner, of(seed::WAYBILL, &[see, open, modify, grant]));
        assert_eq!(held.group, of(seed::INTEGRATIONS, &[see, open]));
        assert_eq!(held.public, Some([].into()));
        assert_eq!(held.custom[&group.id], [see, open, modify].into());
    }
}

#[tokio::test]
async fn members_are_found_by_exactly_their_name() {
    for tenant in tenants("members").await {
        let Some(group) = tenant.offer("GROUP") else { continue };
        let found = tenant.client.find_member(MemberKind::Group, group).await.unwrap().unwrap();
        assert_eq!(found.name, group);
        let stem: String = group.chars().take(3).collect();
        assert!(
            tenant.client.find_member(MemberKind::Group, &stem).await.unwrap().is_none_or(|m| m.name == stem)
        );
        assert!(tenant.client.find_member(MemberKind::User, "nobody.at.all").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_workspace_is_made_once_for_its_business_object() {
    for tenant in tenants("workspace").await {
        let (Some(_), Some(kind)) = (&tenant.simulator, tenant.offer("WORKSPACE_TYPE")) else { continue };
        let client = &tenant.client;
        let known = client.get_workspace_type(kind).await.unwrap();
        let object =
            BusinessObject { system: "CLAIMS".to_owned(), kind: "CLAIM".to_owned(), id: "200500".to_owned() };
        assert!(client.find_workspace_of(&object).await.unwrap().is_none());
        let new = NewWorkspace {
            workspace_type: known.id,
            template: known.templates[0].id,
            name: "CLM-200500 Storm".to_owned(),
            description: String::new(),
            parent: None,
            business_object: Some(object.clone()),
            categories: Vec::new(),
            external: External::default(),
        };
        let (workspace, first) = client.ensure_workspace(&new).await.unwrap();
        let (again, second) = client.ensure_workspace(&new).await.unwrap();
        assert_eq!((first, second, again), (true, false, workspace));
        assert_eq!(client.find_workspace_of(&object).await.unwrap().unwrap().id, workspace);
        assert_eq!(client.find_workspace(known.id, "CLM-200500 Storm").await.unwrap().unwrap().id, workspace);
        assert!(client.find_workspace(known.id, "CLM-200500").await.unwrap().is_none());
        assert_eq!(client.get_workspace(workspace).await.unwrap().name, "CLM-200500 Storm");
        let evidence = client.find_child(workspace, "Evidence").await.unwrap().unwrap();
        assert_eq!(client.find_workspace_around(evidence.id).await.unwrap(), Some(workspace));
        assert_eq!(client.find_workspace_around(tenant.folder).await.unwrap(), None);
    }
}

#[tokio::test]
async fn workspaces_have_a_team_relations_and_a_reference() {
    let tenant = tenants("team").await.remove(0);
    let admin = format!(r#"{{"mode":"password","username":"admin","password":"{}"}}"#, seed::PASSWORD);
    let client =
        client_as(tenant.simulator.as_ref().unwrap(), shared::content_server::Settings::default(), &admin);
    let claim = |id: &str| BusinessObject {
        system: "CLAIMS".to_owned(),
        kind: "CLAIM".to_owned(),
        id: id.to_owned(),
    };
    let one = client.find_workspace_of(&claim("100117")).await.unwrap().unwrap();
    let other = client.find_workspace_of(&claim("100118")).await.unwrap().unwrap();
    client.create_workspace_relation(one.id, other.id, Relation::Child).await.unwrap();
    let related = client.list_related_workspaces(one.id, Relation::Child).await.unwrap();
    assert_eq!(related.iter().map(|node| node.id).collect::<Vec<_>>(), [other.id]);
    client.delete_workspace_relation(one.id, other.id, Relation::Child).await.unwrap();
    assert!(client.list_related_workspaces(one.id, Relation::Child).await.unwrap().is_empty());

    let roles = client.list_workspace_roles(one.id).await.unwrap();
    let lead = roles.iter().find(|role| role.name == "Lead Handler").unwrap();
    client.ensure_role_member(one.id, lead.id, 1202).await.unwrap();
    client.ensure_role_member(one.id, lead.id, 1202).await.unwrap();
    let members = client.list_role_members(one.id, lead.id).await.unwrap();
    assert_eq!(members.iter().map(|member| member.id).collect::<Vec<_>>(), [1202]);

    client.set_workspace_reference(other.id, &claim("999")).await.unwrap();
    assert_eq!(client.find_workspace_of(&claim("999")).await.unwrap().unwrap().id, other.id);
    client.delete_workspace_reference(other.id, &claim("999")).await.unwrap();
    assert!(client.find_workspace_of(&claim("999")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_record_is_classified_once_and_a_hold_protects_it() {
    for tenant in tenants("records").await {
        let (Some(class), Some(hold)) = (tenant.offered_node("RECORDS_CLASS").await, tenant.offer("HOLD"))
        else {
            continue;
        };
        let client = &tenant.client;
        let node = made(&tenant, "record.txt").await;
        let details = RecordDetails::default();
        assert!(client.classify_record(node, class.id, &details).await.unwrap());
        assert!(!client.classify_record(node, class.id, &details).await.unwrap());
        let official = RecordDetails { official: Some(true), ..RecordDetails::default() };
        assert!(client.update_record(node, &official).await.unwrap());
        assert!(!client.update_record(node, &official).await.unwrap());
        assert!(client.get_record(node).await.unwrap().is_official());

        let held = made(&tenant, "held.txt").await;
        assert!(!client.is_held(held).await.unwrap());
        let hold = client.find_hold(hold).await.unwrap().unwrap();
        assert!(client.apply_hold(held, hold.id).await.unwrap());
        assert!(!client.apply_hold(held, hold.id).await.unwrap());
        assert!(client.is_held(held).await.unwrap());
        let error = client.delete_node(held).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Forbidden, "{error:?}");
        assert!(client.remove_hold(held, hold.id).await.unwrap());
        assert!(!client.remove_hold(held, hold.id).await.unwrap());
    }
}

#[tokio::test]
async fn classifications_are_added_to_those_that_are_there() {
    let tenant = tenants("classifications").await.remove(0);
    let node = made(&tenant, "c.txt").await;
    let confidential = NodeId(seed::CONFIDENTIAL);
    assert!(tenant.client.add_classifications(node, &[confidential]).await.unwrap());
    assert!(!tenant.client.add_classifications(node, &[confidential]).await.unwrap());
    assert_eq!(tenant.client.list_classifications(node).await.unwrap(), [confidential]);
}

#[tokio::test]
async fn a_workflow_is_started_found_by_its_title_and_decided() {
    for tenant in tenants("workflow").await {
        let Some(map) = tenant.offered_node("WORKFLOW_MAP").await else { continue };
        let client = &tenant.client;
        let node = made(&tenant, "review.txt").await;
        let maps = client.list_workflow_maps(node, tenant.folder).await.unwrap();
        assert!(maps.iter().any(|known| known.id == map.id.0), "{maps:?}");
        let title = format!("Review of {node}");
        let attributes = match tenant.simulator {
            Some(_) => vec![("Reason".to_owned(), "New evidence".into())],
            None => Vec::new(),
        };
        let new = NewWorkflow {
            map: map.id,
            documents: vec![node],
            title: title.clone(),
            attributes,
            comment: "Please".to_owned(),
        };
        let process = client.start_workflow(&new).await.unwrap();
        let status = client.get_workflow(process).await.unwrap();
        assert_eq!(status.title, title);
        assert!(!status.current.is_empty() && status.attachments.is_some());
        let listed = client.list_workflows(WorkflowScope::Initiated).await.unwrap();
        let found: Vec<_> = listed.iter().filter(|summary| summary.title == title).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].process(), process);

        let Some(simulator) = &tenant.simulator else { continue };
        let secret =
            format!(r#"{{"mode":"password","username":"claims.reviewer","password":"{}"}}"#, seed::PASSWORD);
        let reviewer = client_as(simulator, shared::content_server::Settings::default(), &secret);
        let waiting = reviewer.list_assignments().await.unwrap();
        let task: TaskId = waiting.iter().map(|one| one.task()).find(|task| task.process == process).unwrap();
        let seen = reviewer.get_task(task).await.unwrap();
        assert!(seen.decisions.iter().any(|decision| decision.key == "Approve"), "{seen:?}");
        reviewer.decide_task(task, "Approve", "Fine").await.unwrap();
        let status = client.get_workflow(process).await.unwrap();
        assert_eq!(
            (status.completed[0].disposition.as_str(), status.completed[0].comment.as_str()),
            ("Approve", "Fine")
        );
    }
}

#[tokio::test]
async fn a_workflow_form_without_the_field_is_a_fault_of_the_configuration() {
    let tenant = tenants("form").await.remove(0);
    let node = made(&tenant, "review.txt").await;
    let draft = tenant.client.create_draft(NodeId(seed::DOCUMENT_REVIEW), &[node]).await.unwrap();
    let error =
        tenant.client.update_draft(draft, "t", &[("Colour".to_owned(), "red".into())]).await.unwrap_err();
    assert_eq!((error.class(), error.field_name()), (FailureClass::Forbidden, Some("Colour")));
    tenant.client.start_workflow_at_once(NodeId(seed::EVIDENCE_CHECK), &[node]).await.unwrap();
    let refused =
        tenant.client.start_workflow_at_once(NodeId(seed::DOCUMENT_REVIEW), &[node]).await.unwrap_err();
    assert_eq!(refused.class(), FailureClass::Invalid, "its start step wants to be filled in: {refused:?}");
}

#[tokio::test]
async fn a_task_is_filled_in_decided_and_sent_on_to_its_end() {
    let tenant = tenants("tasks").await.remove(0);
    let simulator = tenant.simulator.as_ref().unwrap();
    let node = made(&tenant, "review.txt").await;
    let new = NewWorkflow {
        map: NodeId(seed::DOCUMENT_REVIEW),
        documents: vec![node],
        title: "Review".to_owned(),
        attributes: vec![("Reason".to_owned(), "New evidence".into())],
        comment: String::new(),
    };
    let process = tenant.client.start_workflow(&new).await.unwrap();
    let signed_in = |user: &str| {
        let secret = format!(r#"{{"mode":"password","username":"{user}","password":"{}"}}"#, seed::PASSWORD);
        client_as(simulator, shared::content_server::Settings::default(), &secret)
    };
    let task_of = async |client: &Client| {
        let waiting = client.list_assignments().await.unwrap();
        waiting.iter().map(|one| one.task()).find(|task| task.process == process).unwrap()
    };

    let reviewer = signed_in("claims.reviewer");
    let task = task_of(&reviewer).await;
    // An empty text says nothing and is not sent: the reason stays.
    let form = serde_json::json!({"WorkflowForm_11": "high", "WorkflowForm_10": ""});
    reviewer.update_task(task, form.as_object().unwrap()).await.unwrap();
    let held = || simulator.with_state(|state| state.processes[&process.0].clone());
    assert_eq!(held().values["WorkflowForm_11"], "high");
    assert_eq!(held().values["WorkflowForm_10"], "New evidence");
    let refused = reviewer.send_on_task(task, "Without a word").await.unwrap_err();
    assert_eq!(refused.class(), FailureClass::Forbidden, "this step wants a decision: {refused:?}");
    reviewer.decide_task(task, "Approve", "Fine").await.unwrap();

    let clerk = signed_in("records.manager");
    let task = task_of(&clerk).await;
    clerk.send_on_task(task, "Filed").await.unwrap();
    let status = tenant.client.get_workflow(process).await.unwrap();
    assert!(status.current.is_empty(), "{status:?}");
    let finished = held().finished;
    let steps: Vec<_> = finished.iter().map(|step| (step.action.as_str(), step.comment.as_str())).collect();
    assert_eq!(steps, [("Approve", "Fine"), ("SendOn", "Filed")]);
}
