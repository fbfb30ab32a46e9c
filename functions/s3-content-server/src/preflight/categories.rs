//! Categories that rules fill: whether they are there, and whether each attribute takes what its field gives.

use jiff::{Timestamp, civil};
use shared::{
    content_server::{
        Attribute, AttributeKind, AttributeValue, CategoryDefinition, CategoryValues, MemberKind, Node,
        NodeId, NodePath, Root, kind, volume,
    },
    error::Result,
    mapping::{Field, FieldType, Mapping},
};

use super::{Look, report::Findings};
use crate::intake_rules::plan::Reference;

impl Look<'_> {
    /// A category and the fields that a rule has for it.
    pub(super) async fn category(
        &self,
        category: &Reference,
        mapping: &Mapping,
        near: &Node,
        findings: &mut Findings,
    ) -> Result<()> {
        let about = format!("category {category}");
        let found = match category {
            Reference::Id(id) => self.client.get_node(NodeId(i64::try_from(*id).unwrap_or(i64::MAX))).await,
            Reference::Path(names) => {
                let path = NodePath { root: Root::Volume(volume::CATEGORIES), segments: names.clone() };
                self.client.resolve_category(&path).await
            }
        };
        let Some(node) = findings.kept(&about, found)? else { return Ok(()) };
        if node.kind != kind::CATEGORY {
            let message = format!("{:?} (node {}) is no category", node.name, node.id);
            findings.missing(about.as_str(), message, "correct `id` in the rule");
            return Ok(());
        }
        let definition = self.client.category_definition(node.id, near.id).await;
        let Some(definition) = findings.kept(&about, definition)? else { return Ok(()) };
        findings.ok(about.as_str(), format!("is there, with {} attributes", definition.attributes.len()));
        let mut filled = Filled { about: &about, definition: &definition, names: Vec::new() };
        for field in mapping.fields() {
            self.field(&mut filled, None, field, findings).await?;
        }
        for set in mapping.sets() {
            let known = definition.attributes.iter().filter_map(|attribute| attribute.set.as_ref());
            if !known.into_iter().any(|known| known.name == set.to()) {
                let remedy = "correct the name in the rule, or add the set to the category";
                findings.missing(about.as_str(), format!("has no set {:?}", set.to()), remedy);
                continue;
            }
            for field in set.fields() {
                self.field(&mut filled, Some(set.to()), field, findings).await?;
            }
        }
        filled.required(mapping, findings);
        Ok(())
    }

    async fn field(
        &self,
        filled: &mut Filled<'_>,
        set: Option<&str>,
        field: &Field,
        findings: &mut Findings,
    ) -> Result<()> {
        let name = match set {
            Some(set) => format!("{set}:{}", field.to()),
            None => field.to().to_owned(),
        };
        let about = format!("{}: {name}", filled.about);
        let Some(attribute) = filled.definition.attribute(&name) else {
            let remedy = "correct `to` in the rule, or add the attribute to the category";
            findings.missing(about, "there is no such attribute", remedy);
            return Ok(());
        };
        let before = findings.0.len();
        filled.names.push((attribute.key.clone(), field.always_has_a_value()));
        filled.fits(&about, &name, attribute, field, findings);
        if field.kind() == FieldType::User {
            for login in field.known_texts().unwrap_or_default() {
                findings.kept(&about, self.client.resolve_member(MemberKind::User, &login).await)?;
            }
        }
        if findings.0.len() == before {
            findings.ok(about, format!("takes {}", described(attribute)));
        }
        Ok(())
    }
}

/// A category, and which of its attributes the rule fills, with whether always.
struct Filled<'a> {
    about: &'a str,
    definition: &'a CategoryDefinition,
    names: Vec<(String, bool)>,
}

