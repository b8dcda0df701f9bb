//! `updateRecord`: how do I change fields of a record that I know by its id?

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
    rules::{self, Rules},
};
use crate::{
    connector::{InvalidInput, input},
    salesforce::{CallClass, ObjectName, RecordId, Request, soql},
};

pub(super) const FIELDS_TO_CHANGE: Input = Input {
    name: "body",
    label: "Fields",
    kind: InputKind::Context,
    required: true,
    tooltip: "The fields to change by their API names, such as {Phone: phone}. null empties a field; what is not \
              named stays as it is.",
    placeholder: "={Phone: phone}",
};

pub(super) const IF_UNMODIFIED_SINCE: Input = Input {
    name: "ifUnmodifiedSince",
    label: "Only if unmodified since",
    kind: InputKind::Text { pattern: None },
    required: false,
    tooltip: "The record is changed only if nobody has since, such as account.LastModifiedDate of a record that was read \
              before; to the second. Else the business error ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE. Empty: changed in any case.",
    placeholder: "=account.LastModifiedDate",
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "updateRecord",
    area: Area::Records,
    label: "Update record",
    summary: "Changes fields of the record that has this id.",
    keywords: &["update", "change", "edit", "set", "patch", "record", "sobject"],
    class: CallClass::IdempotentWrite,
    class_with: None,
    calls: "one, `PATCH /sobjects/{objectType}/{objectId}`.",
    body: "Nothing: null.",
    contents: &[ResultContent::Response, ResultContent::Id],
    inputs: &[
        fields::OBJECT_TYPE,
        fields::OBJECT_ID,
        fields::ONE_BY_ONE,
        FIELDS_TO_CHANGE,
        IF_UNMODIFIED_SINCE,
        rules::field("={assignmentRule: true}"),
    ],
    examples: Examples {
        answer: (204, "null"),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={updated: status = 204}",
        error: "=if error.code = \"NOT_FOUND\" then bpmnError(\"gone\", error.message) else null",
    },
};

/// The input of `updateRecord`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateRecord {
    pub(super) object_type: ObjectName,
    pub(super) object_id: RecordId,
    #[serde(default, deserialize_with = "fields::one_by_one")]
    pub(super) fields: Map<String, Value>,
    #[serde(default, deserialize_with = "fields::object")]
    pub(super) body: Map<String, Value>,
    pub(super) if_unmodified_since: Option<String>,
    #[serde(default)]
    pub(super) rules: Rules,
}

/// The moment of `ifUnmodifiedSince`, if it is given.
pub(super) fn moment(text: Option<&str>) -> Result<Option<Timestamp>, InvalidInput> {
    let read = |text| {
        soql::moment(text).ok_or_else(|| {
            let expected = "a date and time with an offset, such as \"2026-11-22T10:00:00.000+0000\"";
            InvalidInput::new(IF_UNMODIFIED_SINCE.name, expected, format!("{:?}", input::shorten(text)))
        })
    };
    text.map(read).transpose()
}

impl Operate for UpdateRecord {
    fn checked(mut self) -> Result<Self, InvalidInput> {
        fields::merge(&mut self.body, std::mem::take(&mut self.fields))?;
        moment(self.if_unmodified_since.as_deref())?;
        Ok(self)
    }

    fn record_id(&self) -> Option<&RecordId> {
        Some(&self.object_id)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        let since = moment(self.if_unmodified_since.as_deref())?;
        let since = since.map(|moment| moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        let mut request = Request::update(&self.object_type, &self.object_id, self.body);
        request.headers.extend(since.map(|since| ("If-Unmodified-Since", since)));
        Ok(self.rules.asked(request))
    }
}
