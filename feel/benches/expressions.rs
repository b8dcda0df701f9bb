//! What typical headers cost: parsing, evaluating on a small response, and on 200 records.
//!
//! `cargo bench -p camunda-feel --bench expressions`

use std::hint::black_box;

use camunda_feel::{Engine, Expression, connector_functions};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use serde_json::Value as Json;

#[path = "../tests/support/response.rs"]
mod response;

use response::{response, scope};

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

fn engine() -> Engine {
    Engine::new().with_functions(connector_functions::FUNCTIONS)
}

fn evaluate(text: &str, response: &Json) -> impl FnMut() -> Json {
    let (engine, response) = (engine(), response.clone());
    let expression = Expression::parse(text).expect("the expression parses");
    move || {
        let evaluation = expression.evaluate_with(&engine, &scope(black_box(&response)));
        evaluation.and_then(|evaluation| evaluation.to_json()).expect("the expression has a value")
    }
}

fn typical_headers(criterion: &mut Criterion) {
    let small = response(3);
    let mut parse = criterion.benchmark_group("parse");
    for (index, text) in TYPICAL.iter().enumerate() {
        parse.bench_function(BenchmarkId::from_parameter(index), |bencher| {
            bencher.iter(|| Expression::parse(black_box(text)));
        });
    }
    parse.finish();
    let mut evaluation = criterion.benchmark_group("evaluate and write JSON");
    for (index, text) in TYPICAL.iter().enumerate() {
        evaluation.bench_function(BenchmarkId::from_parameter(index), |bencher| {
            bencher.iter(evaluate(text, &small));
        });
    }
    evaluation.finish();
}

fn two_hundred_records(criterion: &mut Criterion) {
    let records = response(200);
    let mut group = criterion.benchmark_group("200 records");
    for (name, text) in [
        ("filter and projection", "= response.body.records[Status = \"Open\"].Name"),
        (
            "five operations",
            "= {open: body.records[Status = \"Open\"].Id, names: for r in body.records return r.Name, \
              total: sum(body.records.Amount), any: some r in body.records satisfies r.Amount > 200, \
              owners: distinct values(body.records.Owner.Name)}",
        ),
    ] {
        group.bench_function(name, |bencher| bencher.iter(evaluate(text, &records)));
    }
    group.finish();
}

criterion_group!(benches, typical_headers, two_hundred_records);
criterion_main!(benches);
