//! Documents of the cluster in a task: how a reference is read, and what it means when one cannot be used.

use serde::Deserialize as _;
use serde_json::Value;

use crate::{
    connector::{
        Error, InvalidInput, codes,
        input::{self, Show},
    },
    zeebe::{DocumentError, DocumentReference},
};

/// Says in an object that it refers to a document, and to which kind.
const KIND: &str = "camunda.document.type";

/// The kind that is in the cluster's store.
const IN_STORE: &str = "camunda";

/// The reference in a field: one document, or a list of one, as forms give it. `None`: it is no document.
pub(super) fn reference(field: &str, value: &Value) -> Result<Option<DocumentReference>, InvalidInput> {
    let value = match value {
        Value::Array(list) if list.len() == 1 => &list[0],
        Value::Array(list) => {
            let found = format!("a list of {}", list.len());
            return Err(InvalidInput::new(field, "one document; a multi-instance task takes several", found));
        }
        value => value,
    };
    let Some(kind) = value.get(KIND) else { return Ok(None) };
    if kind != IN_STORE {
        let found = input::describe(Some(kind), Show::Value);
        return Err(InvalidInput::new(
            format!("{field}.{KIND}"),
            "\"camunda\": a document of the cluster",
            found,
        ));
    }
    let reference = DocumentReference::deserialize(value).ok();
    let usable = |reference: &DocumentReference| !matches!(reference.document_id.trim(), "" | "." | "..");
    let expected = "the reference of a document, with documentId, storeId and contentHash";
    reference
        .filter(usable)
        .map(Some)
        .ok_or_else(|| InvalidInput::new(field, expected, "an object without them"))
}

impl From<DocumentError> for Error {
    fn from(error: DocumentError) -> Self {
        let code = match &error {
            DocumentError::NotConfigured => &codes::DOCUMENTS_NOT_CONFIGURED,
            DocumentError::NotSupported(_) => &codes::DOCUMENTS_NOT_SUPPORTED,
            DocumentError::NotFound(_) => &codes::DOCUMENT_NOT_FOUND,
            DocumentError::TooLarge(_) => &codes::FILE_TOO_LARGE,
            DocumentError::Refused(_) => &codes::DOCUMENT_REFUSED,
            DocumentError::Unavailable(_) => &codes::DOCUMENTS_UNAVAILABLE,
        };
        Self::new(code, error.to_string())
    }
}

/// The media type of a file by the end of its name, for those that processes often have.
pub(super) fn media_type(extension: &str) -> &'static str {
    match extension.to_ascii_lowercase().as_str() {
        "csv" => "text/csv",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "gif" => "image/gif",
        "htm" | "html" => "text/html",
        "jpg" | "jpeg" => "image/jpeg",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "svg" => "image/svg+xml",
        "txt" => "text/plain",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xml" => "application/xml",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_is_read_alone_or_as_the_only_one_of_a_list() {
        let document = json!({KIND: "camunda", "storeId": "s", "documentId": "d", "contentHash": "h",
            "metadata": {"fileName": "a.pdf", "size": 3, "customProperties": {}, "expiresAt": null}});
        for value in [document.clone(), json!([document])] {
            let reference = reference("content", &value).unwrap().unwrap();
            assert_eq!((reference.document_id.as_str(), reference.content_hash.as_deref()), ("d", Some("h")));
            assert_eq!(
                (reference.metadata.file_name.as_deref(), reference.metadata.size),
                (Some("a.pdf"), Some(3))
            );
        }
        assert_eq!(reference("content", &json!("QQ==")).unwrap(), None);
        assert_eq!(reference("content", &json!({"documentId": "d"})).unwrap(), None);
    }

    #[test]
    fn what_is_no_document_of_the_cluster_is_refused() {
        let document = json!({KIND: "camunda", "documentId": "d"});
        for (value, message) in [
            (
                json!([document, document]),
                "content: expected one document; a multi-instance task takes several, found a list of 2",
            ),
            (
                json!({KIND: "external", "url": "https://a"}),
                "content.camunda.document.type: expected \"camunda\": a document of the cluster, found the string \"external\"",
            ),
            (
                json!({KIND: "camunda", "documentId": ".."}),
                "content: expected the reference of a document, with documentId, storeId and contentHash, found an object \
                 without them",
            ),
        ] {
            assert_eq!(reference("content", &value).unwrap_err().to_string(), message);
        }
    }
}
