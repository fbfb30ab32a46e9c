//! Multipart uploads.

use axum::body::Body;
use bytes::{Bytes, BytesMut};

use super::answer::{Answer, checksum_elements, iso_date, quoted};
use super::checksum::{self, Algorithm, Checksum};
use super::conditions::check_write;
use super::error::{Error, Result};
use super::notification::Cause;
use super::objects::description;
use super::request::Request;
use super::state::{Bucket, Part, State, Upload, Version};
use super::xml::Element;
use super::{copy, locks};

const MOST_PARTS: u32 = 10_000;

pub(super) fn create(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let description = description(request)?;
    let chosen = request.header("x-amz-checksum-algorithm").map(Algorithm::named).transpose()?;
    let algorithm = chosen.unwrap_or(Algorithm::Crc64Nvme);
    let composite = match (request.header("x-amz-checksum-type"), algorithm) {
        (Some("COMPOSITE"), Algorithm::Crc64Nvme) | (Some("FULL_OBJECT"), Algorithm::Sha256) => {
            return Err(Error::invalid_request(format!(
                "The {} checksum type cannot be used with the {} checksum algorithm.",
                request.header("x-amz-checksum-type").unwrap_or_default(),
                algorithm.name().to_lowercase()
            )));
        }
        (Some("FULL_OBJECT"), _) | (None, Algorithm::Crc64Nvme) => false,
        _ => true,
    };
    let id = format!("upload{:026x}", state.next());
    let bucket = state.bucket(&request.bucket)?;
    locks::check_allowed(bucket, &description)?;
    let upload = Upload {
        key: request.key.clone(),
        description,
        algorithm,
        chosen: chosen.is_some(),
        composite,
        parts: std::collections::BTreeMap::new(),
        initiated: now,
    };
    bucket.uploads.insert(id.clone(), upload);
    let mut answer = Answer::xml("InitiateMultipartUploadResult", |xml| {
        xml.text("Bucket", &request.bucket);
        xml.text("Key", &request.key);
        xml.text("UploadId", &id);
    });
    if chosen.is_some() {
        let kind = if composite { "COMPOSITE" } else { "FULL_OBJECT" };
        answer =
            answer.header("x-amz-checksum-algorithm", algorithm.name()).header("x-amz-checksum-type", kind);
    }
    Ok(answer.header("x-amz-server-side-encryption", "AES256"))
}

fn upload<'state>(bucket: &'state mut Bucket, request: &Request) -> Result<(String, &'state mut Upload)> {
    let id = request.query("uploadId").unwrap_or_default();
    match bucket.uploads.get_mut(id).filter(|upload| upload.key == request.key) {
        Some(upload) => Ok((id.to_owned(), upload)),
        None => Err(Error::no_such_upload(id)),
    }
}

fn part_number(request: &Request) -> Result<u32> {
    let text = request.query("partNumber").unwrap_or_default();
    text.parse().ok().filter(|number| (1..=MOST_PARTS).contains(number)).ok_or_else(|| {
        Error::invalid_argument(
            "partNumber",
            text,
            format!("Part number must be an integer between 1 and {MOST_PARTS}, inclusive"),
        )
    })
}

pub(super) fn put_part(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let number = part_number(request)?;
    let (_, upload) = upload(state.bucket(&request.bucket)?, request)?;
    let mut found = checksum::verify(request, upload.algorithm)?;
    if found.algorithm != upload.algorithm {
        if upload.chosen {
            return Err(Error::invalid_request(format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                upload.algorithm.name().to_lowercase(),
                found.algorithm.name().to_lowercase()
            )));
        }
        if upload.parts.is_empty() {
            // Nobody chose when the upload began: the first part does.
            upload.algorithm = found.algorithm;
            upload.composite = found.algorithm == Algorithm::Sha256;
        } else {
            found = Checksum::of(upload.algorithm, &request.body);
        }
    }
    let etag = checksum::etag(&request.body);
    let answer = Answer::ok()
        .header("etag", quoted(&etag))
        .header(found.algorithm.header(), &found.value)
        .header("x-amz-server-side-encryption", "AES256");
    upload.parts.insert(number, Part { data: request.body.clone(), etag, checksum: found, modified: now });
    Ok(answer)
}

