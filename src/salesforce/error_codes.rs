//! What Salesforce's error codes mean, and what a status means that comes without one.
//!
//! Sources: the list of status codes in the SOAP API guide (REST answers use the same names), and what clients in
//! the field have seen. A code that is not listed is judged by its status.

use super::CallClass;
use super::error::ErrorClass;

/// Whether the same call may be sent again in place, after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    Never,
    /// Once; if the answer stays the same, it will not change by itself.
    Once,
    Yes,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A rule of the org refused the data.
    Business,
    /// The model, the permissions or the configuration are wrong.
    Permanent,
    /// The credentials are not accepted.
    Authentication,
    /// Over a limit or in maintenance: minutes, not milliseconds.
    Throttled,
    /// Nothing was done, and it passes by itself.
    Transient,
    /// Nothing was done; one more try is worth it.
    TransientOnce,
    /// Nothing was done; the same call is of no use, but the job may start over.
    StartOver,
    /// A concurrent upsert of the same key won: once more, it finds the record. Else a refusal like others.
    UpsertRace,
    /// It passes by itself, but the server does not say whether something was done.
    Unclear,
    /// As `Unclear`; one more try is worth it.
    UnclearOnce,
}

impl Meaning {
    /// What it means for a call of this class.
    pub(super) fn judge(self, call: CallClass) -> (ErrorClass, Repeat) {
        let unsafe_write = call == CallClass::UnsafeWrite;
        match self {
            Self::UpsertRace if call == CallClass::IdempotentWrite => (ErrorClass::Business, Repeat::Once),
            Self::Business | Self::UpsertRace => (ErrorClass::Business, Repeat::Never),
            Self::Permanent => (ErrorClass::Permanent, Repeat::Never),
            Self::Authentication => (ErrorClass::Authentication, Repeat::Never),
            Self::Throttled => (ErrorClass::Throttled, Repeat::Never),
            Self::Unclear | Self::UnclearOnce if unsafe_write => (ErrorClass::OutcomeUnknown, Repeat::Never),
            Self::Transient | Self::Unclear => (ErrorClass::Transient, Repeat::Yes),
            Self::TransientOnce | Self::UnclearOnce => (ErrorClass::Transient, Repeat::Once),
            Self::StartOver => (ErrorClass::Transient, Repeat::Never),
        }
    }
}

/// Trigger and flow errors carry their cause in their text only.
const CAUSE_IN_TEXT: &[&str] = &["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER"];

/// Said of records that failed because a sibling did.
pub(super) const CONSEQUENCES: &[&str] = &["ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED"];

#[rustfmt::skip]
const TABLE: &[(Meaning, &[&str])] = &[
    (Meaning::Authentication, &[
        "INVALID_SESSION_ID", "INVALID_AUTH_HEADER", "INVALID_LOGIN", "LOGIN_MUST_USE_SECURITY_TOKEN",
    ]),
    (Meaning::Throttled, &[
        "REQUEST_LIMIT_EXCEEDED", "LOGIN_RATE_EXCEEDED", "RECORD_IN_USE_BY_WORKFLOW",
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
    ]),
    (Meaning::Transient, &[
        "SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW", "TOO_MANY_APEX_REQUESTS",
        "PLATFORM_EVENT_PUBLISHING_UNAVAILABLE",
    ]),
    (Meaning::TransientOnce, &["QUERY_TIMEOUT", "TXN_SECURITY_METERING_ERROR"]),
    (Meaning::StartOver, &["INVALID_QUERY_LOCATOR"]),
    (Meaning::UpsertRace, &["DUPLICATE_VALUE"]),
    (Meaning::Unclear, &["UNKNOWN_EXCEPTION", "PLATFORM_EVENT_PUBLISH_FAILED"]),
    (Meaning::UnclearOnce, &["REQUEST_RUNNING_TOO_LONG"]),
    (Meaning::Permanent, &[
        "API_CURRENTLY_DISABLED", "API_DISABLED_FOR_ORG", "TXN_SECURITY_NO_ACCESS", "INVALID_FIELD", "INVALID_TYPE",
        "MALFORMED_QUERY", "MALFORMED_SEARCH", "INVALID_REPLICATION_DATE", "INVALID_QUERY_FILTER_OPERATOR", "MALFORMED_ID",
        "DUPLICATE_EXTERNAL_ID", "EXCEEDED_ID_LIMIT", "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "STORAGE_LIMIT_EXCEEDED", "LIMIT_EXCEEDED",
        "LICENSE_LIMIT_EXCEEDED", "MAXIMUM_SIZE_OF_ATTACHMENT", "METHOD_NOT_ALLOWED", "INVALID_CONTENT_TYPE",
        "UNSUPPORTED_MEDIA_TYPE", "BIG_OBJECT_UNSUPPORTED_OPERATION", "INVALIDENTITY", "UNSUPPORTED_API_VERSION",
        "INVALID_FIELD_FOR_INSERT_UPDATE", "APEX_REST_SERVICES_DISABLED", "FUNCTIONALITY_NOT_ENABLED",
    ]),
    (Meaning::Business, &[
        "APEX_ERROR", "ENTITY_IS_LOCKED", "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND",
        "ENTITY_IS_DELETED", "DUPLICATES_DETECTED", "REQUIRED_FIELD_MISSING", "STRING_TOO_LONG",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "INVALID_EMAIL_ADDRESS", "NUMBER_OUTSIDE_VALID_RANGE",
        "INVALID_TYPE_ON_FIELD_IN_RECORD", "JSON_PARSER_ERROR", "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "FIELD_FILTER_VALIDATION_EXCEPTION", "FIELD_INTEGRITY_EXCEPTION", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "CANNOT_EXECUTE_FLOW_TRIGGER", "INACTIVE_OWNER_OR_USER", "INVALID_STATUS", "NO_APPLICABLE_PROCESS",
        "ALREADY_IN_PROCESS", "MANAGER_NOT_DEFINED",
    ]),
];

