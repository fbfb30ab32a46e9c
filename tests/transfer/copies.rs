//! From S3 to S3, without a byte through this process.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use shared::{
    error::FailureClass,
    transfer::{CopySizes, CopyTarget, Progress, S3Object, copy, copy_resumable},
};

use crate::world::{Fault, SOURCE, TARGET, World, content};

/// Copies of these tests are made in parts from 100,000 bytes up.
const SIZES: CopySizes = CopySizes { single: 100_000, part: 30_000, parallel: 4 };

/// An object with everything that must go along.
async fn put_described(world: &World, key: &str, bytes: &Bytes) -> S3Object {
    world
        .s3
        .put_object()
        .bucket(SOURCE)
        .key(key)
        .body(ByteStream::from(bytes.clone()))
        .content_type("image/tiff")
        .content_language("de")
        .metadata("box", "17")
        .tagging("retention=7y&department=Claims%20EU")
        .send()
        .await
        .unwrap();
    let object = world.head(key).await;
    world.forget();
    object
}

async fn assert_described(world: &World, key: &str, bytes: &Bytes) {
    assert_eq!(world.target(key).as_ref(), Some(bytes), "{key}");
    let made = S3Object::head(&world.s3, TARGET, key, None, None).await.unwrap();
    assert_eq!(made.content_type.as_deref(), Some("image/tiff"));
    assert_eq!(made.content_headers.language.as_deref(), Some("de"));
    assert_eq!(made.user_metadata, BTreeMap::from([("box".to_owned(), "17".to_owned())]));
    let tags = made.tags(&world.s3).await.unwrap();
    let expected = [("department", "Claims EU"), ("retention", "7y")];
    assert_eq!(tags, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert_eq!(world.orphans(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn small_and_large_objects_arrive_with_all_that_belongs_to_them_and_no_byte_passes_here() {
    let world = World::new(false).await;
    world.aws.s3().set_least_part(1);
    for length in [0, 1, 100_000, 100_001, 240_000, 240_001] {
        let bytes = content(length);
        let object = put_described(&world, "box/scan.tif", &bytes).await;
        let made = copy(&world.s3, &object, &CopyTarget::new(TARGET, "box/scan.tif"), SIZES).await.unwrap();
        assert_eq!((world.carried(), world.calls("GetObject")), (0, 0), "{length} bytes");
        assert_described(&world, "box/scan.tif", &bytes).await;
        let there = S3Object::head(&world.s3, TARGET, "box/scan.tif", None, None).await.unwrap();
        assert_eq!(made.etag, there.etag);
    }
}

#[tokio::test(start_paused = true)]
async fn keys_arrive_as_they_are_whatever_is_in_them() {
    let world = World::new(true).await;
    world.aws.s3().set_least_part(1);
    let long = "ü".repeat(512);
    let keys = [
        "a b+c.pdf",
        "100%.pdf",
        "100%25.pdf",
        "Größe/日本語 📦.pdf",
        "semi;colon=&?#.pdf",
        "a//b/../c.pdf",
        "'quotes\"<>{}|\\^`~!@$,:()*[].pdf",
        "?versionId=x",
        &long,
    ];
    for (number, key) in keys.into_iter().enumerate() {
        for length in [10, 150_000] {
            let bytes = content(length + number);
            let object = put_described(&world, key, &bytes).await;
            copy(&world.s3, &object, &CopyTarget::new(TARGET, key), SIZES).await.unwrap();
            assert_described(&world, key, &bytes).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_target_asks_for_replaces_what_the_source_had() {
    let world = World::new(false).await;
    world.aws.s3().set_least_part(1);
    for length in [10, 150_000] {
        let object = put_described(&world, "scan.tif", &content(length)).await;
        let to = CopyTarget {
            user_metadata: Some([("node".to_owned(), "4711".to_owned())].into()),
            content_type: Some("image/png".to_owned()),
            tags: Some([("kept by".to_owned(), "a+b".to_owned())].into()),
            ..CopyTarget::new(TARGET, "scan.png")
        };
        copy(&world.s3, &object, &to, SIZES).await.unwrap();
        let made = S3Object::head(&world.s3, TARGET, "scan.png", None, None).await.unwrap();
        assert_eq!(made.content_type.as_deref(), Some("image/png"));
        assert_eq!(Some(made.user_metadata.clone()), to.user_metadata);
        assert_eq!(Some(made.tags(&world.s3).await.unwrap()), to.tags);
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_replaced_after_it_was_looked_at_is_not_copied() {
    let world = World::new(false).await;
    world.aws.s3().set_least_part(1);
    for length in [10, 150_000] {
        let object = put_described(&world, "scan.tif", &content(length)).await;
        world.put("scan.tif", content(length + 1)).await;
        let to = CopyTarget::new(TARGET, "scan.tif");
        let error = copy(&world.s3, &object, &to, SIZES).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Gone, "source.replaced"));
        assert_eq!(world.target("scan.tif"), None);
        assert_eq!(world.orphans(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_there_is_kept_when_it_must_not_be_replaced() {
    let world = World::new(false).await;
    world.aws.s3().set_least_part(1);
    for length in [10, 150_000] {
        let object = put_described(&world, "scan.tif", &content(length)).await;
        let body = ByteStream::from_static(b"other");
        world.s3.put_object().bucket(TARGET).key("scan.tif").body(body).send().await.unwrap();
        let to = CopyTarget { only_if_absent: true, ..CopyTarget::new(TARGET, "scan.tif") };
        let error = copy(&world.s3, &object, &to, SIZES).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Conflict, "target.exists"));
        assert_eq!(world.target("scan.tif").unwrap(), "other");
        assert_eq!(world.orphans(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_target_bucket_is_a_fault_of_the_configuration_not_a_missing_source() {
    let world = World::new(false).await;
    for length in [10, 150_000] {
        let object = put_described(&world, "scan.tif", &content(length)).await;
        let to = CopyTarget::new("no-such-bucket", "scan.tif");
        let error = copy(&world.s3, &object, &to, SIZES).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "target.bucket-missing"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_killed_in_the_middle_is_continued_and_leaves_nothing_behind() {
    for (call, after, fault) in [
        ("CreateMultipartUpload", 0, Fault::HangAfter),
        ("UploadPartCopy", 0, Fault::Refuse),
        ("UploadPartCopy", 2, Fault::HangAfter),
        ("UploadPartCopy", 4, Fault::HangInBody),
        ("CompleteMultipartUpload", 0, Fault::HangInBody),
        ("CompleteMultipartUpload", 0, Fault::HangAfter),
    ] {
        for only_if_absent in [false, true] {
            let world = World::new(false).await;
            world.aws.s3().set_least_part(1);
            let bytes = content(200_000);
            let object = put_described(&world, "scan.tif", &bytes).await;
            let to = CopyTarget { only_if_absent, ..CopyTarget::new(TARGET, "scan.tif") };
            world.plan(call, after, fault);
            let run = world.attempt().await;
            let first = copy_resumable(&world.s3, &object, &to, SIZES, &run, "copy");
            let killed = tokio::time::timeout(Duration::from_secs(20), first).await;
            if fault == Fault::Refuse {
                assert!(matches!(killed, Ok(Ok(Progress::Done(_)))), "{killed:?}");
            } else {
                assert!(killed.is_err(), "{call} {fault:?}: {killed:?}");
                world.until_the_claim_ends().await;
                let run = world.attempt().await;
                let again = copy_resumable(&world.s3, &object, &to, SIZES, &run, "copy").await;
                assert!(matches!(again, Ok(Progress::Done(_))), "{call} {fault:?}: {again:?}");
            }
            assert!(world.calls("UploadPartCopy") <= 7 + 4, "{call}: most parts are copied once");
            assert_described(&world, "scan.tif", &bytes).await;
            assert_eq!(world.aws.s3().versions(TARGET).len(), 1);
        }
    }
}
