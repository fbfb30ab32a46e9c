//! A flow whose items do what their message says, so that a test can tell a story about the runner.

use std::{sync::Arc, time::Duration};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    batch::{Invocation, Runner},
    environment::Environment,
    error::{Error, FailureClass, Result, System},
    flow::{Delivery, Entry, Flow, Item, Outcome, Parsed, Policy, Reason, Run},
    http::{Client, Limits, Request, Transport},
    ledger::Key,
};
use tests::storm::{QUARANTINE, Scenario, World};

/// The flow.
pub(crate) static CHORES: Entry = Entry::of::<Chores>();

/// One item.
#[derive(Debug, Deserialize)]
pub(crate) struct Chore {
    name: String,
    does: Does,
    /// What the item is about: another one under the same name is another content under one identity.
    #[serde(default)]
    about: String,
}

/// Bytes of everything that is delivered.
pub(crate) const BYTES: u64 = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Does {
    /// Asks the target and delivers.
    Deliver,
    /// Delivers at the second try.
    Later,
    /// Fails until somebody has put an object named `mended` into the bucket.
    Mend,
    /// An effect that must not be repeated, whose answer is lost; it can be found once `found` is there.
    Once,
    /// The target is out of order until somebody has put an object named `mended` into the bucket.
    Outage,
    /// Takes three invocations, and cannot be accepted in the end.
    Long,
    /// Does something else for three seconds, then asks the target and delivers.
    Slow,
    /// Does not end by itself.
    Endless,
    /// Ends without a word to the target.
    Skip,
    /// Asks the target, which refuses what it was asked.
    Refused,
    /// The target is out of order.
    Down,
    /// The connection to the target breaks with the question already sent.
    Lost,
    /// Wants to record more than a record has room for.
    Hoard,
    /// Panics while it is worked on.
    Panic,
    /// Cannot be accepted, and panics while it is put aside.
    PanicAside,
}

/// Everything it does leaves an object in the bucket.
pub(crate) struct Chores {
    s3: aws_sdk_s3::Client,
    target: Client,
}

impl Chores {
    async fn put(&self, key: &str) {
        self.s3.put_object().bucket(QUARANTINE).key(key).send().await.expect("put");
    }

    async fn has(&self, key: &str) -> bool {
        self.s3.head_object().bucket(QUARANTINE).key(key).send().await.is_ok()
    }

    async fn ask(&self) -> Result<()> {
        let request = Request::new("ping", Method::GET, "/api/v1/ping");
        self.target.send_and_read(&request).await.map(drop)
    }
}

fn out_of_order(class: FailureClass) -> Error {
    Error::new(class, System::ContentServer, "ping", "http.status", "it does not answer")
}

impl Flow for Chores {
    const NAME: &'static str = "chores";
    const SYSTEMS: &'static [System] = &[System::ContentServer];
    type Event = Chore;

    async fn connect(environment: &Environment) -> Result<Self> {
        let target = Client::new(
            System::ContentServer,
            &environment.settings.content_server_url,
            environment.transport.clone(),
            environment.context.clone(),
            environment.pace(),
            Limits::default(),
        );
        Ok(Self { s3: environment.s3.clone(), target })
    }

    fn parse(&self, body: &str) -> Result<Parsed<Chore>> {
        let unreadable = |_| Error::invalid("chore.unreadable", "not a chore");
        let mut parsed = Parsed::default();
        for chore in serde_json::from_str::<Vec<Value>>(body).map_err(unreadable)? {
            match serde_json::from_value(chore).map_err(unreadable) {
                Ok(chore) => parsed.events.push(chore),
                Err(error) => parsed.refused.push(Reason::from(&error)),
            }
        }
        Ok(parsed)
    }

    fn item(&self, chore: &Chore) -> Item {
        Item {
            key: Key::of(&[&chore.name]),
            payload_hash: format!("payload {}", chore.about),
            asset: chore.name.clone(),
            asset_text: chore.name.clone(),
        }
    }

