//! What is kept beside the copy of a version: a JSON object from which the document could be built again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::{
    content_server::{
        Ancestor, AttributeValue, Client, Grant, Holder, MODULE_MISSING, Node, NodeId, Version,
    },
    error::Result,
};

use super::StoredVersion;

/// The `schema` of a description.
pub const SCHEMA: &str = "waybill.stored-version.v1";

/// A version of a document, its document, and where its content lies in S3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredDescription {
    /// `waybill.stored-version.v1`.
    pub schema: String,
    /// The document, as it was when the version was copied.
    pub node: NodeDescription,
    /// The version.
    pub version: VersionDescription,
    /// Its content. This object is written last: while it is not there, the content is not vouched for.
    pub content: StoredVersion,
}

/// A document of Content Server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeDescription {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The names of the containers it is in, from the volume down.
    pub path: Vec<String>,
    /// Its description.
    pub description: String,
    /// The vendor's number of its type; 144 is a document.
    pub kind: i64,
    /// When it was made.
    pub created: Option<String>,
    /// When it was changed last.
    pub modified: Option<String>,
    /// Its categories with their values.
    pub categories: Vec<CategoryDescription>,
    /// Who may do what with it.
    pub permissions: Vec<GrantDescription>,
    /// Ids of its plain classifications.
    pub classifications: Vec<i64>,
    /// What it is as a record, where there is records management.
    pub records: Vec<RecordDescription>,
}

/// What a document has in one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CategoryDescription {
    /// The category's id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The values of its attributes.
    pub values: Vec<AttributeDescription>,
}

/// The value of one attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttributeDescription {
    /// Its name; `Set:Attribute` inside a set.
    pub name: String,
    /// The row inside a set, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// Its value; a list when it has several. Days and moments as in ISO 8601, users by id.
    pub value: serde_json::Value,
}

/// What a holder of rights may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantDescription {
    /// `owner`, `group`, `public`, or the id of a user or group.
    pub holder: String,
    /// What, in the vendor's words: `see`, `see_contents` and so on.
    pub rights: Vec<String>,
}

/// One records management classification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordDescription {
    /// The id of the classification.
    pub class: i64,
    /// The file number.
    pub file_number: String,
    /// The code of the retention schedule.
    pub schedule: String,
    /// The status code.
    pub status: String,
    /// The day the record dates from.
    pub record_date: String,
    /// Whether it is official.
    pub official: bool,
}

/// A version of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionDescription {
    /// Its number.
    pub number: i64,
    /// How people see it: `3` or `2.1`.
    pub label: String,
    /// The name of its file.
    pub file_name: String,
    /// Its media type.
    pub media_type: Option<String>,
    /// Its description.
    pub description: String,
    /// When it was added.
    pub created: Option<String>,
    /// What an outside system said its identity is.
    pub external_identity: Option<String>,
}

impl NodeDescription {
    /// Reads everything about a document that is worth keeping: five calls, and one for each category not seen lately.
    ///
    /// # Errors
    /// What Content Server says. A module it does not have leaves its part empty.
    pub async fn read(content_server: &Client, node: &Node) -> Result<Self> {
        let way = content_server.list_ancestors(node.id).await?;
        Self::read_at(content_server, node, &way).await
    }

    /// As [`Self::read`], of a document the way to which is known: from the volume down to the document itself.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_at(content_server: &Client, node: &Node, way: &[Ancestor]) -> Result<Self> {
        let moment = |moment: Option<jiff::Timestamp>| moment.map(|moment| moment.to_string());
        let mut path: Vec<String> = way.iter().map(|ancestor| ancestor.name.clone()).collect();
        // The last one is the document itself.
        path.pop();
        Ok(Self {
            id: node.id.0,
            name: node.name.clone(),
            path,
            description: node.description.clone(),
            kind: node.kind,
            created: moment(node.created),
            modified: moment(node.modified),
            categories: categories(content_server, node.id).await?,
            permissions: content_server.list_permissions(node.id).await?.iter().map(grant).collect(),
            classifications: if_there(content_server.list_classifications(node.id).await)?
                .unwrap_or_default()
                .into_iter()
                .map(|class| class.0)
                .collect(),
            records: records(content_server, node.id).await?,
        })
    }
}

