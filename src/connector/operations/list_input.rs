//! Lists of records: how they are read, checked before anything is called, and split into calls.

use std::ops::Range;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::descriptor::{Input, InputKind};
use crate::{
    connector::{
        InvalidInput,
        input::{Show, describe, is_absent},
    },
    salesforce::{ObjectName, RecordId, Request, Response},
};

/// Salesforce takes so many records in one call.
const MOST_IN_A_CALL: usize = 200;

/// And so many runs of records of one object; the records are not sorted, for their order has a meaning.
const MOST_RUNS_IN_A_CALL: usize = 10;

/// More records than these are work for the Bulk API; what became of each would be no variable of a process any more.
pub(super) const MOST_RECORDS: usize = 2000;

/// When refused records make the task fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FailOn {
    /// One is enough.
    #[default]
    Any,
    /// Only when nothing was done.
    All,
    /// Never: the process looks at the answer itself.
    None,
}

impl FailOn {
    /// Whether it is an error when so many failed and so many did not.
    pub(super) fn is_error(self, failed: usize, succeeded: usize) -> bool {
        match self {
            Self::Any => failed > 0,
            Self::All => failed > 0 && succeeded == 0,
            Self::None => false,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::All => "all",
            Self::None => "none",
        }
    }
}

pub(super) const FAIL_ON: Input = Input {
    name: "failOn",
    label: "The task fails when",
    kind: InputKind::Choice {
        choices: &[
            ("any", "any of them is refused"),
            ("all", "all of them are refused"),
            ("none", "never: the process looks at the answer"),
        ],
    },
    required: false,
    tooltip: "When refusals are an error, RECORDS_FAILED, which lists them in error.errors. A call that is refused as a whole \
              is always an error.",
    placeholder: "",
};

pub(super) const ALL_OR_NONE: Input = Input {
    name: "allOrNone",
    label: "All or none",
    kind: InputKind::Boolean { default: false },
    required: false,
    tooltip: "When checked, a refused record takes the others of its call with it: none of them is saved. Holds for each call of \
              up to 200 records, not for a longer list as a whole.",
    placeholder: "",
};

/// The object of the records that do not name theirs.
pub(super) const OBJECT_OF_RECORDS: Input = Input {
    required: false,
    tooltip: "API name of the object of the records, such as Account. Records of other objects name theirs: {attributes: {type: \
              \"Contact\"}, LastName: \"Lovelace\"}.",
    ..super::fields::OBJECT_TYPE
};

pub(super) const OBJECT_IDS: Input = Input {
    name: "objectIds",
    label: "Record ids",
    kind: InputKind::List,
    required: true,
    tooltip: "The ids of the records, up to 2,000, such as [\"001D000000IRFmaIAH\"] or accounts.Id.",
    placeholder: "=accountIds",
};

/// One call of several, and which of the task's list it is about.
#[derive(Debug)]
pub(super) struct Part<T> {
    pub(super) places: Range<usize>,
    pub(super) items: T,
}

impl<T> Part<T> {
    /// The same part with something else for its items, such as the request for them.
    pub(super) fn map<U>(self, of: impl FnOnce(T) -> U) -> Part<U> {
        Part { places: self.places, items: of(self.items) }
    }
}

/// The records of the list with their objects, each checked.
pub(super) fn typed(records: Vec<Value>, object: Option<&ObjectName>) -> Result<Vec<Value>, InvalidInput> {
    bounded(records.len(), "records", MOST_RECORDS)?;
    let typed = records.into_iter().enumerate().map(|(index, record)| {
        with_type(record, object).map_err(|mistake| mistake.under(&format!("records[{index}]")))
    });
    typed.collect()
}

pub(super) fn bounded(count: usize, field: &str, most: usize) -> Result<(), InvalidInput> {
    if count <= most {
        return Ok(());
    }
    Err(InvalidInput::new(field, format!("at most {most} of them in one task"), format!("a list of {count}")))
}

