//! Retention policies, and the assets they are assigned to. Which words a policy's fields take is not documented; they are
//! passed on as they come.

use jiff::Timestamp;

use super::{
    Client,
    call::Call,
    changes::moment,
    error::{Effect, unexpected},
    ids::{AssignmentId, PolicyId, Reference},
    lists::Entries,
    xml::{ENTITY, Element, RETENTION},
};
use crate::error::Result;

/// The namespace that is written: it stayed the same in all later versions.
const WRITTEN: &str = "http://preservica.com/RetentionManagement/v6.2";

/// A retention policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// Security tag.
    pub security_tag: Option<String>,
    /// From which field's date its period runs: `xip.created`.
    pub start_date_field: Option<String>,
    /// How long, as a number.
    pub period: Option<String>,
    /// Of what: `YEAR`.
    pub period_unit: Option<String>,
    /// What happens at the end: `REVIEW`.
    pub expiry_action: Option<String>,
    /// What must not happen before: `DELETE`.
    pub restriction: Option<String>,
    /// It can be assigned.
    pub is_assignable: bool,
}

/// A policy on an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its entry.
    pub id: AssignmentId,
    /// The policy.
    pub policy: PolicyId,
    /// From when its period runs, where that is told. When it ends is told nowhere.
    pub start: Option<Timestamp>,
    /// Its period is over, where that is told.
    pub is_expired: Option<bool>,
}

fn policy(element: &Element) -> Policy {
    Policy {
        name: element.text_of("Name").unwrap_or_default(),
        description: element.text_of("Description"),
        security_tag: element.text_of("SecurityTag"),
        start_date_field: element.text_of("StartDateField"),
        period: element.text_of("Period"),
        period_unit: element.text_of("PeriodUnit"),
        expiry_action: element.text_of("ExpiryAction"),
        restriction: element.text_of("Restriction"),
        is_assignable: element.text_of("Assignable").is_some_and(|text| text.eq_ignore_ascii_case("true")),
    }
}

fn assignment(element: &Element) -> Option<Assignment> {
    Some(Assignment {
        id: AssignmentId::new(element.text_of("ApiId")?),
        policy: PolicyId::new(element.text_of("RetentionPolicy")?),
        start: element.text_of("StartDate").as_deref().and_then(moment),
        is_expired: element.text_of("Expired").map(|text| text.eq_ignore_ascii_case("true")),
    })
}

impl Client {
    /// The retention policies: id and name.
    pub fn policies(&self) -> Entries<'_, (PolicyId, String)> {
        let call = Call::get("list retention policies", &["retention-policies"]);
        Entries::new(self, call, |root| {
            let entry = |element: &Element| {
                let name = element.value("name").unwrap_or_default().to_owned();
                Some((PolicyId::new(element.value("ref")?), name))
            };
            root.all(ENTITY, "RetentionPolicy").into_iter().map(entry).collect()
        })
    }

    /// A retention policy.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_policy(&self, id: &PolicyId) -> Result<Policy> {
        let call = Call::get("get retention policy", &["retention-policies", id.as_str()]);
        let root = self.ask_xml(&call).await?;
        let found = root.search(RETENTION, "RetentionPolicy").map(policy);
        found.ok_or_else(|| unexpected(call.operation(), Effect::Read, "no RetentionPolicy in it"))
    }

    /// Makes a retention policy. A second time makes a second one.
    ///
    /// # Errors
    /// As any call; `UnknownOutcome` when the answer was lost: look for its name.
    pub async fn create_policy(&self, new: &Policy) -> Result<PolicyId> {
        let body = Element::new(WRITTEN, "RetentionPolicy")
            .with("Name", &new.name)
            .with("Description", new.description.as_deref().unwrap_or_default())
            .with_some("SecurityTag", new.security_tag.as_deref())
            .with_some("StartDateField", new.start_date_field.as_deref())
            .with_some("Period", new.period.as_deref())
            .with_some("PeriodUnit", new.period_unit.as_deref())
            .with_some("ExpiryAction", new.expiry_action.as_deref())
            .with_some("Restriction", new.restriction.as_deref())
            .with("Assignable", if new.is_assignable { "true" } else { "false" });
        let call = Call::post("create retention policy", &["retention-policies"]).xml(&body);
        let root = self.ask_xml(&call).await?;
        let found = root.search(RETENTION, "RetentionPolicy").and_then(|policy| policy.text_of("Ref"));
        let found = found.ok_or_else(|| unexpected(call.operation(), call.effect(), "no Ref in it"))?;
        Ok(PolicyId::new(found))
    }

    /// The policies on an asset.
    ///
    /// # Errors
    /// As any call.
    pub async fn assignments(&self, asset: &Reference) -> Result<Vec<Assignment>> {
        let path = ["information-objects", asset.as_str(), "retention-assignments"];
        let root = self.ask_xml(&Call::get("list retention", &path)).await?;
        let found: Option<Vec<Assignment>> =
            root.all(RETENTION, "RetentionAssignment").into_iter().map(assignment).collect();
        found.ok_or_else(|| unexpected("list retention", Effect::Read, "an assignment without its policy"))
    }

    /// Assigns a policy to an asset, unless it is.
    ///
    /// # Errors
    /// As any call; `UnknownOutcome` when the answer was lost and it was not there afterwards either.
    pub async fn ensure_assignment(&self, asset: &Reference, policy: &PolicyId) -> Result<Assignment> {
        let known = |all: Vec<Assignment>| all.into_iter().find(|one| one.policy == *policy);
        if let Some(found) = known(self.assignments(asset).await?) {
            return Ok(found);
        }
        let path = ["information-objects", asset.as_str(), "retention-assignments"];
        let body = Element::new(WRITTEN, "RetentionAssignment").with("RetentionPolicy", policy.as_str());
        let call = Call::post("assign retention policy", &path).xml(&body);
        let made = match self.ask_xml(&call).await {
            Ok(root) => root.search(RETENTION, "RetentionAssignment").and_then(assignment),
            Err(error) => match self.assignments(asset).await.map(known) {
                Ok(Some(found)) => return Ok(found),
                _ => return Err(error),
            },
        };
        made.ok_or_else(|| unexpected(call.operation(), call.effect(), "no assignment in it"))
    }

    /// Takes a policy off an asset. One that is gone is no failure.
    ///
    /// # Errors
    /// As any call.
    pub async fn remove_assignment(&self, asset: &Reference, id: &AssignmentId) -> Result<()> {
        let path = ["information-objects", asset.as_str(), "retention-assignments", id.as_str()];
        self.remove(&Call::delete("remove retention", &path)).await
    }
}
