//! Retention policies and the assets they are assigned to.

use jiff::{Span, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{Kind, Outcome, Refusal, State};

/// A retention policy. Which words its fields take is not documented; they are kept as they come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its reference.
    pub reference: String,
    /// Fields by name, in the order of the interface.
    pub fields: Vec<(String, String)>,
}

/// The names of the fields, in order.
pub(in crate::preservica) const FIELDS: [&str; 10] = [
    "Name",
    "Description",
    "SecurityTag",
    "StartDateField",
    "Period",
    "PeriodUnit",
    "ExpiryAction",
    "ExpiryActionParameters",
    "Restriction",
    "Assignable",
];

impl Policy {
    /// A field.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Sets a field.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
    }
}

/// A policy on an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Id of the entry.
    pub api_id: String,
    /// The policy.
    pub policy: String,
    /// From when its period runs.
    pub start: Timestamp,
}

impl State {
    /// Makes a policy, or changes one.
    pub fn put_policy(&mut self, reference: Option<&str>, fields: Vec<(String, String)>) -> Outcome<String> {
        let reference = match reference {
            Some(reference) => reference.to_owned(),
            None => self.new_reference(),
        };
        let policy = self
            .policies
            .entry(reference.clone())
            .or_insert_with(|| Policy { reference: reference.clone(), fields: Vec::new() });
        for (name, value) in fields {
            policy.set(&name, &value);
        }
        match policy.field("Name") {
            "" => {
                self.policies.remove(&reference);
                Err(Refusal::Invalid("A policy needs a name".to_owned()))
            }
            _ => Ok(reference),
        }
    }

    /// Assigns a policy to an asset; gives the id of the assignment.
    pub fn assign(&mut self, asset: &str, policy: &str) -> Outcome<Assignment> {
        self.living(Kind::InformationObject, asset)?;
        let known = self
            .policies
            .get(policy)
            .filter(|policy| policy.field("Assignable").eq_ignore_ascii_case("true"));
        if known.is_none() {
            return Err(Refusal::Refused(422, format!("There is no policy {policy} that can be assigned")));
        }
        let assignment = Assignment { api_id: self.new_api_id(), policy: policy.to_owned(), start: self.now };
        self.living_mut(Kind::InformationObject, asset)?.retention.push(assignment.clone());
        self.touch(asset);
        Ok(assignment)
    }

    /// Whether the period of an assignment is over.
    pub fn is_expired(&self, assignment: &Assignment) -> bool {
        let Some(policy) = self.policies.get(&assignment.policy) else { return false };
        let Ok(period) = policy.field("Period").parse::<i64>() else { return false };
        let span = match policy.field("PeriodUnit").to_uppercase().as_str() {
            "DAY" => Span::new().try_days(period),
            "MONTH" => Span::new().try_months(period),
            _ => Span::new().try_years(period),
        };
        let Ok(span) = span else { return false };
        let start = assignment.start.to_zoned(TimeZone::UTC);
        start.checked_add(span).is_ok_and(|end| end.timestamp() <= self.now)
    }

    /// Why something must not go.
    pub fn kept_because(&self, reference: &str) -> Option<String> {
        let entity = self.entities.get(reference)?;
        if let Some(hold) = entity.holds.first() {
            return Some(format!("The asset {reference} is under the legal hold {}", hold.hold));
        }
        let restricts = |assignment: &&Assignment| {
            let policy = self.policies.get(&assignment.policy);
            policy.is_some_and(|policy| policy.field("Restriction") == "DELETE")
                && !self.is_expired(assignment)
        };
        let found = entity.retention.iter().find(restricts)?;
        Some(format!("The asset {reference} is kept by the retention policy {}", found.policy))
    }
}
