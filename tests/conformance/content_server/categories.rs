//! Categories by the names people give attributes.

use shared::{
    content_server::{AttributeValue, CategoryOutcome, CategoryValues, NewFolder, NewVersion},
    error::FailureClass,
};
use simulators::content_server as simulator;

use super::{client_of, document, tenants, upload};

#[tokio::test]
async fn attributes_are_written_by_name_with_the_creating_call_and_read_back() {
    for tenant in tenants("category").await {
        let (Some(category), Some(attribute)) =
            (tenant.offered_node("CATEGORY").await, tenant.offer("ATTRIBUTE"))
        else {
            continue;
        };
        let client = &tenant.client;
        let definition = client.category_definition(category.id, tenant.folder).await.unwrap();
        let mut values = CategoryValues::new(category.id);
        definition.put(&mut values, attribute, "100117".into()).unwrap();
        definition.check_required(&values).unwrap();
        let mut new = document(tenant.folder, "evidence.txt");
        new.categories = vec![values.clone()];
        let made = client.create_document(&new, &upload("evidence.txt", b"x")).await.unwrap();
        let read = client.get_categories(made.id).await.unwrap();
        let read = read.iter().find(|read| read.category() == category.id).unwrap();
        let named = definition.name_values(read);
        assert!(named.iter().any(|(known, _, value)| known.name == attribute && *value == "100117".into()));
        assert_eq!(client.set_category(made.id, &values).await.unwrap(), CategoryOutcome::Unchanged);
        definition.put(&mut values, attribute, "100118".into()).unwrap();
        assert_eq!(client.set_category(made.id, &values).await.unwrap(), CategoryOutcome::Updated);
        assert_eq!(client.set_category(made.id, &values).await.unwrap(), CategoryOutcome::Unchanged);
        client.add_version(made.id, &NewVersion::default(), &upload("evidence.txt", b"y")).await.unwrap();
        client.remove_category(made.id, category.id).await.unwrap();
        client.remove_category(made.id, category.id).await.unwrap();
        assert_eq!(client.set_category(made.id, &values).await.unwrap(), CategoryOutcome::Added);
    }
}

#[tokio::test]
async fn every_type_of_attribute_and_the_rows_of_a_set_survive_the_journey() {
    for tenant in tenants("types").await {
        let Some(simulator) = &tenant.simulator else { continue };
        let client = &tenant.client;
        let category = tenant.offered_node("CATEGORY").await.unwrap();
        let definition = client.category_definition(category.id, tenant.folder).await.unwrap();
        let made =
            client.create_document(&document(tenant.folder, "a.txt"), &upload("a.txt", b"x")).await.unwrap();
        let mut values = CategoryValues::new(category.id);
        let many = AttributeValue::Many(vec!["hail".into(), "roof".into()]);
        for (name, value) in [
            ("Claim Number", "100117".into()),
            ("Evidence Type", "Photo".into()),
            ("Loss Date", "2031-04-30".into()),
            ("Received At", "2031-05-06T07:08:09Z".into()),
            ("Estimated Amount", AttributeValue::Integer(12_500)),
            ("Third Party Involved", AttributeValue::Boolean(true)),
            ("Keywords", many),
            ("Handler", AttributeValue::User(1202)),
        ] {
            definition.put(&mut values, name, value).unwrap();
        }
        for (row, name) in [(1, "Ada"), (2, "Grace"), (3, "Edsger")] {
            definition.put_row(&mut values, "Parties:Name", row, name.into()).unwrap();
            definition
                .put_row(&mut values, "Parties:Statement Given", row, (row == 1).to_string().as_str().into())
                .unwrap();
        }
        assert_eq!(client.set_category(made.id, &values).await.unwrap(), CategoryOutcome::Added);
        assert_eq!(client.set_category(made.id, &values).await.unwrap(), CategoryOutcome::Unchanged);
        let amount = simulator
            .with_state(|state| state.value_of(made.id.0, "Claim Evidence", "Estimated Amount").cloned());
        assert_eq!(amount, Some(12_500.into()));

        // Fewer rows, said to be all there are.
        let mut fewer = CategoryValues::new(category.id);
        definition.put_row(&mut fewer, "Parties:Name", 1, "Barbara".into()).unwrap();
        let set = definition.attribute("Parties:Name").and_then(|attribute| attribute.set.clone()).unwrap();
        fewer.replace_rows(set.id);
        assert_eq!(client.set_category(made.id, &fewer).await.unwrap(), CategoryOutcome::Updated);
        let read = client.get_categories(made.id).await.unwrap();
        let names: Vec<_> = definition
            .name_values(&read[0])
            .into_iter()
            .filter(|(attribute, _, value)| attribute.name == "Name" && !value.is_empty())
            .map(|(_, row, value)| (row, value))
            .collect();
        assert_eq!(names, [(Some(1), "Barbara".into())]);
        assert_eq!(client.set_category(made.id, &fewer).await.unwrap(), CategoryOutcome::Unchanged);
    }
}

