//! From the file to rules: everything that can be seen to be wrong before an object comes is reported.

use shared::{
    filing::{
        ReferenceTemplate,
        compile::{Named, categories, permissions, reference_template, target},
    },
    mapping::{
        Condition, ConditionSpec, Diagnostics, KeyPattern, Located, Mapping, Scope, Template, closest,
    },
};

use super::{
    file::{LimitsSpec, ReviewSpec, RuleSpec, Verify},
    plan::{After, Limits, Reference},
    rule::{BucketPattern, IntakeRule, ReviewTemplate},
    upload,
};

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
    paths.extend(rule.target.paths());
    paths.sort_unstable();
    paths.dedup();
    paths.into_iter().map(str::to_owned).collect()
}
