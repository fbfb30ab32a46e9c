//! Removing a whole document, on the decision of whoever answers for the records. As for a reduction, only a permit
//! removes, and it is asked for last.

use super::{
    Client, NOT_ACCESSIBLE, RECORD_STATE, RESERVED,
    call::Call,
    node::NodeId,
    reduction::{OfficialRecords, ReductionRefused},
};
use crate::error::{FailureClass, Result};

/// What may be done now, once: remove one document.
#[derive(Debug)]
pub struct RemovalPermit {
    node: NodeId,
}

impl Client {
    /// Whether a document may be removed at this moment: nothing about it speaks against that, neither a reservation nor a
    /// hold on it or on a container it is in, nor its record state unless the policy says so. Ask immediately before
    /// [`Client::remove_document`].
    ///
    /// # Errors
    /// As any call: "not known" is never taken for "may".
    pub async fn may_remove(
        &self,
        node: NodeId,
        official_records: OfficialRecords,
    ) -> Result<std::result::Result<RemovalPermit, ReductionRefused>> {
        Ok(match self.untouchable(node, official_records).await? {
            Some(why) => Err(why),
            None => Ok(RemovalPermit { node }),
        })
    }

    /// Removes the document a permit was given for; where the recycle bin is on, into it. The call is not repeated by
    /// itself: between two calls things may have changed.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: look whether it is there, and ask again before trying again.
    pub async fn remove_document(
        &self,
        permit: RemovalPermit,
    ) -> Result<std::result::Result<(), ReductionRefused>> {
        let call = Call::delete("remove a document", format!("/v2/nodes/{}", permit.node)).once();
        match self.tell(&call).await {
            Ok(()) => Ok(Ok(())),
            Err(error) if error.code() == NOT_ACCESSIBLE || error.class() == FailureClass::Gone => Ok(Ok(())),
            Err(error) if error.code() == RESERVED => Ok(Err(ReductionRefused::Reserved)),
            Err(error) if error.code() == RECORD_STATE => Ok(Err(ReductionRefused::ByServer)),
            Err(error) => Err(error),
        }
    }
}
