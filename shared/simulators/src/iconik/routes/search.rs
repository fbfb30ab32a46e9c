//! Search, and searches that are saved.

use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::dates;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::{Object, Search, searched};

/// Most documents of a page.
const PAGE: usize = 1000;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["search", version @ ("v1" | "v2"), "search", rest @ ..] = path else { return None };
    Some(match (method, *version, rest) {
        ("POST", _, []) => search(call),
        ("GET", "v1", ["saved"]) => list_saved(call),
        ("POST", "v1", ["saved"]) => save(call),
        ("GET", "v1", ["saved", id]) => get_saved(call, id),
        ("PUT" | "PATCH", "v1", ["saved", id]) => edit_saved(call, id),
        ("DELETE", "v1", ["saved", id]) => delete_saved(call, id),
        (_, _, [] | ["saved"] | ["saved", _]) => Err(Refusal::Method),
        _ => Err(Refusal::NoUrl),
    })
}

fn search(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_search")?;
    let body = match &call.body {
        Value::Null => Object::new(),
        _ => call.object()?.clone(),
    };
    let mut search = Search::read(&body, call.state.settings.index.operator)?;
    search.only(&call.texts("types"));
    let mut found = searched(call.state, &call.user, &search);
    let spelling = call.state.settings.dates.search;
    found.objects.iter_mut().for_each(|document| dates::respell(document, spelling));
    let keys = |document: &Value| document.get("_sort").cloned().unwrap_or_else(|| json!([]));
    let mut envelope = page::scrolled(call, PAGE, found.objects, &keys)?;
    envelope.insert("facets".to_owned(), found.facets.into());
    Reply::ok(envelope)
}

fn list_saved(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_search")?;
    let saved = call.state.saved_searches.objects().cloned().map(Value::Object).collect();
    page::list(call, PAGE, saved)
}

fn save(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_write_saved_searches")?;
    let given = call.object()?.clone();
    let id = call.state.save_search(&call.user, given)?;
    Reply::created(call.state.saved_searches.found(&id)?.clone())
}

fn get_saved(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_search")?;
    Reply::ok(call.state.saved_searches.found(id)?.clone())
}

fn edit_saved(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_write_saved_searches")?;
    let given = call.object()?.clone();
    call.state.edit_saved(id, given)?;
    get_saved(call, id)
}

fn delete_saved(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_delete_saved_searches")?;
    call.state.saved_searches.found(id)?;
    call.state.saved_searches.remove(id);
    Ok(Reply::Nothing(204))
}
