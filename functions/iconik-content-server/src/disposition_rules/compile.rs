//! From the rule file as it is written to rules that can be worked with.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use shared::{
    content_server::NodePath,
    mapping::{Diagnostics, Document, Located, Members, Scope, Template, check_name, check_names_differ},
};

use super::{
    CategoryReview, Certificates, DispositionRules, Fields, Outcome, RecordRule, Review, Rule,
    WorkflowReview,
    file::{CertificatesSpec, IconikSpec, OutcomeSpec, RecordSpec, ReviewSpec, RuleSpec, StateName},
};
use crate::view_rules::view_id;

/// How long iconik may take to archive, unless the rule says otherwise.
const ARCHIVE_WITHIN: Duration = Duration::from_secs(48 * 3600);

pub(super) fn compile(text: &str, file: &str) -> Result<DispositionRules, Diagnostics> {
    let (mut document, mut diagnostics) = Document::parse(file, text)?;
    let iconik = table::<IconikSpec>(
        &mut document,
        "iconik",
        "name the metadata view and its fields",
        &mut diagnostics,
    );
    let certificates = table::<CertificatesSpec>(
        &mut document,
        "certificates",
        "name the folder for certificates of destruction",
        &mut diagnostics,
    );
    let told = diagnostics.len();
    let specs = document.list::<RuleSpec>("rule", &mut diagnostics);
    let broken = diagnostics.len() > told;
    let end = document.end();
    document.finish(&mut diagnostics);
    if specs.is_empty() && !broken {
        diagnostics.report(end, "no-rules", "the file has no rules", "add at least one `[[rule]]`");
    }
    let iconik = iconik.and_then(|spec| fields(&spec, &mut diagnostics));
    let certificates = certificates.and_then(|spec| compile_certificates(&spec, &mut diagnostics));
    let specs: Vec<RuleSpec> = specs.into_iter().map(Located::into_value).collect();
    check_names_differ("rules", specs.iter().map(|spec| &spec.name), &mut diagnostics);
    let rules = specs.into_iter().filter_map(|spec| rule(spec, &mut diagnostics)).collect();
    match iconik.zip(certificates) {
        Some((iconik, certificates)) => diagnostics.finish(DispositionRules { iconik, certificates, rules }),
        // Why there is none has been reported.
        None => Err(diagnostics),
    }
}

/// A table that has to be there.
fn table<T: serde::de::DeserializeOwned>(
    document: &mut Document<'_>,
    name: &'static str,
    remedy: &str,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let before = diagnostics.len();
    let found = document.value::<T>(name, diagnostics).map(Located::into_value);
    if found.is_none() && diagnostics.len() == before {
        diagnostics.report(document.end(), "missing-key", format!("the file has no `[{name}]`"), remedy);
    }
    found
}

fn path(place: &Located<String>, diagnostics: &mut Diagnostics) -> Option<NodePath> {
    place
        .value()
        .parse()
        .map_err(|_| {
            diagnostics.report(
                place.span(),
                "bad-path",
                format!("`{}` is not a path in Content Server", place.value()),
                "write `Enterprise:Certificates`, `Categories:Records/Disposition`, `#7001` or `@nickname`",
            );
        })
        .ok()
}

#[allow(
    clippy::option_option,
    reason = "the outer says whether it is in order, the inner whether it is there"
)]
fn maybe_path(place: Option<&Located<String>>, diagnostics: &mut Diagnostics) -> Option<Option<NodePath>> {
    match place {
        None => Some(None),
        Some(place) => path(place, diagnostics).map(Some),
    }
}