/// `attributes` with nothing but the type: what a query gave has an address beside it, which says nothing here.
pub(super) fn with_type(record: Value, object: Option<&ObjectName>) -> Result<Value, InvalidInput> {
    let Value::Object(mut fields) = record else {
        let expected = "an object of field names and values";
        return Err(InvalidInput::new("", expected, describe(Some(&record), Show::Value)));
    };
    let own = fields.shift_remove("attributes").map(|mut attributes| attributes["type"].take());
    let name = match own.filter(|own| !is_absent(Some(own))) {
        Some(own) => object_name(&own)?,
        None => object.cloned().ok_or_else(|| {
            let expected = "the API name of the record's object, here or in objectType";
            InvalidInput::new("attributes.type", expected, "nothing")
        })?,
    };
    let mut typed = Map::from_iter([("attributes".to_owned(), json!({"type": name.as_str()}))]);
    typed.extend(fields);
    Ok(Value::Object(typed))
}

fn object_name(own: &Value) -> Result<ObjectName, InvalidInput> {
    let found = || describe(Some(own), Show::Value);
    let name = own.as_str().and_then(|name| name.parse().ok());
    name.ok_or_else(|| InvalidInput::new("attributes.type", "the API name of an object", found()))
}

/// Refuses records without a value in this field, which says which record is meant.
pub(super) fn each_has(records: &[Value], field: &str, expected: &str) -> Result<(), InvalidInput> {
    for (index, record) in records.iter().enumerate() {
        let value = member(record, field);
        if is_absent(value) {
            let path = format!("records[{index}].{field}");
            return Err(InvalidInput::new(path, expected, describe(value, Show::Value)));
        }
    }
    Ok(())
}

/// Refuses records without a record id.
pub(super) fn each_has_id(records: &[Value]) -> Result<(), InvalidInput> {
    each_has(records, "Id", "the id of the record")?;
    for (index, record) in records.iter().enumerate() {
        let id = member(record, "Id");
        if let Err(mistake) = id.and_then(Value::as_str).unwrap_or_default().parse::<RecordId>() {
            let found = describe(id, Show::Value);
            return Err(InvalidInput::new(format!("records[{index}].Id"), mistake.expected, found));
        }
    }
    Ok(())
}

/// Refuses records of another object.
pub(super) fn each_is(records: &[Value], object: &ObjectName) -> Result<(), InvalidInput> {
    match records.iter().position(|record| !type_of(record).eq_ignore_ascii_case(object.as_str())) {
        None => Ok(()),
        Some(index) => {
            let path = format!("records[{index}].attributes.type");
            let (expected, found) = (format!("{object}, as objectType says"), type_of(&records[index]));
            Err(InvalidInput::new(path, expected, format!("{found:?}")))
        }
    }
}

/// The first call of several.
pub(super) fn first(parts: Vec<Part<Request>>) -> Result<Request, InvalidInput> {
    let first = parts.into_iter().next().map(|part| part.items);
    first.ok_or_else(|| InvalidInput::new("", "something to send", "an empty list"))
}

/// What stands for an answer where nothing had to be asked.
pub(super) fn no_answer() -> Response {
    Response { status: 200, reason: "OK".to_owned(), headers: Map::new(), body: Value::Null }
}

/// A field of a record; Salesforce does not look at case.
pub(super) fn member<'a>(record: &'a Value, field: &str) -> Option<&'a Value> {
    let fields = record.as_object()?;
    fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(field)).map(|(_, value)| value)
}

/// The object that a typed record names.
pub(super) fn type_of(record: &Value) -> &str {
    record["attributes"]["type"].as_str().unwrap_or_default()
}

/// Reads the ids of a list.
pub(super) fn record_ids(ids: &[Value], most: usize) -> Result<Vec<RecordId>, InvalidInput> {
    bounded(ids.len(), "objectIds", most)?;
    let read = |(index, id): (usize, &Value)| {
        let read = id.as_str().unwrap_or_default().parse::<RecordId>();
        read.map_err(|mistake| {
            InvalidInput::new(
                format!("objectIds[{index}]"),
                mistake.expected,
                describe(Some(id), Show::Value),
            )
        })
    };
    ids.iter().enumerate().map(read).collect()
}

