//! Any source into S3, over as many invocations as it takes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_s3::{primitives::ByteStream, types::ChecksumAlgorithm};
use bytes::Bytes;
use shared::{
    error::{Error, FailureClass, System},
    http::full,
    transfer::{
        Digests, Progress, RangedSource, S3Object, UploadSizes, UploadTarget, Uploaded, abandon, upload,
    },
};

use crate::world::{Fault, TARGET, World, content, pieces, source};

/// Uploads of these tests are made in parts from 50,000 bytes up, and recorded every two parts.
const SIZES: UploadSizes = UploadSizes { single: 50_000, part: 40_000, record_every: 80_000 };

fn assert_done(progress: &shared::error::Result<Progress<Uploaded>>, bytes: &Bytes, what: &str) {
    match progress {
        Ok(Progress::Done(uploaded)) => assert_eq!(uploaded.digests, Digests::of(bytes), "{what}"),
        other => panic!("{what}: {other:?}"),
    }
}

async fn assert_arrived(world: &World, key: &str, bytes: &Bytes, what: &str) {
    assert_eq!(world.target(key).as_ref(), Some(bytes), "{what}");
    assert_eq!(world.aws.s3().versions(TARGET).len(), 1, "{what}");
    assert_eq!(world.orphans(), Vec::<String>::new(), "{what}");
    // What S3 itself says of it.
    let made = S3Object::head(&world.s3, TARGET, key, None, None).await.unwrap();
    let digests = Digests::of(bytes);
    let proofs = (made.checksum_sha256.as_ref(), made.checksum_crc64_nvme.as_ref());
    assert!(proofs.0 == Some(&digests.sha256) || proofs.1 == Some(&digests.crc64_nvme), "{what}: {made:?}");
}

