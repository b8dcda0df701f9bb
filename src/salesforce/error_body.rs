//! The shapes in which Salesforce says what went wrong, read into one.
//!
//! | Shape | From |
//! |---|---|
//! | `[{"message", "errorCode", "fields"}]`, one or several | REST resources |
//! | `{"id", "success": false, "errors": [{"statusCode", "message", "fields"}]}` | saved records |
//! | `{"message", "errorCode"}` or `{"statusCode", "message"}`, alone | single records, some resources |
//! | `{"error", "error_description"}` | OAuth and the identity service |
//! | `<Errors><Error><errorCode/><message/></Error></Errors>` | where JSON could not be agreed upon |
//! | `Bad_OAuth_Token`, as plain text | the identity service |
//! | an HTML page, other text, nothing | edge, maintenance, an org that is being set up |

use serde_json::{Map, Value};

use super::error::ErrorDetail;
use super::error_codes::CONSEQUENCES;

/// What the identity service (`userinfo`) says with status 403 about a token that the API calls INVALID_SESSION_ID.
const BAD_TOKEN: &str = "Bad_OAuth_Token";

/// Every error that the body names, in its order; those that only follow from a sibling's come last.
pub(super) fn details(body: &Value) -> Vec<ErrorDetail> {
    let mut details = match body {
        Value::Array(items) => items.iter().filter_map(Value::as_object).flat_map(of_object).collect(),
        Value::Object(object) => of_object(object),
        Value::String(text) if text.trim() == BAD_TOKEN => vec![ErrorDetail {
            error_code: "INVALID_SESSION_ID".to_owned(),
            message: BAD_TOKEN.to_owned(),
            fields: Vec::new(),
        }],
        Value::String(text) => of_xml(text),
        _ => Vec::new(),
    };
    details.sort_by_key(|detail| CONSEQUENCES.contains(&detail.error_code.as_str()));
    details
}

/// Whether this is the result of a save that failed, in an answer whose status says success.
pub(super) fn is_failed_save(body: &Value) -> bool {
    body.get("id").is_some()
        && body.get("success") == Some(&Value::Bool(false))
        && body.get("errors").is_some_and(|errors| errors.get(0).is_some_and(|first| code(first).is_some()))
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn code(value: &Value) -> Option<&str> {
    text(value, "errorCode").or_else(|| text(value, "statusCode")).or_else(|| text(value, "error"))
}

fn of_object(object: &Map<String, Value>) -> Vec<ErrorDetail> {
    if let Some(Value::Array(errors)) = object.get("errors").filter(|_| object.contains_key("success")) {
        return errors.iter().filter_map(Value::as_object).filter_map(of_entry).collect();
    }
    of_entry(object).into_iter().collect()
}

fn of_entry(object: &Map<String, Value>) -> Option<ErrorDetail> {
    let value = |name| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let error_code = value("errorCode").or_else(|| value("statusCode")).or_else(|| value("error"));
    let message = value("message").or_else(|| value("error_description"));
    if error_code.is_none() && message.is_none() {
        return None;
    }
    let fields = object.get("fields").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Some(ErrorDetail {
        error_code: error_code.unwrap_or_default().to_owned(),
        message: message.unwrap_or_default().to_owned(),
        fields: fields.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    })
}

/// Reads `<Error>` elements; the form is fixed and flat, so no XML parser is needed.
fn of_xml(text: &str) -> Vec<ErrorDetail> {
    if !text.contains("<Errors>") {
        return Vec::new();
    }
    let entries = text.split("<Error>").skip(1).map(|entry| entry.split("</Error>").next().unwrap_or(entry));
    entries
        .map(|entry| ErrorDetail {
            error_code: elements(entry, "errorCode").next().unwrap_or_default(),
            message: elements(entry, "message").next().unwrap_or_default(),
            fields: elements(entry, "fields").collect(),
        })
        .filter(|detail| !detail.error_code.is_empty() || !detail.message.is_empty())
        .collect()
}

fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = String> + use<'a> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&open)?;
        let (content, after) = after.split_once(&close)?;
        rest = after;
        Some(unescape(content))
    })
}

/// The five predefined entities; `&amp;` last, so that nothing is unescaped twice.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// What a body without error codes looks like, in a few words.
pub(super) fn describe(body: &Value) -> String {
    match body {
        Value::Null => "an empty body".to_owned(),
        Value::String(text) if looks_like_html(text) => match html_title(text) {
            Some(title) => format!("an HTML page titled {title:?}"),
            None => "an HTML page".to_owned(),
        },
        Value::String(text) => format!("the text {:?}", shortened(text, 200)),
        _ => "JSON without an error code".to_owned(),
    }
}

