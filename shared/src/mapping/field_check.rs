//! Compiles a field of a file: everything that can be seen to be wrong before any input comes is reported.

use std::sync::Arc;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::{
    Diagnostics, Field, FieldSpec, FieldType, Located, Lookups, Scope, Template, TooLong, Value,
    condition::report_expression,
    field::{Bound, FieldSource, Lookup},
    suggestion::closest,
    value_format::{NumberFormat, check_date_format, date, date_time},
    whole_value,
};

impl Field {
    /// Compiles a field; whatever is wrong is reported.
    pub fn compile(
        spec: &FieldSpec,
        lookups: &Lookups,
        scope: &Scope,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let before = diagnostics.len();
        let kind = spec.kind.as_ref().map(|kind| *kind.value()).unwrap_or_default();
        if spec.to.value().trim().is_empty() {
            diagnostics.report(spec.to.span(), "blank-name", "`to` is blank", "name the field of the target");
        }
        let source = source(spec, scope, diagnostics);
        let lookup = lookup(spec, lookups, diagnostics);
        let matches = spec.matches.as_ref().and_then(|text| match whole_value(text.value()) {
            Ok(expression) => Some(expression),
            Err(error) => {
                report_expression(text, &error, diagnostics);
                None
            }
        });
        words_without_effect(spec, kind, diagnostics);
        let zone = zone(spec, diagnostics);
        let formats = formats(spec, diagnostics);
        let bounds =
            [&spec.min, &spec.max].map(|text| text.as_ref().and_then(|text| bound(text, kind, diagnostics)));
        let [min, max] = bounds;
        let numbers = NumberFormat {
            decimal_mark: spec.decimal_mark.as_ref().map_or('.', |mark| *mark.value()),
            group_mark: spec.group_mark.as_ref().map(|mark| *mark.value()),
        };
        if numbers.group_mark == Some(numbers.decimal_mark)
            && let Some(mark) = spec.group_mark.as_ref().or(spec.decimal_mark.as_ref())
        {
            diagnostics.report(
                mark.span(),
                "same-marks",
                "`decimal_mark` and `group_mark` are the same character",
                "a comma as decimal mark goes with `group_mark = \".\"` or none",
            );
        }
        let too_long = spec.too_long.as_ref().map(|word| *word.value()).unwrap_or_default();
        let field = Self {
            to: spec.to.value().clone(),
            source: source?,
            kind,
            lookup,
            default: spec.default.as_ref().map(|text| text.value().clone()),
            required: spec.required,
            one_of: spec.one_of.as_ref().map(|values| values.value().clone()),
            matches,
            max_length: spec.max_length.as_ref().map(|most| (*most.value(), too_long)),
            min,
            max,
            join: spec.join.as_ref().map(|mark| mark.value().clone()),
            split: spec.split.as_ref().map(|mark| mark.value().clone()),
            trim: spec.trim.unwrap_or(true),
            case: spec.case,
            formats,
            zone,
            numbers,
            multi: spec.multi,
        };
        (diagnostics.len() == before).then_some(field)
    }
}

fn source(spec: &FieldSpec, scope: &Scope, diagnostics: &mut Diagnostics) -> Option<FieldSource> {
    match (&spec.from, &spec.value) {
        (Some(from), None) => {
            for path in from.value().list() {
                if let Err((message, remedy)) = scope.check(path) {
                    diagnostics.report(from.span(), "unknown-field", message, remedy);
                }
            }
            if from.value().list().is_empty() {
                diagnostics.report(
                    from.span(),
                    "no-source",
                    "`from` lists no paths",
                    "list at least one path",
                );
            }
            Some(FieldSource::Paths(from.value().list().to_vec()))
        }
        (None, Some(value)) => Template::compile(value, scope, diagnostics).map(FieldSource::Template),
        (Some(_), Some(value)) => {
            diagnostics.report(
                value.span(),
                "two-sources",
                format!("the field `{}` has both `from` and `value`", spec.to.value()),
                "keep one; use `default` for the text to take when nothing came",
            );
            None
        }
        (None, None) => {
            diagnostics.report(
                spec.to.span(),
                "no-source",
                format!("the field `{}` has neither `from` nor `value`", spec.to.value()),
                "say where the value comes from with `from`, or fix it with `value`",
            );
            None
        }
    }
}

