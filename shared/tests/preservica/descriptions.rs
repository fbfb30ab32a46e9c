//! Identifiers and pieces of descriptive metadata.

use shared::{
    error::FailureClass,
    preservica::{EntityKind, Settings, is_same_xml},
};
use simulators::{
    faults::{Action, Rule},
    preservica as simulator,
};

use crate::world::{ours, seeded, tenant, tenant_with};

const SCHEMA: &str = "urn:example:campaign";

#[tokio::test(start_paused = true)]
async fn preservica_identifiers_are_found_at_once_and_may_be_of_several() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let (spring, report) = (seeded(&simulator, "Spring launch"), seeded(&simulator, "Annual report"));
    let found = client.by_identifier("OTMM", "a1b2c3:1").all().await.unwrap();
    assert_eq!((found.len(), &found[0].reference, found[0].kind), (1, &spring, Some(EntityKind::Asset)));
    assert!(client.by_identifier("OTMM", "nothing").all().await.unwrap().is_empty());
    client.add_identifier((EntityKind::Asset, &report), "OTMM", "a1b2c3:1").await.unwrap();
    assert_eq!(client.by_identifier("OTMM", "a1b2c3:1").all().await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn preservica_identifiers_are_added_once_changed_and_removed() {
    for empty in [false, true] {
        let (simulator, client) = tenant_with(
            simulator::Settings { identifier_update_empty: empty, ..simulator::Settings::default() },
            Settings { page_size: 2, ..ours() },
        );
        let spring = seeded(&simulator, "Spring launch");
        let of = (EntityKind::Asset, &spring);
        simulator.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/identifiers$")).unwrap();
        let mut made = client.ensure_identifier(of, "Waybill", "Größe & <Maß>").await.unwrap();
        assert_eq!(client.ensure_identifier(of, "Waybill", "Größe & <Maß>").await.unwrap(), made);
        assert_eq!(client.identifiers(of).all().await.unwrap().len(), 4, "three are seeded");
        made.value = "2".to_owned();
        client.change_identifier(of, &made).await.unwrap();
        assert!(client.identifiers(of).all().await.unwrap().contains(&made));
        for _ in 0..2 {
            client.remove_identifier(of, &made.id).await.unwrap();
        }
        assert_eq!(client.identifiers(of).all().await.unwrap().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn preservica_types_of_identifiers_may_or_may_not_mind_their_case() {
    for minds in [true, false] {
        let settings =
            simulator::Settings { identifier_types_mind_case: minds, ..simulator::Settings::default() };
        let (_, client) = tenant(settings);
        let found = client.by_identifier("otmm", "a1b2c3:1").all().await.unwrap();
        assert_eq!(found.is_empty(), minds);
    }
}

#[tokio::test(start_paused = true)]
async fn preservica_metadata_comes_back_as_it_was_sent_and_is_written_only_when_it_differs() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let spring = seeded(&simulator, "Spring launch");
    let of = (EntityKind::Asset, &spring);
    let first = format!(
        "<c:campaign xmlns:c=\"{SCHEMA}\" xmlns:x=\"urn:x\" x:kind=\"tv\">mixed <c:name xml:lang=\"de\">\
         B&#228;r &amp; Sohn</c:name> text</c:campaign>"
    );
    let made = client.ensure_fragment(of, SCHEMA, &first).await.unwrap();
    assert!(is_same_xml(&made.xml, &first).unwrap(), "{}", made.xml);
    let puts = || simulator.journal().entries().iter().filter(|entry| entry.method == "PUT").count();
    assert_eq!(client.ensure_fragment(of, SCHEMA, &made.xml).await.unwrap(), made);
    assert_eq!(puts(), 0);
    let second = format!("<campaign xmlns=\"{SCHEMA}\"><name>Other</name></campaign>");
    let changed = client.ensure_fragment(of, SCHEMA, &second).await.unwrap();
    assert_eq!((&changed.id, puts()), (&made.id, 1));
    let all = client.fragments(of).await.unwrap();
    assert_eq!(all.len(), 2, "Dublin Core is seeded: {all:?}");
    assert!(all.iter().any(|fragment| fragment.schema == SCHEMA && fragment.xml.contains("Other")));
    for _ in 0..2 {
        client.remove_fragment(of, &made.id).await.unwrap();
    }
    assert_eq!(client.fragments(of).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn preservica_is_never_sent_what_is_no_xml_or_hides_entities() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let spring = seeded(&simulator, "Spring launch");
    for xml in ["", "<a>", "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>", "{}"] {
        let error = client.add_fragment((EntityKind::Asset, &spring), SCHEMA, xml).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Invalid, "preservica.bad-xml"), "{xml}");
    }
    assert_eq!(simulator.journal().count(), 0);
}
