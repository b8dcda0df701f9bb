//! Requests for many records in one call: sObject collections and the composite resources.

use reqwest::Method;
use serde_json::{Value, json};

use super::{CallClass, FieldName, ObjectName, RecordId, Request, segment};
use crate::salesforce::{ApiVersion, SubRequest, sub_request::class};

/// Where records are saved and deleted in lists.
const COLLECTIONS: &str = "/composite/sobjects";

impl Request {
    fn composite_call(method: Method, path: String, class: CallClass, body: Value) -> Self {
        let mut request = Self::new(method, path, class);
        request.body = Some(body);
        request
    }

    /// `POST /composite/sobjects`: creates up to 200 records, each with `attributes.type`.
    pub fn create_records(records: &[Value], all_or_none: bool) -> Self {
        let body = json!({"allOrNone": all_or_none, "records": records});
        Self::composite_call(Method::POST, COLLECTIONS.to_owned(), CallClass::UnsafeWrite, body)
    }

    /// `PATCH /composite/sobjects`: changes up to 200 records, each with `attributes.type` and its id.
    pub fn update_records(records: &[Value], all_or_none: bool) -> Self {
        let body = json!({"allOrNone": all_or_none, "records": records});
        Self::composite_call(Method::PATCH, COLLECTIONS.to_owned(), CallClass::IdempotentWrite, body)
    }

    /// `PATCH /composite/sobjects/Account/Key__c`: creates or changes up to 200 records of one object by an external
    /// id, which stands among their fields.
    pub fn upsert_records(
        object: &ObjectName,
        key: &FieldName,
        records: &[Value],
        all_or_none: bool,
    ) -> Self {
        let (object, key) = (segment(object.as_str()), segment(key.as_str()));
        let body = json!({"allOrNone": all_or_none, "records": records});
        let path = format!("{COLLECTIONS}/{object}/{key}");
        Self::composite_call(Method::PATCH, path, CallClass::IdempotentWrite, body)
    }

    /// `DELETE /composite/sobjects?ids=…`: moves up to 200 records to the recycle bin.
    pub fn delete_records(ids: &[RecordId], all_or_none: bool) -> Self {
        let mut request = Self::new(Method::DELETE, COLLECTIONS.to_owned(), CallClass::IdempotentWrite);
        let ids: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
        request.query.push(("ids".to_owned(), ids.join(",")));
        request.query.push(("allOrNone".to_owned(), all_or_none.to_string()));
        request
    }

    /// `POST /composite/sobjects/Account`: reads up to 2,000 records of one object by their ids. A read in spite of its
    /// method, which has room for more ids than an address.
    pub fn get_records(object: &ObjectName, ids: &[RecordId], fields: &[&str]) -> Self {
        let ids: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
        let path = format!("{COLLECTIONS}/{}", segment(object.as_str()));
        Self::composite_call(Method::POST, path, CallClass::Read, json!({"ids": ids, "fields": fields}))
    }

    /// `POST /composite`: up to 25 requests, which may use what those before them gave. Its class follows from theirs.
    ///
    /// `all_or_none`: one that fails takes the others back. `collate`: Salesforce may put similar ones together, and then
    /// keeps no order but that of the references.
    pub fn composite(subs: &[SubRequest], version: ApiVersion, all_or_none: bool, collate: bool) -> Self {
        let class = class::of(&[subs], version, !collate);
        let list: Vec<Value> = subs.iter().map(|sub| sub.in_composite(version)).collect();
        let body = json!({"allOrNone": all_or_none, "collateSubrequests": collate, "compositeRequest": list});
        Self::composite_call(Method::POST, "/composite".to_owned(), class, body)
    }

    /// `POST /composite/batch`: up to 25 requests in their order, which do not know each other. Its class follows from theirs.
    pub fn composite_batch(subs: &[SubRequest], version: ApiVersion, halt_on_error: bool) -> Self {
        let class = class::of(&[subs], version, true);
        let list: Vec<Value> = subs.iter().map(|sub| sub.in_batch(version)).collect();
        let body = json!({"haltOnError": halt_on_error, "batchRequests": list});
        Self::composite_call(Method::POST, "/composite/batch".to_owned(), class, body)
    }

    /// `POST /composite/graph`: up to 500 requests in graphs with their ids; each graph is done as a whole or not at all. Its
    /// class follows from theirs.
    pub fn composite_graph(graphs: &[(String, Vec<SubRequest>)], version: ApiVersion) -> Self {
        let groups: Vec<&[SubRequest]> = graphs.iter().map(|(_, subs)| &subs[..]).collect();
        let class = class::of(&groups, version, false);
        let list = graphs.iter().map(|(id, subs)| {
            let subs: Vec<Value> = subs.iter().map(|sub| sub.in_composite(version)).collect();
            json!({"graphId": id, "compositeRequest": subs})
        });
        let body = json!({"graphs": list.collect::<Vec<_>>()});
        Self::composite_call(Method::POST, "/composite/graph".to_owned(), class, body)
    }

