//! Content in, content out.

use shared::{
    content_server::{COLLISION, NewVersion, kind},
    error::FailureClass,
};

use super::{content, document, tenants, upload};

#[tokio::test]
async fn a_document_comes_back_byte_for_byte_with_its_identity() {
    for tenant in tenants("document").await {
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let name = "Größe \"1\" – 契約書.bin";
        let made = tenant
            .client
            .create_document(&document(tenant.folder, name), &upload(name, &bytes))
            .await
            .unwrap();
        assert_eq!(content(&tenant.client, made.id, None).await, bytes);
        let node = tenant.client.find_child(tenant.folder, name).await.unwrap().unwrap();
        assert_eq!((node.id, node.kind, node.name.as_str()), (made.id, kind::DOCUMENT, name));
        assert_eq!(node.external.identity.as_deref(), Some(&*format!("s3://intake/{name}#1")));
        assert_eq!(node.size, Some(bytes.len() as u64));
        let version = tenant.client.latest_version(made.id).await.unwrap();
        assert_eq!((version.number, version.file_size), (1, Some(bytes.len() as u64)));
    }
}

#[tokio::test]
async fn versions_follow_one_another_and_each_keeps_its_content() {
    for tenant in tenants("versions").await {
        let made = tenant
            .client
            .create_document(&document(tenant.folder, "v.txt"), &upload("v.txt", b"one"))
            .await
            .unwrap();
        for (number, text) in [(2, "two"), (3, "three")] {
            let new = NewVersion {
                description: format!("sha256 {text} {}", "x".repeat(300)),
                ..NewVersion::default()
            };
            let added =
                tenant.client.add_version(made.id, &new, &upload("v.txt", text.as_bytes())).await.unwrap();
            assert_eq!((added.number, added.file_size), (number, Some(text.len() as u64)));
        }
        let versions = tenant.client.list_versions(made.id).await.unwrap();
        assert_eq!(versions.iter().map(|version| version.number).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(versions[1].description.chars().count(), 255);
        assert!(versions[1].description.starts_with("sha256 two"));
        assert_eq!(tenant.client.latest_version(made.id).await.unwrap().number, 3);
        assert_eq!(tenant.client.get_version(made.id, 2).await.unwrap().description, versions[1].description);
        for (number, text) in [(1, "one"), (2, "two"), (3, "three")] {
            assert_eq!(content(&tenant.client, made.id, Some(number)).await, text.as_bytes());
        }
    }
}

#[tokio::test]
async fn a_file_without_bytes_stays_without_bytes() {
    for tenant in tenants("empty").await {
        let made =
            tenant.client.create_document(&document(tenant.folder, "0"), &upload("0", b"")).await.unwrap();
        assert_eq!(content(&tenant.client, made.id, None).await, b"");
    }
}

#[tokio::test]
async fn a_taken_name_is_a_collision_and_leaves_the_first_alone() {
    for tenant in tenants("collision").await {
        let new = document(tenant.folder, "Letter.txt");
        let first = tenant.client.create_document(&new, &upload("Letter.txt", b"first")).await.unwrap();
        for name in ["Letter.txt", "LETTER.TXT"] {
            let again = document(tenant.folder, name);
            let error = tenant.client.create_document(&again, &upload(name, b"second")).await.unwrap_err();
            assert_eq!((error.class(), error.code()), (FailureClass::Conflict, COLLISION), "{error:?}");
        }
        assert_eq!(content(&tenant.client, first.id, None).await, b"first");
    }
}

#[tokio::test]
async fn any_name_is_stored_as_escaped_and_read_back() {
    for tenant in tenants("names").await {
        let rules = &tenant.client.settings().names;
        let long = format!("{}.tiff", "scan ".repeat(80));
        for text in [
            "a:b/c\\d",
            " leading",
            "trailing. ",
            "50%3A",
            "line\nbreak",
            "emoji 🦀",
            "%-",
            "\u{65}\u{301}",
            &long,
        ] {
            let name = rules.escape(text);
            let new = document(tenant.folder, &name);
            let made = tenant.client.create_document(&new, &upload("x", b"x")).await.unwrap();
            assert_eq!(made.name, name, "stored under another name than was sent");
            let found = tenant.client.find_child(tenant.folder, &name).await.unwrap().unwrap();
            assert_eq!(found.id, made.id);
            if text.len() < 200 {
                assert_eq!(rules.unescape(&found.name).as_deref(), Some(text));
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_as_such() {
    for tenant in tenants("missing").await {
        let folder = tenant.client.get_node(tenant.folder).await.unwrap();
        let missing = shared::content_server::NodeId(folder.id.0 + 999_999_999);
        let error = tenant.client.get_node(missing).await.unwrap_err();
        assert_eq!(
            (error.class(), error.code()),
            (FailureClass::Forbidden, shared::content_server::NOT_ACCESSIBLE)
        );
        assert!(tenant.client.download(missing, None).await.is_err());
        let found = tenant.client.list_nodes(&[folder.id, missing]).await.unwrap();
        assert_eq!(found.iter().map(|node| node.id).collect::<Vec<_>>(), [folder.id]);
        assert!(tenant.client.find_nickname("waybill_no_such_nickname").await.unwrap().is_none());
    }
}
