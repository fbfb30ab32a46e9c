use serde_json::{Value as Json, json};

use super::*;

#[derive(serde::Deserialize)]
struct Part {
    #[serde(default)]
    fields: Vec<FieldSpec>,
    #[serde(default)]
    rows: Vec<RowsSpec>,
}

fn compile(text: &str) -> Result<Mapping, Diagnostics> {
    let (mut document, mut found) = Document::parse("map.toml", text)?;
    let parts = document.list::<Part>("map", &mut found);
    let lookups = document
        .named::<std::collections::BTreeMap<String, String>>("lookups", &mut found)
        .into_iter()
        .map(|(name, entries)| (name.into_value(), entries.unwrap_or_default()))
        .collect();
    document.finish(&mut found);
    let mut mapping = Mapping::default();
    for part in &parts {
        mapping =
            Mapping::compile(&part.value().fields, &part.value().rows, &lookups, &anything(), &mut found);
    }
    found.finish(mapping)
}

/// What one field, written as in a file, makes of the tag `x`.
fn field(settings: &str, x: Json) -> Result<Option<Value>, Vec<Violation>> {
    let text = format!(
        "[[map]]\nfields = [{{ to = \"X\", from = \"tag.x\", {settings} }}]\n[lookups.languages]\nen = \"English\"\nfr = \"French\"\n"
    );
    let mapping = compile(&text).unwrap_or_else(|found| panic!("{found}"));
    let mut violations = Violations::new();
    let mapped = mapping.apply(&Record::new().with("tag", json!({ "x": x })), "", &mut violations);
    if violations.is_empty() {
        return Ok(mapped.fields.into_iter().next().map(|field| field.value));
    }
    assert!(mapped.fields.is_empty(), "a refused field has no value");
    Err(violations.into_iter().collect())
}

fn text(value: &str) -> Result<Option<Value>, Vec<Violation>> {
    Ok(Some(Value::Text(value.to_owned())))
}

fn code(result: Result<Option<Value>, Vec<Violation>>) -> &'static str {
    result.unwrap_err()[0].code
}

#[test]
fn text_is_trimmed_and_blank_text_counts_as_nothing() {
    assert_eq!(field("", json!("  a b ")), text("a b"));
    assert_eq!(field("trim = false", json!(" a ")), text(" a "));
    assert_eq!(field("", json!("   ")), Ok(None));
    assert_eq!(field("default = \"none\"", json!("   ")), text("none"));
    assert_eq!(field("default = \"none\"", Json::Null), text("none"));
    assert_eq!(code(field("required = true", json!(""))), "missing-value");
    assert_eq!(field("", json!(12.5)), text("12.5"));
}

#[test]
fn lookups_translate_and_say_what_to_do_with_strangers() {
    assert_eq!(field("lookup = \"languages\"", json!("en")), text("English"));
    assert_eq!(field("lookup = \"languages\", case = \"lower\"", json!("EN")), text("English"));
    assert_eq!(code(field("lookup = \"languages\"", json!("de"))), "not-in-lookup");
    assert_eq!(field("lookup = \"languages\", otherwise = \"keep\"", json!("de")), text("de"));
    assert_eq!(
        field("lookup = \"languages\", otherwise = { value = \"Other\" }", json!("de")),
        text("Other")
    );
}

#[test]
fn numbers_are_read_in_the_notation_of_the_source() {
    let german = "as = \"decimal\", decimal_mark = \",\", group_mark = \".\"";
    let decimal = |text: &str| Ok(Some(Value::Decimal(text.parse().unwrap())));
    assert_eq!(field(german, json!("1.234.567,89")), decimal("1234567.89"));
    assert_eq!(field(german, json!("-0,5")), decimal("-0.5"));
    assert_eq!(code(field(german, json!("1.23,4"))), "not-a-decimal", "a group of two digits is a slip");
    assert_eq!(code(field(german, json!("1,234.5"))), "not-a-decimal");
    let french = "as = \"decimal\", decimal_mark = \",\", group_mark = \" \"";
    assert_eq!(field(french, json!("1\u{202f}234,5")), decimal("1234.5"));
    assert_eq!(field("as = \"decimal\"", json!("0.10")), decimal("0.10"), "decimals are exact");
    assert_eq!(field("as = \"integer\"", json!("42")), Ok(Some(Value::Integer(42))));
    assert_eq!(field("as = \"integer\"", json!(42)), Ok(Some(Value::Integer(42))));
    assert_eq!(field("as = \"integer\"", json!("42.00")), Ok(Some(Value::Integer(42))));
    for bad in ["42.5", "4 2", "0x2a", "1e3", "99999999999999999999", "-", "٤٢"] {
        assert_eq!(code(field("as = \"integer\"", json!(bad))), "not-an-integer", "{bad}");
    }
    assert_eq!(code(field("as = \"integer\", min = \"1\"", json!(0))), "too-small");
    assert_eq!(code(field("as = \"decimal\", max = \"9.99\"", json!("10"))), "too-large");
}

