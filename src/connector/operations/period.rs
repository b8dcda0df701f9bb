//! A span of time in which records were changed or deleted: what the modeler sees of it, how it is read.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::descriptor::{Input, InputKind};
use crate::{
    connector::InvalidInput,
    salesforce::{ObjectName, soql},
};

const EXPECTED: &str = "expected a date and time with an offset, such as \"2026-11-22T10:00:00Z\"";

pub(super) const START: Input = Input {
    name: "start",
    label: "From",
    kind: InputKind::Text { pattern: None },
    required: true,
    tooltip: "Date and time with an offset, such as 2026-11-22T10:00:00Z, at most 30 days ago; Salesforce counts in whole minutes. \
              For a process that looks again and again: body.latestDateCovered of the answer before.",
    placeholder: "=lastCovered",
};

pub(super) const END: Input = Input {
    name: "end",
    label: "To",
    kind: InputKind::Text { pattern: None },
    required: false,
    tooltip: "Date and time with an offset, such as 2026-11-22T11:00:00Z, a minute or more after From. Empty: now.",
    placeholder: "=now()",
};

/// The input of an operation that asks what happened to an object's records.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Period {
    pub(super) object_type: ObjectName,
    #[serde(deserialize_with = "moment")]
    start: Timestamp,
    #[serde(default, deserialize_with = "some_moment")]
    end: Option<Timestamp>,
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = Value::deserialize(deserializer)?;
    text.as_str().and_then(soql::moment).ok_or_else(|| D::Error::custom(EXPECTED))
}

fn some_moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    moment(deserializer).map(Some)
}

impl Period {
    /// Refuses a period that Salesforce would count as no minute.
    pub(super) fn checked(self) -> Result<Self, InvalidInput> {
        match self.end {
            Some(end) if end.as_second().div_euclid(60) <= self.start.as_second().div_euclid(60) => {
                let expected = format!("a time that is a minute or more after start, {}", self.start);
                Err(InvalidInput::new("end", expected, end.to_string()))
            }
            _ => Ok(self),
        }
    }

    /// From when to when.
    pub(super) fn bounds(&self) -> (Timestamp, Timestamp) {
        (self.start, self.end.unwrap_or_else(Timestamp::now))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::connector::operations::{Operation, tests::mistake};

    #[test]
    fn a_period_is_sent_in_utc_and_ends_now_where_nothing_is_said() {
        let period = |fields: Value| {
            let request =
                Operation::parse("getUpdatedRecords", fields.as_object().unwrap()).unwrap().request();
            request.unwrap().query
        };
        let query = period(
            json!({"objectType": "Account", "start": "2026-11-22T10:00:00+01:00", "end": "2026-11-22T10:00:00.000+0000"}),
        );
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(query, [pair("start", "2026-11-22T09:00:00Z"), pair("end", "2026-11-22T10:00:00Z")]);
        let query = period(json!({"objectType": "Account", "start": "2026-11-22T10:00:00@Europe/Berlin"}));
        let end: Timestamp = query[1].1.parse().unwrap();
        assert!(end.duration_since(Timestamp::now()).as_secs().abs() < 60);
    }

    #[test]
    fn what_is_no_period_is_refused() {
        let period = |start: &str, end: &str| {
            mistake("getDeletedRecords", json!({"objectType": "Account", "start": start, "end": end}))
        };
        let expected = "start: expected a date and time with an offset, such as \"2026-11-22T10:00:00Z\", found the string ";
        for start in ["2026-11-22", "2026-11-22T10:00:00", "yesterday"] {
            assert_eq!(period(start, "2026-11-22T10:00:00Z"), format!("{expected}\"{start}\""));
        }
        let message = period("2026-11-22T10:00:10Z", "2026-11-22T10:00:50Z");
        let expected = "end: expected a time that is a minute or more after start, 2026-11-22T10:00:10Z, found 2026-11-22T10:00:50Z";
        assert_eq!(message, expected);
    }
}
