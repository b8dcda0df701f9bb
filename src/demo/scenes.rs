//! The jobs of the demo, in the order in which they are played.

use salesforce_connector_dev::org::DevOrg;
use serde_json::{Map, Value, json};

/// One job: what is asked, and how it should end.
pub(super) struct Scene {
    pub(super) title: &'static str,
    pub(super) why: &'static str,
    pub(super) element_id: &'static str,
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// The operation, given the process's variables so far.
    pub(super) operation: fn(&Map<String, Value>) -> Value,
    /// What happens to the org just before.
    pub(super) before: fn(&DevOrg),
    pub(super) ending: Ending,
}

/// How a job should end.
pub(super) enum Ending {
    Completed,
    /// With this BPMN error.
    ErrorThrown(&'static str),
    /// With an incident whose text holds this.
    Incident(&'static str),
}

fn nothing(_: &DevOrg) {}

fn upsert_ada(process: &Map<String, Value>) -> Value {
    json!({
        "type": "upsertRecord", "objectType": "Contact",
        "externalIdField": "External_Key__c", "externalId": "customer/4711",
        "body": {"FirstName": "Ada", "LastName": "Lovelace", "AccountId": process["accountId"]},
    })
}

pub(super) const SCENES: &[Scene] = &[
    Scene {
        title: "Create an account",
        why: "The first job logs in; all others use the same token. The new id becomes a process variable.",
        element_id: "create-account",
        headers: &[("resultVariable", "accountId"), ("resultContent", "id")],
        operation: |_| json!({"type": "createRecord", "objectType": "Account", "body": {"Name": "Analytical Engines"}}),
        before: nothing,
        ending: Ending::Completed,
    },
    Scene {
        title: "Upsert a contact by a key of your own",
        why: "The safe way to create: whatever happens to this job, there is one such contact.",
        element_id: "upsert-contact",
        headers: &[("resultVariable", "contact"), ("resultContent", "body")],
        operation: upsert_ada,
        before: nothing,
        ending: Ending::Completed,
    },
    Scene {
        title: "The same upsert once more",
        why: "As after a crash: nothing is created twice, and the answer says so.",
        element_id: "upsert-contact",
        headers: &[("resultVariable", "contact"), ("resultContent", "body")],
        operation: upsert_ada,
        before: nothing,
        ending: Ending::Completed,
    },
    Scene {
        title: "Query, while every token is revoked",
        why: "Salesforce says 401; the worker logs in once more and repeats the read. The process does not notice.",
        element_id: "query-contacts",
        headers: &[("resultVariable", "contacts"), ("resultContent", "records")],
        operation: |process| {
            let id = process["accountId"].as_str().unwrap_or_default();
            let soql = format!("SELECT Id, Name, Account.Name FROM Contact WHERE AccountId = '{id}'");
            json!({"type": "query", "soqlQuery": soql})
        },
        before: DevOrg::revoke_tokens,
        ending: Ending::Completed,
    },
    Scene {
        title: "Read a record that is not there",
        why: "With bpmnErrors = business, Salesforce's own error code can be caught by a boundary event.",
        element_id: "get-account",
        headers: &[("resultVariable", "account"), ("bpmnErrors", "business")],
        operation: |_| json!({"type": "getRecord", "objectType": "Account", "objectId": "001000000000001AAA"}),
        before: nothing,
        ending: Ending::ErrorThrown("NOT_FOUND"),
    },
    Scene {
        title: "Create a contact without a last name",
        why: "Salesforce refuses it for good: an incident at once, no retries that cannot help.",
        element_id: "create-contact",
        headers: &[("resultVariable", "contactId"), ("resultContent", "id")],
        operation: |_| json!({"type": "createRecord", "objectType": "Contact", "body": {"FirstName": "Charles"}}),
        before: nothing,
        ending: Ending::Incident("LastName"),
    },
    Scene {
        title: "A slip in the form",
        why: "What can be refused without a call is refused without a call.",
        element_id: "update-account",
        headers: &[],
        operation: |process| json!({"type": "updateRecord", "objectTyp": "Account", "objectId": process["accountId"], "body": {}}),
        before: nothing,
        ending: Ending::Incident("objectTyp"),
    },
];
