//! `parameterizedSearch`: how do I search for a text without writing SOSL?

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value, json};

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields, query,
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, ObjectName, Request, soql, sosl},
};

/// Salesforce gives no more.
const MOST_RECORDS: usize = 2000;

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "parameterizedSearch",
    area: Area::Query,
    label: "Search records by text",
    summary: "Finds records of some objects by the words of a text, without SOSL.",
    keywords: &["search", "find", "full text", "parameterized search", "lookup", "customer"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `POST /parameterizedSearch`.",
    body: "`searchRecords`: the records of all objects in one list, at most 2,000, each with its `attributes.type`. What was saved \
           a moment ago may not be found yet: Salesforce's index follows within minutes.",
    contents: &[
        ResultContent::Response,
        ResultContent::Body,
        ResultContent::Records,
        ResultContent::FirstRecord,
    ],
    inputs: &[
        Input {
            name: "searchText",
            label: "Text to search for",
            kind: InputKind::Text { pattern: None },
            required: true,
            tooltip: "Records are found that have all of its words, in any order, such as Ada Lovelace.",
            placeholder: "=customerName",
        },
        Input {
            name: "searchIn",
            label: "Search in",
            kind: InputKind::Choice {
                choices: &[
                    ("ALL", "all fields"),
                    ("NAME", "names"),
                    ("EMAIL", "e-mail addresses"),
                    ("PHONE", "phone numbers"),
                ],
            },
            required: false,
            tooltip: "Which fields are searched, such as names.",
            placeholder: "",
        },
        Input {
            name: "objects",
            label: "Objects",
            kind: InputKind::Text { pattern: None },
            required: true,
            tooltip: "API names, separated by commas, or a FEEL list of them and of contexts with a name, such as [\"Account\", {name: \
                      \"Contact\", fields: \"Id, Email\", where: \"AccountId = :account\", orderBy: \"LastName\", limit: 5}].",
            placeholder: "Account, Contact",
        },
        Input {
            tooltip: "API names, separated by commas, or a FEEL list of them, such as Id, Name: for objects that do not name their own. \
                      Empty: the id alone.",
            ..fields::FIELDS
        },
        Input {
            tooltip: "A value for each :name in the conditions (where) of Objects, such as {account: accountId}.",
            placeholder: "={account: accountId}",
            ..query::PARAMETERS
        },
        Input {
            tooltip: "Gives at most this many records of all objects together. Empty: 2000, which is the most there can be.",
            placeholder: "10",
            ..fields::MAX_RECORDS
        },
        Input {
            name: "operators",
            label: "Understand wildcards and operators",
            kind: InputKind::Boolean { default: false },
            required: false,
            tooltip: "When checked, the text is the search term of SOSL, such as Acm* OR \"Bravo Ltd\", and its reserved characters \
                      need a backslash. Leave it for text that comes from the process.",
            placeholder: "",
        },
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"searchRecords": [{"attributes": {"type": "Contact"}, "Id": "003Hp00001aaaAAAAA", "Name": "Ada Lovelace"}]}"#,
        ),
        refusal: (
            400,
            r#"[{"errorCode": "INVALID_FIELD", "message": "No such column 'Nam' on entity 'Contact'"}]"#,
        ),
        result: "={contactId: body.searchRecords[1].Id}",
        error: "=if error.code = \"INVALID_FIELD\" then bpmnError(\"no such field\", error.message) else null",
    },
};

/// The input of `parameterizedSearch`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParameterizedSearch {
    #[serde(deserialize_with = "fields::text_or_number")]
    search_text: String,
    #[serde(default)]
    search_in: SearchIn,
    #[serde(deserialize_with = "objects")]
    objects: Vec<Object>,
    #[serde(default, deserialize_with = "fields::names")]
    fields: Option<String>,
    #[serde(default, deserialize_with = "fields::object")]
    parameters: Map<String, Value>,
    #[serde(default, deserialize_with = "fields::count")]
    max_records: Option<usize>,
    #[serde(default, deserialize_with = "fields::flag")]
    operators: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum SearchIn {
    #[default]
    All,
    Name,
    Email,
    Phone,
}

/// One object to search in; what it does not say, the search says for all.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Object {
    name: ObjectName,
    #[serde(default, deserialize_with = "fields::names")]
    fields: Option<String>,
    #[serde(rename = "where")]
    condition: Option<String>,
    order_by: Option<String>,
    #[serde(default, deserialize_with = "fields::count")]
    limit: Option<usize>,
}

/// Reads names separated by commas, or a list of names and of objects with a name.
fn objects<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Object>, D::Error> {
    let list = match Value::deserialize(deserializer)? {
        Value::String(text) => text.split(',').map(|name| json!(name.trim())).collect(),
        Value::Array(items) if !items.is_empty() => items,
        single @ Value::Object(_) => vec![single],
        _ => {
            return Err(D::Error::custom(
                "expected names of objects, separated by commas, or a list of objects",
            ));
        }
    };
    let objects = list.into_iter().map(|item| {
        let item = if item.is_object() { item } else { json!({ "name": item }) };
        serde_json::from_value(item).map_err(|mistake| {
            let message = mistake.to_string();
            let message = message.strip_prefix("expected ").unwrap_or(&message);
            D::Error::custom(format!(
                "expected names of objects, or objects with name, fields, where, orderBy and limit ({message})"
            ))
        })
    });
    objects.collect()
}

