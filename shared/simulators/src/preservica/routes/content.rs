//! Search, details and downloads for those who look things up.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{Document, Entity, Kind, Query};
use super::{download, previews};

/// What is asked of search unless something else is.
const USUAL: [&str; 5] =
    ["xip.title", "xip.description", "xip.document_type", "xip.parent_ref", "xip.security_descriptor"];

pub(super) fn route(call: &mut Call<'_>, what: &str) -> Outcome<Reply> {
    // A form counts like a query.
    if call.method == http::Method::POST {
        let form = call.form();
        call.query.extend(form);
    }
    match (call.method.as_str(), what) {
        ("GET" | "POST", "search") => search(call, None),
        ("GET" | "POST", "search-within") => {
            let within = call.required("parenthierarchy")?;
            search(call, Some(within))
        }
        ("GET", "object-details") => {
            let (kind, reference) = object(call)?;
            let details = details(call.state.living(kind, &reference)?);
            Ok(Reply::Json(200, enveloped(details)))
        }
        ("GET", "download") => match object(call)? {
            (Kind::InformationObject, reference) => download::asset(call, &reference),
            _ => Err(Refusal::NotFound("Only assets are downloaded".to_owned())),
        },
        ("GET", "thumbnail") => {
            let (kind, reference) = object(call)?;
            previews::thumbnail(call, (kind, &reference))
        }
        ("GET", "indexed-fields") => {
            let fields = USUAL.iter().map(|name| {
                let (index, short) = name.split_once('.').unwrap_or(("xip", name));
                json!({"shortName": index, "index": short, "uri": "http://preservica.com/XIP", "shortKey": name,
                    "displayName": short, "type": "STRING", "facetable": false})
            });
            Ok(Reply::Json(200, enveloped(fields.collect())))
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn enveloped(value: Value) -> Value {
    json!({"success": true, "version": 1, "value": value})
}

/// `sdb:IO|reference`.
fn object(call: &Call<'_>) -> Outcome<(Kind, String)> {
    let id = call.required("id")?;
    let wrong = || Refusal::NotFound(format!("There is no object {id}"));
    let (kind, reference) =
        id.strip_prefix("sdb:").and_then(|rest| rest.split_once('|')).ok_or_else(wrong)?;
    let kind = Kind::ALL.into_iter().find(|known| known.short() == kind).ok_or_else(wrong)?;
    Ok((kind, reference.to_owned()))
}

fn search(call: &Call<'_>, within: Option<String>) -> Outcome<Reply> {
    let mut query = Query::parse(call.text("q").unwrap_or("{}"))?;
    if let Some(within) = within {
        query.fields.push(("xip.parent_hierarchy".to_owned(), vec![within], false));
    }
    let named: Vec<String> = call
        .query
        .iter()
        .filter(|(name, _)| name == "metadata")
        .flat_map(|(_, value)| value.split(','))
        .filter(|field| !field.is_empty())
        .map(str::to_owned)
        .collect();
    let fields = if named.is_empty() { USUAL.map(str::to_owned).to_vec() } else { named };
    let (start, most) = match call.text("max") {
        Some("-1") => (call.number("start")?.unwrap_or(0), usize::MAX),
        _ => call.window()?,
    };
    let found = call.state.search(&query);
    let total = found.len();
    let shown: Vec<&Document> = found.into_iter().skip(start).take(most).collect();
    let ids: Vec<String> = shown
        .iter()
        .map(|document| format!("sdb:{}|{}", document.entity.kind.short(), document.entity.reference))
        .collect();
    let values = |document: &&Document| -> Value {
        let row = fields.iter().map(|field| {
            let mut values = document.values(field, call.state);
            let value = match values.len() {
                0 => Value::from(""),
                1 => Value::from(values.remove(0)),
                _ => Value::from(values),
            };
            json!({"name": field, "value": value})
        });
        row.collect()
    };
    Ok(Reply::Json(
        200,
        enveloped(json!({
            "objectIds": ids, "totalHits": total, "simpleChildSearch": false,
            "metadata": shown.iter().map(values).collect::<Vec<_>>(), "facets": [], "highlighting": {},
        })),
    ))
}

fn details(entity: &Entity) -> Value {
    let mut properties = vec![
        ("cmis:objectId", json!(format!("sdb:{}|{}", entity.kind.short(), entity.reference))),
        ("cmis:name", json!(entity.title)),
        ("cmis:description", json!(entity.description)),
        ("cmis:objectTypeId", json!(format!("sdb:{}", entity.kind.element()))),
        ("cmis:creationDate", json!(entity.created.as_second())),
        ("cmis:lastModificationDate", json!(entity.changed.as_second())),
    ];
    if let Some(parent) = &entity.parent {
        properties.push(("sdbcmis:parentId", json!(parent)));
    }
    let properties: Vec<Value> =
        properties.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({
        "id": format!("sdb:{}|{}", entity.kind.short(), entity.reference), "name": entity.title,
        "properties": properties,
        "metadata": {"title": entity.title, "description": entity.description, "groupOrItem": []}, "links": [],
    })
}
