//! S3's way: parts in any order, each with an address of its own, then one call that joins them.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use http::{Method, StatusCode, header};
use quick_xml::{Reader, events::Event};
use serde::Deserialize;

use super::{
    Client,
    call::Call,
    error::{Effect, classify_storage, unexpected},
    file::File,
    ids::AssetId,
    part_ledger::PartLedger,
    signed::{StorageRequest, is_refused, signed_url},
    upload::{BYTES, OPERATION, UploadStep, gone, part_of},
    wire,
};
use crate::{
    error::{FailureClass, Result},
    http::{Payload, RangedSource},
};

/// Addresses asked for at once.
const ADDRESSES: u32 = 100;

#[derive(Deserialize)]
struct PartAddresses {
    #[serde(default, deserialize_with = "wire::list")]
    objects: Vec<PartAddress>,
}

#[derive(Deserialize)]
struct PartAddress {
    #[serde(default, deserialize_with = "wire::size_or_none")]
    number: Option<u64>,
    #[serde(default, deserialize_with = "wire::text")]
    url: String,
}

impl Client {
    pub(super) async fn s3_step(
        &self,
        asset: &AssetId,
        file: &File,
        source: &RangedSource,
        ledger: &mut PartLedger,
    ) -> Result<UploadStep> {
        let Some(upload_id) = ledger.upload_id.clone() else {
            ledger.upload_id = Some(self.begin_s3(asset, file).await?);
            return Ok(UploadStep::Going(0));
        };
        let missing = ledger.missing(self.settings.parts_at_once);
        if missing.is_empty() {
            return self.complete_s3(asset, file, &upload_id, ledger).await;
        }
        let addresses = self.part_addresses(asset, file, &upload_id, ledger, &missing).await?;
        let sending = missing.iter().map(|&number| {
            let address = addresses.get(&number).cloned();
            self.send_part(asset, file, source, ledger, number, address)
        });
        let outcomes = join_all(sending).await;
        let mut failure = None;
        for (number, outcome) in missing.iter().zip(outcomes) {
            match outcome {
                Ok(mark) => drop(ledger.parts.insert(*number, mark)),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            Some(error) => Err(error),
            None => Ok(UploadStep::Going(ledger.bytes_sent())),
        }
    }

    async fn begin_s3(&self, asset: &AssetId, file: &File) -> Result<String> {
        // A second beginning leaves an upload without parts behind, which costs nothing.
        let request = StorageRequest::new(OPERATION, Method::POST).idempotent();
        let address = |file: &File| file.multipart_upload_url.clone();
        let response = self.to_upload_address(asset, file, address, &request).await?;
        let (status, headers) = (response.status, response.headers);
        if !status.is_success() {
            return Err(classify_storage(OPERATION, status, &headers));
        }
        let bytes = self.small_body(response.body).await?;
        let found = text_of(&bytes, "UploadId");
        found.ok_or_else(|| unexpected(OPERATION, Effect::Repeatable, "no UploadId in the storage's answer"))
    }

    /// The addresses of parts, by number.
    async fn part_addresses(
        &self,
        asset: &AssetId,
        file: &File,
        upload_id: &str,
        ledger: &PartLedger,
        numbers: &[u32],
    ) -> Result<BTreeMap<u32, String>> {
        let mut found = BTreeMap::new();
        let mut pages: Vec<u32> = numbers.iter().map(|number| (number - 1) / ADDRESSES + 1).collect();
        pages.dedup();
        for page in pages {
            let call = Call::get("get part addresses", &multipart(asset, file, &["multipart_url", "part"]))
                .query("upload_id", upload_id)
                .query("parts_num", ledger.count())
                .query("per_page", ADDRESSES)
                .query("page", page);
            let answer: PartAddresses = self.ask(&call).await?;
            for (index, address) in answer.objects.into_iter().enumerate() {
                let counted = u64::from((page - 1) * ADDRESSES) + index as u64 + 1;
                let number = u32::try_from(address.number.unwrap_or(counted)).unwrap_or(u32::MAX);
                if numbers.contains(&number) {
                    found.insert(number, address.url);
                }
            }
        }
        Ok(found)
    }

    /// Sends one part and gives the storage's mark of it.
    async fn send_part(
        &self,
        asset: &AssetId,
        file: &File,
        source: &RangedSource,
        ledger: &PartLedger,
        number: u32,
        address: Option<String>,
    ) -> Result<String> {
        let length = ledger.length_of(number);
        let payload = Payload::Stream(BYTES.to_owned(), part_of(source, ledger.offset_of(number), length));
        let request = StorageRequest::new(OPERATION, Method::PUT)
            .payload(payload)
            .idempotent()
            .within(self.settings.transfer_time(length));
        let upload_id = ledger.upload_id.as_deref().unwrap_or_default();
        let mut address = address;
        let mut renewed = false;
        loop {
            let known = match address.take() {
                Some(known) => known,
                None => {
                    renewed = true;
                    let fresh = self.part_addresses(asset, file, upload_id, ledger, &[number]).await?;
                    fresh.into_values().next().ok_or_else(|| {
                        unexpected(
                            OPERATION,
                            Effect::Repeatable,
                            format_args!("no address for part {number}"),
                        )
                    })?
                }
            };
            let url = signed_url(OPERATION, &known, &self.settings)?;
            let response = self.send_to_storage(&url, &request).await?;
            match response.status {
                status if status.is_success() => {
                    let mark = response.headers.get(header::ETAG).and_then(|mark| mark.to_str().ok());
                    return mark.map(str::to_owned).ok_or_else(|| {
                        unexpected(OPERATION, Effect::Repeatable, "no ETag in the storage's answer")
                    });
                }
                status if is_refused(status) && !renewed => {}
                StatusCode::NOT_FOUND => return Err(gone()),
                status => return Err(classify_storage(OPERATION, status, &response.headers)),
            }
        }
    }

    async fn complete_s3(
        &self,
        asset: &AssetId,
        file: &File,
        upload_id: &str,
        ledger: &mut PartLedger,
    ) -> Result<UploadStep> {
        let call = Call::get("get completing address", &multipart(asset, file, &["multipart_url"]))
            .query("upload_id", upload_id)
            .query("type", "complete_url");
        let answer = self.json(&call).await?;
        let address = answer.get("complete_url").and_then(serde_json::Value::as_str).unwrap_or_default();
        let url = signed_url(OPERATION, address, &self.settings)?;
        let request = StorageRequest::new(OPERATION, Method::POST)
            .payload(Payload::Bytes("application/xml", joining(&ledger.parts).into()))
            .idempotent()
            .within(self.settings.transfer_time(0));
        let failure = match self.ask_storage(&url, &request).await {
            // S3 may answer 200 and say in the body that it failed.
            Ok((status, _, body)) if status.is_success() && text_of(&body, "Code").is_none() => {
                ledger.is_done = true;
                return Ok(UploadStep::Done);
            }
            Ok((status, _, body)) => {
                let code = text_of(&body, "Code").unwrap_or_default();
                let is_gone = status == StatusCode::NOT_FOUND || code == "NoSuchUpload";
                let is_wrong = matches!(code.as_str(), "InvalidPart" | "InvalidPartOrder" | "EntityTooSmall");
                match status.is_success() {
                    _ if is_gone || is_wrong => gone(),
                    true => classify_storage(
                        OPERATION,
                        StatusCode::INTERNAL_SERVER_ERROR,
                        &http::HeaderMap::new(),
                    ),
                    false => classify_storage(OPERATION, status, &http::HeaderMap::new()),
                }
            }
            Err(error) => error,
        };
        // An earlier attempt may have joined them, and its answer been lost.
        let may_be_there = failure.class() == FailureClass::Transient;
        if may_be_there && self.has_arrived(asset, file, ledger.length).await? {
            ledger.is_done = true;
            return Ok(UploadStep::Done);
        }
        Err(failure)
    }
}

fn multipart<'a>(asset: &'a AssetId, file: &'a File, tail: &[&'a str]) -> Vec<&'a str> {
    let mut path = vec!["files", "v1", "assets", asset.as_str(), "files", file.id.as_str()];
    path.extend(tail);
    path
}

