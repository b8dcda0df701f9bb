//! `getListView`: which records does a list view show, as a user of Salesforce sees it?

use serde::Deserialize;

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
    pages::Wanted,
};
use crate::{
    connector::{Error, InvalidInput, codes},
    salesforce::{CallClass, FieldName, ObjectName, RecordId, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "getListView",
    area: Area::Query,
    label: "Read list view",
    summary: "Reads the records that a list view shows, with its columns, filters and order.",
    keywords: &["list view", "view", "list", "queue", "saved", "filter", "records"],
    class: CallClass::Read,
    class_with: None,
    calls: "two, `GET /sobjects/{objectType}/listviews/{id}/describe` for the query behind the view and `GET /query`, and one for each \
            further page; one more, `GET /query`, where the view is given by its name.",
    body: "`totalSize`, `done` and `records`, as of a query; `nextRecordsUrl` where there is more to read. The records have the \
           view's columns as fields, and `Id`.",
    contents: &[
        ResultContent::Response,
        ResultContent::Body,
        ResultContent::Records,
        ResultContent::FirstRecord,
    ],
    inputs: &[
        fields::OBJECT_TYPE,
        Input {
            name: "listView",
            label: "List view",
            kind: InputKind::Text { pattern: None },
            required: true,
            tooltip: "The API name of the list view, such as AllOpenLeads, or its id (00B…), as in the address of its page. \
                      Setup shows the API name under Sharing Settings or in the list view's own settings.",
            placeholder: "AllOpenLeads",
        },
        fields::ALL_PAGES,
        fields::MAX_RECORDS,
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"totalSize": 1, "done": true, "records": [{"Name": "Ada Lovelace", "Company": "Acme", "Status": "Open",
            "Id": "00QHp00001aaaAAAAA"}]}"#,
        ),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={leads: body.records}",
        error: "=if contains(error.code, \"NOT_FOUND\") then bpmnError(\"no such view\", error.message) else null",
    },
};

/// The input of `getListView`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetListView {
    object_type: ObjectName,
    list_view: View,
    #[serde(default, deserialize_with = "fields::flag")]
    all_pages: bool,
    #[serde(default, deserialize_with = "fields::count")]
    max_records: Option<usize>,
}

/// How a list view is named.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
enum View {
    Id(RecordId),
    Name(FieldName),
}

impl TryFrom<String> for View {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let id = text.parse::<RecordId>().ok().filter(|_| text.starts_with("00B"));
        let name = || text.parse().ok().map(Self::Name);
        let expected = "expected the API name of a list view, such as \"AllOpenLeads\", or its id (00B…)";
        id.map(Self::Id).or_else(name).ok_or(expected)
    }
}

impl GetListView {
    /// The id of the view of this name.
    async fn look_up(&self, name: &FieldName, call: &Call<'_>) -> Result<RecordId, Error> {
        let response = call.send(&self.by_name(name)).await?;
        let found = response.body["records"].as_array().map(Vec::as_slice).unwrap_or_default();
        if let [view] = found
            && let Some(id) = view["Id"].as_str().and_then(|id| id.parse().ok())
        {
            return Ok(id);
        }
        let (count, object) = (found.len(), self.object_type.as_str());
        let message = format!(
            "expected one list view {:?} of {object} that the connection's user can see, found {count}; its id (00B…) names one \
             for certain",
            name.as_str()
        );
        Err(Error::new(&codes::LIST_VIEW_NOT_FOUND, message))
    }

    fn by_name(&self, name: &FieldName) -> Request {
        let (object, name) = (self.object_type.as_str(), name.as_str());
        Request::query(&format!(
            "SELECT Id FROM ListView WHERE SobjectType = '{object}' AND DeveloperName = '{name}'"
        ))
    }
}

impl Operate for GetListView {
    fn request(self) -> Result<Request, InvalidInput> {
        Ok(match &self.list_view {
            View::Id(id) => Request::describe_list_view(&self.object_type, id),
            View::Name(name) => self.by_name(name),
        })
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let id = match &self.list_view {
            View::Id(id) => id.clone(),
            View::Name(name) => self.look_up(name, call).await?,
        };
        let described = call.send(&Request::describe_list_view(&self.object_type, &id)).await?;
        let Some(soql) = described.body["query"].as_str() else {
            let message = "expected the query behind a list view, found something else";
            return Err(Error::new(&codes::INVALID_RESPONSE, message).with_response(described));
        };
        let request = Request::query(soql);
        let Self { all_pages, max_records, .. } = self;
        Wanted { all_pages, max_records, batch_size: None }.read(request, call).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::connector::operations::{Operation, tests::mistake};

    #[test]
    fn a_view_goes_by_its_id_or_its_name() {
        let request = |view: &str| {
            let input = json!({"objectType": "Lead", "listView": view});
            Operation::parse("getListView", input.as_object().unwrap()).unwrap().request().unwrap()
        };
        let by_name = "SELECT Id FROM ListView WHERE SobjectType = 'Lead' AND DeveloperName = 'AllOpenLeads'";
        assert_eq!(request("AllOpenLeads").query, [("q".to_owned(), by_name.to_owned())]);
        assert!(request("00BD0000005WcCN").query.is_empty());
        let message = mistake("getListView", json!({"objectType": "Lead", "listView": "x' OR Name != '"}));
        assert!(message.starts_with("listView: expected the API name of a list view, such as"), "{message}");
    }
}
