//! Any expression over any data has a value or a clear error, within its limits.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none evaluate -- -max_total_time=600 -timeout=20`

#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use camunda_feel::{Engine, Expression, Limits, Scope, connector_functions};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value as Json};

/// Pieces of expressions, so that many inputs parse.
const PIECES: &[&str] = &[
    "1", "0", "-1", "2.50", "\"a\"", "\"2024-05-06\"", "null", "true", "a", "b", "item", "?", "response", ".a", ".b",
    "(", ")", "[", "]", "{a: ", "}", ", ", ": ", "..", " + ", " - ", " * ", " / ", " ** ", " = ", " < ", " >= ",
    " and ", " or ", " in ", " between ", "if ", " then ", " else ", "for x in ", " return ", "some x in ",
    " satisfies ", "function(x, y) ", "@\"2024-05-06T10:00:00Z\"", "@\"P1D\"", "@\"P1Y\"", "@\"10:00:00\"",
    "not(", "bpmnError(", "jobError(", "backoff(",
];

#[derive(Debug)]
struct Input {
    text: String,
    data: Json,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut text = String::new();
        let functions = camunda_feel::function_names();
        for _ in 0..bytes.int_in_range(0..=40)? {
            match bytes.int_in_range(0..=9)? {
                0 => text.push_str(bytes.arbitrary()?),
                1 | 2 => {
                    text.push_str(bytes.choose(&functions)?);
                    text.push('(');
                }
                _ => text.push_str(bytes.choose(PIECES)?),
            }
        }
        Ok(Self { text, data: json(bytes, 4)? })
    }
}

fn json(bytes: &mut Unstructured<'_>, depth: u32) -> arbitrary::Result<Json> {
    let kinds = if depth == 0 { 4 } else { 6 };
    Ok(match bytes.int_in_range(0..=kinds)? {
        0 => Json::Null,
        1 => Json::from(bytes.arbitrary::<bool>()?),
        2 => Json::from(bytes.arbitrary::<i64>()?),
        3 => Json::from(bytes.arbitrary::<f64>()?),
        4 => Json::from(bytes.arbitrary::<String>()?),
        5 => (0..bytes.int_in_range(0..=4)?).map(|_| json(bytes, depth - 1)).collect::<Result<_, _>>()?,
        _ => {
            let mut object = Map::new();
            for _ in 0..bytes.int_in_range(0..=4)? {
                object.insert((*bytes.choose(&["a", "b", "item", "x"])?).to_owned(), json(bytes, depth - 1)?);
            }
            Json::Object(object)
        }
    })
}

fuzz_target!(|input: Input| {
    let Ok(expression) = Expression::parse(&input.text) else { return };
    let limits = Limits { steps: 50_000, list_items: 10_000, text_bytes: 100_000 };
    let engine = Engine::new().with_functions(connector_functions::FUNCTIONS).with_limits(limits);
    let scope = Scope::new().spread(&input.data).variable("response", &input.data);
    if let Ok(evaluation) = expression.evaluate_with(&engine, &scope) {
        let _within_limits = evaluation.to_json();
    }
});
