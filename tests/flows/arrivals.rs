//! Uploads that arrive.

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{BucketVersioningStatus, VersioningConfiguration},
};
use serde_json::json;
use simulators::content_server::{seed, state::Permission};

use crate::world::{World, bytes, content, take_test_event};

#[tokio::test]
async fn an_upload_arrives_as_a_document_with_its_categories() {
    let world = World::usual().await;
    world
        .place
        .s3
        .put_object()
        .bucket(&world.place.intake)
        .key("claims/100117/kitchen.txt")
        .tagging("kind=Photo")
        .metadata("remarks", "taken on the day")
        .body(ByteStream::from_static(b"water everywhere"))
        .send()
        .await
        .unwrap();
    world.settle().await;
    let document = world.only_document("Claims/100117", b"water everywhere");
    assert_eq!(document.name, "kitchen.txt");
    assert_eq!(document.description, "Evidence for claim 100117");
    let value = |attribute: &str| {
        world.ecm.with_state(|state| state.value_of(document.id, "Claim Evidence", attribute).cloned())
    };
    assert_eq!(value("Claim Number"), Some(json!("100117")));
    assert_eq!(value("Evidence Type"), Some(json!("Photo")));
    assert_eq!(value("Remarks"), Some(json!("taken on the day")));
}

/// The folder lets everybody read; the rule's permission template and class are what the document has in the end.
#[tokio::test]
async fn an_upload_has_the_rights_and_the_records_class_of_its_rule() {
    use Permission::{Modify, See, SeeContents};
    let world = World::usual().await;
    world.ecm.with_state(|state| {
        let folder = state.at("Claims/Incoming").expect("a folder").id;
        let folder = state.nodes.get_mut(&folder).expect("a folder");
        folder.permissions.public = Some([See, SeeContents].into());
    });
    world.upload("inbox/open.txt", *b"for everybody").await;
    world.upload("governed/letter.txt", *b"dear sirs").await;
    world.settle().await;
    let documents = world.documents("Claims/Incoming");
    let [letter, open] = &documents[..] else { panic!("two documents; {}", world.told()) };
    assert_eq!((letter.name.as_str(), bytes(letter)), ("letter.txt", b"dear sirs".to_vec()));
    world.ecm.with_state(|state| {
        let rights =
            |login: &str, node| state.effective_rights(state.member_by_name(login).expect("a user").id, node);
        assert_eq!(rights("claims.handler", letter), [See, SeeContents, Modify].into(), "the group");
        assert_eq!(rights("auditor", letter), [See].into(), "the user");
        assert_eq!(rights("onboarding.officer", letter), [].into(), "nobody else");
        assert_eq!(rights("onboarding.officer", open), [See, SeeContents].into());
    });
    let class =
        |node: &simulators::content_server::state::Node| node.record.as_ref().map(|record| record.class);
    assert_eq!((class(letter), class(open)), (Some(seed::CLAIM_FILES), None));
}

#[tokio::test]
async fn the_source_is_tagged_with_where_it_went() {
    let world = World::usual().await;
    world.upload("inbox/letter.txt", *b"dear sirs").await;
    world.settle().await;
    let document = world.only_document("Claims/Incoming", b"dear sirs");
    let request = world.place.s3.get_object_tagging().bucket(&world.place.intake).key("inbox/letter.txt");
    let tags = request.send().await.unwrap().tag_set;
    let tag = |name: &str| tags.iter().find(|tag| tag.key == name).map(|tag| tag.value.clone());
    assert_eq!(tag("waybill-node"), Some(document.id.to_string()));
    assert_eq!(tag("waybill-sha256"), Some(document.latest().unwrap().content.sha256.clone()));
}

