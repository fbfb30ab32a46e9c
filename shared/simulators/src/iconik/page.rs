//! The ways of paging: by number, by scrolling, by sort keys, by the last id seen.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::call::Call;
use super::dates;
use super::reply::{Outcome, Refusal, Reply};
use super::settings::NextUrl;

/// Objects of a page when the caller does not say.
const DEFAULT: usize = 10;
/// The last page that can be asked for.
const LAST: usize = 10_000;

/// By which fields a list is sorted; `true` is descending. The id decides between equals.
#[derive(Clone, Debug)]
pub(super) struct Sorting(Vec<(String, bool)>);

impl Sorting {
    /// From `field,asc;field2,desc`.
    pub(super) fn read(text: &str) -> Outcome<Self> {
        let mut keys = Vec::new();
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (field, direction) = part.split_once(',').unwrap_or((part, "asc"));
            match direction.to_lowercase().as_str() {
                "asc" => keys.push((field.to_owned(), false)),
                "desc" => keys.push((field.to_owned(), true)),
                _ => return Err(Refusal::field("sort", format!("Not a valid order: {direction}."))),
            }
        }
        Ok(Self::of(keys))
    }

    pub(super) fn of(mut keys: Vec<(String, bool)>) -> Self {
        keys.push(("id".to_owned(), false));
        Self(keys)
    }

    /// What an object is sorted by.
    pub(super) fn keys(&self, object: &Value) -> Vec<Value> {
        let key = |field: &str| {
            let value = at(object, field).cloned().unwrap_or_default();
            // Times are sorted by as milliseconds, whatever their spelling in answers.
            let time = value.as_str().filter(|_| field.starts_with("date_")).and_then(dates::read);
            time.map_or(value, |time| time.as_millisecond().into())
        };
        self.0.iter().map(|(field, _)| key(field)).collect()
    }

    /// Which of two comes first; what lacks a value comes last.
    pub(super) fn compare(&self, left: &[Value], right: &[Value]) -> Ordering {
        for ((left, right), (_, is_descending)) in left.iter().zip(right).zip(&self.0) {
            let order = match (left.is_null(), right.is_null()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) if *is_descending => compare(right, left),
                (false, false) => compare(left, right),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }

    /// Sorts a list.
    pub(super) fn sort(&self, objects: &mut [Value]) {
        objects.sort_by(|left, right| self.compare(&self.keys(left), &self.keys(right)));
    }

    /// Leaves out what comes before these keys, and the object that has them.
    pub(super) fn cut(&self, objects: &mut Vec<Value>, after: &[Value]) {
        objects.retain(|object| self.compare(&self.keys(object), after) == Ordering::Greater);
    }
}

/// The value at a dotted path.
pub(super) fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(object, |value, name| value.get(name))
}

/// Numbers by size, texts by their letters, everything else alike.
pub(super) fn compare(left: &Value, right: &Value) -> Ordering {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        _ => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text(left).cmp(&text(right))
        }
    }
}

/// A list as most are given: sorted as the caller wants (else as it comes), behind `search_after`, scrolled or by page number.
pub(super) fn list(call: &mut Call<'_>, most: usize, mut objects: Vec<Value>) -> Outcome<Reply> {
    let sorting = call.text("sort").map(Sorting::read).transpose()?;
    if let Some(sorting) = &sorting {
        sorting.sort(&mut objects);
    }
    let after: Vec<Value> = call
        .query
        .iter()
        .filter(|(key, _)| key == "search_after")
        .map(|(_, value)| value.as_str().into())
        .collect();
    let sorting = sorting.unwrap_or_else(|| Sorting::of(Vec::new()));
    if !after.is_empty() {
        sorting.cut(&mut objects, &after);
    }
    let last = |object: &Value| Value::from(sorting.keys(object));
    scrolled(call, most, objects, &last).map(|envelope| Reply::Json(200, envelope.into()))
}

/// The envelope of a list that can be scrolled. `keys` is what the last object was sorted by.
pub(super) fn scrolled(
    call: &mut Call<'_>,
    most: usize,
    objects: Vec<Value>,
    keys: &dyn Fn(&Value) -> Value,
) -> Outcome<Map<String, Value>> {
    let (objects, scroll) = match call.text("scroll_id").map(str::to_owned) {
        Some(id) => {
            let Some(rest) = call.state.scrolls.get(&id) else {
                return Err(Refusal::NotFound(format!("Scroll {id} does not exist")));
            };
            (rest.clone(), Some(id))
        }
        None if call.flag("scroll", false) => (objects, Some(call.state.new_id())),
        None => return numbered(call, most, objects, keys),
    };
    let per_page = per_page(call, most)?;
    let mut rest = objects;
    let total = rest.len();
    let cut: Vec<Value> = rest.drain(..per_page.min(total)).collect();
    let last = cut.last().map_or_else(|| json!([]), keys);
    if let Some(id) = &scroll {
        call.state.scrolls.insert(id.clone(), rest);
    }
    let envelope = json!({
        "objects": cut, "page": 1, "pages": total.div_ceil(per_page).max(1), "per_page": per_page, "total": total,
        "first_url": null, "prev_url": null, "next_url": null, "last_url": null, "scroll_id": scroll, "search_after": last,
    });
    Ok(envelope.as_object().cloned().unwrap_or_default())
}

