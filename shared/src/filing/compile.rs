//! From the words of a rule file to templates: everything that can be seen to be wrong before a content comes is reported.

use std::collections::BTreeMap;

use super::{
    file::{CategorySpec, DocumentSpec, Existing, NameOrId, TargetSpec, WorkspaceSpec},
    permissions::PermissionPlan,
    plan::{Reference, Root},
    template::{FilingRule, ReferenceTemplate, RootedTemplate, TargetTemplate, WorkspaceTemplate},
};
use crate::mapping::{
    Diagnostics, Located, Lookups, Mapping, PathTemplate, Scope, Template, check_segment, closest,
};

/// What rules refer to by name.
#[derive(Debug, Clone, Default)]
pub struct Named {
    /// Lookup tables.
    pub lookups: Lookups,
    /// Permission templates. One that could not be read has a name and nothing else.
    pub permissions: BTreeMap<String, Option<PermissionPlan>>,
}

/// What a rule file says of documents of a rule.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// Where they go.
    pub target: &'a Located<TargetSpec>,
    /// What they are called.
    pub document: &'a DocumentSpec,
    /// What they are called where the rule does not say.
    pub usual_name: &'a Located<String>,
    /// What happens when a document of that name is already there.
    pub existing: Existing,
    /// Their categories.
    pub categories: &'a [CategorySpec],
    /// The name of their permission template.
    pub permissions: Option<&'a Located<String>>,
    /// Their classification.
    pub classification: Option<&'a Located<NameOrId>>,
}

