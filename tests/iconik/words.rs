//! Metadata and jobs: values, refusals, progress.

use shared::{
    error::FailureClass,
    iconik::{JobChange, JobStatus, MetadataChange, NewJob, ObjectRef, ViewId},
};
use simulators::{
    faults::{Action, Rule},
    iconik::{self as simulator, seed},
};

use crate::{client_of, ours, seeded, tenant};

fn object(simulator: &simulator::Simulator) -> ObjectRef {
    seeded(simulator, "Ferry terminal opens").into()
}

#[tokio::test(start_paused = true)]
async fn values_are_written_read_in_both_shapes_and_cleared() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let (object, view) = (object(&simulator), ViewId::new(seed::metadata::GOVERNANCE_VIEW));
    let fields = client.get_view(&view).await.unwrap().fields;
    let field = fields.iter().find(|field| {
        field.options.is_empty() && field.kind.as_str() == "string" && !field.read_only && !field.required
    });
    let field = field.expect("a field of plain text").name.clone();
    let change = MetadataChange::new().set(&field, ["4711"]);
    let before = client.get_metadata(&object, &view).await.unwrap();
    let after = client.update_metadata(&object, &view, &change, Some(&before)).await.unwrap();
    assert_eq!(after.text(&field).as_deref(), Some("4711"));
    let secret = format!(
        r#"{{"mode":"application-token","app_id":"{}","auth_token":"{}"}}"#,
        seed::APP_ID,
        seed::ADMIN_TOKEN
    );
    let direct = client_of(&simulator, ours(), &secret).get_all_metadata(&object).await.unwrap();
    assert!(direct.agrees(&after, &field));
    assert_eq!(client.get_all_metadata(&object).await.unwrap_err().class(), FailureClass::Forbidden);
    let cleared =
        client.update_metadata(&object, &view, &MetadataChange::new().clear(&field), None).await.unwrap();
    assert_eq!(cleared.text(&field), None);
    // What was read before is no longer so, and nothing is written onto it.
    let error = client.update_metadata(&object, &view, &change, Some(&after)).await.unwrap_err();
    assert_eq!((error.class(), error.field_name()), (FailureClass::Conflict, Some(field.as_str())));
}

#[tokio::test(start_paused = true)]
async fn an_object_without_values_has_none_and_a_field_outside_the_view_is_told() {
    let (_, client) = tenant(simulator::Settings::default());
    let view = ViewId::new(seed::metadata::GOVERNANCE_VIEW);
    let new = shared::iconik::NewCollection { title: "New".to_owned(), ..Default::default() };
    let object: ObjectRef = client.create_collection(&new).await.unwrap().id.into();
    assert_eq!(client.get_metadata(&object, &view).await.unwrap().fields().count(), 0);
    let change = MetadataChange::new().set("No such field", ["x"]);
    let refused = client.get_view(&view).await.unwrap().check(&change).unwrap_err();
    assert_eq!(refused.code(), "iconik.field-not-in-view");
    let error = client.update_metadata(&object, &view, &change, None).await.unwrap_err();
    assert!(matches!(error.class(), FailureClass::Invalid | FailureClass::Forbidden), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_value_is_named_in_either_shape_of_an_error() {
    use simulator::settings::ErrorShape;
    for shape in [ErrorShape::List, ErrorShape::Map] {
        let settings = simulator::Settings { error_shape: shape, ..simulator::Settings::default() };
        let (simulator, client) = tenant(settings);
        let view = client.get_view(&ViewId::new(seed::metadata::RIGHTS_VIEW)).await.unwrap();
        let field = view.fields.iter().find(|field| !field.options.is_empty()).expect("a field with choices");
        let change = MetadataChange::new().set(&field.name, ["no such choice"]);
        assert_eq!(view.check(&change).unwrap_err().code(), "iconik.no-such-choice");
        let error = client.update_metadata(&object(&simulator), &view.id, &change, None).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Invalid);
        assert!(error.message().contains(&field.name), "{error:?}");
        assert_eq!(error.field_name().is_some(), shape == ErrorShape::Map);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_notices_that_it_should_stop_and_ends() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let new = NewJob {
        title: "Publish to Content Server".to_owned(),
        object: object(&simulator),
        total: 1000,
        key: "publish-finals 1".to_owned(),
        message: Some("reading".to_owned()),
    };
    simulator.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/jobs/v1/jobs/")).unwrap();
    let job = client.ensure_job(&new).await.unwrap();
    assert_eq!(client.ensure_job(&new).await.unwrap().id, job.id);
    let half = client.update_job(&job.id, &JobChange::progress(500, Some("half"))).await.unwrap();
    assert_eq!((half.progress, half.is_abort_wanted()), (Some(50), false));
    let pressed = [job.id.as_str().to_owned()];
    simulator.with_state(|state| state.press(seed::EDITOR, &pressed, "ABORT")).unwrap();
    let wanted = client.update_job(&job.id, &JobChange::progress(600, None)).await.unwrap();
    assert!(wanted.is_abort_wanted());
    client.update_job(&job.id, &JobChange::aborted(Some("stopped"))).await.unwrap();
    assert_eq!(client.get_job(&job.id).await.unwrap().status, JobStatus::Aborted);
    // One that has ended is not gone on with.
    let next = client.ensure_job(&new).await.unwrap();
    assert_ne!(next.id, job.id);
    client.update_job(&next.id, &JobChange::finished(1000, None)).await.unwrap();
    let ended = client.get_job(&next.id).await.unwrap();
    assert_eq!((ended.status, ended.progress), (JobStatus::Finished, Some(100)));
}
