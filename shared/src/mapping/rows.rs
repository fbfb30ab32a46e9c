//! Maps: the fields of a target, and sets whose rows come from a list in the input.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    Diagnostics, Field, FieldSpec, Located, Lookups, MappedField, Members, Record, Scope, View, Violation,
    Violations, field::MOST_VALUES, value::value_class,
};

/// A set of the target whose rows come from a list in the input.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowsSpec {
    /// The name of the set in the target.
    pub to: Located<String>,
    /// The list in the input, such as `sidecar.parties`. A single table counts as a list of one.
    pub from: Located<String>,
    /// The fields of each row; they read the row at hand as `row.<name>`, and everything else as usual.
    pub fields: Vec<FieldSpec>,
    /// Whether there must be at least one row.
    #[serde(default)]
    pub required: bool,
    /// The most rows allowed. Without it: 1,000, which is also the most that can be set.
    pub max_rows: Option<Located<usize>>,
}

/// A compiled set.
#[derive(Debug, Clone)]
pub struct Rows {
    to: String,
    from: String,
    fields: Vec<Field>,
    required: bool,
    max_rows: usize,
}

/// A compiled map.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    fields: Vec<Field>,
    sets: Vec<Rows>,
}

/// The result of a map.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Mapped {
    /// The fields that have a value, in the order of the map.
    pub fields: Vec<MappedField>,
    /// The sets that have rows.
    pub sets: Vec<MappedSet>,
}

/// A set with its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MappedSet {
    /// The name of the set in the target.
    pub to: String,
    /// Where the rows came from.
    pub from: String,
    /// The rows, each with the fields that have a value.
    pub rows: Vec<Vec<MappedField>>,
}

impl Mapping {
    /// Compiles a map; whatever is wrong is reported.
    pub fn compile(
        fields: &[FieldSpec],
        rows: &[RowsSpec],
        lookups: &Lookups,
        scope: &Scope,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let mut names = BTreeMap::new();
        let compiled = compile_fields(fields, lookups, scope, diagnostics, &mut names);
        let mut sets = Vec::new();
        for spec in rows {
            report_duplicate(&spec.to, &mut names, diagnostics);
            if let Err((message, remedy)) = scope.check(spec.from.value()) {
                diagnostics.report(spec.from.span(), "unknown-field", message, remedy);
            }
            let scope = scope.clone().with("row", Members::Any);
            let fields = compile_fields(&spec.fields, lookups, &scope, diagnostics, &mut BTreeMap::new());
            let max_rows = spec.max_rows.as_ref().map_or(MOST_VALUES, |most| *most.value());
            if let Some(most) =
                spec.max_rows.as_ref().filter(|most| !(1..=MOST_VALUES).contains(most.value()))
            {
                diagnostics.report(
                    most.span(),
                    "bad-limit",
                    format!("`max_rows` must be from 1 to {MOST_VALUES}"),
                    "correct the number",
                );
            }
            if spec.fields.is_empty() {
                let message = format!("the set `{}` has no fields", spec.to.value());
                diagnostics.report(spec.to.span(), "no-fields", message, "add `fields = […]`");
            }
            sets.push(Rows {
                to: spec.to.value().clone(),
                from: spec.from.value().clone(),
                fields,
                required: spec.required,
                max_rows,
            });
        }
        Self { fields: compiled, sets }
    }

    /// All values for an input. Everything wrong is added to the violations; `place` is put before the names.
    pub fn apply(&self, record: &Record, place: &str, violations: &mut Violations) -> Mapped {
        let view = View::of(record);
        let fields = self.fields.iter().filter_map(|field| field.apply(&view, place, violations)).collect();
        let sets = self.sets.iter().filter_map(|rows| rows.apply(&view, place, violations)).collect();
        Mapped { fields, sets }
    }

    /// Its fields outside of sets.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Its sets.
    pub fn sets(&self) -> &[Rows] {
        &self.sets
    }

    /// The paths it reads.
    pub fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = self.fields.iter().flat_map(Field::paths).collect();
        for set in &self.sets {
            paths.push(&set.from);
            paths.extend(set.fields.iter().flat_map(Field::paths));
        }
        paths
    }
}

impl Rows {
    /// The name of the set in the target.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// The fields of each row.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn apply(&self, view: &View<'_>, place: &str, violations: &mut Violations) -> Option<MappedSet> {
        let name = if place.is_empty() { self.to.clone() } else { format!("{place}: {}", self.to) };
        let items: &[Json] = match view.get(&self.from) {
            Some(Json::Array(list)) => list,
            Some(single) => std::slice::from_ref(single),
            None => &[],
        };
        if items.is_empty() {
            if self.required {
                violations.push(Violation::new(
                    "missing-rows",
                    name,
                    "no rows",
                    format!("at least one row at `{}`", self.from),
                    format!("supply `{}` with the object", self.from),
                ));
            }
            return None;
        }
        if items.len() > self.max_rows {
            violations.push(Violation::new(
                "too-many-rows",
                name,
                value_class(&Json::from(items.to_vec())),
                format!("at most {} rows", self.max_rows),
                "send fewer rows, or raise `max_rows`",
            ));
            return None;
        }
        let mut rows = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let place = format!("{name}, row {}", index + 1);
            let view = view.with_row(item);
            rows.push(
                self.fields.iter().filter_map(|field| field.apply(&view, &place, violations)).collect(),
            );
        }
        Some(MappedSet { to: self.to.clone(), from: self.from.clone(), rows })
    }
}

fn compile_fields(
    specs: &[FieldSpec],
    lookups: &Lookups,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
    names: &mut BTreeMap<String, std::ops::Range<usize>>,
) -> Vec<Field> {
    let mut fields = Vec::new();
    for spec in specs {
        report_duplicate(&spec.to, names, diagnostics);
        fields.extend(Field::compile(spec, lookups, scope, diagnostics));
    }
    fields
}

fn report_duplicate(
    to: &Located<String>,
    names: &mut BTreeMap<String, std::ops::Range<usize>>,
    diagnostics: &mut Diagnostics,
) {
    if let Some(first) = names.insert(to.value().clone(), to.span()) {
        let line = diagnostics.line_of(&first);
        diagnostics.report(
            to.span(),
            "duplicate-field",
            format!("`{}` is already filled on line {line}", to.value()),
            "keep one of the two; `from = [\"…\", \"…\"]` takes the first that has a value",
        );
    }
}
