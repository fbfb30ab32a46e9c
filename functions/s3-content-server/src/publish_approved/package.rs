//! Several documents as one ZIP with a manifest.
//!
//! First every document is read, for the hashes that the manifest tells; then the ZIP goes up while they are read again;
//! then it is read back from S3, and what does not have the hash of the manifest is taken away. Nothing is ever held whole.

use std::collections::BTreeSet;

use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use shared::{
    content_server::{ChildFilter, Node, NodeId, Version, kind},
    error::{Error, FailureClass, Result},
    flow::{Flow, Run},
    http::full,
    ledger::Key,
    mapping::Record,
    transfer::{Digests, Hasher, Progress, RangedSource, S3Object, hash_body},
};

use super::{
    PublishApproved, again,
    approval::{Approval, Noting},
    copies::{Copy, Place},
    settle::{Made, Work},
    standing::{
        Content, Offer, Standing, Unit, Withheld, extension, file_name, is_missing, key, object, version_text,
    },
};
use crate::{
    category_values,
    publish_rules::{Package, PublishRule},
    version_copy::version_source,
    zip::{self, Entry},
};

/// The most documents of one package.
const MOST: usize = 500;
/// The name of the manifest in the ZIP.
const MANIFEST: &str = "manifest.json";
/// What a manifest says it is.
const SCHEMA: &str = "waybill.package.v1";

/// A document of a package.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) node: NodeId,
    /// Its name in the ZIP.
    pub(super) name: String,
    pub(super) version: Version,
}

impl Member {
    /// What tells it from another one.
    pub(super) fn text(&self) -> String {
        format!("{} {} {}", self.node, version_text(&self.version), self.name)
    }
}

/// What was read of a member.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Read {
    member: String,
    sha256: String,
    crc32: u32,
    size: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    schema: &'static str,
    container: NodeId,
    package: &'a str,
    documents: Vec<Document<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    name: &'a str,
    node: NodeId,
    version: i64,
    sha256: &'a str,
    size: u64,
    content_type: Option<&'a str>,
}

impl PublishApproved {
    /// The packages a document (or the documents of a container) is in now, or ever was.
    pub(super) async fn packages_of(&self, node: NodeId, run: &Run) -> Result<Vec<Unit>> {
        let mut units = self.packages_known(node).await?;
        if let Some(unit) = self.package_now(node, Noting::of(run)).await?
            && !units.contains(&unit)
        {
            if !run.is_dry() {
                self.is_in(node, &unit).await?;
                self.is_in(unit.node(), &unit).await?;
            }
            units.push(unit);
        }
        Ok(units)
    }

    /// The packages that are to be looked at when a node changes.
    pub(super) async fn packages_known(&self, node: NodeId) -> Result<Vec<Unit>> {
        let set = format!("packages node-{node}");
        let known = self.environment.ledger.members(Self::NAME, &set).await?;
        Ok(known.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
    }

    /// Remembers for good that a package is to be looked at when this node changes.
    async fn is_in(&self, node: NodeId, unit: &Unit) -> Result<()> {
        let text = serde_json::to_string(unit)
            .map_err(|error| Error::bug("remember package", "a package is not JSON").source(error))?;
        let set = format!("packages node-{node}");
        self.environment.ledger.add_member(Self::NAME, &set, &text, None).await
    }

    pub(super) async fn package_now(&self, node: NodeId, noting: Noting) -> Result<Option<Unit>> {
        if self.rules.rules.iter().all(|rule| rule.package.is_none()) {
            return Ok(None);
        }
        let node = match self.content_server.get_node(node).await {
            Ok(node) if node.kind == kind::DOCUMENT => node,
            Err(error) if !is_missing(&error) => return Err(error),
            _ => return Ok(None),
        };
        let Some(rule) = self.select(&node).await? else { return Ok(None) };
        let Some(package) = &rule.package else { return Ok(None) };
        let id = self.package_id(&node, rule, package, noting).await?;
        Ok(id.map(|(id, _)| Unit::Package { rule: rule.name.clone(), container: node.parent, id }))
    }

    /// The package an approved document belongs to, and the version of it that does; nothing when it is in none.
    async fn package_id(
        &self,
        node: &Node,
        rule: &PublishRule,
        package: &Package,
        noting: Noting,
    ) -> Result<Option<(String, Approval)>> {
        let Ok(approval) = self.allowed(node, rule, noting).await? else { return Ok(None) };
        let id = match &package.id {
            None => String::new(),
            Some(name) => {
                let id = approval.attributes.get(name).map(category_values::text).unwrap_or_default();
                if id.is_empty() {
                    return Ok(None);
                }
                id
            }
        };
        Ok(Some((id, approval)))
    }

    pub(super) async fn standing_of_package(
        &self,
        rule: &str,
        container: NodeId,
        id: &str,
        noting: Noting,
    ) -> Result<Standing<'_>> {
        let found = self.rules.rules.iter().find(|known| known.name == rule);
        let Some((rule, package)) = found.and_then(|rule| Some((rule, rule.package.as_ref()?))) else {
            return Ok(Standing::Withheld(Withheld::no_rule()));
        };
        self.content_server.get_node(container).await?;
        let filter = ChildFilter { name: None, kinds: vec![kind::DOCUMENT] };
        let children = self.content_server.list_children(container, filter).all().await?;
        let (mut members, mut valid_until) = (Vec::new(), None);
        for child in children.iter().filter(|child| child.kind == kind::DOCUMENT) {
            if self.select(child).await?.is_none_or(|taken| taken.name != rule.name) {
                continue;
            }
            match self.package_id(child, rule, package, noting).await? {
                Some((found, approval)) if found == id => {
                    valid_until = [valid_until, approval.valid_until].into_iter().flatten().min();
                    let name = file_name(child, &approval.version);
                    members.push(Member { node: child.id, name, version: approval.version });
                }
                _ => {}
            }
        }
        if members.is_empty() {
            return Ok(Standing::Withheld(Withheld::empty()));
        }
        if members.len() > MOST {
            let message =
                format!("the package has {} documents, and at most {MOST} go into one", members.len());
            return Err(Error::invalid("package.too-many", message)
                .remedy("divide the folder, or give documents package ids"));
        }
        members.sort_by(|one, other| (&one.name, one.node).cmp(&(&other.name, other.node)));
        name_apart(&mut members);
        let record = self.record_of_package(container, id, rule).await?;
        let key = key(rule, &record, ".zip")?;
        Ok(Standing::Offered(Box::new(Offer {
            rule,
            file_name: key.rsplit('/').next().unwrap_or_default().to_owned(),
            key,
            content_type: "application/zip".to_owned(),
            valid_until,
            content: Content::Members(members),
        })))
    }

