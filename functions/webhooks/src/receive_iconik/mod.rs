//! The door for iconik: webhooks, custom actions, and automations, which speak through custom actions.
//!
//! Nothing is signed there: who speaks is known by a secret in a header. Whatever a body says is a hint, because it is a
//! snapshot without order and without end-to-end protection; so only names are taken from it, nothing is asked of iconik
//! here, and the flow reads the object itself. Safe to repeat: a delivery is remembered only after every interested flow
//! has its message, and a message sent twice has the same id.
//!
//! A webhook that fails for five hours is switched off by iconik. So whoever knows the secret is answered 2xx, unless the
//! body is none of iconik's at all: what is not understood is counted and acknowledged.

mod body;
mod figures;
pub mod subscriptions;
mod words;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::json;
use shared::{
    batch::Invocation,
    environment::Environment,
    error::{Error, FailureClass, Result, System},
    flow_queues::{FlowQueues, Message},
    function::{Function, Problem},
    iconik_change::IconikChange,
    webhook::{HeaderSecret, KeptSecret},
};

use self::{
    body::{Event, Malformed, Object, Press},
    subscriptions::{SAMPLE, Subscriptions, Webhook},
};

/// Where webhooks go, and where custom actions go.
const PATHS: (&str, &str) = ("/webhooks", "/actions");
/// Most objects of one press: as many as iconik itself takes in one call.
const MOST_OBJECTS: usize = 500;
/// The most bytes of a form that go into a message: ten messages to a request have to stay below what it takes.
const LARGEST_FORM: usize = 4096;

/// The function: who may speak, who wants to know.
pub struct ReceiveIconik {
    environment: Environment,
    secret: KeptSecret<HeaderSecret>,
    subscriptions: Subscriptions,
    queues: FlowQueues,
}

/// What became of what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// So many messages were sent.
    Told(usize),
    /// It came before.
    Repeated,
    /// We did it ourselves.
    Echo,
    /// No word of it is strange, and no subscription is to it.
    Unwanted,
    /// iconik documents no such event, or it names no object of a kind that was subscribed to.
    Unknown,
}

/// The messages that are due: for each flow and object, who tells it.
type Due = BTreeMap<(String, Object), (String, Option<String>)>;

impl Function for ReceiveIconik {
    const NAME: &'static str = "receive-iconik";
    const SYSTEMS: &'static [System] = &[];

    async fn connect(environment: &Environment) -> Result<Self> {
        let given = environment.rules().await?;
        let (text, name) =
            given.unwrap_or_else(|| (SAMPLE.to_owned(), "the packaged subscriptions".to_owned()));
        let queues = FlowQueues::of(environment)?;
        let read = Subscriptions::parse(&text, &name, |flow| queues.has(flow));
        let subscriptions = read.map_err(|diagnostics| {
            Error::configuration("subscriptions.invalid", diagnostics.to_string())
                .remedy("correct the lines named above; functions/webhooks/README.md explains every word")
        })?;
        for (subscription, told) in subscriptions.flows().filter(|(_, told)| !told.left_out.is_empty()) {
            let flows = told.left_out.join(", ");
            tracing::info!(subscription, flows, "flows that are not deployed are told nothing");
        }
        let secret = environment.settings.signing_secret.as_str();
        if secret.is_empty() {
            return Err(Error::configuration(
                "receive.no-secret",
                "anybody could speak: no secret is configured",
            )
            .remedy("name the secret in WAYBILL_SIGNING_SECRET"));
        }
        let secret = KeptSecret::open(environment, secret, HeaderSecret::from_json).await?;
        Ok(Self { environment: environment.clone(), secret, subscriptions, queues })
    }

    async fn answer(&self, request: Request<Bytes>, _: Invocation) -> Response<Bytes> {
        let taken = self.take(&request).await;
        self.print_figures(&taken);
        match taken {
            Ok(outcome) => answered(outcome),
            Err(problem) => {
                tracing::warn!(code = problem.code(), "a delivery was refused");
                problem.response()
            }
        }
    }
}

