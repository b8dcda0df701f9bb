//! Where the dialect differs from what one might expect, and where the API has rules of its own.

use camunda_feel::{Engine, Expression, Scope, Value, WarningKind};
use serde_json::{Value as Json, json};

fn with(text: &str, data: &Json) -> Json {
    let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let evaluation =
        expression.evaluate(&Scope::from(data)).unwrap_or_else(|error| panic!("{text}: {error}"));
    evaluation.to_json().expect("the result is small")
}

fn fails(text: &str) -> bool {
    let expression = Expression::parse(text).expect("the expression parses");
    expression.evaluate(&Scope::new()).is_err()
}

#[test]
fn the_data_never_decide_how_an_expression_reads() {
    let tricky = json!({"a": 3, "b": 1, "a-b": 9, "date": {"and": 1}, "x": {"date and time": 1}, "if": 7});
    assert_eq!(with("a-b", &tricky), json!(2));
    assert_eq!(with("date and time(\"2024-05-06T10:30:00Z\")", &tricky), json!("2024-05-06T10:30:00Z"));
    assert_eq!(with("if + 1", &tricky), json!(8));
    assert_eq!(with("`a-b`", &tricky), json!(9));
}

#[test]
fn what_is_missing_is_null() {
    let response = json!({"response": {"body": null}});
    assert_eq!(with("for r in response.body.records return r.Name", &response), Json::Null);
    assert_eq!(with("if missing then 1 else 2", &response), json!(2));
    assert_eq!(with("job.retries - 1", &response), Json::Null);
    let records = json!({"records": [{"Owner": {"Name": "Ann"}, "Amount": 250}, {"Owner": null}]});
    assert_eq!(with("records.Owner.Name", &records), json!(["Ann", null]));
    assert_eq!(with("for r in records return r.Amount * 2", &records), json!([500, null]));
}

#[test]
fn one_leading_equals_sign_and_the_blanks_around_it_are_cut() {
    for text in ["1 + 1", "=1 + 1", " = 1 + 1 ", "\n=\t1 + 1\n"] {
        assert_eq!(with(text, &Json::Null), json!(2), "{text:?}");
    }
    for text in ["==1", "", "=", " = "] {
        assert!(Expression::parse(text).is_err(), "{text:?}");
    }
    let error = Expression::parse("  = 1 + ").expect_err("an operand is missing");
    assert_eq!((error.line(), error.column()), (1, 8));
}

#[test]
fn some_faults_fail_the_whole_expression() {
    for text in [
        "modulo(1, 0)",
        "log(0)",
        "log(-1)",
        "(-8) ** (1/3)",
        "substring(\"abc\", 5)",
        "substring(\"abc\", 1, -1)",
        "[1] < [2]",
        "max([1,2],[3])",
        "missing.f()",
        "assert(1, false)",
        "{a: [assert(null, false, \"why\")]}",
        "? > 1",
        "date and time(@\"2024-05-06T10:00:00Z\", \"Mars/Base\")",
        "meets(1, 2)",
        "stddev([1])",
    ] {
        assert!(fails(text), "{text}");
    }
}

#[test]
fn warnings_name_what_became_null() {
    let expression =
        Expression::parse("{a: missing, b: {}.x, c: 1 + \"a\", d: nofn(1), e: 1 = \"1\", f: upper case(1)}");
    let expression = expression.expect("it parses");
    let scope = Scope::new();
    let evaluation = expression.evaluate(&scope).expect("it evaluates");
    let kinds: Vec<WarningKind> = evaluation.warnings().iter().map(|warning| warning.kind).collect();
    assert_eq!(
        kinds,
        [
            WarningKind::NoVariableFound,
            WarningKind::NoContextEntryFound,
            WarningKind::InvalidType,
            WarningKind::NoFunctionFound,
            WarningKind::NotComparable,
            WarningKind::FunctionInvocationFailure,
        ]
    );
    assert_eq!(
        evaluation.warnings()[0].to_string(),
        "NO_VARIABLE_FOUND: No variable found with name 'missing'"
    );
}

#[test]
fn warnings_are_bounded_in_number_and_length() {
    let long = json!({"text": "x".repeat(10_000)});
    let expression = Expression::parse("for i in 1..1000 return text + i").expect("it parses");
    let scope = Scope::from(&long);
    let evaluation = expression.evaluate(&scope).expect("it evaluates");
    assert_eq!(evaluation.warnings().len(), camunda_feel::limits::WARNINGS);
    assert!(evaluation.warnings().iter().all(|warning| warning.message.len() < 400));
}

