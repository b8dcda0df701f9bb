//! What the jobs of a benchmark ask for.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The variable with the result of a job, for all workers alike.
pub(crate) const RESULT: &str = "result";

/// What one job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Workload {
    /// Nothing: the job is completed as it comes.
    Empty,
    /// A query for one record.
    Query,
    /// A plain create: what must not be done twice.
    Create,
    /// An upsert by external id.
    Upsert,
}

impl Workload {
    /// The variables of job `number`, for a connection of this name.
    pub(crate) fn variables(self, connection: &str, number: usize) -> Value {
        json!({"salesforceRequest": {"connection": {"name": connection}, "operation": self.operation(number)}})
    }

    fn operation(self, number: usize) -> Value {
        match self {
            Self::Empty => json!({"type": "query"}),
            Self::Query => json!({"type": "query", "soqlQuery": "SELECT Id, Name FROM Account LIMIT 1"}),
            Self::Create => {
                json!({"type": "createRecord", "objectType": "Account", "body": {"Name": Self::name(number)}})
            }
            Self::Upsert => json!({
                "type": "upsertRecord", "objectType": "Account", "externalIdField": "External_Key__c",
                "externalId": Self::name(number), "body": {"Name": Self::name(number)},
            }),
        }
    }

    /// The unique name of the record of job `number`.
    pub(crate) fn name(number: usize) -> String {
        format!("Account {number:07}")
    }

    /// The headers of its task.
    pub(crate) fn headers() -> [(&'static str, &'static str); 2] {
        [("resultVariable", RESULT), ("resultContent", "body")]
    }
}