/// The body that joins parts.
fn joining(parts: &BTreeMap<u32, String>) -> String {
    let mut body = "<CompleteMultipartUpload>".to_owned();
    for (number, mark) in parts {
        let mark = mark.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        body.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{mark}</ETag></Part>"));
    }
    body.push_str("</CompleteMultipartUpload>");
    body
}

/// The text of the first element with a name, whatever its namespace.
fn text_of(xml: &[u8], name: &str) -> Option<String> {
    let mut reader = Reader::from_reader(xml);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if start.local_name().as_ref() == name.as_bytes() => {
                let text = reader.read_text(start.name()).ok()?;
                let text = String::from_utf8_lossy(&text);
                let text = quick_xml::escape::unescape(&text).ok()?;
                return (!text.trim().is_empty()).then(|| text.trim().to_owned());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_an_upload_is_read_out_of_the_storages_answer() {
        let answer = br#"<?xml version="1.0" encoding="UTF-8"?>
            <InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <Bucket>b</Bucket><Key>k</Key><UploadId>a&amp;b_c.--</UploadId></InitiateMultipartUploadResult>"#;
        assert_eq!(text_of(answer, "UploadId").as_deref(), Some("a&b_c.--"));
        for other in [&b""[..], b"<html>", b"<a><UploadId/></a>", b"{\"UploadId\":1}"] {
            assert_eq!(text_of(other, "UploadId"), None);
        }
    }
}
