//! `getRecord`: how do I read one record, or what it is related to, by its id?

use serde::Deserialize;

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, FieldName, ObjectName, RecordId, Request},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "getRecord",
    area: Area::Records,
    label: "Get record",
    summary: "Reads one record, or what it is related to, by its id.",
    keywords: &["get", "read", "retrieve", "fetch", "lookup", "record", "sobject"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /sobjects/{objectType}/{objectId}`, with the relationship behind it.",
    body: "The record: its fields by their API names, and `attributes`. For a relationship to many records, the result of a query.",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[
        fields::OBJECT_TYPE,
        fields::OBJECT_ID,
        fields::FIELDS,
        Input {
            name: "relationshipFieldName",
            label: "Relationship",
            kind: InputKind::Text {
                pattern: Some((
                    fields::API_NAME,
                    "must be the name of a relationship, such as Owner or Contacts",
                )),
            },
            required: false,
            tooltip: "Reads the related record or records instead, such as Owner, Parent__r or Contacts.",
            placeholder: "Owner",
        },
        Input {
            name: "queryParameters",
            label: "Query parameters",
            kind: InputKind::Context,
            required: false,
            tooltip: "Further parameters of the address. Values are text, numbers or booleans.",
            placeholder: "={fields: \"Id,Name\"}",
        },
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"attributes": {"type": "Account"}, "Id": "001Hp00002abcDEFGH", "Name": "Acme",
            "Phone": null}"#,
        ),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={name: body.Name}",
        error: "=if error.code = \"NOT_FOUND\" then ignoreError({name: null}) else null",
    },
};

/// The input of `getRecord`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetRecord {
    object_type: ObjectName,
    object_id: RecordId,
    #[serde(default, deserialize_with = "fields::names")]
    fields: Option<String>,
    relationship_field_name: Option<FieldName>,
    #[serde(default, deserialize_with = "fields::parameters")]
    query_parameters: Vec<(String, String)>,
}

impl Operate for GetRecord {
    fn checked(self) -> Result<Self, InvalidInput> {
        if self.fields.is_some() && self.query_parameters.iter().any(|(name, _)| name == "fields") {
            let expected = "no parameter fields, because the input fields is filled";
            return Err(InvalidInput::new("queryParameters.fields", expected, "one"));
        }
        Ok(self)
    }

    /// The id of a related record is in the answer, if it is one record.
    fn record_id(&self) -> Option<&RecordId> {
        self.relationship_field_name.is_none().then_some(&self.object_id)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        let relationship = self.relationship_field_name.as_ref();
        let mut request = Request::get(&self.object_type, &self.object_id, relationship);
        request.query.extend(self.fields.map(|fields| ("fields".to_owned(), fields)));
        request.query.extend(self.query_parameters);
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        connector::operations::{Operation, tests::mistake},
        salesforce::Path,
    };

    const ID: &str = "001D000000IRFmaIAH";

    fn request(fields: &Value) -> Request {
        Operation::parse("getRecord", fields.as_object().unwrap()).unwrap().request().unwrap()
    }

    fn query(request: &Request) -> Vec<(&str, &str)> {
        request.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn fields_are_text_or_a_list() {
        for fields in [json!("Id, Name ,Owner.Name"), json!(["Id", "Name", "Owner.Name"])] {
            let request = request(&json!({"objectType": "Account", "objectId": ID, "fields": fields}));
            assert_eq!(query(&request), [("fields", "Id,Name,Owner.Name")]);
        }
        for fields in [json!("Id,,Name"), json!("Id Name"), json!([]), json!([1]), json!(7), json!({"a": 1})]
        {
            let message =
                mistake("getRecord", json!({"objectType": "Account", "objectId": ID, "fields": fields}));
            let expected =
                "fields: expected field names separated by commas, or a list of field names, found ";
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn parameters_are_text_numbers_or_booleans() {
        let parameters = json!({"fields": "Id", "a": 1.50, "b": true, "left out": null});
        let input = json!({"objectType": "Account", "objectId": ID, "queryParameters": parameters});
        assert_eq!(query(&request(&input)), [("fields", "Id"), ("a", "1.5"), ("b", "true")]);
        let message =
            mistake("getRecord", json!({"objectType": "A", "objectId": ID, "queryParameters": {"a": []}}));
        let expected = "queryParameters: expected an object whose values are strings, numbers or booleans, found an object";
        assert_eq!(message, expected);
    }

    #[test]
    fn fields_are_not_given_twice() {
        let input =
            json!({"objectType": "A", "objectId": ID, "fields": "Id", "queryParameters": {"fields": "Name"}});
        let expected = "queryParameters.fields: expected no parameter fields, because the input fields is filled, found one";
        assert_eq!(mistake("getRecord", input), expected);
    }

    #[test]
    fn a_relationship_is_followed_and_the_id_is_then_not_the_one_asked_for() {
        let input = json!({"objectType": "Account", "objectId": ID, "relationshipFieldName": "Owner"});
        assert_eq!(request(&input).path, Path::Versioned(format!("/sobjects/Account/{ID}/Owner")));
        let operation = Operation::parse("getRecord", input.as_object().unwrap()).unwrap();
        assert_eq!(operation.record_id(), None);
    }
}
