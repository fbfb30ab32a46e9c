//! What an asset is made of: representations, their parts, the generations of each, and files.

use std::time::Duration;

use http::HeaderName;
use serde::{Deserialize, Serialize};

use super::{
    Client,
    call::Call,
    error::{Effect, unexpected},
    ids::Reference,
    progress::ProgressToken,
    xml::{ENTITY, Element, XIP},
};
use crate::{
    error::Result,
    http::{Payload, RangedSource},
};

/// For what a representation is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RepresentationKind {
    /// What is preserved.
    Preservation,
    /// What is given out.
    Access,
    /// Another word.
    Other(String),
}

impl RepresentationKind {
    fn of(word: &str) -> Self {
        match word {
            "Preservation" => Self::Preservation,
            "Access" => Self::Access,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// One way in which an asset is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Representation {
    /// For what.
    pub kind: RepresentationKind,
    /// Its name.
    pub name: String,
    address: String,
}

/// One state of the bytes of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// As it came in.
    pub is_original: bool,
    /// In use.
    pub is_active: bool,
    /// Registry number and name of each format that was found.
    pub formats: Vec<(String, String)>,
    /// Its files.
    pub bitstreams: Vec<Bitstream>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitstream {
    /// Its name.
    pub filename: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its checksums.
    pub fixities: Vec<Fixity>,
    /// Path of its bytes at the server.
    pub(super) content: String,
}

/// A checksum of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixity {
    /// By which algorithm.
    pub algorithm: FixityAlgorithm,
    /// Lower-case hexadecimal.
    pub value: String,
}

/// An algorithm of checksums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FixityAlgorithm {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// Another word.
    Other(String),
}

impl FixityAlgorithm {
    /// The algorithm of a name; archives write `SHA1`, packages and headers `SHA-1`.
    pub fn of(word: &str) -> Self {
        match word.to_ascii_uppercase().replace('-', "").as_str() {
            "MD5" => Self::Md5,
            "SHA1" => Self::Sha1,
            "SHA256" => Self::Sha256,
            "SHA512" => Self::Sha512,
            _ => Self::Other(word.to_owned()),
        }
    }
}

impl Client {
    /// In which ways an asset is there.
    ///
    /// # Errors
    /// As any call.
    pub async fn representations(&self, asset: &Reference) -> Result<Vec<Representation>> {
        let call =
            Call::get("list representations", &["information-objects", asset.as_str(), "representations"]);
        let root = self.ask_xml(&call).await?;
        let list = root.search(ENTITY, "Representations").unwrap_or(&root);
        let found = list.all(ENTITY, "Representation").into_iter().map(|one| Representation {
            kind: RepresentationKind::of(one.value("type").unwrap_or_default()),
            name: one.value("name").unwrap_or_default().to_owned(),
            address: one.content(),
        });
        Ok(found.collect())
    }

    /// The parts of a representation.
    ///
    /// # Errors
    /// As any call.
    pub async fn parts(&self, representation: &Representation) -> Result<Vec<Reference>> {
        let target = self.own_target("get representation", &representation.address)?;
        let root = self.ask_xml(&Call::follow("get representation", &target)).await?;
        let itself = root.search(XIP, "Representation");
        let itself = itself
            .ok_or_else(|| unexpected("get representation", Effect::Read, "no Representation in it"))?;
        let parts =
            itself.all(XIP, "ContentObjects").into_iter().flat_map(|list| list.all(XIP, "ContentObject"));
        Ok(parts.map(|part| Reference::new(part.content())).collect())
    }

    /// The generations of a part, oldest first, with their files.
    ///
    /// # Errors
    /// As any call.
    pub async fn generations(&self, part: &Reference) -> Result<Vec<Generation>> {
        let operation = "list generations";
        let root =
            self.ask_xml(&Call::get(operation, &["content-objects", part.as_str(), "generations"])).await?;
        let list = root.search(ENTITY, "Generations").unwrap_or(&root);
        let addresses: Vec<String> =
            list.all(ENTITY, "Generation").into_iter().map(Element::content).collect();
        let mut generations = Vec::new();
        for address in addresses {
            generations.push(self.one_generation(&address).await?);
        }
        Ok(generations)
    }

    /// The files of a part as they are in use now.
    ///
    /// # Errors
    /// As any call; `preservica.unexpected-answer` when no generation is active.
    pub async fn active_bitstreams(&self, part: &Reference) -> Result<Vec<Bitstream>> {
        let generations = self.generations(part).await?;
        let active = generations.into_iter().rfind(|generation| generation.is_active);
        let active =
            active.ok_or_else(|| unexpected("list generations", Effect::Read, "no generation is active"));
        active.map(|generation| generation.bitstreams)
    }

