//! What Content Server says now about a publication: what is to be published, or why nothing is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};
use shared::{
    content_server::{AttributeValue, NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, Version, kind},
    error::{Error, Result},
    flow::Reason,
    ledger::Key,
    mapping::{Record, View},
};

use super::{
    PublishApproved, again,
    approval::{Approval, Noting},
    package::Member,
};
use crate::{
    category_values,
    publish_rules::{Held, PublishRule},
};

/// The longest key, in bytes of UTF-8.
const LONGEST_KEY: usize = 1024;

/// What is published together.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Unit {
    /// A document by itself.
    Document(NodeId),
    /// The documents of a container.
    Package {
        /// The rule that packs them.
        rule: String,
        /// The container.
        container: NodeId,
        /// Which package of it; empty when there is only one.
        id: String,
    },
}

impl Unit {
    /// What it is called in the ledger and in the metadata of copies: plain letters.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Document(node) => format!("node-{node}"),
            Self::Package { rule, container, id } => {
                let which = Key::of(&[rule, id]);
                format!("package-{container}-{}", which.short())
            }
        }
    }

    /// The node that is told what was published.
    pub(super) fn node(&self) -> NodeId {
        match self {
            Self::Document(node) => *node,
            Self::Package { container, .. } => *container,
        }
    }
}

/// Why nothing is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Withheld {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Withheld {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn unapproved() -> Self {
        Self::new("publish.not-approved", "the document is not approved")
    }

    pub(super) fn withdrawn() -> Self {
        Self::new("publish.withdrawn", "somebody asked to withdraw the version, or a workflow rejected it")
    }

    pub(super) fn no_version() -> Self {
        Self::new("publish.no-version", "the category does not say which version is approved")
    }

    pub(super) fn version_gone(number: i64) -> Self {
        Self::new("publish.version-gone", format!("the approved version {number} is not there any more"))
    }

    pub(super) fn offloaded(number: i64) -> Self {
        Self::new("publish.offloaded", format!("version {number} is a pointer to content kept elsewhere"))
    }

    pub(super) fn expired() -> Self {
        Self::new("publish.expired", "the document is not valid any more")
    }

    pub(super) fn empty() -> Self {
        Self::new("publish.package-empty", "no document of the package is approved")
    }

    pub(super) fn no_rule() -> Self {
        Self::new("rule.none", "no rule takes the document")
    }

    fn gone() -> Self {
        Self::new("node.gone", "it is not there, or the service user may not see it")
    }

    pub(super) fn reason(&self) -> Reason {
        Reason::new(self.code, self.message.clone())
    }
}

/// What is to be published.
#[derive(Debug, Clone)]
pub(super) struct Offer<'a> {
    pub(super) rule: &'a PublishRule,
    pub(super) key: String,
    /// The name a download is saved under.
    pub(super) file_name: String,
    pub(super) content_type: String,
    /// Until when it may be published.
    pub(super) valid_until: Option<Timestamp>,
    pub(super) content: Content,
}

/// What a copy is of.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A version of a document.
    Version(Version),
    /// The approved versions of several documents.
    Members(Vec<Member>),
}

impl Offer<'_> {
    /// What tells this content, under this name, from every other.
    pub(super) fn fingerprint(&self) -> String {
        let content = match &self.content {
            Content::Version(version) => vec![version_text(version)],
            Content::Members(members) => members.iter().map(Member::text).collect(),
        };
        let mut parts = vec![self.file_name.as_str(), &self.content_type, self.disposition_text()];
        parts.extend(content.iter().map(String::as_str));
        Key::of(&parts).digest().to_owned()
    }

    fn disposition_text(&self) -> &'static str {
        match self.rule.disposition {
            shared::http::Disposition::Attachment => "attachment",
            shared::http::Disposition::Inline => "inline",
        }
    }

    fn same(&self, other: &Self) -> bool {
        self.rule.name == other.rule.name
            && self.key == other.key
            && self.valid_until == other.valid_until
            && self.fingerprint() == other.fingerprint()
    }
}

pub(super) fn version_text(version: &Version) -> String {
    let created = version.created.map(|created| created.to_string()).unwrap_or_default();
    format!("{} {created} {}", version.number, version.file_size.unwrap_or_default())
}

/// What Content Server says now.
#[derive(Debug, Clone)]
pub(super) enum Standing<'a> {
    /// This is to be published.
    Offered(Box<Offer<'a>>),
    /// Nothing is.
    Withheld(Withheld),
}

impl Standing<'_> {
    /// Whether another look said the same.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Offered(one), Self::Offered(other)) => one.same(other),
            (Self::Withheld(one), Self::Withheld(other)) => one.code == other.code,
            _ => false,
        }
    }
}

