//! The records that duplicate rules of the org found to match what was to be saved.

use serde_json::{Value, json};

/// Those that an answer names, each once, in Salesforce's order: with `id`, `type` and the `record`.
pub(super) fn told(body: &Value) -> Value {
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let mut results = Vec::new();
    collect(body, &mut results);
    let results = results.into_iter().flat_map(|result| list(result, "matchResults"));
    let mut found = Vec::new();
    for record in results.flat_map(|result| list(&result, "matchRecords")) {
        let record = &record["record"];
        let duplicate = json!({"id": record["Id"], "type": record["attributes"]["type"], "record": record});
        if !found.contains(&duplicate) {
            found.push(duplicate);
        }
    }
    Value::Array(found)
}

/// What the rules say, wherever it stands: in a list of errors, the result of a save, or one of several of either.
fn collect<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => {
            found.extend(members.get("duplicateResult"));
            members.values().for_each(|member| collect(member, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_that_match_are_told_once_each_wherever_they_stand() {
        let record =
            |id: &str| json!({"record": {"attributes": {"type": "Contact"}, "Id": id, "Name": "Ada"}});
        let result =
            |ids: &[&str]| json!({"matchRecords": ids.iter().map(|id| record(id)).collect::<Vec<_>>()});
        let error = json!({"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?",
                           "duplicateResult": {"matchResults": [result(&["003A", "003B"]), result(&["003A"])]}});
        let duplicate = |id: &str| json!({"id": id, "type": "Contact", "record": record(id)["record"]});
        let saved = json!({"id": null, "success": false, "errors": [error]});
        let sub =
            json!({"compositeResponse": [{"body": {"id": "001"}}, {"body": [error], "httpStatusCode": 400}]});
        for body in [json!([error]), saved.clone(), json!({"results": [{"success": true}, saved]}), sub] {
            assert_eq!(told(&body), json!([duplicate("003A"), duplicate("003B")]));
        }
        assert_eq!(told(&json!("no list")), json!([]));
    }
}