#[tokio::test]
async fn one_bad_upload_in_a_batch_of_ten_leaves_nine_delivered() {
    let world = World::usual().await;
    for number in 0..10 {
        let bytes = if number == 4 { b"MZ\x90\0 not a picture".to_vec() } else { content(10_000, number) };
        let name = if number == 4 { "holiday.jpg".to_owned() } else { format!("page {number}.bin") };
        world.upload(&format!("inbox/{name}"), bytes).await;
    }
    world.until_queued(10).await;
    let delivery = world.deliver().await;
    assert_eq!((delivery.messages, delivery.stay), (10, 0), "{}", world.told());
    let documents = world.documents("Claims/Incoming");
    assert_eq!(documents.len(), 9);
    for (document, number) in documents.iter().zip([0, 1, 2, 3, 5, 6, 7, 8, 9]) {
        assert_eq!(bytes(document), content(10_000, number), "{}", document.name);
    }
    let reasons = world.reasons().await;
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].to_string().contains("holiday.jpg"), "{reasons:?}");
}

#[tokio::test]
async fn names_arrive_as_they_were_given() {
    let world = World::usual().await;
    let names = [
        "water damage.txt",
        "a+b.txt",
        "100% sure.txt",
        "50%20off.txt", // must not look like an escape of Content Server's forbidden characters
        "Überschwemmung größe.txt",
        "水害 写真.txt",
        "semi;colon & ampersand.txt",
        "=equals?question.txt",
    ];
    for (name, number) in names.iter().zip(0_u32..) {
        world.upload(&format!("inbox/{name}"), format!("text {number}\n")).await;
    }
    world.settle().await;
    let mut documents: Vec<String> =
        world.documents("Claims/Incoming").into_iter().map(|node| node.name).collect();
    let mut names = names.map(|name| name.replace("%20", "%2520")).to_vec();
    names.sort();
    documents.sort();
    assert_eq!(documents, names, "{}", world.told());
}

#[tokio::test]
async fn a_key_of_1024_bytes_arrives() {
    let world = World::usual().await;
    // Folders as long as they get, and a name that Content Server can take.
    let key = format!("deep/{}/{}.txt", "ü".repeat((1024 - 5 - 1 - 54) / 2), "n".repeat(50));
    assert_eq!(key.len(), 1024);
    world.upload(&key, *b"far down").await;
    world.settle().await;
    world.only_document("Claims/Incoming", b"far down");
}

#[tokio::test]
async fn an_empty_upload_arrives_where_its_rule_allows_it_and_is_put_aside_elsewhere() {
    let world = World::usual().await;
    world.upload("empty/nothing.txt", *b"").await;
    world.upload("inbox/nothing at all.txt", *b"").await;
    world.settle().await;
    let document = world.only_document("Claims/Incoming", b"");
    assert_eq!(document.name, "nothing.txt");
    let reasons = world.reasons().await;
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].to_string().contains("empty"), "{reasons:?}");
}

#[tokio::test]
async fn a_replaced_object_becomes_a_new_version() {
    let world = World::usual().await;
    world.upload("inbox/plan.txt", *b"first").await;
    world.settle().await;
    world.upload("inbox/plan.txt", *b"second").await;
    world.settle().await;
    let documents = world.documents("Claims/Incoming");
    assert_eq!(documents.len(), 1);
    let versions: Vec<_> =
        documents[0].versions.iter().map(|version| version.content.bytes().unwrap().to_vec()).collect();
    assert_eq!(versions, [b"first".to_vec(), b"second".to_vec()], "{}", world.told());
}

#[tokio::test]
async fn uploads_arrive_from_a_bucket_without_versions() {
    let world = World::usual().await;
    let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
    let request = world.place.s3.put_bucket_versioning().bucket(&world.place.intake);
    request.versioning_configuration(versioning).send().await.unwrap();
    let bucket = format!("plain-{}", world.place.account);
    world.place.s3.create_bucket().bucket(&bucket).send().await.unwrap();
    let mut plain = world.place.clone();
    plain.intake = bucket;
    plain.notify().await;
    take_test_event(&plain).await;
    for (key, bytes) in [("inbox/one.txt", b"once"), ("inbox/one.txt", b"anew")] {
        let request = plain.s3.put_object().bucket(&plain.intake).key(key);
        request.body(ByteStream::from_static(bytes)).send().await.unwrap();
        world.settle().await;
    }
    let documents = world.documents("Claims/Incoming");
    assert_eq!(documents.len(), 1);
    assert_eq!(bytes(&documents[0]), b"anew", "{}", world.told());
    assert_eq!(documents[0].versions.len(), 2);
}
