//! The parser, graded by the cases of soql-parser-js (MIT, see the licence beside the file).

use serde::Deserialize;

use super::super::seed;
use super::super::store::Store;
use super::parser;

const CASES: &str = include_str!("../../../fixtures/soql-conformance/cases.jsonl");

/// Cases in which we differ on purpose: id and reason.
const DIFFERENT: [(&str, &str); 0] = [];

/// The errorCodes of queries.
const CODES: [&str; 5] = [
    "MALFORMED_QUERY",
    "INVALID_FIELD",
    "INVALID_TYPE",
    "INVALID_QUERY_FILTER_OPERATOR",
    "NUMBER_OUTSIDE_VALID_RANGE",
];

#[derive(Deserialize)]
struct Case {
    id: String,
    soql: String,
    valid: bool,
    #[serde(default)]
    apex_only: bool,
}

fn cases() -> Vec<Case> {
    CASES.lines().map(|line| serde_json::from_str(line).expect("each line is a case")).collect()
}

#[test]
fn every_case_gets_its_verdict() {
    let cases = cases();
    let graded: Vec<&Case> = cases.iter().filter(|case| !case.apex_only).collect();
    assert!(graded.len() > 100);
    let mut misses = Vec::new();
    for case in graded {
        let verdict = parser::parse(&case.soql);
        let differs = verdict.is_ok() != case.valid;
        if differs != DIFFERENT.iter().any(|(id, _)| *id == case.id) {
            let reason = verdict.err().map(|error| error.summary());
            misses.push(format!("{}: expected valid={}, {} {reason:?}", case.id, case.valid, case.soql));
        }
    }
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}

#[test]
fn a_broken_query_is_an_error_and_never_a_panic() {
    let run = super::Run { version: 67, now: jiff::Timestamp::UNIX_EPOCH, deleted: false };
    let store = Store::new(seed::read(&serde_json::Value::Null).unwrap().schema, Vec::new());
    for case in cases() {
        for (at, _) in case.soql.char_indices() {
            let (before, after) = case.soql.split_at(at);
            for broken in [
                before.to_owned(),
                format!("{before}ä{after}"),
                format!("{before}'{after}"),
                format!("{before}({after}"),
            ] {
                // Some are still good queries; the others have a code that a client can act on.
                if let Err(error) = super::run(&store, &broken, run) {
                    let summary = error.summary();
                    let code = summary.split(':').next().unwrap_or_default();
                    assert!(CODES.contains(&code), "{broken}: {summary}");
                }
            }
        }
    }
}
