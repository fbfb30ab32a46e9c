//! The value of a field.

use serde_json::{Map, Value, json};

use super::changes;
use crate::consonance::state::{State, integer, text};

/// Arguments of a field.
pub(super) type Arguments = Map<String, Value>;
/// A value, or the message of an error.
pub(super) type Outcome = Result<Value, String>;

/// The value of a field of an object.
pub(super) fn field(
    state: &mut State,
    owner: &str,
    name: &str,
    parent: &Value,
    given: &Arguments,
) -> Outcome {
    let search = |name: &str| given.get(name).and_then(Value::as_object);
    Ok(match (owner, name) {
        ("Mutation", name) => {
            let empty = Map::new();
            return changes::mutate(state, name, search("input").unwrap_or(&empty));
        }
        ("Query", "products") => {
            let mut found = products(state, search("productSearch"), search("workSearch"), None);
            if let (Some(search), Value::Array(list)) = (search("priceSearch"), &mut found) {
                list.retain(|product| prices(product, Some(search)).next().is_some());
            }
            found
        }
        ("Query", "product") => first(products(state, search("productSearch"), None, None)),
        ("Query", "works") => works(state, search("workSearch"), search("productSearch")),
        ("Query", "work") => first(works(state, search("workSearch"), None)),
        ("Query", "contract") => {
            let id = search("contractSearch").and_then(|search| integer(search.get("idEq")?));
            id.and_then(|id| state.contracts.get(&id)).cloned().unwrap_or_default()
        }
        ("Query", "contracts") => state.contracts.values().cloned().collect(),
        ("Query", "contacts") => {
            let part =
                search("contactSearch").map(|search| text(search, "personNameCont")).unwrap_or_default();
            let people = state.contacts.values().filter(|contact| contact["personName"].is_string());
            people.filter(|person| contains(&person["personName"], part)).cloned().collect()
        }
        ("Query", "person") => {
            let person = given.get("id").and_then(integer).and_then(|id| state.contacts.get(&id));
            person.filter(|person| person["__typename"] == "Person").cloned().unwrap_or_default()
        }
        ("Query", "organisation") => {
            let name = search("organisationSearch").map(|search| text(search, "nameEq")).unwrap_or_default();
            let found = state.contacts.values().find(|contact| contact["organisationName"] == name);
            found.cloned().unwrap_or_default()
        }
        ("Query" | "Contract", "client") => json!({
            "id": 7, "name": "Harbour Press", "worksCount": state.works.len(), "productsCount": state.products.len(),
        }),
        ("Product", name) => return Ok(product(state, name, parent, given)),
        ("Work", name) => return Ok(work(state, name, parent, given)),
        ("Contribution", "contributor") => one(&state.contacts, &parent["contributorId"]),
        ("Contribution", "onixContributorRole") => coded(&parent["onixContributorRoleCode"], "role"),
        ("Contract", "work") => one(&state.works, &parent["workId"]),
        ("PhysicalBookProduct", "productHeight" | "productWidth" | "productThickness") => {
            let millimetres = parent[name].as_f64();
            let factor = match given.get("unit").and_then(Value::as_str) {
                Some("CM") => 0.1,
                Some("IN") => 1.0 / 25.4,
                _ => 1.0,
            };
            millimetres.map_or(Value::Null, |size| json!(size * factor))
        }
        ("SupportingResource", name) => state.resource_field(parent, name),
        _ => parent[name].clone(),
    })
}

