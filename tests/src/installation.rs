//! What the template makes, made call by call: for functions that run on a [`runtime`](crate::runtime) of our own.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_s3::{
    primitives::ByteStream,
    types::{
        BucketVersioningStatus, Event, NotificationConfiguration, QueueConfiguration, VersioningConfiguration,
    },
};
use aws_sdk_sqs::types::QueueAttributeName;
use shared::{aws, context::Context, http::Transport};

/// How a bucket keeps its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// The newest one of each key.
    Newest,
    /// Every version.
    Versions,
    /// Every version, and under retention and legal holds where an object has them (Object Lock).
    Locked,
}

/// Buckets, queues, table and secret of one flow, in an account of their own.
#[derive(Clone)]
pub struct Installation {
    /// Address of AWS or its stand-in.
    pub address: String,
    /// The account, which is the access key id as well.
    pub account: String,
    /// Bucket that uploads go to.
    pub intake: String,
    /// Bucket for what cannot be accepted.
    pub quarantine: String,
    /// Bucket for what a flow keeps. Made by [`create_bucket`](Self::create_bucket), for flows that have one.
    pub content: String,
    /// Bucket for rule files.
    pub configuration: String,
    /// Address of the flow's queue.
    pub queue_url: String,
    /// Address of its dead-letter queue.
    pub dead_letter_queue_url: String,
    /// The ledger's table.
    pub table: String,
    /// The secret with the Content Server credential.
    pub secret: String,
    /// Amazon S3.
    pub s3: aws_sdk_s3::Client,
    /// Amazon SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// Amazon DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// AWS Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
}

