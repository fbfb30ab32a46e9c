//! Versions, delete markers, and what may not be deleted.

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    BucketVersioningStatus, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockMode,
    ObjectLockRetention, ObjectLockRetentionMode, OptionalObjectAttributes, RestoreRequest, StorageClass,
    VersioningConfiguration,
};

use crate::s3_objects::{bucket, content, put};
use crate::side::{Capability, Side, refusal};

crate::contract![
    every_write_makes_a_version,
    a_delete_marker_hides_and_can_be_removed,
    suspended_versioning_keeps_one_null_version,
    a_list_of_versions_pages,
    a_retained_version_stays,
    a_held_version_stays,
    a_copy_is_locked_from_its_first_moment,
    an_archived_object_is_restored_before_it_is_read,
];

async fn versioning(side: &Side, bucket: &str, status: BucketVersioningStatus) {
    let configuration = VersioningConfiguration::builder().status(status).build();
    side.s3
        .put_bucket_versioning()
        .bucket(bucket)
        .versioning_configuration(configuration)
        .send()
        .await
        .unwrap();
}

async fn content_of(side: &Side, bucket: &str, key: &str, version: &str) -> Vec<u8> {
    let got = side.s3.get_object().bucket(bucket).key(key).version_id(version).send().await.unwrap();
    got.body.collect().await.unwrap().to_vec()
}

async fn every_write_makes_a_version(side: Side) {
    let bucket = bucket(&side).await;
    assert_eq!(put(&side, &bucket, "a", b"before").await, None, "no versions yet");
    versioning(&side, &bucket, BucketVersioningStatus::Enabled).await;
    let one = put(&side, &bucket, "a", b"one").await.unwrap();
    let two = put(&side, &bucket, "a", b"two").await.unwrap();
    assert_ne!(one, two);
    assert_eq!(content(&side, &bucket, "a").await, b"two");
    assert_eq!(content_of(&side, &bucket, "a", &one).await, b"one");
    assert_eq!(content_of(&side, &bucket, "a", "null").await, b"before");
    let copied =
        side.s3.copy_object().bucket(&bucket).key("b").copy_source(format!("{bucket}/a?versionId={one}"));
    let copied = copied.send().await.unwrap();
    assert_eq!(copied.copy_source_version_id(), Some(one.as_str()));
    assert_eq!(content(&side, &bucket, "b").await, b"one");
    side.s3.delete_object().bucket(&bucket).key("a").version_id(&two).send().await.unwrap();
    assert_eq!(content(&side, &bucket, "a").await, b"one", "the one before is current again");
    let gone = side.s3.get_object().bucket(&bucket).key("a").version_id(&two).send().await;
    assert_eq!(refusal(gone), "NoSuchVersion");
}

async fn a_delete_marker_hides_and_can_be_removed(side: Side) {
    let bucket = bucket(&side).await;
    versioning(&side, &bucket, BucketVersioningStatus::Enabled).await;
    let one = put(&side, &bucket, "a", b"one").await.unwrap();
    let deleted = side.s3.delete_object().bucket(&bucket).key("a").send().await.unwrap();
    let marker = deleted.version_id().unwrap();
    assert_eq!(deleted.delete_marker(), Some(true));
    let hidden = side.s3.get_object().bucket(&bucket).key("a").send().await.unwrap_err();
    assert_eq!(hidden.raw_response().unwrap().headers().get("x-amz-delete-marker"), Some("true"));
    assert!(hidden.into_service_error().is_no_such_key());
    let read = side.s3.get_object().bucket(&bucket).key("a").version_id(marker).send().await;
    assert_eq!(refusal(read), "MethodNotAllowed");
    assert_eq!(content_of(&side, &bucket, "a", &one).await, b"one");
    let listed = side.s3.list_objects_v2().bucket(&bucket).send().await.unwrap();
    assert!(listed.contents().is_empty());
    side.s3.delete_object().bucket(&bucket).key("a").version_id(marker).send().await.unwrap();
    assert_eq!(content(&side, &bucket, "a").await, b"one");
}

