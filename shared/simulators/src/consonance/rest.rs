//! REST v4: products, page by page.

use axum::body::Body;
use http::Response;
use serde_json::{Value, json};

use super::settings::CountryElement;
use super::state::{State, integer};
use crate::frame::{html, json_response};

/// A page of products.
pub(super) fn products(state: &mut State, path: &str, query: &str) -> Response<Body> {
    let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let page =
        query.iter().find(|(name, _)| name == "page").and_then(|(_, value)| value.parse::<usize>().ok());
    let page = page.unwrap_or(1).max(1);
    let mut ids = state.rest_order.clone();
    for (name, wanted) in &query {
        let Some(filter) = name.strip_prefix("q[").and_then(|name| name.strip_suffix(']')) else { continue };
        if !keep(state, filter, wanted, &mut ids) && !state.settings.rest_unknown_filters_ignored {
            return html(500, "We're sorry, but something went wrong");
        }
    }
    let size = state.settings.rest_page_size.max(1);
    let shown: Vec<Value> = ids
        .chunks(size)
        .nth(page - 1)
        .unwrap_or_default()
        .iter()
        .filter_map(|id| state.products.get(id))
        .map(|product| shown(state, product))
        .collect();
    if state.settings.rest_pages_shift && !state.rest_order.is_empty() {
        state.rest_order.rotate_left(1);
    }
    json_response(
        200,
        &json!({
            "current_page": page, "per_page": size, "total_pages": ids.len().div_ceil(size),
            "url": path, "products": shown,
        }),
    )
}

/// Keeps what a filter wants; whether it is one that is known.
fn keep(state: &State, filter: &str, wanted: &str, ids: &mut Vec<i64>) -> bool {
    let product = |id: &i64| state.products.get(id).unwrap_or(&Value::Null);
    match filter {
        "id_eq" => ids.retain(|id| id.to_string() == wanted),
        "isbn_eq" => ids.retain(|id| product(id).pointer("/isbn/isbn13").is_some_and(|isbn| isbn == wanted)),
        "pub_date_eq" => ids.retain(|id| product(id)["publicationDate"] == wanted),
        "work_title_cont" => ids.retain(|id| {
            let work = integer(&product(id)["workId"]).and_then(|id| state.works.get(&id));
            let title = work.and_then(|work| work["title"].as_str()).unwrap_or_default();
            title.to_lowercase().contains(&wanted.to_lowercase())
        }),
        "shops_id_eq" => {
            let shop =
                wanted.parse().ok().and_then(|id: i64| state.shops.get(&id)).cloned().unwrap_or_default();
            ids.retain(|id| shop.contains(id));
        }
        _ => return false,
    }
    true
}

fn shown(state: &State, product: &Value) -> Value {
    let work = integer(&product["workId"]).and_then(|id| state.works.get(&id)).unwrap_or(&Value::Null);
    let prices: Vec<Value> = product["prices"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|price| {
            let amount = price["amount"].as_f64().unwrap_or_default();
            let qualifier =
                price["onixPriceTypeQualifierCode"].as_str().map(|code| code.trim_start_matches('_'));
            json!({
                "price_amount": match state.settings.price_amount_is_text {
                    true => json!(format!("{amount:.2}")),
                    false => json!(amount),
                },
                "currency_code": price["currencyCode"], "price_qualifier": qualifier,
            })
        })
        .collect();
    let countries: Vec<Value> = product["notForSaleCountryCodes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|code| match state.settings.country_element {
            CountryElement::Code => code.clone(),
            CountryElement::Object => json!({"code": code, "name": format!("Country {code}")}),
        })
        .collect();
    let images: Vec<Value> = state
        .resources
        .values()
        .filter(|resource| resource["productIds"].as_array().is_some_and(|ids| ids.contains(&product["id"])))
        .map(|resource| {
            json!({"style_urls": [
                {"style": "jpg_rgb_0050w", "url": resource["url"]},
                {"style": "jpg_rgb_0650h", "url": resource["url"]},
            ]})
        })
        .collect();
    json!({
        "id": product["id"], "work_id": product["workId"], "full_title": product["fullTitle"],
        "subtitle": product["subtitle"],
        "isbn": product.pointer("/isbn/isbnWithDashes").and_then(Value::as_str).unwrap_or("No ISBN"),
        "pub_date": product["publicationDate"], "out_of_print_date": null,
        "publishing_status": product["status"], "product_form": product["onix21ProductFormCode"],
        "in_house_format": product.pointer("/inHouseFormat/name"), "in_house_edition": null,
        "edition_number": null, "edition_statement": null, "edition_type_codes": null,
        "imprint": work.pointer("/imprint/name"), "work_type_name": work["workType"], "season_name": work["season"],
        "project_stage_name": work["projectStage"], "in_house_work_reference": work["inHouseWorkReference"],
        "authorship": product["authorshipDescription"], "weblinks": [], "extents": {"page_count": null},
        "measurements": product["measurements"], "marketingtexts": [
            {"code": "01", "external_text": "<p>Salt &amp; sea, <em>caf&eacute;s</em> and ships.</p>"},
            {"code": "02", "external_text": work.pointer("/marketingTexts/0/externalText")},
        ],
        "prices": prices, "supportingresources": images, "rights_not_available_countries": countries,
        "all_related_products": [{"relation_code": "06", "isbn": "No ISBN"}], "keywords": ["coast"],
        "a_field_of_next_year": {"nested": [1, 2, 3]},
    })
}
