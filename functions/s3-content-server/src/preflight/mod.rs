//! Whether a Content Server has everything that the rules of `ingest-uploads` will need, looked at before the first object
//! comes. Nothing is written: what the interface tells only by doing it is named as not checked.

mod categories;
mod places;
mod report;
mod rest;
mod rights;
mod server;
mod workspaces;

use shared::{
    content_server::{Client, CurrentUser, Node, volume},
    error::Result,
};

pub use self::report::{Finding, Preflight, RuleFindings, Status};
use self::{places::Place, report::Findings};
use crate::intake_rules::{IntakeRule, IntakeRules, TargetTemplate};

/// Who looks, and at which server.
struct Look<'a> {
    client: &'a Client,
    me: CurrentUser,
}

/// Looks at everything the rules need.
///
/// # Errors
/// When the server cannot be reached, now or in the middle of it: then nothing can be said.
pub async fn check(client: &Client, rules: &IntakeRules) -> Result<Preflight> {
    let mut server = Findings::default();
    let Some(me) = server::sign_in(client, &mut server).await? else {
        return Ok(Preflight::of(server, Vec::new()));
    };
    let look = Look { client, me };
    look.server(&mut server).await?;
    let enterprise = server.kept("Enterprise", client.get_volume(volume::ENTERPRISE).await)?;
    let mut found = Vec::new();
    for rule in rules.rules() {
        let mut findings = Findings::default();
        Box::pin(look.rule(rule, enterprise.as_ref(), &mut findings)).await?;
        found.push(RuleFindings { rule: rule.name().to_owned(), line: rule.line(), findings: findings.0 });
    }
    Ok(Preflight::of(server, found))
}

impl Look<'_> {
    async fn rule(
        &self,
        rule: &IntakeRule,
        enterprise: Option<&Node>,
        findings: &mut Findings,
    ) -> Result<()> {
        let place = match &rule.target {
            TargetTemplate::Folder { path, create } => self.folder("target", path, *create, findings).await?,
            TargetTemplate::Workspace(workspace) => self.workspace(workspace, findings).await?,
        };
        if let Some(place) = &place {
            self.rights(rule, place, findings).await?;
        }
        // Any container will do where the interface wants to know what a category is to be added to.
        let near = place.as_ref().map(|place: &Place| &place.node).or(enterprise);
        if let Some(near) = near {
            for (category, mapping) in &rule.categories {
                self.category(category, mapping, near, findings).await?;
            }
        }
        if let Some(permissions) = &rule.permissions {
            self.members(permissions, findings).await?;
        }
        if let Some(class) = &rule.classification {
            self.classification(class, near, findings).await?;
        }
        if let Some(review) = &rule.review {
            self.review(review, place.as_ref(), findings).await?;
        }
        self.size(rule, findings).await
    }
}
