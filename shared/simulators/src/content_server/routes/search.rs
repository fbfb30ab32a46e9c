//! Search.

use serde_json::{Map, Value, json};

use super::Call;
use crate::content_server::render;
use crate::content_server::reply::{Page, Reply, collection};
use crate::content_server::state::search::{Indexed, Query};
use crate::content_server::state::{NodeId, Outcome, Refusal};

/// Regions shown with each hit.
const REGIONS: [&str; 8] = [
    "OTName",
    "OTDataID",
    "OTParentID",
    "OTSubType",
    "OTModifyDate",
    "OTModifyTime",
    "OTObjectSize",
    "OTLocation",
];

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    match (method, path) {
        ("GET" | "POST", ["v2", "search"]) => Some(search(call)),
        ("GET", ["v1", "regions"]) => {
            let regions: Vec<Value> =
                REGIONS.iter().map(|name| json!({"name": name, "queryable": true})).collect();
            Some(Ok(Reply::Json(json!({ "data": regions }))))
        }
        ("GET", ["v1", "slices"]) => {
            Some(Ok(Reply::Json(json!({"data": [{"id": 1, "name": "Enterprise"}]}))))
        }
        _ => None,
    }
}

fn search(call: &mut Call<'_>) -> Outcome<Reply> {
    let text = match call.params.number("query_id")? {
        Some(saved) => {
            let node = call.state.visible(call.actor, saved)?.id;
            let text = call.state.search_queries.get(&node).cloned();
            text.ok_or_else(|| Refusal::said(400, "The item is not a search query."))?
        }
        None => call.params.needed("where")?,
    };
    let look_for = call.params.filled("lookfor").unwrap_or_else(|| "complexquery".to_owned());
    let query = Query::parse(&text, &look_for)
        .map_err(|error| Refusal::said(400, format!("Error Evaluating Query: {error}")))?;
    if call.params.has("user_login") && !call.state.is_administrator(call.actor) {
        return Err(Refusal::said(400, "You do not have the rights to search for another user."));
    }
    let locations: Vec<NodeId> = call
        .params
        .all()
        .keys()
        .filter(|key| key.starts_with("location_id"))
        .filter_map(|key| call.params.number(key).ok().flatten())
        .collect();
    let mut hits = call.state.search(call.actor, &query, &locations);
    let sort = call.params.filled("sort").unwrap_or_else(|| "relevance".to_owned());
    sort_hits(call, &mut hits, &sort);
    let total = hits.len();
    let (page, mut cut) = Page::cut(&call.params, &call.state.settings, 10, hits.clone())?;
    if page.page > 1 && !cut.is_empty() {
        if call.state.settings.search_pages_skip {
            cut.remove(0);
        }
        if call.state.settings.search_pages_overlap {
            let before = (page.page - 1).saturating_mul(page.limit).saturating_sub(1);
            cut.splice(0..0, hits.get(before).cloned());
            cut.truncate(page.limit);
        }
    }
    if cut.is_empty() && page.page > 1 && call.state.settings.search_repeats_past_end {
        cut = hits.into_iter().take(page.limit).collect();
    }
    let items = cut.iter().map(|hit| render_hit(call, hit)).collect();
    let mut envelope = collection(&call.path, page, &sort, items);
    if let Some(collection) = envelope.get_mut("collection").and_then(Value::as_object_mut) {
        let searching = json!({
            "cache_id": 1, "facets": {"available": []}, "regions_metadata": {}, "regions_order": REGIONS,
            "result_title": "Search Results",
        });
        collection.insert("searching".to_owned(), searching);
        if let Some(paging) = collection.get_mut("paging").and_then(Value::as_object_mut) {
            let header = format!("Results {total}");
            paging.insert("result_header_string".to_owned(), header.into());
            // Search has the next link directly under `links`, browsing under `links.data`.
            if let Some(next) = paging.get("links").and_then(|links| links.get("data")?.get("next")).cloned()
            {
                paging.insert("links".to_owned(), json!({ "next": next }));
            }
        }
    }
    Ok(Reply::Json(envelope))
}

fn sort_hits(call: &Call<'_>, hits: &mut [Indexed], sort: &str) {
    if call.state.settings.search_ignores_sort {
        hits.sort_by_cached_key(|hit| (hit.node.name.clone(), hit.node.id));
        return;
    }
    let Some((direction, region)) = sort.split_once('_') else { return };
    hits.sort_by_cached_key(|hit| {
        let key = |region: &str| call.state.region(hit, region).into_iter().next().unwrap_or_default();
        let text = key(region);
        // Numbers sort by value; a day is refined by its time.
        let time =
            if region.eq_ignore_ascii_case("OTModifyDate") { key("OTModifyTime") } else { String::new() };
        (text.parse::<i64>().unwrap_or(0), text.to_lowercase(), time, hit.node.id)
    });
    if direction == "desc" {
        hits.reverse();
    }
}

fn render_hit(call: &Call<'_>, hit: &Indexed) -> Value {
    let regions: Map<String, Value> = REGIONS
        .iter()
        .map(|region| ((*region).to_owned(), call.state.region(hit, region).join(" ").into()))
        .collect();
    let mut properties = render::properties(call.state, &hit.node);
    if let Some(object) = properties.as_object_mut() {
        object.insert("summary".to_owned(), json!([]));
        object.insert("short_summary".to_owned(), json!([]));
    }
    let versions = hit.node.latest().map(|version| render::version(call.state, &hit.node, version));
    json!({
        "data": {"properties": properties, "regions": regions, "versions": versions},
        "links": {"data": {"self": {"href": format!("/api/v2/nodes/{}", hit.node.id)}}},
    })
}