fn lookup(spec: &FieldSpec, lookups: &Lookups, diagnostics: &mut Diagnostics) -> Option<Lookup> {
    let otherwise = spec.otherwise.as_ref().map(|word| word.value().clone());
    let Some(name) = &spec.lookup else {
        if let Some(otherwise) = &spec.otherwise {
            diagnostics.report(
                otherwise.span(),
                "no-effect",
                "`otherwise` says what to do when a lookup fails, but the field has no `lookup`",
                "add `lookup = \"…\"`, or remove `otherwise`",
            );
        }
        return None;
    };
    let Some(entries) = lookups.get(name.value()) else {
        let remedy = match closest(name.value(), lookups.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add a table `[lookups.{}]` with the values", name.value()),
        };
        let message = format!("there is no lookup table `{}`", name.value());
        diagnostics.report(name.span(), "unknown-lookup", message, remedy);
        return None;
    };
    Some(Lookup {
        table: name.value().clone(),
        entries: Arc::new(entries.clone()),
        otherwise: otherwise.unwrap_or_default(),
    })
}

/// A word that cannot do anything for the field's type is a misunderstanding worth pointing out.
fn words_without_effect(spec: &FieldSpec, kind: FieldType, diagnostics: &mut Diagnostics) {
    let mut report = |span: Option<std::ops::Range<usize>>, word: &str, needs: &str| {
        if let Some(span) = span {
            diagnostics.report(
                span,
                "no-effect",
                format!("`{word}` does nothing here: it needs {needs}"),
                format!("give the field what it needs, or remove `{word}`"),
            );
        }
    };
    let is_date = matches!(kind, FieldType::Date | FieldType::DateTime);
    let is_number = matches!(kind, FieldType::Integer | FieldType::Decimal);
    let is_text = matches!(kind, FieldType::Text | FieldType::User);
    if !is_date {
        report(spec.format.as_ref().map(Located::span), "format", "`as = \"date\"` or `as = \"date-time\"`");
        report(spec.time_zone.as_ref().map(Located::span), "time_zone", "`as = \"date-time\"`");
    }
    if !is_number {
        report(spec.decimal_mark.as_ref().map(Located::span), "decimal_mark", "`as = \"decimal\"`");
        report(
            spec.group_mark.as_ref().map(Located::span),
            "group_mark",
            "`as = \"decimal\"` or `\"integer\"`",
        );
    }
    if !is_number && !is_date {
        report(spec.min.as_ref().map(Located::span), "min", "a number or a date");
        report(spec.max.as_ref().map(Located::span), "max", "a number or a date");
    }
    if !is_text {
        report(spec.max_length.as_ref().map(Located::span), "max_length", "`as = \"text\"`");
    }
    if spec.max_length.is_none() {
        let cut = spec.too_long.as_ref().filter(|word| *word.value() == TooLong::Cut);
        report(cut.map(Located::span), "too_long", "`max_length`");
    }
    if spec.split.as_ref().is_some_and(|mark| mark.value().is_empty()) {
        report(spec.split.as_ref().map(Located::span), "split", "at least one character");
    }
}

fn zone(spec: &FieldSpec, diagnostics: &mut Diagnostics) -> TimeZone {
    let Some(name) = &spec.time_zone else { return TimeZone::UTC };
    TimeZone::get(name.value()).unwrap_or_else(|_| {
        diagnostics.report(
            name.span(),
            "unknown-time-zone",
            format!("there is no time zone `{}`", name.value()),
            "use a name of the IANA list, such as `Europe/London`",
        );
        TimeZone::UTC
    })
}

fn formats(spec: &FieldSpec, diagnostics: &mut Diagnostics) -> Vec<String> {
    let Some(formats) = &spec.format else { return Vec::new() };
    for format in formats.value().list() {
        if let Err(reason) = check_date_format(format) {
            diagnostics.report(
                formats.span(),
                "bad-date-format",
                format!("the date format `{format}` cannot be used: {reason}"),
                "use strptime directives: `%d` day, `%m` month, `%Y` year, `%H` hour, `%M` minute, `%S` second",
            );
        }
    }
    formats.value().list().to_vec()
}

fn bound(text: &Located<String>, kind: FieldType, diagnostics: &mut Diagnostics) -> Option<Bound> {
    let read = match kind {
        FieldType::Integer | FieldType::Decimal => {
            Decimal::from_str_exact(text.value()).ok().map(Bound::Number)
        }
        FieldType::Date => date(text.value(), &[], &TimeZone::UTC).map(|day| Bound::Moment(Value::Date(day))),
        FieldType::DateTime => {
            date_time(text.value(), &[], &TimeZone::UTC).map(|moment| Bound::Moment(Value::DateTime(moment)))
        }
        // Reported as a word without effect.
        FieldType::Text | FieldType::Boolean | FieldType::User => return None,
    };
    if read.is_none() {
        diagnostics.report(
            text.span(),
            "bad-limit",
            "the limit is not a value of the field's type",
            "write a number such as `\"10.5\"`, or a date such as `\"2026-01-31\"`",
        );
    }
    read
}
