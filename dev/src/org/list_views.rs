//! List views: `sobjects/<object>/listviews/<id>/describe` tells the query behind one. By their names they are records of
//! `ListView`.
//!
//! Source: REST API guide, "List View Describe". Differences on purpose: the filter is told in the query alone, and nobody is
//! kept from seeing a view.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::{ApiError, ApiResult, json_response};
use super::ids;
use super::request::ApiRequest;
use super::server::Org;

/// What a list view reads beside its columns.
const HIDDEN: [&str; 4] = ["Id", "CreatedDate", "LastModifiedDate", "SystemModstamp"];

/// A saved list view.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ListView {
    id: String,
    developer_name: String,
    label: String,
    object: String,
    /// Fields, also of parents.
    columns: Vec<String>,
    /// The filter, as a condition of SOQL.
    #[serde(rename = "where")]
    condition: Option<String>,
}

impl ListView {
    /// Its record.
    pub(crate) fn record(&self) -> Map<String, Value> {
        let record = json!({ "Id": self.id, "Name": self.label, "DeveloperName": self.developer_name,
            "SobjectType": self.object, "IsSoqlCompatible": true });
        match record {
            Value::Object(record) => record,
            _ => Map::new(),
        }
    }

    fn query(&self) -> String {
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).chain(HIDDEN).collect();
        let condition = self.condition.iter().map(|condition| format!(" WHERE {condition}"));
        let condition: String = condition.collect();
        let order = self.columns.first().map_or("Id", String::as_str);
        format!(
            "SELECT {} FROM {}{condition} ORDER BY {order} ASC NULLS FIRST, Id ASC NULLS FIRST",
            columns.join(", "),
            self.object
        )
    }
}

/// Tells the query behind a list view.
pub(crate) fn describe(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let store = org.read();
    let (object, id) = (&request.path[1], ids::normalize(&request.path[3]));
    let is_it = |view: &&ListView| {
        view.object.eq_ignore_ascii_case(object) && id.is_some() && ids::normalize(&view.id) == id
    };
    let view = store.list_views.iter().find(is_it).ok_or_else(ApiError::resource_not_found)?;
    let column =
        |name: &str, hidden: bool| json!({ "fieldNameOrPath": name, "hidden": hidden, "label": name });
    let columns = view.columns.iter().map(|name| column(name, false));
    let columns: Vec<Value> = columns.chain(HIDDEN.map(|name| column(name, true))).collect();
    let body = json!({ "columns": columns, "id": view.id, "orderBy": [], "query": view.query(), "scope": null,
        "sobjectType": view.object, "whereCondition": null });
    Ok(json_response(StatusCode::OK, &body))
}
