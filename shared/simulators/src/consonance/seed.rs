//! The seeded publisher: Harbour Press, a small house with everything about it that makes readers stumble.
//!
//! Works 1001 to 1004 with products from 2001: hyphenated ISBNs, one product without, one with a wrong check digit, one that
//! is out everywhere and one with territories, dates that are missing, measurements that are null, texts with markup,
//! contracts whose term is a number (31) and words (32), an image with two slashes in its address, a production file of
//! 20 GB whose size is a text.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::settings::Settings;
use super::state::State;

/// The key of the GraphQL interface.
pub const GRAPHQL_KEY: &str = "0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p";
/// The token of the REST interface.
pub const REST_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The publisher.
pub fn publisher(settings: Settings, now: Timestamp) -> State {
    let mut state = State::empty(settings, now);
    state.graphql_keys.push(GRAPHQL_KEY.to_owned());
    state.rest_tokens.push(REST_TOKEN.to_owned());
    let stages = [(1, "Proposal"), (2, "Contracted"), (3, "Editorial"), (4, "Production"), (5, "Published")];
    state.stages = stages.into_iter().map(|(id, name)| (id, name.to_owned())).collect();
    works(&mut state);
    products(&mut state);
    people(&mut state);
    contracts(&mut state);
    files(&mut state);
    state.shops.insert(1, vec![2001, 2003]);
    state
}

fn works(state: &mut State) {
    let texts = json!([{
        "id": 301, "variant": "SHORT_DESCRIPTION", "externalText": "<p>Salt &amp; sea, <em>caf&eacute;s</em>.</p>",
        "internalText": null, "externalTextNumberOfCharacters": 42, "fromDate": null,
        "onixContentAudienceCodes": ["00"],
    }]);
    for (id, title, subtitle, imprint, stage, changed) in [
        (
            1001,
            "The Salt Road",
            Some("A history of the coast"),
            (51, "Harbour Coastal"),
            Some("Published"),
            "2031-04-20",
        ),
        (1002, "Tide Tables", None, (52, "Harbour Digital"), Some("Production"), "2031-05-02"),
        (1003, "Letters from the Pier", None, (51, "Harbour Coastal"), Some("Editorial"), "2031-05-05"),
        (1004, "Untitled proposal", None, (51, "Harbour Coastal"), None, "2031-01-10"),
    ] {
        state.works.insert(
            id,
            json!({
                "id": id, "title": title, "subtitle": subtitle, "imprint": {"id": imprint.0, "name": imprint.1},
                "projectStage": stage, "inHouseWorkReference": format!("HP-{id}"), "workType": "Monograph",
                "season": "Spring 2031", "marketingTier": null, "identifyingDoi": null, "publishersUrl": null,
                "contributorPrettyList": null, "authorshipDescription": null, "editionNumber": 1,
                "marketingTexts": texts, "changedOn": changed,
                "subjectCodes": [
                    {"scheme": "THEMA", "code": "NHTB", "description": "Social history", "main": true},
                    {"scheme": "BISAC", "code": "HIS015000", "description": "HISTORY", "main": true},
                ],
            }),
        );
    }
}

struct Edition {
    id: i64,
    work: i64,
    kind: &'static str,
    title: &'static str,
    isbn: Option<(&'static str, &'static str)>,
    form: &'static str,
    format: &'static str,
    status: &'static str,
    published: Option<&'static str>,
    changed: &'static str,
}

