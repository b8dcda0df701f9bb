//! Whatever the expression and the data: an answer or a clear error, soon, and on a small stack.

use std::time::Duration;

use camunda_feel::{Engine, EvalError, Expression, Limits, Scope};
use serde_json::json;

/// Limits at which a test ends soon without optimization too.
const SMALL: Limits = Limits { steps: 300_000, list_items: 100_000, text_bytes: 1 << 20 };

/// Evaluates on a thread with the stack of a test or a worker thread, and fails if it takes too long.
fn evaluate(text: &str) -> Result<String, EvalError> {
    evaluate_with(text, Limits::default())
}

fn evaluate_with(text: &str, limits: Limits) -> Result<String, EvalError> {
    const STACK: usize = 2 * 1024 * 1024;
    let text = text.to_owned();
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let outcome = match Expression::parse(&text) {
            Ok(expression) => expression
                .evaluate_with(&Engine::new().with_limits(limits), &Scope::new())
                .and_then(|evaluation| evaluation.to_json())
                .map(|json| json.to_string()),
            Err(error) => Err(EvalError::Failed(error.to_string())),
        };
        let _receiver_waits = sender.send(outcome);
    });
    let thread = thread.expect("a thread starts");
    let outcome = receiver.recv_timeout(Duration::from_mins(1)).expect("the evaluation ends in time");
    thread.join().expect("the evaluation does not panic");
    outcome
}

#[test]
fn a_sequence_beyond_the_list_limit_is_refused_before_it_is_walked() {
    for text in [
        "for x in 1..1000000000 return x",
        "for x in 1..1000000, y in 1..1000000 return x",
        "some x in 1..1e9 satisfies x < 0",
        "for x in 1..number(\"1e999999999\") return x",
        "for x in number(\"1e-999999999\")..1000000000 return x",
    ] {
        let outcome = evaluate(&text.replace("1e9", "1000000000"));
        assert!(matches!(outcome, Err(EvalError::ListTooLong { .. })), "{text}: {outcome:?}");
    }
}

#[test]
fn work_without_end_exceeds_the_steps() {
    let limits = Limits { steps: 50_000, ..Limits::default() };
    for text in [
        "for x in 1..2000 return for y in 1..2000 return for z in 1..2000 return x",
        "every x in 1..100000 satisfies x > 0",
        "distinct values(for i in 1..10000 return i)",
        "sort(for i in 1..10000 return -i, function(x, y) x < y)",
        "count(for i in 1..100000 return count(partial))",
    ] {
        let outcome = evaluate_with(text, limits);
        assert_eq!(outcome, Err(EvalError::StepsExceeded { limit: 50_000 }), "{text}");
    }
}

#[test]
fn texts_and_lists_that_double_end_at_their_limits() {
    let double = |first: &str, step: &str| {
        let entries: Vec<String> =
            (1..60).map(|i| format!("v{i}: {}", step.replace('#', &format!("v{}", i - 1)))).collect();
        format!("{{v0: {first}, {}}}.v59", entries.join(", "))
    };
    let text = evaluate_with(&double("\"0123456789\"", "# + #"), SMALL);
    assert!(matches!(text, Err(EvalError::TextTooLong { .. })), "{text:?}");
    let list = evaluate_with(&double("[1,2,3]", "concatenate(#, #)"), SMALL);
    assert!(matches!(list, Err(EvalError::ListTooLong { .. } | EvalError::StepsExceeded { .. })), "{list:?}");
    let json = evaluate_with(&double("[1,2,3]", "to json(#)"), SMALL);
    assert!(json.is_err(), "{json:?}");
    let shared = evaluate_with(&double("[1]", "[#, #]"), SMALL);
    assert!(matches!(shared, Err(EvalError::StepsExceeded { .. })), "{shared:?}");
    let doubled = double("[1]", "[#, #]");
    let written = evaluate_with(&doubled.replace("}.v59", ", r: string length(string(v59))}.r"), SMALL);
    assert!(written.is_err(), "{written:?}");
}

