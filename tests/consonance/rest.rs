//! REST v4: tolerant records, pages that shift, filters that are ignored.

use shared::{
    consonance::{Filter, PAGING_STUCK, UNAUTHENTICATED},
    error::FailureClass,
    title::Isbn,
};
use simulators::consonance::{self as simulator, seed, settings::CountryElement};

use crate::{account, ids};

fn theirs(change: impl FnOnce(&mut simulator::Settings)) -> simulator::Settings {
    let mut settings = simulator::Settings::default();
    change(&mut settings);
    settings
}

#[tokio::test(start_paused = true)]
async fn every_product_comes_once_even_when_one_moves_while_pages_are_read() {
    for (size, shift) in [(50, false), (2, false), (2, true), (1, true)] {
        let (_, client) = account(theirs(|theirs| {
            theirs.rest_page_size = size;
            theirs.rest_pages_shift = shift;
        }));
        let products = client.rest_products(None).await.unwrap();
        assert_eq!(
            ids(&products, |one| one.id),
            [2001, 2002, 2003, 2004, 2005],
            "{size} a page, shifting: {shift}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn both_interfaces_give_the_same_title() {
    for text in [true, false] {
        let (_, client) = account(theirs(|theirs| {
            theirs.price_amount_is_text = text;
            theirs.country_element = if text { CountryElement::Code } else { CountryElement::Object };
        }));
        let products = client.rest_products(None).await.unwrap();
        let rest = products[0].title();
        let graphql = client.find_product(2001).await.unwrap().unwrap().title();
        assert_eq!((&rest.isbn, &rest.title, &rest.form), (&graphql.isbn, &graphql.title, &graphql.form));
        assert_eq!(
            (&rest.status, &rest.stage, &rest.imprint),
            (&graphql.status, &graphql.stage, &graphql.imprint)
        );
        assert_eq!(
            (rest.product_id, rest.work_id, rest.subtitle.as_deref(), rest.format.as_deref()),
            (Some(2001), Some(1001), Some("A history of the coast"), Some("Paperback"))
        );
        assert_eq!((&rest.subtitle, &rest.format), (&graphql.subtitle, &graphql.format));
        assert_eq!((rest.territories.worldwide, rest.territories.statement.as_deref()), (Some(false), None));
        assert_eq!(products[1].title().territories.worldwide, Some(true), "an empty list of exceptions");
        assert_eq!(rest.short_description, graphql.short_description);
        assert_eq!(rest.short_description.as_ref().map(|text| text.as_str()), Some("Salt & sea, cafés."));
        assert_eq!(rest.publication_date, graphql.publication_date);
        assert_eq!(rest.territories.not_for_sale, graphql.territories.not_for_sale);
        assert_eq!(rest.authorship.as_deref(), Some("First Author and Second Author"));
        assert!(rest.authors.is_empty(), "one text is not taken apart");
        let price = products[0].prices[1].price_amount;
        assert_eq!(price.map(|amount| amount.normalize().to_string()), Some("18.9".to_owned()));
        assert_eq!(products[2].title().isbn_text, None, "No ISBN is no mistake");
        let kept = &products[0].other;
        assert!(kept.get("a_field_of_next_year").is_some(), "what we do not know is kept");
        let words = rest.description.as_ref().map(|text| text.as_str());
        assert_eq!(words, Some("Salt & sea, cafés and ships."), "words, however they were marked up");
        assert!(!format!("{:?}", products[0]).contains("ships"), "texts for readers are not shown in logs");
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_the_server_ignores_gives_nothing_that_was_not_asked_for() {
    let (simulator, client) = account(theirs(|_| {}));
    let isbn = Isbn::parse("978-0-00-000001-9").unwrap();
    for (filter, expected) in [
        (Filter::Id(2003), vec![2003]),
        (Filter::Isbn(isbn), vec![2002]),
        (Filter::PublicationDate("2031-04-01".parse().unwrap()), vec![2001, 2002]),
        (Filter::Shop(1), vec![2001, 2003]),
    ] {
        let products = client.rest_products(Some(&filter)).await.unwrap();
        assert_eq!(ids(&products, |one| one.id), expected, "{filter:?}");
    }
    let queries: Vec<String> =
        simulator.journal().entries().iter().map(|entry| entry.query.clone()).collect();
    assert!(queries.iter().all(|query| query.contains("%5B") && !query.contains('[')), "{queries:?}");
    // All of them for one that was asked for: a server that looks at no filter.
    let mut everything = Vec::new();
    let all = r#"{"current_page":1,"total_pages":1,"products":[{"id":1},{"id":2003,"isbn":"No ISBN"}]}"#;
    simulator
        .faults()
        .add(simulators::faults::Rule::next(simulators::faults::Action::Status {
            status: 200,
            body: Some(all.to_owned()),
            content_type: None,
            retry_after: None,
        }))
        .unwrap();
    everything.extend(client.rest_products(Some(&Filter::Id(2003))).await.unwrap());
    assert_eq!(ids(&everything, |one| one.id), [2003]);
}

#[tokio::test(start_paused = true)]
async fn pages_that_repeat_themselves_are_found_out() {
    let (simulator, client) = account(theirs(|_| {}));
    let again = simulators::faults::Action::Status {
        status: 200,
        body: Some(r#"{"products":[{"id":1},{"id":2}]}"#.to_owned()),
        content_type: None,
        retry_after: None,
    };
    simulator.faults().add(simulators::faults::Rule::next(again).times(100)).unwrap();
    assert_eq!(client.rest_products(None).await.unwrap_err().code(), PAGING_STUCK);
    assert!(simulator.journal().count() < 5, "{} calls before it was noticed", simulator.journal().count());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_for_ever_is_not_shown_again_and_again() {
    let (simulator, client) = account(theirs(|_| {}));
    simulator.with_state(|state| state.rest_tokens.clear());
    for _ in 0..10 {
        let error = client.rest_products(None).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Auth, UNAUTHENTICATED));
        assert!(!format!("{error:?}").contains(seed::REST_TOKEN), "{error:?}");
    }
    assert_eq!(simulator.journal().count(), 1);
}
