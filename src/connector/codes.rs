//! The stable error codes of our own: their meaning, what to do, and whether a job is tried again.
//!
//! Where Salesforce names an `errorCode`, that is the code. What else can go wrong has one of these.

/// What kind of failure it is, which decides what becomes of the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// The task's input is wrong.
    Input,
    /// The worker's configuration, its secrets or its connections do not fit the task.
    Configuration,
    /// Salesforce refused the data by a rule of the org.
    Business,
    /// Salesforce refused the request for what it asks: the model, or the permissions of the user.
    Permanent,
    /// Passes by itself.
    Transient,
    /// The org is over a limit or in maintenance.
    Throttled,
    /// The credentials were not accepted.
    Authentication,
    /// A write was sent, its answer was lost, and it must not be repeated blindly.
    OutcomeUnknown,
    /// The work is done, but its result cannot be handed over.
    Result,
}

impl ErrorType {
    /// Its name in the `error` variable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Configuration => "configuration",
            Self::Business => "business",
            Self::Permanent => "permanent",
            Self::Transient => "transient",
            Self::Throttled => "throttled",
            Self::Authentication => "authentication",
            Self::OutcomeUnknown => "outcomeUnknown",
            Self::Result => "result",
        }
    }

    /// Whether the job is tried again while it has retries.
    pub fn is_repeated(self) -> bool {
        matches!(self, Self::Transient | Self::Throttled)
    }

    /// What to do about it, where the code says nothing better.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Input => "Correct the task's input in the model or the variables it uses.",
            Self::Configuration => "Correct the worker's configuration, then resolve the incident.",
            Self::Business => {
                "Correct the data, or let the process handle it: with the header bpmnErrors set to \"business\" or to \
                 this code, a boundary event catches it."
            }
            Self::Permanent => {
                "Correct the task, or the permissions of the Salesforce user, then resolve the incident."
            }
            Self::Transient | Self::Throttled => "Resolve the incident to try again.",
            Self::Authentication => {
                "Check the credentials of the connection and the app's settings in Salesforce, then resolve the incident."
            }
            Self::OutcomeUnknown => {
                "Resolve the incident only where it was not carried out: that sends it again. The operation upsertRecord \
                 can be repeated safely, and so can createRecord with an external id field."
            }
            Self::Result => "Resolving the incident repeats the operation.",
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Code {
    /// The code, as it stands in the `error` variable and in `bpmnErrors`.
    pub name: &'static str,
    /// What kind of failure it is.
    pub error_type: ErrorType,
    /// When it occurs.
    pub meaning: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

macro_rules! codes {
    ($($name:ident: $error_type:ident, $meaning:literal, $advice:literal;)*) => {
        $(pub(super) static $name: Code = Code {
            name: stringify!($name),
            error_type: ErrorType::$error_type,
            meaning: $meaning,
            advice: $advice,
        };)*

        /// Every code of our own, but for `HTTP_` with a status (`HTTP_502`), which an answer without an
        /// `errorCode` has; its type follows from the status.
        pub static CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    INVALID_INPUT: Input,
        "The variable salesforceRequest or a task header is not what the operation expects. Nothing was called.",
        "Correct the task's input in the model or the variables it uses.";
    SECRET_NOT_FOUND: Configuration,
        "A secret that the connection names is not there, is empty or cannot be read. Nothing was called.",
        "Provide the secret to the worker or correct its name, then resolve the incident.";
    SECRET_NOT_ALLOWED: Configuration,
        "The task names a secret that secrets.allow does not give to its process. Nothing was called.",
        "Use a connection of the configuration, or have the operator widen secrets.allow, then resolve the incident.";
    SECRETS_UNAVAILABLE: Transient,
        "A store of secrets could not be asked. Nothing was called.",
        "See to the store and to the worker's way into it, then resolve the incident.";
    UNKNOWN_CONNECTION: Configuration,
        "The task names a connection that the worker's configuration does not have. Nothing was called.",
        "Correct the name in the task, or add the connection to the configuration, then resolve the incident.";
    CONNECTION_NOT_ALLOWED: Configuration,
        "The connection is limited to other tenants or processes, or the task brings its own and that is switched off. \
         Nothing was called.",
        "Use a connection that is meant for this process, or have the operator widen its limits, then resolve the incident.";
    INVALID_CONNECTION: Configuration,
        "A text of the connection refers to a secret in a form that is not understood, its parts disagree, or its proxy or a certificate is not usable. Nothing was \
         called.",
        "Write {{secrets.NAME}} in the connection, give one place to log in, then resolve the incident.";
    INVALID_CREDENTIALS: Configuration,
        "A credential of the connection is empty or cannot be sent. Nothing was called.",
        "Correct the connection's authentication or the secret it names, then resolve the incident.";
    INVALID_ADDRESS: Configuration,
        "The base URL or the token endpoint of the connection is no address that can be called. Nothing was called.",
        "Correct the address, such as https://acme.my.salesforce.com, then resolve the incident.";
    HOST_NOT_ALLOWED: Configuration,
        "The connection, its token endpoint, the login's answer or the address of a CSV file names a host that the worker may not \
         call. No secret was sent there.",
        "Correct the address, or have the operator add the host to hosts.allow (for CSV files: hosts.sources), then resolve the \
         incident.";
    UNSUPPORTED_API_VERSION: Configuration,
        "The org does not have the API version of the task or the connection. Nothing was done.",
        "Choose a version that the org has (the message lists them) where the message says it was set, then resolve the incident.";
    REDIRECT_NOT_FOLLOWED: Configuration,
        "Salesforce points to another address; redirects are not followed, for they would carry the token away.",
        "Use the address of the org itself as the base URL, then resolve the incident.";
    AUTHENTICATION_FAILED: Authentication,
        "The token endpoint refuses the credentials, or the org refuses the token.",
        "Check the credentials of the connection and the app's settings in Salesforce, then resolve the incident.";
    CLOCK_SKEW: Authentication,
        "The token endpoint refuses a JWT, and the worker's clock differs from Salesforce's by more than a minute.",
        "Correct the clock of the worker's machine (NTP), then resolve the incident.";
    USER_NOT_APPROVED: Authentication,
        "The user of the connection is not approved for the app.",
        "Assign the External Client App to the user by profile or permission set, then resolve the incident.";
    REFRESH_TOKEN_EXPIRED: Authentication,
        "The refresh token of the connection has expired or was revoked; it is not tried again.",
        "Log in again, store the new refresh token, then resolve the incident.";
    TOKEN_ENDPOINT_UNAVAILABLE: Transient,
        "The token endpoint could not give a token for a reason that passes by itself, and its jobs have waited for it in vain.",
        "Resolve the incident to try again.";
    TIMEOUT: Transient,
        "No complete answer came in time, and the call may be repeated.",
        "Resolve the incident to try again; raise the task's timeout where the call needs longer.";
    CONNECTION_FAILED: Transient,
        "Salesforce could not be reached: the name was not resolved, the connection was refused or TLS failed. Nothing \
         was sent.",
        "Check the address, and DNS, proxy and firewall of the worker, then resolve the incident.";
    CONNECTION_LOST: Transient,
        "The connection broke before the answer was complete, and the call may be repeated.",
        "Resolve the incident to try again.";
    TOO_LITTLE_TIME: Transient,
        "Too little was left of the job's lock to begin a call, and it could not be renewed in time. The call was not sent.",
        "Resolve the incident to try again; raise the worker's job timeout where this is frequent.";
    ORG_PAUSED: Throttled,
        "The org is over a limit, in maintenance or does not answer, and is left alone for now. The call was not sent. Jobs \
         wait for it with unchanged retries; this is seen after a day of it, or where no address of a task has ever answered.",
        "Check the address and the org's state (trust.salesforce.com) and limits, then resolve the incident.";
    ORG_BUSY: Throttled,
        "Enough calls are under way already: the org's share of them (slow_org_share) while it takes long for each or others \
         need room too, or max_concurrent_requests of the connection. The call was not sent; the job waits with unchanged retries.",
        "Resolve the incident to try again.";
    API_BUDGET_RESERVED: Throttled,
        "The org's API requests of the day are used up to the reserve. A create or bulk work was not sent; the job waits with \
         unchanged retries.",
        "Resolve the incident to try again; find what uses up the org's API requests, or have the operator lower api_reserve.";
    MARK_NOT_SET: Transient,
        "Before a write that must not be repeated, the worker leaves a mark on the engine, and it is not certain that it \
         stands there. The call was not sent.",
        "Resolve the incident to try again; if it stays, let the worker's client update variables of process instances, or \
         set unsafe_writes.mark to false.";
    OUTCOME_UNKNOWN: OutcomeUnknown,
        "A write that must not be repeated was sent, and what became of it is not known: its answer was lost, or its worker \
         died or lost the job in the middle.",
        "Resolve the incident only where it was not carried out: that sends it again. The operation upsertRecord can be \
         repeated safely, and so can createRecord with an external id field.";
    RECORDS_FAILED: Business,
        "Of several records or sub-requests some were refused, and the task's failOn makes that an error. error.errors has each \
         refusal with its index, error.variables.response.body has what became of every record.",
        "Correct the refused records, and take those that are done out of the task's list where a second time has a second \
         effect: resolving the incident sends all of them again.";
    PARTLY_DONE: Result,
        "An operation of several calls has done a part of its work, and could not do the rest. Which records are done, and why the \
         rest is not, is in error.variables.response.body.",
        "Take the records that are done out of the task's list, then resolve the incident: that sends all that is in the list.";
    ACTION_FAILED: Business,
        "An invocable action or a flow says that it failed, and names no code. What it did to records was undone.",
        "Look at the flow or the action in Salesforce with the inputs of the task, then resolve the incident.";
    REPORT_INCOMPLETE: Business,
        "A report has more rows than the 2,000 that Salesforce gives, and the task wants all of them.",
        "Filter the report further, split it over several tasks, or read the records with a query; with whenIncomplete set to give, \
         the task gets what there is.";
    NO_WORK_ITEM: Business,
        "No approval request waits for a decision about the record, or none of the approver that the task names. Nothing was decided.",
        "Submit the record for approval first, or let the process handle it with the header bpmnErrors.";
    SEVERAL_WORK_ITEMS: Business,
        "Several approval requests wait for decisions about the record, and the task does not say whose is meant. Nothing was decided.",
        "Fill approverId or workItemId in the task.";
    LIST_VIEW_NOT_FOUND: Permanent,
        "The object has no list view of this name that the connection's user can see, or several of them.",
        "Correct the name, share the list view with the connection's user, or give its id, then resolve the incident.";
    GRAPHQL_FAILED: Business,
        "The answer to a GraphQL request has errors that name no ErrorType.",
        "Look at error.errors, and correct the document or its variables.";
    BULK_JOB_RUNNING: Transient,
        "A job of the Bulk API goes on in the org. The task waits for it with unchanged retries; this is no failure.",
        "Nothing has to be done: the job looks again by itself.";
    BULK_JOB_FAILED: Permanent,
        "A job of the Bulk API has failed, was given up, or is not there any more. error.variables.response.body has what it says of \
         itself, and which records it has done before.",
        "Correct what the message names, and take the records that are done out of the task's list where a second time has a \
         second effect: resolving the incident begins a new bulk job with all of them.";
    SOURCE_REFUSED: Permanent,
        "The CSV file at records.csvUrl is not there, redirects, is larger than Salesforce takes, or is no CSV that fits. The bulk job was not \
         told to begin, so that nothing comes of it.",
        "Correct the file or its address, then resolve the incident.";
    SOURCE_UNAVAILABLE: Transient,
        "The CSV file at records.csvUrl could not be read to its end for a reason that passes by itself. The bulk job was not told to begin.",
        "Resolve the incident to try again.";
    MULTIPLE_CHOICES: Business,
        "An upsert found several records with this external id and changed none (HTTP 300).",
        "Remove the duplicates in Salesforce, and mark the external id field as unique.";
    NOT_MODIFIED: Business,
        "The record was not changed since the time that was given (HTTP 304).",
        "Nothing has to be done in Salesforce; let the process handle it with the header bpmnErrors.";
    REQUEST_TOO_LONG: Permanent,
        "The address of the call, which holds the query, is longer with its headers than the 16,384 bytes that Salesforce takes.",
        "Ask for fewer fields, or split a long list of values over several tasks.";
    INVALID_REQUEST: Permanent,
        "The request could not be built.",
        "Correct the task's input; if it looks right, report it as a fault of the connector.";
    INVALID_RESPONSE: Permanent,
        "Salesforce answered something that does not fit the operation.",
        "Look at error.variables.response; something between may have answered instead of Salesforce.";
    DOCUMENTS_NOT_CONFIGURED: Configuration,
        "The task uses a document of the cluster, and the worker has no address of the cluster's REST API. Salesforce was asked \
         for nothing that changes it.",
        "Set gateway.rest_address (or CAMUNDA_REST_ADDRESS), then resolve the incident.";
    DOCUMENTS_NOT_SUPPORTED: Configuration,
        "The task uses a document of the cluster, and there are none at gateway.rest_address: they need Camunda 8.7 or later.",
        "Correct gateway.rest_address, update the cluster, or hand the file over as Base64, then resolve the incident.";
    DOCUMENT_NOT_FOUND: Permanent,
        "The document of the task is not in the cluster's store: it was deleted or has expired.",
        "Give the process a document that is there, then resolve the incident.";
    DOCUMENT_REFUSED: Configuration,
        "The cluster does not give the document, or does not take it: its reference is wrong, or the worker's client has no \
         permission.",
        "Correct the reference, or give the worker's client the permission for documents, then resolve the incident.";
    DOCUMENTS_UNAVAILABLE: Transient,
        "The cluster's documents could not be read or stored for a reason that passes by itself.",
        "Resolve the incident to try again.";
    FILE_TOO_LARGE: Permanent,
        "The file has more bytes than the worker takes. It was not transferred.",
        "Use a smaller file, or have the operator raise files.max_bytes, then resolve the incident.";
    BODY_TOO_LARGE: Result,
        "The answer is larger than what the worker reads.",
        "Ask for fewer fields or records, or have the operator raise salesforce.max_body_bytes.";
    EXPRESSION_FAILED: Result,
        "The result expression or the error expression failed, or gave something that the job cannot use.",
        "Correct the expression in the task; the command salesforce-connector feel tries one out. Resolving the \
         incident repeats the operation.";
    FORBIDDEN_RESULT: Result,
        "The result contains the text camunda.function.type, which Camunda's own connectors would execute.",
        "Hand over only the fields that the process needs. Resolving the incident repeats the operation.";
    RESULT_TOO_LARGE: Result,
        "The result is larger than what may be handed to the process.",
        "Ask for fewer fields, add LIMIT to the query, set maxRecords, or choose a smaller resultContent.";
}

/// The row of a code.
pub(super) fn find(name: &str) -> Option<&'static Code> {
    CODES.iter().copied().find(|code| code.name == name)
}