    /// `POST /composite/tree/Account`: creates up to 200 records with those below them, all of them or none; each has
    /// `attributes.type` and `attributes.referenceId`.
    pub fn composite_tree(object: &ObjectName, records: &[Value]) -> Self {
        let path = format!("/composite/tree/{}", segment(object.as_str()));
        Self::composite_call(Method::POST, path, CallClass::UnsafeWrite, json!({"records": records}))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::super::Path;
    use super::*;
    use crate::salesforce::ResourceUrl;

    fn account() -> ObjectName {
        "Account".parse().unwrap()
    }

    fn ids() -> Vec<RecordId> {
        ["001D000000IRFmaIAH", "001D000000IRFmb"].map(|id| id.parse().unwrap()).to_vec()
    }

    fn versioned(path: &str) -> Path {
        Path::Versioned(path.to_owned())
    }

    #[test]
    fn records_are_saved_in_lists_and_only_a_create_is_unsafe_to_repeat() {
        let records = [json!({"attributes": {"type": "Account"}, "Name": "Acme"})];
        let body = json!({"allOrNone": true, "records": records});
        let create = Request::create_records(&records, true);
        assert_eq!((create.method, create.path), (Method::POST, versioned("/composite/sobjects")));
        assert_eq!((create.body.as_ref(), create.class), (Some(&body), CallClass::UnsafeWrite));
        let update = Request::update_records(&records, true);
        assert_eq!((update.method, update.path), (Method::PATCH, versioned("/composite/sobjects")));
        assert_eq!((update.body.as_ref(), update.class), (Some(&body), CallClass::IdempotentWrite));
        let upsert = Request::upsert_records(&account(), &"Key__c".parse().unwrap(), &records, true);
        assert_eq!(upsert.path, versioned("/composite/sobjects/Account/Key__c"));
        assert_eq!((upsert.body, upsert.class), (Some(body), CallClass::IdempotentWrite));
    }

    #[test]
    fn records_are_deleted_and_read_by_their_ids() {
        let delete = Request::delete_records(&ids(), false);
        let query = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!((delete.method, delete.class), (Method::DELETE, CallClass::IdempotentWrite));
        let expected = [query("ids", "001D000000IRFmaIAH,001D000000IRFmb"), query("allOrNone", "false")];
        assert_eq!(delete.query, expected);
        let get = Request::get_records(&account(), &ids(), &["Name", "Owner.Name"]);
        assert_eq!((get.path, get.class), (versioned("/composite/sobjects/Account"), CallClass::Read));
        let body =
            json!({"ids": ["001D000000IRFmaIAH", "001D000000IRFmb"], "fields": ["Name", "Owner.Name"]});
        assert_eq!(get.body, Some(body));
    }

    #[test]
    fn requests_go_together_under_the_version_of_the_client_and_their_class_follows_from_theirs() {
        let sub = |method: &str, name: &str| SubRequest {
            method: method.parse().unwrap(),
            url: ResourceUrl::read("/sobjects/Account").unwrap(),
            reference_id: name.to_owned(),
            body: (method == "POST").then(|| json!({"Name": "Acme"})),
            headers: Map::new(),
        };
        let request = Request::composite(&[sub("POST", "a")], ApiVersion::DEFAULT, true, false);
        assert_eq!((&request.path, request.class), (&versioned("/composite"), CallClass::UnsafeWrite));
        let url = "/services/data/v67.0/sobjects/Account";
        let list = [json!({"method": "POST", "url": url, "referenceId": "a", "body": {"Name": "Acme"}})];
        let body = json!({"allOrNone": true, "collateSubrequests": false, "compositeRequest": list});
        assert_eq!(request.body, Some(body));
        let read = Request::composite(&[sub("GET", "a")], ApiVersion::DEFAULT, true, false);
        assert_eq!((read.method, read.class), (Method::POST, CallClass::Read));
    }

    #[test]
    fn batches_graphs_and_trees_have_forms_of_their_own() {
        let sub = SubRequest {
            method: "PATCH".parse().unwrap(),
            url: ResourceUrl::read("/sobjects/Account/Key__c/k").unwrap(),
            reference_id: "a".to_owned(),
            body: Some(json!({"Name": "Acme"})),
            headers: Map::new(),
        };
        let batch = Request::composite_batch(std::slice::from_ref(&sub), ApiVersion::DEFAULT, true);
        let list = [
            json!({"method": "PATCH", "url": "v67.0/sobjects/Account/Key__c/k", "richInput": {"Name": "Acme"}}),
        ];
        assert_eq!(batch.body, Some(json!({"haltOnError": true, "batchRequests": list})));
        assert_eq!((batch.path, batch.class), (versioned("/composite/batch"), CallClass::IdempotentWrite));

        let graph = Request::composite_graph(&[("g".to_owned(), vec![sub.clone()])], ApiVersion::DEFAULT);
        let body = json!({"graphs": [{"graphId": "g", "compositeRequest": [sub.in_composite(ApiVersion::DEFAULT)]}]});
        assert_eq!((graph.path, graph.body), (versioned("/composite/graph"), Some(body)));
        assert_eq!(graph.class, CallClass::IdempotentWrite);

        let tree = Request::composite_tree(&account(), &[json!({"Name": "Acme"})]);
        assert_eq!((tree.path, tree.class), (versioned("/composite/tree/Account"), CallClass::UnsafeWrite));
        assert_eq!(tree.body, Some(json!({"records": [{"Name": "Acme"}]})));
    }
}
