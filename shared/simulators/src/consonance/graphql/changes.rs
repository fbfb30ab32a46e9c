//! What mutations do.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::resolve::{Arguments, Outcome};
use crate::consonance::settings::PayloadErrors;
use crate::consonance::state::{State, UploadKind, integer, text};

/// Runs a mutation and gives its payload.
pub(super) fn mutate(state: &mut State, name: &str, input: &Arguments) -> Outcome {
    let done = match name {
        "createLicensedRight" => create_licensed_right(state, input),
        "createProductionFile" => create_production_file(state, input),
        "createSupportingResource" => create_supporting_resource(state, input),
        "createWebLink" => create_web_link(state, input),
        "deleteWebLink" => delete_web_link(state, input),
        "finishUpload" => finish_upload(state, input),
        "updateContract" => update_contract(state, input),
        "updateProduct" => update_product(state, input),
        "updateWork" => update_work(state, input),
        other => Err(Refused::Whole(format!("There is no mutation {other}"))),
    };
    let mut payload = match done {
        Ok(payload) => payload,
        Err(Refused::Whole(message)) => return Err(message),
        Err(Refused::Field(field, message)) => match state.settings.payload_errors {
            PayloadErrors::Field => faults(json!({"field": field, "message": message})),
            PayloadErrors::Attribute => faults(json!({"attribute": field, "message": message})),
            PayloadErrors::Messages => faults(json!({"field": field, "messages": [message]})),
            PayloadErrors::Top => return Err(format!("{field} {message}")),
        },
    };
    payload.entry("errors").or_insert_with(|| json!([]));
    payload.insert("clientMutationId".to_owned(), input.get("clientMutationId").cloned().unwrap_or_default());
    Ok(Value::Object(payload))
}

