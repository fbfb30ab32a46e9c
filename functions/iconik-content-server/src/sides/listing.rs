//! Assets and collections of iconik, page by page. They come from the index, which may be behind: each is read anew, by its
//! id, before anything is said of it.

use serde::Deserialize;
use serde_json::json;
use shared::{
    error::{Error, Result},
    iconik::{Client, Search, Term},
    reconcile::{Listed, Page},
};

/// What is read of a hit. All else is read by its id.
#[derive(Deserialize)]
struct Hit {
    id: String,
}

/// The assets in these collections, at any depth; all that the service user sees when none are named. Each fact is an id, for
/// [`listed_id`].
///
/// # Errors
/// As any call.
pub(crate) async fn list_assets(
    client: &Client,
    collections: &[String],
    cursor: Option<&str>,
) -> Result<Page> {
    list(client, "assets", collections, cursor).await
}

/// The same of collections. A named collection is not among what is in it.
///
/// # Errors
/// As any call.
pub(crate) async fn list_collections(
    client: &Client,
    collections: &[String],
    cursor: Option<&str>,
) -> Result<Page> {
    list(client, "collections", collections, cursor).await
}

/// What is found in the order of its making, so that pages do not shift.
async fn list(
    client: &Client,
    kind: &'static str,
    collections: &[String],
    cursor: Option<&str>,
) -> Result<Page> {
    let mut search = Search::of(&[kind]).only(&["id", "object_type"]);
    if !collections.is_empty() {
        let within: Vec<&str> = collections.iter().map(String::as_str).collect();
        search = search.term(Term::one_of("ancestor_collections", &within));
    }
    let mut found = client.search::<Hit>(search);
    if let Some(cursor) = cursor {
        found = found.behind(cursor)?;
    }
    let hits = found.next_page().await?.unwrap_or_default();
    let items = hits
        .into_iter()
        .map(|hit| Listed { key: format!("{} {}", kind.trim_end_matches('s'), hit.id), facts: json!(hit.id) })
        .collect();
    // A server that gives the same place again would be listed for ever.
    let next = found.place().filter(|next| Some(next.as_str()) != cursor);
    Ok(Page { items, next })
}

/// The id that a listing told.
///
/// # Errors
/// `Bug` when it told none.
pub(crate) fn listed_id(listed: &Listed) -> Result<&str> {
    listed.facts.as_str().ok_or_else(|| Error::bug("look", "what was listed has no id"))
}
