//! Objects: content, names, ranges, conditions, checksums, what is known about them.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, MetadataDirective, Tag, Tagging};

use crate::side::{Capability, Side, refusal};

crate::contract![
    an_object_comes_back_byte_for_byte,
    names_may_be_odd,
    what_is_missing_is_named,
    a_range_is_a_part_of_the_whole,
    reads_may_depend_on_the_tag,
    writes_may_depend_on_what_is_there,
    a_wrong_checksum_stores_nothing,
    checksums_are_shown_when_asked_for,
    what_is_said_about_an_object_is_kept,
    tags_have_calls_of_their_own,
    a_copy_keeps_or_replaces_what_is_known,
    a_list_rolls_up_folders_and_pages,
];

pub(crate) async fn bucket(side: &Side) -> String {
    let name = side.name("bucket");
    side.s3.create_bucket().bucket(&name).send().await.unwrap();
    name
}

pub(crate) async fn put(side: &Side, bucket: &str, key: &str, content: &[u8]) -> Option<String> {
    let put = side.s3.put_object().bucket(bucket).key(key).body(ByteStream::from(content.to_vec()));
    put.send().await.unwrap().version_id
}

pub(crate) async fn content(side: &Side, bucket: &str, key: &str) -> Vec<u8> {
    let got = side.s3.get_object().bucket(bucket).key(key).send().await.unwrap();
    got.body.collect().await.unwrap().to_vec()
}

async fn an_object_comes_back_byte_for_byte(side: Side) {
    let bucket = bucket(&side).await;
    for (key, bytes) in [("empty", vec![]), ("small", vec![0, 255, 13, 10]), ("large", vec![7; 300_000])] {
        put(&side, &bucket, key, &bytes).await;
        assert_eq!(content(&side, &bucket, key).await, bytes, "{key}");
        let head = side.s3.head_object().bucket(&bucket).key(key).send().await.unwrap();
        assert_eq!(head.content_length(), Some(i64::try_from(bytes.len()).unwrap()));
    }
    let head = side.s3.head_object().bucket(&bucket).key("small").send().await.unwrap();
    let etag = head.e_tag().unwrap();
    assert!(etag.starts_with('"') && etag.len() == 34, "{etag}");
    assert!((head.last_modified().unwrap().secs() - side.seconds()).abs() < 60);
    side.s3.delete_object().bucket(&bucket).key("small").send().await.unwrap();
    side.s3.delete_object().bucket(&bucket).key("small").send().await.unwrap();
    let gone = side.s3.get_object().bucket(&bucket).key("small").send().await;
    assert!(gone.unwrap_err().into_service_error().is_no_such_key());
}

async fn names_may_be_odd(side: Side) {
    let bucket = bucket(&side).await;
    let long = format!("{}/{}", "ü".repeat(400), "x".repeat(223));
    assert_eq!(long.len(), 1024);
    let keys = [
        "with space/a b.pdf",
        "plus+and%percent%20.txt",
        "Straße/契約書 é.pdf",
        "quote\"'<&>;?#[]@!$()*,:=~.bin",
        "a//b",
        "trailing/",
        long.as_str(),
    ];
    for key in keys {
        put(&side, &bucket, key, key.as_bytes()).await;
    }
    for key in keys {
        assert_eq!(content(&side, &bucket, key).await, key.as_bytes(), "{key}");
    }
    let listed = side.s3.list_objects_v2().bucket(&bucket).send().await.unwrap();
    let mut expected = keys.to_vec();
    expected.sort_unstable();
    assert_eq!(listed.contents().iter().filter_map(|object| object.key()).collect::<Vec<_>>(), expected);
    if !side.can(Capability::ObjectLimits) {
        return;
    }
    let longer = format!("{long}x");
    let refused =
        side.s3.put_object().bucket(&bucket).key(&longer).body(ByteStream::from_static(b"x")).send().await;
    assert_eq!(refusal(refused), "KeyTooLongError");
}

