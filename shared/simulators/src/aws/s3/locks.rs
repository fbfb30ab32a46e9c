//! Tags, retention and legal hold.

use super::answer::{Answer, iso_date, parse_iso};
use super::error::{Error, Result};
use super::request::Request;
use super::state::{Bucket, Description, Retention, State, Version};
use super::xml::Element;

pub(super) fn check_tags(tags: &[(String, String)]) -> Result<()> {
    if tags.len() > 10 {
        return Err(Error::new(400, "BadRequest", "Object tags cannot be greater than 10"));
    }
    for (index, (key, value)) in tags.iter().enumerate() {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(Error::new(400, "InvalidTag", "The TagKey you have provided is invalid"));
        }
        if value.chars().count() > 256 {
            return Err(Error::new(400, "InvalidTag", "The TagValue you have provided is invalid"));
        }
        if tags.iter().skip(index + 1).any(|(other, _)| other == key) {
            return Err(Error::new(400, "InvalidTag", "Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(())
}

pub(super) fn put_tags(state: &mut State, request: &Request) -> Result<Answer> {
    let document = Element::parse(&request.body, "Tagging")?;
    let set = document.child("TagSet").ok_or_else(Error::malformed_xml)?;
    let tags: Vec<(String, String)> = set
        .all("Tag")
        .map(|tag| Ok((tag.required("Key")?.to_owned(), tag.required("Value")?.to_owned())))
        .collect::<Result<_>>()?;
    check_tags(&tags)?;
    let bucket = state.bucket(&request.bucket)?;
    let version = bucket.find_mut(&request.key, request.query("versionId"))?;
    version.description.tags = tags.into_iter().collect();
    let id = version.id.clone();
    let shown = bucket.versioning != super::state::Versioning::Never;
    Ok(Answer::ok().optional("x-amz-version-id", shown.then_some(id)))
}

pub(super) fn get_tags(state: &mut State, request: &Request) -> Result<Answer> {
    let bucket = state.bucket(&request.bucket)?;
    let version = bucket.find(&request.key, request.query("versionId"))?;
    let answer = Answer::xml("Tagging", |xml| {
        xml.element("TagSet", |xml| {
            for (key, value) in &version.description.tags {
                xml.element("Tag", |xml| {
                    xml.text("Key", key);
                    xml.text("Value", value);
                });
            }
        });
    });
    Ok(answer.optional("x-amz-version-id", bucket.shown_id(version)))
}

pub(super) fn delete_tags(state: &mut State, request: &Request) -> Result<Answer> {
    let bucket = state.bucket(&request.bucket)?;
    bucket.find_mut(&request.key, request.query("versionId"))?.description.tags.clear();
    Ok(Answer::no_content())
}

fn require_lock(bucket: &Bucket) -> Result<()> {
    if bucket.object_lock {
        return Ok(());
    }
    Err(Error::invalid_request("Bucket is missing Object Lock Configuration"))
}

/// A write may only carry retention or a hold into a bucket with object lock.
pub(super) fn check_allowed(bucket: &Bucket, description: &Description) -> Result<()> {
    if description.retention.is_some() || description.legal_hold {
        require_lock(bucket)?;
    }
    Ok(())
}

pub(super) fn check_delete(version: &Version, bypass: bool, now: i64) -> Result<()> {
    let description = &version.description;
    let retained = description
        .retention
        .as_ref()
        .is_some_and(|retention| retention.until > now && !(bypass && retention.mode == "GOVERNANCE"));
    if retained || description.legal_hold {
        return Err(Error::access_denied("Access Denied because object protected by object lock."));
    }
    Ok(())
}

pub(super) fn put_retention(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let document = Element::parse(&request.body, "Retention")?;
    let wanted = match (document.text_of("Mode"), document.text_of("RetainUntilDate")) {
        (None, None) => None,
        (Some(mode @ ("GOVERNANCE" | "COMPLIANCE")), Some(until)) => {
            let until = parse_iso(until).ok_or_else(Error::malformed_xml)?;
            if until <= now {
                return Err(Error::invalid_argument(
                    "RetainUntilDate",
                    &iso_date(until),
                    "The retain until date must be in the future!",
                ));
            }
            Some(Retention { mode: mode.to_owned(), until })
        }
        _ => return Err(Error::malformed_xml()),
    };
    let bypass = request.header("x-amz-bypass-governance-retention") == Some("true");
    let bucket = state.bucket(&request.bucket)?;
    require_lock(bucket)?;
    let version = bucket.find_mut(&request.key, request.query("versionId"))?;
    let current = version.description.retention.as_ref().filter(|current| current.until > now);
    if let Some(current) = current {
        let kept = wanted.as_ref().is_some_and(|wanted| {
            wanted.until >= current.until && (wanted.mode == current.mode || wanted.mode == "COMPLIANCE")
        });
        let bypassed = bypass && current.mode == "GOVERNANCE";
        if !(kept || bypassed) {
            return Err(Error::access_denied("Access Denied because object protected by object lock."));
        }
    }
    version.description.retention = wanted;
    Ok(Answer::ok())
}

fn no_lock() -> Error {
    Error::new(
        404,
        "NoSuchObjectLockConfiguration",
        "The specified object does not have a ObjectLock configuration",
    )
}

pub(super) fn get_retention(state: &mut State, request: &Request) -> Result<Answer> {
    let bucket = state.bucket(&request.bucket)?;
    require_lock(bucket)?;
    let version = bucket.find(&request.key, request.query("versionId"))?;
    let retention = version.description.retention.as_ref().ok_or_else(no_lock)?;
    Ok(Answer::xml("Retention", |xml| {
        xml.text("Mode", &retention.mode);
        xml.text("RetainUntilDate", &iso_date(retention.until));
    }))
}

pub(super) fn put_legal_hold(state: &mut State, request: &Request) -> Result<Answer> {
    let document = Element::parse(&request.body, "LegalHold")?;
    let on = match document.text_of("Status") {
        Some("ON") => true,
        Some("OFF") => false,
        _ => return Err(Error::malformed_xml()),
    };
    let bucket = state.bucket(&request.bucket)?;
    require_lock(bucket)?;
    bucket.find_mut(&request.key, request.query("versionId"))?.description.legal_hold = on;
    Ok(Answer::ok())
}

pub(super) fn get_legal_hold(state: &mut State, request: &Request) -> Result<Answer> {
    let bucket = state.bucket(&request.bucket)?;
    require_lock(bucket)?;
    let version = bucket.find(&request.key, request.query("versionId"))?;
    let status = if version.description.legal_hold { "ON" } else { "OFF" };
    Ok(Answer::xml("LegalHold", |xml| xml.text("Status", status)))
}

/// What a read tells about locks.
pub(super) fn headers(mut answer: Answer, version: &Version) -> Answer {
    if let Some(retention) = &version.description.retention {
        answer = answer
            .header("x-amz-object-lock-mode", &retention.mode)
            .header("x-amz-object-lock-retain-until-date", iso_date(retention.until));
    }
    if version.description.legal_hold {
        answer = answer.header("x-amz-object-lock-legal-hold", "ON");
    }
    answer
}