/// Why a mutation is not done.
enum Refused {
    /// A field of its input is wrong.
    Field(&'static str, String),
    /// Something else.
    Whole(String),
}

type Done = Result<Map<String, Value>, Refused>;

fn faults(fault: Value) -> Map<String, Value> {
    Map::from_iter([("errors".to_owned(), json!([fault]))])
}

fn made(name: &str, record: Value) -> Done {
    Ok(Map::from_iter([(name.to_owned(), record)]))
}

fn id_of(input: &Arguments, name: &str) -> i64 {
    input.get(name).and_then(integer).unwrap_or_default()
}

fn missing(kind: &str) -> Refused {
    Refused::Whole(format!("{kind} not found"))
}

fn create_licensed_right(state: &mut State, input: &Arguments) -> Done {
    let right = json!({
        "id": state.new_id(), "rightType": text(input, "rightType"), "authorCut": input.get("authorCut"),
    });
    let contract = state.contracts.get_mut(&id_of(input, "contractId")).ok_or_else(|| missing("Contract"))?;
    let rights = contract.get_mut("licensedRights").and_then(Value::as_array_mut);
    rights.ok_or_else(|| missing("Contract"))?.push(right.clone());
    made("licensedRight", right)
}

fn create_production_file(state: &mut State, input: &Arguments) -> Done {
    let products = input.get("productIds").cloned().unwrap_or_default();
    let first = products.as_array().and_then(|ids| ids.first()).and_then(integer);
    let work = first.and_then(|id| state.products.get(&id)).map(|product| product["workId"].clone());
    let work = work.ok_or_else(|| missing("Product"))?;
    let (id, name) = (state.new_id(), text(input, "filename").to_owned());
    let format = name.rsplit_once('.').map(|(_, ending)| ending.to_uppercase());
    let file = json!({
        "id": id, "workId": work, "productIds": products, "filename": name, "fileFormat": format, "fileSize": null,
        "fileVariant": input.get("fileVariant"), "approvalStatus": "DRAFT", "allowDistribution": "FORBIDDEN",
        "analysisStatus": "PENDING", "exists": false, "inspectable": false, "bookmarks": false,
        "delayedJobStatus": null, "createdAt": state.now.to_string(), "downloadUrl": null,
    });
    state.production_files.insert(id, file.clone());
    with_address(state, UploadKind::ProductionFile, id, "productionFile", file)
}

fn create_supporting_resource(state: &mut State, input: &Arguments) -> Done {
    let work = id_of(input, "workId");
    if !state.works.contains_key(&work) {
        return Err(missing("Work"));
    }
    let (name, remote) = (text(input, "resourceFileName"), text(input, "imageRemoteUrl"));
    if name.is_empty() == remote.is_empty() {
        return Err(Refused::Field("resourceFileName", "or imageRemoteUrl is needed, not both".to_owned()));
    }
    let lower = if name.is_empty() { remote.to_lowercase() } else { name.to_lowercase() };
    if !lower.ends_with(".jpg") && !lower.ends_with(".jpeg") {
        return Err(Refused::Field("resourceFileName", "has to be a JPG".to_owned()));
    }
    let products = input.get("productIds").filter(|ids| ids.is_array());
    let all = input.get("linkToAllProducts").and_then(Value::as_bool).unwrap_or_default();
    if products.is_some() && all {
        return Err(Refused::Field(
            "productIds",
            "cannot be given together with linkToAllProducts".to_owned(),
        ));
    }
    let of_work = || {
        let its = state.products.values().filter(|product| integer(&product["workId"]) == Some(work));
        its.map(|product| product["id"].clone()).collect::<Value>()
    };
    let linked = match (products, all) {
        (Some(ids), _) => ids.clone(),
        (None, true) => of_work(),
        (None, false) => json!([]),
    };
    let ready = (state.now.as_second() + state.settings.processing_seconds).to_string();
    let id = state.new_id();
    let resource = json!({
        "id": id, "workId": work, "url": null, "imageRemoteUrl": input.get("imageRemoteUrl"),
        "filename": if name.is_empty() { remote } else { name }, "imageContentType": "image/jpeg", "fileSize": null,
        "height": null, "aspectRatio": null, "caption": input.get("caption"), "copyright": input.get("copyright"),
        "requiredCredit": input.get("requiredCredit"), "productIds": linked, "createdAt": state.now.to_string(),
        "readyAt": if name.is_empty() { json!(ready) } else { Value::Null },
    });
    state.resources.insert(id, resource.clone());
    match name.is_empty() {
        true => made("supportingResource", resource),
        false => with_address(state, UploadKind::Resource, id, "supportingResource", resource),
    }
}

/// A payload with the address that the bytes go to.
fn with_address(state: &mut State, kind: UploadKind, id: i64, name: &str, record: Value) -> Done {
    let address = state.new_upload(kind, id);
    let mut payload = made(name, record)?;
    payload.insert(state.settings.upload_url_field.clone(), json!(address));
    Ok(payload)
}

fn create_web_link(state: &mut State, input: &Arguments) -> Done {
    let (work, link) = (id_of(input, "workId"), text(input, "link").to_owned());
    if !state.works.contains_key(&work) {
        return Err(missing("Work"));
    }
    let is_page = url::Url::parse(&link).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_page {
        return Err(Refused::Field("link", "is not a valid URL".to_owned()));
    }
    let id = state.new_id();
    let record = json!({
        "id": id, "workId": work, "link": link, "description": input.get("description"), "type": input.get("type"),
        // What nobody turned off goes to the trade.
        "includeInOnix": input.get("includeInOnix").and_then(Value::as_bool).unwrap_or(true),
        "onixWebsiteRoleCode": input.get("onixWebsiteRoleCode"),
    });
    state.web_links.insert(id, record.clone());
    state.touch_work(work);
    made("webLink", record)
}

fn delete_web_link(state: &mut State, input: &Arguments) -> Done {
    let removed = state.web_links.remove(&id_of(input, "id")).ok_or_else(|| missing("WebLink"))?;
    made("webLink", removed)
}

fn finish_upload(state: &mut State, input: &Arguments) -> Done {
    let finished = state.finish_upload(id_of(input, "id"));
    made("finished", json!(finished))
}

/// Sets the members that were sent.
fn set(record: &mut Value, input: &Arguments, names: &[(&str, &str)]) {
    let Some(members) = record.as_object_mut() else { return };
    for (sent, kept) in names {
        if let Some(value) = input.get(*sent) {
            members.insert((*kept).to_owned(), value.clone());
        }
    }
}

fn update_contract(state: &mut State, input: &Arguments) -> Done {
    let contract = state.contracts.get_mut(&id_of(input, "id")).ok_or_else(|| missing("Contract"))?;
    let date = |value: &Value| value.as_str().and_then(|text| text.parse::<Date>().ok());
    let signed = input.get("signedDate").or_else(|| contract.get("signedDate")).and_then(date);
    let ended = input.get("terminatedDate").and_then(date);
    if signed.zip(ended).is_some_and(|(signed, ended)| ended < signed) {
        return Err(Refused::Field("terminatedDate", "cannot be before the signed date".to_owned()));
    }
    let names = [
        "contractName",
        "signedDate",
        "description",
        "freeCopies",
        "freeCopiesUsed",
        "authorDiscount",
        "remainderRate",
        "remainderRateOverCost",
        "guaranteedRoyaltyValue",
        "flatFeeValue",
        "terminationReason",
        "terminatedDate",
    ];
    set(contract, input, &names.map(|name| (name, name)));
    made("contract", contract.clone())
}

fn update_product(state: &mut State, input: &Arguments) -> Done {
    let id = id_of(input, "id");
    let product = state.products.get_mut(&id).ok_or_else(|| missing("Product"))?;
    if let Some(isbn) = input.get("isbn").and_then(Value::as_str) {
        let digits: String = isbn.chars().filter(char::is_ascii_digit).collect();
        if digits.len() != 13 {
            return Err(Refused::Field("isbn", "is invalid".to_owned()));
        }
        if let Some(members) = product.as_object_mut() {
            members.insert("isbn".to_owned(), json!({"isbn13": digits, "isbnWithDashes": isbn}));
        }
    }
    let status = input.get("onixPublishingStatusCode").and_then(Value::as_str);
    let plain = status.map(|code| json!(code.trim_start_matches('_')));
    if let (Some(members), Some(code)) = (product.as_object_mut(), plain) {
        members.insert("status".to_owned(), code);
    }
    let names = [
        ("title", "fullTitle"),
        ("subtitle", "subtitle"),
        ("publicationDate", "publicationDate"),
        ("publishersReference", "publishersReference"),
        ("internalReference", "internalReference"),
    ];
    set(product, input, &names);
    let product = product.clone();
    state.touch_product(id);
    made("product", product)
}

fn update_work(state: &mut State, input: &Arguments) -> Done {
    let id = id_of(input, "id");
    let stage = match input.get("projectStageId").and_then(integer) {
        Some(stage) => {
            let name = state.stages.get(&stage).cloned();
            Some(name.ok_or_else(|| Refused::Field("projectStageId", "does not exist".to_owned()))?)
        }
        None => None,
    };
    let work = state.works.get_mut(&id).ok_or_else(|| missing("Work"))?;
    set(work, input, &[("title", "title"), ("subtitle", "subtitle")]);
    if let (Some(members), Some(stage)) = (work.as_object_mut(), stage) {
        members.insert("projectStage".to_owned(), json!(stage));
    }
    let work = work.clone();
    state.touch_work(id);
    made("work", work)
}
