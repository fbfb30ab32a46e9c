//! Holding an asset while it is changed. A lock is the user's, not the caller's: who calls with the same user is not kept out
//! by it, so one that is held by our own user is left alone as well, as long as it is young.

use std::time::Duration;

use super::{
    Client,
    asset::Asset,
    assets::Load,
    call::Call,
    error::{CONFLICT, LOCKED, failure},
    ids::AssetId,
    session::milliseconds,
    wire,
};
use crate::error::{Error, FailureClass, Result};

const OPERATION: &str = "lock asset";
/// What was to be done is done, and the asset could not be unlocked. Doing it again finds it done and unlocks, once the lock
/// is so old that it cannot be that of another process.
pub const LEFT_LOCKED: &str = "otmm.left-locked";

impl Client {
    /// Holds an asset, waiting for whoever holds it as long as the settings say.
    ///
    /// # Errors
    /// [`LOCKED`] (`Conflict`).
    pub(super) async fn acquire(&self, id: &AssetId) -> Result<()> {
        let patience = milliseconds(self.settings.editing.lock_patience_seconds);
        let began = self.now_milliseconds();
        let own = self.own_id().await?;
        let mut round = 0;
        loop {
            let outcome = match self.young_lock_of(own.as_deref(), id).await? {
                Some(error) => Err(error),
                None => self.lock(id).await,
            };
            let error = match outcome {
                Ok(()) => return Ok(()),
                Err(error) if matches!(error.code(), LOCKED | CONFLICT) => error,
                Err(error) => {
                    if matches!(error.class(), FailureClass::Transient | FailureClass::UnknownOutcome) {
                        // It may be held, by us; nobody else is to wait for that.
                        let _ = self.unlock(id).await;
                    }
                    return Err(error);
                }
            };
            round += 1;
            let pause = Duration::from_millis(500 << u32::min(round, 4));
            if self.now_milliseconds().saturating_sub(began) >= patience {
                return Err(error.with_class(FailureClass::Conflict).with_code(LOCKED));
            }
            let context = self.http.context();
            context.sleep(pause / 2 + context.jitter(pause / 2)).await;
        }
    }

    /// The id of our user: as the session says, or, where only a token is shown, as the server says when asked.
    pub(super) async fn own_id(&self) -> Result<Option<String>> {
        if let Some(id) = self.login().await?.id {
            return Ok(Some(id));
        }
        let call = Call::get("ask for the user", &["users", "me"]);
        let user = self.ask_for(&call, "/user_resource/user").await?;
        Ok(wire::text(&user, "user_id").or_else(|| wire::text(&user, "id")))
    }

    /// Lets go of an asset, whatever came of what was done with it.
    pub(super) async fn release<T>(&self, id: &AssetId, outcome: Result<T>) -> Result<T> {
        match (self.unlock(id).await, outcome) {
            (Ok(()), outcome) => outcome,
            (Err(_), Err(error)) => Err(error),
            (Err(error), Ok(_)) => {
                let error = error.with_class(FailureClass::Transient).with_code(LEFT_LOCKED);
                Err(error.not_before(Duration::from_secs(self.settings.editing.own_lock_seconds)))
            }
        }
    }

    /// A failure when our own user has held it for a short time.
    async fn young_lock_of(&self, own: Option<&str>, id: &AssetId) -> Result<Option<Error>> {
        let asset = self.get_asset(id, Load::State).await?;
        let is_ours = own.is_some() && asset.locked_by.as_deref() == own;
        if !asset.is_locked || !is_ours || self.is_left_behind(&asset) {
            return Ok(None);
        }
        let message = "another process of our own user holds the asset";
        Ok(Some(failure(FailureClass::Conflict, OPERATION, LOCKED, message)))
    }

    fn is_left_behind(&self, asset: &Asset) -> bool {
        let most = milliseconds(self.settings.editing.own_lock_seconds);
        asset
            .locked_since
            .is_some_and(|since| self.now_milliseconds().saturating_sub(since.as_millisecond()) >= most)
    }
}