impl Filled<'_> {
    /// Whether an attribute takes what a field gives.
    fn fits(&self, about: &str, name: &str, attribute: &Attribute, field: &Field, findings: &mut Findings) {
        if field.is_multi() && !attribute.multi_value {
            let remedy = "take `multi` out of the field, join the values, or let the attribute hold several";
            findings.missing(about, "holds one value, and the field gives a list", remedy);
            return;
        }
        let is_text = matches!(field.kind(), FieldType::Text | FieldType::Decimal);
        match (field.known_texts().filter(|_| field.kind() == FieldType::Text), attribute.kind) {
            (Some(texts), _) => {
                for text in texts {
                    self.takes(about, name, attribute, &text, findings);
                }
            }
            (None, AttributeKind::Text) => self.takes_any_text(about, attribute, field, findings),
            (None, wanted) if is_text => findings.warning(
                about,
                format!("takes {}, and the field gives text: what is none is put aside", words(wanted)),
                format!(
                    "say `as = \"{}\"` in the field, so that it is told with the field at fault",
                    as_word(wanted)
                ),
            ),
            (None, _) => {
                let mut values = CategoryValues::new(self.definition.id);
                if let Err(error) = self.definition.put(&mut values, name, sample(field.kind())) {
                    let remedy = format!("say `as = \"{}\"` in the field", as_word(attribute.kind));
                    findings.missing(about, error.message(), remedy);
                }
            }
        }
    }

    /// Whether an attribute takes a text that the rules themselves decide.
    fn takes(&self, about: &str, name: &str, attribute: &Attribute, text: &str, findings: &mut Findings) {
        let mut values = CategoryValues::new(self.definition.id);
        let put = self.definition.put(&mut values, name, AttributeValue::Text(text.to_owned()));
        let choices = &attribute.choices;
        if let Err(error) = put {
            findings.missing(
                about,
                format!("{text:?}: {}", error.message()),
                "correct the value in the rules",
            );
        } else if !choices.is_empty() && !choices.iter().any(|choice| choice == text) {
            let message = format!("{text:?} is not in its list ({})", choices.join(", "));
            findings.missing(
                about,
                message,
                "correct the value in the rules, or add it to the attribute's list",
            );
        }
    }

    /// Whether an attribute of text takes whatever may come.
    fn takes_any_text(&self, about: &str, attribute: &Attribute, field: &Field, findings: &mut Findings) {
        if field.kind() == FieldType::User {
            let remedy = "use an attribute of the type user, or take `as = \"user\"` out";
            findings.warning(about, "holds text, and the field gives the number of a user", remedy);
        } else if !attribute.choices.is_empty() {
            let choices = attribute.choices.join(", ");
            findings.warning(
                about,
                format!("takes only {choices}, and the field gives whatever comes"),
                "list the values in `one_of`, or translate them by a `lookup`",
            );
        } else if let Some(most) = attribute.max_length
            && matches!(field.kind(), FieldType::Text)
            && field.may_exceed(most)
        {
            findings.warning(
                about,
                format!("takes {most} characters, and the field does not limit its text"),
                format!(
                    "say `max_length = {most}` in the field, with `too_long = \"cut\"` where that will do"
                ),
            );
        }
    }

    /// Whether every attribute that must have a value gets one.
    fn required(&self, mapping: &Mapping, findings: &mut Findings) {
        let sets: Vec<_> = mapping.sets().iter().map(|set| set.to()).collect();
        let asked = |attribute: &&Attribute| match &attribute.set {
            None => true,
            // A set without rows needs nothing.
            Some(set) => sets.contains(&set.name.as_str()),
        };
        for attribute in self.definition.attributes.iter().filter(|one| one.required).filter(asked) {
            let about = match &attribute.set {
                Some(set) => format!("{}: {}:{}", self.about, set.name, attribute.name),
                None => format!("{}: {}", self.about, attribute.name),
            };
            match self.names.iter().find(|(key, _)| *key == attribute.key) {
                Some((_, true)) => {}
                Some((_, false)) => findings.warning(
                    about,
                    "must have a value, and the field may give none: such objects are put aside",
                    "say `required = true`, so that it is told with the field at fault, or give a `default`",
                ),
                None => findings.missing(
                    about,
                    "must have a value, and the rule gives it none",
                    "add a field for it to the rule, or let the attribute be empty",
                ),
            }
        }
    }
}

/// Some value of a type.
fn sample(kind: FieldType) -> AttributeValue {
    match kind {
        FieldType::Text => AttributeValue::Text("x".to_owned()),
        FieldType::Integer => AttributeValue::Integer(1),
        FieldType::Decimal => AttributeValue::Text("1.5".to_owned()),
        FieldType::Boolean => AttributeValue::Boolean(true),
        FieldType::Date => AttributeValue::Date(civil::Date::constant(2031, 5, 6)),
        FieldType::DateTime => AttributeValue::Moment(Timestamp::UNIX_EPOCH),
        FieldType::User => AttributeValue::User(1000),
    }
}

fn described(attribute: &Attribute) -> String {
    let several = if attribute.multi_value { ", several" } else { "" };
    format!("{}{several}", words(attribute.kind))
}

fn words(kind: AttributeKind) -> &'static str {
    match kind {
        AttributeKind::Text => "text",
        AttributeKind::Integer => "a whole number",
        AttributeKind::Boolean => "true or false",
        AttributeKind::Date => "a day",
        AttributeKind::Moment => "a moment",
        AttributeKind::User => "a user",
    }
}

/// What `as` is to say for a type.
fn as_word(kind: AttributeKind) -> &'static str {
    match kind {
        AttributeKind::Text => "text",
        AttributeKind::Integer => "integer",
        AttributeKind::Boolean => "boolean",
        AttributeKind::Date => "date",
        AttributeKind::Moment => "date-time",
        AttributeKind::User => "user",
    }
}
