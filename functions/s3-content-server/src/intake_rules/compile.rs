//! From the file to rules: everything that can be seen to be wrong before an object comes is reported.

use std::collections::BTreeMap;

use shared::mapping::{
    Condition, ConditionSpec, Diagnostics, KeyPattern, Located, Lookups, Mapping, PathTemplate, Scope,
    Template, closest,
};

use super::{
    file::{CategorySpec, LimitsSpec, NameOrId, ReviewSpec, RuleSpec, TargetSpec, Verify, WorkspaceSpec},
    permissions::PermissionPlan,
    plan::{After, Limits, Reference, Root},
    rule::{
        BucketPattern, IntakeRule, ReferenceTemplate, ReviewTemplate, RootedTemplate, TargetTemplate,
        WorkspaceTemplate,
    },
    upload,
};

/// What rules refer to by name.
pub(super) struct Named {
    pub(super) lookups: Lookups,
    /// A template that could not be read has a name and nothing else.
    pub(super) permissions: BTreeMap<String, Option<PermissionPlan>>,
}

/// Compiles one rule.
pub(super) fn rule(
    spec: &Located<RuleSpec>,
    named: &Named,
    diagnostics: &mut Diagnostics,
) -> Option<IntakeRule> {
    let line = diagnostics.line_of(&spec.span());
    let spec = spec.value();
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    let keys = key_patterns(spec, diagnostics);
    let scope = upload::scope(&keys, spec.sidecar);
    let bucket = bucket(spec.bucket.as_ref(), diagnostics);
    let when = conditions(&spec.when, &scope, diagnostics);
    let target = target(&spec.target, &scope, diagnostics);
    let span = spec.name.span();
    let default_name = Located::new("{object.name}".to_owned(), span);
    let name = spec.document.name.as_ref().unwrap_or(&default_name);
    let document_name = Template::compile(name, &scope, diagnostics);
    let document_description =
        spec.document.description.as_ref().and_then(|text| Template::compile(text, &scope, diagnostics));
    let categories = categories(&spec.category, named, &scope, diagnostics);
    let permissions = permissions(spec.permissions.as_ref(), named, diagnostics);
    let classification =
        spec.classification.as_ref().and_then(|reference| reference_template(reference, &scope, diagnostics));
    let review = spec.review.as_ref().and_then(|review| self::review(review, named, &scope, diagnostics));
    let limits = limits(&spec.limits, diagnostics);
    let after = after(spec.after.as_ref(), &limits, diagnostics);
    if diagnostics.len() > before {
        return None;
    }
    let mut rule = IntakeRule {
        name: spec.name.value().clone(),
        line,
        bucket,
        keys,
        when,
        sidecar: spec.sidecar,
        target: target?,
        document_name: document_name?,
        document_description,
        existing: spec.existing,
        categories,
        permissions,
        classification,
        review,
        after,
        limits,
        paths: Vec::new(),
    };
    rule.paths = paths(&rule);
    Some(rule)
}

/// What can only be seen of all rules together.
pub(super) fn across(rules: &[(Located<String>, IntakeRule)], diagnostics: &mut Diagnostics) {
    for (index, (name, rule)) in rules.iter().enumerate() {
        for (earlier_name, earlier) in rules.iter().take(index) {
            if earlier_name.value() == name.value() {
                diagnostics.report(
                    name.span(),
                    "duplicate-rule",
                    format!("the name `{}` is already taken on line {}", name.value(), earlier.line),
                    "give each rule its own name",
                );
            }
        }
        if let Some((_, earlier)) = rules.iter().take(index).find(|(_, earlier)| earlier.covers(rule)) {
            diagnostics.report(
                name.span(),
                "unreachable-rule",
                format!(
                    "the rule `{}` can never win: the rule `{}` on line {} takes every object it could take",
                    rule.name, earlier.name, earlier.line
                ),
                "put the narrower rule first, or give the earlier one a `when`",
            );
        }
        if let After::Move(prefix) = &rule.after
            && let Some(again) = moved_into(prefix, rule, rules)
        {
            diagnostics.report(
                name.span(),
                "moves-in-a-circle",
                format!("objects moved to `{prefix}` would be taken up again by the rule `{}`", again.name),
                "move them to a prefix that no rule takes",
            );
        }
    }
}

