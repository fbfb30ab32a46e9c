//! Users and groups, found by name once per process.

use shared::{
    content_server::{MemberKind, NodeId},
    error::{Error, Result},
};

use super::IngestUploads;

impl IngestUploads {
    /// A member the rules name: that it is missing is a fault of the configuration.
    pub(super) async fn member(&self, kind: MemberKind, name: &str) -> Result<i64> {
        let place = format!("member {kind:?} {name}");
        if let Some(known) = self.places.get(&place) {
            return Ok(known.0);
        }
        let found = self.content_server.resolve_member(kind, name).await?.id;
        self.places.put(place, NodeId(found));
        Ok(found)
    }

    /// A user the metadata names: that it is missing is a fault of the input.
    pub(super) async fn user(&self, field: &str, login: &str) -> Result<i64> {
        let place = format!("member {:?} {login}", MemberKind::User);
        if let Some(known) = self.places.get(&place) {
            return Ok(known.0);
        }
        let found = self.content_server.find_member(MemberKind::User, login).await?.ok_or_else(|| {
            Error::invalid("value.unknown-user", "no user of this login name is known in the target")
                .field(field)
                .remedy("correct the name in the metadata, or create the user")
        })?;
        self.places.put(place, NodeId(found.id));
        Ok(found.id)
    }
}