#[test]
fn numbers_are_written_as_the_runtime_writes_them() {
    for (text, expected) in [
        ("1.0", "1"),
        ("7/2*2", "7"),
        ("1/3", "0.3333333333333333"),
        ("0.1 + 0.2", "0.3"),
        ("9223372036854775807", "9223372036854775807"),
        ("12345678901234567890", "12345678901234567000"),
    ] {
        let written = with(text, &Json::Null);
        let (written, expected) = (written.as_f64(), expected.parse::<f64>().ok());
        assert_eq!(written.map(f64::to_bits), expected.map(f64::to_bits), "{text}");
    }
    assert_eq!(with("9223372036854775807", &Json::Null).as_i64(), Some(i64::MAX));
    assert_eq!(with("string(x)", &json!({"x": 1.5e10})), json!("1.5E+10"));
    let exact: Json = serde_json::from_str("{\"x\": 123456789012345678901234567890}").expect("it is JSON");
    assert_eq!(with("string(x)", &exact), json!("123456789012345678901234567890"));
}

#[test]
fn the_clock_and_its_zone_come_from_outside() {
    let now: jiff::Zoned = "2024-07-01T12:00:00.5+02:00[Europe/Berlin]".parse().expect("it is a time");
    let engine = Engine::new().with_clock(move || now.clone());
    let evaluate = |text: &str| {
        let expression = Expression::parse(text).expect("it parses");
        expression.evaluate_with(&engine, &Scope::new()).and_then(|evaluation| evaluation.to_json())
    };
    assert_eq!(evaluate("string(now())"), Ok(json!("2024-07-01T12:00:00.5@Europe/Berlin")));
    assert_eq!(evaluate("now()"), Ok(json!("2024-07-01T12:00:00.5+02:00")));
    assert_eq!(evaluate("today()"), Ok(json!("2024-07-01")));
}

#[test]
fn later_layers_of_a_scope_win() {
    let (first, second) = (json!({"a": 1, "b": 1}), json!({"b": 2}));
    let scope = Scope::new().spread(&first).spread(&second).variable("a", &second);
    let expression = Expression::parse("[a.b, b]").expect("it parses");
    let evaluation = expression.evaluate(&scope).expect("it evaluates");
    assert_eq!(evaluation.to_json(), Ok(json!([2, 2])));
}

#[test]
fn strings_of_the_data_are_borrowed() {
    let data = json!({"name": "Ann"});
    let expression = Expression::parse("name").expect("it parses");
    let scope = Scope::from(&data);
    let evaluation = expression.evaluate(&scope).expect("it evaluates");
    let Value::String(text) = evaluation.value() else { panic!("a string") };
    assert_eq!(text.as_ptr(), data["name"].as_str().expect("a string").as_ptr());
}

#[test]
fn an_expression_may_be_evaluated_by_several_threads() {
    let expression = Expression::parse("matches(x, \"^a+$\") and x = \"aaa\"").expect("it parses");
    let data = json!({"x": "aaa"});
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                let scope = Scope::from(&data);
                let evaluation = expression.evaluate(&scope).expect("it evaluates");
                assert_eq!(evaluation.to_json(), Ok(json!(true)));
            });
        }
    });
}

#[test]
fn the_expressions_of_the_connector_contract_have_their_results() {
    let r16 =
        json!({"data": [{"date": "2024-01-01", "attr": "value1"}, {"date": "2024-02-01", "attr": "value2"}]});
    let text = "={res1: data[item.attr = \"value1\"][1].date, res2: \"hallo\" + res1, res3: 1 + 2, \
                res4: data[item.date = \"2024-02-01\"][1].attr, \
                res5: data[date(item.date) = date(\"2024-02-01\")][1].attr}";
    assert_eq!(
        with(text, &r16),
        json!({"res1": "2024-01-01", "res2": "hallo2024-01-01", "res3": 3, "res4": "value2", "res5": "value2"})
    );
    let response =
        json!({"callStatus": {"statusCode": "200 OK"}, "response": {"status": 204}, "job": {"retries": 3}});
    assert_eq!(
        with("= {\"processedOutput\": { status: callStatus.statusCode } }", &response),
        json!({"processedOutput": {"status": "200 OK"}})
    );
    assert_eq!(with("={bigNumber: 9223372036854775807}", &response), json!({"bigNumber": i64::MAX}));
    let e18 = "if response.status = 204 then {retries: job.retries, responseRetries: response.job.retries} else null";
    assert_eq!(with(e18, &response), json!({"retries": 3, "responseRetries": null}));
    let e1 = "if error.code != null then bpmnError(\"123\",\"\") else {}";
    assert_eq!(with(e1, &response), json!({}));
}
