//! Reports: `analytics/reports/<id>` runs one, `analytics/reports/<id>/describe` tells about it.
//!
//! Source: Reports and Dashboards REST API guide, "Execute Sync" and "Decode the Fact Map". Differences on purpose: columns go by
//! the names of fields, a report is grouped by one column at most, and its only total is the number of rows.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::{ApiError, ApiResult, json_response};
use super::request::ApiRequest;
use super::server::Org;
use super::store::Store;
use super::{ids, soql};

/// A report gives no more rows.
const MAX_ROWS: usize = 2000;

/// A saved report.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Report {
    id: String,
    name: String,
    object: String,
    /// Fields, also of parents, such as `Account.Name`.
    columns: Vec<String>,
    /// The saved filter, as a condition of SOQL.
    #[serde(rename = "where")]
    condition: Option<String>,
    group_by: Option<String>,
}

/// A row: the value of its grouping, and those of its columns.
type Row = (Value, Vec<Value>);

/// Runs a report, or describes it.
pub(crate) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let store = org.read();
    let id = request.path.get(2).and_then(|id| ids::normalize(id));
    let report = store.reports.iter().find(|report| id.is_some() && ids::normalize(&report.id) == id);
    let report = report.ok_or_else(ApiError::resource_not_found)?;
    let is_read = matches!(request.method, Method::GET | Method::HEAD);
    let overrides = match &request.path[3..] {
        [part] if is_read && part.eq_ignore_ascii_case("describe") => {
            let body = json!({ "reportExtendedMetadata": {}, "reportMetadata": report.metadata(None), "reportTypeMetadata": {} });
            return Ok(json_response(StatusCode::OK, &body));
        }
        [] if is_read => Value::Null,
        [] if request.method == Method::POST => {
            request.json()?.1.remove("reportMetadata").unwrap_or_default()
        }
        [] => return Err(ApiError::method_not_allowed(request.method.as_str(), "GET,HEAD,POST")),
        _ => return Err(ApiError::resource_not_found()),
    };
    let filters = overrides["reportFilters"].as_array();
    let rows = report.rows(&store, request.version, filters.map(Vec::as_slice).unwrap_or_default())?;
    let details = request.parameter("includeDetails") == Some("true");
    Ok(json_response(StatusCode::OK, &report.result(rows, details, overrides.get("reportFilters"))))
}

impl Report {
    fn metadata(&self, filters: Option<&Value>) -> Value {
        let groupings: Vec<Value> =
            self.group_by.iter().map(|name| json!({ "name": name, "sortOrder": "Asc" })).collect();
        json!({
            "aggregates": ["RowCount"], "detailColumns": self.columns, "developerName": self.name.replace(' ', "_"),
            "groupingsAcross": [], "groupingsDown": groupings, "id": self.id, "name": self.name,
            "reportBooleanFilter": null, "reportFilters": filters.cloned().unwrap_or_else(|| json!([])),
            "reportFormat": if self.group_by.is_some() { "SUMMARY" } else { "TABULAR" },
            "reportType": { "label": self.object, "type": self.object },
        })
    }

    fn rows(&self, store: &Store, version: u32, filters: &[Value]) -> ApiResult<Vec<Row>> {
        let mut columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        columns.extend(self.group_by.as_deref().filter(|name| !self.columns.iter().any(|own| own == name)));
        let mut conditions: Vec<String> =
            self.condition.iter().map(|condition| format!("({condition})")).collect();
        for filter in filters {
            conditions.push(self.condition(store, filter)?);
        }
        let mut query = format!("SELECT {} FROM {}", columns.join(", "), self.object);
        for (index, condition) in conditions.iter().enumerate() {
            query.extend([if index == 0 { " WHERE " } else { " AND " }, condition]);
        }
        if let Some(name) = &self.group_by {
            query.extend([" ORDER BY ", name]);
        }
        let run = soql::Run { version, now: Timestamp::now(), deleted: false };
        let result = soql::run(store, &query, run).map_err(|error| error.renamed("BAD_REQUEST"))?;
        let soql::QueryResult::Records(records) = result else { return Ok(Vec::new()) };
        let row = |record: &Value| {
            let group = self.group_by.as_deref().map_or(Value::Null, |name| value(record, name));
            (group, self.columns.iter().map(|name| value(record, name)).collect())
        };
        Ok(records.iter().map(row).collect())
    }

