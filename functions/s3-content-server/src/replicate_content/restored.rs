//! Things that a restore makes in Content Server: found by their marks, dressed with what the original had.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;
use shared::{
    content_server::{
        COLLISION, CategoryValues, Grant, Holder, NOT_ACCESSIBLE, NOT_FOUND, NewDocument, NewFolder, Node,
        NodeId, PermissionTemplate, RecordDetails, Right, Upload,
    },
    error::{Error, FailureClass, Result, System},
    flow::{Policy, Run},
};

use super::{ReplicateContent, report::Difference};
use crate::version_copy::{CategoryDescription, GrantDescription, NodeDescription, json_value};

/// Users and groups that were looked for, and whether there are any. A process forgets them with its end.
#[derive(Debug, Default)]
pub(super) struct Members(Mutex<BTreeMap<i64, bool>>);

/// What is to be made, and how it is found again.
pub(super) struct Wanted<'a> {
    pub(super) parent: NodeId,
    /// Its name, if it is free.
    pub(super) name: &'a str,
    /// The original, which tells two of one name apart.
    pub(super) original: i64,
    pub(super) mark: &'a str,
    pub(super) new: New<'a>,
}

/// What is made.
pub(super) enum New<'a> {
    Folder(&'a NewFolder),
    Document(&'a NewDocument, &'a Upload),
}

impl Wanted<'_> {
    fn names(&self) -> [String; 2] {
        [self.name.to_owned(), format!("{} ({})", self.name, self.original)]
    }

    fn is_it(&self, node: &Node) -> bool {
        node.external.identity.as_deref() == Some(self.mark)
    }
}

impl ReplicateContent {
    /// Sees to it that a thing is there, once. Its name is the wanted one, or has the number of the original behind it
    /// when somebody else's thing has that name.
    pub(super) async fn ensure(&self, wanted: &Wanted<'_>, run: &Run) -> Result<NodeId> {
        let mut free = Vec::new();
        for name in wanted.names() {
            match self.content_server.find_child(wanted.parent, &name).await? {
                Some(child) if wanted.is_it(&child) => return Ok(child.id),
                Some(_) => {}
                None => free.push(name),
            }
        }
        for name in free {
            let made: Result<i64> = run
                .effect(
                    "restore",
                    Policy::CheckThenRepeat,
                    || async { Ok(self.marked(wanted, &name).await?.map(|node| node.0)) },
                    || async { self.make(wanted, &name).await },
                )
                .await;
            match made {
                // Something that cannot be seen, or our own call that came late.
                Err(error) if error.code() == COLLISION => {
                    if let Some(there) = self.marked(wanted, &name).await? {
                        return Ok(there);
                    }
                }
                outcome => return outcome.map(NodeId),
            }
        }
        Err(Error::new(
            FailureClass::Forbidden,
            System::ContentServer,
            "restore",
            "restore.name-taken",
            format!("both names for what is restored from node {} are taken in its folder", wanted.original),
        )
        .remedy("restore into another folder"))
    }

    async fn marked(&self, wanted: &Wanted<'_>, name: &str) -> Result<Option<NodeId>> {
        let child = self.content_server.find_namesake(wanted.parent, name).await?;
        Ok(child.filter(|child| wanted.is_it(child)).map(|child| child.id))
    }

    async fn make(&self, wanted: &Wanted<'_>, name: &str) -> Result<i64> {
        let made = match wanted.new {
            New::Folder(folder) => self.content_server.create_folder(wanted.parent, name, folder).await?,
            New::Document(document, upload) => {
                let document = NewDocument { name: name.to_owned(), ..document.clone() };
                self.content_server.create_document(&document, upload).await?
            }
        };
        Ok(made.id.0)
    }

    /// Gives a restored thing categories, classifications and, when asked, its record. Gives back what was refused.
    pub(super) async fn dress(
        &self,
        original: &NodeDescription,
        node: NodeId,
        records: bool,
    ) -> Result<Vec<Difference>> {
        let mut refused = Vec::new();
        for category in &original.categories {
            let outcome = self.put_category(node, category).await;
            note(outcome, || format!("category {}", category.name), &mut refused)?;
        }
        if !original.classifications.is_empty() {
            let classes: Vec<NodeId> = original.classifications.iter().copied().map(NodeId).collect();
            let outcome = self.content_server.add_classifications(node, &classes).await.map(drop);
            note(outcome, || "classifications".to_owned(), &mut refused)?;
        }
        for record in original.records.iter().filter(|_| records) {
            let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
            let details = RecordDetails {
                official: Some(record.official),
                rsi: some(&record.schedule),
                status: some(&record.status),
                record_date: some(&record.record_date),
                ..RecordDetails::default()
            };
            let class = NodeId(record.class);
            let outcome = self.content_server.classify_record(node, class, &details).await.map(drop);
            note(outcome, || format!("record of class {}", record.class), &mut refused)?;
        }
        Ok(refused)
    }