const EDITIONS: &[Edition] = &[
    Edition {
        id: 2001,
        work: 1001,
        kind: "PhysicalBookProduct",
        title: "The Salt Road",
        isbn: Some(("9780000000002", "978-0-00-000000-2")),
        form: "BC",
        format: "Paperback",
        status: "04",
        published: Some("2031-04-01"),
        changed: "2031-04-20",
    },
    Edition {
        id: 2002,
        work: 1001,
        kind: "ElectronicBookProduct",
        title: "The Salt Road (e-book)",
        isbn: Some(("9780000000019", "978-0-00-000001-9")),
        form: "DG",
        format: "EPUB",
        status: "04",
        published: Some("2031-04-01"),
        changed: "2031-03-01",
    },
    Edition {
        id: 2003,
        work: 1002,
        kind: "ElectronicProduct",
        title: "Tide Tables",
        isbn: None,
        form: "DH",
        format: "Online",
        status: "02",
        published: None,
        changed: "2031-05-02",
    },
    // A digit that somebody mistyped.
    Edition {
        id: 2004,
        work: 1003,
        kind: "PhysicalBookProduct",
        title: "Letters from the Pier",
        isbn: Some(("9780000000027", "978-0-00-000002-7")),
        form: "BB",
        format: "Hardback",
        status: "02",
        published: Some("2031-10-12"),
        changed: "2031-05-05",
    },
    Edition {
        id: 2005,
        work: 1003,
        kind: "PhysicalAudioProduct",
        title: "Letters from the Pier (audiobook)",
        isbn: None,
        form: "AC",
        format: "CD",
        status: "02",
        published: None,
        changed: "2031-05-05",
    },
];

fn products(state: &mut State) {
    for edition in EDITIONS {
        let is_first = edition.id == 2001;
        let isbn = edition.isbn.map(|(digits, dashes)| {
            json!({"isbn10": null, "isbn13": digits, "isbnWithDashes": dashes, "isbnWithSpaces": dashes.replace('-', " ")})
        });
        state.add_product(json!({
            "id": edition.id, "workId": edition.work, "__typename": edition.kind, "fullTitle": edition.title,
            "titlePrefix": null, "titleWithoutPrefix": edition.title,
            "subtitle": if is_first { json!("A history of the coast") } else { Value::Null }, "isbn": isbn,
            "authorshipDescription": "First Author and Second Author", "productAuthorshipDescription": null,
            "onix21ProductFormCode": edition.form, "status": edition.status,
            "inHouseFormat": {"id": 61, "name": edition.format, "code": null, "productsCount": null},
            "publicationDate": edition.published, "plannedPublicationDate": null,
            "prices": prices(edition.id), "marketingTexts": [],
            "forSaleCountryCodes": if is_first { json!(["GB", "IE"]) } else { json!([]) },
            "notForSaleCountryCodes": if is_first { json!(["CA", "US"]) } else { json!([]) },
            "isForSaleWorldwide": !is_first,
            "salesRightsDescription": if is_first { "For sale in GB and IE" } else { "For sale worldwide" },
            "productHeight": 216.0, "productWidth": 138.0, "productThickness": null, "approximatePageCount": 288,
            "measurements": if is_first { json!({"product_dimensions_mm": "216 \u{d7} 138 \u{d7} 19"}) } else { Value::Null },
            "changedOn": edition.changed,
        }));
    }
}

fn prices(product: i64) -> Value {
    json!([
        {"id": product * 10, "amount": 14.99, "amountWithCurrencyCode": "GBP 14.99", "currencyCode": "GBP",
         "onixPriceTypeCode": "_02", "onixPriceTypeQualifierCode": "_05", "effectiveFrom": null, "effectiveTo": null},
        {"id": product * 10 + 1, "amount": 18.9, "amountWithCurrencyCode": "EUR 18.90", "currencyCode": "EUR",
         "onixPriceTypeCode": "_02", "onixPriceTypeQualifierCode": "_05", "effectiveFrom": null, "effectiveTo": null},
    ])
}