pub(super) fn copy_part(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let number = part_number(request)?;
    let (source, source_id) = copy::source(state, request)?;
    let data = match request.header("x-amz-copy-source-range") {
        Some(range) => part_of(range, &source.data)?,
        None => source.data.clone(),
    };
    let (_, upload) = upload(state.bucket(&request.bucket)?, request)?;
    let checksum = Checksum::of(upload.algorithm, &data);
    let etag = checksum::etag(&data);
    let answer = Answer::xml("CopyPartResult", |xml| {
        xml.text("ETag", &quoted(&etag));
        xml.text("LastModified", &iso_date(now));
        if upload.chosen {
            xml.text(checksum.algorithm.element(), &checksum.value);
        }
    });
    upload.parts.insert(number, Part { data, etag, checksum, modified: now });
    Ok(answer.optional("x-amz-copy-source-version-id", source_id))
}

fn part_of(range: &str, data: &Bytes) -> Result<Bytes> {
    let invalid = || {
        Error::invalid_argument(
            "x-amz-copy-source-range",
            range,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        )
    };
    let (from, to) =
        range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(invalid)?;
    let (from, to): (usize, usize) =
        (from.parse().map_err(|_| invalid())?, to.parse().map_err(|_| invalid())?);
    if from > to {
        return Err(invalid());
    }
    if to >= data.len() {
        return Err(Error::invalid_argument(
            "x-amz-copy-source-range",
            range,
            format!("Range specified is not valid for source object of size: {}", data.len()),
        ));
    }
    Ok(data.slice(from..=to))
}

/// The parts a completion names, checked one against the other and against what was uploaded.
fn named_parts<'upload>(upload: &'upload Upload, body: &[u8], least: usize) -> Result<Vec<&'upload Part>> {
    let document = Element::parse(body, "CompleteMultipartUpload")?;
    let mut parts: Vec<(u32, &Part)> = Vec::new();
    for named in document.all("Part") {
        let number: u32 = named.required("PartNumber")?.parse().map_err(|_| Error::malformed_xml())?;
        if parts.last().is_some_and(|(earlier, _)| *earlier >= number) {
            return Err(Error::new(
                400,
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
            ));
        }
        let etag = named.required("ETag")?.trim_matches('"');
        let claimed = named.text_of(upload.algorithm.element());
        let part = upload
            .parts
            .get(&number)
            .filter(|part| part.etag == etag && claimed.is_none_or(|claimed| claimed == part.checksum.value));
        let part = part.ok_or_else(|| {
            Error::new(
                400,
                "InvalidPart",
                "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
                 specified entity tag may not match the part's entity tag.",
            )
            .with("PartNumber", number.to_string())
            .with("ETag", etag)
        })?;
        if upload.chosen && upload.composite && claimed.is_none() {
            return Err(Error::invalid_request(format!(
                "The upload was created using a {} checksum. The complete request must include the checksum for each \
                 part. It was missing for part {number} in the request.",
                upload.algorithm.name().to_lowercase()
            )));
        }
        parts.push((number, part));
    }
    let Some(((_, _), before)) = parts.split_last() else { return Err(Error::malformed_xml()) };
    if let Some((number, part)) = before.iter().find(|(_, part)| part.data.len() < least) {
        return Err(Error::new(
            400,
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
        )
        .with("ProposedSize", part.data.len().to_string())
        .with("MinSizeAllowed", least.to_string())
        .with("PartNumber", number.to_string()));
    }
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

