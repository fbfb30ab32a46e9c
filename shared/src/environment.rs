//! What a deployed function is given: settings from its environment, and the clients every flow may use.

use std::{collections::BTreeMap, time::Duration};

use aws_config::SdkConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    aws,
    content_server::{self, Credential},
    context::Context,
    error::{Error, Result, System},
    http::{Pace, Transport},
    iconik,
    ledger::{Ledger, Overflow},
    preservica,
};

/// The settings of a function. Each is an environment variable: `WAYBILL_` and the name in capitals.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The name of this deployment, as it appears in metrics: `production`, `test`.
    #[serde(default = "default_environment")]
    pub environment: String,
    /// The ledger's DynamoDB table.
    pub table: String,
    /// The flow's queue, for visibility and continuations.
    #[serde(default)]
    pub queue_url: String,
    /// The flow's dead-letter queue.
    #[serde(default)]
    pub dead_letter_queue_url: String,
    /// Where objects that cannot be accepted are put aside.
    #[serde(default)]
    pub quarantine_bucket: String,
    /// The prefix under which they are put aside.
    #[serde(default = "default_quarantine_prefix")]
    pub quarantine_prefix: String,
    /// Where a flow that keeps content in S3 keeps it, unless its rules name another bucket.
    #[serde(default)]
    pub content_bucket: String,
    /// Where the reports of comparisons go.
    #[serde(default)]
    pub report_bucket: String,
    /// The Region of that bucket, when it is not the function's own.
    #[serde(default)]
    pub content_region: String,
    /// The rules: a file in the package, or `s3://bucket/key`. Empty means the rules packaged with the function.
    #[serde(default)]
    pub rules: String,
    /// The address of Content Server up to and including `cs.exe` or `cs`, without `/api`.
    #[serde(default)]
    pub content_server_url: String,
    /// The Secrets Manager secret with the credential for Content Server.
    #[serde(default)]
    pub content_server_secret: String,
    /// How this tenant's Content Server differs from the common case: a JSON object of client settings.
    #[serde(default)]
    pub content_server_settings: String,
    /// The address of the iconik tenant's region, without `/API`: `https://eu.iconik.io`.
    #[serde(default)]
    pub iconik_url: String,
    /// The Secrets Manager secret with the credential for iconik.
    #[serde(default)]
    pub iconik_secret: String,
    /// How this tenant of iconik differs from the common case: a JSON object of client settings.
    #[serde(default)]
    pub iconik_settings: String,
    /// The address of the Preservica server, without `/api`: `https://eu.preservica.com`.
    #[serde(default)]
    pub preservica_url: String,
    /// The Secrets Manager secret with the credential for Preservica.
    #[serde(default)]
    pub preservica_secret: String,
    /// How this tenant of Preservica differs from the common case: a JSON object of client settings.
    #[serde(default)]
    pub preservica_settings: String,
    /// Items of one batch worked on at the same time: the connections one function keeps open to its target.
    #[serde(default = "default_concurrency")]
    pub target_concurrency: usize,
    /// Requests per second one function sends to its target at most. Times the event source's maximum concurrency,
    /// this is the target's worst second.
    #[serde(default = "default_rate")]
    pub target_rate: f64,
    /// Seconds before the invocation's deadline at which work stops by itself.
    #[serde(default = "default_margin")]
    pub lease_margin_seconds: u64,
    /// Describe what would be done, and do nothing. The messages that arrive meanwhile are used up: feed it copies.
    #[serde(default)]
    pub dry_run: bool,
    /// The EventBridge bus that is told of what a flow has finished: its name or ARN.
    #[serde(default = "default_event_bus")]
    pub event_bus: String,
    /// The queues a change feed may tell: a JSON object from the flow's name to its queue's address.
    #[serde(default)]
    pub flow_queues: String,
    /// The Secrets Manager secret with the keys by which pushes are signed. Without it there is no push.
    #[serde(default)]
    pub signing_secret: String,
    /// The address at which `serve-links` answers, without the token: what goes before it in links that are handed out.
    #[serde(default)]
    pub link_address: String,
    /// How long one client may resume a download through an expiring link without using it again, in minutes.
    #[serde(default = "default_link_window")]
    pub link_window_minutes: u64,
    /// Addresses without a link that one network may try in a minute.
    #[serde(default = "default_link_misses")]
    pub link_misses_per_minute: u32,
}

