//! The links of a publication, one per audience.
//!
//! A token is told in the publication category and nowhere else. A link whose token is not there is of no use to
//! anybody: it is taken back, and another one is issued.

use jiff::{SignedDuration, Timestamp};
use shared::{
    error::Result,
    flow::{Flow, Policy},
    links::{Link, LinkId, NewLink, Origin, Target, Token},
};

use super::{
    PublishApproved, again, asset,
    copies::Copy,
    publication::{self, Told},
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
        let target = self.target(offer, copy);
        let issued = self.links.issued_for(Self::NAME, &reference).await?;
        let mut kept = None;
        if let Some(id) = told_id(&issued, told)
            && let Some(link) = self.links.find(&id).await?
            && keeps(work.run.context().now(), work.renew, (offer, audience), &link, &target)
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

    fn target(&self, offer: &Offer<'_>, copy: &Copy) -> Target {
        Target {
            bucket: self.bucket().to_owned(),
            key: copy.key.clone(),
            version: Some(copy.version_id.clone()),
            file_name: offer.file_name.clone(),
            content_type: offer.content_type.clone(),
            sha256: Some(copy.sha256.clone()),
        }
    }

    /// What is wrong with the links of a publication, if anything is. `told` is what the category says.
    pub(super) async fn amiss(
        &self,
        unit: &Unit,
        offer: &Offer<'_>,
        copy: &Copy,
        told: &Told,
    ) -> Result<Option<String>> {
        let target = self.target(offer, copy);
        let now = self.environment.context.now();
        for audience in &offer.rule.audiences {
            let name = &audience.name;
            let issued = self.links.issued_for(Self::NAME, &reference(unit, audience)).await?;
            let text = publication::text(told, &audience.attribute);
            let link = match told_id(&issued, Some(&text)) {
                Some(id) => self.links.find(&id).await?,
                None => None,
            };
            match link {
                None => {
                    return Ok(Some(format!("{name} has no link, or another one than the category tells")));
                }
                Some(link) if link.target != target => {
                    return Ok(Some(format!("the link of {name} leads to something else")));
                }
                Some(link) if !keeps(now, false, (offer, audience), &link, &target) => {
                    return Ok(Some(format!(
                        "the link of {name} is for others, for longer or for other uses"
                    )));
                }
                Some(_) if issued.len() > 1 => {
                    return Ok(Some(format!("{name} has {} links", issued.len())));
                }
                Some(_) => {}
            }
        }
        let former = self.open_links(unit, &offer.rule.audiences).await?;
        Ok((former > 0).then(|| format!("{former} open links of former audiences")))
    }

    /// How many links of a publication are open, but for those of some audiences.
    pub(super) async fn open_links(&self, unit: &Unit, but: &[LinkAudience]) -> Result<usize> {
        let kept: Vec<String> = but.iter().map(|audience| reference(unit, audience)).collect();
        let now = self.environment.context.now().as_millisecond();
        let mut open = 0;
        for reference in self.remembered("links", unit).await? {
            if kept.contains(&reference) {
                continue;
            }
            for id in self.links.issued_for(Self::NAME, &reference).await? {
                let link = self.links.find(&id).await?;
                open += usize::from(link.is_some_and(|link| link.ended(now, false).is_none()));
            }
        }
        Ok(open)
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

/// The link that the category tells, if it is one that was issued.
fn told_id(issued: &[LinkId], told: Option<&str>) -> Option<LinkId> {
    let id = told.and_then(|told| told.rsplit('/').next()).map(|text| Token::presented(text).id());
    id.filter(|id| issued.contains(id))
}

/// Whether a link that was told stays the one.
fn keeps(
    now: Timestamp,
    renew: bool,
    (offer, audience): (&Offer<'_>, &LinkAudience),
    link: &Link,
    target: &Target,
) -> bool {
    let moves = link.target != *target;
    let over = link.ended(now.as_millisecond(), false).is_some();
    let too_long = offer.valid_until.is_some_and(|until| link.valid_until > until.as_millisecond());
    let other = link.audience != audience.audience || link.uses != audience.uses.map(u32::from);
    // A link that is over stays so, unless somebody asks for another one or there is another version.
    !too_long && !other && !(over && (moves || renew)) && !(moves && audience.superseded == Superseded::End)
}

/// What the links of an audience are issued for.
fn reference(unit: &Unit, audience: &LinkAudience) -> String {
    format!("{} {}", unit.name(), audience.name)
}
