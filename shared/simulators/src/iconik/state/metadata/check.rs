//! Whether a value fits its field.

use serde_json::Value;

use super::super::Object;
use super::super::media::text;

/// The value as it is kept, or what is wrong with it.
pub(super) fn fitting(field: &Object, value: &Value, text_for_numbers: bool) -> Result<Value, String> {
    if value.is_object() || value.is_array() || value.is_null() {
        return Err("Not a valid value.".to_owned());
    }
    let given = value.as_str();
    let parsed = |what: &str| match given {
        Some(text) if text_for_numbers => {
            serde_json::from_str(text.trim()).map_err(|_| format!("Not a valid {what}."))
        }
        Some(_) => Err(format!("Not a valid {what}.")),
        None => Ok(value.clone()),
    };
    let wants =
        |fits: bool, what: &str| if fits { Ok(value.clone()) } else { Err(format!("Not a valid {what}.")) };
    let written = given.unwrap_or_default();
    let kept = match text(field, "field_type") {
        "integer" => parsed("integer").and_then(|value| match value.is_i64() || value.is_u64() {
            true => Ok(value),
            false => Err("Not a valid integer.".to_owned()),
        })?,
        "float" => parsed("number").and_then(|value| match value.is_number() {
            true => Ok(value),
            false => Err("Not a valid number.".to_owned()),
        })?,
        "boolean" => match (value, written.to_lowercase().as_str()) {
            (Value::Bool(_), _) => value.clone(),
            (_, "true" | "false") if text_for_numbers => Value::Bool(written.eq_ignore_ascii_case("true")),
            _ => return Err("Not a valid boolean.".to_owned()),
        },
        "date" => wants(written.parse::<jiff::civil::Date>().is_ok() && written.len() == 10, "date")?,
        "datetime" => {
            let zoned = written.parse::<jiff::Timestamp>().is_ok();
            wants(
                zoned || written.parse::<jiff::civil::DateTime>().is_ok() && written.len() > 10,
                "datetime",
            )?
        }
        "url" => wants(url::Url::parse(written).is_ok(), "URL")?,
        "email" => {
            let parts = written.split_once('@');
            wants(parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.')), "email address")?
        }
        _ => match value {
            Value::String(_) => value.clone(),
            other => Value::from(other.to_string()),
        },
    };
    bounded(field, &kept)?;
    chosen(field, &kept)?;
    Ok(kept)
}

/// Between the least and the most, where the field has them.
fn bounded(field: &Object, value: &Value) -> Result<(), String> {
    let Some(number) = value.as_f64() else { return Ok(()) };
    let bound = |name: &str| field.get(name).and_then(Value::as_f64);
    match (bound("min_value"), bound("max_value")) {
        (Some(least), _) if number < least => Err(format!("Must be at least {least}.")),
        (_, Some(most)) if number > most => Err(format!("Must be at most {most}.")),
        _ => Ok(()),
    }
}

/// One of the options, where the field has them. Tags are free all the same.
fn chosen(field: &Object, value: &Value) -> Result<(), String> {
    let Some(options) = field.get("options").and_then(Value::as_array).filter(|options| !options.is_empty())
    else {
        return Ok(());
    };
    if text(field, "field_type") == "tag_cloud" {
        return Ok(());
    }
    let is_one = |option: &Value| {
        option.get("value").is_some_and(|known| known == value || known.as_str() == Some(&value.to_string()))
    };
    if options.iter().any(is_one) { Ok(()) } else { Err("Not a valid choice.".to_owned()) }
}