fn default_environment() -> String {
    "default".into()
}
fn default_quarantine_prefix() -> String {
    "quarantine/".into()
}
fn default_event_bus() -> String {
    "default".into()
}
fn default_concurrency() -> usize {
    4
}
fn default_rate() -> f64 {
    20.0
}
fn default_link_window() -> u64 {
    60
}
fn default_link_misses() -> u32 {
    10
}
fn default_margin() -> u64 {
    10
}

impl Settings {
    /// Reads the settings from environment variables.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong, what was expected and what to do.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let mut values = BTreeMap::new();
        for (name, value) in variables {
            if let Some(name) = name.strip_prefix("WAYBILL_") {
                values.insert(name.to_ascii_lowercase(), value);
            }
        }
        let schema = schemars::schema_for!(Settings);
        let properties = schema.get("properties").cloned().unwrap_or_default();
        let mut object = serde_json::Map::new();
        for (name, text) in values {
            let kind = properties
                .get(&name)
                .and_then(|property| property.get("type"))
                .and_then(|kind| kind.as_str());
            let value = match kind {
                Some("integer" | "number" | "boolean") => serde_json::from_str(&text).unwrap_or(text.into()),
                Some(_) => text.into(),
                // Other functions of the same deployment may share an environment.
                None => continue,
            };
            object.insert(name, value);
        }
        serde_json::from_value(object.into()).map_err(|error| {
            Error::configuration("settings.invalid", format!("the environment's WAYBILL_ settings: {error}"))
                .remedy("set the variable named above (WAYBILL_ and the name in capitals) on the function")
        })
    }

    /// Checks what only a flow with a queue needs.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn check_queue(&self) -> Result<()> {
        let needed = [
            ("WAYBILL_QUEUE_URL", &self.queue_url),
            ("WAYBILL_DEAD_LETTER_QUEUE_URL", &self.dead_letter_queue_url),
            ("WAYBILL_QUARANTINE_BUCKET", &self.quarantine_bucket),
        ];
        match needed.iter().find(|(_, value)| value.is_empty()) {
            None => Ok(()),
            Some((name, _)) => {
                Err(Error::configuration("settings.invalid", format!("the setting {name} is missing"))
                    .remedy("set the variable named above on the function"))
            }
        }
    }

    /// How long before the deadline work stops.
    pub fn margin(&self) -> Duration {
        Duration::from_secs(self.lease_margin_seconds)
    }
}

/// What a flow connects from.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The settings.
    pub settings: Settings,
    /// Time, ids and randomness.
    pub context: Context,
    /// The way to every outside system.
    pub transport: Transport,
    /// The ledger.
    pub ledger: Ledger,
    /// Amazon S3.
    pub s3: aws_sdk_s3::Client,
    /// Amazon SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// Amazon EventBridge.
    pub eventbridge: aws_sdk_eventbridge::Client,
    /// AWS Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
}

impl Environment {
    /// An environment over an SDK configuration.
    pub fn new(settings: Settings, context: Context, transport: Transport, sdk: &SdkConfig) -> Self {
        let s3 = aws::s3(sdk);
        let ledger = Ledger::new(aws_sdk_dynamodb::Client::new(sdk), settings.table.clone(), context.clone())
            .overflow(Overflow { s3: s3.clone(), bucket: settings.quarantine_bucket.clone() });
        Self {
            ledger,
            s3,
            sqs: aws_sdk_sqs::Client::new(sdk),
            eventbridge: aws_sdk_eventbridge::Client::new(sdk),
            secrets: aws_sdk_secretsmanager::Client::new(sdk),
            settings,
            context,
            transport,
        }
    }

    /// Amazon S3 in another Region; in the function's own when none is named.
    pub fn s3_in(&self, region: &str) -> aws_sdk_s3::Client {
        if region.is_empty() {
            return self.s3.clone();
        }
        aws::s3_in(&self.s3, region)
    }

    /// Sends a message to the flow's own queue, which hides it for so many seconds (900 at most). `operation` is what for, as
    /// errors name it.
    ///
    /// # Errors
    /// When the queue does not take it.
    pub async fn send_to_own_queue(
        &self,
        operation: &'static str,
        body: String,
        hidden_seconds: i32,
    ) -> Result<()> {
        let send = self.sqs.send_message().queue_url(&self.settings.queue_url).message_body(body);
        let sent = send.set_delay_seconds((hidden_seconds > 0).then_some(hidden_seconds)).send().await;
        sent.map(drop).map_err(|error| aws::classify(System::Sqs, operation, error))
    }

