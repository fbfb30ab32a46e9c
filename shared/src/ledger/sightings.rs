//! What a change feed remembers of the things it saw, and how far it has come.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, put_item::PutItemError},
    types::KeysAndAttributes,
};

use super::{
    Ledger,
    attributes::{Item, get_number, get_text, keys, number, text},
};
use crate::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
};

/// Most keys one batch read takes.
const KEYS_PER_READ: usize = 100;

/// One thing a feed saw, by its number, and what it keeps of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Its number; never negative.
    pub id: i64,
    /// What is kept, as text.
    pub facts: String,
}

impl Ledger {
    /// What a list remembers of these things; of some of them perhaps nothing.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn sightings(&self, flow: &str, list: &str, ids: &[i64]) -> Result<Vec<Sighting>> {
        let wanted: Vec<String> = ids.iter().map(|id| sort_key(*id)).collect();
        let items = self.entries(&list_key(flow, list), &wanted).await?;
        Ok(items.iter().filter_map(|item| self.sighting(item)).collect())
    }

    /// What a list remembers of things that have ids instead of numbers, by id; of some of them perhaps nothing.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn facts(&self, flow: &str, list: &str, ids: &[String]) -> Result<BTreeMap<String, String>> {
        let ids: Vec<String> = ids.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let items = self.entries(&list_key(flow, list), &ids).await?;
        let facts =
            |item: &Item| Some((get_text(item, "sk")?.to_owned(), get_text(item, "facts")?.to_owned()));
        Ok(items.iter().filter(|item| !self.is_over(item)).filter_map(facts).collect())
    }

    /// Remembers such a thing as it is now. Of what is gone for good only a while is remembered.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn set_facts(&self, flow: &str, list: &str, id: &str, facts: &str, gone: bool) -> Result<()> {
        self.put(self.entry(flow, list, id, facts, gone), "remember").await
    }

    fn entry(&self, flow: &str, list: &str, sk: &str, facts: &str, gone: bool) -> Item {
        let mut item = keys(&list_key(flow, list), sk);
        item.insert("facts".to_owned(), text(facts));
        if gone {
            item.insert("expires_at".to_owned(), number(self.expiry_seconds()));
        }
        item
    }

    async fn entries(&self, pk: &str, sks: &[String]) -> Result<Vec<Item>> {
        let wanted: Vec<Item> = sks.iter().map(|sk| keys(pk, sk)).collect();
        self.read_all(&wanted, "read sightings").await
    }

    /// The items with these keys, no key twice; of some of them perhaps none.
    pub(super) async fn read_all(&self, wanted: &[Item], operation: &'static str) -> Result<Vec<Item>> {
        let mut found = Vec::with_capacity(wanted.len());
        for chunk in wanted.chunks(KEYS_PER_READ) {
            let mut wanted = chunk.to_vec();
            // What the table was too busy for comes back as unprocessed.
            for _ in 0..8 {
                let entries =
                    KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
                let entries = entries
                    .map_err(|error| Error::bug(operation, "a batch read is incomplete").source(error))?;
                let request = self.dynamodb.batch_get_item().request_items(&self.table, entries);
                let output =
                    request.send().await.map_err(|error| classify(System::Ledger, operation, error))?;
                found.extend(output.responses.unwrap_or_default().remove(&self.table).unwrap_or_default());
                let rest = output.unprocessed_keys.unwrap_or_default().remove(&self.table);
                wanted = rest.map(|rest| rest.keys).unwrap_or_default();
                if wanted.is_empty() {
                    break;
                }
                self.context.sleep(self.context.jitter(std::time::Duration::from_millis(400))).await;
            }
            if !wanted.is_empty() {
                let message = "the table left keys unread again and again";
                let throttled = FailureClass::Throttled;
                return Err(Error::new(throttled, System::Ledger, operation, "ledger.busy", message));
            }
        }
        Ok(found)
    }

    /// What a list remembers of the things after one number and up to another, in order, at most so many.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn sightings_between(
        &self,
        flow: &str,
        list: &str,
        after: i64,
        up_to: i64,
        most: usize,
    ) -> Result<Vec<Sighting>> {
        let mut found = Vec::new();
        let Some(mut from) = after.checked_add(1).map(|from| from.max(0)) else { return Ok(found) };
        while from <= up_to && found.len() < most {
            let limit = i32::try_from(most - found.len()).unwrap_or(i32::MAX);
            let output = self
                .dynamodb
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", text(list_key(flow, list)))
                .expression_attribute_values(":from", text(sort_key(from)))
                .expression_attribute_values(":to", text(sort_key(up_to)))
                .consistent_read(true)
                .limit(limit)
                .send()
                .await
                .map_err(|error| classify(System::Ledger, "read sightings", error))?;
            let items = output.items.unwrap_or_default();
            let last =
                items.last().and_then(|item| get_text(item, "sk")).and_then(|sk| sk.parse::<i64>().ok());
            found.extend(items.iter().filter_map(|item| self.sighting(item)));
            match (last, output.last_evaluated_key) {
                (Some(last), Some(_)) => from = last + 1,
                _ => break,
            }
        }
        Ok(found)
    }

    /// Remembers a thing as it is now. Of what is gone for good only a while is remembered, as long as of an item.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn remember(&self, flow: &str, list: &str, sighting: &Sighting, gone: bool) -> Result<()> {
        let sk = sort_key(sighting.id);
        self.put(self.entry(flow, list, &sk, &sighting.facts, gone), "remember").await
    }

    /// A note a feed made for its next round.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn note(&self, flow: &str, name: &str) -> Result<Option<String>> {
        let output = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .set_key(Some(keys(&format!("{flow}#note"), name)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| classify(System::Ledger, "read note", error))?;
        Ok(output.item.as_ref().and_then(|item| get_text(item, "note")).map(str::to_owned))
    }

    /// Makes a note for the next round. Only who holds the feed's lock may.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn set_note(&self, flow: &str, name: &str, note: &str) -> Result<()> {
        let mut item = keys(&format!("{flow}#note"), name);
        item.insert("note".to_owned(), text(note));
        self.put(item, "make note").await
    }

    /// Makes a note in place of the one that was read, or where there was none. False when another one is there meanwhile:
    /// read it again.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn replace_note(
        &self,
        flow: &str,
        name: &str,
        before: Option<&str>,
        note: &str,
    ) -> Result<bool> {
        let mut item = keys(&format!("{flow}#note"), name);
        item.insert("note".to_owned(), text(note));
        let put = self.dynamodb.put_item().table_name(&self.table).set_item(Some(item));
        // That it is the new one already is the echo of a write whose answer was lost.
        let put =
            put.expression_attribute_names("#note", "note").expression_attribute_values(":note", text(note));
        let put = match before {
            Some(before) => put
                .condition_expression("#note = :before OR #note = :note")
                .expression_attribute_values(":before", text(before)),
            None => put.condition_expression("attribute_not_exists(pk) OR #note = :note"),
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(classify(System::Ledger, "replace note", error)),
            },
        }
    }

    /// Makes a note where there is none, or an empty one, and says which one is there now: of several who try, all are
    /// told the same one.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn first_note(&self, flow: &str, name: &str, note: &str) -> Result<String> {
        let mut item = keys(&format!("{flow}#note"), name);
        item.insert("note".to_owned(), text(note));
        let outcome = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR #note = :nothing")
            .expression_attribute_names("#note", "note")
            .expression_attribute_values(":nothing", text(""))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(note.to_owned()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => {
                    Ok(self.note(flow, name).await?.unwrap_or_default())
                }
                _ => Err(classify(System::Ledger, "make note", error)),
            },
        }
    }

    /// Whether something that may be sent again has been dealt with before.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn is_delivered(&self, flow: &str, id: &str) -> Result<bool> {
        let output = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .set_key(Some(keys(&format!("{flow}#delivery#{id}"), "delivery")))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| classify(System::Ledger, "read delivery", error))?;
        let until = output.item.as_ref().and_then(|item| get_number(item, "expires_at"));
        Ok(until.is_some_and(|until| until > self.context.now().as_second()))
    }

    /// Remembers until a moment (seconds since the epoch) that something has been dealt with.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn set_delivered(&self, flow: &str, id: &str, until: i64) -> Result<()> {
        let mut item = keys(&format!("{flow}#delivery#{id}"), "delivery");
        item.insert("expires_at".to_owned(), number(until));
        self.put(item, "remember delivery").await
    }

    /// Forgets a node, unless something else has been remembered of it meanwhile.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn forget(&self, flow: &str, list: &str, sighting: &Sighting) -> Result<()> {
        let outcome = self
            .dynamodb
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(keys(&list_key(flow, list), &sort_key(sighting.id))))
            .condition_expression("facts = :facts")
            .expression_attribute_values(":facts", text(&sighting.facts))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(classify(System::Ledger, "forget", error)),
            },
        }
    }

    async fn put(&self, item: Item, operation: &'static str) -> Result<()> {
        let put = self.dynamodb.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(drop).map_err(|error| classify(System::Ledger, operation, error))
    }

    fn sighting(&self, item: &Item) -> Option<Sighting> {
        let id = get_text(item, "sk")?.parse().ok()?;
        let facts = get_text(item, "facts")?.to_owned();
        (!self.is_over(item)).then_some(Sighting { id, facts })
    }

    /// An item whose time is over counts as absent, whether the table has tidied it up or not.
    fn is_over(&self, item: &Item) -> bool {
        get_number(item, "expires_at").is_some_and(|at| at <= self.context.now().as_second())
    }
}

fn list_key(flow: &str, list: &str) -> String {
    format!("{flow}#seen#{list}")
}

/// As text, numbers of equal length sort by value.
fn sort_key(id: i64) -> String {
    format!("{id:020}")
}