fn split(names: Option<&str>) -> Value {
    names.map_or(Value::Null, |names| names.split(',').collect::<Vec<_>>().into())
}

impl ParameterizedSearch {
    fn body(&self) -> Result<Value, InvalidInput> {
        let q = if self.operators {
            self.search_text.clone()
        } else {
            sosl::plain(&self.search_text).map_err(|mistake| query::misfit("searchText", mistake))?
        };
        let most = self.max_records.unwrap_or(MOST_RECORDS).min(MOST_RECORDS);
        let group = match self.search_in {
            SearchIn::All => "ALL",
            SearchIn::Name => "NAME",
            SearchIn::Email => "EMAIL",
            SearchIn::Phone => "PHONE",
        };
        let mut used = Vec::new();
        let mut objects = Vec::with_capacity(self.objects.len());
        for object in &self.objects {
            let condition = object.condition.as_deref();
            let condition = condition
                .map(|condition| soql::bind_names(condition, &self.parameters, &mut used))
                .transpose();
            let condition = condition.map_err(|mistake| query::misfit("objects", mistake))?;
            objects.push(filled(json!({
                "name": object.name, "fields": split(object.fields.as_deref()), "where": condition,
                "orderBy": object.order_by, "limit": object.limit,
            })));
        }
        soql::all_used(&self.parameters, &used).map_err(|mistake| query::misfit("objects", mistake))?;
        let fields = self.fields.as_deref().unwrap_or("Id");
        Ok(
            json!({"q": q, "in": group, "fields": split(Some(fields)), "sobjects": objects, "overallLimit": most}),
        )
    }
}

/// The object without what is null.
fn filled(object: Value) -> Value {
    match object {
        Value::Object(members) => members.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}

impl Operate for ParameterizedSearch {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.body()?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::parameterized_search(self.body()?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::connector::operations::{Operation, tests::mistake};

    fn body(fields: &Value) -> Value {
        let operation = Operation::parse("parameterizedSearch", fields.as_object().unwrap());
        operation.unwrap().request().unwrap().body.unwrap()
    }

    #[test]
    fn a_text_is_searched_for_by_its_words_unless_it_is_a_search_term() {
        let search = |operators: bool| {
            body(
                &json!({"searchText": "Acm* or O'Brien", "objects": "Account, Contact", "operators": operators}),
            )
        };
        assert_eq!(search(false)["q"], "(Acm\\* AND \"or\" AND O\\'Brien)");
        assert_eq!(
            search(true),
            json!({"q": "Acm* or O'Brien", "in": "ALL", "fields": ["Id"], "overallLimit": 2000,
                   "sobjects": [{"name": "Account"}, {"name": "Contact"}]})
        );
    }

    #[test]
    fn objects_say_what_is_their_own_and_conditions_are_bound() {
        let objects = json!(["Account", {"name": "Contact", "fields": ["Id", "Email"], "where": "AccountId = :a",
                                          "orderBy": "LastName", "limit": 5}]);
        let body =
            body(&json!({"searchText": 4711, "searchIn": "PHONE", "objects": objects, "fields": "Id, Name",
                                "parameters": {"a": "x' OR Name != '"}, "maxRecords": 9999}));
        assert_eq!(
            (&body["q"], &body["in"], &body["overallLimit"]),
            (&json!("4711"), &json!("PHONE"), &json!(2000))
        );
        assert_eq!(body["fields"], json!(["Id", "Name"]));
        let contact = json!({"name": "Contact", "fields": ["Id", "Email"], "where": "AccountId = 'x\\' OR Name != \\''",
                             "orderBy": "LastName", "limit": 5});
        assert_eq!(body["sobjects"], json!([{"name": "Account"}, contact]));
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_path() {
        let search = |further: Value| {
            let mut fields = json!({"searchText": "Acme", "objects": "Account"});
            fields.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
            mistake("parameterizedSearch", fields)
        };
        for (further, message) in [
            (
                json!({"searchText": "-"}),
                "searchText: expected a text with a letter or a digit in it, found \"-\"",
            ),
            (
                json!({"parameters": {"a": 1}}),
                "parameters.a: expected :a in the query, found no such name there",
            ),
            (
                json!({"objects": [{"name": "A", "where": "x = :b"}]}),
                "parameters.b: expected a value for :b of the query, found none",
            ),
            (
                json!({"objects": [{"name": "A", "where": "x = 'b"}]}),
                "objects: expected a query whose quotes are closed, found an open one",
            ),
            (
                json!({"objects": []}),
                "objects: expected names of objects, separated by commas, or a list of objects, found a list of 0",
            ),
            (
                json!({"searchIn": "TITLE"}),
                "searchIn: expected one of `ALL`, `NAME`, `EMAIL`, `PHONE`, found the string \"TITLE\"",
            ),
        ] {
            assert_eq!(search(further), message);
        }
        let message = search(json!({"objects": [{"name": "A", "wher": "x"}]}));
        assert!(
            message.starts_with("objects: expected names of objects, or objects with name, fields, where"),
            "{message}"
        );
    }
}
