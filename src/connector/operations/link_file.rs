//! `linkFile`: how does a file that is in Salesforce get to a further record?

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, RecordId, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "linkFile",
    area: Area::Files,
    label: "Link file to record",
    summary: "Attaches a file to a record; a file that is attached already stays as it is.",
    keywords: &["file", "link", "share", "attach", "record", "contentdocumentlink"],
    class: CallClass::IdempotentWrite,
    class_with: None,
    calls: "one, `POST /sobjects/ContentDocumentLink`; a second one, `GET /query`, where the link was there already.",
    body: "`id` of the link, `success`, `errors`, and `created`: false where the file was linked to the record already; that link \
           keeps what others may do and see.",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[
        Input {
            name: "contentDocumentId",
            label: "File id",
            kind: InputKind::Text { pattern: Some((fields::RECORD_ID, fields::NO_RECORD_ID)) },
            required: true,
            tooltip: "The id of the file (ContentDocument), such as 069D00000000so2IAA; Upload file gives it as contentDocumentId.",
            placeholder: "=fileId",
        },
        Input {
            name: "linkedEntityId",
            label: "Record id",
            kind: InputKind::Text { pattern: Some((fields::RECORD_ID, fields::NO_RECORD_ID)) },
            required: true,
            tooltip: "The id of the record, user or group that gets the file, such as 500D000000IRFmaIAH.",
            placeholder: "=caseId",
        },
        Input {
            name: "shareType",
            label: "Others may",
            kind: InputKind::Choice {
                choices: &[
                    ("V", "view the file"),
                    ("C", "edit the file"),
                    ("I", "do what they may do with the record"),
                ],
            },
            required: false,
            tooltip: "What those may do who see the file through this link. For a link to a user or group, view or edit.",
            placeholder: "",
        },
        Input {
            name: "visibility",
            label: "Seen by",
            kind: InputKind::Choice {
                choices: &[("AllUsers", "all who see the record"), ("InternalUsers", "internal users only")],
            },
            required: false,
            tooltip: "Whether people of an Experience Cloud site see the file too, when they see the record.",
            placeholder: "",
        },
    ],
    examples: Examples {
        answer: (201, r#"{"id": "06A5g00000ABCDEEA5", "success": true, "errors": [], "created": true}"#),
        refusal: (
            400,
            r#"[{"errorCode": "INVALID_CROSS_REFERENCE_KEY", "message": "invalid cross reference id", "fields": []}]"#,
        ),
        result: "={linkId: body.id}",
        error: "=if error.code = \"INVALID_CROSS_REFERENCE_KEY\" \
                then bpmnError(\"no such record\", error.message) else null",
    },
};

/// The input of `linkFile`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkFile {
    content_document_id: RecordId,
    linked_entity_id: RecordId,
    #[serde(default)]
    share_type: ShareType,
    #[serde(default)]
    visibility: Visibility,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
enum ShareType {
    #[default]
    V,
    C,
    I,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
enum Visibility {
    #[default]
    AllUsers,
    InternalUsers,
}

impl Operate for LinkFile {
    fn request(self) -> Result<Request, InvalidInput> {
        let link = json!({"ContentDocumentId": self.content_document_id.as_str(),
            "LinkedEntityId": self.linked_entity_id.as_str(), "ShareType": self.share_type, "Visibility": self.visibility});
        Ok(Request::link_file(link))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let find = Request::query(&format!(
            "SELECT Id FROM ContentDocumentLink WHERE ContentDocumentId = '{}' AND LinkedEntityId = '{}'",
            self.content_document_id, self.linked_entity_id
        ));
        let refusal = match call.send(&self.request()?).await {
            Ok(mut response) => {
                if let Value::Object(body) = &mut response.body {
                    body.insert("created".to_owned(), Value::Bool(true));
                }
                return Ok(response);
            }
            Err(error) if error.code() == "DUPLICATE_VALUE" => error,
            Err(error) => return Err(error),
        };
        // Salesforce links a file to a record once: the link may be of an earlier try of this very job.
        let mut response = call.send(&find).await?;
        let Some(id) = response.body["records"][0]["Id"].as_str() else { return Err(refusal) };
        response.body = json!({"id": id, "success": true, "errors": [], "created": false});
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::operations::{Operation, tests::mistake};

    #[test]
    fn a_link_says_who_may_do_what() {
        let input = |further: Value| {
            let mut input =
                json!({"contentDocumentId": "069D00000000so2", "linkedEntityId": "500D000000IRFma"});
            input.as_object_mut().unwrap().append(&mut further.as_object().unwrap().clone());
            input
        };
        let body = |input: Value| {
            let operation = Operation::parse("linkFile", input.as_object().unwrap()).unwrap();
            let body = operation.request().unwrap().body.unwrap();
            (body["ShareType"].clone(), body["Visibility"].clone())
        };
        assert_eq!(body(input(json!({}))), (json!("V"), json!("AllUsers")));
        let chosen = json!({"shareType": "I", "visibility": "InternalUsers"});
        assert_eq!(body(input(chosen)), (json!("I"), json!("InternalUsers")));
        let message = mistake("linkFile", input(json!({"shareType": "view"})));
        assert_eq!(message, "shareType: expected one of `V`, `C`, `I`, found the string \"view\"");
    }
}
