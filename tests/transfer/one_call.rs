//! Small objects: looked at and read in one call.

use aws_sdk_s3::types::{ChecksumAlgorithm, StorageClass};
use shared::{
    error::FailureClass,
    transfer::{Digests, S3Object, Witness, hash_body},
};

use crate::world::{SOURCE, World, content};

/// Bytes that are read at once.
const MOST: u64 = 10_000;

async fn read(world: &World, key: &str) -> shared::error::Result<S3Object> {
    S3Object::head_and_content(&world.s3, SOURCE, key, None, None, MOST).await
}

#[tokio::test(start_paused = true)]
async fn one_call_tells_all_and_gives_the_bytes() {
    let world = World::new(true).await;
    let bytes = content(5_000);
    let put = world.s3.put_object().bucket(SOURCE).key("scan 1.pdf").body(bytes.clone().into());
    put.content_type("application/pdf")
        .cache_control("no-store")
        .content_disposition("attachment")
        .content_language("de")
        .metadata("claim", "C-1")
        .storage_class(StorageClass::StandardIa)
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .send()
        .await
        .unwrap();

    let object = read(&world, "scan 1.pdf").await.unwrap();
    assert_eq!(world.calls("HeadObject"), 0);
    assert_eq!(object.peek(&world.s3, 16).await.unwrap(), bytes[..16]);
    let part = object.open(&world.s3, Some(100..350)).await.unwrap();
    assert_eq!(hash_body(part, Some(250)).await.unwrap(), Digests::of(&bytes[100..350]));
    let witness = Witness::new();
    let replayable = object.replayable(&world.s3, &witness);
    for _ in 0..2 {
        let digests = hash_body(replayable.open().await.unwrap(), Some(5_000)).await.unwrap();
        assert_eq!(digests, Digests::of(&bytes));
        assert_eq!(witness.digests(), Some(digests));
    }
    assert_eq!(world.calls("GetObject"), 1);

    // No fact is missing, and none of the bytes can get into a log.
    let told = format!("{object:?}");
    assert!(told.contains("content: 5000 bytes"), "{told}");
    let looked_at = format!("{:?}", world.head("scan 1.pdf").await);
    assert_eq!(told.replace("content: 5000 bytes", "content: not read"), looked_at);
}

#[tokio::test(start_paused = true)]
async fn a_larger_object_than_was_said_is_not_kept_in_memory() {
    let world = World::new(false).await;
    let bytes = content(20_000);
    world.put("film.mov", bytes.clone()).await;
    let object = read(&world, "film.mov").await.unwrap();
    assert_eq!(object, world.head("film.mov").await);
    assert_eq!(object.peek(&world.s3, 1 << 20).await.unwrap(), bytes);
    assert_eq!(world.calls("GetObject"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_empty_object_has_been_read_too() {
    let world = World::new(false).await;
    world.put("empty.txt", "").await;
    let object = read(&world, "empty.txt").await.unwrap();
    let witness = Witness::new();
    let body = object.replayable(&world.s3, &witness).open().await.unwrap();
    assert_eq!(hash_body(body, Some(0)).await.unwrap(), Digests::of_nothing());
    assert_eq!(witness.digests(), Some(Digests::of_nothing()));
    assert_eq!(world.calls("GetObject"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_or_replaced_is_told_as_by_a_look() {
    let world = World::new(true).await;
    world.put("offer.docx", "first").await;
    let first = world.head("offer.docx").await;
    world.put("offer.docx", "second").await;
    let version = first.version_id.as_deref();
    let one =
        |version, etag| S3Object::head_and_content(&world.s3, SOURCE, "offer.docx", version, etag, MOST);

    // The version decides, not the tag.
    let pinned = one(version, Some("other")).await.unwrap();
    assert_eq!(pinned.peek(&world.s3, 99).await.unwrap(), "first");
    let replaced = one(None, Some(&first.etag)).await.unwrap_err();
    assert_eq!((replaced.class(), replaced.code()), (FailureClass::Gone, "source.replaced"));

    let deleted = world.s3.delete_object().bucket(SOURCE).key("offer.docx").send().await.unwrap();
    for version in [None, deleted.version_id()] {
        let gone = one(version, None).await.unwrap_err();
        assert_eq!((gone.class(), gone.code()), (FailureClass::Gone, "source.gone"));
    }
    assert!(one(version, None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn bytes_that_broke_off_or_rotted_are_not_kept() {
    for algorithm in [None, Some(ChecksumAlgorithm::Crc64Nvme), Some(ChecksumAlgorithm::Sha256)] {
        let world = World::new(false).await;
        let put = world.s3.put_object().bucket(SOURCE).key("scan.tif").body(content(5_000).into());
        put.set_checksum_algorithm(algorithm.clone()).send().await.unwrap();
        world.aws.s3().cut_next_get(2_000);
        let cut = read(&world, "scan.tif").await.unwrap_err();
        assert_eq!((cut.class(), cut.code()), (FailureClass::Transient, "source.cut"));
        assert!(world.aws.s3().flip_byte(SOURCE, "scan.tif", 1_000));
        let rotten = read(&world, "scan.tif").await.unwrap_err();
        assert_eq!(rotten.class(), FailureClass::Transient, "{algorithm:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_archived_object_can_still_be_looked_at() {
    let world = World::new(false).await;
    let put = world.s3.put_object().bucket(SOURCE).key("old.tif").body(content(5_000).into());
    put.storage_class(StorageClass::Glacier).send().await.unwrap();
    let object = read(&world, "old.tif").await.unwrap();
    assert_eq!(object.storage_class.as_deref(), Some("GLACIER"));
    let refused = object.peek(&world.s3, 16).await.unwrap_err();
    assert_eq!((refused.class(), refused.code()), (FailureClass::Invalid, "source.archived"));
}
