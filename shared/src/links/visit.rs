//! Somebody comes with a token.

use std::time::Duration;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};

use super::{Ended, Link, Links, Token, Visitor, store};
use crate::{
    audit::EventType,
    error::{Error, FailureClass, Result, System},
    ledger::{Appended, get_number, keys, number},
};

/// How often a visit is judged anew when others change the link at the same time.
const ROUNDS: u32 = 5;
/// A window that is over is tidied up after a day, in seconds.
const TIDIED_AFTER: i64 = 86_400;

/// What somebody wants of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To know whether it works. Costs no use.
    Look,
    /// To download. Costs a use, unless this client's last one began within this time.
    Download(Duration),
}

/// What a visitor is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// There is no such link, for this visitor. Which of the two, nobody is told.
    Unknown,
    /// It leads nowhere any more.
    Ended(Link, Ended),
    /// It leads to its target; this call counted a use if `counted`.
    Open {
        /// The link.
        link: Link,
        /// Whether a use was counted.
        counted: bool,
    },
}

impl Links {
    /// Judges a visit, and counts the use when it is one. `agent` is the function the visitor came to.
    ///
    /// A token that nobody issued takes the same steps as one that is not for this visitor.
    ///
    /// # Errors
    /// When the table cannot be reached. A use may have been counted then; the same client finds its window open.
    pub async fn visit(
        &self,
        token: &Token,
        visitor: &Visitor,
        purpose: Purpose,
        agent: &str,
    ) -> Result<Answer> {
        let id = token.id();
        let client = visitor.pseudonym(token, self.ledger.context());
        let use_key = format!("use#{client}");
        for _ in 0..ROUNDS {
            let pk = store::pk(&id);
            // Both in any case: what is found in the first is not to be told from the time the answer takes.
            let (record, window) =
                futures_util::try_join!(self.item(&pk, "record"), self.item(&pk, &use_key))?;
            let Some(link) = record.map(|item| store::read(&id, &item)).transpose()? else {
                return Ok(Answer::Unknown);
            };
            if !link.audience.admits(visitor) {
                return Ok(Answer::Unknown);
            }
            let now = self.ledger.context().now_milliseconds();
            let until = window.and_then(|item| get_number(&item, "until")).unwrap_or(0);
            let resuming = now < until && purpose != Purpose::Download(Duration::ZERO);
            if let Some(ended) = link.ended(now, resuming) {
                return Ok(Answer::Ended(link, ended));
            }
            let window = match purpose {
                Purpose::Download(window) if !resuming => window,
                _ => return Ok(Answer::Open { link, counted: false }),
            };
            let detail = [("action", "download".to_owned()), ("client", client.clone())];
            let domain = link.audience.domain_of(visitor).map(|domain| ("domain", domain));
            let event = link.event(
                EventType::Dissemination,
                self.ledger.context().now(),
                agent,
                detail.into_iter().chain(domain),
            );
            let writes = self.use_writes(&pk, &use_key, now, window)?;
            if let Appended::Written(_) = self.ledger.append_with(&event, &writes).await? {
                return Ok(Answer::Open { link, counted: true });
            }
            // Used up, expired or revoked since, or this client's window was opened by another request of its own: the
            // next look tells.
        }
        Err(Error::new(
            FailureClass::Transient,
            System::Ledger,
            "use link",
            "link.busy",
            format!("the link changed {ROUNDS} times while a use was being counted"),
        ))
    }

    fn use_writes(
        &self,
        pk: &str,
        use_key: &str,
        now: i64,
        window: Duration,
    ) -> Result<Vec<TransactWriteItem>> {
        let unfinished = |error: aws_sdk_dynamodb::error::BuildError| {
            Error::bug("use link", "the transaction is incomplete").source(error)
        };
        let count = Update::builder()
            .table_name(self.ledger.table())
            .set_key(Some(keys(pk, "record")))
            .update_expression("SET used = used + :one, used_at = :now")
            .condition_expression(
                "attribute_exists(pk) AND attribute_not_exists(revoked_at) AND valid_until > :now \
                 AND (attribute_not_exists(uses) OR used < uses)",
            )
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", number(now))
            .build()
            .map_err(unfinished)?;
        let mut writes = vec![TransactWriteItem::builder().update(count).build()];
        if !window.is_zero() {
            let until = now.saturating_add(i64::try_from(window.as_millis()).unwrap_or(i64::MAX));
            let mut item = keys(pk, use_key);
            item.insert("until".to_owned(), number(until));
            item.insert("expires_at".to_owned(), number((until / 1000).saturating_add(TIDIED_AFTER)));
            let put = Put::builder()
                .table_name(self.ledger.table())
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(pk) OR #until <= :now")
                .expression_attribute_names("#until", "until")
                .expression_attribute_values(":now", number(now))
                .build()
                .map_err(unfinished)?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        Ok(writes)
    }
}