async fn suspended_versioning_keeps_one_null_version(side: Side) {
    let bucket = bucket(&side).await;
    versioning(&side, &bucket, BucketVersioningStatus::Enabled).await;
    let one = put(&side, &bucket, "a", b"one").await.unwrap();
    versioning(&side, &bucket, BucketVersioningStatus::Suspended).await;
    put(&side, &bucket, "a", b"two").await;
    put(&side, &bucket, "a", b"three").await;
    assert_eq!(content_of(&side, &bucket, "a", "null").await, b"three");
    assert_eq!(content_of(&side, &bucket, "a", &one).await, b"one");
    let listed = side.s3.list_object_versions().bucket(&bucket).send().await.unwrap();
    assert_eq!(listed.versions().len(), 2);
    let state = side.s3.get_bucket_versioning().bucket(&bucket).send().await.unwrap();
    assert_eq!(state.status(), Some(&BucketVersioningStatus::Suspended));
}

async fn a_list_of_versions_pages(side: Side) {
    let bucket = bucket(&side).await;
    versioning(&side, &bucket, BucketVersioningStatus::Enabled).await;
    let mut expected = Vec::new();
    for key in ["a", "b"] {
        let mut ids = Vec::new();
        for content in [b"1", b"2"] {
            ids.push(put(&side, &bucket, key, content).await.unwrap());
        }
        ids.reverse();
        expected.extend(ids);
    }
    let (mut found, mut markers) = (Vec::new(), (None, None));
    loop {
        let list = side.s3.list_object_versions().bucket(&bucket).max_keys(3);
        let page = list.set_key_marker(markers.0).set_version_id_marker(markers.1).send().await.unwrap();
        found.extend(page.versions().iter().filter_map(|version| version.version_id().map(str::to_owned)));
        if page.is_truncated() != Some(true) {
            break;
        }
        markers = (page.next_key_marker, page.next_version_id_marker);
    }
    assert_eq!(found, expected, "by key, the newest first");
}

async fn locked_bucket(side: &Side) -> String {
    let name = side.name("bucket");
    side.s3.create_bucket().bucket(&name).object_lock_enabled_for_bucket(true).send().await.unwrap();
    name
}

async fn a_retained_version_stays(side: Side) {
    let bucket = locked_bucket(&side).await;
    let id = put(&side, &bucket, "a", b"record").await.unwrap();
    let retain = |mode: ObjectLockRetentionMode, seconds: i64| {
        let until = DateTime::from_secs(side.seconds() + seconds);
        let retention = ObjectLockRetention::builder().mode(mode).retain_until_date(until).build();
        side.s3.put_object_retention().bucket(&bucket).key("a").version_id(&id).retention(retention)
    };
    retain(ObjectLockRetentionMode::Governance, 3600).send().await.unwrap();
    let found = side.s3.get_object_retention().bucket(&bucket).key("a").version_id(&id).send().await.unwrap();
    assert_eq!(found.retention().unwrap().mode(), Some(&ObjectLockRetentionMode::Governance));
    let delete = || side.s3.delete_object().bucket(&bucket).key("a").version_id(&id);
    assert_eq!(refusal(delete().send().await), "AccessDenied");
    assert_eq!(refusal(retain(ObjectLockRetentionMode::Governance, 60).send().await), "AccessDenied");
    retain(ObjectLockRetentionMode::Compliance, 7200).bypass_governance_retention(true).send().await.unwrap();
    assert_eq!(refusal(delete().bypass_governance_retention(true).send().await), "AccessDenied");
    side.s3.delete_object().bucket(&bucket).key("a").send().await.unwrap();
    assert_eq!(content_of(&side, &bucket, "a", &id).await, b"record", "a marker hides it, nothing more");
}

async fn a_held_version_stays(side: Side) {
    let bucket = locked_bucket(&side).await;
    let put = side.s3.put_object().bucket(&bucket).key("a").body(ByteStream::from_static(b"x"));
    let put = put.object_lock_legal_hold_status(ObjectLockLegalHoldStatus::On).send().await.unwrap();
    let id = put.version_id().unwrap();
    let head = side.s3.head_object().bucket(&bucket).key("a").send().await.unwrap();
    assert_eq!(head.object_lock_legal_hold_status(), Some(&ObjectLockLegalHoldStatus::On));
    let delete = || side.s3.delete_object().bucket(&bucket).key("a").version_id(id).send();
    assert_eq!(refusal(delete().await), "AccessDenied");
    let off = ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::Off).build();
    side.s3.put_object_legal_hold().bucket(&bucket).key("a").legal_hold(off).send().await.unwrap();
    let found = side.s3.get_object_legal_hold().bucket(&bucket).key("a").send().await.unwrap();
    assert_eq!(found.legal_hold().unwrap().status(), Some(&ObjectLockLegalHoldStatus::Off));
    delete().await.unwrap();
}

