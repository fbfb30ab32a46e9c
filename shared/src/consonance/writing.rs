//! Writing by GraphQL. What a mutation takes and gives is read from the schema; a member that the schema does not have is
//! refused before anything is sent.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::{
    Capabilities, Client, Settings, WebLink,
    capabilities::bare,
    error::{Effect, failure, refused_input, unexpected},
    reading::{lacks, need_input},
    wire,
};
use crate::error::{FailureClass, Result};

/// The mutations this client knows.
const OURS: &[&str] = &[
    "createLicensedRight",
    "createProductionFile",
    "createSupportingResource",
    "createWebLink",
    "deleteWebLink",
    "updateContract",
    "updateProduct",
    "updateWork",
];

/// Setting says that this must not be written.
pub const NOT_ALLOWED: &str = "consonance.write-not-allowed";
/// The schema has no switch that keeps a link out of ONIX, so no link is written: it would go to retailers.
pub const ONIX_SWITCH_MISSING: &str = "consonance.onix-switch-missing";

/// What may be written of a product and of a work without going to the trade.
const HOUSE_FIELDS: &[&str] = &["publishersReference", "internalReference", "projectStageId"];

/// A link to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebLink {
    /// The work it hangs on.
    pub work_id: i64,
    /// Where it leads.
    pub link: String,
    /// What it is.
    pub description: String,
    /// The role of the page, ONIX list 73.
    pub role: String,
}

/// Types that the mutations we know lead to, and the schema was not asked for.
pub(super) fn unknown_types(schema: &Capabilities, settings: &Settings) -> Vec<String> {
    let follow_up = Some(settings.upload_follow_up.as_str()).filter(|name| !name.is_empty());
    let mut wanted = Vec::new();
    for field in OURS.iter().copied().chain(follow_up).filter_map(|name| schema.field("Mutation", name)) {
        let input = field.arguments.get("input").map(|of| bare(of));
        let of_input = input.into_iter().flat_map(|input| schema.inputs(input)).map(|(_, of)| bare(of));
        let payload = schema.fields(field.type_name()).filter(|(_, field)| field.is_composite);
        let of_payload = payload.map(|(_, field)| field.type_name());
        wanted.extend(input.into_iter().chain([field.type_name()]).chain(of_input).chain(of_payload));
    }
    let is_built_in = |name: &str| ["Int", "Float", "String", "Boolean", "ID"].contains(&name);
    let unknown = wanted.into_iter().filter(|name| !is_built_in(name) && !schema.has_type(name));
    unknown.map(str::to_owned).collect()
}