pub(super) fn looks_like_html(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(200).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.contains("<html") || start.contains("<head")
}

fn html_title(html: &str) -> Option<String> {
    let lower = html.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title>")?;
    let title = unescape(html[start..end].trim());
    (!title.is_empty()).then(|| shortened(&title, 120))
}

pub(super) fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn detail(error_code: &str, message: &str, fields: &[&str]) -> ErrorDetail {
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        ErrorDetail { error_code: error_code.to_owned(), message: message.to_owned(), fields }
    }

    #[test]
    fn an_array_of_errors_is_read_whole() {
        let body = json!([
            {"message": "Required fields are missing: [LastName]", "errorCode": "REQUIRED_FIELD_MISSING", "fields": ["LastName"]},
            {"message": "bad", "errorCode": "INVALID_EMAIL_ADDRESS", "fields": ["Email", 3]},
        ]);
        let expected = [
            detail("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", &["LastName"]),
            detail("INVALID_EMAIL_ADDRESS", "bad", &["Email"]),
        ];
        assert_eq!(details(&body), expected);
    }

    #[test]
    fn status_code_serves_where_error_code_is_missing() {
        let body = json!({"statusCode": "MALFORMED_ID", "message": "bad id", "fields": []});
        assert_eq!(details(&body), [detail("MALFORMED_ID", "bad id", &[])]);
    }

    #[test]
    fn a_failed_save_is_read_and_recognised() {
        let body = json!({"id": null, "success": false, "errors": [
            {"statusCode": "DUPLICATE_VALUE", "message": "duplicate", "fields": ["Key__c"]}]});
        assert_eq!(details(&body), [detail("DUPLICATE_VALUE", "duplicate", &["Key__c"])]);
        assert!(is_failed_save(&body));
        assert!(!is_failed_save(&json!({"id": "001", "success": true, "errors": []})));
        assert!(!is_failed_save(&json!({"success": false, "errors": ["an Apex class's own reply"]})));
        assert!(!is_failed_save(&json!([{"id": "001", "success": false}])));
    }

    #[test]
    fn an_oauth_error_is_read_with_and_without_its_description() {
        let body = json!({"error": "invalid_grant", "error_description": "authentication failure"});
        assert_eq!(details(&body), [detail("invalid_grant", "authentication failure", &[])]);
        assert_eq!(details(&json!({"error": "invalid_client"})), [detail("invalid_client", "", &[])]);
    }

    #[test]
    fn xml_errors_are_read() {
        let body = json!(
            "<?xml version=\"1.0\"?><Errors><Error><errorCode>NOT_FOUND</errorCode>\
             <message>no &lt;such&gt; &amp;amp; thing</message></Error><Error><errorCode>X</errorCode>\
             <fields>A</fields><fields>B</fields></Error></Errors>"
        );
        let expected = [detail("NOT_FOUND", "no <such> &amp; thing", &[]), detail("X", "", &["A", "B"])];
        assert_eq!(details(&body), expected);
    }

    #[test]
    fn what_only_follows_from_a_sibling_comes_last() {
        let body = json!([
            {"errorCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": "rolled back"},
            {"errorCode": "DUPLICATE_VALUE", "message": "duplicate"},
        ]);
        assert_eq!(details(&body)[0].error_code, "DUPLICATE_VALUE");
    }

    #[test]
    fn other_bodies_name_no_error_and_are_described() {
        for (body, description) in [
            (json!(null), "an empty body"),
            (
                json!("<!DOCTYPE HTML>\n<html><head><title>Down for\nMaintenance</title>"),
                "an HTML page titled \"Down for\\nMaintenance\"",
            ),
            (json!("  <HTML><body>oops"), "an HTML page"),
            (json!("upstream connect error"), "the text \"upstream connect error\""),
            (json!({"hello": 1}), "JSON without an error code"),
            (json!([]), "JSON without an error code"),
            (json!(["/services/data/v67.0/sobjects/Account/001"]), "JSON without an error code"),
        ] {
            assert_eq!(details(&body), [], "{body}");
            assert_eq!(describe(&body), description);
        }
    }

    #[test]
    fn a_title_survives_characters_whose_lower_case_is_longer() {
        let body = json!("<html><title>İstanbul İİİ</title>");
        assert_eq!(describe(&body), "an HTML page titled \"İstanbul İİİ\"");
    }
}
