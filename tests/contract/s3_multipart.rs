//! Multipart uploads: parts, their order, their hashes, and what is left when one gives up.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
};

use crate::s3_objects::{bucket, content, put};
use crate::side::{Capability, Side, refusal};

crate::contract![
    parts_become_one_object,
    a_small_part_is_only_allowed_at_the_end,
    parts_must_be_the_ones_uploaded,
    an_aborted_upload_leaves_nothing,
    parts_can_be_copied,
    a_multipart_object_has_a_checksum,
    a_wrong_checksum_completes_nothing,
    a_completion_may_depend_on_what_is_there,
];

const PART: usize = 5 * 1024 * 1024;

async fn begin(side: &Side, bucket: &str, key: &str) -> String {
    let created = side.s3.create_multipart_upload().bucket(bucket).key(key).content_type("video/mp4");
    created.metadata("reel", "1").send().await.unwrap().upload_id.unwrap()
}

async fn part(
    side: &Side,
    bucket: &str,
    key: &str,
    id: &str,
    number: i32,
    content: Vec<u8>,
) -> CompletedPart {
    let sent = side.s3.upload_part().bucket(bucket).key(key).upload_id(id).part_number(number);
    let sent = sent.body(ByteStream::from(content)).send().await.unwrap();
    CompletedPart::builder().part_number(number).e_tag(sent.e_tag.unwrap()).build()
}

fn named(parts: Vec<CompletedPart>) -> CompletedMultipartUpload {
    CompletedMultipartUpload::builder().set_parts(Some(parts)).build()
}

async fn complete(
    side: &Side,
    bucket: &str,
    key: &str,
    id: &str,
    parts: Vec<CompletedPart>,
) -> Result<String, String> {
    let complete = side.s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
    match complete.multipart_upload(named(parts)).send().await {
        Ok(done) => Ok(done.e_tag.unwrap()),
        Err(error) => Err(refusal::<(), _>(Err(error))),
    }
}

async fn parts_become_one_object(side: Side) {
    let bucket = bucket(&side).await;
    let id = begin(&side, &bucket, "film").await;
    let second = part(&side, &bucket, "film", &id, 7, b"end".to_vec()).await;
    let replaced = part(&side, &bucket, "film", &id, 1, b"wrong".to_vec()).await;
    let first = part(&side, &bucket, "film", &id, 1, vec![1; PART]).await;
    assert_ne!(replaced.e_tag(), first.e_tag());
    let listed = side.s3.list_parts().bucket(&bucket).key("film").upload_id(&id).send().await.unwrap();
    let sizes: Vec<_> =
        listed.parts().iter().map(|part| (part.part_number().unwrap(), part.size().unwrap())).collect();
    assert_eq!(sizes, [(1, i64::try_from(PART).unwrap()), (7, 3)]);
    let etag = complete(&side, &bucket, "film", &id, vec![first.clone(), second.clone()]).await.unwrap();
    assert!(etag.trim_matches('"').ends_with("-2"), "{etag}");
    let found = content(&side, &bucket, "film").await;
    assert_eq!((found.len(), &found[PART - 1..]), (PART + 3, b"\x01end".as_slice()));
    let head = side.s3.head_object().bucket(&bucket).key("film").send().await.unwrap();
    assert_eq!((head.content_type(), head.metadata().unwrap()["reel"].as_str()), (Some("video/mp4"), "1"));
    assert_eq!(head.e_tag(), Some(etag.as_str()));
    if side.can(Capability::StrictCompletion) {
        let again = complete(&side, &bucket, "film", &id, vec![first, second]).await;
        assert_eq!(again, Err("NoSuchUpload".to_owned()));
    }
}

async fn a_small_part_is_only_allowed_at_the_end(side: Side) {
    if !side.can(Capability::LeastPart) {
        return;
    }
    let bucket = bucket(&side).await;
    let id = begin(&side, &bucket, "a").await;
    let parts = vec![
        part(&side, &bucket, "a", &id, 1, vec![1; PART - 1]).await,
        part(&side, &bucket, "a", &id, 2, vec![2; 10]).await,
    ];
    assert_eq!(complete(&side, &bucket, "a", &id, parts.clone()).await, Err("EntityTooSmall".to_owned()));
    assert!(
        complete(&side, &bucket, "a", &id, parts[1..].to_vec()).await.is_ok(),
        "the upload is still open"
    );
}