impl PublishApproved {
    /// What is to become of a publication, as Content Server says at this moment.
    pub(super) async fn standing(&self, unit: &Unit, noting: Noting) -> Result<Standing<'_>> {
        let found = match unit {
            Unit::Document(node) => Box::pin(self.standing_of_document(*node, noting)).await,
            Unit::Package { rule, container, id } => {
                Box::pin(self.standing_of_package(rule, *container, id, noting)).await
            }
        };
        match found {
            // Asked once more: what is withdrawn by mistake has lost its links.
            Err(error) if is_missing(&error) => {
                match self.content_server.get_node(unit.node()).await {
                    Err(twice) if is_missing(&twice) => Ok(Standing::Withheld(Withheld::gone())),
                    Err(other) => Err(other),
                    Ok(_) => Err(again("publish.changing", "something went away while it was being read")
                        .source(error)),
                }
            }
            found => found,
        }
    }

    async fn standing_of_document(&self, node: NodeId, noting: Noting) -> Result<Standing<'_>> {
        let node = self.content_server.get_node(node).await?;
        let withheld = |code, message: &str| Ok(Standing::Withheld(Withheld::new(code, message)));
        if node.kind != kind::DOCUMENT {
            return withheld("node.no-document", "only documents are published by themselves");
        }
        let Some(rule) = self.select(&node).await? else {
            return Ok(Standing::Withheld(Withheld::no_rule()));
        };
        if rule.package.is_some() {
            return withheld("publish.in-package", "the document is published as part of a package");
        }
        let approval = match self.allowed(&node, rule, noting).await? {
            Ok(approval) => approval,
            Err(why) => return Ok(Standing::Withheld(why)),
        };
        let record = self.record(&node, &approval, rule).await?;
        let file_name = file_name(&node, &approval.version);
        let key = key(rule, &record, extension(&file_name))?;
        let content_type = approval.version.mime_type.clone();
        Ok(Standing::Offered(Box::new(Offer {
            rule,
            key,
            file_name,
            content_type: content_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
            valid_until: approval.valid_until,
            content: Content::Version(approval.version),
        })))
    }

    /// The first rule that takes a document.
    pub(super) async fn select(&self, node: &Node) -> Result<Option<&PublishRule>> {
        for rule in &self.rules.rules {
            let named = rule.document_name.as_ref().is_none_or(|pattern| pattern.matches(&node.name).is_ok());
            if !named || !rule.takes_type(node.mime_type.as_deref()) {
                continue;
            }
            match &rule.within {
                Some(within) if !self.places.is_within(&self.content_server, node.id, within).await? => {}
                _ => return Ok(Some(rule)),
            }
        }
        Ok(None)
    }

    /// The approved version, when nothing else about the document speaks against publishing it.
    pub(super) async fn allowed(
        &self,
        node: &Node,
        rule: &PublishRule,
        noting: Noting,
    ) -> Result<std::result::Result<Approval, Withheld>> {
        let approval = match self.approval(node.id, rule, noting).await? {
            Ok(approval) => approval,
            Err(why) => return Ok(Err(why)),
        };
        if !rule.never_classified.is_empty() {
            let classes = self.content_server.list_classifications(node.id).await?;
            for place in &rule.never_classified {
                if classes.contains(&self.places.id(&self.content_server, place).await?) {
                    let message = format!("it is classified as {place}");
                    return Ok(Err(Withheld::new("publish.classified", message)));
                }
            }
        }
        if rule.held == Held::Withdraw
            && let Some(on) = self.content_server.hold_over(node).await?
        {
            return Ok(Err(Withheld::new("publish.held", format!("a hold is in force on {on}"))));
        }
        Ok(Ok(approval))
    }

    /// What the key of a document may be made of.
    async fn record(&self, node: &Node, approval: &Approval, rule: &PublishRule) -> Result<Record> {
        let mut record = self.record_of_folder(node.parent, rule).await?;
        record = record.with("node", object([("id", node.id.to_string()), ("name", node.name.clone())]));
        record = record.with("attribute", attributes(&approval.attributes));
        let captured = rule.document_name.as_ref().and_then(|pattern| pattern.matches(&node.name).ok());
        Ok(match captured {
            Some(captures) => record.with_captures(&captures),
            None => record,
        })
    }

    /// What the key may say of the container. It is only asked for its name where the key has it.
    pub(super) async fn record_of_folder(&self, folder: NodeId, rule: &PublishRule) -> Result<Record> {
        let mut facts = vec![("id", folder.to_string())];
        if rule.key.paths().any(|path| path == "folder.name") {
            facts.push(("name", self.content_server.get_node(folder).await?.name));
        }
        Ok(Record::new().with("folder", object(facts)))
    }
}

pub(super) fn object(facts: impl IntoIterator<Item = (&'static str, String)>) -> Value {
    Value::Object(facts.into_iter().map(|(name, fact)| (name.to_owned(), fact.into())).collect())
}

fn attributes(values: &BTreeMap<String, AttributeValue>) -> Value {
    let texts = values.iter().map(|(name, value)| (name.clone(), category_values::text(value)));
    Value::Object(
        texts
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| (name, text.into()))
            .collect::<Map<_, _>>(),
    )
}