#[test]
fn nested_operators_and_values_need_little_stack() {
    let nest =
        |open: &str, close: &str, depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a: ", "}"),
        ("1 + (", ")"),
        ("true and (1 = (", "))"),
        ("abs(", ")"),
        ("1 in (", ")"),
        ("if true then (", ") else 0"),
        ("for x in [1] return (", ")"),
        ("[1][item = (", ")]"),
        ("true or (true and (1 < (2 * (2 ** (-(", "))))))"),
        ("(function(x) ", ")"),
    ] {
        for depth in [20, 70, 140, 1_000] {
            // Only that it ends is asked for; deep nesting is refused by the parser.
            let _ends = evaluate(&nest(open, close, depth));
        }
    }
    assert_eq!(evaluate(&nest("(", ")", 140)), Ok("1".to_owned()));
    assert_eq!(evaluate(&vec!["1"; 5_000].join("+")), Ok("5000".to_owned()));
}

#[test]
fn chains_of_functions_end_at_the_depth_limit() {
    let mut entries = vec!["f0: function(x) x".to_owned()];
    entries.extend((1..1_000).map(|i| format!("f{i}: function(x) f{}(x)", i - 1)));
    let text = format!("{{{}, r: f999(1)}}", entries.join(", "));
    assert_eq!(evaluate_with(&text, SMALL), Err(EvalError::TooDeep));
    let doubling: Vec<String> =
        (1..100).map(|i| format!("f{i}: function(x) f{}(x) + f{}(x)", i - 1, i - 1)).collect();
    let text = format!("{{f0: function(x) x, {}, r: f99(1)}}", doubling.join(", "));
    assert!(matches!(evaluate_with(&text, SMALL), Err(EvalError::StepsExceeded { .. })));
}

#[test]
fn deeply_nested_values_are_refused() {
    for text in [
        "for i in 1..1000 return partial",
        "context put({}, for i in 1..1000 return \"a\", 1)",
        "for i in 1..1000 return {p: partial, f: function() partial}",
    ] {
        assert_eq!(evaluate(text), Err(EvalError::TooDeep), "{text}");
    }
}

#[test]
fn a_context_with_many_entries_is_read_quickly_and_dropped_without_recursion() {
    let entries: Vec<String> = (0..4_000).map(|i| format!("k{i}: {i}")).collect();
    assert_eq!(evaluate(&format!("{{{}}}.k3999", entries.join(","))), Ok("3999".to_owned()));
}

#[test]
fn hostile_patterns_end() {
    for text in [
        "matches(string join(for i in 1..50 return \"a\"), \"(a*)*\\1b\")",
        "matches(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", \"(a+)+$\")",
        "count(extract(string join(for i in 1..4000 return \"a\"), \"a(?=.*z)|a\"))",
        "count(extract(string join(for i in 1..4000 return \"a\"), \"a.*z|a\"))",
        "matches(\"a\", \"((a{100}){100}){100}\")",
    ] {
        let _ends = evaluate_with(text, SMALL);
    }
}

#[test]
fn numbers_cannot_grow_without_bound() {
    for text in ["decimal(1, 99999999)", "floor(number(\"1e99999999\"), 0)", "(10 ** 999999999) ** 999999999"]
    {
        assert!(evaluate(text).is_err(), "{text}");
    }
    assert_eq!(evaluate("9 ** 999999 > 1"), Ok("true".to_owned()));
}

#[test]
fn a_large_response_is_not_copied_by_paths_and_filters() {
    let records: Vec<_> = (0..20_000).map(|i| json!({"Id": format!("{i}"), "n": i})).collect();
    let response = json!({"body": {"records": records}});
    let expression = Expression::parse("count(body.records[n < 10].Id)").expect("it parses");
    let scope = Scope::from(&response);
    let evaluation = expression.evaluate(&scope).expect("it is within the limits");
    assert_eq!(evaluation.to_json(), Ok(json!(10)));
}