#[tokio::test]
async fn a_document_without_a_required_attribute_is_refused_and_not_made() {
    for tenant in tenants("required").await {
        let Some(category) = tenant.offered_node("CATEGORY").await else { continue };
        let mut new = document(tenant.folder, "incomplete.txt");
        new.categories = vec![CategoryValues::new(category.id)];
        let error = tenant.client.create_document(&new, &upload("x", b"x")).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Invalid, "{error:?}");
        assert!(tenant.client.find_child(tenant.folder, "incomplete.txt").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn two_who_edit_different_attributes_both_get_their_way() {
    let tenant = tenants("both").await.remove(0);
    let simulator = tenant.simulator.as_ref().unwrap();
    let other = client_of(simulator, shared::content_server::Settings::default());
    let category = tenant.offered_node("CATEGORY").await.unwrap();
    let definition = tenant.client.category_definition(category.id, tenant.folder).await.unwrap();
    let with = |name: &str, value: &str| {
        let mut values = CategoryValues::new(category.id);
        definition.put(&mut values, name, value.into()).unwrap();
        values
    };
    let made = tenant
        .client
        .create_document(&document(tenant.folder, "a.txt"), &upload("a.txt", b"x"))
        .await
        .unwrap();
    tenant.client.set_category(made.id, &with("Claim Number", "1")).await.unwrap();
    let (number, kind) = (with("Claim Number", "2"), with("Evidence Type", "Photo"));
    let outcomes = futures_util::future::join(
        tenant.client.set_category(made.id, &number),
        other.set_category(made.id, &kind),
    )
    .await;
    assert_eq!(
        (outcomes.0.unwrap(), outcomes.1.unwrap()),
        (CategoryOutcome::Updated, CategoryOutcome::Updated)
    );
    let value = |name: &str| {
        simulator.with_state(|state: &mut simulator::State| {
            state.value_of(made.id.0, "Claim Evidence", name).cloned()
        })
    };
    assert_eq!((value("Claim Number"), value("Evidence Type")), (Some("2".into()), Some("Photo".into())));
}

#[tokio::test]
async fn what_comes_into_a_folder_gets_its_category_while_that_is_switched_on() {
    for tenant in tenants("inheritance").await {
        let (Some(category), Some(attribute)) =
            (tenant.offered_node("CATEGORY").await, tenant.offer("ATTRIBUTE"))
        else {
            continue;
        };
        let client = &tenant.client;
        let folder = client.create_folder(tenant.folder, "Letters", &NewFolder::default()).await.unwrap().id;
        let definition = client.category_definition(category.id, folder).await.unwrap();
        let mut values = CategoryValues::new(category.id);
        definition.put(&mut values, attribute, "100117".into()).unwrap();
        client.set_category(folder, &values).await.unwrap();
        for (on, name) in [(true, "with.txt"), (false, "without.txt")] {
            client.set_category_inheritance(folder, category.id, on).await.unwrap();
            // Saying it twice is no fault.
            client.set_category_inheritance(folder, category.id, on).await.unwrap();
            let made = client.create_document(&document(folder, name), &upload(name, b"x")).await.unwrap();
            let got = client.get_categories(made.id).await.unwrap();
            assert_eq!(got.iter().any(|got| got.category() == category.id), on, "{name}");
        }
        let absent = tenant.folder;
        let error = client.set_category_inheritance(absent, category.id, true).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Invalid, "the category is not on it: {error:?}");
    }
}

#[tokio::test]
async fn each_version_keeps_the_values_it_was_filed_with() {
    for tenant in tenants("versions' categories").await {
        let (Some(category), Some(attribute)) =
            (tenant.offered_node("CATEGORY").await, tenant.offer("ATTRIBUTE"))
        else {
            continue;
        };
        let client = &tenant.client;
        let definition = client.category_definition(category.id, tenant.folder).await.unwrap();
        let mut values = CategoryValues::new(category.id);
        definition.put(&mut values, attribute, "100117".into()).unwrap();
        let mut new = document(tenant.folder, "evidence.txt");
        new.categories = vec![values.clone()];
        let made = client.create_document(&new, &upload("evidence.txt", b"x")).await.unwrap();
        definition.put(&mut values, attribute, "100118".into()).unwrap();
        client.set_category(made.id, &values).await.unwrap();
        client.add_version(made.id, &NewVersion::default(), &upload("evidence.txt", b"y")).await.unwrap();
        for (version, expected) in [(1, "100117"), (2, "100118")] {
            let read = client.get_version_categories(made.id, version).await.unwrap();
            let read = read.iter().find(|read| read.category() == category.id).unwrap();
            let named = definition.name_values(read);
            assert!(
                named.iter().any(|(known, _, value)| known.name == attribute && *value == expected.into()),
                "version {version}: {named:?}"
            );
        }
    }
}
