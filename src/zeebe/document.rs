//! What is said about a document of the cluster.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What a process holds of a document.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentReference {
    /// Which store it is in, where the reference says so.
    pub store_id: Option<String>,
    /// Its id in the store.
    pub document_id: String,
    /// What the store wants to be shown before it gives the document away.
    pub content_hash: Option<String>,
    /// What was said about it when it was stored.
    #[serde(default)]
    pub metadata: DocumentMetadata,
}

/// What is said about a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentMetadata {
    /// Its media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// In bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A document to be stored.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// Its bytes.
    pub content: Bytes,
    /// What is said about it.
    pub metadata: DocumentMetadata,
}

/// Why a document was not read or stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// No address of the REST API is known.
    #[error(
        "the worker has no address of the cluster's REST API (gateway.rest_address), where documents are"
    )]
    NotConfigured,
    /// The cluster has no documents.
    #[error(
        "{0}; documents need Camunda 8.7 or later, and the address of its REST API in gateway.rest_address"
    )]
    NotSupported(String),
    /// There is no such document, or not any more.
    #[error("{0}")]
    NotFound(String),
    /// It has more bytes than the caller wants.
    #[error("{0}")]
    TooLarge(String),
    /// The cluster does not want to.
    #[error("{0}")]
    Refused(String),
    /// It could not be asked, or has trouble of its own.
    #[error("{0}")]
    Unavailable(String),
}
