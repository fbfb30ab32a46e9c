//! A secret that may be changed while the function runs.

use std::{sync::Arc, time::Duration};

use tokio::sync::Mutex;

use crate::{environment::Environment, error::Result};

/// How long a secret is used before it is read anew.
const AGE: Duration = Duration::from_secs(300);
/// How often it is read at most, however many senders are refused by it.
const PAUSE: Duration = Duration::from_secs(10);

/// A secret, not older than a few minutes.
pub struct KeptSecret<T> {
    name: String,
    parse: fn(&str) -> Result<T>,
    kept: Mutex<Kept<T>>,
}

struct Kept<T> {
    value: Arc<T>,
    read_at: i64,
    tried_at: i64,
}

impl<T> KeptSecret<T> {
    /// Reads the secret of this name for the first time.
    ///
    /// # Errors
    /// When it cannot be read, or is not what `parse` expects.
    pub async fn open(environment: &Environment, name: &str, parse: fn(&str) -> Result<T>) -> Result<Self> {
        let value = Arc::new(parse(&environment.secret(name).await?)?);
        let now = environment.context.now_milliseconds();
        let kept = Mutex::new(Kept { value, read_at: now, tried_at: now });
        Ok(Self { name: name.to_owned(), parse, kept })
    }

    /// The secret.
    pub async fn get(&self, environment: &Environment) -> Arc<T> {
        self.younger_than(AGE, environment).await
    }

    /// The secret after somebody was refused by it: it may have been changed a moment ago.
    pub async fn renewed(&self, environment: &Environment) -> Arc<T> {
        self.younger_than(PAUSE, environment).await
    }

    async fn younger_than(&self, age: Duration, environment: &Environment) -> Arc<T> {
        let mut kept = self.kept.lock().await;
        let now = environment.context.now_milliseconds();
        let is_over = |since: i64, time: Duration| {
            now.saturating_sub(since) > i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
        };
        if is_over(kept.read_at, age) && is_over(kept.tried_at, PAUSE) {
            kept.tried_at = now;
            match environment.secret(&self.name).await.and_then(|text| (self.parse)(&text)) {
                Ok(value) => {
                    kept.value = Arc::new(value);
                    kept.read_at = now;
                }
                Err(error) => tracing::warn!(error = ?error, "the secret could not be read anew"),
            }
        }
        kept.value.clone()
    }
}