async fn parts_must_be_the_ones_uploaded(side: Side) {
    let bucket = bucket(&side).await;
    let id = begin(&side, &bucket, "a").await;
    let one = part(&side, &bucket, "a", &id, 1, vec![1; PART]).await;
    let two = part(&side, &bucket, "a", &id, 2, vec![2; 10]).await;
    let changed =
        CompletedPart::builder().part_number(1).e_tag("\"00000000000000000000000000000000\"").build();
    let never = CompletedPart::builder().part_number(3).e_tag(one.e_tag().unwrap()).build();
    for (parts, code) in [
        (vec![changed, two.clone()], "InvalidPart"),
        (vec![one.clone(), two.clone(), never], "InvalidPart"),
        (vec![two.clone(), one.clone()], "InvalidPartOrder"),
        (vec![], "MalformedXML"),
    ] {
        if code == "InvalidPart" || side.can(Capability::StrictCompletion) {
            assert_eq!(complete(&side, &bucket, "a", &id, parts).await, Err(code.to_owned()));
        }
    }
    assert_eq!(complete(&side, &bucket, "a", "nonsense", vec![one]).await, Err("NoSuchUpload".to_owned()));
}

async fn an_aborted_upload_leaves_nothing(side: Side) {
    let bucket = bucket(&side).await;
    let id = begin(&side, &bucket, "folder/a").await;
    let one = part(&side, &bucket, "folder/a", &id, 1, vec![1; 10]).await;
    let list = || side.s3.list_multipart_uploads().bucket(&bucket).prefix("folder/").send();
    let open = list().await.unwrap();
    assert_eq!((open.uploads().len(), open.uploads()[0].upload_id()), (1, Some(id.as_str())));
    side.s3.abort_multipart_upload().bucket(&bucket).key("folder/a").upload_id(&id).send().await.unwrap();
    assert!(list().await.unwrap().uploads().is_empty());
    assert_eq!(complete(&side, &bucket, "folder/a", &id, vec![one]).await, Err("NoSuchUpload".to_owned()));
    let late = side.s3.upload_part().bucket(&bucket).key("folder/a").upload_id(&id).part_number(2);
    assert_eq!(refusal(late.body(ByteStream::from_static(b"x")).send().await), "NoSuchUpload");
    let listed = side.s3.list_parts().bucket(&bucket).key("folder/a").upload_id(&id).send().await;
    assert_eq!(refusal(listed), "NoSuchUpload");
}

async fn parts_can_be_copied(side: Side) {
    let bucket = bucket(&side).await;
    let mut source = vec![0; PART + 100];
    source[PART..].fill(9);
    put(&side, &bucket, "source +", &source).await;
    let id = begin(&side, &bucket, "copy").await;
    let mut parts = Vec::new();
    for (number, range) in [(1, format!("bytes=0-{}", PART - 1)), (2, format!("bytes={PART}-{}", PART + 99))]
    {
        let copied =
            side.s3.upload_part_copy().bucket(&bucket).key("copy").upload_id(&id).part_number(number);
        let copied = copied.copy_source(format!("{bucket}/source%20%2B")).copy_source_range(range);
        let etag = copied.send().await.unwrap().copy_part_result.unwrap().e_tag.unwrap();
        parts.push(CompletedPart::builder().part_number(number).e_tag(etag).build());
    }
    let beyond = side.s3.upload_part_copy().bucket(&bucket).key("copy").upload_id(&id).part_number(3);
    let beyond = beyond.copy_source(format!("{bucket}/source%20%2B")).copy_source_range("bytes=0-99999999");
    if side.can(Capability::ObjectLimits) {
        assert_eq!(refusal(beyond.send().await), "InvalidArgument");
    }
    complete(&side, &bucket, "copy", &id, parts).await.unwrap();
    assert_eq!(content(&side, &bucket, "copy").await, source);
}

