//! The task headers: what becomes of the result, and what of a failure.

use std::{collections::BTreeMap, time::Duration};

use super::{
    INPUT_VARIABLE, STATE_VARIABLE,
    error::Error,
    expressions::{Expressions, HeaderExpression},
    input::{self, InvalidInput},
    operations::{Descriptor, ResultContent},
};

pub(super) const RESULT_VARIABLE: &str = "resultVariable";
const RESULT_CONTENT: &str = "resultContent";
const BPMN_ERRORS: &str = "bpmnErrors";
const RETRY_BACKOFF: &str = "retryBackoff";
pub(super) const RESULT_EXPRESSION: &str = "resultExpression";
pub(super) const ERROR_EXPRESSION: &str = "errorExpression";

/// Words that FEEL keeps for itself; a variable of such a name could never be read.
const RESERVED: &[&str] = &[
    "null",
    "true",
    "false",
    "function",
    "if",
    "then",
    "else",
    "for",
    "between",
    "instance",
    "of",
    "not",
    "in",
    "return",
    "some",
    "every",
    "satisfies",
    "and",
    "or",
];

/// What the modeler wants, as far as headers say it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Headers {
    /// The variable that the result goes to, and what it holds; `None`: the result is not kept.
    pub(super) result: Option<(String, ResultContent)>,
    /// Which variables are made of the response.
    pub(super) result_expression: Option<HeaderExpression>,
    /// What becomes of the job, where it says so; it goes before everything else.
    pub(super) error_expression: Option<HeaderExpression>,
    /// Which failures become BPMN errors.
    pub(super) bpmn_errors: BpmnErrors,
    /// How long a failed job rests.
    pub(super) retry_backoff: Option<Duration>,
}

/// Which failures become BPMN errors: all of type `business`, and those with one of these codes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BpmnErrors {
    business: bool,
    /// In upper case.
    codes: Vec<String>,
}

impl Headers {
    /// Reads the headers of ours; blank ones count as not there, others are none of our business.
    pub(super) fn parse(
        headers: &BTreeMap<String, String>,
        expressions: &Expressions,
    ) -> Result<Self, InvalidInput> {
        let get = |name| headers.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        let expression = |name| get(name).map(|text| expressions.parse(name, text)).transpose();
        Ok(Self {
            result: result(get(RESULT_VARIABLE), get(RESULT_CONTENT))?,
            result_expression: expression(RESULT_EXPRESSION)?,
            error_expression: expression(ERROR_EXPRESSION)?,
            bpmn_errors: get(BPMN_ERRORS).map(BpmnErrors::parse).transpose()?.unwrap_or_default(),
            retry_backoff: get(RETRY_BACKOFF).map(retry_backoff).transpose()?,
        })
    }

    /// Refuses a content that the operation cannot give.
    pub(super) fn check(&self, operation: &Descriptor) -> Result<(), InvalidInput> {
        match self.result {
            Some((_, content)) if !operation.contents.contains(&content) => {
                let expected = format!("for {} one of {}", operation.name, names(operation.contents));
                Err(invalid(RESULT_CONTENT, expected, format!("{:?}", content.name())))
            }
            _ => Ok(()),
        }
    }
}

fn invalid(header: &str, expected: impl Into<String>, found: impl Into<String>) -> InvalidInput {
    InvalidInput::new(format!("task header {header}"), expected, found)
}

fn quoted(text: &str) -> String {
    format!("{:?}", input::shorten(text))
}

fn names(contents: &[ResultContent]) -> String {
    contents.iter().map(|content| content.name()).collect::<Vec<_>>().join(", ")
}

fn result(
    variable: Option<&str>,
    content: Option<&str>,
) -> Result<Option<(String, ResultContent)>, InvalidInput> {
    let content = match content {
        None => None,
        Some(text) => Some(ResultContent::find(text).ok_or_else(|| {
            let known: Vec<_> = ResultContent::ALL.iter().map(|content| content.name()).collect();
            InvalidInput::unknown(format!("task header {RESULT_CONTENT}"), "one of", text, &known)
        })?),
    };
    match (variable, content) {
        (Some(name), content) => {
            check_variable_name(name)?;
            Ok(Some((name.to_owned(), content.unwrap_or(ResultContent::Response))))
        }
        (None, Some(_)) => {
            let expected = "the name of the variable for the result, because resultContent is set";
            Err(invalid(RESULT_VARIABLE, expected, "nothing"))
        }
        (None, None) => Ok(None),
    }
}

