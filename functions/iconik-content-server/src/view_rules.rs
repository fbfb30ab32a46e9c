//! How rule files name metadata views of iconik.

use std::{collections::BTreeMap, ops::Range};

use shared::{
    iconik::ViewId,
    mapping::{Diagnostics, Located},
};

/// Whether a text is an id as iconik makes them.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.chars().all(|character| character == '-' || character.is_ascii_hexdigit())
}

/// The id of a view, or a report that it is none.
pub(crate) fn view_id(text: &str, span: &Range<usize>, diagnostics: &mut Diagnostics) -> Option<ViewId> {
    let is_id = is_uuid(text);
    if !is_id {
        diagnostics.report(
            span.clone(),
            "bad-view",
            format!("`{text}` is not the id of a view"),
            "write the id that iconik shows in the address of the view, 32 hexadecimal digits in five groups",
        );
    }
    is_id.then(|| ViewId::new(text.to_lowercase()))
}

/// Views by the names that the rules call them. Names in `taken` are those of other values of the rules.
pub(crate) fn named_views(
    specs: Vec<(Located<String>, Located<String>)>,
    taken: &[&str],
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, ViewId> {
    let mut views = BTreeMap::new();
    for (name, id) in specs {
        let text = name.value();
        let allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        if text.is_empty() || !text.chars().all(allowed) || taken.contains(&text.as_str()) {
            diagnostics.report(
                name.span(),
                "bad-view-name",
                format!("a view cannot be called `{text}`"),
                format!("use lower-case letters, digits and `_`, and none of {}", taken.join(", ")),
            );
        }
        if let Some(id) = view_id(id.value(), &id.span(), diagnostics) {
            views.insert(name.into_value(), id);
        }
    }
    views
}
