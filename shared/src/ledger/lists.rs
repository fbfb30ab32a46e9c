//! What a flow remembers of a thing over many items: a set that only grows, and a log.
//!
//! Neither is ever changed in place, so a write that arrives late or twice changes nothing.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use jiff::Timestamp;

use super::{
    Ledger,
    attributes::{Item, get_number, get_text, keys, number, text},
};
use crate::{
    aws::classify,
    error::{Error, Result, System},
};

impl Ledger {
    /// Puts a member into a set. With `until`, it is forgotten some time after that moment.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn add_member(
        &self,
        flow: &str,
        set: &str,
        member: &str,
        until: Option<Timestamp>,
    ) -> Result<()> {
        let mut item = keys(&set_key(flow, set), member);
        if let Some(until) = until {
            item.insert("expires_at".to_owned(), number(until.as_second()));
        }
        let put = self.dynamodb.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(drop).map_err(|error| classify(System::Ledger, "add member", error))
    }

    /// The members of a set, in order.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn members(&self, flow: &str, set: &str) -> Result<Vec<String>> {
        let (mut found, mut start) = (Vec::new(), None);
        let now = self.context.now().as_second();
        loop {
            let output = self
                .dynamodb
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(set_key(flow, set)))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| classify(System::Ledger, "read members", error))?;
            let there = output.items().iter();
            let there = there.filter(|item| get_number(item, "expires_at").is_none_or(|until| until > now));
            found.extend(there.filter_map(|item| get_text(item, "sk")).map(str::to_owned));
            start = output.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    /// The notes of a flow whose names begin with a text, name and note, in the order of their names: those behind one, at
    /// most so many. Fewer than that only at the end.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn notes_behind(
        &self,
        flow: &str,
        beginning: &str,
        behind: Option<&str>,
        most: usize,
    ) -> Result<Vec<(String, String)>> {
        let pk = format!("{flow}#note");
        let mut start = behind.map(|name| keys(&pk, name));
        let mut found = Vec::new();
        while found.len() < most {
            let limit = i32::try_from(most - found.len()).unwrap_or(i32::MAX);
            let output = self
                .dynamodb
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND begins_with(sk, :beginning)")
                .expression_attribute_values(":pk", text(pk.as_str()))
                .expression_attribute_values(":beginning", text(beginning))
                .set_exclusive_start_key(start.take())
                .limit(limit)
                .send()
                .await
                .map_err(|error| classify(System::Ledger, "read notes", error))?;
            let note =
                |item: &Item| Some((get_text(item, "sk")?.to_owned(), get_text(item, "note")?.to_owned()));
            found.extend(output.items().iter().filter_map(note));
            start = output.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Appends to a log what comes after its entry `after` (0: to an empty log). False when another entry has that
    /// place: read the end again.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn append_log(&self, flow: &str, log: &str, after: u64, entry: &str) -> Result<bool> {
        let mut item = keys(&log_key(flow, log), &format!("{:020}", after + 1));
        item.insert("entry".to_owned(), text(entry));
        let outcome = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR #entry = :entry")
            .expression_attribute_names("#entry", "entry")
            .expression_attribute_values(":entry", text(entry))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(classify(System::Ledger, "append to log", error)),
            },
        }
    }

    /// The entries of a log, from the first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn log_entries(&self, flow: &str, log: &str) -> Result<Vec<String>> {
        let (mut found, mut start) = (Vec::new(), None);
        loop {
            let output = self
                .dynamodb
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(log_key(flow, log)))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| classify(System::Ledger, "read log", error))?;
            found.extend(output.items().iter().filter_map(|item| get_text(item, "entry")).map(str::to_owned));
            start = output.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    /// The last entry of a log and its place; nothing for an empty one.
    ///
    /// # Errors
    /// When the table cannot be reached or holds something that is no entry.
    pub async fn log_end(&self, flow: &str, log: &str) -> Result<Option<(u64, String)>> {
        let output = self
            .dynamodb
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(log_key(flow, log)))
            .scan_index_forward(false)
            .limit(1)
            .send()
            .await
            .map_err(|error| classify(System::Ledger, "read log", error))?;
        let Some(item) = output.items().first() else { return Ok(None) };
        let place = get_text(item, "sk").and_then(|text| text.parse().ok());
        let entry = get_text(item, "entry").map(str::to_owned);
        place
            .zip(entry)
            .map(Some)
            .ok_or_else(|| Error::bug("read log", format!("an entry of the log {log} cannot be read")))
    }
}

fn set_key(flow: &str, set: &str) -> String {
    format!("{flow}#set#{set}")
}

fn log_key(flow: &str, log: &str) -> String {
    format!("{flow}#log#{log}")
}