/// The document's name with the extension of its file.
pub(super) fn file_name(node: &Node, version: &Version) -> String {
    let extension = extension(&version.file_name);
    let mut name: String =
        node.name.chars().map(|letter| if letter.is_control() { '_' } else { letter }).collect();
    if !has_extension(&name, extension) {
        name.push_str(extension);
    }
    name
}

/// The extension of a file name with its dot; empty when it has none.
pub(super) fn extension(name: &str) -> &str {
    match name.rfind('.') {
        Some(at) if at > 0 && name.len() - at <= 16 => {
            let extension = name.get(at..).unwrap_or_default();
            let plain = extension.chars().skip(1).all(|letter| letter.is_ascii_alphanumeric());
            if plain && extension.len() > 1 { extension } else { "" }
        }
        _ => "",
    }
}

fn has_extension(name: &str, extension: &str) -> bool {
    let tail = name.len().checked_sub(extension.len()).and_then(|at| name.get(at..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(extension))
}

/// The key of a copy: what the rule makes of the record, in letters that every client takes.
pub(super) fn key(rule: &PublishRule, record: &Record, extension: &str) -> Result<String> {
    let names = rule.key.render(&View::of(record), "key").map_err(|violations| {
        let what: Vec<String> = violations.iter().map(ToString::to_string).collect();
        Error::invalid("publish.no-key", format!("no key can be made of the document: {}", what.join("; ")))
            .field("key")
            .remedy("fill the attribute or rename the document, or change the key in the rules")
    })?;
    let safe = |letter: char| {
        let kept = letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | '(' | ')' | '+' | ' ');
        if kept { letter } else { '_' }
    };
    let names: Vec<String> = names.iter().map(|name| name.trim().chars().map(safe).collect()).collect();
    let mut key = names.join("/");
    if !has_extension(&key, extension) {
        key.push_str(extension);
    }
    if key.len() > LONGEST_KEY {
        let message = format!("the key has {} bytes, and S3 takes {LONGEST_KEY}", key.len());
        return Err(Error::invalid("publish.key-too-long", message)
            .field("key")
            .remedy("use `{node.id}` in place of `{node.name}`, or a shorter name"));
    }
    Ok(key)
}

pub(super) fn is_missing(error: &Error) -> bool {
    matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish_rules::PublishRules;

    fn key_of(template: &str, name: &str, extension: &str) -> Result<String> {
        let rules =
            format!("[[rule]]\nname = \"a\"\nkey = \"{template}\"\napproved = {{ by = \"request\" }}\n");
        let rules = PublishRules::parse(&rules, "rules.toml").unwrap_or_else(|found| panic!("{found}"));
        let record = Record::new().with("node", object([("id", "7".to_owned()), ("name", name.to_owned())]));
        key(&rules.rules[0], &record, extension)
    }

    #[test]
    fn a_key_is_safe_stays_below_its_prefix_and_keeps_the_extension() {
        for (name, expected) in [
            ("Leitfaden Sturm.pdf", "guidelines/Leitfaden Sturm.pdf"),
            ("Leitfaden", "guidelines/Leitfaden.pdf"),
            ("Leitfaden.PDF", "guidelines/Leitfaden.PDF"),
            ("保険.pdf", "guidelines/保険.pdf"),
            ("a?b#c%d\\e.pdf", "guidelines/a_b_c_d_e.pdf"),
        ] {
            assert_eq!(key_of("guidelines/{node.name}", name, ".pdf").unwrap(), expected);
        }
        for name in ["..", "a/b", " "] {
            assert_eq!(key_of("g/{node.name}", name, "").unwrap_err().code(), "publish.no-key", "{name}");
        }
        let long = "ä".repeat(600);
        assert_eq!(key_of("g/{node.name}", &long, ".pdf").unwrap_err().code(), "publish.key-too-long");
        assert_eq!(key_of("g/{node.id}", &long, ".pdf").unwrap(), "g/7.pdf");
    }

    #[test]
    fn an_extension_is_what_a_file_name_ends_with() {
        for (name, expected) in
            [("a.pdf", ".pdf"), ("a.tar.gz", ".gz"), (".profile", ""), ("a", ""), ("v. 2", ""), ("a.", "")]
        {
            assert_eq!(extension(name), expected, "{name}");
        }
    }

    #[test]
    fn packages_of_one_container_have_names_of_their_own() {
        let package = |rule: &str, id: &str| {
            Unit::Package { rule: rule.into(), container: NodeId(7), id: id.into() }.name()
        };
        assert_ne!(package("a", "1"), package("a", "2"));
        assert_ne!(package("a", "1"), package("b", "1"));
        assert!(package("ä", "Ü 1").is_ascii(), "it goes into a header");
    }
}
