//! Issuing and revoking, and how a link lies in the table.

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem, Update};
use serde::{Deserialize, Serialize};

use super::{Audience, Issued, Link, LinkId, Links, NewLink, Origin, Target, Token};
use crate::{
    audit::EventType,
    aws::classify,
    error::{Error, Result, System},
    ledger::{Appended, Item, Key, get_number, get_text, keys, number, text},
};

/// How long a link that is over is remembered, so that whoever comes late is told so, in seconds.
const REMEMBERED: i64 = 90 * 86_400;

/// What changes only when a link is moved.
#[derive(Serialize, Deserialize)]
struct Fixed {
    target: Target,
    #[serde(default)]
    audience: Audience,
    origin: Origin,
}

pub(super) fn pk(id: &LinkId) -> String {
    format!("link#{}", id.text())
}

fn index_pk(origin: &Origin) -> String {
    format!("link#reference#{}", Key::of(&[&origin.flow, &origin.reference]).digest())
}

pub(super) fn read(id: &LinkId, item: &Item) -> Result<Link> {
    let broken = || Error::bug("read link", format!("the record of link {} cannot be read", id.short()));
    let fixed = get_text(item, "link").ok_or_else(broken)?;
    let fixed: Fixed = serde_json::from_str(fixed).map_err(|error| broken().source(error))?;
    let count = |name: &str| get_number(item, name).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    Ok(Link {
        id: id.clone(),
        target: fixed.target,
        valid_until: get_number(item, "valid_until").ok_or_else(broken)?,
        uses: count("uses"),
        used: count("used").unwrap_or(0),
        revoked: item.contains_key("revoked_at"),
        audience: fixed.audience,
        origin: fixed.origin,
    })
}

fn check(link: &NewLink, now: jiff::Timestamp) -> Result<()> {
    if link.valid_until <= now {
        return refuse("valid_until", "a link must expire in the future");
    }
    if link.origin.flow.is_empty() || link.origin.reference.is_empty() || link.origin.asset.is_empty() {
        return refuse("origin", "a link needs the flow, its reference and the asset it belongs to");
    }
    check_target(&link.target)
}

fn refuse(field: &'static str, message: &str) -> Result<()> {
    Err(Error::invalid("link.invalid", message).field(field))
}

fn check_target(target: &Target) -> Result<()> {
    if target.bucket.is_empty() || target.key.is_empty() {
        return refuse("target", "a link needs a bucket and a key to lead to");
    }
    if target.file_name.is_empty() || target.file_name.chars().any(char::is_control) {
        return refuse("file_name", "a link needs a file name without control characters");
    }
    if !target.content_type.contains('/') || http::HeaderValue::from_str(&target.content_type).is_err() {
        return refuse("content_type", "a link needs a media type such as application/pdf");
    }
    Ok(())
}

impl Links {
    /// Issues a link. The event in the asset's chain is written with it.
    ///
    /// # Errors
    /// `link.invalid` for one that nobody could use; otherwise when the table cannot be reached: then it may have been
    /// issued, but nobody knows its token.
    pub async fn issue(&self, new: &NewLink) -> Result<Issued> {
        let context = self.ledger.context();
        check(new, context.now())?;
        let token = Token::new(context);
        let link = Link {
            id: token.id(),
            target: new.target.clone(),
            valid_until: new.valid_until.as_millisecond(),
            uses: new.uses.map(u32::from),
            used: 0,
            revoked: false,
            audience: new.audience.clone(),
            origin: new.origin.clone(),
        };
        let forgotten = new.valid_until.as_second().saturating_add(REMEMBERED);
        let mut index = keys(&index_pk(&link.origin), link.id.text());
        index.insert("expires_at".to_owned(), number(forgotten));
        let writes = [self.ledger.put_new(record(&link, forgotten)?)?, self.ledger.put_new(index)?];
        let mut detail = vec![("action", "link issued".to_owned()), ("until", new.valid_until.to_string())];
        detail.extend(link.uses.map(|uses| ("uses", uses.to_string())));
        let event = link.event(EventType::PolicyAssignment, context.now(), &link.origin.flow, detail);
        match self.ledger.append_with(&event, &writes).await? {
            Appended::Written(_) => Ok(Issued { token, id: link.id }),
            Appended::Refused(_) => Err(Error::bug("issue link", "128 random bits came up twice")),
        }
    }

