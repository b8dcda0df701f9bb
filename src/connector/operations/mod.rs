//! What a Salesforce task can do: one file per operation, and here is the list of them.
//!
//! A further operation is a file with its input struct, its [`Descriptor`] and its `run`, declared below and
//! named by one line in the list. Parser, element template, reference and metric labels follow from there.

mod approval;
mod bulk_account;
mod bulk_csv;
mod bulk_error;
mod bulk_ingest;
mod bulk_input;
mod bulk_job;
mod bulk_pages;
mod bulk_rows;
mod call;
mod composite_account;
mod descriptor;
mod documents;
mod external_id;
mod fields;
mod invocable;
mod list_account;
mod list_input;
mod operate;
mod pages;
mod period;
mod rules;
mod sub_requests;

mod any_request;
mod apex_rest;
mod approve;
mod bulk_abort;
mod bulk_results;
mod bulk_run;
mod bulk_run_query;
mod bulk_start;
mod bulk_start_query;
mod bulk_status;
mod bulk_stream;
mod composite;
mod composite_batch;
mod composite_graph;
mod composite_tree;
mod create_record;
mod create_records;
mod delete_record;
mod delete_record_by_external_id;
mod delete_records;
mod describe_global;
mod describe_object;
mod describe_report;
mod download_file;
mod explain_query;
mod get_deleted_records;
mod get_knowledge_article;
mod get_limits;
mod get_list_view;
mod get_recent_items;
mod get_record;
mod get_record_by_external_id;
mod get_records;
mod get_updated_records;
mod get_user_info;
mod graphql;
mod invoke_action;
mod link_file;
mod next_records;
mod parameterized_search;
mod publish_event;
mod query;
mod query_all;
mod quick_action;
mod reject;
mod run_report;
mod saved_list;
mod search;
mod start_flow;
mod submit_for_approval;
mod update_record;
mod update_record_by_external_id;
mod update_records;
mod upload_file;
mod upsert_record;
mod upsert_records;
mod written_call;

pub(crate) use call::Call;
pub use descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent};
pub(crate) use fields::{NO_RECORD_ID, RECORD_ID};
use operate::{Operate, list};

// In the order in which the modeler is offered them.
list![
    upsert_record::UpsertRecord,
    create_record::CreateRecord,
    update_record::UpdateRecord,
    update_record_by_external_id::UpdateRecordByExternalId,
    get_record::GetRecord,
    get_record_by_external_id::GetRecordByExternalId,
    delete_record::DeleteRecord,
    delete_record_by_external_id::DeleteRecordByExternalId,
    query::Query,
    query_all::QueryAll,
    next_records::NextRecords,
    explain_query::ExplainQuery,
    get_list_view::GetListView,
    search::Search,
    parameterized_search::ParameterizedSearch,
    upsert_records::UpsertRecords,
    create_records::CreateRecords,
    update_records::UpdateRecords,
    get_records::GetRecords,
    delete_records::DeleteRecords,
    composite_tree::CompositeTree,
    composite::Composite,
    composite_graph::CompositeGraph,
    composite_batch::CompositeBatch,
    bulk_run::BulkRun,
    bulk_run_query::BulkRunQuery,
    bulk_start::BulkStart,
    bulk_start_query::BulkStartQuery,
    bulk_status::BulkStatus,
    bulk_results::BulkResults,
    bulk_abort::BulkAbort,
    upload_file::UploadFile,
    link_file::LinkFile,
    download_file::DownloadFile,
    start_flow::StartFlow,
    invoke_action::InvokeAction,
    apex_rest::ApexRest,
    submit_for_approval::SubmitForApproval,
    approve::Approve,
    reject::Reject,
    quick_action::QuickAction,
    publish_event::PublishEvent,
    describe_object::DescribeObject,
    describe_global::DescribeGlobal,
    get_updated_records::GetUpdatedRecords,
    get_deleted_records::GetDeletedRecords,
    get_recent_items::GetRecentItems,
    get_limits::GetLimits,
    get_user_info::GetUserInfo,
    graphql::Graphql,
    get_knowledge_article::GetKnowledgeArticle,
    run_report::RunReport,
    describe_report::DescribeReport,
    any_request::AnyRequest,
];

/// What saved records look like in the answer, for the examples.
const SAVED_RECORDS: (u16, &str) = (
    200,
    r#"{"allOrNone": false, "total": 2, "succeeded": 2, "failed": 0, "calls": [{"first": 0, "count": 2,
    "outcome": "answered", "succeeded": 2, "failed": 0, "rolledBack": false}], "results": [
    {"index": 0, "id": "001Hp00002abcDEFGH", "success": true, "errors": []},
    {"index": 1, "id": "001Hp00002abcDEFGI", "success": true, "errors": []}]}"#,
);

/// What refused records look like in the answer, for the examples.
const REFUSED_RECORDS: (u16, &str) = (
    200,
    r#"{"allOrNone": false, "total": 2, "succeeded": 1, "failed": 1, "calls": [{"first": 0, "count": 2,
    "outcome": "answered", "succeeded": 1, "failed": 1, "rolledBack": false}], "results": [
    {"index": 0, "id": "001Hp00002abcDEFGH", "success": true, "errors": []},
    {"index": 1, "success": false, "errors": [{"errorCode": "DUPLICATE_VALUE",
    "message": "duplicate value found: External_Key__c", "fields": ["External_Key__c"]}]}]}"#,
);

/// What a process may do about them.
const ON_REFUSED_RECORDS: &str = "=if error.code = \"RECORDS_FAILED\" \
    then bpmnError(\"some refused\", error.message, {refusals: error.errors}) else null";

#[cfg(test)]
mod tests;
