//! An answer of Salesforce, for benchmarks and for the count of allocations.

use camunda_feel::Scope;
use serde_json::{Value as Json, json};

fn record(index: usize) -> Json {
    json!({
        "attributes": {"type": "Account", "url": format!("/services/data/v67.0/sobjects/Account/{index:018}")},
        "Id": format!("001{index:015}"),
        "Name": format!("Account {index}"),
        "Amount": 100.5,
        "Status": if index.is_multiple_of(10) { "Open" } else { "Closed" },
        "Owner": {"Name": "Ann", "Email": "ann@example.org"},
        "CloseDate": "2024-01-15",
        "Index": index,
    })
}

/// An answer of Salesforce with so many records, a tenth of them open.
pub(crate) fn response(records: usize) -> Json {
    let records: Vec<Json> = (0..records).map(record).collect();
    json!({
        "status": 200,
        "headers": {"content-type": "application/json", "Sforce-Limit-Info": "api-usage=18/15000"},
        "body": {"id": "001X", "success": true, "totalSize": records.len(), "done": true, "records": records},
        "error": {"code": "400", "message": "DUPLICATE_VALUE: duplicate value found", "variables": {}},
        "job": {"retries": 3},
    })
}

/// What an expression of a header sees.
pub(crate) fn scope(response: &Json) -> Scope<'_> {
    Scope::new().spread(response).variable("response", response)
}