pub(super) fn complete(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let least = state.least_part;
    let number = state.next();
    let bucket = state.bucket(&request.bucket)?;
    let (id, upload) = upload(bucket, request)?;
    let parts = named_parts(upload, &request.body, least)?;
    let mut data = BytesMut::new();
    parts.iter().for_each(|part| data.extend_from_slice(&part.data));
    let data = data.freeze();
    let size = request.header("x-amz-mp-object-size").and_then(|text| text.parse::<usize>().ok());
    if size.is_some_and(|size| size != data.len()) {
        return Err(Error::invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header value {} does not match what was computed: {}",
            size.unwrap_or_default(),
            data.len()
        )));
    }
    let checksum = if upload.composite {
        let checksums: Vec<&Checksum> = parts.iter().map(|part| &part.checksum).collect();
        Checksum::composed(upload.algorithm, &checksums)
    } else {
        Checksum::of(upload.algorithm, &data)
    };
    if let Some((algorithm, claimed)) = checksum::given(request)?
        && (algorithm, &claimed) != (checksum.algorithm, &checksum.value)
    {
        return Err(Error::bad_digest(format!(
            "The {} you specified did not match the calculated checksum.",
            algorithm.name().to_lowercase()
        )));
    }
    let version = Version {
        id: String::new(),
        marker: false,
        etag: checksum::etag_of_parts(parts.iter().map(|part| part.etag.as_str())),
        modified: now,
        description: upload.description.clone(),
        checksum: Some(checksum),
        parts: parts.iter().map(|part| part.data.len()).collect(),
        data,
    };
    check_write(request, bucket)?;
    bucket.uploads.remove(&id);
    bucket.add(&request.key, version, number);
    let version = bucket.find(&request.key, None)?;
    let answer = Answer::xml("CompleteMultipartUploadResult", |xml| {
        xml.text("Location", &format!("http://localhost/{}/{}", request.bucket, request.key));
        xml.text("Bucket", &request.bucket);
        xml.text("Key", &request.key);
        xml.text("ETag", &quoted(&version.etag));
        checksum_elements(xml, version.checksum.as_ref());
    });
    let answer = answer.optional("x-amz-version-id", bucket.shown_id(version));
    state.notify(&request.bucket, &request.key, Cause::Multipart, now);
    Ok(answer.header("x-amz-server-side-encryption", "AES256"))
}

pub(super) fn abort(state: &mut State, request: &Request) -> Result<Answer> {
    let bucket = state.bucket(&request.bucket)?;
    let (id, _) = upload(bucket, request)?;
    bucket.uploads.remove(&id);
    Ok(Answer::no_content().body(Body::empty()))
}

pub(super) fn list_parts(state: &mut State, request: &Request) -> Result<Answer> {
    let most = request.number("max-parts", 1000)?.min(1000);
    let after = request.number("part-number-marker", 0)?;
    let (id, upload) = upload(state.bucket(&request.bucket)?, request)?;
    let rest: Vec<(&u32, &Part)> = upload
        .parts
        .iter()
        .filter(|(number, _)| usize::try_from(**number).is_ok_and(|number| number > after))
        .collect();
    let shown = rest.get(..most).unwrap_or(&rest);
    Ok(Answer::xml("ListPartsResult", |xml| {
        xml.text("Bucket", &request.bucket);
        xml.text("Key", &request.key);
        xml.text("UploadId", &id);
        xml.text("PartNumberMarker", &after.to_string());
        if let Some((last, _)) = shown.last() {
            xml.text("NextPartNumberMarker", &last.to_string());
        }
        xml.text("MaxParts", &most.to_string());
        xml.text("IsTruncated", if shown.len() < rest.len() { "true" } else { "false" });
        xml.text("StorageClass", upload.description.storage_class());
        if upload.chosen {
            xml.text("ChecksumAlgorithm", upload.algorithm.name());
            xml.text("ChecksumType", if upload.composite { "COMPOSITE" } else { "FULL_OBJECT" });
        }
        for (number, part) in shown {
            xml.element("Part", |xml| {
                xml.text("PartNumber", &number.to_string());
                xml.text("LastModified", &iso_date(part.modified));
                xml.text("ETag", &quoted(&part.etag));
                xml.text("Size", &part.data.len().to_string());
                if upload.chosen {
                    xml.text(part.checksum.algorithm.element(), &part.checksum.value);
                }
            });
        }
    }))
}

pub(super) fn list_uploads(state: &mut State, request: &Request) -> Result<Answer> {
    let prefix = request.query("prefix").unwrap_or_default();
    let bucket = state.bucket(&request.bucket)?;
    let mut found: Vec<(&String, &Upload)> =
        bucket.uploads.iter().filter(|(_, upload)| upload.key.starts_with(prefix)).collect();
    found.sort_by(|(id, one), (other_id, other)| {
        (&one.key, one.initiated, id).cmp(&(&other.key, other.initiated, other_id))
    });
    Ok(Answer::xml("ListMultipartUploadsResult", |xml| {
        xml.text("Bucket", &request.bucket);
        xml.text("Prefix", prefix);
        xml.text("MaxUploads", "1000");
        xml.text("IsTruncated", "false");
        for (id, upload) in found {
            xml.element("Upload", |xml| {
                xml.text("Key", &upload.key);
                xml.text("UploadId", id);
                xml.text("StorageClass", upload.description.storage_class());
                xml.text("Initiated", &iso_date(upload.initiated));
            });
        }
    }))
}