#[test]
fn dates_are_read_in_the_formats_of_the_source() {
    let day = Ok(Some(Value::Date("2026-01-31".parse().unwrap())));
    assert_eq!(field("as = \"date\"", json!("2026-01-31")), day);
    assert_eq!(field("as = \"date\", format = \"%d/%m/%Y\"", json!("31/01/2026")), day);
    assert_eq!(field("as = \"date\", format = [\"%d.%m.%Y\", \"%Y%m%d\"]", json!("20260131")), day);
    assert_eq!(code(field("as = \"date\", format = \"%d/%m/%Y\"", json!("01/31/2026"))), "not-a-date");
    assert_eq!(code(field("as = \"date\"", json!("2026-02-30"))), "not-a-date");
    assert_eq!(code(field("as = \"date\", max = \"2026-01-30\"", json!("2026-01-31"))), "too-large");
    // Half past midnight in London in summer is still the day before in UTC.
    let london = "as = \"date\", time_zone = \"Europe/London\"";
    assert_eq!(
        field(london, json!("2026-06-30T23:30:00Z")),
        Ok(Some(Value::Date("2026-07-01".parse().unwrap())))
    );
}

#[test]
fn moments_without_an_offset_are_taken_in_the_time_zone_of_the_field() {
    let moment = |text: &str| Ok(Some(Value::DateTime(text.parse().unwrap())));
    assert_eq!(field("as = \"date-time\"", json!("2026-06-30T12:00:00")), moment("2026-06-30T12:00:00Z"));
    let london = "as = \"date-time\", time_zone = \"Europe/London\"";
    assert_eq!(field(london, json!("2026-06-30T12:00:00")), moment("2026-06-30T11:00:00Z"));
    assert_eq!(field(london, json!("2026-06-30T12:00:00+02:00")), moment("2026-06-30T10:00:00Z"));
    let format = "as = \"date-time\", format = \"%d/%m/%Y %H:%M\", time_zone = \"Europe/London\"";
    assert_eq!(field(format, json!("30/06/2026 12:00")), moment("2026-06-30T11:00:00Z"));
}

#[test]
fn several_values_need_a_word_about_what_to_do_with_them() {
    let many = json!(["b", "a"]);
    assert_eq!(code(field("", many.clone())), "several-values");
    assert_eq!(field("join = \"; \"", many.clone()), text("b; a"));
    let list = |values: &[&str]| {
        Ok(Some(Value::List(values.iter().map(|value| Value::Text((*value).to_owned())).collect())))
    };
    assert_eq!(field("multi = true", many), list(&["b", "a"]));
    assert_eq!(field("multi = true", json!("one")), list(&["one"]));
    assert_eq!(field("multi = true, split = \";\"", json!("a; b;;c ")), list(&["a", "b", "c"]));
    assert_eq!(code(field("multi = true", json!([{ "a": 1 }]))), "not-a-value");
    assert_eq!(code(field("multi = true", json!(vec!["x"; 1001]))), "too-many-values");
}

#[test]
fn limits_on_text_hold_for_characters_not_bytes() {
    assert_eq!(field("max_length = 3", json!("äöü")), text("äöü"));
    assert_eq!(code(field("max_length = 3", json!("äöüß"))), "too-long");
    assert_eq!(field("max_length = 3, too_long = \"cut\"", json!("äöüß")), text("äöü"));
    assert_eq!(code(field("one_of = [\"a\", \"b\"]", json!("c"))), "not-allowed");
    assert_eq!(code(field("matches = '[0-9]+'", json!("12x"))), "does-not-match", "the whole value counts");
    assert_eq!(field("as = \"boolean\"", json!("Yes")), Ok(Some(Value::Boolean(true))));
    assert_eq!(code(field("as = \"boolean\"", json!("perhaps"))), "not-a-boolean");
}

#[test]
fn everything_wrong_is_told_together_and_no_value_is_ever_repeated() {
    let mapping = compile(
        r#"
        [[map]]
        fields = [
          { to = "Number", from = "tag.number", as = "integer" },
          { to = "Kind", from = "tag.kind", one_of = ["letter"] },
          { to = "Owner", from = "tag.owner", required = true },
        ]
        rows = [{ to = "Parties", from = "sidecar.parties", fields = [
          { to = "Name", from = "row.name", required = true },
          { to = "Born", from = "row.born", as = "date" },
        ] }]
        "#,
    )
    .unwrap();
    let record = Record::new()
        .with("tag", json!({ "number": "hemlock", "kind": "hemlock" }))
        .with("sidecar", json!({ "parties": [{ "name": "A" }, { "born": "hemlock" }] }));
    let mut violations = Violations::new();
    mapping.apply(&record, "Person", &mut violations);
    let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "Person: Number",
            "Person: Kind",
            "Person: Owner",
            "Person: Parties, row 2: Name",
            "Person: Parties, row 2: Born"
        ]
    );
    assert!(!violations.to_string().contains("hemlock"), "{violations}");
    assert!(violations.to_string().contains("text of 7 characters"), "{violations}");
    let error = crate::error::Error::from(violations);
    assert_eq!(error.class(), crate::error::FailureClass::Invalid);
}