/// The rule that would take a moved object, tried with a key of the rule's own form.
fn moved_into<'a>(
    prefix: &str,
    rule: &IntakeRule,
    rules: &'a [(Located<String>, IntakeRule)],
) -> Option<&'a IntakeRule> {
    let bare =
        |pattern: &KeyPattern| pattern.render(&pattern.names().into_iter().map(|name| (name, "x")).collect());
    let moved: Vec<String> =
        rule.keys.iter().filter_map(|pattern| Some(format!("{prefix}{}", bare(pattern)?))).collect();
    rules.iter().map(|(_, other)| other).find(|other| {
        (other.bucket.covers(&rule.bucket) || rule.bucket.covers(&other.bucket))
            && moved.iter().any(|key| other.keys.iter().any(|pattern| pattern.matches(key).is_ok()))
    })
}

fn check_name(name: &Located<String>, diagnostics: &mut Diagnostics) {
    let allowed =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    if name.value().is_empty() || name.value().len() > 64 || !name.value().chars().all(allowed) {
        diagnostics.report(
            name.span(),
            "bad-rule-name",
            format!("`{}` is not a name for a rule", name.value()),
            "use 1 to 64 lower-case letters, digits and `-`",
        );
    }
}

fn key_patterns(spec: &RuleSpec, diagnostics: &mut Diagnostics) -> Vec<KeyPattern> {
    let before = diagnostics.len();
    let span = spec.key.span();
    let texts = spec.key.value().list();
    let patterns: Vec<KeyPattern> = texts
        .iter()
        .filter_map(|text| {
            KeyPattern::compile(&Located::new(text.clone(), span.clone()), &spec.captures, diagnostics)
        })
        .collect();
    if texts.is_empty() {
        diagnostics.report(span, "no-key-pattern", "`key` lists no patterns", "write at least one pattern");
    }
    if diagnostics.len() > before {
        return patterns;
    }
    for (name, constraint) in &spec.captures {
        let known: Vec<&str> = patterns.iter().flat_map(KeyPattern::names).collect();
        if !known.contains(&name.as_str()) {
            let remedy = match closest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write `{{{name}}}` in the key pattern, or remove the expression"),
            };
            diagnostics.report(
                constraint.span(),
                "unknown-capture",
                format!("`captures.{name}` constrains a capture that the key pattern does not have"),
                remedy,
            );
        }
    }
    patterns
}

fn bucket(spec: Option<&Located<String>>, diagnostics: &mut Diagnostics) -> BucketPattern {
    let Some(spec) = spec else { return BucketPattern::Any };
    let (suffix, rest) = match spec.value().strip_prefix('*') {
        Some(rest) => (true, rest),
        None => (false, spec.value().as_str()),
    };
    if rest.is_empty() || rest.contains('*') {
        diagnostics.report(
            spec.span(),
            "bad-bucket",
            format!("`{}` is not a bucket", spec.value()),
            "write a bucket's name, or `*` and the end of a name; leave `bucket` out for every bucket",
        );
    }
    if suffix { BucketPattern::Suffix(rest.to_owned()) } else { BucketPattern::Name(rest.to_owned()) }
}

fn conditions(specs: &[ConditionSpec], scope: &Scope, diagnostics: &mut Diagnostics) -> Vec<Condition> {
    specs.iter().filter_map(|spec| Condition::compile(spec, scope, diagnostics)).collect()
}

