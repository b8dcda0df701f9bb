//! What typical headers cost: parsing, evaluating on a small response, and on 200 records.
//!
//! `cargo bench -p camunda-feel` also counts allocations: a filter over 200 records allocates for what it selects, and
//! nothing that grows with the size of the response (compare `index_one_of_200` with `index_one_of_20000`).

use camunda_feel::{Engine, Expression, Scope, connector_functions};
use divan::{AllocProfiler, Bencher, black_box};
use serde_json::{Value as Json, json};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// Result and error expressions as modelers write them.
const TYPICAL: [&str; 12] = [
    "= {accountId: response.body.id, ok: response.status < 300}",
    "= {id: body.id}",
    "= {names: response.body.records.Name}",
    "= {open: response.body.records[Status = \"Open\"].Id, count: count(response.body.records)}",
    "= {first: response.body.records[1].Owner.Name}",
    "= {total: sum(response.body.records.Amount)}",
    "= {found: not(is empty(response.body.records)), limit: response.headers.`Sforce-Limit-Info`}",
    "= if response.body.success then {id: response.body.id} else null",
    "= if error.code = \"404\" then bpmnError(\"NOT_FOUND\", error.message) else null",
    "= if contains(error.message, \"DUPLICATE\") then bpmnError(\"DUPLICATE\", error.message, {code: error.code}) \
       else if job.retries > 1 then jobError(error.message, {}, job.retries - 1, @\"PT30S\") else null",
    "= {due: string(date(response.body.records[1].CloseDate) + duration(\"P14D\"))}",
    "= {x: get or else(response.body.missing.deep.path, \"none\")}",
];

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

fn response(records: usize) -> Json {
    let records: Vec<Json> = (0..records).map(record).collect();
    json!({
        "status": 200,
        "headers": {"content-type": "application/json", "Sforce-Limit-Info": "api-usage=18/15000"},
        "body": {"id": "001X", "success": true, "totalSize": records.len(), "done": true, "records": records},
        "error": {"code": "400", "message": "DUPLICATE_VALUE: duplicate value found", "variables": {}},
        "job": {"retries": 3},
    })
}

fn scope(response: &Json) -> Scope<'_> {
    Scope::new().spread(response).variable("response", response)
}

fn main() {
    divan::main();
}

#[divan::bench(args = 0..TYPICAL.len())]
fn parse(bencher: Bencher, index: usize) {
    bencher.bench(|| Expression::parse(black_box(TYPICAL[index])));
}

#[divan::bench(args = 0..TYPICAL.len())]
fn evaluate(bencher: Bencher, index: usize) {
    let response = response(3);
    let engine = Engine::new().with_functions(connector_functions::FUNCTIONS);
    let expression = Expression::parse(TYPICAL[index]).expect("the expression parses");
    bencher.bench_local(|| {
        let evaluation = expression.evaluate_with(&engine, &scope(black_box(&response)));
        black_box(evaluation.is_ok())
    });
}

#[divan::bench(args = 0..TYPICAL.len())]
fn evaluate_and_write_json(bencher: Bencher, index: usize) {
    let response = response(3);
    let engine = Engine::new().with_functions(connector_functions::FUNCTIONS);
    let expression = Expression::parse(TYPICAL[index]).expect("the expression parses");
    bencher.bench_local(|| {
        let evaluation = expression.evaluate_with(&engine, &scope(black_box(&response)));
        evaluation.and_then(|evaluation| evaluation.to_json())
    });
}

fn over_records(bencher: Bencher, text: &str, records: usize) {
    let response = response(records);
    let expression = Expression::parse(text).expect("the expression parses");
    bencher.bench_local(|| {
        let evaluation = expression.evaluate(&scope(black_box(&response)));
        evaluation.and_then(|evaluation| evaluation.to_json())
    });
}

#[divan::bench]
fn filter_and_projection_over_200(bencher: Bencher) {
    over_records(bencher, "= response.body.records[Status = \"Open\"].Name", 200);
}

#[divan::bench]
fn five_operations_over_200(bencher: Bencher) {
    over_records(
        bencher,
        "= {open: body.records[Status = \"Open\"].Id, names: for r in body.records return r.Name, \
          total: sum(body.records.Amount), any: some r in body.records satisfies r.Amount > 200, \
          owners: distinct values(body.records.Owner.Name)}",
        200,
    );
}

#[divan::bench]
fn index_one_of_200(bencher: Bencher) {
    over_records(bencher, "= response.body.records[17].Name", 200);
}

#[divan::bench]
fn index_one_of_20000(bencher: Bencher) {
    over_records(bencher, "= response.body.records[17].Name", 20_000);
}