impl ReceiveIconik {
    async fn take(&self, request: &Request<Bytes>) -> Result<Outcome, Problem> {
        let (webhooks, actions) = PATHS;
        let path = request.uri().path().trim_end_matches('/');
        if path != webhooks && path != actions {
            return Err(Problem::new(StatusCode::NOT_FOUND, "http.no-such-path", "Nothing is served here")
                .detail(format!("webhooks go to {webhooks}, custom actions to {actions}")));
        }
        if request.method() != Method::POST {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Err(Problem::new(status, "http.method", "Only POST is served here"));
        }
        let largest = self.subscriptions.largest_body;
        if request.body().len() > largest {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Problem::new(status, "receive.too-large", "The body is too large")
                .detail(format!("at most {largest} bytes are taken")));
        }
        self.authorize(request).await?;
        if path == webhooks {
            let event = Event::parse(request.body()).map_err(malformed)?;
            self.webhook(event).await
        } else {
            let press = Press::parse(request.body()).map_err(malformed)?;
            self.action(press).await
        }
    }

    /// Whether the secret is one of ours. Somebody may have changed it a moment ago, so it is read anew before anybody is
    /// refused, though not for everybody.
    async fn authorize(&self, request: &Request<Bytes>) -> Result<(), Problem> {
        let header = &self.subscriptions.header;
        let presented = request.headers().get(header).map(http::HeaderValue::as_bytes).unwrap_or_default();
        if self.secret.get(&self.environment).await.is_right(presented)
            || self.secret.renewed(&self.environment).await.is_right(presented)
        {
            return Ok(());
        }
        let title = "Who speaks does not know the secret";
        Err(Problem::new(StatusCode::UNAUTHORIZED, "receive.secret", title)
            .detail(format!("the header {header} is missing or wrong")))
    }

    async fn webhook(&self, event: Event) -> Result<Outcome, Problem> {
        self.check_tenant(event.tenant.as_deref())?;
        if self.is_ours(event.user.as_deref()) {
            return Ok(Outcome::Echo);
        }
        let (event_type, realm, operation) = (&event.event_type, &event.realm, &event.operation);
        if !self.subscriptions.knows(event_type, realm, operation) {
            tracing::info!(event_type, realm, operation, "an event that nobody knows was acknowledged");
            return Ok(Outcome::Unknown);
        }
        let webhooks = self.subscriptions.webhooks.iter();
        let takes = |one: &&Webhook| !one.told.flows.is_empty() && one.takes(event_type, realm, operation);
        let taking: Vec<_> = webhooks.filter(takes).collect();
        if taking.is_empty() {
            return Ok(Outcome::Unwanted);
        }
        let mut due = Due::new();
        for webhook in taking {
            for object in event.objects.iter().filter(|object| webhook.tells_of(&object.object_type)) {
                for flow in &webhook.told.flows {
                    due.entry((flow.clone(), object.clone())).or_insert_with(|| (webhook.name.clone(), None));
                }
            }
        }
        if due.is_empty() {
            tracing::info!(
                event_type,
                realm,
                operation,
                "an event without an object to tell was acknowledged"
            );
            return Ok(Outcome::Unknown);
        }
        let pattern = IconikChange {
            object_type: String::new(),
            object_id: String::new(),
            version_id: event.version,
            realm: Some(event.realm),
            operation: Some(event.operation),
            request: None,
            occasion: String::new(),
            form: Default::default(),
        };
        self.deliver(event.identity, pattern, due).await
    }

    async fn action(&self, press: Press) -> Result<Outcome, Problem> {
        self.check_tenant(press.tenant.as_deref())?;
        let Some(action) = self.subscriptions.actions.iter().find(|action| action.id == press.action) else {
            tracing::info!(action = press.action, "an action that nobody subscribed to was acknowledged");
            return Ok(Outcome::Unknown);
        };
        if action.ignore_own_users && self.is_ours(press.user.as_deref()) {
            return Ok(Outcome::Echo);
        }
        if action.told.flows.is_empty() {
            tracing::info!(action = action.name, "an action whose flows are not deployed was acknowledged");
            return Ok(Outcome::Unwanted);
        }
        if press.objects.is_empty() {
            // A person waits for something to happen: iconik shows that it did not.
            let title = "Nothing was selected that can be worked on";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "receive.nothing-selected", title)
                .detail("expected ids in `asset_ids` or `collection_ids`"));
        }
        if press.objects.len() > MOST_OBJECTS {
            let title = "Too much was selected";
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "receive.too-many-objects", title)
                .detail(format!("at most {MOST_OBJECTS} assets and collections are taken at once")));
        }
        let form = press.form(&action.form);
        let bytes: usize = form
            .iter()
            .map(|(field, values)| field.len() + values.iter().map(String::len).sum::<usize>())
            .sum();
        if bytes > LARGEST_FORM {
            let title = "Too much was filled in";
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "receive.form-too-large", title)
                .detail(format!("the form's fields may have {LARGEST_FORM} bytes together")));
        }
        let mut due = Due::new();
        for object in press.objects {
            for flow in &action.told.flows {
                let teller = (action.name.clone(), Some(action.name.clone()));
                due.insert((flow.clone(), object.clone()), teller);
            }
        }
        let pattern = IconikChange {
            object_type: String::new(),
            object_id: String::new(),
            version_id: None,
            realm: None,
            operation: None,
            request: None,
            occasion: String::new(),
            form,
        };
        self.deliver(press.identity, pattern, due).await
    }

    /// Once per delivery, however often it is sent. One that nothing tells from the next is told each time; the flow finds
    /// that there is nothing left to do.
    async fn deliver(
        &self,
        identity: Option<String>,
        pattern: IconikChange,
        due: Due,
    ) -> Result<Outcome, Problem> {
        let (ledger, context) = (&self.environment.ledger, &self.environment.context);
        if let Some(identity) = &identity {
            let taken = ledger.is_delivered(Self::NAME, identity).await;
            if taken.map_err(|error| away(&error))? {
                return Ok(Outcome::Repeated);
            }
        }
        let occasion = identity.clone().unwrap_or_else(|| context.new_id());
        let mut messages = Vec::with_capacity(due.len());
        for ((flow, object), (name, request)) in due {
            let change = IconikChange {
                object_type: object.object_type,
                object_id: object.id,
                request,
                occasion: occasion.clone(),
                ..pattern.clone()
            };
            let source = format!("{}/{name}", Self::NAME);
            let body = change.envelope(&source, &flow, context).map_err(|error| away(&error))?;
            messages.push(Message { flow, body });
        }
        if let Some(error) = self.queues.send(&messages).await.failure {
            return Err(away(&error));
        }
        // Only now: a crash before this line lets the sender's next attempt through, with the same message ids.
        if let Some(identity) = &identity {
            let until = context.now().as_second().saturating_add(self.subscriptions.remember.as_secs());
            let remembered = ledger.set_delivered(Self::NAME, identity, until).await;
            remembered.map_err(|error| away(&error))?;
        }
        Ok(Outcome::Told(messages.len()))
    }

    fn is_ours(&self, user: Option<&str>) -> bool {
        user.is_some_and(|user| self.subscriptions.own_users.contains(user))
    }

    fn check_tenant(&self, tenant: Option<&str>) -> Result<(), Problem> {
        if self.subscriptions.tenant.as_deref().is_none_or(|ours| tenant == Some(ours)) {
            return Ok(());
        }
        let title = "Another iconik tenant speaks";
        Err(Problem::new(StatusCode::FORBIDDEN, "receive.other-tenant", title)
            .detail("expected the configured id in `system_domain_id`"))
    }
}

fn answered(outcome: Outcome) -> Response<Bytes> {
    let (status, accepted) = match outcome {
        Outcome::Told(messages) => (StatusCode::ACCEPTED, messages),
        _ => (StatusCode::OK, 0),
    };
    let body = json!({"accepted": accepted, "outcome": outcome.name()}).to_string();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn malformed(why: Malformed) -> Problem {
    let title = "The body is none of iconik's";
    Problem::new(StatusCode::BAD_REQUEST, "receive.malformed", title).detail(why.to_string())
}

fn away(error: &Error) -> Problem {
    tracing::error!(code = error.code(), error = ?error, "a delivery could not be taken");
    let seconds = if error.class() == FailureClass::Throttled { 30 } else { 5 };
    let title = "The delivery cannot be taken just now";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "receive.not-now", title).retry_after(seconds)
}