    async fn handle(&self, chore: &Chore, run: &Run) -> Result<Outcome> {
        let name = &chore.name;
        let delivered = Ok(Outcome::Delivered(Delivery { bytes: BYTES, ..Delivery::default() }));
        if run.is_dry() {
            return Ok(Outcome::Skipped(Reason::new("dry-run", "nothing is done")));
        }
        self.put(&format!("tries/{name}/{}", run.context().new_id())).await;
        match chore.does {
            Does::Deliver => {}
            Does::Later if run.is_taken_over() => {}
            Does::Mend if self.has("mended").await => {}
            Does::Mend => return Err(Error::bug("mend", "not mended yet").with_code("chore.broken")),
            Does::Once => return self.once(name, run).await,
            Does::Outage if self.has("mended").await => {}
            Does::Outage => return Err(out_of_order(FailureClass::Transient)),
            Does::Long => return long(run).await,
            Does::Slow => wait(3).await,
            Does::Hoard => run.checkpoint("hoard", &"x".repeat(300_000)).await?,
            Does::Endless => wait(3600).await,
            Does::Skip => return Ok(Outcome::Skipped(Reason::new("chore.skip", "nothing to do"))),
            Does::Refused => {
                self.ask().await?;
                return Err(Error::invalid("chore.refused", "the target wants none of it"));
            }
            Does::Later | Does::Down => return Err(out_of_order(FailureClass::Transient)),
            Does::Lost => return Err(out_of_order(FailureClass::UnknownOutcome)),
            Does::Panic => panic!("as the message says"),
            Does::PanicAside => return Err(Error::invalid("chore.bad", "it is bad")),
        }
        self.ask().await?;
        delivered
    }

    async fn put_aside(&self, chore: &Chore, _: &Reason, run: &Run) -> Result<Value> {
        assert!(chore.does != Does::PanicAside, "as the message says");
        let envelope = run.envelope().expect("the message it came in").into_bytes();
        let put = self.s3.put_object().bucket(QUARANTINE).key(format!("aside/{}", chore.name));
        put.body(envelope.into()).send().await.expect("put");
        Ok(Value::Null)
    }
}

async fn long(run: &Run) -> Result<Outcome> {
    let parts: u32 = run.recorded("parts").unwrap_or(0);
    if parts == 2 {
        return Err(Error::invalid("chore.bad", "it is bad"));
    }
    run.checkpoint("parts", &(parts + 1)).await?;
    Ok(Outcome::Continue)
}

impl Chores {
    async fn once(&self, name: &str, run: &Run) -> Result<Outcome> {
        let (there, found) = (format!("done/{name}"), "found");
        let act = || async {
            self.put(&format!("{there}/{}", run.context().new_id())).await;
            Err::<bool, _>(out_of_order(FailureClass::UnknownOutcome))
        };
        let probe = || async { Ok(self.has(found).await.then_some(true)) };
        run.effect("once", Policy::NeverRepeat, probe, act).await?;
        Ok(Outcome::Delivered(Delivery::default()))
    }
}

/// A world where only chores arrive.
pub(crate) async fn world() -> World {
    let scenario = Scenario::of("chores", &CHORES, "", Vec::new, (0, 0, 0));
    World::new(&scenario, std::collections::BTreeMap::new(), None, 1).await
}

/// The message of some chores.
pub(crate) fn chores(chores: &[(&str, &str)]) -> String {
    let chores: Vec<Value> = chores.iter().map(|(name, does)| json!({"name": name, "does": does})).collect();
    Value::from(chores).to_string()
}

/// What the flow left in the bucket under a prefix.
pub(crate) async fn count(world: &World, prefix: &str) -> usize {
    let listed = world.s3.list_objects_v2().bucket(QUARANTINE).prefix(prefix).send().await.unwrap();
    listed.contents().len()
}

/// A person, or the target, leaves a sign in the bucket.
pub(crate) async fn leave(world: &World, key: &str) {
    world.s3.put_object().bucket(QUARANTINE).key(key).send().await.unwrap();
}

/// How an item's chain tells its endings, in order.
pub(crate) fn told(world: &World, item: &str) -> Vec<String> {
    let mut events: Vec<(String, String)> = Vec::new();
    for record in world.ledger() {
        let text =
            |name: &str| record.pointer(&format!("/{name}/S")).and_then(Value::as_str).map(str::to_owned);
        if text("pk").as_deref() != Some(&format!("asset#{item}")) {
            continue;
        }
        let event: Value = serde_json::from_str(&text("event").unwrap()).unwrap();
        events.push((text("sk").unwrap(), event["eventType"].as_str().unwrap().to_owned()));
    }
    events.sort();
    events.into_iter().map(|(_, event)| event).collect()
}

/// The state of an item's record.
pub(crate) fn status(world: &World, item: &str) -> Option<String> {
    let pk = format!("chores#item#{}", Key::of(&[item]).digest());
    let records = world.ledger();
    let record =
        records.iter().find(|record| record.pointer("/pk/S").and_then(Value::as_str) == Some(&pk))?;
    record.pointer("/status/S").and_then(Value::as_str).map(str::to_owned)
}

