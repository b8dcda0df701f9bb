//! What a save checks: known fields, writable fields, types, lengths, formats, picklists, references.

use serde_json::{Map, Number, Value};

use super::assignment::Assign;
use super::datetime;
use super::decimal::Decimal;
use super::error::{ApiError, ApiResult};
use super::ids;
use super::schema::{Field, FieldType, Object};
use super::store::Store;

/// Whether a body makes a record or changes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Create,
    Update,
}

/// What a save was asked to do, beside its fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Save<'a> {
    pub(crate) purpose: Purpose,
    /// The text of the body, to point into it; empty where there was none.
    pub(crate) text: &'a str,
    /// From a seed or a test: may set what the API may not, such as `CreatedDate`.
    pub(crate) trusted: bool,
    /// The client accepts duplicates (`Sforce-Duplicate-Rule-Header: allowSave=true`).
    pub(crate) allow_duplicates: bool,
    /// The client wants the fields of duplicates (`includeRecordDetails=true`).
    pub(crate) duplicate_details: bool,
    /// Which assignment rule runs.
    pub(crate) assign: Assign<'a>,
}

impl Save<'static> {
    /// A create by the org's owner: a seed, or a test that prepares records.
    pub(crate) const SEED: Self = Save {
        purpose: Purpose::Create,
        text: "",
        trusted: true,
        allow_duplicates: true,
        duplicate_details: false,
        assign: Assign::No,
    };
}

/// The checked values of a body, by field.
pub(crate) fn values(
    store: &Store,
    object: usize,
    body: &Map<String, Value>,
    save: Save<'_>,
) -> ApiResult<Vec<(usize, Value)>> {
    let definition = store.object(object);
    let mut values = Vec::with_capacity(body.len());
    for (name, value) in body {
        if name.eq_ignore_ascii_case("attributes") {
            continue;
        }
        if let Some(index) = definition.index_of(name) {
            let value = coerce(&definition.fields[index], value, save.text)?;
            values.push((index, value));
        } else if let Some(index) = definition.parent_relationship(name).filter(|_| value.is_object()) {
            values.push((index, parent_by_external_id(store, &definition.fields[index], value)?));
        } else {
            return Err(ApiError::no_such_column(name, &definition.name));
        }
    }
    if !save.trusted {
        writable(definition, &values, save.purpose)?;
    }
    required(definition, &values, save)?;
    for (index, value) in &mut values {
        check(store, definition, &definition.fields[*index], value, save.trusted)?;
    }
    Ok(values)
}

fn writable(object: &Object, values: &[(usize, Value)], purpose: Purpose) -> ApiResult<()> {
    let refused: Vec<&str> = values
        .iter()
        .map(|(index, _)| &object.fields[*index])
        .filter(|field| match purpose {
            Purpose::Create => !field.createable,
            Purpose::Update => !field.updateable,
        })
        .map(|field| field.name.as_str())
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is \
         read/write for your profile or permission set.",
        refused.join(", ")
    );
    Err(ApiError::save("INVALID_FIELD_FOR_INSERT_UPDATE", message, &refused))
}

