//! From the file to data sets: everything that can be seen to be wrong before a run is reported.

use shared::{
    content_server::NodePath,
    mapping::{Diagnostics, Located, Lookups, Mapping, Members, Scope, Template},
};

use super::{
    Audience, DataSet, Forbid, ForbiddenValue, Text, Values,
    file::{DataSetSpec, Find, ForbidSpec, ResultsSpec, TextSpec, ValueSpec, ValuesSpec},
};
use crate::{
    intake_rules::HumanSize,
    rule_words::{check_name, path},
};

const OVERLAP_MINUTES: u32 = 60;
const LARGEST: u64 = 1 << 30;
const LARGEST_TEXT: u64 = 20 << 20;

pub(super) fn data_set(
    spec: DataSetSpec,
    lookups: &Lookups,
    diagnostics: &mut Diagnostics,
) -> Option<DataSet> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    let within = path(&spec.within, diagnostics);
    if let (Find::Walk, Some(query)) = (spec.find, &spec.query) {
        diagnostics.report(
            query.span(),
            "query-without-search",
            "only a search can have a query",
            "remove `query`, or `find = \"walk\"`",
        );
    }
    for (name, query) in &spec.queries {
        if name.trim().is_empty() || query.value().trim().is_empty() {
            diagnostics.report(
                query.span(),
                "empty-query",
                "a saved query needs a name and an expression",
                "write both, or remove the line",
            );
        }
    }
    let audience = audience(&spec.readable_by, diagnostics);
    let forbid = forbid(spec.forbid, diagnostics);
    let fields = Mapping::compile(&spec.fields, &[], lookups, &scope(), diagnostics);
    let (values, text) = results(spec.results, lookups, diagnostics);
    if diagnostics.len() > before {
        return None;
    }
    Some(DataSet {
        name: spec.name.into_value(),
        within: within?,
        find: spec.find,
        query: spec.query.map(Located::into_value).filter(|query| !query.trim().is_empty()),
        queries: spec.queries.into_iter().map(|(name, query)| (name, query.into_value())).collect(),
        overlap_minutes: spec.overlap_minutes.map_or(OVERLAP_MINUTES, Located::into_value),
        versions: spec.versions,
        content_types: spec.content_types.map(Located::into_value).unwrap_or_default(),
        max_size: spec.max_size.map_or(LARGEST, HumanSize::as_bytes),
        audience,
        forbid,
        fields,
        values,
        text,
    })
}

/// What the manifest may be told of a document.
fn scope() -> Scope {
    let only = |names: &[&str]| Members::Only(names.iter().map(|&name| name.to_owned()).collect());
    Scope::new()
        .with("category", Members::Any)
        .with("node", only(&["id", "name", "description", "path", "created", "modified"]))
        .with("version", only(&["number", "label", "file_name", "media_type", "size", "created"]))
}

fn audience(spec: &Located<Vec<String>>, diagnostics: &mut Diagnostics) -> Audience {
    let mut audience = Audience::default();
    for name in spec.value() {
        match name.as_str() {
            "service-user" => audience.service_user = true,
            "public" => audience.public = true,
            group => audience.groups.push(group.to_owned()),
        }
    }
    if audience == Audience::default() {
        diagnostics.report(
            spec.span(),
            "no-audience",
            "nobody may read this data set, so nothing can be in it",
            "name at least one group, `\"public\"` or `\"service-user\"`",
        );
    }
    audience
}

fn forbid(spec: ForbidSpec, diagnostics: &mut Diagnostics) -> Forbid {
    let mut paths = |places: &[Located<String>]| -> Vec<NodePath> {
        places.iter().filter_map(|place| path(place, diagnostics)).collect()
    };
    let classifications = paths(&spec.classifications);
    let record_classes = paths(&spec.record_classes);
    Forbid {
        classifications,
        record_classes,
        official_records: spec.official_records,
        held: spec.held,
        values: spec.value.into_iter().filter_map(|value| forbidden(value, diagnostics)).collect(),
    }
}

fn forbidden(spec: ValueSpec, diagnostics: &mut Diagnostics) -> Option<ForbiddenValue> {
    if spec.one_of.value().is_empty() && !spec.or_missing {
        diagnostics.report(
            spec.one_of.span(),
            "no-values",
            "a list without values forbids nothing",
            "name the values, or set `or_missing = true`",
        );
    }
    Some(ForbiddenValue {
        category: path(&spec.category, diagnostics)?,
        attribute: spec.attribute.into_value(),
        one_of: spec.one_of.into_value().iter().map(|value| value.trim().to_lowercase()).collect(),
        or_missing: spec.or_missing,
    })
}

fn results(
    spec: ResultsSpec,
    lookups: &Lookups,
    diagnostics: &mut Diagnostics,
) -> (Option<Values>, Option<Text>) {
    let values = spec.values.and_then(|values| self::values(values, lookups, diagnostics));
    (values, spec.text.and_then(|text| self::text(text, diagnostics)))
}

fn values(spec: ValuesSpec, lookups: &Lookups, diagnostics: &mut Diagnostics) -> Option<Values> {
    let scope = Scope::new().with("result", Members::Any);
    let fields = Mapping::compile(&spec.fields, &[], lookups, &scope, diagnostics);
    if spec.fields.is_empty() {
        diagnostics.report(
            spec.category.span(),
            "no-fields",
            "no attribute takes a value",
            "add `fields = […]`",
        );
    }
    Some(Values { category: path(&spec.category, diagnostics)?, overwrite: spec.overwrite, fields })
}

fn text(spec: TextSpec, diagnostics: &mut Diagnostics) -> Option<Text> {
    let scope = Scope::new().with("node", Members::Only(vec!["name".to_owned()]));
    let name = spec.name.unwrap_or_else(|| Located::new("{node.name} - text.txt".to_owned(), 0..0));
    Some(Text {
        name: Template::compile(&name, &scope, diagnostics)?,
        max_size: spec.max_size.map_or(LARGEST_TEXT, HumanSize::as_bytes),
    })
}
