//! Where a package goes: a folder or a business workspace, and the folder in it.

use serde_json::{Map, json};
use shared::{
    error::Error,
    filing::{TargetTemplate, compile, file::TargetSpec, plan},
    iconik::{Collection, MetadataValues},
    mapping::{Diagnostics, Located, Members, PathTemplate, Record, Scope, View, Violation},
};

/// Where packages go.
#[derive(Debug, Clone)]
pub struct Target(TargetTemplate);

fn scope() -> Scope {
    let known = ["id", "title", "external_id", "category"].map(str::to_owned).to_vec();
    Scope::new().with("collection", Members::Only(known)).with("metadata", Members::Any)
}

impl Target {
    pub(super) fn compile(spec: &Located<TargetSpec>, diagnostics: &mut Diagnostics) -> Option<Self> {
        let target = compile::target(spec, &scope(), diagnostics)?;
        if let TargetTemplate::Folder { path, .. } = &target
            && path.names.as_ref().map(PathTemplate::fixed_names).is_none_or(|(_, whole)| whole)
        {
            diagnostics.report(
                spec.span(),
                "shared-folder",
                "packages of several collections would share one folder",
                "let the path tell one from the next, such as `…/{collection.title} ({collection.id})`",
            );
        }
        Some(Self(target))
    }

    /// Where the package of a collection goes. `metadata` is that of the view which says that it is closed.
    ///
    /// # Errors
    /// `production.target-incomplete` when a placeholder has no value.
    pub fn plan(&self, collection: &Collection, metadata: &MetadataValues) -> Result<plan::Target, Error> {
        let mut values = Map::new();
        for (field, held) in metadata.fields() {
            values.extend(held.first().map(|value| (field.to_owned(), value.clone())));
        }
        let facts = json!({
            "id": collection.id, "title": collection.title, "external_id": collection.external_id,
            "category": collection.category,
        });
        let record = Record::new().with("collection", facts).with("metadata", values);
        self.0.render(&View::of(&record)).map_err(|violations| incomplete(&violations))
    }
}

fn incomplete(violations: &[Violation]) -> Error {
    let text: Vec<String> = violations.iter().map(ToString::to_string).collect();
    let error = Error::invalid("production.target-incomplete", text.join("; "));
    let error = match violations.first() {
        Some(first) => error.field(first.field.clone()),
        None => error,
    };
    error.remedy("give the collection what the rule's target is made of, then ask for it again")
}