    /// The spacing of requests to the target.
    pub fn pace(&self) -> Pace {
        Pace::per_second(self.settings.target_rate)
    }

    /// The text of a secret.
    ///
    /// # Errors
    /// When it is not there or cannot be read; the name is given, never the value.
    pub async fn secret(&self, name: &str) -> Result<String> {
        let output = self.secrets.get_secret_value().secret_id(name).send().await;
        let output = output.map_err(|error| {
            aws::classify(System::Secrets, "read secret", error)
                .remedy(format!("create the secret {name} and let this function read it"))
        })?;
        output.secret_string.ok_or_else(|| {
            Error::configuration("secret.binary", format!("the secret {name} is not text"))
                .remedy("store it as a JSON string")
        })
    }

    /// The text of the file `WAYBILL_RULES` names, a file in the package or `s3://bucket/key`, and what it is called.
    /// Nothing when the setting is empty.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn rules(&self) -> Result<Option<(String, String)>> {
        let place = self.settings.rules.as_str();
        let text = match place.strip_prefix("s3://").map(|rest| rest.split_once('/')) {
            Some(Some((bucket, key))) => {
                let object = self.s3.get_object().bucket(bucket).key(key).send().await;
                let object = object.map_err(|error| {
                    aws::classify(System::S3, "read rules", error)
                        .remedy(format!("put the file at {place} and let this function read it"))
                })?;
                let bytes = object.body.collect().await.map_err(|error| {
                    let message = "the file could not be read from S3";
                    Error::configuration("rules.unreadable", message).source(error)
                })?;
                String::from_utf8_lossy(&bytes.into_bytes()).into_owned()
            }
            Some(None) => {
                return Err(Error::configuration("rules.address", format!("{place} is not s3://bucket/key")));
            }
            None if place.is_empty() => return Ok(None),
            None => std::fs::read_to_string(place).map_err(|error| {
                Error::configuration("rules.unreadable", format!("the file {place} cannot be read"))
                    .remedy("name a file in the package, or s3://bucket/key")
                    .source(error)
            })?,
        };
        Ok(Some((text, place.to_owned())))
    }

    /// As [`Self::rules`], and the packaged ones when the setting is empty.
    ///
    /// # Errors
    /// As [`Self::rules`].
    pub async fn rules_or(&self, packaged: &str) -> Result<(String, String)> {
        let configured = self.rules().await?;
        Ok(configured.unwrap_or_else(|| (packaged.to_owned(), "the packaged rules".to_owned())))
    }

    /// A client of the configured Content Server, signed in if the server can be reached: one that is away now may be
    /// back by the first event, so that is no reason to refuse the start.
    ///
    /// # Errors
    /// When its settings or its secret are wrong.
    pub async fn content_server(&self) -> Result<content_server::Client> {
        self.content_server_settings()?;
        let secret = self.secret(&self.settings.content_server_secret).await?;
        let client = self.content_server_as(Credential::from_json(&secret)?)?;
        if let Err(error) = client.login().await {
            tracing::warn!(error = ?error, "content server cannot be reached yet");
        }
        Ok(client)
    }

    /// A client of the configured Content Server with this credential, which has not called anybody yet.
    ///
    /// # Errors
    /// When its settings are wrong.
    pub fn content_server_as(&self, credential: Credential) -> Result<content_server::Client> {
        let settings = self.content_server_settings()?;
        let (transport, context) = (self.transport.clone(), self.context.clone());
        Ok(content_server::Client::new(settings, credential, transport, context, self.pace()))
    }

    fn content_server_settings(&self) -> Result<content_server::Settings> {
        let text = self.settings.content_server_settings.trim();
        let mut settings = match text {
            "" => content_server::Settings::default(),
            text => serde_json::from_str(text).map_err(|error| {
                let what = "WAYBILL_CONTENT_SERVER_SETTINGS is not what the client understands";
                Error::configuration("settings.content-server", format!("{what}: {error}"))
            })?,
        };
        settings.base_url.clone_from(&self.settings.content_server_url);
        settings.validate()?;
        Ok(settings)
    }

    /// After a refused sign-in somebody may have corrected the secret, or changed the password: it is read anew.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub async fn renew_credential(&self, client: &content_server::Client) -> Result<()> {
        if client.is_refused().await {
            let secret = self.secret(&self.settings.content_server_secret).await?;
            client.change_credential(Credential::from_json(&secret)?).await;
        }
        Ok(())
    }

    /// A client of the configured iconik. It is asked who its user is; one that is away now may be back by the first
    /// event, so that is no reason to refuse the start.
    ///
    /// # Errors
    /// When its settings or its secret are wrong.
    pub async fn iconik(&self) -> Result<iconik::Client> {
        self.iconik_settings()?;
        let secret = self.secret(&self.settings.iconik_secret).await?;
        let client = self.iconik_as(iconik::Credential::from_json(&secret)?)?;
        if let Err(error) = client.login().await {
            tracing::warn!(error = ?error, "iconik cannot be reached yet");
        }
        Ok(client)
    }

    /// A client of the configured iconik with this credential, which has not called anybody yet.
    ///
    /// # Errors
    /// When its settings are wrong.
    pub fn iconik_as(&self, credential: iconik::Credential) -> Result<iconik::Client> {
        let settings = self.iconik_settings()?;
        let (transport, context) = (self.transport.clone(), self.context.clone());
        Ok(iconik::Client::new(settings, credential, transport, context, self.pace()))
    }

    fn iconik_settings(&self) -> Result<iconik::Settings> {
        let text = self.settings.iconik_settings.trim();
        let mut settings = match text {
            "" => iconik::Settings::default(),
            text => serde_json::from_str(text).map_err(|error| {
                let what = "WAYBILL_ICONIK_SETTINGS is not what the client understands";
                Error::configuration("settings.iconik", format!("{what}: {error}"))
            })?,
        };
        settings.base_url.clone_from(&self.settings.iconik_url);
        settings.validate()?;
        Ok(settings)
    }

    /// After a refused token somebody may have stored another: the secret is read anew.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub async fn renew_iconik_credential(&self, client: &iconik::Client) -> Result<()> {
        if client.is_refused().await {
            let secret = self.secret(&self.settings.iconik_secret).await?;
            client.change_credential(iconik::Credential::from_json(&secret)?).await;
        }
        Ok(())
    }

    /// A client of the configured Preservica, logged in if the server can be reached: one that is away now may be back by the
    /// first event, so that is no reason to refuse the start.
    ///
    /// # Errors
    /// When its settings or its secret are wrong.
    pub async fn preservica(&self) -> Result<preservica::Client> {
        self.preservica_settings()?;
        let secret = self.secret(&self.settings.preservica_secret).await?;
        let client = self.preservica_as(preservica::Credential::from_json(&secret)?)?;
        if let Err(error) = client.login().await {
            tracing::warn!(error = ?error, "preservica cannot be reached yet");
        }
        Ok(client)
    }

    /// A client of the configured Preservica with this credential, which has not called anybody yet.
    ///
    /// # Errors
    /// When its settings are wrong.
    pub fn preservica_as(&self, credential: preservica::Credential) -> Result<preservica::Client> {
        let settings = self.preservica_settings()?;
        let (transport, context) = (self.transport.clone(), self.context.clone());
        Ok(preservica::Client::new(settings, credential, transport, context, self.pace()))
    }

    fn preservica_settings(&self) -> Result<preservica::Settings> {
        let text = self.settings.preservica_settings.trim();
        let mut settings = match text {
            "" => preservica::Settings::default(),
            text => serde_json::from_str(text).map_err(|error| {
                let what = "WAYBILL_PRESERVICA_SETTINGS is not what the client understands";
                Error::configuration("settings.preservica", format!("{what}: {error}"))
            })?,
        };
        settings.base_url.clone_from(&self.settings.preservica_url);
        settings.validate()?;
        Ok(settings)
    }

    /// After a refused login somebody may have stored another credential: the secret is read anew.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub async fn renew_preservica_credential(&self, client: &preservica::Client) -> Result<()> {
        if client.is_refused().await {
            let secret = self.secret(&self.settings.preservica_secret).await?;
            client.change_credential(preservica::Credential::from_json(&secret)?).await;
        }
        Ok(())
    }
}