    async fn record_of_package(&self, container: NodeId, id: &str, rule: &PublishRule) -> Result<Record> {
        let record = self.record_of_folder(container, rule).await?;
        let id = if id.is_empty() { container.to_string() } else { id.to_owned() };
        Ok(record.with("package", object([("id", id)])))
    }

    pub(super) async fn copy_package(
        &self,
        work: &Work<'_>,
        offer: &Offer<'_>,
        members: &[Member],
        over: &Place,
    ) -> Result<Made> {
        let Progress::Done(reads) = Box::pin(self.read_members(work, members)).await? else {
            return Ok(Made::Paused);
        };
        let entries = self.entries(work.unit, members, &reads).await?;
        let fingerprint = offer.fingerprint();
        let source = zip::zip(&entries, &fingerprint)?;
        match self.standing(work.unit, Noting::of(work.run)).await? {
            Standing::Offered(now) if now.fingerprint() == fingerprint && now.key == offer.key => {}
            _ => return Ok(Made::Changed),
        }
        // A member may lose its approval before a message of its own has ever arrived.
        for member in members {
            self.is_in(member.node, work.unit).await?;
        }
        let name = format!("copy-{}", fingerprint.get(..12).unwrap_or_default());
        let put = self.put(work, offer, (&source, None), over, &name);
        let Progress::Done(copy) = Box::pin(put).await? else { return Ok(Made::Paused) };
        if !self.holds(&copy, &entries, (members, &reads)).await? {
            self.remove_version(&copy.key, &copy.version_id).await?;
            return Err(self.mismatch(work).await?);
        }
        self.vouch(work.unit, &copy).await?;
        Ok(Made::Copy(copy, source.length()))
    }

    /// Reads every member once. What was read is recorded when the invocation must end.
    async fn read_members(&self, work: &Work<'_>, members: &[Member]) -> Result<Progress<Vec<Read>>> {
        const READ: &str = "members-read";
        let mut reads: Vec<Read> = work.run.recorded(READ).unwrap_or_default();
        reads.retain(|read| members.iter().any(|member| member.text() == read.member));
        for member in members {
            if reads.iter().any(|read| read.member == member.text()) {
                continue;
            }
            if work.run.must_stop() {
                work.run.checkpoint(READ, &reads).await?;
                return Ok(Progress::Paused);
            }
            let source = version_source(&self.content_server, member.node, &member.version).await?;
            let (digests, crc32) = read(&source).await?;
            reads.push(Read { member: member.text(), sha256: digests.sha256, crc32, size: digests.bytes });
        }
        Ok(Progress::Done(reads))
    }