/// A list by page number. A page behind the end is refused, but for the first.
pub(super) fn by_number(call: &Call<'_>, most: usize, objects: Vec<Value>) -> Outcome<Reply> {
    let keys = |object: &Value| json!([object.get("id")]);
    numbered(call, most, objects, &keys).map(|envelope| Reply::Json(200, envelope.into()))
}

fn numbered(
    call: &Call<'_>,
    most: usize,
    objects: Vec<Value>,
    keys: &dyn Fn(&Value) -> Value,
) -> Outcome<Map<String, Value>> {
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
        let known = (1..=pages).contains(&wanted);
        known.then(|| place(call, &[("page", wanted.to_string()), ("per_page", per_page.to_string())]))
    };
    let cut: Vec<Value> = objects.into_iter().skip((page - 1) * per_page).take(per_page).collect();
    let last = cut.last().map_or_else(|| json!([]), keys);
    let mut envelope = json!({
        "objects": cut, "page": page, "pages": pages, "per_page": per_page, "total": total,
        "first_url": url(1), "prev_url": url(page - 1), "next_url": url(page + 1), "last_url": url(pages),
        "scroll_id": null, "search_after": last,
    });
    end(call, &mut envelope);
    Ok(envelope.as_object().cloned().unwrap_or_default())
}

/// A list by the id of the last object seen.
pub(super) fn by_last_id(call: &Call<'_>, objects: Vec<Value>) -> Outcome<Reply> {
    let per_page = per_page(call, 1000)?;
    let total = objects.len();
    let id = |object: &Value| object.get("id").and_then(Value::as_str).map(str::to_owned);
    let mut rest = objects;
    if let Some(last) = call.text("last_id") {
        // Ids are in the order of making: what follows one that is gone is still known.
        match rest.iter().position(|object| id(object).as_deref() == Some(last)) {
            Some(at) => drop(rest.drain(..=at)),
            None => rest.retain(|object| id(object).is_some_and(|id| id.as_str() > last)),
        }
    }
    let more = rest.len() > per_page;
    rest.truncate(per_page);
    let next = rest.last().and_then(id).filter(|_| more);
    let next = next.map(|id| place(call, &[("last_id", id), ("per_page", per_page.to_string())]));
    let mut envelope = json!({
        "objects": rest, "page": 1, "pages": total.div_ceil(per_page).max(1), "per_page": per_page, "total": total,
        "first_url": place(call, &[("per_page", per_page.to_string())]), "prev_url": null, "next_url": next,
        "last_url": null, "scroll_id": null, "search_after": [],
    });
    end(call, &mut envelope);
    Ok(Reply::Json(200, envelope))
}

/// The call's own place with these parameters, and its others.
fn place(call: &Call<'_>, parameters: &[(&str, String)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        query.append_pair(name, value);
    }
    let own = |name: &str| ["page", "per_page", "last_id"].contains(&name);
    for (name, value) in call.query.iter().filter(|(name, _)| !own(name)) {
        query.append_pair(name, value);
    }
    format!("{}?{}", call.path, query.finish())
}

/// Writes down that there is no next page, in the way that is switched on.
fn end(call: &Call<'_>, envelope: &mut Value) {
    let Some(envelope) =
        envelope.as_object_mut().filter(|envelope| envelope.get("next_url") == Some(&Value::Null))
    else {
        return;
    };
    match call.state.settings.next_url {
        NextUrl::Null => {}
        NextUrl::Empty => drop(envelope.insert("next_url".to_owned(), "".into())),
        NextUrl::Absent => drop(envelope.shift_remove("next_url")),
    }
}

fn per_page(call: &Call<'_>, most: usize) -> Outcome<usize> {
    match call.number("per_page")?.unwrap_or(DEFAULT) {
        wanted if (1..=most).contains(&wanted) => Ok(wanted),
        _ => Err(Refusal::field("per_page", format!("Must be between 1 and {most}."))),
    }
}
