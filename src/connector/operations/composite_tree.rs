//! `compositeTree`: how do I create records together with the records below them?

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Call, Operate, composite_account,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
    list_account::{all_pass, detail},
    list_input::{FAIL_ON, FailOn},
    sub_requests,
};
use crate::{
    connector::{
        Error, InvalidInput, codes,
        input::{Show, describe},
    },
    salesforce::{CallClass, ObjectName, Request, Response},
};

/// Salesforce takes so many in one call.
const MOST_RECORDS: usize = 200;
const MOST_LEVELS: usize = 5;
const MOST_OBJECTS: usize = 5;

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "compositeTree",
    area: Area::ManyRecords,
    label: "Create records with those below them (tree)",
    summary: "Creates up to 200 records, each with records below it, all of them or none.",
    keywords: &["tree", "create", "nested", "children", "parent", "related records", "composite"],
    class: CallClass::UnsafeWrite,
    class_with: None,
    calls: "one, `POST /composite/tree/{objectType}`.",
    body: "`hasErrors`, and `results`: for each record its `referenceId` and `id`, or its `errors`.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[
        fields::OBJECT_TYPE,
        Input {
            name: "records",
            label: "Records",
            kind: InputKind::List,
            required: true,
            tooltip: "Up to 200, with those below under the name of the relationship: {Name: \"Acme\", Contacts: {records: \
                      [{attributes: {type: \"Contact\"}, LastName: \"Doe\"}]}}. In the answer a record has its \
                      attributes.referenceId, or a name that tells its place: record0, record0_Contacts0.",
            placeholder: "=[{Name: \"Acme\", Contacts: {records: [{attributes: {type: \"Contact\"}, LastName: \"Doe\"}]}}]",
        },
        FAIL_ON,
    ],
    examples: Examples {
        answer: (
            201,
            r#"{"hasErrors": false, "results": [{"referenceId": "record0", "id": "001Hp00002abcDEFGH"},
            {"referenceId": "record0_Contacts0", "id": "003Hp00001aaaAAAAA"}]}"#,
        ),
        refusal: (
            400,
            r#"{"hasErrors": true, "results": [{"referenceId": "record0_Contacts0", "errors": [
            {"statusCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid email address: 123",
            "fields": ["Email"]}]}]}"#,
        ),
        result: "={accountId: body.results[referenceId = \"record0\"][1].id}",
        error: super::composite::ON_REFUSED_REQUESTS,
    },
};

/// The input of `compositeTree`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompositeTree {
    object_type: ObjectName,
    records: Vec<Value>,
    #[serde(default)]
    fail_on: FailOn,
}

/// Where a list of records stands in the tree.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// For messages.
    path: &'a str,
    /// The name of a record without one is this and its number.
    prefix: &'a str,
    /// The object of records that do not name theirs.
    object: Option<&'a ObjectName>,
    level: usize,
}

/// What the walk has seen.
#[derive(Default)]
struct Seen {
    /// The records' names, each before those below it.
    names: Vec<String>,
    objects: HashSet<String>,
}

impl Seen {
    /// Gives each record of a list, and those below, its object and a name.
    fn name_all(&mut self, records: &mut [Value], place: Place<'_>) -> Result<(), InvalidInput> {
        if place.level > MOST_LEVELS {
            let expected = format!("at most {MOST_LEVELS} levels of records");
            return Err(InvalidInput::new(place.path, expected, "more"));
        }
        for (index, record) in records.iter_mut().enumerate() {
            let path = format!("{}[{index}]", place.path);
            let name = self
                .name_one(record, place.object, format!("{}{index}", place.prefix))
                .map_err(|mistake| mistake.under(&path))?;
            for (relationship, below) in record.as_object_mut().into_iter().flatten() {
                let Some(Value::Array(below)) = below.get_mut("records") else { continue };
                let (path, prefix) =
                    (format!("{path}.{relationship}.records"), format!("{name}_{relationship}"));
                let place = Place { path: &path, prefix: &prefix, object: None, level: place.level + 1 };
                self.name_all(below, place)?;
            }
        }
        Ok(())
    }

    fn name_one(
        &mut self,
        record: &mut Value,
        object: Option<&ObjectName>,
        name: String,
    ) -> Result<String, InvalidInput> {
        if !record.is_object() {
            let found = describe(Some(record), Show::Value);
            return Err(InvalidInput::new("", "an object of field names and values", found));
        }
        let at = |member: &str| format!("attributes.{member}");
        let own = &record["attributes"]["type"];
        let of_task = object.filter(|_| own.is_null()).cloned();
        let object =
            of_task.or_else(|| own.as_str().and_then(|name| name.parse().ok())).ok_or_else(|| {
                let found = describe(record["attributes"].get("type"), Show::Value);
                InvalidInput::new(at("type"), "the API name of the record's object", found)
            })?;
        let given = &record["attributes"]["referenceId"];
        let name = if given.is_null() { name } else { given.as_str().unwrap_or_default().to_owned() };
        if !sub_requests::is_name(&name) {
            let found = describe(Some(given), Show::Value);
            return Err(InvalidInput::new(at("referenceId"), sub_requests::A_NAME, found));
        }
        if self.names.contains(&name) {
            let found = format!("{name:?} twice");
            return Err(InvalidInput::new(at("referenceId"), "a name that no other has", found));
        }
        record["attributes"] = json!({"type": object.as_str(), "referenceId": name});
        self.objects.insert(object.as_str().to_ascii_lowercase());
        self.names.push(name.clone());
        Ok(name)
    }
}

