//! Values that come back become values of a category, unless a person has said otherwise.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use shared::{
    content_server::{AttributeValue, CategoryDefinition, CategoryValues, MemberKind, Node},
    error::{Error, Result},
    flow::{Delivery, Flow, Outcome, Policy, Run},
    ledger::{Key, Sighting},
    mapping::{Mapped, MappedField, Record, Value, Violations},
};

use super::{ExportForAnalysis, remembered::Kept, results::Returned, skipped};
use crate::export_rules::{DataSet, Overwrite, Values};

/// The `schema` of values that come back.
pub(super) const SCHEMA: &str = "waybill.result.v1";
/// The largest file of values, in bytes.
const LARGEST: u64 = 1 << 20;

/// A file of values, read strictly.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResultFile {
    schema: String,
    /// SHA-256 of the content that was analysed, as in the manifest.
    sha256: String,
    values: Map<String, Json>,
}

/// What became of values that came back.
pub(super) enum Applied {
    /// So many were written; the names of those that stayed as somebody else left them.
    Written { written: usize, kept: Vec<String> },
    /// The rules ask for none of them.
    Nothing,
    /// So many would be written.
    Dry(usize),
}

/// A result has to say which content it was made from.
pub(super) fn is_of(kept: &Kept, sha256: &str) -> Result<()> {
    if sha256.eq_ignore_ascii_case(&kept.stored.sha256) {
        return Ok(());
    }
    let message = "the result was made from another content than the data set has of this version";
    Err(Error::invalid("result.other-content", message)
        .field("sha256")
        .remedy("copy `sha256` from the manifest's line"))
}

/// What an earlier result wrote, by attribute, each as a hash.
type Own = BTreeMap<String, String>;

impl ExportForAnalysis {
    pub(super) async fn take_values(
        &self,
        returned: &Returned<'_>,
        rule: &Values,
        run: &Run,
    ) -> Result<Outcome> {
        let file = self.result_file(returned).await?;
        let applied =
            Box::pin(self.write_values(returned.data_set, rule, &returned.node, file.values, run)).await?;
        let (written, kept) = match applied {
            Applied::Written { written, kept } => (written, kept),
            Applied::Nothing => {
                return skipped("result.nothing", "the result has no value that the rules ask for");
            }
            Applied::Dry(wanted) => return skipped("dry-run", &format!("{wanted} values would be written")),
        };
        Ok(Outcome::Delivered(Delivery {
            result: json!({ "node": returned.node.id, "written": written, "kept": kept }),
            detail: [
                ("version", returned.version.to_string()),
                ("written", written.to_string()),
                ("kept", kept.len().to_string()),
            ]
            .map(|(name, fact)| (name.to_owned(), fact))
            .into(),
            ..Delivery::default()
        }))
    }

    /// Writes values that came back for a document, as far as they may replace what is there.
    pub(super) async fn write_values(
        &self,
        data_set: &DataSet,
        rule: &Values,
        node: &Node,
        values: Map<String, Json>,
        run: &Run,
    ) -> Result<Applied> {
        let record = Record::new().with("result", values);
        let mut violations = Violations::new();
        let Mapped { fields, .. } = rule.fields.apply(&record, "", &mut violations);
        let fields = violations.finish(fields).map_err(Error::from)?;
        let mut wanted = Vec::with_capacity(fields.len());
        for field in &fields {
            wanted.push((field.to.clone(), self.attribute(field).await?));
        }
        let category = self.places.id(&self.content_server, &rule.category).await?;
        let definition = self.content_server.category_definition(category, node.id).await?;
        // What does not fit the category is refused before anything is looked at.
        let mut check = CategoryValues::new(category);
        for (name, value) in &wanted {
            definition.put(&mut check, name, value.clone())?;
        }
        if wanted.is_empty() {
            return Ok(Applied::Nothing);
        }
        if run.is_dry() {
            return Ok(Applied::Dry(wanted.len()));
        }
        let list = format!("{}/values", data_set.name);
        let mut own = self.own_values(&list, node.id.0).await?;
        let kept = std::sync::Mutex::new(Vec::new());
        let decide = |present: Option<&CategoryValues>| {
            let (values, left) = chosen(&definition, present, &wanted, (rule.overwrite, &own))?;
            *kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = left;
            Ok((!values.is_empty()).then_some(values))
        };
        let change =
            || async { self.content_server.change_category(node.id, category, &decide).await.map(drop) };
        run.effect("write-values", Policy::RepeatSafe, || async { Ok(None) }, change).await?;
        let kept = kept.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let written = wanted.iter().filter(|(name, _)| !kept.contains(name));
        own.extend(written.map(|(name, value)| (name.clone(), hash(value))));
        self.own_these(&list, node.id.0, &own).await?;
        Ok(Applied::Written { written: wanted.len() - kept.len(), kept })
    }

