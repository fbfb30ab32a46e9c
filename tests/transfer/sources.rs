//! Objects in S3 as sources.

use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use shared::{
    error::FailureClass,
    transfer::{Digests, S3Object, Witness, hash_body},
};

use crate::world::{SOURCE, World, content};

#[tokio::test(start_paused = true)]
async fn an_object_is_described_as_it_was_uploaded() {
    let world = World::new(false).await;
    let bytes = content(5_000);
    let put = world.s3.put_object().bucket(SOURCE).key("claims/2031/scan 1.pdf").body(bytes.clone().into());
    put.content_type("application/pdf")
        .content_disposition("attachment")
        .metadata("claim", "C-1")
        .tagging("retention=7y&department=Claims%20EU")
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .send()
        .await
        .unwrap();

    let object = world.head("claims/2031/scan 1.pdf").await;
    assert_eq!(object.size, 5_000);
    assert_eq!(object.content_type.as_deref(), Some("application/pdf"));
    assert_eq!(object.content_headers.disposition.as_deref(), Some("attachment"));
    assert_eq!(object.user_metadata.get("claim").map(String::as_str), Some("C-1"));
    assert_eq!(object.checksum_sha256, Some(Digests::of(&bytes).sha256));
    assert!(object.version_id.is_none());
    let tags = object.tags(&world.s3).await.unwrap();
    assert_eq!(tags.get("department").map(String::as_str), Some("Claims EU"));
    assert_eq!(object.peek(&world.s3, 16).await.unwrap(), bytes[..16]);
    assert_eq!(object.peek(&world.s3, 1 << 20).await.unwrap(), bytes);
    let part = object.open(&world.s3, Some(100..350)).await.unwrap();
    assert_eq!(hash_body(part, Some(250)).await.unwrap(), Digests::of(&bytes[100..350]));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_gone() {
    let world = World::new(true).await;
    let missing = S3Object::head(&world.s3, SOURCE, "never", None, None).await.unwrap_err();
    assert_eq!((missing.class(), missing.code()), (FailureClass::Gone, "source.gone"));

    world.put("deleted", "x").await;
    let object = world.head("deleted").await;
    let deleted = world.s3.delete_object().bucket(SOURCE).key("deleted").send().await.unwrap();
    let by_key = S3Object::head(&world.s3, SOURCE, "deleted", None, None).await.unwrap_err();
    assert_eq!((by_key.class(), by_key.code()), (FailureClass::Gone, "source.gone"));
    let marker = deleted.version_id().unwrap();
    let by_marker = S3Object::head(&world.s3, SOURCE, "deleted", Some(marker), None).await.unwrap_err();
    assert_eq!((by_marker.class(), by_marker.code()), (FailureClass::Gone, "source.gone"));
    // The version that was meant is still there.
    let version = object.version_id.as_deref();
    assert!(S3Object::head(&world.s3, SOURCE, "deleted", version, None).await.is_ok());
    assert_eq!(object.peek(&world.s3, 9).await.unwrap(), "x");
}

#[tokio::test(start_paused = true)]
async fn a_multipart_tag_or_composite_checksum_is_never_taken_for_a_hash() {
    let world = World::new(false).await;
    world.aws.s3().set_least_part(1);
    let create = world.s3.create_multipart_upload().bucket(SOURCE).key("parts");
    let upload = create.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    let upload = upload.upload_id().unwrap();
    let mut parts = Vec::new();
    for number in 1..=2 {
        let part = world.s3.upload_part().bucket(SOURCE).key("parts").upload_id(upload).part_number(number);
        let part = part
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .body(Bytes::from_static(b"part").into())
            .send()
            .await
            .unwrap();
        parts.push(
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.e_tag)
                .set_checksum_sha256(part.checksum_sha256)
                .build(),
        );
    }
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = world.s3.complete_multipart_upload().bucket(SOURCE).key("parts").upload_id(upload);
    complete.multipart_upload(parts).send().await.unwrap();

    let object = world.head("parts").await;
    assert_eq!((object.size, object.checksum_sha256.as_ref()), (8, None));
    let witness = Witness::new();
    let body = object.replayable(&world.s3, &witness).open().await.unwrap();
    hash_body(body, Some(8)).await.unwrap();
    assert_eq!(witness.digests(), Some(Digests::of(b"partpart")));
}