async fn what_is_missing_is_named(side: Side) {
    let bucket = bucket(&side).await;
    let missing = side.s3.get_object().bucket(&bucket).key("nothing").send().await;
    assert!(missing.unwrap_err().into_service_error().is_no_such_key());
    let head = side.s3.head_object().bucket(&bucket).key("nothing").send().await;
    assert!(head.unwrap_err().into_service_error().is_not_found());
    let nowhere = side.name("nowhere");
    assert_eq!(refusal(side.s3.get_object().bucket(&nowhere).key("x").send().await), "NoSuchBucket");
    let head = side.s3.head_bucket().bucket(&nowhere).send().await;
    assert!(head.unwrap_err().into_service_error().is_not_found());
    let versions = side.s3.get_object().bucket(&bucket).key("nothing").version_id("null").send().await;
    assert!(["NoSuchVersion", "NoSuchKey"].contains(&refusal(versions).as_str()));
}

async fn a_range_is_a_part_of_the_whole(side: Side) {
    let bucket = bucket(&side).await;
    put(&side, &bucket, "digits", b"0123456789").await;
    for (range, expected, header) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
    ] {
        let got = side.s3.get_object().bucket(&bucket).key("digits").range(range).send().await.unwrap();
        assert_eq!(got.content_range(), Some(header));
        assert_eq!(got.body.collect().await.unwrap().to_vec(), expected.as_bytes(), "{range}");
    }
    let beyond = side.s3.get_object().bucket(&bucket).key("digits").range("bytes=10-").send().await;
    assert_eq!(refusal(beyond), "InvalidRange");
}

async fn reads_may_depend_on_the_tag(side: Side) {
    let bucket = bucket(&side).await;
    put(&side, &bucket, "a", b"one").await;
    let head = side.s3.head_object().bucket(&bucket).key("a").send().await.unwrap();
    let etag = head.e_tag().unwrap();
    let get = || side.s3.get_object().bucket(&bucket).key("a");
    assert!(get().if_match(etag).send().await.is_ok());
    let changed = get().if_match("\"0\"").send().await;
    assert_eq!(refusal(changed), "PreconditionFailed");
    let same = get().if_none_match(etag).send().await.unwrap_err();
    assert_eq!(same.raw_response().unwrap().status().as_u16(), 304);
    assert!(get().if_none_match("\"0\"").send().await.is_ok());
}

async fn writes_may_depend_on_what_is_there(side: Side) {
    let bucket = bucket(&side).await;
    let write = |content: &'static [u8]| {
        side.s3.put_object().bucket(&bucket).key("a").body(ByteStream::from_static(content))
    };
    assert_eq!(refusal(write(b"x").if_match("\"0\"").send().await), "NoSuchKey");
    let first = write(b"one").if_none_match("*").send().await.unwrap();
    assert_eq!(refusal(write(b"two").if_none_match("*").send().await), "PreconditionFailed");
    assert_eq!(content(&side, &bucket, "a").await, b"one");
    assert_eq!(refusal(write(b"two").if_match("\"0\"").send().await), "PreconditionFailed");
    write(b"two").if_match(first.e_tag().unwrap()).send().await.unwrap();
    assert_eq!(content(&side, &bucket, "a").await, b"two");
}

async fn a_wrong_checksum_stores_nothing(side: Side) {
    let bucket = bucket(&side).await;
    let write = || side.s3.put_object().bucket(&bucket).key("a").body(ByteStream::from_static(b"hello"));
    let sha256 = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    assert_eq!(refusal(write().checksum_sha256(sha256.replace('L', "M")).send().await), "BadDigest");
    assert_eq!(refusal(write().checksum_crc32("AAAAAA==").send().await), "BadDigest");
    assert_eq!(refusal(write().checksum_crc64_nvme("AAAAAAAAAAA=").send().await), "BadDigest");
    assert_eq!(refusal(write().content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await), "BadDigest");
    let head = side.s3.head_object().bucket(&bucket).key("a").send().await;
    assert!(head.unwrap_err().into_service_error().is_not_found());
    write().checksum_sha256(sha256).send().await.unwrap();
    write().checksum_crc32("NhCmhg==").send().await.unwrap();
    write().checksum_crc64_nvme("M3eFcAZSQlc=").send().await.unwrap();
    write().content_md5("XUFAKrxLKna5cZ2REBfFkg==").send().await.unwrap();
}

