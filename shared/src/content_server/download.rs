//! Taking content out.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;

use super::{
    Client,
    call::Call,
    error::{NO_RANGES, misconfigured},
    node::NodeId,
};
use crate::{
    error::{Error, FailureClass, Result, System},
    http::{Body, Response, exactly},
};

/// Content on its way out. The body fails when it ends before the announced length.
#[derive(Debug)]
pub struct Download {
    /// Its length, where the server announces one.
    pub length: Option<u64>,
    /// The bytes.
    pub body: Body,
}

impl Client {
    /// The content of a document: of one version, or of the latest. Look at the version number before and after: a
    /// version that is added in between changes what "latest" means.
    ///
    /// # Errors
    /// `content-server.not-accessible` when it is missing or hidden.
    pub async fn download(&self, node: NodeId, version: Option<i64>) -> Result<Download> {
        checked(self.open(&content(node, version), None).await?)
    }

    /// The latest content of a document that is known to be small.
    ///
    /// # Errors
    /// As [`Client::download`]; `Transient` when it breaks off or is longer than `most` bytes.
    pub async fn download_small(&self, node: NodeId, most: usize) -> Result<Bytes> {
        self.download_small_version(node, None, most).await
    }

    /// The same of one version; of the latest when none is named.
    ///
    /// # Errors
    /// As [`Client::download_small`].
    pub async fn download_small_version(
        &self,
        node: NodeId,
        version: Option<i64>,
        most: usize,
    ) -> Result<Bytes> {
        let mut body = self.download(node, version).await?.body;
        let mut bytes = BytesMut::new();
        let read = async {
            while let Some(frame) = body.frame().await {
                let data = frame
                    .ok()
                    .and_then(|frame| frame.into_data().ok())
                    .filter(|data| bytes.len().saturating_add(data.len()) <= most);
                match data {
                    Some(data) => bytes.extend_from_slice(&data),
                    None => return false,
                }
            }
            true
        };
        match tokio::time::timeout(self.settings.slow(), read).await {
            Ok(true) => Ok(bytes.freeze()),
            _ => {
                let (class, code) = (FailureClass::Transient, "content-server.cut");
                let message = "the content broke off, or is longer than it can be";
                Err(Error::new(class, System::ContentServer, "download", code, message))
            }
        }
    }

    /// A range of a version's content. Only where [`super::Settings::range_downloads`] says the server can do that.
    ///
    /// # Errors
    /// `Forbidden` when the setting is off or the server gave something else than the range.
    pub async fn download_range(
        &self,
        node: NodeId,
        version: i64,
        offset: u64,
        length: u64,
    ) -> Result<Download> {
        let refuse = |message: &str| {
            misconfigured("download a range", NO_RANGES, message)
                .remedy("leave range_downloads off for this server")
        };
        if !self.settings.range_downloads {
            return Err(refuse("downloads of a range are switched off"));
        }
        let range = format!("bytes={offset}-{}", (offset + length).saturating_sub(1));
        let response = self.open(&content(node, Some(version)), Some(&range)).await?;
        let prefix = format!("bytes {offset}-");
        let came = response.headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
        if response.status != StatusCode::PARTIAL_CONTENT
            || !came.is_some_and(|came| came.starts_with(&prefix))
        {
            return Err(refuse("the server answered with something else than the range"));
        }
        checked(response).map(|download| Download { body: exactly(length, download.body), ..download })
    }
}

fn content(node: NodeId, version: Option<i64>) -> Call {
    // Version 2 of the interface is said to have trouble with files.
    let path = match version {
        Some(version) => format!("/v1/nodes/{node}/versions/{version}/content"),
        None => format!("/v1/nodes/{node}/content"),
    };
    Call::get("download", path).query("action", "download")
}

fn checked(response: Response) -> Result<Download> {
    let Response { headers, body, .. } = response;
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(Error::new(
            FailureClass::Forbidden,
            System::ContentServer,
            "download",
            "content-server.encoded-content",
            "the server compresses content although it was asked not to",
        )
        .remedy("switch compression off for downloads of the service user, or in the proxy"));
    }
    let length = length(&headers);
    let body = match length {
        Some(length) => exactly(length, body),
        None => body,
    };
    Ok(Download { length, body })
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
