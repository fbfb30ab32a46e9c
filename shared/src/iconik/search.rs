//! Searching the index. It lags: what was just made is not found yet, what was just changed is found as it was.

use serde_json::{Value, json};

use super::{
    Client,
    call::Call,
    ids::ViewId,
    page::{Pages, Style},
};

/// What to search for.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    kinds: Vec<&'static str>,
    query: Option<String>,
    terms: Vec<Value>,
    sort: Vec<Value>,
    view: Option<ViewId>,
    fields: Vec<String>,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
}

/// Something that has to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Term(Value);

impl Term {
    /// A field has this value and no other.
    pub fn is(field: &str, value: &str) -> Self {
        Self(json!({"name": field, "value": escape(value)}))
    }

    /// A field has one of these values.
    pub fn one_of(field: &str, values: &[&str]) -> Self {
        Self(json!({"name": field, "value_in": values}))
    }

    /// A field lies in a range; an end that is absent is open. The ends count in.
    pub fn between(field: &str, from: Option<&str>, to: Option<&str>) -> Self {
        let mut range = json!({});
        if let Some(ends) = range.as_object_mut() {
            ends.extend(from.map(|from| ("min".to_owned(), from.into())));
            ends.extend(to.map(|to| ("max".to_owned(), to.into())));
        }
        Self(json!({"name": field, "range": range}))
    }

    /// A moment lies in a range of moments.
    pub fn during(field: &str, from: Option<jiff::Timestamp>, to: Option<jiff::Timestamp>) -> Self {
        let text = |moment: Option<jiff::Timestamp>| moment.map(super::wire::moment_text);
        Self::between(field, text(from).as_deref(), text(to).as_deref())
    }

    /// A field has a value.
    pub fn exists(field: &str) -> Self {
        Self(json!({"name": field, "exists": true}))
    }

    /// A field has none.
    pub fn is_missing(field: &str) -> Self {
        Self(json!({"name": field, "missing": true}))
    }
}

impl Search {
    /// Everything of these kinds: `assets`, `collections`, `segments`. The order is that of making, so that pages do not
    /// shift; [`Search::sort`] sets another.
    pub fn of(kinds: &[&'static str]) -> Self {
        Self {
            kinds: kinds.to_vec(),
            query: None,
            terms: Vec::new(),
            sort: Vec::new(),
            view: None,
            fields: Vec::new(),
        }
    }

    /// What a person would type, as query text of the index: escape what is meant literally.
    #[must_use]
    pub fn query(mut self, text: &str) -> Self {
        self.query = Some(text.to_owned());
        self
    }

    /// Something that has to hold as well.
    #[must_use]
    pub fn term(mut self, term: Term) -> Self {
        self.terms.push(term.0);
        self
    }

    /// The order, the first call first.
    #[must_use]
    pub fn sort(mut self, field: &str, order: Sort) -> Self {
        let order = match order {
            Sort::Ascending => "asc",
            Sort::Descending => "desc",
        };
        self.sort.push(json!({"name": field, "order": order}));
        self
    }

    /// The view whose values are in the results. Without one there are none.
    #[must_use]
    pub fn metadata_of(mut self, view: &ViewId) -> Self {
        self.view = Some(view.clone());
        self
    }

    /// Only these members in the results.
    #[must_use]
    pub fn only(mut self, fields: &[&str]) -> Self {
        self.fields = fields.iter().map(|&field| field.to_owned()).collect();
        self
    }

    fn body(&self, tie_breaker: &str) -> Value {
        let mut sort = self.sort.clone();
        if sort.is_empty() {
            sort.push(json!({"name": "date_created", "order": "asc"}));
        }
        if !tie_breaker.is_empty() {
            sort.push(json!({"name": tie_breaker, "order": "asc"}));
        }
        let mut body = json!({"doc_types": self.kinds, "sort": sort});
        if let Some(members) = body.as_object_mut() {
            if !self.terms.is_empty() {
                members.insert("filter".to_owned(), json!({"operator": "AND", "terms": self.terms}));
            }
            members.extend(self.query.as_ref().map(|query| ("query".to_owned(), json!(query))));
            members.extend(self.view.as_ref().map(|view| ("metadata_view_id".to_owned(), json!(view))));
            if !self.fields.is_empty() {
                members.insert("include_fields".to_owned(), json!(self.fields));
            }
        }
        body
    }
}

/// The pages of a search.
pub type Found<'a, T> = Pages<'a, T>;

impl Client {
    /// Searches, by the sort keys of the last object: that has no last page. What is found is a copy in the index; read
    /// anew, by its id, what is to be acted on.
    pub fn search<T: serde::de::DeserializeOwned>(&self, search: Search) -> Found<'_, T> {
        // Signing an address for every picture of every hit is work nobody here wants, nor a history of machines' searches.
        let call = Call::post("search", &["search", "v1", "search"])
            .reading()
            .query("generate_signed_url", false)
            .query("save_search_history", false)
            .body(search.body(&self.settings.search_tie_breaker));
        Pages::new(self, call, Style::SearchAfter).of_everything()
    }
}

/// A text as query text of the index that means it literally.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if "+-&|!(){}[]^\"~*?:\\/ ".contains(character) {
            escaped.push('\\');
        }
        match character {
            // These two no escape helps against: what they are part of is found by the rest of it.
            '<' | '>' => escaped.push('?'),
            character if character.is_control() => escaped.push_str("\\ "),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_full_of_query_signs_is_searched_for_as_it_is() {
        assert_eq!(escape("Q&A: \"Who?\" (v2)"), "Q\\&A\\:\\ \\\"Who\\?\\\"\\ \\(v2\\)");
        assert_eq!(escape("a/b\\c [x]*"), "a\\/b\\\\c\\ \\[x\\]\\*");
        assert_eq!(escape("<Übersicht>"), "?Übersicht?");
        assert_eq!(escape("zeile\neins"), "zeile\\ eins");
    }
}
