//! The links of a publication, one per audience.
//!
//! A token is told in the publication category and nowhere else. A link whose token is not there is of no use to
//! anybody: it is taken back, and another one is issued.

use jiff::SignedDuration;
use shared::{
    error::Result,
    flow::{Flow, Policy},
    links::{Link, LinkId, NewLink, Origin, Target, Token},
};

use super::{
    PublishApproved, again, asset,
    copies::Copy,
    settle::Work,
    standing::{Offer, Unit},
};
use crate::publish_rules::{LinkAudience, Superseded};

impl PublishApproved {
    /// Sees to it that an audience has the one link that leads to the copy. Gives its address, and whether anything was
    /// changed. `told` is what the category says.
    pub(super) async fn link(
        &self,
        work: &Work<'_>,
        offer: &Offer<'_>,
        copy: &Copy,
        audience: &LinkAudience,
        told: Option<&str>,
    ) -> Result<(String, bool)> {
        let reference = reference(work.unit, audience);
        let target = Target {
            bucket: self.bucket().to_owned(),
            key: copy.key.clone(),
            version: Some(copy.version_id.clone()),
            file_name: offer.file_name.clone(),
            content_type: offer.content_type.clone(),
            sha256: Some(copy.sha256.clone()),
        };
        let issued = self.links.issued_for(Self::NAME, &reference).await?;
        let told_id = told.and_then(|told| told.rsplit('/').next()).map(|text| Token::presented(text).id());
        let told_id = told_id.filter(|id| issued.contains(id));
        let mut kept = None;
        if let Some(id) = told_id
            && let Some(link) = self.links.find(&id).await?
            && self.keeps(work, offer, audience, &link, &target).await?
        {
            kept = Some(id);
        }
        let mut changed = false;
        for id in issued.iter().filter(|id| Some(*id) != kept.as_ref()) {
            changed |= self.links.revoke(id, "superseded").await?;
        }
        if let Some(id) = kept {
            let moved = self.lead_to(&id, &target).await?;
            return Ok((told.unwrap_or_default().to_owned(), moved || changed));
        }
        Ok((self.issue(work, offer, audience, target, reference).await?, true))
    }

    /// Whether a link that was told stays the one.
    async fn keeps(
        &self,
        work: &Work<'_>,
        offer: &Offer<'_>,
        audience: &LinkAudience,
        link: &Link,
        target: &Target,
    ) -> Result<bool> {
        let now = work.run.context().now();
        let moves = link.target != *target;
        let over = link.ended(now.as_millisecond(), false).is_some();
        let too_long = offer.valid_until.is_some_and(|until| link.valid_until > until.as_millisecond());
        let other = link.audience != audience.audience || link.uses != audience.uses.map(u32::from);
        // A link that is over stays so, unless somebody asks for another one or there is another version.
        Ok(!too_long
            && !other
            && !(over && (moves || work.renew))
            && !(moves && audience.superseded == Superseded::End))
    }

    async fn lead_to(&self, id: &LinkId, target: &Target) -> Result<bool> {
        if self.links.retarget(id, target).await? {
            return Ok(true);
        }
        match self.links.find(id).await? {
            Some(link) if link.target == *target => Ok(false),
            _ => Err(again("publish.changing", "a link was changed meanwhile")),
        }
    }

    async fn issue(
        &self,
        work: &Work<'_>,
        offer: &Offer<'_>,
        audience: &LinkAudience,
        target: Target,
        reference: String,
    ) -> Result<String> {
        self.remember("links", work.unit, &reference).await?;
        let now = work.run.context().now();
        let valid = SignedDuration::try_from(audience.valid).unwrap_or(SignedDuration::MAX);
        let until = now.checked_add(valid).unwrap_or(jiff::Timestamp::MAX);
        let new = NewLink {
            target,
            valid_until: offer.valid_until.map_or(until, |ends| ends.min(until)),
            uses: audience.uses,
            audience: audience.audience.clone(),
            origin: Origin { flow: Self::NAME.to_owned(), reference, asset: asset(work.unit.node()) },
        };
        // What was issued without its token being told is taken back by whoever comes next.
        let issue = || async { Ok(self.links.issue(&new).await?.token.text().to_owned()) };
        let token: String =
            work.run.effect("issue-link", Policy::RepeatSafe, || async { Ok(None) }, issue).await?;
        let address = self.environment.settings.link_address.trim_end_matches('/');
        Ok(format!("{address}/{token}"))
    }

    /// Takes back every link of a publication, but for those of the audiences that still have one. Says how many.
    pub(super) async fn revoke(&self, unit: &Unit, but: &[LinkAudience], reason: &str) -> Result<usize> {
        let kept: Vec<String> = but.iter().map(|audience| reference(unit, audience)).collect();
        let mut revoked = 0;
        for reference in self.remembered("links", unit).await? {
            if !kept.contains(&reference) {
                revoked += self.links.revoke_all(Self::NAME, &reference, reason).await?;
            }
        }
        Ok(revoked)
    }
}

/// What the links of an audience are issued for.
fn reference(unit: &Unit, audience: &LinkAudience) -> String {
    format!("{} {}", unit.name(), audience.name)
}
