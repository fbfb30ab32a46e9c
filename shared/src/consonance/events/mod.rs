//! What is told to us about an account of Consonance. It has no webhooks of its own; this is the contract for whoever tells:
//! a script with a timer, an integration platform, a person's upload tool. It travels by Standard Webhooks
//! ([`crate::webhook`]): the signature is checked over the bytes before anything here reads them.
//!
//! An event is a hint. It names a record and its revision; what is acted on is read anew.

mod data;
mod examples;
mod reading;
mod schema;
#[cfg(test)]
mod tests;

pub use self::{
    data::{
        About, Contract, DocumentLink, FileReference, Manuscript, Milestone, MilestoneKind, Payment,
        ProductionFile, ReviewPackage, Right, Rights, Title,
    },
    examples::examples,
    reading::{Details, Event, Fault, LARGEST_BODY, Received},
    schema::schema,
};

/// Every type of event, with what its data has beside the record it is about.
macro_rules! kinds {
    ($($(#[$about:meta])+ $kind:ident = $name:literal, $details:ident ($data:ident);)+) => {
        /// A type of event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$about])+ $kind,)+
        }

        impl Kind {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// As it is written.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// Reads what its data has beside the record it is about.
            fn details(self, data: &serde_json::Value) -> Result<Details, Fault> {
                match self {
                    $(Self::$kind => reading::part::<$data>(data).map(Details::$details),)+
                }
            }

            /// The schema of that.
            fn schema(self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                match self {
                    $(Self::$kind => generator.subschema_for::<$data>(),)+
                }
            }
        }
    };
}

kinds! {
    /// A manuscript came.
    ManuscriptSubmitted = "manuscript.submitted", Manuscript(Manuscript);
    /// A manuscript came again.
    ManuscriptRevised = "manuscript.revised", Manuscript(Manuscript);
    /// A contract was made.
    ContractCreated = "contract.created", Contract(Contract);
    /// A contract was changed.
    ContractUpdated = "contract.updated", Contract(Contract);
    /// A contract was signed.
    ContractSigned = "contract.signed", Contract(Contract);
    /// A contract ended.
    ContractTerminated = "contract.terminated", Contract(Contract);
    /// Rights were changed.
    RightsUpdated = "rights.updated", Rights(Rights);
    /// A package for an editorial review is ready.
    ReviewPackageReady = "review.package_ready", ReviewPackage(ReviewPackage);
    /// A production file was approved.
    ProductionFileApproved = "production.file_approved", ProductionFile(ProductionFile);
    /// A title was made.
    TitleCreated = "title.created", Title(Title);
    /// A title was changed.
    TitleUpdated = "title.updated", Title(Title);
    /// A title is gone.
    TitleDeleted = "title.deleted", Title(Title);
    /// A royalty statement was issued.
    RoyaltyStatementIssued = "royalty.statement_issued", Payment(Payment);
    /// A payment is due.
    PaymentScheduled = "payment.scheduled", Payment(Payment);
    /// A milestone was reached.
    MilestoneReached = "milestone.reached", Milestone(Milestone);
    /// Somebody wants a link to a document.
    DocumentLinkRequested = "document.link_requested", DocumentLink(DocumentLink);
}