async fn checksums_are_shown_when_asked_for(side: Side) {
    let bucket = bucket(&side).await;
    let sha256 = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    let write = || side.s3.put_object().bucket(&bucket).key("a").body(ByteStream::from_static(b"hello"));
    let put = write().checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    if side.can(Capability::ChecksumOnAnswers) {
        assert_eq!(put.checksum_sha256(), Some(sha256));
    }
    let head = side.s3.head_object().bucket(&bucket).key("a").checksum_mode(ChecksumMode::Enabled);
    assert_eq!(head.send().await.unwrap().checksum_sha256(), Some(sha256));
    let get = side
        .s3
        .get_object()
        .bucket(&bucket)
        .key("a")
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(get.checksum_sha256(), Some(sha256));
    assert_eq!(get.body.collect().await.unwrap().to_vec(), b"hello", "and the client verifies it");
    if side.can(Capability::ChecksumOnAnswers) {
        let put = write().checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).send().await.unwrap();
        assert_eq!(put.checksum_crc64_nvme(), Some("M3eFcAZSQlc="));
        assert_eq!(put.checksum_type().unwrap().as_str(), "FULL_OBJECT");
    }
}

async fn what_is_said_about_an_object_is_kept(side: Side) {
    let bucket = bucket(&side).await;
    side.s3
        .put_object()
        .bucket(&bucket)
        .key("a")
        .body(ByteStream::from_static(b"%PDF-"))
        .content_type("application/pdf")
        .content_disposition("attachment; filename=\"a.pdf\"")
        .cache_control("no-store")
        .metadata("claim", "4711")
        .metadata("Mixed-Case", "kept")
        .tagging("stage=final&who=a%20b")
        .send()
        .await
        .unwrap();
    let got = side.s3.get_object().bucket(&bucket).key("a").send().await.unwrap();
    assert_eq!((got.content_type(), got.cache_control()), (Some("application/pdf"), Some("no-store")));
    assert_eq!(got.content_disposition(), Some("attachment; filename=\"a.pdf\""));
    assert_eq!(got.tag_count(), Some(2));
    let metadata = got.metadata().unwrap();
    assert_eq!(metadata["claim"], "4711");
    assert_eq!(metadata["mixed-case"], "kept", "names are lower case on the way back");
    let refused = side.s3.put_object().bucket(&bucket).key("b").body(ByteStream::from_static(b"x"));
    if side.can(Capability::ObjectLimits) {
        let refused = refused.metadata("long", "x".repeat(2049)).send().await;
        assert_eq!(refusal(refused), "MetadataTooLarge");
    }
    if side.can(Capability::EncodedMetadata) {
        // What a client sends as encoded words is stored decoded and comes back encoded.
        let put = side.s3.put_object().bucket(&bucket).key("c").body(ByteStream::from_static(b"x"));
        put.metadata("title", "=?UTF-8?B?WsO8cmljaA==?=").send().await.unwrap();
        let got = side.s3.head_object().bucket(&bucket).key("c").send().await.unwrap();
        assert_eq!(got.metadata().unwrap()["title"], "=?UTF-8?Q?Z=C3=BCrich?=");
    }
}

