//! The smaller things a ledger remembers: locks, cross-references, watermarks.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_sdk_dynamodb::operation::{
    delete_item::DeleteItemError, put_item::PutItemError, update_item::UpdateItemError,
};

use super::{
    Ledger,
    attributes::{Item, get_text, keys, number, text},
};
use crate::{
    aws::classify,
    error::{Result, System},
};

/// The right to be the only one at something for a while.
#[derive(Debug, Clone)]
pub struct Lock {
    pk: String,
    owner: String,
}

impl Ledger {
    /// Takes a lock until a moment (milliseconds since the epoch), or says that somebody has it. A lock past its
    /// moment is free.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn lock(&self, flow: &str, name: &str, until: i64) -> Result<Option<Lock>> {
        let lock = Lock { pk: format!("{flow}#lock#{name}"), owner: self.context.new_id() };
        let mut item = keys(&lock.pk, "lock");
        item.insert("owner".to_owned(), text(&lock.owner));
        item.insert("lease_until".to_owned(), number(until));
        item.insert("expires_at".to_owned(), number(until / 1000 + 86_400));
        let outcome = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR lease_until <= :now OR #owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":now", number(self.context.now_milliseconds()))
            .expression_attribute_values(":owner", text(&lock.owner))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(Some(lock)),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(classify(System::Ledger, "lock", error)),
            },
        }
    }

    /// Keeps a lock for this long from now, without anybody who would give it back. Holding one that was lost
    /// meanwhile does nothing.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn hold(&self, lock: &Lock, time: Duration) -> Result<()> {
        let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let until = self.context.now_milliseconds().saturating_add(time);
        let outcome = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys(&lock.pk, "lock")))
            .update_expression("SET lease_until = :until")
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":until", number(until))
            .expression_attribute_values(":owner", text(&lock.owner))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(classify(System::Ledger, "hold lock", error)),
            },
        }
    }

    /// Whether a lock is still that of whoever took it: somebody else takes one whose moment has passed by their clock.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn is_held(&self, lock: &Lock) -> Result<bool> {
        let read = self.dynamodb.get_item().table_name(&self.table).set_key(Some(keys(&lock.pk, "lock")));
        let output = read.consistent_read(true).send().await;
        let output = output.map_err(|error| classify(System::Ledger, "look at lock", error))?;
        Ok(output.item.as_ref().and_then(|item| get_text(item, "owner")) == Some(lock.owner.as_str()))
    }

    /// Gives a lock back. Giving back one that was lost meanwhile does nothing.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn unlock(&self, lock: &Lock) -> Result<()> {
        let outcome = self
            .dynamodb
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(keys(&lock.pk, "lock")))
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(&lock.owner))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(classify(System::Ledger, "unlock", error)),
            },
        }
    }

    /// Remembers what an object of one system is called in another.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_reference(&self, system: &str, id: &str, other: &str, other_id: &str) -> Result<()> {
        let mut item = keys(&format!("reference#{system}#{id}"), other);
        item.insert("id".to_owned(), text(other_id));
        self.dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map(drop)
            .map_err(|error| classify(System::Ledger, "put reference", error))
    }

    /// What an object of one system is called in another, when it is known.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn find_reference(&self, system: &str, id: &str, other: &str) -> Result<Option<String>> {
        let output = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .set_key(Some(keys(&format!("reference#{system}#{id}"), other)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| classify(System::Ledger, "find reference", error))?;
        Ok(output.item.as_ref().and_then(|item| get_text(item, "id")).map(str::to_owned))
    }

    /// The same of many objects of one system, by their ids; what is not known is left out.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn find_references(
        &self,
        system: &str,
        ids: &BTreeSet<String>,
        other: &str,
    ) -> Result<BTreeMap<String, String>> {
        let beginning = format!("reference#{system}#");
        let wanted: Vec<Item> = ids.iter().map(|id| keys(&format!("{beginning}{id}"), other)).collect();
        let items = self.read_all(&wanted, "find references").await?;
        let reference = |item: &Item| {
            let id = get_text(item, "pk")?.strip_prefix(&beginning)?;
            Some((id.to_owned(), get_text(item, "id")?.to_owned()))
        };
        Ok(items.iter().filter_map(reference).collect())
    }

    /// How far a change feed has been read.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn watermark(&self, flow: &str, feed: &str) -> Result<Option<String>> {
        let output = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .set_key(Some(keys(&format!("{flow}#watermark"), feed)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| classify(System::Ledger, "read watermark", error))?;
        Ok(output.item.as_ref().and_then(|item| get_text(item, "position")).map(str::to_owned))
    }

    /// Moves a watermark forward; one that is already further is left alone. Positions are compared as text.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn advance_watermark(&self, flow: &str, feed: &str, position: &str) -> Result<bool> {
        let outcome = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys(&format!("{flow}#watermark"), feed)))
            .update_expression("SET #position = :position, advanced_at = :now")
            .condition_expression("attribute_not_exists(pk) OR #position < :position")
            .expression_attribute_names("#position", "position")
            .expression_attribute_values(":position", text(position))
            .expression_attribute_values(":now", number(self.context.now_milliseconds()))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(classify(System::Ledger, "advance watermark", error)),
            },
        }
    }
}