    async fn put_category(&self, node: NodeId, category: &CategoryDescription) -> Result<()> {
        let definition = self.content_server.category_definition(NodeId(category.id), node).await?;
        let mut values = CategoryValues::new(NodeId(category.id));
        for value in &category.values {
            definition.put_row(&mut values, &value.name, value.row.unwrap_or(1), json_value(&value.value))?;
        }
        self.content_server.set_category(node, &values).await.map(drop)
    }

    /// Gives a restored thing the rights of the original, but for those of the owner, who is the service user now. Gives
    /// back what is not as it was.
    pub(super) async fn give_rights(
        &self,
        original: &[GrantDescription],
        node: NodeId,
    ) -> Result<Vec<Difference>> {
        let mut found = Vec::new();
        let mut template = PermissionTemplate { grants: Vec::new(), only_these_members: true };
        for description in original {
            let Some(grant) = grant(description) else { continue };
            match grant.holder {
                Holder::Owner => {}
                Holder::Member(member) if !self.is_member(member).await? => {
                    found.push(Difference::new(
                        format!("rights of {member}"),
                        "the member is not there any more",
                    ));
                }
                _ => template.grants.push(grant),
            }
        }
        let present = self.content_server.list_permissions(node).await?;
        for holder in [Holder::Group, Holder::Public] {
            let named = template.grants.iter().any(|grant| grant.holder == holder);
            if !named && present.iter().any(|grant| grant.holder == holder && !grant.rights.is_empty()) {
                template.grants.push(Grant { holder, rights: [].into() });
            }
        }
        let applied = self.content_server.apply_permissions(node, &template).await.map(drop);
        note(applied, || "rights".to_owned(), &mut found)?;
        let now = self.content_server.list_permissions(node).await?;
        let of = |grants: &[Grant]| -> BTreeMap<Holder, Grant> {
            let others =
                grants.iter().filter(|grant| grant.holder != Holder::Owner && !grant.rights.is_empty());
            others.map(|grant| (grant.holder, grant.clone())).collect()
        };
        let (wanted, now) = (of(&template.grants), of(&now));
        for holder in wanted.keys().chain(now.keys().filter(|holder| !wanted.contains_key(holder))) {
            if wanted.get(holder) != now.get(holder) {
                found.push(Difference::new(format!("rights of {}", named(*holder)), "are others"));
            }
        }
        Ok(found)
    }

    async fn is_member(&self, member: i64) -> Result<bool> {
        if let Some(known) = self.members.0.lock().unwrap_or_else(PoisonError::into_inner).get(&member) {
            return Ok(*known);
        }
        let there = match self.content_server.get_member(member).await {
            Ok(member) => !member.deleted,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => false,
            Err(error) if matches!(error.class(), FailureClass::Gone | FailureClass::Invalid) => false,
            Err(error) => return Err(error),
        };
        self.members.0.lock().unwrap_or_else(PoisonError::into_inner).insert(member, there);
        Ok(there)
    }
}

/// A refusal that lasts is a difference; anything else ends this attempt.
fn note(outcome: Result<()>, field: impl Fn() -> String, found: &mut Vec<Difference>) -> Result<()> {
    match outcome {
        Err(error)
            if matches!(
                error.class(),
                FailureClass::Invalid | FailureClass::Forbidden | FailureClass::Gone
            ) =>
        {
            found.push(Difference::new(field(), format!("was refused: {}", error.code())));
            Ok(())
        }
        outcome => outcome,
    }
}

fn grant(description: &GrantDescription) -> Option<Grant> {
    let holder = match description.holder.as_str() {
        "owner" => Holder::Owner,
        "group" => Holder::Group,
        "public" => Holder::Public,
        member => Holder::Member(member.parse().ok()?),
    };
    let word = |text: &String| Right::deserialize(serde_json::Value::from(text.as_str())).ok();
    Some(Grant { holder, rights: description.rights.iter().filter_map(word).collect() })
}

fn named(holder: Holder) -> String {
    match holder {
        Holder::Owner => "the owner".to_owned(),
        Holder::Group => "the owner's group".to_owned(),
        Holder::Public => "everybody".to_owned(),
        Holder::Member(id) => id.to_string(),
    }
}