impl VersionDescription {
    /// Describes a version.
    pub fn of(version: &Version) -> Self {
        Self {
            number: version.number,
            label: version.label.clone(),
            file_name: version.file_name.clone(),
            media_type: version.mime_type.clone(),
            description: version.description.clone(),
            created: version.created.map(|created| created.to_string()),
            external_identity: version.external_identity.clone(),
        }
    }
}

/// What a node has in its categories.
pub(crate) async fn categories(content_server: &Client, node: NodeId) -> Result<Vec<CategoryDescription>> {
    let mut all = Vec::new();
    for values in content_server.get_categories(node).await? {
        let definition = content_server.category_definition(values.category(), node).await?;
        let named = definition.name_values(&values).into_iter();
        let filled = named.filter(|(_, _, value)| !value.is_empty());
        all.push(CategoryDescription {
            id: values.category().0,
            name: definition.name.clone(),
            values: filled
                .map(|(attribute, row, value)| AttributeDescription {
                    name: match &attribute.set {
                        Some(set) => format!("{}:{}", set.name, attribute.name),
                        None => attribute.name.clone(),
                    },
                    row,
                    value: json(&value),
                })
                .collect(),
        });
    }
    Ok(all)
}

fn json(value: &AttributeValue) -> serde_json::Value {
    match value {
        AttributeValue::Empty => serde_json::Value::Null,
        AttributeValue::Text(text) => text.as_str().into(),
        AttributeValue::Integer(number) | AttributeValue::User(number) => (*number).into(),
        AttributeValue::Boolean(truth) => (*truth).into(),
        AttributeValue::Date(day) => day.to_string().into(),
        AttributeValue::Moment(moment) => moment.to_string().into(),
        AttributeValue::Many(values) => values.iter().map(json).collect(),
    }
}

/// A value as it was written; its type is that of the attribute it is put into.
pub(crate) fn value(json: &serde_json::Value) -> AttributeValue {
    match json {
        serde_json::Value::Null | serde_json::Value::Object(_) => AttributeValue::Empty,
        serde_json::Value::Bool(truth) => AttributeValue::Boolean(*truth),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| AttributeValue::Text(number.to_string()), AttributeValue::Integer)
        }
        serde_json::Value::String(text) => AttributeValue::Text(text.clone()),
        serde_json::Value::Array(values) => AttributeValue::Many(values.iter().map(value).collect()),
    }
}

fn grant(grant: &Grant) -> GrantDescription {
    let word = |right| serde_json::to_value(right).ok()?.as_str().map(str::to_owned);
    GrantDescription {
        holder: match grant.holder {
            Holder::Owner => "owner".to_owned(),
            Holder::Group => "group".to_owned(),
            Holder::Public => "public".to_owned(),
            Holder::Member(id) => id.to_string(),
        },
        rights: grant.rights.iter().filter_map(word).collect(),
    }
}

/// What a node is as a record; nothing where there is no records management.
pub(crate) async fn records(content_server: &Client, node: NodeId) -> Result<Vec<RecordDescription>> {
    let record = if_there(content_server.get_record(node).await)?;
    let classes = record.iter().flat_map(|record| record.classifications());
    Ok(classes
        .map(|class| RecordDescription {
            class: class.id,
            file_number: class.file_number.clone(),
            schedule: class.rsi.clone(),
            status: class.status.clone(),
            record_date: class.record_date.clone(),
            official: class.official,
        })
        .collect())
}

/// What a module says, where it is there.
fn if_there<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(there) => Ok(Some(there)),
        Err(error) if error.code() == MODULE_MISSING => Ok(None),
        Err(error) => Err(error),
    }
}

/// The JSON Schema of descriptions, for whoever reads them.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(StoredDescription);
    schema.insert("title".to_owned(), "Waybill: description of a stored version".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    /// The published schema is the one of the code; `UPDATE_SCHEMA=1` writes it.
    #[test]
    fn the_published_schema_is_the_one_in_force() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/stored-version.schema.json");
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(file, super::schema()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(file).unwrap(), super::schema());
    }
}