#[tokio::test(start_paused = true)]
async fn an_object_replaced_after_its_event_is_not_delivered_under_its_name() {
    let world = World::new(false).await;
    world.put("offer.docx", "first").await;
    let first = world.head("offer.docx").await;
    let quoted = format!("\"{}\"", first.etag);
    assert!(S3Object::head(&world.s3, SOURCE, "offer.docx", None, Some(&quoted)).await.is_ok());
    assert!(S3Object::head(&world.s3, SOURCE, "offer.docx", None, Some(&first.etag)).await.is_ok());

    world.put("offer.docx", "second").await;
    let error = S3Object::head(&world.s3, SOURCE, "offer.docx", None, Some(&first.etag)).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Gone, "source.replaced"));
}

#[tokio::test(start_paused = true)]
async fn an_object_replaced_between_look_and_read_is_noticed() {
    let world = World::new(false).await;
    world.put("offer.docx", "first").await;
    let first = world.head("offer.docx").await;
    world.put("offer.docx", "other").await;
    for range in [None, Some(0..3)] {
        let error = first.open(&world.s3, range).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Gone, "source.replaced"));
    }
    world.s3.delete_object().bucket(SOURCE).key("offer.docx").send().await.unwrap();
    let error = first.open(&world.s3, None).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Gone, "source.gone"));
}

#[tokio::test(start_paused = true)]
async fn a_version_is_read_even_when_a_newer_one_has_come() {
    let world = World::new(true).await;
    world.put("offer.docx", "first").await;
    let first = world.head("offer.docx").await;
    world.put("offer.docx", "second").await;
    assert_eq!(first.peek(&world.s3, 99).await.unwrap(), "first");
    let version = first.version_id.as_deref();
    // The tag in an event may be that of another version; the version decides.
    let same = S3Object::head(&world.s3, SOURCE, "offer.docx", version, Some("other")).await.unwrap();
    assert_eq!(same, first);
}

#[tokio::test(start_paused = true)]
async fn every_opening_reads_the_object_anew() {
    let world = World::new(false).await;
    let bytes = content(200_000);
    world.put("film.mov", bytes.clone()).await;
    let object = world.head("film.mov").await;
    let witness = Witness::new();
    let replayable = object.replayable(&world.s3, &witness);
    assert_eq!(replayable.length(), 200_000);

    world.aws.s3().cut_next_get(150_000);
    let error = hash_body(replayable.open().await.unwrap(), Some(200_000)).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Transient, "source.cut"));
    assert_eq!(witness.digests(), None);
    assert_eq!(witness.failure().unwrap().class(), FailureClass::Transient);

    let digests = hash_body(replayable.open().await.unwrap(), Some(200_000)).await.unwrap();
    assert_eq!(digests, Digests::of(&bytes));
    assert_eq!(witness.digests(), Some(digests));
    assert_eq!(world.calls("GetObject"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_byte_that_rotted_in_the_store_is_not_delivered() {
    // Without a choice, SDKs send CRC-32, which only the SDK that reads it checks.
    let algorithms = [None, Some(ChecksumAlgorithm::Crc64Nvme), Some(ChecksumAlgorithm::Sha256)];
    for algorithm in algorithms {
        let world = World::new(false).await;
        let put = world.s3.put_object().bucket(SOURCE).key("scan.tif").body(content(100_000).into());
        put.set_checksum_algorithm(algorithm.clone()).send().await.unwrap();
        let object = world.head("scan.tif").await;
        let known = object.checksum_sha256.is_some() || object.checksum_crc64_nvme.is_some();
        assert_eq!(known, algorithm.is_some());
        assert!(world.aws.s3().flip_byte(SOURCE, "scan.tif", 50_000));
        let witness = Witness::new();
        let body = object.replayable(&world.s3, &witness).open().await.unwrap();
        let error = hash_body(body, Some(100_000)).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Transient, "{algorithm:?}");
        assert_eq!(witness.digests(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_object_is_a_content_like_any_other() {
    let world = World::new(false).await;
    world.put("empty.txt", "").await;
    let object = world.head("empty.txt").await;
    assert_eq!(object.size, 0);
    assert_eq!(object.peek(&world.s3, 512).await.unwrap(), "");
    let witness = Witness::new();
    let replayable = object.replayable(&world.s3, &witness);
    let body = replayable.open().await.unwrap();
    assert_eq!(hash_body(body, Some(0)).await.unwrap(), Digests::of_nothing());
    assert_eq!(witness.digests(), Some(Digests::of_nothing()));
}