/// Splits a list of typed records into calls that Salesforce takes, in its order.
pub(super) fn calls(records: &[Value]) -> Vec<Part<&[Value]>> {
    let mut parts = Vec::new();
    let (mut first, mut runs) = (0, 0);
    for index in 0..records.len() {
        let begins_run = index == first || type_of(&records[index]) != type_of(&records[index - 1]);
        let is_full = index - first == MOST_IN_A_CALL || (begins_run && runs == MOST_RUNS_IN_A_CALL);
        if is_full {
            parts.push(Part { places: first..index, items: &records[first..index] });
            (first, runs) = (index, 0);
        }
        runs += usize::from(begins_run || is_full);
    }
    if first < records.len() {
        parts.push(Part { places: first..records.len(), items: &records[first..] });
    }
    parts
}

/// Splits a list of ids into calls of so many.
pub(super) fn calls_of(ids: &[RecordId], most: usize) -> Vec<Part<&[RecordId]>> {
    let parts = ids.chunks(most).enumerate().map(|(number, items)| {
        let first = number * most;
        Part { places: first..first + items.len(), items }
    });
    parts.collect()
}

/// Splits the ids of records to delete.
pub(super) fn deletions(ids: &[RecordId]) -> Vec<Part<&[RecordId]>> {
    calls_of(ids, MOST_IN_A_CALL)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(types: &[&str]) -> Vec<Value> {
        types.iter().map(|name| json!({"attributes": {"type": name}})).collect()
    }

    #[test]
    fn a_record_has_its_own_object_or_that_of_the_task() {
        let account: ObjectName = "Account".parse().unwrap();
        let url = json!({"attributes": {"type": "Contact", "url": "/x"}, "LastName": "L"});
        let read = typed(vec![json!({"Name": "A"}), url], Some(&account)).unwrap();
        let expected = [
            json!({"attributes": {"type": "Account"}, "Name": "A"}),
            json!({"attributes": {"type": "Contact"}, "LastName": "L"}),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_mistake_names_the_record() {
        for (record, message) in [
            (json!(5), "records[1]: expected an object of field names and values, found the number 5"),
            (
                json!({"Name": "A"}),
                "records[1].attributes.type: expected the API name of the record's object, here or in objectType, \
                 found nothing",
            ),
            (
                json!({"attributes": {"type": "A/B"}}),
                "records[1].attributes.type: expected the API name of an object, found the string \"A/B\"",
            ),
        ] {
            let good = json!({"attributes": {"type": "Account"}});
            assert_eq!(typed(vec![good, record], None).unwrap_err().to_string(), message);
        }
        let message = typed(of(&vec!["A"; 2001]), None).unwrap_err().to_string();
        assert_eq!(message, "records: expected at most 2000 of them in one task, found a list of 2001");
    }

    #[test]
    fn an_eleventh_run_of_one_object_begins_a_call() {
        let records = of(&["A", "B"].repeat(8));
        let places: Vec<_> = calls(&records).into_iter().map(|part| part.places).collect();
        assert_eq!(places, [0..10, 10..16]);
    }

    proptest! {
        #[test]
        fn calls_hold_every_record_once_in_order_and_keep_the_limits(
            types in prop::collection::vec(prop::sample::select(vec!["A", "A", "A", "A", "B"]), 0..700)
        ) {
            let records = of(&types);
            let parts = calls(&records);
            let mut next = 0;
            for part in parts {
                prop_assert_eq!(part.places.start, next);
                prop_assert_eq!(part.items, &records[part.places.clone()]);
                next = part.places.end;
                prop_assert!((1..=MOST_IN_A_CALL).contains(&part.items.len()));
                let runs = part.items.windows(2).filter(|two| type_of(&two[0]) != type_of(&two[1])).count() + 1;
                prop_assert!(runs <= MOST_RUNS_IN_A_CALL);
            }
            prop_assert_eq!(next, records.len());
        }
    }
}