    /// All files of an asset that are in use, of representations of one kind. No other kind is taken in its place: what is
    /// preserved is never given out for want of a copy for access.
    ///
    /// # Errors
    /// As any call.
    pub async fn files_of(&self, asset: &Reference, kind: &RepresentationKind) -> Result<Vec<Bitstream>> {
        let mut files = Vec::new();
        for representation in self.representations(asset).await?.iter().filter(|one| one.kind == *kind) {
            for part in self.parts(representation).await? {
                files.extend(self.active_bitstreams(&part).await?);
            }
        }
        Ok(files)
    }

    /// Gives a part new bytes: a new generation, which is in use from then on; the earlier one stays. A second time makes
    /// another generation.
    ///
    /// # Errors
    /// As any call; `UnknownOutcome` when the answer was lost: look at the generations.
    pub async fn replace_content(
        &self,
        part: &Reference,
        filename: &str,
        sha256: &str,
        source: &RangedSource,
    ) -> Result<ProgressToken> {
        let call = Call::post("replace content", &["content-objects", part.as_str(), "generations"])
            .query("replaceType", "previous")
            .header(HeaderName::from_static("filename"), filename)
            .header(HeaderName::from_static("fixity-sha-256"), sha256);
        self.begin_with_content(&call, source).await
    }

    /// Adds a copy for access, of one file. A second time adds a second one.
    ///
    /// # Errors
    /// As any call; `UnknownOutcome` when the answer was lost: look at the representations. Offered since 6.12.
    pub async fn add_access_copy(
        &self,
        asset: &Reference,
        name: &str,
        filename: &str,
        source: &RangedSource,
    ) -> Result<ProgressToken> {
        self.needs("add access copy", 6, 12).await?;
        let call = Call::post("add access copy", &["information-objects", asset.as_str(), "representations"])
            .query("type", "Access")
            .query("name", name)
            .query("filename", filename);
        self.begin_with_content(&call, source).await
    }

    async fn begin_with_content(&self, call: &Call, source: &RangedSource) -> Result<ProgressToken> {
        let length = source.length();
        let payload =
            Payload::Stream("application/octet-stream".to_owned(), super::upload::part_of(source, 0, length));
        let call = call.clone().payload(payload);
        let time: Duration = self.settings.transfer_time(length);
        self.begin_within(&call, time).await
    }

    async fn one_generation(&self, address: &str) -> Result<Generation> {
        let operation = "get generation";
        let target = self.own_target(operation, address)?;
        let root = self.ask_xml(&Call::follow(operation, &target)).await?;
        let itself = root.search(XIP, "Generation");
        let itself = itself.ok_or_else(|| unexpected(operation, Effect::Read, "no Generation in it"))?;
        let is = |name: &str| itself.value(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let format = |format: &Element| {
            (format.text_of("PUID").unwrap_or_default(), format.text_of("FormatName").unwrap_or_default())
        };
        let (is_original, is_active) = (is("original"), is("active"));
        let formats = itself.all(XIP, "Format").into_iter().map(format).collect();
        let addresses: Vec<String> =
            root.all(ENTITY, "Bitstream").into_iter().map(Element::content).collect();
        let mut bitstreams = Vec::new();
        for address in addresses {
            bitstreams.push(self.one_bitstream(&address).await?);
        }
        Ok(Generation { is_original, is_active, formats, bitstreams })
    }

    async fn one_bitstream(&self, address: &str) -> Result<Bitstream> {
        let operation = "get bitstream";
        let target = self.own_target(operation, address)?;
        let root = self.ask_xml(&Call::follow(operation, &target)).await?;
        let lacks = |what: &str| unexpected(operation, Effect::Read, format_args!("no {what} in it"));
        let itself = root.search(XIP, "Bitstream").ok_or_else(|| lacks("Bitstream"))?;
        let content = root.search(ENTITY, "Content").ok_or_else(|| lacks("Content"))?;
        let size = itself.text_of("FileSize").and_then(|text| text.parse().ok());
        let fixity = |fixity: &Element| {
            Some(Fixity {
                algorithm: FixityAlgorithm::of(&fixity.text_of("FixityAlgorithmRef")?),
                value: fixity.text_of("FixityValue")?.to_ascii_lowercase(),
            })
        };
        Ok(Bitstream {
            filename: itself.text_of("Filename").unwrap_or_default(),
            size: size.ok_or_else(|| lacks("FileSize"))?,
            fixities: itself.all(XIP, "Fixity").into_iter().filter_map(fixity).collect(),
            content: self.own_target(operation, &content.content())?,
        })
    }
}