fn fields(spec: &IconikSpec, diagnostics: &mut Diagnostics) -> Option<Fields> {
    let before = diagnostics.len();
    let view = view_id(spec.view.value(), &spec.view.span(), diagnostics);
    let further = [&spec.state, &spec.node, &spec.hold].map(Option::as_ref);
    let named = [Some(&spec.status), Some(&spec.outcome)].into_iter().chain(further);
    let mut taken = BTreeSet::new();
    for field in named.flatten() {
        if field.value().trim().is_empty() {
            let remedy = "write the key of the field in iconik, such as `AssetStatus`";
            diagnostics.report(field.span(), "empty-name", "the name is empty", remedy);
        } else if !taken.insert(field.value()) {
            let message = format!("the field `{}` has two meanings", field.value());
            diagnostics.report(field.span(), "field-taken", message, "give each a field of its own");
        }
    }
    if spec.state.is_none()
        && let Some(state) = spec.states.values().next()
    {
        let message = "there is no field for the state";
        diagnostics.report(
            state.span(),
            "no-effect",
            message,
            "name it, `state = \"…\"`, or remove `states`",
        );
    }
    let words = |words: &BTreeMap<Outcome, Located<String>>| {
        words.iter().map(|(outcome, word)| (*outcome, word.value().clone())).collect()
    };
    let states: BTreeMap<StateName, String> =
        spec.states.iter().map(|(state, word)| (*state, word.value().clone())).collect();
    let name = |field: &Option<Located<String>>| field.as_ref().map(|field| field.value().clone());
    let view = view?.to_string();
    (diagnostics.len() == before).then(|| Fields {
        view,
        status: spec.status.value().clone(),
        outcome: spec.outcome.value().clone(),
        state: name(&spec.state),
        node: name(&spec.node),
        hold: name(&spec.hold),
        outcomes: words(&spec.outcomes),
        states,
    })
}

fn compile_certificates(spec: &CertificatesSpec, diagnostics: &mut Diagnostics) -> Option<Certificates> {
    let folder = path(&spec.folder, diagnostics);
    let class = maybe_path(spec.class.as_ref(), diagnostics)?;
    let mut root = folder?;
    let below = root.segments.split_off(root.segments.len().min(1));
    Some(Certificates { root, below, class })
}

fn rule(spec: RuleSpec, diagnostics: &mut Diagnostics) -> Option<Rule> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    let statuses = spec.status.value();
    if statuses.is_empty() || statuses.iter().any(|status| status.trim().is_empty()) {
        let remedy = "name the values of the status field that ask for a decision";
        diagnostics.report(spec.status.span(), "no-status", "the rule is for no status", remedy);
    }
    let record = match &spec.record {
        Some(record) => compile_record(record, diagnostics).map(Some),
        None => Some(None),
    };
    let review = review(&spec.review, &spec.name, diagnostics);
    let decisions = decisions(&spec.review, &spec.name, diagnostics);
    check_outcome(&spec.outcome, &decisions, diagnostics);
    if diagnostics.len() > before {
        return None;
    }
    let texts = |list: &[Located<String>]| list.iter().map(|text| text.value().clone()).collect();
    Some(Rule {
        categories: texts(&spec.category),
        archive_formats: texts(&spec.outcome.archive_formats),
        remove_archived: spec.outcome.remove_archived,
        archive_within: spec
            .outcome
            .archive_within
            .map_or(ARCHIVE_WITHIN, |within| Duration::try_from(within.0).unwrap_or(ARCHIVE_WITHIN)),
        destroy: spec.outcome.destroy,
        name: spec.name.into_value(),
        statuses: spec.status.into_value(),
        record: record?,
        missing_documents: spec.missing_documents,
        review: review?,
        decisions,
    })
}

fn compile_record(spec: &RecordSpec, diagnostics: &mut Diagnostics) -> Option<RecordRule> {
    let class = maybe_path(spec.class.as_ref(), diagnostics)?;
    Some(RecordRule {
        status: spec.status.value().clone(),
        retained: spec.retained.as_ref().map(|status| status.value().clone()),
        class,
    })
}

