//! The parser, graded by the cases of soql-parser-js (MIT, see the licence beside the file).

use serde::Deserialize;

use super::parser;

const CASES: &str = include_str!("../../../fixtures/soql-conformance/cases.jsonl");

/// Cases in which we differ on purpose: id and reason.
const DIFFERENT: [(&str, &str); 0] = [];

#[derive(Deserialize)]
struct Case {
    id: String,
    soql: String,
    valid: bool,
    #[serde(default)]
    apex_only: bool,
}

#[test]
fn every_case_gets_its_verdict() {
    let cases: Vec<Case> = CASES.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
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