    /// Takes a link back. Says whether this call did: false for one that is not known or was taken back before.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn revoke(&self, id: &LinkId, reason: &str) -> Result<bool> {
        let Some(item) = self.item(&pk(id), "record").await? else { return Ok(false) };
        let link = read(id, &item)?;
        if link.revoked {
            return Ok(false);
        }
        let now = self.ledger.context().now();
        let unfinished = |error: aws_sdk_dynamodb::error::BuildError| {
            Error::bug("revoke link", "the transaction is incomplete").source(error)
        };
        let update = Update::builder()
            .table_name(self.ledger.table())
            .set_key(Some(keys(&pk(id), "record")))
            .update_expression("SET revoked_at = :now, revoked_reason = :reason")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(revoked_at)")
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":reason", text(reason))
            .build()
            .map_err(unfinished)?;
        let delete = Delete::builder()
            .table_name(self.ledger.table())
            .set_key(Some(keys(&index_pk(&link.origin), id.text())))
            .build()
            .map_err(unfinished)?;
        let writes = [
            TransactWriteItem::builder().update(update).build(),
            TransactWriteItem::builder().delete(delete).build(),
        ];
        let detail = [("action", "link revoked".to_owned()), ("reason", reason.to_owned())];
        let event = link.event(EventType::PolicyAssignment, now, &link.origin.flow, detail);
        Ok(matches!(self.ledger.append_with(&event, &writes).await?, Appended::Written(_)))
    }

    /// The link with this name, whatever became of it.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn find(&self, id: &LinkId) -> Result<Option<Link>> {
        self.item(&pk(id), "record").await?.map(|item| read(id, &item)).transpose()
    }

    /// Lets a link lead to something else from now on; uses, audience and expiry stay. Says whether this call did:
    /// false when it leads there already, was taken back, or changed meanwhile.
    ///
    /// # Errors
    /// `link.invalid` for a target that nobody could use; otherwise when the table cannot be reached.
    pub async fn retarget(&self, id: &LinkId, target: &Target) -> Result<bool> {
        let Some(item) = self.item(&pk(id), "record").await? else { return Ok(false) };
        let link = read(id, &item)?;
        if link.revoked || link.target == *target {
            return Ok(false);
        }
        check_target(target)?;
        let moved = Link { target: target.clone(), ..link };
        let before = get_text(&item, "link").unwrap_or_default();
        let update = Update::builder()
            .table_name(self.ledger.table())
            .set_key(Some(keys(&pk(id), "record")))
            .update_expression("SET #link = :after")
            .condition_expression("#link = :before AND attribute_not_exists(revoked_at)")
            .expression_attribute_names("#link", "link")
            .expression_attribute_values(":after", text(fixed(&moved)?))
            .expression_attribute_values(":before", text(before))
            .build()
            .map_err(|error| Error::bug("move link", "the transaction is incomplete").source(error))?;
        let writes = [TransactWriteItem::builder().update(update).build()];
        let detail = [("action", "link moved".to_owned())];
        let now = self.ledger.context().now();
        let event = moved.event(EventType::PolicyAssignment, now, &moved.origin.flow, detail);
        Ok(matches!(self.ledger.append_with(&event, &writes).await?, Appended::Written(_)))
    }

    /// Takes back every link that a flow issued for a reference; says how many this call took back.
    ///
    /// # Errors
    /// When the table cannot be reached: some may have been taken back; call it again.
    pub async fn revoke_all(&self, flow: &str, reference: &str, reason: &str) -> Result<usize> {
        let mut revoked = 0;
        for id in self.issued_for(flow, reference).await? {
            revoked += usize::from(self.revoke(&id, reason).await?);
        }
        Ok(revoked)
    }

    /// The links a flow issued for a reference and has not taken back, expired ones included.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn issued_for(&self, flow: &str, reference: &str) -> Result<Vec<LinkId>> {
        let origin = Origin { flow: flow.to_owned(), reference: reference.to_owned(), asset: String::new() };
        let (mut found, mut start) = (Vec::new(), None);
        loop {
            let output = self
                .ledger
                .dynamodb()
                .query()
                .table_name(self.ledger.table())
                .consistent_read(true)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(index_pk(&origin)))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| classify(System::Ledger, "list links", error))?;
            found.extend(output.items().iter().filter_map(|item| get_text(item, "sk")).map(LinkId::stored));
            start = output.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    pub(super) async fn item(&self, pk: &str, sk: &str) -> Result<Option<Item>> {
        let get = self.ledger.dynamodb().get_item().table_name(self.ledger.table());
        let output = get.set_key(Some(keys(pk, sk))).consistent_read(true).send().await;
        Ok(output.map_err(|error| classify(System::Ledger, "read link", error))?.item)
    }
}

fn fixed(link: &Link) -> Result<String> {
    let fixed =
        Fixed { target: link.target.clone(), audience: link.audience.clone(), origin: link.origin.clone() };
    serde_json::to_string(&fixed)
        .map_err(|error| Error::bug("issue link", "a link cannot be written as JSON").source(error))
}

fn record(link: &Link, forgotten: i64) -> Result<Item> {
    let fixed = fixed(link)?;
    let mut item = keys(&pk(&link.id), "record");
    item.insert("link".to_owned(), text(fixed));
    item.insert("valid_until".to_owned(), number(link.valid_until));
    item.insert("used".to_owned(), number(0));
    item.insert("expires_at".to_owned(), number(forgotten));
    if let Some(uses) = link.uses {
        item.insert("uses".to_owned(), number(uses));
    }
    Ok(item)
}