async fn tags_have_calls_of_their_own(side: Side) {
    let bucket = bucket(&side).await;
    put(&side, &bucket, "a", b"x").await;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let write = |tags: Vec<Tag>| {
        let tags = Tagging::builder().set_tag_set(Some(tags)).build().unwrap();
        side.s3.put_object_tagging().bucket(&bucket).key("a").tagging(tags).send()
    };
    write(vec![tag("stage", "<final> & done"), tag("empty", "")]).await.unwrap();
    let mut found = side.s3.get_object_tagging().bucket(&bucket).key("a").send().await.unwrap().tag_set;
    found.sort_by(|one, two| one.key.cmp(&two.key));
    assert_eq!(found, [tag("empty", ""), tag("stage", "<final> & done")]);
    if side.can(Capability::ObjectLimits) {
        let many = (0..11).map(|number| tag(&number.to_string(), "x")).collect();
        assert_eq!(refusal(write(many).await), "BadRequest");
        assert_eq!(refusal(write(vec![tag("a", "1"), tag("a", "2")]).await), "InvalidTag");
    }
    side.s3.delete_object_tagging().bucket(&bucket).key("a").send().await.unwrap();
    let found = side.s3.get_object_tagging().bucket(&bucket).key("a").send().await.unwrap();
    assert!(found.tag_set().is_empty());
    let missing = side.s3.get_object_tagging().bucket(&bucket).key("nothing").send().await;
    assert_eq!(refusal(missing), "NoSuchKey");
}

async fn a_copy_keeps_or_replaces_what_is_known(side: Side) {
    let bucket = bucket(&side).await;
    let put = side.s3.put_object().bucket(&bucket).key("from ü+").body(ByteStream::from_static(b"content"));
    let put = put.content_type("text/plain").metadata("a", "1").tagging("t=1").send().await.unwrap();
    let source = format!("{bucket}/from%20%C3%BC%2B");
    let copy = |key: &str| side.s3.copy_object().bucket(&bucket).key(key).copy_source(&source);
    let copied = copy("kept").send().await.unwrap();
    assert_eq!(copied.copy_object_result().unwrap().e_tag(), put.e_tag());
    let head = side.s3.head_object().bucket(&bucket).key("kept").send().await.unwrap();
    assert_eq!((head.content_type(), head.metadata().unwrap()["a"].as_str()), (Some("text/plain"), "1"));
    let replaced = copy("replaced").metadata_directive(MetadataDirective::Replace).content_type("text/html");
    replaced.metadata("b", "2").send().await.unwrap();
    let head = side.s3.head_object().bucket(&bucket).key("replaced").send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/html"));
    assert_eq!(head.metadata().unwrap().keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(content(&side, &bucket, "replaced").await, b"content");
    let changed = copy("never").copy_source_if_match("\"0\"").send().await;
    assert_eq!(refusal(changed), "PreconditionFailed");
    if side.can(Capability::ObjectLimits) {
        assert_eq!(refusal(copy("from ü+").send().await), "InvalidRequest");
    }
    let missing = side.s3.copy_object().bucket(&bucket).key("x").copy_source(format!("{bucket}/nothing"));
    assert_eq!(refusal(missing.send().await), "NoSuchKey");
}

async fn a_list_rolls_up_folders_and_pages(side: Side) {
    let bucket = bucket(&side).await;
    for key in ["a/1", "a/2", "b/1", "b/c/1", "top", "z & <z>"] {
        put(&side, &bucket, key, b"x").await;
    }
    let list = || side.s3.list_objects_v2().bucket(&bucket);
    let rolled = list().delimiter("/").send().await.unwrap();
    let folders: Vec<_> = rolled.common_prefixes().iter().filter_map(|folder| folder.prefix()).collect();
    let keys: Vec<_> = rolled.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!((folders, keys), (vec!["a/", "b/"], vec!["top", "z & <z>"]));
    let under = list().prefix("b/").delimiter("/").send().await.unwrap();
    assert_eq!((under.contents().len(), under.common_prefixes()[0].prefix()), (1, Some("b/c/")));
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let page = list().max_keys(4).set_continuation_token(token).send().await.unwrap();
        assert!(page.key_count().unwrap() <= 4);
        found.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        token = page.next_continuation_token().map(str::to_owned);
        assert_eq!(page.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            break;
        }
    }
    assert_eq!(found, ["a/1", "a/2", "b/1", "b/c/1", "top", "z & <z>"]);
    let after = list().start_after("b/c/1").send().await.unwrap();
    assert_eq!(after.contents()[0].key(), Some("top"));
}