async fn a_copy_is_locked_from_its_first_moment(side: Side) {
    if !side.can(Capability::LockedCopies) {
        return;
    }
    let bucket = locked_bucket(&side).await;
    put(&side, &bucket, "work", b"record").await.unwrap();
    let until = DateTime::from_secs(side.seconds() + 3600);
    let copy = side.s3.copy_object().copy_source(format!("{bucket}/work")).bucket(&bucket).key("kept");
    let copy = copy.object_lock_mode(ObjectLockMode::Governance).object_lock_retain_until_date(until);
    let copy = copy.object_lock_legal_hold_status(ObjectLockLegalHoldStatus::On).send().await.unwrap();
    let id = copy.version_id().unwrap();
    let head = side.s3.head_object().bucket(&bucket).key("kept").version_id(id).send().await.unwrap();
    assert_eq!(head.object_lock_mode(), Some(&ObjectLockMode::Governance));
    assert_eq!(head.object_lock_retain_until_date().map(DateTime::secs), Some(until.secs()));
    assert_eq!(head.object_lock_legal_hold_status(), Some(&ObjectLockLegalHoldStatus::On));
    assert_eq!(
        refusal(side.s3.delete_object().bucket(&bucket).key("kept").version_id(id).send().await),
        "AccessDenied"
    );
    let head = side.s3.head_object().bucket(&bucket).key("work").send().await.unwrap();
    assert_eq!(head.object_lock_mode(), None, "the source is as it was");
}

async fn an_archived_object_is_restored_before_it_is_read(side: Side) {
    let bucket = bucket(&side).await;
    let object = side.s3.put_object().bucket(&bucket).key("a").storage_class(StorageClass::Glacier);
    object.body(ByteStream::from_static(b"record")).send().await.unwrap();
    let read = || side.s3.get_object().bucket(&bucket).key("a").send();
    let restore = || {
        let request = RestoreRequest::builder().days(2).build();
        side.s3.restore_object().bucket(&bucket).key("a").restore_request(request).send()
    };
    assert_eq!(refusal(read().await), "InvalidObjectState");
    restore().await.unwrap();
    assert_eq!(refusal(restore().await), "RestoreAlreadyInProgress");
    let state = async || {
        let head = side.s3.head_object().bucket(&bucket).key("a").send().await.unwrap();
        head.restore().unwrap_or_default().to_owned()
    };
    assert!(state().await.contains("ongoing-request=\"true\""));
    assert_eq!(listed(&side, &bucket).await, Some(true));
    match &side.aws {
        Some(aws) => assert_eq!(aws.s3().finish_restorations(), 1),
        None => side.pass(std::time::Duration::from_secs(4)).await,
    }
    assert!(state().await.contains("ongoing-request=\"false\""), "{}", state().await);
    assert_eq!(listed(&side, &bucket).await, Some(false));
    assert_eq!(read().await.unwrap().body.collect().await.unwrap().to_vec(), b"record");
    restore().await.unwrap();
}

/// What a list says of the restoration of its one object: whether it is under way.
async fn listed(side: &Side, bucket: &str) -> Option<bool> {
    let list = side.s3.list_objects_v2().bucket(bucket);
    let list = list.optional_object_attributes(OptionalObjectAttributes::RestoreStatus).send().await.unwrap();
    let object = &list.contents()[0];
    assert_eq!(object.storage_class().map(|class| class.as_str()), Some("GLACIER"));
    let status = object.restore_status().and_then(|status| status.is_restore_in_progress());
    if side.can(Capability::ListedRestorations) {
        status
    } else {
        status.or(Some(side_says(side, bucket).await))
    }
}

/// The same by a look at the object.
async fn side_says(side: &Side, bucket: &str) -> bool {
    let head = side.s3.head_object().bucket(bucket).key("a").send().await.unwrap();
    head.restore().unwrap_or_default().contains("ongoing-request=\"true\"")
}