fn target(
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

fn categories(
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
                if let Some(expected) =
                    names.iter().find_map(|name| shared::mapping::check_segment(name).err())
                {
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

fn permissions(
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

fn reference_template(
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

fn review(
    spec: &ReviewSpec,
    named: &Named,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Option<ReviewTemplate> {
    let default_title = Located::new("{object.name}".to_owned(), spec.workflow.span());
    let title = Template::compile(spec.title.as_ref().unwrap_or(&default_title), scope, diagnostics);
    Some(ReviewTemplate {
        workflow: Reference::from(spec.workflow.value()),
        attributes: Mapping::compile(&spec.attributes, &[], &named.lookups, scope, diagnostics),
        when: conditions(&spec.when, scope, diagnostics),
        title: title?,
    })
}

fn limits(spec: &LimitsSpec, diagnostics: &mut Diagnostics) -> Limits {
    let mut content_types = Vec::new();
    if let Some(listed) = &spec.content_types {
        for text in listed.value() {
            let lower = text.to_lowercase();
            let well_formed = lower.split_once('/').is_some_and(|(family, kind)| {
                !family.is_empty() && !kind.is_empty() && !family.contains('*') && !lower.contains([' ', ';'])
            });
            if !well_formed {
                diagnostics.report(
                    listed.span(),
                    "bad-content-type",
                    format!("`{text}` is not a media type"),
                    "write media types such as `application/pdf`, or `image/*`",
                );
            }
            content_types.push(lower);
        }
        if listed.value().is_empty() {
            diagnostics.report(
                listed.span(),
                "never-true",
                "`content_types` lists nothing, so nothing would be accepted",
                "list media types, or leave `content_types` out to accept all",
            );
        }
    }
    Limits {
        max_size: spec.max_size.unwrap_or(Limits::DEFAULT_MAX_SIZE),
        allow_empty: spec.allow_empty,
        content_types,
        check_content: spec.check_content.unwrap_or(true),
        verify: spec.verify,
    }
}

fn after(spec: Option<&Located<After>>, limits: &Limits, diagnostics: &mut Diagnostics) -> After {
    let Some(spec) = spec else { return After::Tag };
    match spec.value() {
        After::Delete if limits.verify != Verify::ReadBack => diagnostics.report(
            spec.span(),
            "unsafe-delete",
            "the object would be deleted although its document was not read back",
            "remove `limits.verify`, or keep the object",
        ),
        After::Move(prefix) if prefix.is_empty() || prefix.starts_with('/') || !prefix.ends_with('/') => {
            diagnostics.report(
                spec.span(),
                "bad-prefix",
                format!("`{prefix}` is not a prefix to move objects to"),
                "write a prefix that ends in `/` and does not begin with it, such as `delivered/`",
            );
        }
        _ => {}
    }
    spec.value().clone()
}

fn paths(rule: &IntakeRule) -> Vec<String> {
    let mut paths: Vec<&str> = rule.when.iter().map(Condition::field).collect();
    for (_, mapping) in &rule.categories {
        paths.extend(mapping.paths());
    }
    paths.extend(rule.document_name.paths());
    paths.extend(rule.document_description.iter().flat_map(Template::paths));
    if let Some(ReferenceTemplate::Path(path)) = &rule.classification {
        paths.extend(path.paths());
    }
    if let Some(review) = &rule.review {
        paths.extend(review.title.paths());
        paths.extend(review.attributes.paths());
        paths.extend(review.when.iter().map(Condition::field));
    }
    match &rule.target {
        TargetTemplate::Folder { path, .. } => {
            paths.extend(path.names.iter().flat_map(PathTemplate::paths));
        }
        TargetTemplate::Workspace(workspace) => {
            paths.extend(workspace.business_object.iter().flat_map(|(_, _, id)| id.paths()));
            paths.extend(workspace.name.iter().flat_map(Template::paths));
            paths.extend(workspace.folder.iter().flat_map(PathTemplate::paths));
            let location = workspace.location.iter().filter_map(|location| location.names.as_ref());
            paths.extend(location.flat_map(PathTemplate::paths));
        }
    }
    paths.sort_unstable();
    paths.dedup();
    paths.into_iter().map(str::to_owned).collect()
}
