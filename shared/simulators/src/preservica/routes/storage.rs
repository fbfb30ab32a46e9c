//! The storage that packages are uploaded to, in S3's words. What is there cannot be read again.

use axum::body::Body;
use http::{HeaderValue, Response, header};

use super::super::call::{Call, Received};
use super::super::reply::{Outcome, Refusal, Reply, text};
use super::super::state::{Fault, too_large};
use super::super::xml::Element;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
const PROGRESS: &str = "preservica-progress-token";

pub(in crate::preservica) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    let answered = match path {
        [] | [""] if call.method == http::Method::GET => Ok(buckets(call)),
        [bucket, key @ ..] if *bucket == call.state.bucket() => object(call, bucket, &key.join("/")),
        _ => Err(Fault::new(404, "NoSuchBucket", "The specified bucket does not exist")),
    };
    Ok(Reply::Whole(answered.unwrap_or_else(|fault| fault_response(&fault))))
}

/// A refusal of the door, in the storage's words.
pub(in crate::preservica) fn refused(refusal: &Refusal) -> Response<Body> {
    let (status, message) = refusal.told();
    let code = match status {
        401 => "InvalidAccessKeyId",
        403 => "AccessDenied",
        404 => "NoSuchKey",
        _ => "InvalidRequest",
    };
    fault_response(&Fault::new(status, code, message))
}

pub(in crate::preservica) fn fault_response(Fault(status, code, message): &Fault) -> Response<Body> {
    let error = Element::new("", "Error").with("Code", *code).with("Message", message.clone());
    text(*status, "application/xml", error.document(None))
}

fn ok(root: Option<Element>, headers: &[(&'static str, String)]) -> Response<Body> {
    let mut response = match root {
        Some(root) => text(200, "application/xml", root.document(None)),
        None => Response::new(Body::empty()),
    };
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(*name, value);
        }
    }
    response
}

fn buckets(call: &Call<'_>) -> Response<Body> {
    let bucket = Element::new(NAMESPACE, "Bucket").with("Name", call.state.bucket());
    let list = Element::new(NAMESPACE, "Buckets").child(bucket);
    ok(Some(Element::new(NAMESPACE, "ListAllMyBucketsResult").child(list)), &[])
}

fn object(call: &mut Call<'_>, bucket: &str, key: &str) -> Result<Response<Body>, Fault> {
    let denied = |refusal: Refusal| Fault::new(403, "AccessDenied", refusal.told().1);
    call.state.may_write(&call.user).map_err(denied)?;
    let user = call.user.clone();
    let upload = call.text("uploadId").map(str::to_owned);
    let begins = call.query.iter().any(|(name, _)| name == "uploads");
    match (call.method.as_str(), upload) {
        ("POST", None) if begins => {
            let id = call.state.begin_upload(&user, (bucket, key), destination(call));
            let root = Element::new(NAMESPACE, "InitiateMultipartUploadResult")
                .with("Bucket", bucket)
                .with("Key", key)
                .with("UploadId", id);
            Ok(ok(Some(root), &[]))
        }
        ("PUT", Some(id)) => {
            let number = call.text("partNumber").and_then(|text| text.parse::<u32>().ok());
            let number = number.filter(|number| (1..=10_000).contains(number));
            let number = number.ok_or_else(|| {
                Fault::new(
                    400,
                    "InvalidArgument",
                    "Part number must be an integer between 1 and 10000, inclusive",
                )
            })?;
            let Received { content, md5 } = body(call)?;
            call.state.upload(&user, key, &id)?.parts.insert(number, (content, md5.clone()));
            Ok(ok(None, &[("etag", format!("\"{md5}\""))]))
        }
        ("POST", Some(id)) => {
            let named = named_parts(call)?;
            let (destination, whole) = call.state.join_upload(&user, key, &id, &named)?;
            let mark = format!("\"{}-{}\"", md5_of(&named), named.len());
            let token = call.state.receive_package(&user, key, destination, whole);
            let root = Element::new(NAMESPACE, "CompleteMultipartUploadResult")
                .with("Location", format!("{}/api/s3/buckets/{bucket}/{key}", call.base))
                .with("Bucket", bucket)
                .with("Key", key)
                .with("ETag", mark);
            Ok(ok(Some(root), &[(PROGRESS, token)]))
        }
        ("DELETE", Some(id)) => {
            call.state.upload(&user, key, &id)?;
            call.state.uploads.remove(&id);
            Ok(nothing())
        }
        ("PUT", None) => {
            let to = destination(call);
            let Received { content, md5 } = body(call)?;
            if let Some(most) =
                call.state.settings.ingest.largest_package_bytes.filter(|most| content.size > *most)
            {
                return Err(Fault::new(400, "EntityTooLarge", too_large(content.size, most).told().1));
            }
            let token = call.state.receive_package(&user, key, to, content);
            Ok(ok(None, &[("etag", format!("\"{md5}\"")), (PROGRESS, token)]))
        }
        ("DELETE", None) => Ok(nothing()),
        // Nothing that was uploaded is there to be seen.
        ("GET", _) => Err(Fault::new(404, "NoSuchKey", "The specified key does not exist.")),
        _ => Err(Fault::new(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )),
    }
}

fn nothing() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = http::StatusCode::NO_CONTENT;
    response
}

/// The folder a package goes to.
fn destination(call: &Call<'_>) -> Option<String> {
    call.header("x-amz-meta-structuralobjectreference").map(str::to_owned)
}

/// The body, which has to be what its headers claim. Chunks with a checksum behind them are not understood here.
fn body(call: &mut Call<'_>) -> Result<Received, Fault> {
    let claimed = call.header("x-amz-content-sha256").unwrap_or_default().to_owned();
    let encoding = call.header(header::CONTENT_ENCODING.as_str()).unwrap_or_default().to_owned();
    if claimed.starts_with("STREAMING-")
        || encoding.contains("aws-chunked")
        || call.header("x-amz-trailer").is_some()
    {
        let text = "A body in chunks with a checksum behind it is not implemented";
        return Err(Fault::new(501, "NotImplemented", text));
    }
    let received =
        call.received.take().ok_or_else(|| Fault::new(400, "MissingRequestBodyError", "There is no body"))?;
    if claimed.len() == 64 && !claimed.eq_ignore_ascii_case(&received.content.sha256) {
        let text = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Err(Fault::new(400, "XAmzContentSHA256Mismatch", text));
    }
    let length = call.header("content-length").and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length != received.content.size) {
        return Err(Fault::new(400, "IncompleteBody", "The request body terminated unexpectedly"));
    }
    Ok(received)
}

fn named_parts(call: &Call<'_>) -> Result<Vec<(u32, String)>, Fault> {
    let malformed = || {
        let text =
            "The XML you provided was not well-formed or did not validate against our published schema";
        Fault::new(400, "MalformedXML", text)
    };
    let root = call.xml("CompleteMultipartUpload").map_err(|_| malformed())?;
    let part = |part: &Element| {
        let number = part.text_of("PartNumber").and_then(|text| text.parse().ok());
        Some((number?, part.text_of("ETag")?))
    };
    let named: Option<Vec<(u32, String)>> = root.all("Part").map(part).collect();
    named.filter(|named| !named.is_empty()).ok_or_else(malformed)
}

/// The mark of parts that were joined: the hash of their hashes.
fn md5_of(named: &[(u32, String)]) -> String {
    use md5::Digest as _;
    let mut hash = md5::Md5::new();
    for (_, mark) in named {
        hash.update(hex::decode(mark.trim_matches('"')).unwrap_or_default());
    }
    hex::encode(hash.finalize().as_slice())
}
