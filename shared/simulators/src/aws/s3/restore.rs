//! Archived objects and their restoration, which takes until a test says that it is done.

use http::StatusCode;

use super::S3;
use super::answer::{Answer, http_date, iso_date};
use super::error::{Error, Result};
use super::notification::Cause;
use super::request::Request;
use super::state::{Restoration, State, Version};
use super::xml::{Element, Writer};

const DAY: i64 = 24 * 3600 * 1000;

/// `RestoreObject`.
pub(super) fn begin(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let document = Element::parse(&request.body, "RestoreRequest")?;
    let days: i64 = document.required("Days")?.parse().map_err(|_| Error::malformed_xml())?;
    let bucket = state.bucket(&request.bucket)?;
    let version = bucket.find_mut(&request.key, request.query("versionId"))?;
    if !version.description.is_archived() {
        return Err(Error::new(
            403,
            "InvalidObjectState",
            "Restore is not allowed for the object's current storage class",
        )
        .with("StorageClass", version.description.storage_class()));
    }
    match version.description.restoration {
        Some(Restoration::Ongoing { .. }) => {
            Err(Error::new(409, "RestoreAlreadyInProgress", "Object restore is already in progress"))
        }
        Some(Restoration::Until(until)) if now < until => {
            version.description.restoration = Some(Restoration::Until(now + days * DAY));
            Ok(Answer::ok())
        }
        _ => {
            version.description.restoration = Some(Restoration::Ongoing { days });
            Ok(Answer::ok().status(StatusCode::ACCEPTED))
        }
    }
}

impl Restoration {
    /// Whether it is still spoken of: a copy that was made readable for some days is forgotten with them.
    fn is_told(self, now: i64) -> bool {
        !matches!(self, Self::Until(until) if until <= now)
    }
}

/// What a look at an object says of its restoration.
pub(super) fn header(answer: Answer, version: &Version, now: i64) -> Answer {
    match version.description.restoration.filter(|restoration| restoration.is_told(now)) {
        None => answer,
        Some(Restoration::Ongoing { .. }) => answer.header("x-amz-restore", "ongoing-request=\"true\""),
        Some(Restoration::Until(until)) => {
            let until = http_date(until);
            answer.header("x-amz-restore", format!("ongoing-request=\"false\", expiry-date=\"{until}\""))
        }
    }
}

/// What a listing that was asked for it says of a restoration.
pub(super) fn status(xml: &mut Writer, version: &Version, now: i64) {
    let restoration = version.description.restoration.filter(|restoration| restoration.is_told(now));
    let Some(restoration) = &restoration else { return };
    xml.element("RestoreStatus", |xml| match restoration {
        Restoration::Ongoing { .. } => xml.text("IsRestoreInProgress", "true"),
        Restoration::Until(until) => {
            xml.text("IsRestoreInProgress", "false");
            xml.text("RestoreExpiryDate", &iso_date(*until));
        }
    });
}

impl S3 {
    /// Ends every restoration that is under way, events included, and says how many there were.
    pub fn finish_restorations(&self) -> usize {
        let now = (self.now)();
        let mut state = self.state();
        let mut done = Vec::new();
        for (name, bucket) in &mut state.buckets {
            for (key, versions) in &mut bucket.objects {
                for version in versions {
                    if let Some(Restoration::Ongoing { days }) = version.description.restoration {
                        version.description.restoration = Some(Restoration::Until(now + days * DAY));
                        done.push((name.clone(), key.clone(), version.clone()));
                    }
                }
            }
        }
        for (bucket, key, version) in &done {
            state.notify_about(bucket, key, version, Cause::Restored, now);
        }
        done.len()
    }
}