impl CompositeTree {
    /// The records with their objects and names, and all names.
    fn named(&self) -> Result<(Vec<Value>, Vec<String>), InvalidInput> {
        let refused = |expected: String, found: String| Err(InvalidInput::new("records", expected, found));
        if self.records.is_empty() {
            return refused("at least one record".to_owned(), "an empty list".to_owned());
        }
        let (mut records, mut seen) = (self.records.clone(), Seen::default());
        let place = Place { path: "records", prefix: "record", object: Some(&self.object_type), level: 1 };
        seen.name_all(&mut records, place)?;
        if seen.names.len() > MOST_RECORDS {
            return refused(
                format!("at most {MOST_RECORDS} records in the tree"),
                seen.names.len().to_string(),
            );
        }
        if seen.objects.len() > MOST_OBJECTS {
            let expected = format!("records of at most {MOST_OBJECTS} objects");
            return refused(expected, seen.objects.len().to_string());
        }
        Ok((records, seen.names))
    }
}

impl Operate for CompositeTree {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.named()?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::composite_tree(&self.object_type, &self.named()?.0))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let (records, names) = self.named()?;
        let response = match call.send(&Request::composite_tree(&self.object_type, &records)).await {
            Ok(response) => response,
            Err(error) => return self.refused(error, &names),
        };
        let is_whole =
            response.body["results"].as_array().is_some_and(|results| results.len() == names.len());
        if !is_whole {
            return Err(composite_account::misfit(&response, CallClass::UnsafeWrite));
        }
        Ok(response)
    }
}

impl CompositeTree {
    /// A refused tree names the records at fault, in a form of its own; nothing of it was created.
    fn refused(&self, error: Error, names: &[String]) -> Result<Response, Error> {
        let answer = error.response().filter(|response| response.body["hasErrors"] == true).cloned();
        let Some(response) = answer else { return Err(error) };
        if !self.fail_on.is_error(names.len(), 0) {
            return Ok(response);
        }
        let mut refusals = Vec::new();
        for result in response.body["results"].as_array().into_iter().flatten() {
            let place = names.iter().position(|name| result["referenceId"] == name.as_str());
            let errors = result["errors"].as_array().into_iter().flatten();
            refusals.extend(errors.map(|error| (place.unwrap_or_default(), detail(error))));
        }
        let mut message = format!("the tree of {} records was refused, none was created", names.len());
        if let Some((place, first)) = refusals.first() {
            message = format!("{message}; {}: {}: {}", names[*place], first.error_code, first.message);
        }
        let passes = all_pass(&refusals);
        let error = Error::new(&codes::RECORDS_FAILED, message).with_response(response).with_places(refusals);
        Err(if passes { error.passing() } else { error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(records: &Value) -> CompositeTree {
        serde_json::from_value(json!({"objectType": "Account", "records": records})).unwrap()
    }

    #[test]
    fn records_get_their_object_and_a_name_that_tells_their_place() {
        let contact = json!({"attributes": {"type": "Contact", "url": "/x"}, "LastName": "L"});
        let account = json!({"attributes": {"referenceId": "acme"}, "Name": "A", "Parent": null, "Contacts": {"records": [contact]}});
        let (tree, names) = tree(&json!([{"Name": "B"}, account])).named().unwrap();
        assert_eq!(names, ["record0", "acme", "acme_Contacts0"]);
        let expected = json!([
            {"attributes": {"type": "Account", "referenceId": "record0"}, "Name": "B"},
            {"attributes": {"type": "Account", "referenceId": "acme"}, "Name": "A", "Parent": null, "Contacts": {"records": [
                {"attributes": {"type": "Contact", "referenceId": "acme_Contacts0"}, "LastName": "L"}]}},
        ]);
        assert_eq!(Value::Array(tree), expected);
    }

    #[test]
    fn mistakes_name_the_record() {
        let named = |name: &str| json!({"attributes": {"referenceId": name}});
        let nested = |levels: usize| {
            (0..levels).fold(
                json!({}),
                |below, _| json!({"attributes": {"type": "Account"}, "ChildAccounts": {"records": [below]}}),
            )
        };
        let of = |object: &str| json!({"attributes": {"type": object}});
        for (records, message) in [
            (json!([]), "records: expected at least one record, found an empty list"),
            (json!([1]), "records[0]: expected an object of field names and values, found the number 1"),
            (
                json!([{"Contacts": {"records": [{}]}}]),
                "records[0].Contacts.records[0].attributes.type: expected the API name of the record's object, found nothing",
            ),
            (
                json!([of("A/B")]),
                "records[0].attributes.type: expected the API name of the record's object, found the string \"A/B\"",
            ),
            (
                json!([named("a"), named("a")]),
                "records[1].attributes.referenceId: expected a name that no other has, found \"a\" twice",
            ),
            (
                json!([named("a b")]),
                "records[0].attributes.referenceId: expected letters, digits and underscores, beginning with a letter or \
                 digit, found the string \"a b\"",
            ),
            (json!(vec![json!({}); 201]), "records: expected at most 200 records in the tree, found 201"),
            (
                json!(["A", "B", "C", "D", "E", "F"].map(of)),
                "records: expected records of at most 5 objects, found 6",
            ),
        ] {
            assert_eq!(tree(&records).named().unwrap_err().to_string(), message);
        }
        let message = tree(&json!([nested(5)])).named().unwrap_err().to_string();
        assert!(message.ends_with(": expected at most 5 levels of records, found more"), "{message}");
    }
}