impl Client {
    /// Makes a link that does not go into ONIX, unless the work has it already; gives its id. A page of ours behind a link that
    /// went to retailers would be asked for by strangers, so without a switch for it nothing is written.
    ///
    /// # Errors
    /// [`ONIX_SWITCH_MISSING`]; `UnknownOutcome` when the answer is lost and the link is not found afterwards.
    pub async fn ensure_web_link(&self, new: &NewWebLink) -> Result<i64> {
        let find = async || -> Result<Option<i64>> {
            let links: Vec<WebLink> = self.web_links(new.work_id).await?;
            Ok(links
                .into_iter()
                .find(|known| known.link.as_deref() == Some(&new.link))
                .and_then(|known| known.id))
        };
        if let Some(id) = find().await? {
            return Ok(id);
        }
        let input = self.web_link_input(new).await?;
        match self.mutate("create web link", "createWebLink", Effect::Once, input).await {
            Ok(payload) => made_id(&payload)
                .ok_or_else(|| unexpected("create web link", Effect::Once, "no id of the link in it")),
            Err(error) if error.class() == FailureClass::UnknownOutcome => match find().await? {
                Some(id) => Ok(id),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    async fn web_link_input(&self, new: &NewWebLink) -> Result<Map<String, Value>> {
        const OPERATION: &str = "create web link";
        let schema = self.capabilities().await?;
        let of = input_of(&schema, OPERATION, "createWebLink")?;
        let set = self.settings.web_link_onix_field.as_str();
        let mut switches = schema.inputs(of).filter(|(name, of)| match set {
            "" => bare(of) == "Boolean" && name.to_lowercase().contains("onix"),
            set => *name == set && bare(of) == "Boolean",
        });
        let (Some((switch, _)), None) = (switches.next(), switches.next()) else {
            let message =
                format!("{of} has not exactly one switch that keeps a link out of ONIX; nothing was sent");
            return Err(failure(FailureClass::Forbidden, OPERATION, ONIX_SWITCH_MISSING, message)
                .remedy("name it in web_link_onix_field, or write no links"));
        };
        let mut input = Map::new();
        input.insert("workId".to_owned(), json!(new.work_id));
        input.insert("link".to_owned(), json!(new.link));
        input.insert(switch.to_owned(), json!(false));
        let described = ["description", "note"].iter().find(|name| schema.input(of, name).is_some());
        if let Some(name) = described {
            input.insert((*name).to_owned(), json!(new.description));
        }
        let role = schema.inputs(of).find(|(name, _)| name.to_lowercase().contains("websiterole"));
        if let Some((name, of)) = role {
            let mut values = schema.values(bare(of)).peekable();
            let value = match values.peek() {
                None => new.role.as_str(),
                Some(_) => values
                    .find(|value| wire::plain_code(value) == new.role)
                    .ok_or_else(|| lacks(OPERATION, &format!("{} has no {}", bare(of), new.role)))?,
            };
            input.insert(name.to_owned(), json!(value));
        }
        Ok(input)
    }

    /// Removes a link. Gone before is as good.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn delete_web_link(&self, id: i64) -> Result<()> {
        let input = Map::from_iter([("id".to_owned(), json!(id))]);
        match self.mutate("delete web link", "deleteWebLink", Effect::Repeatable, input).await {
            Err(error) if error.code() == super::NOT_FOUND => Ok(()),
            other => other.map(drop),
        }
    }

    /// Sets the description of a contract.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn describe_contract(&self, id: i64, description: &str) -> Result<()> {
        let input =
            Map::from_iter([("id".to_owned(), json!(id)), ("description".to_owned(), json!(description))]);
        self.mutate("describe contract", "updateContract", Effect::Repeatable, input).await.map(drop)
    }

    /// Ends a contract: its last day is this one. Nothing takes that back in what it meant.
    ///
    /// # Errors
    /// [`NOT_ALLOWED`] unless `may_end_contracts` is set.
    pub async fn end_contract(&self, id: i64, last_day: Date, reason: &str) -> Result<()> {
        const OPERATION: &str = "end contract";
        if !self.settings.may_end_contracts {
            return Err(failure(
                FailureClass::Forbidden,
                OPERATION,
                NOT_ALLOWED,
                "contracts are not ended from here",
            )
            .remedy("set may_end_contracts when that is wanted"));
        }
        let input = Map::from_iter([
            ("id".to_owned(), json!(id)),
            ("terminatedDate".to_owned(), json!(last_day.to_string())),
            ("terminationReason".to_owned(), json!(reason)),
        ]);
        self.mutate(OPERATION, "updateContract", Effect::Repeatable, input).await.map(drop)
    }

    /// Sets fields of a product.
    ///
    /// # Errors
    /// [`NOT_ALLOWED`] for a field that goes to the trade, unless `may_write_trade_fields` is set.
    pub async fn update_product(&self, id: i64, fields: Map<String, Value>) -> Result<()> {
        self.update("update product", "updateProduct", id, fields).await
    }

    /// Sets fields of a work.
    ///
    /// # Errors
    /// [`NOT_ALLOWED`] for a field that goes to the trade, unless `may_write_trade_fields` is set.
    pub async fn update_work(&self, id: i64, fields: Map<String, Value>) -> Result<()> {
        self.update("update work", "updateWork", id, fields).await
    }

    async fn update(
        &self,
        operation: &'static str,
        mutation: &str,
        id: i64,
        mut fields: Map<String, Value>,
    ) -> Result<()> {
        let to_trade = fields.keys().find(|name| !HOUSE_FIELDS.contains(&name.as_str()));
        if let Some(field) = to_trade.filter(|_| !self.settings.may_write_trade_fields) {
            let message = format!("{field} goes to the trade by itself, and is not written from here");
            return Err(failure(FailureClass::Forbidden, operation, NOT_ALLOWED, message)
                .field(field.clone())
                .remedy("set may_write_trade_fields when that is wanted"));
        }
        fields.insert("id".to_owned(), json!(id));
        self.mutate(operation, mutation, Effect::Repeatable, fields).await.map(drop)
    }

    /// Runs a mutation and gives its payload.
    pub(super) async fn mutate(
        &self,
        operation: &'static str,
        name: &str,
        effect: Effect,
        input: Map<String, Value>,
    ) -> Result<Value> {
        let schema = self.capabilities().await?;
        let of = input_of(&schema, operation, name)?;
        for member in input.keys() {
            need_input(&schema, operation, of, member)?;
        }
        let payload = schema.field("Mutation", name).map(super::Field::type_name).unwrap_or_default();
        let selected = self.payload(&schema, payload);
        let text = format!("mutation Write($input: {of}!) {{ {name}(input: $input) {{ {selected} }} }}");
        let mut data = self.query(operation, effect, &text, json!({"input": input})).await?;
        let payload = data.get_mut(name).map(Value::take).filter(Value::is_object);
        let payload = payload.ok_or_else(|| unexpected(operation, effect, "no payload in it"))?;
        match refused_input(operation, &payload) {
            Some(error) => Err(error),
            None => Ok(payload),
        }
    }

    /// What is asked of a payload: all that is plain, its errors whatever they are called, and of what was made its id and the
    /// addresses it has.
    fn payload(&self, schema: &Capabilities, of: &str) -> String {
        let mut selected = vec!["__typename".to_owned()];
        for (name, field) in schema.fields(of).filter(|(_, field)| !field.needs_arguments()) {
            if !field.is_composite {
                selected.push(name.to_owned());
                continue;
            }
            let is_wanted = |wanted: &str| {
                name == "errors"
                    || wanted == "id"
                    || wanted == self.settings.upload_url_field
                    || is_address(wanted)
            };
            let within = schema
                .fields(field.type_name())
                .filter(|(inner, field)| !field.is_composite && !field.needs_arguments() && is_wanted(inner));
            let within: Vec<&str> = within.map(|(inner, _)| inner).collect();
            if !within.is_empty() {
                selected.push(format!("{name} {{ {} }}", within.join(" ")));
            }
        }
        selected.join(" ")
    }
}

/// Whether a field holds an address to which content may be sent, by its name.
pub(super) fn is_address(name: &str) -> bool {
    let name = name.to_lowercase();
    name.contains("url") && ["presigned", "signed", "upload"].iter().any(|word| name.contains(word))
}

/// The type of a mutation's input.
pub(super) fn input_of<'schema>(
    schema: &'schema Capabilities,
    operation: &'static str,
    mutation: &str,
) -> Result<&'schema str> {
    let field = schema.field("Mutation", mutation);
    let input = field.and_then(|field| field.arguments.get("input")).map(|of| bare(of));
    input.ok_or_else(|| lacks(operation, &format!("there is no mutation {mutation}")))
}

/// The id of what was made: of the first object in the payload that has one.
pub(super) fn made_id(payload: &Value) -> Option<i64> {
    let own = payload.get("id").and_then(wire::as_integer);
    own.or_else(|| payload.as_object()?.values().find_map(|member| wire::as_integer(member.get("id")?)))
}
