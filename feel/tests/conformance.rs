//! The recorded behaviour of Camunda's engine: every case that passes must keep passing.

#[expect(dead_code, reason = "the example prints more of a case than the test does")]
#[path = "../examples/conformance/grade.rs"]
mod grade;

use grade::Case;

/// The cases of a file that do not have the recorded outcome.
fn misses(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .filter_map(|line| {
            let case = Case::parse(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let miss = case.grade().err()?;
            Some(format!(
                "{}: {}\n  expected {}\n  got {}",
                case.id, case.expression, miss.expected, miss.got
            ))
        })
        .collect()
}

#[test]
fn every_case_of_the_reference_s_own_tests_has_its_recorded_outcome() {
    let misses = misses(include_str!("data/feel-scala-cases.jsonl"));
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}

#[test]
fn every_case_of_the_connector_sample_has_its_recorded_outcome() {
    let misses = misses(include_str!("data/connector-sample.jsonl"));
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}
