use super::*;
use crate::error::ParseErrorKind;

fn accepts(text: &str) -> bool {
    parse(text).is_ok()
}

#[test]
fn what_the_reference_accepts_is_accepted() {
    for text in [
        "1",
        ".5",
        "00012",
        "--1",
        "2--1",
        "-2 ** 2",
        "2 ** 3 ** 2",
        "a-b",
        "a.b.c",
        "a . b",
        "`a b` + 1",
        "x.`content-type`",
        "{a-b: 1, x+y: 2, z.w: 3, 1: 4, if: 5}",
        "{\"a b\": 1}",
        "{`a b`: 1}",
        "{}",
        "[]",
        "ifx then 1 else 2",
        "forx in[1]returnx",
        "if + 1",
        "for",
        "not",
        "date",
        "item",
        "5 in > 3",
        "5 in (< 3, > 4)",
        "5 in ]1..5[",
        "5 in (1..5)",
        "5 in [1,5]",
        "5 in 5",
        "5 in (1,5)",
        "string  length(\"a\")",
        "date and time (\"2024-01-01\")",
        "get or else(x, 1)",
        "and(true, false)",
        "function(x, y) x + y",
        "x instance of years and months duration",
        "1 between 0 and 2",
        "a[1].b[x > 2]",
        "{a: 1}.a",
        "[1,2][1]",
        "sort(list: [1], precedes: function(a, b) a < b)",
        "a.b.c(1)",
        "\"a\\\"b\"",
        "\"line\nbreak\"",
        "1 /* c */ + // d\n 2",
        "a\u{a0}+\u{3000}b",
        "some x in [1] satisfies x > 0",
        "> 3",
        "[1..5]",
        "?",
        "for i in 1..3 return i",
        "for i in 1..a, j in b return i",
        "time(\"10:00:00\").time offset",
        "not (true)",
        "bpmnError(\"a\")",
        "null.x",
        "thenx",
        "{ /* c */ a : 2 }",
        "{a /* c */ b : 2}",
        "@\"2024-01-01\"",
        "@ \"x\"",
        "größe + 1",
        "_x",
        "$x",
        "x in(1)",
    ] {
        assert!(accepts(text), "{text}\n{}", parse(text).unwrap_err());
    }
}

#[test]
fn what_the_reference_rejects_is_rejected() {
    for text in [
        "",
        "1e3",
        "5.",
        "1 <> 2",
        "1 == 2",
        "a && b",
        "1 % 2",
        "+1",
        "[1,]",
        "{a:1,}",
        "'a'",
        "(function(x) x)(1)",
        "for i in [1..3] return i",
        "1 < 2 = true",
        "--x",
        "a b",
        "x.\"y\"",
        "null: 1",
        "in",
        "{foo,bar:1}",
        "[,]",
        "-",
        "1x",
        "\"open",
        "/* open",
        "1 /* open",
        "`",
        "``",
        "f(",
        "f(1",
        "f(a: 1, 2)",
        "if x then 1",
        "for x in y",
        "function(x)",
        "{a}",
        "[1",
        "(1",
        "@x",
        "x[1",
        "😀",
        "x in",
        "x instance of",
    ] {
        assert!(!accepts(text), "{text}");
    }
}

#[test]
fn an_error_says_where_and_what_was_expected() {
    let error = parse("{a: 1,\n b: if x then 2}").unwrap_err();
    assert_eq!((error.line(), error.column()), (2, 16));
    let text = error.to_string();
    assert!(text.contains("`else`"), "{text}");
    assert!(text.ends_with("   b: if x then 2}\n                 ^"), "{text}");
}

#[test]
fn deep_nesting_is_an_error_and_costs_no_time() {
    for open in [
        "(",
        "[",
        "{a:",
        "f(",
        "if ",
        "-(",
        "x in (",
        "for x in (",
        "(for x in ",
        "not(",
        "a[",
        "f(]",
        "[(",
        "function(x)",
    ] {
        let text = open.repeat(5_000);
        let error = parse(&text).unwrap_err();
        assert!(
            matches!(error.kind(), ParseErrorKind::TooDeep | ParseErrorKind::Expected(_)),
            "{open}: {error}"
        );
    }
    let balanced = format!("{}1{}", "(".repeat(140), ")".repeat(140));
    assert!(accepts(&balanced));
    let ranges = format!("{}1{}", "x in (".repeat(100), ")".repeat(100));
    assert!(accepts(&ranges));
}

#[test]
fn a_long_chain_is_no_nesting() {
    let sum = vec!["1"; 10_000].join("+");
    assert!(accepts(&sum));
    assert!(accepts(&format!("a{}", ".b".repeat(10_000))));
    assert!(accepts(&vec!["true"; 5_000].join(" and ")));
}

#[test]
fn a_text_beyond_the_limit_is_refused() {
    let error = parse(&" ".repeat(limits::EXPRESSION_BYTES + 1)).unwrap_err();
    assert!(matches!(error.kind(), ParseErrorKind::TextTooLong { .. }));
}

#[test]
fn a_parsed_expression_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Ast>();
}
