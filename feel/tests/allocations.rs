//! The response is read in place: what an evaluation allocates does not grow with what it does not use.

use allocation_counter::{AllocationInfo, measure};
use camunda_feel::Expression;
use serde_json::Value as Json;

#[path = "support/response.rs"]
#[allow(dead_code, reason = "the benchmarks use the rest")]
mod response;

/// What evaluating and writing the result allocate.
fn allocations(text: &str, response: &Json) -> AllocationInfo {
    let expression = Expression::parse(text).expect("the expression parses");
    let evaluate = || {
        let evaluation = expression.evaluate(&response::scope(response)).expect("it has a value");
        assert!(evaluation.to_json().expect("it is small").is_string());
    };
    // Tables that are made once for all evaluations do not count.
    evaluate();
    measure(evaluate)
}

#[test]
fn a_path_into_a_large_response_allocates_as_little_as_into_a_small_one() {
    for text in ["= response.body.records[17].Name", "= if count(body.records) > 20 then reason else status"]
    {
        let text = text.replace("reason else status", "\"many\" else \"few\"");
        let (small, large) =
            (allocations(&text, &response::response(200)), allocations(&text, &response::response(20_000)));
        assert!(small.count_total < 40, "{text}: {small:?}");
        assert_eq!(small.count_total, large.count_total, "{text}");
        assert_eq!(small.bytes_total, large.bytes_total, "{text}");
    }
}

#[test]
fn a_filter_allocates_for_what_it_selects_and_for_no_copy_of_the_records() {
    let records = response::response(200);
    let copy = measure(|| drop(records.clone()));
    let filter = allocations("= string join(response.body.records[Status = \"Open\"].Name)", &records);
    assert!(filter.bytes_total * 10 < copy.bytes_total, "{filter:?} against {copy:?}");
    assert!(filter.count_total * 10 < copy.count_total, "{filter:?} against {copy:?}");
}