/// What a title may read of the asset.
fn scope() -> Scope {
    let members = ["id", "title", "category", "status"].map(str::to_owned).to_vec();
    Scope::new().with("asset", Members::Only(members))
}

fn review(spec: &ReviewSpec, rule: &Located<String>, diagnostics: &mut Diagnostics) -> Option<Review> {
    let workflow = [spec.map.as_ref(), spec.title.as_ref(), spec.step.as_ref()];
    let category =
        [spec.category.as_ref(), spec.decision.as_ref(), spec.asked_for.as_ref(), spec.decided_by.as_ref()];
    let is_workflow = workflow.iter().any(Option::is_some) || !spec.attributes.is_empty();
    match (spec, is_workflow, category.iter().any(Option::is_some)) {
        (ReviewSpec { map: Some(map), title: Some(title), step: Some(step), .. }, true, false) => {
            let scope = scope();
            let map = path(map, diagnostics);
            let title = Template::compile(title, &scope, diagnostics);
            let mut attributes = Vec::new();
            for (label, text) in &spec.attributes {
                let text = Template::compile(text, &scope, diagnostics);
                attributes.extend(text.map(|text| (label.clone(), text)));
            }
            Some(Review::Workflow(WorkflowReview {
                map: map?,
                title: title?,
                attributes,
                step: step.value().clone(),
            }))
        }
        (
            ReviewSpec {
                category: Some(category), decision: Some(decision), asked_for: Some(asked_for), ..
            },
            false,
            true,
        ) => {
            let text = |text: &Option<Located<String>>| text.as_ref().map(|text| text.value().clone());
            Some(Review::Category(CategoryReview {
                category: path(category, diagnostics)?,
                decision: decision.value().clone(),
                asked_for: asked_for.value().clone(),
                decided_by: text(&spec.decided_by),
            }))
        }
        _ => {
            diagnostics.report(
                rule.span(),
                "unclear-review",
                format!("the rule `{}` does not say how the decision is asked for", rule.value()),
                "give `map`, `title` and `step` for a workflow, or `category`, `asked_for` and `decision` for a \
                 category, and nothing of the other",
            );
            None
        }
    }
}

fn decisions(
    spec: &ReviewSpec,
    rule: &Located<String>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<Outcome, Vec<String>> {
    let mut taken: BTreeMap<&str, Outcome> = BTreeMap::new();
    let mut decisions = BTreeMap::new();
    for (outcome, words) in &spec.decisions {
        for word in words.value() {
            let other = taken.insert(word.trim(), *outcome);
            if word.trim().is_empty() || other.is_some() {
                let message = format!("`{word}` does not stand for one decision");
                let remedy = "give each decision words of its own";
                diagnostics.report(words.span(), "ambiguous-decision", message, remedy);
            }
        }
        decisions.insert(*outcome, words.value().iter().map(|word| word.trim().to_owned()).collect());
    }
    if taken.is_empty() {
        diagnostics.report(
            rule.span(),
            "no-decisions",
            format!("nothing that the review of `{}` can end with is a decision", rule.value()),
            "name words for `retain`, `archive` or `destroy` under `[rule.review.decisions]`",
        );
    }
    decisions
}

/// What is set for a decision that can never be made is a mistake.
fn check_outcome(
    spec: &OutcomeSpec,
    decisions: &BTreeMap<Outcome, Vec<String>>,
    diagnostics: &mut Diagnostics,
) {
    if let Some(format) = spec.archive_formats.first()
        && !decisions.contains_key(&Outcome::Archive)
    {
        let remedy = "name the words of `archive` among the decisions, or remove `archive_formats`";
        diagnostics.report(format.span(), "no-effect", "nothing is ever archived by this rule", remedy);
    }
    for format in spec.archive_formats.iter().filter(|format| format.value().trim().is_empty()) {
        diagnostics.report(
            format.span(),
            "empty-name",
            "the name is empty",
            "write a name such as `ORIGINAL`",
        );
    }
}
