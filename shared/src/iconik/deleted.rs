//! The recycle bin, which empties itself after the tenant's grace period.

use serde::Deserialize;

use super::{
    Client,
    call::Call,
    page::{Pages, Style},
};

/// Something in the recycle bin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Deleted {
    /// Its id.
    pub id: String,
}

impl Client {
    /// What is in the recycle bin, of `assets` or of `collections`. A listing by page number shifts when somebody restores or
    /// purges meanwhile, and nobody says that it is not behind: read anew, by its id, what is to be acted on.
    pub fn list_deleted(&self, object_type: &str) -> Pages<'_, Deleted> {
        let call = Call::get("list recycle bin", &["assets", "v1", "delete_queue", object_type]);
        Pages::new(self, call, Style::Number).of_everything()
    }
}