#[tokio::test(start_paused = true)]
async fn contents_of_every_length_arrive_with_the_hash_that_was_read() {
    for length in [0, 1, 50_000, 50_001, 80_000, 200_000, 200_001] {
        for key in ["out/a b+c%.bin", "Größe/日本語 📦"] {
            let world = World::new(false).await;
            world.aws.s3().set_least_part(40_000);
            let bytes = content(length);
            let run = world.attempt().await;
            let to = UploadTarget {
                content_type: Some("video/mp4".to_owned()),
                user_metadata: [("node".to_owned(), "4711".to_owned())].into(),
                tags: [("kept by".to_owned(), "a+b".to_owned())].into(),
                ..UploadTarget::new(TARGET, key)
            };
            let done = upload(&world.s3, &source(&bytes), &to, SIZES, &run, "upload").await;
            assert_done(&done, &bytes, key);
            assert_arrived(&world, key, &bytes, key).await;
            let made = S3Object::head(&world.s3, TARGET, key, None, None).await.unwrap();
            assert_eq!(made.content_type, to.content_type);
            assert_eq!(made.user_metadata, to.user_metadata);
            assert_eq!(made.tags(&world.s3).await.unwrap(), to.tags);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_killed_anywhere_is_continued_with_an_equal_hash_and_no_orphan() {
    let faults = [Fault::HangInBody, Fault::HangAfter];
    let calls = [
        ("CreateMultipartUpload", 1),
        ("UploadPart", 6),
        // begun, id, then after parts 2, 4 and 6
        ("UpdateItem", 6),
        ("CompleteMultipartUpload", 1),
    ];
    for only_if_absent in [false, true] {
        for (call, times) in calls {
            for (fault, after) in faults.into_iter().flat_map(|fault| (0..times).map(move |n| (fault, n))) {
                let what = format!("{fault:?} at {call} {after}");
                let world = World::new(false).await;
                world.aws.s3().set_least_part(40_000);
                let bytes = content(230_000);
                let to = UploadTarget { only_if_absent, ..UploadTarget::new(TARGET, "film.mov") };
                let run = world.attempt().await;
                world.plan(call, after, fault);
                let killed = tokio::time::timeout(
                    Duration::from_secs(20),
                    upload(&world.s3, &source(&bytes), &to, SIZES, &run, "upload"),
                )
                .await;
                // The claim was the first update of the ledger; the last planned one may never come.
                if let Ok(done) = killed {
                    assert_eq!((call, after), ("UpdateItem", times - 1), "{what}: {done:?}");
                    continue;
                }
                assert_eq!(
                    world.target("film.mov").is_some(),
                    call.starts_with("Complete") && fault == Fault::HangAfter
                );
                world.until_the_claim_ends().await;
                world.forget();
                let run = world.attempt().await;
                let done = upload(&world.s3, &source(&bytes), &to, SIZES, &run, "upload").await;
                assert_done(&done, &bytes, &what);
                assert_arrived(&world, "film.mov", &bytes, &what).await;
                if call == "UploadPart" {
                    // What was recorded is not sent again: at most the part since the last record.
                    assert!(world.calls("UploadPart") <= 6 - after + 1, "{what}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_longer_than_an_invocation_pauses_by_itself_and_goes_on() {
    let world = World::new(false).await;
    world.aws.s3().set_least_part(40_000);
    let bytes = content(500_000);
    let to = UploadTarget::new(TARGET, "film.mov");
    // Each part takes four seconds to read; an invocation has ten.
    let (content, context) = (bytes.clone(), world.context.clone());
    let read = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&read);
    let slow = RangedSource::new("one", bytes.len() as u64, move |offset, length| {
        let part = content.slice(offset as usize..(offset + length) as usize);
        let (context, counted) = (context.clone(), Arc::clone(&counted));
        async move {
            context.sleep(Duration::from_secs(4)).await;
            counted.fetch_add(length, Ordering::Relaxed);
            Ok(pieces(part))
        }
    });
    let mut invocations = 0;
    loop {
        invocations += 1;
        let run = world.attempt_for(10).await;
        let began = world.context.now_milliseconds();
        let progress = upload(&world.s3, &slow, &to, SIZES, &run, "upload").await;
        let took = world.context.now_milliseconds() - began;
        assert!(took <= 11_000, "stopped after {took} ms");
        if matches!(progress, Ok(Progress::Paused)) {
            assert_eq!(world.target("film.mov"), None);
            world.until_the_claim_ends().await;
            continue;
        }
        assert_done(&progress, &bytes, "at last");
        break;
    }
    // 13 parts, two in each invocation.
    assert_eq!(invocations, 7);
    assert_eq!(read.load(Ordering::Relaxed), 500_000, "no byte is read twice");
    assert_arrived(&world, "film.mov", &bytes, "at last").await;
}

#[tokio::test(start_paused = true)]
async fn what_breaks_on_the_way_is_sent_again() {
    for fault in [Fault::Refuse, Fault::LoseAnswer, Fault::FlipBit, Fault::Unavailable] {
        for call in ["UploadPart", "PutObject", "CreateMultipartUpload", "CompleteMultipartUpload"] {
            if fault == Fault::FlipBit && call.ends_with("MultipartUpload") {
                continue;
            }
            for only_if_absent in [false, true] {
                let what = format!("{fault:?} of {call}, only if absent: {only_if_absent}");
                let world = World::new(false).await;
                world.aws.s3().set_least_part(40_000);
                let bytes = content(if call == "PutObject" { 40_000 } else { 130_000 });
                let to = UploadTarget { only_if_absent, ..UploadTarget::new(TARGET, "film.mov") };
                world.plan(call, 0, fault);
                let mut done = None;
                for _ in 0..3 {
                    let run = world.attempt().await;
                    let progress = upload(&world.s3, &source(&bytes), &to, SIZES, &run, "upload").await;
                    if let Err(error) = &progress {
                        assert_eq!(error.class(), FailureClass::Transient, "{what}: {error:?}");
                        world.until_the_claim_ends().await;
                        continue;
                    }
                    done = Some(progress);
                    break;
                }
                assert_done(&done.expect(&what), &bytes, &what);
                assert_eq!(world.target("film.mov").as_ref(), Some(&bytes), "{what}");
                assert_eq!(world.aws.s3().versions(TARGET).len(), 1, "{what}");
                assert_arrived(&world, "film.mov", &bytes, &what).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_ends_early_or_late_never_becomes_an_object() {
    for (length, extra) in [(40_000, -1_i64), (40_000, 1), (130_000, -1), (130_000, 1)] {
        let world = World::new(false).await;
        world.aws.s3().set_least_part(40_000);
        let bytes = content(length + 1);
        let wrong = RangedSource::new("one", length as u64, move |offset, asked| {
            let end = offset + asked;
            let end = if end == length as u64 { end.saturating_add_signed(extra) } else { end };
            let part = bytes.slice(offset as usize..end as usize);
            async move { Ok(pieces(part)) }
        });
        let to = UploadTarget::new(TARGET, "film.mov");
        let run = world.attempt().await;
        let error = upload(&world.s3, &wrong, &to, SIZES, &run, "upload").await.unwrap_err();
        assert_eq!(
            (error.class(), error.code()),
            (FailureClass::Transient, "source.cut"),
            "{length} {extra}"
        );
        assert_eq!(world.target("film.mov"), None);
        // The item is put aside in the end.
        abandon(&world.s3, &to, &run, "upload").await.unwrap();
        assert_eq!(world.orphans(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_gone_in_the_middle_leaves_no_orphan() {
    let world = World::new(false).await;
    world.aws.s3().set_least_part(40_000);
    let bytes = content(130_000);
    let vanishing = RangedSource::new("one", 130_000, move |offset, length| {
        let part = bytes.slice(offset as usize..(offset + length) as usize);
        async move {
            if offset >= 80_000 {
                return Err(Error::new(FailureClass::Gone, System::S3, "read", "source.gone", "gone"));
            }
            Ok(full(part))
        }
    });
    let run = world.attempt().await;
    let to = UploadTarget::new(TARGET, "film.mov");
    let error = upload(&world.s3, &vanishing, &to, SIZES, &run, "upload").await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Gone);
    assert_eq!(world.target("film.mov"), None);
    assert_eq!(world.orphans(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn halves_of_two_contents_never_become_one_object() {
    let world = World::new(false).await;
    world.aws.s3().set_least_part(40_000);
    let (old, new) = (content(200_000), content(200_001).slice(1..));
    let to = UploadTarget::new(TARGET, "film.mov");
    for (bytes, kills) in [(&old, true), (&new, false)] {
        world.put("film.mov", bytes.clone()).await;
        let from = RangedSource::from_object(&world.head("film.mov").await, &world.s3);
        if kills {
            world.plan("UploadPart", 3, Fault::HangInBody);
        }
        let run = world.attempt().await;
        let uploading = upload(&world.s3, &from, &to, SIZES, &run, "upload");
        let outcome = tokio::time::timeout(Duration::from_secs(20), uploading).await;
        if kills {
            assert!(outcome.is_err());
            world.until_the_claim_ends().await;
        } else {
            assert_done(&outcome.unwrap(), bytes, "new");
        }
    }
    assert_arrived(&world, "film.mov", &new, "new").await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_worker_whose_claim_has_ended_neither_completes_nor_aborts() {
    let world = World::new(false).await;
    world.aws.s3().set_least_part(40_000);
    let bytes = content(200_000);
    let to = UploadTarget::new(TARGET, "film.mov");
    // The first worker hangs in its source for longer than its claim, and then wakes.
    let (content, context) = (bytes.clone(), world.context.clone());
    let sleepy = RangedSource::new("one", 200_000, move |offset, length| {
        let part = content.slice(offset as usize..(offset + length) as usize);
        let context = context.clone();
        async move {
            if offset == 120_000 {
                context.sleep(Duration::from_secs(70)).await;
            }
            Ok(pieces(part))
        }
    });
    let first = world.attempt_for(1_000).await;
    let slow = upload(&world.s3, &sleepy, &to, SIZES, &first, "upload");
    let fast = async {
        world.until_the_claim_ends().await;
        let second = world.attempt().await;
        world.plan("UploadPart", 1, Fault::HangInBody);
        let from = source(&bytes);
        let uploading = upload(&world.s3, &from, &to, SIZES, &second, "upload");
        let killed = tokio::time::timeout(Duration::from_secs(30), uploading);
        assert!(killed.await.is_err());
    };
    let (slow, ()) = tokio::join!(slow, fast);
    let error = slow.unwrap_err();
    assert_eq!(error.code(), "ledger.fenced");
    assert_eq!(world.target("film.mov"), None);
    assert_eq!(world.orphans(), ["film.mov"], "it belongs to the one who holds the claim");

    world.until_the_claim_ends().await;
    let third = world.attempt().await;
    let done = upload(&world.s3, &source(&bytes), &to, SIZES, &third, "upload").await;
    assert_done(&done, &bytes, "third");
    assert_arrived(&world, "film.mov", &bytes, "third").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_kept_when_it_must_not_be_replaced() {
    for length in [40_000, 130_000] {
        let world = World::new(false).await;
        world.aws.s3().set_least_part(40_000);
        let bytes = content(length);
        let put = |body: &'static [u8]| {
            world.s3.put_object().bucket(TARGET).key("film.mov").body(ByteStream::from_static(body)).send()
        };
        put(b"another").await.unwrap();
        let to = UploadTarget { only_if_absent: true, ..UploadTarget::new(TARGET, "film.mov") };
        let run = world.attempt().await;
        let error = upload(&world.s3, &source(&bytes), &to, SIZES, &run, "upload").await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Conflict, "target.exists"));
        assert_eq!(world.target("film.mov").unwrap(), "another");
        assert_eq!(world.orphans(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_a_lifecycle_rule_ended_is_begun_anew() {
    let world = World::new(false).await;
    world.aws.s3().set_least_part(40_000);
    let bytes = content(200_000);
    let to = UploadTarget::new(TARGET, "film.mov");
    world.plan("UploadPart", 3, Fault::HangInBody);
    let run = world.attempt().await;
    let from = source(&bytes);
    let uploading = upload(&world.s3, &from, &to, SIZES, &run, "upload");
    assert!(tokio::time::timeout(Duration::from_secs(20), uploading).await.is_err());
    abandon(&world.s3, &to, &run, "upload").await.unwrap();
    assert_eq!(world.orphans(), Vec::<String>::new());
    world.until_the_claim_ends().await;
    let run = world.attempt().await;
    let done = upload(&world.s3, &source(&bytes), &to, SIZES, &run, "upload").await;
    assert_done(&done, &bytes, "anew");
    assert_arrived(&world, "film.mov", &bytes, "anew").await;
}

#[tokio::test(start_paused = true)]
async fn parts_that_changed_in_the_store_meanwhile_are_not_built_upon() {
    let world = World::new(false).await;
    world.aws.s3().set_least_part(40_000);
    let bytes = content(200_000);
    let to = UploadTarget::new(TARGET, "film.mov");
    world.plan("UploadPart", 3, Fault::HangInBody);
    let run = world.attempt().await;
    let from = source(&bytes);
    let uploading = upload(&world.s3, &from, &to, SIZES, &run, "upload");
    assert!(tokio::time::timeout(Duration::from_secs(20), uploading).await.is_err());
    let open = world.s3.list_multipart_uploads().bucket(TARGET).send().await.unwrap();
    let part = world.s3.upload_part().bucket(TARGET).key("film.mov").part_number(1);
    let part = part.upload_id(open.uploads()[0].upload_id().unwrap());
    let part = part.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme);
    part.body(ByteStream::from(content(40_001).slice(1..))).send().await.unwrap();

    world.until_the_claim_ends().await;
    world.forget();
    let run = world.attempt().await;
    let done = upload(&world.s3, &source(&bytes), &to, SIZES, &run, "upload").await;
    assert_done(&done, &bytes, "again");
    assert_eq!(world.calls("UploadPart"), 5, "every part is sent again");
    assert_arrived(&world, "film.mov", &bytes, "again").await;
}

#[tokio::test(start_paused = true)]
async fn an_object_of_another_account_passes_through_part_by_part() {
    let world = World::new(true).await;
    world.aws.s3().set_least_part(40_000);
    let bytes = content(170_000);
    world.put("film.mov", bytes.clone()).await;
    let object = world.head("film.mov").await;
    let run = world.attempt().await;
    let from = RangedSource::from_object(&object, &world.s3);
    world.aws.s3().cut_next_get(20_000);
    let to = UploadTarget::new(TARGET, "film.mov");
    let done = upload(&world.s3, &from, &to, SIZES, &run, "upload").await;
    assert_done(&done, &bytes, "passed through");
    assert_arrived(&world, "film.mov", &bytes, "passed through").await;
    assert!(world.calls("GetObject") == 6, "five parts, one of them twice");
}
