//! The `search` and `parameterizedSearch` resources.
//!
//! Source: SOSL chapter of the SOQL and SOSL Reference, "Search" and "Parameterized Search" in the REST API guide.
//! Differences on purpose: there is no index to wait for, no ranking and no synonyms; the order is that of creation.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::error::{ApiError, ApiResult, json_response};
use super::request::ApiRequest;
use super::schema::{Field, FieldType, Object};
use super::server::Org;
use super::soql;
use super::sosl::{self, Group, Term};
use super::store::{Record, Store};

/// No search gives more records.
const MAX_RESULTS: usize = 2000;

/// One object to search in: what to show, as a query.
struct Wanted {
    object: usize,
    soql: String,
    limit: Option<usize>,
}

/// Answers `search` and `parameterizedSearch`.
pub(crate) fn route(org: &Org, request: &ApiRequest, parameterized: bool) -> ApiResult<Response> {
    let is_read = matches!(request.method, Method::GET | Method::HEAD);
    match (parameterized, &request.method) {
        (false, _) if is_read => search(org, request),
        (true, _) if is_read => by_parameters(org, request, &from_parameters(request)),
        (true, &Method::POST) => by_parameters(org, request, &Value::Object(request.json()?.1)),
        (true, method) => Err(ApiError::method_not_allowed(method.as_str(), "GET,HEAD,POST")),
        (false, method) => Err(ApiError::method_not_allowed(method.as_str(), "GET,HEAD")),
    }
}

fn search(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let search = sosl::parse(request.parameter("q").unwrap_or_default())?;
    let store = org.read();
    let mut wanted = Vec::new();
    for part in &search.returning {
        let fields = if part.fields.is_empty() { "Id" } else { part.fields };
        let soql = format!("SELECT {fields} FROM {} {}", part.object, part.clauses);
        wanted.push(Wanted { object: object(&store, part.object)?, soql, limit: None });
    }
    if wanted.is_empty() {
        wanted = everything(&store, "Id", None);
    }
    answer(&store, request, (&Term::parse(search.find)?, search.group), (&wanted, search.limit))
}

fn by_parameters(org: &Org, request: &ApiRequest, body: &Value) -> ApiResult<Response> {
    let text = |value: &Value, name: &str| value[name].as_str().map(str::to_owned);
    let count = |value: &Value| value.as_u64().and_then(|count| usize::try_from(count).ok());
    let q = text(body, "q").unwrap_or_default();
    let group = text(body, "in").map_or(Ok(Group::All), |name| Group::named(&name))?;
    let names = |value: &Value| {
        let list = value["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
        Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
            .filter(|names| !names.is_empty())
    };
    let default_fields = names(body).unwrap_or_else(|| "Id".to_owned());
    let store = org.read();
    let mut wanted = Vec::new();
    for part in body["sobjects"].as_array().into_iter().flatten() {
        let name = text(part, "name").unwrap_or_default();
        let mut soql =
            format!("SELECT {} FROM {name}", names(part).unwrap_or_else(|| default_fields.clone()));
        for (member, clause) in [("where", "WHERE"), ("orderBy", "ORDER BY")] {
            if let Some(condition) = text(part, member) {
                soql.extend([" ", clause, " ", &condition]);
            }
        }
        let limit = count(&part["limit"]).or_else(|| count(&body["defaultLimit"]));
        wanted.push(Wanted { object: object(&store, &name)?, soql, limit });
    }
    if wanted.is_empty() {
        wanted = everything(&store, &default_fields, count(&body["defaultLimit"]));
    }
    answer(&store, request, (&Term::parse(&q)?, group), (&wanted, count(&body["overallLimit"])))
}

/// The body that says the same as the parameters of a GET.
fn from_parameters(request: &ApiRequest) -> Value {
    let list = |text: &str| Value::from(text.split(',').map(str::trim).collect::<Vec<_>>());
    let number = |name: &str| request.parameter(name).and_then(|text| text.parse::<u64>().ok());
    let fields = |name: &str| request.parameter(name).map(list);
    let objects = request.query.iter().filter(|(name, _)| name == "sobject").map(|(_, name)| {
        let own = |member: &str| request.parameter(&format!("{name}.{member}"));
        json!({ "name": name, "where": own("where"), "orderBy": own("orderBy"), "fields": fields(&format!("{name}.fields")),
            "limit": number(&format!("{name}.limit")) })
    });
    json!({ "q": request.parameter("q"), "in": request.parameter("in"), "sobjects": objects.collect::<Vec<_>>(),
        "fields": fields("fields"), "overallLimit": number("overallLimit"), "defaultLimit": number("defaultLimit") })
}

fn object(store: &Store, name: &str) -> ApiResult<usize> {
    let searchable = |object: &usize| store.object(*object).is_searchable();
    store.schema.index_of(name).filter(searchable).ok_or_else(|| {
        ApiError::bad_request("INVALID_TYPE", format!("sObject type '{name}' is not supported."))
    })
}

fn everything(store: &Store, fields: &str, limit: Option<usize>) -> Vec<Wanted> {
    let objects = store.schema.objects.iter().enumerate().filter(|(_, object)| object.is_searchable());
    let soql = |object: &Object| format!("SELECT {fields} FROM {}", object.name);
    objects.map(|(object, definition)| Wanted { object, soql: soql(definition), limit }).collect()
}

fn answer(
    store: &Store,
    request: &ApiRequest,
    (term, group): (&Term, Group),
    (wanted, limit): (&[Wanted], Option<usize>),
) -> ApiResult<Response> {
    let run = soql::Run { version: request.version, now: Timestamp::now(), deleted: false };
    let mut found = Vec::new();
    for Wanted { object, soql, limit } in wanted {
        let (definition, table) = (store.object(*object), &store.tables[*object]);
        let rows =
            table.live().filter(|row| matches(definition, &table.records[*row], term, group)).collect();
        let mut records = soql::among(store, soql, run, rows)?;
        records.truncate(limit.unwrap_or(usize::MAX));
        found.append(&mut records);
    }
    found.truncate(limit.unwrap_or(MAX_RESULTS).min(MAX_RESULTS));
    Ok(json_response(StatusCode::OK, &json!({ "searchRecords": found })))
}

/// The words of all fields of the group together: terms joined by AND may stand in different fields.
fn matches(object: &Object, record: &Record, term: &Term, group: Group) -> bool {
    let named = |field: &Field| {
        field.name_field || matches!(field.name.as_str(), "FirstName" | "LastName" | "Subject" | "CaseNumber")
    };
    let fields = object.fields.iter().zip(&record.values).filter(|(field, _)| match group {
        Group::All => !field.kind.is_id() && !field.kind.is_number(),
        Group::Name => named(field),
        Group::Email => field.kind == FieldType::Email,
        Group::Phone => field.kind == FieldType::Phone,
    });
    let words: Vec<Vec<String>> = fields.filter_map(|(_, value)| value.as_str()).map(sosl::words).collect();
    term.matches(&words)
}