/// Compiles what a rule says of its documents.
pub fn filing(
    words: Words<'_>,
    named: &Named,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Option<FilingRule> {
    let before = diagnostics.len();
    let target = target(words.target, scope, diagnostics);
    let name = words.document.name.as_ref().unwrap_or(words.usual_name);
    let name = Template::compile(name, scope, diagnostics);
    let description = words.document.description.as_ref();
    let description = description.and_then(|text| Template::compile(text, scope, diagnostics));
    let categories = categories(words.categories, named, scope, diagnostics);
    let permissions = permissions(words.permissions, named, diagnostics);
    let classification = words.classification;
    let classification =
        classification.and_then(|reference| reference_template(reference, scope, diagnostics));
    if diagnostics.len() > before {
        return None;
    }
    Some(FilingRule {
        target: target?,
        name: name?,
        description,
        existing: words.existing,
        categories,
        permissions,
        classification,
    })
}

/// Compiles a target.
pub fn target(
    spec: &Located<TargetSpec>,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Option<TargetTemplate> {
    match (&spec.value().folder, &spec.value().workspace) {
        (Some(folder), None) => {
            let path = rooted(folder, scope, diagnostics)?;
            Some(TargetTemplate::Folder { path, create: spec.value().create })
        }
        (None, Some(workspace_spec)) => {
            if spec.value().create {
                diagnostics.report(
                    spec.span(),
                    "no-effect",
                    "`target.create` is for folders",
                    "write `create = true` inside the workspace",
                );
            }
            workspace(workspace_spec, scope, diagnostics)
        }
        (folder, _) => {
            let found = if folder.is_some() { "both" } else { "neither" };
            diagnostics.report(
                spec.span(),
                "unclear-target",
                format!("expected either `folder` or `workspace` in `target`, found {found}"),
                "keep exactly one of the two",
            );
            None
        }
    }
}

fn workspace(
    spec: &Located<WorkspaceSpec>,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Option<TargetTemplate> {
    let span = spec.span();
    let spec = spec.value();
    if spec.business_object.is_none() && spec.name.is_none() {
        diagnostics.report(
            span,
            "unclear-workspace",
            "nothing says which workspace of the type is meant",
            "add `business_object = { … }`, or `name = \"…\"`",
        );
    }
    if let Some(location) = spec.location.as_ref().filter(|_| !spec.create) {
        diagnostics.report(
            location.span(),
            "no-effect",
            "`location` says where the workspace is created, but it never is",
            "add `create = true`, or remove `location`",
        );
    }
    let before = diagnostics.len();
    let business_object = spec.business_object.as_ref().and_then(|object| {
        let id = Template::compile(&object.id, scope, diagnostics)?;
        Some((object.system.value().clone(), object.kind.value().clone(), id))
    });
    let name = spec.name.as_ref().and_then(|name| Template::compile(name, scope, diagnostics));
    let location = spec.location.as_ref().and_then(|location| rooted(location, scope, diagnostics));
    let folder = spec.folder.as_ref().and_then(|folder| PathTemplate::compile(folder, scope, diagnostics));
    if diagnostics.len() > before {
        return None;
    }
    Some(TargetTemplate::Workspace(Box::new(WorkspaceTemplate {
        kind: spec.kind.value().clone(),
        business_object,
        name,
        template: spec.template.as_ref().map(|template| Reference::from(template.value())),
        create: spec.create,
        location,
        folder,
    })))
}

/// A path such as `Enterprise:Claims/{capture.claim_id}` or `7001:Inbox`.
fn rooted(text: &Located<String>, scope: &Scope, diagnostics: &mut Diagnostics) -> Option<RootedTemplate> {
    let split = text.value().split_once(':');
    let root = split.and_then(|(volume, _)| match volume {
        "Enterprise" => Some(Root::Enterprise),
        id => id.parse().ok().map(Root::Node),
    });
    let (Some(root), Some((_, path))) = (root, split) else {
        diagnostics.report(
            text.span(),
            "bad-folder",
            format!("`{}` does not say where the path begins", text.value()),
            "begin with `Enterprise:` or with the id of a folder and a colon, such as `7001:Inbox`",
        );
        return None;
    };
    if path.is_empty() {
        return Some(RootedTemplate { root, names: None });
    }
    let path = Located::new(path.to_owned(), text.span());
    PathTemplate::compile(&path, scope, diagnostics).map(|names| RootedTemplate { root, names: Some(names) })
}

/// Compiles categories with their fields.
pub fn categories(
    specs: &[CategorySpec],
    named: &Named,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Vec<(Reference, Mapping)> {
    let mut compiled: Vec<(Reference, Mapping)> = Vec::new();
    for spec in specs {
        let mapping = Mapping::compile(&spec.fields, &spec.rows, &named.lookups, scope, diagnostics);
        let (reference, span) = match (&spec.path, &spec.id) {
            (Some(path), None) => {
                let names: Vec<String> = path.value().split('/').map(str::to_owned).collect();
                if let Some(expected) = names.iter().find_map(|name| check_segment(name).err()) {
                    diagnostics.report(
                        path.span(),
                        "bad-category",
                        format!("the path of the category has a part that is not {expected}"),
                        "write the path below the categories volume, such as `Claims/Claim Evidence`",
                    );
                }
                (Reference::Path(names), path.span())
            }
            (None, Some(id)) => (Reference::Id(*id.value()), id.span()),
            (path, id) => {
                let span = path.as_ref().map(Located::span).or(id.as_ref().map(Located::span));
                let span = span.or(spec.fields.first().map(|field| field.to.span())).unwrap_or_default();
                diagnostics.report(
                    span,
                    "unclear-category",
                    "expected either `path` or `id` for the category",
                    "keep exactly one of the two",
                );
                continue;
            }
        };
        if compiled.iter().any(|(other, _)| *other == reference) {
            diagnostics.report(
                span,
                "duplicate-category",
                format!("the rule fills the category `{reference}` twice"),
                "put all its fields into one `[[rule.category]]`",
            );
        }
        compiled.push((reference, mapping));
    }
    compiled
}

/// Looks a permission template up by its name.
pub fn permissions(
    name: Option<&Located<String>>,
    named: &Named,
    diagnostics: &mut Diagnostics,
) -> Option<PermissionPlan> {
    let name = name?;
    if let Some(template) = named.permissions.get(name.value()) {
        return template.clone();
    }
    let remedy = match closest(name.value(), named.permissions.keys().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add a table `[permission_templates.{}]`", name.value()),
    };
    let message = format!("there is no permission template `{}`", name.value());
    diagnostics.report(name.span(), "unknown-permission-template", message, remedy);
    None
}

/// Compiles a reference to a node.
pub fn reference_template(
    reference: &Located<NameOrId>,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Option<ReferenceTemplate> {
    match reference.value() {
        NameOrId::Id(id) => Some(ReferenceTemplate::Id(*id)),
        NameOrId::Name(path) => {
            let path = Located::new(path.clone(), reference.span());
            PathTemplate::compile(&path, scope, diagnostics).map(ReferenceTemplate::Path)
        }
    }
}
