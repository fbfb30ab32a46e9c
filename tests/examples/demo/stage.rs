//! What a story has at hand: the systems, and ways to act on them and to look into them.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use http::Method;
use serde_json::Value;
use shared::{
    context::Context,
    iconik_change::IconikChange,
    ledger::{Key, Ledger},
    node_change::NodeChange,
};
use simulators::{Journal, content_server::Simulator, iconik};
use tests::{messages, web};

use super::{
    Result, chains, evidence, ledger,
    promises::{Promise, promise},
    say::Say,
    systems::Stack,
};

/// The systems of one story.
pub(crate) struct Stage<'a> {
    /// AWS: the outputs of the stacks, and clients.
    pub(crate) stack: Stack,
    /// Content Server.
    pub(crate) simulator: Simulator,
    /// iconik, when a stack of the story has the parameter `IconikUrl`.
    pub(crate) iconik: Option<iconik::Simulator>,
    /// Address of the stand-in for AWS.
    pub(crate) stand_in: String,
    /// The flow that the story is of.
    pub(crate) flow: &'static str,
    /// Where progress goes.
    pub(crate) say: &'a Say,
}

impl Stage<'_> {
    /// An output of the stacks.
    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        self.stack.output(name)
    }

    /// An output of the flow's own stack: `QueueUrl` is `OffloadContentQueueUrl`.
    pub(crate) fn own(&self, name: &str) -> Result<&str> {
        let words = self.flow.split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
        self.output(&format!("{}{name}", words.collect::<String>()))
    }

    /// How people call the stand-in.
    pub(crate) fn aws(&self) -> String {
        format!("aws --endpoint-url {}", self.stand_in)
    }

    /// Puts a rule file into the configuration bucket.
    pub(crate) async fn put_rules(&self, key: &str, text: &str) -> Result<()> {
        self.put(self.output("ConfigurationBucketName")?, key, text.as_bytes().to_vec()).await
    }

    /// Puts an object into a bucket.
    pub(crate) async fn put(&self, bucket: &str, key: &str, bytes: Vec<u8>) -> Result<()> {
        let put = self.stack.s3.put_object().bucket(bucket).key(key).body(bytes.into());
        put.send().await.map(drop).map_err(|error| format!("s3://{bucket}/{key}: {error:?}"))
    }

    /// The bytes of an object.
    pub(crate) async fn get(&self, bucket: &str, key: &str) -> Result<Vec<u8>> {
        let failed = |error: String| format!("s3://{bucket}/{key}: {error}");
        let got = self.stack.s3.get_object().bucket(bucket).key(key).send().await;
        let body = got.map_err(|error| failed(format!("{error:?}")))?.body.collect().await;
        Ok(body.map_err(|error| failed(error.to_string()))?.to_vec())
    }

    /// The keys of a bucket with their storage classes.
    pub(crate) async fn keys(&self, bucket: &str) -> Result<BTreeMap<String, String>> {
        let listed = self.stack.s3.list_objects_v2().bucket(bucket).send().await;
        let listed = listed.map_err(|error| format!("s3://{bucket}: {error:?}"))?;
        let objects = listed.contents.unwrap_or_default().into_iter();
        Ok(objects
            .filter_map(|object| {
                Some((object.key?, object.storage_class.map_or_else(String::new, |class| class.to_string())))
            })
            .collect())
    }

    /// Tells the flow that a node changed, or asks for something. Gives the item's number.
    pub(crate) async fn change(&self, node: i64, request: Option<&str>, occasion: &str) -> Result<String> {
        let body = messages::node_change(self.flow, node, request, occasion);
        let change = NodeChange::parse(&body).map_err(|error| error.to_string())?;
        self.send(&body).await?;
        Ok(change.key().digest().to_owned())
    }

    /// iconik.
    pub(crate) fn iconik(&self) -> Result<&iconik::Simulator> {
        self.iconik.as_ref().ok_or_else(|| format!("no stack of {} has a parameter IconikUrl", self.flow))
    }

    /// Tells the flow that an object of iconik (`assets`, `collections`) changed, or asks for something. Gives the item's
    /// number.
    pub(crate) async fn iconik_change(
        &self,
        object_type: &str,
        id: &str,
        request: Option<&str>,
        occasion: &str,
    ) -> Result<String> {
        let body = messages::iconik_change(self.flow, object_type, id, request, occasion);
        let change = IconikChange::parse(&body).map_err(|error| error.to_string())?;
        self.send(&body).await?;
        Ok(change.key().digest().to_owned())
    }

    /// Puts a message on the flow's queue.
    pub(crate) async fn send(&self, body: &str) -> Result<()> {
        let sent =
            self.stack.sqs.send_message().queue_url(self.own("QueueUrl")?).message_body(body).send().await;
        sent.map(drop).map_err(|error| format!("the queue took no message: {error:?}"))
    }

    /// Waits until an item has ended, and tells how.
    pub(crate) async fn ended(&self, item: &str, name: &str) -> Result<ledger::Record> {
        let until = Instant::now() + Duration::from_secs(90);
        while Instant::now() < until {
            let record = ledger::record(&self.stack, self.flow, item).await?;
            if let Some(record) = record.filter(ledger::Record::has_ended) {
                self.say.ended(&record.status, name, record.reason());
                return Ok(record);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(format!("{name} has not ended after 90 s"))
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Simulator) -> bool) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(60);
        while !holds(&self.simulator) {
            if Instant::now() > until {
                return Err(format!("after a minute still not: {what}"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.say.step(what);
        Ok(())
    }

    /// Takes what is on a queue about nodes.
    pub(crate) async fn take(&self, queue: &str) -> Result<Vec<NodeChange>> {
        let bodies = self.take_bodies(queue).await?;
        bodies.iter().map(|body| NodeChange::parse(body).map_err(|error| error.to_string())).collect()
    }

    /// Takes the messages that are on a queue.
    pub(crate) async fn take_bodies(&self, queue: &str) -> Result<Vec<String>> {
        let mut taken = Vec::new();
        loop {
            let received =
                self.stack.sqs.receive_message().queue_url(queue).max_number_of_messages(10).send().await;
            let messages =
                received.map_err(|error| format!("{queue}: {error:?}"))?.messages.unwrap_or_default();
            if messages.is_empty() {
                return Ok(taken);
            }
            for message in messages {
                taken.push(message.body.unwrap_or_default());
                let gone = self
                    .stack
                    .sqs
                    .delete_message()
                    .queue_url(queue)
                    .set_receipt_handle(message.receipt_handle);
                gone.send().await.map_err(|error| format!("{queue}: {error:?}"))?;
            }
        }
    }

    /// Invokes the flow's function with an event, as the service would.
    pub(crate) async fn invoke(&self, event: &Value) -> Result<web::Answer> {
        let address =
            format!("{}/2015-03-31/functions/{}/invocations", self.stand_in, self.own("FunctionName")?);
        web::ask(Method::POST, &address, &[], event.to_string()).await
    }

    /// Where the stand-in serves an address that AWS would give: a function URL or an HTTP API.
    pub(crate) fn served(&self, address: &str, path: &str) -> String {
        let id = address.trim_start_matches("https://").split('.').next().unwrap_or_default();
        if address.contains(".lambda-url.") {
            format!("{}/_aws/lambda-url/{id}/{path}", self.stand_in)
        } else {
            format!("{}/_aws/execute-api/{id}/$default/{path}", self.stand_in)
        }
    }

    /// The ledger, read as any function reads it.
    pub(crate) fn ledger(&self) -> Result<Ledger> {
        Ok(Ledger::new(self.stack.dynamodb.clone(), self.output("LedgerTableName")?, Context::system()))
    }

    /// What every story is held against: the audit of its assets verifies, nothing waits, nothing was given up, and
    /// Content Server was asked for nothing it does not have.
    pub(crate) async fn usual_promises(&self, assets: &[String]) -> Result<Vec<Promise>> {
        let chains = chains::read(&self.stack, assets).await?;
        let broken = chains.iter().filter_map(|(asset, chain)| {
            let problem = match &chain.verdict {
                Err(problem) => problem.clone(),
                Ok(_) if chain.events.is_empty() => "is empty".to_owned(),
                Ok(_) => return None,
            };
            Some(format!("chain {asset}: {problem}"))
        });
        let events: usize = chains.values().map(|chain| chain.events.len()).sum();
        let audit = format!("{} chains, {events} events, every hash follows", chains.len());
        let mut promises = vec![promise("the audit verifies", audit, broken.collect())];
        if self.own("QueueUrl").is_ok() {
            let mut left = Vec::new();
            for (name, what) in [("QueueUrl", "waits"), ("DeadLetterQueueUrl", "was given up")] {
                // What was acknowledged a moment ago may still be counted.
                evidence::empties(&self.stack, self.own(name)?, 10.0).await?;
                match evidence::waiting(&self.stack, self.own(name)?).await? {
                    0 => {}
                    number => left.push(format!("{number} {what}")),
                }
            }
            promises.push(promise(
                "nothing waits, nothing is given up",
                "both queues are empty".into(),
                left,
            ));
        }
        promises.push(is_kept_to("the target's interface is kept to", self.simulator.journal()));
        if let Some(iconik) = &self.iconik {
            promises.push(is_kept_to("iconik's interface is kept to", iconik.journal()));
        }
        Ok(promises)
    }
}

fn is_kept_to(name: &'static str, journal: &Journal) -> Promise {
    let unknown = journal.unknown().len();
    let faults = (unknown > 0).then(|| format!("{unknown} calls of addresses that do not exist"));
    let good = format!("{} calls, none it does not know", journal.count());
    promise(name, good, faults.into_iter().collect())
}

/// The asset of a node of Content Server, as the flows name it.
pub(crate) fn asset_of(node: i64) -> String {
    Key::of(&["content-server", &node.to_string()]).digest().to_owned()
}
