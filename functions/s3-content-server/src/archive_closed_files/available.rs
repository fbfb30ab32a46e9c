//! Makes a bag that can be read available to whoever asked for it: it is validated, and by rule goes out as one file
//! behind a link that expires.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::{
    bagit::TAG_MANIFEST,
    content_server::NodeId,
    error::{Error, Result},
    flow::{Delivery, Flow, Outcome, Policy, Run},
    ledger::Key,
    links::{Audience, Link, NewLink, Origin, Target, Token},
};

use super::{
    ArchiveClosedFiles, again,
    category::{AVAILABLE, Archived, DAMAGED},
    inspect::Inspected,
    layout::work_prefix,
    progress::Progress,
    reading::Read,
    store::Listed,
};
use crate::archive_rules::{RetrieveSpec, RetrieveTo};

impl ArchiveClosedFiles {
    /// Validates a bag that is out of the archive and hands it over as the rule says.
    pub(super) async fn make_available(
        &self,
        case: NodeId,
        archived: &Archived,
        how: &RetrieveSpec,
        item: &str,
        run: &Run,
    ) -> Result<Outcome> {
        let (bucket, prefix) = archived.place()?;
        let mut progress = Progress::of(run);
        let list = format!("{}read.json", work_prefix(item, progress.attempt));
        let known = if progress.inspected > 0 { self.get_json(bucket, &list).await? } else { None };
        let mut reads: Vec<Read> = known.unwrap_or_default();
        if progress.inspected > reads.len() {
            progress.begin_anew(run).await?;
            return Err(again("archive.work-gone", "the list of what was read is not there any more"));
        }
        reads.truncate(progress.inspected);
        if !progress.valid {
            let sealed = &archived.manifest_sha256;
            let inspecting = self.inspect(bucket, prefix, sealed, (&mut progress, &mut reads), run);
            match Box::pin(inspecting).await? {
                Inspected::Valid => {
                    // Nothing lists the manifest of tag files, and it belongs to the bag like the rest.
                    let read = self.read_back(bucket, prefix, TAG_MANIFEST, run).await?;
                    reads.extend(read);
                    progress.inspected = reads.len();
                    progress.valid = true;
                }
                Inspected::Paused => {
                    self.put_json(bucket, &list, &reads).await?;
                    return Ok(Outcome::Continue);
                }
                Inspected::Wrong(problems) => {
                    self.say_state(case, DAMAGED).await?;
                    let first = problems.first().map(ToString::to_string).unwrap_or_default();
                    let message = format!("the retrieved bag is not valid, the first problem: {first}");
                    return Err(Error::invalid("retrieve.bag-invalid", message)
                        .remedy("look for an earlier version of the object in the bucket, and restore it"));
                }
            }
            if how.to == RetrieveTo::Link {
                self.put_json(bucket, &list, &reads).await?;
                progress.save(run).await?;
            }
        }
        match how.to {
            RetrieveTo::Bag => {
                let objects = self.list(bucket, prefix).await?;
                let until = objects.values().filter_map(Listed::readable_until).min();
                self.say_available(case, None, until).await?;
            }
            RetrieveTo::Link => {
                let days = SignedDuration::from_hours(24 * i64::from(how.days));
                let until = run.context().now().checked_add(days).unwrap_or(Timestamp::MAX);
                let zipped = Box::pin(self.zipped(case, archived, &reads, run)).await?;
                let Some(target) = zipped else { return Ok(Outcome::Continue) };
                let link = self.link(case, archived, target, until, run).await?;
                self.say_available(case, Some(&link), Some(until)).await?;
            }
        }
        Ok(available(case, archived, reads.len()))
    }

    /// The address of the one link that leads to a retrieved bag.
    async fn link(
        &self,
        case: NodeId,
        archived: &Archived,
        target: Target,
        until: Timestamp,
        run: &Run,
    ) -> Result<String> {
        let reference = format!("case {case}");
        let issued = self.links.issued_for(Self::NAME, &reference).await?;
        let told = archived.link.rsplit('/').next().filter(|token| !token.is_empty());
        let told = told.map(|token| Token::presented(token).id()).filter(|id| issued.contains(id));
        let mut kept = None;
        if let Some(id) = told
            && let Some(link) = self.links.find(&id).await?
            && is_good(&link, &target, until)
        {
            kept = Some(id);
        }
        // A link whose token was not written down is of no use to anybody.
        for id in issued.iter().filter(|id| Some(*id) != kept.as_ref()) {
            self.links.revoke(id, "superseded").await?;
        }
        if kept.is_some() {
            return Ok(archived.link.clone());
        }
        let new = NewLink {
            target,
            valid_until: until,
            uses: None,
            audience: Audience::everybody(),
            origin: Origin {
                flow: Self::NAME.to_owned(),
                reference,
                asset: Key::of(&["content-server", &case.to_string()]).digest().to_owned(),
            },
        };
        let issue = || async { Ok(self.links.issue(&new).await?.token.text().to_owned()) };
        let token: String =
            run.effect("issue-link", Policy::RepeatSafe, || async { Ok(None) }, issue).await?;
        let address = self.environment.settings.link_address.trim_end_matches('/');
        Ok(format!("{address}/{token}"))
    }

    /// A rule that gives links needs an address for them.
    pub(super) fn check_links(&self) -> Result<()> {
        let gives = self.rules.rules.iter().any(|rule| rule.retrieve.to == RetrieveTo::Link);
        if gives && !self.environment.settings.link_address.starts_with("http") {
            let message =
                "a rule gives links to retrieved bags, and the address before their tokens is not set";
            return Err(Error::configuration("rules.no-link-address", message)
                .remedy("set WAYBILL_LINK_ADDRESS to the output ServeLinksUrl of serve-links"));
        }
        Ok(())
    }
}

/// Whether a link that was told stays the one: it leads to this very file, for most of the time that was asked for.
fn is_good(link: &Link, target: &Target, until: Timestamp) -> bool {
    const HOUR: i64 = 3_600_000;
    link.target == *target && !link.revoked && link.valid_until >= until.as_millisecond() - HOUR
}

/// A bag was made available.
pub(super) fn available(case: NodeId, archived: &Archived, objects: usize) -> Outcome {
    Outcome::Delivered(Delivery {
        result: json!({"case": case, "location": archived.location, "state": AVAILABLE, "objects": objects}),
        digest: Some(archived.manifest_sha256.clone()).filter(|digest| !digest.is_empty()),
        detail: [
            ("location".to_owned(), archived.location.clone()),
            ("state".to_owned(), AVAILABLE.to_owned()),
        ]
        .into(),
        ..Delivery::default()
    })
}
