//! Where a link leads, and what it is called in iconik.

use shared::{
    content_server::NodeId,
    error::{Error, Result},
    iconik::CollectionId,
    mapping::{Record, Template, View, Violation},
};

use super::LinkReferences;

/// The longest title, in characters: what is longer is cut, as people read its beginning.
const LONGEST_TITLE: usize = 250;

impl LinkReferences {
    /// Where a link to a node leads: the address people open in a browser, which does not change with the document.
    pub(super) fn address(&self, node: NodeId) -> Result<String> {
        let Some(template) = &self.rules.address else {
            let base = self.environment.settings.content_server_url.trim_end_matches('/');
            return Ok(format!("{base}/app/nodes/{node}"));
        };
        let record = Record::new().with("node", serde_json::json!({"id": node.to_string()}));
        filled(template, &record, "address")
    }
}

/// The node and collection of what is called like a link asset of ours.
pub(super) fn place_of(external_id: &str) -> Option<(NodeId, CollectionId)> {
    let (node, collection) = external_id.strip_prefix("content-server-")?.split_once("-in-")?;
    Some((NodeId(node.parse().ok()?), CollectionId::new(collection)))
}

/// What a link asset is called by us: node and collection, so that it is found again and is made once.
pub(super) fn external_id(node: NodeId, collection: &CollectionId) -> String {
    format!("content-server-{node}-in-{collection}")
}

/// A text of the rules, filled.
pub(super) fn filled(template: &Template, record: &Record, what: &str) -> Result<String> {
    template.render(&View::of(record), what).map_err(|violations| {
        let told: Vec<String> = violations.iter().map(Violation::to_string).collect();
        let message = format!("no {what} can be made of the document: {}", told.join("; "));
        Error::invalid("link.no-text", message)
            .field(what)
            .remedy("rename the document, or change the text in the rules")
    })
}

/// A title as it is shown: one line, without signs that turn the rest round, and not too long.
pub(super) fn title(text: &str) -> String {
    let turns = |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    let plain = text.chars().filter(|letter| !turns(*letter));
    let plain: String = plain.map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let plain = plain.trim();
    match plain.char_indices().nth(LONGEST_TITLE) {
        Some((at, _)) => format!("{}…", plain.get(..at).unwrap_or_default().trim_end()),
        None => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_in_its_own_direction_and_of_bounded_length() {
        assert_eq!(title(" Brief \u{202e}fdp.exe\r\n"), "Brief fdp.exe");
        assert_eq!(title("שלום – ヨコハマ"), "שלום – ヨコハマ");
        let long = title(&"ä".repeat(400));
        assert_eq!(long.chars().count(), LONGEST_TITLE + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn node_and_collection_are_one_link() {
        let one = external_id(NodeId(7), &CollectionId::new("a"));
        assert_eq!(one, external_id(NodeId(7), &CollectionId::new("a")));
        assert_ne!(one, external_id(NodeId(7), &CollectionId::new("b")));
        assert_ne!(one, external_id(NodeId(71), &CollectionId::new("a")));
        assert_eq!(place_of(&one), Some((NodeId(7), CollectionId::new("a"))));
        assert_eq!(place_of("3104"), None);
    }
}