impl Installation {
    /// Clients of an account of one's own at this address, and names; nothing is made yet.
    pub fn at(address: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // Twelve digits, others than those of tests that run beside this process.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed) % 1000;
        let account = format!("2{:08}{number:03}", std::process::id());
        let transport = Transport::network().expect("a client can be built");
        let sdk = aws::connect_to(&transport, &Context::system(), address, &account);
        Self {
            address: address.to_owned(),
            intake: format!("intake-{account}"),
            quarantine: format!("quarantine-{account}"),
            content: format!("content-{account}"),
            configuration: format!("configuration-{account}"),
            queue_url: String::new(),
            dead_letter_queue_url: String::new(),
            table: format!("ledger-{account}"),
            secret: format!("waybill/{account}/content-server"),
            s3: aws::s3(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            secrets: aws_sdk_secretsmanager::Client::new(&sdk),
            account,
        }
    }

    /// Makes everything. Messages that a function kept are shown again after so many seconds.
    ///
    /// # Panics
    /// When the stand-in refuses: nothing can be tested then.
    pub async fn create(address: &str, visibility_seconds: u32) -> Self {
        let mut made = Self::at(address);
        made.create_bucket(&made.intake, Keeping::Versions).await;
        made.create_bucket(&made.quarantine, Keeping::Newest).await;
        made.create_bucket(&made.configuration, Keeping::Newest).await;
        made.dead_letter_queue_url = made.create_queue("uploads-dead-letters", 30).await;
        made.queue_url = made.create_queue("uploads", visibility_seconds).await;
        made.create_table().await;
        made
    }

    /// Makes a bucket.
    ///
    /// # Panics
    /// When the stand-in refuses.
    pub async fn create_bucket(&self, bucket: &str, keeping: Keeping) {
        let locked = (keeping == Keeping::Locked).then_some(true);
        let request = self.s3.create_bucket().bucket(bucket).set_object_lock_enabled_for_bucket(locked);
        request.send().await.expect("the bucket is made");
        if keeping == Keeping::Versions {
            let versioning =
                VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
            let request = self.s3.put_bucket_versioning().bucket(bucket).versioning_configuration(versioning);
            request.send().await.expect("the bucket keeps versions");
        }
    }

    /// Puts a rule file into the configuration bucket; gives its address, for `WAYBILL_RULES`.
    ///
    /// # Panics
    /// When the stand-in refuses.
    pub async fn put_rules(&self, text: &str) -> String {
        let body = ByteStream::from(text.as_bytes().to_vec());
        let request = self.s3.put_object().bucket(&self.configuration).key("rules.toml").body(body);
        request.send().await.expect("the rules are taken");
        format!("s3://{}/rules.toml", self.configuration)
    }

    /// Makes a queue; gives its address.
    ///
    /// # Panics
    /// When the stand-in refuses.
    pub async fn create_queue(&self, name: &str, visibility_seconds: u32) -> String {
        let request = self
            .sqs
            .create_queue()
            .queue_name(name)
            .attributes(QueueAttributeName::VisibilityTimeout, visibility_seconds.to_string());
        request.send().await.expect("the queue is made").queue_url.expect("a queue has an address")
    }

    /// Makes the ledger's table.
    ///
    /// # Panics
    /// When the stand-in refuses.
    pub async fn create_table(&self) {
        let key = |name: &str, kind| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("complete")
        };
        let text = |name: &str| {
            let definition = AttributeDefinition::builder().attribute_name(name);
            definition.attribute_type(ScalarAttributeType::S).build().expect("complete")
        };
        self.dynamodb
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest)
            .key_schema(key("pk", KeyType::Hash))
            .key_schema(key("sk", KeyType::Range))
            .attribute_definitions(text("pk"))
            .attribute_definitions(text("sk"))
            .send()
            .await
            .expect("the table is made");
    }

    /// Lets the bucket tell the queue of uploads, as the template does.
    ///
    /// # Panics
    /// When the stand-in refuses.
    pub async fn notify(&self) {
        self.notify_of(&self.intake, "s3:ObjectCreated:*").await;
    }

    /// Lets a bucket tell the flow's queue of such events.
    ///
    /// # Panics
    /// When the stand-in refuses.
    pub async fn notify_of(&self, bucket: &str, event: &str) {
        let name = self.queue_url.rsplit('/').next().unwrap_or_default();
        let configuration = QueueConfiguration::builder()
            .queue_arn(format!("arn:aws:sqs:us-east-1:{}:{name}", self.account))
            .events(Event::from(event))
            .build()
            .expect("complete");
        self.s3
            .put_bucket_notification_configuration()
            .bucket(bucket)
            .notification_configuration(
                NotificationConfiguration::builder().queue_configurations(configuration).build(),
            )
            .send()
            .await
            .expect("the bucket notifies");
    }

    /// Sets what the function signs in to Content Server with.
    ///
    /// # Panics
    /// When the stand-in refuses.
    pub async fn set_credential(&self, username: &str, password: &str) {
        let text = serde_json::json!({"mode": "password", "username": username, "password": password});
        self.set_secret(&self.secret, &text.to_string()).await;
    }

    /// Makes or changes a secret.
    ///
    /// # Panics
    /// When the stand-in refuses.
    pub async fn set_secret(&self, name: &str, text: &str) {
        // One that the template made is there under its ARN, which the stand-in would take for a new name.
        let changed = self.secrets.put_secret_value().secret_id(name).secret_string(text).send().await;
        if changed.is_err() {
            let request = self.secrets.create_secret().name(name).secret_string(text);
            request.send().await.expect("the secret is made");
        }
    }

    /// The function's environment.
    pub fn variables(&self, content_server_url: &str, rules: &str) -> BTreeMap<String, String> {
        [
            ("AWS_ENDPOINT_URL", self.address.as_str()),
            ("AWS_ACCESS_KEY_ID", &self.account),
            // The one secret by which the stand-in verifies signed addresses.
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("WAYBILL_ENVIRONMENT", "test"),
            ("WAYBILL_TABLE", &self.table),
            ("WAYBILL_QUEUE_URL", &self.queue_url),
            ("WAYBILL_DEAD_LETTER_QUEUE_URL", &self.dead_letter_queue_url),
            ("WAYBILL_QUARANTINE_BUCKET", &self.quarantine),
            ("WAYBILL_CONTENT_BUCKET", &self.content),
            ("WAYBILL_RULES", rules),
            ("WAYBILL_CONTENT_SERVER_URL", content_server_url),
            ("WAYBILL_CONTENT_SERVER_SECRET", &self.secret),
            ("WAYBILL_TARGET_RATE", "1000"),
            ("WAYBILL_LEASE_MARGIN_SECONDS", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}