    async fn result_file(&self, returned: &Returned<'_>) -> Result<ResultFile> {
        let bytes = self.read_result(&returned.object, LARGEST).await?;
        // The position of a mistake is told, not the text around it.
        let file: ResultFile = serde_json::from_slice(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let message =
                format!("the result is not the JSON that was expected: line {line}, column {column}");
            Error::invalid("result.unreadable", message).remedy(format!(
                "send {{\"schema\": \"{SCHEMA}\", \"sha256\": …, \"values\": {{…}}}} and nothing else"
            ))
        })?;
        if file.schema != SCHEMA {
            return Err(Error::invalid("result.unreadable", "the result is of another schema")
                .field("schema")
                .remedy(format!("send `{SCHEMA}`")));
        }
        is_of(&returned.kept, &file.sha256)?;
        Ok(file)
    }

    async fn own_values(&self, list: &str, node: i64) -> Result<Own> {
        let read = self.environment.ledger.sightings(Self::NAME, list, &[node]).await?;
        let Some(sighting) = read.first() else { return Ok(Own::new()) };
        serde_json::from_str(&sighting.facts)
            .map_err(|error| Error::bug("recall", "what a result wrote cannot be read").source(error))
    }

    async fn own_these(&self, list: &str, node: i64, own: &Own) -> Result<()> {
        let facts = serde_json::to_string(own)
            .map_err(|error| Error::bug("remember", "what a result wrote cannot be kept").source(error))?;
        self.environment.ledger.remember(Self::NAME, list, &Sighting { id: node, facts }, false).await
    }

    async fn attribute(&self, field: &MappedField) -> Result<AttributeValue> {
        Ok(match &field.value {
            Value::List(values) => {
                let mut many = Vec::with_capacity(values.len());
                for value in values {
                    many.push(self.single(value).await?);
                }
                AttributeValue::Many(many)
            }
            value => self.single(value).await?,
        })
    }

    async fn single(&self, value: &Value) -> Result<AttributeValue> {
        Ok(match value {
            Value::Text(text) => AttributeValue::Text(text.clone()),
            Value::Integer(number) => AttributeValue::Integer(*number),
            Value::Decimal(number) => AttributeValue::Text(number.to_string()),
            Value::Boolean(truth) => AttributeValue::Boolean(*truth),
            Value::Date(day) => AttributeValue::Date(*day),
            Value::DateTime(moment) => AttributeValue::Moment(*moment),
            Value::User(login) => {
                AttributeValue::User(self.content_server.resolve_member(MemberKind::User, login).await?.id)
            }
            Value::List(_) => return Err(Error::bug("map", "a list inside a list")),
        })
    }
}

/// The values to write, and the names of those that stay as somebody else left them.
fn chosen(
    definition: &CategoryDefinition,
    present: Option<&CategoryValues>,
    wanted: &[(String, AttributeValue)],
    (overwrite, own): (Overwrite, &Own),
) -> Result<(CategoryValues, Vec<String>)> {
    let there: BTreeMap<String, AttributeValue> = present
        .map(|present| definition.name_values(present))
        .unwrap_or_default()
        .into_iter()
        .filter(|(attribute, row, _)| attribute.set.is_none() && row.is_none())
        .map(|(attribute, _, value)| (attribute.name.clone(), value))
        .collect();
    let mut values = CategoryValues::new(definition.id);
    let mut left = Vec::new();
    for (name, value) in wanted {
        let now = there.get(name).filter(|now| !now.is_empty());
        let may = match (overwrite, now) {
            (_, None) | (Overwrite::Always, _) => true,
            (_, Some(now)) if hash(now) == hash(value) => true,
            (Overwrite::Own, Some(now)) => own.get(name) == Some(&hash(now)),
            (Overwrite::Never, Some(_)) => false,
        };
        if may {
            definition.put(&mut values, name, value.clone())?;
        } else {
            left.push(name.clone());
        }
    }
    Ok((values, left))
}

/// The hash of a value, whatever form the server gives it in: empty places of lists do not count.
fn hash(value: &AttributeValue) -> String {
    fn texts(value: &AttributeValue, into: &mut Vec<String>) {
        match value {
            AttributeValue::Empty => {}
            AttributeValue::Many(values) => values.iter().for_each(|value| texts(value, into)),
            AttributeValue::Moment(moment) => into.push(moment.as_second().to_string()),
            value => {
                let text = crate::category_values::text(value);
                if !text.is_empty() {
                    into.push(text);
                }
            }
        }
    }
    let mut parts = Vec::new();
    texts(value, &mut parts);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    Key::of(&parts).digest().to_owned()
}
