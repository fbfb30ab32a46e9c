//! Search.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::render::Load;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{Query, as_text, entries};
use super::shown;

pub(super) fn route(call: &Call<'_>) -> Outcome<Reply> {
    if !matches!(call.method.as_str(), "GET" | "POST") {
        return Err(Refusal::NoUrl);
    }
    let load = Load::read(&call.params)?;
    let query = query(call)?;
    let found = call.state.search(&query)?;
    let groups = [("ASSET", found.total - found.folders), ("CONTAINER", found.folders)];
    let groups: Vec<Value> = groups
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    let result = json!({
        "hit_count": found.ids.len(), "offset": query.window.0, "total_hit_count": found.total,
        "contains_invalid_conditions": found.has_invalid, "asset_id_list": found.ids,
        "facet_field_response_list": [], "asset_group_count": {"entry": groups},
    });
    let mut resource = json!({ "search_result": result });
    if call.params.text("return_type") != Some("ids") {
        // The index knows the ids; what is shown is as it is now.
        let assets = found.ids.iter().filter_map(|id| call.state.asset(id).ok());
        let list: Vec<Value> = assets.map(|asset| shown(call, asset, &load)).collect();
        if let Some(members) = resource.as_object_mut() {
            members.insert("asset_list".to_owned(), list.into());
        }
    }
    Ok(Reply::Json(200, json!({ "search_result_resource": resource })))
}

fn query(call: &Call<'_>) -> Outcome<Query> {
    let params = &call.params;
    let rules = &call.state.settings.search;
    let conditions = params.parsed("search_condition_list")?;
    let conditions = match conditions {
        None => None,
        Some(root) => {
            let list = root.get("search_condition_list").and_then(|list| list.get("search_condition"));
            let missing = || Refusal::Invalid("The search_condition_list has no search_condition".to_owned());
            Some(list.ok_or_else(missing)?.clone())
        }
    };
    let facets = params.parsed("facet_restriction_list")?;
    let facets =
        facets.as_ref().and_then(|root| root.get("facet_restriction_list")?.get("facet_field_restriction"));
    let facet = |restriction: &&Value| {
        let values = match restriction.get("value_list") {
            // The one value there is may be none.
            Some(Value::Array(values)) => values.iter().map(as_text).collect(),
            Some(one) => vec![as_text(one)],
            None => Vec::new(),
        };
        (restriction.get("field_id").and_then(as_text).unwrap_or_default(), values)
    };
    let scope = match params.text("keyword_scope_id") {
        None | Some("3") => (true, true),
        Some("1") => (true, false),
        Some("2") => (false, true),
        Some(other) => return Err(Refusal::Invalid(format!("There is no keyword scope '{other}'"))),
    };
    Ok(Query {
        keywords: params.text("keyword_query").filter(|words| *words != "*").map(str::to_owned),
        scope,
        conditions,
        facets: entries(facets).iter().map(facet).collect(),
        folder: params
            .text("folder_filter")
            .map(|folder| (folder.to_owned(), params.text("folder_filter_type") == Some("direct"))),
        sort: params.text("sort").map(str::to_owned),
        window: call.window(rules.usual, rules.most)?,
    })
}