fn product(state: &State, name: &str, parent: &Value, given: &Arguments) -> Value {
    let id = integer(&parent["id"]);
    match name {
        "work" => one(&state.works, &parent["workId"]),
        "contributions" => {
            let its = |one: &&Value| {
                let products = one["productIds"].as_array().map(Vec::as_slice).unwrap_or_default();
                products.is_empty() || products.iter().any(|one| integer(one) == id)
            };
            state.contributions_of(&parent["workId"]).filter(its).cloned().collect()
        }
        "prices" => {
            let search = given.get("priceSearch").and_then(Value::as_object);
            prices(parent, search).cloned().collect()
        }
        "marketingTexts" => variants(parent, given),
        "webLinks" => json!([]),
        "productionFiles" => {
            let its =
                |file: &&Value| file["productIds"].as_array().is_some_and(|ids| ids.contains(&parent["id"]));
            state.production_files.values().filter(its).cloned().collect()
        }
        "onixPublishingStatusCode" => match parent["status"].as_str() {
            Some(code) if state.settings.codes_are_enumerations => json!(format!("_{code}")),
            _ => parent["status"].clone(),
        },
        "onixPublishingStatus" => coded(&parent["status"], "status"),
        "onix21ProductForm" => coded(&parent["onix21ProductFormCode"], "form"),
        "forSaleCountryCodes" | "notForSaleCountryCodes" if !state.settings.countries_are_lists => {
            let codes = parent[name].as_array().into_iter().flatten().filter_map(Value::as_str);
            json!(codes.collect::<Vec<_>>().join(" "))
        }
        _ => parent[name].clone(),
    }
}

fn prices<'product>(
    product: &'product Value,
    search: Option<&'product Arguments>,
) -> impl Iterator<Item = &'product Value> {
    let wanted = move |price: &&Value| {
        let Some(search) = search else { return true };
        let most = search.get("amountLteq").and_then(Value::as_f64);
        let is_in = |name: &str, member: &str| {
            search.get(name).and_then(Value::as_array).is_none_or(|list| list.contains(&price[member]))
        };
        most.is_none_or(|most| price["amount"].as_f64().is_some_and(|amount| amount <= most))
            && is_in("currencyCodeIn", "currencyCode")
            && is_in("onixPriceTypeCodeIn", "onixPriceTypeCode")
            && is_in("onixPriceTypeQualifierCodeIn", "onixPriceTypeQualifierCode")
    };
    product["prices"].as_array().into_iter().flatten().filter(wanted)
}

fn work(state: &State, name: &str, parent: &Value, given: &Arguments) -> Value {
    let id = &parent["id"];
    let its = |one: &&Value| one["workId"] == *id;
    match name {
        "products" => {
            let search = given.get("productSearch").and_then(Value::as_object);
            products(state, search, None, integer(id))
        }
        "contributions" => state.contributions_of(id).cloned().collect(),
        "supportingResources" => state.resources.values().filter(its).cloned().collect(),
        "webLinks" => state.web_links.values().filter(its).cloned().collect(),
        "productionFiles" => state.production_files.values().filter(its).cloned().collect(),
        "marketingTexts" => variants(parent, given),
        "subjectCodes" => {
            let schemes = given.get("schemesIn").and_then(Value::as_array);
            let main_only = given.get("mainOnly").and_then(Value::as_bool).unwrap_or_default();
            let wanted = |code: &&Value| {
                schemes.is_none_or(|schemes| schemes.contains(&code["scheme"]))
                    && (!main_only || code["main"] == true)
            };
            parent["subjectCodes"].as_array().into_iter().flatten().filter(wanted).cloned().collect()
        }
        _ => parent[name].clone(),
    }
}

fn variants(parent: &Value, given: &Arguments) -> Value {
    let wanted = given.get("variantIn").and_then(Value::as_array);
    let texts = parent["marketingTexts"].as_array().into_iter().flatten();
    texts.filter(|text| wanted.is_none_or(|wanted| wanted.contains(&text["variant"]))).cloned().collect()
}

/// Products that are searched for, with what the account's lists do to them.
fn products(
    state: &State,
    search: Option<&Arguments>,
    work_search: Option<&Arguments>,
    work: Option<i64>,
) -> Value {
    let found = state.products.values().filter(|product| {
        let its_work = integer(&product["workId"]).and_then(|id| state.works.get(&id));
        work.is_none_or(|work| integer(&product["workId"]) == Some(work))
            && search.is_none_or(|search| is_product(state, product, search))
            && work_search.is_none_or(|search| its_work.is_some_and(|work| is_work(state, work, search)))
    });
    listed(state, found.cloned().collect())
}

fn works(state: &State, search: Option<&Arguments>, product_search: Option<&Arguments>) -> Value {
    let found = state.works.values().filter(|work| {
        let has_product = |search: &Arguments| {
            let mut its = state.products.values().filter(|product| product["workId"] == work["id"]);
            its.any(|product| is_product(state, product, search))
        };
        search.is_none_or(|search| is_work(state, work, search)) && product_search.is_none_or(has_product)
    });
    listed(state, found.cloned().collect())
}

