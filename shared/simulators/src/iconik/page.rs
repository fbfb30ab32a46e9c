//! The ways of paging: by number, by the last id seen, by scrolling, by sort keys.

use serde_json::{Value, json};

use super::call::Call;
use super::reply::{Outcome, Refusal, Reply};

/// Objects of a page when the caller does not say.
const DEFAULT: usize = 10;
/// The last page that can be asked for.
const LAST: usize = 10_000;

/// A list by page number. A page behind the end is refused, but for the first.
pub(super) fn by_number(call: &Call<'_>, most: usize, objects: Vec<Value>) -> Outcome<Reply> {
    let (page, per_page) = (call.number("page")?.unwrap_or(1), per_page(call, most)?);
    if page == 0 || page > LAST {
        return Err(Refusal::field("page", format!("Must be between 1 and {LAST}.")));
    }
    let total = objects.len();
    let pages = total.div_ceil(per_page).max(1);
    if page > pages {
        return Err(Refusal::NotFound(format!("Page {page} does not exist. There are {pages} pages.")));
    }
    let url = |wanted: usize| {
        (1..=pages).contains(&wanted).then(|| format!("{}?page={wanted}&per_page={per_page}", call.path))
    };
    let cut: Vec<Value> = objects.into_iter().skip((page - 1) * per_page).take(per_page).collect();
    let last = cut.last().and_then(|object| object.get("_sort")).cloned().unwrap_or_else(|| json!([]));
    Reply::ok(json!({
        "objects": cut, "page": page, "pages": pages, "per_page": per_page, "total": total,
        "first_url": url(1), "prev_url": url(page - 1), "next_url": url(page + 1), "last_url": url(pages),
        "scroll_id": null, "search_after": last,
    }))
}

/// A list by the id of the last object seen.
pub(super) fn by_last_id(call: &Call<'_>, objects: Vec<Value>) -> Outcome<Reply> {
    let per_page = per_page(call, 1000)?;
    let total = objects.len();
    let is_last = |object: &Value| object.get("id").and_then(Value::as_str) == call.text("last_id");
    let behind = match call.text("last_id") {
        Some(_) => objects.iter().position(is_last).map_or(total, |at| at + 1),
        None => 0,
    };
    let cut: Vec<Value> = objects.into_iter().skip(behind).take(per_page).collect();
    let next = (behind + cut.len() < total).then(|| cut.last()).flatten();
    let next = next.and_then(|object| object.get("id")).and_then(Value::as_str);
    let next = next.map(|id| format!("{}?last_id={id}&per_page={per_page}", call.path));
    Reply::ok(json!({
        "objects": cut, "page": 1, "pages": total.div_ceil(per_page).max(1), "per_page": per_page, "total": total,
        "first_url": format!("{}?per_page={per_page}", call.path), "prev_url": null, "next_url": next,
        "last_url": null, "scroll_id": null, "search_after": [],
    }))
}

fn per_page(call: &Call<'_>, most: usize) -> Outcome<usize> {
    match call.number("per_page")?.unwrap_or(DEFAULT) {
        wanted if (1..=most).contains(&wanted) => Ok(wanted),
        _ => Err(Refusal::field("per_page", format!("Must be between 1 and {most}."))),
    }
}
