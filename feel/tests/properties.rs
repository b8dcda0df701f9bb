//! Random expressions over random data: never a panic, never a budget overrun, always the same answer.

use camunda_feel::{Engine, Expression, Limits, Scope, connector_functions};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Pieces of which random texts are made; most such texts are nearly expressions.
const PIECES: [&str; 74] = [
    "1",
    "0",
    "-1",
    "2.50",
    ".5",
    "\"a\"",
    "\"\\n\"",
    "\"",
    "null",
    "true",
    "false",
    "a",
    "b",
    "item",
    "partial",
    "?",
    "x.y",
    "`a b`",
    "response",
    "response.body.records",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    "..",
    "+",
    "-",
    "*",
    "/",
    "**",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    " and ",
    " or ",
    " in ",
    " between ",
    " instance of ",
    "number",
    "if ",
    " then ",
    " else ",
    "for ",
    " return ",
    "some ",
    "every ",
    " satisfies ",
    "function(x) x",
    "count(",
    "string(",
    "date(",
    "@\"2024-05-06\"",
    "@\"PT5M\"",
    "@\"P1Y\"",
    "@\"10:00:00Z\"",
    "duration(",
    "sort(",
    "get value(",
    "bpmnError(",
    "matches(",
    "replace(",
    "substring(",
    "decimal(",
    "/* c */",
    "// c\n",
    " ",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::collection::vec(prop::sample::select(&PIECES[..]), 0..25).prop_map(|pieces| pieces.concat()),
        ".{0,60}",
    ]
}

fn data() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,8}".prop_map(Json::from),
        Just(json!("2024-05-06T10:30:00Z")),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::vec(
                (prop::sample::select(&["a", "b", "x", "y", "item", "body", "records"][..]), inner),
                0..5
            )
            .prop_map(|entries| Json::Object(entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

/// A well-formed expression: literals, variables, and anything built of them.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(
        &[
            "1",
            "2.5",
            "-3",
            "\"a\"",
            "null",
            "true",
            "a",
            "b.x",
            "response",
            "@\"2024-05-06\"",
            "@\"PT5M\"",
            "@\"P1Y\"",
            "[1..5]",
        ][..],
    )
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 40, 3, |inner| {
        let op =
            prop::sample::select(&["+", "-", "*", "/", "**", "=", "!=", "<", ">=", "and", "or", "in"][..]);
        let names = camunda_feel::function_names();
        let function = prop::sample::select(names);
        prop_oneof![
            (inner.clone(), op, inner.clone()).prop_map(|(x, op, y)| format!("({x}) {op} ({y})")),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("{{a: {x}, b: {y}}}")),
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("({x})[{y}]")),
            inner.clone().prop_map(|x| format!("({x}).x")),
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("for i in ({x}) return ({y})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(c, x, y)| format!("if {c} then {x} else {y}")),
            (function, prop::collection::vec(inner, 0..4))
                .prop_map(|(f, args)| format!("{f}({})", args.join(", "))),
        ]
    })
}

fn engine() -> Engine {
    let limits = Limits { steps: 100_000, list_items: 10_000, text_bytes: 100_000 };
    Engine::new().with_functions(connector_functions::FUNCTIONS).with_limits(limits)
}

fn evaluate(text: &str, data: &Json) -> Option<Result<Json, String>> {
    let expression = Expression::parse(text).ok()?;
    let scope = Scope::new().spread(data).variable("response", data);
    let evaluation = expression.evaluate_with(&engine(), &scope);
    Some(evaluation.and_then(|evaluation| evaluation.to_json()).map_err(|error| error.to_string()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn parsing_ends_with_an_expression_or_a_position_inside_the_text(text in text()) {
        if let Err(error) = Expression::parse(&text) {
            prop_assert!(error.offset() <= text.len());
            prop_assert!(error.to_string().lines().count() == 3, "{}", error);
        }
    }

    #[test]
    fn random_texts_over_random_data_never_panic(text in text(), data in data()) {
        let _ends = evaluate(&text, &data);
    }

    #[test]
    fn random_expressions_over_random_data_never_panic(text in expression(), data in data()) {
        prop_assert!(evaluate(&text, &data).is_some(), "{} does not parse", text);
    }

    #[test]
    fn blanks_and_comments_around_an_expression_change_nothing(text in expression(), data in data()) {
        prop_assume!(!["now(", "today(", "random number(", "uuid("].iter().any(|impure| text.contains(impure)));
        let padded = format!("= /* c */\u{a0}{text} // c\n ");
        prop_assert_eq!(evaluate(&text, &data), evaluate(&padded, &data));
    }

    #[test]
    fn a_json_value_goes_through_unchanged_but_for_doubles(data in data()) {
        let result = evaluate("response", &data).expect("it parses").expect("it is within the limits");
        let again = evaluate("response", &result).expect("it parses").expect("it is within the limits");
        prop_assert_eq!(result, again);
    }
}
