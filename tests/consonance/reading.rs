//! Products, works, contracts and files, whatever the account leaves open.

use jiff::civil::date;
use shared::consonance::{LIST_UNORDERED, PAGING_STUCK, Settings};
use simulators::{
    consonance::{self as simulator, settings::ProductionFiles},
    faults::{Action, Rule},
};

use crate::{account, account_with, ids, ours};

fn settings(change: impl FnOnce(&mut simulator::Settings)) -> simulator::Settings {
    let mut settings = simulator::Settings::default();
    change(&mut settings);
    settings
}

#[tokio::test(start_paused = true)]
async fn every_product_comes_once_whatever_pages_and_order_the_server_has() {
    for theirs in [
        settings(|_| {}),
        settings(|theirs| theirs.list_cap = Some(1)),
        settings(|theirs| theirs.list_cap = Some(2)),
        settings(|theirs| theirs.list_cap = Some(50)),
        settings(|theirs| theirs.lists_unordered = true),
    ] {
        let whole = Settings { unordered_lists_are_whole: theirs.lists_unordered, ..ours() };
        let (_, client) = account_with(theirs.clone(), whole);
        let products = client.products_changed(None).await.unwrap();
        assert_eq!(ids(&products, |one| one.id), [2001, 2002, 2003, 2004, 2005], "{theirs:?}");
        let works = client.works_changed(None).await.unwrap();
        assert_eq!(ids(&works, |one| one.id), [1001, 1002, 1003, 1004], "{theirs:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_catalogue_that_no_answer_could_hold_is_read_some_at_once() {
    let (simulator, client) = account(settings(|_| {}));
    // 36 MB of words, more than twice what one answer may have.
    let words = "salt ".repeat(12_000);
    simulator.with_state(|state| {
        for number in 0..600 {
            let title = format!("Title {number}");
            state.add_product(
                serde_json::json!({"workId": 1001, "__typename": "GenericProduct", "fullTitle": title,
                "subtitle": words}),
            );
        }
    });
    let products = client.products_changed(None).await.unwrap();
    assert_eq!(products.len(), 605);
    assert!(
        products.last().is_some_and(|last| last.subtitle.as_ref().is_some_and(|text| text.len() > 59_000))
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_has_to_stop_goes_on_from_the_last_record_that_was_dealt_with() {
    let (simulator, client) = account_with(settings(|_| {}), Settings { records_at_once: 2, ..ours() });
    assert_eq!(client.changed_product_ids(None, 2003).await.unwrap(), [2004, 2005]);
    assert_eq!(client.changed_work_ids(None, 1003).await.unwrap(), [1004]);
    let ids_then = client.changed_product_ids(None, 0).await.unwrap();
    simulator.with_state(|state| state.remove_product(2002));
    let before = simulator.journal().count();
    let products = client.read_products(&ids_then).await.unwrap();
    assert_eq!(ids(&products, |one| one.id), [2001, 2003, 2004, 2005], "one was deleted in between");
    assert_eq!(simulator.journal().count() - before, 3, "two at once");
    // A server may tell of the missing one by an error, and give nothing of the others then.
    let told = r#"{"data":{"r0":null},"errors":[{"message":"Product not found","path":["r0"]}]}"#;
    let action =
        Action::Status { status: 200, body: Some(told.to_owned()), content_type: None, retry_after: None };
    simulator.faults().add(Rule::next(action)).unwrap();
    assert_eq!(ids(&client.read_products(&[2001, 2002]).await.unwrap(), |one| one.id), [2001]);
}

#[tokio::test(start_paused = true)]
async fn a_list_out_of_order_that_may_be_capped_is_refused_instead_of_read_in_part() {
    let theirs = settings(|theirs| (theirs.lists_unordered, theirs.list_cap) = (true, Some(2)));
    let (_, client) = account(theirs.clone());
    assert_eq!(client.products_changed(None).await.unwrap_err().code(), LIST_UNORDERED);
    assert_eq!(client.works_changed(Some(date(2030, 1, 1))).await.unwrap_err().code(), LIST_UNORDERED);
    // What would be lost without anybody knowing.
    let (_, trusting) = account_with(theirs, Settings { unordered_lists_are_whole: true, ..ours() });
    assert_eq!(ids(&trusting.products_changed(None).await.unwrap(), |one| one.id), [2004, 2005]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_repeats_itself_is_found_out() {
    let (simulator, client) = account(settings(|theirs| theirs.after_ignored = true));
    let error = client.products_changed(None).await.unwrap_err();
    assert_eq!(error.code(), PAGING_STUCK);
    let lists = simulator.journal().entries().iter().filter(|entry| entry.path == "/graphql").count();
    assert!(lists < 12, "{lists} calls before it was noticed");
    let (_, client) = account_with(settings(|_| {}), Settings { most_records: 3, ..ours() });
    assert_eq!(client.products_changed(None).await.unwrap_err().code(), PAGING_STUCK);
}

#[tokio::test(start_paused = true)]
async fn what_changed_since_a_day_is_among_what_comes() {
    let (simulator, client) = account(settings(|theirs| theirs.changed_since_over_reports = false));
    let since = Some(date(2031, 5, 6));
    assert!(client.products_changed(since).await.unwrap().is_empty());
    simulator.with_state(|state| state.touch_product(2002));
    assert_eq!(ids(&client.products_changed(since).await.unwrap(), |one| one.id), [2002]);
    // Its siblings come too where too much is told; comparing finds that they are the same.
    simulator.with_state(|state| state.settings.changed_since_over_reports = true);
    let again = client.products_changed(since).await.unwrap();
    assert_eq!(ids(&again, |one| one.id), [2001, 2002]);
    let before = client.find_product(2001).await.unwrap().unwrap();
    assert_eq!(again[0].title().fingerprint().unwrap(), before.title().fingerprint().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_title_is_the_same_in_each_way_the_server_writes_it() {
    let mut seen = Vec::new();
    for (enumerations, lists) in [(true, true), (false, false)] {
        let (_, client) = account(settings(|theirs| {
            theirs.codes_are_enumerations = enumerations;
            theirs.countries_are_lists = lists;
        }));
        let product = client.find_product(2001).await.unwrap().unwrap();
        let title = product.title();
        assert_eq!(
            title.authors,
            ["First Author", "Second Author"],
            "by number, without the reader of the audiobook"
        );
        assert_eq!((title.status.as_deref(), title.form.as_deref()), (Some("04"), Some("BC")));
        assert_eq!(
            (title.product_id, title.title.as_deref(), title.subtitle.as_deref(), title.format.as_deref()),
            (Some(2001), Some("The Salt Road"), Some("A history of the coast"), Some("Paperback"))
        );
        let words = title.short_description.as_ref().map(|text| text.as_str());
        assert_eq!(
            words,
            Some("Salt & sea, cafés."),
            "of the work, as the product has none; no markup is left"
        );
        assert_eq!(title.isbn.as_ref().map(|isbn| isbn.as_str()), Some("9780000000002"));
        assert_eq!(
            (title.work_id, title.imprint.as_deref(), title.stage.as_deref()),
            (Some(1001), Some("Harbour Coastal"), Some("Published"))
        );
        assert_eq!(title.publication_date, Some(date(2031, 4, 1)));
        let set = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
        assert_eq!(
            (&title.territories.for_sale, &title.territories.not_for_sale),
            (&set(&["GB", "IE"]), &set(&["CA", "US"]))
        );
        assert_eq!(title.territories.worldwide, Some(false));
        assert_eq!(title.territories.statement.as_deref(), Some("For sale in GB and IE"));
        let everywhere = client.find_product(2002).await.unwrap().unwrap().title().territories;
        assert_eq!(
            (everywhere.worldwide, everywhere.statement.as_deref(), everywhere.for_sale.len()),
            (Some(true), Some("For sale worldwide"), 0)
        );
        assert_eq!(product.prices[1].amount.map(|amount| amount.to_string()), Some("18.9".to_owned()));
        assert_eq!(product.kind.as_deref(), Some("PhysicalBookProduct"));
        seen.push(title.fingerprint().unwrap());
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test(start_paused = true)]
async fn records_with_holes_and_mistakes_are_read_and_told() {
    let (_, client) = account(settings(|_| {}));
    let tide = client.find_product(2003).await.unwrap().unwrap().title();
    assert_eq!((tide.isbn, tide.publication_date, tide.warnings.len()), (None, None, 0));
    assert_eq!(tide.authors, ["Harbour Institute"], "the editor where there is no author");
    assert_eq!(tide.form.as_deref(), Some("EC"), "from the older list");
    let letters = client.find_product(2004).await.unwrap().unwrap().title();
    assert_eq!((letters.isbn, letters.isbn_text.as_deref()), (None, Some("9780000000027")));
    assert_eq!(letters.warnings.len(), 1);
    let audio = client.find_product(2005).await.unwrap().unwrap().title();
    assert_eq!(audio.authors, ["An Editor"], "its author wrote for another edition");
    assert_eq!(client.find_product(9999).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_contract_ends_after_whole_months_and_never_by_a_guess() {
    let (_, client) = account(settings(|_| {}));
    let salt = client.find_contract(31).await.unwrap().unwrap();
    assert_eq!(
        (salt.work.as_ref().and_then(|work| work.id), salt.expires()),
        (Some(1001), Some(date(2034, 1, 31)))
    );
    assert_eq!(salt.licensed_rights[0].right_type.as_deref(), Some("Translation"));
    let tide = client.find_contract(32).await.unwrap().unwrap();
    assert_eq!((tide.term.as_deref(), tide.expires()), (Some("Full term of copyright"), None));
    assert_eq!(client.find_contract(99).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn production_files_are_found_wherever_the_schema_has_them() {
    for place in [ProductionFiles::Work, ProductionFiles::Product] {
        let (_, client) = account(settings(|theirs| theirs.production_files = place));
        let files = client.production_files(1001).await.unwrap();
        assert_eq!(ids(&files, |file| file.id), [701]);
        assert_eq!(
            (files[0].file_size, files[0].address()),
            (Some(21_474_836_480), None),
            "the size came as text"
        );
    }
    let (_, client) = account(settings(|theirs| theirs.production_files = ProductionFiles::Nowhere));
    assert_eq!(client.production_files(1001).await.unwrap_err().code(), "consonance.schema-lacks");
    let (_, client) = account(settings(|theirs| theirs.production_file_downloads = true));
    let file = client.production_files(1001).await.unwrap().remove(0);
    assert!(file.address().is_some_and(|address| address.contains("salt-road-text.pdf")));
    assert!(!format!("{file:?}").contains("Signature"), "who has the address may read the file");
}

#[tokio::test(start_paused = true)]
async fn an_image_keeps_the_two_slashes_of_its_address() {
    let (_, client) = account(settings(|_| {}));
    let images = client.supporting_resources(1001).await.unwrap();
    assert_eq!(
        images[0].url.as_deref(),
        Some("https://images.example.com/harbour/801//_jpg_rgb_original.jpg")
    );
    assert_eq!(images[0].is_processing, Some(false));
}