/// Whether the target's breaker is open.
pub(crate) fn is_open(world: &World) -> bool {
    world
        .ledger()
        .iter()
        .any(|record| record.pointer("/pk/S").and_then(Value::as_str) == Some("breaker#content-server"))
}

/// One process, its batches delivered by hand.
pub(crate) struct Process {
    runner: Arc<Runner>,
    world: Environment,
    messages: u32,
}

impl Process {
    pub(crate) async fn start(world: &World, change: impl FnOnce(&mut Environment)) -> Self {
        let transport = world.tap.transport(Arc::default());
        let mut environment = world.environment(transport, 1, 0);
        change(&mut environment);
        Self::of(environment).await
    }

    /// One of several processes, with something between it and everything outside it, AWS included.
    pub(crate) async fn start_behind(world: &World, between: impl FnOnce(Transport) -> Transport) -> Self {
        let transport = between(world.tap.transport(Arc::default()));
        Self::of(world.environment(transport, world.next_process(), 0)).await
    }

    async fn of(environment: Environment) -> Self {
        let runner = Runner::connect(&CHORES, environment.clone()).await.unwrap();
        Self { runner: Arc::new(runner), world: environment, messages: 0 }
    }

    /// What works through its batches.
    pub(crate) fn runner(&self) -> Arc<Runner> {
        self.runner.clone()
    }

    /// What it was connected from.
    pub(crate) fn environment(&self) -> Environment {
        self.world.clone()
    }

    /// Delivers a batch of messages; returns which stay on the queue, by their place in it.
    pub(crate) async fn deliver(&mut self, bodies: &[String]) -> Vec<usize> {
        let messages = bodies.iter().map(|body| self.message(body)).collect();
        self.deliver_messages(messages).await
    }

    /// A message as Lambda hands it over.
    pub(crate) fn message(&mut self, body: &str) -> SqsMessage {
        self.messages += 1;
        let mut message = SqsMessage::default();
        message.message_id = Some(format!("message {}", self.messages));
        message.receipt_handle = message.message_id.clone();
        message.body = Some(body.to_owned());
        message
    }

    pub(crate) async fn deliver_messages(&self, messages: Vec<SqsMessage>) -> Vec<usize> {
        self.deliver_counted(messages).await.0
    }

    /// Delivers a batch; returns which messages stay, and the figures of the batch.
    pub(crate) async fn deliver_counted(&self, messages: Vec<SqsMessage>) -> (Vec<usize>, Value) {
        let ids: Vec<_> = messages.iter().map(|message| message.message_id.clone().unwrap()).collect();
        let mut event = SqsEvent::default();
        event.records = messages;
        let deadline = self.world.context.now_milliseconds() + 60_000;
        let (response, tally) = self.runner.run_counted(event, Invocation { deadline }).await;
        let stays = response.batch_item_failures.into_iter().map(|failure| failure.item_identifier);
        let mut stays: Vec<usize> =
            stays.filter_map(|id| ids.iter().position(|known| *known == id)).collect();
        stays.sort_unstable();
        (stays, tally.render(CHORES.name, "test", &self.world.context))
    }
}

/// The next message of the queue, as Lambda hands it over, if one can be seen now.
pub(crate) async fn receive(world: &World) -> Option<SqsMessage> {
    let request = json!({"MaxNumberOfMessages": 1, "MessageSystemAttributeNames": ["All"]});
    let answer = world.call_queue("ReceiveMessage", request).await;
    let received = answer.pointer("/Messages/0")?;
    let text = |name: &str| received[name].as_str().map(str::to_owned);
    let mut message = SqsMessage::default();
    message.message_id = text("MessageId");
    message.receipt_handle = text("ReceiptHandle");
    message.body = text("Body");
    let attributes = received["Attributes"].as_object().expect("attributes").iter();
    message.attributes = attributes
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    Some(message)
}

/// What Lambda does with a message that does not stay.
pub(crate) async fn delete(world: &World, message: &SqsMessage) {
    world.call_queue("DeleteMessage", json!({"ReceiptHandle": message.receipt_handle})).await;
}

/// The message as it looks after a person moved it from the dead-letter queue.
pub(crate) fn redriven(mut message: SqsMessage) -> SqsMessage {
    let mut attribute = SqsMessageAttribute::default();
    attribute.data_type = Some("String".into());
    attribute.string_value = Some(CHORES.name.into());
    message.message_attributes.insert("waybill-flow".into(), attribute);
    message
}

/// Lets time pass.
pub(crate) async fn wait(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