/// What an error code means; `text` is Salesforce's message, `status` decides where the code is not known.
pub(super) fn meaning(code: &str, text: &str, status: u16) -> Meaning {
    if CAUSE_IN_TEXT.contains(&code) {
        if text.contains("UNABLE_TO_LOCK_ROW") {
            return Meaning::Transient;
        }
        if text.contains("timed out") {
            return Meaning::TransientOnce;
        }
    }
    TABLE
        .iter()
        .find(|(_, codes)| codes.contains(&code))
        .map_or_else(|| meaning_of_status(status, true), |(meaning, _)| *meaning)
}

/// What a status means; `named` when the answer has an error code, though not one that is listed.
pub(super) fn meaning_of_status(status: u16, named: bool) -> Meaning {
    match status {
        // An unlisted code with 400 is most often one of some two hundred refusals of a record.
        300 | 304 | 409 | 412 => Meaning::Business,
        200..=299 | 400 | 404 if named => Meaning::Business,
        401 => Meaning::Authentication,
        // The edge answers 406 and 420 without a body while an org moves or is being set up.
        406 | 420 if !named => Meaning::Transient,
        408 | 429 | 503 => Meaning::Transient,
        501 | 505 => Meaning::Permanent,
        500..=599 => Meaning::Unclear,
        _ => Meaning::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(code: &str, status: u16, call: CallClass) -> (ErrorClass, Repeat) {
        meaning(code, "", status).judge(call)
    }

    #[test]
    fn no_code_has_two_meanings() {
        let mut codes: Vec<&str> = TABLE.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
        codes.sort_unstable();
        let count = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn a_row_lock_is_transient_even_inside_a_trigger() {
        for call in [CallClass::Read, CallClass::IdempotentWrite, CallClass::UnsafeWrite] {
            assert_eq!(judged("UNABLE_TO_LOCK_ROW", 400, call), (ErrorClass::Transient, Repeat::Yes));
        }
        let trigger = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY";
        let text =
            "X: execution of AfterInsert caused by: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access";
        assert_eq!(meaning(trigger, text, 400), Meaning::Transient);
        assert_eq!(meaning(trigger, "System.NullPointerException", 400), Meaning::Business);
        assert_eq!(meaning("CANNOT_EXECUTE_FLOW_TRIGGER", "callout timed out", 400), Meaning::TransientOnce);
    }

    #[test]
    fn an_unclear_answer_to_an_unsafe_write_leaves_the_outcome_unknown() {
        for (code, status) in [("UNKNOWN_EXCEPTION", 500), ("REQUEST_RUNNING_TOO_LONG", 400), ("ODD", 502)] {
            let (class, repeat) = judged(code, status, CallClass::UnsafeWrite);
            assert_eq!((class, repeat), (ErrorClass::OutcomeUnknown, Repeat::Never), "{code}");
            assert_eq!(judged(code, status, CallClass::IdempotentWrite).0, ErrorClass::Transient, "{code}");
        }
    }

    #[test]
    fn a_status_decides_where_no_code_does() {
        for (status, named, expected) in [
            (300, false, Meaning::Business),
            (302, false, Meaning::Permanent),
            (400, true, Meaning::Business),
            (400, false, Meaning::Permanent),
            (401, false, Meaning::Authentication),
            (403, true, Meaning::Permanent),
            (404, true, Meaning::Business),
            (404, false, Meaning::Permanent),
            (406, false, Meaning::Transient),
            (410, true, Meaning::Permanent),
            (412, true, Meaning::Business),
            (420, false, Meaning::Transient),
            (429, false, Meaning::Transient),
            (431, false, Meaning::Permanent),
            (500, false, Meaning::Unclear),
            (503, false, Meaning::Transient),
            (504, false, Meaning::Unclear),
        ] {
            assert_eq!(meaning_of_status(status, named), expected, "{status} {named}");
        }
    }

    #[test]
    fn a_lost_race_of_upserts_is_worth_one_more_try_and_a_duplicate_create_is_not() {
        let upsert = judged("DUPLICATE_VALUE", 400, CallClass::IdempotentWrite);
        assert_eq!(upsert, (ErrorClass::Business, Repeat::Once));
        let create = judged("DUPLICATE_VALUE", 400, CallClass::UnsafeWrite);
        assert_eq!(create, (ErrorClass::Business, Repeat::Never));
    }

    #[test]
    fn limits_are_not_retried_in_place() {
        let limit = judged("REQUEST_LIMIT_EXCEEDED", 403, CallClass::Read);
        assert_eq!(limit, (ErrorClass::Throttled, Repeat::Never));
    }
}