    /// A filter of the request as a condition of SOQL.
    fn condition(&self, store: &Store, filter: &Value) -> ApiResult<String> {
        let part = |name: &str| filter[name].as_str().unwrap_or_default();
        let (column, text) = (part("column"), part("value"));
        let kind = store.schema.index_of(&self.object).and_then(|object| store.object(object).field(column));
        let is_plain = kind.is_some_and(|field| {
            field.kind.is_number() || matches!(field.kind.name(), "boolean" | "date" | "datetime")
        });
        let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
        let literal = if is_plain { text.to_owned() } else { format!("'{escaped}'") };
        let pattern = escaped.replace('%', "\\%").replace('_', "\\_");
        Ok(match part("operator") {
            "equals" => format!("{column} = {literal}"),
            "notEqual" => format!("{column} != {literal}"),
            "lessThan" => format!("{column} < {literal}"),
            "greaterThan" => format!("{column} > {literal}"),
            "lessOrEqual" => format!("{column} <= {literal}"),
            "greaterOrEqual" => format!("{column} >= {literal}"),
            "contains" => format!("{column} LIKE '%{pattern}%'"),
            "startsWith" => format!("{column} LIKE '{pattern}%'"),
            other => {
                return Err(ApiError::bad_request(
                    "BAD_REQUEST",
                    format!("The filter operator {other} is invalid."),
                ));
            }
        })
    }

    fn result(&self, mut rows: Vec<Row>, details: bool, filters: Option<&Value>) -> Value {
        let total = rows.len();
        let mut facts = Map::new();
        let mut groupings = Vec::new();
        if self.group_by.is_some() {
            facts.insert("T!T".to_owned(), fact(total, None));
            let mut shown = 0;
            while let Some(group) = rows.first().map(|(group, _)| group.clone()) {
                let rest = rows.iter().position(|(other, _)| *other != group).unwrap_or(rows.len());
                let own: Vec<Row> = rows.drain(..rest).collect();
                let room = MAX_ROWS.saturating_sub(shown);
                shown += own.len();
                facts.insert(
                    format!("{}!T", groupings.len()),
                    fact(own.len(), details.then(|| cut(&own, room))),
                );
                let key = groupings.len().to_string();
                groupings
                    .push(json!({ "groupings": [], "key": key, "label": label(&group), "value": group }));
            }
        } else {
            facts.insert("T!T".to_owned(), fact(total, details.then(|| cut(&rows, MAX_ROWS))));
        }
        json!({
            "allData": total <= MAX_ROWS, "attributes": { "reportId": self.id, "reportName": self.name, "type": "Report" },
            "factMap": facts, "groupingsAcross": { "groupings": [] }, "groupingsDown": { "groupings": groupings },
            "hasDetailRows": details, "reportExtendedMetadata": {}, "reportMetadata": self.metadata(filters),
        })
    }
}

fn fact(count: usize, rows: Option<Vec<Value>>) -> Value {
    let mut fact = json!({ "aggregates": [{ "label": count.to_string(), "value": count }] });
    if let Some(rows) = rows {
        fact["rows"] = Value::Array(rows);
    }
    fact
}

fn cut(rows: &[Row], most: usize) -> Vec<Value> {
    let cell = |value: &Value| json!({ "label": label(value), "value": value });
    let row = |(_, values): &Row| json!({ "dataCells": values.iter().map(cell).collect::<Vec<_>>() });
    rows.iter().take(most).map(row).collect()
}

fn label(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The value behind `Account.Name`.
fn value(record: &Value, path: &str) -> Value {
    path.split('.').fold(record, |value, name| &value[name]).clone()
}