/// Camunda's rules for variable names; what breaks them could be set, but never read by an expression.
fn check_variable_name(name: &str) -> Result<(), InvalidInput> {
    let mut characters = name.chars();
    let starts_well = characters.next().is_some_and(|first| first.is_alphabetic() || first == '_');
    if !starts_well || !characters.all(|other| other.is_alphanumeric() || other == '_') {
        let expected = "a variable name: letters, digits and underscores, not beginning with a digit";
        return Err(invalid(RESULT_VARIABLE, expected, quoted(name)));
    }
    if RESERVED.contains(&name) {
        return Err(invalid(RESULT_VARIABLE, "a variable name that is no word of FEEL", quoted(name)));
    }
    if [INPUT_VARIABLE, STATE_VARIABLE].contains(&name) {
        let expected =
            "another name than that of a variable of the task itself, where the result would be lost";
        return Err(invalid(RESULT_VARIABLE, expected, quoted(name)));
    }
    Ok(())
}

fn retry_backoff(text: &str) -> Result<Duration, InvalidInput> {
    input::duration(text)
        .ok_or_else(|| invalid(RETRY_BACKOFF, "an ISO 8601 duration such as \"PT30S\"", quoted(text)))
}

impl BpmnErrors {
    fn parse(text: &str) -> Result<Self, InvalidInput> {
        let mut errors = Self::default();
        let words: Vec<String> =
            text.split(',').map(|word| word.trim().to_uppercase()).filter(|word| !word.is_empty()).collect();
        if words.iter().any(|word| word == "NONE") && words.len() > 1 {
            return Err(invalid(BPMN_ERRORS, "\"none\" alone, or a list without it", quoted(text)));
        }
        for word in words {
            match word.as_str() {
                "NONE" => {}
                "BUSINESS" => errors.business = true,
                code if code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
                    errors.codes.push(word);
                }
                _ => {
                    let expected = "\"none\", \"business\", or error codes separated by commas, such as \
                                    \"DUPLICATES_DETECTED, NOT_FOUND\"";
                    return Err(invalid(BPMN_ERRORS, expected, quoted(text)));
                }
            }
        }
        Ok(errors)
    }

    /// The code of the BPMN error that this failure becomes, if it becomes one.
    ///
    /// A code that the modeler lists goes before `business`, so that it also catches what Salesforce names second.
    pub(super) fn code_for<'a>(&self, error: &'a Error) -> Option<&'a str> {
        let listed =
            error.codes().find(|code| self.codes.iter().any(|listed| listed.eq_ignore_ascii_case(code)));
        let is_business = error.error_type() == super::ErrorType::Business;
        listed.or((self.business && is_business).then_some(error.code()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        connector::{error::tests::refused, operations},
        salesforce::ErrorClass,
    };

    fn parse(headers: &[(&str, &str)]) -> Result<Headers, String> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Headers::parse(&headers, &Expressions::default()).map_err(|mistake| mistake.to_string())
    }

    fn operation(name: &str) -> &'static Descriptor {
        operations::ALL.iter().copied().find(|operation| operation.name == name).unwrap()
    }

    #[test]
    fn no_or_blank_headers_keep_no_result_and_throw_no_error() {
        let blank =
            [("resultVariable", " "), ("resultContent", "\t"), ("bpmnErrors", ""), ("retryBackoff", " ")];
        assert_eq!(parse(&[]), Ok(Headers::default()));
        assert_eq!(parse(&blank), Ok(Headers::default()));
        assert_eq!(parse(&[("resultExpression", " "), ("somebodyElses", "={")]), Ok(Headers::default()));
    }

    #[test]
    fn all_headers_of_ours_are_read() {
        let headers = parse(&[
            ("resultVariable", " account_1 "),
            ("resultContent", "firstRecord"),
            ("resultExpression", " = {a: 1} "),
            ("errorExpression", "null"),
            ("bpmnErrors", " business , duplicates_detected,, Not_Found,"),
            ("retryBackoff", "PT1M"),
        ]);
        let codes = vec!["DUPLICATES_DETECTED".to_owned(), "NOT_FOUND".to_owned()];
        let expected = Headers {
            result: Some(("account_1".to_owned(), ResultContent::FirstRecord)),
            result_expression: Some(Expressions::default().parse(RESULT_EXPRESSION, "{a: 1}").unwrap()),
            error_expression: Some(Expressions::default().parse(ERROR_EXPRESSION, "null").unwrap()),
            bpmn_errors: BpmnErrors { business: true, codes },
            retry_backoff: Some(Duration::from_mins(1)),
        };
        assert_eq!(headers, Ok(expected));
        let response = Some(("größe".to_owned(), ResultContent::Response));
        assert_eq!(parse(&[("resultVariable", "größe")]).unwrap().result, response);
    }

    #[test]
    fn each_mistake_names_its_header_and_what_is_allowed() {
        for (headers, message) in [
            (
                vec![("resultVariable", "a"), ("resultContent", "record")],
                "task header resultContent: expected one of: response, body, records, firstRecord, id, found \
                 \"record\"; did you mean records?",
            ),
            (
                vec![("resultContent", "id")],
                "task header resultVariable: expected the name of the variable for the result, because \
                 resultContent is set, found nothing",
            ),
            (
                vec![("resultVariable", "my-account")],
                "task header resultVariable: expected a variable name: letters, digits and underscores, not \
                 beginning with a digit, found \"my-account\"",
            ),
            (
                vec![("resultVariable", "not")],
                "task header resultVariable: expected a variable name that is no word of FEEL, found \"not\"",
            ),
            (
                vec![("resultVariable", "salesforceRequest")],
                "task header resultVariable: expected another name than that of a variable of the task itself, where \
                 the result would be lost, found \"salesforceRequest\"",
            ),
            (
                vec![("bpmnErrors", "none, NOT_FOUND")],
                "task header bpmnErrors: expected \"none\" alone, or a list without it, found \"none, NOT_FOUND\"",
            ),
            (
                vec![("bpmnErrors", "NOT FOUND; X")],
                "task header bpmnErrors: expected \"none\", \"business\", or error codes separated by commas, such \
                 as \"DUPLICATES_DETECTED, NOT_FOUND\", found \"NOT FOUND; X\"",
            ),
            (
                vec![("retryBackoff", "30s")],
                "task header retryBackoff: expected an ISO 8601 duration such as \"PT30S\", found \"30s\"",
            ),
        ] {
            assert_eq!(parse(&headers), Err(message.to_owned()));
        }
        for name in ["1a", "a b", "a.b", "a+b", "a?", "a/b", "=a"] {
            assert!(parse(&[("resultVariable", name)]).is_err(), "{name}");
        }
    }

    #[test]
    fn an_expression_with_a_syntax_error_is_refused_with_its_place() {
        for name in [RESULT_EXPRESSION, ERROR_EXPRESSION] {
            let message = parse(&[(name, "= {a: body.id")]).unwrap_err();
            let words =
                format!("task header {name}: expected a FEEL expression, found a syntax error in line 1");
            assert!(message.starts_with(&words), "{message}");
            assert!(message.lines().last().unwrap().ends_with('^'), "{message}");
        }
    }

    #[test]
    fn a_content_that_the_operation_cannot_give_is_refused_with_those_it_can() {
        let headers = parse(&[("resultVariable", "a"), ("resultContent", "records")]).unwrap();
        assert_eq!(headers.check(operation("query")), Ok(()));
        assert_eq!(
            headers.check(operation("createRecord")).unwrap_err().to_string(),
            "task header resultContent: expected for createRecord one of response, body, id, found \"records\""
        );
    }

    #[test]
    fn business_catches_business_errors_and_a_list_catches_its_codes() {
        let body = json!([{"errorCode": "FIRST"}, {"errorCode": "Second"}]);
        let business = refused("FIRST", ErrorClass::Business, 400, body.clone());
        let permanent = refused("FIRST", ErrorClass::Permanent, 400, body);
        for (header, error, code) in [
            ("none", &business, None),
            ("NONE", &business, None),
            ("business", &business, Some("FIRST")),
            (" Business ", &business, Some("FIRST")),
            ("business", &permanent, None),
            ("first", &permanent, Some("FIRST")),
            ("SECOND", &permanent, Some("Second")),
            ("business,SECOND", &business, Some("Second")),
            ("THIRD", &business, None),
        ] {
            let errors = parse(&[("bpmnErrors", header)]).unwrap().bpmn_errors;
            assert_eq!(errors.code_for(error), code, "{header}");
        }
    }
}