fn required(object: &Object, values: &[(usize, Value)], save: Save<'_>) -> ApiResult<()> {
    let missing: Vec<&str> = object
        .fields
        .iter()
        .enumerate()
        .filter(|(index, field)| {
            let given = values.iter().rev().find(|(given, _)| given == index).map(|(_, value)| value);
            match (save.purpose, given) {
                (Purpose::Create, None) => field.is_required(),
                (_, Some(value)) => {
                    value.is_null() && !field.nillable && field.createable && !field.defaulted_on_create
                }
                (Purpose::Update, None) => false,
            }
        })
        .map(|(_, field)| field.name.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("Required fields are missing: [{}]", missing.join(", "));
    Err(ApiError::save("REQUIRED_FIELD_MISSING", message, &missing))
}

/// Brings a JSON value into the field's stored form, or says that it is of the wrong type.
pub(crate) fn coerce(field: &Field, value: &Value, text: &str) -> ApiResult<Value> {
    let wrong = |type_name: &str| Err(wrong_type(field, type_name, value, text));
    match (field.kind, value) {
        (_, Value::Null) => Ok(Value::Null),
        (FieldType::Boolean, Value::Bool(_)) => Ok(value.clone()),
        (FieldType::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("true") => {
            Ok(Value::Bool(true))
        }
        (FieldType::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("false") => {
            Ok(Value::Bool(false))
        }
        (FieldType::Boolean, _) => wrong("boolean"),
        (kind, _) if kind.is_number() => match number(kind, value) {
            Some(number) => Ok(number),
            None => wrong(if kind == FieldType::Int { "int" } else { "double" }),
        },
        (FieldType::Date, Value::String(text)) => match datetime::parse(text) {
            Some(_) => Ok(Value::String(text[..10].to_owned())),
            None => wrong("date"),
        },
        (FieldType::Datetime, Value::String(text)) => match datetime::parse(text) {
            Some(moment) => Ok(Value::String(datetime::format(moment))),
            None => wrong("datetime"),
        },
        (FieldType::Date, _) => wrong("date"),
        (FieldType::Datetime, _) => wrong("datetime"),
        // An empty text clears the field, as in the user interface; blanks at the ends are dropped.
        (FieldType::Textarea, Value::String(text)) => Ok(text_or_null(text.trim_end())),
        (_, Value::String(text)) => Ok(text_or_null(text.trim())),
        _ => wrong("string"),
    }
}

fn text_or_null(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::String(text.to_owned()) }
}

fn number(kind: FieldType, value: &Value) -> Option<Value> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let decimal = Decimal::parse(&text)?;
    if kind == FieldType::Int {
        let whole: i32 = decimal.to_string().parse().ok()?;
        return Some(Value::Number(whole.into()));
    }
    if value.is_number() {
        return Some(value.clone());
    }
    decimal.to_string().parse::<Number>().ok().map(Value::Number)
}

fn wrong_type(field: &Field, expected: &str, value: &Value, text: &str) -> ApiError {
    let (token, found) = match value {
        Value::Bool(true) => ("VALUE_TRUE", "true".to_owned()),
        Value::Bool(false) => ("VALUE_FALSE", "false".to_owned()),
        Value::Number(number) if number.to_string().contains(['.', 'e', 'E']) => {
            ("VALUE_NUMBER_FLOAT", number.to_string())
        }
        Value::Number(number) => ("VALUE_NUMBER_INT", number.to_string()),
        Value::String(text) => ("VALUE_STRING", text.clone()),
        Value::Array(_) => ("START_ARRAY", "[".to_owned()),
        Value::Object(_) => ("START_OBJECT", "{".to_owned()),
        Value::Null => ("VALUE_NULL", "null".to_owned()),
    };
    let (line, column) = position(text, &field.name);
    let message = format!(
        "Cannot deserialize instance of {expected} from {token} value {found} or request may be missing a required \
         field at [line:{line}, column:{column}]"
    );
    ApiError::bad_request("JSON_PARSER_ERROR", message)
}

/// Line and column of a member's value, counted from one as Salesforce's parser does.
fn position(text: &str, member: &str) -> (usize, usize) {
    let lower = text.to_ascii_lowercase();
    let key = format!("\"{}\"", member.to_ascii_lowercase());
    let Some(start) = lower.find(&key) else { return (1, 1) };
    let after = start + key.len();
    let value =
        text[after..].find(|c: char| c != ':' && !c.is_whitespace()).map_or(after, |offset| after + offset);
    let before = &text[..value];
    let line = before.matches('\n').count() + 1;
    (line, value - before.rfind('\n').map_or(0, |newline| newline + 1) + 1)
}

fn check(store: &Store, object: &Object, field: &Field, value: &mut Value, trusted: bool) -> ApiResult<()> {
    let fields = [field.name.as_str()];
    if let Value::Number(number) = value {
        return in_range(field, &number.to_string());
    }
    let Value::String(text) = value else { return Ok(()) };
    match field.kind {
        FieldType::Id => {
            *text = ids::normalize(text)
                .filter(|id| id.starts_with(&object.key_prefix))
                .ok_or_else(|| wrong_id(field, text))?;
        }
        FieldType::Reference => *text = reference(store, field, text)?,
        FieldType::Email if !is_email(text) => {
            let message = format!("{}: invalid email address: {text}", field.label);
            return Err(ApiError::save("INVALID_EMAIL_ADDRESS", message, &fields));
        }
        FieldType::Picklist | FieldType::Multipicklist if field.restricted_picklist && !trusted => {
            for choice in text.split(';').map(str::trim) {
                if !field.picklist_values.iter().any(|known| known.eq_ignore_ascii_case(choice)) {
                    let message =
                        format!("{}: bad value for restricted picklist field: {choice}", field.label);
                    return Err(ApiError::save("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, &fields));
                }
            }
        }
        _ => {}
    }
    if field.length > 0 && text.chars().count() > field.length {
        let message = format!("{}: data value too large: {text} (max length={})", field.label, field.length);
        return Err(ApiError::save("STRING_TOO_LONG", message, &fields));
    }
    Ok(())
}

fn in_range(field: &Field, number: &str) -> ApiResult<()> {
    if field.precision == 0 {
        return Ok(());
    }
    let before_point = Decimal::parse(number).map_or(0, Decimal::digits_before_point);
    if before_point <= field.precision - field.scale.min(field.precision) {
        return Ok(());
    }
    let message = format!("{}: value outside of valid range on numeric field: {number}", field.label);
    Err(ApiError::save("NUMBER_OUTSIDE_VALID_RANGE", message, &[&field.name]))
}

fn wrong_id(field: &Field, text: &str) -> ApiError {
    let message = format!("{}: id value of incorrect type: {text}", field.label);
    ApiError::save("MALFORMED_ID", message, &[&field.name])
}

fn reference(store: &Store, field: &Field, text: &str) -> ApiResult<String> {
    let id = ids::normalize(text).ok_or_else(|| wrong_id(field, text))?;
    let Some(target) = store.schema.object_of_id(&id) else { return Err(wrong_id(field, text)) };
    if !store.schema.targets(field).any(|allowed| allowed == target) {
        let message = format!("{}: id value of incorrect type: {text}", field.label);
        return Err(ApiError::save("FIELD_INTEGRITY_EXCEPTION", message, &[&field.name]));
    }
    match store.find(&id) {
        Some((_, record)) if record.deleted => {
            Err(ApiError::save("ENTITY_IS_DELETED", "entity is deleted", &[]))
        }
        Some(_) => Ok(id),
        None => Err(ApiError::save("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[])),
    }
}

/// `"Account": {"External_Key__c": "acme"}` points to the parent without knowing its id.
fn parent_by_external_id(store: &Store, field: &Field, value: &Value) -> ApiResult<Value> {
    let keys = value.as_object().into_iter().flatten().filter(|(name, _)| *name != "attributes");
    let [(name, key)] = keys.collect::<Vec<_>>()[..] else {
        let message =
            format!("expected one external id field in {}", field.relationship_name.as_deref().unwrap_or(""));
        return Err(ApiError::bad_request("INVALID_FIELD", message));
    };
    let text = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
    // Where a field may point to several objects, the parent's type says which.
    let wanted = value["attributes"]["type"].as_str();
    for target in store.schema.targets(field) {
        let object = store.object(target);
        if wanted.is_some_and(|wanted| !object.name.eq_ignore_ascii_case(wanted)) {
            continue;
        }
        let Some(index) = object.index_of(name) else { continue };
        let message = match store.rows_by(target, index, &text).iter().collect::<Vec<_>>()[..] {
            [row] => return Ok(Value::String(store.tables[target].records[*row].id.clone())),
            [] => format!(
                "Foreign key external ID: {text} not found for field {name} in entity {}",
                object.name
            ),
            _ => format!("More than one record found for external id field: {name}"),
        };
        return Err(ApiError::bad_request("INVALID_FIELD", message).with("fields", Value::Array(Vec::new())));
    }
    Err(ApiError::no_such_column(name, field.reference_to.first().map_or("", String::as_str)))
}

/// Salesforce's rough idea of an address: one `@`, a dotted domain, no blanks.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let plain = |part: &str| {
        !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "@<>(),;:\\\"[]".contains(c))
    };
    plain(local)
        && plain(domain)
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for good in ["a@b.co", "first.last+tag@sub.example.com", "o'neil@example.org"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "a@b", "@b.co", "a@", "a b@c.de", "a@b@c.de", "a@.de", "a@b."] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn a_position_points_at_the_value() {
        assert_eq!(position("{\"Name\": 5}", "Name"), (1, 10));
        assert_eq!(position("{\n  \"name\":5}", "Name"), (2, 10));
        assert_eq!(position("", "Name"), (1, 1));
    }
}
