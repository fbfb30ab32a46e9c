//! The words of filing rules and what is made of them, without the client that files.

#[path = "../../../shared/src/filing/compile.rs"]
pub mod compile;
#[path = "../../../shared/src/filing/file.rs"]
pub mod file;
#[path = "../../../shared/src/filing/permissions.rs"]
pub mod permissions;
#[path = "../../../shared/src/filing/plan.rs"]
pub mod plan;
#[path = "../../../shared/src/filing/template.rs"]
mod template;

pub use self::{
    file::{Existing, Verify},
    plan::FilingPlan,
    template::{FilingRule, ReferenceTemplate, RootedTemplate, TargetTemplate, WorkspaceTemplate},
};