/// How many rows a set, written as in a file, has for these parties.
fn rows(settings: &str, parties: Json) -> Result<usize, Violations> {
    let text = format!(
        "[[map]]\nrows = [{{ to = \"Parties\", from = \"sidecar.parties\", {settings} \
         fields = [{{ to = \"Name\", from = \"row.name\" }}] }}]\n"
    );
    let mapping = compile(&text).unwrap_or_else(|found| panic!("{found}"));
    let mut violations = Violations::new();
    let record = Record::new().with("sidecar", json!({ "parties": parties }));
    let mapped = mapping.apply(&record, "Person", &mut violations);
    assert!(violations.is_empty() || mapped.sets.is_empty(), "a refused set has no rows");
    violations.finish(mapped.sets.iter().map(|set| set.rows.len()).sum())
}

#[test]
fn a_set_says_how_many_rows_it_needs_and_how_many_it_takes() {
    let parties = |count: usize| json!(vec![json!({ "name": "hemlock" }); count]);
    assert_eq!(rows("", json!([])), Ok(0));
    assert_eq!(rows("required = true,", parties(1)), Ok(1));
    assert_eq!(rows("required = true,", json!({ "name": "A" })), Ok(1), "a single table is a list of one");
    for nobody in [json!([]), Json::Null] {
        assert_eq!(
            rows("required = true,", nobody).unwrap_err().to_string(),
            "Person: Parties: expected at least one row at `sidecar.parties`, found no rows [missing-rows]; \
             supply `sidecar.parties` with the object"
        );
    }
    assert_eq!(rows("max_rows = 2,", parties(2)), Ok(2));
    assert_eq!(
        rows("max_rows = 2,", parties(3)).unwrap_err().to_string(),
        "Person: Parties: expected at most 2 rows, found a list of 3 values [too-many-rows]; \
         send fewer rows, or raise `max_rows`"
    );
    assert_eq!(rows("", parties(1000)), Ok(1000));
    assert_eq!(rows("", parties(1001)).unwrap_err().iter().next().unwrap().code, "too-many-rows");
}

#[test]
fn a_value_tells_where_it_came_from() {
    let mapping = compile(
        r#"
        [[map]]
        fields = [
          { to = "Language", from = ["tag.lang", "sidecar.language"], lookup = "languages" },
          { to = "Pages", from = "tag.pages", as = "integer", default = "1" },
          { to = "Claim", value = "Claim {tag.claim}" },
        ]
        [lookups.languages]
        en = "English"
        "#,
    )
    .unwrap();
    let record =
        Record::new().with("tag", json!({ "claim": "7" })).with("sidecar", json!({ "language": "en" }));
    let mut violations = Violations::new();
    let mapped = mapping.apply(&record, "", &mut violations);
    let told: Vec<String> = mapped
        .fields
        .iter()
        .map(|field| format!("{} = {} ({})", field.to, field.value, field.origin))
        .collect();
    assert_eq!(
        told,
        [
            "Language = English (sidecar.language, lookup languages)",
            "Pages = 1 (default, as integer)",
            "Claim = Claim 7 (fixed text)"
        ]
    );
    assert!(violations.is_empty());
}

#[test]
fn conditions_read_lists_and_absence() {
    let record = Record::new().with("tag", json!({ "status": "final", "groups": ["a", "b"] }));
    let holds = |text: &str| {
        let (mut document, mut found) = Document::parse("c.toml", text).unwrap();
        let specs = document.list::<ConditionSpec>("when", &mut found);
        let condition = Condition::compile(specs[0].value(), &anything(), &mut found);
        condition.unwrap_or_else(|| panic!("{found}")).check(&View::of(&record))
    };
    assert_eq!(holds("[[when]]\nfield = 'tag.status'\nis = 'final'"), Ok(()));
    assert_eq!(
        holds("[[when]]\nfield = 'tag.status'\nis = 'draft'").unwrap_err(),
        "`tag.status` must be \"draft\"; it is text of 5 characters"
    );
    assert_eq!(holds("[[when]]\nfield = 'tag.groups'\none_of = ['b', 'c']"), Ok(()));
    assert!(holds("[[when]]\nfield = 'tag.status'\nmatches = 'fin'").is_err(), "the whole value must match");
    assert_eq!(holds("[[when]]\nfield = 'tag.none'\nis = 'x'\nnot = true"), Ok(()));
    assert_eq!(holds("[[when]]\nfield = 'tag.none'\nexists = false"), Ok(()));
    assert!(holds("[[when]]\nfield = 'tag.none'\nexists = true").is_err());
}