    /// The manifest and the members, as files of the ZIP.
    async fn entries(&self, unit: &Unit, members: &[Member], reads: &[Read]) -> Result<Vec<Entry>> {
        let mut documents = Vec::with_capacity(members.len());
        let mut entries = Vec::with_capacity(members.len() + 1);
        for member in members {
            let text = member.text();
            let read = reads.iter().find(|read| read.member == text);
            let read = read.ok_or_else(|| Error::bug("pack", "a document was not read"))?;
            documents.push(Document {
                name: &member.name,
                node: member.node,
                version: member.version.number,
                sha256: &read.sha256,
                size: read.size,
                content_type: member.version.mime_type.as_deref(),
            });
            let content = version_source(&self.content_server, member.node, &member.version).await?;
            entries.push(Entry { name: member.name.clone(), crc32: read.crc32, content });
        }
        let package = match unit {
            Unit::Package { id, .. } => id.as_str(),
            Unit::Document(_) => "",
        };
        let manifest = Manifest { schema: SCHEMA, container: unit.node(), package, documents };
        entries.insert(0, manifest_entry(&manifest)?);
        Ok(entries)
    }

    /// Whether S3 holds of every document what the manifest says.
    async fn holds(
        &self,
        copy: &Copy,
        entries: &[Entry],
        (members, reads): (&[Member], &[Read]),
    ) -> Result<bool> {
        let version = Some(copy.version_id.as_str());
        let object = S3Object::head(&self.s3, self.bucket(), &copy.key, version, None).await;
        let object = match object {
            Ok(object) => object,
            Err(error) if error.class() == FailureClass::Gone => {
                return Err(again("publish.changing", "the package was removed while it was being verified"));
            }
            Err(error) => return Err(error),
        };
        let places = zip::places(entries)?;
        // The manifest comes first, and is nobody's.
        let contents = entries.iter().zip(places).skip(1);
        for ((entry, start), member) in contents.zip(members) {
            let end = start + entry.content.length();
            let held = hash_body(object.open(&self.s3, Some(start..end)).await?, Some(end - start)).await?;
            let text = member.text();
            if !reads.iter().any(|read| read.member == text && read.sha256 == held.sha256) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Names that a ZIP reader on any system keeps apart, and none that is the manifest's.
fn name_apart(members: &mut [Member]) {
    let mut taken: BTreeSet<String> = [MANIFEST.to_owned()].into();
    for member in members {
        let name: String = member
            .name
            .chars()
            .map(|letter| if matches!(letter, '/' | '\\' | ':') { '_' } else { letter })
            .collect();
        member.name = name;
        if !taken.insert(member.name.to_lowercase()) {
            let extension = extension(&member.name).to_owned();
            let stem = member.name.strip_suffix(&extension).unwrap_or(&member.name);
            member.name = format!("{stem} ({}){extension}", member.node);
            taken.insert(member.name.to_lowercase());
        }
    }
}

fn manifest_entry(manifest: &Manifest<'_>) -> Result<Entry> {
    let text = serde_json::to_vec_pretty(manifest)
        .map_err(|error| Error::bug("pack", "a manifest is not JSON").source(error))?;
    let bytes = bytes::Bytes::from(text);
    let crc32 = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &bytes);
    let mark = Key::of(&[MANIFEST, &hex::encode(&bytes)]);
    let content = RangedSource::new(mark.digest(), bytes.len() as u64, move |offset, wanted| {
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let part = bytes.slice(at(offset)..at(offset + wanted));
        async move { Ok(full(part)) }
    });
    Ok(Entry { name: MANIFEST.to_owned(), crc32: u32::try_from(crc32).unwrap_or_default(), content })
}

/// Reads a content to its end: its digests and its CRC-32.
async fn read(source: &RangedSource) -> Result<(Digests, u32)> {
    let mut body = source.open(0, source.length()).await?;
    let mut hasher = Hasher::new();
    let mut crc32 = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32IsoHdlc);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => again("source.cut", "the document broke off").source(error),
        })?;
        if let Ok(data) = frame.into_data() {
            hasher.update(&data);
            crc32.update(&data);
        }
    }
    Ok((hasher.finish(), u32::try_from(crc32.finalize()).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(node: i64, name: &str) -> Member {
        let version = Version {
            number: 1,
            label: "1".into(),
            file_name: name.into(),
            file_size: Some(1),
            mime_type: None,
            description: String::new(),
            created: None,
            locked_by: None,
            external_identity: None,
        };
        Member { node: NodeId(node), name: name.into(), version }
    }

    #[test]
    fn documents_of_one_name_are_kept_apart_and_none_hides_the_manifest() {
        let mut members =
            vec![member(1, "a.pdf"), member(2, "A.pdf"), member(3, "manifest.json"), member(4, "x:y/z.txt")];
        name_apart(&mut members);
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["a.pdf", "A (2).pdf", "manifest (3).json", "x_y_z.txt"]);
    }
}