fn people(state: &mut State) {
    for (id, name, inverted) in [
        (401, "First Author", "Author, First"),
        (402, "Second Author", "Author, Second"),
        (403, "An Editor", "Editor, An"),
    ] {
        state.contacts.insert(
            id,
            json!({
                "__typename": "Person", "id": id, "name": name, "personName": name, "personNameInverted": inverted,
                "keyNames": null,
            }),
        );
    }
    state.contacts.insert(
        404,
        json!({
            "__typename": "Organisation", "id": 404, "name": "Harbour Institute",
            "organisationName": "Harbour Institute",
        }),
    );
    // The order of the table is not that of the names, and one holds for one product only.
    for (id, work, sequence, who, role, products) in [
        (501, 1001, 2, 402, "A01", json!([])),
        (502, 1001, 1, 401, "A01", json!([])),
        (503, 1001, 3, 403, "E07", json!([2002])),
        (504, 1002, 1, 404, "B01", json!([])),
        (505, 1003, 1, 401, "A01", json!([2004])),
        (506, 1003, 2, 403, "B01", json!([])),
    ] {
        state.contributions.insert(
            id,
            json!({
                "id": id, "workId": work, "sequenceNumber": sequence, "contributorId": who, "productIds": products,
                "onixContributorRoleCode": role,
            }),
        );
    }
}

fn contracts(state: &mut State) {
    for (id, work, name, signed, term) in [
        (31, 1001, "The Salt Road, volume rights", Some("2029-01-31"), Some("60")),
        (32, 1002, "Tide Tables", Some("2030-06-01"), Some("Full term of copyright")),
        (33, 1003, "Letters from the Pier", None, None),
    ] {
        state.contracts.insert(
            id,
            json!({
                "id": id, "clientId": 7, "workId": work, "contractName": name, "description": null,
                "signedDate": signed, "term": term, "terminatedDate": null, "terminationReason": null,
                "reviewDate": null, "pubBeforeDate": null, "msDeliveryDate": "2030-03-01",
                "revisedMsDeliveryDate": null, "actualMsDeliveryDate": null, "msProofsDate": null,
                "copyrightYear": "2031", "flatFeeValue": null, "guaranteedRoyaltyValue": 2500.5,
                "authorDiscount": "40", "remainderRate": null, "remainderRateOverCost": null, "freeCopies": "6",
                "freeCopiesUsed": "0",
                "licensedRights": [{"id": id * 10, "rightType": "Translation", "authorCut": 75.0}],
                "deliveryDates": [{
                    "id": id * 10 + 1, "deliverableType": "Manuscript", "deliveryRequirement": "Final text",
                    "dateDue": "2030-03-01", "slippedDate": null, "percentageOfTotal": 33.3,
                }],
            }),
        );
    }
}

fn files(state: &mut State) {
    state.production_files.insert(
        701,
        json!({
            "id": 701, "workId": 1001, "productIds": [2001], "filename": "salt-road-text.pdf", "fileFormat": "PDF",
            "fileSize": "21474836480", "fileVariant": "TEXT_PDF", "approvalStatus": "APPROVED",
            "allowDistribution": "ALLOWED", "analysisStatus": "DONE", "exists": true, "inspectable": true,
            "bookmarks": false, "delayedJobStatus": null, "createdAt": "2031-03-20T10:00:00Z",
            "downloadUrl": "https://files.example.com/701/salt-road-text.pdf?X-Amz-Signature=seeded",
        }),
    );
    state.resources.insert(
        801,
        json!({
            "id": 801, "workId": 1001, "url": "https://images.example.com/harbour/801//_jpg_rgb_original.jpg",
            "imageRemoteUrl": null, "filename": "salt-road.jpg", "imageContentType": "image/jpeg",
            "fileSize": 120_034, "height": 650, "aspectRatio": 0.64, "caption": null, "copyright": null,
            "requiredCredit": null, "productIds": [2001, 2002], "createdAt": "2031-03-20T10:00:00Z", "readyAt": "0",
        }),
    );
    state.web_links.insert(
        901,
        json!({
            "id": 901, "workId": 1001, "link": "https://harbour.example.com/salt-road", "description": "Our page",
            "includeInOnix": true, "onixWebsiteRoleCode": "_02", "type": "WORK",
        }),
    );
}