fn listed(state: &State, mut found: Vec<Value>) -> Value {
    if state.settings.lists_unordered {
        found.reverse();
    }
    if let Some(most) = state.settings.list_cap {
        found.truncate(most);
    }
    found.into()
}

fn first(list: Value) -> Value {
    list.as_array().and_then(|list| list.first()).cloned().unwrap_or_default()
}

fn is_after(state: &State, record: &Value, search: &Arguments) -> bool {
    let after = search.get("after").and_then(integer).filter(|_| !state.settings.after_ignored);
    after.is_none_or(|after| integer(&record["id"]).is_some_and(|id| id > after))
}

fn is_product(state: &State, product: &Value, search: &Arguments) -> bool {
    let isbn = product.pointer("/isbn/isbn13").unwrap_or(&Value::Null);
    let date = product["publicationDate"].as_str();
    is_after(state, product, search)
        && search.iter().all(|(name, wanted)| match name.as_str() {
            _ if wanted.is_null() => true,
            "idEq" => product["id"] == *wanted,
            "isbn13Eq" => isbn == wanted,
            "isbn13In" => wanted.as_array().is_some_and(|list| list.contains(isbn)),
            "isbn13Assigned" => wanted.as_bool() == Some(!isbn.is_null()),
            "titleEq" => product["fullTitle"] == *wanted,
            "titleCont" => contains(&product["fullTitle"], wanted.as_str().unwrap_or_default()),
            "publicationDateEq" => date == wanted.as_str(),
            "publicationDateGt" => date > wanted.as_str() && date.is_some(),
            "publicationDateGteq" => date >= wanted.as_str() && date.is_some(),
            "publicationDateLt" => date < wanted.as_str() && date.is_some(),
            "publicationDateLteq" => date <= wanted.as_str() && date.is_some(),
            "onix21ProductFormCodeIn" => {
                wanted.as_array().is_some_and(|list| list.contains(&product["onix21ProductFormCode"]))
            }
            // The vendor says that an empty list is ignored.
            "productTypes" => {
                wanted.as_array().is_some_and(|list| list.is_empty() || list.contains(&product["__typename"]))
            }
            "changedSince" => state.product_changed_since(product, wanted.as_str().unwrap_or_default()),
            _ => true,
        })
}

fn is_work(state: &State, work: &Value, search: &Arguments) -> bool {
    is_after(state, work, search)
        && search.iter().all(|(name, wanted)| match name.as_str() {
            _ if wanted.is_null() => true,
            "idEq" => work["id"] == *wanted,
            "contractIdEq" => integer(wanted)
                .and_then(|id| state.contracts.get(&id))
                .is_some_and(|contract| contract["workId"] == work["id"]),
            "titleEq" => work["title"] == *wanted,
            "subtitleEq" => work["subtitle"] == *wanted,
            "titleCont" => contains(&work["title"], wanted.as_str().unwrap_or_default()),
            "subtitleCont" => contains(&work["subtitle"], wanted.as_str().unwrap_or_default()),
            "subtitlePresent" => wanted.as_bool() == Some(work["subtitle"].is_string()),
            "imprintIdIn" => wanted
                .as_array()
                .is_some_and(|list| work.pointer("/imprint/id").is_some_and(|id| list.contains(id))),
            "changedSince" => state.work_changed_since(work, wanted.as_str().unwrap_or_default()),
            _ => true,
        })
}

fn contains(whole: &Value, part: &str) -> bool {
    whole.as_str().is_some_and(|whole| whole.to_lowercase().contains(&part.to_lowercase()))
}

fn one(table: &std::collections::BTreeMap<i64, Value>, id: &Value) -> Value {
    integer(id).and_then(|id| table.get(&id)).cloned().unwrap_or_default()
}

/// A code of a list, spelt out.
fn coded(code: &Value, list: &str) -> Value {
    let Some(text) = code.as_str() else { return Value::Null };
    let value = match text.starts_with(|first: char| first.is_ascii_digit()) {
        true => format!("_{text}"),
        false => text.to_owned(),
    };
    json!({
        "code": text, "description": format!("{list} {text}"), "notes": null, "isDeprecated": false, "value": value,
    })
}