/// Uploads `one` and `two` under an algorithm; the parts carry their checksums.
async fn upload(
    side: &Side,
    bucket: &str,
    algorithm: ChecksumAlgorithm,
    kind: ChecksumType,
) -> (String, Vec<CompletedPart>) {
    let created = side.s3.create_multipart_upload().bucket(bucket).key("a");
    let created = created.checksum_algorithm(algorithm.clone()).checksum_type(kind).send().await.unwrap();
    let id = created.upload_id.unwrap();
    let mut parts = Vec::new();
    for (number, content) in [(1, vec![b'a'; PART]), (2, b"hello".to_vec())] {
        let sent = side.s3.upload_part().bucket(bucket).key("a").upload_id(&id).part_number(number);
        let sent =
            sent.checksum_algorithm(algorithm.clone()).body(ByteStream::from(content)).send().await.unwrap();
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        let part = part.set_checksum_sha256(sent.checksum_sha256).set_checksum_crc32(sent.checksum_crc32);
        parts.push(part.set_checksum_crc64_nvme(sent.checksum_crc64_nvme).build());
    }
    (id, parts)
}

async fn a_multipart_object_has_a_checksum(side: Side) {
    let bucket = bucket(&side).await;
    let head = || side.s3.head_object().bucket(&bucket).key("a").checksum_mode(ChecksumMode::Enabled).send();
    let (id, parts) = upload(&side, &bucket, ChecksumAlgorithm::Sha256, ChecksumType::Composite).await;
    complete(&side, &bucket, "a", &id, parts).await.unwrap();
    let composite = head().await.unwrap();
    assert!(composite.checksum_sha256().unwrap().ends_with("-2"), "a hash of hashes, and marked as one");
    if !side.can(Capability::FullObjectChecksum) {
        return;
    }
    let (id, parts) = upload(&side, &bucket, ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject).await;
    complete(&side, &bucket, "a", &id, parts).await.unwrap();
    let full = head().await.unwrap().checksum_crc64_nvme.unwrap();
    let mut whole = vec![b'a'; PART];
    whole.extend(b"hello");
    let put = side.s3.put_object().bucket(&bucket).key("same").body(ByteStream::from(whole));
    let put = put.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).send().await.unwrap();
    assert_eq!(put.checksum_crc64_nvme, Some(full), "the same content, written in one piece");
}

async fn a_wrong_checksum_completes_nothing(side: Side) {
    if !side.can(Capability::FullObjectChecksum) {
        return;
    }
    let bucket = bucket(&side).await;
    let (id, parts) = upload(&side, &bucket, ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject).await;
    let complete = side.s3.complete_multipart_upload().bucket(&bucket).key("a").upload_id(&id);
    let complete = complete.multipart_upload(named(parts.clone())).checksum_type(ChecksumType::FullObject);
    let refused = complete.clone().checksum_crc64_nvme("AAAAAAAAAAA=").send().await;
    assert_eq!(refusal(refused), "BadDigest");
    let refused = complete.clone().mpu_object_size(1).send().await;
    assert_eq!(refusal(refused), "InvalidRequest");
    let head = side.s3.head_object().bucket(&bucket).key("a").send().await;
    assert!(head.unwrap_err().into_service_error().is_not_found());
    complete.mpu_object_size(i64::try_from(PART + 5).unwrap()).send().await.unwrap();
}

async fn a_completion_may_depend_on_what_is_there(side: Side) {
    let bucket = bucket(&side).await;
    let id = begin(&side, &bucket, "a").await;
    let one = part(&side, &bucket, "a", &id, 1, b"new".to_vec()).await;
    put(&side, &bucket, "a", b"old").await;
    let complete = side.s3.complete_multipart_upload().bucket(&bucket).key("a").upload_id(&id);
    let refused = complete.multipart_upload(named(vec![one])).if_none_match("*").send().await;
    assert_eq!(refusal(refused), "PreconditionFailed");
    assert_eq!(content(&side, &bucket, "a").await, b"old");
}
